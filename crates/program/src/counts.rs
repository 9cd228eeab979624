//! Lists the laws of numbers that count: of each its name, its arguments, how it is drawn, its mean and its score.
//!
//! One table for all who need it: programs print and check by it, engines draw by [`CountLaw::draw`], estimators take the
//! mean and the score. A new law is its draw in `glauber-numbers`, a variant, and a line in each of the matches below.

use glauber_numbers::counts::{binomial, geometric, poisson};
use glauber_numbers::noise::Key;
use serde::{Deserialize, Serialize};

use crate::check::Requirement;
use crate::domain::Domain;
use crate::unary::Chain;

/// How a number that counts is distributed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum CountLaw {
    /// The number of successes in n trials of probability p each.
    Binomial,
    /// The number of events of a mean rate.
    Poisson,
    /// The number of trials of probability p up to the first success, that one included: 1, 2, …
    Geometric,
}

impl CountLaw {
    /// All of them.
    pub const ALL: [CountLaw; 3] = [CountLaw::Binomial, CountLaw::Poisson, CountLaw::Geometric];

    /// Its name, and what it is.
    ///
    /// ```
    /// use glauber_program::CountLaw;
    /// assert_eq!(CountLaw::Poisson.words(), ("poisson", "poisson(rate): events of this mean"));
    /// ```
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            CountLaw::Binomial => ("binomial", "binomial(n, p): successes in n trials"),
            CountLaw::Poisson => ("poisson", "poisson(rate): events of this mean"),
            CountLaw::Geometric => ("geometric", "geometric(p): trials up to the first success"),
        }
    }

    /// The law of this name.
    pub fn named(name: &str) -> Option<CountLaw> {
        CountLaw::ALL.into_iter().find(|law| law.words().0 == name)
    }

    /// What its arguments must be, in their order.
    pub fn required(self) -> &'static [Requirement] {
        match self {
            CountLaw::Binomial => &[Requirement::Trials, Requirement::Probability],
            CountLaw::Poisson => &[Requirement::Rate],
            CountLaw::Geometric => &[Requirement::Chance],
        }
    }

    /// A number, from its address in the noise: a function of it and the arguments alone. NaN where an argument is none.
    #[inline]
    pub fn draw(self, key: &Key, site: u32, arguments: [f64; 2]) -> f64 {
        match self {
            CountLaw::Binomial => binomial(key, site, arguments[0], arguments[1]),
            CountLaw::Poisson => poisson(key, site, arguments[0]),
            CountLaw::Geometric => geometric(key, site, arguments[0]),
        }
    }

    /// Where its numbers lie.
    pub(crate) fn range(self, arguments: &[Domain]) -> Domain {
        match self {
            CountLaw::Binomial => Domain::integers(0.0, arguments[0].highest.max(0.0)),
            CountLaw::Poisson => Domain::integers(0.0, f64::INFINITY),
            CountLaw::Geometric => Domain::integers(1.0, f64::INFINITY),
        }
    }

    /// Its mean.
    pub(crate) fn mean<C: Chain>(self, g: &mut C, arguments: &[C::Value]) -> C::Value {
        match self {
            CountLaw::Binomial => g.multiply(arguments[0], arguments[1]),
            CountLaw::Poisson => arguments[0],
            CountLaw::Geometric => {
                let one = g.constant(1.0);
                g.divide(one, arguments[0])
            }
        }
    }

    /// What a derivative `bar` by the number is by each argument, straight through to the mean.
    pub(crate) fn through_mean<C: Chain>(
        self,
        g: &mut C,
        arguments: &[C::Value],
        bar: C::Value,
    ) -> Vec<C::Value> {
        match self {
            CountLaw::Binomial => vec![g.multiply(bar, arguments[1]), g.multiply(bar, arguments[0])],
            CountLaw::Poisson => vec![bar],
            // d(1/p) = −dp/p².
            CountLaw::Geometric => {
                let square = g.multiply(arguments[0], arguments[0]);
                let slope = g.divide(bar, square);
                vec![g.negate(slope)]
            }
        }
    }

    /// The derivative of the logarithm of the number's probability by the last argument (trials have none).
    pub(crate) fn score<C: Chain>(self, g: &mut C, outcome: C::Value, arguments: &[C::Value]) -> C::Value {
        match self {
            CountLaw::Binomial => {
                let (n, p) = (arguments[0], arguments[1]);
                let (successes, failures) = (g.divide(outcome, p), g.subtract(n, outcome));
                let one = g.constant(1.0);
                let q = g.subtract(one, p);
                let loss = g.divide(failures, q);
                let zero = g.constant(0.0);
                // Where nothing succeeds, or all does, 0/0 is no number.
                let any = g.less(zero, outcome);
                let short = g.less(outcome, n);
                let (gain, loss) = (g.select(any, successes, zero), g.select(short, loss, zero));
                g.subtract(gain, loss)
            }
            CountLaw::Poisson => {
                let ratio = g.divide(outcome, arguments[0]);
                let (zero, one) = (g.constant(0.0), g.constant(1.0));
                // At a rate of 0 nothing comes out, and 0/0 is no number.
                let any = g.less(zero, outcome);
                let ratio = g.select(any, ratio, zero);
                g.subtract(ratio, one)
            }
            // 1/p − (k − 1)/(1 − p).
            CountLaw::Geometric => {
                let (zero, one) = (g.constant(0.0), g.constant(1.0));
                let (success, failures) = (g.divide(one, arguments[0]), g.subtract(outcome, one));
                let q = g.subtract(one, arguments[0]);
                let loss = g.divide(failures, q);
                // At p = 1 nothing fails, and 0/0 is no number.
                let any = g.less(zero, failures);
                let loss = g.select(any, loss, zero);
                g.subtract(success, loss)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unary::Numbers;

    /// ln of the chance of k.
    fn log_chance(law: CountLaw, k: f64, arguments: &[f64]) -> f64 {
        let log_factorial = |n: f64| (1..=n as u32).map(|i| f64::from(i).ln()).sum::<f64>();
        match (law, arguments) {
            (CountLaw::Binomial, [n, p]) => {
                log_factorial(*n) - log_factorial(k) - log_factorial(n - k)
                    + k * p.ln()
                    + (n - k) * (-p).ln_1p()
            }
            (CountLaw::Poisson, [rate]) => k * rate.ln() - rate - log_factorial(k),
            (CountLaw::Geometric, [p]) => p.ln() + (k - 1.0) * (-p).ln_1p(),
            _ => f64::NAN,
        }
    }

    /// Arguments of every law, and numbers that may come out.
    fn cases(law: CountLaw) -> Vec<(Vec<f64>, Vec<f64>)> {
        match law {
            CountLaw::Binomial => vec![(vec![7.0, 0.3], vec![0.0, 3.0, 7.0]), (vec![2.0, 0.9], vec![1.0])],
            CountLaw::Poisson => vec![(vec![0.4], vec![0.0, 2.0]), (vec![6.5], vec![0.0, 9.0])],
            CountLaw::Geometric => vec![(vec![0.25], vec![1.0, 2.0, 9.0]), (vec![0.8], vec![1.0, 3.0])],
        }
    }

    #[test]
    fn scores_and_slopes_are_those_of_the_laws() {
        const STEP: f64 = 1e-6;
        for law in CountLaw::ALL {
            assert!(law.required().len() <= 2, "a draw is handed two arguments");
            for (arguments, outcomes) in cases(law) {
                let last = arguments.len() - 1;
                let moved = |at: usize, by: f64| {
                    let mut moved = arguments.clone();
                    moved[at] += by;
                    moved
                };
                // Central differences are off by h² of the third derivative and by rounding over h.
                let near = |a: f64, b: f64| (a - b).abs() < 1e-8 * (1.0 + a.abs());
                for k in outcomes {
                    let of = |by: f64| log_chance(law, k, &moved(last, by));
                    let (score, slope) =
                        (law.score(&mut Numbers, k, &arguments), (of(STEP) - of(-STEP)) / (2.0 * STEP));
                    assert!(near(score, slope), "{law:?} {arguments:?} {k}: {score} {slope}");
                }
                let through = law.through_mean(&mut Numbers, &arguments, 1.0);
                for (at, found) in through.into_iter().enumerate() {
                    let of = |by: f64| law.mean(&mut Numbers, &moved(at, by));
                    let slope = (of(STEP) - of(-STEP)) / (2.0 * STEP);
                    assert!(near(found, slope), "{law:?} {arguments:?} by {at}: {found} {slope}");
                }
            }
        }
    }
}
