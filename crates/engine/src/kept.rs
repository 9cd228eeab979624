//! Finds fields that a step makes on its way and its adjoint needs again: they are kept with each state, not made twice.
//!
//! Such a field (Malevanets–Kapral's plane of excited particles) lies behind the layers of the state that the step began
//! with, and the adjoint reads it as if it were one more layer. Behind these lie layers of the state that the step led to,
//! where what was drawn is the layer's next value: the adjoint reads what came out, and draws nothing again.

use std::collections::{BTreeMap, HashMap, HashSet};

use glauber_lattice::Storage;
use glauber_program::passes::twins;
use glauber_program::{Binary, Op, Program, Sink, Update, ValueId, dataflow};

use crate::compile::Code;
use crate::kernels::Lane;
use glauber_backend::plane::{Margin, Plane};

/// The fields of one step that are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Which of the step's temporaries, and as what they are stored.
    pub(crate) temporaries: Vec<(u32, Storage)>,
    /// Their values in the step's program.
    values: Vec<ValueId>,
    /// Layers whose next values the adjoint reads, and these in the step's program.
    outcomes: Vec<(u32, ValueId)>,
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
        kept.outcomes = outcomes(&step.program, adjoint, &twins);
        kept
    }

    /// The layers of the state after a step that its adjoint reads, in the order in which they lie behind what is kept.
    pub(crate) fn outcomes(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.outcomes.iter().map(|(layer, _)| *layer as usize)
    }

    /// The values of the adjoint that need not be made, with their places behind the layers.
    pub(crate) fn given(&self, step: &Code, adjoint: &Program) -> BTreeMap<ValueId, u32> {
        let twins = twins(&step.program, adjoint);
        let layers = adjoint.declarations().layers.len();
        let place = |(place, value): (usize, &ValueId)| Some((*twins.get(value)?, (layers + place) as u32));
        let made = self.values.iter().chain(self.outcomes.iter().map(|(_, value)| value));
        made.enumerate().filter_map(place).collect()
    }

    /// Whether no fields are kept with a state.
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

/// Layers whose next value is what was drawn, where the adjoint would draw it again.
fn outcomes(step: &Program, adjoint: &Program, twins: &HashMap<ValueId, ValueId>) -> Vec<(u32, ValueId)> {
    // A colour's draws are no layer's next values: other colours' come after them.
    if step.declarations().update != Update::Synchronous {
        return Vec::new();
    }
    let is_noise = |_, op: &Op| matches!(op, Op::Uniform { .. } | Op::Centred { .. } | Op::Count { .. });
    let drawn = dataflow::dependent(step.instructions(), is_noise, |_, _| false);
    let mut needed_elsewhere = HashSet::new();
    for instruction in adjoint.instructions().iter().filter(|i| i.op.reads_elsewhere()) {
        instruction.op.visit(|operand| {
            needed_elsewhere.insert(operand);
        });
    }
    let own = |(sink, value): &(Sink, ValueId)| match sink {
        Sink::NextLayer(layer)
            if drawn[value.index()]
                && counts(step, *value)
                && twins.get(value).is_some_and(|twin| !needed_elsewhere.contains(twin)) =>
        {
            Some((*layer, *value))
        }
        _ => None,
    };
    step.results().iter().filter_map(own).collect()
}

/// Whether a value is a comparison, an outcome that was drawn, or a sum of such: its zero is never −0, and a layer holds it
/// bit by bit.
fn counts(program: &Program, value: ValueId) -> bool {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match &program.instruction(value).op {
            Op::Compare(..) | Op::Bernoulli { .. } | Op::Count { .. } => {}
            Op::Constant(x) if x.get() >= 0.0 => {}
            Op::Binary(Binary::Add, a, b) => open.extend([*a, *b]),
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use glauber_backend::CompileOptions;
    use glauber_lattice::{Lattice, Moore, Values};
    use glauber_program::estimators::ScoreFunction;
    use glauber_program::{Bundle, Interval, Model, ModelError};

    use super::*;
    use crate::codes::Codes;

    fn found(update: Update, adds: bool) -> Result<Vec<usize>, ModelError> {
        let model = Model::build("coins", Lattice::square(8))
            .layer("still", Values::binary())
            .layer("on", Values::up_to(2))
            .parameter("p", Interval::unit())
            .update(update)
            .step(|s| {
                let (still, on) = (s.layer("still"), s.layer("on"));
                s.next("still").set(still);
                let p = s.parameter("p") * (on.neighbours(Moore).sum() / 16.0);
                match adds {
                    // What is drawn is no layer's next value.
                    true => s.next("on").set(still + s.bernoulli(p)),
                    false => s.next("on").bernoulli(p),
                }
            })?;
        let bundle = Bundle::new(&model, &[], Some(&ScoreFunction));
        let codes = Codes::new(&bundle, &[], CompileOptions::default()).unwrap();
        Ok(codes.kept.outcomes().collect())
    }

    #[test]
    fn an_adjoint_reads_draws_that_are_layers() -> Result<(), ModelError> {
        assert_eq!(found(Update::Synchronous, false)?, [1]);
        assert!(found(Update::Synchronous, true)?.is_empty());
        assert!(found(Update::Sublattices, false)?.is_empty());
        Ok(())
    }
}
