//! Finds fields that a step makes on its way and its adjoint needs again: they are kept with each state, not made twice.
//!
//! Such a field (Malevanets–Kapral's plane of excited particles) lies behind the layers of the state that the step began
//! with, and the adjoint reads it as if it were one more layer.

use std::collections::BTreeMap;

use glauber_lattice::Storage;
use glauber_program::passes::twins;
use glauber_program::{Program, ValueId};

use crate::compile::Code;
use crate::kernels::Lane;
use crate::plane::{Margin, Plane};

/// The fields of one step that are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Which of the step's temporaries, and as what they are stored.
    pub(crate) temporaries: Vec<(u32, Storage)>,
    /// Their values in the step's program.
    values: Vec<ValueId>,
}

impl Kept {
    /// Temporaries of a step that its adjoint has too. Only whole numbers of up to 16 bits are kept: they take no more
    /// memory than the layers, and reading them is quicker than making them again.
    pub(crate) fn find(step: &Code, adjoint: &Program) -> Kept {
        let twins = twins(&step.program, adjoint);
        let mut kept = Kept::default();
        for (number, (value, storage)) in step.temporaries.iter().enumerate() {
            let number = number as u32;
            let small = matches!(storage, Storage::U8 | Storage::I16);
            let with_margin = step.passes.iter().any(|p| p.margins.contains(&(number, Margin::Lattice)));
            if small && with_margin && twins.contains_key(value) {
                kept.temporaries.push((number, *storage));
                kept.values.push(*value);
            }
        }
        kept
    }

    /// The values of the adjoint that need not be made, with their places behind the layers.
    pub(crate) fn given(&self, step: &Code, adjoint: &Program) -> BTreeMap<ValueId, u32> {
        let twins = twins(&step.program, adjoint);
        let layers = adjoint.declarations().layers.len();
        let place = |(place, value): (usize, &ValueId)| Some((*twins.get(value)?, (layers + place) as u32));
        self.values.iter().enumerate().filter_map(place).collect()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.temporaries.is_empty()
    }

    /// The bytes of one state's kept fields for each padded site.
    pub(crate) fn bytes(&self) -> usize {
        self.temporaries.iter().map(|(_, storage)| storage.bytes()).sum()
    }

    /// Takes the fields that a step has just made, leaving planes to be used again.
    pub(crate) fn take<F: Lane>(
        &self,
        made: &mut [Plane<F>],
        spare: &mut Vec<Plane<F>>,
        zeros: impl Fn(&Storage) -> Plane<F>,
    ) -> Vec<Plane<F>> {
        let own = |(number, storage): &(u32, Storage)| {
            let fits = spare.iter().position(|plane| plane.storage() == *storage);
            let room = fits.map_or_else(|| zeros(storage), |place| spare.swap_remove(place));
            std::mem::replace(&mut made[*number as usize], room)
        };
        self.temporaries.iter().map(own).collect()
    }
}
