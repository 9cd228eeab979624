//! Tells what the stability fits found: figures, tables, numbers, and which claims hold.

use glauber_report::frames::{Colouring, ContactSheet, FrameError, Picture};
use glauber_report::html::{Section, Table, Verdict};
use glauber_report::plot::{Figure, Panel};
use serde::{Deserialize, Serialize};

use super::{FIRST_DROP, Kind, ROLLOUTS};
use crate::films::Recording;
use crate::findings::{Finding, Findings, csv};
use crate::fits::Course;

/// A ratio of diffusion coefficients from which on it is "about twice".
const ABOUT_TWICE: f64 = 1.8;

/// What a formation test found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Formed {
    pub step: f64,
    /// Of layer A over sites.
    pub variance: f64,
    /// Weighted by power; none where the layer is uniform.
    pub wave_number: Option<f64>,
    /// Of the rollout of median variance.
    pub verdict: String,
    /// How many rollouts formed one, of how many.
    pub patterns: f64,
    pub rollouts: f64,
    pub layer: Vec<u8>,
}

impl Formed {
    fn is_pattern(&self) -> bool {
        self.verdict == glauber_tasks::pattern::Verdict::Pattern.word()
    }
}

/// How much of the loss's first drop each parameter brings alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Drop {
    pub names: Vec<String>,
    pub first: f64,
    pub last: f64,
    pub shares: Vec<f64>,
}

/// A fit with its tests.
pub(super) struct Fit {
    pub kind: Kind,
    pub seed: u64,
    pub course: Course,
    pub tests: Vec<Formed>,
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
pub(super) struct Results {
    pub fits: Vec<Fit>,
    pub drops: Vec<Drop>,
}

impl Results {
    fn of(&self, kind: Kind) -> Vec<&Fit> {
        self.fits.iter().filter(|fit| fit.kind == kind).collect()
    }

    pub(super) fn findings(&self, recording: &Recording) -> Result<Findings, Box<dyn std::error::Error>> {
        let colouring = Colouring::sequential(0.0, 50.0)?;
        let (gif, still) = recording.film(&colouring, 80, 4)?;
        let mut files = vec![("figures/film-malevanets-kapral.gif".to_string(), gif.clone())];
        let mut section = Section::new("Stability: which rates keep a pattern?")
            .prose(
                "Two species of particles diffuse and react; at some rates a nearly uniform lattice falls into \
                 domains and stripes. From a finished pattern and rates that form none, gradients through 500 steps \
                 find rates at which the pattern stays. Whether these also form one, a test from the nearly uniform \
                 start says: four rollouts each, judged by the one of median variance.",
            )
            .prose(
                "In each step one drawn direction moves a whole plane of particles. Its derivative is taken as in the paper, \
                 by Gumbel-softmax at temperature 1; a reaction's by straight-through from a channel that is picked and \
                 then fires; an excitation's with slope 1 where a site is neither empty nor full. The fits with our \
                 settings take a temperature of 0.75, the slope 1/N of the excitation's mean, one draw among the \
                 channels, and a rate that falls to 0, over half the steps.",
            )
            .film(
                &gif,
                &still,
                "Stripes and domains that form on a lattice and grow",
                "Species A at D_A = 0.1, D_B = 0.4, k1 = 0.98, k2 = 0.1, k3 = 0.2: 20,000 steps. The last frame is the \
                 pattern that the fits are to keep.",
            )?
            .key("A", &colouring, &[]);
        for kind in Kind::ALL {
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
                Kind::OurDiffusion,
                ("our-diffusion-patterns", "The same with our settings (not in the paper)", 2000),
            ),
            self.patterns(
                Kind::Joint,
                ("joint-patterns", "The joint fit finds parameters that form clear patterns", 6000),
            ),
            self.patterns(
                Kind::OurJoint,
                ("our-joint-patterns", "The same with our settings (not in the paper)", 3000),
            ),
            self.ratio(
                Kind::Diffusion,
                "diffusion-ratio",
                "The diffusion fit ends with D_B twice D_A or more",
            ),
            self.ratio(
                Kind::OurDiffusion,
                "our-diffusion-ratio",
                "The same with our settings (not in the paper)",
            ),
            self.first_drop(),
        ];
        Ok(Findings { section, claims, files })
    }

    fn patterns(&self, kind: Kind, (key, claim, steps): (&'static str, &str, u64)) -> Finding {
        let fits = self.of(kind);
        let good = fits.iter().filter(|f| f.tests.last().is_some_and(Formed::is_pattern)).count();
        let ever = fits.iter().filter(|f| f.tests.iter().any(Formed::is_pattern)).count();
        let measured: Vec<String> = fits
            .iter()
            .map(|fit| {
                let tests: Vec<String> = fit
                    .tests
                    .iter()
                    .map(|t| {
                        format!("{} after {} ({} of {} rollouts)", t.verdict, t.step, t.patterns, t.rollouts)
                    })
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
                "{good} of {} seeds end with a pattern, {ever} show one on the way; near the parameters found, whether a \
                 pattern forms within 50,000 steps is chance",
                fits.len()
            ),
        };
        Finding {
            key,
            claim: claim.into(),
            said: if kind.is_ours() { String::new() } else { format!("patterns after {steps} steps") },
            measured: if measured.is_empty() { "not in this run".into() } else { measured.join("; ") },
            verdict,
            note,
            parts: parts_of(kind),
        }
    }

    fn ratio(&self, kind: Kind, key: &'static str, claim: &str) -> Finding {
        let fits = self.of(kind);
        let ratios: Vec<f64> = fits.iter().map(|fit| fit.late("D_B") / fit.late("D_A")).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let measured: Vec<String> = fits
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
                false => format!("means over the last tenth of {last} steps, {}", measured.join("; ")),
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
        let measured: Vec<String> = self
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
                measured.join("; ")
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
        let mut table = Table::new(["Fit", "Seed", "After step", "Verdict", "Rollouts with one", "Variance of A", "Mean wave number"])
            .caption(
                "Every formation test; verdict, variance and wave number are those of the rollout of median variance. A \
                 pattern has a variance above 40 and a mean wave number below 5 cycles per lattice; noise has about 5 \
                 and 21.",
            );
        for fit in &self.fits {
            for test in &fit.tests {
                table = table.row([
                    fit.kind.name().to_string(),
                    fit.seed.to_string(),
                    format!("{}", test.step),
                    test.verdict.clone(),
                    format!("{} of {}", test.patterns, test.rollouts),
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
                column(&|t| t.patterns),
                column(&|t| t.rollouts),
            ];
            let names = ["step", "variance", "mean_wave_number", "pattern", "rollouts_with_one", "rollouts"];
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
        Kind::Joint => "stability-joint",
        Kind::OurDiffusion => "stability-our-diffusion",
        Kind::OurJoint => "stability-our-joint",
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
        let caption = format!("step {}: {}, {} of {}", test.step, test.verdict, test.patterns, test.rollouts);
        section = section.picture(&picture, &format!("species A, {}", test.verdict), &caption)?;
        sheet = sheet.with(&picture, caption)?;
    }
    Ok((section, sheet))
}
