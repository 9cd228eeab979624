//! Lists the functions of one number: of each its name, its value, its derivative and its range.
//!
//! One table for all who need it: constants are folded, kernels and scalars run, and tests interpret by [`Unary::value`];
//! adjoints are written by the derivative; model files and printed programs know functions by name. A new one is a
//! variant, and a line in each of the matches below.

use glauber_numbers::elementary;
use glauber_numbers::real::Real;
use serde::{Deserialize, Serialize};

use crate::domain::Domain;

/// Functions of one number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Unary {
    Negate,
    Absolute,
    Sign,
    SquareRoot,
    Exponential,
    /// e^x − 1, exact near 0.
    ExponentialMinusOne,
    Logarithm,
    /// ln(1 + x), exact near 0.
    LogarithmOnePlus,
    Sigmoid,
    HyperbolicTangent,
    HyperbolicCosine,
    Sine,
    Cosine,
    Floor,
}

/// What is done with a function: it is handed over as code, so that a loop over it is compiled for each.
pub trait UseOfUnary<F> {
    /// What comes of it.
    type Out;

    /// Does it with this function.
    fn with(self, function: impl Fn(F) -> F) -> Self::Out;
}

/// Writes formulas: numbers and instructions in, a number or instruction out.
pub(crate) trait Chain {
    type Value: Copy;

    fn constant(&mut self, value: f64) -> Self::Value;
    fn unary(&mut self, function: Unary, x: Self::Value) -> Self::Value;
    fn add(&mut self, a: Self::Value, b: Self::Value) -> Self::Value;
    fn subtract(&mut self, a: Self::Value, b: Self::Value) -> Self::Value;
    fn multiply(&mut self, a: Self::Value, b: Self::Value) -> Self::Value;
    fn divide(&mut self, a: Self::Value, b: Self::Value) -> Self::Value;
    fn negate(&mut self, a: Self::Value) -> Self::Value;
    /// 1 where a < b, else 0.
    fn less(&mut self, a: Self::Value, b: Self::Value) -> Self::Value;
    /// The second where the first is not 0, else the third.
    fn select(&mut self, condition: Self::Value, yes: Self::Value, no: Self::Value) -> Self::Value;
}

impl Unary {
    /// All of them.
    pub const ALL: [Unary; 14] = [
        Unary::Negate,
        Unary::Absolute,
        Unary::Sign,
        Unary::SquareRoot,
        Unary::Exponential,
        Unary::ExponentialMinusOne,
        Unary::Logarithm,
        Unary::LogarithmOnePlus,
        Unary::Sigmoid,
        Unary::HyperbolicTangent,
        Unary::HyperbolicCosine,
        Unary::Sine,
        Unary::Cosine,
        Unary::Floor,
    ];

    /// How it is written, and said, in programs and model files.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Unary::Negate => ("-", "-x"),
            Unary::Absolute => ("abs", "abs(x)"),
            Unary::Sign => ("sign", "sign(x): -1, 0 or 1"),
            Unary::SquareRoot => ("sqrt", "sqrt(x)"),
            Unary::Exponential => ("exp", "exp(x)"),
            Unary::ExponentialMinusOne => ("expm1", "expm1(x): exp(x) - 1, exact near 0"),
            Unary::Logarithm => ("ln", "ln(x): the natural logarithm"),
            Unary::LogarithmOnePlus => ("log1p", "log1p(x): ln(1 + x), exact near 0"),
            Unary::Sigmoid => ("sigmoid", "sigmoid(x): 1/(1 + exp(-x))"),
            Unary::HyperbolicTangent => ("tanh", "tanh(x)"),
            Unary::HyperbolicCosine => ("cosh", "cosh(x)"),
            Unary::Sine => ("sin", "sin(x), x in radians"),
            Unary::Cosine => ("cos", "cos(x), x in radians"),
            Unary::Floor => ("floor", "floor(x)"),
        }
    }

    /// Its name in programs and model files.
    ///
    /// ```
    /// use glauber_program::Unary;
    /// assert_eq!(Unary::HyperbolicTangent.name(), "tanh");
    /// assert_eq!(Unary::named("tanh"), Some(Unary::HyperbolicTangent));
    /// ```
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// How it is written, for errors and the documentation.
    pub fn usage(self) -> &'static str {
        self.words().1
    }

    /// The function that is called so; a sign is not called.
    pub fn named(name: &str) -> Option<Unary> {
        Unary::ALL.into_iter().find(|f| f.name() == name && *f != Unary::Negate)
    }

    /// Hands the function to whoever uses it.
    #[inline(always)]
    pub fn choose<F: Real, U: UseOfUnary<F>>(self, to: U) -> U::Out {
        match self {
            Unary::Negate => to.with(|x| -x),
            Unary::Absolute => to.with(|x: F| x.abs()),
            Unary::Sign => to.with(|x| {
                let up = if x > F::ZERO { F::ONE } else { F::ZERO };
                let down = if x < F::ZERO { F::ONE } else { F::ZERO };
                up - down
            }),
            Unary::SquareRoot => to.with(|x: F| x.sqrt()),
            Unary::Exponential => to.with(elementary::exp),
            Unary::ExponentialMinusOne => to.with(elementary::exp_m1),
            Unary::Logarithm => to.with(elementary::ln),
            Unary::LogarithmOnePlus => to.with(elementary::ln_1p),
            Unary::Sigmoid => to.with(elementary::sigmoid),
            Unary::HyperbolicTangent => to.with(elementary::tanh),
            Unary::HyperbolicCosine => to.with(elementary::cosh),
            Unary::Sine => to.with(elementary::sin),
            Unary::Cosine => to.with(elementary::cos),
            Unary::Floor => to.with(|x: F| x.floor()),
        }
    }

    /// Its value at a number.
    ///
    /// ```
    /// use glauber_program::Unary;
    /// assert_eq!(Unary::SquareRoot.value(9.0), 3.0);
    /// ```
    pub fn value<F: Real>(self, x: F) -> F {
        struct At<F>(F);
        impl<F> UseOfUnary<F> for At<F> {
            type Out = F;
            #[inline(always)]
            fn with(self, function: impl Fn(F) -> F) -> F {
                function(self.0)
            }
        }
        self.choose(At(x))
    }

    /// What a derivative `bar` by y = f(x) is by x; none where f is flat.
    pub(crate) fn pull_back<C: Chain>(
        self,
        g: &mut C,
        x: C::Value,
        y: C::Value,
        bar: C::Value,
    ) -> Option<C::Value> {
        Some(match self {
            Unary::Negate => g.negate(bar),
            Unary::Absolute => {
                let sign = g.unary(Unary::Sign, x);
                g.multiply(bar, sign)
            }
            Unary::SquareRoot => {
                let two = g.constant(2.0);
                let twice = g.multiply(two, y);
                g.divide(bar, twice)
            }
            Unary::Exponential => g.multiply(bar, y),
            // Not y + 1, of which nothing is left where eˣ is small.
            Unary::ExponentialMinusOne => {
                let slope = g.unary(Unary::Exponential, x);
                g.multiply(bar, slope)
            }
            Unary::Logarithm => g.divide(bar, x),
            Unary::LogarithmOnePlus => {
                let one = g.constant(1.0);
                let shifted = g.add(x, one);
                g.divide(bar, shifted)
            }
            Unary::Sigmoid => {
                let one = g.constant(1.0);
                let rest = g.subtract(one, y);
                let slope = g.multiply(y, rest);
                g.multiply(bar, slope)
            }
            Unary::HyperbolicTangent => {
                let (one, square) = (g.constant(1.0), g.multiply(y, y));
                let slope = g.subtract(one, square);
                g.multiply(bar, slope)
            }
            // sinh x = ½ (expm1 x − expm1 −x), exact near 0.
            Unary::HyperbolicCosine => {
                let minus = g.negate(x);
                let (up, down) =
                    (g.unary(Unary::ExponentialMinusOne, x), g.unary(Unary::ExponentialMinusOne, minus));
                let (half, twice) = (g.constant(0.5), g.subtract(up, down));
                let slope = g.multiply(half, twice);
                g.multiply(bar, slope)
            }
            Unary::Sine => {
                let slope = g.unary(Unary::Cosine, x);
                g.multiply(bar, slope)
            }
            Unary::Cosine => {
                let sine = g.unary(Unary::Sine, x);
                let product = g.multiply(bar, sine);
                g.negate(product)
            }
            Unary::Sign | Unary::Floor => return None,
        })
    }

    /// Where its values lie for arguments in a domain.
    pub(crate) fn range(self, a: Domain) -> Domain {
        let Domain { lowest, highest, integer, nan } = a;
        match self {
            Unary::Negate => Domain { lowest: -highest, highest: -lowest, integer, nan },
            Unary::Absolute if lowest >= 0.0 => a,
            Unary::Absolute => Domain { lowest: 0.0, highest: highest.max(-lowest), integer, nan },
            Unary::Sign => Domain::integers(-1.0, 1.0),
            Unary::SquareRoot if lowest >= 0.0 => Domain::real(lowest.sqrt(), highest.sqrt()),
            Unary::Exponential => Domain::real(0.0, widen(highest.exp())),
            Unary::ExponentialMinusOne => Domain::real(-1.0, widen(highest.exp_m1())),
            Unary::LogarithmOnePlus if lowest >= -1.0 => {
                let least = lowest.ln_1p();
                Domain::real(least - least.abs() * 1e-6, widen(highest.ln_1p()))
            }
            Unary::Sigmoid => Domain::UNIT,
            Unary::HyperbolicTangent | Unary::Sine | Unary::Cosine => Domain::real(-1.0, 1.0),
            Unary::HyperbolicCosine => Domain::real(1.0, widen(highest.max(-lowest).cosh())),
            Unary::Floor => Domain::integers(lowest.floor(), highest.floor()),
            _ => Domain::ANY,
        }
    }

    /// Whether its value may be not-a-number for a number of a domain.
    pub(crate) fn may_be_nan(self, a: Domain) -> bool {
        // Beyond this, single precision cannot tell the angle.
        const CIRCLE_RANGE: f64 = 8192.0;
        match self {
            Unary::SquareRoot | Unary::Logarithm => a.lowest < 0.0,
            Unary::LogarithmOnePlus => a.lowest < -1.0,
            Unary::Sine | Unary::Cosine => !a.within(-CIRCLE_RANGE, CIRCLE_RANGE),
            _ => false,
        }
    }
}

/// An upper bound that came through a rounded elementary function, moved up by more than its error in any precision.
fn widen(bound: f64) -> f64 {
    bound + bound.abs() * 1e-6
}

/// Formulas of numbers, for the tests of tables.
#[cfg(test)]
pub(crate) struct Numbers;

#[cfg(test)]
mod tests {
    use super::*;

    impl Chain for Numbers {
        type Value = f64;
        fn constant(&mut self, value: f64) -> f64 {
            value
        }
        fn unary(&mut self, function: Unary, x: f64) -> f64 {
            function.value(x)
        }
        fn add(&mut self, a: f64, b: f64) -> f64 {
            a + b
        }
        fn subtract(&mut self, a: f64, b: f64) -> f64 {
            a - b
        }
        fn multiply(&mut self, a: f64, b: f64) -> f64 {
            a * b
        }
        fn divide(&mut self, a: f64, b: f64) -> f64 {
            a / b
        }
        fn negate(&mut self, a: f64) -> f64 {
            -a
        }
        fn less(&mut self, a: f64, b: f64) -> f64 {
            f64::from(u8::from(a < b))
        }
        fn select(&mut self, condition: f64, yes: f64, no: f64) -> f64 {
            if condition != 0.0 { yes } else { no }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_values() {
        const STEP: f64 = 1e-5;
        let mut sloped = 0;
        for function in Unary::ALL {
            for x in [-2.7, -0.4, 0.3, 0.8, 1.9, 3.6] {
                let [low, at, high] = [x - STEP, x, x + STEP].map(|x| function.value(x));
                if at.is_nan() {
                    assert!(function.may_be_nan(Domain::point(x)), "{function:?}({x})");
                    continue;
                }
                let slope = function.pull_back(&mut Numbers, x, at, 1.0).unwrap_or(0.0);
                // Central differences are off by h²/6 of the third derivative, and by rounding over h.
                let difference = (high - low) / (2.0 * STEP);
                let rounding = 4.0 * f64::EPSILON * (1.0 + at.abs()) / STEP;
                let bent = STEP * STEP * 100.0 * (1.0 + at.abs());
                assert!((slope - difference).abs() <= rounding + bent, "{function:?}: {slope} {difference}");
                sloped += usize::from(slope.abs() > 0.0);
            }
        }
        assert!(sloped > 50, "{sloped}");
    }

    #[test]
    fn values_lie_in_the_range_of_their_domain() {
        for function in Unary::ALL {
            for (lowest, highest) in [(-3.0, 2.0), (0.0, 0.5), (0.25, 7.5), (-0.75, -0.25), (-1e4, 1e4)] {
                let domain = Domain::real(lowest, highest);
                let range = function.range(domain);
                for k in 0..=20 {
                    let value = function.value(lowest + (highest - lowest) * f64::from(k) / 20.0);
                    if value.is_nan() {
                        assert!(function.may_be_nan(domain), "{function:?} of [{lowest}, {highest}]");
                    } else {
                        assert!(value >= range.lowest && value <= range.highest, "{function:?}: {value}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_name_is_its_own() {
        for function in Unary::ALL {
            let named = Unary::named(function.name());
            assert_eq!(named, Some(function).filter(|f| *f != Unary::Negate));
        }
    }
}
