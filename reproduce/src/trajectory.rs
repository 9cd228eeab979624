//! Recovers a persistent random walk from mean squared displacements: the paper's figure 3.
//!
//! Fits by Adam on 1,500 walkers × 10 steps: to 15,000 walkers simulated at (p_center, p_resample) = (0.2, 0.1), from
//! three bad starts; and to the curves of T cells, B cells and neutrophils (one step 24 s, one site √10 µm), from two.
//! What a fit comes to is judged against the least-squares optimum of the closed form
//!
//! MSD(n) = 2 (1 − p_center) [n + 2 Σₖ₌₁ⁿ⁻¹ (n − k)(1 − p_resample)ᵏ] sites².

use glauber_engine::{Options, Plan, Run};
use glauber_fit::data::tracks::shipped_curve;
use glauber_fit::job::trajectory_curves;
use glauber_fit::states::States;
use glauber_models::{ModelOptions, named};
use glauber_report::frames::Colouring;
use glauber_report::html::{Section, Table, Verdict};
use glauber_report::plot::{Figure, Panel};
use serde::{Deserialize, Serialize};

use crate::error::ReproduceError;
use crate::films::Reel;
use crate::findings::{Finding, Findings, csv};
use crate::fits::{Course, FitText};
use crate::part::Part;
use crate::run::Study;
use crate::settings::Settings;
use crate::store::Store;

const FIT: &str = r#"
model = "persistent-random-walk"
task = "trajectory"
[data]
step-time = 24.0
site-length = 3.1622776601683795
lags = 10
[start]
p_center = 0.8
p_resample = 0.8
[loss]
name = "squared-error"
summary = "msd"
[estimator]
name = "reinmax"
[optimizer]
name = "adam"
learning-rate = 0.01
steps = 10000
replicates = 1500
map = "logit"
average = 0.2
[run]
seed = 1
checkpoint-every = 1000
"#;

const SYNTHETIC: &str = r#"
model = "persistent-random-walk"
task = "trajectory"
[data.simulate]
parameters = { p_center = 0.2, p_resample = 0.1 }
runs = 15000
steps = 10
seed = 7
[start]
p_center = 0.8
p_resample = 0.8
[loss]
name = "squared-error"
summary = "msd"
[estimator]
name = "reinmax"
[optimizer]
name = "adam"
learning-rate = 0.01
steps = 5000
replicates = 1500
map = "logit"
average = 0.2
[run]
seed = 1
checkpoint-every = 1000
"#;

/// What the synthetic target is made with.
const TRUTH: [f64; 2] = [0.2, 0.1];
const NAMES: [&str; 2] = ["p_center", "p_resample"];
/// The curves that come with the program.
const CELLS: [(&str, &str); 3] =
    [("t-cells", "T cells"), ("b-cells", "B cells"), ("neutrophils", "neutrophils")];
/// A parameter counts as recovered within this of the truth, which is what the paper's figure shows.
const RECOVERED: f64 = 0.01;
/// A fit counts as arrived where its loss is above the least there is by no more than this share.
const ARRIVED: f64 = 0.05;
/// A curve counts as matched where its relative root mean square difference is below this.
const MATCHED: f64 = 0.05;

/// The experiment, full or shortened.
pub(crate) struct Trajectory {
    quick: bool,
    seed: u64,
}

impl Trajectory {
    pub(crate) fn new(settings: &Settings) -> Trajectory {
        Trajectory { quick: settings.quick, seed: settings.seed }
    }

    fn starts(&self, synthetic: bool) -> &'static [[f64; 2]] {
        match (synthetic, self.quick) {
            (_, true) => &[[0.8, 0.8]],
            (true, false) => &[[0.8, 0.8], [0.5, 0.9], [0.9, 0.5]],
            (false, false) => &[[0.8, 0.8], [0.5, 0.1]],
        }
    }

    fn name(of: &str, start: &[f64; 2]) -> String {
        format!("trajectory-{of}-from-{}-{}", start[0], start[1])
    }

    fn text(&self, of: &str) -> FitText {
        let text = match of {
            "synthetic" => FitText::new(SYNTHETIC).with("data.simulate.seed", self.seed + 6),
            cells => FitText::new(FIT).with("data.msd", cells),
        };
        let text = text.with("run.seed", self.seed);
        if self.quick {
            text.with("optimizer.steps", 2500).with("optimizer.learning-rate", 0.03)
        } else {
            text
        }
    }

    fn fit(&self, of: &str, about: &str, start: &[f64; 2]) -> Part {
        let text = self.text(of).with("start.p_center", start[0]).with("start.p_resample", start[1]);
        let weight = if self.quick { 2.0 } else { 12.0 };
        let about = format!("{about} from ({}, {})", start[0], start[1]);
        text.part(Self::name(of, start), about, weight)
    }

    /// The curves of the data, before and after a fit.
    fn curves(&self, of: &'static str, about: &str) -> Part {
        let text = self.text(of);
        let start = self.starts(false)[0];
        let fit = Self::name(of, &start);
        let settings = format!("{text:?} after {fit}");
        Part::new(format!("trajectory-{of}-curves"), format!("{about}: curves"), settings, 1.0, move |desk| {
            let bar = desk.progress(0, 1);
            let course: Course = desk.store.get(&fit)?;
            let theta = NAMES.map(|name| course.estimate(name));
            let curves = trajectory_curves(&text.file()?, &[&start, &theta]).map_err(ReproduceError::part)?;
            bar.finish("simulated before and after");
            let only = |lists: Vec<Vec<f64>>| lists.into_iter().next().unwrap_or_default();
            let mut simulated = curves.simulated.into_iter().map(only);
            Ok(Matching {
                times: curves.times,
                data: only(curves.data),
                errors: only(curves.errors.unwrap_or_default()),
                before: simulated.next().unwrap_or_default(),
                after: simulated.next().unwrap_or_default(),
            })
        })
    }

    fn film(&self) -> Part {
        let seed = self.seed;
        let about = "film of walkers";
        Part::new("trajectory-film", about, format!("as T cells, seed {seed}"), 0.3, move |desk| {
            let bar = desk.progress(0, 1);
            let reel = walkers(seed)?;
            bar.finish(&format!("{} frames", reel.frames.len()));
            Ok(reel)
        })
    }
}

impl Study for Trajectory {
    fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> =
            self.starts(true).iter().map(|s| self.fit("synthetic", "walk with a known truth", s)).collect();
        for (cells, about) in CELLS {
            parts.extend(self.starts(false).iter().map(|s| self.fit(cells, about, s)));
            parts.push(self.curves(cells, about));
        }
        parts.push(self.film());
        parts
    }

    fn findings(&self, store: &Store) -> Result<Findings, ReproduceError> {
        let courses = |of: &str, synthetic: bool| -> Result<Vec<Course>, ReproduceError> {
            self.starts(synthetic).iter().map(|start| store.get(&Self::name(of, start))).collect()
        };
        let synthetic = courses("synthetic", true)?;
        let mut cells = Vec::new();
        for (name, about) in CELLS {
            let curves: Matching = store.get(&format!("trajectory-{name}-curves"))?;
            cells.push(Cells { name, about, curves, courses: courses(name, false)?, target: target(name)? });
        }
        Told { synthetic, cells, quick: self.quick }.findings(&store.get("trajectory-film")?)
    }
}

/// The displacements of the data, before and after a fit, in µm² against s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Matching {
    times: Vec<f64>,
    data: Vec<f64>,
    errors: Vec<f64>,
    before: Vec<f64>,
    after: Vec<f64>,
}

/// One type of cell.
struct Cells {
    name: &'static str,
    about: &'static str,
    curves: Matching,
    /// One for each start.
    courses: Vec<Course>,
    /// The data in squared sites at steps 1, 2, …
    target: Vec<f64>,
}

/// The data's curve in squared sites.
fn target(cells: &str) -> Result<Vec<f64>, ReproduceError> {
    let curve = shipped_curve(cells).map_err(ReproduceError::part)?;
    let points = curve.to_lattice(24.0, 10f64.sqrt()).map_err(ReproduceError::part)?;
    Ok(points.iter().map(|p| p.value).collect())
}

/// The closed form at steps 1..=count, in squared sites.
fn msd([p_center, p_resample]: [f64; 2], count: usize) -> Vec<f64> {
    let at = |n: usize| {
        let kept = |k: usize| (n - k) as f64 * (1.0 - p_resample).powi(k as i32);
        2.0 * (1.0 - p_center) * (n as f64 + 2.0 * (1..n).map(kept).sum::<f64>())
    };
    (1..=count).map(at).collect()
}

fn loss(theta: [f64; 2], target: &[f64]) -> f64 {
    msd(theta, target.len()).iter().zip(target).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The least-squares optimum of the closed form: a grid that closes in on the best of its points.
fn optimum(target: &[f64]) -> [f64; 2] {
    const POINTS: i32 = 40;
    let (mut best, mut reach) = ([0.5, 0.5], 0.5);
    while reach > 1e-7 {
        let centre = best;
        for i in -POINTS..=POINTS {
            for j in -POINTS..=POINTS {
                let at = |c: f64, k: i32| (c + reach * f64::from(k) / f64::from(POINTS)).clamp(0.0, 1.0);
                let theta = [at(centre[0], i), at(centre[1], j)];
                if loss(theta, target) < loss(best, target) {
                    best = theta;
                }
            }
        }
        reach *= 0.25;
    }
    best
}

/// 400 walkers for 120 steps with the law of T cells, each with a tail of its last steps, 96 × 96 sites around the
/// start.
fn walkers(seed: u64) -> Result<Reel, ReproduceError> {
    const SIDE: usize = 96;
    const TAIL: usize = 6;
    let options = ModelOptions::none().with("walkers", 400.0);
    let model = named("persistent-random-walk", &options).map_err(ReproduceError::part)?;
    let plan = Plan::new(&model, &[], None, Options::default()).map_err(ReproduceError::part)?;
    let run = Run::new(&[0.272, 0.616], 120).seed(seed);
    let states = States::record(&plan, &run).map_err(ReproduceError::part)?;
    let frame = |time: usize| {
        let mut seen = vec![0u8; SIDE * SIDE];
        for age in (0..=TAIL.min(time)).rev() {
            for walker in 0..states.sites {
                let place = (time - age) * states.sites + walker;
                let at = |layer: usize| states.layers[layer].at(place) + (SIDE / 2) as f64;
                let (x, y) = (at(0), at(1));
                if (0.0..SIDE as f64).contains(&x) && (0.0..SIDE as f64).contains(&y) {
                    seen[y as usize * SIDE + x as usize] = (TAIL + 1 - age) as u8;
                }
            }
        }
        seen
    };
    Ok(Reel { height: SIDE, width: SIDE, frames: (0..states.times).map(frame).collect() })
}

/// All that was found.
struct Told {
    synthetic: Vec<Course>,
    cells: Vec<Cells>,
    quick: bool,
}

impl Told {
    fn findings(&self, reel: &Reel) -> Result<Findings, ReproduceError> {
        let mut claims = vec![self.recovered()];
        claims.extend(self.cells.iter().map(|cells| cells.matched(self.quick)));
        let (recovery, matching) = (self.recovery(), self.matching());
        let colouring = Colouring::sequential(0.0, 7.0).map_err(ReproduceError::part)?;
        let (gif, still) = reel.film(&colouring, 60, 3).map_err(ReproduceError::part)?;
        let section = Section::new("Trajectory: how do cells walk?")
            .prose(
                "A walker keeps its velocity for a while: at each step it draws a new one with probability p_resample, \
                 which is 0 with probability p_center on each axis. Both are found from a mean squared displacement over \
                 ten steps, by gradients through 1,500 simulated walkers.",
            )
            .figure(
                &recovery,
                "The paper's figure 3 A: two parameters found again from bad starts. Dashed: what the data were made with.",
            )
            .map_err(ReproduceError::part)?
            .figure(
                &matching,
                "The paper's figure 3 B to D: mean squared displacement of real cells with standard errors, of 20,000 \
                 walkers before the fit, and after it.",
            )
            .map_err(ReproduceError::part)?
            .film(
                &gif,
                &still,
                "Points that start in the middle and spread, each with a short tail",
                "400 walkers with the law fitted to T cells, 48 minutes.",
            )
            .map_err(ReproduceError::part)?
            .table(&self.table());
        let mut files = Vec::new();
        for (name, figure) in [("figure-3a-recovery", &recovery), ("figure-3bcd-displacement", &matching)] {
            let svg = figure.to_svg().map_err(ReproduceError::part)?;
            files.push((format!("figures/{name}.svg"), svg.into_bytes()));
        }
        files.push(("figures/film-persistent-random-walk.gif".to_string(), gif));
        files.extend(self.numbers());
        Ok(Findings { section, claims, files })
    }

    fn recovered(&self) -> Finding {
        let off = |course: &Course| {
            NAMES.iter().zip(TRUTH).map(|(n, t)| (course.estimate(n) - t).abs()).fold(0.0, f64::max)
        };
        let worst = self.synthetic.iter().map(off).fold(0.0, f64::max);
        let last = self.synthetic.first().and_then(|c| c.steps.last().copied()).unwrap_or(0.0);
        let told: Vec<String> = self
            .synthetic
            .iter()
            .map(|c| format!("({:.4}, {:.4})", c.estimate(NAMES[0]), c.estimate(NAMES[1])))
            .collect();
        let verdict = match worst {
            w if w <= RECOVERED => Verdict::Holds,
            _ if self.quick => Verdict::NotTested,
            w if w <= 3.0 * RECOVERED => Verdict::HoldsWithDifference,
            _ => Verdict::DoesNotHold,
        };
        Finding {
            key: "walk-recovered",
            claim: "(0.2, 0.1) is recovered from bad starts".into(),
            said: "after about 5,000 steps".into(),
            measured: format!(
                "after {last} steps from {} bad {}: {}; the largest difference is {worst:.4}, {RECOVERED} would do",
                self.synthetic.len(),
                if self.synthetic.len() == 1 { "start" } else { "starts" },
                told.join(", ")
            ),
            verdict,
            note: if self.quick {
                "shortened: 2,500 steps at three times the rate".into()
            } else {
                String::new()
            },
            parts: "trajectory-synthetic",
        }
    }

    fn recovery(&self) -> Figure {
        let mut figure = Figure::new("Two parameters found again");
        for (name, truth) in NAMES.iter().zip(TRUTH) {
            let mut panel = Panel::new(*name).x("gradient step").y("probability per step").y_range(0.0, 1.0);
            for course in &self.synthetic {
                let label =
                    format!("from ({}, {})", course.found[NAMES[0]].start, course.found[NAMES[1]].start);
                panel = panel.line(label, &course.steps, course.of_parameter(name));
            }
            figure = figure.panel(panel.target(format!("{truth}"), truth));
        }
        figure
    }

    fn matching(&self) -> Figure {
        let mut figure = Figure::new("Mean squared displacement, before and after the fit").columns(1);
        for cells in &self.cells {
            let c = &cells.curves;
            let panel = Panel::new(cells.about).x("time (s)").y("MSD (µm²)").y_includes(0.0);
            figure = figure.panel(
                panel
                    .points_with_errors("data ± standard error", &c.times, &c.data, &c.errors)
                    .line("before the fit", &c.times, &c.before)
                    .dashed()
                    .line("after the fit", &c.times, &c.after),
            );
        }
        figure
    }

    fn table(&self) -> Table {
        let mut table =
            Table::new(["Data", "From", "p_center", "p_resample", "Least squares", "Loss ratio"])
                .caption(
                    "Every fit of this experiment, beside the least-squares optimum of the closed form, and its loss over the least there is.",
                );
        for cells in &self.cells {
            let best = optimum(&cells.target);
            for course in &cells.courses {
                let theta = NAMES.map(|n| course.estimate(n));
                table = table.row([
                    cells.about.to_string(),
                    format!("({}, {})", course.found[NAMES[0]].start, course.found[NAMES[1]].start),
                    format!("{:.4}", theta[0]),
                    format!("{:.4}", theta[1]),
                    format!("({:.4}, {:.4})", best[0], best[1]),
                    format!("{:.3}", loss(theta, &cells.target) / loss(best, &cells.target)),
                ]);
            }
        }
        table
    }

    fn numbers(&self) -> Vec<(String, Vec<u8>)> {
        let trace = |name: String, course: &Course| {
            let columns: [(&str, &[f64]); 4] = [
                ("step", &course.steps),
                ("loss", &course.losses),
                (NAMES[0], course.of_parameter(NAMES[0])),
                (NAMES[1], course.of_parameter(NAMES[1])),
            ];
            (format!("numbers/trajectory-{name}.csv"), csv(&columns))
        };
        let mut files: Vec<_> = (1..)
            .zip(&self.synthetic)
            .map(|(number, course)| trace(format!("synthetic-start-{number}"), course))
            .collect();
        for cells in &self.cells {
            let of = |(number, course)| trace(format!("{}-start-{number}", cells.name), course);
            files.extend((1..).zip(&cells.courses).map(of));
            let c = &cells.curves;
            let columns: [(&str, &[f64]); 5] = [
                ("time_s", &c.times),
                ("msd_um2", &c.data),
                ("standard_error_um2", &c.errors),
                ("before_um2", &c.before),
                ("after_um2", &c.after),
            ];
            files.push((format!("numbers/trajectory-{}-msd.csv", cells.name), csv(&columns)));
        }
        files
    }
}

impl Cells {
    /// How far the curve at θ is from the data: relative root mean square over the lags, the lag where it is farthest,
    /// and the relative difference there.
    fn misfit(&self, theta: [f64; 2]) -> (f64, usize, f64) {
        let curve = msd(theta, self.target.len());
        let relative: Vec<f64> = curve.iter().zip(&self.target).map(|(a, b)| a / b - 1.0).collect();
        let rms = (relative.iter().map(|r| r * r).sum::<f64>() / relative.len() as f64).sqrt();
        let (lag, farthest) =
            (1..).zip(relative).fold(
                (1, 0.0f64),
                |(at, most), (lag, r)| {
                    if r.abs() > most.abs() { (lag, r) } else { (at, most) }
                },
            );
        (rms, lag, farthest)
    }

    fn matched(&self, quick: bool) -> Finding {
        let best = optimum(&self.target);
        let ratio = |course: &Course| {
            loss(NAMES.map(|n| course.estimate(n)), &self.target) / loss(best, &self.target)
        };
        let arrived = self.courses.iter().filter(|c| ratio(c) <= 1.0 + ARRIVED).count();
        let theta = self.courses.first().map_or([f64::NAN; 2], |c| NAMES.map(|n| c.estimate(n)));
        let (rms, _, _) = self.misfit(theta);
        let (least_rms, lag, farthest) = self.misfit(best);
        let verdict = match (arrived > 0, arrived == self.courses.len() && rms <= MATCHED) {
            (true, true) => Verdict::Holds,
            (false, _) if quick => Verdict::NotTested,
            (true, false) => Verdict::HoldsWithDifference,
            (false, _) if rms <= MATCHED => Verdict::HoldsWithDifference,
            (false, _) => Verdict::DoesNotHold,
        };
        let mut notes = Vec::new();
        if least_rms > MATCHED {
            let reason = match lag {
                1 if farthest < 0.0 => ": noise of localisation, which it has no term for",
                _ => "",
            };
            notes.push(format!(
                "the model's own best curve is off by {:.1} %, and by {:.0} % at lag {lag}{reason}",
                100.0 * least_rms,
                100.0 * farthest.abs()
            ));
        }
        if arrived < self.courses.len() {
            notes.push(format!(
                "{} of {} fits did not come within {:.0} % of the least loss in their steps: the valley is flat",
                self.courses.len() - arrived,
                self.courses.len(),
                100.0 * ARRIVED
            ));
        }
        if quick {
            notes.push("shortened: 2,500 steps at three times the rate".into());
        }
        let found: Vec<String> = self
            .courses
            .iter()
            .map(|c| {
                format!(
                    "({:.3}, {:.3}), {:.2} of the least loss",
                    c.estimate(NAMES[0]),
                    c.estimate(NAMES[1]),
                    ratio(c)
                )
            })
            .collect();
        Finding {
            key: match self.name {
                "t-cells" => "t-cells-matched",
                "b-cells" => "b-cells-matched",
                _ => "neutrophils-matched",
            },
            claim: format!("The displacement of {} is matched", self.about),
            said: "within 10,000 steps".into(),
            measured: format!(
                "curve within {:.1} % (root mean square over ten lags); (p_center, p_resample) = {}; least squares \
                 ({:.3}, {:.3})",
                100.0 * rms,
                found.join(" and "),
                best[0],
                best[1]
            ),
            verdict,
            note: notes.join("; "),
            parts: match self.name {
                "t-cells" => "trajectory-t-cells",
                "b-cells" => "trajectory-b-cells",
                _ => "trajectory-neutrophils",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_closed_form_and_its_optimum_are_the_known_ones() {
        let wanted = [1.6, 6.08, 13.152, 22.5568, 34.06112];
        for (found, wanted) in msd(TRUTH, 5).iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        }
        let best = optimum(&msd(TRUTH, 10));
        assert!((best[0] - 0.2).abs() < 1e-5 && (best[1] - 0.1).abs() < 1e-5, "{best:?}");
        let t_cells = optimum(&target("t-cells").unwrap());
        assert!((t_cells[0] - 0.27164).abs() < 1e-4 && (t_cells[1] - 0.61629).abs() < 1e-4, "{t_cells:?}");
    }
}
