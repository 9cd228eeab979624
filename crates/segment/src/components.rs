//! Labels the separate objects of a mask: connected components.
//!
//! Two foreground pixels belong together where a path of foreground neighbours joins them: 4 neighbours
//! (sides) or 8 (sides and corners). The border of the image ends an object, also where the energy's lattice
//! is periodic. Labels are numbered from 1 in the order of each object's first pixel, row by row; 0 is background.
//!
//! Method: union–find over one pass in memory order (Rosenfeld and Pfaltz 1966; Wu, Otoo and Suzuki 2009),
//! the smaller number being the root. Memory: 4 bytes per pixel for the roots beside the 2 of the result.
//!
//! ```
//! use glauber_segment::{Mask, Connectivity, label_objects};
//! let mask = Mask::new(2, 3, vec![true, false, true, false, true, false])?;
//! assert_eq!(label_objects(&mask, Connectivity::Sides, 1)?.labels, [1, 0, 2, 0, 3, 0]);
//! assert_eq!(label_objects(&mask, Connectivity::SidesAndCorners, 1)?.areas, [3]);
//! # Ok::<(), glauber_segment::SegmentationError>(())
//! ```

use serde::{Deserialize, Serialize};

use super::{Mask, SegmentationError};

/// Which foreground pixels touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connectivity {
    /// The 4 neighbours that share a side.
    Sides,
    /// The 8 neighbours that share a side or a corner.
    SidesAndCorners,
}

/// The objects of a mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objects {
    /// The object of each pixel, row by row; 0 for background.
    pub labels: Vec<u16>,
    /// The pixels of objects 1, 2, ….
    pub areas: Vec<usize>,
}

/// Labels the objects of `mask` that have at least `least_area` pixels; smaller ones become background.
/// Fails where more than 65,535 remain.
pub fn label_objects(
    mask: &Mask,
    connectivity: Connectivity,
    least_area: usize,
) -> Result<Objects, SegmentationError> {
    let mut roots = join(mask, connectivity);
    let areas = areas_of_roots(&mut roots);
    let kept: Vec<usize> = areas.into_iter().filter(|&area| area >= least_area).collect();
    if kept.len() > usize::from(u16::MAX) {
        return Err(SegmentationError::TooManyObjects { found: kept.len() });
    }
    // A second look over the roots, now numbered, drops the small ones.
    let mut all_areas = vec![0usize; roots.iter().copied().max().unwrap_or(0) as usize + 1];
    roots.iter().for_each(|&number| all_areas[number as usize] += 1);
    let mut next = 0;
    let numbers: Vec<u16> = all_areas
        .iter()
        .enumerate()
        .map(|(number, &area)| {
            let keep = number > 0 && area >= least_area;
            next += u16::from(keep);
            if keep { next } else { 0 }
        })
        .collect();
    let labels = roots.iter().map(|&number| numbers[number as usize]).collect();
    Ok(Objects { labels, areas: kept })
}

/// For each pixel 0 (background) or 1 + the position of a pixel of the same object; roots point to themselves.
fn join(mask: &Mask, connectivity: Connectivity) -> Vec<u32> {
    let (width, inside) = (mask.width(), mask.inside());
    let mut roots = vec![0u32; inside.len()];
    for at in 0..inside.len() {
        if !inside[at] {
            continue;
        }
        roots[at] = at as u32 + 1;
        let column = at % width;
        if column > 0 && inside[at - 1] {
            unite(&mut roots, at, at - 1);
        }
        if at >= width {
            if inside[at - width] {
                unite(&mut roots, at, at - width);
            }
            if connectivity == Connectivity::SidesAndCorners {
                if column > 0 && inside[at - width - 1] {
                    unite(&mut roots, at, at - width - 1);
                }
                if column + 1 < width && inside[at - width + 1] {
                    unite(&mut roots, at, at - width + 1);
                }
            }
        }
    }
    roots
}

fn root(roots: &mut [u32], mut at: usize) -> usize {
    while roots[at] as usize != at + 1 {
        let above = roots[at] as usize - 1;
        roots[at] = roots[above]; // halve the path
        at = roots[at] as usize - 1;
    }
    at
}

fn unite(roots: &mut [u32], a: usize, b: usize) {
    let (a, b) = (root(roots, a), root(roots, b));
    // The earlier pixel is the root, so that objects are numbered by their first pixel.
    let (first, other) = if a < b { (a, b) } else { (b, a) };
    roots[other] = first as u32 + 1;
}

/// Numbers the roots 1, 2, … in place of the positions and returns their areas.
fn areas_of_roots(roots: &mut [u32]) -> Vec<usize> {
    let mut areas = Vec::new();
    for at in 0..roots.len() {
        if roots[at] == 0 {
            continue;
        }
        // Roots come first in memory order: a pixel that points to an earlier one finds it already numbered.
        let above = roots[at] as usize - 1;
        let number = if above == at {
            areas.push(0);
            areas.len() as u32
        } else {
            roots[above]
        };
        roots[at] = number;
        areas[number as usize - 1] += 1;
    }
    areas
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mask(rows: &[&str]) -> Mask {
        let inside = rows.iter().flat_map(|row| row.bytes().map(|byte| byte == b'#')).collect();
        Mask::new(rows.len(), rows[0].len(), inside).unwrap()
    }

    /// Labels by flood fill, the obvious way.
    fn flood(mask: &Mask, corners: bool) -> Vec<u16> {
        let (height, width) = (mask.height() as isize, mask.width() as isize);
        let mut labels = vec![0u16; mask.inside().len()];
        let mut next = 0;
        for start in 0..labels.len() {
            if !mask.inside()[start] || labels[start] > 0 {
                continue;
            }
            next += 1;
            let mut todo = vec![start];
            while let Some(at) = todo.pop() {
                labels[at] = next;
                let (r, c) = (at as isize / width, at as isize % width);
                for (dr, dc) in (-1..=1).flat_map(|dr| (-1..=1).map(move |dc| (dr, dc))) {
                    let (r, c) = (r + dr, c + dc);
                    let near =
                        (corners || dr * dc == 0) && (0..height).contains(&r) && (0..width).contains(&c);
                    if near {
                        let to = (r * width + c) as usize;
                        if mask.inside()[to] && labels[to] == 0 {
                            todo.push(to);
                        }
                    }
                }
            }
        }
        labels
    }

    #[test]
    fn a_u_and_a_dot() {
        let m = mask(&["#.#.", "#.#.", "###.", "...#"]);
        let sides = label_objects(&m, Connectivity::Sides, 1).unwrap();
        assert_eq!(sides.labels, [1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 2]);
        assert_eq!(sides.areas, [7, 1]);
        assert_eq!(label_objects(&m, Connectivity::SidesAndCorners, 1).unwrap().areas, [8]);
        assert_eq!(label_objects(&m, Connectivity::Sides, 2).unwrap().areas, [7]);
        assert_eq!(label_objects(&m, Connectivity::Sides, 8).unwrap().labels, [0; 16]);
    }

    #[test]
    fn the_torus_does_not_join_and_an_empty_mask_has_no_objects() {
        assert_eq!(label_objects(&mask(&["#..#"]), Connectivity::Sides, 1).unwrap().areas, [1, 1]);
        assert_eq!(label_objects(&mask(&["...."]), Connectivity::Sides, 1).unwrap().areas, [0usize; 0]);
    }

    #[test]
    fn any_mask_agrees_with_flood_fill() {
        let mut state = 5u64;
        for case in 0..200usize {
            let (height, width) = (case % 9 + 1, case % 13 + 1);
            let inside = (0..height * width)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (state >> 60) as usize > case % 12
                })
                .collect();
            let m = Mask::new(height, width, inside).unwrap();
            for (connectivity, corners) in
                [(Connectivity::Sides, false), (Connectivity::SidesAndCorners, true)]
            {
                assert_eq!(label_objects(&m, connectivity, 1).unwrap().labels, flood(&m, corners), "{m:?}");
            }
        }
    }

    #[test]
    fn more_objects_than_16_bits_tell_apart_are_refused_until_small_ones_are_dropped() {
        // A comb of single pixels: 513 × 257 of them are isolated.
        let (height, width) = (2 * 257, 2 * 257);
        let inside: Vec<bool> =
            (0..height * width).map(|at| at / width % 2 == 0 && at % width % 2 == 0).collect();
        let m = Mask::new(height, width, inside).unwrap();
        let error = label_objects(&m, Connectivity::Sides, 1).unwrap_err();
        assert_eq!(error, SegmentationError::TooManyObjects { found: 257 * 257 });
        assert_eq!(label_objects(&m, Connectivity::Sides, 2).unwrap().areas.len(), 0);
    }
}
