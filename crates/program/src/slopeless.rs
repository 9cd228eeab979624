//! Finds where parameters reach what a model does through step functions, whose derivative is 0.
//!
//! A comparison of numbers, `sign` and `floor` have derivative 0 almost everywhere, and a choice none by a condition that may
//! be other than 0 or 1: what a parameter does through them is missing in every gradient, whatever the estimator, and in
//! what likelihoods say of errors. `s.uniform().less(p)` draws as `s.bernoulli(p)` does, but only the latter has a
//! derivative. By a value of 0 or 1, such as a draw, choices and comparisons are linear and have one.

use std::collections::BTreeSet;

use crate::dataflow::{dependent, needed, reached};
use crate::declarations::FieldKind;
use crate::display::Words;
use crate::model::Model;
use crate::op::{Op, ValueId};
use crate::program::{Program, Sink};
use crate::remainder::divisor;
use crate::switches::{is_switch, switches};
use crate::unary::Unary;

/// A step function through which something reaches what a model does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slopeless {
    /// The parameters, and parameter fields, whose effect through it has no derivative.
    pub parameters: Vec<String>,
    /// Those of them that have no effect that has one.
    pub only: Vec<String>,
    /// Whether the states that earlier steps left are what is compared, so that a gradient through several steps lacks it.
    pub of_states: bool,
    /// The function, as one would write it.
    pub function: String,
    /// Where it stands: of the start or of the step, for what, and which line of the printed program.
    pub place: String,
    /// What to write in its place.
    pub remedy: &'static str,
}

/// Where a random number decides.
const DRAW: &str = "write the draw as bernoulli(p), which has one";
/// Where a value is chosen by what has a derivative itself, and is not 0 or 1.
const CHOICE: &str = "choose by a value that is 0 or 1, such as a bernoulli draw, by which a choice has one, or write the \
                      choice as a formula";
/// Elsewhere.
const STEP: &str = "write a smooth function, such as a sigmoid (from Python and Rust also heaviside, which has a \
                    surrogate slope), or fit by a search (nelder-mead, cma-es), which needs none";

impl Slopeless {
    /// What is missing in a gradient, where, and what to do about it.
    pub fn words(&self) -> String {
        let Slopeless { function, place, remedy, .. } = self;
        let reached = quoted(&self.parameters);
        let what = match (self.parameters.is_empty(), self.only.len() == self.parameters.len()) {
            (true, _) => "what states do through it is missing in gradients through them".to_string(),
            (_, true) => format!("{reached} acts through it alone, and every gradient by it is 0"),
            (_, false) => format!("what {reached} does through it is missing in gradients and in errors"),
        };
        format!("`{function}` ({place}) has no derivative: {what}; {remedy}")
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Model {
    /// The step functions of a step through which parameters reach the next state; of several steps, where asked, also
    /// those of the start, and those through which states reach later ones. To the score function, which asks how likely
    /// outcomes were, only those count that stand before a draw (`scored`).
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Values};
    /// # use glauber_program::{Interval, Model};
    /// let m = Model::build("coins", Lattice::line(4))
    ///     .layer("heads", Values::binary())
    ///     .parameter("p", Interval::unit())
    ///     .step(|s| s.next("heads").set(s.uniform().less(s.parameter("p"))))?;
    /// assert_eq!(m.slopeless(false, false)[0].only, ["p"]);
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn slopeless(&self, several_steps: bool, scored: bool) -> Vec<Slopeless> {
        let start = self.start.as_ref().filter(|_| several_steps).map(|p| Reading::of(p, "start", scored));
        let step = Reading::of(&self.step, "step", scored);
        let read: Vec<Reading<'_>> = std::iter::once(step).chain(start).collect();
        let smooth: BTreeSet<usize> =
            read.iter().flat_map(|r| (0..r.sources.len()).filter(|k| r.smooth(*k))).collect();
        let mut found: Vec<Slopeless> = read.iter().flat_map(|r| r.parameters(&smooth)).collect();
        if several_steps && !scored {
            let further = read[0].states();
            let new = further.into_iter().filter(|s| !found.iter().any(|f| f.place == s.place));
            found.extend(new.collect::<Vec<_>>());
        }
        found
    }

    /// The parameters, and parameter fields, that a step does not read for its next state; of several steps, nor the start.
    pub fn idle(&self, several_steps: bool) -> Vec<String> {
        let start = self.start.as_ref().filter(|_| several_steps);
        let programs = std::iter::once(&self.step).chain(start);
        let read: Vec<Reading<'_>> = programs.map(|p| Reading::of(p, "step", false)).collect();
        let reaches = |r: &Reading<'_>, source: &Op| {
            let (any, _) = r.depends(|op| op == source);
            r.results().any(|(_, value)| any[value.index()])
        };
        let sources = read[0].sources.iter().filter(|(op, _)| !read.iter().any(|r| reaches(r, op)));
        sources.map(|(_, name)| name.clone()).collect()
    }
}

impl Program {
    /// The step functions of an observation through which states reach its numbers.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Values};
    /// # use glauber_program::{Interval, Model};
    /// let m = Model::build("piles", Lattice::line(4))
    ///     .layer("grains", Values::up_to(3))
    ///     .parameter("p", Interval::unit())
    ///     .step(|s| s.next("grains").set(s.layer("grains") * s.bernoulli(s.parameter("p"))))?;
    /// let twos = m.observe(|s| s.output("twos", s.layer("grains").equals(2.0).sum()))?;
    /// assert!(twos.slopeless()[0].words().contains("what states do"));
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn slopeless(&self) -> Vec<Slopeless> {
        let reading = Reading::of(self, "observation", false);
        let cuts = reading.cuts(|op| matches!(op, Op::Layer(_)));
        cuts.into_iter().map(|value| Slopeless { of_states: true, ..reading.told(value) }).collect()
    }
}

/// A program whose effects are followed.
struct Reading<'a> {
    program: &'a Program,
    stage: &'static str,
    /// Parameters, then parameter fields.
    sources: Vec<(Op, String)>,
    /// Whether a value reaches a next state or an output, other than held or with another's derivative.
    counts: Vec<bool>,
    /// Whether a draw ends what is followed: its outcome is scored.
    scored: bool,
}

impl<'a> Reading<'a> {
    fn of(program: &'a Program, stage: &'static str, scored: bool) -> Reading<'a> {
        let d = &program.declarations;
        let parameters = d.parameters.iter().enumerate();
        let mut sources: Vec<(Op, String)> =
            parameters.map(|(i, p)| (Op::Parameter(i as u32), p.name.clone())).collect();
        let fields = d.fields.iter().enumerate();
        let unknown = fields.filter(|(_, f)| matches!(f.kind, FieldKind::Parameter(_)));
        sources.extend(unknown.map(|(i, f)| (Op::Field(i as u32), f.name.clone())));
        let count = program.instructions.len();
        let counts =
            needed(count, results_of(program).map(|(_, v)| *v), |v| read_by(&program.instruction(v).op));
        Reading { program, stage, sources, counts, scored }
    }

    /// What depends on what `is_source` accepts: at all, and by something that has a derivative.
    fn depends(&self, is_source: impl Fn(&Op) -> bool) -> (Vec<bool>, Vec<bool>) {
        let op = |v: ValueId| &self.program.instruction(v).op;
        // The outcome of a draw is scored, whatever its derivative.
        let reads = |v: ValueId| if self.scored && is_draw(op(v)) { Vec::new() } else { read_by(op(v)) };
        let sloped = |v: ValueId| match op(v) {
            Op::Compare(..) => switches(&self.program.instructions, v).switches,
            own if is_step(own) || divisor(own, |v| self.program.instruction(v)).is_some() => Vec::new(),
            Op::Select(c, yes, no) if is_switch(self.program.instruction(*c)) => vec![*c, *yes, *no],
            Op::Select(_, yes, no) => vec![*yes, *no],
            // A sum over a cell has no derivative by which cell it is.
            Op::CellSum { x, .. } => vec![*x],
            _ => reads(v),
        };
        let count = self.program.instructions.len();
        (reached(count, |v| is_source(op(v)), reads), reached(count, |v| is_source(op(v)), sloped))
    }

    /// Whether a source reaches a state or an output, or a draw that is scored, by a way that has a derivative.
    fn smooth(&self, source: usize) -> bool {
        let (_, smooth) = self.depends(|op| *op == self.sources[source].0);
        let mut scored = false;
        for instruction in self.program.instructions.iter().filter(|i| self.scored && is_draw(&i.op)) {
            instruction.op.visit(|v| scored |= smooth[v.index()]);
        }
        scored || self.results().any(|(_, value)| smooth[value.index()])
    }

    fn results(&self) -> impl Iterator<Item = &(Sink, ValueId)> {
        results_of(self.program)
    }

    /// The step functions that parameters act through.
    fn parameters(&self, smooth: &BTreeSet<usize>) -> Vec<Slopeless> {
        let mut found: Vec<(ValueId, Vec<usize>)> = Vec::new();
        for (source, (own, _)) in self.sources.iter().enumerate() {
            for value in self.cuts(|op| op == own) {
                match found.iter_mut().find(|(other, _)| *other == value) {
                    Some((_, sources)) => sources.push(source),
                    None => found.push((value, vec![source])),
                }
            }
        }
        found.sort();
        let names = |of: Vec<&usize>| of.into_iter().map(|k| self.sources[*k].1.clone()).collect();
        let told = found.into_iter().map(|(value, sources)| Slopeless {
            parameters: names(sources.iter().collect()),
            only: names(sources.iter().filter(|k| !smooth.contains(*k)).collect()),
            ..self.told(value)
        });
        told.collect()
    }

    /// The step functions that states act through which parameters, or those states, made.
    fn states(&self) -> Vec<Slopeless> {
        let parameter = |op: &Op| self.sources.iter().any(|(own, _)| own == op);
        let mut made: BTreeSet<u32> = BTreeSet::new();
        loop {
            let (any, _) = self.depends(|op| parameter(op) || matches!(op, Op::Layer(i) if made.contains(i)));
            let reached = self.results().filter_map(|(sink, value)| match sink {
                Sink::NextLayer(i) if any[value.index()] => Some(*i),
                _ => None,
            });
            let before = made.len();
            made.extend(reached.collect::<Vec<_>>());
            if made.len() == before {
                break;
            }
        }
        let cuts = self.cuts(|op| matches!(op, Op::Layer(i) if made.contains(i)));
        cuts.into_iter().map(|value| Slopeless { of_states: true, ..self.told(value) }).collect()
    }

    /// The step functions among the values that depend on a source, where their outcome matters.
    fn cuts(&self, is_source: impl Fn(&Op) -> bool) -> Vec<ValueId> {
        let (any, smooth) = self.depends(is_source);
        let mut cuts = Vec::new();
        for (index, instruction) in self.program.instructions.iter().enumerate() {
            let op = &instruction.op;
            if !self.counts[index] {
                continue;
            }
            let mut of_source = false;
            match op {
                Op::Compare(..) => {
                    let found = switches(&self.program.instructions, ValueId(index as u32));
                    of_source = found.others.iter().any(|v| any[v.index()]);
                }
                op => op.visit(|v| of_source |= any[v.index()]),
            }
            if is_step(op) && of_source {
                cuts.push(ValueId(index as u32));
            }
            // A condition that has a derivative itself, such as a draw.
            let is_cut = |c: &ValueId| smooth[c.index()] && !is_switch(self.program.instruction(*c));
            if matches!(op, Op::Select(condition, ..) if is_cut(condition)) {
                cuts.push(ValueId(index as u32));
            }
        }
        cuts
    }

    fn told(&self, value: ValueId) -> Slopeless {
        let words = Words::of(self.program);
        let after = dependent(&self.program.instructions, |v, _| v == value, |_, _| false);
        let op = &self.program.instruction(value).op;
        let mut remedy = if matches!(op, Op::Select(..)) { CHOICE } else { STEP };
        op.visit(|v| {
            if matches!(self.program.instruction(v).op, Op::Uniform { .. }) {
                remedy = DRAW;
            }
        });
        let reached = self.results().find(|(_, v)| after[v.index()]).map(|(sink, _)| words.sink(*sink));
        let place = format!(
            "%{} of the {}, for {}",
            value.0,
            self.stage,
            reached.unwrap_or_else(|| "nothing".into())
        );
        let function = words.written(value);
        Slopeless { parameters: vec![], only: vec![], of_states: false, function, place, remedy }
    }
}

/// What a program leaves of what happens.
fn results_of(program: &Program) -> impl Iterator<Item = &(Sink, ValueId)> {
    program.results.iter().filter(|(sink, _)| matches!(sink, Sink::NextLayer(_) | Sink::Output(_)))
}

/// The values whose derivative an instruction hands on, or would, had it one.
fn read_by(op: &Op) -> Vec<ValueId> {
    match op {
        Op::Hold(_) => Vec::new(),
        Op::Replace { gradient, .. } => vec![*gradient],
        Op::Revealed { value, .. } => vec![*value],
        op => op.operands(),
    }
}

/// Whether an instruction is a draw of which the likelihood of outcomes is known.
fn is_draw(op: &Op) -> bool {
    matches!(op, Op::Bernoulli { .. } | Op::Categorical { .. } | Op::Count { .. })
}

/// Whether an instruction has derivative 0 by all that it reads.
fn is_step(op: &Op) -> bool {
    matches!(op, Op::Compare(..) | Op::Entry { .. } | Op::Unary(Unary::Sign | Unary::Floor, _))
}
