//! Derives the mean-field filter of a model: how the probabilities of every site's states go from one observation to the next.
//!
//! Sites are taken for independent. Site i is in state x with probability pᵢ(x); what was seen there has the probability
//! qᵢ(x) in each state (1 where nobody looked). One step of the filter:
//!
//! uᵢ(x) = pᵢ(x) qᵢ(x) / Σ pᵢ qᵢ (what was seen), pᵢ′(x′) = Σ over x of uᵢ(x) K(x → x′; means of the neighbours under u)
//!
//! with K the law of the model's own step, in which everything that is read of other sites is replaced by its mean. The
//! log-likelihood of what was seen is Σ over sites of ln Σ over x of pᵢ(x) qᵢ(x).
//!
//! Exact where sites do not meet. Else it lacks correlations between neighbours, and takes the law at the mean of the
//! neighbours for the mean of the law. Where a rule compares what it reads of others with a number (a threshold), the mean
//! says nothing of it: such rules are refused, as are several layers and layers of real numbers.
//!
//! Reference: Rimella, Whiteley & others, arXiv 2501.03950 (compartmental models with individuals). Departure: any
//! synchronous rule of one layer with finitely many states; neighbours by the rule's own neighbourhoods.

use glauber_lattice::Values;

use crate::exact::{draws_behind, joint_outcome, outcomes_of, probability_of};
use glauber_program::Graph;
use glauber_program::Model;
use glauber_program::ModelError;
use glauber_program::Unary;
use glauber_program::Update;
use glauber_program::dataflow::dependent;
use glauber_program::{Comparison, Op, ValueId};
use glauber_program::{Declarations, Field, FieldKind, Layer, Signature};
use glauber_program::{Program, Sink};

/// The most states of a site.
const MOST_STATES: usize = 16;
/// Joint outcomes above this number are not enumerated.
const MOST_OUTCOMES: usize = 256;

/// The filter of a model.
#[derive(Clone, Debug)]
pub struct Filter {
    /// A model without chance: its layers are the probabilities of the states, its step takes in what was seen and goes on
    /// by one step. It starts as the model does, where that says.
    pub model: Model,
    /// The log-likelihood of what was seen, of the probabilities before it is taken in.
    pub likelihood: Program,
    /// The least state; the others follow it.
    pub lowest: i32,
    /// The names of the fields with the probability of what was seen in each state.
    pub seen: Vec<String>,
}

/// The mean-field filter of a model.
///
/// # Errors
/// [`ModelError::NoLikelihood`] with what stands in the way.
///
/// ```
/// # use glauber_lattice::{Lattice, Values, VonNeumann};
/// # use glauber_likelihood::mean_field_filter;
/// # use glauber_program::{Interval, Model};
/// let si = Model::build("si", Lattice::square(8))
///     .layer("on", Values::binary())
///     .parameter("b", Interval::unit())
///     .step(|s| {
///         let on = s.layer("on");
///         let meets = 1.0 - (1.0 - s.parameter("b")).pow(on.neighbours(VonNeumann).sum());
///         s.next("on").bernoulli(on + (1.0 - on) * meets)
///     })?;
/// assert_eq!(mean_field_filter(&si)?.seen.len(), 2);
/// # Ok::<(), glauber_program::ModelError>(())
/// ```
pub fn mean_field_filter(model: &Model) -> Result<Filter, ModelError> {
    let refuse = |why: &str| {
        let why = format!("the mean-field filter {why}; take the particle filter instead");
        ModelError::NoLikelihood { model: model.name().to_string(), why }
    };
    let declarations = model.declarations();
    let [layer] = &declarations.layers[..] else {
        return Err(refuse("is for models of one layer, and this one has several"));
    };
    if !layer.values.is_integer() {
        return Err(refuse("is for layers of states, not of real numbers"));
    }
    let (low, high) = layer.values.range();
    let states = (high - low) as usize + 1;
    if states > MOST_STATES {
        return Err(refuse(&format!(
            "is for at most {MOST_STATES} states of a site, and this layer has {states}"
        )));
    }
    if declarations.update != Update::Synchronous {
        return Err(refuse("is for rules that are applied to all sites at once (update = \"synchronous\")"));
    }
    let lowest = low as i32;
    let seen: Vec<String> = (0..states).map(|k| format!("seen in state {}", lowest + k as i32)).collect();
    let mut signature = Signature::new(&declarations.model, declarations.lattice.clone());
    signature.layers = (0..states)
        .map(|k| Layer::new(&format!("probability of state {}", lowest + k as i32), Values::Real))
        .collect();
    signature.parameters = declarations.parameters.clone();
    signature.fields = declarations.fields.clone();
    let first = signature.fields.len() as u32;
    signature.fields.extend(seen.iter().map(|name| Field { name: name.clone(), kind: FieldKind::Covariate }));
    let mut own = Declarations::new(signature);
    own.neighbourhoods = declarations.neighbourhoods.clone();
    let law = Law { states, lowest: low };
    let step = model.step.simulated();
    let mut graph = Graph::new(own.clone());
    let priors: Vec<ValueId> = (0..states as u32).map(|k| graph.push(Op::Layer(k))).collect();
    let sights: Vec<ValueId> = (0..states as u32).map(|k| graph.push(Op::Field(first + k))).collect();
    let joint: Vec<ValueId> = priors.iter().zip(&sights).map(|(p, q)| graph.multiply(*p, *q)).collect();
    let zero = graph.constant(0.0);
    let total = joint.iter().fold(zero, |sum, own| graph.add(sum, *own));
    let possible = graph.compare(Comparison::Less, zero, total);
    let weights: Vec<ValueId> = joint
        .iter()
        .zip(&priors)
        .map(|(joint, prior)| {
            let share = graph.divide(*joint, total);
            graph.select(possible, share, *prior)
        })
        .collect();
    let means = law.means(&mut graph, &step, &weights).map_err(|why| refuse(&why))?;
    let mut next = vec![zero; states];
    for (from, weight) in weights.iter().enumerate() {
        let chances = law.chances(&mut graph, &step, Some(from), &means)?.map_err(|why| refuse(&why))?;
        for (sum, chance) in next.iter_mut().zip(chances) {
            let own = graph.multiply(*weight, chance);
            *sum = graph.add(*sum, own);
        }
    }
    for (k, value) in next.into_iter().enumerate() {
        graph.result(Sink::NextLayer(k as u32), value);
    }
    let step = graph.finish();
    let start = match &model.start {
        None => None,
        Some(start) => {
            let start = start.simulated();
            let mut declarations = own.clone();
            declarations.neighbourhoods = start.declarations().neighbourhoods.clone();
            let mut graph = Graph::new(declarations);
            let nothing = vec![None; start.instructions().len()];
            match law.chances(&mut graph, &start, None, &nothing) {
                Ok(Ok(chances)) => {
                    for (k, value) in chances.into_iter().enumerate() {
                        graph.result(Sink::NextLayer(k as u32), value);
                    }
                    Some(graph.finish())
                }
                // Runs that are given their starts need none.
                _ => None,
            }
        }
    };
    let mut declarations = own;
    declarations.outputs = vec!["log-likelihood".into()];
    let mut graph = Graph::new(declarations);
    let zero = graph.constant(0.0);
    let mut total = zero;
    for k in 0..states as u32 {
        let (p, q) = (graph.push(Op::Layer(k)), graph.push(Op::Field(first + k)));
        let own = graph.multiply(p, q);
        total = graph.add(total, own);
    }
    let log = graph.unary(Unary::Logarithm, total);
    let sum = graph.site_sum(log);
    graph.result(Sink::Output(0), sum);
    Ok(Filter { model: Model { start, step }, likelihood: graph.finish(), lowest, seen })
}

/// The states of a site, and the law of its next one.
struct Law {
    states: usize,
    lowest: f64,
}

impl Law {
    fn state(&self, k: usize) -> f64 {
        self.lowest + k as f64
    }

    /// For every instruction that reads other sites: its mean, the sites' states having these probabilities.
    fn means(
        &self,
        g: &mut Graph,
        step: &Program,
        weights: &[ValueId],
    ) -> Result<Vec<Option<ValueId>>, String> {
        let elsewhere = |op: &Op| op.reads_elsewhere() || matches!(op, Op::SiteSum(_));
        let random = dependent(
            step.instructions(),
            |_, op| matches!(op, Op::Uniform { .. } | Op::Count { .. }),
            |_, _| false,
        );
        let of_others = dependent(step.instructions(), |_, op| elsewhere(op), |_, _| false);
        for instruction in step.instructions() {
            let reads = |v: &ValueId| of_others[v.index()];
            let steps = match &instruction.op {
                Op::Compare(_, a, b) => reads(a) || reads(b),
                Op::Select(c, ..) => reads(c),
                Op::Heaviside(a, _) | Op::Round(a, _) | Op::Unary(Unary::Floor | Unary::Sign, a) => reads(a),
                Op::Indicator { draw, .. } => reads(draw) && !random[draw.index()],
                _ => false,
            };
            if steps {
                return Err(
                    "takes means of other sites, and this rule compares what it reads of them with a number"
                        .into(),
                );
            }
        }
        let mut means: Vec<Option<ValueId>> = vec![None; step.instructions().len()];
        for (index, instruction) in step.instructions().iter().enumerate().filter(|(_, i)| elsewhere(&i.op)) {
            let (Op::Shift { x, .. } | Op::NeighbourSum { x, .. } | Op::SiteSum(x)) = &instruction.op else {
                return Err("does not know the mean of what is read at a place that is drawn".into());
            };
            if random[x.index()] {
                return Err("takes sites for independent, and here a draw at one site acts on another".into());
            }
            let mut mean = g.constant(0.0);
            for (k, weight) in weights.iter().enumerate() {
                let seen = self.imported(g, step, Some(k), &means, &[], &[]).0[x.index()];
                let own = g.multiply(*weight, seen);
                mean = g.add(mean, own);
            }
            let mut op = instruction.op.clone();
            op.visit_mut(|v| *v = mean);
            means[index] = Some(g.push(op));
        }
        Ok(means)
    }

    /// The program seen by a site in a state whose draws came out so: where its values went, and the chance of that.
    fn imported(
        &self,
        g: &mut Graph,
        program: &Program,
        own: Option<usize>,
        means: &[Option<ValueId>],
        draws: &[ValueId],
        outcome: &[usize],
    ) -> (Vec<ValueId>, ValueId) {
        let mut chance = g.constant(1.0);
        let renamed = g.import(program, |g, original, op| {
            if let Some(mean) = means[original.index()] {
                return Some(mean);
            }
            if let Some(place) = draws.iter().position(|d| *d == original) {
                let of_outcome = probability_of(g, op, outcome[place]);
                chance = g.multiply(chance, of_outcome);
                return Some(g.constant(outcome[place] as f64));
            }
            match op {
                Op::Layer(_) => own.map(|k| g.constant(self.state(k))),
                Op::Indicator { draw, class } => {
                    let known = g.constant_value(*draw)?;
                    Some(g.constant(f64::from(u8::from((known - f64::from(*class)).abs() < 0.5))))
                }
                _ => None,
            }
        });
        (renamed, chance)
    }

    /// The chance of every next state of a site in a state (of a start: in none); what stands in the way in words.
    fn chances(
        &self,
        g: &mut Graph,
        program: &Program,
        own: Option<usize>,
        means: &[Option<ValueId>],
    ) -> Result<Result<Vec<ValueId>, String>, ModelError> {
        let Some(value) = program.result(Sink::NextLayer(0)) else {
            // A rule that says nothing of its layer leaves it.
            let one = |k: usize| g.constant(f64::from(u8::from(Some(k) == own)));
            return Ok(Ok((0..self.states).map(one).collect()));
        };
        let draws: Vec<ValueId> = draws_behind(program, value)?.into_iter().collect();
        let sizes: Vec<usize> = draws.iter().map(|d| outcomes_of(program, *d)).collect();
        let joint: usize = sizes.iter().product();
        if joint > MOST_OUTCOMES {
            return Ok(Err(format!(
                "enumerates at most {MOST_OUTCOMES} outcomes of a site, and here are {joint}"
            )));
        }
        let mut chances = vec![g.constant(0.0); self.states];
        for index in 0..joint {
            let outcome = joint_outcome(index, &sizes);
            let (renamed, chance) = self.imported(g, program, own, means, &draws, &outcome);
            let next = renamed[value.index()];
            match g.constant_value(next) {
                Some(next) => {
                    let place = (next - self.lowest).round();
                    if place < 0.0 || place >= self.states as f64 {
                        continue;
                    }
                    let sum = &mut chances[place as usize];
                    *sum = g.add(*sum, chance);
                }
                // It depends on a parameter or a field: told apart by comparing.
                None if means.iter().flatten().all(|mean| !reaches(g, *mean, next)) => {
                    for k in 0..self.states {
                        let state = g.constant(self.state(k));
                        let is = g.compare(Comparison::Equal, next, state);
                        let share = g.multiply(is, chance);
                        chances[k] = g.add(chances[k], share);
                    }
                }
                None => {
                    let why = "knows only the mean of other sites, and here a next state follows from them without a draw";
                    return Ok(Err(why.into()));
                }
            }
        }
        Ok(Ok(chances))
    }
}

/// Whether a value is computed from another.
fn reaches(g: &Graph, from: ValueId, to: ValueId) -> bool {
    let mut open = vec![to];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(v) = open.pop() {
        if v == from {
            return true;
        }
        if v > from && seen.insert(v) {
            open.extend(g.instruction(v).op.operands());
        }
    }
    false
}
