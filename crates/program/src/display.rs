//! Prints programs the way one would write them on paper.

use std::fmt;

use crate::declarations::Declarations;
use crate::instruction::Instruction;
use crate::op::{Binary, Comparison, Op, Place, Rank, ValueId};
use crate::program::{Program, Sink};
use crate::unary::Unary;

/// How deep a value is written out in words; what lies deeper is `…`.
const DEPTH: usize = 4;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let declarations = &self.declarations;
        let words = Words::of(self);
        let own =
            declarations.layers.iter().filter_map(|layer| Some(format!("{} = {}", layer.name, layer.edge?)));
        let own: Vec<String> = own.collect();
        let beyond = if own.is_empty() { String::new() } else { format!(" ({} there)", own.join(", ")) };
        writeln!(f, "{} on {}{beyond}", declarations.model, declarations.lattice)?;
        for rank in [Rank::Run, Rank::Replicate, Rank::Site] {
            let of_rank = self.instructions.iter().enumerate().filter(|(_, i)| i.rank == rank);
            let mut lines = of_rank.filter(|(_, i)| !inlined(&i.op)).peekable();
            if lines.peek().is_some() {
                writeln!(f, "per {}:", name_of_rank(rank))?;
            }
            for (index, instruction) in lines {
                writeln!(f, "  %{index} = {}", words.text(&instruction.op))?;
            }
        }
        writeln!(f, "results:")?;
        for (sink, value) in &self.results {
            writeln!(f, "  {} {} {}", words.sink(*sink), arrow(*sink), words.name(*value))?;
        }
        Ok(())
    }
}

fn name_of_rank(rank: Rank) -> &'static str {
    match rank {
        Rank::Run => "run",
        Rank::Replicate => "replicate",
        Rank::Site => "site",
    }
}

/// Whether an instruction is shown where it is read rather than on a line of its own.
fn inlined(op: &Op) -> bool {
    matches!(
        op,
        Op::Constant(_)
            | Op::Parameter(_)
            | Op::Layer(_)
            | Op::Field(_)
            | Op::Target(_)
            | Op::NextAdjoint(_)
            | Op::OutputAdjoint(_)
            | Op::StepIndex
            | Op::Advantage
            | Op::LocalAdvantage
    )
}

fn arrow(sink: Sink) -> &'static str {
    match sink {
        Sink::NextLayer(_) | Sink::Output(_) | Sink::Elsewhere(_) => "<-",
        Sink::Check(_) | Sink::TotalRate | Sink::Fastest => "from",
        _ => "+=",
    }
}

/// Instructions in words.
pub(crate) struct Words<'a> {
    pub(crate) declarations: &'a Declarations,
    pub(crate) instructions: &'a [Instruction],
}

impl<'a> Words<'a> {
    pub(crate) fn of(program: &'a Program) -> Words<'a> {
        Words { declarations: &program.declarations, instructions: &program.instructions }
    }

    fn op(&self, value: ValueId) -> &Op {
        &self.instructions[value.index()].op
    }

    /// A value as one would write it in a rule, as far as that is short.
    pub(crate) fn written(&self, value: ValueId) -> String {
        self.within(value, DEPTH)
    }

    /// An instruction in words.
    pub(crate) fn written_op(&self, op: &Op) -> String {
        self.text_with(op, &|v| self.within(*v, DEPTH - 1))
    }

    fn within(&self, value: ValueId, depth: usize) -> String {
        let op = self.op(value);
        match op {
            Op::Uniform { draw, .. } | Op::Centred { draw, .. } => {
                format!("random number ({})", self.declarations.draws[*draw as usize])
            }
            op if inlined(op) => self.text(op),
            _ if depth == 0 => "…".into(),
            op => self.text_with(op, &|v| {
                let own = self.within(*v, depth - 1);
                match self.op(*v) {
                    Op::Binary(function, ..) if infix(*function).is_some() => format!("({own})"),
                    Op::Compare(..) | Op::Select(..) => format!("({own})"),
                    _ => own,
                }
            }),
        }
    }

    pub(crate) fn sink(&self, sink: Sink) -> String {
        let d = self.declarations;
        match sink {
            Sink::NextLayer(i) => format!("next {}", d.layers[i as usize].name),
            Sink::Output(i) => format!("output {}", d.outputs[i as usize]),
            Sink::LayerAdjoint(i) => format!("d/d {}", d.adjoint_name(i)),
            Sink::ParameterAdjoint(i) => format!("d/d {}", d.parameters[i as usize].name),
            Sink::FieldAdjoint(i) => format!("d/d {}", d.fields[i as usize].name),
            Sink::Elsewhere(i) => format!("{} there", d.layers[i as usize].name),
            Sink::TotalRate => "sum of rates".into(),
            Sink::Fastest => "highest sum of rates".into(),
            Sink::Check(i) => d.checks[i as usize].label(),
        }
    }

    fn name(&self, value: ValueId) -> String {
        let op = self.op(value);
        if inlined(op) { self.text(op) } else { format!("%{}", value.0) }
    }

    fn text(&self, op: &Op) -> String {
        self.text_with(op, &|v| self.name(*v))
    }

    /// An instruction, its operands as `n` writes them.
    fn text_with(&self, op: &Op, n: &dyn Fn(&ValueId) -> String) -> String {
        let d = self.declarations;
        let transposed = |t: &bool| if *t { ", transposed" } else { "" };
        match op {
            Op::Constant(number) => format!("{}", number.get()),
            Op::Parameter(i) => d.parameters[*i as usize].name.clone(),
            Op::StepIndex => "step".into(),
            Op::Layer(i) => d.layers[*i as usize].name.clone(),
            Op::Field(i) => d.fields[*i as usize].name.clone(),
            Op::Target(i) => format!("observed {}", d.layers[*i as usize].name),
            Op::Coordinate(axis) => format!("coordinate {}", ["z", "y", "x"][*axis as usize % 3]),
            Op::OfColour { colouring, colour } => format!("colour {colour} of {}", colouring.colours),
            Op::NextAdjoint(i) => format!("adjoint of next {}", d.adjoint_name(*i)),
            Op::OutputAdjoint(i) => format!("adjoint of {}", d.outputs[*i as usize]),
            Op::Advantage => "advantage".into(),
            Op::LocalAdvantage => "advantage in the light cone".into(),
            Op::Unary(Unary::Negate, a) => format!("-{}", n(a)),
            Op::Unary(function, a) => format!("{}({})", function.name(), n(a)),
            Op::Binary(function, a, b) => match infix(*function) {
                Some(sign) => format!("{} {sign} {}", n(a), n(b)),
                None => format!("{}({}, {})", prefix(*function), n(a), n(b)),
            },
            Op::Compare(comparison, a, b) => format!("{} {} {}", n(a), relation(*comparison), n(b)),
            Op::Select(c, a, b) => format!("if {} then {} else {}", n(c), n(a), n(b)),
            Op::Heaviside(a, s) => format!("heaviside({}) with {s:?} derivative", n(a)),
            Op::Round(a, s) => format!("round({}) with {s:?} derivative", n(a)),
            Op::Replace { value, gradient } => format!("{} with the derivative of {}", n(value), n(gradient)),
            Op::Hold(a) => format!("hold({})", n(a)),
            Op::Revealed { value, observed } => format!("{} (observed as {})", n(value), n(observed)),
            Op::Spread(a) => format!("{} at every site", n(a)),
            Op::Shift { x, offset, transposed: t } => {
                format!("shift({}, {}{})", n(x), self.offset(*offset), transposed(t))
            }
            Op::NeighbourSum { x, neighbourhood, transposed: t } => {
                let size = d.neighbourhoods[*neighbourhood as usize].offsets().len();
                format!("sum of {} over {size} neighbours{}", n(x), transposed(t))
            }
            Op::Translate { x, direction, offsets, transposed: t } => {
                let size = d.neighbourhoods[*offsets as usize].offsets().len();
                format!("translate({}, by {} of {size} offsets{})", n(x), n(direction), transposed(t))
            }
            Op::There { x, place } => format!("{} at {}", n(x), self.place(place, n)),
            Op::Put { value, place } => format!("{} for {}", n(value), self.place(place, n)),
            Op::Inside(place) => format!("{} exists", self.place(place, n)),
            Op::Fastest => "highest sum of rates".into(),
            Op::SiteSum(a) => format!("sum over sites of {}", n(a)),
            Op::Entry { list, at } => format!("entry {} of list {list}", n(at)),
            Op::CellSum { x, labels, at, .. } => {
                format!("sum of {} where {} is {}", n(x), n(labels), n(at))
            }
            Op::Uniform { draw, lane, .. } => {
                let lane = if *lane == 0 { String::new() } else { format!(", lane {lane}") };
                format!("uniform of {}{lane}", d.draws[*draw as usize])
            }
            Op::Centred { draw, lane, .. } => {
                let lane = if *lane == 0 { String::new() } else { format!(", lane {lane}") };
                format!("uniform of {}{lane}, less 1 from 1/2 on", d.draws[*draw as usize])
            }
            Op::Bernoulli { p, rest: None, u } => format!("bernoulli({}) by {}", n(p), n(u)),
            Op::Bernoulli { p, rest: Some(rest), u } => {
                format!("bernoulli({}, else {}) by {}", n(p), n(rest), n(u))
            }
            Op::Categorical { probabilities, u, .. } => {
                let list: Vec<String> = probabilities.iter().map(n).collect();
                format!("categorical({}) by {}", list.join(", "), n(u))
            }
            Op::Indicator { draw, class } => format!("{} is class {class}", n(draw)),
            Op::Normal(a, b) => format!("normal by {}, {}", n(a), n(b)),
            Op::Count { law, arguments, .. } => {
                let arguments: Vec<String> = arguments.iter().map(&n).collect();
                format!("{}({})", law.words().0, arguments.join(", "))
            }
        }
    }

    fn place(&self, place: &Place, n: &dyn Fn(&ValueId) -> String) -> String {
        match place {
            Place::Neighbour { direction, offsets } => {
                let size = self.declarations.neighbourhoods[*offsets as usize].offsets().len();
                format!("neighbour {} of {size}", n(direction))
            }
            Place::Anywhere { draw } => format!("a site drawn ({})", self.declarations.draws[*draw as usize]),
        }
    }

    fn offset(&self, offset: [i32; 3]) -> String {
        let used = &offset[3 - self.declarations.lattice.dimensions()..];
        format!("{used:?}")
    }
}

fn infix(function: Binary) -> Option<&'static str> {
    match function {
        Binary::Add => Some("+"),
        Binary::Subtract => Some("-"),
        Binary::Multiply => Some("*"),
        Binary::Divide => Some("/"),
        Binary::Power => Some("^"),
        Binary::Minimum | Binary::Maximum => None,
    }
}

fn prefix(function: Binary) -> &'static str {
    if function == Binary::Minimum { "min" } else { "max" }
}

fn relation(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
    }
}
