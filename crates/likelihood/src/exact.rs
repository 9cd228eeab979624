//! Derives the exact log-likelihood of one observed step from the model's declared next-state law.
//!
//! A layer's next value is a function of the state, the parameters and some draws per site. Summing the probabilities
//! of the draws' outcomes that give the observed values, site by site, is the exact likelihood of the transition:
//!
//! ln P(s′ | s) = Σ over sites of ln Σ over outcomes o with next(s, o) = s′ of P(o | s).
//!
//! It exists where every draw is per site, has finitely many outcomes, and reaches the next value without passing
//! through another site, unless the observed next state reveals what passed ([`glauber_program::Expr::revealed_by`]): then the
//! law of each site is the one given what is revealed of the others, and their product is still that of the whole
//! step, site after site in the order of the revelation. A draw that the next values know only as what is revealed of it
//! counts by the probability of what was revealed. Where a draw's argument is no probability at some parameters, the
//! likelihood there is 0: a simulation would stop.
//!
//! Where colours of sites are updated one after another ([`Update::Sublattices`]), each site changes once in a step, in an
//! order that is known: when a colour is updated, the sites of earlier colours are as they are observed after the step and
//! the others as before it. The likelihood is the product over colours, and over the sites of each. Under the other
//! schemes a site may change more than once between two states, and there is no product.
//!
//! It is taken as an observation of the state before, whose step has the number n: a rule that reads the step's number
//! reads n + 1.

use std::collections::BTreeSet;

use glauber_program::Requirement;
use glauber_program::Unary;
use glauber_program::Update;
use glauber_program::dataflow::dependent;
use glauber_program::sublattices::{exists, mask};
use glauber_program::{Comparison, Op, Place, Rank, ValueId};
use glauber_program::{Graph, one_minus};
use glauber_program::{Model, ModelError};
use glauber_program::{Program, Sink};
use glauber_program::{at_neighbour, colouring};

/// Joint outcomes above this number are not enumerated.
const MOST_OUTCOMES: usize = 256;

/// The name of the output.
pub const LOG_LIKELIHOOD: &str = "log-likelihood";

/// The program whose output is the log-probability of the observed next state ([`Op::Target`]) given the state before.
///
/// # Errors
/// [`ModelError::NoLikelihood`] with what stands in the way.
///
/// ```
/// # use glauber_lattice::{Lattice, Values};
/// # use glauber_likelihood::log_likelihood;
/// # use glauber_program::{Interval, Model};
/// let coins = Model::build("coins", Lattice::line(10))
///     .layer("heads", Values::binary())
///     .parameter("p", Interval::unit())
///     .step(|s| s.next("heads").bernoulli(s.parameter("p")))?;
/// assert_eq!(log_likelihood(&coins.step)?.declarations().outputs, ["log-likelihood"]);
/// # Ok::<(), glauber_program::ModelError>(())
/// ```
pub fn log_likelihood(step: &Program) -> Result<Program, ModelError> {
    let step = &one_site_at_a_time(step)?;
    let mut declarations = step.declarations().clone();
    declarations.outputs = vec![LOG_LIKELIHOOD.to_string()];
    declarations.update = Update::Synchronous;
    let mut graph = Graph::new(declarations);
    let mut total = graph.constant(0.0);
    let groups = independent_groups(step)?;
    let certain = graph.constant(1.0);
    for view in views(&mut graph, step)? {
        for group in &groups {
            let chance = probability_of_observed(&mut graph, step, group, &view);
            let own = view.own.map_or(chance, |own| graph.select(own, chance, certain));
            let log = graph.unary(Unary::Logarithm, own);
            total = graph.add(total, log);
        }
        check_certain_arguments(&mut graph, step, &view);
    }
    let sum = graph.site_sum(total);
    graph.result(Sink::Output(0), sum);
    Ok(graph.finish())
}

/// What the sites of one colour see when they are updated.
struct View {
    /// For each layer its value at every site.
    layers: Vec<ValueId>,
    /// Which sites are updated; all where nothing is said.
    own: Option<ValueId>,
}

impl View {
    /// What an instruction is, seen by those sites; nothing where it is as it says.
    fn seen(&self, g: &mut Graph, op: &Op) -> Option<ValueId> {
        match op {
            Op::Layer(i) => Some(self.layers[*i as usize]),
            Op::There { x, place: Place::Neighbour { direction, offsets } } => {
                Some(at_neighbour(g, *x, *direction, *offsets))
            }
            Op::Inside(Place::Neighbour { direction, offsets }) => Some(exists(g, *direction, *offsets)),
            _ => None,
        }
    }

    /// A checked value, harmless at other sites.
    fn checked(&self, g: &mut Graph, required: Requirement, value: ValueId) -> ValueId {
        let harmless = g.constant(required.harmless());
        self.own.map_or(value, |own| g.select(own, value, harmless))
    }
}

/// One view for each colour, in their order; a single one where all sites are updated at once.
fn views(g: &mut Graph, step: &Program) -> Result<Vec<View>, ModelError> {
    let before: Vec<ValueId> =
        (0..step.declarations().layers.len() as u32).map(|i| g.push(Op::Layer(i))).collect();
    if step.declarations().update == Update::Synchronous {
        return Ok(vec![View { layers: before, own: None }]);
    }
    let colouring = colouring(step)?;
    // 1 at the sites of earlier colours.
    let mut done = g.constant(0.0);
    let view = |colour: u32| {
        let own = mask(g, &colouring, colour);
        let layers = before.iter().zip(0..).map(|(before, i)| {
            let after = g.push(Op::Target(i));
            g.select(done, after, *before)
        });
        let layers = layers.collect();
        done = g.add(done, own);
        View { layers, own: Some(own) }
    };
    Ok((0..colouring.colours).map(view).collect())
}

/// The rule, where each site changes at most once in a step.
fn one_site_at_a_time(step: &Program) -> Result<Program, ModelError> {
    const SERVES: &str = "; what serves instead is a fit to summaries over time (task = trajectory) by a search \
                          (nelder-mead, cma-es)";
    // Another scheme helps where the rule can be applied so and is known backwards then.
    let by_colours = || {
        let other = Model { start: None, step: step.clone() }.updated(Update::Sublattices);
        let known = other.is_ok_and(|other| log_likelihood(&other.step).is_ok());
        if known { ", or update = \"sublattices\", which has an exact likelihood" } else { "" }
    };
    match step.declarations().update {
        Update::Synchronous => Ok(step.clone()),
        Update::RandomSequential { .. } => Err(none(
            step,
            format!(
                "sites are updated one after another in an order that nobody saw{SERVES}{}",
                by_colours()
            ),
        )),
        Update::ContinuousTime => Err(none(step, format!("sites change at times that nobody saw{SERVES}"))),
        Update::Sublattices if step.results().iter().any(|(s, _)| matches!(s, Sink::Elsewhere(_))) => {
            let why = "the rule writes to a site that it picks, so that sites change more than once in a step, unseen; what \
                       serves instead is a fit to summaries over time (task = trajectory)";
            Err(none(step, why.to_string()))
        }
        Update::Sublattices => Ok(step.simulated()),
    }
}

/// Has arguments checked that depend on no draw, as where the step is simulated: what a likelihood of 0 cannot say.
fn check_certain_arguments(g: &mut Graph, step: &Program, view: &View) {
    let random =
        dependent(step.instructions(), |_, op| is_random(op), |_, op| matches!(op, Op::Revealed { .. }));
    let renamed = g.import(step, |g, _, op| match op {
        Op::Revealed { observed, .. } => Some(*observed),
        Op::StepIndex => Some(g.next_step()),
        op => view.seen(g, op),
    });
    for (sink, value) in step.results() {
        let Sink::Check(check) = sink else { continue };
        if is_law(step, *check) && !random[value.index()] {
            let required = step.declarations().checks[*check as usize].required;
            let checked = view.checked(g, required, renamed[value.index()]);
            g.result(*sink, checked);
        }
    }
}

/// Whether a check is of what makes a law one at all. A probability beyond its edges is none: there the likelihood is 0,
/// from which a fit steps back.
fn is_law(step: &Program, check: u32) -> bool {
    step.declarations().checks[check as usize].required != Requirement::Probability
}

fn is_random(op: &Op) -> bool {
    matches!(op, Op::Uniform { .. } | Op::Count { .. })
}

/// What is observed of values that share draws, with those draws in program order.
struct Group {
    /// Layers and their next values.
    layers: Vec<(u32, ValueId)>,
    /// Random values, and what is revealed of them.
    revealed: Vec<(ValueId, ValueId)>,
    draws: BTreeSet<ValueId>,
}

fn independent_groups(step: &Program) -> Result<Vec<Group>, ModelError> {
    let mut groups: Vec<Group> = Vec::new();
    for (sink, value) in step.results() {
        let Sink::NextLayer(layer) = sink else { continue };
        let (layers, draws) = (vec![(*layer, *value)], draws_behind(step, *value)?);
        groups = merged(groups, Group { layers, revealed: Vec::new(), draws });
    }
    // What is revealed of draws that a next value itself gives away adds nothing.
    let seen: BTreeSet<ValueId> = groups.iter().flat_map(|group| group.draws.iter().copied()).collect();
    for instruction in step.instructions() {
        let Op::Revealed { value, observed } = instruction.op else { continue };
        let draws = draws_behind(step, value)?;
        if !draws.is_subset(&seen) {
            groups = merged(groups, Group { layers: Vec::new(), revealed: vec![(value, observed)], draws });
        }
    }
    for group in &groups {
        let outcomes: usize = group.draws.iter().map(|d| outcomes_of(step, *d)).product();
        if outcomes > MOST_OUTCOMES {
            return Err(refuse(
                step,
                format!("one site has {outcomes} joint outcomes, more than {MOST_OUTCOMES}"),
            ));
        }
    }
    Ok(groups)
}

/// The groups with one more, made one with those that share draws with it.
fn merged(groups: Vec<Group>, mut one: Group) -> Vec<Group> {
    let (shared, mut rest): (Vec<Group>, Vec<Group>) =
        groups.into_iter().partition(|g| !g.draws.is_disjoint(&one.draws));
    for group in shared {
        one.layers.extend(group.layers);
        one.revealed.extend(group.revealed);
        one.draws.extend(group.draws);
    }
    rest.push(one);
    rest
}

fn refuse(step: &Program, why: impl std::fmt::Display) -> ModelError {
    none(step, format!("{why}; fit it with a loss instead"))
}

fn none(step: &Program, why: String) -> ModelError {
    ModelError::NoLikelihood { model: step.declarations().model.clone(), why }
}

/// The outcomes of several draws, each of so many, that have this number among all together: the first draw changes fastest.
pub(crate) fn joint_outcome(number: usize, sizes: &[usize]) -> Vec<usize> {
    let mut rest = number;
    let digit = |size: &usize| {
        let own = rest % size;
        rest /= size;
        own
    };
    sizes.iter().map(digit).collect()
}

pub(crate) fn outcomes_of(step: &Program, draw: ValueId) -> usize {
    match &step.instruction(draw).op {
        Op::Categorical { probabilities, .. } => probabilities.len(),
        _ => 2,
    }
}

/// The draws a next value depends on, each with finitely many outcomes and at the site itself.
pub(crate) fn draws_behind(step: &Program, value: ValueId) -> Result<BTreeSet<ValueId>, ModelError> {
    let random =
        dependent(step.instructions(), |_, op| is_random(op), |_, op| matches!(op, Op::Revealed { .. }));
    let mut draws = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![value];
    while let Some(v) = open.pop() {
        if !random[v.index()] || !seen.insert(v) {
            continue;
        }
        let instruction = step.instruction(v);
        match &instruction.op {
            Op::Bernoulli { .. } | Op::Categorical { .. } if instruction.rank != Rank::Site => {
                return Err(refuse(step, "a draw is shared by all sites of a replicate"));
            }
            Op::Bernoulli { p, .. } => {
                draws.insert(v);
                open.push(*p);
            }
            Op::Categorical { probabilities, .. } => {
                draws.insert(v);
                open.extend(probabilities);
            }
            Op::Uniform { .. } | Op::Normal(..) => {
                return Err(refuse(step, "a next value depends on a continuous random number"));
            }
            Op::Count { .. } => {
                return Err(refuse(step, "a next value depends on a binomial, Poisson or geometric number"));
            }
            Op::There { x, place: Place::Neighbour { direction, .. } } if !random[x.index()] => {
                open.push(*direction);
            }
            Op::CellSum { x, labels, at, .. } if !random[x.index()] && !random[labels.index()] => {
                open.push(*at)
            }
            op if op.reads_elsewhere() || matches!(op, Op::SiteSum(_)) => {
                return Err(refuse(step, "a draw at one site changes the next value of another"));
            }
            op => open.extend(op.operands()),
        }
    }
    Ok(draws)
}

/// Σ over joint outcomes of P(outcome) where it gives the observed values, else 0.
fn probability_of_observed(g: &mut Graph, step: &Program, group: &Group, view: &View) -> ValueId {
    let draws: Vec<ValueId> = group.draws.iter().copied().collect();
    let conditional = checks_within(step, group);
    let sizes: Vec<usize> = draws.iter().map(|d| outcomes_of(step, *d)).collect();
    let joint: usize = sizes.iter().product();
    let zero = g.constant(0.0);
    let mut total = zero;
    for index in 0..joint {
        let outcome = joint_outcome(index, &sizes);
        let mut chance = g.constant(1.0);
        let renamed = g.import(step, |g, original, op| {
            let place = draws.iter().position(|d| *d == original);
            match (place, op, &step.instruction(original).op) {
                (Some(place), op, _) => {
                    let own = probability_of(g, op, outcome[place]);
                    chance = g.multiply(chance, own);
                    Some(g.constant(outcome[place] as f64))
                }
                (None, Op::Revealed { observed, .. }, _) => Some(*observed),
                (None, Op::StepIndex, _) => Some(g.next_step()),
                (None, Op::Indicator { class, .. }, Op::Indicator { draw, .. }) => {
                    let place = draws.iter().position(|d| d == draw)?;
                    Some(g.constant(f64::from(u8::from(outcome[place] == *class as usize))))
                }
                (None, op, _) => view.seen(g, op),
            }
        });
        let possible = view.own.map_or(chance, |own| g.multiply(own, chance));
        check_where_possible(g, step, &conditional, &renamed, possible);
        let mut matches = g.constant(1.0);
        for (layer, value) in &group.layers {
            let observed = g.push(Op::Target(*layer));
            let own = g.compare(Comparison::Equal, renamed[value.index()], observed);
            matches = g.multiply(matches, own);
        }
        for (value, observed) in &group.revealed {
            let own = g.compare(Comparison::Equal, renamed[value.index()], renamed[observed.index()]);
            matches = g.multiply(matches, own);
        }
        let term = g.select(matches, chance, zero);
        total = g.add(total, term);
    }
    total
}

/// The checks of values that depend on draws of a group and on no others.
fn checks_within(step: &Program, group: &Group) -> Vec<(u32, ValueId)> {
    let revealed = |op: &Op| matches!(op, Op::Revealed { .. });
    let random = dependent(step.instructions(), |_, op| is_random(op), |_, op| revealed(op));
    // Random still where the outcomes of the group's draws are known.
    let known = |v: ValueId, op: &Op| revealed(op) || group.draws.contains(&v);
    let open = dependent(step.instructions(), |_, op| is_random(op), known);
    let check = |(sink, value): &(Sink, ValueId)| match sink {
        Sink::Check(i) if is_law(step, *i) && random[value.index()] && !open[value.index()] => {
            Some((*i, *value))
        }
        _ => None,
    };
    step.results().iter().filter_map(check).collect()
}

/// Has values checked that depend on the outcome of draws, where this outcome may be.
fn check_where_possible(
    g: &mut Graph,
    step: &Program,
    checks: &[(u32, ValueId)],
    renamed: &[ValueId],
    chance: ValueId,
) {
    for (check, value) in checks {
        let required: Requirement = step.declarations().checks[*check as usize].required;
        let (zero, harmless) = (g.constant(0.0), g.constant(required.harmless()));
        let possible = g.compare(Comparison::Less, zero, chance);
        let checked = g.select(possible, renamed[value.index()], harmless);
        if !required.proved_by(g.domain(checked)) {
            g.result(Sink::Check(*check), checked);
        }
    }
}

pub(crate) fn probability_of(g: &mut Graph, draw: &Op, outcome: usize) -> ValueId {
    match draw {
        Op::Categorical { probabilities, .. } => probability(g, probabilities[outcome]),
        Op::Bernoulli { p, .. } if outcome == 1 => probability(g, *p),
        Op::Bernoulli { rest: Some(rest), .. } => probability(g, *rest),
        Op::Bernoulli { p, .. } => {
            let rest = one_minus(g, *p);
            probability(g, rest)
        }
        _ => g.constant(0.0),
    }
}

/// A value where it is a probability, up to what a simulation lets pass as rounding; else 0.
fn probability(g: &mut Graph, p: ValueId) -> ValueId {
    const SLACK: f64 = 1e-5;
    if g.domain(p).proves(0.0, 1.0) {
        return p;
    }
    let (zero, most) = (g.constant(0.0), g.constant(1.0 + SLACK));
    let above = g.compare(Comparison::Less, zero, p);
    let below = g.compare(Comparison::LessOrEqual, p, most);
    let inside = g.multiply(above, below);
    g.select(inside, p, zero)
}
