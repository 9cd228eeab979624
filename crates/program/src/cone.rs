//! Finds how far a draw is felt: the light cone that its score is weighed by, and the local terms of what is observed.
//!
//! A draw at a site changes only what later values read of it, step by step; how far that is is written in the program.
//! An observed number that is a sum over sites of local terms splits into what lies inside the cone and the rest, which
//! the draw cannot change. What is read through a sum over sites, or by a number that all sites share, is felt everywhere.

use serde::{Deserialize, Serialize};

use crate::estimators::LightCone;
use crate::graph::Graph;
use crate::op::{Binary, Op, Rank, ValueId};
use crate::program::{Program, Sink};
use crate::unary::Unary;

/// How far something is felt, in sites along (z, y, x); nothing where the whole lattice feels it.
pub type Extent = Option<[usize; 3]>;

/// What a gradient within light cones needs to know of a model and its observations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cone {
    /// The farthest that is looked, where that is limited: the gradient is biased then.
    pub radius: Option<usize>,
    /// How far a state is felt after one step.
    pub step: Extent,
    /// How far a draw of a step is felt in the state that the step makes.
    pub draws: Extent,
    /// The same of the start's draws.
    pub start: Extent,
    /// The local terms of each observation that is a program.
    pub observed: Vec<Option<Terms>>,
}

/// The terms of an observation: what each site adds to its numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// Leaves in [`Sink::LayerAdjoint`] 0 what each site adds to the loss, by the slopes in [`Op::OutputAdjoint`].
    pub program: Program,
    /// Of each output whether it is a sum of local terms, and so among them.
    pub local: Vec<bool>,
    /// The most that a site's term of an output may be, whatever its sign; infinite where that is not known.
    pub bounds: Vec<f64>,
    /// How far a term reads.
    pub reads: Extent,
    /// How far a draw of the observation is felt in terms.
    pub draws: Extent,
}

impl Cone {
    /// Of a model's programs, as they are simulated.
    pub(crate) fn new(
        own: LightCone,
        step: &Program,
        start: Option<&Program>,
        observed: &[Option<Program>],
    ) -> Cone {
        let next = |sink: Sink| matches!(sink, Sink::NextLayer(_));
        let layer = |op: &Op, _: Rank| matches!(op, Op::Layer(_));
        let draws = felt(step, is_draw, next);
        // No narrower than a step's, so that a cone that is the whole lattice stays so on the way back.
        let first = start.map_or(Some([0; 3]), |start| felt(start, is_draw, next));
        Cone {
            radius: own.radius.map(|r| r as usize),
            step: felt(step, layer, next),
            draws,
            start: wider(draws, first),
            observed: observed.iter().map(|p| p.as_ref().map(Terms::of)).collect(),
        }
    }

    /// How far a draw is felt, in terms that read `reads` far, `steps` steps after the state that it was made in, where it
    /// is felt `draws` far.
    pub fn after(&self, draws: Extent, reads: Extent, steps: usize) -> Extent {
        let by_steps = match (steps, self.step) {
            (0, _) => [0; 3],
            (_, None) => return self.capped(None),
            (steps, Some(own)) => own.map(|r| r.saturating_mul(steps)),
        };
        self.capped(sum(sum(draws, reads), Some(by_steps)))
    }

    /// Where there is no cone, and draws are weighed by the whole replicate's lead, in words.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let reads_all = "reads or draws something for the whole lattice at once";
        if self.radius.is_none() && self.step.is_none() {
            notes.push(format!(
                "light-cone: a step {reads_all}, so a draw may change everything one step later, and is weighed by its whole \
                 replicate's lead as by `score-function`, with as much noise"
            ));
        }
        for terms in self.observed.iter().flatten() {
            let names = &terms.program.declarations().outputs;
            let whole = names.iter().zip(&terms.local).filter(|(_, local)| !**local || terms.reads.is_none());
            let whole: Vec<String> = whole.map(|(name, _)| format!("`{name}`")).collect();
            if !whole.is_empty() {
                notes.push(format!(
                    "light-cone: {} is no sum of terms of single sites, so draws are weighed by its lead over other replicates \
                     as a whole, as by `score-function`, with as much noise",
                    whole.join(", ")
                ));
            }
        }
        notes
    }

    fn capped(&self, extent: Extent) -> Extent {
        match (self.radius, extent) {
            (None, extent) => extent,
            (Some(most), None) => Some([most; 3]),
            (Some(most), Some(own)) => Some(own.map(|r| r.min(most))),
        }
    }
}

impl Terms {
    fn of(observation: &Program) -> Terms {
        let observation = &observation.simulated();
        let mut g = Graph::new(observation.declarations.clone());
        let renamed = g.import(observation, |_, _, _| None);
        let outputs = observation.declarations.outputs.len();
        let (mut local, mut bounds) = (vec![false; outputs], vec![0.0; outputs]);
        let one = g.constant(1.0);
        let mut all: Option<ValueId> = None;
        for (sink, value) in &observation.results {
            let Sink::Output(i) = sink else { continue };
            let mut terms = Vec::new();
            if !split(&mut g, renamed[value.index()], one, &mut terms) {
                continue;
            }
            local[*i as usize] = true;
            let slope = g.push(Op::OutputAdjoint(*i));
            for (factor, x) in terms {
                let most = |v: ValueId| {
                    let domain = g.domain(v);
                    if domain.nan { f64::INFINITY } else { domain.lowest.abs().max(domain.highest.abs()) }
                };
                // A range that is far beyond what occurs, such as a walker's positions, would round all terms to 0.
                const NARROW: f64 = 256.0;
                let known = most(x) <= NARROW;
                let most = most(factor) * most(x);
                bounds[*i as usize] += if known && most.is_finite() { most } else { f64::INFINITY };
                let weight = g.multiply(slope, factor);
                let term = g.multiply(weight, x);
                all = Some(all.map_or(term, |sum| g.add(sum, term)));
            }
        }
        let zero = g.constant(0.0);
        let field = g.push(Op::Spread(zero));
        let all = all.unwrap_or(field);
        g.result(Sink::LayerAdjoint(0), all);
        let program = g.finish();
        let left = |sink: Sink| matches!(sink, Sink::LayerAdjoint(_));
        let reads = felt(&program, |op, _| matches!(op, Op::Layer(_)), left);
        let draws = felt(&program, is_draw, left);
        Terms { program, local, bounds, reads, draws }
    }
}

/// Takes a number apart into sums over sites, each times a number that all replicates share; says whether that is all
/// it is, but for what all replicates share.
fn split(g: &mut Graph, value: ValueId, factor: ValueId, terms: &mut Vec<(ValueId, ValueId)>) -> bool {
    if g.rank(value) == Rank::Run {
        return true;
    }
    match g.instruction(value).op {
        Op::SiteSum(x) if g.rank(x) == Rank::Site => {
            terms.push((factor, x));
            true
        }
        Op::Hold(x) | Op::Replace { value: x, .. } => split(g, x, factor, terms),
        Op::Unary(Unary::Negate, x) => {
            let factor = g.negate(factor);
            split(g, x, factor, terms)
        }
        Op::Binary(Binary::Add, a, b) => split(g, a, factor, terms) && split(g, b, factor, terms),
        Op::Binary(Binary::Subtract, a, b) => {
            let minus = g.negate(factor);
            split(g, a, factor, terms) && split(g, b, minus, terms)
        }
        Op::Binary(Binary::Multiply, a, b) => {
            let (number, sums) = if g.rank(a) == Rank::Run { (a, b) } else { (b, a) };
            g.rank(number) == Rank::Run && {
                let factor = g.multiply(factor, number);
                split(g, sums, factor, terms)
            }
        }
        Op::Binary(Binary::Divide, a, b) => {
            g.rank(b) == Rank::Run && {
                let factor = g.divide(factor, b);
                split(g, a, factor, terms)
            }
        }
        _ => false,
    }
}

/// Whether an instruction is a draw of single sites that is scored.
fn is_draw(op: &Op, rank: Rank) -> bool {
    rank == Rank::Site && matches!(op, Op::Bernoulli { .. } | Op::Categorical { .. } | Op::Count { .. })
}

fn sum(a: Extent, b: Extent) -> Extent {
    let (a, b) = (a?, b?);
    Some([0, 1, 2].map(|axis| a[axis].saturating_add(b[axis])))
}

fn wider(a: Extent, b: Extent) -> Extent {
    let (a, b) = (a?, b?);
    Some([0, 1, 2].map(|axis| a[axis].max(b[axis])))
}

/// How far the values that `from` accepts are felt in the results that `to` accepts: the farthest over all ways there.
fn felt(program: &Program, from: impl Fn(&Op, Rank) -> bool, to: impl Fn(Sink) -> bool) -> Extent {
    // For every value how far it is felt in the results; nothing where it is not.
    let mut far: Vec<Option<Extent>> = vec![None; program.instructions.len()];
    for (_, value) in program.results.iter().filter(|(sink, _)| to(*sink)) {
        far[value.index()] = Some(Some([0; 3]));
    }
    for index in (0..program.instructions.len()).rev() {
        let Some(own) = far[index] else { continue };
        let op = &program.instructions[index].op;
        let neighbourhood = |n: u32| Some(program.declarations.neighbourhoods[n as usize].reach());
        let mut hand_on = |operand: ValueId, extent: Extent| {
            let whole = sum(own, extent);
            let slot = &mut far[operand.index()];
            *slot = Some(slot.map_or(whole, |known| wider(known, whole)));
        };
        match op {
            Op::Shift { x, offset, .. } => hand_on(*x, Some(offset.map(|d| d.unsigned_abs() as usize))),
            Op::NeighbourSum { x, neighbourhood: n, .. } => hand_on(*x, neighbourhood(*n)),
            Op::Translate { x, direction, offsets, .. } => {
                hand_on(*x, neighbourhood(*offsets));
                hand_on(*direction, None);
            }
            Op::SiteSum(x) => hand_on(*x, None),
            Op::CellSum { x, labels, at, .. } => {
                [*x, *labels].into_iter().for_each(|v| hand_on(v, None));
                hand_on(*at, Some([0; 3]));
            }
            op if op.is_of_events() => op.visit(|v| hand_on(v, None)),
            op => op.visit(|v| hand_on(v, Some([0; 3]))),
        }
    }
    let sources = program.instructions.iter().zip(&far).filter(|(i, _)| from(&i.op, i.rank));
    sources.filter_map(|(_, far)| *far).fold(Some([0; 3]), wider)
}

/// How many units a term is rounded to, so that all sums of terms are exact and none depends on its order: a power of two.
/// `most` is the most that a term may be; that many replicates are compared, at that many sites and events. 0 where a
/// term is no finite number.
///
/// ```
/// let units = glauber_program::units_of_terms(0.7, 100, 4096, 1);
/// assert_eq!(units, 2f64.powi(40));
/// ```
pub fn units_of_terms(most: f64, replicates: usize, sites: usize, events: usize) -> f64 {
    // Fewer where sums would outgrow 64 bits.
    const FINEST: u32 = 40;
    if !most.is_finite() {
        return 0.0;
    }
    let added = replicates.saturating_mul(2).saturating_mul(sites).saturating_mul(events);
    let room = usize::BITS - added.leading_zeros();
    let finest = FINEST.min(61u32.saturating_sub(room)).max(1);
    // The least power of two above the most.
    let above = ((most.to_bits() >> 52) & 0x7ff) as i32 - 1022;
    let power = (finest as i32 - above).clamp(-1000, 1000);
    f64::from_bits(((power + 1023) as u64) << 52)
}

/// Times of observation that are taken together, so that there are few sums over neighbourhoods however many times there
/// are: the nearest alone, farther ones in groups that double in number. A group's region is that of its latest time.
///
/// ```
/// use glauber_program::Groups;
/// let mut groups = Groups::default();
/// for time in (0..40).rev() {
///     groups.take_in(time, Some([0; 3]), |_| ());
/// }
/// assert!(groups.spans.len() < 12);
/// assert_eq!(groups.spans[0].latest, 39);
/// assert_eq!(groups.spans.iter().map(|s| s.times).sum::<usize>(), 40);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// The groups, the farthest first.
    pub spans: Vec<Span>,
}

/// One group of [`Groups`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The latest of its times.
    pub latest: usize,
    /// How many times it has.
    pub times: usize,
    /// The farthest that any of its terms reads.
    pub reads: Extent,
}

impl Groups {
    /// Takes in a time before (or at) the earliest so far as a group of its own; then calls `merge` with the place of
    /// each group that takes in the one after it, in order.
    pub fn take_in(&mut self, time: usize, reads: Extent, mut merge: impl FnMut(usize)) {
        const ALIKE: usize = 3;
        self.spans.push(Span { latest: time, times: 1, reads });
        let last = self.spans.len() - 1;
        if last > 0 && self.spans[last - 1].latest == time {
            self.join(last - 1, &mut merge);
            self.spans[last - 1].times -= 1;
            return;
        }
        loop {
            // The places of the groups of one size lie together.
            let found = (0..self.spans.len()).find(|place| {
                let alike = self.spans[*place..].iter().take_while(|s| s.times == self.spans[*place].times);
                alike.count() >= ALIKE
            });
            let Some(place) = found else { return };
            self.join(place, &mut merge);
        }
    }

    fn join(&mut self, place: usize, merge: &mut impl FnMut(usize)) {
        let near = self.spans.remove(place + 1);
        let own = &mut self.spans[place];
        own.times += near.times;
        own.reads = wider(own.reads, near.reads);
        merge(place);
    }
}
