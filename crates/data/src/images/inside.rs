//! Decides which grey values of masks, labels and pictures count as inside, and says how.
//!
//! | what the picture holds | inside is |
//! |---|---|
//! | two values | the larger |
//! | values close to black and to white only | above half of full scale |
//! | labels: whole numbers with 0 between them, alike over areas; numbers of colours | above 0 |
//! | real numbers from 0 to 1 | above 0.5 |
//! | grey values | above half of full scale |
//! | anything else | asked for |
//!
//! Numbers of objects beside a full scale that may mark what nobody knows (255 in Pascal VOC's masks) are asked about.
//!
//! A threshold that is given is used as it is. Whatever was not the only possible reading is said in a note, and a
//! picture that comes out all inside or all outside is an error: nothing could be learnt from it.

use super::luma::luma;
use super::stack::ImageStack;
use crate::no_data::{is_no_data, no_data_sign};
use crate::{DataError, DataErrorKind};
use std::path::Path;

/// Which pixels of a picture are inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Inside {
    /// For each pixel, `[planes, height, width]` in C order.
    pub inside: Vec<bool>,
    /// Inside is above it.
    pub threshold: f64,
    /// How it was read, where that was not the only way, in sentences.
    pub notes: Vec<String>,
}

/// How two classes are told apart.
#[derive(Clone, Copy, Debug)]
pub struct Threshold<'a> {
    /// Inside is above it; none where it is to be found.
    pub given: Option<f64>,
    /// What the user calls it, to be named in errors: `data.threshold`.
    pub key: &'a str,
}

/// What the values of a picture are like.
struct Look {
    lowest: f64,
    highest: f64,
    /// Exactly two different values.
    two: bool,
    /// At most an eighth of full scale, or at least seven eighths.
    near_ends: bool,
    whole: bool,
    /// Values above 0, full scale left out, have neighbours of the same value more often than not.
    areas: bool,
    /// The largest value below full scale, where small numbers in areas stand beside full scale.
    beside_full: Option<f64>,
}

impl ImageStack {
    /// Which pixels are inside; `path` names the picture in errors.
    ///
    /// # Errors
    /// If a value is not a number or no data, there is no telling how the values are meant, or all pixels come out
    /// alike.
    ///
    /// ```
    /// use glauber_data::Overwrite;
    /// use glauber_data::images::{ImageLimits, Threshold, read_image, write_grey_png};
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("mask.png");
    /// write_grey_png(&path, 1, 4, &[0, 1, 1, 0], Overwrite::Refuse)?;
    /// let mask = read_image(&path, ImageLimits::default())?;
    /// let found = mask.inside(Threshold { given: None, key: "--threshold" }, &path)?;
    /// assert_eq!(found.inside, [false, true, true, false]);
    /// let error = mask.inside(Threshold { given: Some(127.5), key: "--threshold" }, &path).unwrap_err();
    /// assert!(error.to_string().contains("127.5"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn inside(&self, threshold: Threshold<'_>, path: impl AsRef<Path>) -> Result<Inside, DataError> {
        let path = path.as_ref();
        let values = self.to_f64();
        if let Some(place) = values.iter().position(|value| value.is_nan()) {
            let remedy = "give every pixel a value";
            let error =
                DataError::new(DataErrorKind::Value, path, "holds a value that is not a number", remedy);
            return Err(error.at(self.place(place)));
        }
        let look = self.look(&values);
        let (level, mut notes) = match threshold.given {
            Some(level) => (level, Vec::new()),
            None => self.level(&look, path, threshold.key)?,
        };
        let inside: Vec<bool> = values.iter().map(|value| *value > level).collect();
        notes.extend(self.check_no_data(&values, &inside, path)?);
        if let Some(sign) = threshold.given.and_then(|_| no_data_sign(&values)) {
            let state = if sign.value > level { "1" } else { "0" };
            let words = sign.in_words("pixels");
            notes.insert(
                0,
                format!("it holds {words}: it counts as {state}, as any other value does by the threshold"),
            );
        }
        if threshold.given.is_some()
            && let Some(second) = look.beside_full
        {
            let highest = look.highest;
            let state = if highest > level { "1" } else { "0" };
            notes.insert(
                0,
                format!(
                    "it holds the numbers {} to {second} in areas, and {highest}, which may stand for what nobody knows: it counts \
                     as {state}, as any other value does by the threshold",
                    look.lowest
                ),
            );
        }
        let share = inside.iter().filter(|inside| **inside).count();
        if share == 0 || share == inside.len() {
            let found = match share {
                0 => format!("no grey value is above the threshold {level}: the largest is {}", look.highest),
                _ => format!(
                    "every grey value is above the threshold {level}: they are {} to {}",
                    look.lowest, look.highest
                ),
            };
            let alpha = match self.notes.iter().any(|note| note.contains("transparency")) {
                true => {
                    "; its transparency was not read: if that is the mask, save it as a grey picture of its own"
                }
                false => "",
            };
            let remedy = format!(
                "give `{}`, below the values that count as 1 and not below the others{alpha}",
                threshold.key
            );
            return Err(DataError::new(DataErrorKind::Value, path, found, remedy));
        }
        notes.extend(self.lost_planes(&values, &inside, level));
        Ok(Inside { inside, threshold: level, notes })
    }

    fn look(&self, values: &[f64]) -> Look {
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let is = |value: f64, other: f64| {
            value.to_bits() == other.to_bits() || (value - other).abs() < f64::MIN_POSITIVE
        };
        let two = lowest < highest && values.iter().all(|v| is(*v, lowest) || is(*v, highest));
        let near_ends = self.full_scale().is_some_and(|full| {
            values.iter().all(|v| *v <= full / 8.0 || *v >= full * 7.0 / 8.0) && highest >= full * 7.0 / 8.0
        });
        let areas = |from: f64, below: f64| {
            let (mut pairs, mut alike) = (0usize, 0usize);
            let within = |value: f64| value > from && value < below;
            for row in values.chunks_exact(self.width()) {
                for pair in row.windows(2).filter(|pair| within(pair[0]) && within(pair[1])) {
                    pairs += 1;
                    alike += usize::from(is(pair[0], pair[1]));
                }
            }
            (alike * 2 > pairs, pairs)
        };
        let whole = values.iter().all(|v| v.is_finite() && v.fract().abs() < f64::MIN_POSITIVE);
        let second = values.iter().copied().filter(|v| *v < highest).fold(0.0, f64::max);
        let full = self.full_scale().filter(|full| *full > 1.0 && is(highest, *full));
        // Noise, and the grey rims of a mask, are not alike over areas.
        let inner = areas(0.0, full.unwrap_or(f64::INFINITY));
        let beside_full = full.filter(|full| whole && lowest < 1.0 && second > 0.0 && second < full / 2.0);
        let beside_full = beside_full.filter(|_| inner.0 && inner.1 > 0).map(|_| second);
        Look { lowest, highest, two, near_ends, whole, areas: inner.0, beside_full }
    }

    /// The threshold that the values suggest, and what to say about it.
    fn level(&self, look: &Look, path: &Path, key: &str) -> Result<(f64, Vec<String>), DataError> {
        let Look { lowest, highest, .. } = *look;
        let range = format!("{lowest} to {highest}");
        let labels = look.whole && look.areas && (0.0..1.0).contains(&lowest) && highest > 1.0;
        let full = self.full_scale();
        if look.two {
            self.check_colours(lowest, highest, path, key)?;
            let usual = lowest.abs() < f64::MIN_POSITIVE
                && ((highest - 1.0).abs() < f64::MIN_POSITIVE || full.is_some_and(|full| highest >= full));
            let note = match self.colours_in_words() {
                Some(colours) => Some(format!(
                    "its colours are numbers in a table ({colours}), of which the larger number counts as 1; `{key}` chooses \
                     otherwise"
                )),
                None => (!usual)
                    .then(|| format!("the grey values are {lowest} and {highest}: {highest} counts as 1")),
            };
            return Ok((0.5 * (lowest + highest), note.into_iter().collect()));
        }
        if let Some(second) = look.beside_full {
            let found = format!(
                "holds the numbers {lowest} to {second} in areas, and {highest}: those may be objects beside what nobody \
                 knows (void), or specks beside a mask"
            );
            let remedy = format!(
                "set what is void to 0 or to an object's number, or give `{key}`: above 0 all count as 1, above {second} \
                 only {highest}"
            );
            return Err(DataError::new(DataErrorKind::Value, path, found, remedy));
        }
        if look.near_ends && self.colour_table.is_none() {
            let half = 0.5 * full.unwrap_or(highest);
            return Ok((
                half,
                vec![format!(
                    "the grey values are close to {lowest} and {highest}: above {half} counts as 1"
                )],
            ));
        }
        if labels {
            let colours =
                self.colours_in_words().map_or(String::new(), |colours| format!(" (colours: {colours})"));
            let note = format!("the grey values {range} were taken for labels{colours}: above 0 counts as 1");
            return Ok((0.0, vec![note]));
        }
        let real = full.is_none() && !look.whole;
        if real && lowest >= 0.0 && highest <= 1.0 {
            return Ok((0.5, vec![format!("the values are {range}: above 0.5 counts as 1")]));
        }
        match full {
            Some(full)
                if lowest < highest
                    && self.colour_table.is_none()
                    && !(look.whole && look.areas && self.bit_depth > 8) =>
            {
                let half = 0.5 * full;
                Ok((half, vec![format!("the grey values are {range}: above {half} counts as 1")]))
            }
            _ if lowest >= highest => Ok((full.map_or(lowest, |full| 0.5 * full), Vec::new())),
            _ => {
                let sign = no_data_sign(&self.to_f64());
                let sign = sign.map_or(String::new(), |sign| format!(" ({})", sign.in_words("pixels")));
                let found = format!(
                    "holds values from {lowest} to {highest}{sign}, and nothing says which of them count as 1"
                );
                Err(DataError::new(
                    DataErrorKind::Value,
                    path,
                    found,
                    format!("give `{key}`: what is above it counts as 1"),
                ))
            }
        }
    }

    /// Two numbers of a table of colours must be as bright as they are large, else there is no telling what was meant: as a
    /// picture the brighter one counts as 1, as a mask the larger number.
    fn check_colours(&self, lower: f64, upper: f64, path: &Path, key: &str) -> Result<(), DataError> {
        let Some(table) = &self.colour_table else { return Ok(()) };
        let bright = |value: f64| {
            let [red, green, blue] = table.get(value as usize).copied().unwrap_or_default();
            luma(red, green, blue)
        };
        if bright(lower) <= bright(upper) {
            return Ok(());
        }
        let colours = self.colours_in_words().unwrap_or_else(|| format!("{lower}, {upper}"));
        let found = format!("shows its number {lower} brighter than its number {upper} ({colours})");
        let equals = if key.starts_with("--") { " " } else { " = " };
        let remedy = format!(
            "save it as grey without a colour table, or give `{key}{equals}{}`: number {upper} counts as 1",
            0.5 * (lower + upper)
        );
        Err(DataError::new(DataErrorKind::Value, path, found, remedy))
    }

    /// The colours of the numbers of a table, where they are not greys as bright as they are large.
    fn colours_in_words(&self) -> Option<String> {
        const SHOWN: usize = 4;
        let colours = self.table_colours()?;
        let grey = colours.iter().all(|(_, [red, green, blue])| red == green && green == blue);
        if grey && colours.windows(2).all(|pair| pair[0].1[0] <= pair[1].1[0]) {
            return None;
        }
        let one = |(number, [red, green, blue]): &(usize, [u8; 3])| {
            format!("{number} is #{red:02x}{green:02x}{blue:02x}")
        };
        let mut all: Vec<String> = colours.iter().take(SHOWN).map(one).collect();
        if colours.len() > SHOWN {
            all.push(format!("and {} more", colours.len() - SHOWN));
        }
        Some(all.join(", "))
    }

    /// No data may count as outside where that is what the value means, as in masks from maps; nowhere else.
    fn check_no_data(
        &self,
        values: &[f64],
        inside: &[bool],
        path: &Path,
    ) -> Result<Option<String>, DataError> {
        let Some(none) = self.no_data else { return Ok(None) };
        let is_none = |value: f64| is_no_data(value, none);
        let count = values.iter().filter(|value| is_none(**value)).count();
        let counted = values.iter().zip(inside).any(|(value, inside)| is_none(*value) && *inside);
        let plain_zero = none.abs() < f64::MIN_POSITIVE && !counted;
        if count == 0 {
            return Ok(None);
        }
        if plain_zero {
            return Ok(Some(format!(
                "the file says that 0 stands for no data: {count} such pixels count as 0"
            )));
        }
        Err(no_data_error(path, none, count))
    }

    /// A note on planes whose values differ though none of them, or all, count as 1.
    fn lost_planes(&self, values: &[f64], inside: &[bool], level: f64) -> Option<String> {
        let pixels = self.height() * self.width();
        let planes = values.chunks_exact(pixels).zip(inside.chunks_exact(pixels)).enumerate();
        let lost: Vec<(usize, f64)> = planes
            .filter(|(_, (values, inside))| {
                let differ = values.iter().any(|v| v.to_bits() != values[0].to_bits());
                differ && inside.iter().all(|i| *i == inside[0])
            })
            .map(|(plane, (values, _))| (plane, values.iter().copied().fold(f64::NEG_INFINITY, f64::max)))
            .collect();
        let (plane, highest) = lost.first()?;
        Some(format!(
            "in {} of {} planes the grey values differ, but none or all are above {level}: first in plane {plane}, whose largest is {highest}",
            lost.len(),
            self.planes()
        ))
    }
}

/// The error for sites without data.
pub(super) fn no_data_error(path: &Path, none: f64, count: usize) -> DataError {
    let found = format!("has no data ({none}) at {count} sites");
    DataError::new(DataErrorKind::Value, path, found, "fill them, or crop the file to where there are data")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::arrays::{Array, Values};

    const GIVEN: Threshold<'_> = Threshold { given: None, key: "data.threshold" };

    fn stack(values: Values, width: usize) -> ImageStack {
        let array = Array::new(vec![1, values.len() / width, width], values).unwrap();
        ImageStack::of_array(array, "a").unwrap()
    }

    #[test]
    fn tables_of_two_colours_are_said_or_refused() {
        let (black, white, red, dark) = ([0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 0, 128]);
        for (table, inside, noted) in [
            ([black, white], true, false),
            ([black, red], true, true),
            ([dark, red], true, true),
            ([red, white], true, true),
            // What is shown as bright is no ground.
            ([white, black], false, false),
            ([red, black], false, false),
            ([red, dark], false, false),
        ] {
            let mut picture = stack(Values::U8(vec![0, 1, 0, 0]), 2);
            picture.colour_table = Some(table.to_vec());
            match picture.inside(GIVEN, "a.png") {
                Ok(found) => {
                    assert!(inside, "{table:?}");
                    assert_eq!(found.inside, [false, true, false, false]);
                    assert_eq!(
                        found.notes.iter().any(|note| note.contains("numbers in a table")),
                        noted,
                        "{table:?}"
                    );
                }
                Err(error) => {
                    let error = error.to_string();
                    assert!(
                        !inside && error.contains("brighter") && error.contains("data.threshold = 0.5"),
                        "{error}"
                    );
                }
            }
            let given = picture.inside(Threshold { given: Some(0.5), ..GIVEN }, "a.png").unwrap();
            assert_eq!(given.inside, [false, true, false, false]);
        }
        let mut labels = stack(Values::U8(vec![0, 0, 1, 1, 2, 2]), 6);
        labels.colour_table = Some(vec![white, red, dark]);
        let notes = labels.inside(GIVEN, "a.png").unwrap().notes;
        assert!(notes[0].contains("0 is #ffffff, 1 is #ff0000"), "{notes:?}");
    }

    #[test]
    fn no_data_below_a_threshold_are_said() {
        let map = stack(Values::F32(vec![0.2, 0.7, -9999.0, 0.9]), 2);
        let error = map.inside(GIVEN, "a.tif").unwrap_err().to_string();
        assert!(error.contains("-9999, which often stands for no data"), "{error}");
        let notes = map.inside(Threshold { given: Some(0.5), ..GIVEN }, "a.tif").unwrap().notes;
        assert!(notes[0].contains("-9999") && notes[0].contains("counts as 0"), "{notes:?}");
        let mut mask = stack(Values::U8(vec![0, 1, 1, 0]), 2);
        mask.no_data = Some(0.0);
        let notes = mask.inside(GIVEN, "a.tif").unwrap().notes;
        assert!(notes[0].contains("2 such pixels count as 0"), "{notes:?}");
    }
}
