//! Reads the rules of a model file: how it starts, transitions, reactions, hops.

use std::ops::Range;

use super::declare::named_neighbourhood;
use super::document::{KeyValue, Value, table_of};
use super::error::{Checked, problem, unknown};
use super::limits;
use super::neighbourhoods::builtin;
use super::sheet::{Edge, Hop, Reaction, Sheet, StartEntry, StartRule, Transition};

/// `[start]`: for states their probabilities, for layers their values; expressions, or `{ at = [sites] }`.
pub(crate) fn start(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    let mut entries = Vec::new();
    for entry in table_of(value, "[start]")?.all()? {
        let name = entry.name();
        if sheet.state(name).is_none() && sheet.layer(name).is_none() {
            let known: Vec<&str> = states(sheet).chain(layers(sheet)).collect();
            return problem(&entry.span(), unknown("state or layer", name, &known));
        }
        let how = match entry.value.table(&format!("start of `{name}`")) {
            None => StartRule::Expression(entry.value.expression()?),
            Some(table) => {
                let Some(at) = table.take("at") else { return entry.value.wrong("{ at = [site, ...] }") };
                table.finish()?;
                StartRule::Sites(sites(sheet, at)?)
            }
        };
        entries.push(StartEntry { name: name.to_string(), span: entry.span(), how });
    }
    sheet.start = Some(entries);
    Ok(())
}

fn states(sheet: &Sheet) -> impl Iterator<Item = &str> {
    sheet.states.iter().flat_map(|s| s.names.iter().map(String::as_str))
}

fn layers(sheet: &Sheet) -> impl Iterator<Item = &str> {
    sheet.layers.iter().map(|l| l.name.as_str())
}

/// One site as [y, x], or a list of them.
fn sites(sheet: &Sheet, value: Value<'_>) -> Checked<Vec<Vec<usize>>> {
    let Some(items) = value.list() else { return value.wrong("a site such as [32, 32], or a list of sites") };
    if items.iter().all(|i| i.number().is_some()) {
        return Ok(vec![site(sheet, value)?]);
    }
    if items.len() > limits::SITES {
        let message = format!("more than {} sites one by one: use an expression of x and y", limits::SITES);
        return problem(&value.span(), message);
    }
    items.into_iter().map(|item| site(sheet, item)).collect()
}

fn site(sheet: &Sheet, value: Value<'_>) -> Checked<Vec<usize>> {
    let items = value.list().unwrap_or_default();
    if items.len() != sheet.shape.len() {
        let message =
            format!("a site of this lattice has {} coordinates, not {}", sheet.shape.len(), items.len());
        return problem(&value.span(), message);
    }
    let whole = |(item, length): (Value<'_>, &usize)| item.whole(0, *length as i64 - 1).map(|x| x as usize);
    items.into_iter().zip(&sheet.shape).map(whole).collect()
}

/// The two sides of `a -> b`, each trimmed, with their places.
fn sides<'d>(entry: &KeyValue<'d>) -> Checked<[(&'d str, Range<usize>); 2]> {
    let text = entry.name();
    let Some(arrow) = text.find("->") else {
        return problem(&entry.span(), "an arrow `->` is missing, as in \"before -> after\"");
    };
    let place = |part: &'d str, offset: usize| {
        let trimmed = part.trim();
        let start = entry.start() + offset + (part.len() - part.trim_start().len());
        (trimmed, start..start + trimmed.len())
    };
    Ok([place(&text[..arrow], 0), place(&text[arrow + 2..], arrow + 2)])
}

/// `[transitions]`: "before -> after" = probability.
pub(crate) fn transitions(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    if sheet.states.is_none() {
        return problem(&value.span(), "transitions need states: begin with states = [\"...\", \"...\"]");
    }
    for entry in table_of(value, "[transitions]")?.all()? {
        let mut places = [0; 2];
        for ((name, span), slot) in sides(entry)?.into_iter().zip(&mut places) {
            let Some(place) = sheet.state(name) else {
                let known: Vec<&str> = states(sheet).collect();
                return problem(&span, unknown("state", name, &known));
            };
            *slot = place;
        }
        let [from, to] = places;
        if from == to {
            let message = "a state that stays needs no transition: what the others leave of 1 stays";
            return problem(&entry.span(), message);
        }
        if sheet.transitions.iter().any(|t| (t.from, t.to) == (from, to)) {
            return problem(
                &entry.span(),
                "this transition is stated already: add the probabilities up in one",
            );
        }
        sheet.transitions.push(Transition { from, to, node: entry.value.expression()? });
    }
    Ok(())
}

/// `[reactions]`: "A + B -> 2 B" = rate constant, or { probability = expression }.
pub(crate) fn reactions(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[reactions]")?.all()? {
        let [before, after] = sides(entry)?;
        let reactants = particles(sheet, before.0, &before.1)?;
        let products = particles(sheet, after.0, &after.1)?;
        if reactants == products {
            return problem(&entry.span(), "this reaction changes nothing");
        }
        let (node, mass_action) = match entry.value.table("a reaction") {
            None => (entry.value.expression()?, true),
            Some(table) => {
                let (rate, probability) = (table.take("rate"), table.take("probability"));
                table.finish()?;
                match (rate, probability) {
                    (Some(rate), None) => (rate.expression()?, true),
                    (None, Some(probability)) => (probability.expression()?, false),
                    _ => return entry.value.wrong("either rate or probability"),
                }
            }
        };
        let text = format!("{} -> {}", before.0, after.0);
        sheet.reactions.push(Reaction { text, reactants, products, node, mass_action });
    }
    Ok(())
}

/// One side of a reaction: `2 A + B`, or `0` or nothing for no particle. Sorted by layer.
fn particles(sheet: &Sheet, text: &str, span: &Range<usize>) -> Checked<Vec<(usize, u32)>> {
    let mut found: Vec<(usize, u32)> = Vec::new();
    if text.is_empty() || text == "0" {
        return Ok(found);
    }
    for term in text.split('+') {
        let term = term.trim();
        let digits = term.bytes().take_while(u8::is_ascii_digit).count();
        let name = term[digits..].trim_start_matches([' ', '*']).trim();
        let count = if digits == 0 { Ok(1) } else { term[..digits].parse::<u32>() };
        let Some(layer) = sheet.layer(name) else {
            let known: Vec<&str> = layers(sheet).collect();
            return problem(span, unknown("layer", name, &known));
        };
        let Ok(count @ 1..=limits::PARTICLES) = count else {
            return problem(span, format!("a reaction has 1 to {} particles of a kind", limits::PARTICLES));
        };
        if sheet.layers[layer].lowest != 0 {
            return problem(
                span,
                format!("layer `{name}` takes part in a reaction, so its range must begin at 0"),
            );
        }
        match found.iter_mut().find(|(l, _)| *l == layer) {
            Some((_, sum)) => *sum += count,
            None => found.push((layer, count)),
        }
    }
    if found.iter().any(|(_, n)| *n > limits::PARTICLES) {
        return problem(span, format!("a reaction has 1 to {} particles of a kind", limits::PARTICLES));
    }
    found.sort_unstable();
    Ok(found)
}

/// `[hops]`: layer = probability of a particle to move, or { probability, neighbourhood }.
pub(crate) fn hops(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[hops]")?.all()? {
        let Some(layer) = sheet.layer(entry.name()) else {
            let known: Vec<&str> = layers(sheet).collect();
            return problem(&entry.span(), unknown("layer", entry.name(), &known));
        };
        let nearest = builtin("von-neumann", sheet.shape.len());
        let mut neighbourhood = nearest.unwrap_or_else(|_| sheet.neighbourhood.clone());
        let node = match entry.value.table(&format!("hops of `{}`", entry.name())) {
            None => entry.value.expression()?,
            Some(table) => {
                if let Some(own) = table.take("neighbourhood") {
                    neighbourhood = named_neighbourhood(sheet, own)?;
                }
                let probability = table.take("probability");
                table.finish()?;
                match probability {
                    Some(value) => value.expression()?,
                    None => return entry.value.wrong("probability = ..."),
                }
            }
        };
        check_hop(sheet, layer, &neighbourhood, &entry.span())?;
        sheet.hops.push(Hop { layer, node, neighbourhood });
    }
    Ok(())
}

fn check_hop(
    sheet: &Sheet,
    layer: usize,
    neighbourhood: &glauber_lattice::Neighbourhood,
    span: &Range<usize>,
) -> Checked<()> {
    let own = &sheet.layers[layer];
    let fixed = sheet.boundary.contains(&Edge::Fixed);
    let total: f64 = neighbourhood.weights().iter().sum();
    if own.lowest != 0 {
        return problem(span, format!("layer `{}` hops, so its range must begin at 0", own.name));
    }
    if neighbourhood.weights().iter().any(|w| *w < 0.0) || total <= 0.0 {
        return problem(
            span,
            "particles hop by a neighbourhood's weights: they must be 0 or more, one of them more",
        );
    }
    if neighbourhood.offsets().len() > 64 {
        return problem(span, "particles hop to at most 64 places: choose a smaller neighbourhood");
    }
    if fixed && own.outside > 0.0 {
        let message =
            "particles that hop over a fixed edge are gone and none come in, so `outside` must be 0 here";
        return problem(span, message);
    }
    Ok(())
}
