//! Grows a program one instruction at a time, simplifying as it goes: constants are folded, common subexpressions
//! shared, neutral elements dropped.

mod beyond;
mod cancelling;
mod complement;
mod fold;
mod near;
mod short;
mod simplify;

use std::collections::{HashMap, HashSet};

use glauber_lattice::{Boundary, Neighbourhood};

use crate::bounds::domain_of;
use crate::counts::CountLaw;
use crate::declarations::{Declarations, FieldKind, Layer};
use crate::display::Words;
use crate::domain::Domain;
use crate::instruction::Instruction;
use crate::op::{Binary, Op, Rank, ValueId};
use crate::program::{Program, Sink};
use crate::remainder::divisor;

pub(crate) use complement::complement;
pub use complement::one_minus;

/// The most instructions a rule may have while it is traced. What is made of it, an adjoint above all, may have more.
pub const MOST_INSTRUCTIONS: usize = 100_000;

/// A program that is being written.
#[derive(Clone, Debug)]
pub struct Graph {
    /// What the instructions refer to by number.
    pub declarations: Declarations,
    instructions: Vec<Instruction>,
    known: HashMap<Op, ValueId>,
    results: Vec<(Sink, ValueId)>,
    /// What values are beyond fixed edges, where the lattice's number is the second.
    beyond: HashMap<(ValueId, ValueId), ValueId>,
    /// What reads are beyond fixed edges, where the rule says so.
    given: HashMap<ValueId, ValueId>,
    /// Choices between what is read and what stands beyond fixed edges.
    edged: HashSet<ValueId>,
}

impl Graph {
    /// An empty program over the given declarations.
    pub fn new(declarations: Declarations) -> Graph {
        Graph {
            declarations,
            instructions: Vec::new(),
            known: HashMap::new(),
            results: Vec::new(),
            beyond: HashMap::new(),
            given: HashMap::new(),
            edged: HashSet::new(),
        }
    }

    /// The program written so far, without dead code. Results keep their order.
    pub fn finish(self) -> Program {
        Program { declarations: self.declarations, instructions: self.instructions, results: self.results }
            .without_dead_code()
    }

    /// Declares what a value is to the outside.
    pub fn result(&mut self, sink: Sink, value: ValueId) {
        self.results.push((sink, value));
    }

    /// The instruction that makes a value.
    pub fn instruction(&self, value: ValueId) -> &Instruction {
        &self.instructions[value.index()]
    }

    /// The instructions so far.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// How many instructions there are so far.
    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    /// Whether nothing has been written yet.
    pub fn is_empty(&self) -> bool {
        self.instructions.is_empty()
    }

    /// Whether a value of this number exists.
    pub fn has(&self, value: ValueId) -> bool {
        value.index() < self.instructions.len()
    }

    /// The rank of a value.
    pub fn rank(&self, value: ValueId) -> Rank {
        self.instruction(value).rank
    }

    /// The domain of a value.
    pub fn domain(&self, value: ValueId) -> Domain {
        self.instruction(value).domain
    }

    /// Appends an instruction, or finds a simpler value that equals it.
    pub fn push(&mut self, op: Op) -> ValueId {
        match self.simplified(op) {
            Ok(value) => value,
            Err(op) => self.append(op),
        }
    }

    /// Copies a program in, each instruction passed through `change`, which may give another value instead;
    /// returns where each of its values went. Results are not copied.
    pub fn import(
        &mut self,
        program: &Program,
        mut change: impl FnMut(&mut Graph, ValueId, &Op) -> Option<ValueId>,
    ) -> Vec<ValueId> {
        let mut renamed: Vec<ValueId> = Vec::with_capacity(program.instructions.len());
        for (index, instruction) in program.instructions.iter().enumerate() {
            let mut op = instruction.op.clone();
            op.visit_mut(|v| *v = renamed[v.index()]);
            let value = change(self, ValueId(index as u32), &op).unwrap_or_else(|| self.push(op));
            renamed.push(value);
        }
        renamed
    }

    /// Appends an instruction without looking for a simpler one.
    pub(crate) fn append_as_is(&mut self, op: Op) -> ValueId {
        self.append(op)
    }

    fn append(&mut self, op: Op) -> ValueId {
        if let Some(value) = self.known.get(&op) {
            return *value;
        }
        let rank = op.rank(|v| self.rank(v));
        let domain = self.source_domain(&op).unwrap_or_else(|| {
            let weights = |n: u32| weight_sums(&self.declarations.neighbourhoods[n as usize]);
            domain_of(&op, |v| self.domain(v), weights, &self.declarations.lattice)
        });
        let domain = self.left_of_trials(&op, domain);
        let domain = self.remainder(&op, domain);
        let value = ValueId(self.instructions.len() as u32);
        self.instructions.push(Instruction { op: op.clone(), rank, domain });
        self.known.insert(op, value);
        value
    }

    /// The failures among a number of trials are not fewer than none.
    fn left_of_trials(&self, op: &Op, domain: Domain) -> Domain {
        match op {
            Op::Binary(Binary::Subtract, trials, successes) => match self.instruction(*successes).op {
                Op::Count { law: CountLaw::Binomial, ref arguments, .. } if arguments[0] == *trials => {
                    Domain { lowest: domain.lowest.max(0.0), ..domain }
                }
                _ => domain,
            },
            _ => domain,
        }
    }

    /// What a division by a whole number k leaves of a whole number lies from 0 to k − 1.
    fn remainder(&self, op: &Op, domain: Domain) -> Domain {
        let Some(k) = divisor(op, |v| self.instruction(v)) else { return domain };
        let (lowest, highest) = if k > 0.0 { (0.0, k - 1.0) } else { (k + 1.0, 0.0) };
        Domain { lowest: domain.lowest.max(lowest), highest: domain.highest.min(highest), ..domain }
    }

    /// Its instructions in words.
    pub(crate) fn words(&self) -> Words<'_> {
        Words { declarations: &self.declarations, instructions: &self.instructions }
    }

    fn source_domain(&self, op: &Op) -> Option<Domain> {
        let d = &self.declarations;
        match op {
            Op::Parameter(i) => {
                let interval = d.parameters.get(*i as usize)?.interval;
                Some(Domain::real(interval.lowest, interval.highest))
            }
            Op::Entry { list, .. } => {
                let list = d.lists.get(*list as usize)?;
                let own = |start: f64, most: fn(f64, f64) -> f64| list.iter().copied().fold(start, most);
                let integer = list.iter().all(|x| x.fract().abs() <= 0.0);
                let (lowest, highest) = (own(f64::INFINITY, f64::min), own(f64::NEG_INFINITY, f64::max));
                Some(Domain { lowest, highest, integer, nan: false })
            }
            Op::Layer(i) | Op::Target(i) => {
                let values = &d.layers.get(*i as usize)?.values;
                let (lowest, highest) = values.range();
                let integer = values.is_integer();
                Some(Domain { lowest, highest, integer, nan: !integer })
            }
            Op::Field(i) => match d.fields.get(*i as usize)?.kind {
                FieldKind::Parameter(interval) => Some(Domain::real(interval.lowest, interval.highest)),
                // Checked to be finite when a run is given them.
                FieldKind::Covariate => Some(Domain::real(f64::NEG_INFINITY, f64::INFINITY)),
            },
            _ => None,
        }
    }

    /// Whether a value is one of several states rather than a number: a categorical draw, a layer of three or more
    /// named states, what is moved or chosen of such.
    pub fn is_nominal(&self, value: ValueId) -> bool {
        let (mut open, mut seen) = (vec![value], HashSet::new());
        while let Some(value) = open.pop() {
            if !seen.insert(value) {
                continue;
            }
            match self.instruction(value).op {
                Op::Categorical { .. } => {}
                Op::Layer(i) | Op::Target(i)
                    if self.declarations.layers.get(i as usize).is_some_and(Layer::is_labels) => {}
                Op::Layer(i) if self.declarations.layers.get(i as usize).is_some_and(Layer::is_nominal) => {}
                // A state that was read across an edge, beyond which one is known.
                Op::Select(_, read, _) if self.edged.contains(&value) => open.push(read),
                Op::Select(_, a, b) => open.extend([a, b]),
                Op::Shift { x, .. } | Op::Hold(x) | Op::Revealed { value: x, .. } => open.push(x),
                _ => return false,
            }
        }
        true
    }

    /// The number a value always is, where that is known.
    pub fn constant_value(&self, value: ValueId) -> Option<f64> {
        match self.instruction(value).op {
            Op::Constant(number) => Some(number.get()),
            _ => None,
        }
    }

    /// Whether some edge of the lattice has a value of its own beyond it.
    pub fn has_fixed_edge(&self) -> bool {
        self.declarations.lattice.boundaries().iter().any(|b| matches!(b, Boundary::Fixed(_)))
    }
}

/// The sums of a neighbourhood's positive and negative weights, and whether all are whole.
fn weight_sums(neighbourhood: &Neighbourhood) -> (f64, f64, bool) {
    let weights = neighbourhood.weights();
    let sum = |keep: fn(&f64) -> bool| weights.iter().filter(|w| keep(w)).sum::<f64>();
    (sum(|w| *w > 0.0), sum(|w| *w < 0.0), weights.iter().all(|w| w.fract().abs() <= 0.0))
}
