//! Holds what a program is run with: the fields it reads, where its noise comes from, where its results go.

use glauber_numbers::noise::Key;

use crate::plane::Plane;

/// What a program reads besides its own memory.
pub(crate) struct Inputs<'a, F> {
    pub(crate) layers: &'a [Plane<F>],
    pub(crate) next_adjoints: &'a [Plane<F>],
    pub(crate) fields: &'a [Plane<F>],
    pub(crate) targets: &'a [Plane<F>],
    pub(crate) output_adjoints: &'a [f64],
    pub(crate) advantage: f64,
    /// One plane, where a program reads it.
    pub(crate) local_advantage: &'a [Plane<F>],
    /// Where the noise comes from.
    pub(crate) address: Address,
}

/// Where in the run a program stands: this decides its noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Address {
    pub(crate) seed: u64,
    pub(crate) replicate: u32,
    pub(crate) step: u32,
    /// Added to the numbers of the program's draws, so that two programs run at one step draw apart.
    pub(crate) first_draw: u32,
}

impl Address {
    pub(crate) fn key(&self, draw: u32, lane: u32) -> Key {
        Key::new(self.seed, self.replicate, self.step, self.first_draw.wrapping_add(draw), lane)
    }
}

/// The fields and numbers a program leaves. Fields it does not mention stay as they are.
pub(crate) struct Results<'a, F> {
    pub(crate) next_layers: &'a mut [Plane<F>],
    pub(crate) layer_adjoints: &'a mut [Plane<F>],
    /// Whether derivatives by layers are added to what is there rather than written over it.
    pub(crate) add_layer_adjoints: bool,
    pub(crate) field_adjoints: &'a mut [Plane<F>],
    pub(crate) outputs: &'a mut [f64],
    /// Derivatives are added.
    pub(crate) parameter_adjoints: &'a mut [f64],
}

impl<F> Inputs<'_, F> {
    pub(crate) fn nothing() -> Inputs<'static, F> {
        Inputs {
            layers: &[],
            next_adjoints: &[],
            fields: &[],
            targets: &[],
            output_adjoints: &[],
            advantage: 0.0,
            local_advantage: &[],
            address: Address { seed: 0, replicate: 0, step: 0, first_draw: 0 },
        }
    }
}
