//! Traces how a model file says a lattice starts.

use glauber_program::{Expr, Operand, Scope};

use super::error::{Checked, problem};
use super::sheet::{IntegerLayer, Sheet, StartEntry, StartRule, States};
use super::syntax::Node;
use super::translate::Translator;

/// Writes the start into its tracing.
pub(crate) fn trace(sheet: &Sheet, entries: &[StartEntry], scope: &Scope) -> Checked<()> {
    let used: Vec<&Node> = entries
        .iter()
        .filter_map(|e| match &e.how {
            StartRule::Expression(node) => Some(node),
            StartRule::Sites(_) => None,
        })
        .collect();
    let mut translator = Translator::new(sheet, scope, true, &used)?;
    if let Some(states) = &sheet.states {
        start_states(&mut translator, states, entries)?;
    }
    for layer in &sheet.layers {
        start_layer(&mut translator, layer, entries)?;
    }
    Ok(())
}

fn entry<'s>(entries: &'s [StartEntry], name: &str) -> Option<&'s StartEntry> {
    entries.iter().find(|e| e.name == name)
}

/// The probability of a state, or the value of a layer.
fn rule<'s>(translator: &mut Translator<'s>, entry: &'s StartEntry) -> Checked<Expr> {
    match &entry.how {
        StartRule::Expression(node) => translator.expression(node),
        StartRule::Sites(sites) => {
            let nowhere = translator.scope.number(0.0);
            Ok(sites.iter().fold(nowhere, |any, site| any.max(translator.at_site(site))))
        }
    }
}

/// States start with the probabilities given; the first that has none takes what is left of 1.
fn start_states<'s>(
    translator: &mut Translator<'s>,
    states: &'s States,
    entries: &'s [StartEntry],
) -> Checked<()> {
    let scope = translator.scope;
    let mut given: Vec<Option<Expr>> = Vec::new();
    for name in &states.names {
        given.push(match entry(entries, name) {
            Some(entry) => {
                let p = rule(translator, entry)?;
                scope.check_probability(&format!("{name} at the start"), p);
                Some(p)
            }
            None => None,
        });
    }
    let sum = given.iter().flatten().fold(scope.number(0.0), |sum, p| sum + *p);
    scope.check_probability("all states at the start", sum);
    match given.iter().position(Option::is_none) {
        Some(rest) => given[rest] = Some(1.0 - sum),
        None => {
            // Every state has a probability: they must sum to 1, so to no less either.
            scope.check_whole("the states at the start (leave one out, and it has the rest)", sum);
        }
    }
    let probabilities: Vec<Operand> =
        given.iter().map(|p| p.map_or(Operand::from(0.0), Operand::from)).collect();
    match probabilities.as_slice() {
        [_, one] => scope.next(&states.layer).bernoulli(*one),
        all => scope.next(&states.layer).categorical(all),
    }
    Ok(())
}

/// Layers start with the value given, else 0 or what of their range is nearest.
fn start_layer<'s>(
    translator: &mut Translator<'s>,
    layer: &IntegerLayer,
    entries: &'s [StartEntry],
) -> Checked<()> {
    let next = |value: Operand| translator.scope.next(&layer.name).set(value);
    match entry(entries, &layer.name) {
        None => next(0.0f64.clamp(layer.lowest.into(), layer.highest.into()).into()),
        Some(own) => {
            if matches!(own.how, StartRule::Sites(_)) && layer.highest < 1 {
                return problem(
                    &own.span,
                    format!("layer `{}` cannot hold the 1 that `at` sets", layer.name),
                );
            }
            let value = rule(translator, own)?;
            translator.scope.next(&layer.name).set(value);
        }
    }
    Ok(())
}
