//! Tells what the trajectory fits found: figures, tables, numbers, and which claims hold.

use glauber_report::frames::Colouring;
use glauber_report::html::{Section, Table, Verdict};
use glauber_report::plot::{Figure, Panel};
use serde::{Deserialize, Serialize};

use super::closed_form::{loss, msd, optimum};
use super::{NAMES, TRUTH};
use crate::error::ReproduceError;
use crate::films::Recording;
use crate::findings::{Finding, Findings, csv};
use crate::fits::Course;

/// A parameter counts as recovered within this of the truth, which is what the paper's figure shows.
const RECOVERED: f64 = 0.01;
/// A fit counts as arrived where its loss is above the least there is by no more than this share.
const ARRIVED: f64 = 0.05;
/// A curve counts as matched where its relative root mean square difference is below this.
const MATCHED: f64 = 0.05;

/// The displacements of the data, before and after a fit, in µm² against s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Matching {
    pub times: Vec<f64>,
    pub data: Vec<f64>,
    pub errors: Vec<f64>,
    pub before: Vec<f64>,
    pub after: Vec<f64>,
}

/// One type of cell.
pub(super) struct Cells {
    pub name: &'static str,
    pub about: &'static str,
    pub curves: Matching,
    /// One for each start.
    pub courses: Vec<Course>,
    /// The data in squared sites at steps 1, 2, …
    pub target: Vec<f64>,
}

/// All that was found.
pub(super) struct Results {
    pub synthetic: Vec<Course>,
    /// The same at three times the rate; none in a quick run.
    pub faster: Vec<Course>,
    pub cells: Vec<Cells>,
    pub quick: bool,
}

impl Results {
    pub(super) fn findings(&self, recording: &Recording) -> Result<Findings, ReproduceError> {
        let mut claims = vec![self.recovered()];
        claims.extend(self.cells.iter().map(|cells| cells.matched(self.quick)));
        let (recovery, matching) = (self.recovery(), self.matching());
        let colouring = Colouring::sequential(0.0, 7.0).map_err(ReproduceError::part)?;
        let (gif, still) = recording.film(&colouring, 60, 3).map_err(ReproduceError::part)?;
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
        let measured = |courses: &[Course]| {
            let pair = |c: &Course| format!("({:.4}, {:.4})", c.estimate(NAMES[0]), c.estimate(NAMES[1]));
            courses.iter().map(pair).collect::<Vec<String>>().join(", ")
        };
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
                measured(&self.synthetic)
            ),
            verdict,
            note: match verdict {
                _ if self.quick => "shortened: 2,500 steps at three times the rate".into(),
                Verdict::Holds => String::new(),
                _ => format!(
                    "the squared error has a flat valley, along which fits at this rate still creep; at three times the \
                     rate they end at {}, at most {:.4} off",
                    measured(&self.faster),
                    self.faster.iter().map(off).fold(0.0, f64::max)
                ),
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
