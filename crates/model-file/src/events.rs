//! Traces a rule that is applied to one site after another: at most one transition, and one reaction, of each event.
//!
//! Under continuous time transitions and reactions state rates, of which an event is one; else probabilities, of which each
//! table draws one on its own. The picked site changes with the site itself.

use glauber_lattice::Lattice;
use glauber_models::rules::{Transition, next_state};
use glauber_program::{Expr, Operand, Scope, Update};

use super::cells;
use super::error::Checked;
use super::picked::pick;
use super::reactions::{change, possible};
use super::sheet::{Sheet, States, Towards};
use super::syntax::Node;
use super::there::Picked;
use super::translate::Translator;

/// Something that may happen at a site: its chance (a probability or a rate), and its name in errors.
struct Possible {
    text: String,
    chance: Expr,
    happens: Happens,
}

/// What becomes of the site and of the one picked.
enum Happens {
    /// They take these states.
    States { to: usize, there: Option<usize> },
    /// Each layer changes by so much.
    Particles { here: Vec<i32>, there: Vec<i32> },
}

/// A rule being traced.
struct Rule<'s> {
    translator: Translator<'s>,
    lattice: &'s Lattice,
}

/// Writes the rule into its tracing.
pub(crate) fn trace(sheet: &Sheet, lattice: &Lattice, scope: &Scope) -> Checked<()> {
    let picked = pick(sheet, scope, lattice)?;
    let mut used: Vec<&Node> = sheet.transitions.iter().map(|t| &t.node).collect();
    used.extend(sheet.reactions.iter().map(|r| &r.node));
    used.extend(&sheet.applied.most);
    used.extend(sheet.cells.copies.iter().map(|c| &c.node));
    used.extend(sheet.cells.sums());
    let translator = Translator::with_picked(sheet, scope, picked, &used)?;
    let mut rule = Rule { translator, lattice };
    if sheet.applied.update == Update::ContinuousTime {
        return rule.by_rates();
    }
    let writes_there = |t: &super::sheet::Transition| t.there.is_some_and(|(before, after)| before != after);
    match &sheet.states {
        Some(states) if sheet.transitions.iter().any(writes_there) => {
            let possible = rule.transitions()?;
            rule.drawn(&possible, &format!("transitions of {}", states.layer));
        }
        Some(states) if !sheet.transitions.is_empty() => rule.reading(states)?,
        _ => {}
    }
    let possible = rule.reactions()?;
    rule.drawn(&possible, "reactions");
    cells::trace(&mut rule.translator)
}

impl Rule<'_> {
    /// One list of rates of all that may happen.
    fn by_rates(&mut self) -> Checked<()> {
        let mut possible = self.transitions()?;
        possible.extend(self.reactions()?);
        if possible.is_empty() {
            // That the rule states no rates is said when it is closed.
            return Ok(());
        }
        let scope = self.translator.scope;
        let rates: Vec<Operand> = possible.iter().map(|p| p.chance.into()).collect();
        let event = match &self.translator.sheet.applied.most {
            Some(most) => {
                let most = self.translator.expression(most)?;
                scope.rates_below(&rates, most)
            }
            None => scope.rates(&rates),
        };
        self.happens(&possible, event);
        Ok(())
    }

    /// Draws at most one of several things that may happen.
    fn drawn(&self, possible: &[Possible], together: &str) {
        if possible.is_empty() {
            return;
        }
        let scope = self.translator.scope;
        let mut sum = scope.number(0.0);
        let mut probabilities: Vec<Operand> = Vec::new();
        for one in possible {
            scope.check_probability(&one.text, one.chance);
            sum = sum + one.chance;
            probabilities.push(one.chance.into());
        }
        scope.check_probability(&format!("all {together} together"), sum);
        probabilities.push((1.0 - sum).into());
        let event = scope.categorical(&probabilities);
        self.happens(possible, event);
    }

    /// The transitions where none writes to the picked site: those that differ in what they read there are one.
    fn reading(&mut self, states: &States) -> Checked<()> {
        let mut rules: Vec<Transition> = Vec::new();
        for transition in &self.translator.sheet.transitions {
            let mut p = self.translator.expression(&transition.node)?;
            if let (Some((before, _)), Some(picked)) = (transition.there, self.translator.picked) {
                p = p * self.is_there(picked, before, transition.from);
            }
            match rules.iter_mut().find(|r| (r.from, r.to) == (transition.from, transition.to)) {
                Some(rule) => rule.p = rule.p + p,
                None => rules.push(Transition { from: transition.from, to: transition.to, p }),
            }
        }
        next_state(self.translator.scope, &states.layer, &states.names, &rules);
        Ok(())
    }

    /// 1 where the picked site is another one, and in a state; `own` is that of the site.
    fn is_there(&self, picked: Picked, state: usize, own: usize) -> Expr {
        let another = if state == own { self.another(picked) } else { picked.exists };
        // Beyond an edge there is none, whatever stands there.
        another * self.translator.is(state).beyond(0.0).at(picked.there)
    }

    /// 1 where the picked site is on the lattice and another one.
    fn another(&self, picked: Picked) -> Expr {
        // Behind a reflecting edge there is none.
        let drawn = matches!(self.translator.sheet.applied.there, Some(Towards::Anywhere));
        if drawn { 1.0 - picked.itself(self.translator.scope, self.lattice) } else { picked.exists }
    }

    fn transitions(&mut self) -> Checked<Vec<Possible>> {
        let mut all = Vec::new();
        for transition in &self.translator.sheet.transitions {
            let mut chance =
                self.translator.is(transition.from) * self.translator.expression(&transition.node)?;
            let there = transition.there.filter(|(before, after)| before != after).map(|(_, after)| after);
            if let (Some((before, _)), Some(picked)) = (transition.there, self.translator.picked) {
                chance = chance * self.is_there(picked, before, transition.from);
            }
            let happens = Happens::States { to: transition.to, there };
            all.push(Possible { text: transition.text.clone(), chance, happens });
        }
        Ok(all)
    }

    fn reactions(&mut self) -> Checked<Vec<Possible>> {
        let sheet = self.translator.sheet;
        let occupancy: Vec<Expr> =
            sheet.layers.iter().map(|l| self.translator.scope.layer(&l.name)).collect();
        let changes = |reactants: &[(usize, u32)], products: &[(usize, u32)]| -> Vec<i32> {
            (0..sheet.layers.len()).map(|layer| change(reactants, products, layer)).collect()
        };
        let mut all = Vec::new();
        for reaction in &sheet.reactions {
            let own = (&reaction.reactants[..], &reaction.products[..]);
            let stated = self.translator.expression(&reaction.node)?;
            let mut chance = possible(sheet, stated, own, reaction.mass_action, &occupancy);
            let mut at_there = Vec::new();
            if let (Some(sides), Some(picked)) = (&reaction.there, self.translator.picked) {
                let beside: Vec<Expr> = occupancy.iter().map(|n| n.beyond(0.0).at(picked.there)).collect();
                let other = (&sides.reactants[..], &sides.products[..]);
                chance = possible(sheet, chance, other, reaction.mass_action, &beside) * self.another(picked);
                at_there = changes(other.0, other.1);
            }
            let happens = Happens::Particles { here: changes(own.0, own.1), there: at_there };
            all.push(Possible { text: reaction.text.clone(), chance, happens });
        }
        Ok(all)
    }

    /// Says what becomes of both sites in an event of this number.
    fn happens(&self, possible: &[Possible], event: Expr) {
        let (sheet, scope) = (self.translator.sheet, self.translator.scope);
        let fires = |place: usize| event.is(place as u32);
        if let Some(states) = &sheet.states {
            let here = scope.layer(&states.layer);
            let mut pair = Pair::default();
            for (place, one) in possible.iter().enumerate() {
                let Happens::States { to, there } = &one.happens else { continue };
                pair.next = Some(fires(place).select(*to as f64, pair.next.unwrap_or(here)));
                pair.alone |= there.is_none();
                if let (Some(there), Some(picked)) = (there, self.translator.picked) {
                    let before = pair.beside.unwrap_or_else(|| here.beyond(0.0).at(picked.there));
                    pair.beside = Some(fires(place).select(*there as f64, before));
                }
            }
            self.becomes(&states.layer, &pair);
        }
        for (layer, own) in sheet.layers.iter().enumerate() {
            let here = scope.layer(&own.name);
            let mut pair = Pair::default();
            for (place, one) in possible.iter().enumerate() {
                let Happens::Particles { here: changes, there } = &one.happens else { continue };
                let change = |value: Expr, by: i32| value + fires(place) * f64::from(by);
                if changes[layer] != 0 {
                    pair.next = Some(change(pair.next.unwrap_or(here), changes[layer]));
                    pair.alone |= there.is_empty();
                }
                if let (Some(by), Some(picked)) =
                    (there.get(layer).filter(|by| **by != 0), self.translator.picked)
                {
                    pair.beside =
                        Some(change(pair.beside.unwrap_or_else(|| here.beyond(0.0).at(picked.there)), *by));
                }
            }
            self.becomes(&own.name, &pair);
        }
    }

    /// Says what a layer becomes at the site, then at the picked one.
    fn becomes(&self, layer: &str, pair: &Pair) {
        let scope = self.translator.scope;
        if let Some(next) = pair.next {
            scope.next(layer).set(next);
        }
        if let (Some(mut beside), Some(picked)) = (pair.beside, self.translator.picked) {
            if let Some(next) = pair.next.filter(|_| pair.alone && picked.may_be_itself) {
                // Written last, it must not undo what the site itself became.
                beside = picked.itself(scope, self.lattice).select(next, beside);
            }
            scope.next(layer).set_at(picked.there, beside);
        }
    }
}

/// What a layer becomes at the site and at the picked one, where something of the rule says so.
#[derive(Default)]
struct Pair {
    next: Option<Expr>,
    beside: Option<Expr>,
    /// Whether the site may change without the other.
    alone: bool,
}
