//! Reads numbers as people write them, alike on the command line, in files of settings and in tables, and writes
//! them so that small ones are seen.

/// The number that a text is: `12`, `-0.5`, `.3`, `3.`, `1e-4`, `1_000`, `0x1F`, `0o17`, `0b11`, `inf`, `nan`; nothing
/// for any other text. Spaces around it do not count; a true minus sign (−) is a minus.
///
/// ```
/// use glauber_files::number;
///
/// assert_eq!(number(".3"), Some(0.3));
/// assert_eq!(number("1_000"), Some(1000.0));
/// assert_eq!(number("0x10"), Some(16.0));
/// assert_eq!(number("1,5"), None);
/// ```
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let size = match with_radix(digits) {
        Some(whole) => whole? as f64,
        None if ["inf", "infinity", "nan"].iter().any(|word| digits.eq_ignore_ascii_case(word)) => {
            digits.parse().ok()?
        }
        None if is_decimal(digits) => without_underscores(digits)?.parse().ok()?,
        None => return None,
    };
    Some(if negative { -size } else { size })
}

/// The whole number from 0 to 2⁶⁴ − 1 that a text is, to the last digit; `1e4` is one too.
///
/// ```
/// use glauber_files::whole_number;
///
/// assert_eq!(whole_number("18446744073709551615"), Some(u64::MAX));
/// assert_eq!(whole_number("0x1"), Some(1));
/// assert_eq!(whole_number("1.5"), None);
/// ```
pub fn whole_number(text: &str) -> Option<u64> {
    const EXACT: f64 = (1u64 << 53) as f64;
    let digits = text.trim();
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    if let Some(whole) = with_radix(digits) {
        return whole;
    }
    if digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.contains(['.', 'e', 'E']) {
        return without_underscores(digits)?.parse().ok();
    }
    number(digits).filter(|x| x.fract().abs() <= 0.0 && (0.0..=EXACT).contains(x)).map(|x| x as u64)
}

/// A number that was computed, without the digits that are rounding's.
///
/// ```
/// use glauber_files::rounded;
///
/// assert_eq!(rounded(29.700000000000003), "29.7");
/// assert_eq!(rounded(0.1 + 0.2), "0.3");
/// assert_eq!(rounded(3.0), "3");
/// ```
pub fn rounded(value: f64) -> String {
    let digits: f64 = format!("{value:.12e}").parse().unwrap_or(value);
    if digits.abs() >= 1e16 || (digits.abs() < 1e-5 && digits != 0.0) {
        format!("{digits:e}")
    } else {
        digits.to_string()
    }
}

/// A number with so many significant digits, in powers of ten where it is very small or large.
///
/// ```
/// use glauber_files::significant;
///
/// assert_eq!(significant(1.5324e-12, 3), "1.53e-12");
/// assert_eq!(significant(0.001452, 3), "0.00145");
/// assert_eq!(significant(29.0696, 5), "29.070");
/// ```
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let last = digits.clamp(1, 17) - 1;
    let scientific = format!("{value:.last$e}");
    // Rounding may have moved the power of ten.
    let power: i32 = scientific.rsplit_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    if value.abs() <= 0.0 {
        return "0".to_owned();
    }
    if !(-4..8).contains(&power) {
        return scientific;
    }
    let decimals = usize::try_from(last as i32 - power).unwrap_or(0);
    format!("{value:.decimals$}")
}

/// A whole number in base 16, 8 or 2; nothing where the text does not begin like one, no number where it is too large
/// or goes on otherwise.
fn with_radix(digits: &str) -> Option<Option<u64>> {
    let (radix, rest) = [(16, "0x"), (8, "0o"), (2, "0b"), (16, "0X"), (8, "0O"), (2, "0B")]
        .into_iter()
        .find_map(|(radix, front)| digits.strip_prefix(front).map(|rest| (radix, rest)))?;
    if !rest.starts_with(|c: char| c.is_digit(radix)) || !rest.ends_with(|c: char| c.is_digit(radix)) {
        return Some(None);
    }
    Some(u64::from_str_radix(&rest.replace('_', ""), radix).ok())
}

/// Digits with at most one point and one exponent, underscores aside.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let whole = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.is_none_or(|e| {
        let digits = e.strip_prefix(['-', '+']).unwrap_or(e);
        !digits.is_empty() && whole(digits)
    });
    whole(before) && whole(after) && !(before.is_empty() && after.is_empty()) && exponent
}

/// The text without underscores; nothing where one does not stand between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let mut places = text.match_indices('_').map(|(at, _)| at);
    places.all(|at| digit(at.checked_sub(1)) && digit(Some(at + 1))).then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;

    #[test]
    fn numbers_are_read_in_every_spelling() {
        for (text, value) in [
            ("12", 12.0),
            (" -0.5 ", -0.5),
            ("+3.", 3.0),
            (".3", 0.3),
            ("-.5e-3", -0.5e-3),
            ("1E+4", 1e4),
            ("1_000.000_1", 1000.0001),
            ("0x1F", 31.0),
            ("-0b11", -3.0),
            ("0o17", 15.0),
            ("0xff_ff", 65535.0),
            ("\u{2212}2", -2.0),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        assert!(number("NaN").unwrap().is_nan());
        for text in [
            "", ".", "-", "e5", "1e", "1e+", "1,5", "1 000", "_1", "1_", "1__0", "1_.0", "0x", "0x_1", "0xg",
            "1.2.3", "12px", "--1", "+-1", "1e5.5", "0x1.8", "infinite", "nano", "٣",
        ] {
            assert_eq!(number(text), None, "{text}");
            assert_eq!(whole_number(text), None, "{text}");
        }
    }

    #[test]
    fn every_number_that_rust_writes_is_read_back() {
        let mut bits = 1u64;
        for _ in 0..10_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(bits);
            if !value.is_nan() {
                assert_eq!(number(&value.to_string()), Some(value));
                assert_eq!(number(&format!("{value:e}")), Some(value));
            }
            assert_eq!(whole_number(&bits.to_string()), Some(bits));
            assert_eq!(whole_number(&format!("{bits:#x}")), Some(bits));
        }
    }

    #[test]
    fn whole_numbers_go_to_their_last_digit() {
        assert_eq!(whole_number("18446744073709551615"), Some(u64::MAX));
        assert_eq!(whole_number("18446744073709551616"), None);
        assert_eq!(whole_number("0xFFFFFFFFFFFFFFFF"), Some(u64::MAX));
        assert_eq!(whole_number("1_0"), Some(10));
        assert_eq!(whole_number("1e4"), Some(10_000));
        assert_eq!(whole_number("3.0"), Some(3));
        for text in ["-1", "0.5", "1e30", "inf", "nan"] {
            assert_eq!(whole_number(text), None, "{text}");
        }
    }

    #[test]
    fn significant_digits_are_kept_at_every_size() {
        for (value, text) in [
            (0.0, "0"),
            (1.5324e-12, "1.532e-12"),
            (0.00145, "0.001450"),
            (9.99996e-5, "0.0001000"),
            (0.5, "0.5000"),
            (29.0696, "29.07"),
            (-999.96, "-1000"),
            (1234567.0, "1234567"),
            (1.5e9, "1.500e9"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(significant(value, 4), text);
        }
    }
}
