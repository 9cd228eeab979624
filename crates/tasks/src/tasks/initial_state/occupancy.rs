//! Counts how many replicates have a site in a state, and compares that with what was observed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use glauber_engine::{EngineError, Frame, Plan, Recorder, Run};

use super::{InitialStateError, Scene, StateLoss};

/// Half a replicate more in every state, so that no occupancy is 0 (Jeffreys's prior).
const PRIOR: f64 = 0.5;

/// One observed lattice: after how many steps, and for each layer its dense values.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedFrame {
    /// Steps after the unknown start, at least 1.
    pub step: usize,
    /// One field per layer.
    pub layers: Vec<Vec<f64>>,
}

/// Fails unless there are frames, each with one state per site and layer, after the start.
pub(super) fn check_frames(
    frames: &[ObservedFrame],
    states: &[usize],
    sites: usize,
) -> Result<(), InitialStateError> {
    if frames.is_empty() {
        let message = "no frame was observed: give at least one lattice after the start";
        return Err(InitialStateError::Frames(message.into()));
    }
    if let Some(pair) = frames.windows(2).find(|pair| pair[0].step == pair[1].step) {
        let message = format!("two frames were observed after {} steps: give one of them", pair[0].step);
        return Err(InitialStateError::Frames(message));
    }
    for frame in frames {
        let sizes = frame.layers.len() == states.len() && frame.layers.iter().all(|l| l.len() == sites);
        if !sizes || frame.step == 0 {
            return Err(InitialStateError::Frames(format!(
                "the frame observed after {} steps must hold {sites} sites for each of {} layers, and lie at least \
                 one step after the start",
                frame.step,
                states.len()
            )));
        }
        for (values, states) in frame.layers.iter().zip(states) {
            let bad = |x: &f64| x.fract().abs() > 0.0 || !(0.0..*states as f64).contains(x);
            if let Some(site) = values.iter().position(bad) {
                return Err(InitialStateError::Frames(format!(
                    "the frame observed after {} steps holds {} at site {site}; states are numbered from 0 to {}",
                    frame.step,
                    values[site],
                    states - 1
                )));
            }
        }
    }
    Ok(())
}

/// For each frame and layer the number of replicates per state and site.
pub(super) struct Occupancy {
    counts: Vec<Vec<Vec<u32>>>,
    replicates: usize,
    /// Per layer: ln m where so many replicates have the state.
    logarithms: Vec<Vec<f64>>,
}

struct Counter<'a> {
    scene: &'a Scene,
    counts: Vec<Vec<Vec<AtomicU32>>>,
}

impl Recorder for Counter<'_> {
    fn wants(&self, step: usize) -> bool {
        self.scene.frames.iter().any(|f| f.step == step)
    }

    fn record(&self, _replicate: usize, step: usize, layers: Frame) {
        for (frame, counts) in self.scene.frames.iter().zip(&self.counts) {
            if frame.step == step {
                for (values, counts) in layers.iter().zip(counts) {
                    for (site, value) in values.iter().enumerate() {
                        counts[*value as usize * self.scene.sites + site].fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    }
}

/// Per layer: ln m where so many of the replicates have a state.
fn logarithms(scene: &Scene, replicates: usize) -> Vec<Vec<f64>> {
    let of_layer = |states: &usize| -> Vec<f64> {
        let whole = replicates as f64 + PRIOR * *states as f64;
        (0..=replicates).map(|count| libm::log((count as f64 + PRIOR) / whole)).collect()
    };
    scene.states.iter().map(of_layer).collect()
}

impl Occupancy {
    /// Runs forwards and counts. Counts are whole numbers, so the threads' order does not matter.
    pub(super) fn count(plan: &Plan, scene: &Scene, run: &Run<'_>) -> Result<Occupancy, EngineError> {
        let of_layer = |states: &usize| -> Vec<AtomicU32> {
            (0..states * scene.sites).map(|_| AtomicU32::new(0)).collect()
        };
        let counts = scene.frames.iter().map(|_| scene.states.iter().map(of_layer).collect()).collect();
        let counter = Counter { scene, counts };
        plan.simulate_recorded(run, Some(&counter))?;
        let plain = |layer: Vec<AtomicU32>| layer.into_iter().map(AtomicU32::into_inner).collect();
        let counts = counter.counts.into_iter().map(|frame| frame.into_iter().map(plain).collect()).collect();
        let replicates = run.replicates;
        Ok(Occupancy { counts, replicates, logarithms: logarithms(scene, replicates) })
    }

    /// How many replicates were counted.
    pub(super) fn replicates(&self) -> usize {
        self.replicates
    }

    /// The same with the replicates of another count.
    pub(super) fn and(mut self, scene: &Scene, other: &Occupancy) -> Occupancy {
        let mine = self.counts.iter_mut().flatten().flatten();
        mine.zip(other.counts.iter().flatten().flatten()).for_each(|(count, more)| *count += more);
        self.replicates += other.replicates;
        self.logarithms = logarithms(scene, self.replicates);
        self
    }

    /// m: the share of replicates in a state.
    fn share(&self, scene: &Scene, frame: usize, layer: usize, state: usize, site: usize) -> f64 {
        let count = f64::from(self.counts[frame][layer][state * scene.sites + site]);
        (count + PRIOR) / (self.replicates as f64 + PRIOR * scene.states[layer] as f64)
    }

    /// Σ ln m of these lattices, as if sites were independent.
    pub(super) fn log_likelihood(&self, scene: &Scene, frames: &[ObservedFrame]) -> f64 {
        let mut sum = 0.0;
        for (number, frame) in frames.iter().enumerate() {
            for (layer, values) in frame.layers.iter().enumerate() {
                let (counts, logarithms) = (&self.counts[number][layer], &self.logarithms[layer]);
                let each = values.iter().enumerate();
                sum += each
                    .map(|(site, value)| logarithms[counts[*value as usize * scene.sites + site] as usize])
                    .sum::<f64>();
            }
        }
        sum
    }

    /// How many sites of these lattices are in a state that no replicate has there.
    pub(super) fn unseen(&self, scene: &Scene, frames: &[ObservedFrame]) -> usize {
        let of_layer = |counts: &[u32], values: &[f64]| {
            let never = |(site, value): &(usize, &f64)| counts[**value as usize * scene.sites + site] == 0;
            values.iter().enumerate().filter(never).count()
        };
        let of_frame = |(counts, frame): (&Vec<Vec<u32>>, &ObservedFrame)| -> usize {
            counts.iter().zip(&frame.layers).map(|(counts, values)| of_layer(counts, values)).sum()
        };
        self.counts.iter().zip(frames).map(of_frame).sum()
    }

    fn numbers(scene: &Scene) -> f64 {
        (scene.frames.len() * scene.states.len() * scene.sites) as f64
    }

    pub(super) fn loss(&self, scene: &Scene, loss: StateLoss) -> f64 {
        if loss == StateLoss::CrossEntropy {
            return -self.log_likelihood(scene, &scene.frames) / Self::numbers(scene);
        }
        let mut sum = 0.0;
        for (number, frame) in scene.frames.iter().enumerate() {
            for (layer, values) in frame.layers.iter().enumerate() {
                for state in 0..scene.states[layer] {
                    for (site, value) in values.iter().enumerate() {
                        let there = f64::from(u8::from(*value as usize == state));
                        sum += (self.share(scene, number, layer, state, site) - there).powi(2);
                    }
                }
            }
        }
        sum / Self::numbers(scene)
    }

    /// ∂loss by one replicate's being in a state, times the number of replicates, per site.
    pub(super) fn slopes(
        &self,
        scene: &Scene,
        loss: StateLoss,
        frame: usize,
        layer: usize,
        state: usize,
    ) -> Vec<f64> {
        let replicates = self.replicates as f64;
        let by_count = 1.0 / (replicates + PRIOR * scene.states[layer] as f64);
        let scale = replicates * by_count / Self::numbers(scene);
        let slope = |(site, value): (usize, &f64)| {
            let there = *value as usize == state;
            let share = self.share(scene, frame, layer, state, site);
            scale
                * match (loss, there) {
                    (StateLoss::CrossEntropy, true) => -1.0 / share,
                    (StateLoss::CrossEntropy, false) => 0.0,
                    (StateLoss::SquaredError, _) => 2.0 * (share - f64::from(u8::from(there))),
                }
        };
        scene.frames[frame].layers[layer].iter().enumerate().map(slope).collect()
    }
}

/// Every replicate's states at the steps of the observed frames.
pub(super) fn record(
    plan: &Plan,
    scene: &Scene,
    run: &Run<'_>,
) -> Result<Vec<Vec<ObservedFrame>>, EngineError> {
    let shelf = Shelf { scene, trials: (0..run.replicates).map(|_| Mutex::new(Vec::new())).collect() };
    plan.simulate_recorded(run, Some(&shelf))?;
    let own = |trial: Mutex<Vec<ObservedFrame>>| trial.into_inner().unwrap_or_else(|e| e.into_inner());
    Ok(shelf.trials.into_iter().map(own).collect())
}

struct Shelf<'a> {
    scene: &'a Scene,
    trials: Vec<Mutex<Vec<ObservedFrame>>>,
}

impl Recorder for Shelf<'_> {
    fn wants(&self, step: usize) -> bool {
        self.scene.frames.iter().any(|f| f.step == step)
    }

    fn record(&self, replicate: usize, step: usize, layers: Frame) {
        // Frames are kept in the order of their steps, as a replicate's states come.
        let mut own = self.trials[replicate].lock().unwrap_or_else(|e| e.into_inner());
        own.push(ObservedFrame { step, layers });
    }
}
