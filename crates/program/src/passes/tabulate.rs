//! Chooses the expressions worth a table: of those that depend only on parameters and on fields with few values, the
//! ones that cost more at every site than a look-up.

use std::collections::HashMap;

use super::colour::choice;
use super::{Table, TableKey, table_keys_given};
use crate::{Binary, Op, Program, Rank, Unary, ValueId, dataflow};

/// What a look-up costs, in kernels of plain arithmetic (measured).
const COST_OF_LOOKUP: u32 = 10;

/// All tables of a program.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// One by one.
    pub tables: Vec<Table>,
    of: HashMap<ValueId, usize>,
}

impl Tables {
    /// That of a value, if it has one.
    pub fn table_of(&self, value: ValueId) -> Option<&Table> {
        self.of.get(&value).map(|i| &self.tables[*i])
    }

    /// Its number in [`Tables::tables`].
    pub fn number_of(&self, value: ValueId) -> Option<usize> {
        self.of.get(&value).copied()
    }

    /// No tables: everything is evaluated at every site.
    pub fn none() -> Tables {
        Tables::default()
    }

    /// The tables worth making for a program of which some values are given as fields.
    pub fn find(program: &Program, is_given: impl Fn(ValueId) -> bool) -> Tables {
        let mut tables = Tables::default();
        let keys = table_keys_given(program, is_given);
        // Their tables are filled anew at every step.
        let by_step = dataflow::dependent(program.instructions(), |_, op| *op == Op::StepIndex, |_, _| false);
        let sites = program.declarations().lattice.sites();
        for (index, instruction) in program.instructions().iter().enumerate() {
            let value = ValueId(index as u32);
            let (Some(own), Rank::Site) = (&keys[index], instruction.rank) else { continue };
            let itself = own.len() == 1 && own[0].value == value;
            // A choice by colour is no function: it says at which sites anything is computed.
            if itself
                || own.is_empty()
                || choice(program, value).is_some()
                || !costs_more_than_lookup(program, &keys, value)
            {
                continue;
            }
            let entries: usize = own.iter().map(|k| k.count).product();
            if by_step[index] && 2 * entries > sites {
                continue;
            }
            tables.of.insert(value, tables.tables.len());
            tables.tables.push(Table::new(value, own.clone()));
        }
        tables
    }
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
            Op::Binary(Binary::Power, ..) => 80,
            Op::Binary(Binary::Divide, ..) => 6,
            _ => 1,
        };
        if total > COST_OF_LOOKUP {
            return true;
        }
        open.extend(instruction.op.operands());
    }
    false
}
