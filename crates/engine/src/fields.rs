//! Copies numbers per site into planes.

use glauber_backend::{FieldData, Numbers};
use glauber_lattice::Layout;

use crate::kernels::Lane;
use crate::plane::{Margin, Plane};

/// Copies one replicate's field into a plane.
pub(crate) fn set<F: Lane>(
    plane: &mut Plane<F>,
    layout: &Layout,
    margin: Margin,
    data: &FieldData,
    replicate: usize,
) {
    let from = data.place(replicate, layout.sites());
    if let Numbers::Bytes(bytes) = data.numbers() {
        if plane.set_bytes(layout, margin, &bytes[from..from + layout.sites()]) {
            return;
        }
    }
    plane.set_dense(layout, margin, |site| data.numbers().at(from + site));
}
