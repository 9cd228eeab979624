//! Copies numbers per site into planes.

use glauber_backend::{FieldData, Numbers};
use glauber_lattice::Layout;

use crate::kernels::Lane;
use glauber_backend::plane::{Margin, Plane};

/// Copies one replicate's field into a plane.
pub(crate) fn set<F: Lane>(
    plane: &mut Plane<F>,
    layout: &Layout,
    margin: Margin,
    data: &FieldData,
    replicate: usize,
) {
    let from = data.place(replicate, layout.sites());
    let own = from..from + layout.sites();
    match data.numbers() {
        Numbers::Bytes(bytes) => {
            if !plane.set_bytes(layout, margin, &bytes[own.clone()]) {
                plane.copy_dense(layout, margin, &bytes[own]);
            }
        }
        Numbers::Reals(reals) => plane.copy_dense(layout, margin, &reals[own]),
    }
}
