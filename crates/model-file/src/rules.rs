//! Reads the rules of a model file: how it starts, transitions, reactions, hops.

use std::ops::Range;

use super::declare::named_neighbourhood;
use super::document::{KeyValue, Value, table_of};
use super::error::{Checked, problem, unknown};
use super::limits;
use super::neighbourhoods::builtin;
use super::sheet::{Edge, Hop, Reaction, Sheet, Sides, StartEntry, StartRule, Transition};
use super::translate::NO_THERE;
use glauber_program::Update;

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

/// What stands at this site and at the picked one, as in `agent, empty`; the latter where there is a comma.
fn both<'d>((text, span): (&'d str, Range<usize>)) -> [Option<(&'d str, Range<usize>)>; 2] {
    let place = |part: &'d str, offset: usize| {
        let trimmed = part.trim();
        let start = span.start + offset + (part.len() - part.trim_start().len());
        (trimmed, start..start + trimmed.len())
    };
    match text.split_once(',') {
        None => [Some((text, span)), None],
        Some((own, there)) => [Some(place(own, 0)), Some(place(there, own.len() + 1))],
    }
}

/// The parts of `a, b -> c, d`: before and after at this site, and those at the picked one where the rule names them.
type Parts<'d> = ([(&'d str, Range<usize>); 2], Option<[(&'d str, Range<usize>); 2]>);

fn parts<'d>(sheet: &Sheet, entry: &KeyValue<'d>) -> Checked<Parts<'d>> {
    let [before, after] = sides(entry)?;
    let ([own_before, there_before], [own_after, there_after]) = (both(before), both(after));
    let own = [own_before.unwrap_or_default(), own_after.unwrap_or_default()];
    let there = match (there_before, there_after) {
        (None, None) => return Ok((own, None)),
        (Some(before), Some(after)) => [before, after],
        _ => {
            let message =
                "the picked site stands behind a comma on both sides, as in \"agent, empty -> empty, agent\"";
            return problem(&entry.span(), message);
        }
    };
    match sheet.applied.there {
        Some(_) => Ok((own, Some(there))),
        None => problem(&entry.span(), NO_THERE),
    }
}

/// `[transitions]`: "before -> after" = probability; with the picked site, "before, there -> after, there".
pub(crate) fn transitions(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    if sheet.states.is_none() {
        return problem(&value.span(), "transitions need states: begin with states = [\"...\", \"...\"]");
    }
    for entry in table_of(value, "[transitions]")?.all()? {
        let place = |(name, span): (&str, Range<usize>)| match sheet.state(name) {
            Some(place) => Ok(place),
            None => {
                let known: Vec<&str> = states(sheet).collect();
                problem(&span, unknown("state", name, &known))
            }
        };
        let ([from, to], there) = parts(sheet, entry)?;
        let (from, to) = (place(from)?, place(to)?);
        let there = match there {
            None => None,
            Some([before, after]) => Some((place(before)?, place(after)?)),
        };
        if from == to && there.is_none_or(|(before, after)| before == after) {
            let message = "a state that stays needs no transition: what the others leave of 1 stays";
            return problem(&entry.span(), message);
        }
        if sheet.transitions.iter().any(|t| (t.from, t.to, t.there) == (from, to, there)) {
            return problem(
                &entry.span(),
                "this transition is stated already: add the probabilities up in one",
            );
        }
        let (text, node) = (entry.name().trim().to_string(), entry.value.expression()?);
        sheet.transitions.push(Transition { text, from, to, there, node });
    }
    Ok(())
}

/// `[reactions]`: "A + B -> 2 B" = rate constant, or { probability = expression }; with the picked site,
/// "A, B -> 0, 2 B".
pub(crate) fn reactions(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[reactions]")?.all()? {
        let ([before, after], there) = parts(sheet, entry)?;
        let text = match &there {
            None => format!("{} -> {}", before.0, after.0),
            Some([b, a]) => format!("{}, {} -> {}, {}", before.0, b.0, after.0, a.0),
        };
        let reactants = particles(sheet, before.0, &before.1)?;
        let products = particles(sheet, after.0, &after.1)?;
        let there = match there {
            None => None,
            Some([before, after]) => {
                let (reactants, products) =
                    (particles(sheet, before.0, &before.1)?, particles(sheet, after.0, &after.1)?);
                Some(Sides { reactants, products })
            }
        };
        if reactants == products && there.as_ref().is_none_or(|t| t.reactants == t.products) {
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
        sheet.reactions.push(Reaction { text, reactants, products, there, node, mass_action });
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
        if sheet.applied.update != Update::Synchronous {
            let message = "hops move all particles at once: with this update write the move of one as a reaction with the picked \
                           site, as \"prey, 0 -> 0, prey\" = \"d\"";
            return problem(&entry.span(), message);
        }
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
