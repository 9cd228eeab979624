//! Sets the timed problems up for the engine.

use glauber::engine::{FieldData, LossValue, Options, Plan, Run};
use glauber::models::{ModelOptions, OptionValue, named};
use glauber::numbers::noise::{Key, uniform};
use glauber::program::estimators::StraightThrough;
use glauber::program::{Estimator, Model};
use glauber::tasks::losses::stability::{distance, reference};

/// What can go wrong here is a mistake in this crate.
pub type Anything<T> = Result<T, Box<dyn std::error::Error>>;

/// Susceptible–infected from a third of the sites aware, towards a target.
pub struct News {
    /// The plan, with the number of sites that differ from the target as observation 0.
    pub plan: Plan,
    /// The first state.
    pub first: Vec<u8>,
    /// The target.
    pub target: Vec<u8>,
    /// Sites along each side.
    pub side: usize,
}

fn scattered(sites: usize, share: f64, seed: u64) -> Vec<u8> {
    let key = Key::new(seed, 0, 0, 0, 0);
    (0..sites as u32).map(|site| u8::from(uniform::<f64>(key.word(site)) < share)).collect()
}

fn square(model: &str, side: usize) -> Anything<Model> {
    let mut options = ModelOptions::none();
    options.set("shape", OptionValue::List(vec![side as f64; 2]));
    Ok(named(model, &options)?)
}

impl News {
    /// On a square torus, with one thread.
    pub fn new(side: usize, estimator: Option<&dyn Estimator>) -> Anything<News> {
        let model = square("susceptible-infected", side)?;
        let distance = model.observe(|s| {
            let wrong = s.layer("aware") - s.data("target");
            s.output("wrong", (wrong * wrong).sum());
        })?;
        let plan =
            Plan::new(&model, &[distance.into()], estimator, Options { threads: 1, ..Options::default() })?;
        let sites = side * side;
        Ok(News { plan, first: scattered(sites, 0.03, 1), target: scattered(sites, 0.5, 2), side })
    }

    /// The run of `steps` steps.
    pub fn run<'a>(&self, beta: &'a [f64], steps: usize) -> Run<'a> {
        Run::new(beta, steps).start(vec![FieldData::shared(self.first.clone())]).without_last()
    }

    /// The run of one step from each of many states, compared with a target of each: a transition fit's step.
    pub fn pairs<'a>(&self, beta: &'a [f64], pairs: usize) -> Run<'a> {
        let sites = self.side * self.side;
        let many = |share, first: u64| -> FieldData {
            let states =
                (0..pairs as u64).flat_map(|k| scattered(sites, share, first + k)).collect::<Vec<u8>>();
            FieldData::picked(states, (0..pairs as u32).collect())
        };
        Run::new(beta, 1)
            .replicates(pairs)
            .start(vec![many(0.1, 1000)])
            .observe(1, 0)
            .with_field("target", many(0.3, 2000))
    }

    /// The run of `steps` steps whose end is compared with the target.
    pub fn compared<'a>(&self, beta: &'a [f64], steps: usize) -> Run<'a> {
        self.run(beta, steps).observe(steps, 0).with_field("target", FieldData::shared(self.target.clone()))
    }
}

/// Malevanets–Kapral from a pattern, towards the same pattern.
pub struct Pattern {
    /// The plan, with the squared distance to the pattern as observation 0.
    pub plan: Plan,
    /// Occupancies of A and B.
    pub layers: [Vec<u8>; 2],
    /// Sites along each side.
    pub side: usize,
}

impl Pattern {
    /// On a square torus, 50 particles a site at most, with this many threads.
    pub fn new(side: usize, estimator: Option<&dyn Estimator>, threads: usize) -> Anything<Pattern> {
        let model = square("malevanets-kapral", side)?;
        let plan = Plan::new(
            &model,
            &[distance(&model)?.into()],
            estimator,
            Options { threads, ..Options::default() },
        )?;
        let wave = |x: usize, low: f64, high: f64| {
            let phase = (x as f64 / side as f64 * 4.0 * std::f64::consts::TAU).sin();
            (0.5 * (low + high) + 0.5 * (high - low) * phase).round() as u8
        };
        let layer = |low, high| (0..side * side).map(|site| wave(site % side, low, high)).collect();
        Ok(Pattern { plan, layers: [layer(10.0, 45.0), layer(8.0, 30.0)], side })
    }

    /// The run of `steps` steps without what is observed.
    pub fn run<'a>(&self, theta: &'a [f64], steps: usize) -> Run<'a> {
        let start = self.layers.iter().map(|l| FieldData::shared(l.clone())).collect();
        Run::new(theta, steps).start(start).without_last()
    }

    /// The run of `steps` steps whose end is compared with the start.
    pub fn compared<'a>(&self, theta: &'a [f64], steps: usize) -> Run<'a> {
        let [a, b] = self.layers.clone().map(FieldData::shared);
        self.run(theta, steps).observe(steps, 0).with_field(&reference("A"), a).with_field(&reference("B"), b)
    }
}

/// Where the patterns of the bench are: inside the intervals, forming none.
pub const THETA: [f64; 5] = [0.3, 0.5, 0.6, 0.2, 0.3];

/// The loss is what is observed.
pub fn observed(mean: &[f64]) -> LossValue {
    LossValue { value: mean[0], slopes: vec![1.0] }
}

/// The estimator of all timings.
pub const ESTIMATOR: StraightThrough = StraightThrough;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::handwritten::torus::Torus;
    use crate::handwritten::{malevanets_kapral as mk, susceptible_infected as si};
    use glauber::engine::noise_seed;

    #[test]
    fn the_handwritten_news_spread_as_the_engines() {
        let news = News::new(64, Some(&ESTIMATOR)).unwrap();
        let (beta, steps) = ([0.2], 7);
        let first = Torus::from_sites(64, 64, &news.first);
        let mut state = first.clone();
        let seed = noise_seed(1, &news.plan.declarations().lattice);
        for t in 1..=steps as u32 {
            let mut next = state.clone();
            si::step(&state, &mut next, beta[0], Key::new(seed, 0, t, 0, 0));
            state = next;
        }
        let mut run = news.run(&beta, steps);
        run.wants_last = true;
        let last: Vec<u8> = news.plan.simulate(&run).unwrap().last[0][0].iter().map(|x| *x as u8).collect();
        assert_eq!(state.sites(), last);
        let ours = news.plan.gradient(&news.compared(&beta, steps), &observed).unwrap();
        let (loss, slope) = si::gradient(&first, &news.target, beta[0], steps as u32, seed);
        assert_eq!(ours.value.to_bits(), loss.to_bits());
        // Seven steps of sums of up to nine rounded numbers: 7 · 9 · 2⁻²⁴, and as much again for powers.
        assert!((ours.parameters[0] / slope - 1.0).abs() < 1e-5, "{} {slope}", ours.parameters[0]);
    }

    #[test]
    fn the_handwritten_pattern_changes_as_the_engines() {
        let pattern = Pattern::new(64, Some(&ESTIMATOR), 1).unwrap();
        let steps = 40;
        let ours = pattern.plan.gradient(&pattern.compared(&THETA, steps), &observed).unwrap();
        let field = |l: &Vec<u8>| Torus::from_sites(64, 64, l);
        let first = mk::State { a: field(&pattern.layers[0]), b: field(&pattern.layers[1]) };
        let seed = noise_seed(1, &pattern.plan.declarations().lattice);
        let (loss, slopes) = mk::gradient(&first, &THETA, 50.0, steps as u32, seed);
        assert_eq!(ours.value.to_bits(), loss.to_bits());
        for (own, other) in ours.parameters.iter().zip(slopes) {
            assert!((own / other - 1.0).abs() < 1e-3, "{:?} {slopes:?}", ours.parameters);
        }
    }
}
