//! Takes the numbers of a picture or map as data per site, and says where they are grey values of a picture.
//!
//! A number of a file is that number, whatever its depth. Only pictures in the ordinary sense, PNG and JPEG of 8 bits
//! and less and colours, are grey values from 0 (black) to 1 (white), and masks of 0 and full scale are 0 and 1.

use super::inside::no_data_error;
use super::stack::ImageStack;
use crate::no_data::{is_no_data, no_data_sign};
use crate::{DataError, DataErrorKind};
use std::path::Path;

/// A note where numbers hold a value that often stands for no data, wherever they come from.
///
/// ```
/// use glauber_data::images::usual_no_data;
/// assert!(usual_no_data(&[1.0, -9999.0]).is_some_and(|note| note.contains("-9999")));
/// assert_eq!(usual_no_data(&[1.0, -999.5]), None);
/// ```
pub fn usual_no_data(values: &[f64]) -> Option<String> {
    let sign = no_data_sign(values)?;
    Some(format!("it holds {}; it was taken as a number", sign.in_words("places")))
}

impl ImageStack {
    /// The numbers, `[planes, height, width]` in C order, and notes on how they were read; `path` names the file in errors.
    ///
    /// # Errors
    /// If a number is missing (no data) or not finite.
    ///
    /// ```
    /// use glauber_data::Overwrite;
    /// use glauber_data::images::{ImageLimits, read_image, write_grey_png};
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("fuel.png");
    /// write_grey_png(&path, 1, 3, &[0, 51, 255], Overwrite::Refuse)?;
    /// let (numbers, notes) = read_image(&path, ImageLimits::default())?.numbers(&path)?;
    /// assert_eq!(numbers, [0.0, 0.2, 1.0]);
    /// assert!(notes[0].contains("divided by 255"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn numbers(&self, path: impl AsRef<Path>) -> Result<(Vec<f64>, Vec<String>), DataError> {
        let path = path.as_ref();
        let mut values = self.to_f64();
        self.check_there(&values, path)?;
        let mut notes = self.notes.clone();
        if let Some([scale, offset]) = self.scaling {
            self.check_scaling([scale, offset], path)?;
            values.iter_mut().for_each(|value| *value = *value * scale + offset);
            notes
                .push(format!("its numbers were multiplied by {scale} and {offset} added, as the file says"));
            return Ok((values, notes));
        }
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let range = format!("{lowest} to {highest}");
        notes.extend(usual_no_data(&values));
        if self.colour_table.is_some() {
            notes.push(format!("its numbers of colours in a table, {range}, were taken as they are"));
            return Ok((values, notes));
        }
        let Some(full) = self.full_scale() else { return Ok((values, notes)) };
        if full <= 1.0 {
            return Ok((values, notes));
        }
        let mask = values.iter().all(|v| *v <= 0.0 || *v >= full);
        let picture = self.was_colour || (self.shades && self.bit_depth <= 8);
        if highest <= 1.0 {
            notes.push(format!(
                "its largest value is {highest}: the values were taken as they are, not divided by {full}"
            ));
        } else if mask || picture {
            values.iter_mut().for_each(|value| *value /= full);
            notes.push(format!("grey values {range} were divided by {full}: 0 is black, 1 white"));
        } else {
            notes.push(format!(
                "its {}-bit numbers {range} were taken as they are, not divided by {full}",
                self.bit_depth
            ));
        }
        Ok((values, notes))
    }

    /// Checks that every site has a finite number, none of them the file's own sign for no data; `path` names the file in
    /// errors.
    ///
    /// # Errors
    /// The number of sites without data, or the place of the first number that is not finite.
    pub fn check_all_there(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
        if self.no_data.is_none() && self.array.element_type().is_integer() {
            return Ok(());
        }
        self.check_there(&self.to_f64(), path.as_ref())
    }

    fn check_scaling(&self, scaling: [f64; 2], path: &Path) -> Result<(), DataError> {
        let [scale, offset] = scaling;
        if scale.is_finite() && offset.is_finite() && scale.abs() > 0.0 {
            return Ok(());
        }
        let found = match scale.is_nan() || offset.is_nan() {
            true => {
                "says what its numbers stand for (GDAL, ImageJ) in a way that is not read here".to_owned()
            }
            false => format!("says that its numbers are to be multiplied by {scale} and {offset} added"),
        };
        let remedy = "apply it and save the numbers themselves, or write the right scale and offset (gdal_translate -unscale, \
                      -a_scale, -a_offset; ImageJ: Analyze > Calibrate)";
        Err(DataError::new(DataErrorKind::Value, path, found, remedy))
    }

    fn check_there(&self, values: &[f64], path: &Path) -> Result<(), DataError> {
        if let Some(none) = self.no_data {
            let is_none = |value: f64| is_no_data(value, none);
            let count = values.iter().filter(|v| is_none(**v)).count();
            if count > 0 {
                return Err(no_data_error(path, none, count));
            }
        }
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            let found = format!("holds {}, which is no finite number", values[place]);
            let remedy = "give every site a number: fill it, or crop the file";
            return Err(DataError::new(DataErrorKind::Value, path, found, remedy).at(self.place(place)));
        }
        Ok(())
    }
}
