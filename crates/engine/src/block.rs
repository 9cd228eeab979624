//! Cuts the sites of a layout into blocks that fit the cache: whole rows, or pieces of one row.
//!
//! The cut depends on the shape alone, so that sums over blocks have the same order on any machine.

use glauber_lattice::{Colouring, Layout};

/// The most sites in a block; a multiple of [`LANES`].
pub(crate) const BLOCK: usize = 512;

/// Kernels work on whole groups of this many sites.
pub(crate) const LANES: usize = 16;

/// Sites of a block at equal distances in one row, and their lanes; or all of a block's, where it holds every site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Strip {
    /// Its first lane, and how many it has.
    pub(crate) lane: usize,
    pub(crate) count: usize,
    /// Where its first site stands in a padded plane, its number, and its place in the row.
    pub(crate) place: usize,
    pub(crate) site: usize,
    pub(crate) x: usize,
    /// Its row.
    pub(crate) row: usize,
}

impl Strip {
    pub(crate) fn lanes(&self) -> std::ops::Range<usize> {
        self.lane..self.lane + self.count
    }
}

/// Consecutive sites: `rows` whole rows, or a piece of one; or those of them that are of a colour.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Block {
    pub(crate) first_row: usize,
    pub(crate) rows: usize,
    /// Where in its row the block starts.
    pub(crate) x: usize,
    /// Sites per row, of whatever colour.
    pub(crate) width: usize,
    /// Whether it holds the sites of one colour alone.
    pub(crate) coloured: bool,
    /// Where its sites are: one strip of all, or one for each row that has the colour.
    pub(crate) strips: Vec<Strip>,
    /// How far apart along x neighbours in a strip lie.
    pub(crate) step: usize,
    sites: usize,
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
        let (site, place) = (first_row * layout.width() + x, layout.row(first_row) + x);
        let sites = rows * width;
        let all = Strip { lane: 0, count: sites.next_multiple_of(LANES), place, site, x, row: first_row };
        Block {
            coloured: false,
            strips: vec![all],
            step: 1,
            sites,
            first_row,
            rows,
            x,
            width,
            site,
            start: place,
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
        self.sites
    }

    /// The number of the site of a lane.
    pub(crate) fn site_of(&self, lane: usize) -> usize {
        let own = self.strips.iter().rev().find(|strip| strip.lane <= lane);
        own.map_or(self.site, |strip| strip.site + (lane - strip.lane) * self.step)
    }

    /// The same rows with the sites of a colour alone.
    fn of_colour(mut self, layout: &Layout, colouring: &Colouring, colour: u32) -> Block {
        (self.coloured, self.step, self.sites) = (true, colouring.step(), 0);
        self.strips.clear();
        for row in self.first_row..self.first_row + self.rows {
            let (z, y) = (row / self.height, row % self.height);
            let Some(first) = colouring.first(z, y, colour).filter(|first| *first < self.width) else {
                continue;
            };
            let (x, count) = (self.x + first, (self.width - first).div_ceil(self.step));
            let (place, site) = (layout.row(row) + x, row * layout.width() + x);
            self.strips.push(Strip { lane: self.sites, count, place, site, x, row });
            self.sites += count;
        }
        self
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

/// The blocks of the sites of one colour, in site order.
pub(crate) fn blocks_of_colour(layout: &Layout, colouring: &Colouring, colour: u32) -> Vec<Block> {
    let (width, step) = (layout.width(), colouring.step());
    // Pieces begin where the row's pattern does.
    let widest = BLOCK * step;
    let rows = if width <= widest { BLOCK / width.div_ceil(step) } else { 1 };
    let mut blocks = Vec::new();
    for first_row in (0..layout.rows()).step_by(rows) {
        let rows = rows.min(layout.rows() - first_row);
        for x in (0..width).step_by(widest) {
            let block = Block::new(layout, first_row, rows, x, widest.min(width - x));
            blocks.push(block.of_colour(layout, colouring, colour));
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

    #[test]
    fn blocks_of_a_colour_hold_its_sites_once_in_order() {
        let board = Colouring { periods: [2; 3], strides: [0, 1, 1], colours: 2 };
        let five = Colouring { periods: [5; 3], strides: [1, 2, 1], colours: 5 };
        let boxes = Colouring { periods: [1, 2, 3], strides: [0, 3, 1], colours: 6 };
        let rows = Colouring { periods: [3; 3], strides: [0, 1, 0], colours: 3 };
        let shapes: [&[usize]; 7] = [&[1], &[2051], &[3, 3], &[64, 64], &[5, 1700], &[3, 4, 5], &[2, 1]];
        for (shape, colouring) in
            shapes.iter().flat_map(|s| [board, five, boxes, rows].into_iter().map(move |c| (s, c)))
        {
            let layout = Layout::new(&Lattice::new(shape).unwrap(), [usize::from(shape.len() > 2), 2, 1]);
            let [_, height, width] = layout.extent();
            let coordinates = |site: usize| [site / (height * width), site / width % height, site % width];
            for colour in 0..colouring.colours {
                let own = |site: &usize| colouring.colour(coordinates(*site)) == colour;
                let wanted: Vec<usize> = (0..layout.sites()).filter(own).collect();
                let mut found = Vec::new();
                for block in blocks_of_colour(&layout, &colouring, colour) {
                    assert!(block.coloured && block.lanes() <= BLOCK);
                    for strip in &block.strips {
                        for i in 0..strip.count {
                            let site = strip.site + i * block.step;
                            assert_eq!(block.site_of(strip.lane + i), site);
                            assert_eq!(strip.place + i * block.step, layout.row(strip.row) + site % width);
                            assert!((block.x..block.x + block.width).contains(&(site % width)));
                            found.push(site);
                        }
                    }
                }
                assert_eq!(found, wanted, "{shape:?} {colouring:?} {colour}");
            }
        }
    }
}
