//! Draws the outlines of masks on a grey image.

use crate::colour::Rgb;
use crate::frames::colouring::{FIRST_OUTLINE, OUTLINES};
use crate::frames::picture::{check_size, times_for_eyes};
use crate::frames::{Colouring, FrameError, Picture};

/// A grey image with the outlines of masks on it, each in a colour of its own.
///
/// An outline runs along the inner edge of its mask, as thin as can still be seen when the picture is shown small.
/// The second and later outlines are dashed, so that one that lies under another is seen through it.
///
/// ```
/// use glauber_report::colour::Rgb;
/// use glauber_report::frames::Outlined;
/// let image = [0.1, 0.2, 0.9, 0.1, 0.8, 0.9, 0.1, 0.1, 0.1];
/// let mask = image.map(|grey| grey > 0.5);
/// let picture = Outlined::new(&image, 3, 3, 0.0, 1.0)?.with_mask(&mask, Rgb::hex(0xe76f0f))?.draw()?;
/// assert_eq!(picture.width(), 513);
/// # Ok::<(), glauber_report::frames::FrameError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Outlined {
    image: Picture,
    masks: Vec<(Vec<bool>, Rgb)>,
    enlarged: usize,
}

impl Outlined {
    /// An image of `height` × `width` grey values, `lo` black, `hi` white.
    ///
    /// # Errors
    /// [`FrameError::Shape`], [`FrameError::Empty`], [`FrameError::TooLarge`], [`FrameError::Range`].
    pub fn new<T: Copy + Into<f64>>(
        values: &[T],
        height: usize,
        width: usize,
        lo: f64,
        hi: f64,
    ) -> Result<Self, FrameError> {
        let image = Picture::of(values, height, width, &Colouring::grey(lo, hi)?)?;
        Ok(Self { image, masks: Vec::new(), enlarged: times_for_eyes(height, width) })
    }

    /// Makes each site a square of `times` × `times` pixels, instead of what makes the longer side 512 at least.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`]; [`FrameError::Empty`] if `times` is 0.
    pub fn enlarged(mut self, times: usize) -> Result<Self, FrameError> {
        check_size(self.image.height().saturating_mul(times), self.image.width().saturating_mul(times))?;
        self.enlarged = times;
        Ok(self)
    }

    /// Adds the outline of a mask of the image's shape. From the fifth on, outlines share the fourth's colour.
    ///
    /// # Errors
    /// [`FrameError::Shape`] if the mask is of another size.
    pub fn with_mask(mut self, mask: &[bool], colour: Rgb) -> Result<Self, FrameError> {
        let (height, width) = (self.image.height(), self.image.width());
        if mask.len() != height * width {
            return Err(FrameError::Shape { found: mask.len(), height, width });
        }
        self.masks.push((mask.to_vec(), colour));
        Ok(self)
    }

    /// The picture.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`], which [`Outlined::enlarged`] has already excluded.
    pub fn draw(&self) -> Result<Picture, FrameError> {
        let large = self.image.enlarged(self.enlarged)?;
        let mut palette = large.palette().to_vec();
        palette.resize(FIRST_OUTLINE, Rgb::hex(0));
        palette.extend(self.masks.iter().take(OUTLINES).map(|(_, colour)| *colour));
        let mut pixels = large.pixels().to_vec();
        for (number, (mask, _)) in self.masks.iter().enumerate() {
            let colour = (FIRST_OUTLINE + number.min(OUTLINES - 1)) as u8;
            self.draw_outline(&mut pixels, mask, colour, number > 0);
        }
        Picture::indexed(pixels, large.height(), large.width(), palette)
    }

    /// Draws the sides of the mask's sites beyond which it does not go on; the image's rim is not such a side.
    fn draw_outline(&self, pixels: &mut [u8], mask: &[bool], colour: u8, dashed: bool) {
        let (height, width, times) = (self.image.height(), self.image.width(), self.enlarged);
        let thickness = self.thickness();
        for site in (0..mask.len()).filter(|site| mask[*site]) {
            let (row, column) = (site / width, site % width);
            let (top, left) = (row * times, column * times);
            let (bottom, right) = (top + times, left + times);
            let sides = [
                (row > 0 && !mask[site - width], [top, top + thickness, left, right]),
                (
                    row + 1 < height && !mask[site + width],
                    [bottom.saturating_sub(thickness), bottom, left, right],
                ),
                (column > 0 && !mask[site - 1], [top, bottom, left, left + thickness]),
                (
                    column + 1 < width && !mask[site + 1],
                    [top, bottom, right.saturating_sub(thickness), right],
                ),
            ];
            for [from_y, to_y, from_x, to_x] in
                sides.into_iter().filter(|(open, _)| *open).map(|(_, strip)| strip)
            {
                for y in from_y..to_y.min(height * times) {
                    for x in from_x..to_x.min(width * times) {
                        // A strip wider than its site goes on into the mask, never out of it.
                        let inside = mask[y / times * width + x / times];
                        let gap = dashed && (x + y) / (4 * thickness + 2) % 2 == 1;
                        if inside && !gap {
                            pixels[y * width * times + x] = colour;
                        }
                    }
                }
            }
        }
    }

    /// Pixels across an outline: about 1/230 of the picture, so that it is seen when the
    /// picture is shown small, but no more than a site once sites are large.
    fn thickness(&self) -> usize {
        let side = self.image.height().max(self.image.width()) * self.enlarged;
        let seen = (side as f64 / 230.0).round().max(1.0) as usize;
        if self.enlarged >= 4 { seen.min(self.enlarged) } else { seen }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ORANGE: Rgb = Rgb::hex(0xe76f0f);

    fn is_orange(picture: &Picture, y: usize, x: usize) -> bool {
        let at = 4 * (y * picture.width() + x);
        picture.rgba()[at..at + 3] == [ORANGE.0, ORANGE.1, ORANGE.2]
    }

    #[test]
    fn a_block_gets_an_outline_and_keeps_its_inside() {
        let image = vec![0.5; 36];
        let mask: Vec<bool> =
            (0..36).map(|i| (1..5).contains(&(i / 6)) && (1..5).contains(&(i % 6))).collect();
        let drawn = |times| {
            Outlined::new(&image, 6, 6, 0.0, 1.0)
                .unwrap()
                .enlarged(times)
                .unwrap()
                .with_mask(&mask, ORANGE)
                .unwrap()
                .draw()
                .unwrap()
        };
        let picture = drawn(1);
        for (i, inside) in mask.iter().enumerate() {
            let (y, x) = (i / 6, i % 6);
            let outermost = *inside && (y == 1 || y == 4 || x == 1 || x == 4);
            assert_eq!(is_orange(&picture, y, x), outermost, "{y}, {x}");
        }
        // Enlarged by 5, the line is one pixel thick and inside the mask.
        let picture = drawn(5);
        let orange = (0..900).filter(|i| is_orange(&picture, i / 30, i % 30)).count();
        assert_eq!(orange, 4 * 20 - 4);
        assert!(is_orange(&picture, 5, 5) && !is_orange(&picture, 4, 5) && !is_orange(&picture, 6, 6));
    }

    #[test]
    fn the_rim_of_the_image_is_no_outline() {
        let picture = Outlined::new(&[0.0; 9], 3, 3, 0.0, 1.0)
            .unwrap()
            .with_mask(&[true; 9], ORANGE)
            .unwrap()
            .draw()
            .unwrap();
        assert!(picture.rgba().chunks(4).all(|pixel| pixel[..3] == [0, 0, 0]));
    }

    #[test]
    fn masks_of_another_size_are_refused() {
        let outlined = Outlined::new(&[0.0; 9], 3, 3, 0.0, 1.0).unwrap();
        assert!(matches!(
            outlined.clone().with_mask(&[true; 8], ORANGE),
            Err(FrameError::Shape { found: 8, .. })
        ));
        assert!(matches!(outlined.clone().enlarged(1 << 40), Err(FrameError::TooLarge { .. })));
        // Many masks share the last colour instead of leaving the palette.
        let many = (0..7).try_fold(outlined, |outlined, _| outlined.with_mask(&[true; 9], ORANGE)).unwrap();
        assert!(many.draw().unwrap().to_png().is_ok());
    }
}
