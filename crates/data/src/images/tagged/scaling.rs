//! Reads what the numbers of a TIFF file are to be multiplied by and what is to be added then, as GDAL and ImageJ say it.
//!
//! | text | scale, offset |
//! |---|---|
//! | `<GDALMetadata>` with `<Item name="SCALE" sample="0" role="scale">` and `role="offset"` | of the sample |
//! | `ImageJ=…` with `cf=0`, a straight line | `c1`, `c0` |

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// The scale and offset of a sample, not a number where they cannot be understood or are another curve than a straight
/// line; none where nothing is said, or that nothing changes.
pub(super) fn scaling_of(gdal: &str, description: &str, sample: usize) -> Option<[f64; 2]> {
    let found = if gdal.trim().is_empty() { of_imagej(description)? } else { of_gdal(gdal, sample)? };
    (found.map(f64::to_bits) != [1.0, 0.0].map(f64::to_bits)).then_some(found)
}

fn of_gdal(text: &str, sample: usize) -> Option<[f64; 2]> {
    let mut reader = Reader::from_str(text.trim());
    let (mut found, mut said, mut role) = ([1.0, 0.0], false, None);
    loop {
        match reader.read_event() {
            Ok(Event::Start(item)) if item.name().as_ref() == "Item" => role = role_of(&item, sample),
            Ok(Event::End(_)) => role = None,
            Ok(Event::Text(written)) => {
                if let Some(role) = role {
                    let written: &str = written.as_ref();
                    found[role] = written.trim().parse().unwrap_or(f64::NAN);
                    said = true;
                }
            }
            Ok(Event::Eof) => return said.then_some(found),
            Ok(_) => {}
            Err(_) => return Some([f64::NAN; 2]),
        }
    }
}

/// 0 for the scale of a sample, 1 for its offset; none for what is neither, or another sample's.
fn role_of(item: &BytesStart<'_>, sample: usize) -> Option<usize> {
    let attribute = |name: &str| {
        let found = item.attributes().flatten().find(|a| a.key.as_ref() == name)?;
        found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
    };
    let role = attribute("role").or_else(|| attribute("name"))?.to_lowercase();
    let own = attribute("sample").is_none_or(|written| written.trim().parse() == Ok(sample));
    ["scale", "offset"].iter().position(|known| *known == role).filter(|_| own)
}

fn of_imagej(description: &str) -> Option<[f64; 2]> {
    let text = description.strip_prefix("ImageJ=")?;
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let line = value("cf")?.trim() == "0";
    let number = |key: &str| value(key).filter(|_| line).and_then(|n| n.trim().parse().ok());
    Some(["c1", "c0"].map(|key| number(key).unwrap_or(f64::NAN)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn scale_and_offset_are_those_of_the_sample() {
        let gdal = |items: &str| format!("<GDALMetadata>\n  {items}\n</GDALMetadata>\n");
        let both = gdal(
            "<Item name=\"SCALE\" sample=\"0\" role=\"scale\">0.1</Item> <Item name=\"OFFSET\" sample=\"0\" \
             role=\"offset\">-5</Item> <Item name=\"SCALE\" sample=\"1\" role=\"scale\">7</Item>",
        );
        assert_eq!(scaling_of(&both, "", 0), Some([0.1, -5.0]));
        assert_eq!(scaling_of(&both, "", 1), Some([7.0, 0.0]));
        assert_eq!(scaling_of(&both, "", 2), None);
        let other = gdal("<Item name=\"AREA_OR_POINT\">Area</Item>");
        assert_eq!(scaling_of(&other, "", 0), None);
        let nan = |found: Option<[f64; 2]>| found.unwrap()[0].is_nan();
        assert!(nan(scaling_of(&gdal("<Item name=\"SCALE\" role=\"scale\">x</Item>"), "", 0)));
        assert!(nan(scaling_of("<GDALMetadata><Item", "", 0)));
    }

    #[test]
    fn imagejs_straight_lines_are_read_and_its_curves_are_not() {
        let line = "ImageJ=1.53t\ncf=0\nc0=-32768.0\nc1=1.0\nvunit=gray value\n";
        assert_eq!(scaling_of("", line, 0), Some([1.0, -32768.0]));
        assert_eq!(scaling_of("", "ImageJ=1.53t\nimages=3\n", 0), None);
        assert!(scaling_of("", "ImageJ=1.53t\ncf=3\nc0=1\nc1=2\n", 0).unwrap()[0].is_nan());
    }
}
