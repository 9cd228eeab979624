//! Names the kernels that a compiled pass is made of: each runs over one block of sites.

use glauber_lattice::Colouring;
use glauber_program::{Binary, Comparison, CountLaw, Requirement, Unary};

/// A register: one number per site of a block.
pub(crate) type Register = u32;

/// What a kernel reads: a register, or one number for the whole block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Arg {
    Register(Register),
    /// A place in the table of scalars.
    Scalar(u32),
}

/// Where a kernel reads fields from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Layer(u32),
    NextAdjoint(u32),
    /// What the outcomes of draws are worth, at each site.
    LocalAdvantage,
    Field(u32),
    Target(u32),
    /// A field made by an earlier pass of the same program.
    Temporary(u32),
}

/// Where a kernel leaves fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Destination {
    NextLayer(u32),
    LayerAdjoint(u32),
    FieldAdjoint(u32),
    Temporary(u32),
}

/// What a layer holds: whole numbers from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) layer: u32,
    pub(crate) lowest: i32,
    pub(crate) highest: i32,
}

/// One kernel over a block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kernel {
    /// dst = the field at a constant distance in memory.
    Load {
        dst: Register,
        source: Source,
        distance: isize,
    },
    /// dst = the field at the distance that a scalar picks.
    LoadMoved {
        dst: Register,
        source: Source,
        direction: u32,
        distances: Vec<isize>,
    },
    /// dst = Σ of the field at the distances; `in_bytes` where the sum of bytes fits a byte.
    NeighbourCount {
        dst: Register,
        source: Source,
        distances: Vec<isize>,
        in_bytes: bool,
    },
    /// dst = Σ weight · the field at the distances.
    NeighbourSum {
        dst: Register,
        source: Source,
        distances: Vec<isize>,
        weights: Vec<f64>,
    },
    /// dst = the site's coordinate along z, y or x.
    Coordinate {
        dst: Register,
        axis: u8,
    },
    /// dst = 1 at the sites of a colour.
    OfColour {
        dst: Register,
        colouring: Colouring,
        colour: u32,
    },
    /// dst = one number.
    Spread {
        dst: Register,
        a: u32,
    },
    Unary {
        function: Unary,
        dst: Register,
        a: Register,
    },
    Binary {
        function: Binary,
        dst: Register,
        a: Arg,
        b: Arg,
    },
    Compare {
        comparison: Comparison,
        dst: Register,
        a: Arg,
        b: Arg,
    },
    Select {
        dst: Register,
        condition: Register,
        yes: Arg,
        no: Arg,
    },
    /// dst = yes or no for the whole block.
    SelectAll {
        dst: Register,
        condition: u32,
        yes: Arg,
        no: Arg,
    },
    /// dst = round to even.
    Round {
        dst: Register,
        a: Register,
    },
    /// dst = a·b + c, rounded after each.
    MultiplyAdd {
        dst: Register,
        a: Arg,
        b: Arg,
        c: Arg,
    },
    /// dst = a·b − c.
    MultiplySubtract {
        dst: Register,
        a: Arg,
        b: Arg,
        c: Arg,
    },
    /// dst = c − a·b.
    SubtractMultiply {
        dst: Register,
        a: Arg,
        b: Arg,
        c: Arg,
    },
    /// dst = noise of a key.
    Uniform {
        dst: Register,
        key: u32,
    },
    /// dst = 1 where noise < p.
    Bernoulli {
        dst: Register,
        key: u32,
        p: Arg,
    },
    /// dst = Box–Muller of two uniforms.
    Normal {
        dst: Register,
        a: Register,
        b: Register,
    },
    /// dst = a number of a law that counts.
    Count {
        law: CountLaw,
        dst: Register,
        key: u32,
        arguments: Vec<Arg>,
    },
    /// dst = table[Σ (key − lowest) stride].
    Lookup {
        dst: Register,
        table: u32,
        keys: Vec<(Register, i32, i32)>,
    },
    /// dst = the number of a label.
    Gather {
        dst: Register,
        tally: u32,
        a: Arg,
    },
    /// sum[slot] += Σ a.
    Sum {
        slot: u32,
        a: Arg,
    },
    /// sum[slot] += Σ a b.
    Dot {
        slot: u32,
        a: Arg,
        b: Arg,
    },
    /// sum[slot] += Σ a x, with x the field at a constant distance in memory.
    DotLoad {
        slot: u32,
        a: Register,
        source: Source,
        distance: isize,
    },
    /// output[…] = a; where `range` is given, a must be a whole number in it. Where the block holds the sites of one colour
    /// alone, the others are as in `over`.
    Store {
        output: u32,
        a: Arg,
        range: Option<Range>,
        over: Option<Source>,
    },
    /// output[…] = the field, at all sites, of whatever colour.
    Copy {
        output: u32,
        source: Source,
    },
    /// dst = noise of a key, less 1 from ½ on.
    Centred {
        dst: Register,
        key: u32,
    },
    /// dst = 1 where w < t or, `passes`, t ≤ w, for a centred number w and the threshold t of a draw: `below` where w ≥ 0, and where
    /// w < 0 `above`, or −`above`.
    Threshold {
        dst: Register,
        w: Register,
        below: Arg,
        above: Arg,
        negated: bool,
        passes: bool,
    },
    /// Notes where a is not what a check requires; it need not look where a comes from a table of probabilities and
    /// must be one.
    Check {
        check: u32,
        required: Requirement,
        a: Arg,
        table: Option<u32>,
    },
}

impl Kernel {
    /// Calls `f` for every register the kernel reads.
    pub(crate) fn reads(&mut self, mut f: impl FnMut(&mut Register)) {
        use Kernel::*;
        match self {
            Unary { a, .. } | Round { a, .. } | DotLoad { a, .. } => f(a),
            Normal { a, b, .. } => {
                f(a);
                f(b);
            }
            Select { condition: a, .. } | Threshold { w: a, .. } => f(a),
            Lookup { keys, .. } => keys.iter_mut().for_each(|k| f(&mut k.0)),
            _ => {}
        }
        self.args(|arg| {
            if let Arg::Register(register) = arg {
                f(register);
            }
        });
    }

    /// Calls `f` for whatever the kernel reads that may be a register or a scalar.
    pub(crate) fn args(&mut self, mut f: impl FnMut(&mut Arg)) {
        use Kernel::*;
        match self {
            Load { .. } | LoadMoved { .. } | NeighbourCount { .. } | NeighbourSum { .. } => {}
            OfColour { .. } | Copy { .. } | Coordinate { .. } | Spread { .. } => {}
            Uniform { .. } | Centred { .. } | Unary { .. } | Round { .. } | DotLoad { .. } => {}
            Normal { .. } | Lookup { .. } => {}
            Binary { a, b, .. }
            | Compare { a, b, .. }
            | Dot { a, b, .. }
            | Select { yes: a, no: b, .. }
            | SelectAll { yes: a, no: b, .. }
            | Threshold { below: a, above: b, .. } => [a, b].into_iter().for_each(f),
            MultiplyAdd { a, b, c, .. }
            | MultiplySubtract { a, b, c, .. }
            | SubtractMultiply { a, b, c, .. } => [a, b, c].into_iter().for_each(f),
            Bernoulli { p: a, .. } | Gather { a, .. } | Sum { a, .. } | Store { a, .. } | Check { a, .. } => {
                f(a)
            }
            Count { arguments, .. } => arguments.iter_mut().for_each(f),
        }
    }

    /// The register the kernel writes.
    pub(crate) fn writes(&mut self) -> Option<&mut Register> {
        use Kernel::*;
        match self {
            Load { dst, .. }
            | LoadMoved { dst, .. }
            | NeighbourCount { dst, .. }
            | NeighbourSum { dst, .. }
            | Coordinate { dst, .. }
            | OfColour { dst, .. }
            | Spread { dst, .. }
            | Unary { dst, .. }
            | Binary { dst, .. }
            | Compare { dst, .. }
            | Select { dst, .. }
            | SelectAll { dst, .. }
            | Round { dst, .. }
            | MultiplyAdd { dst, .. }
            | MultiplySubtract { dst, .. }
            | SubtractMultiply { dst, .. }
            | Uniform { dst, .. }
            | Centred { dst, .. }
            | Threshold { dst, .. }
            | Bernoulli { dst, .. }
            | Normal { dst, .. }
            | Count { dst, .. }
            | Gather { dst, .. }
            | Lookup { dst, .. } => Some(dst),
            Sum { .. } | Dot { .. } | DotLoad { .. } => None,
            Store { .. } | Copy { .. } | Check { .. } => None,
        }
    }

    /// The field the kernel reads, and whether it does so at other sites.
    pub(crate) fn source(&self) -> Option<(Source, bool)> {
        use Kernel::*;
        match self {
            Load { source, distance, .. } | DotLoad { source, distance, .. } => {
                Some((*source, *distance != 0))
            }
            LoadMoved { source, .. } | NeighbourCount { source, .. } | NeighbourSum { source, .. } => {
                Some((*source, true))
            }
            Store { over: Some(source), .. } | Copy { source, .. } => Some((*source, false)),
            _ => None,
        }
    }
}

/// Whether a kernel computes a product that another may take in.
pub(crate) fn product(kernel: &Kernel) -> Option<(Arg, Arg)> {
    match kernel {
        Kernel::Binary { function: Binary::Multiply, a, b, .. } => Some((*a, *b)),
        _ => None,
    }
}
