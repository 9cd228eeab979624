//! Holds what a program is run with: the fields it reads, where its noise comes from, where its results go.

use glauber_numbers::noise::Key;

use crate::plane::Plane;

/// What a program reads besides its own memory.
pub struct Inputs<'a, F> {
    /// The state, layer by layer.
    pub layers: &'a [Plane<F>],
    /// Derivatives by the next state, in an adjoint.
    pub next_adjoints: &'a [Plane<F>],
    /// Data per site.
    pub fields: &'a [Plane<F>],
    /// What a loss compares with.
    pub targets: &'a [Plane<F>],
    /// Derivatives by the outputs.
    pub output_adjoints: &'a [f64],
    /// What the score of a draw is weighed with.
    pub advantage: f64,
    /// One plane, where a program reads it.
    pub local_advantage: &'a [Plane<F>],
    /// Where the noise comes from.
    pub address: Address,
}

/// Where in the run a program stands: this decides its noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Address {
    /// The seed of the run.
    pub seed: u64,
    /// Which replicate.
    pub replicate: u32,
    /// Which step.
    pub step: u32,
    /// Added to the numbers of the program's draws, so that two programs run at one step draw apart.
    pub first_draw: u32,
}

impl Address {
    /// The key of a draw at a lane.
    pub fn key(&self, draw: u32, lane: u32) -> Key {
        Key::new(self.seed, self.replicate, self.step, self.first_draw.wrapping_add(draw), lane)
    }
}

/// The fields and numbers a program leaves. Fields it does not mention stay as they are.
pub struct Results<'a, F> {
    /// The next state.
    pub next_layers: &'a mut [Plane<F>],
    /// Derivatives by the state.
    pub layer_adjoints: &'a mut [Plane<F>],
    /// Whether derivatives by layers are added to what is there rather than written over it.
    pub add_layer_adjoints: bool,
    /// Derivatives by fields.
    pub field_adjoints: &'a mut [Plane<F>],
    /// What an observation leaves.
    pub outputs: &'a mut [f64],
    /// Derivatives are added.
    pub parameter_adjoints: &'a mut [f64],
}

impl<F> Inputs<'_, F> {
    /// For a program that reads nothing.
    pub fn nothing() -> Inputs<'static, F> {
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
