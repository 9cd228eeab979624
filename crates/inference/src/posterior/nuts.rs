//! Walks a chain by the no-U-turn sampler of `nuts-rs`, in free coordinates.
//!
//! A place where the density is 0 ends a path as a divergence, which is counted; the chain goes on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use glauber_numbers::noise::{Purpose, derive_seed};
use nuts_rs::rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use nuts_rs::{
    Chain, CpuLogpFunc, CpuMath, CpuMathError, DiagNutsSettings, HasDims, LogpError, Settings as _,
};

use super::{PosteriorError, Settings, Walked};
use crate::density::Density;
use crate::likelihood::Stop;

/// Why there is no density at a point of a path.
#[derive(Debug, thiserror::Error)]
enum NoDensity {
    #[error("the density is 0")]
    Zero,
    #[error("the likelihood stopped")]
    Stopped,
}

impl LogpError for NoDensity {
    fn is_recoverable(&self) -> bool {
        matches!(self, NoDensity::Zero)
    }
}

/// What was seen along the path of one draw, and why it ended.
#[derive(Default)]
struct Path {
    seen: Vec<(Vec<f64>, f64)>,
    evaluations: u64,
    stop: Option<Stop>,
}

/// The density as the sampler asks for it.
struct Target<'a> {
    density: Density,
    path: Arc<Mutex<Path>>,
    told_to_stop: &'a (dyn Fn() -> bool + Sync),
}

impl HasDims for Target<'_> {
    fn dim_sizes(&self) -> HashMap<String, u64> {
        HashMap::from([("unconstrained_parameter".to_string(), self.density.coordinates().len() as u64)])
    }
}

impl CpuLogpFunc for Target<'_> {
    type LogpError = NoDensity;
    type FlowParameters = ();
    type ExpandedVector = Vec<f64>;

    fn dim(&self) -> usize {
        self.density.coordinates().len()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, NoDensity> {
        let value = match (self.told_to_stop)() {
            true => Err(Stop::Interrupted),
            false => self.density.free_value_and_gradient(position, gradient),
        };
        let mut path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        path.evaluations += 1;
        match value {
            Ok(value) if value.is_finite() && gradient.iter().all(|slope| slope.is_finite()) => {
                path.seen.push((position.to_vec(), value));
                Ok(value)
            }
            Ok(_) => Err(NoDensity::Zero),
            Err(stop) => {
                path.stop = Some(stop);
                Err(NoDensity::Stopped)
            }
        }
    }

    fn expand_vector<R: Rng + ?Sized>(
        &mut self,
        _rng: &mut R,
        array: &[f64],
    ) -> Result<Vec<f64>, CpuMathError> {
        Ok(array.to_vec())
    }
}

pub(super) fn walk(
    density: Density,
    settings: Settings,
    chain: usize,
    start: Vec<f64>,
    stop: &(dyn Fn() -> bool + Sync),
    seen: &dyn Fn(usize),
) -> Result<Walked, PosteriorError> {
    let path: Arc<Mutex<Path>> = Arc::default();
    let failed =
        |why: &dyn std::fmt::Display| match path.lock().unwrap_or_else(PoisonError::into_inner).stop.take() {
            Some(Stop::Interrupted) => PosteriorError::Interrupted,
            Some(other) => PosteriorError::Likelihood(other),
            None => PosteriorError::Chain { chain: chain + 1, why: why.to_string() },
        };
    let options = DiagNutsSettings {
        num_tune: settings.warm_up as u64,
        num_draws: settings.draws as u64,
        ..DiagNutsSettings::default()
    };
    let target = Target { density, path: path.clone(), told_to_stop: stop };
    let mut random =
        ChaCha8Rng::seed_from_u64(derive_seed(settings.seed, Purpose::PosteriorMoves, chain as u64));
    let mut sampler =
        options.new_chain(chain as u64, CpuMath::new(target), &mut random).map_err(|e| failed(&e))?;
    sampler.set_position(&start).map_err(|e| failed(&e))?;
    let mut walked = Walked {
        draws: Vec::with_capacity(settings.draws * start.len()),
        log_density: Vec::with_capacity(settings.draws),
        diverging: Vec::with_capacity(settings.draws),
        accepted: None,
        noise: None,
        evaluations: 0,
    };
    let mut last = (start, f64::NAN);
    for draw in 0..settings.warm_up + settings.draws {
        let (position, progress) = sampler.draw().map_err(|e| failed(&e))?;
        {
            let mut path = path.lock().unwrap_or_else(PoisonError::into_inner);
            let same = |known: &[f64]| known.iter().zip(&*position).all(|(a, b)| a.to_bits() == b.to_bits());
            if !same(&last.0) || last.1.is_nan() {
                let value = path.seen.iter().rev().find(|(known, _)| same(known)).map(|(_, value)| *value);
                last = (position.to_vec(), value.unwrap_or(f64::NAN));
            }
            path.seen.clear();
        }
        if draw >= settings.warm_up {
            walked.draws.extend(&position);
            walked.log_density.push(last.1);
            walked.diverging.push(progress.diverging);
        }
        seen(draw);
    }
    walked.evaluations = path.lock().unwrap_or_else(PoisonError::into_inner).evaluations;
    Ok(walked)
}
