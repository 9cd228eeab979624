//! Traces the step of a model file: hops, then reactions, and transitions beside them.

use std::collections::HashMap;

use glauber_lattice::Lattice;
use glauber_program::{Expr, Operand, Scope, Update};

use super::error::Checked;
use super::events;
use super::reactions::{change, possible};
use super::sheet::{Hop, Reaction, Sheet, States};
use super::syntax::Node;
use super::translate::Translator;
use glauber_models::rules::hopped;
use glauber_models::rules::{Transition, next_state};

/// Writes one step into its tracing.
pub(crate) fn trace(sheet: &Sheet, lattice: &Lattice, scope: &Scope) -> Checked<()> {
    if sheet.applied.update != Update::Synchronous {
        return events::trace(sheet, lattice, scope);
    }
    let mut used: Vec<&Node> = sheet.transitions.iter().map(|t| &t.node).collect();
    used.extend(sheet.hops.iter().map(|h| &h.node));
    used.extend(sheet.cells.sums());
    let mut before = Translator::new(sheet, scope, false, &used)?;
    if let Some(states) = &sheet.states {
        transitions(&mut before, states)?;
    }
    let mut occupancies = HashMap::new();
    for hop in &sheet.hops {
        let occupancy = moved(&mut before, hop, lattice)?;
        occupancies.insert(sheet.layers[hop.layer].name.clone(), occupancy);
    }
    // Reactions see the particles where they have moved to, and definitions anew.
    let used: Vec<&Node> = sheet.reactions.iter().map(|r| &r.node).collect();
    let mut after = Translator::moved(sheet, scope, occupancies, &used)?;
    reactions(&mut after)
}

/// The next state: each site leaves its state with the stated probabilities, else stays.
fn transitions<'s>(translator: &mut Translator<'s>, states: &States) -> Checked<()> {
    let mut rules = Vec::new();
    for transition in &translator.sheet.transitions {
        let p = translator.expression(&transition.node)?;
        rules.push(Transition { from: transition.from, to: transition.to, p });
    }
    next_state(translator.scope, &states.layer, &states.names, &rules);
    Ok(())
}

/// The occupancy after the particles of a layer have moved.
fn moved<'s>(translator: &mut Translator<'s>, hop: &'s Hop, lattice: &Lattice) -> Checked<Expr> {
    let scope = translator.scope;
    let name = &translator.sheet.layers[hop.layer].name;
    let p = translator.expression(&hop.node)?;
    scope.check_probability(&format!("a hop of {name}"), p);
    Ok(hopped(scope, scope.layer(name), p, &hop.neighbourhood, lattice))
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
                let change = change(&reaction.reactants, &reaction.products, layer);
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

/// The probability of a reaction at a site: its rate constant times the number of distinct sets of reactants
/// (Gillespie 1977), and 0 where its products would not fit.
fn probability<'s>(
    translator: &mut Translator<'s>,
    reaction: &'s Reaction,
    occupancy: &[Expr],
) -> Checked<Expr> {
    let p = translator.expression(&reaction.node)?;
    let sides = (&reaction.reactants[..], &reaction.products[..]);
    Ok(possible(translator.sheet, p, sides, reaction.mass_action, occupancy))
}
