//! Prepares a model for running: compiles its programs for one layout, precision and instruction set.

use std::sync::{Arc, Mutex};

use glauber_lattice::{Layout, Storage};
use glauber_program::{Declarations, Estimator, Model, Op, Program, Sink, differentiate};

use crate::compile::{Code, CompileOptions};
use crate::error::EngineError;
use crate::kept::Kept;
use crate::kernel::Source;
use crate::kernels::Lane;
use crate::lower::lower;
use crate::plane::Margin;
use crate::simd::Simd;
use crate::worker::{State, Worker};

/// In which precision sites are computed. Sums over sites and parameter gradients are always double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floating point.
    Single,
    /// 64-bit floating point.
    Double,
}

/// How a plan runs. None of it changes a result but the precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The precision of the sites.
    pub precision: Precision,
    /// The vector instructions.
    pub simd: Simd,
    /// How many threads; 0 for all cores.
    pub threads: usize,
    /// How many bytes of states a gradient may keep before it turns to checkpoints.
    pub memory: usize,
    /// Tables and fusion of kernels.
    pub compile: CompileOptions,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            precision: Precision::Single,
            simd: Simd::widest(),
            threads: 0,
            memory: 1 << 30,
            compile: CompileOptions::default(),
        }
    }
}

/// A summary that is no program: numbers of a state, and how their derivatives fall back on it.
pub trait Summary: Send + Sync {
    /// The names of its numbers.
    fn outputs(&self) -> Vec<String>;
    /// The numbers of a state: one dense field per layer.
    fn values(&self, layers: &[Vec<f64>]) -> Vec<f64>;
    /// For each layer the derivative per site, given the derivative by each number.
    fn pull_back(&self, layers: &[Vec<f64>], bars: &[f64]) -> Vec<Vec<f64>>;
}

/// Numbers taken from a state.
#[derive(Clone)]
pub enum Observation {
    /// By a traced program.
    Program(Program),
    /// By code of its own.
    Summary(Arc<dyn Summary>),
}

impl Observation {
    /// The names of its numbers.
    pub fn outputs(&self) -> Vec<String> {
        match self {
            Observation::Program(program) => program.declarations.outputs.clone(),
            Observation::Summary(summary) => summary.outputs(),
        }
    }
}

impl std::fmt::Debug for Observation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Observation{:?}", self.outputs())
    }
}

/// One observation, compiled.
pub(crate) enum Observed {
    Program { forward: Arc<Code>, adjoint: Option<AdjointPair> },
    Summary(Arc<dyn Summary>),
}

/// An adjoint, and the same where nobody wants the derivative by the state.
#[derive(Clone)]
pub(crate) struct AdjointPair {
    pub(crate) whole: Arc<Code>,
    pub(crate) last: Arc<Code>,
}

/// All programs of a model, compiled.
pub(crate) struct Codes {
    pub(crate) declarations: Declarations,
    pub(crate) layout: Layout,
    pub(crate) start: Option<Arc<Code>>,
    pub(crate) step: Arc<Code>,
    /// What a step makes that its adjoint reads again.
    pub(crate) kept: Kept,
    pub(crate) observed: Vec<Observed>,
    pub(crate) adjoint: Option<AdjointCodes>,
    /// For each layer how its margin must be filled.
    pub(crate) margins: Vec<Margin>,
}

pub(crate) struct AdjointCodes {
    pub(crate) step: AdjointPair,
    pub(crate) start: Option<Arc<Code>>,
}

impl Codes {
    /// Every program.
    fn all(&self) -> Vec<&Arc<Code>> {
        let mut all = vec![&self.step];
        all.extend(&self.start);
        let mut adjoints = Vec::new();
        for observed in &self.observed {
            if let Observed::Program { forward, adjoint } = observed {
                all.push(forward);
                adjoints.extend(adjoint);
            }
        }
        if let Some(AdjointCodes { step, start }) = &self.adjoint {
            adjoints.push(step);
            all.extend(start);
        }
        all.extend(adjoints.into_iter().flat_map(|pair| [&pair.whole, &pair.last]));
        all
    }

    /// For each layer how its margin must be filled.
    fn margins_of_layers(&self) -> Vec<Margin> {
        let margin = |layer: usize| {
            let mut margins =
                self.all().into_iter().map(|c| c.margin(Source::Layer(layer as u32), Margin::Lattice));
            margins.find(|m| *m != Margin::Unread).unwrap_or(Margin::Unread)
        };
        (0..self.declarations.layers.len()).map(margin).collect()
    }

    /// Fills the margins that programs read.
    pub(crate) fn fill_margins<F: Lane>(&self, state: &mut State<F>) {
        for (plane, margin) in state.iter_mut().zip(&self.margins) {
            plane.fill_margin(&self.layout, *margin);
        }
    }
}

/// How many threads are started where `asked` are asked for: no more than the machine has cores, or 16 where it has fewer.
///
/// More would only wait for each other, for seconds where there are hundreds; results do not depend on their number.
pub fn useful_threads(asked: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    asked.min(cores.max(16))
}

/// A model prepared for running.
///
/// ```
/// use glauber_engine::{Options, Plan, Run, Start};
/// use glauber_lattice::{Lattice, Values};
/// use glauber_program::{Interval, Model};
///
/// let coins = Model::build("coins", Lattice::line(1000))
///     .layer("heads", Values::binary())
///     .parameter("p", Interval::unit())
///     .start(|s| s.next("heads").set(0.0))
///     .step(|s| s.next("heads").bernoulli(s.parameter("p")))?;
/// let count = coins.observe(|s| s.output("heads", s.layer("heads").sum()))?;
/// let plan = Plan::new(&coins, &[count.into()], None, Options::default())?;
/// let outputs = plan.simulate(&Run::new(&[0.5], 1).replicates(100).observe(1, 0))?.outputs;
/// assert!((outputs.mean()[0] - 500.0).abs() < 10.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Plan {
    pub(crate) codes: Codes,
    pub(crate) options: Options,
    pub(crate) threads: Option<rayon::ThreadPool>,
    pub(crate) single: Pool<f32>,
    pub(crate) double: Pool<f64>,
}

/// Workers waiting for work, so that memory is allocated once.
pub(crate) struct Pool<F: Lane>(pub(crate) Mutex<Vec<Worker<F>>>);

impl From<Program> for Observation {
    fn from(program: Program) -> Observation {
        Observation::Program(program)
    }
}

impl Plan {
    /// Compiles a model with observations; with an estimator, for gradients too.
    ///
    /// # Errors
    /// [`EngineError::Threads`] where the threads asked for cannot be started; [`EngineError::Simd`] where `GLAUBER_SIMD`
    /// asks for vector instructions that are not there.
    pub fn new(
        model: &Model,
        observations: &[Observation],
        estimator: Option<&dyn Estimator>,
        options: Options,
    ) -> Result<Plan, EngineError> {
        Simd::check()?;
        let forward = |p: &Program| estimator.map_or_else(|| p.clone(), |e| e.forward(p));
        let step = forward(&model.step);
        let start = model.start.as_ref().map(forward);
        let programs: Vec<Option<Program>> = observations
            .iter()
            .map(|o| match o {
                Observation::Program(p) => Some(forward(p)),
                Observation::Summary(_) => None,
            })
            .collect();
        let margin = margin_of(std::iter::once(&step).chain(&start).chain(programs.iter().flatten()));
        let layout = Layout::new(&step.declarations.lattice, margin);
        let compile = |p: &Program| Arc::new(Code::compile(p, &layout, options.compile));
        let pair = |p: &Program, e: &dyn Estimator| {
            let (whole, last) = adjoints(p, e);
            AdjointPair { whole: compile(&whole), last: compile(&last) }
        };
        let observed = observations.iter().zip(&programs).map(|(o, program)| match (o, program) {
            (Observation::Summary(s), _) => Observed::Summary(s.clone()),
            (_, None) => Observed::Summary(Arc::new(NoSummary)),
            (_, Some(p)) => Observed::Program { forward: compile(p), adjoint: estimator.map(|e| pair(p, e)) },
        });
        let step_code = compile(&step);
        let mut kept = Kept::default();
        let adjoint = estimator.map(|e| AdjointCodes {
            step: adjoint_of_step(&step, &step_code, e, &layout, options.compile, &mut kept),
            start: start.as_ref().map(|s| compile(&differentiate(s, e))),
        });
        let mut codes = Codes {
            declarations: step.declarations.clone(),
            observed: observed.collect(),
            step: step_code,
            kept,
            start: start.as_ref().map(compile),
            adjoint,
            layout: layout.clone(),
            margins: Vec::new(),
        };
        codes.margins = codes.margins_of_layers();
        let threads = match options.threads {
            0 => None,
            n => {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(useful_threads(n)).build();
                Some(pool.map_err(|_| EngineError::Threads(n))?)
            }
        };
        Ok(Plan {
            codes,
            options,
            threads,
            single: Pool(Mutex::new(Vec::new())),
            double: Pool(Mutex::new(Vec::new())),
        })
    }

    /// What the model speaks of.
    pub fn declarations(&self) -> &Declarations {
        &self.codes.declarations
    }

    /// How the plan runs.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Bytes that one state of one replicate takes in the history.
    pub fn bytes_per_state(&self) -> usize {
        let real = if self.options.precision == Precision::Double { 8 } else { 4 };
        let layers = &self.codes.declarations.layers;
        let per_site: usize = layers
            .iter()
            .map(|l| match l.values.storage() {
                Storage::Real => real,
                other => other.bytes(),
            })
            .sum();
        (per_site + self.codes.kept.bytes()) * self.codes.layout.padded_len()
    }
}

/// The adjoint of a program, and the same where nobody wants the derivative by the state.
fn adjoints(program: &Program, estimator: &dyn Estimator) -> (Program, Program) {
    let whole = differentiate(program, estimator);
    let mut last = whole.clone();
    last.results.retain(|(sink, _)| !matches!(sink, Sink::LayerAdjoint(_)));
    (whole, glauber_program::simplified(&last))
}

/// Compiles the adjoint of a step, which reads what the step made where that is kept.
fn adjoint_of_step(
    step: &Program,
    code: &Code,
    estimator: &dyn Estimator,
    layout: &Layout,
    options: CompileOptions,
    kept: &mut Kept,
) -> AdjointPair {
    let (whole, last) = adjoints(step, estimator);
    let whole = lower(&whole);
    *kept = Kept::find(code, &whole);
    let compile = |program: Program| {
        let given = kept.given(code, &program);
        Arc::new(Code::compile_given(program, layout, options, &given))
    };
    AdjointPair { whole: compile(whole), last: compile(lower(&last)) }
}

/// Stands where no summary can stand.
struct NoSummary;

impl Summary for NoSummary {
    fn outputs(&self) -> Vec<String> {
        Vec::new()
    }
    fn values(&self, _layers: &[Vec<f64>]) -> Vec<f64> {
        Vec::new()
    }
    fn pull_back(&self, layers: &[Vec<f64>], _bars: &[f64]) -> Vec<Vec<f64>> {
        layers.iter().map(|l| vec![0.0; l.len()]).collect()
    }
}

/// How far the programs read from a site, along (z, y, x).
fn margin_of<'p>(programs: impl Iterator<Item = &'p Program>) -> [usize; 3] {
    let mut margin = [0; 3];
    let mut widen = |reach: [usize; 3]| {
        for axis in 0..3 {
            margin[axis] = margin[axis].max(reach[axis]);
        }
    };
    for program in programs {
        for instruction in &program.instructions {
            match &instruction.op {
                Op::Shift { offset, .. } => widen(offset.map(|d| d.unsigned_abs() as usize)),
                Op::NeighbourSum { neighbourhood: n, .. } | Op::Translate { offsets: n, .. } => {
                    widen(program.declarations.neighbourhoods[*n as usize].reach());
                }
                _ => {}
            }
        }
    }
    margin
}
