//! Draws grey images of cells with their truth: the data for segmentation that a fresh machine has.
//!
//! ```text
//! s(x)    = background + max over cells c at x of  b_c · (1 − 0.4 ρ_c(x)²) · (1 + texture · t(x))
//! light   = (1 − illumination · q₁(x)) · (K_blur * s)(x) + haze · q₂(x)
//! image   = clip( light + √(light / photons) · ε₁ + read_noise · ε₂, 0, 1 )
//! ```
//!
//! - ρ_c: distance from the centre of cell c in units of its ellipse, 1 at its edge; b_c: its brightness;
//! - t: smooth noise in [−1, 1], drawn on a grid of 6 pixels; K_blur: a Gaussian of standard deviation `blur`
//!   pixels;
//! - q₁, q₂: surfaces stretched to [0, 1] over the image: a slope in a drawn direction plus, at a drawn place
//!   and of drawn depth, the fall 1 − cos⁴ of a lens whose half field of view is 45°;
//! - ε₁, ε₂: standard normal numbers, one each per pixel.
//!
//! With `bright_background` the light is 1 − `light` before the noise: dark cells on a bright ground.
//! The truth is the ellipses before blur and noise: a pixel belongs to the cell whose ρ is least there.
//!
//! Shot noise has the variance of the Poisson law but the normal shape; below some 10 photons per pixel the
//! two differ. Every number is a pure function of (seed, stream, index) and all arithmetic is either IEEE
//! basic or `libm`, so one seed gives the same image on every machine.
//!
//! ```
//! use glauber_segment::synthetic_cells::SyntheticCells;
//!
//! let drawn = SyntheticCells { height: 64, width: 96, cells: 5, ..SyntheticCells::default() }.draw(7)?;
//! assert_eq!(drawn.image.len(), 64 * 96);
//! assert!(drawn.image.iter().all(|g| (0.0..=1.0).contains(g)));
//! assert!(drawn.mask.iter().zip(&drawn.labels).all(|(&inside, &label)| inside == (label > 0)));
//! # Ok::<(), glauber_segment::synthetic_cells::SyntheticCellsError>(())
//! ```

use std::f64::consts::{PI, TAU};

/// The most pixels of one image: 8,192 × 8,192, which takes about 1.3 GB while it is drawn.
pub const MOST_PIXELS: usize = 1 << 26;
/// The most cells of one image, so that labels fit 16 bits.
pub const MOST_CELLS: usize = 65_535;

/// How many places are tried for one cell before it is left out.
const PLACES_TRIED: u64 = 200;
/// The grid of the texture, in pixels.
const TEXTURE_GRID: f64 = 6.0;
/// How much darker a cell is at its edge than in its middle.
const EDGE_DARKENING: f64 = 0.4;

/// What the cells and the microscope are like. Intensities are in units of the full scale, lengths in pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntheticCells {
    /// Rows of pixels, at least 1.
    pub height: usize,
    /// Columns of pixels, at least 1.
    pub width: usize,
    /// Cells to place, at most [`MOST_CELLS`]. Fewer are placed where they do not fit.
    pub cells: usize,
    /// Least and greatest mean radius of a cell, √(a b) of its half axes a and b; in [1, 1000].
    pub radius: (f64, f64),
    /// Least and greatest elongation a / b, in [1, 10]; (1, 1) gives discs.
    pub elongation: (f64, f64),
    /// How far two cells may overlap: 0 for not at all, 1 for without limit. Centres keep a distance of
    /// (1 − overlap) times the sum of the mean radii.
    pub overlap: f64,
    /// Least and greatest brightness of a cell above the ground, in [0, 1].
    pub brightness: (f64, f64),
    /// The light between the cells, in [0, 1].
    pub background: f64,
    /// Relative height of the texture within cells, in [0, 1].
    pub texture: f64,
    /// Standard deviation of the point-spread function, in [0, 100]; 0 for none.
    pub blur: f64,
    /// The light lost in the darkest corner, in [0, 1].
    pub illumination: f64,
    /// Light added where the haze is thickest, in [0, 1].
    pub haze: f64,
    /// Photons per pixel at full scale, above 0; infinite for no shot noise.
    pub photons: f64,
    /// Standard deviation of the camera's noise, in [0, 1].
    pub read_noise: f64,
    /// Dark cells on a bright ground, as in bright-field microscopy.
    pub bright_background: bool,
}

impl Default for SyntheticCells {
    /// 256 × 256 pixels, 40 cells of radius 7 to 13 with some overlap, a visible fall of the light, moderate
    /// noise.
    fn default() -> Self {
        SyntheticCells {
            height: 256,
            width: 256,
            cells: 40,
            radius: (7.0, 13.0),
            elongation: (1.0, 1.7),
            overlap: 0.35,
            brightness: (0.35, 0.75),
            background: 0.08,
            texture: 0.25,
            blur: 1.5,
            illumination: 0.6,
            haze: 0.25,
            photons: 300.0,
            read_noise: 0.01,
            bright_background: false,
        }
    }
}

/// One cell: an ellipse. Coordinates are those of pixel centres, (0, 0) being the first pixel's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Row of the centre.
    pub row: f64,
    /// Column of the centre.
    pub column: f64,
    /// Longer half axis in pixels.
    pub long: f64,
    /// Shorter half axis in pixels.
    pub short: f64,
    /// Direction of the longer axis from the columns' axis, in [0, π).
    pub angle: f64,
    /// Brightness above the ground.
    pub brightness: f64,
}

/// An image with its truth; every field has `height · width` values, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct CellImage {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// Grey values in [0, 1].
    pub image: Vec<f64>,
    /// Where a cell is.
    pub mask: Vec<bool>,
    /// Which cell is there: its place in `cells` + 1, or 0.
    pub labels: Vec<u16>,
    /// The cells that were placed.
    pub cells: Vec<Cell>,
}

/// A property of the cells or the microscope that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SyntheticCellsError {
    /// A number outside its range.
    #[error("synthetic cells: `{name}` is {found}; it must lie in {allowed}")]
    OutOfRange {
        /// The property.
        name: &'static str,
        /// Its value.
        found: f64,
        /// Where it must lie.
        allowed: &'static str,
    },
    /// A range whose first number is the larger.
    #[error(
        "synthetic cells: `{name}` is the empty range {least} to {greatest}; give the smaller number first"
    )]
    EmptyRange {
        /// The property.
        name: &'static str,
        /// The first number.
        least: f64,
        /// The second number.
        greatest: f64,
    },
    /// No pixels, or too many.
    #[error("synthetic cells: {height} × {width} pixels; an image has 1 to {MOST_PIXELS} of them")]
    Size {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// More cells than labels.
    #[error("synthetic cells: {found} cells; 16-bit labels tell at most {MOST_CELLS} apart")]
    TooManyCells {
        /// Cells asked for.
        found: usize,
    },
}

impl SyntheticCells {
    /// Says whether every property lies in its range.
    pub fn check(&self) -> Result<(), SyntheticCellsError> {
        let pixels = self.height.checked_mul(self.width);
        if pixels.is_none_or(|n| n == 0 || n > MOST_PIXELS) {
            return Err(SyntheticCellsError::Size { height: self.height, width: self.width });
        }
        if self.cells > MOST_CELLS {
            return Err(SyntheticCellsError::TooManyCells { found: self.cells });
        }
        check_range("radius", self.radius, (1.0, 1000.0), "[1, 1000] pixels")?;
        check_range("elongation", self.elongation, (1.0, 10.0), "[1, 10]")?;
        check_range("brightness", self.brightness, (0.0, 1.0), "[0, 1]")?;
        for (name, found) in [
            ("overlap", self.overlap),
            ("background", self.background),
            ("texture", self.texture),
            ("illumination", self.illumination),
            ("haze", self.haze),
            ("read_noise", self.read_noise),
        ] {
            check_number(name, found, (0.0, 1.0), "[0, 1]")?;
        }
        check_number("blur", self.blur, (0.0, 100.0), "[0, 100] pixels")?;
        check_number("photons", self.photons, (f64::MIN_POSITIVE, f64::INFINITY), "(0, ∞]")
    }

    /// Draws the image of `seed`.
    pub fn draw(&self, seed: u64) -> Result<CellImage, SyntheticCellsError> {
        self.check()?;
        let cells = self.place(seed);
        let (labels, mut light) = self.paint(&cells, seed);
        blur_rows_and_columns(&mut light, self.height, self.width, self.blur);
        self.expose(&mut light, seed);
        let mask = labels.iter().map(|&label| label > 0).collect();
        Ok(CellImage { height: self.height, width: self.width, image: light, mask, labels, cells })
    }

    /// Places the cells one after the other, away from those before.
    fn place(&self, seed: u64) -> Vec<Cell> {
        let mut cells: Vec<Cell> = Vec::with_capacity(self.cells);
        // Cells that lie in the same or a neighbouring square of this side are the only ones that can touch.
        let side = (2.0 * self.radius.1).max(1.0);
        let (rows, columns) =
            ((self.height as f64 / side) as usize + 1, (self.width as f64 / side) as usize + 1);
        let mut squares: Vec<Vec<usize>> = vec![Vec::new(); rows * columns];
        for cell in 0..self.cells as u64 {
            for place in 0..PLACES_TRIED {
                let drawn = self.draw_cell(seed, cell * PLACES_TRIED + place);
                let (r, c) = ((drawn.row.max(0.0) / side) as usize, (drawn.column.max(0.0) / side) as usize);
                let (r, c) = (r.min(rows - 1), c.min(columns - 1));
                let near = (r.saturating_sub(1)..(r + 2).min(rows))
                    .flat_map(|r| (c.saturating_sub(1)..(c + 2).min(columns)).map(move |c| r * columns + c));
                if near.flat_map(|s| &squares[s]).all(|&other| self.apart(&drawn, &cells[other])) {
                    squares[r * columns + c].push(cells.len());
                    cells.push(drawn);
                    break;
                }
            }
        }
        cells
    }

    fn draw_cell(&self, seed: u64, index: u64) -> Cell {
        let u = |k: u64| uniform(seed, Stream::Cells, index * 8 + k);
        let between = |(least, greatest): (f64, f64), u: f64| least + (greatest - least) * u;
        let radius = between(self.radius, u(2));
        let root = libm::sqrt(between(self.elongation, u(3)));
        Cell {
            row: u(0) * self.height as f64 - 0.5,
            column: u(1) * self.width as f64 - 0.5,
            long: radius * root,
            short: radius / root,
            angle: PI * u(4),
            brightness: between(self.brightness, u(5)),
        }
    }

    fn apart(&self, a: &Cell, b: &Cell) -> bool {
        let radii = libm::sqrt(a.long * a.short) + libm::sqrt(b.long * b.short);
        let (dr, dc) = (a.row - b.row, a.column - b.column);
        let least = (1.0 - self.overlap) * radii;
        dr * dr + dc * dc >= least * least
    }

    /// The labels and the light before blur.
    fn paint(&self, cells: &[Cell], seed: u64) -> (Vec<u16>, Vec<f64>) {
        let pixels = self.height * self.width;
        let (mut labels, mut light) = (vec![0u16; pixels], vec![self.background; pixels]);
        // ρ² of the cell that owns a pixel, as f32 to save memory; ties go to the earlier cell.
        let mut nearest = vec![f32::INFINITY; pixels];
        for (number, cell) in cells.iter().enumerate() {
            let (sin, cos) = (libm::sin(cell.angle), libm::cos(cell.angle));
            let rows = span(cell.row, cell.long, self.height);
            for r in rows {
                for c in span(cell.column, cell.long, self.width) {
                    let (dr, dc) = (r as f64 - cell.row, c as f64 - cell.column);
                    let along = (dc * cos + dr * sin) / cell.long;
                    let across = (dr * cos - dc * sin) / cell.short;
                    let rho2 = along * along + across * across;
                    if rho2 > 1.0 {
                        continue;
                    }
                    let at = r * self.width + c;
                    let texture = 1.0 + self.texture * smooth_noise(seed, number as u64, dr, dc);
                    let bright = cell.brightness * (1.0 - EDGE_DARKENING * rho2) * texture;
                    light[at] = light[at].max(self.background + bright);
                    if (rho2 as f32) < nearest[at] {
                        nearest[at] = rho2 as f32;
                        labels[at] = (number + 1) as u16;
                    }
                }
            }
        }
        (labels, light)
    }

    /// Uneven illumination, haze, inversion and noise, in place.
    fn expose(&self, light: &mut [f64], seed: u64) {
        let fall = Surface::draw(seed, Stream::Illumination, self.height, self.width);
        let haze = Surface::draw(seed, Stream::Haze, self.height, self.width);
        for r in 0..self.height {
            for c in 0..self.width {
                let at = r * self.width + c;
                let mut value =
                    (1.0 - self.illumination * fall.at(r, c)) * light[at] + self.haze * haze.at(r, c);
                value = value.clamp(0.0, 1.0);
                if self.bright_background {
                    value = 1.0 - value;
                }
                let (shot, camera) = normal_pair(seed, at as u64);
                light[at] = (value + libm::sqrt(value / self.photons) * shot + self.read_noise * camera)
                    .clamp(0.0, 1.0);
            }
        }
    }
}

fn check_number(
    name: &'static str,
    found: f64,
    (least, greatest): (f64, f64),
    allowed: &'static str,
) -> Result<(), SyntheticCellsError> {
    if (least..=greatest).contains(&found) {
        Ok(())
    } else {
        Err(SyntheticCellsError::OutOfRange { name, found, allowed })
    }
}

fn check_range(
    name: &'static str,
    (least, greatest): (f64, f64),
    bounds: (f64, f64),
    allowed: &'static str,
) -> Result<(), SyntheticCellsError> {
    check_number(name, least, bounds, allowed)?;
    check_number(name, greatest, bounds, allowed)?;
    if least > greatest {
        return Err(SyntheticCellsError::EmptyRange { name, least, greatest });
    }
    Ok(())
}

/// The pixels within `reach` of `centre`, inside the image.
fn span(centre: f64, reach: f64, length: usize) -> std::ops::Range<usize> {
    let first = libm::ceil(centre - reach).max(0.0) as usize;
    let end = (libm::floor(centre + reach) + 1.0).max(0.0) as usize;
    first..end.min(length)
}

/// A smooth surface with values in [0, 1] over the image: a slope plus a lens's cos⁴ fall.
struct Surface {
    slope: (f64, f64),
    bowl: f64,
    centre: (f64, f64),
    scale: (f64, f64),
    least: f64,
    span: f64,
}

impl Surface {
    fn draw(seed: u64, stream: Stream, height: usize, width: usize) -> Surface {
        let u = |k| uniform(seed, stream, k);
        let angle = TAU * u(0);
        let mut surface = Surface {
            slope: (libm::sin(angle), libm::cos(angle)),
            bowl: 2.0 * u(1),
            centre: (u(2) - 0.5, u(3) - 0.5),
            scale: (2.0 / height as f64, 2.0 / width as f64),
            least: 0.0,
            span: 1.0,
        };
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for r in 0..height {
            for c in 0..width {
                let value = surface.at(r, c);
                (least, greatest) = (least.min(value), greatest.max(value));
            }
        }
        surface.least = least;
        surface.span = if greatest > least { greatest - least } else { 1.0 };
        surface
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        let y = (row as f64 + 0.5) * self.scale.0 - 1.0;
        let x = (column as f64 + 0.5) * self.scale.1 - 1.0;
        let (dy, dx) = (y - self.centre.0, x - self.centre.1);
        let cos2 = 1.0 / (1.0 + dy * dy + dx * dx);
        let raw = self.slope.0 * y + self.slope.1 * x + self.bowl * (1.0 - cos2 * cos2);
        (raw - self.least) / self.span
    }
}

/// Convolves with a Gaussian of standard deviation `sigma` pixels; beyond the border the border's value goes on.
fn blur_rows_and_columns(values: &mut [f64], height: usize, width: usize, sigma: f64) {
    if sigma <= 0.0 {
        return;
    }
    let reach = libm::ceil(3.0 * sigma) as usize;
    let mut kernel: Vec<f64> = (0..=2 * reach)
        .map(|k| libm::exp(-0.5 * libm::pow((k as f64 - reach as f64) / sigma, 2.0)))
        .collect();
    let sum: f64 = kernel.iter().sum();
    kernel.iter_mut().for_each(|k| *k /= sum);
    let blur_line = |line: &[f64], at: usize| -> f64 {
        kernel.iter().enumerate().fold(0.0, |sum, (k, weight)| {
            sum + weight * line[(at + k).saturating_sub(reach).min(line.len() - 1)]
        })
    };
    let mut line = vec![0.0; width];
    for row in values.chunks_exact_mut(width) {
        line.copy_from_slice(row);
        row.iter_mut().enumerate().for_each(|(c, value)| *value = blur_line(&line, c));
    }
    // Columns: row by row with running sums over the kernel, so that memory is read in order.
    let before = values.to_vec();
    for (r, row) in values.chunks_exact_mut(width).enumerate() {
        row.fill(0.0);
        for (k, weight) in kernel.iter().enumerate() {
            let from = (r + k).saturating_sub(reach).min(height - 1) * width;
            for (value, &read) in row.iter_mut().zip(&before[from..from + width]) {
                *value += weight * read;
            }
        }
    }
}

/// Noise in [−1, 1] that varies over [`TEXTURE_GRID`] pixels, by linear interpolation between grid points.
fn smooth_noise(seed: u64, cell: u64, row: f64, column: f64) -> f64 {
    let (y, x) = (row / TEXTURE_GRID, column / TEXTURE_GRID);
    let (y0, x0) = (libm::floor(y), libm::floor(x));
    let corner = |dy: f64, dx: f64| {
        let (r, c) = ((y0 + dy) as i64 as u64 & 0xffff, (x0 + dx) as i64 as u64 & 0xffff);
        2.0 * uniform(seed, Stream::Texture, (cell << 32) | (r << 16) | c) - 1.0
    };
    let (fy, fx) = (y - y0, x - x0);
    let top = corner(0.0, 0.0) * (1.0 - fx) + corner(0.0, 1.0) * fx;
    let bottom = corner(1.0, 0.0) * (1.0 - fx) + corner(1.0, 1.0) * fx;
    top * (1.0 - fy) + bottom * fy
}

/// What a random number is for; numbers of different streams are independent.
#[derive(Clone, Copy)]
enum Stream {
    Cells = 1,
    Texture,
    Illumination,
    Haze,
    Noise,
}

/// A uniform number in [0, 1), a pure function of its arguments.
fn uniform(seed: u64, stream: Stream, index: u64) -> f64 {
    (hash(seed, stream, index) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// Two independent standard normal numbers (Box and Muller 1958).
fn normal_pair(seed: u64, index: u64) -> (f64, f64) {
    // 1 − u lies in (0, 1], so that its logarithm is finite.
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - uniform(seed, Stream::Noise, 2 * index)));
    let angle = TAU * uniform(seed, Stream::Noise, 2 * index + 1);
    (radius * libm::cos(angle), radius * libm::sin(angle))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014), applied once for the key and once for the counter.
/// Here it serves pictures only; the engine's own noise is what simulations use.
fn hash(seed: u64, stream: Stream, index: u64) -> u64 {
    let key = mix(seed ^ mix(stream as u64));
    mix(key.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;

    fn small() -> SyntheticCells {
        SyntheticCells { height: 60, width: 80, cells: 8, ..SyntheticCells::default() }
    }

    /// FNV-1a over the bits of all pixels and labels.
    fn fingerprint(drawn: &CellImage) -> u64 {
        let pixels = drawn.image.iter().flat_map(|g| g.to_bits().to_le_bytes());
        let labels = drawn.labels.iter().flat_map(|l| l.to_le_bytes());
        pixels.chain(labels).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    #[test]
    fn the_bits_of_seed_1_are_pinned() {
        // A change here is a reproducibility-breaking change.
        assert_eq!(format!("{:016x}", fingerprint(&small().draw(1).unwrap())), "a4c7d01dfb5eb0ce");
    }

    #[test]
    fn a_seed_gives_its_image_again_and_another_seed_another() {
        assert_eq!(small().draw(5).unwrap(), small().draw(5).unwrap());
        assert_ne!(small().draw(5).unwrap().mask, small().draw(6).unwrap().mask);
    }

    #[test]
    fn the_truth_is_the_ellipses() {
        let drawn = small().draw(2).unwrap();
        assert!(!drawn.cells.is_empty());
        for (at, &label) in drawn.labels.iter().enumerate() {
            let (r, c) = ((at / 80) as f64, (at % 80) as f64);
            let rho2 = |cell: &Cell| {
                let (dr, dc, (sin, cos)) = (r - cell.row, c - cell.column, cell.angle.sin_cos());
                ((dc * cos + dr * sin) / cell.long).powi(2) + ((dr * cos - dc * sin) / cell.short).powi(2)
            };
            let nearest = drawn.cells.iter().map(rho2).fold(f64::INFINITY, f64::min);
            assert_eq!(drawn.mask[at], nearest <= 1.0, "pixel {r}, {c}");
            assert_eq!(drawn.mask[at], label > 0);
            if label > 0 {
                // Nearness is compared in single precision.
                assert!(rho2(&drawn.cells[usize::from(label) - 1]) <= nearest + 1e-6);
            }
        }
    }

    #[test]
    fn without_overlap_cells_keep_apart() {
        let apart =
            SyntheticCells { overlap: 0.0, elongation: (1.0, 1.0), cells: 60, ..SyntheticCells::default() };
        let drawn = apart.draw(3).unwrap();
        assert!(drawn.cells.len() > 20);
        for (k, a) in drawn.cells.iter().enumerate() {
            for b in &drawn.cells[..k] {
                let distance = (a.row - b.row).hypot(a.column - b.column);
                assert!(distance >= a.long + b.long - 1e-9, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn cells_that_do_not_fit_are_left_out() {
        let crowded = SyntheticCells { cells: 500, overlap: 0.0, ..small() };
        let placed = crowded.draw(1).unwrap().cells.len();
        // Centres 14 pixels apart: discs of radius 7 in an area of (60 + 14) × (80 + 14), packed at most to
        // π/√12: 41.
        assert!((5..=41).contains(&placed), "{placed}");
    }

    #[test]
    fn a_clean_microscope_shows_the_plain_cells() {
        let clean = SyntheticCells {
            blur: 0.0,
            texture: 0.0,
            illumination: 0.0,
            haze: 0.0,
            photons: f64::INFINITY,
            read_noise: 0.0,
            ..small()
        };
        let drawn = clean.draw(4).unwrap();
        for (grey, &inside) in drawn.image.iter().zip(&drawn.mask) {
            if inside {
                assert!(*grey >= 0.08 + 0.35 * 0.6 - 1e-12 && *grey <= 0.08 + 0.75 + 1e-12);
            } else {
                assert_eq!(*grey, 0.08);
            }
        }
        let dark = SyntheticCells { bright_background: true, ..clean }.draw(4).unwrap();
        assert!(dark.image.iter().zip(&drawn.image).all(|(a, b)| (a + b - 1.0).abs() < 1e-12));
    }

    #[test]
    fn noise_has_the_variance_it_should() {
        // An empty, even image of 128 × 128 = n pixels: grey 0.3, variance v = 0.3/200 + 0.02². A sample
        // variance of n normal numbers has relative standard deviation √(2/n) = 0.0110 and the mean √(v/n);
        // at a false-alarm rate of 0.001 for each the bounds are 3.29 of these. Clipping at 0 and 1 lies 6.9
        // standard deviations away.
        let even = SyntheticCells {
            height: 128,
            width: 128,
            cells: 0,
            background: 0.3,
            illumination: 0.0,
            haze: 0.0,
            photons: 200.0,
            read_noise: 0.02,
            ..SyntheticCells::default()
        };
        let drawn = even.draw(11).unwrap();
        let n = drawn.image.len() as f64;
        let mean = drawn.image.iter().sum::<f64>() / n;
        let variance = drawn.image.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let wanted = 0.3 / 200.0 + 0.02f64.powi(2);
        assert!((mean - 0.3).abs() < 3.29 * (wanted / n).sqrt(), "{mean}");
        assert!((variance / wanted - 1.0).abs() < 3.29 * (2.0 / n).sqrt(), "{}", variance / wanted);
    }

    #[test]
    fn blur_keeps_the_light_of_an_even_image_and_spreads_a_point() {
        let mut even = vec![0.4; 12 * 7];
        blur_rows_and_columns(&mut even, 12, 7, 2.5);
        assert!(even.iter().all(|v| (v - 0.4).abs() < 1e-12));
        let mut point = vec![0.0; 41 * 41];
        point[20 * 41 + 20] = 1.0;
        blur_rows_and_columns(&mut point, 41, 41, 2.0);
        let moment = |f: &dyn Fn(f64, f64) -> f64| {
            point
                .iter()
                .enumerate()
                .map(|(k, v)| v * f((k / 41) as f64 - 20.0, (k % 41) as f64 - 20.0))
                .sum::<f64>()
        };
        assert!((moment(&|_, _| 1.0) - 1.0).abs() < 1e-12);
        // Cut at 3 σ a Gaussian keeps 97.3 % of its variance; sampling it changes little.
        assert!(
            (moment(&|r, _| r * r) / 4.0 - 0.973).abs() < 0.02
                && (moment(&|_, c| c * c) / 4.0 - 0.973).abs() < 0.02
        );
    }

    #[test]
    fn the_smallest_image_and_impossible_ones() {
        let tiny = SyntheticCells { height: 1, width: 1, ..small() };
        assert_eq!(tiny.draw(1).unwrap().image.len(), 1);
        let refused = |cells: SyntheticCells| cells.draw(1).unwrap_err().to_string();
        assert!(refused(SyntheticCells { height: 0, ..small() }).contains("0 × 80"));
        assert!(refused(SyntheticCells { height: usize::MAX, ..small() }).contains("pixels"));
        assert!(refused(SyntheticCells { height: 10_000, width: 10_000, ..small() }).contains("pixels"));
        assert!(refused(SyntheticCells { cells: 70_000, ..small() }).contains("labels"));
        assert!(refused(SyntheticCells { haze: f64::NAN, ..small() }).contains("haze"));
        assert!(refused(SyntheticCells { photons: 0.0, ..small() }).contains("photons"));
        assert!(refused(SyntheticCells { radius: (9.0, 4.0), ..small() }).contains("empty range"));
        assert!(refused(SyntheticCells { radius: (0.0, 4.0), ..small() }).contains("radius"));
    }
}
