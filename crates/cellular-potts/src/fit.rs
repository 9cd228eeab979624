//! Fits unknown coefficients to movies by the exact likelihood of their site updates.
//!
//! θ is found by Newton's method, with the expected information where second derivatives have a wrong sign (Fisher
//! scoring), damped after Levenberg and Marquardt where a step does not raise ln L. It begins at the numbers of the energy
//! that is given, under heat-bath acceptance; for Metropolis it goes on from there with the kink of min(1, e^−d) rounded over
//! a width that falls to 0.001 in d, far below what data say of any d (see `likelihood.rs`).
//!
//! Errors are √(outer⁻¹)ᵢᵢ of the outer product of scores, only where the fit came to rest: where scoreᵀ outer⁻¹ score, the
//! squared distance in standard errors, is at most 0.01. What the movies do not determine is named.
//!
//! A site of which every copy is certain cannot stay under Metropolis. So that one such site, of a movie that is not quite
//! the model's, does not decide everything, updates less probable than e⁻²⁰ count as this probable, and it is said.
//!
//! What the likelihood supposes, one step of `sublattices` from frame to frame, is looked at twice: a label that appears
//! where no neighbour had it is an impossible move, counted and left out; and copies are counted by what they cost, beside
//! what the estimates expect ([`Calibration`]). Where either speaks against it, estimates are called effective.
//!
//! Berndt, Hall, Hall & Hausman (1974), Annals of Economic and Social Measurement 3, 653, for the outer product.

use crate::calibration::Calibration;
use crate::coefficients::{Unknown, energy_at};
use crate::energy::{Acceptance, Energy};
use crate::features::Counts;
use crate::labels::Movie;
use crate::likelihood::{Evaluation, Rule, Wanted};
use crate::log_likelihood::{LikelihoodError, LogLikelihood};
use glauber_optimize::information::{Information, Judged, REST};
use glauber_optimize::objective::Interval;
use glauber_optimize::verdict::{Known, Verdict, significant, with_precision};

/// Most steps of one climb.
const MOST_STEPS: usize = 200;
/// The decrement at which a climb ends: on the way, and the last one.
const ARRIVED: [f64; 2] = [0.1, 1e-10];
/// The widths over which Metropolis' kink is rounded, one after another.
const ROUNDINGS: [f64; 5] = [0.1, 0.03, 0.01, 0.003, 0.001];
/// The probability below which an update under Metropolis counts as this probable: e⁻²⁰, which among a million updates of
/// the right model comes once in hundreds of movies.
const LEAST: f64 = 2.061_153_622_438_558e-9;
/// The percentage of impossible moves from which on frames are many steps apart: at ten steps it is about 1.4.
const FAR_APART: f64 = 2.0;
/// Directions of a smaller eigenvalue are not stepped along.
const STEPPED: f64 = 1e-9;

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    /// The movies have no likelihood.
    #[error(transparent)]
    Likelihood(#[from] LikelihoodError),
    /// Nothing is asked for.
    #[error("nothing is unknown: name at least one coefficient to fit")]
    NoUnknown,
    /// Nothing could have happened.
    #[error("no site of the movie has a neighbour of another label: nothing can be learnt from it")]
    NoBoundary,
}

/// Estimates, what is known of them, and what the movies say of the model.
#[derive(Clone, Debug)]
pub struct CellsFit {
    /// What was unknown.
    pub unknowns: Vec<Unknown>,
    /// By unknown.
    pub estimates: Vec<f64>,
    /// By unknown: its error, or why it has none.
    pub known: Vec<Known>,
    /// The inverse of the outer product of scores, row by row; `None` where an error is missing.
    pub covariance: Option<Vec<f64>>,
    /// At the estimates, of all updates that were possible.
    pub log_likelihood: f64,
    /// How many site updates of what kind.
    pub counts: Counts,
    /// The energy with the estimates in it.
    pub energy: Energy,
    /// How copies were accepted.
    pub acceptance: Acceptance,
    /// Copies by what they cost, beside what the estimates expect.
    pub calibration: Calibration,
    /// Whether the movies are not, or seem not to be, one step of `sublattices` from frame to frame: the estimates are
    /// then those of no simulation.
    pub effective: bool,
    /// Whether it came to rest at an optimum.
    pub at_optimum: bool,
    /// The same in words, for the first line a person reads.
    pub words: String,
    /// Whether those words are a warning.
    pub warns: bool,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// Steps that were taken.
    pub steps: usize,
}

impl CellsFit {
    /// The standard error of an estimate, where it has one.
    pub fn error(&self, place: usize) -> Option<f64> {
        self.known.get(place).and_then(Known::error)
    }

    /// An estimate, where the movies determine it: else the number in [`CellsFit::estimates`] is one of many that are as likely, and
    /// tells nothing.
    pub fn estimate(&self, place: usize) -> Option<f64> {
        let determined = !matches!(self.known.get(place)?, Known::NotDetermined(_));
        self.estimates.get(place).copied().filter(|_| determined)
    }

    /// What is known of an unknown, to stand after its name: the estimate and its error, or why there is none.
    pub fn said(&self, place: usize) -> String {
        let known = &self.known[place];
        match self.estimate(place) {
            Some(estimate) => {
                let effective = if self.effective { "  (effective)" } else { "" };
                format!("= {} {}{effective}", with_precision(estimate, known.error()), known.words())
            }
            None => known.words().replacen("no error: ", "no estimate: ", 1),
        }
    }

    /// The interval in which the true number lies with probability 95 %, by the normal law.
    pub fn interval(&self, place: usize) -> Option<[f64; 2]> {
        let (estimate, error) = (self.estimates.get(place)?, self.error(place)?);
        Some([estimate - NORMAL * error, estimate + NORMAL * error])
    }

    /// Site updates that entered the likelihood: all but the impossible ones.
    pub fn observations(&self) -> usize {
        self.counts.updates - self.counts.impossible
    }
}

impl std::fmt::Display for CellsFit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.words)?;
        let width = self.unknowns.iter().map(|u| u.name.chars().count()).max().unwrap_or(0);
        for (place, unknown) in self.unknowns.iter().enumerate() {
            writeln!(f, "{:width$} {}", unknown.name, self.said(place))?;
        }
        write!(
            f,
            "ln likelihood {:.2} of {} site updates, {} of them at boundaries",
            self.log_likelihood,
            self.observations(),
            self.counts.at_boundaries
        )?;
        self.notes.iter().try_for_each(|note| write!(f, "\nnote: {note}"))
    }
}

/// Fits the unknown coefficients of an energy to movies; the other coefficients stay as they are, and the unknown ones
/// are where one of the climbs begins.
///
/// # Errors
/// [`FitError`] where movies, energy and unknowns do not fit together, or nothing can be learnt.
pub fn fit(
    movies: &[&Movie],
    energy: &Energy,
    acceptance: Acceptance,
    unknowns: &[Unknown],
) -> Result<CellsFit, FitError> {
    if unknowns.is_empty() {
        return Err(FitError::NoUnknown);
    }
    let likelihood = LogLikelihood::new(movies, energy, acceptance, unknowns)?;
    if likelihood.updates.len() == 0 {
        return Err(FitError::NoBoundary);
    }
    let mut rules = vec![Rule::exact(Acceptance::HeatBath)];
    if acceptance == Acceptance::Metropolis {
        rules.extend(ROUNDINGS.map(|rounding| Rule { acceptance, rounding, least: LEAST }));
    }
    let (mut theta, mut steps) = (likelihood.given().to_vec(), 0);
    for (place, rule) in rules.iter().enumerate() {
        let arrived = ARRIVED[usize::from(place + 1 == rules.len())];
        steps += climb(&likelihood, *rule, &mut theta, arrived);
    }
    let last = rules.last().copied().unwrap_or(Rule::exact(acceptance));
    let best = Place { at: likelihood.at(last, &theta, Wanted::Informations), theta, steps };
    Ok(conclude(movies, energy, acceptance, unknowns, &likelihood, best))
}

/// Where a climb ended: ln L and its derivatives by θ.
struct Place {
    theta: Vec<f64>,
    at: Evaluation,
    steps: usize,
}

/// Up from θ until it rises no further; gives the steps taken.
fn climb(likelihood: &LogLikelihood, rule: Rule, theta: &mut Vec<f64>, arrived: f64) -> usize {
    let n = theta.len();
    let mut at = likelihood.at(rule, theta, Wanted::Curvature);
    let mut damping = 0.0;
    for steps in 0..MOST_STEPS {
        if !at.value.is_finite() {
            return steps;
        }
        let falling: Vec<f64> = at.score.iter().map(|s| -s).collect();
        // Second derivatives lead up only where all of them have the sign of a maximum.
        let matrix = if Information::of(&at.curvature, n).is_positive(n) {
            at.curvature
        } else {
            likelihood.at(rule, theta, Wanted::Informations).expected
        };
        if Information::of(&matrix, n).decrement(&falling, STEPPED) <= arrived {
            return steps;
        }
        let mut next = None;
        while next.is_none() && damping <= 1e9 {
            let step = damped(&matrix, damping, n).newton(&falling, STEPPED);
            let there: Vec<f64> = theta.iter().zip(&step).map(|(x, s)| x + s).collect();
            let found = likelihood.at(rule, &there, Wanted::Curvature);
            if found.value > at.value {
                next = Some((there, found));
                damping = if damping < 1e-6 { 0.0 } else { 0.1 * damping };
            } else {
                damping = if damping > 0.0 { 10.0 * damping } else { 1e-3 };
            }
        }
        let Some((there, found)) = next else { return steps };
        (*theta, at) = (there, found);
    }
    MOST_STEPS
}

/// A matrix with more on its diagonal.
fn damped(matrix: &[f64], damping: f64, n: usize) -> Information {
    let mut damped = matrix.to_vec();
    (0..n).for_each(|i| damped[i * n + i] *= 1.0 + damping);
    Information::of(&damped, n)
}

/// The normal law's two-sided 5 %.
const NORMAL: f64 = 1.959_963_984_540_054;

/// A target is what its term pulls by over the strength. Where the strength is not told from 0, that ratio has no bounds
/// (Fieller 1954, J. R. Stat. Soc. B 16, 175): only the product is determined.
fn doubt_targets(unknowns: &[Unknown], theta: &[f64], verdict: &mut Verdict) {
    for place in 0..unknowns.len() {
        let no_strength = |strength: &usize| {
            let none =
                verdict.known[*strength].error().is_some_and(|error| theta[*strength].abs() < NORMAL * error);
            none && unknowns[place].is_target_of(&unknowns[*strength])
        };
        let Some(strength) = (0..unknowns.len()).find(no_strength) else { continue };
        if verdict.known[place].error().is_none() {
            continue;
        }
        let (target, strength) = (&unknowns[place].name, &unknowns[strength].name);
        verdict.known[place] = Known::NotDetermined(Some(format!("`{strength}` · `{target}`")));
        let said =
            format!("the data do not tell `{strength}` from 0, so that they do not determine `{target}`");
        verdict.words = if verdict.warns { format!("{}; {said}", verdict.words) } else { said };
        verdict.warns = true;
    }
}

/// What came of it, with errors and in words.
fn conclude(
    movies: &[&Movie],
    energy: &Energy,
    acceptance: Acceptance,
    unknowns: &[Unknown],
    likelihood: &LogLikelihood,
    best: Place,
) -> CellsFit {
    let n = unknowns.len();
    let information = Information::of(&best.at.outer, n);
    let distance = information.decrement(&best.at.score, glauber_optimize::information::FLAT);
    let at_optimum = distance <= REST;
    let numbers: Vec<(String, Interval)> =
        unknowns.iter().map(|unknown| (unknown.name.clone(), Interval::any())).collect();
    let mut verdict = if at_optimum {
        let judged = Judged { numbers: &numbers, theta: &best.theta, remedy: "" };
        judged.verdict(&information, &mut |theta| -likelihood.value(theta))
    } else {
        let away = significant(distance.sqrt(), 2);
        let words = format!(
            "not at its optimum, so it has no errors: by slope and curvature about {away} standard errors away"
        );
        Verdict::of_all(n, Known::NotAtOptimum, Some(false), words)
    };
    doubt_targets(unknowns, &best.theta, &mut verdict);
    let whole = verdict.known.iter().all(|known| known.error().is_some());
    let covariance = whole.then(|| information.inverse(n));
    let exact = likelihood.value(&best.theta);
    let counts = likelihood.updates.counts.clone();
    let calibration =
        Calibration::new(&likelihood.updates, acceptance, &likelihood.weights.values(&best.theta));
    let mut notes = verdict.notes;
    let (mut words, mut warns) = (verdict.words, verdict.warns);
    let effective = counts.impossible > 0 || calibration.rejects() || !exact.is_finite();
    if counts.impossible > 0 {
        let share = 100.0 * counts.impossible as f64 / (counts.at_boundaries.max(1)) as f64;
        let far = if share >= FAR_APART { ", by far" } else { "" };
        // Cuts and new cells, which have words of their own, say nothing of how far frames are apart.
        let newcomers: Vec<(i64, usize)> = movies.iter().flat_map(|movie| movie.newcomers()).collect();
        let of_newcomers = if newcomers.is_empty() { 0 } else { counts.appeared };
        let others = counts.impossible.saturating_sub(counts.cut + of_newcomers);
        if others > 0 {
            words = format!(
                "frames look further apart than one step{far}: {others} site updates, {} % of those at boundaries, took a label that no neighbour had; {words}",
                significant(100.0 * others as f64 / counts.at_boundaries.max(1) as f64, 2)
            );
        }
        if counts.cut > 0 {
            words = format!(
                "{} site updates cut a cell, which `connected` forbids: these cells do not keep to that rule, or the frames are apart; {words}",
                counts.cut
            );
        }
        if let Some((cell, frame)) = newcomers.first() {
            let more = match newcomers.len() - 1 {
                0 => String::new(),
                1 => " (and 1 cell more later)".into(),
                others => format!(" (and {others} cells more later)"),
            };
            words = format!(
                "cell {cell} is new in frame {frame}{more}, and no step of the model makes a cell, as by division; {words}"
            );
        }
        warns = true;
        let of_new = if counts.appeared > 0 {
            format!(" ({} of them sites of a cell that had none)", counts.appeared)
        } else {
            String::new()
        };
        notes.push(format!(
            "impossible moves were left out of the likelihood{of_new}. The estimates are effective{}",
            if others > 0 {
                ": frames every 2 (5) steps taken for one shrink adhesions to about 0.65 (0.4) of the truth and volume strengths to 0.43 (0.27); take frames closer together, or coarsen them"
            } else {
                ""
            }
        ));
    }
    if 100.0 * counts.impossible as f64 >= FAR_APART * counts.at_boundaries as f64 {
        notes.push(
            "at so many impossible moves the estimates say little of the cells: trust what the check by simulation confirms, and nothing else".into(),
        );
    }
    if calibration.rejects() {
        if counts.impossible == 0 {
            words = format!(
                "copies were not made as often as a step of the model would, by what they cost; {words}"
            );
            warns = true;
        }
        notes.push(calibration.words());
    }
    for ((unknown, estimate), known) in unknowns.iter().zip(&best.theta).zip(&verdict.known) {
        let determined = !matches!(known, Known::NotDetermined(_));
        if determined && unknown.is_strength() && *estimate < 0.0 {
            notes.push(format!(
                "`{}` is negative: sizes away from the target are favoured, not punished",
                unknown.name
            ));
        }
    }
    let log_likelihood = if exact.is_finite() { exact } else { best.at.value };
    if !exact.is_finite() {
        notes.push(format!(
            "updates that cannot have happened at the estimates under Metropolis acceptance, sites that stayed although every copy was certain: {}. Each counts as a probability of 2e-9; see whether heat-bath acceptance describes the movie better",
            likelihood.never(&best.theta)
        ));
    }
    for movie in movies {
        notes.extend(movie.notes().iter().cloned());
    }
    CellsFit {
        unknowns: unknowns.to_vec(),
        energy: energy_at(energy, unknowns, &best.theta),
        estimates: best.theta,
        known: verdict.known,
        covariance,
        log_likelihood,
        counts,
        acceptance,
        calibration,
        effective,
        at_optimum,
        words,
        warns,
        notes,
        steps: best.steps,
    }
}
