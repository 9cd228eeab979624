//! Fits Malevanets–Kapral so that a pattern stays, and tests whether what was found forms patterns: the paper's figure 5.
//!
//! A pattern is made at known parameters (20,000 steps). From starts that form none, plain gradient descent (rate 0.05,
//! parameters clamped to [0, 1]) brings down ln Σ (x − x_ref)² after 500 steps: of the reaction rates (*reaction*), of
//! the diffusion coefficients (*diffusion*), of all five (*joint*). Along each fit a formation test runs 50,000 steps from
//! the nearly uniform start and a score decides between a pattern and none.

use glauber_fit::job::{formation_test, prepare};
use glauber_report::frames::{Colouring, ContactSheet, FrameError, Picture};
use glauber_report::html::{Section, Table, Verdict};
use glauber_report::plot::{Figure, Panel};
use serde::{Deserialize, Serialize};

use crate::error::ReproduceError;
use crate::films::{Reel, Take};
use crate::findings::{Finding, Findings, csv};
use crate::fits::{Course, FitText};
use crate::part::Part;
use crate::run::Study;
use crate::settings::Settings;
use crate::store::Store;

const FIT: &str = r#"
model = "malevanets-kapral"
task = "stability"
[model-options]
excitation = "unit"
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
formation-test = { every = 500, steps = 50_000 }
"#;

/// A ratio of diffusion coefficients from which on it is "about twice".
const ABOUT_TWICE: f64 = 1.8;
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
    /// With the slope of the mean excitation, 1/N, instead of the paper's 1.
    DiffusionOfMeans,
    Joint,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Reaction => "reaction",
            Kind::Diffusion => "diffusion",
            Kind::DiffusionOfMeans => "mean-slope-diffusion",
            Kind::Joint => "joint",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Kind::Reaction => "Reaction fit (k1, k2, k3)",
            Kind::Diffusion => "Diffusion fit (D_A, D_B)",
            Kind::DiffusionOfMeans => "Diffusion fit, slope 1/N",
            Kind::Joint => "Joint fit (all five)",
        }
    }

    /// Starts and fixed parameters.
    fn given(self) -> (&'static [(&'static str, f64)], &'static [(&'static str, f64)]) {
        match self {
            Kind::Reaction => (&[("k1", 0.35), ("k2", 0.91), ("k3", 0.7)], &[("D_A", 0.1), ("D_B", 0.4)]),
            Kind::Diffusion | Kind::DiffusionOfMeans => {
                (&[("D_A", 0.6), ("D_B", 0.3)], &[("k1", 0.98), ("k2", 0.1), ("k3", 0.2)])
            }
            Kind::Joint => (&[("D_A", 0.6), ("D_B", 0.3), ("k1", 0.35), ("k2", 0.91), ("k3", 0.7)], &[]),
        }
    }

    /// The steps of the fit after which formation is tested; the last is the fit's.
    fn tests(self, quick: bool) -> &'static [u64] {
        match (self, quick) {
            (Kind::Reaction, false) => &[0, 25, 50, 100, 200, 300, 500],
            (Kind::Diffusion, false) => &[0, 500, 1000, 2000, 3000, 3500, 4000],
            (Kind::DiffusionOfMeans, false) => &[0, 100, 200, 400],
            (Kind::Joint, false) => &[0, 1000, 2000, 3000, 4000, 5000, 6000],
            (Kind::Reaction, true) => &[0, 150],
            (_, true) => &[0, 100],
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
            true => &[Kind::Reaction, Kind::DiffusionOfMeans],
            false => &[Kind::Reaction, Kind::Diffusion, Kind::DiffusionOfMeans, Kind::Joint],
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
        if kind == Kind::DiffusionOfMeans {
            text = text.with("model-options.excitation", "mean");
        }
        text.with("optimizer.steps", kind.tests(self.quick).last().copied().unwrap_or(1))
    }

    fn fit(&self, kind: Kind, seed: u64) -> Part {
        let steps = kind.tests(self.quick).last().copied().unwrap_or(1);
        let about = format!("{}, seed {seed}", kind.about());
        self.text(kind, seed).part(Self::name(kind, seed), about, 1.0 + 0.03 * steps as f64)
    }

    fn test(&self, kind: Kind, seed: u64, step: u64) -> Part {
        let (text, fit) = (self.text(kind, seed), Self::name(kind, seed));
        let about = format!("{}, seed {seed}: formation after {step} steps", kind.about());
        let settings = format!("{text:?} after {fit}, step {step}");
        Part::new(format!("{fit}-formation-{step}"), about, settings, 2.0, move |desk| {
            let bar = desk.progress(0, 1);
            let course: Course = desk.store.get(&fit)?;
            let file = text.file()?;
            let test = formation_test(&file).map_err(ReproduceError::part)?;
            let test = test.ok_or_else(|| ReproduceError::part("no formation test was asked for"))?;
            let found = test.run(&course.theta_at(step as f64), step, Some(desk.interrupt));
            desk.check()?;
            let found = found.map_err(ReproduceError::part)?;
            bar.finish(&test.criterion.words(&found.score));
            let layer = found.layers.first().map_or(&[][..], Vec::as_slice);
            Ok(Formed {
                step: step as f64,
                variance: found.score.variance,
                wave_number: Some(found.score.mean_wave_number).filter(|k| k.is_finite()),
                verdict: found.verdict.word().to_string(),
                layer: layer.iter().map(|a| *a as u8).collect(),
            })
        })
    }

    /// How much of the loss's first drop each parameter brings alone.
    fn drop(&self, seed: u64) -> Part {
        let (text, fit) = (self.text(Kind::Reaction, seed), Self::name(Kind::Reaction, seed));
        let about = format!("What brings the loss down, seed {seed}");
        let settings = format!("{text:?} after {fit}, {ROLLOUTS} rollouts");
        Part::new(format!("stability-drop-{seed}"), about, settings, 1.0, move |desk| {
            let bar = desk.progress(0, 1);
            let course: Course = desk.store.get(&fit)?;
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
        Told { fits, drops }.findings(&store.get("stability-film")?).map_err(ReproduceError::part)
    }
}

/// What a formation test found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Formed {
    step: f64,
    /// Of layer A over sites.
    variance: f64,
    /// Weighted by power; none where the layer is uniform.
    wave_number: Option<f64>,
    verdict: String,
    layer: Vec<u8>,
}

impl Formed {
    fn is_pattern(&self) -> bool {
        self.verdict == glauber_fit::pattern::Verdict::Pattern.word()
    }
}

/// How much of the loss's first drop each parameter brings alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Drop {
    names: Vec<String>,
    first: f64,
    last: f64,
    shares: Vec<f64>,
}

/// A fit with its tests.
struct Fit {
    kind: Kind,
    seed: u64,
    course: Course,
    tests: Vec<Formed>,
}

impl Fit {
    /// Mean of a parameter over the last tenth of the fit.
    fn late(&self, name: &str) -> f64 {
        let values = self.course.of_parameter(name);
        let last = &values[values.len() - (values.len() / 10).max(1).min(values.len())..];
        last.iter().sum::<f64>() / last.len() as f64
    }

    fn steps(&self) -> f64 {
        self.course.steps.last().copied().unwrap_or(0.0)
    }
}

/// All that was found.
struct Told {
    fits: Vec<Fit>,
    drops: Vec<Drop>,
}

impl Told {
    fn of(&self, kind: Kind) -> Vec<&Fit> {
        self.fits.iter().filter(|fit| fit.kind == kind).collect()
    }

    fn findings(&self, reel: &Reel) -> Result<Findings, Box<dyn std::error::Error>> {
        let colouring = Colouring::sequential(0.0, 50.0)?;
        let (gif, still) = reel.film(&colouring, 80, 4)?;
        let mut files = vec![("figures/film-malevanets-kapral.gif".to_string(), gif.clone())];
        let mut section = Section::new("Stability: which rates keep a pattern?")
            .prose(
                "Two species of particles diffuse and react; at some rates a nearly uniform lattice falls into \
                 domains and stripes. From a finished pattern and rates that form none, gradients through 500 steps \
                 find rates at which the pattern stays. Whether these also form one, a test from the nearly uniform \
                 start says.",
            )
            .film(
                &gif,
                &still,
                "Stripes and domains that form on a lattice and grow",
                "Species A at D_A = 0.1, D_B = 0.4, k1 = 0.98, k2 = 0.1, k3 = 0.2: 20,000 steps. The last frame is the \
                 pattern that the fits are to keep.",
            )?
            .key("A", &colouring, &[]);
        for kind in [Kind::Joint, Kind::Reaction, Kind::Diffusion, Kind::DiffusionOfMeans] {
            let fits = self.of(kind);
            if fits.is_empty() {
                continue;
            }
            let figure = course(kind, &fits);
            files.push((format!("figures/figure-5-{}.svg", kind.name()), figure.to_svg()?.into_bytes()));
            section = section.figure(
                &figure,
                "Loss and parameters over the steps of the fit; below, species A of the formation test after so many of \
                 them.",
            )?;
            let (with_pictures, sheet) = pictures(section, fits[0], &colouring)?;
            section = with_pictures;
            let name = format!("figures/figure-5-{}-patterns.svg", kind.name());
            files.push((name, sheet.to_svg().into_bytes()));
        }
        section = section.table(&self.table());
        files.extend(self.numbers());
        let claims = vec![
            self.patterns(
                Kind::Reaction,
                ("reaction-patterns", "The reaction fit finds rates that form patterns", 500),
            ),
            self.patterns(
                Kind::Diffusion,
                ("diffusion-patterns", "The diffusion fit finds coefficients that form patterns", 4000),
            ),
            self.patterns(
                Kind::Joint,
                ("joint-patterns", "The joint fit finds parameters that form clear patterns", 6000),
            ),
            self.ratio(
                Kind::Diffusion,
                "diffusion-ratio",
                "The diffusion fit ends with D_B twice D_A or more",
            ),
            self.ratio(
                Kind::DiffusionOfMeans,
                "mean-slope-diffusion-ratio",
                "The same with the slope of the mean excitation, 1/N (not in the paper)",
            ),
            self.first_drop(),
        ];
        Ok(Findings { section, claims, files })
    }

    fn patterns(&self, kind: Kind, (key, claim, steps): (&'static str, &str, u64)) -> Finding {
        let fits = self.of(kind);
        let good = fits.iter().filter(|f| f.tests.last().is_some_and(Formed::is_pattern)).count();
        let ever = fits.iter().filter(|f| f.tests.iter().any(Formed::is_pattern)).count();
        let told: Vec<String> = fits
            .iter()
            .map(|fit| {
                let tests: Vec<String> = fit
                    .tests
                    .iter()
                    .map(|t| format!("{} after {} (variance {:.0})", t.verdict, t.step, t.variance))
                    .collect();
                format!("seed {}: {}", fit.seed, tests.join(", "))
            })
            .collect();
        let whole = fits.iter().all(|fit| fit.steps() >= steps as f64) && !fits.is_empty();
        let verdict = match (good, ever) {
            _ if !whole && good < fits.len().max(1) => Verdict::NotTested,
            (good, _) if good == fits.len() => Verdict::Holds,
            (0, 0) => Verdict::DoesNotHold,
            _ => Verdict::HoldsWithDifference,
        };
        let note = match verdict {
            Verdict::NotTested => format!("needs {steps} steps; leave out --quick"),
            Verdict::Holds => String::new(),
            _ => format!(
                "{good} of {} seeds end with a pattern, {ever} show one on the way; the parameters that keep a pattern need \
                 not be those that form one",
                fits.len()
            ),
        };
        Finding {
            key,
            claim: claim.into(),
            said: format!("patterns after {steps} steps"),
            measured: if told.is_empty() { "not in this run".into() } else { told.join("; ") },
            verdict,
            note,
            parts: parts_of(kind),
        }
    }

    fn ratio(&self, kind: Kind, key: &'static str, claim: &str) -> Finding {
        let fits = self.of(kind);
        let ratios: Vec<f64> = fits.iter().map(|fit| fit.late("D_B") / fit.late("D_A")).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let told: Vec<String> = fits
            .iter()
            .zip(&ratios)
            .map(|(fit, ratio)| {
                format!("seed {}: {:.3} / {:.3} = {ratio:.2}", fit.seed, fit.late("D_B"), fit.late("D_A"))
            })
            .collect();
        let verdict = match least {
            _ if fits.is_empty() => Verdict::NotTested,
            r if r >= ABOUT_TWICE => Verdict::Holds,
            r if r >= 1.0 => Verdict::HoldsWithDifference,
            _ => Verdict::DoesNotHold,
        };
        let last = fits.first().map_or(0.0, |fit| fit.steps());
        Finding {
            key,
            claim: claim.into(),
            said: "D_B ≈ 2 D_A or more, from D_A = 0.6, D_B = 0.3".into(),
            measured: match fits.is_empty() {
                true => "not in this run".into(),
                false => format!("means over the last tenth of {last} steps, {}", told.join("; ")),
            },
            verdict,
            note: match verdict {
                Verdict::NotTested => "needs 4,000 steps; leave out --quick".into(),
                Verdict::Holds => String::new(),
                _ => "the gradient is small against its noise, so the way is slow".into(),
            },
            parts: parts_of(kind),
        }
    }

    fn first_drop(&self) -> Finding {
        let share = |drop: &Drop, name: &str| {
            let place = drop.names.iter().position(|n| n == name);
            place.and_then(|place| drop.shares.get(place).copied()).unwrap_or(f64::NAN)
        };
        let alone = |drop: &Drop| share(drop, "k2");
        let others = |drop: &Drop| share(drop, "k1").max(share(drop, "k3"));
        let told: Vec<String> = self
            .drops
            .iter()
            .map(|drop| {
                let shares: Vec<String> = drop
                    .names
                    .iter()
                    .zip(&drop.shares)
                    .map(|(n, s)| format!("{n} {:.0} %", 100.0 * s))
                    .collect();
                format!("loss from {:.2} to {:.2}, alone: {}", drop.first, drop.last, shares.join(", "))
            })
            .collect();
        let carries = self.drops.iter().all(|d| alone(d) >= 0.5 && alone(d) > others(d));
        let leads = self.drops.iter().all(|d| alone(d) > others(d));
        Finding {
            key: "k2-drives-the-first-drop",
            claim: "k2 drives the first drop of the loss".into(),
            said: "the loss falls as k2 does".into(),
            measured: format!(
                "reaction fit, first {FIRST_DROP} steps, mean of {ROLLOUTS} rollouts; {}",
                told.join("; ")
            ),
            verdict: match (carries, leads) {
                (true, _) => Verdict::Holds,
                (_, true) => Verdict::HoldsWithDifference,
                _ => Verdict::DoesNotHold,
            },
            note: if carries { String::new() } else { "k2 alone brings less than half of it".into() },
            parts: "stability-drop",
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["Fit", "Seed", "After step", "Verdict", "Variance of A", "Mean wave number"])
            .caption(
                "Every formation test. A pattern has a variance above 40 and a mean wave number below 5 cycles per \
                 lattice; noise has about 5 and 21.",
            );
        for fit in &self.fits {
            for test in &fit.tests {
                table = table.row([
                    fit.kind.name().to_string(),
                    fit.seed.to_string(),
                    format!("{}", test.step),
                    test.verdict.clone(),
                    format!("{:.1}", test.variance),
                    test.wave_number.map_or(String::new(), |k| format!("{k:.1}")),
                ]);
            }
        }
        table
    }

    fn numbers(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        for fit in &self.fits {
            let name = format!("numbers/stability-{}-{}", fit.kind.name(), fit.seed);
            let mut columns: Vec<(&str, &[f64])> =
                vec![("step", &fit.course.steps), ("loss", &fit.course.losses)];
            columns.extend(fit.course.names.iter().map(|n| (n.as_str(), fit.course.of_parameter(n))));
            files.push((format!("{name}.csv"), csv(&columns)));
            let column = |of: &dyn Fn(&Formed) -> f64| fit.tests.iter().map(of).collect::<Vec<f64>>();
            let tests = [
                column(&|t| t.step),
                column(&|t| t.variance),
                column(&|t| t.wave_number.unwrap_or(f64::NAN)),
                column(&|t| f64::from(u8::from(t.is_pattern()))),
            ];
            let names = ["step", "variance", "mean_wave_number", "pattern"];
            let columns: Vec<(&str, &[f64])> =
                names.iter().zip(&tests).map(|(name, values)| (*name, values.as_slice())).collect();
            files.push((format!("{name}-formation.csv"), csv(&columns)));
        }
        files
    }
}

fn parts_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Reaction => "stability-reaction",
        Kind::Diffusion => "stability-diffusion",
        Kind::DiffusionOfMeans => "stability-mean-slope-diffusion",
        Kind::Joint => "stability-joint",
    }
}

/// Loss and parameters of the first seed; further seeds pale.
fn course(kind: Kind, fits: &[&Fit]) -> Figure {
    let mut loss = Panel::new("Loss").x("gradient step").y("ln of the squared distance");
    for fit in fits {
        loss = loss.trace(format!("seed {}", fit.seed), &fit.course.steps, &fit.course.losses);
    }
    let mut parameters = Panel::new("Parameters").x("gradient step").y("value").y_range(0.0, 1.0);
    for name in &fits[0].course.names {
        for (number, fit) in fits.iter().enumerate() {
            let label = if number == 0 { name.clone() } else { String::new() };
            parameters = parameters.line(label, &fit.course.steps, fit.course.of_parameter(name));
            if number > 0 {
                parameters = parameters.same_colour().faint();
            }
        }
    }
    Figure::new(kind.about()).panel(loss).panel(parameters)
}

/// Species A of every formation test of a fit, on the page and as a sheet.
fn pictures(
    mut section: Section,
    fit: &Fit,
    colouring: &Colouring,
) -> Result<(Section, ContactSheet), FrameError> {
    let mut sheet = ContactSheet::new(format!("{}: species A", fit.kind.about()), 4).key("A", colouring);
    for test in &fit.tests {
        let side = (test.layer.len() as f64).sqrt().round() as usize;
        let picture = Picture::of(&test.layer, side, side, colouring)?;
        let caption = format!("step {}: {}, variance {:.0}", test.step, test.verdict, test.variance);
        section = section.picture(&picture, &format!("species A, {}", test.verdict), &caption)?;
        sheet = sheet.with(&picture, caption)?;
    }
    Ok((section, sheet))
}
