//! Takes the power spectrum of a layer, averaged over all directions.
//!
//! P(q) = (1/n_q) Σ |F(k)|² / N over the n_q wave vectors k of ring q, F the discrete Fourier transform of the layer
//!
//! | symbol | meaning | unit |
//! |---|---|---|
//! | k | wave vector, kₐ waves along axis a of Lₐ sites | waves |
//! | q | ring: √Σ (kₐ/Lₐ)² times the shortest side, rounded; 1 to half the shortest side | waves per shortest side |
//! | N | number of sites | 1 |
//!
//! Of a layer without correlations every P(q) is its variance. The derivative is exact: ∂P(q)/∂aᵢ is 2/(n_q N) times the
//! real part of the inverse transform of F over the ring.
//!
//! Example: `spectrum(A)`: where its power lies tells a pattern's wavelength.

use std::sync::Arc;

use glauber_engine::{Observation, Summary};
use glauber_program::Model;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::{Arguments, SummaryError, wrong};

pub(super) fn observation(model: &Model, arguments: &Arguments) -> Result<Observation, SummaryError> {
    let selection = arguments.only(model)?;
    if selection.state.is_some() {
        return Err(wrong("it is of a whole layer, not of a state"));
    }
    let shape = model.declarations().lattice.shape();
    let shortest = shape.iter().copied().min().unwrap_or(0);
    if shortest < 2 {
        return Err(SummaryError::Unfit {
            summary: "spectrum".into(),
            model: model.name().to_string(),
            why: format!("the lattice is {shape:?}, but a wave needs at least 2 sites along each axis"),
        });
    }
    Ok(Observation::Summary(Arc::new(Spectrum::new(selection.place, shape))))
}

/// The transform of one lattice.
struct Spectrum {
    layer: usize,
    shape: Vec<usize>,
    /// Along each axis: forwards, backwards (not normalised).
    transforms: Vec<(Arc<dyn Fft<f64>>, Arc<dyn Fft<f64>>)>,
    /// The ring of every wave vector; 0 for none.
    ring: Vec<usize>,
    /// How many wave vectors each ring has, from ring 1.
    members: Vec<f64>,
}

impl Spectrum {
    fn new(layer: usize, shape: &[usize]) -> Spectrum {
        let mut planner = FftPlanner::new();
        let transforms =
            shape.iter().map(|&n| (planner.plan_fft_forward(n), planner.plan_fft_inverse(n))).collect();
        let shortest = shape.iter().copied().min().unwrap_or(0);
        let sites: usize = shape.iter().product();
        let mut members = vec![0.0; shortest / 2];
        let ring_of = |site: usize| {
            let (mut rest, mut square) = (site, 0.0);
            for &n in shape.iter().rev() {
                let k = rest % n;
                rest /= n;
                square += (k.min(n - k) as f64 / n as f64).powi(2);
            }
            (square.sqrt() * shortest as f64).round() as usize
        };
        let ring: Vec<usize> =
            (0..sites).map(|s| Some(ring_of(s)).filter(|q| *q <= members.len()).unwrap_or(0)).collect();
        for q in ring.iter().filter(|q| **q > 0) {
            members[q - 1] += 1.0;
        }
        Spectrum { layer, shape: shape.to_vec(), transforms, ring, members }
    }

    /// Transforms in place along every axis.
    fn transform(&self, numbers: &mut [Complex<f64>], forwards: bool) {
        for (axis, (forward, backward)) in self.transforms.iter().enumerate() {
            let fft = if forwards { forward } else { backward };
            let (length, stride) = (self.shape[axis], self.shape[axis + 1..].iter().product::<usize>());
            let mut line = vec![Complex::default(); length];
            for block in numbers.chunks_exact_mut(length * stride) {
                for from in 0..stride {
                    for (i, value) in line.iter_mut().enumerate() {
                        *value = block[from + i * stride];
                    }
                    fft.process(&mut line);
                    for (i, value) in line.iter().enumerate() {
                        block[from + i * stride] = *value;
                    }
                }
            }
        }
    }

    fn waves(&self, field: &[f64]) -> Vec<Complex<f64>> {
        let mut waves: Vec<Complex<f64>> = field.iter().map(|&x| Complex::new(x, 0.0)).collect();
        self.transform(&mut waves, true);
        waves
    }
}

impl Summary for Spectrum {
    fn outputs(&self) -> Vec<String> {
        (1..=self.members.len()).map(|q| format!("wave number {q}")).collect()
    }

    fn values(&self, layers: &[Vec<f64>]) -> Vec<f64> {
        let waves = self.waves(&layers[self.layer]);
        let mut power = vec![0.0; self.members.len()];
        for (wave, &q) in waves.iter().zip(&self.ring).filter(|(_, q)| **q > 0) {
            power[q - 1] += wave.norm_sqr();
        }
        let sites = self.ring.len() as f64;
        power.iter().zip(&self.members).map(|(p, n)| p / (n * sites)).collect()
    }

    fn pull_back(&self, layers: &[Vec<f64>], bars: &[f64]) -> Vec<Vec<f64>> {
        let mut waves = self.waves(&layers[self.layer]);
        let sites = self.ring.len() as f64;
        for (wave, &q) in waves.iter_mut().zip(&self.ring) {
            *wave *= if q > 0 { 2.0 * bars[q - 1] / (self.members[q - 1] * sites) } else { 0.0 };
        }
        self.transform(&mut waves, false);
        let mut slopes: Vec<Vec<f64>> = layers.iter().map(|l| vec![0.0; l.len()]).collect();
        slopes[self.layer] = waves.iter().map(|w| w.re).collect();
        slopes
    }
}
