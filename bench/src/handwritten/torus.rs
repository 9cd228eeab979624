//! Keeps a field on a torus in rows with a margin of one site all around.

/// A field of `height` × `width` sites with a margin of one.
#[derive(Clone, Debug)]
pub struct Torus<T> {
    /// Sites along y.
    pub height: usize,
    /// Sites along x.
    pub width: usize,
    /// Rows of `width + 2`, one above and one below.
    pub padded: Vec<T>,
}

impl<T: Copy + Default> Torus<T> {
    /// All sites at the default.
    pub fn new(height: usize, width: usize) -> Torus<T> {
        Torus { height, width, padded: vec![T::default(); (height + 2) * (width + 2)] }
    }

    /// From sites in row order.
    pub fn from_sites(height: usize, width: usize, sites: &[T]) -> Torus<T> {
        let mut field = Torus::new(height, width);
        for (y, row) in sites.chunks_exact(width).enumerate() {
            field.row_mut(y).copy_from_slice(row);
        }
        field.wrap();
        field
    }

    /// The sites in row order.
    pub fn sites(&self) -> Vec<T> {
        (0..self.height).flat_map(|y| self.row(y, 0, 0).iter().copied()).collect()
    }

    /// Row y as seen from (dy, dx) away.
    #[inline(always)]
    pub fn row(&self, y: usize, dy: isize, dx: isize) -> &[T] {
        let start = (y + 1).wrapping_add_signed(dy) * (self.width + 2) + 1usize.wrapping_add_signed(dx);
        &self.padded[start..start + self.width]
    }

    /// Row y.
    #[inline(always)]
    pub fn row_mut(&mut self, y: usize) -> &mut [T] {
        let start = (y + 1) * (self.width + 2) + 1;
        &mut self.padded[start..start + self.width]
    }

    /// Makes the margin the other side's sites.
    pub fn wrap(&mut self) {
        let (pitch, width, height) = (self.width + 2, self.width, self.height);
        for y in 1..=height {
            let row = &mut self.padded[y * pitch..(y + 1) * pitch];
            row[0] = row[width];
            row[width + 1] = row[1];
        }
        self.padded.copy_within(height * pitch..(height + 1) * pitch, 0);
        self.padded.copy_within(pitch..2 * pitch, (height + 1) * pitch);
    }
}

/// Adds a row to sixteen running sums, which a vector unit does at once.
#[inline(always)]
pub fn add_to_lanes(lanes: &mut [f64; 16], row: &[f32]) {
    let (groups, rest) = row.as_chunks::<16>();
    for group in groups {
        for lane in 0..16 {
            lanes[lane] += f64::from(group[lane]);
        }
    }
    for (lane, number) in lanes.iter_mut().zip(rest) {
        *lane += f64::from(*number);
    }
}
