//! Recovers a persistent random walk from mean squared displacements: the paper's figure 3.
//!
//! Fits by Adam on 1,500 walkers × 10 steps: to 15,000 walkers simulated at (p_center, p_resample) = (0.2, 0.1), from
//! three bad starts; and to the curves of T cells, B cells and neutrophils (one step 24 s, one site √10 µm), from two.
//! What a fit comes to is judged against the least-squares optimum of the closed form
//!
//! MSD(n) = 2 (1 − p_center) [n + 2 Σₖ₌₁ⁿ⁻¹ (n − k)(1 − p_resample)ᵏ] sites².
//!
//! The parts are here; what is said of them in `results`.

mod closed_form;
mod results;

use glauber_data::tracks::shipped_curve;
use glauber_engine::{Options, Plan, Run};
use glauber_fit::problem::Problem;
use glauber_models::{ModelOptions, named};
use glauber_tasks::states::States;

use crate::error::ReproduceError;
use crate::films::Recording;
use crate::findings::Findings;
use crate::fits::{Course, FitText};
use crate::part::Part;
use crate::settings::Settings;
use crate::store::Store;
use crate::study::Study;
use results::{Cells, Matching, Results};

const FIT: &str = r#"
model = "persistent-random-walk"
task = "trajectory"
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

/// What the synthetic target is made with.
const TRUTH: [f64; 2] = [0.2, 0.1];
/// The name of the fits to it at three times the paper's rate.
const FASTER: &str = "faster";
const NAMES: [&str; 2] = ["p_center", "p_resample"];
/// The curves that come with the program.
const CELLS: [(&str, &str); 3] =
    [("t-cells", "T cells"), ("b-cells", "B cells"), ("neutrophils", "neutrophils")];
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
            "synthetic" | FASTER => FitText::new(FIT)
                .with(
                    "data.simulate.parameters",
                    format!("{{ p_center = {}, p_resample = {} }}", TRUTH[0], TRUTH[1]),
                )
                .with("data.simulate.runs", 15_000)
                .with("data.simulate.steps", 10)
                .with("data.simulate.seed", self.seed + 6)
                .with("optimizer.steps", 5000)
                // The paper's rate, and one at which the flat valley is left within the steps.
                .with("optimizer.learning-rate", if of == FASTER { 0.03 } else { 0.01 }),
            cells => FitText::new(FIT)
                .with("data.msd", cells)
                .with("data.step-time", "24.0")
                .with("data.site-length", "3.1622776601683795")
                .with("data.lags", 10),
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
        Part::new(
            format!("trajectory-{of}-curves"),
            format!("{about}: curves"),
            settings,
            1.0,
            move |context| {
                let bar = context.progress(0, 1);
                let course: Course = context.store.get(&fit)?;
                let theta = NAMES.map(|name| course.estimate(name));
                let problem = Problem::resolve(&text.file()?).map_err(ReproduceError::part)?;
                let curves = problem.curves(&[&start, &theta]).map_err(ReproduceError::part)?;
                let curves = curves.ok_or_else(|| ReproduceError::part("no summary is compared"))?;
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
            },
        )
    }

    fn film(&self) -> Part {
        let seed = self.seed;
        let about = "film of walkers";
        Part::new("trajectory-film", about, format!("as T cells, seed {seed}"), 0.3, move |context| {
            let bar = context.progress(0, 1);
            let film = walkers(seed)?;
            bar.finish(&format!("{} frames", film.frames.len()));
            Ok(film)
        })
    }
}

impl Study for Trajectory {
    fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> =
            self.starts(true).iter().map(|s| self.fit("synthetic", "walk with a known truth", s)).collect();
        if !self.quick {
            let about = "the same at three times the rate";
            parts.extend(self.starts(true).iter().map(|s| self.fit(FASTER, about, s)));
        }
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
        let faster = if self.quick { Vec::new() } else { courses(FASTER, true)? };
        let mut cells = Vec::new();
        for (name, about) in CELLS {
            let curves: Matching = store.get(&format!("trajectory-{name}-curves"))?;
            cells.push(Cells { name, about, curves, courses: courses(name, false)?, target: target(name)? });
        }
        Results { synthetic, faster, cells, quick: self.quick }.findings(&store.get("trajectory-film")?)
    }
}

/// The data's curve in squared sites.
fn target(cells: &str) -> Result<Vec<f64>, ReproduceError> {
    let curve = shipped_curve(cells).map_err(ReproduceError::part)?;
    let points = curve.to_lattice(24.0, 10f64.sqrt()).map_err(ReproduceError::part)?;
    Ok(points.iter().map(|p| p.value).collect())
}

/// 400 walkers for 120 steps with the law of T cells, each with a tail of its last steps, 96 × 96 sites around the
/// start.
fn walkers(seed: u64) -> Result<Recording, ReproduceError> {
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
    Ok(Recording { height: SIDE, width: SIDE, frames: (0..states.times).map(frame).collect() })
}
