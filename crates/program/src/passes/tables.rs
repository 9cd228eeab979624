//! Finds expressions that depend only on parameters and on fields with few values: they may be evaluated once per value,
//! not once per site.
//!
//! A table is a small program of its own over a line of all combinations of its keys, run by the same backend; its
//! entries are therefore the bits that direct evaluation would give.

use glauber_lattice::{Lattice, Values};

use crate::dataflow::needed;
use crate::declarations::{Declarations, Field, FieldKind, Layer, Signature};
use crate::graph::Graph;
use crate::op::{Op, Rank, ValueId};
use crate::program::{Program, Sink};

/// The most entries a table has.
pub const MOST_ENTRIES: usize = 1024;

/// A field that a table is looked up by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableKey {
    /// The field.
    pub value: ValueId,
    /// Its lowest value.
    pub lowest: i32,
    /// How many values it has, from the lowest on.
    pub count: usize,
}

/// One expression to be tabulated.
#[derive(Clone, Debug)]
pub struct Table {
    /// What it is looked up by, the first fastest.
    pub keys: Vec<TableKey>,
    /// The value that is tabulated.
    value: ValueId,
}

impl Table {
    /// A table of a value, which its keys must determine ([`table_keys`]).
    pub fn new(value: ValueId, keys: Vec<TableKey>) -> Table {
        Table { keys, value }
    }

    /// Computes layer 0 over a line of all combinations, the first key fastest, from one field per key.
    pub fn program(&self, program: &Program) -> Program {
        table_program(program, self.value, &self.keys)
    }

    /// How many combinations the keys have.
    pub fn entries(&self) -> usize {
        self.keys.iter().map(|k| k.count).product()
    }

    /// The value of key `place` at an entry.
    pub fn key_at(&self, place: usize, entry: usize) -> f64 {
        let stride: usize = self.keys[..place].iter().map(|k| k.count).product();
        f64::from(self.keys[place].lowest) + (entry / stride % self.keys[place].count) as f64
    }
}

/// For every site value, the fields with few values that determine it (itself, where it is such a field and no
/// smaller set will do); nothing where there are none.
pub fn table_keys(program: &Program) -> Vec<Option<Vec<TableKey>>> {
    table_keys_given(program, |_| false)
}

/// The same where some values are given as fields, whatever they are computed from.
pub fn table_keys_given(program: &Program, is_given: impl Fn(ValueId) -> bool) -> Vec<Option<Vec<TableKey>>> {
    let mut keys: Vec<Option<Vec<TableKey>>> = Vec::with_capacity(program.instructions.len());
    for (index, instruction) in program.instructions.iter().enumerate() {
        let value = ValueId(index as u32);
        let own = || {
            let count = instruction.domain.count().filter(|c| *c <= 256 && !instruction.domain.nan)?;
            Some(vec![TableKey { value, lowest: instruction.domain.lowest as i32, count }])
        };
        keys.push(match instruction.rank {
            Rank::Run => Some(Vec::new()),
            // The slopes of the loss are the same for all replicates.
            Rank::Replicate if matches!(instruction.op, Op::OutputAdjoint(_)) => Some(Vec::new()),
            Rank::Replicate if is_pure(&instruction.op) => union(&instruction.op, &keys),
            Rank::Replicate => None,
            Rank::Site if is_pure(&instruction.op) && !is_given(value) => {
                union(&instruction.op, &keys).or_else(own)
            }
            Rank::Site => own(),
        });
    }
    keys
}

fn is_pure(op: &Op) -> bool {
    matches!(
        op,
        Op::Unary(..)
            | Op::Binary(..)
            | Op::Compare(..)
            | Op::Select(..)
            | Op::Heaviside(..)
            | Op::Round(..)
            | Op::Replace { .. }
            | Op::Hold(_)
    )
}

fn union(op: &Op, keys: &[Option<Vec<TableKey>>]) -> Option<Vec<TableKey>> {
    let mut all: Vec<TableKey> = Vec::new();
    for operand in op.operands() {
        for key in keys[operand.index()].as_ref()? {
            if !all.contains(key) {
                all.push(*key);
            }
        }
    }
    let entries: usize = all.iter().map(|k| k.count).product();
    (entries <= MOST_ENTRIES && all.len() <= 3).then_some(all)
}

/// A program that evaluates `value` over a line of all combinations of its keys.
fn table_program(program: &Program, value: ValueId, keys: &[TableKey]) -> Program {
    let entries = keys.iter().map(|k| k.count).product();
    let key = |k| Field { name: format!("key {k}"), kind: FieldKind::Covariate };
    let signature = Signature {
        parameters: program.declarations.parameters.clone(),
        layers: vec![Layer::new("entry", Values::Real)],
        fields: (0..keys.len()).map(key).collect(),
        ..Signature::new(&program.declarations.model, Lattice::line(entries))
    };
    let lists = program.declarations.lists.clone();
    let mut graph = Graph::new(Declarations { lists, ..Declarations::new(signature) });
    // Only what the value needs is copied: other instructions may speak of things a table has not.
    let is_key = |v: ValueId| keys.iter().any(|k| k.value == v);
    let needed = needed(program.instructions().len(), [value], |v| match is_key(v) {
        true => Vec::new(),
        false => program.instruction(v).op.operands(),
    });
    let nothing = graph.constant(0.0);
    let renamed = graph.import(program, |g, original, _| {
        if let Some(place) = keys.iter().position(|k| k.value == original) {
            return Some(g.push(Op::Field(place as u32)));
        }
        (!needed[original.index()]).then_some(nothing)
    });
    let spread = graph.push(Op::Spread(renamed[value.index()]));
    graph.result(Sink::NextLayer(0), spread);
    graph.finish()
}
