//! Compiles all programs of a model for one layout.

use std::sync::Arc;

use glauber_lattice::{Layout, Storage};
use glauber_program::passes::lowered;
use glauber_program::{AdjointPair, Bundle, Cone, Declarations, Op, Program, Sink};

use crate::compile::Code;
use crate::events::Rule;
use crate::kept::Kept;
use crate::kernel::Source;
use crate::kernels::Lane;
use glauber_backend::CompileOptions;
use glauber_backend::EngineError;
use glauber_backend::plane::{Margin, Plane};
use glauber_backend::{Observation, Summary};

/// One observation, compiled.
pub(crate) enum Observed {
    Program { forward: Arc<Code>, adjoint: Option<CodePair> },
    Summary(Arc<dyn Summary>),
}

/// An adjoint, and the same where nobody wants the derivative by the state.
#[derive(Clone)]
pub(crate) struct CodePair {
    pub(crate) whole: Arc<Code>,
    pub(crate) last: Arc<Code>,
}

impl CodePair {
    /// Whether draws are weighed site by site.
    fn reads_lead(&self) -> bool {
        self.whole.reads(Source::LocalAdvantage) || self.last.reads(Source::LocalAdvantage)
    }
}

/// All programs of a model, compiled.
pub(crate) struct Codes {
    pub(crate) declarations: Declarations,
    pub(crate) layout: Layout,
    pub(crate) start: Option<Arc<Code>>,
    /// One step; where sites are updated one after another, a step that leaves everything as it is.
    pub(crate) step: Arc<Code>,
    /// What an event does, where sites are updated one after another.
    pub(crate) events: Option<Arc<Rule>>,
    /// What a step makes that its adjoint reads again.
    pub(crate) kept: Kept,
    pub(crate) observed: Vec<Observed>,
    pub(crate) adjoint: Option<AdjointCodes>,
    /// What gradients within light cones need.
    pub(crate) cone: Option<ConeCodes>,
    /// For each layer how its margin must be filled.
    pub(crate) margins: Vec<Margin>,
}

/// How far draws are felt, and the terms of observations.
pub(crate) struct ConeCodes {
    pub(crate) cone: Cone,
    /// For each observation, what leaves its local terms.
    pub(crate) terms: Vec<Option<Arc<Code>>>,
}

impl ConeCodes {
    /// Whether a number of an observation is a sum of terms of single sites.
    pub(crate) fn is_local(&self, observation: usize, output: usize) -> bool {
        let terms = self.cone.observed[observation].as_ref();
        terms.is_some_and(|t| t.reads.is_some() && t.local[output])
    }

    /// Whether any is.
    pub(crate) fn has_local(&self, observation: usize) -> bool {
        let outputs = self.cone.observed[observation].as_ref().map_or(0, |t| t.local.len());
        (0..outputs).any(|output| self.is_local(observation, output))
    }
}

/// What runs backwards.
pub(crate) struct AdjointCodes {
    pub(crate) step: CodePair,
    pub(crate) start: Option<Arc<Code>>,
}

impl Codes {
    /// Compiles all programs of a bundle.
    pub(crate) fn new(
        bundle: &Bundle,
        observations: &[Observation],
        options: CompileOptions,
    ) -> Result<Codes, EngineError> {
        let layout = Layout::new(&bundle.declarations().lattice, bundle.reach);
        let compile = |p: &Program| Arc::new(Code::compile(p, &layout, options));
        let pair = |p: &AdjointPair| CodePair { whole: compile(&p.whole), last: compile(&p.last) };
        let mut observed = Vec::new();
        for (number, observation) in observations.iter().enumerate() {
            let adjoint = bundle.adjoints.as_ref().and_then(|a| a.observed.get(number)?.as_ref());
            observed.push(match (observation, bundle.observed.get(number)) {
                (Observation::Summary(summary), _) => Observed::Summary(summary.clone()),
                (Observation::Program(_), Some(Some(program))) => {
                    Observed::Program { forward: compile(program), adjoint: adjoint.map(pair) }
                }
                (Observation::Program(_), _) => {
                    return Err(EngineError::Broken("an observation is not among a bundle's programs"));
                }
            });
        }
        let events = match bundle.is_by_events() {
            true => Some(Arc::new(Rule::compile(bundle, options)?)),
            false => None,
        };
        let step = match events {
            Some(_) => compile(&nothing(bundle.declarations())),
            None => compile(&bundle.step),
        };
        let adjoints = bundle.adjoints.as_ref();
        let (adjoint, kept) = match adjoints {
            Some(a) => {
                let (pair, kept) = adjoint_of_step(&a.step, &step, &layout, options);
                (Some(AdjointCodes { step: pair, start: a.start.as_ref().map(compile) }), kept)
            }
            None => (None, Kept::default()),
        };
        let cone = adjoints.and_then(|a| a.cone.as_ref()).map(|cone| {
            let terms = cone.observed.iter().map(|t| t.as_ref().map(|t| compile(&t.program)));
            ConeCodes { cone: cone.clone(), terms: terms.collect() }
        });
        let mut codes = Codes {
            declarations: bundle.declarations().clone(),
            start: bundle.start.as_ref().map(compile),
            step,
            events,
            kept,
            observed,
            adjoint,
            cone,
            layout: layout.clone(),
            margins: Vec::new(),
        };
        codes.margins = codes.margins_of_layers();
        Ok(codes)
    }

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
        all.extend(self.cone.iter().flat_map(|cone| cone.terms.iter().flatten()));
        all.extend(adjoints.into_iter().flat_map(|pair| [&pair.whole, &pair.last]));
        all
    }

    /// For each layer how its margin must be filled.
    fn margins_of_layers(&self) -> Vec<Margin> {
        let margin = |layer: usize| {
            if self.events.is_some() {
                return Margin::Lattice;
            }
            let mut margins =
                self.all().into_iter().map(|c| c.margin(Source::Layer(layer as u32), Margin::Lattice));
            margins.find(|m| *m != Margin::Unread).unwrap_or(Margin::Unread)
        };
        (0..self.declarations.layers.len()).map(margin).collect()
    }

    /// Fills the margins that programs read.
    pub(crate) fn fill_margins<F: Lane>(&self, state: &mut [Plane<F>]) {
        for (plane, margin) in state.iter_mut().zip(&self.margins) {
            plane.fill_margin(&self.layout, *margin);
        }
    }

    /// Bytes that one state of one replicate takes in a history, where a real number takes `real`.
    pub(crate) fn bytes_per_state(&self, real: usize) -> usize {
        let bytes = |layer: &glauber_program::Layer| match layer.values.storage() {
            Storage::Real => real,
            other => other.bytes(),
        };
        let per_site: usize = self.declarations.layers.iter().map(bytes).sum();
        (per_site + self.kept.bytes()) * self.layout.padded_len()
    }
}

impl Observed {
    /// How many numbers it has.
    pub(crate) fn width(&self) -> usize {
        match self {
            Observed::Program { forward, .. } => forward.program.declarations().outputs.len(),
            Observed::Summary(summary) => summary.outputs().len(),
        }
    }

    /// Whether its draws are weighed site by site.
    pub(crate) fn reads_lead(&self) -> bool {
        match self {
            Observed::Program { adjoint: Some(pair), .. } => pair.reads_lead(),
            _ => false,
        }
    }
}

/// A step that leaves every layer as it is.
fn nothing(declarations: &Declarations) -> Program {
    let mut declarations = declarations.clone();
    declarations.signature.fields.clear();
    let mut graph = glauber_program::Graph::new(declarations);
    for layer in 0..graph.declarations.layers.len() as u32 {
        let same = graph.push(Op::Layer(layer));
        graph.result(Sink::NextLayer(layer), same);
    }
    graph.finish()
}

/// Compiles the adjoint of a step, which reads what the step made where that is kept.
fn adjoint_of_step(
    programs: &AdjointPair,
    code: &Code,
    layout: &Layout,
    options: CompileOptions,
) -> (CodePair, Kept) {
    let whole = lowered(&programs.whole);
    let kept = Kept::find(code, &whole);
    let compile = |program: Program| {
        let given = kept.given(code, &program);
        Arc::new(Code::compile_given(program, layout, options, &given))
    };
    let pair = CodePair { whole: compile(whole), last: compile(lowered(&programs.last)) };
    (pair, kept)
}
