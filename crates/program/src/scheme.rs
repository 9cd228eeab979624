//! Says what an update scheme asks of a rule: its footprint, a colouring under which no two sites meet, what it may not do.

use std::collections::BTreeSet;

use glauber_lattice::{Boundary, Colouring, Footprint, Offset};

use crate::dataflow::dependent;
use crate::error::ModelError;
use crate::graph::Graph;
use crate::op::{Comparison, Op, Place, Rank, ValueId};
use crate::program::{Program, Sink};
use crate::update::{Pick, Update};

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
            // What a cell is made of stands still while a colour's sites are updated.
            Op::CellSum { at, .. } => {
                own.extend(of(at));
                wider(at, &[0; 3], &mut span);
            }
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

fn refuse(rule: &Program, why: impl Into<String>) -> ModelError {
    let d = &rule.declarations;
    ModelError::Scheme { model: d.model.clone(), update: d.update.name(), why: why.into() }
}

/// The colouring of a rule under [`Update::Sublattices`].
pub fn colouring(rule: &Program) -> Result<Colouring, ModelError> {
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
        let remedy = match Colouring::nearest_lengths(&footprint, &d.lattice) {
            Some(found) => {
                let lengths: Vec<String> = found[used..].iter().map(usize::to_string).collect();
                format!("the nearest lengths that will do are {}", lengths.join(" × "))
            }
            None => "the rule reaches too far".to_string(),
        };
        refuse(
            rule,
            format!(
                "no colouring of at most {} colours keeps the sites of a colour apart and closes over the \
                 periodic edges of a lattice of {}: {remedy}, or fixed edges, or update = \"random-sequential\"",
                Colouring::MOST,
                d.lattice
            ),
        )
    })
}

/// The first axis along which an offset is as long as the lattice or longer. Along a side of one site everything is: there
/// is no direction, and nothing is told.
fn as_long_as_the_lattice(rule: &Program, offset: &Offset) -> Option<usize> {
    let extent = rule.declarations.lattice.extent();
    (0..3).find(|k| extent[*k] > 1 && offset[*k].unsigned_abs() as usize >= extent[*k])
}

/// What each instruction reads or writes by offsets from the site, those that it picks from included.
fn reached(rule: &Program) -> impl Iterator<Item = Vec<Offset>> {
    rule.instructions.iter().filter_map(|instruction| match &instruction.op {
        Op::Shift { offset, .. } => Some(vec![*offset]),
        Op::NeighbourSum { neighbourhood: n, .. }
        | Op::There { place: Place::Neighbour { offsets: n, .. }, .. }
        | Op::Put { place: Place::Neighbour { offsets: n, .. }, .. } => {
            Some(rule.declarations.neighbourhoods[*n as usize].offsets().to_vec())
        }
        _ => None,
    })
}

/// Refuses a rule under sublattices and events that reaches as far as the lattice is long, where a site would meet itself.
fn within_the_lattice(rule: &Program) -> Result<(), ModelError> {
    let d = &rule.declarations;
    let far = |offset: &Offset| as_long_as_the_lattice(rule, offset).map(|axis| (*offset, axis));
    let Some((offset, axis)) = reached(rule).flatten().find_map(|offset| far(&offset)) else { return Ok(()) };
    let leads = match d.lattice.boundaries()[axis] {
        Boundary::Periodic => "leads all the way round",
        Boundary::Reflecting => "is mirrored at both edges",
        Boundary::Fixed(_) => "lies beyond the fixed edges from every site",
    };
    let used = 3 - d.lattice.dimensions();
    Err(refuse(
        rule,
        format!(
            "the rule reaches the site at offset {:?}, which on a lattice of {} {leads}: choose {} sites or more along axis \
             {}, or nearer neighbours",
            &offset[used..],
            d.lattice,
            offset[axis].unsigned_abs() + 1,
            axis - used
        ),
    ))
}

/// A note for a synchronous rule that reads around the lattice, or nothing but what lies beyond its fixed edges.
pub(crate) fn around_the_lattice(rule: &Program) -> Option<String> {
    let d = &rule.declarations;
    let boundaries = d.lattice.boundaries();
    let outside = |o: &Offset| {
        let axis = as_long_as_the_lattice(rule, o)?;
        Some((*o, matches!(boundaries[axis], Boundary::Fixed(_))))
    };
    let (offset, is_outside) = reached(rule).find_map(|all| {
        let far: Vec<(Offset, bool)> = all.iter().filter_map(outside).collect();
        let none_inside = far.len() == all.len() && far.iter().all(|(_, outside)| *outside);
        far.into_iter().find(|(_, outside)| !outside || none_inside)
    })?;
    let where_it_is = match is_outside {
        false => "around it, or mirrored, that is a nearer site",
        true => "that lies beyond the fixed edges from every site",
    };
    Some(format!(
        "the rule reads the site at offset {:?}, as far away as the lattice of {} is long or farther: {where_it_is}",
        &offset[3 - d.lattice.dimensions()..],
        d.lattice
    ))
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
    if d.update.is_by_events() {
        for instruction in &rule.instructions {
            let Op::CellSum { x, .. } = instruction.op else { continue };
            let domain = rule.instruction(x).domain;
            if !domain.integer || domain.nan {
                return Err(refuse(
                    rule,
                    "a sum over cells is kept up to date event by event, without rounding, and what is summed is not always a \
                     whole number: sum whole numbers of fine units, and divide where the sum is read (the sum of \
                     round(100 * x), divided by 100 after of_cell), or give update = \"sublattices\"",
                ));
            }
        }
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
    within_the_lattice(rule)?;
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
pub fn at_neighbour(g: &mut Graph, x: ValueId, direction: ValueId, offsets: u32) -> ValueId {
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
