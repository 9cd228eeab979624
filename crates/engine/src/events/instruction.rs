//! Names what an event does, one instruction after another, each of which writes one register or none.

use glauber_program::{Binary, Comparison, CountLaw, Unary, ValueId};

/// A register of an event.
pub(super) type Register = u16;

/// Which site a distance is counted from: 0 the event's, n the one picked n-th.
pub(super) type From = u8;

/// What an event reads a plane of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    Layer(u16),
    Field(u16),
    /// 1 at every site, 0 beyond fixed edges.
    Inside,
    /// What stands beyond fixed edges.
    Edge,
}

/// One instruction of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Instruction {
    Read {
        to: Register,
        source: Source,
        from: From,
        distance: i32,
    },
    /// The sum of a plane at distances of the list, from `start` on.
    Count {
        to: Register,
        source: Source,
        from: From,
        start: u32,
        count: u16,
    },
    /// The same, weighted.
    Sum {
        to: Register,
        source: Source,
        from: From,
        start: u32,
        count: u16,
    },
    Coordinate {
        to: Register,
        axis: u8,
        from: From,
        distance: i32,
    },
    Noise {
        to: Register,
        slot: u16,
    },
    Unary {
        to: Register,
        function: Unary,
        a: Register,
    },
    Binary {
        to: Register,
        function: Binary,
        a: Register,
        b: Register,
    },
    Compare {
        to: Register,
        comparison: Comparison,
        a: Register,
        b: Register,
    },
    Select {
        to: Register,
        condition: Register,
        yes: Register,
        no: Register,
    },
    Round {
        to: Register,
        a: Register,
    },
    Normal {
        to: Register,
        a: Register,
        b: Register,
    },
    Law {
        to: Register,
        law: CountLaw,
        draw: u32,
        a: Register,
        b: Register,
    },
    /// 1 where a draw of probability `p` succeeds, whose opposite has the probability `rest`: decided by a centred number.
    Happens {
        to: Register,
        noise: Register,
        p: Register,
        rest: Register,
    },
    /// The class of a draw, decided by a centred number: pairs of sums below and beyond each class but the last, in the
    /// list of operands from `start` on.
    Class {
        to: Register,
        noise: Register,
        start: u32,
        count: u16,
    },
    Lookup {
        to: Register,
        table: u16,
        keys: [Register; 3],
    },
    /// A number given for each cell: the entry of a list that a register says.
    Entry {
        to: Register,
        list: u32,
        a: Register,
    },
    /// The sum over the cell whose label a register is.
    CellSum {
        to: Register,
        sum: u16,
        a: Register,
    },
    /// Picks a neighbour: the site at the distance that a register says, of the list from `start` on.
    Neighbour {
        from: From,
        direction: Register,
        start: u32,
        count: u16,
    },
    /// Picks a site of the whole lattice.
    Anywhere {
        from: From,
        slot: u16,
    },
    Check {
        check: u32,
        a: Register,
    },
}

/// A number that is the same at every site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Slot {
    Value(ValueId),
    Number(f64),
}

/// A layer's value that an event writes, at its own site (0) or at one that it picks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Write {
    pub(super) layer: u16,
    pub(super) from: From,
    pub(super) a: Register,
}

/// Random numbers of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Noise {
    pub(super) draw: u32,
    pub(super) lane: u32,
    pub(super) centred: bool,
}

/// How sites are picked, by numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Picked {
    AnySite,
    EachOnce,
    Among { layer: u16, state: i32 },
}

impl Instruction {
    /// Calls `own` with every register, the one written among them.
    pub(super) fn registers(&mut self, own: impl Fn(&mut Register) + Copy) {
        use Instruction::*;
        match self {
            Read { to, .. }
            | Count { to, .. }
            | Sum { to, .. }
            | Coordinate { to, .. }
            | Noise { to, .. } => {
                own(to);
            }
            Unary { to, a, .. } | Round { to, a } | Entry { to, a, .. } | CellSum { to, a, .. } => {
                [to, a].into_iter().for_each(own)
            }
            Binary { to, a, b, .. }
            | Compare { to, a, b, .. }
            | Normal { to, a, b }
            | Law { to, a, b, .. } => [to, a, b].into_iter().for_each(own),
            Select { to, condition: a, yes: b, no: c } | Happens { to, noise: a, p: b, rest: c } => {
                [to, a, b, c].into_iter().for_each(own);
            }
            Class { to, noise, .. } => [to, noise].into_iter().for_each(own),
            Lookup { to, keys, .. } => {
                own(to);
                keys.iter_mut().for_each(own);
            }
            Neighbour { direction: a, .. } | Check { a, .. } => own(a),
            Anywhere { .. } => {}
        }
    }

    /// The register that it writes.
    pub(super) fn target(&self) -> Option<Register> {
        use Instruction::*;
        match self {
            Read { to, .. }
            | Count { to, .. }
            | Sum { to, .. }
            | Coordinate { to, .. }
            | Noise { to, .. }
            | Unary { to, .. }
            | Binary { to, .. }
            | Compare { to, .. }
            | Select { to, .. }
            | Round { to, .. }
            | Normal { to, .. }
            | Law { to, .. }
            | Happens { to, .. }
            | Class { to, .. }
            | Entry { to, .. }
            | CellSum { to, .. }
            | Lookup { to, .. } => Some(*to),
            Neighbour { .. } | Anywhere { .. } | Check { .. } => None,
        }
    }
}
