//! Finds expressions that depend only on parameters and on fields with few values: they are evaluated once per value,
//! not once per site.
//!
//! A table is a small program of its own over a line of all combinations of its keys, run by the same kernels; its
//! entries are therefore the bits that direct evaluation would give.

use std::collections::HashMap;

use glauber_lattice::{Lattice, Values};
use glauber_program::{
    Declarations, Field, FieldKind, Graph, Layer, Op, Program, Rank, Sink, Unary, ValueId,
};

/// The most entries a table has.
pub(crate) const MOST_ENTRIES: usize = 1024;

/// What a look-up costs, in kernels of plain arithmetic (measured).
const COST_OF_LOOKUP: u32 = 10;

/// A field that a table is looked up by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TableKey {
    pub(crate) value: ValueId,
    pub(crate) lowest: i32,
    pub(crate) count: usize,
}

/// One expression to be tabulated.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) keys: Vec<TableKey>,
    /// The value that is tabulated.
    value: ValueId,
}

impl Table {
    /// Computes layer 0 over a line of all combinations, the first key fastest, from one field per key.
    pub(crate) fn program(&self, program: &Program) -> Program {
        table_program(program, self.value, &self.keys)
    }

    /// How many combinations the keys have.
    pub(crate) fn entries(&self) -> usize {
        self.keys.iter().map(|k| k.count).product()
    }

    /// The value of key `place` at an entry.
    pub(crate) fn key_at(&self, place: usize, entry: usize) -> f64 {
        let stride: usize = self.keys[..place].iter().map(|k| k.count).product();
        f64::from(self.keys[place].lowest) + (entry / stride % self.keys[place].count) as f64
    }
}

/// All tables of a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) tables: Vec<Table>,
    of: HashMap<ValueId, usize>,
}

impl Tables {
    pub(crate) fn table_of(&self, value: ValueId) -> Option<&Table> {
        self.of.get(&value).map(|i| &self.tables[*i])
    }

    pub(crate) fn number_of(&self, value: ValueId) -> Option<usize> {
        self.of.get(&value).copied()
    }

    /// No tables: everything is evaluated at every site.
    pub(crate) fn none() -> Tables {
        Tables::default()
    }

    /// The tables worth making for a program.
    pub(crate) fn find(program: &Program) -> Tables {
        let mut tables = Tables::default();
        let keys = keys_of(program);
        let (by_step, sites) = (by_step(program), program.declarations.lattice.sites());
        for (index, instruction) in program.instructions.iter().enumerate() {
            let value = ValueId(index as u32);
            let (Some(own), Rank::Site) = (&keys[index], instruction.rank) else { continue };
            let itself = own.len() == 1 && own[0].value == value;
            if itself || own.is_empty() || !costs_more_than_lookup(program, &keys, value) {
                continue;
            }
            let entries: usize = own.iter().map(|k| k.count).product();
            if by_step[index] && 2 * entries > sites {
                continue;
            }
            tables.of.insert(value, tables.tables.len());
            tables.tables.push(Table { keys: own.clone(), value });
        }
        tables
    }
}

/// For every site value, the fields with few values that determine it (itself, where it is such a field and no
/// smaller set will do); nothing where there are none.
fn keys_of(program: &Program) -> Vec<Option<Vec<TableKey>>> {
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
            Rank::Site if is_pure(&instruction.op) => union(&instruction.op, &keys).or_else(own),
            Rank::Site => own(),
        });
    }
    keys
}

/// Which values depend on the step's number, so that their tables are filled anew at every step.
fn by_step(program: &Program) -> Vec<bool> {
    let mut by_step = Vec::with_capacity(program.instructions.len());
    for instruction in &program.instructions {
        let mut any = instruction.op == Op::StepIndex;
        instruction.op.visit(|v| any |= by_step[v.index()]);
        by_step.push(any);
    }
    by_step
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

/// Whether evaluating a value costs more, beyond its keys, than looking it up. Counted no further than that.
fn costs_more_than_lookup(program: &Program, keys: &[Option<Vec<TableKey>>], value: ValueId) -> bool {
    let own: Vec<ValueId> = keys[value.index()].iter().flatten().map(|k| k.value).collect();
    let mut total = 0;
    let mut seen = Vec::new();
    let mut open = vec![value];
    while let Some(v) = open.pop() {
        let instruction = program.instruction(v);
        if instruction.rank != Rank::Site || own.contains(&v) || seen.contains(&v) {
            continue;
        }
        seen.push(v);
        total += match &instruction.op {
            Op::Unary(Unary::Negate | Unary::Absolute | Unary::Sign | Unary::Floor, _) => 1,
            Op::Unary(Unary::SquareRoot, _) => 8,
            Op::Unary(..) => 30,
            Op::Binary(glauber_program::Binary::Power, ..) => 80,
            Op::Binary(glauber_program::Binary::Divide, ..) => 6,
            _ => 1,
        };
        if total > COST_OF_LOOKUP {
            return true;
        }
        open.extend(instruction.op.operands());
    }
    false
}

/// A program that evaluates `value` over a line of all combinations of its keys.
fn table_program(program: &Program, value: ValueId, keys: &[TableKey]) -> Program {
    let entries = keys.iter().map(|k| k.count).product();
    let mut declarations = Declarations::new(&program.declarations.model, Lattice::line(entries));
    declarations.parameters = program.declarations.parameters.clone();
    declarations.layers = vec![Layer::new("entry", Values::Real)];
    declarations.fields =
        (0..keys.len()).map(|k| Field { name: format!("key {k}"), kind: FieldKind::Covariate }).collect();
    let mut graph = Graph::new(declarations);
    // Only what the value needs is copied: other instructions may speak of things a table has not.
    let mut needed = vec![false; program.instructions.len()];
    needed[value.index()] = true;
    for index in (0..=value.index()).rev().filter(|i| *i < program.instructions.len()) {
        let is_key = keys.iter().any(|k| k.value.index() == index);
        if needed[index] && !is_key {
            program.instructions[index].op.visit(|v| needed[v.index()] = true);
        }
    }
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
