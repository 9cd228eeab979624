//! Finds the highest sum of rates that a site can have, for uniformisation in continuous time.

use crate::dataflow::needed;
use crate::graph::Graph;
use crate::op::{Op, ValueId};
use crate::passes::table_keys;
use crate::program::{Program, Sink};

impl Program {
    /// The highest sum of rates that a site can have at these parameters, in a step of this number: exact where the sum
    /// is a function of few values, else an upper bound of its interval. None where the rule states no rates, or where no
    /// finite bound follows from it.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Values, VonNeumann};
    /// # use glauber_program::{Interval, Model, Update};
    /// # let contact = Model::build("contact-process", Lattice::square(16))
    /// #     .layer("occupied", Values::binary()).parameter("lambda", Interval::positive())
    /// #     .update(Update::ContinuousTime)
    /// #     .step(|s| {
    /// #         let occupied = s.layer("occupied");
    /// #         let birth = s.parameter("lambda") * (1.0 - occupied) * occupied.neighbours(VonNeumann).mean();
    /// #         let event = s.rates(&[occupied.into(), birth.into()]);
    /// #         s.next("occupied").set(event.is(0).select(0.0, event.is(1).select(1.0, occupied)))
    /// #     })?;
    /// assert_eq!(contact.step.highest_rate(&[1.9], 1), Some(1.9)); // dying has rate 1, breeding at most 1.9
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn highest_rate(&self, parameters: &[f64], step: u32) -> Option<f64> {
        let total = self.result(Sink::TotalRate)?;
        let live = needed(self.instructions.len(), [total], |v| self.instruction(v).op.operands());
        let at = |known: &[(ValueId, f64)]| {
            let mut graph = Graph::new(self.declarations.clone());
            let nothing = graph.constant(0.0);
            let renamed = graph.import(self, |g, original, op| {
                if !live[original.index()] {
                    return Some(nothing);
                }
                if let Some((_, value)) = known.iter().find(|(v, _)| *v == original) {
                    return Some(g.constant(*value));
                }
                match op {
                    Op::Parameter(i) => {
                        Some(g.constant(parameters.get(*i as usize).copied().unwrap_or(f64::NAN)))
                    }
                    Op::StepIndex => Some(g.constant(f64::from(step))),
                    _ => None,
                }
            });
            graph.domain(renamed[total.index()]).highest
        };
        let keys = table_keys(self).swap_remove(total.index()).unwrap_or_default();
        let itself = keys.iter().any(|key| key.value == total);
        if itself {
            return Some(at(&[])).filter(|most| most.is_finite());
        }
        let entries: usize = keys.iter().map(|k| k.count).product();
        let mut highest = f64::NEG_INFINITY;
        for entry in 0..entries {
            let mut rest = entry;
            let mut known = Vec::new();
            for key in &keys {
                known.push((key.value, f64::from(key.lowest) + (rest % key.count) as f64));
                rest /= key.count;
            }
            highest = highest.max(at(&known));
        }
        Some(highest).filter(|most| most.is_finite())
    }
}
