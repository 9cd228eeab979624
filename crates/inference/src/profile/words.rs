//! Says profiles in words and JSON: what the data determine, and what alone they determine of the rest.

use glauber_files::rounded;
use glauber_optimize::verdict::with_precision;
use serde_json::{Map, Value, json};

use super::{Profile, Profiles, Side};
use crate::likelihood::Kind;

/// The relative spread up to which a combination counts as constant along a path.
const CONSTANT: f64 = 0.02;
/// The relative change from which on a parameter moves along a path.
const MOVES: f64 = 0.1;

impl Profile {
    /// The interval, where both sides are bounded.
    pub fn interval(&self) -> Option<[f64; 2]> {
        match self.sides {
            [Side::Bounded(low), Side::Bounded(high)] => Some([low, high]),
            _ => None,
        }
    }

    /// Whether the estimate lies at an end of the parameter's interval.
    fn at_end(&self) -> bool {
        let interval = self.parameter.interval;
        self.estimate <= interval.lowest || self.estimate >= interval.highest
    }

    /// The width of what is known, for the digits of a number.
    fn precision(&self) -> Option<f64> {
        let width = self.sides[1].at() - self.sides[0].at();
        (width.is_finite() && width > 0.0).then_some(width / 4.0)
    }

    /// What the data say of it, in words.
    pub fn verdict(&self, names: &[String], level: f64) -> String {
        let shown = |x: f64| with_precision(x, self.precision());
        let percent = rounded(100.0 * level);
        let [low, high] = self.sides;
        if let (None, Some(relation)) = (self.interval(), self.relation(names)) {
            return format!(
                "is determined only up to {relation}: as high from {} to {}",
                shown(low.at()),
                shown(high.at())
            );
        }
        match (low, high) {
            (Side::Bounded(a), Side::Bounded(b)) => format!("{percent} % from {} to {}", shown(a), shown(b)),
            (Side::Bounded(a), above) => {
                format!(
                    "at least {} ({percent} %); up to {} {}",
                    shown(a),
                    shown(above.at()),
                    not_bounded(above)
                )
            }
            (below, Side::Bounded(b)) => {
                format!(
                    "at most {} ({percent} %); down to {} {}",
                    shown(b),
                    shown(below.at()),
                    not_bounded(below)
                )
            }
            _ => "is not determined by the data".to_string(),
        }
    }

    /// What the data determine of it together with another, where the profile is flat and that is constant along it.
    pub fn relation(&self, names: &[String]) -> Option<String> {
        let place = names.iter().position(|name| *name == self.parameter.name)?;
        let top = self.heights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let flat: Vec<&Vec<f64>> = self
            .paths
            .iter()
            .zip(&self.heights)
            .filter(|(_, h)| top - **h < 0.2)
            .map(|(path, _)| path)
            .collect();
        if flat.len() < 4 {
            return None;
        }
        let spread = |of: &dyn Fn(&[f64]) -> f64| {
            let values: Vec<f64> = flat.iter().map(|path| of(path)).collect();
            let (low, high) =
                values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
            (high - low) / low.abs().max(high.abs()).max(f64::MIN_POSITIVE)
        };
        let own = spread(&|path| path[place]);
        if own.is_nan() || own <= MOVES {
            return None;
        }
        for (other, name) in names.iter().enumerate().filter(|(i, _)| *i != place) {
            let theirs = spread(&|path| path[other]);
            if theirs.is_nan() || theirs <= MOVES {
                continue;
            }
            let candidates: [(&str, &dyn Fn(&[f64]) -> f64); 4] = [
                ("its product with", &|path| path[place] * path[other]),
                ("its ratio to", &|path| path[place] / path[other]),
                ("its sum with", &|path| path[place] + path[other]),
                ("its difference from", &|path| path[place] - path[other]),
            ];
            if let Some((words, _)) = candidates.iter().find(|(_, of)| spread(of) < CONSTANT) {
                return Some(format!("{words} `{name}`"));
            }
        }
        None
    }
}

fn not_bounded(side: Side) -> &'static str {
    match side {
        Side::Open(_) => "the data do not bound it",
        _ => "as far as it was followed, the data do not bound it",
    }
}

impl Profiles {
    /// What the data determine, for the first line a person reads.
    pub fn verdict(&self) -> String {
        if !self.top.at_rest {
            return "the climb did not come to rest: what follows is about a place that need not be the highest".into();
        }
        let open: Vec<String> = self
            .profiles
            .iter()
            .filter(|p| p.interval().is_none())
            .map(|p| format!("`{}`", p.parameter.name))
            .collect();
        match open.len() {
            0 => "the data determine every parameter that was profiled".into(),
            _ => format!("the data leave {} open on one side or both", open.join(", ")),
        }
    }

    /// What must be known besides.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.kind == Kind::Approximate {
            notes.push(format!(
                "the likelihood by the route `{}` is approximate: intervals are as far off as it is",
                self.route
            ));
        }
        for p in &self.profiles {
            if p.at_end() {
                notes.push(format!(
                    "`{}` is highest at the end {} of its interval: an interval of {} % covers more often than it says there",
                    p.parameter.name,
                    rounded(p.estimate),
                    rounded(100.0 * self.level)
                ));
            }
            if p.restless {
                notes.push(format!(
                    "climbs along `{}` did not all come to rest: its profile may be too low",
                    p.parameter.name
                ));
            }
        }
        notes
    }

    /// The verdict, the maximum, a line for each profile, the notes.
    pub fn text(&self) -> String {
        let c = &self.criteria;
        let mut lines = vec![self.verdict()];
        let width = self.profiles.iter().map(|p| p.parameter.name.chars().count()).max().unwrap_or(0);
        for p in &self.profiles {
            let number = with_precision(p.estimate, p.precision());
            lines.push(format!(
                "{:width$}  {number}, {}",
                p.parameter.name,
                p.verdict(&self.names, self.level)
            ));
        }
        lines.push(format!(
            "ln likelihood {:.4} ({}) of {} observations, {} parameters: AIC {:.2}, BIC {:.2}",
            c.log_likelihood,
            self.route,
            c.observations,
            c.parameters,
            c.aic(),
            c.bic()
        ));
        lines.extend(self.notes().into_iter().map(|note| format!("note: {note}")));
        lines.join("\n")
    }

    /// The same as JSON, with the curves; a number that is none is null.
    pub fn object(&self) -> Map<String, Value> {
        let number = |x: f64| if x.is_finite() { json!(x) } else { Value::Null };
        let c = &self.criteria;
        let mut parameters = Map::new();
        for p in &self.profiles {
            let side = |side: Side| match side {
                Side::Bounded(x) => number(x),
                _ => Value::Null,
            };
            let own = json!({
                "estimate": number(p.estimate),
                "interval": [side(p.sides[0]), side(p.sides[1])],
                "verdict": p.verdict(&self.names, self.level),
                "determined": p.interval().is_some(),
                "values": p.values, "log_likelihood": p.heights, "paths": p.paths,
            });
            parameters.insert(p.parameter.name.clone(), own);
        }
        let estimates: Map<String, Value> =
            self.names.iter().cloned().zip(self.top.at.iter().map(|x| number(*x))).collect();
        let mut object = Map::new();
        object.insert("verdict".into(), json!(self.verdict()));
        object.insert("at_optimum".into(), json!(self.top.at_rest));
        object.insert("notes".into(), json!(self.notes()));
        object.insert("route".into(), json!(self.route));
        object.insert("level".into(), json!(self.level));
        object.insert("log_likelihood".into(), number(c.log_likelihood));
        object.insert("observations".into(), json!(c.observations));
        object.insert("aic".into(), number(c.aic()));
        object.insert("aicc".into(), number(c.aicc()));
        object.insert("bic".into(), number(c.bic()));
        object.insert("estimates".into(), Value::Object(estimates));
        object.insert("names".into(), json!(self.names));
        object.insert("parameters".into(), Value::Object(parameters));
        object
    }
}
