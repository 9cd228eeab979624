//! Reads a field transposed on a lattice with reflecting edges, where several sites see the same one.

use glauber_lattice::{Layout, Offset};

use crate::kernels::Lane;
use glauber_backend::plane::Plane;

/// A transposed read: every site hands its number to the sites it would have read from.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) members: Vec<(Offset, f64)>,
    /// The scalar that picks one member; all are summed where there is none.
    pub(crate) direction: Option<u32>,
}

impl Fold {
    /// Runs it from one temporary into another.
    pub(crate) fn run<F: Lane>(
        &self,
        layout: &Layout,
        boundaries: [glauber_lattice::Boundary; 3],
        planes: &mut [Plane<F>],
        chosen: Option<usize>,
    ) {
        let from = planes[self.from as usize].dense(layout);
        let mut to = vec![F::ZERO; layout.padded_len()];
        let [depth, height, width] = layout.extent();
        let members = match chosen {
            Some(member) => &self.members[member.min(self.members.len() - 1)..][..1],
            None => &self.members[..],
        };
        for (site, value) in from.into_iter().enumerate() {
            let at = [site / (height * width), site / width % height, site % width];
            for (offset, weight) in members {
                let source = |axis: usize, length: usize| {
                    boundaries[axis].source(at[axis] as i64 + i64::from(offset[axis]), length)
                };
                if let (Some(z), Some(y), Some(x)) = (source(0, depth), source(1, height), source(2, width)) {
                    let place = layout.row(z * height + y) + x;
                    to[place] = to[place] + F::from_f64(weight * value);
                }
            }
        }
        planes[self.to as usize] = Plane::Real(to);
    }
}
