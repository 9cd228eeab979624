//! Simulates draws of a posterior in a thread beside the run, so that their curves stand behind its own.
//!
//! Bounded in draws, memory, time and messages: see the constants.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::knob::Knob;
use crate::remains::Draws;
use crate::walk::{Beginning, Moment, Walk};

/// The states of all draws take no more bytes than this (but one is always simulated).
const MOST_BYTES: usize = 64 << 20;
/// Draws times curves are no more than this.
const MOST_CURVES: usize = 512;
/// The engine works no longer than this, in all.
const MOST_WORK: Duration = Duration::from_secs(60);
/// One draw is run no longer than this at a time, as far as one step allows, so that it ends when it is to.
const PATIENCE: f64 = 0.1;
/// How often a thread that has nothing to do looks whether it has.
const GLANCE: Duration = Duration::from_millis(20);

/// What comes of draws.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum News {
    /// The curves' numbers of every draw after a step.
    Row { step: u32, numbers: Vec<Vec<f64>> },
    /// There will be no more: why.
    End(String),
}

/// Draws that are simulated until this is dropped.
pub(crate) struct Spread {
    news: Option<Receiver<News>>,
    stop: Arc<AtomicBool>,
    far: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
    /// How many draws.
    pub(crate) count: usize,
}

impl Spread {
    /// Begins to simulate draws, each as far as `far` and on when [`Spread::reach`] says so.
    pub(crate) fn begin(beginning: Beginning, draws: &Draws, far: u32) -> Spread {
        let sites = beginning.model.declarations().lattice.sites();
        let layers = beginning.model.declarations().layers.len().max(1);
        let room = MOST_BYTES / (sites * layers * size_of::<f64>()).max(1);
        let count = draws.rows.len().min(room).min(MOST_CURVES / beginning.curves.max(1)).max(1);
        // Those that are taken stand evenly among those there are.
        let taken = (0..count).filter_map(|k| draws.rows.get(k * draws.rows.len() / count));
        let parameters: Vec<Vec<f64>> = taken
            .map(|row| {
                let of = |knob: &Knob| {
                    let place = draws.names.iter().position(|name| *name == knob.name);
                    place.map_or(knob.value, |place| row[place])
                };
                beginning.knobs.iter().map(of).collect()
            })
            .collect();
        let (send, news) = sync_channel(4);
        let stop = Arc::new(AtomicBool::new(false));
        let far = Arc::new(AtomicU32::new(far));
        let work = Work { stop: stop.clone(), far: far.clone(), send };
        let thread = std::thread::Builder::new().name("draws".into());
        let thread = thread.spawn(move || work.run(beginning, &parameters)).ok();
        Spread { news: Some(news), stop, far, thread, count }
    }

    /// How far draws are to be simulated.
    pub(crate) fn reach(&self, step: u32) {
        self.far.fetch_max(step, Ordering::Relaxed);
    }

    /// What has come, if anything has.
    pub(crate) fn news(&mut self) -> Option<News> {
        match self.news.as_ref()?.try_recv() {
            Ok(news) => Some(news),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.news = None;
                None
            }
        }
    }
}

impl Drop for Spread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A thread that waits for room in the channel is told that nobody reads it.
        self.news = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread's own.
struct Work {
    stop: Arc<AtomicBool>,
    far: Arc<AtomicU32>,
    send: SyncSender<News>,
}

impl Work {
    fn run(&self, beginning: Beginning, parameters: &[Vec<f64>]) {
        if let Err(why) = self.simulate(beginning, parameters) {
            let _ = self.send.send(News::End(why));
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Until it is stopped, or has worked long enough.
    fn simulate(&self, beginning: Beginning, parameters: &[Vec<f64>]) -> Result<(), String> {
        let Beginning { model, observations, covariates, step, state, .. } = beginning;
        let walk = Walk::new(&model, &observations, covariates, 1)?;
        let seed = |draw: usize| (draw as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut moments: Vec<Moment> =
            (0..parameters.len()).map(|draw| Moment::at(seed(draw), step, state.clone())).collect();
        drop(state);
        let mut worked = Duration::ZERO;
        let mut step_seconds: f64 = 0.0;
        let mut steps = 0;
        loop {
            let begin = Instant::now();
            for (moment, parameters) in moments.iter_mut().zip(parameters) {
                let end = moment.step.saturating_add(steps);
                loop {
                    if self.stopped() {
                        return Ok(());
                    }
                    let most = if step_seconds > 0.0 { PATIENCE / step_seconds } else { 1.0 };
                    let part = (end - moment.step).min(most.clamp(1.0, 1e6) as u32);
                    let begin = Instant::now();
                    walk.go_on(moment, parameters, part as usize)?;
                    if part > 0 {
                        step_seconds = begin.elapsed().as_secs_f64() / f64::from(part);
                    }
                    if moment.step == end {
                        break;
                    }
                }
            }
            let took = begin.elapsed();
            worked += took;
            let step = moments.first().map_or(step, |moment| moment.step);
            let numbers = moments.iter().map(|moment| moment.numbers.clone()).collect();
            if self.send.send(News::Row { step, numbers }).is_err() {
                return Ok(());
            }
            if worked > MOST_WORK {
                return Err(format!(
                    "the draws are simulated to step {step} only: they took {} s",
                    MOST_WORK.as_secs()
                ));
            }
            // The run itself goes first: half the time is left to it.
            self.wait_until(step, took)?;
            if self.stopped() {
                return Ok(());
            }
            steps = 1 + step / 64;
        }
    }

    /// Until there is more to be done, and for no less than so long.
    fn wait_until(&self, step: u32, least: Duration) -> Result<(), String> {
        let begin = Instant::now();
        if step == u32::MAX {
            return Err("a run has at most 4,294,967,295 steps".into());
        }
        while !self.stopped() && (self.far.load(Ordering::Relaxed) <= step || begin.elapsed() < least) {
            std::thread::sleep(GLANCE.min(least.max(Duration::from_millis(1))));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use glauber_lattice::{Lattice, Values};
    use glauber_program::{Interval, Model};
    use glauber_tasks::summaries::observation;

    use super::*;

    fn coins(p: f64) -> Beginning {
        let model = Model::build("coins", Lattice::line(2000))
            .layer("heads", Values::binary())
            .parameter("p", Interval::unit())
            .parameter("q", Interval::unit())
            .step(|s| s.next("heads").bernoulli(s.parameter("p") * s.parameter("q")))
            .unwrap();
        let seen = observation(&"mean(heads)".parse().unwrap(), &model).unwrap();
        let knob = |name: &str, value| Knob { name: name.into(), low: 0.0, high: 1.0, value, unit: None };
        Beginning {
            observations: vec![seen],
            covariates: Vec::new(),
            step: 0,
            state: vec![vec![0.0; 2000]],
            knobs: vec![knob("p", p), knob("q", 1.0)],
            curves: 1,
            model,
        }
    }

    fn draws() -> Draws {
        crate::remains::Draws::of("p", &[0.0, 0.25, 1.0])
    }

    #[test]
    fn every_draw_runs_at_its_own_parameters_as_far_as_it_is_to() {
        let mut spread = Spread::begin(coins(0.5), &draws(), 5);
        assert_eq!(spread.count, 3);
        let mut rows = Vec::new();
        let begin = Instant::now();
        while rows.len() < 6 && begin.elapsed() < Duration::from_secs(60) {
            match spread.news() {
                Some(News::Row { step, numbers }) => rows.push((step, numbers)),
                Some(News::End(why)) => panic!("{why}"),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        for (step, numbers) in &rows[1..] {
            // 2000 coins of probability 1/4: five standard deviations are 0.048.
            assert_eq!((numbers[0][0], numbers[2][0]), (0.0, 1.0), "{step} {numbers:?}");
            assert!((numbers[1][0] - 0.25).abs() < 0.05, "{step} {numbers:?}");
        }
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(spread.news(), None);
        spread.reach(6);
        let begin = Instant::now();
        while spread.news().is_none() {
            assert!(begin.elapsed() < Duration::from_secs(60));
        }
    }

    #[test]
    fn it_ends_when_it_is_dropped() {
        let spread = Spread::begin(coins(0.5), &draws(), u32::MAX);
        std::thread::sleep(Duration::from_millis(50));
        let begin = Instant::now();
        drop(spread);
        assert!(begin.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn many_curves_are_of_fewer_draws() {
        let rows: Vec<f64> = (0..32).map(|k| f64::from(k) / 32.0).collect();
        let beginning = Beginning { curves: 64, ..coins(0.5) };
        assert_eq!(Spread::begin(beginning, &crate::remains::Draws::of("p", &rows), 0).count, 8);
    }
}
