//! Says which colour a lattice's numbers have.

use glauber_lattice::Values;
use glauber_program::{Colour, Layer};

use crate::colour::{Rgb, category_colour, cool_warm, viridis};
use crate::frames::FrameError;

/// 0 and 1, and what is neither.
const BINARY: [Rgb; 2] = [Rgb::hex(0xf6f4ee), Rgb::hex(0x20242a)];
const MISSING: Rgb = Rgb::hex(0xd55e00);

/// Colours along a range: the last numbers of the palette are kept for what is missing and for outlines.
const LEVELS: usize = 250;
/// Where an outline's colours begin in every palette.
pub(crate) const FIRST_OUTLINE: usize = 251;
/// How many outlines a picture can have.
pub(crate) const OUTLINES: usize = 4;
/// The number that means "as in the frame before" in a film.
pub(crate) const UNCHANGED: u8 = 255;

/// What a number looks like: a table of at most 256 colours and the rule that finds a number's place in it.
///
/// A number outside the range takes the colour of the nearer end; one that is not a number, or no known category,
/// takes a colour of its own, which no value has.
#[derive(Debug, Clone, PartialEq)]
pub struct Colouring {
    rule: Rule,
    palette: Vec<Rgb>,
    /// What the numbers are, for a key.
    title: String,
    /// Names of the states, for a key.
    names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    /// 0 or not: below a half, or from a half on.
    Binary,
    /// The whole number nearest, if it is below the count.
    Categories(usize),
    /// Evenly along the range.
    Range { lo: f64, hi: f64 },
}

impl Colouring {
    /// The colours of a layer's numbers, with its name for a key: its states as the model declares them, else as
    /// [`Colouring::binary`] and [`Colouring::categories`]; other numbers along [`Colouring::sequential`] from `lo` to `hi`.
    ///
    /// # Errors
    /// [`FrameError::Categories`] for more than 200 states; [`FrameError::Range`] for numbers unless `lo < hi`.
    pub fn of_layer(layer: &Layer, lo: f64, hi: f64) -> Result<Self, FrameError> {
        let own =
            |state: usize, usual: Rgb| layer.colour(state).map_or(usual, |Colour(r, g, b)| Rgb(r, g, b));
        let drawn = match &layer.values {
            Values::Binary => {
                let states = BINARY.iter().enumerate().map(|(k, usual)| own(k, *usual)).collect();
                Self::new(Rule::Binary, states, MISSING)
            }
            Values::Categories(names) => {
                let states: Vec<Rgb> = (0..names.len()).map(|k| own(k, category_colour(k))).collect();
                Self::categories_in(&states)?.named(names)
            }
            Values::Integers { .. } | Values::Real | Values::Labels { .. } => Self::sequential(lo, hi)?,
        };
        Ok(drawn.titled(&layer.name))
    }

    /// What the numbers are, for a key.
    pub fn titled(self, title: &str) -> Self {
        Self { title: title.to_string(), ..self }
    }

    /// The states' names, for a key, the first for 0.
    pub fn named(self, names: &[String]) -> Self {
        Self { names: names.to_vec(), ..self }
    }

    /// What the numbers are; nothing where nobody said.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What a key calls the states: their names, of the first where there are fewer names than states; else their numbers.
    /// Nothing where there is a range.
    pub fn labels(&self) -> Vec<String> {
        let count = self.count().unwrap_or(0);
        if self.names.is_empty() {
            (0..count).map(|state| state.to_string()).collect()
        } else {
            self.names.iter().take(count).cloned().collect()
        }
    }

    /// Two states: 0 nearly white, 1 nearly black.
    pub fn binary() -> Self {
        Self::new(Rule::Binary, BINARY.to_vec(), MISSING)
    }

    /// Categories 0..count, each a colour unlike the others; 0 is pale, for the empty or resting state.
    ///
    /// # Errors
    /// [`FrameError::Categories`] unless `count` is 1..=200.
    pub fn categories(count: usize) -> Result<Self, FrameError> {
        Self::categories_in(&(0..count).map(category_colour).collect::<Vec<_>>())
    }

    /// Categories in colours of your own, the first for 0.
    ///
    /// # Errors
    /// [`FrameError::Categories`] unless there are 1..=200 colours.
    pub fn categories_in(colours: &[Rgb]) -> Result<Self, FrameError> {
        if !(1..=200).contains(&colours.len()) {
            return Err(FrameError::Categories { found: colours.len() });
        }
        Ok(Self::new(Rule::Categories(colours.len()), colours.to_vec(), Rgb::hex(0xff00ff)))
    }

    /// Numbers along a range without a middle (counts, densities): viridis, `lo` dark purple, `hi` yellow.
    ///
    /// # Errors
    /// [`FrameError::Range`] unless `lo < hi` and both are finite.
    pub fn sequential(lo: f64, hi: f64) -> Result<Self, FrameError> {
        Self::along(lo, hi, viridis, Rgb::hex(0x909090))
    }

    /// Numbers on either side of a middle (magnetisation, differences): blue over grey to red, the middle of the
    /// range grey.
    ///
    /// # Errors
    /// [`FrameError::Range`] unless `lo < hi` and both are finite.
    pub fn diverging(lo: f64, hi: f64) -> Result<Self, FrameError> {
        Self::along(lo, hi, cool_warm, Rgb::hex(0x505050))
    }

    /// Grey values of an image: `lo` black, `hi` white.
    ///
    /// # Errors
    /// [`FrameError::Range`] unless `lo < hi` and both are finite.
    pub fn grey(lo: f64, hi: f64) -> Result<Self, FrameError> {
        Self::along(lo, hi, |share| Rgb::hex(0).mix(Rgb::hex(0xffffff), share), Rgb::hex(0xb31580))
    }

    fn along(lo: f64, hi: f64, colour: impl Fn(f64) -> Rgb, missing: Rgb) -> Result<Self, FrameError> {
        if !((hi - lo).is_finite() && lo < hi) {
            return Err(FrameError::Range { lo, hi });
        }
        let colours = (0..LEVELS).map(|level| colour(level as f64 / (LEVELS - 1) as f64)).collect();
        Ok(Self::new(Rule::Range { lo, hi }, colours, missing))
    }

    fn new(rule: Rule, mut palette: Vec<Rgb>, missing: Rgb) -> Self {
        palette.push(missing);
        Self { rule, palette, title: String::new(), names: Vec::new() }
    }

    /// The place of `value` in the palette.
    pub(crate) fn place(&self, value: f64) -> u8 {
        let missing = (self.palette.len() - 1) as u8;
        match self.rule {
            _ if value.is_nan() => missing,
            Rule::Binary => u8::from(value >= 0.5),
            Rule::Categories(count) => {
                let nearest = value.round();
                if nearest >= 0.0 && nearest < count as f64 { nearest as u8 } else { missing }
            }
            Rule::Range { lo, hi } => {
                let share = ((value - lo) / (hi - lo)).clamp(0.0, 1.0);
                (share * (LEVELS - 1) as f64).round() as u8
            }
        }
    }

    /// The colours in the order of [`Colouring::place`]; the last is that of what is missing.
    pub(crate) fn palette(&self) -> &[Rgb] {
        &self.palette
    }

    /// The colour of `value`.
    pub fn colour(&self, value: f64) -> Rgb {
        self.palette[usize::from(self.place(value))]
    }

    /// The ends of the range, if it has one.
    pub fn range(&self) -> Option<(f64, f64)> {
        match self.rule {
            Rule::Range { lo, hi } => Some((lo, hi)),
            _ => None,
        }
    }

    /// How many states or categories it has, if it has no range.
    pub fn count(&self) -> Option<usize> {
        match self.rule {
            Rule::Binary => Some(2),
            Rule::Categories(count) => Some(count),
            Rule::Range { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_number_has_a_colour_of_the_palette() {
        let colourings = [
            Colouring::binary(),
            Colouring::categories(3).unwrap(),
            Colouring::categories(200).unwrap(),
            Colouring::sequential(0.0, 50.0).unwrap(),
            Colouring::diverging(-1.0, 1.0).unwrap(),
            Colouring::grey(0.0, 1.0).unwrap(),
        ];
        for colouring in colourings {
            assert!(colouring.palette().len() <= FIRST_OUTLINE);
            for value in [0.0, 1.0, -1.0, 1e300, f64::NEG_INFINITY, f64::INFINITY, f64::NAN, 0.49, 2.6] {
                assert!(usize::from(colouring.place(value)) < colouring.palette().len(), "{value}");
            }
            let missing = colouring.colour(f64::NAN);
            let others = &colouring.palette()[..colouring.palette().len() - 1];
            assert!(!others.contains(&missing), "the colour of what is missing is also that of a value");
        }
    }

    #[test]
    fn ends_and_middle_are_where_they_should_be() {
        let counts = Colouring::sequential(0.0, 50.0).unwrap();
        assert_eq!((counts.place(0.0), counts.place(50.0), counts.place(70.0)), (0, 249, 249));
        let spins = Colouring::diverging(-1.0, 1.0).unwrap();
        let middle = spins.colour(0.0);
        assert!(middle.0.abs_diff(middle.2) < 6, "{middle} is not grey");
        let states = Colouring::categories(3).unwrap();
        assert_eq!((states.place(2.2), states.place(3.0), states.place(-1.0)), (2, 3, 3));
    }

    #[test]
    fn impossible_ranges_are_refused() {
        for (lo, hi) in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (-1.7e308, 1.7e308)] {
            assert!(matches!(Colouring::sequential(lo, hi), Err(FrameError::Range { .. })), "{lo}..{hi}");
        }
        assert!(matches!(Colouring::categories(0), Err(FrameError::Categories { found: 0 })));
        assert!(Colouring::categories(201).is_err());
    }
}
