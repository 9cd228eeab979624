//! Finds where in padded memory the sites stand that random words pick.

use crate::layout::Layout;

/// An axis of a lattice, as sites are picked along it.
#[derive(Clone, Copy, Debug)]
struct Axis {
    /// How many sites it has, and how far apart in a padded plane they stand.
    length: u32,
    stride: u32,
    /// A coordinate below the first, or from the second on, is near an edge.
    near: [u32; 2],
}

/// How sites are picked by 64 random bits: of row-major number ⌊bits · sites / 2⁶⁴⌋, axis by axis.
#[derive(Clone, Debug)]
pub struct Axes {
    /// Those along which there is more than one site or a margin, and where the first site stands.
    axes: Vec<Axis>,
    origin: u32,
}

impl Axes {
    /// The axes of a layout.
    pub fn new(layout: &Layout) -> Axes {
        let (extent, margin) = (layout.extent(), layout.margin());
        let padded = [0, 1, 2].map(|k| extent[k] + 2 * margin[k]);
        let strides = [padded[1] * padded[2], padded[2], 1];
        let axis = |k: usize| Axis {
            length: extent[k] as u32,
            stride: strides[k] as u32,
            near: [2 * margin[k], extent[k].saturating_sub(2 * margin[k])].map(|x| x as u32),
        };
        let axes = (0..3).filter(|k| extent[*k] > 1 || margin[*k] > 0).map(axis).collect();
        Axes { axes, origin: (0..3).map(|k| margin[k] * strides[k]).sum::<usize>() as u32 }
    }

    /// Where the sites stand that pairs of words pick, high word first, and whether each is near an edge: whether a margin may
    /// show it, or a site that is no farther from it than the margin is wide.
    #[inline(always)]
    pub fn pick(&self, [high, low]: [&[u32]; 2], places: &mut [u32], near_edge: &mut [bool]) {
        /// So many at a time, which stay in registers and the nearest cache.
        const PART: usize = 64;
        let words = high.chunks(PART).zip(low.chunks(PART));
        let found = places.chunks_mut(PART).zip(near_edge.chunks_mut(PART));
        for ((high, low), (places, near_edge)) in words.zip(found) {
            let (mut rest, mut near) = ([0_u64; PART], [0_u32; PART]);
            for (rest, (high, low)) in rest.iter_mut().zip(high.iter().zip(low)) {
                *rest = u64::from(*high) << 32 | u64::from(*low);
            }
            places.fill(self.origin);
            for axis in &self.axes {
                for (rest, (place, near)) in rest.iter_mut().zip(places.iter_mut().zip(&mut near)) {
                    let (at, below) = split(*rest, axis.length);
                    *rest = below;
                    *place = place.wrapping_add(at.wrapping_mul(axis.stride));
                    *near |= u32::from(at < axis.near[0]) | u32::from(at >= axis.near[1]);
                }
            }
            for (to, near) in near_edge.iter_mut().zip(near) {
                *to = near != 0;
            }
        }
    }

    /// Where one site stands that 64 bits pick.
    pub fn place(&self, bits: u64) -> usize {
        let (mut rest, mut place) = (bits, self.origin);
        for axis in &self.axes {
            let (at, below) = split(rest, axis.length);
            rest = below;
            place += at * axis.stride;
        }
        place as usize
    }
}

/// ⌊bits · length / 2⁶⁴⌋ and the 64 bits below: by products of 32 bits, which vectors have.
#[inline(always)]
fn split(bits: u64, length: u32) -> (u32, u64) {
    let length = u64::from(length);
    let lower = (bits & 0xffff_ffff) * length;
    let upper = (bits >> 32) * length + (lower >> 32);
    ((upper >> 32) as u32, upper << 32 | lower & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_split_as_one_of_128_bits_is() {
        for bits in [0, 1, u64::MAX, 0x9e37_79b9_7f4a_7c15, 0xffff_ffff, 1 << 63] {
            for length in [1, 2, 3, 255, 256, 4097, u32::MAX] {
                let whole = u128::from(bits) * u128::from(length);
                assert_eq!(split(bits, length), ((whole >> 64) as u32, whole as u64), "{bits} {length}");
            }
        }
    }
}
