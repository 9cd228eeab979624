//! Adds up sums over boxes from rows of a table, and turns them into what draws are worth.

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

/// Adds to a row of sums what lies in the window about each place, by the corners' sums along it.
#[inline(always)]
pub(super) fn add(corners: &[Corner<'_>], window: Window, room: &mut Vec<i64>, sums: &mut [i64]) {
    let width = sums.len();
    let signed = |corner: &Corner<'_>, x: i64| if corner.taken { x.wrapping_neg() } else { x };
    let Some(radius) = window.radius else {
        let last = corners.iter().map(|c| signed(c, c.row[width - 1]));
        let all = last.fold(0, i64::wrapping_add);
        sums.iter_mut().for_each(|sum| *sum = sum.wrapping_add(all));
        return;
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
    let (before, after) = (&room[..width], &room[2 * radius + 1..]);
    for ((sum, before), after) in sums.iter_mut().zip(before).zip(after) {
        *sum = sum.wrapping_add(after.wrapping_sub(*before));
    }
}

/// Rewrites sums, in units of `worth`, as what a draw at each site is worth.
#[inline(always)]
pub(super) fn worth<F: Lane>(sums: &[i64], (whole, worth, rest): (i64, f64, f64), to: &mut [F]) {
    for (to, sum) in to.iter_mut().zip(sums) {
        *to = F::from_f64(real(sum.wrapping_add(whole)) * worth + rest);
    }
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
