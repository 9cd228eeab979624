//! Checks programs that come from outside: bytes that were stored, and perhaps changed.
//!
//! What is traced is right by how it is made. What is read may say anything; engines index by what a program says, so
//! that nothing is run before every number in it was held against what it refers to: operands against the instructions
//! before, places against the declarations, ranks and domains against what they follow from.

use std::collections::HashSet;

use glauber_lattice::{Boundary, Lattice, Neighbourhood, Values};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::declarations::{Declarations, Interval, Layer};
use crate::graph::{Graph, MOST_INSTRUCTIONS};
use crate::instruction::Instruction;
use crate::model::Model;
use crate::op::{Number, Op, Place, Rank, Surrogate, ValueId};
use crate::program::{Program, Sink};
use crate::scheme;
use crate::trace::Stage;
use crate::update::Update;

/// Why something is no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no program that glauber wrote, or it was changed: {0}")]
pub struct InvalidProgram(String);

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), InvalidProgram> {
    if holds { Ok(()) } else { Err(InvalidProgram(why())) }
}

#[derive(Deserialize)]
#[serde(rename = "Program")]
struct ReadProgram {
    declarations: Declarations,
    instructions: Vec<Instruction>,
    results: Vec<(Sink, ValueId)>,
}

impl<'de> Deserialize<'de> for Program {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Program, D::Error> {
        let ReadProgram { declarations, instructions, results } = ReadProgram::deserialize(deserializer)?;
        program(&declarations, &instructions, &results).map_err(D::Error::custom)?;
        Ok(Program { declarations, instructions, results })
    }
}

#[derive(Deserialize)]
#[serde(rename = "Model")]
struct ReadModel {
    start: Option<Program>,
    step: Program,
}

impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Model, D::Error> {
        let ReadModel { start, step } = ReadModel::deserialize(deserializer)?;
        model(start.as_ref(), &step).map_err(D::Error::custom)?;
        Ok(Model { start, step })
    }
}

fn model(start: Option<&Program>, step: &Program) -> Result<(), InvalidProgram> {
    stage(step, Stage::Step)?;
    match start {
        Some(start) => {
            stage(start, Stage::Start)?;
            let wrong = "its start has another lattice, other layers or other parameters than its step";
            ensure(start.speaks_as(step), || wrong.into())
        }
        None => Ok(()),
    }
}

/// Checks everything about a program but where it stands in a model.
pub(crate) fn program(
    declarations: &Declarations,
    instructions: &[Instruction],
    results: &[(Sink, ValueId)],
) -> Result<(), InvalidProgram> {
    self::declarations(declarations)?;
    ensure(instructions.len() <= 4 * MOST_INSTRUCTIONS, || "it has too many instructions".into())?;
    let mut graph = Graph::new(declarations.clone());
    for (index, instruction) in instructions.iter().enumerate() {
        let why = |what: &str| format!("instruction {index} {what}");
        let mut before = true;
        instruction.op.visit(|v| before &= v.index() < index);
        ensure(before, || why("reads a value that is not made before it"))?;
        ensure(refers(declarations, &instruction.op), || why("refers to what is not declared"))?;
        let ranks = |v: ValueId| instructions[v.index()].rank;
        ensure(fits(&instruction.op, ranks, instructions), || why("reads values it cannot read"))?;
        let value = graph.append_as_is(instruction.op.clone());
        ensure(value.index() == index, || why("says again what an earlier one says"))?;
        let own = graph.instruction(value);
        let same = own.rank == instruction.rank && same_domain(own, instruction);
        ensure(same, || why("claims a rank or a domain that does not follow"))?;
    }
    let mut known = HashSet::new();
    for (place, (sink, value)) in results.iter().enumerate() {
        ensure(value.index() < instructions.len(), || format!("result {place} is no value"))?;
        let site = instructions[value.index()].rank == Rank::Site;
        let d = declarations;
        let good = match *sink {
            Sink::NextLayer(i) => (i as usize) < d.layers.len(),
            Sink::Output(i) => (i as usize) < d.outputs.len() && !site,
            Sink::LayerAdjoint(i) => (i as usize) < d.adjoint_places(),
            Sink::ParameterAdjoint(i) => (i as usize) < d.parameters.len() && !site,
            Sink::FieldAdjoint(i) => (i as usize) < d.fields.len(),
            Sink::Check(i) => (i as usize) < d.checks.len(),
            Sink::Elsewhere(i) => {
                (i as usize) < d.layers.len() && matches!(instructions[value.index()].op, Op::Put { .. })
            }
            Sink::TotalRate => true,
            Sink::Fastest => instructions[value.index()].rank == Rank::Run,
        };
        ensure(good, || format!("result {place} goes nowhere"))?;
        let again = !known.insert(*sink) && !matches!(sink, Sink::Check(_) | Sink::Elsewhere(_));
        ensure(!again, || format!("result {place} is there twice"))?;
    }
    Ok(())
}

/// Checks a program as the start, the step or an observation of a model.
pub(crate) fn stage(program: &Program, stage: Stage) -> Result<(), InvalidProgram> {
    let backwards = |op: &Op| {
        matches!(op, Op::NextAdjoint(_) | Op::OutputAdjoint(_) | Op::Advantage | Op::LocalAdvantage)
    };
    let any = |of: &dyn Fn(&Op) -> bool| program.instructions.iter().any(|i| of(&i.op));
    ensure(!any(&backwards), || "it reads derivatives".into())?;
    let d = &program.declarations;
    let count = |of: fn(&Sink) -> bool| program.results.iter().filter(|(s, _)| of(s)).count();
    let checks = count(|s| matches!(s, Sink::Check(_)));
    let (wanted, found) = match stage {
        Stage::Observation => (d.outputs.len(), count(|s| matches!(s, Sink::Output(_)))),
        _ => (d.layers.len(), count(|s| matches!(s, Sink::NextLayer(_)))),
    };
    let of_events = |s: &Sink| matches!(s, Sink::Elsewhere(_) | Sink::TotalRate | Sink::Fastest);
    let events = program.results.iter().filter(|(s, _)| stage == Stage::Step && of_events(s)).count();
    let all = found + checks + events;
    ensure(found == wanted && all == program.results.len(), || "its results are others".into())?;
    if stage != Stage::Step {
        ensure(program.declarations.update == Update::Synchronous, || {
            "it has an update without a step".into()
        })?;
        ensure(!any(&Op::is_of_events), || "it picks another site outside a step".into())?;
    } else if let Err(error) = scheme::check(program) {
        return Err(InvalidProgram(error.to_string()));
    }
    if stage == Stage::Start {
        ensure(!any(&|op| matches!(op, Op::Layer(_))), || "a start reads a state".into())?;
    }
    if stage != Stage::Observation {
        let simulated = program.simulated();
        let reads = simulated.instructions.iter().any(|i| matches!(i.op, Op::Target(_)));
        ensure(!reads, || "a step reads the observed next state".into())?;
    }
    Ok(())
}

fn declarations(d: &Declarations) -> Result<(), InvalidProgram> {
    let lattice = Lattice::new(d.lattice.shape()).map_err(|e| InvalidProgram(e.to_string()))?;
    ensure(d.lattice.is_whole(), || "its lattice has not one boundary for each axis".into())?;
    let finite = |b: &Boundary| !matches!(b, Boundary::Fixed(value) if !value.is_finite());
    ensure(d.lattice.boundaries().iter().all(finite), || "a boundary is no number".into())?;
    ensure(!d.layers.is_empty(), || "it has no layers".into())?;
    for layer in &d.layers {
        ensure(holds_something(layer), || format!("layer `{}` holds nothing", layer.name))?;
        let finite = layer.edge.is_none_or(f64::is_finite);
        ensure(finite, || format!("layer `{}` is no number beyond the edges", layer.name))?;
    }
    ensure(d.lists.iter().all(|list| list.iter().all(|x| x.is_finite())), || {
        "a list holds no numbers".into()
    })?;
    for parameter in &d.parameters {
        let Interval { lowest, highest } = parameter.interval;
        ensure(lowest < highest, || format!("parameter `{}` has no interval", parameter.name))?;
    }
    for neighbourhood in &d.neighbourhoods {
        ensure(near(neighbourhood, &lattice), || "a neighbourhood is none".into())?;
    }
    Ok(())
}

fn holds_something(layer: &Layer) -> bool {
    let states = match &layer.values {
        Values::Binary => 2,
        Values::Categories(names) if names.is_empty() => return false,
        Values::Categories(names) => names.len(),
        Values::Integers { lowest, highest } if lowest > highest => return false,
        Values::Labels { cells } if *cells < 1 => return false,
        Values::Integers { .. } | Values::Real | Values::Labels { .. } => 0,
    };
    layer.colours.len() <= states
}

fn near(neighbourhood: &Neighbourhood, lattice: &Lattice) -> bool {
    let (offsets, weights) = (neighbourhood.offsets(), neighbourhood.weights());
    offsets.len() == weights.len()
        && weights.iter().all(|w| w.is_finite())
        && offsets.iter().all(|offset| lattice.admits(*offset))
}

/// Whether everything an instruction names is declared.
fn refers(d: &Declarations, op: &Op) -> bool {
    let below = |i: u32, count: usize| (i as usize) < count;
    let width = |surrogate: &Surrogate| match surrogate {
        Surrogate::Identity => true,
        Surrogate::Sigmoid(w) | Surrogate::Triangle(w) => w.get() > 0.0 && w.get().is_finite(),
    };
    match op {
        Op::Parameter(i) => below(*i, d.parameters.len()),
        Op::Layer(i) | Op::Target(i) => below(*i, d.layers.len()),
        Op::Field(i) => below(*i, d.fields.len()),
        Op::NextAdjoint(i) => below(*i, d.adjoint_places()),
        Op::OutputAdjoint(i) => below(*i, d.outputs.len()),
        Op::Coordinate(axis) => *axis < 3,
        Op::OfColour { colouring, colour } => colouring.is_sound() && *colour < colouring.colours,
        Op::Constant(number) => *number == Number::new(number.get()),
        Op::Heaviside(_, surrogate) | Op::Round(_, surrogate) => width(surrogate),
        Op::NeighbourSum { neighbourhood: n, .. } => below(*n, d.neighbourhoods.len()),
        Op::Translate { offsets: n, .. } => {
            d.neighbourhoods.get(*n as usize).is_some_and(|own| !own.offsets().is_empty())
        }
        Op::Entry { list, .. } => below(*list, d.lists.len()),
        Op::CellSum { cells, .. } => *cells < i32::MAX as u32,
        Op::Shift { offset, .. } => d.lattice.admits(*offset),
        Op::There { place, .. } | Op::Put { place, .. } | Op::Inside(place) => match place {
            Place::Neighbour { offsets: n, .. } => {
                d.neighbourhoods.get(*n as usize).is_some_and(|own| !own.offsets().is_empty())
            }
            Place::Anywhere { draw } => below(*draw, d.draws.len()),
        },
        Op::Uniform { draw, .. } | Op::Centred { draw, .. } | Op::Count { draw, .. } => {
            below(*draw, d.draws.len())
        }
        _ => true,
    }
}

/// Whether an instruction can read values of these ranks.
fn fits(op: &Op, rank: impl Fn(ValueId) -> Rank, instructions: &[Instruction]) -> bool {
    let site = |v: &ValueId| rank(*v) == Rank::Site;
    let drawn = |u: &ValueId| matches!(instructions[u.index()].op, Op::Uniform { .. });
    match op {
        Op::Spread(x) => !site(x),
        Op::SiteSum(x) | Op::Shift { x, .. } | Op::NeighbourSum { x, .. } => site(x),
        Op::There { x, .. } => site(x),
        Op::CellSum { x, labels, .. } => site(x) && site(labels),
        Op::Translate { x, direction, .. } => site(x) && !site(direction),
        Op::Normal(a, b) => drawn(a) && drawn(b) && rank(*a) == rank(*b),
        Op::Uniform { rank, .. } | Op::Centred { rank, .. } => *rank != Rank::Run,
        Op::Count { law, arguments, rank, .. } => {
            *rank != Rank::Run && arguments.len() == law.required().len()
        }
        Op::Bernoulli { u, .. } => drawn(u),
        Op::Categorical { probabilities, below, above, u } => {
            let others = probabilities.len().wrapping_sub(1);
            drawn(u) && below.len() == others && above.len() == others
        }
        _ => true,
    }
}

fn same_domain(a: &Instruction, b: &Instruction) -> bool {
    let (a, b) = (a.domain, b.domain);
    let bits = |x: f64, y: f64| x.to_bits() == y.to_bits();
    bits(a.lowest, b.lowest) && bits(a.highest, b.highest) && a.integer == b.integer && a.nan == b.nan
}
