//! Maps parameters between their intervals and the whole line, where the optimizer walks.
//!
//! With θ the parameter in natural units, a = lowest, b = highest, and u the *free coordinate* an optimizer moves:
//!
//! | map      | interval            | θ(u)                      | dθ/du                  | after a step      |
//! |----------|---------------------|---------------------------|------------------------|-------------------|
//! | identity | any                 | u                         | 1                      | as it is          |
//! | clamp    | any                 | u                         | 1                      | u clipped to \[a, b\] |
//! | logit    | \[a, b\], both finite | a + (b − a) σ(u)          | (b − a) σ(u) σ(−u)     | u clipped to ±30  |
//! | log      | one end finite      | a + eᵘ, or b − eᵘ         | eᵘ, or −eᵘ             | u clipped to ±700 |
//!
//! Clamp is the projection of projected gradient descent. The clips of logit and log keep θ distinct from its ends
//! and finite: σ(±30) is 1e-13 away from an end, where a gradient still exists. A start at an end of a logit or
//! log interval, where the map has no finite coordinate, is moved inside by [`INSET`] of the width, and said so.
//!
//! ```
//! use glauber_optimize::maps::{IntervalMap, Map};
//! use glauber_optimize::objective::Interval;
//! let logit = IntervalMap::new(Map::Logit, Interval::unit(), "beta").unwrap();
//! let free = logit.to_free(0.3);
//! assert!((logit.to_natural(free) - 0.3).abs() < 1e-15);
//! assert!((logit.slope(free) - 0.21).abs() < 1e-15);
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::objective::{Interval, Unknown, length_of};
use glauber_files::spelling::suggestion;

/// How far inside its interval a start at an end is put, as a share of the width
/// (of max(1, |end|) where the interval has only one end).
pub const INSET: f64 = 1e-3;

const LOGIT_LIMIT: f64 = 30.0;
const LOG_LIMIT: f64 = 700.0;

/// How a parameter's interval is mapped to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Map {
    /// The parameter itself; a fit that leaves the interval has diverged.
    Identity,
    /// The parameter itself, put back to the nearest end after every step.
    Clamp,
    /// The log-odds of where it lies between its two ends.
    Logit,
    /// The logarithm of its distance from its one end.
    Log,
}

impl Map {
    /// Every map.
    pub const ALL: [Map; 4] = [Map::Identity, Map::Clamp, Map::Logit, Map::Log];

    /// Its name in a fit file.
    pub fn name(self) -> &'static str {
        match self {
            Map::Identity => "identity",
            Map::Clamp => "clamp",
            Map::Logit => "logit",
            Map::Log => "log",
        }
    }

    /// The map an unknown has where nobody chose one: clamp for fields; for scalars logit where both ends are
    /// finite, log where one is, identity where none is.
    pub fn usual(unknown: &Unknown) -> Map {
        let finite =
            [unknown.interval.lowest, unknown.interval.highest].iter().filter(|e| e.is_finite()).count();
        match (unknown.is_scalar(), finite) {
            (_, 0) => Map::Identity,
            (false, _) => Map::Clamp,
            (true, 1) => Map::Log,
            (true, _) => Map::Logit,
        }
    }
}

/// How far, beside its size, rounding may move a start.
const SAME: f64 = 1e-6;
/// How far, beside its size or 1, a start inside its interval may be moved by its map.
const TOO_FAR: f64 = 1e-3;

/// Why a parameter cannot be mapped, or a start cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MapError {
    /// The interval is so wide that its map does not tell the start from an end.
    #[error(
        "`{name}` starts at {found}, which the map `{map}` cannot tell from an end of {interval}, so wide is that: give an interval \
         that ends where the parameter may lie, or one without that end (inf)",
        map = .map.name()
    )]
    TooWide {
        /// The unknown.
        name: String,
        /// The start.
        found: f64,
        /// Its interval.
        interval: Interval,
        /// Its map.
        map: Map,
    },
    /// The interval has no inside.
    #[error("the interval {interval} of `{name}` is empty: its lowest value must be below its highest")]
    Empty {
        /// The unknown.
        name: String,
        /// Its interval.
        interval: Interval,
    },
    /// The map needs other ends.
    #[error("the map `{map}` does not fit `{name}` in {interval}: it needs {needs}; use `{instead}`", map = .map.name(), instead = .instead.name())]
    Ends {
        /// The unknown.
        name: String,
        /// Its interval.
        interval: Interval,
        /// The map asked for.
        map: Map,
        /// What the map needs.
        needs: &'static str,
        /// A map that fits.
        instead: Map,
    },
    /// A map for something that is not unknown.
    #[error("a map is given for `{name}`, which is not fitted{hint}")]
    NotFitted {
        /// The name found.
        name: String,
        /// The nearest right one, as the end of a sentence.
        hint: String,
    },
    /// A start of the wrong length.
    #[error("the start has {found} numbers, the unknowns take {wanted}")]
    Length {
        /// How many were given.
        found: usize,
        /// How many are needed.
        wanted: usize,
    },
    /// A start outside its interval, or not a number.
    #[error("the start of `{name}` is {found}, outside its interval {interval}")]
    Outside {
        /// The unknown; a site of a field as `name[site]`.
        name: String,
        /// The value found.
        found: f64,
        /// Where it must lie.
        interval: Interval,
    },
}

/// One parameter's map with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntervalMap {
    map: Map,
    interval: Interval,
}

impl IntervalMap {
    /// A map over an interval; `name` is the unknown's, for the error.
    ///
    /// # Errors
    /// [`MapError`] where the interval is empty or the map needs other ends.
    pub fn new(map: Map, interval: Interval, name: &str) -> Result<IntervalMap, MapError> {
        let Interval { lowest, highest } = interval;
        // Written so that an end that is NaN is refused too.
        let has_inside = lowest < highest;
        if !has_inside {
            return Err(MapError::Empty { name: name.to_string(), interval });
        }
        let finite = [lowest, highest].iter().filter(|end| end.is_finite()).count();
        let (fits, needs) = match map {
            Map::Identity | Map::Clamp => (true, ""),
            Map::Logit => ((highest - lowest).is_finite(), "two finite ends"),
            Map::Log => (finite == 1, "exactly one finite end"),
        };
        if !fits {
            let instead = match finite {
                2 if (highest - lowest).is_finite() => Map::Logit,
                1 => Map::Log,
                _ => Map::Clamp,
            };
            return Err(MapError::Ends { name: name.to_string(), interval, map, needs, instead });
        }
        Ok(IntervalMap { map, interval })
    }

    /// Which map it is.
    pub fn map(&self) -> Map {
        self.map
    }

    /// The interval.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// The interval's width, which may be infinite.
    pub fn width(&self) -> f64 {
        self.interval.highest - self.interval.lowest
    }

    /// θ → u. An end of a logit or log interval gives the coordinate's limit, never an infinity.
    pub fn to_free(&self, natural: f64) -> f64 {
        let Interval { lowest, highest } = self.interval;
        match self.map {
            Map::Identity => natural,
            Map::Clamp => self.project(natural),
            Map::Logit => self.project(libm::log(natural - lowest) - libm::log(highest - natural)),
            Map::Log if lowest.is_finite() => self.project(libm::log(natural - lowest)),
            Map::Log => self.project(libm::log(highest - natural)),
        }
    }

    /// ln |dθ/du|, which a density by u has more than one by θ, and its derivative by u.
    pub fn log_jacobian(&self, free: f64) -> (f64, f64) {
        match self.map {
            Map::Identity | Map::Clamp => (0.0, 0.0),
            Map::Log => (free, 1.0),
            // ln σ(u) + ln σ(−u) = −|u| − 2 ln(1 + e^−|u|).
            Map::Logit => {
                let log_sides = -free.abs() - 2.0 * libm::log1p(libm::exp(-free.abs()));
                (libm::log(self.width()) + log_sides, 1.0 - 2.0 * logistic(free))
            }
        }
    }

    /// u → θ.
    pub fn to_natural(&self, free: f64) -> f64 {
        let Interval { lowest, highest } = self.interval;
        match self.map {
            Map::Identity | Map::Clamp => free,
            // From the nearer end, so that neither end loses digits.
            Map::Logit if free <= 0.0 => lowest + (highest - lowest) * logistic(free),
            Map::Logit => highest - (highest - lowest) * logistic(-free),
            Map::Log if lowest.is_finite() => lowest + libm::exp(free),
            Map::Log => highest - libm::exp(free),
        }
    }

    /// dθ/du at u.
    pub fn slope(&self, free: f64) -> f64 {
        let Interval { lowest, highest } = self.interval;
        match self.map {
            Map::Identity | Map::Clamp => 1.0,
            Map::Logit => (highest - lowest) * logistic(free) * logistic(-free),
            Map::Log if lowest.is_finite() => libm::exp(free),
            Map::Log => -libm::exp(free),
        }
    }

    /// u, put back to where it may be. NaN stays NaN.
    pub fn project(&self, free: f64) -> f64 {
        match self.map {
            Map::Identity => free,
            Map::Clamp => free.clamp(self.interval.lowest, self.interval.highest),
            Map::Logit => free.clamp(-LOGIT_LIMIT, LOGIT_LIMIT),
            Map::Log => free.clamp(-LOG_LIMIT, LOG_LIMIT),
        }
    }

    /// Where to start instead of an end that the map has no coordinate for; the start itself elsewhere.
    pub fn inside(&self, natural: f64) -> f64 {
        let Interval { lowest, highest } = self.interval;
        let width = highest - lowest;
        let (from_lowest, from_highest) = (natural <= lowest, natural >= highest);
        match self.map {
            Map::Logit if from_lowest => lowest + INSET * width,
            Map::Logit if from_highest => highest - INSET * width,
            Map::Log if from_lowest => lowest + INSET * lowest.abs().max(1.0),
            Map::Log if from_highest => highest - INSET * highest.abs().max(1.0),
            _ => natural,
        }
    }
}

/// 1 / (1 + e⁻ᵘ), without overflow.
fn logistic(u: f64) -> f64 {
    if u >= 0.0 {
        1.0 / (1.0 + libm::exp(-u))
    } else {
        let e = libm::exp(u);
        e / (1.0 + e)
    }
}

/// The maps of all unknowns: whole θ to whole u and back.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps {
    unknowns: Vec<Unknown>,
    maps: Vec<IntervalMap>,
}

impl Maps {
    /// The chosen map for each unknown named in `choices`, the [usual](Map::usual) one for the others.
    ///
    /// # Errors
    /// [`MapError`] where a map does not fit its interval, or a choice names nothing that is fitted.
    pub fn new(unknowns: &[Unknown], choices: &BTreeMap<String, Map>) -> Result<Maps, MapError> {
        for name in choices.keys() {
            if !unknowns.iter().any(|unknown| unknown.name == *name) {
                let hint = suggestion(name, unknowns.iter().map(|unknown| unknown.name.as_str()));
                return Err(MapError::NotFitted { name: name.clone(), hint });
            }
        }
        let maps = unknowns.iter().map(|unknown| {
            let map = choices.get(&unknown.name).copied().unwrap_or_else(|| Map::usual(unknown));
            IntervalMap::new(map, unknown.interval, &unknown.name)
        });
        Ok(Maps { maps: maps.collect::<Result<_, _>>()?, unknowns: unknowns.to_vec() })
    }

    /// Whether θ and u are the same numbers, so that no second copy is needed.
    pub fn is_direct(&self) -> bool {
        self.maps.iter().all(|m| matches!(m.map, Map::Identity | Map::Clamp))
    }

    /// Each unknown and its map.
    pub fn unknowns(&self) -> impl Iterator<Item = (&Unknown, Map)> {
        self.unknowns.iter().zip(self.maps.iter().map(|m| m.map))
    }

    /// The map of every scalar.
    pub fn of_scalars(&self) -> Vec<IntervalMap> {
        self.unknowns
            .iter()
            .zip(&self.maps)
            .filter(|(unknown, _)| unknown.is_scalar())
            .map(|(_, m)| *m)
            .collect()
    }

    /// θ → u, with a note for each unknown whose start had to be moved inside its interval.
    ///
    /// # Errors
    /// [`MapError`] where θ has the wrong length, or a number of it is NaN or outside its interval.
    pub fn start(&self, theta: &[f64]) -> Result<(Vec<f64>, Vec<String>), MapError> {
        let wanted = length_of(&self.unknowns);
        if theta.len() != wanted {
            return Err(MapError::Length { found: theta.len(), wanted });
        }
        let mut free = Vec::with_capacity(wanted);
        let mut notes = Vec::new();
        for (unknown, map) in self.unknowns.iter().zip(&self.maps) {
            let mut moved = 0usize;
            let first = free.len();
            for (site, &natural) in theta[first..first + unknown.len()].iter().enumerate() {
                if !unknown.interval.contains(natural) || !natural.is_finite() {
                    let name = if unknown.is_scalar() {
                        unknown.name.clone()
                    } else {
                        format!("{}[{site}]", unknown.name)
                    };
                    return Err(MapError::Outside { name, found: natural, interval: unknown.interval });
                }
                let inside = map.inside(natural);
                let is_moved = inside.to_bits() != natural.to_bits();
                let back = map.to_natural(map.to_free(inside));
                if !is_moved && (back - natural).abs() > TOO_FAR * natural.abs().max(1.0) {
                    return Err(MapError::TooWide {
                        name: unknown.name.clone(),
                        found: natural,
                        interval: unknown.interval,
                        map: map.map,
                    });
                }
                moved += usize::from(is_moved || (back - natural).abs() > SAME * natural.abs());
                free.push(map.to_free(inside));
            }
            if moved > 0 && unknown.is_scalar() {
                let (from, to) = (theta[first], map.to_natural(free[first]));
                notes.push(format!(
                    "`{}` starts at {to:.6} instead of {from}, where its {} map has no slope",
                    unknown.name,
                    map.map.name()
                ));
            } else if moved > 0 {
                notes.push(format!(
                    "{moved} sites of `{}` start just inside an end of {}",
                    unknown.name, unknown.interval
                ));
            }
        }
        Ok((free, notes))
    }

    /// u → θ, into `theta`.
    pub fn to_natural(&self, free: &[f64], theta: &mut [f64]) {
        let mut first = 0;
        for (unknown, map) in self.unknowns.iter().zip(&self.maps) {
            let range = first..first + unknown.len();
            first = range.end;
            for (natural, &u) in theta[range.clone()].iter_mut().zip(&free[range]) {
                *natural = map.to_natural(u);
            }
        }
    }

    /// ∂/∂θ → ∂/∂u, in place.
    pub fn pull_back(&self, free: &[f64], gradient: &mut [f64]) {
        let mut first = 0;
        for (unknown, map) in self.unknowns.iter().zip(&self.maps) {
            let range = first..first + unknown.len();
            first = range.end;
            if matches!(map.map, Map::Identity | Map::Clamp) {
                continue;
            }
            for (slope, &u) in gradient[range.clone()].iter_mut().zip(&free[range]) {
                *slope *= map.slope(u);
            }
        }
    }

    /// Puts u back to where it may be, in place.
    pub fn project(&self, free: &mut [f64]) {
        let mut first = 0;
        for (unknown, map) in self.unknowns.iter().zip(&self.maps) {
            let range = first..first + unknown.len();
            first = range.end;
            if map.map != Map::Identity {
                free[range].iter_mut().for_each(|u| *u = map.project(*u));
            }
        }
    }

    /// The first number of u that is not finite, or (identity map) outside its interval: its name and value.
    pub fn astray(&self, free: &[f64]) -> Option<(String, f64)> {
        let mut first = 0;
        for (unknown, map) in self.unknowns.iter().zip(&self.maps) {
            let range = first..first + unknown.len();
            first = range.end;
            let lost =
                |u: &f64| !u.is_finite() || (map.map == Map::Identity && !unknown.interval.contains(*u));
            if let Some(site) = free[range.clone()].iter().position(lost) {
                let name = if unknown.is_scalar() {
                    unknown.name.clone()
                } else {
                    format!("{}[{site}]", unknown.name)
                };
                return Some((name, free[range][site]));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intervals(map: Map) -> Vec<Interval> {
        match map {
            Map::Identity => vec![Interval::any()],
            Map::Clamp => vec![Interval::unit(), Interval::positive(), Interval::any()],
            Map::Logit => vec![Interval::unit(), Interval::new(-3.0, 7.0), Interval::new(1e6, 1e6 + 1.0)],
            Map::Log => vec![
                Interval::positive(),
                Interval::new(2.0, f64::INFINITY),
                Interval::new(f64::NEG_INFINITY, -1.0),
            ],
        }
    }

    #[test]
    fn every_map_goes_there_and_back_and_has_the_slope_it_claims() {
        for map in Map::ALL {
            for interval in intervals(map) {
                let m = IntervalMap::new(map, interval, "x").unwrap();
                for i in 1..20 {
                    let share = f64::from(i) / 20.0;
                    let low = if interval.lowest.is_finite() {
                        interval.lowest
                    } else {
                        interval.highest.min(1e9) - 10.0
                    };
                    let high = if interval.highest.is_finite() { interval.highest } else { low + 10.0 };
                    let natural = low + share * (high - low);
                    let free = m.to_free(natural);
                    // Rounding of θ itself, relative to its size.
                    assert!(
                        (m.to_natural(free) - natural).abs() <= 8.0 * f64::EPSILON * natural.abs().max(1.0),
                        "{map:?} {interval}"
                    );
                    let h = 1e-5;
                    let finite = (m.to_natural(free + h) - m.to_natural(free - h)) / (2.0 * h);
                    // h² third derivative / 6 and the rounding of θ over h.
                    let bound = h * h * 10.0 + 4.0 * f64::EPSILON * natural.abs().max(1.0) / h;
                    assert!(
                        (m.slope(free) - finite).abs() <= bound,
                        "{map:?} {interval} {} {finite}",
                        m.slope(free)
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_becomes_infinite_or_reaches_an_end() {
        let logit = IntervalMap::new(Map::Logit, Interval::unit(), "p").unwrap();
        for u in [-1e300, -31.0, 31.0, 1e300, f64::INFINITY, f64::NEG_INFINITY] {
            let p = logit.to_natural(logit.project(u));
            assert!(p > 0.0 && p < 1.0 && logit.slope(logit.project(u)) > 0.0, "{u}: {p}");
        }
        let log = IntervalMap::new(Map::Log, Interval::positive(), "k").unwrap();
        for u in [-1e300, 1e300] {
            let k = log.to_natural(log.project(u));
            assert!(k > 0.0 && k.is_finite(), "{u}: {k}");
        }
        assert!(logit.project(f64::NAN).is_nan());
    }

    #[test]
    fn a_start_at_an_end_is_moved_inside_and_said() {
        let unknowns = [Unknown::scalar("p", Interval::unit()), Unknown::field("x", Interval::unit(), &[2])];
        let maps = Maps::new(&unknowns, &BTreeMap::new()).unwrap();
        let (free, notes) = maps.start(&[0.0, 0.0, 1.0]).unwrap();
        let mut theta = [0.0; 3];
        maps.to_natural(&free, &mut theta);
        assert!(
            (theta[0] - INSET).abs() < 1e-12 && notes.len() == 1 && notes[0].contains("`p`"),
            "{notes:?}"
        );
        // Fields are clamped, where an end is a place like any other.
        assert_eq!(&theta[1..], &[0.0, 1.0]);
        let choices = BTreeMap::from([("x".to_string(), Map::Logit)]);
        let (_, notes) = Maps::new(&unknowns, &choices).unwrap().start(&[0.5, 0.0, 0.2]).unwrap();
        assert_eq!(notes, ["1 sites of `x` start just inside an end of [0, 1]"]);
        let half = [Unknown::scalar("k", Interval::new(5.0, f64::INFINITY))];
        let maps = Maps::new(&half, &BTreeMap::new()).unwrap();
        let (free, _) = maps.start(&[5.0]).unwrap();
        maps.to_natural(&free, &mut theta[..1]);
        assert!((theta[0] - 5.005).abs() < 1e-12);
    }

    #[test]
    fn an_interval_too_wide_for_its_map_is_refused() {
        let unknowns = [Unknown::scalar("p", Interval::new(0.0, 1e300))];
        let maps = Maps::new(&unknowns, &BTreeMap::new()).unwrap();
        let error = maps.start(&[0.3]).unwrap_err().to_string();
        assert!(error.contains("starts at 0.3") && error.contains("so wide"), "{error}");
        for interval in [Interval::new(0.0, 1e9), Interval::unit(), Interval::positive(), Interval::any()] {
            let unknowns = [Unknown::scalar("p", interval)];
            let maps = Maps::new(&unknowns, &BTreeMap::new()).unwrap();
            for start in [0.3, 0.01, 0.999] {
                let (free, notes) = maps.start(&[start]).unwrap();
                let mut back = [0.0];
                maps.to_natural(&free, &mut back);
                assert!((back[0] - start).abs() < 1e-6 && notes.is_empty(), "{interval}: {start} {back:?}");
            }
        }
        // Where it is moved a little, it is said.
        let unknowns = [Unknown::scalar("p", Interval::new(0.0, 1e9))];
        let (_, notes) = Maps::new(&unknowns, &BTreeMap::new()).unwrap().start(&[1e-9]).unwrap();
        assert!(notes.len() == 1 && notes[0].contains("instead of"), "{notes:?}");
    }

    #[test]
    fn wrong_starts_and_maps_are_named() {
        let unknowns =
            [Unknown::scalar("beta", Interval::unit()), Unknown::field("x", Interval::unit(), &[2])];
        let maps = Maps::new(&unknowns, &BTreeMap::new()).unwrap();
        let say = |theta: &[f64]| maps.start(theta).unwrap_err().to_string();
        assert_eq!(say(&[1.5, 0.0, 0.0]), "the start of `beta` is 1.5, outside its interval [0, 1]");
        assert_eq!(say(&[0.5, 0.0, f64::NAN]), "the start of `x[1]` is NaN, outside its interval [0, 1]");
        assert_eq!(say(&[0.5]), "the start has 1 numbers, the unknowns take 3");
        let wrong = |name: &str, map| {
            Maps::new(&unknowns, &BTreeMap::from([(name.to_string(), map)])).unwrap_err().to_string()
        };
        assert_eq!(
            wrong("bet", Map::Clamp),
            "a map is given for `bet`, which is not fitted: did you mean `beta`?"
        );
        assert!(wrong("beta", Map::Log).contains("exactly one finite end; use `logit`"));
        let empty = IntervalMap::new(Map::Clamp, Interval::new(1.0, 1.0), "k").unwrap_err();
        assert!(empty.to_string().contains("is empty"));
        assert!(IntervalMap::new(Map::Clamp, Interval::new(f64::NAN, 1.0), "k").is_err());
        assert!(IntervalMap::new(Map::Logit, Interval::new(f64::MIN, f64::MAX), "k").is_err());
    }

    #[test]
    fn an_identity_outside_its_interval_is_astray() {
        let unknowns = [Unknown::scalar("beta", Interval::unit())];
        let maps = Maps::new(&unknowns, &BTreeMap::from([("beta".to_string(), Map::Identity)])).unwrap();
        assert_eq!(maps.astray(&[0.5]), None);
        assert_eq!(maps.astray(&[1.5]), Some(("beta".to_string(), 1.5)));
        assert!(maps.is_direct());
    }
}
