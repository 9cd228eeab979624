//! Draws a 1-D lattice as a space–time diagram: sites from left to right, time from top to bottom.

use crate::frames::{Colouring, FrameError, LONGEST_SIDE, Picture};

/// The rows of a space–time diagram as they come, in bounded memory.
///
/// When there are more rows than were asked for, every second one is dropped and from then on only every second
/// (fourth, …) one is kept, so that the diagram always spans the whole time evenly.
///
/// ```
/// use glauber_report::frames::{Colouring, SpaceTime};
/// let mut diagram = SpaceTime::new(32, 400, Colouring::binary())?;
/// for step in 0..1000u32 {
///     diagram.push(&std::array::from_fn::<u8, 32, _>(|site| u8::from(site as u32 == step % 32)))?;
/// }
/// assert_eq!((diagram.rows(), diagram.steps_per_row()), (250, 4));
/// # Ok::<(), glauber_report::frames::FrameError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SpaceTime {
    width: usize,
    most_rows: usize,
    colouring: Colouring,
    rows: Vec<u8>,
    stride: usize,
    pushed: usize,
}

impl SpaceTime {
    /// A diagram of `width` sites with at most `most_rows` rows (at least 2).
    ///
    /// # Errors
    /// [`FrameError::Empty`] without sites, [`FrameError::TooLarge`] with more than a picture can have.
    pub fn new(width: usize, most_rows: usize, colouring: Colouring) -> Result<Self, FrameError> {
        let most_rows = most_rows.clamp(2, LONGEST_SIDE);
        super::picture::check_size(most_rows, width)?;
        Ok(Self { width, most_rows, colouring, rows: Vec::new(), stride: 1, pushed: 0 })
    }

    /// Adds the lattice of the next step.
    ///
    /// # Errors
    /// [`FrameError::Shape`] if it has more or fewer sites.
    pub fn push<T: Copy + Into<f64>>(&mut self, values: &[T]) -> Result<(), FrameError> {
        if values.len() != self.width {
            return Err(FrameError::Shape { found: values.len(), height: 1, width: self.width });
        }
        if self.pushed.is_multiple_of(self.stride) {
            if self.rows() == self.most_rows {
                self.drop_every_second();
            }
            // After the dropping, this row may be one that is no longer kept.
            if self.pushed.is_multiple_of(self.stride) {
                self.rows.extend(values.iter().map(|value| self.colouring.place((*value).into())));
            }
        }
        self.pushed += 1;
        Ok(())
    }

    fn drop_every_second(&mut self) {
        let kept = self.rows().div_ceil(2);
        for row in 1..kept {
            self.rows.copy_within(2 * row * self.width..(2 * row + 1) * self.width, row * self.width);
        }
        self.rows.truncate(kept * self.width);
        self.stride *= 2;
    }

    /// How many rows the diagram has.
    pub fn rows(&self) -> usize {
        self.rows.len() / self.width
    }

    /// How many steps lie between two rows.
    pub fn steps_per_row(&self) -> usize {
        self.stride
    }

    /// The diagram, one pixel a site and row.
    ///
    /// # Errors
    /// [`FrameError::Empty`] before the first row.
    pub fn picture(&self) -> Result<Picture, FrameError> {
        Picture::indexed(self.rows.clone(), self.rows(), self.width, self.colouring.palette().to_vec())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_stay_evenly_spaced_whatever_their_number() {
        for most in [2, 3, 7, 64] {
            let mut diagram = SpaceTime::new(1, most, Colouring::sequential(0.0, 249.0).unwrap()).unwrap();
            for step in 0..250u8 {
                diagram.push(&[step]).unwrap();
                let expected: Vec<u8> = (0..=step).step_by(diagram.steps_per_row()).collect();
                assert_eq!(diagram.rows, expected, "at most {most} rows, step {step}");
                assert!(diagram.rows() <= most);
            }
        }
    }

    #[test]
    fn wrong_rows_are_refused() {
        assert!(matches!(SpaceTime::new(0, 10, Colouring::binary()), Err(FrameError::Empty { .. })));
        assert!(matches!(SpaceTime::new(1 << 30, 10, Colouring::binary()), Err(FrameError::TooLarge { .. })));
        let mut diagram = SpaceTime::new(3, 10, Colouring::binary()).unwrap();
        assert!(matches!(diagram.picture(), Err(FrameError::Empty { .. })));
        assert!(matches!(diagram.push(&[0u8; 4]), Err(FrameError::Shape { found: 4, .. })));
    }
}
