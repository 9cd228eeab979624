//! Says in words and JSON what draws tell: a verdict first, then each parameter, then what must be known.

use glauber_optimize::verdict::{significant, with_precision};
use serde_json::{Map, Value, json};

use super::{Posterior, Sampler};
use crate::agreement::{quantile, sorted};
use crate::likelihood::Kind;
use crate::prior::Prior;

/// The largest R̂ at which chains agree.
pub const MOST_RHAT: f64 = 1.01;
/// Effective draws of a chain, at least, where intervals are to be trusted.
const LEAST_EFFECTIVE: f64 = 100.0;
/// The standard deviation of ln L above which a pseudo-marginal chain sticks.
const MOST_NOISE: f64 = 2.0;

/// What draws tell of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
    /// The 2.5 %, 50 % and 97.5 % quantiles.
    pub quantiles: [f64; 3],
}

impl Posterior {
    /// The names, in order.
    pub fn names(&self) -> Vec<&str> {
        self.coordinates.iter().map(|c| c.name.as_str()).collect()
    }

    /// All draws of a parameter, one chain after the other.
    pub fn of(&self, name: &str) -> Option<Vec<f64>> {
        let place = self.coordinates.iter().position(|c| c.name == name)?;
        Some(self.draws[place].concat())
    }

    /// What the draws of each parameter tell.
    pub fn summaries(&self) -> Vec<Summary> {
        let summary = |chains: &Vec<Vec<f64>>| {
            let order = sorted(&chains.concat());
            let n = order.len() as f64;
            let mean = order.iter().sum::<f64>() / n;
            let sd = (order.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0)).sqrt();
            Summary { mean, sd, quantiles: [0.025, 0.5, 0.975].map(|share| quantile(&order, share)) }
        };
        self.draws.iter().map(summary).collect()
    }

    /// How many paths left the posterior.
    pub fn divergences(&self) -> usize {
        self.diverging.iter().flatten().filter(|d| **d).count()
    }

    /// The largest R̂; not a number where one is none.
    pub fn most_rhat(&self) -> f64 {
        let worse = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) };
        self.agreement.iter().map(|a| a.rhat).fold(1.0, worse)
    }

    /// The fewest effective draws, in bulk and in the tails; not a number where one is none.
    pub fn least_effective(&self) -> [f64; 2] {
        let worse = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) };
        let of = |numbers: Vec<f64>| numbers.into_iter().fold(f64::INFINITY, worse);
        [
            of(self.agreement.iter().map(|a| a.bulk).collect()),
            of(self.agreement.iter().map(|a| a.tail).collect()),
        ]
    }

    /// Whether the draws may be taken for those of the posterior.
    pub fn trusted(&self) -> bool {
        let [bulk, tail] = self.least_effective();
        let enough = LEAST_EFFECTIVE * self.settings.chains as f64;
        self.settings.chains > 1
            && self.most_rhat() <= MOST_RHAT
            && bulk >= enough
            && tail >= enough
            && self.divergences() == 0
    }

    /// Whether chains agree, in words, for the first line a person reads.
    pub fn verdict(&self) -> String {
        let (rhat, [bulk, tail]) = (self.most_rhat(), self.least_effective());
        let settings = &self.settings;
        let of = format!("{} chains of {} draws", settings.chains, settings.draws);
        let effective = format!("at least {bulk:.0} effective draws, {tail:.0} for the tails");
        if rhat.is_nan() {
            return format!("not to be used: of {of}, some never moved");
        }
        if settings.chains < 2 {
            return format!(
                "one chain of {} draws: whether it found the posterior cannot be told; {effective}",
                settings.draws
            );
        }
        if rhat > MOST_RHAT {
            let (worst, _) = self.worst();
            return format!(
                "not to be used yet: {of} do not agree (R̂ {rhat:.3} for `{worst}`, at most {MOST_RHAT} where they do); {effective}"
            );
        }
        let enough = LEAST_EFFECTIVE * settings.chains as f64;
        let divergences = match self.divergences() {
            0 => String::new(),
            n => format!("; but {n} paths left the posterior"),
        };
        if bulk < enough || tail < enough {
            return format!(
                "{of} agree (R̂ at most {rhat:.3}), but are few: {effective}, {enough:.0} are wanted{divergences}"
            );
        }
        format!("{of} agree (R̂ at most {rhat:.3}, {effective}){divergences}")
    }

    fn worst(&self) -> (&str, f64) {
        let by_rhat =
            |(_, a): &(usize, &crate::agreement::Agreement),
             (_, b): &(usize, &crate::agreement::Agreement)| { a.rhat.total_cmp(&b.rhat) };
        let worst = self.agreement.iter().enumerate().max_by(by_rhat);
        worst.map_or(("", f64::NAN), |(place, own)| (self.coordinates[place].name.as_str(), own.rhat))
    }

    /// What must be known besides, worst first.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let longer = "draw longer (`draws`, `warm-up`)";
        if self.most_rhat() > MOST_RHAT {
            notes.push(format!(
                "{longer}, or look at the chains one by one: they may sit at different optima"
            ));
        } else if !self.trusted() && self.divergences() == 0 && self.settings.chains > 1 {
            notes.push(longer.to_string());
        }
        let (divergences, all) = (self.divergences(), self.settings.chains * self.settings.draws);
        if divergences > 0 {
            notes.push(format!(
                "{divergences} of {all} paths of the sampler ended where the posterior falls off a cliff or turns too sharply: \
                 draws there may be missing"
            ));
        }
        if let Some(noise) = self.noise {
            let sticks = noise.is_nan() || noise > MOST_NOISE;
            let advice =
                if sticks { ": chains stick, give the likelihood more particles or simulations" } else { "" };
            notes
                .push(format!("ln likelihood is simulated, with a standard deviation of {noise:.2}{advice}"));
        }
        if self.kind == Kind::Approximate {
            notes.push(format!(
                "the likelihood by the route `{}` is approximate: the posterior is as far off as it is",
                self.route
            ));
        }
        let accepted: Vec<f64> = self.accepted.iter().copied().flatten().collect();
        if let Some(least) = accepted.iter().copied().min_by(f64::total_cmp) {
            if least < 0.02 {
                notes.push(format!("a chain took {:.1} % of its proposals only", 100.0 * least));
            }
        }
        for ((coordinate, summary), chains) in self.coordinates.iter().zip(self.summaries()).zip(&self.draws)
        {
            let near = |end: f64| {
                let count = chains.iter().flatten().filter(|x| (*x - end).abs() < 0.1 * summary.sd).count();
                end.is_finite() && count as f64 > 0.02 * all as f64
            };
            let support = coordinate.support;
            for end in [support.lowest, support.highest].into_iter().filter(|end| near(*end)) {
                notes.push(format!(
                    "the posterior of `{}` lies against the end {end} of where it may be",
                    coordinate.name
                ));
            }
        }
        let prior = |c: &super::Coordinate| match c.prior {
            Prior::Uniform(None) => format!("`{}` uniform on {}", c.name, c.support),
            other => format!("`{}` {other}", c.name),
        };
        notes.push(format!("priors: {}", self.coordinates.iter().map(prior).collect::<Vec<_>>().join(", ")));
        notes
    }

    /// The verdict, a line for each parameter, and the notes.
    pub fn text(&self) -> String {
        let width = self.coordinates.iter().map(|c| c.name.chars().count()).max().unwrap_or(0);
        let mut lines = vec![self.verdict()];
        for ((c, s), a) in self.coordinates.iter().zip(self.summaries()).zip(&self.agreement) {
            let shown = |x: f64| with_precision(x, Some(s.sd));
            lines.push(format!(
                "{:width$}  {} sd {}, 95 % from {} to {} (R̂ {:.3}, {:.0} effective draws)",
                c.name,
                shown(s.mean),
                significant(s.sd, 2),
                shown(s.quantiles[0]),
                shown(s.quantiles[2]),
                a.rhat,
                a.bulk.min(a.tail)
            ));
        }
        lines.extend(self.notes().into_iter().map(|note| format!("note: {note}")));
        lines.join("\n")
    }

    /// `{"verdict", "trusted", "notes", "sampler", "route", …, "parameters": {NAME: {"mean", "sd", "quantiles", "rhat", …}}}`;
    /// a number that is none is null.
    pub fn object(&self) -> Map<String, Value> {
        let number = |x: f64| if x.is_finite() { json!(x) } else { Value::Null };
        let mut parameters = Map::new();
        for ((c, s), a) in self.coordinates.iter().zip(self.summaries()).zip(&self.agreement) {
            let own = json!({
                "mean": number(s.mean), "sd": number(s.sd),
                "quantiles": {"0.025": number(s.quantiles[0]), "0.5": number(s.quantiles[1]), "0.975": number(s.quantiles[2])},
                "rhat": number(a.rhat), "effective_bulk": number(a.bulk), "effective_tail": number(a.tail),
                "error_of_mean": number(a.error_of_mean), "prior": c.prior.to_string(),
                "support": [number(c.support.lowest), number(c.support.highest)], "start": number(c.start),
            });
            parameters.insert(c.name.clone(), own);
        }
        let mut object = Map::new();
        object.insert("verdict".into(), json!(self.verdict()));
        object.insert("trusted".into(), json!(self.trusted()));
        object.insert("notes".into(), json!(self.notes()));
        object.insert("sampler".into(), json!(self.sampler.name()));
        object.insert("route".into(), json!(self.route));
        let kind = match self.kind {
            Kind::Exact => "exact",
            Kind::Approximate => "approximate",
            Kind::Noisy => "noisy",
        };
        object.insert("likelihood".into(), json!(kind));
        object.insert("chains".into(), json!(self.settings.chains));
        object.insert("draws".into(), json!(self.settings.draws));
        object.insert("warm_up".into(), json!(self.settings.warm_up));
        object.insert("seed".into(), json!(self.settings.seed));
        object.insert("divergences".into(), json!(self.divergences()));
        object.insert("evaluations".into(), json!(self.evaluations));
        object.insert("observations".into(), json!(self.observations));
        object.insert("noise_of_log_likelihood".into(), self.noise.map_or(Value::Null, number));
        if self.sampler == Sampler::RandomWalk {
            object.insert("accepted".into(), json!(self.accepted));
        }
        object.insert("parameters".into(), Value::Object(parameters));
        object
    }

    /// The draws as a table: chain, draw, divergence, log density, and a column for each parameter.
    pub fn csv(&self) -> String {
        let mut text = String::from("chain,draw,diverging,log_density");
        for c in &self.coordinates {
            text.push(',');
            text.push_str(&c.name);
        }
        text.push('\n');
        for chain in 0..self.settings.chains {
            for draw in 0..self.settings.draws {
                text.push_str(&format!(
                    "{chain},{draw},{},{}",
                    u8::from(self.diverging[chain][draw]),
                    self.log_density[chain][draw]
                ));
                self.draws.iter().for_each(|of| text.push_str(&format!(",{}", of[chain][draw])));
                text.push('\n');
            }
        }
        text
    }
}
