//! Sums 3 × 3 neighbourhoods on a torus, row by row, and spreads rows over threads.
//!
//! For each row the three rows around it are added column by column once; the neighbours' sum of a pixel is
//! then two of these column sums plus the pixels above and below: 5 additions instead of 7, all of them on
//! whole rows. No pixel's value depends on how rows are shared out, so results are the same bits for any
//! number of threads.

use rayon::prelude::*;

use super::number::Number;

/// Pixels a thread takes at once. A step takes half a nanosecond a pixel: below two bands sharing costs more
/// than it gains.
const PIXELS_PER_BAND: usize = 1 << 15;

/// The buffers of one row's sums.
#[derive(Clone, Debug)]
pub(super) struct Rows<T> {
    /// Sums of three rows by column, with the last column before the first and the first after the last.
    ring: Vec<T>,
    /// Sums of the rows above and below.
    pair: Vec<T>,
    /// What was computed for the row.
    pub(super) result: Vec<T>,
}

impl<T: Number> Rows<T> {
    pub(super) fn new(width: usize) -> Rows<T> {
        let zero = T::from_f64(0.0);
        Rows { ring: vec![zero; width + 2], pair: vec![zero; width], result: vec![zero; width] }
    }

    /// Reads the rows around row `r` of `plane`, which has `height` rows.
    pub(super) fn load(&mut self, plane: &[T], r: usize, height: usize) {
        let width = self.pair.len();
        let row = |r: usize| &plane[r * width..][..width];
        let (above, here, below) = (row(before(r, height)), row(r), row(after(r, height)));
        let columns = self.ring[1..=width].iter_mut().zip(&mut self.pair);
        for (((sum, pair), &middle), (&above, &below)) in columns.zip(here).zip(above.iter().zip(below)) {
            *pair = above + below;
            *sum = *pair + middle;
        }
        self.close();
    }

    /// Reads (a − b)² of the rows around row `r` of the planes `a` and `b`.
    pub(super) fn load_squares(&mut self, a: &[T], b: &[T], r: usize, height: usize) {
        let width = self.pair.len();
        self.ring.fill(T::from_f64(0.0));
        for r in [before(r, height), after(r, height), r] {
            let (a, b) = (&a[r * width..][..width], &b[r * width..][..width]);
            for (sum, (&a, &b)) in self.ring[1..=width].iter_mut().zip(a.iter().zip(b)) {
                *sum = *sum + (a - b) * (a - b);
            }
        }
        self.close();
    }

    fn close(&mut self) {
        let width = self.pair.len();
        self.ring[0] = self.ring[width];
        self.ring[width + 1] = self.ring[1];
    }

    /// Sets `result` to `f(column, sum over the 8 neighbours)`.
    #[inline(always)]
    pub(super) fn map_neighbours(&mut self, f: impl Fn(usize, T) -> T) {
        let width = self.result.len();
        let (left, right, pair) = (&self.ring[..width], &self.ring[2..][..width], &self.pair[..width]);
        for (at, result) in self.result.iter_mut().enumerate() {
            *result = f(at, (left[at] + right[at]) + pair[at]);
        }
    }

    /// Adds `f(column, sum over the 3 × 3 window)` to `result`.
    #[inline(always)]
    pub(super) fn add_windows(&mut self, f: impl Fn(usize, T) -> T) {
        let width = self.result.len();
        let (left, middle) = (&self.ring[..width], &self.ring[1..][..width]);
        let right = &self.ring[2..][..width];
        for (at, result) in self.result.iter_mut().enumerate() {
            *result = *result + f(at, (left[at] + right[at]) + middle[at]);
        }
    }
}

fn before(r: usize, height: usize) -> usize {
    if r == 0 { height - 1 } else { r - 1 }
}

fn after(r: usize, height: usize) -> usize {
    if r + 1 == height { 0 } else { r + 1 }
}

/// Calls `f(r, row r of plane, buffers)` for every row, in bands over the threads of the current pool.
pub(super) fn bands<T: Number>(
    plane: &mut [T],
    width: usize,
    f: impl Fn(usize, &mut [T], &mut Rows<T>) + Sync,
) {
    let per_band = rows_per_band(width);
    let run = |(band, rows): (usize, &mut [T])| {
        let mut buffers = Rows::new(width);
        for (k, row) in rows.chunks_exact_mut(width).enumerate() {
            f(band * per_band + k, row, &mut buffers);
        }
    };
    if plane.len() <= 2 * PIXELS_PER_BAND {
        plane.chunks_mut(per_band * width).enumerate().for_each(run);
    } else {
        plane.par_chunks_mut(per_band * width).enumerate().for_each(run);
    }
}

/// The rows of one band: a function of the width alone, never of the number of threads.
fn rows_per_band(width: usize) -> usize {
    (PIXELS_PER_BAND / width.max(1)).max(1)
}
