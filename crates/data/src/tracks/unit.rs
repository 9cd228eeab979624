//! Compares units of a file with those that a person names, so that none is silently relabelled.

use super::face::Face;

/// Spellings of one unit, in lower case with `u` for `µ`.
const SPELLINGS: &[&[&str]] = &[
    &["um", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres"],
    &["nm", "nanometer", "nanometers", "nanometre", "nanometres"],
    &["mm", "millimeter", "millimeters", "millimetre", "millimetres"],
    &["cm", "centimeter", "centimeters", "centimetre", "centimetres"],
    &["m", "meter", "meters", "metre", "metres"],
    &["px", "pix", "pixel", "pixels"],
    &["s", "sec", "secs", "second", "seconds"],
    &["ms", "msec", "millisecond", "milliseconds"],
    &["min", "mins", "minute", "minutes"],
    &["h", "hr", "hrs", "hour", "hours"],
    &["d", "day", "days"],
    &["frame", "frames"],
];

/// Whether two texts name one unit.
pub(super) fn is_same(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.trim().replace(['µ', 'μ'], "u").to_lowercase();
    let (a, b) = (plain(a), plain(b));
    a == b || SPELLINGS.iter().any(|one| one.contains(&a.as_str()) && one.contains(&b.as_str()))
}

/// Whether a text is the unit of times that count frames.
pub(super) fn is_frame(unit: &str) -> bool {
    is_same(unit, "frame")
}

/// What is found and what to do where a person names another unit (`key` is `length-unit` or `time-unit`) than the file.
pub(super) fn contradiction(
    own: Option<&str>,
    given: Option<&str>,
    key: &str,
    face: Face,
) -> Option<(String, String)> {
    let (own, given) = (own?.trim(), given?.trim());
    if own.is_empty() || is_same(own, given) {
        return None;
    }
    let what = if key == "length-unit" { "lengths" } else { "times" };
    let option = face.option(key);
    let found = format!("gives {what} in `{own}`, but {option} is `{given}`, and nothing would be converted");
    Some((found, format!("leave {option} out, or convert the numbers and correct the unit in the file")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_unit_are_one_unit() {
        for (a, b) in [("µm", "um"), ("micron", "μm"), ("Sec", "s"), ("min", "minutes"), ("inch", "Inch")] {
            assert!(is_same(a, b), "{a} {b}");
        }
        for (a, b) in [("ms", "s"), ("nm", "um"), ("m", "min"), ("mm", "m"), ("px", "um")] {
            assert!(!is_same(a, b), "{a} {b}");
        }
    }
}
