//! Knows the numbers that programs write where they know nothing, such as −9999, and says where data hold one.
//!
//! Some hardly ever are anything else. Others, such as −999 and 65535, are told only where they lie farther from all other
//! numbers than these do from one another.

use glauber_files::rounded;

/// GIS, and the filling values of NetCDF and CF.
const SURE: [f64; 9] = [
    -9999.0,
    -99999.0,
    // Well logs.
    -999.25,
    -32768.0,
    -3.402_823_466_385_288_6e38,
    3.402_823_466_385_288_6e38,
    -1.797_693_134_862_315_7e308,
    9.969_209_968_386_869e36,
    1e20,
];

/// What is a number unless it comes again.
const FEW_DIGITS: f64 = -99.0;

/// What may be a number too.
const APART: [f64; 14] = [
    FEW_DIGITS,
    -999.0,
    999.0,
    9999.0,
    99999.0,
    -32767.0,
    32767.0,
    65535.0,
    -2_147_483_648.0,
    -2_147_483_647.0,
    2_147_483_647.0,
    4_294_967_295.0,
    -1e30,
    1e30,
];

/// A number that often stands for no data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoDataSign {
    /// The number.
    pub value: f64,
    /// How often it occurs.
    pub count: usize,
    /// Where it occurs first, counted from 0.
    pub first: usize,
    /// Whether it hardly ever is anything else.
    pub sure: bool,
    /// Whether it lies farther from all others than these do from one another.
    pub apart: bool,
}

impl NoDataSign {
    /// `-9999 at 3 places, which often stands for no data`; the word for a place is given, in the plural.
    pub fn in_words(&self, places: &str) -> String {
        let at = if self.count == 1 { String::new() } else { format!(" at {} {places}", self.count) };
        format!("{}{at}, which often stands for no data", rounded(self.value))
    }
}

/// The first sign of no data among numbers.
///
/// ```
/// use glauber_data::no_data_sign;
/// let sign = no_data_sign(&[1.0, -9999.0, 2.0]).unwrap();
/// assert!(sign.value == -9999.0 && sign.first == 1 && sign.apart);
/// // 999 among thousands is a number.
/// assert_eq!(no_data_sign(&[10.0, 999.0, 5000.0]), None);
/// assert!(no_data_sign(&[10.0, 999.0, 20.0]).is_some());
/// ```
pub fn no_data_sign(values: &[f64]) -> Option<NoDataSign> {
    let known = |list: &[f64], value: f64| list.iter().any(|none| is_no_data(value, *none));
    // No sign is smaller.
    let sign = |value: f64| value.abs() >= 99.0 && (known(&SURE, value) || known(&APART, value));
    // Most data hold none.
    let (mut lowest, mut highest, mut signs) =
        (f64::INFINITY, f64::NEG_INFINITY, Vec::<(f64, usize, usize)>::new());
    for (at, value) in values.iter().copied().enumerate().filter(|(_, value)| value.is_finite()) {
        match signs.iter_mut().find(|(own, _, _)| own.to_bits() == value.to_bits()) {
            Some((_, count, _)) => *count += 1,
            None if sign(value) => signs.push((value, 1, at)),
            None => (lowest, highest) = (lowest.min(value), highest.max(value)),
        }
    }
    let range = highest - lowest;
    let apart = |value: f64| range > 0.0 && (value - highest).max(lowest - value) > range;
    let all = signs.into_iter().map(|(value, count, first)| {
        let (sure, apart) = (known(&SURE, value), apart(value));
        NoDataSign { value, count, first, sure, apart }
    });
    let once = |sign: &NoDataSign| sign.count == 1 && sign.value.to_bits() == FEW_DIGITS.to_bits();
    all.filter(|sign| sign.sure || (sign.apart && !once(sign))).max_by_key(|sign| (sign.sure, sign.count))
}

/// Whether a value is the one that says "nothing known here": as written, rounded to single precision, or, for the huge
/// numbers that programs write with few digits, to three.
pub(crate) fn is_no_data(value: f64, none: f64) -> bool {
    const HUGE: f64 = 1e30;
    let close = |a: f64, b: f64| (a - b).abs() < f64::MIN_POSITIVE;
    (none.is_nan() && value.is_nan())
        || value.to_bits() == none.to_bits()
        || close(value, none)
        || close(value, f64::from(none as f32))
        || (value.abs() > HUGE && none.abs() > HUGE && (value / none - 1.0).abs() < 1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_known_as_programs_write_them() {
        for value in [
            -9999.0,
            -999.25,
            -3.4e38,
            -3.40282e38,
            -3.4028235e38,
            f64::from(1e20_f32),
            1e20,
            f64::from(9.96921e36_f32),
        ] {
            let sign = no_data_sign(&[0.5, value, 0.1, value]);
            assert_eq!(sign.map(|sign| (sign.first, sign.count, sign.sure)), Some((1, 2, true)), "{value}");
        }
        // Those of masks are no signs, whatever they are.
        for values in [&[0.0, 65535.0][..], &[0.0, 40_000.0, 65_535.0], &[1.0, 2.0, -999.5], &[]] {
            assert_eq!(no_data_sign(values), None, "{values:?}");
        }
        // -99 alone may be a number.
        assert_eq!(no_data_sign(&[1.0, 20.0, -99.0]), None);
        assert!(no_data_sign(&[1.0, 20.0, -99.0, -99.0]).is_some_and(|sign| sign.apart && sign.count == 2));
        assert_eq!(no_data_sign(&[1.0, 500.0, -99.0, -99.0]), None);
        let sign = no_data_sign(&[0.0, 900.0, 65_535.0]);
        assert!(
            sign.is_some_and(|sign| sign.apart
                && !sign.sure
                && sign.in_words("sites").starts_with("65535, "))
        );
    }
}
