//! Decides whether a copy would cut the losing cell where it happens.
//!
//! The sites of the losing cell among the target's Moore neighbours must hang together among themselves, by Moore steps from
//! one to another, once the target is gone. Local: a cell whose parts meet elsewhere (a ring) counts as cut, and a cell that
//! is in pieces already is not mended. A cell without any such neighbour loses a whole piece, which cuts nothing.

use glauber_lattice::Offset;

/// Which Moore neighbours of a site touch one another.
#[derive(Clone, Debug)]
pub struct Ring {
    /// For each neighbour the set of those that touch it, a bit each in the order of the offsets.
    touching: Vec<u32>,
    /// The answer for every set, where there are few neighbours.
    table: Vec<bool>,
}

impl Ring {
    /// The ring of a neighbourhood of at most 32 offsets.
    pub fn new(offsets: &[Offset]) -> Ring {
        let near = |a: &Offset, b: &Offset| a != b && (0..3).all(|axis| (a[axis] - b[axis]).abs() <= 1);
        let set = |a: &Offset| {
            offsets.iter().enumerate().fold(0, |set, (bit, b)| set | u32::from(near(a, b)) << bit)
        };
        let mut ring = Ring { touching: offsets.iter().map(set).collect(), table: Vec::new() };
        if offsets.len() <= 8 {
            ring.table = (0..1 << offsets.len()).map(|members| ring.flood(members)).collect();
        }
        ring
    }

    /// Whether these neighbours (a bit each) hang together.
    pub fn holds_together(&self, members: u32) -> bool {
        self.table.get(members as usize).copied().unwrap_or_else(|| self.flood(members))
    }

    /// From the first member, everything that can be reached.
    fn flood(&self, members: u32) -> bool {
        let mut reached = members & members.wrapping_neg();
        let mut front = reached;
        while front != 0 {
            let next = self.touching[front.trailing_zeros() as usize] & members & !reached;
            front = (front & (front - 1)) | next;
            reached |= next;
        }
        reached == members
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_lattice::{Moore, Neighbours};

    /// 2-D: on the circle of eight, a set hangs together if it is one arc, where a corner between two members may be missing.
    #[test]
    fn arcs_hang_together_in_two_dimensions() {
        let offsets = Moore.on(2).offsets().to_vec();
        let ring = Ring::new(&offsets);
        // Clockwise from north west; corners at even places.
        let circle = [[-1, -1], [-1, 0], [-1, 1], [0, 1], [1, 1], [1, 0], [1, -1], [0, -1]];
        for set in 0..256_u32 {
            let mut members = 0;
            for (place, [y, x]) in circle.iter().enumerate() {
                if set >> place & 1 == 1 {
                    let bit = offsets.iter().position(|o| *o == [0, *y, *x]).unwrap();
                    members |= 1 << bit;
                }
            }
            // A missing corner between two sides is no gap, since the sides touch.
            let has = |place: usize| set >> (place % 8) & 1 == 1;
            let filled = |place: usize| has(place) || (place % 2 == 0 && has(place + 7) && has(place + 1));
            let gaps = (0..8).filter(|&place| filled(place) && !filled(place + 1)).count();
            assert_eq!(ring.holds_together(members), gaps <= 1, "{set:08b}");
        }
    }

    #[test]
    fn opposite_faces_do_not_hang_together_in_three_dimensions() {
        let offsets = Moore.on(3).offsets().to_vec();
        let ring = Ring::new(&offsets);
        let set = |which: &[Offset]| {
            which.iter().fold(0, |set, o| set | 1 << offsets.iter().position(|p| p == o).unwrap())
        };
        assert!(ring.holds_together(0));
        assert!(ring.holds_together((1 << 26) - 1));
        assert!(!ring.holds_together(set(&[[1, 0, 0], [-1, 0, 0]])));
        assert!(ring.holds_together(set(&[[1, 0, 0], [0, 1, 0]])));
        assert!(ring.holds_together(set(&[[1, 0, 0], [0, 1, 0], [-1, 0, 0]])));
        assert!(!ring.holds_together(set(&[[1, 1, 1], [0, 0, -1]])));
    }
}
