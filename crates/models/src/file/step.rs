//! Traces the step of a model file: hops, then reactions, and transitions beside them.

use glauber_program::{Expr, Operand, Scope};

use super::error::Checked;
use super::sheet::{Edge, Hop, Reaction, Sheet, States};
use super::syntax::Node;
use super::translate::Translator;

/// Writes one step into its tracing.
pub(crate) fn trace(sheet: &Sheet, scope: &Scope) -> Checked<()> {
    let mut used: Vec<&Node> = sheet.transitions.iter().map(|t| &t.node).collect();
    used.extend(sheet.hops.iter().map(|h| &h.node));
    let mut before = Translator::new(sheet, scope, false, &used)?;
    if let Some(states) = &sheet.states {
        transitions(&mut before, states)?;
    }
    let mut moved = std::collections::HashMap::new();
    for hop in &sheet.hops {
        let occupancy = hopped(&mut before, hop)?;
        moved.insert(sheet.layers[hop.layer].name.clone(), occupancy);
    }
    // Reactions see the particles where they have moved to, and definitions anew.
    let used: Vec<&Node> = sheet.reactions.iter().map(|r| &r.node).collect();
    let mut after = Translator::moved(sheet, scope, moved, &used)?;
    reactions(&mut after)
}

/// The next state: each site leaves its state with the stated probabilities, else stays.
fn transitions<'s>(translator: &mut Translator<'s>, states: &States) -> Checked<()> {
    let (sheet, scope) = (translator.sheet, translator.scope);
    let count = states.names.len();
    let mut chance: Vec<Vec<Option<Expr>>> = vec![vec![None; count]; count];
    for transition in &sheet.transitions {
        let p = translator.expression(&transition.node)?;
        let (from, to) = (transition.from, transition.to);
        chance[from][to] = Some(p);
        let masked = translator.is(from) * p;
        scope.check_probability(&format!("{} -> {}", states.names[from], states.names[to]), masked);
    }
    let leaving: Vec<Option<Expr>> =
        chance.iter().map(|row| row.iter().flatten().copied().reduce(|sum, p| sum + p)).collect();
    for (from, sum) in leaving.iter().enumerate() {
        if let Some(sum) = sum.filter(|_| chance[from].iter().flatten().count() > 1) {
            let what = format!("leaving {} (all its transitions together)", states.names[from]);
            scope.check_probability(&what, translator.is(from) * sum);
        }
    }
    let next = scope.next(&states.layer);
    if sheet.transitions.is_empty() {
        next.set(scope.layer(&states.layer));
        return Ok(());
    }
    let arriving = |to: usize| {
        let stays = match leaving[to] {
            Some(sum) => translator.is(to) * (1.0 - sum),
            None => translator.is(to),
        };
        let others = (0..count).filter_map(|from| Some(translator.is(from) * chance[from][to]?));
        others.fold(stays, |sum, term| sum + term)
    };
    if count == 2 {
        next.bernoulli(arriving(1));
    } else {
        let probabilities: Vec<Operand> = (0..count).map(|to| arriving(to).into()).collect();
        next.categorical(&probabilities);
    }
    Ok(())
}

/// The occupancy after every particle has moved to a neighbour with the probability given, each on its own: the
/// number that goes to each neighbour is binomial, given those that went before. A particle that would leave over a
/// reflecting edge stays; one that leaves over a fixed edge is gone.
fn hopped<'s>(translator: &mut Translator<'s>, hop: &'s Hop) -> Checked<Expr> {
    let scope = translator.scope;
    let name = &translator.sheet.layers[hop.layer].name;
    let p = translator.expression(&hop.node)?;
    scope.check_probability(&format!("a hop of {name}"), p);
    let occupancy = scope.layer(name);
    let total: f64 = hop.neighbourhood.weights().iter().sum();
    let (mut left, mut next, mut spent) = (occupancy, occupancy, 0.0);
    for (offset, weight) in hop.neighbourhood.offsets().iter().zip(hop.neighbourhood.weights()) {
        let own = p * (weight / total);
        // With the last neighbour and p = 1, rounding must not carry the quotient above 1.
        let chance = if spent > 0.0 { (own / (1.0 - p * (spent / total)).max(1e-12)).min(1.0) } else { own };
        let going = scope.binomial(left, chance);
        left = left - going;
        spent += weight;
        let back = offset.map(|d| -d);
        let departing = inside(translator, *offset).map_or(going, |stays| going * stays);
        let arriving = departing.shift(back);
        let arriving = inside(translator, back).map_or(arriving, |from| arriving * from);
        next = next - departing + arriving;
    }
    Ok(next)
}

/// 1 where the site at `offset` does not lie beyond a reflecting edge; nothing where none can.
fn inside(translator: &Translator<'_>, offset: [i32; 3]) -> Option<Expr> {
    let sheet = translator.sheet;
    let mut all: Option<Expr> = None;
    for (axis, edge) in sheet.boundary.iter().enumerate() {
        let distance = f64::from(offset[3 - sheet.shape.len() + axis]);
        if *edge != Edge::Reflecting || distance.abs() < 0.5 {
            continue;
        }
        let here = translator.scope.coordinate(axis);
        let holds = match distance > 0.0 {
            true => here.less(sheet.shape[axis] as f64 - distance),
            false => here.at_least(-distance),
        };
        all = Some(all.map_or(holds, |other| other * holds));
    }
    all
}

/// At most one reaction per site and step, each with its probability.
fn reactions<'s>(translator: &mut Translator<'s>) -> Checked<()> {
    let (sheet, scope) = (translator.sheet, translator.scope);
    let occupancy: Vec<Expr> = sheet.layers.iter().map(|l| translator.occupancy(&l.name)).collect();
    let mut probabilities: Vec<Operand> = Vec::new();
    let mut sum = scope.number(0.0);
    for reaction in &sheet.reactions {
        let p = probability(translator, reaction, &occupancy)?;
        scope.check_probability(&reaction.text, p);
        sum = sum + p;
        probabilities.push(p.into());
    }
    let mut next = occupancy;
    if !sheet.reactions.is_empty() {
        scope.check_probability("all reactions together", sum);
        probabilities.push((1.0 - sum).into());
        let channel = scope.categorical(&probabilities);
        for (place, reaction) in sheet.reactions.iter().enumerate() {
            let fires = channel.is(place as u32);
            for (layer, value) in next.iter_mut().enumerate() {
                let change = change(reaction, layer);
                if change != 0 {
                    *value = *value + fires * f64::from(change);
                }
            }
        }
    }
    for (layer, value) in sheet.layers.iter().zip(next) {
        scope.next(&layer.name).set(value);
    }
    Ok(())
}

/// How many particles of a layer a reaction makes (less those it takes).
fn change(reaction: &Reaction, layer: usize) -> i32 {
    let of = |side: &[(usize, u32)]| side.iter().find(|(l, _)| *l == layer).map_or(0, |(_, n)| *n as i32);
    of(&reaction.products) - of(&reaction.reactants)
}

/// The probability of a reaction at a site: its rate constant times the number of distinct sets of reactants
/// (Gillespie 1977), and 0 where its products would not fit.
fn probability<'s>(
    translator: &mut Translator<'s>,
    reaction: &'s Reaction,
    occupancy: &[Expr],
) -> Checked<Expr> {
    let mut p = translator.expression(&reaction.node)?;
    if reaction.mass_action {
        for (layer, count) in &reaction.reactants {
            let n = occupancy[*layer];
            for taken in 0..*count {
                p = p * ((n - f64::from(taken)) / f64::from(taken + 1));
            }
        }
    }
    for (layer, own) in translator.sheet.layers.iter().enumerate() {
        let needs = reaction.reactants.iter().find(|(l, _)| *l == layer).map_or(0, |(_, n)| *n);
        let change = change(reaction, layer);
        if change > 0 {
            p = p * occupancy[layer].at_most(f64::from(own.highest - change));
        }
        // Mass action vanishes where reactants lack; a probability of one's own need not.
        if needs > 0 && !reaction.mass_action {
            p = p * occupancy[layer].at_least(f64::from(needs));
        }
    }
    Ok(p)
}
