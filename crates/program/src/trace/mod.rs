//! Traces a step: hands out copyable handles whose operators write instructions.
//!
//! A tracing lives on one thread while its [`Scope`] is open. Mistakes are collected, not thrown: the first one is
//! reported when the tracing ends, so that expressions stay free of `?`.

mod cells;
mod expression;
mod there;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};

use glauber_lattice::Offset;

use crate::check::{Check, Requirement};
use crate::counts::CountLaw;
use crate::declarations::{Declarations, Field, FieldKind};
use crate::display::Words;
use crate::error::{ModelError, unknown};
use crate::graph::{Graph, MOST_INSTRUCTIONS, complement};
use crate::op::{Op, Rank, ValueId};
use crate::program::{Program, Sink};
use crate::scheme;
use crate::update::Update;

pub use cells::{CellSum, PerCell};
pub use expression::{Beyond, Expr, Neighbourly};
pub use there::There;

/// The most draws of a program: the noise of further ones is another program's.
const MOST_DRAWS: usize = 1 << 16;

/// What is being traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// How the lattice starts.
    Start,
    /// One step.
    Step,
    /// Numbers taken from a state.
    Observation,
}

/// A tracing in progress.
pub(crate) struct Trace {
    id: u32,
    stage: Stage,
    pub(crate) graph: Graph,
    next: Vec<Option<ValueId>>,
    /// How many draws have each name.
    named: HashMap<String, usize>,
    /// What is checked already for being a number.
    compared: HashSet<ValueId>,
    /// Whether the rule has stated its rates.
    rates: bool,
    error: Option<ModelError>,
}

impl Trace {
    pub(crate) fn fail(&mut self, error: ModelError) -> ValueId {
        self.error.get_or_insert(error);
        self.graph.constant(f64::NAN)
    }

    /// What is wrong where there are not as many as wanted.
    pub(crate) fn miscounted(&self, what: &'static str, wanted: &str, found: usize) -> ModelError {
        ModelError::Count { model: self.model(), what, wanted: wanted.to_string(), found }
    }

    /// Notes where the rule has become too long.
    pub(crate) fn check_length(&mut self) {
        let (length, draws) = (self.graph.len(), self.graph.declarations.draws.len());
        let (what, most) = match (length > MOST_INSTRUCTIONS, draws > MOST_DRAWS) {
            (true, _) => ("it has more instructions than a program may", MOST_INSTRUCTIONS),
            (_, true) => ("it has more draws than a program may", MOST_DRAWS),
            _ => return,
        };
        if self.error.is_none() {
            self.error = Some(ModelError::TooLong { model: self.model(), what: what.into(), most });
        }
    }

    /// Has the operands of a comparison checked to be numbers, unless their bounds prove it.
    pub(crate) fn check_compared(&mut self, holds: ValueId, a: ValueId, b: ValueId) {
        let open: Vec<ValueId> = [a, b].into_iter().filter(|v| self.graph.domain(*v).nan).collect();
        // What comes of two constants is one; what failed is not-a-number already.
        if self.error.is_some()
            || open.is_empty()
            || !matches!(self.graph.instruction(holds).op, Op::Compare(..))
        {
            return;
        }
        let what = self.graph.words().written(holds);
        for value in open {
            if self.compared.insert(value) {
                check(self, &what, Requirement::Number, value);
            }
        }
    }

    pub(crate) fn model(&self) -> String {
        self.graph.declarations.model.clone()
    }

    /// Its number, by which handles know it.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// The first mistake so far.
    pub(crate) fn mistake(&self) -> Option<ModelError> {
        self.error.clone()
    }

    /// The value behind a handle, or an error where the handle belongs to another tracing.
    pub(crate) fn resolve(&mut self, operand: Operand) -> ValueId {
        match operand {
            Operand::Number(x) => self.graph.constant(x),
            Operand::Expr(e) if e.trace == self.id && self.graph.has(e.value) => e.value,
            Operand::Expr(_) => {
                let model = self.model();
                self.fail(ModelError::ForeignValue { model })
            }
        }
    }
}

thread_local! {
    static TRACES: RefCell<Vec<Trace>> = const { RefCell::new(Vec::new()) };
}

static NEXT_ID: AtomicU32 = AtomicU32::new(1);

/// Runs `f` on an open tracing; `None` where it is closed already.
pub(crate) fn with_trace<T>(id: u32, f: impl FnOnce(&mut Trace) -> T) -> Option<T> {
    TRACES.with_borrow_mut(|traces| traces.iter_mut().find(|t| t.id == id).map(f))
}

/// What using a handle of a closed tracing is.
pub(crate) fn tracing_is_over() -> ModelError {
    ModelError::ForeignValue { model: "unknown".into() }
}

/// A handle or a plain number, wherever an expression takes either.
#[derive(Clone, Copy, Debug)]
pub enum Operand {
    /// A traced value.
    Expr(Expr),
    /// A constant.
    Number(f64),
}

impl From<Expr> for Operand {
    fn from(e: Expr) -> Operand {
        Operand::Expr(e)
    }
}

impl From<f64> for Operand {
    fn from(x: f64) -> Operand {
        Operand::Number(x)
    }
}

/// What a start, a step or an observation is traced with: it names layers and parameters, draws, and says what comes next.
#[derive(Debug)]
pub struct Scope {
    id: u32,
}

impl Drop for Scope {
    fn drop(&mut self) {
        TRACES.with_borrow_mut(|traces| traces.retain(|t| t.id != self.id));
    }
}

impl Scope {
    /// Opens a tracing over the given declarations.
    pub fn open(declarations: Declarations, stage: Stage) -> Scope {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let next = vec![None; declarations.layers.len()];
        let trace = Trace {
            id,
            stage,
            graph: Graph::new(declarations),
            next,
            named: HashMap::new(),
            compared: HashSet::new(),
            rates: false,
            error: None,
        };
        TRACES.with_borrow_mut(|traces| traces.push(trace));
        Scope { id }
    }

    /// Ends the tracing and gives its program.
    ///
    /// # Errors
    /// The first [`ModelError`] that was met.
    pub fn close(self) -> Result<Program, ModelError> {
        let trace = TRACES.with_borrow_mut(|traces| {
            traces.iter().position(|t| t.id == self.id).map(|place| traces.swap_remove(place))
        });
        let Some(mut trace) = trace else {
            return Err(tracing_is_over());
        };
        if let Some(error) = trace.error.take() {
            return Err(error);
        }
        if trace.stage != Stage::Observation {
            collect_next(&mut trace)?;
        }
        let program = trace.graph.finish();
        if trace.stage == Stage::Step {
            scheme::check(&program)?;
        } else if let Some(found) = program.instructions.iter().find(|i| i.op.is_of_events()) {
            let what = Words::of(&program).written_op(&found.op);
            return Err(ModelError::PickOutsideStep { model: program.declarations.model.clone(), what });
        }
        let simulated = program.simulated();
        if trace.stage != Stage::Observation
            && simulated.instructions.iter().any(|i| matches!(i.op, Op::Target(_)))
        {
            return Err(ModelError::ObservedInStep { model: simulated.declarations.signature.model });
        }
        Ok(program)
    }

    /// The first mistake so far, or that the tracing is over: for front ends that report mistakes where they are made.
    pub fn mistake(&self) -> Option<ModelError> {
        with_trace(self.id, |t| t.mistake()).unwrap_or_else(|| Some(tracing_is_over()))
    }

    fn push(&self, f: impl FnOnce(&mut Trace) -> ValueId) -> Expr {
        let made = with_trace(self.id, |t| {
            let value = f(t);
            t.check_length();
            value
        });
        Expr { trace: self.id, value: made.unwrap_or(ValueId(u32::MAX)) }
    }

    /// A plain number as a handle.
    pub fn number(&self, value: f64) -> Expr {
        self.push(|t| t.graph.constant(value))
    }

    /// A layer's value at each site before the step.
    pub fn layer(&self, name: &str) -> Expr {
        self.push(|t| match find(t, name) {
            Err(error) => t.fail(error),
            Ok(_) if t.stage == Stage::Start => {
                t.fail(ModelError::LayerInStart { model: t.model(), layer: name.to_string() })
            }
            Ok(i) => t.graph.push(Op::Layer(i)),
        })
    }

    /// A layer's observed value after the step, for [`Expr::revealed_by`] and nothing else.
    pub fn observed_next(&self, layer: &str) -> Expr {
        self.push(|t| match find(t, layer) {
            Err(error) => t.fail(error),
            Ok(i) => t.graph.push(Op::Target(i)),
        })
    }

    /// A parameter: one number for the whole run.
    pub fn parameter(&self, name: &str) -> Expr {
        self.push(|t| {
            let d = &t.graph.declarations;
            match d.parameters.iter().position(|p| p.name == name) {
                Some(i) => t.graph.push(Op::Parameter(i as u32)),
                None => {
                    let names = d.parameters.iter().map(|p| p.name.as_str());
                    let error = unknown(&d.model, "parameter", name, names);
                    t.fail(error)
                }
            }
        })
    }

    /// A declared covariate or parameter field: one fixed number per site.
    pub fn field(&self, name: &str) -> Expr {
        self.push(|t| {
            let d = &t.graph.declarations;
            match d.fields.iter().position(|p| p.name == name) {
                Some(i) => t.graph.push(Op::Field(i as u32)),
                None => {
                    let names = d.fields.iter().map(|p| p.name.as_str());
                    let error = unknown(&d.model, "covariate or parameter field", name, names);
                    t.fail(error)
                }
            }
        })
    }

    /// Data to compare with, one number per site (and per replicate where the data has them); declared by being named.
    pub fn data(&self, name: &str) -> Expr {
        self.push(|t| {
            let fields = &mut t.graph.declarations.signature.fields;
            let place = fields.iter().position(|p| p.name == name).unwrap_or_else(|| {
                fields.push(Field { name: name.to_string(), kind: FieldKind::Covariate });
                fields.len() - 1
            });
            t.graph.push(Op::Field(place as u32))
        })
    }

    /// The number of the step: 1 for the first.
    pub fn step(&self) -> Expr {
        self.push(|t| t.graph.push(Op::StepIndex))
    }

    /// The site's coordinate along an axis of the lattice, counted as in its shape, from 0.
    pub fn coordinate(&self, axis: usize) -> Expr {
        self.push(|t| {
            let dimensions = t.graph.declarations.lattice.dimensions();
            if axis >= dimensions {
                return t.fail(t.miscounted("coordinate", &format!("an axis below {dimensions}"), axis));
            }
            t.graph.push(Op::Coordinate((axis + 3 - dimensions) as u8))
        })
    }

    /// 1 with probability `p` at each site, else 0.
    pub fn bernoulli(&self, p: impl Into<Operand>) -> Expr {
        self.bernoulli_at(Rank::Site, p.into(), "bernoulli")
    }

    /// 1 with probability `p` for each replicate, else 0.
    pub fn replicate_bernoulli(&self, p: impl Into<Operand>) -> Expr {
        self.bernoulli_at(Rank::Replicate, p.into(), "bernoulli")
    }

    /// A class 0, 1, 2 … at each site with these probabilities, which add up to 1: write the last as what the others
    /// leave. Where they do not, to rounding, the run ends with an error.
    pub fn categorical(&self, probabilities: &[Operand]) -> Expr {
        self.categorical_at(Rank::Site, probabilities, "categorical")
    }

    /// A class for each replicate with these probabilities, which add up to 1; see [`Scope::categorical`].
    pub fn replicate_categorical(&self, probabilities: &[Operand]) -> Expr {
        self.categorical_at(Rank::Replicate, probabilities, "categorical")
    }

    /// A uniform number in [0, 1) at each site.
    pub fn uniform(&self) -> Expr {
        self.push(|t| {
            let draw = name_draw(t, "uniform");
            t.graph.uniform(draw, 0, Rank::Site)
        })
    }

    /// A standard normal number at each site.
    pub fn normal(&self) -> Expr {
        self.push(|t| {
            let draw = name_draw(t, "normal");
            let (u, v) = (t.graph.uniform(draw, 0, Rank::Site), t.graph.uniform(draw, 1, Rank::Site));
            t.graph.push(Op::Normal(u, v))
        })
    }

    /// The number of successes in `n` trials of probability `p` at each site; n is whole, from 0 to
    /// [`crate::MOST_COUNT`].
    pub fn binomial(&self, n: impl Into<Operand>, p: impl Into<Operand>) -> Expr {
        self.count(CountLaw::Binomial, &[n.into(), p.into()])
    }

    /// The number of events of mean `rate` at each site; the rate lies from 0 to [`crate::MOST_COUNT`].
    pub fn poisson(&self, rate: impl Into<Operand>) -> Expr {
        self.count(CountLaw::Poisson, &[rate.into()])
    }

    /// How many trials of probability `p`, above 0, it takes at each site up to the first success, that one included.
    pub fn geometric(&self, p: impl Into<Operand>) -> Expr {
        self.count(CountLaw::Geometric, &[p.into()])
    }

    /// A number at each site of a law that counts, with as many arguments as it takes.
    pub fn count(&self, law: CountLaw, arguments: &[Operand]) -> Expr {
        self.push(|t| {
            let (name, usage) = law.words();
            let (wanted, found) = (law.required().len(), arguments.len());
            if found != wanted {
                return t.fail(t.miscounted(name, usage, found));
            }
            let draw = name_draw(t, name);
            let arguments: Vec<ValueId> = arguments.iter().map(|a| t.resolve(*a)).collect();
            for (required, argument) in law.required().iter().zip(&arguments) {
                require(t, draw, *required, *argument);
            }
            t.graph.push(Op::Count { law, arguments, draw, rank: Rank::Site })
        })
    }

    /// The plane `x` moved as a whole by the offset that `direction` (one class per replicate) picks from `offsets`.
    pub fn translate(&self, x: impl Into<Beyond>, direction: Expr, offsets: &[Offset]) -> Expr {
        expression::refuse_far(self.id, offsets);
        let Beyond { x, beyond } = x.into();
        self.push(|t| {
            if offsets.is_empty() {
                return t.fail(t.miscounted("translate", "at least one offset", 0));
            }
            let (x, direction) = (t.resolve(x.into()), t.resolve(direction.into()));
            if t.graph.rank(direction) == Rank::Site {
                return t.fail(ModelError::DirectionPerSite { model: t.model() });
            }
            check(t, "translate", Requirement::Direction(offsets.len() as u32), direction);
            let offsets = t.graph.declarations.neighbourhood(glauber_lattice::Neighbourhood::of(offsets));
            let beyond = beyond.map(|beyond| t.resolve(beyond));
            t.graph.translated(x, direction, offsets, beyond)
        })
    }

    /// Says what a layer becomes.
    pub fn next(&self, layer: &str) -> Next<'_> {
        Next { scope: self, layer: layer.to_string() }
    }

    /// Has `p` checked to lie in [0, 1] wherever the step runs, unless its bounds prove it; the error calls it the
    /// probability of `what`.
    pub fn check_probability(&self, what: &str, p: impl Into<Operand>) {
        with_trace(self.id, |t| {
            let p = t.resolve(p.into());
            check(t, what, Requirement::Probability, p);
        });
    }

    /// Has the sum of the probabilities of `what` checked to be 1 wherever the step runs, unless its bounds prove it.
    pub fn check_whole(&self, what: &str, sum: impl Into<Operand>) {
        with_trace(self.id, |t| {
            let sum = t.resolve(sum.into());
            check(t, what, Requirement::WholeOfOne, sum);
        });
    }

    /// Leaves a number per replicate under a name.
    pub fn output(&self, name: &str, value: impl Into<Operand>) {
        with_trace(self.id, |t| {
            let value = t.resolve(value.into());
            if t.graph.rank(value) == Rank::Site {
                t.fail(ModelError::OutputPerSite { model: t.model(), name: name.to_string() });
                return;
            }
            t.graph.declarations.outputs.push(name.to_string());
            let place = t.graph.declarations.outputs.len() as u32 - 1;
            t.graph.result(Sink::Output(place), value);
        });
    }

    fn bernoulli_at(&self, rank: Rank, p: Operand, name: &str) -> Expr {
        self.push(|t| {
            let draw = name_draw(t, name);
            let p = t.resolve(p);
            require(t, draw, Requirement::Probability, p);
            let u = t.graph.uniform(draw, 0, rank);
            let rest = complement(&mut t.graph, p).filter(|found| found.recovers).map(|found| found.value);
            t.graph.push(Op::Bernoulli { p, rest, u })
        })
    }

    fn categorical_at(&self, rank: Rank, probabilities: &[Operand], name: &str) -> Expr {
        self.push(|t| {
            if probabilities.is_empty() {
                return t.fail(t.miscounted("a categorical draw", "at least one probability", 0));
            }
            let draw = name_draw(t, name);
            let probabilities: Vec<ValueId> = probabilities.iter().map(|p| t.resolve(*p)).collect();
            let (mut below, mut above) = (Vec::new(), Vec::new());
            let mut sum = t.graph.constant(0.0);
            for p in &probabilities[..probabilities.len() - 1] {
                require(t, draw, Requirement::Probability, *p);
                sum = t.graph.add(sum, *p);
                below.push(sum);
            }
            require(t, draw, Requirement::Probability, sum);
            let whole = t.graph.add(sum, probabilities[probabilities.len() - 1]);
            require(t, draw, Requirement::WholeOfOne, whole);
            let mut beyond = t.graph.constant(0.0);
            for p in probabilities[1..].iter().rev() {
                beyond = t.graph.add(beyond, *p);
                above.push(beyond);
            }
            above.reverse();
            let u = t.graph.uniform(draw, 0, rank);
            t.graph.push(Op::Categorical { probabilities, below, above, u })
        })
    }
}

/// What a layer becomes; see [`Scope::next`].
#[derive(Debug)]
pub struct Next<'s> {
    scope: &'s Scope,
    layer: String,
}

impl Next<'_> {
    /// Sets the next value at each site.
    pub fn set(self, value: impl Into<Operand>) {
        with_trace(self.scope.id, |t| {
            let value = t.resolve(value.into());
            match find(t, &self.layer) {
                Err(error) => {
                    t.fail(error);
                }
                Ok(i) if t.next[i as usize].is_some() => {
                    t.fail(ModelError::NextTwice { model: t.model(), layer: self.layer });
                }
                Ok(i) => t.next[i as usize] = Some(value),
            }
        });
    }

    /// The next value is 1 with probability `p`, else 0.
    pub fn bernoulli(self, p: impl Into<Operand>) {
        let drawn = self.scope.bernoulli_at(Rank::Site, p.into(), &self.layer);
        self.set(drawn);
    }

    /// The next value is a class with these probabilities, which add up to 1; see [`Scope::categorical`].
    pub fn categorical(self, probabilities: &[Operand]) {
        let drawn = self.scope.categorical_at(Rank::Site, probabilities, &self.layer);
        self.set(drawn);
    }
}

fn find(t: &Trace, layer: &str) -> Result<u32, ModelError> {
    let d = &t.graph.declarations;
    let place = d.layers.iter().position(|l| l.name == layer);
    place
        .map(|i| i as u32)
        .ok_or_else(|| unknown(&d.model, "layer", layer, d.layers.iter().map(|l| l.name.as_str())))
}

fn name_draw(t: &mut Trace, name: &str) -> u32 {
    let count = t.named.entry(name.to_string()).or_insert(0);
    *count += 1;
    let number = *count;
    let draws = &mut t.graph.declarations.draws;
    draws.push(if number == 1 { name.to_string() } else { format!("{name} {number}") });
    draws.len() as u32 - 1
}

/// Has an argument of a draw checked at run time where its domain does not prove it.
fn require(t: &mut Trace, draw: u32, required: Requirement, value: ValueId) {
    let what = t.graph.declarations.draws[draw as usize].clone();
    check(t, &what, required, value);
}

fn check(t: &mut Trace, what: &str, required: Requirement, value: ValueId) {
    let domain = t.graph.domain(value);
    if matches!(required, Requirement::Probability | Requirement::Rate) {
        t.graph.tell_of_cancelling(value);
    }
    if required.proved_by(domain) {
        return;
    }
    let check = Check { what: what.to_string(), required };
    if required.refuted_by(domain) {
        let (lowest, highest) = (domain.lowest, domain.highest);
        let complaint = match lowest < highest {
            true => check.complaint(format_args!("between {lowest} and {highest}")),
            false => check.complaint(lowest),
        };
        t.fail(ModelError::Argument { model: t.model(), complaint });
        return;
    }
    let checks = &mut t.graph.declarations.checks;
    checks.push(check);
    let place = checks.len() as u32 - 1;
    t.graph.result(Sink::Check(place), value);
}

fn collect_next(trace: &mut Trace) -> Result<(), ModelError> {
    let model = trace.model();
    for (i, next) in std::mem::take(&mut trace.next).into_iter().enumerate() {
        let layer = trace.graph.declarations.layers[i].clone();
        let sequential = trace.stage == Stage::Step && trace.graph.declarations.update != Update::Synchronous;
        if next.is_none() && sequential {
            // What a rule for one site after another does not mention stays as it is.
            let same = trace.graph.push(Op::Layer(i as u32));
            trace.graph.result(Sink::NextLayer(i as u32), same);
            continue;
        }
        let Some(value) = next else {
            let stage = if trace.stage == Stage::Start { "start" } else { "step" };
            return Err(ModelError::NoNext { model, stage, layer: layer.name });
        };
        in_range(trace, i as u32, value)?;
        trace.graph.result(Sink::NextLayer(i as u32), value);
    }
    Ok(())
}

/// Refuses a value that a layer can never hold.
fn in_range(trace: &Trace, layer: u32, value: ValueId) -> Result<(), ModelError> {
    let own = &trace.graph.declarations.layers[layer as usize];
    let (lowest, highest) = own.values.range();
    let domain = trace.graph.domain(value);
    if domain.highest >= lowest && domain.lowest <= highest {
        if trace.stage == Stage::Step
            && own.is_labels()
            && !(domain.integer && domain.proves(lowest, highest))
        {
            let whole = if domain.integer { "" } else { ", not always whole" };
            let why = format!(
                "layer `{}` holds labels from {lowest} to {highest}, and the rule gives it a number from {} to {}{whole}: a label \
                 is chosen among labels, as by where(copied, there[\"{}\"], s[\"{}\"]) (from Rust select), not computed; where \
                 it must be, keep it within (minimum, maximum) and whole (floor)",
                own.name, domain.lowest, domain.highest, own.name, own.name
            );
            return Err(ModelError::Cells { model: trace.model(), why });
        }
        return Ok(());
    }
    Err(ModelError::OutOfRange {
        model: trace.model(),
        layer: own.name.clone(),
        values: own.values.to_string(),
        lowest: domain.lowest,
        highest: domain.highest,
    })
}
