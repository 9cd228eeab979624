//! Holds a rule as events run it: instructions, what they write, how their sites are picked.

use std::sync::Arc;

use glauber_lattice::{Boundary, Layout};
use glauber_program::passes::Table;
use glauber_program::{Program, Requirement, ValueId};

use super::instruction::{Instruction, Noise, Picked, Register, Slot, Source, Write};
use crate::compile::Code;

/// A rule, compiled.
pub(crate) struct Rule {
    pub(crate) program: Program,
    pub(crate) layout: Layout,
    pub(super) instructions: Vec<Instruction>,
    /// What an event writes, in order, when all is computed.
    pub(super) writes: Vec<Write>,
    /// Registers of instructions that read many.
    pub(super) operands: Vec<Register>,
    /// How many other sites an event picks.
    pub(super) picks: usize,
    /// How far from its site an event reads layers, and may write them.
    pub(super) reads: Vec<i32>,
    pub(super) written: Vec<i32>,
    pub(super) registers: usize,
    /// The numbers that are the same at every site, which registers begin with.
    pub(super) slots: Vec<Slot>,
    pub(super) noise: Vec<Noise>,
    /// The draws that pick a site of the lattice.
    pub(super) anywhere: Vec<u32>,
    pub(super) distances: Vec<i32>,
    pub(super) weights: Vec<f64>,
    pub(super) tables: Vec<(Table, Box<Code>)>,
    pub(super) pick: Picked,
    pub(super) events: Option<u32>,
    pub(super) continuous: bool,
    /// The parameter that stands for the highest sum of rates.
    pub(super) fastest: Option<u32>,
    pub(super) boundaries: [Boundary; 3],
    /// Numbers given for each cell.
    pub(super) lists: Vec<Vec<f64>>,
    /// The sums over cells that it reads.
    pub(super) sums: Option<Arc<SumsOf>>,
}

/// One kind of sum: what is summed, the layer of labels, the highest label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sum {
    pub(super) x: ValueId,
    pub(super) labels: u16,
    pub(super) cells: u32,
}

/// The sums that a rule reads.
pub(super) struct SumsOf {
    pub(super) all: Vec<Sum>,
    /// What computes, at a site, what is summed …
    pub(super) rule: Arc<Rule>,
    /// … and leaves it here, for each sum.
    pub(super) summed: Vec<Register>,
    /// The layers by which they may change.
    pub(super) layers: Vec<bool>,
}

impl Rule {
    /// Whether events may be run several at a time: not where the site of one depends on what the one before did, or where
    /// it may read or write anywhere.
    pub(super) fn may_gather(&self) -> bool {
        self.anywhere.is_empty() && self.knows_sites_ahead()
    }

    /// Whether no event's site depends on what the events before it did.
    pub(super) fn knows_sites_ahead(&self) -> bool {
        match self.pick {
            Picked::Among { layer, .. } => self.writes.iter().all(|w| w.layer != layer),
            Picked::AnySite | Picked::EachOnce => true,
        }
    }

    /// Whether it reads a field.
    pub(super) fn reads_field(&self, field: usize) -> bool {
        self.instructions.iter().any(|i| match i {
            Instruction::Read { source, .. }
            | Instruction::Count { source, .. }
            | Instruction::Sum { source, .. } => *source == Source::Field(field as u16),
            _ => false,
        })
    }

    /// What a check must hold.
    pub(super) fn required(&self, check: u32) -> Requirement {
        self.program.declarations().checks[check as usize].required
    }
}
