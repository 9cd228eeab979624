//! Profiles a likelihood: along each parameter, the highest ln L over all others; with an interval and a verdict.
//!
//! The interval holds the values x with 2 (ln L̂ − ln L(x)) ≤ χ²₁(level), 3.84 for 95 %. A side on which the profile does
//! not fall so far before the interval's end, or anywhere, is open: the data do not bound the parameter there. Where it is
//! flat, the path of the other parameters tells what alone the data determine: a product, ratio, sum or difference.
//!
//! Raue, Kreutz, Maiwald, Bachmann, Schilling, Klingmüller & Timmer (2009), Bioinformatics 25, 1923.

mod words;

use glauber_statistics::tolerance::mean_within;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::apart::{Elsewhere, asked as asked_elsewhere};
use crate::climb::{Top, climb, scales};
use crate::criteria::Criteria;
use crate::likelihood::{Kind, Likelihood, Parameter, Stop};

/// The share of the cut by which two profiles count as the same height.
const SAME: f64 = 1e-6;
/// Points of a profile on one side at most.
const MOST_POINTS: usize = 60;
/// How much higher than the estimate a profile may come before the estimate is no maximum.
const HIGHER: f64 = 1e-4;
/// How far a parameter without end is followed, in units of its scale.
const FAR: f64 = 1e4;

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The likelihood failed or was interrupted.
    #[error(transparent)]
    Likelihood(#[from] Stop),
    /// Noise has no profile.
    #[error(
        "the likelihood by the route `{0}` is simulated, and a profile would be one of its noise: draw from its posterior instead"
    )]
    Noisy(String),
    /// The data are impossible.
    #[error("the likelihood of the data is 0 at the start{0}: start the parameters elsewhere")]
    Impossible(String),
    /// A level that is none.
    #[error("the level is {0}, but must lie between 0 and 1, such as 0.95")]
    Level(f64),
    /// A parameter that is not fitted.
    #[error("there is no parameter `{name}` to profile{hint}")]
    Name {
        /// What was asked for.
        name: String,
        /// The nearest right one, as the end of a sentence.
        hint: String,
    },
}

/// How the profile of one side ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Side {
    /// It falls below the cut here.
    Bounded(f64),
    /// It stays above the cut up to the end of the parameter's interval.
    Open(f64),
    /// It stays above the cut as far as it was followed.
    Endless(f64),
}

impl Side {
    /// Where it is.
    pub fn at(self) -> f64 {
        match self {
            Side::Bounded(x) | Side::Open(x) | Side::Endless(x) => x,
        }
    }
}

/// The profile of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The parameter.
    pub parameter: Parameter,
    /// Its value at the highest point.
    pub estimate: f64,
    /// By point, in order: its value.
    pub values: Vec<f64>,
    /// The highest ln L there.
    pub heights: Vec<f64>,
    /// All parameters there.
    pub paths: Vec<Vec<f64>>,
    /// How it ends below and above.
    pub sides: [Side; 2],
    /// Whether one of the climbs did not come to rest.
    pub restless: bool,
}

/// A likelihood's highest point and the profiles about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles {
    /// The highest point.
    pub top: Top,
    /// AIC and BIC.
    pub criteria: Criteria,
    /// By which route.
    pub route: String,
    /// What kind of number that is.
    pub kind: Kind,
    /// The confidence level.
    pub level: f64,
    /// All parameters' names.
    pub names: Vec<String>,
    /// One for each parameter asked for.
    pub profiles: Vec<Profile>,
}

/// Profiles a likelihood about its highest point near the start: the parameters of these names, all where none is named.
///
/// # Errors
/// [`ProfileError`] where it has no profile.
pub fn profile(likelihood: &dyn Likelihood, names: &[String], level: f64) -> Result<Profiles, ProfileError> {
    profile_with(likelihood, names, level, None)
}

/// A profile that can be walked apart: of the parameter at a place, about a highest point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneProfile {
    top: Top,
    place: usize,
    level: f64,
}

impl OneProfile {
    /// Walks it.
    ///
    /// # Errors
    /// As [`profile`].
    pub fn walk(&self, likelihood: &dyn Likelihood) -> Result<Profile, ProfileError> {
        let parameters = likelihood.parameters().to_vec();
        let OneProfile { top, place, level } = self;
        if parameters.len() != top.at.len() || *place >= parameters.len() {
            return Err(Stop::Failed("the profile is of another likelihood".into()).into());
        }
        let mut own = likelihood.another();
        let cut = cut(*level);
        Walker { likelihood: &mut *own, parameters: &parameters, top, cut, place: *place }.profile()
    }
}

/// How far ln L falls to the ends of an interval of this level.
fn cut(level: f64) -> f64 {
    let z = mean_within(1.0, 1.0 - level);
    0.5 * z * z
}

/// The same, where profiles that somebody walked elsewhere, as written by [`OneProfile::walk`], are not walked again.
///
/// # Errors
/// As [`profile`].
pub fn profile_with(
    likelihood: &dyn Likelihood,
    names: &[String],
    level: f64,
    elsewhere: Option<&Elsewhere<'_, OneProfile>>,
) -> Result<Profiles, ProfileError> {
    let parameters = likelihood.parameters().to_vec();
    if likelihood.kind() == Kind::Noisy {
        return Err(ProfileError::Noisy(likelihood.route().to_string()));
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(ProfileError::Level(level));
    }
    let mut asked = Vec::new();
    for name in names {
        let known = parameters.iter().position(|p| p.name == *name);
        asked.push(known.ok_or_else(|| ProfileError::Name {
            name: name.clone(),
            hint: glauber_files::spelling::suggestion(name, parameters.iter().map(|p| p.name.as_str())),
        })?);
    }
    if names.is_empty() {
        asked = (0..parameters.len()).collect();
    }
    let start: Vec<f64> = parameters.iter().map(|p| p.start).collect();
    let mut own = likelihood.another();
    let mut top = climb(&mut *own, &start, &vec![false; start.len()])?;
    if !top.log_likelihood.is_finite() {
        let why = own.why_impossible(&start).map_or(String::new(), |why| format!(" ({why})"));
        return Err(ProfileError::Impossible(why));
    }
    // A profile that comes higher than the estimate knows a better one.
    for _ in 0..5 {
        let each: Vec<OneProfile> =
            asked.iter().map(|place| OneProfile { top: top.clone(), place: *place, level }).collect();
        let done: Vec<Option<Profile>> = asked_elsewhere(elsewhere, &each);
        let one = |(one, done): (&OneProfile, Option<Profile>)| done.map_or_else(|| one.walk(likelihood), Ok);
        let found: Vec<Result<Profile, ProfileError>> = each.par_iter().zip(done).map(one).collect();
        let profiles = found.into_iter().collect::<Result<Vec<_>, _>>()?;
        let best = profiles.iter().flat_map(|p| p.heights.iter().zip(&p.paths));
        let best = best.max_by(|a, b| a.0.total_cmp(b.0)).map(|(height, path)| (*height, path.clone()));
        match best {
            Some((height, path)) if height > top.log_likelihood + HIGHER => {
                top = climb(&mut *own, &path, &vec![false; start.len()])?;
            }
            _ => return Ok(gathered(likelihood, top, level, profiles)),
        }
    }
    Err(Stop::Failed("the likelihood has ever higher places: profile fewer parameters, or fix some".into())
        .into())
}

fn gathered(likelihood: &dyn Likelihood, top: Top, level: f64, profiles: Vec<Profile>) -> Profiles {
    let names: Vec<String> = likelihood.parameters().iter().map(|p| p.name.clone()).collect();
    let criteria = Criteria {
        log_likelihood: top.log_likelihood,
        parameters: names.len(),
        observations: likelihood.observations(),
    };
    let (route, kind) = (likelihood.route().to_string(), likelihood.kind());
    Profiles { top, criteria, route, kind, level, names, profiles }
}

/// Who walks along one parameter.
struct Walker<'a> {
    likelihood: &'a mut dyn Likelihood,
    parameters: &'a [Parameter],
    top: &'a Top,
    cut: f64,
    place: usize,
}

/// A point of a profile.
#[derive(Clone)]
struct Point {
    x: f64,
    height: f64,
    path: Vec<f64>,
    at_rest: bool,
}

impl Walker<'_> {
    fn profile(mut self) -> Result<Profile, ProfileError> {
        let middle = Point {
            x: self.top.at[self.place],
            height: self.top.log_likelihood,
            path: self.top.at.clone(),
            at_rest: self.top.at_rest,
        };
        let (below, low) = self.side(&middle, -1.0)?;
        let (above, high) = self.side(&middle, 1.0)?;
        let mut points: Vec<Point> = below;
        points.push(middle);
        points.extend(above);
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Ok(Profile {
            parameter: self.parameters[self.place].clone(),
            estimate: self.top.at[self.place],
            restless: points.iter().any(|p| !p.at_rest),
            values: points.iter().map(|p| p.x).collect(),
            heights: points.iter().map(|p| p.height).collect(),
            paths: points.into_iter().map(|p| p.path).collect(),
            sides: [low, high],
        })
    }

    /// The point at x, climbed from a neighbour's.
    fn at(&mut self, x: f64, from: &[f64]) -> Result<Point, ProfileError> {
        let mut start = from.to_vec();
        start[self.place] = x;
        let mut held = vec![false; start.len()];
        held[self.place] = true;
        let top = climb(self.likelihood, &start, &held)?;
        Ok(Point { x, height: top.log_likelihood, path: top.at, at_rest: top.at_rest })
    }

    /// Points outwards until the profile lies twice the cut below the top; where it crosses the cut.
    fn side(&mut self, middle: &Point, sign: f64) -> Result<(Vec<Point>, Side), ProfileError> {
        let interval = self.parameters[self.place].interval;
        let end = if sign < 0.0 { interval.lowest } else { interval.highest };
        let scale = scales(self.parameters, &self.top.at)[self.place];
        let drop = |p: &Point| middle.height - p.height;
        let mut points: Vec<Point> = Vec::new();
        let mut step = 1e-3 * scale;
        let mut last = middle.clone();
        loop {
            let wanted = last.x + sign * step;
            let beyond = if sign < 0.0 { wanted <= end } else { wanted >= end };
            let x = if beyond { end } else { wanted };
            if (x - last.x).abs() <= 0.0 {
                return Ok((points, Side::Open(end)));
            }
            let point = self.at(x, &last.path)?;
            let (fell, risen) = (drop(&point), drop(&last));
            // Too far at once: the others could not follow, or the curve would be two points. Impossible ones are cliffs.
            if fell - risen > self.cut && step > 1e-9 * scale && points.len() < MOST_POINTS {
                let smaller =
                    if fell.is_finite() { (0.5 * self.cut / (fell - risen)).clamp(0.05, 0.5) } else { 0.25 };
                if risen < self.cut {
                    step *= smaller;
                    continue;
                }
            }
            let crossed = fell >= self.cut;
            let crossing = if crossed && risen < self.cut {
                Some(self.crossing(&last, &point, middle.height)?)
            } else {
                None
            };
            if fell.is_finite() {
                points.push(point.clone());
            }
            if let Some(at) = crossing {
                return Ok((points, Side::Bounded(at)));
            }
            if beyond {
                return Ok((points, Side::Open(end)));
            }
            if points.len() >= MOST_POINTS || (x - middle.x).abs() > FAR * scale.max(middle.x.abs()) {
                return Ok((points, Side::Endless(x)));
            }
            // Some six points down to the cut.
            let gained = (fell - risen).max(0.0);
            step *= if gained < 0.02 * self.cut { 2.5 } else { (0.3 * self.cut / gained).clamp(0.5, 2.0) };
            last = point;
        }
    }

    /// Where the profile crosses the cut between a point above it and one below: by halves and by the parabola's root.
    fn crossing(&mut self, above: &Point, below: &Point, height: f64) -> Result<f64, ProfileError> {
        let (mut inner, mut outer) = (above.clone(), below.clone());
        for round in 0..30 {
            let (a, b) = ((height - inner.height).max(0.0), height - outer.height);
            let width = (outer.x - inner.x).abs();
            if width <= 1e-5 * (outer.x - self.top.at[self.place]).abs() || b - a <= SAME * self.cut {
                break;
            }
            // √drop is nearly a line in x.
            let share = if b.is_finite() && round % 3 < 2 {
                (self.cut.sqrt() - a.sqrt()) / (b.sqrt() - a.sqrt())
            } else {
                0.5
            };
            let share = share.clamp(0.02, 0.98);
            let point = self.at(inner.x + share * (outer.x - inner.x), &inner.path)?;
            if ((height - point.height) - self.cut).abs() < SAME * self.cut {
                return Ok(point.x);
            }
            if height - point.height < self.cut { inner = point } else { outer = point }
        }
        Ok(0.5 * (inner.x + outer.x))
    }
}
