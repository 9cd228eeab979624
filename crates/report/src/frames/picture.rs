//! Draws one lattice as a picture and writes it as PNG.

use std::path::Path;

use crate::colour::Rgb;
use crate::frames::{Colouring, FrameError, LONGEST_SIDE, MOST_PIXELS, legend};
use glauber_files::run_folder as files;

/// A small lattice is enlarged until its longer side has at least this many pixels.
const EYES: usize = 512;

/// A picture of at most 256 colours, row by row from the top.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    palette: Vec<Rgb>,
    pixels: Vec<u8>,
}

impl Picture {
    /// Draws `height` × `width` values (row by row), one pixel a site.
    ///
    /// # Errors
    /// [`FrameError::Shape`] if there are more or fewer values, [`FrameError::Empty`], [`FrameError::TooLarge`].
    pub fn of<T: Copy + Into<f64>>(
        values: &[T],
        height: usize,
        width: usize,
        colouring: &Colouring,
    ) -> Result<Self, FrameError> {
        check_size(height, width)?;
        if values.len() != height * width {
            return Err(FrameError::Shape { found: values.len(), height, width });
        }
        let pixels = values.iter().map(|value| colouring.place((*value).into())).collect();
        Ok(Self { width, height, palette: colouring.palette().to_vec(), pixels })
    }

    /// A picture of ready places in a palette.
    pub(crate) fn indexed(
        pixels: Vec<u8>,
        height: usize,
        width: usize,
        palette: Vec<Rgb>,
    ) -> Result<Self, FrameError> {
        check_size(height, width)?;
        if pixels.len() != height * width {
            return Err(FrameError::Shape { found: pixels.len(), height, width });
        }
        Ok(Self { width, height, palette, pixels })
    }

    /// Columns of pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The colours.
    pub(crate) fn palette(&self) -> &[Rgb] {
        &self.palette
    }

    /// The number of each pixel's colour.
    pub(crate) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The same picture with each pixel a square of `times` × `times`.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`]; [`FrameError::Empty`] if `times` is 0.
    pub fn enlarged(&self, times: usize) -> Result<Self, FrameError> {
        let (height, width) = (self.height.saturating_mul(times), self.width.saturating_mul(times));
        check_size(height, width)?;
        let mut pixels = Vec::with_capacity(width * height);
        enlarge_into(&mut pixels, &self.pixels, self.width, times);
        Ok(Self { width, height, palette: self.palette.clone(), pixels })
    }

    /// Enlarged by the smallest whole number that makes the longer side at least 512 pixels.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`], which cannot happen for a picture that is not too large itself.
    pub fn enlarged_for_eyes(&self) -> Result<Self, FrameError> {
        self.enlarged(times_for_eyes(self.height, self.width))
    }

    /// The picture with the key to its colours below it: names of states, or the ends of the range. A narrow picture gets
    /// paper at its right.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`].
    pub fn with_legend(&self, colouring: &Colouring) -> Result<Self, FrameError> {
        let mut palette = self.palette.clone();
        let below = legend::strip(colouring, self.width, &mut palette);
        let paper = legend::Palette::place(&mut palette, legend::PAPER);
        let (width, height) = (below.width, self.height + below.height());
        check_size(height, width)?;
        let mut pixels = Vec::with_capacity(width * height);
        for row in self.pixels.chunks(self.width) {
            pixels.extend_from_slice(row);
            pixels.extend(std::iter::repeat_n(paper, width - self.width));
        }
        pixels.extend(below.pixels);
        Ok(Self { width, height, palette, pixels })
    }

    /// Red, green, blue, opacity (always 255) of each pixel.
    pub fn rgba(&self) -> Vec<u8> {
        let bytes = self.pixels.iter().map(|&pixel| {
            let Rgb(red, green, blue) = self.palette[usize::from(pixel)];
            [red, green, blue, 255]
        });
        bytes.flatten().collect()
    }

    /// The picture as a PNG file.
    ///
    /// # Errors
    /// [`FrameError::Encoding`] if the encoder fails.
    pub fn to_png(&self) -> Result<Vec<u8>, FrameError> {
        let failed = |error: png::EncodingError| FrameError::Encoding {
            what: "PNG picture",
            reason: error.to_string(),
        };
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette_bytes(&self.palette));
        encoder.set_compression(png::Compression::Balanced);
        // Differences between neighbours mean nothing for numbers of colours.
        encoder.set_filter(png::Filter::NoFilter);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&self.pixels).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }

    /// Writes the picture as a PNG file, whole or not at all.
    ///
    /// # Errors
    /// As [`Picture::to_png`], and [`FrameError::File`].
    pub fn write_png(&self, path: impl AsRef<Path>) -> Result<(), FrameError> {
        Ok(files::write_whole(path, self.to_png()?)?)
    }
}

impl legend::Palette for Vec<Rgb> {
    /// The colour's place, which is added where it is new; the nearest colour's where the palette is full.
    fn place(&mut self, colour: Rgb) -> u8 {
        let known = self.iter().position(|own| *own == colour);
        let place = known.unwrap_or_else(|| {
            if self.len() < 256 {
                self.push(colour);
                return self.len() - 1;
            }
            let far = |own: &Rgb| {
                let apart = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
                apart(own.0, colour.0) + apart(own.1, colour.1) + apart(own.2, colour.2)
            };
            (0..self.len()).min_by_key(|place| far(&self[*place])).unwrap_or(0)
        });
        place as u8
    }
}

/// The whole number by which a picture of this shape is enlarged to be seen.
pub(crate) fn times_for_eyes(height: usize, width: usize) -> usize {
    // A lattice of one long row must not become a tower of pixels.
    EYES.div_ceil(height.max(width).max(1)).max(1)
}

/// The bytes of a palette as PNG and GIF want them.
pub(crate) fn palette_bytes(palette: &[Rgb]) -> Vec<u8> {
    palette.iter().flat_map(|Rgb(red, green, blue)| [*red, *green, *blue]).collect()
}

/// Appends `pixels`, `width` a row, to `enlarged`, each as a square of `times` × `times`.
pub(crate) fn enlarge_into(enlarged: &mut Vec<u8>, pixels: &[u8], width: usize, times: usize) {
    for row in pixels.chunks(width) {
        let start = enlarged.len();
        for &pixel in row {
            enlarged.extend(std::iter::repeat_n(pixel, times));
        }
        let end = enlarged.len();
        for _ in 1..times {
            enlarged.extend_from_within(start..end);
        }
    }
}

/// Whether a picture of this size can be made, before anything is allocated for it.
pub(crate) fn check_size(height: usize, width: usize) -> Result<(), FrameError> {
    if height == 0 || width == 0 {
        return Err(FrameError::Empty { height, width });
    }
    let pixels = height.checked_mul(width);
    if height > LONGEST_SIDE || width > LONGEST_SIDE || pixels.is_none_or(|pixels| pixels > MOST_PIXELS) {
        return Err(FrameError::TooLarge { height, width });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Decodes a PNG file to width, height, RGBA.
    fn decoded(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgba);
        (info.width, info.height, pixels)
    }

    #[test]
    fn a_png_comes_back_as_it_was_drawn() {
        let values: Vec<f64> = (0..6 * 9).map(|i| f64::from(i) - 2.0).chain([f64::NAN; 9]).collect();
        let colouring = Colouring::sequential(0.0, 50.0).unwrap();
        let picture = Picture::of(&values, 7, 9, &colouring).unwrap();
        let (width, height, pixels) = decoded(&picture.to_png().unwrap());
        assert_eq!((width, height), (9, 7));
        assert_eq!(pixels, picture.rgba());
        for (value, pixel) in values.iter().zip(pixels.chunks(4)) {
            let Rgb(red, green, blue) = colouring.colour(*value);
            assert_eq!(pixel, [red, green, blue, 255], "{value}");
        }
    }

    #[test]
    fn enlarging_repeats_sites() {
        let picture = Picture::of(&[0u8, 1, 1, 0, 0, 1], 2, 3, &Colouring::binary()).unwrap();
        let large = picture.enlarged(4).unwrap();
        assert_eq!((large.height(), large.width()), (8, 12));
        for y in 0..8 {
            for x in 0..12 {
                assert_eq!(large.pixels()[y * 12 + x], picture.pixels()[(y / 4) * 3 + x / 4], "{y}, {x}");
            }
        }
        let for_eyes =
            Picture::of(&[0u8; 64 * 48], 64, 48, &Colouring::binary()).unwrap().enlarged_for_eyes().unwrap();
        assert_eq!((for_eyes.height(), for_eyes.width()), (512, 384));
        let already = Picture::of(&vec![0u8; 600 * 3], 3, 600, &Colouring::binary()).unwrap();
        assert_eq!(already.enlarged_for_eyes().unwrap(), already);
    }

    #[test]
    fn wrong_shapes_are_refused_before_anything_is_made() {
        let binary = Colouring::binary();
        assert!(matches!(Picture::of(&[0u8; 5], 2, 3, &binary), Err(FrameError::Shape { found: 5, .. })));
        assert!(matches!(Picture::of(&[0u8; 0], 0, 3, &binary), Err(FrameError::Empty { .. })));
        assert!(matches!(Picture::of(&[0u8; 9], usize::MAX, 3, &binary), Err(FrameError::TooLarge { .. })));
        let picture = Picture::of(&[0u8; 6], 2, 3, &binary).unwrap();
        assert!(matches!(picture.enlarged(usize::MAX / 2), Err(FrameError::TooLarge { .. })));
        assert!(matches!(picture.enlarged(0), Err(FrameError::Empty { .. })));
    }

    #[test]
    fn a_file_holds_the_picture() {
        let folder = tempfile::tempdir().unwrap();
        let picture = Picture::of(&[0.0, 1.0], 1, 2, &Colouring::binary()).unwrap();
        let path = folder.path().join("last.png");
        picture.write_png(&path).unwrap();
        assert_eq!(decoded(&std::fs::read(&path).unwrap()).2, picture.rgba());
        let refused = picture.write_png(folder.path().join("absent/last.png")).unwrap_err();
        assert!(refused.to_string().contains("make its folder first"), "{refused}");
    }
}
