//! Checks what the values of an array are: finite, whole, within a range.

use super::array::Array;
use super::values::{Values, for_each_type};

/// A value that is not what it should be, and where in the array it is.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the value {value} at index {indices:?} is not {expected}")]
pub struct BadValue {
    /// One index an axis, counted from 0.
    pub indices: Vec<usize>,
    /// The value found.
    pub value: f64,
    /// What it should be, e.g. "a finite number".
    pub expected: String,
}

impl Array {
    /// Checks that no element is infinite or not a number.
    ///
    /// # Errors
    /// The first that is.
    pub fn check_finite(&self) -> Result<(), BadValue> {
        if self.element_type().is_integer() {
            return Ok(());
        }
        self.check_each(|v| v.is_finite(), "a finite number")
    }

    /// Checks that every element is a whole number.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check_whole(&self) -> Result<(), BadValue> {
        if self.element_type().is_integer() {
            return Ok(());
        }
        self.check_each(is_whole, "a whole number")
    }

    /// Checks that every element lies within `low..=high`.
    ///
    /// # Errors
    /// The first that does not; NaN lies in no range.
    pub fn check_range(&self, low: f64, high: f64) -> Result<(), BadValue> {
        self.check_each(|v| low <= v && v <= high, &format!("between {low} and {high}"))
    }

    /// The smallest and largest element; none if the array is empty or holds a NaN.
    pub fn range(&self) -> Option<(f64, f64)> {
        let mut range = (f64::INFINITY, f64::NEG_INFINITY);
        for value in (0..self.len()).filter_map(|i| self.values().get(i)) {
            if value.is_nan() {
                return None;
            }
            range = (range.0.min(value), range.1.max(value));
        }
        (!self.is_empty()).then_some(range)
    }

    /// The elements as 64-bit integers; none if one is not whole or too large for that.
    pub fn integers(&self) -> Option<Vec<i64>> {
        /// 2⁶³, the first number too large for a signed 64-bit integer.
        const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;
        match self.values() {
            Values::I64(v) => Some(v.clone()),
            Values::U64(v) => v.iter().map(|&x| i64::try_from(x).ok()).collect(),
            values => (0..values.len())
                .filter_map(|i| values.get(i))
                .map(|x| (is_whole(x) && (-TOO_LARGE..TOO_LARGE).contains(&x)).then_some(x as i64))
                .collect(),
        }
    }

    fn check_each(&self, good: impl Fn(f64) -> bool, expected: &str) -> Result<(), BadValue> {
        use super::values::Number;
        let first = for_each_type!(Values, self.values(), v => v.iter().position(|x| !good(x.real())));
        match first.and_then(|flat| Some((flat, self.values().get(flat)?))) {
            None => Ok(()),
            Some((flat, value)) => {
                Err(BadValue { indices: self.indices(flat), value, expected: expected.to_owned() })
            }
        }
    }
}

fn is_whole(value: f64) -> bool {
    value.is_finite() && value.fract().abs() < f64::MIN_POSITIVE
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn array(values: Vec<f64>) -> Array {
        Array::new(vec![values.len()], values).unwrap()
    }

    #[test]
    fn the_first_bad_value_is_named() {
        let grid = Array::new(vec![2, 2], vec![1.0, 2.0, f64::NAN, f64::INFINITY]).unwrap();
        assert_eq!(grid.check_finite().unwrap_err().indices, [1, 0]);
        assert_eq!(
            array(vec![0.0, 1.5]).check_whole().unwrap_err().to_string(),
            "the value 1.5 at index [1] is not a whole number"
        );
        assert_eq!(
            array(vec![0.0, 7.0]).check_range(0.0, 1.0).unwrap_err().to_string(),
            "the value 7 at index [1] is not between 0 and 1"
        );
        assert!(array(vec![f64::NAN]).check_range(f64::NEG_INFINITY, f64::INFINITY).is_err());
        assert!(array(vec![0.0, -1.0, 1.0]).check_whole().is_ok());
    }

    #[test]
    fn ranges_and_integers() {
        assert_eq!(array(vec![3.0, -1.0]).range(), Some((-1.0, 3.0)));
        assert_eq!(array(vec![3.0, f64::NAN]).range(), None);
        assert_eq!(array(vec![]).range(), None);
        assert_eq!(array(vec![3.0, -1.0]).integers(), Some(vec![3, -1]));
        assert_eq!(array(vec![9.3e18]).integers(), None);
        assert_eq!(Array::new(vec![1], vec![u64::MAX]).unwrap().integers(), None);
        assert_eq!(Array::new(vec![2], vec![true, false]).unwrap().integers(), Some(vec![1, 0]));
    }
}
