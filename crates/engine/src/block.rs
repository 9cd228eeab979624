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
    /// Where its first site stands in a padded plane.
    start: usize,
    /// The first row's y, and how many rows there are along y.
    y: usize,
    height: usize,
    /// From one row to the next in a padded plane, along y and where z changes.
    stride: usize,
    jump: usize,
}

impl Block {
    fn new(layout: &Layout, first_row: usize, rows: usize, x: usize, width: usize) -> Block {
        let height = layout.extent()[1];
        let stride = layout.distance([0, 1, 0]).unsigned_abs();
        Block {
            first_row,
            rows,
            x,
            width,
            site: first_row * layout.width() + x,
            start: layout.row(first_row) + x,
            y: first_row % height,
            height,
            stride,
            jump: layout.distance([1, 0, 0]).unsigned_abs() - (height - 1) * stride,
        }
    }

    /// Where its rows start in a padded plane.
    #[inline(always)]
    pub(crate) fn starts(&self) -> impl Iterator<Item = usize> + use<> {
        let Block { height, stride, jump, .. } = *self;
        let (mut start, mut y) = (self.start, self.y);
        (0..self.rows).map(move |_| {
            let here = start;
            y += 1;
            start += if y == height { jump } else { stride };
            y = if y == height { 0 } else { y };
            here
        })
    }

    /// How long the stretch of a padded plane from its first to its last site is.
    pub(crate) fn stretch(&self) -> usize {
        self.starts().last().map_or(0, |last| last - self.start + self.width)
    }

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
            blocks.push(Block::new(layout, first_row, rows, 0, width));
        }
    } else {
        for first_row in 0..layout.rows() {
            for x in (0..width).step_by(BLOCK) {
                let piece = BLOCK.min(width - x);
                blocks.push(Block::new(layout, first_row, 1, x, piece));
            }
        }
    }
    blocks
}

/// One register: a number per site of a block.
///
/// Registers follow one another in memory without gaps: half a page apart (in single precision), so that a loop over
/// one never stores where a loop over another is about to load as seen by the processor, which compares twelve bits.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Column<F>(pub(crate) [F; BLOCK]);

impl<F: Copy + Default> Column<F> {
    pub(crate) fn new() -> Column<F> {
        Column([F::default(); BLOCK])
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
            let layout = Layout::new(&Lattice::new(shape).unwrap(), [usize::from(shape.len() > 2), 2, 1]);
            let mut site = 0;
            for block in blocks(&layout) {
                assert_eq!(block.site, site);
                assert_eq!(block.first_row * layout.width() + block.x, site);
                assert!(block.lanes() <= BLOCK);
                let starts = (0..block.rows).map(|r| layout.row(block.first_row + r) + block.x);
                assert!(block.starts().eq(starts));
                site += block.len();
            }
            assert_eq!(site, layout.sites());
        }
    }
}
