//! Cuts the sites of a layout into blocks that fit the cache: whole rows, or pieces of one row.
//!
//! The cut depends on the shape alone, so that sums over blocks have the same order on any machine.

use glauber_lattice::Layout;

/// The most sites in a block; a multiple of [`LANES`].
pub(crate) const BLOCK: usize = 512;

/// Kernels work on whole groups of this many sites.
pub(crate) const LANES: usize = 16;

/// Consecutive sites: `rows` whole rows, or a piece of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Block {
    pub(crate) first_row: usize,
    pub(crate) rows: usize,
    /// Where in its row the block starts.
    pub(crate) x: usize,
    /// Sites per row.
    pub(crate) width: usize,
    /// The number of its first site.
    pub(crate) site: usize,
}

impl Block {
    pub(crate) fn len(&self) -> usize {
        self.rows * self.width
    }

    /// Its length rounded up to whole groups of lanes.
    pub(crate) fn lanes(&self) -> usize {
        self.len().next_multiple_of(LANES)
    }
}

/// The blocks of a layout, in site order.
pub(crate) fn blocks(layout: &Layout) -> Vec<Block> {
    let width = layout.width();
    let mut blocks = Vec::new();
    if width <= BLOCK {
        let rows = BLOCK / width;
        for first_row in (0..layout.rows()).step_by(rows) {
            let rows = rows.min(layout.rows() - first_row);
            blocks.push(Block { first_row, rows, x: 0, width, site: first_row * width });
        }
    } else {
        for first_row in 0..layout.rows() {
            for x in (0..width).step_by(BLOCK) {
                let piece = BLOCK.min(width - x);
                blocks.push(Block { first_row, rows: 1, x, width: piece, site: first_row * width + x });
            }
        }
    }
    blocks
}

/// Registers of one block, each aligned to a cache line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffer<F> {
    values: Vec<F>,
    start: usize,
}

impl<F: Copy + Default> Buffer<F> {
    pub(crate) fn new() -> Buffer<F> {
        let spare = 64 / size_of::<F>();
        let values = vec![F::default(); BLOCK + spare];
        let start = values.as_ptr().align_offset(64).min(spare);
        Buffer { values, start }
    }

    #[inline(always)]
    pub(crate) fn get(&self, n: usize) -> &[F] {
        &self.values[self.start..self.start + n]
    }

    #[inline(always)]
    pub(crate) fn get_mut(&mut self, n: usize) -> &mut [F] {
        &mut self.values[self.start..self.start + n]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_lattice::Lattice;

    #[test]
    fn blocks_cover_every_site_once_in_order() {
        let shapes: [&[usize]; 6] = [&[1], &[513], &[3, 3], &[64, 64], &[5, 700], &[3, 4, 5]];
        for shape in shapes {
            let layout = Layout::new(&Lattice::new(shape).unwrap(), [0; 3]);
            let mut site = 0;
            for block in blocks(&layout) {
                assert_eq!(block.site, site);
                assert_eq!(block.first_row * layout.width() + block.x, site);
                assert!(block.lanes() <= BLOCK);
                site += block.len();
            }
            assert_eq!(site, layout.sites());
        }
    }
}
