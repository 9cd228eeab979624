//! Fits Malevanets–Kapral so that a pattern stays, and tests whether what was found forms patterns: the paper's figure 5.
//!
//! A pattern is made at known parameters (20,000 steps). From starts that form none, plain gradient descent (rate 0.05,
//! parameters clamped to [0, 1]) brings down ln Σ (x − x_ref)² after 500 steps: of the reaction rates (*reaction*), of
//! the diffusion coefficients (*diffusion*), of all five (*joint*). Along each fit a formation test makes four rollouts of
//! 50,000 steps from the nearly uniform start, and a score decides between a pattern and none.
//!
//! All three are made with the paper's gradient: Gumbel-softmax at temperature 1 for the drawn direction, straight-through for
//! a channel that is picked and then fires, slope 1 of the excitation where a site is neither empty nor full. Beside them the
//! diffusion and joint fits are made with settings of our own: temperature 0.75, the excitation's slope 1/N, one draw among
//! the channels, a falling rate.
//!
//! The parts are here; what is said of them in `results`.

mod results;

use glauber_fit::job::prepare;
use glauber_fit::problem::formation_test;

use crate::error::ReproduceError;
use crate::films::Take;
use crate::findings::Findings;
use crate::fits::{Course, FitText};
use crate::part::Part;
use crate::settings::Settings;
use crate::store::Store;
use crate::study::Study;
use results::{Drop, Fit, Formed, Results};

const FIT: &str = r#"
model = "malevanets-kapral"
task = "stability"
[model-options]
excitation = "paper"
[estimator]
name = "straight-through + gumbel-softmax"
temperature = 1.0
[data]
steps = 500
[data.simulate]
steps = 20_000
seed = 1
parameters = { D_A = 0.1, D_B = 0.4, k1 = 0.98, k2 = 0.1, k3 = 0.2 }
[loss]
name = "log-sum-squares"
[optimizer]
name = "sgd"
learning-rate = 0.05
steps = 500
replicates = 1
map = "clamp"
[run]
seed = 1
checkpoint-every = 100
formation-test = { every = 500, steps = 50_000, rollouts = 4 }
"#;

/// What the fits with our settings have instead (docs/stability.md): a slope of 1/N moves the diffusion coefficients faster,
/// at a temperature of 0.75 their derivative points the loss's way down to 0.05, and a falling rate lets the last steps
/// settle.
const OURS: [(&str, &str); 3] = [
    ("model-options.excitation", "mean"),
    ("estimator.temperature", "0.75"),
    ("optimizer.schedule", "cosine"),
];

/// The steps within which the loss takes its first drop.
const FIRST_DROP: f64 = 50.0;
/// Rollouts over which losses are averaged, and the number of the first, which no fit uses.
const ROLLOUTS: u64 = 8;
const FIRST_ROLLOUT: u64 = 1_000_000;

/// What is fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Reaction,
    Diffusion,
    Joint,
    /// The same with our settings.
    OurDiffusion,
    OurJoint,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Reaction, Kind::Diffusion, Kind::Joint, Kind::OurDiffusion, Kind::OurJoint];

    /// Whether it has our settings, not the paper's.
    fn is_ours(self) -> bool {
        matches!(self, Kind::OurDiffusion | Kind::OurJoint)
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Reaction => "reaction",
            Kind::Diffusion => "diffusion",
            Kind::Joint => "joint",
            Kind::OurDiffusion => "our-diffusion",
            Kind::OurJoint => "our-joint",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Kind::Reaction => "Reaction fit (k1, k2, k3)",
            Kind::Diffusion => "Diffusion fit (D_A, D_B)",
            Kind::Joint => "Joint fit (all five)",
            Kind::OurDiffusion => "Diffusion fit, our settings",
            Kind::OurJoint => "Joint fit, our settings",
        }
    }

    /// Starts and fixed parameters.
    fn given(self) -> (&'static [(&'static str, f64)], &'static [(&'static str, f64)]) {
        match self {
            Kind::Reaction => (&[("k1", 0.35), ("k2", 0.91), ("k3", 0.7)], &[("D_A", 0.1), ("D_B", 0.4)]),
            Kind::Diffusion | Kind::OurDiffusion => {
                (&[("D_A", 0.6), ("D_B", 0.3)], &[("k1", 0.98), ("k2", 0.1), ("k3", 0.2)])
            }
            Kind::Joint | Kind::OurJoint => {
                (&[("D_A", 0.6), ("D_B", 0.3), ("k1", 0.35), ("k2", 0.91), ("k3", 0.7)], &[])
            }
        }
    }

    /// The steps of the fit after which formation is tested; the last is the fit's.
    fn tests(self, quick: bool) -> &'static [u64] {
        match (self, quick) {
            (Kind::Reaction, false) => &[0, 25, 50, 100, 200, 300, 500],
            (Kind::Diffusion, false) => &[0, 500, 1000, 2000, 3000, 4000],
            (Kind::Joint, false) => &[0, 1000, 2000, 3000, 4000, 5000, 6000],
            // Half the paper's steps: a falling rate has settled by then.
            (Kind::OurDiffusion, false) => &[0, 250, 500, 1000, 1500, 2000],
            (Kind::OurJoint, false) => &[0, 500, 1000, 1500, 2000, 2500, 3000],
            (_, true) => &[0, 150],
        }
    }
}

/// The experiment, full or shortened.
pub(crate) struct Stability {
    quick: bool,
    seeds: Vec<u64>,
}

impl Stability {
    pub(crate) fn new(settings: &Settings) -> Stability {
        Stability {
            quick: settings.quick,
            seeds: (settings.seed..settings.seed.saturating_add(settings.seeds)).collect(),
        }
    }

    fn kinds(&self) -> &'static [Kind] {
        match self.quick {
            true => &[Kind::Reaction, Kind::OurDiffusion],
            false => &Kind::ALL,
        }
    }

    fn name(kind: Kind, seed: u64) -> String {
        format!("stability-{}-{seed}", kind.name())
    }

    fn text(&self, kind: Kind, seed: u64) -> FitText {
        let (starts, fixed) = kind.given();
        let mut text = FitText::new(FIT).with("run.seed", seed);
        for (name, value) in starts {
            text = text.with(&format!("start.{name}"), value);
        }
        for (name, value) in fixed {
            text = text.with(&format!("fixed.{name}"), value);
        }
        for (key, value) in OURS.iter().filter(|_| kind.is_ours()) {
            text = text.with(key, value);
        }
        if self.quick {
            text = text.with("run.formation-test.rollouts", 1);
        }
        text.with("optimizer.steps", kind.tests(self.quick).last().copied().unwrap_or(1))
    }

    fn fit(&self, kind: Kind, seed: u64) -> Part {
        let steps = kind.tests(self.quick).last().copied().unwrap_or(1);
        let about = format!("{}, seed {seed}", kind.about());
        // Reaction fits leave the directions' estimator out.
        let each = if kind == Kind::Reaction { 0.04 } else { 0.06 };
        self.text(kind, seed).part(Self::name(kind, seed), about, 1.0 + each * steps as f64)
    }

    fn test(&self, kind: Kind, seed: u64, step: u64) -> Part {
        let (text, fit) = (self.text(kind, seed), Self::name(kind, seed));
        let about = format!("{}, seed {seed}: formation after {step} steps", kind.about());
        let settings = format!("{text:?} after {fit}, step {step}");
        Part::new(
            format!("{fit}-formation-{step}"),
            about,
            settings,
            if self.quick { 1.0 } else { 3.0 },
            move |context| {
                let bar = context.progress(0, 1);
                let course: Course = context.store.get(&fit)?;
                let file = text.file()?;
                let test = formation_test(&file).map_err(ReproduceError::part)?;
                let test = test.ok_or_else(|| ReproduceError::part("no formation test was asked for"))?;
                let found = test.run(&course.theta_at(step as f64), step, Some(context.interrupt));
                context.check()?;
                let found = found.map_err(ReproduceError::part)?;
                bar.finish(&test.words(&found));
                let layer = found.layers.first().map_or(&[][..], Vec::as_slice);
                Ok(Formed {
                    step: step as f64,
                    variance: found.score.variance,
                    wave_number: Some(found.score.mean_wave_number).filter(|k| k.is_finite()),
                    verdict: found.verdict.word().to_string(),
                    patterns: found.patterns as f64,
                    rollouts: test.rollouts as f64,
                    layer: layer.iter().map(|a| *a as u8).collect(),
                })
            },
        )
    }

    /// How much of the loss's first drop each parameter brings alone.
    fn drop(&self, seed: u64) -> Part {
        let (text, fit) = (self.text(Kind::Reaction, seed), Self::name(Kind::Reaction, seed));
        let about = format!("What brings the loss down, seed {seed}");
        let settings = format!("{text:?} after {fit}, {ROLLOUTS} rollouts");
        Part::new(format!("stability-drop-{seed}"), about, settings, 1.0, move |context| {
            let bar = context.progress(0, 1);
            let course: Course = context.store.get(&fit)?;
            let mut job = prepare(&text.file()?).map_err(ReproduceError::part)?;
            let Some(attempt) = job.attempts.first_mut() else {
                return Err(ReproduceError::part("a fit without a start"));
            };
            let mut loss = |theta: &[f64]| -> Result<f64, ReproduceError> {
                let rollouts = FIRST_ROLLOUT..FIRST_ROLLOUT + ROLLOUTS;
                let losses = rollouts.map(|i| attempt.objective.value(theta, i));
                let total: f64 = losses.sum::<Result<f64, _>>().map_err(ReproduceError::part)?;
                Ok(total / ROLLOUTS as f64)
            };
            let (before, after) = (course.theta_at(0.0), course.theta_at(FIRST_DROP));
            let (first, last) = (loss(&before)?, loss(&after)?);
            let mut shares = Vec::new();
            for place in 0..before.len() {
                let mut theta = before.clone();
                theta[place] = after[place];
                shares.push((first - loss(&theta)?) / (first - last));
            }
            bar.finish(&format!("from {first:.2} to {last:.2}"));
            Ok(Drop { names: course.names.clone(), first, last, shares })
        })
    }

    fn film(&self) -> Part {
        let take = Take {
            model: "malevanets-kapral",
            parameters: vec![0.1, 0.4, 0.98, 0.1, 0.2],
            steps: 20_000,
            every: 400,
            seed: 1,
        };
        take.part("stability-film", "film of a pattern that forms", 1.0)
    }
}

impl Study for Stability {
    fn parts(&self) -> Vec<Part> {
        let mut parts = vec![self.film()];
        for seed in &self.seeds {
            for kind in self.kinds() {
                parts.push(self.fit(*kind, *seed));
                parts.extend(kind.tests(self.quick).iter().map(|step| self.test(*kind, *seed, *step)));
            }
            parts.push(self.drop(*seed));
        }
        parts
    }

    fn findings(&self, store: &Store) -> Result<Findings, ReproduceError> {
        let mut fits = Vec::new();
        let mut drops = Vec::new();
        for seed in &self.seeds {
            for kind in self.kinds() {
                let name = Self::name(*kind, *seed);
                let steps = kind.tests(self.quick).iter();
                let tests: Result<Vec<Formed>, _> =
                    steps.map(|step| store.get(&format!("{name}-formation-{step}"))).collect();
                fits.push(Fit { kind: *kind, seed: *seed, course: store.get(&name)?, tests: tests? });
            }
            drops.push(store.get(&format!("stability-drop-{seed}"))?);
        }
        Results { fits, drops }.findings(&store.get("stability-film")?).map_err(ReproduceError::part)
    }
}
