//! Says from which states a step leaves something to chance: a question about the program, not about a point.
//!
//! Beside every value goes a flag: 1 where the value may depend on the parameters or on chance, 0 where it is the same
//! number whatever they are (0 times anything, anything to the power 0, a choice whose condition is settled). A draw is
//! certain where its probabilities are settled numbers that leave one outcome; what is certain is a settled number in
//! turn. Output `chance` = the number of draws, over all sites, that are not certain; 0 only where the outcome of the
//! step is the same for all parameters. A flag of 1 is no proof: max(0, a − 1) with a in [0, 1] has one. It is taken as
//! an observation of the state before: the step has the next number.
//!
//! ```
//! # use glauber_lattice::{Lattice, Values};
//! # use glauber_likelihood::chance;
//! # use glauber_program::{Interval, Model};
//! let decay = Model::build("decay", Lattice::line(10))
//!     .layer("whole", Values::binary())
//!     .parameter("p", Interval::new(0.0, 3.0))
//!     .step(|s| {
//!         let stays = s.layer("whole") * (-s.parameter("p")).exp();
//!         s.next("whole").bernoulli(stays);
//!     })?;
//! assert_eq!(chance(&decay.step, &[true]).declarations().outputs, ["chance"]);
//! # Ok::<(), glauber_program::ModelError>(())
//! ```

use glauber_program::CountLaw;
use glauber_program::FieldKind;
use glauber_program::Graph;
use glauber_program::Update;
use glauber_program::sublattices;
use glauber_program::{Binary, Comparison, Op, Rank, ValueId};
use glauber_program::{Program, Sink};

/// The program whose output is how many draws of one step from a state are not certain.
///
/// `free` says of every parameter of the model whether it may be anything; one that is missing may. A run of the
/// program needs some value for each of these, and the very value for the others.
///
/// Where sites are updated one after another, which one comes next is always left to chance: each counts.
pub fn chance(step: &Program, free: &[bool]) -> Program {
    let lowered;
    let step = match step.declarations().update {
        Update::Sublattices => {
            lowered = sublattices(step, true);
            &lowered
        }
        _ => step,
    };
    let mut declarations = step.declarations().clone();
    declarations.outputs = vec!["chance".to_string()];
    if declarations.update.is_by_events() {
        let sites = declarations.lattice.sites() as f64;
        let mut graph = Graph::new(declarations);
        let all = graph.constant(sites);
        graph.result(Sink::Output(0), all);
        return graph.finish();
    }
    let mut flags = Flags { step, free, of: Vec::new(), renamed: Vec::new(), uncertain: Vec::new() };
    let mut graph = Graph::new(declarations);
    graph.import(step, |g, original, op| Some(flags.value(g, original, op)));
    let mut total = graph.constant(0.0);
    for flag in flags.uncertain {
        let sum = graph.site_sum(flag);
        total = graph.add(total, sum);
    }
    graph.result(Sink::Output(0), total);
    graph.finish()
}

/// The flags of the values met so far.
struct Flags<'a> {
    step: &'a Program,
    free: &'a [bool],
    /// By instruction of the step: the flag.
    of: Vec<ValueId>,
    /// By instruction of the step: the value in the new program.
    renamed: Vec<ValueId>,
    /// For every draw whether its outcome is open.
    uncertain: Vec<ValueId>,
}

impl Flags<'_> {
    /// Writes an instruction and its flag; `op` has its operands renamed already.
    fn value(&mut self, g: &mut Graph, original: ValueId, op: &Op) -> ValueId {
        let (value, flag) = match op {
            Op::Bernoulli { p, .. } => self.bernoulli(g, original, *p),
            Op::Categorical { probabilities, .. } => self.categorical(g, original, probabilities),
            Op::Count { law, arguments, .. } => match law {
                CountLaw::Binomial => self.binomial(g, original, arguments[0], arguments[1]),
                CountLaw::Poisson => self.poisson(g, original, arguments[0]),
                CountLaw::Geometric => self.geometric(g, original, arguments[0]),
            },
            // Which class a draw fell into: outcomes are plain numbers here.
            Op::Indicator { draw, class } if !g.is_nominal(*draw) => {
                let class = g.constant(f64::from(*class));
                (g.compare(Comparison::Equal, *draw, class), self.any(g, original))
            }
            Op::Revealed { value, .. } => (*value, self.flag(original, 0)),
            Op::StepIndex => (g.next_step(), g.constant(0.0)),
            other => {
                if self.uses_noise(original, other) {
                    let one = g.constant(1.0);
                    self.uncertain.push(one);
                }
                let value = g.push(other.clone());
                (value, self.of_instruction(g, original, other))
            }
        };
        self.of.push(flag);
        self.renamed.push(value);
        value
    }

    /// Whether an instruction is a continuous random number, or reads a uniform one as it is.
    fn uses_noise(&self, original: ValueId, op: &Op) -> bool {
        let uniform = |v: &ValueId| matches!(self.step.instruction(*v).op, Op::Uniform { .. });
        matches!(op, Op::Normal(..)) || self.step.instruction(original).op.operands().iter().any(uniform)
    }

    /// The flag of an instruction's operand number `place`.
    fn flag(&self, original: ValueId, place: usize) -> ValueId {
        let operands = self.step.instruction(original).op.operands();
        self.of[operands[place].index()]
    }

    /// Whether any operand is open.
    fn any(&self, g: &mut Graph, original: ValueId) -> ValueId {
        let operands = self.step.instruction(original).op.operands();
        let zero = g.constant(0.0);
        operands.iter().fold(zero, |any, v| or(g, any, self.of[v.index()]))
    }

    fn of_instruction(&self, g: &mut Graph, original: ValueId, op: &Op) -> ValueId {
        let one = |g: &mut Graph| g.constant(1.0);
        match op {
            Op::Parameter(i) if !self.free.get(*i as usize).copied().unwrap_or(true) => g.constant(0.0),
            Op::Field(i) => {
                let declared = g.declarations.fields.get(*i as usize).map(|f| &f.kind);
                let open = !matches!(declared, Some(FieldKind::Covariate));
                g.constant(f64::from(u8::from(open)))
            }
            Op::Constant(_) | Op::Layer(_) | Op::Target(_) => g.constant(0.0),
            Op::Coordinate(_) | Op::OfColour { .. } => g.constant(0.0),
            Op::Parameter(_) | Op::Uniform { .. } | Op::Normal(..) => one(g),
            Op::NextAdjoint(_) | Op::OutputAdjoint(_) | Op::Advantage | Op::LocalAdvantage => one(g),
            Op::Replace { .. } => self.flag(original, 0),
            Op::Binary(function, a, b) => self.of_binary(g, original, *function, *a, *b),
            Op::Select(c, yes, no) => self.of_choice(g, original, *c, *yes, *no),
            Op::Shift { offset, .. } => {
                let flag = self.flag(original, 0);
                let x = g.push(Op::Spread(flag));
                let there = g.shift(x, *offset);
                above_zero(g, there)
            }
            Op::NeighbourSum { neighbourhood, .. } => {
                let weights = g.declarations.neighbourhoods[*neighbourhood as usize].weights();
                let counts = weights.iter().all(|w| *w > 0.0) && !g.has_fixed_edge();
                let flag = self.flag(original, 0);
                let x = g.push(Op::Spread(flag));
                let sum = match counts {
                    true => g.push(Op::NeighbourSum { x, neighbourhood: *neighbourhood, transposed: false }),
                    false => g.site_sum(x),
                };
                above_zero(g, sum)
            }
            Op::Translate { .. } | Op::SiteSum(_) | Op::CellSum { .. } => {
                let any = self.any(g, original);
                let sum = g.site_sum(any);
                above_zero(g, sum)
            }
            _ => self.any(g, original),
        }
    }

    fn of_binary(&self, g: &mut Graph, original: ValueId, f: Binary, a: ValueId, b: ValueId) -> ValueId {
        let (of_a, of_b) = (self.flag(original, 0), self.flag(original, 1));
        let either = or(g, of_a, of_b);
        let settled = match f {
            // 0 times anything.
            Binary::Multiply => {
                let (a, b) = (settled_at(g, of_a, a, 0.0), settled_at(g, of_b, b, 0.0));
                or(g, a, b)
            }
            Binary::Divide => settled_at(g, of_a, a, 0.0),
            // Anything to the power 0; 1 to any power.
            Binary::Power => {
                let (a, b) = (settled_at(g, of_a, a, 1.0), settled_at(g, of_b, b, 0.0));
                or(g, a, b)
            }
            _ => return either,
        };
        let open = g.one_minus(settled);
        g.multiply(either, open)
    }

    fn of_choice(&self, g: &mut Graph, original: ValueId, c: ValueId, yes: ValueId, no: ValueId) -> ValueId {
        let [of_c, of_yes, of_no] = [0, 1, 2].map(|place| self.flag(original, place));
        let taken = g.select(c, of_yes, of_no);
        let equal = g.compare(Comparison::Equal, yes, no);
        let differ = g.one_minus(equal);
        let either = or(g, of_yes, of_no);
        let either = or(g, either, differ);
        g.select(of_c, either, taken)
    }

    fn bernoulli(&mut self, g: &mut Graph, original: ValueId, p: ValueId) -> (ValueId, ValueId) {
        let one = g.constant(1.0);
        let happens = g.compare(Comparison::LessOrEqual, one, p);
        let possible = above_zero(g, p);
        let between = g.subtract(possible, happens);
        let flag = or(g, self.flag(original, 0), between);
        (happens, self.drawn(g, original, flag))
    }

    fn categorical(
        &mut self,
        g: &mut Graph,
        original: ValueId,
        probabilities: &[ValueId],
    ) -> (ValueId, ValueId) {
        let zero = g.constant(0.0);
        let (mut outcome, mut possible, mut flag) = (zero, zero, zero);
        for (class, p) in probabilities.iter().enumerate() {
            let own = above_zero(g, *p);
            possible = g.add(possible, own);
            let number = g.scale(class as f64, own);
            outcome = g.add(outcome, number);
            flag = or(g, flag, self.flag(original, class));
        }
        let one = g.constant(1.0);
        let several = g.compare(Comparison::Less, one, possible);
        let flag = or(g, flag, several);
        (outcome, self.drawn(g, original, flag))
    }

    fn binomial(&mut self, g: &mut Graph, original: ValueId, n: ValueId, p: ValueId) -> (ValueId, ValueId) {
        let one = g.constant(1.0);
        let all = g.compare(Comparison::LessOrEqual, one, p);
        let outcome = g.multiply(all, n);
        let (some, trials) = (above_zero(g, p), above_zero(g, n));
        let between = g.subtract(some, all);
        let open = g.multiply(between, trials);
        let any = or(g, self.flag(original, 0), self.flag(original, 1));
        // No trial, no success, whatever the probability; no probability, whatever the trials.
        let never = {
            let (a, b) = (
                settled_at(g, self.flag(original, 0), n, 0.0),
                settled_at(g, self.flag(original, 1), p, 0.0),
            );
            or(g, a, b)
        };
        let may = g.one_minus(never);
        let any = g.multiply(any, may);
        let flag = or(g, any, open);
        (outcome, self.drawn(g, original, flag))
    }

    fn poisson(&mut self, g: &mut Graph, original: ValueId, rate: ValueId) -> (ValueId, ValueId) {
        let events = above_zero(g, rate);
        let flag = or(g, self.flag(original, 0), events);
        (g.constant(0.0), self.drawn(g, original, flag))
    }

    fn geometric(&mut self, g: &mut Graph, original: ValueId, p: ValueId) -> (ValueId, ValueId) {
        let one = g.constant(1.0);
        let fails = g.compare(Comparison::Less, p, one);
        let flag = or(g, self.flag(original, 0), fails);
        (one, self.drawn(g, original, flag))
    }

    /// Notes whether a draw is open, at the rank at which it is made.
    fn drawn(&mut self, g: &mut Graph, original: ValueId, flag: ValueId) -> ValueId {
        let at_sites = self.step.instruction(original).rank == Rank::Site;
        let flag = if at_sites { g.push(Op::Spread(flag)) } else { flag };
        self.uncertain.push(flag);
        flag
    }
}

/// 1 where either flag is.
fn or(g: &mut Graph, a: ValueId, b: ValueId) -> ValueId {
    g.binary(Binary::Maximum, a, b)
}

/// 1 where a value is above 0, or is not a number.
fn above_zero(g: &mut Graph, x: ValueId) -> ValueId {
    let zero = g.constant(0.0);
    let not = g.compare(Comparison::LessOrEqual, x, zero);
    g.one_minus(not)
}

/// 1 where a value is settled and is this number.
fn settled_at(g: &mut Graph, flag: ValueId, value: ValueId, number: f64) -> ValueId {
    let number = g.constant(number);
    let there = g.compare(Comparison::Equal, value, number);
    let settled = g.one_minus(flag);
    g.multiply(settled, there)
}
