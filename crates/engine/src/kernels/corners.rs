//! Adds up sums over boxes from rows of a table, and turns them into what draws are worth; turns terms into whole numbers.

use crate::kernels::Lane;

/// A row of a table of sums that boxes are differences of.
#[derive(Clone, Copy)]
pub(crate) struct Corner<'a> {
    /// At each place the sum up to it, along the row too.
    pub(crate) row: &'a [i64],
    /// Whether it is taken off.
    pub(crate) taken: bool,
}

/// What of a row lies in a box.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    /// So much on each side; nothing where it is the whole row.
    pub(crate) radius: Option<usize>,
    /// Whether the row is a ring.
    pub(crate) periodic: bool,
}

/// What lies in the windows of a row.
enum Inside<'r> {
    /// The same about every place.
    Everywhere(i64),
    /// At each place a number of the second row less one of the first.
    Between(&'r [i64], &'r [i64]),
}

/// What lies in the window about each of `width` places, by the corners' sums along the row.
#[inline(always)]
fn inside<'r>(corners: &[Corner<'_>], window: Window, width: usize, room: &'r mut Vec<i64>) -> Inside<'r> {
    let signed = |corner: &Corner<'_>, x: i64| if corner.taken { x.wrapping_neg() } else { x };
    let Some(radius) = window.radius else {
        let last = corners.iter().map(|c| signed(c, c.row[width - 1]));
        return Inside::Everywhere(last.fold(0, i64::wrapping_add));
    };
    // `radius` numbers before the row, none for "up to nowhere", the row, `radius` beyond it.
    room.resize(width + 2 * radius + 1, 0);
    room[radius] = 0;
    let own = &mut room[radius + 1..radius + 1 + width];
    match corners {
        [one] => own.copy_from_slice(one.row),
        [one, other] if !one.taken && other.taken => {
            for ((to, a), b) in own.iter_mut().zip(one.row).zip(other.row) {
                *to = a.wrapping_sub(*b);
            }
        }
        [one, other, third] if !one.taken && !other.taken && third.taken => {
            for (((to, a), b), c) in own.iter_mut().zip(one.row).zip(other.row).zip(third.row) {
                *to = a.wrapping_add(*b).wrapping_sub(*c);
            }
        }
        _ => {
            own.fill(0);
            for corner in corners {
                match corner.taken {
                    true => own.iter_mut().zip(corner.row).for_each(|(to, x)| *to = to.wrapping_sub(*x)),
                    false => own.iter_mut().zip(corner.row).for_each(|(to, x)| *to = to.wrapping_add(*x)),
                }
            }
        }
    }
    let total = room[radius + width];
    for k in 0..radius {
        room[k] = if window.periodic { room[k + width].wrapping_sub(total) } else { 0 };
    }
    for k in 1..=radius {
        let around = if window.periodic { room[radius + k] } else { 0 };
        room[radius + width + k] = total.wrapping_add(around);
    }
    Inside::Between(&room[..width], &room[2 * radius + 1..])
}

/// Adds to a row of sums what lies in the window about each place, by the corners' sums along it.
#[inline(always)]
pub(super) fn add(corners: &[Corner<'_>], window: Window, room: &mut Vec<i64>, sums: &mut [i64]) {
    match inside(corners, window, sums.len(), room) {
        Inside::Everywhere(all) => sums.iter_mut().for_each(|sum| *sum = sum.wrapping_add(all)),
        Inside::Between(before, after) => {
            for ((sum, before), after) in sums.iter_mut().zip(before).zip(after) {
                *sum = sum.wrapping_add(after.wrapping_sub(*before));
            }
        }
    }
}

/// Writes what a draw at each place of a row is worth, of which the window holds all there is to sum up.
#[inline(always)]
pub(super) fn worth_inside<F: Lane>(
    corners: &[Corner<'_>],
    window: Window,
    room: &mut Vec<i64>,
    each: Worth,
    to: &mut [F],
) {
    match inside(corners, window, to.len(), room) {
        Inside::Everywhere(all) => to.fill(each.of(all)),
        Inside::Between(before, after) => {
            for ((to, before), after) in to.iter_mut().zip(before).zip(after) {
                *to = each.of(after.wrapping_sub(*before));
            }
        }
    }
}

/// What draws are worth by the sums that lie ahead of them.
#[derive(Clone, Copy)]
pub(crate) struct Worth {
    /// What is added to every sum.
    pub(crate) whole: i64,
    /// What a unit of sums is worth.
    pub(crate) unit: f64,
    /// What every draw is worth besides.
    pub(crate) rest: f64,
}

impl Worth {
    #[inline(always)]
    pub(crate) fn of<F: Lane>(self, sum: i64) -> F {
        F::from_f64(real(sum.wrapping_add(self.whole)) * self.unit + self.rest)
    }
}

/// Rewrites sums as what a draw at each site is worth.
#[inline(always)]
pub(super) fn worth<F: Lane>(sums: &[i64], each: Worth, to: &mut [F]) {
    for (to, sum) in to.iter_mut().zip(sums) {
        *to = each.of(*sum);
    }
}

/// Adds terms, in whole units, to sums.
#[inline(always)]
pub(super) fn add_terms<F: Lane>(terms: &[F], units: f64, sums: &mut [i64]) {
    for (sum, x) in sums.iter_mut().zip(terms) {
        *sum += whole(*x, units);
    }
}

/// Writes terms, in whole units, as `count` times each less what `sums` has there; without sums as they are.
#[inline(always)]
pub(super) fn leads<F: Lane>(terms: &[F], units: f64, of: Option<(i64, &[i64])>, to: &mut [i64]) {
    match of {
        Some((count, sums)) => {
            for ((to, x), sum) in to.iter_mut().zip(terms).zip(sums) {
                *to = whole(*x, units) * count - sum;
            }
        }
        None => to.iter_mut().zip(terms).for_each(|(to, x)| *to = whole(*x, units)),
    }
}

/// Adding this rounds a number of less than 2⁵¹ to a whole one, which its last bits then are.
const ROUNDING: f64 = 6_755_399_441_055_744.0;

/// A term in whole units.
#[inline(always)]
fn whole<F: Lane>(x: F, units: f64) -> i64 {
    let rounded = x.to_f64() * units + ROUNDING;
    rounded.to_bits() as i64 - ROUNDING.to_bits() as i64
}

/// The number as a real one, rounded as `as f64` is; in steps that vectors have, too.
#[inline(always)]
fn real(x: i64) -> f64 {
    // 2⁵² and a low half; 2⁸⁴, 2⁶³ and a high one; what is too much in their sum.
    const LOW: u64 = 0x4330_0000_0000_0000;
    const HIGH: u64 = 0x4530_0000_8000_0000;
    const ADDED: u64 = 0x4530_0000_8010_0000;
    let bits = x as u64;
    let low = f64::from_bits((bits & 0xffff_ffff) | LOW);
    let high = f64::from_bits((bits >> 32) ^ HIGH) - f64::from_bits(ADDED);
    high + low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_become_the_nearest_real_ones() {
        let mut x = 1u64;
        for k in 0..100_000u32 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for number in
                [x as i64 >> (k % 64), i64::from(k) - 7, i64::MAX - i64::from(k), i64::MIN + i64::from(k)]
            {
                assert_eq!(real(number).to_bits(), (number as f64).to_bits(), "{number}");
            }
        }
        assert_eq!(real(0).to_bits(), 0f64.to_bits());
    }
}
