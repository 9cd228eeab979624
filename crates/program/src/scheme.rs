//! Says what an update scheme asks of a rule: its footprint, a colouring under which no two sites meet, what it may not do.

use std::collections::BTreeSet;

use glauber_lattice::{Boundary, Lattice, Offset};
use serde::{Deserialize, Serialize};

use crate::dataflow::dependent;
use crate::error::ModelError;
use crate::graph::Graph;
use crate::op::{Comparison, Op, Place, Rank, ValueId};
use crate::program::{Program, Sink};
use crate::update::{Pick, Update};

/// Which sites a rule reads and writes, as offsets (z, y, x) from the site it is applied to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Where it reads layers.
    pub reads: BTreeSet<Offset>,
    /// Where it writes layers.
    pub writes: BTreeSet<Offset>,
    /// Whether it reads or writes a site that is drawn from the whole lattice.
    pub anywhere: bool,
    /// The farthest it reaches along (z, y, x), in sites, reads of fields included.
    pub reach: [usize; 3],
}

impl Footprint {
    /// The displacements between two sites of which one writes what the other reads or writes.
    fn conflicts(&self, lattice: &Lattice) -> BTreeSet<Offset> {
        let minus = |a: Offset, b: Offset| [0, 1, 2].map(|k| a[k].wrapping_sub(b[k]));
        let mut conflicts = BTreeSet::new();
        for written in &self.writes {
            for met in self.reads.iter().chain(&self.writes) {
                conflicts.extend([minus(*written, *met), minus(*met, *written)]);
            }
        }
        // Mirrored at an edge an offset leads to nearer sites too.
        for (axis, boundary) in lattice.boundaries().into_iter().enumerate() {
            if boundary == Boundary::Reflecting {
                let nearer = |d: &Offset| {
                    let mut all = Vec::new();
                    for k in -d[axis].abs()..=d[axis].abs() {
                        let mut other = *d;
                        other[axis] = k;
                        all.push(other);
                    }
                    all
                };
                conflicts = conflicts.iter().flat_map(nearer).collect();
            }
        }
        conflicts.remove(&[0; 3]);
        conflicts
    }
}

/// The footprint of a rule.
///
/// ```
/// # use glauber_lattice::{Lattice, Values, VonNeumann};
/// # use glauber_program::{Model, Update, footprint};
/// let voter = Model::build("voter", Lattice::square(8))
///     .layer("opinion", Values::binary())
///     .update(Update::Sublattices)
///     .step(|s| {
///         let there = s.neighbour(VonNeumann);
///         s.next("opinion").set(s.layer("opinion").at(there))
///     })?;
/// let footprint = footprint(&voter.step);
/// assert_eq!((footprint.reads.len(), footprint.writes.len()), (4, 1));
/// # Ok::<(), glauber_program::ModelError>(())
/// ```
pub fn footprint(rule: &Program) -> Footprint {
    let mut all = Footprint::default();
    let d = &rule.declarations;
    let mut reads: Vec<BTreeSet<Offset>> = Vec::with_capacity(rule.instructions.len());
    // How far from the site a value is made of anything.
    let mut spans: Vec<[usize; 3]> = Vec::with_capacity(rule.instructions.len());
    let mut widen = |by: &Offset, span: [usize; 3]| {
        let own = [0, 1, 2].map(|k| span[k] + by[k].unsigned_abs() as usize);
        all.reach = [0, 1, 2].map(|k| all.reach[k].max(own[k]));
        own
    };
    let moved = |set: &BTreeSet<Offset>, by: &Offset| -> Vec<Offset> {
        set.iter().map(|o| [0, 1, 2].map(|k| o[k].saturating_add(by[k]))).collect()
    };
    let offsets = |n: u32| d.neighbourhoods[n as usize].offsets();
    for instruction in &rule.instructions {
        let of = |v: &ValueId| &reads[v.index()];
        let mut own: BTreeSet<Offset> = BTreeSet::new();
        let mut span = [0; 3];
        let mut wider = |x: &ValueId, o: &Offset, span: &mut [usize; 3]| {
            let own = widen(o, spans[x.index()]);
            *span = [0, 1, 2].map(|k| span[k].max(own[k]));
        };
        match &instruction.op {
            Op::Layer(_) => own.extend([[0; 3]]),
            Op::Shift { x, offset, .. } => {
                wider(x, offset, &mut span);
                own.extend(moved(of(x), offset));
            }
            Op::NeighbourSum { x, neighbourhood: n, .. } => offsets(*n).iter().for_each(|o| {
                wider(x, o, &mut span);
                own.extend(moved(of(x), o));
            }),
            Op::There { x, place: Place::Neighbour { direction, offsets: n } } => {
                offsets(*n).iter().for_each(|o| {
                    wider(x, o, &mut span);
                    own.extend(moved(of(x), o));
                });
                own.extend(of(direction));
            }
            Op::Put { place: Place::Neighbour { offsets: n, .. }, .. }
            | Op::Inside(Place::Neighbour { offsets: n, .. }) => {
                offsets(*n).iter().for_each(|o| {
                    widen(o, [0; 3]);
                });
                instruction.op.visit(|v| own.extend(of(&v)));
            }
            op => op.visit(|v| {
                own.extend(of(&v));
                wider(&v, &[0; 3], &mut span);
            }),
        }
        reads.push(own);
        spans.push(span);
    }
    for (sink, value) in &rule.results {
        let own = &rule.instruction(*value).op;
        match (sink, own) {
            // It stays as it is.
            (Sink::NextLayer(i), Op::Layer(j)) if i == j => continue,
            (Sink::NextLayer(_), _) => all.writes.extend([[0; 3]]),
            (Sink::Elsewhere(_), Op::Put { place: Place::Neighbour { offsets: n, .. }, .. }) => {
                all.writes.extend(offsets(*n));
            }
            _ => {}
        }
        all.reads.extend(&reads[value.index()]);
    }
    let far = |op: &Op| match op {
        Op::There { place, .. } | Op::Put { place, .. } | Op::Inside(place) => {
            matches!(place, Place::Anywhere { .. })
        }
        _ => false,
    };
    all.anywhere = rule.instructions.iter().any(|i| far(&i.op));
    all
}

/// A colouring of a lattice: site (z, y, x) has colour Σ strideₖ (xₖ mod periodₖ) mod the number of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Colouring {
    /// By what each coordinate is counted, along (z, y, x).
    pub periods: [u32; 3],
    /// What each coordinate counts.
    pub strides: [u32; 3],
    /// How many colours there are.
    pub colours: u32,
}

/// The most colours that are tried.
const MOST_COLOURS: u32 = 16;

impl Colouring {
    /// The colouring with the fewest colours under which no site writes what another of its colour reads or writes, and
    /// that closes over the lattice's periodic edges; none where there is none of at most 16 colours.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Values, VonNeumann};
    /// # use glauber_program::{Colouring, Model, Update, footprint};
    /// # let voter = Model::build("voter", Lattice::square(8)).layer("opinion", Values::binary())
    /// #     .update(Update::Sublattices).step(|s| {
    /// #         let there = s.neighbour(VonNeumann);
    /// #         s.next("opinion").set(s.layer("opinion").at(there))
    /// #     })?;
    /// let board = Colouring::of(&footprint(&voter.step), &Lattice::square(8));
    /// assert_eq!(board.map(|c| (c.colours, c.colour([0, 2, 3]))), Some((2, 1))); // a checkerboard
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn of(footprint: &Footprint, lattice: &Lattice) -> Option<Colouring> {
        let conflicts = footprint.conflicts(lattice);
        let used = 3 - lattice.dimensions();
        (1..=MOST_COLOURS).find_map(|colours| {
            let all = linear(colours, used).chain(boxes(colours, used));
            all.into_iter().find(|c| c.closes(lattice) && c.parts(&conflicts))
        })
    }

    /// The colour of a site.
    pub fn colour(&self, site: [usize; 3]) -> u32 {
        let own = |k: usize| (site[k] % self.periods[k] as usize) as u32 * self.strides[k];
        (own(0) + own(1) + own(2)) % self.colours
    }

    fn closes(&self, lattice: &Lattice) -> bool {
        let (extent, boundaries) = (lattice.extent(), lattice.boundaries());
        (0..3).all(|k| {
            let once_round = match self.is_linear() {
                true => (extent[k] as u64 * u64::from(self.strides[k])) % u64::from(self.colours),
                false => extent[k] as u64 % u64::from(self.periods[k]),
            };
            boundaries[k] != Boundary::Periodic || self.strides[k] == 0 || once_round == 0
        })
    }

    fn is_linear(&self) -> bool {
        self.periods.iter().zip(&self.strides).all(|(p, s)| *s == 0 || *p == self.colours)
    }

    /// Whether it tells sites apart that lie so far from each other.
    fn parts(&self, conflicts: &BTreeSet<Offset>) -> bool {
        let apart = |d: &Offset| {
            if self.is_linear() {
                let sum: i64 = (0..3).map(|k| i64::from(d[k]) * i64::from(self.strides[k])).sum();
                sum.rem_euclid(i64::from(self.colours)) != 0
            } else {
                (0..3).any(|k| {
                    self.strides[k] != 0 && i64::from(d[k]).rem_euclid(i64::from(self.periods[k])) != 0
                })
            }
        };
        conflicts.iter().all(apart)
    }

    /// How far apart along x sites of one colour lie in a row that has any.
    pub fn step(&self) -> usize {
        let (stride, colours) = (self.strides[2], self.colours);
        match (stride, self.is_linear()) {
            (0, _) => 1,
            (_, true) => (colours / common_divisor(stride, colours)) as usize,
            (_, false) => self.periods[2] as usize,
        }
    }

    /// The first x, below [`Colouring::step`], at which a row has a colour; none where it has none of it.
    pub fn first(&self, z: usize, y: usize, colour: u32) -> Option<usize> {
        (0..self.step()).find(|x| self.colour([z, y, *x]) == colour)
    }

    /// Whether it is one that may be computed with.
    pub(crate) fn is_sound(&self) -> bool {
        let small = |n: u32| (1..=MOST_COLOURS).contains(&n);
        small(self.colours)
            && self.periods.into_iter().all(small)
            && self.strides.into_iter().all(|stride| stride <= MOST_COLOURS)
    }
}

fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Colourings by a sum of multiples of the coordinates.
fn linear(colours: u32, first_axis: usize) -> impl Iterator<Item = Colouring> {
    let axes = 3 - first_axis as u32;
    (0..colours.pow(axes)).map(move |number| {
        let mut strides = [0; 3];
        let mut rest = number;
        for stride in &mut strides[first_axis..] {
            *stride = rest % colours;
            rest /= colours;
        }
        Colouring { periods: [colours; 3], strides, colours }
    })
}

/// Colourings by the place in a box.
fn boxes(colours: u32, first_axis: usize) -> impl Iterator<Item = Colouring> {
    let lengths = move |axis: usize| if axis < first_axis { 1..=1 } else { 1..=colours };
    let divides = move |n: &u32| colours % n == 0;
    lengths(0).filter(divides).flat_map(move |z| {
        lengths(1).filter(divides).filter_map(move |y| {
            let x = colours / z.max(1) / y.max(1);
            (x >= 1 && z * y * x == colours).then(|| {
                let periods = [z, y, x];
                let used = |axis: usize, stride: u32| if periods[axis] > 1 { stride } else { 0 };
                Colouring { periods, strides: [used(0, y * x), used(1, x), used(2, 1)], colours }
            })
        })
    })
}

fn refuse(rule: &Program, why: impl Into<String>) -> ModelError {
    let d = &rule.declarations;
    ModelError::Scheme { model: d.model.clone(), update: d.update.name(), why: why.into() }
}

/// The colouring of a rule under [`Update::Sublattices`].
pub(crate) fn colouring(rule: &Program) -> Result<Colouring, ModelError> {
    let d = &rule.declarations;
    let footprint = footprint(rule);
    Colouring::of(&footprint, &d.lattice).ok_or_else(|| {
        let (extent, boundaries) = (d.lattice.extent(), d.lattice.boundaries());
        let folds = |offset: &Offset| {
            (0..3).all(|k| match boundaries[k] {
                Boundary::Periodic => i64::from(offset[k]).rem_euclid(extent[k] as i64) == 0,
                _ => offset[k] == 0,
            })
        };
        let used = 3 - d.lattice.dimensions();
        if footprint.conflicts(&d.lattice).iter().any(folds) {
            let reach = &footprint.reach[used..];
            return refuse(
                rule,
                format!(
                    "the rule reaches {reach:?} sites from a site, which on a lattice of {} leads back to what the site \
                     itself writes: choose greater lengths, or update = \"random-sequential\"",
                    d.lattice
                ),
            );
        }
        let open = d.lattice.clone().bounded(Boundary::Fixed(0.0));
        let remedy = match Colouring::of(&footprint, &open) {
            Some(found) => {
                let periods: Vec<String> =
                    found.periods[used..].iter().map(|p| format!("a multiple of {p}")).collect();
                format!("lengths that are {} will do", periods.join(" by "))
            }
            None => "the rule reaches too far".to_string(),
        };
        refuse(
            rule,
            format!(
                "no colouring of at most {MOST_COLOURS} colours keeps the sites of a colour apart and closes over the \
                 periodic edges of a lattice of {}: {remedy}, or fixed edges, or update = \"random-sequential\"",
                d.lattice
            ),
        )
    })
}

/// Checks that a rule can be applied as its declarations say.
pub(crate) fn check(rule: &Program) -> Result<(), ModelError> {
    let d = &rule.declarations;
    let has = |sink: fn(&Sink) -> bool| rule.results.iter().any(|(s, _)| sink(s));
    let rates = has(|s| *s == Sink::TotalRate);
    if d.update == Update::Synchronous {
        if rates {
            return Err(refuse(
                rule,
                "rates are given, but a step is no time: give update = \"continuous-time\", or draw with probabilities",
            ));
        }
        let reads = rule.instructions.iter().any(|i| i.op.is_of_events());
        if reads || has(|s| matches!(s, Sink::Elsewhere(_))) {
            return Err(refuse(
                rule,
                "the rule reads or writes a site that it picks (a neighbour in a drawn direction, a site drawn from the \
                 lattice), and two sites could write to one at once: give update = \"random-sequential\", \
                 \"sublattices\" or \"continuous-time\"",
            ));
        }
        return Ok(());
    }
    if rates != (d.update == Update::ContinuousTime) {
        return Err(refuse(
            rule,
            match rates {
                true => {
                    "rates are given, but events have no time: give update = \"continuous-time\", or draw with probabilities"
                }
                false => {
                    "the rule states no rates: say what happens by rates([…]), or give update = \"random-sequential\""
                }
            },
        ));
    }
    for instruction in &rule.instructions {
        let why = match &instruction.op {
            Op::SiteSum(_) => {
                "the rule sums over the whole lattice, which each of its events would change: count such sums in an observation"
            }
            Op::Translate { .. } => {
                "the rule moves a whole plane, but it is applied to one site: move what is at the site to another (move_to, swap_with)"
            }
            Op::Uniform { rank: Rank::Replicate, .. } | Op::Count { rank: Rank::Replicate, .. } => {
                "a draw is shared by all sites, but the rule is applied to one: draw it at the site"
            }
            Op::Target(_) => {
                "the rule reads the observed next state, which nothing needs under this update: leave revealed_by out"
            }
            _ => continue,
        };
        return Err(refuse(rule, why));
    }
    let random = dependent(
        &rule.instructions,
        |_, op| matches!(op, Op::Uniform { .. } | Op::Count { .. }),
        |_, _| false,
    );
    let elsewhere = dependent(&rule.instructions, |_, op| matches!(op, Op::There { .. }), |_, _| false);
    for instruction in &rule.instructions {
        let (Op::Shift { x, .. } | Op::NeighbourSum { x, .. } | Op::There { x, .. }) = &instruction.op else {
            continue;
        };
        if elsewhere[x.index()] {
            return Err(refuse(
                rule,
                "a site is reached by way of another site that is picked: pick one site, and read from there by fixed offsets",
            ));
        }
        if random[x.index()] {
            return Err(refuse(
                rule,
                "a draw is read at another site, but only the site of the event draws: draw at the site, and write what \
                 comes of it to the other (set_at, move_to, swap_with)",
            ));
        }
    }
    if matches!(d.update, Update::RandomSequential { events: Some(0), .. }) {
        return Err(refuse(rule, "a step has 0 events: give at least 1"));
    }
    match &d.update {
        Update::Sublattices => {
            if footprint(rule).anywhere {
                return Err(refuse(
                    rule,
                    "the rule draws a site from the whole lattice, from which no colouring keeps it apart: give update = \"random-sequential\"",
                ));
            }
            if has(|s| matches!(s, Sink::Elsewhere(_)))
                && d.lattice.boundaries().contains(&Boundary::Reflecting)
            {
                return Err(refuse(
                    rule,
                    "the rule writes to a picked neighbour, and at a mirrored edge two sites would write to one: give fixed or periodic edges, or update = \"random-sequential\"",
                ));
            }
            colouring(rule).map(|_| ())
        }
        Update::RandomSequential { pick: Pick::Among { layer, state }, .. } => {
            let Some(own) = d.layers.iter().find(|l| l.name == *layer) else {
                let known = d.layers.iter().map(|l| l.name.as_str());
                return Err(crate::error::unknown(&d.model, "layer", layer, known));
            };
            let (lowest, highest) = own.values.range();
            let number = f64::from(*state);
            if !own.values.is_integer() || number < lowest || number > highest {
                let values = own.values.to_string();
                return Err(refuse(
                    rule,
                    format!(
                        "sites are drawn among those where `{layer}` is {state}, but it is {values}: it is never that"
                    ),
                ));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The layers that a rule in continuous time changes, as far as can be told, also where no transition happens: at a pace
/// that the highest sum of rates sets, which stands for nothing.
pub(crate) fn changed_without_event(rule: &Program) -> Vec<String> {
    let names = |layers: BTreeSet<u32>| -> Vec<String> {
        layers.into_iter().map(|i| rule.declarations.layers[i as usize].name.clone()).collect()
    };
    let Some(total) = rule.result(Sink::TotalRate) else { return Vec::new() };
    // The class of no transition, of the draw whose other classes add up to the share that the rates have.
    let rates = |op: &Op| match op {
        Op::Categorical { probabilities, below, .. } => {
            let last = *below.last()?;
            let share = last == total || rule.instruction(last).op.operands().contains(&total);
            share.then_some(probabilities.len() - 1)
        }
        _ => None,
    };
    let mut g = Graph::new(rule.declarations.clone());
    let renamed = g.import(rule, |g, original, op| match (&rule.instruction(original).op, op) {
        (own @ Op::Categorical { .. }, _) => rates(own).map(|none| g.constant(none as f64)),
        (Op::Indicator { draw, class }, _) => rates(&rule.instruction(*draw).op)
            .map(|none| g.constant(f64::from(u8::from(*class as usize == none)))),
        _ => None,
    });
    let mut changed = BTreeSet::new();
    for (sink, value) in &rule.results {
        let own = &g.instruction(renamed[value.index()]).op;
        let same = match (sink, own) {
            (Sink::NextLayer(i), own) => *own == Op::Layer(*i),
            (Sink::Elsewhere(i), Op::Put { value, place }) => match &g.instruction(*value).op {
                Op::There { x, place: from } => from == place && g.instruction(*x).op == Op::Layer(*i),
                _ => false,
            },
            _ => true,
        };
        if let (false, Sink::NextLayer(i) | Sink::Elsewhere(i)) = (same, sink) {
            changed.insert(*i);
        }
    }
    names(changed)
}

/// A value at the neighbour that a direction picks: a choice among shifted fields.
///
/// A number is Σ [direction = k] x(i + offsetₖ), so that derivatives reach the probabilities of the directions; one of
/// several states is chosen.
pub(crate) fn at_neighbour(g: &mut Graph, x: ValueId, direction: ValueId, offsets: u32) -> ValueId {
    let offsets = g.declarations.neighbourhoods[offsets as usize].offsets().to_vec();
    if let Some(class) = g.constant_value(direction) {
        let class = (class as usize).min(offsets.len() - 1);
        return g.shift(x, offsets[class]);
    }
    let nominal = g.is_nominal(x);
    let mut chosen = g.constant(0.0);
    for (k, offset) in offsets.iter().enumerate() {
        let own = g.shift(x, *offset);
        let picked = picks(g, direction, k);
        chosen = if nominal && k == 0 {
            own
        } else if nominal {
            g.select(picked, own, chosen)
        } else {
            let part = g.multiply(picked, own);
            g.add(chosen, part)
        };
    }
    chosen
}

/// 1 where a direction is class k.
pub(crate) fn picks(g: &mut Graph, direction: ValueId, k: usize) -> ValueId {
    if g.is_nominal(direction) {
        return g.push(Op::Indicator { draw: direction, class: k as u32 });
    }
    let class = g.constant(k as f64);
    g.compare(Comparison::Equal, direction, class)
}
