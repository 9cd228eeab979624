//! Reads what a model file declares: lattice, states, layers, parameters, constants, neighbourhoods, covariates,
//! definitions.

use std::path::Path;

use glauber_lattice::{Moore, Neighbourhood, Neighbours, Offset};
use glauber_program::Interval;

use super::covariate::CovariateSource;
use super::document::{Table, Value, optional_text, table_of};
use super::error::{Checked, problem, unknown};
use super::limits;
use super::neighbourhoods::{BUILTIN, builtin};
use super::sheet::{Constant, Definition, EDGES, Edge, IntegerLayer, Parameter, Sheet, States, edge};

/// `[lattice]`: shape (default [64, 64]) and boundaries (default periodic; one, or one per axis).
pub(crate) fn lattice(value: Option<Value<'_>>) -> Checked<(Vec<usize>, Vec<Edge>)> {
    let Some(value) = value else { return Ok((vec![64, 64], vec![Edge::Periodic])) };
    let table = table_of(value, "[lattice]")?;
    let shape = match table.take("shape") {
        None => vec![64, 64],
        Some(value) => whole_numbers(value, 1, 1 << 31)?.into_iter().map(|x| x as usize).collect(),
    };
    if !(1..=3).contains(&shape.len()) {
        return problem(&value.span(), format!("a lattice has 1, 2 or 3 axes, not {}", shape.len()));
    }
    let boundary = match table.take("boundary") {
        None => vec![Edge::Periodic],
        Some(value) => match value.list() {
            Some(items) if items.len() <= 3 => items.into_iter().map(one_edge).collect::<Checked<_>>()?,
            Some(_) => return value.wrong("one boundary, or one per axis"),
            None => vec![one_edge(value)?],
        },
    };
    // Read once more by `outside`, when states and layers are known.
    let _ = table.take("outside");
    table.finish()?;
    Ok((shape, boundary))
}

fn one_edge(value: Value<'_>) -> Checked<Edge> {
    let name = value.text("a boundary")?;
    match edge(name) {
        Some(edge) => Ok(edge),
        None => problem(&value.span(), unknown("boundary", name, &EDGES.map(|(n, _)| n))),
    }
}

fn whole_numbers(value: Value<'_>, lowest: i64, highest: i64) -> Checked<Vec<i64>> {
    match value.list() {
        Some(items) if items.len() <= 16 => items.into_iter().map(|v| v.whole(lowest, highest)).collect(),
        _ => value.wrong("a short list of whole numbers"),
    }
}

/// `lattice.outside`: what stands beyond fixed edges (`own_edges` are those of the file, which an option may have
/// replaced); a state, or a table of states and layers.
pub(crate) fn outside(sheet: &mut Sheet, lattice: Option<Value<'_>>, own_edges: &[Edge]) -> Checked<()> {
    let table = lattice.and_then(|v| v.table("[lattice]"));
    let Some(value) = table.and_then(|t| t.take("outside")) else {
        sheet.notes.extend(assumed_outside(sheet));
        return Ok(());
    };
    if !sheet.boundary.contains(&Edge::Fixed) && !own_edges.contains(&Edge::Fixed) {
        let message = "`outside` says what stands beyond fixed edges, and this lattice has none: write \
                       boundary = \"fixed\", or leave `outside` out";
        return problem(&value.span(), message);
    }
    if !sheet.boundary.contains(&Edge::Fixed) {
        let words = "the file's `outside` is without effect: the option `boundary` leaves no fixed edge";
        sheet.notes.push(words.into());
    }
    match value.table("lattice.outside") {
        None => outside_state(sheet, value),
        Some(table) => {
            for entry in table.all()? {
                let layer = sheet.layer(entry.name());
                let is_states = sheet.states.as_ref().is_some_and(|s| s.layer == entry.name());
                match layer {
                    Some(i) => {
                        let IntegerLayer { lowest, highest, .. } = sheet.layers[i];
                        let value = entry.value.whole(lowest.into(), highest.into())?;
                        sheet.layers[i].outside = value as f64;
                    }
                    None if is_states => outside_state(sheet, entry.value)?,
                    None => {
                        let known: Vec<&str> = sheet.names.of(&["layer"]).collect();
                        return problem(&entry.span(), unknown("layer", entry.name(), &known));
                    }
                }
            }
            Ok(())
        }
    }
}

/// What stands beyond fixed edges of which the file does not say it.
fn assumed_outside(sheet: &Sheet) -> Option<String> {
    let values = beyond(sheet)?;
    Some(format!(
        "the edges are fixed, and the file has no `lattice.outside`: beyond them every site is taken to be {values}"
    ))
}

/// What stands beyond fixed edges, where there are any.
pub(crate) fn beyond(sheet: &Sheet) -> Option<String> {
    if !sheet.boundary.contains(&Edge::Fixed) {
        return None;
    }
    let states = sheet.states.iter().map(|s| (s.layer.as_str(), format!("`{}`", s.names[s.outside])));
    let layers = sheet.layers.iter().map(|l| (l.name.as_str(), l.outside.to_string()));
    let several = sheet.states.is_some() && !sheet.layers.is_empty() || sheet.layers.len() > 1;
    let named = |(layer, value): (&str, String)| if several { format!("{layer} = {value}") } else { value };
    let values: Vec<String> = states.chain(layers).map(named).collect();
    Some(values.join(", "))
}

fn outside_state(sheet: &mut Sheet, value: Value<'_>) -> Checked<()> {
    let name = value.text("a state")?;
    let place = sheet.state(name);
    let known: Vec<String> = sheet.states.iter().flat_map(|s| s.names.clone()).collect();
    match (&mut sheet.states, place) {
        (Some(states), Some(place)) => states.outside = place,
        _ => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return problem(&value.span(), unknown("state", name, &known));
        }
    }
    Ok(())
}

/// `states = [names]`, or a table with `names` and the layer's own name `layer`.
pub(crate) fn states(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    let table = value.table("[states]");
    let (list, layer) = match &table {
        None => (value, "state"),
        Some(table) => match table.take("names") {
            Some(names) => (names, optional_text(table, "layer")?.unwrap_or("state")),
            None => return value.wrong("names = [\"...\", ...]"),
        },
    };
    if let Some(table) = &table {
        table.finish()?;
    }
    let Some(items) = list.list() else { return list.wrong("a list of states") };
    if !(2..=limits::STATES).contains(&items.len()) {
        let message = format!("a site has 2 to {} states, not {}", limits::STATES, items.len());
        return problem(&list.span(), message);
    }
    let mut names = Vec::new();
    for item in items {
        let name = item.text("the name of a state")?;
        sheet.names.declare(name, "state", &item.span())?;
        names.push(name.to_string());
    }
    // A layer may be called as one of its states, as in states = { layer = "aware", names = ["unaware", "aware"] }.
    if !names.iter().any(|n| n == layer) {
        sheet.names.declare(layer, "layer", &value.span())?;
    }
    let colours = vec![None; names.len()];
    sheet.states = Some(States { layer: layer.to_string(), names, outside: 0, colours });
    Ok(())
}

/// `[layers]`: name = capacity, name = [lowest, highest], or name = { labels = number of cells }.
pub(crate) fn layers(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[layers]")?.all()? {
        sheet.names.declare(entry.name(), "layer", &entry.span())?;
        let own = entry.value.table(&format!("layer `{}`", entry.name()));
        let labels = match &own {
            None => None,
            Some(table) => {
                let cells = table.take("labels");
                table.finish()?;
                match cells {
                    Some(cells) => Some(cells.whole(1, limits::CAPACITY)?),
                    None => return entry.value.wrong("{ labels = the number of cells }"),
                }
            }
        };
        let (lowest, highest) = match (labels, entry.value.list()) {
            (Some(cells), _) => (0, cells),
            (None, ends) => match ends {
                None => (0, entry.value.whole(1, limits::CAPACITY)?),
                Some(ends) if ends.len() == 2 => (
                    ends[0].whole(-limits::CAPACITY, limits::CAPACITY)?,
                    ends[1].whole(-limits::CAPACITY, limits::CAPACITY)?,
                ),
                Some(_) => return entry.value.wrong("a capacity, [lowest, highest], or { labels = cells }"),
            },
        };
        if lowest >= highest {
            return problem(&entry.value.span(), format!("the range [{lowest}, {highest}] is empty"));
        }
        sheet.layers.push(IntegerLayer {
            name: entry.name().to_string(),
            lowest: lowest as i32,
            highest: highest as i32,
            outside: 0.0f64.clamp(lowest as f64, highest as f64),
            labels: labels.is_some(),
        });
    }
    Ok(())
}

/// `[parameters]`: name = [lowest, highest], or a table with `interval`, `default`, `unit` and `description`.
pub(crate) fn parameters(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[parameters]")?.all()? {
        sheet.names.declare(entry.name(), "parameter", &entry.span())?;
        let name = entry.name().to_string();
        let (interval, default, unit) = match entry.value.table(&format!("parameter `{name}`")) {
            None => (interval(entry.value)?, None, None),
            Some(table) => {
                optional_text(&table, "description")?;
                let unit = optional_text(&table, "unit")?.map(str::to_string);
                let own = table.take("interval").map(interval).transpose()?.unwrap_or(Interval::any());
                let default = table.take("default");
                table.finish()?;
                (own, default.map(|d| default_in(d, own)).transpose()?, unit)
            }
        };
        sheet.parameters.push(Parameter { name, interval, default, unit });
    }
    Ok(())
}

fn interval(value: Value<'_>) -> Checked<Interval> {
    let ends: Option<Vec<f64>> =
        value.list().filter(|l| l.len() == 2).and_then(|l| l.iter().map(Value::number).collect());
    match ends.as_deref() {
        Some([lowest, highest]) if lowest < highest => Ok(Interval::new(*lowest, *highest)),
        Some([lowest, highest]) => problem(
            &value.span(),
            format!("the interval [{lowest}, {highest}] is empty: give lowest < highest"),
        ),
        _ => value.wrong("an interval [lowest, highest]"),
    }
}

fn default_in(value: Value<'_>, interval: Interval) -> Checked<f64> {
    match value.number() {
        Some(x) if x.is_finite() && interval.contains(x) => Ok(x),
        Some(x) => problem(&value.span(), format!("the default {x} lies outside the interval {interval}")),
        None => value.wrong("a number"),
    }
}

/// `[constants]`: name = number. Options may give other values.
pub(crate) fn constants(
    sheet: &mut Sheet,
    value: Option<Value<'_>>,
    replaced: &[(String, f64)],
) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[constants]")?.all()? {
        sheet.names.declare(entry.name(), "constant", &entry.span())?;
        let Some(own) = entry.value.number().filter(|x| x.is_finite()) else {
            return entry.value.wrong("a number");
        };
        let given = replaced.iter().find(|(n, _)| n == entry.name()).map(|(_, x)| *x);
        sheet.constants.push(Constant { name: entry.name().to_string(), value: given.unwrap_or(own) });
    }
    Ok(())
}

/// `[neighbourhoods]`, and `neighbourhood`: the one that is meant where none is named.
pub(crate) fn neighbourhoods(
    sheet: &mut Sheet,
    declared: Option<Value<'_>>,
    default: Option<Value<'_>>,
) -> Checked<()> {
    let dimensions = sheet.shape.len();
    if let Some(value) = declared {
        for entry in table_of(value, "[neighbourhoods]")?.all()? {
            let name = entry.name();
            if BUILTIN.contains(&name.replace('_', "-").as_str()) {
                let message = format!("`{name}` is a neighbourhood of its own already: choose another name");
                return problem(&entry.span(), message);
            }
            sheet.names.declare(name, "neighbourhood", &entry.span())?;
            let own = one_neighbourhood(entry.value, name, dimensions)?;
            sheet.neighbourhoods.push((name.to_string(), own));
        }
    }
    sheet.neighbourhood = match default {
        None => Moore.on(dimensions),
        Some(value) => named_neighbourhood(sheet, value)?,
    };
    Ok(())
}

/// A neighbourhood that a value names.
pub(crate) fn named_neighbourhood(sheet: &Sheet, value: Value<'_>) -> Checked<Neighbourhood> {
    let name = value.text("the name of a neighbourhood")?;
    sheet.neighbourhood_named(name).or_else(|why| problem(&value.span(), why))
}

fn one_neighbourhood(value: Value<'_>, name: &str, dimensions: usize) -> Checked<Neighbourhood> {
    if let Some(named) = value.string() {
        return builtin(named, dimensions).or_else(|why| problem(&value.span(), why));
    }
    if value.list().is_some() {
        return Ok(Neighbourhood::of(&offsets(value, dimensions)?));
    }
    let Some(table) = value.table(&format!("neighbourhood `{name}`")) else {
        return value.wrong("a list of offsets, a table or the name of a neighbourhood");
    };
    let (members, weights, radius) = (table.take("offsets"), table.take("weights"), table.take("radius"));
    table.finish()?;
    match (members, weights, radius) {
        (None, None, Some(radius)) => disc(radius, dimensions),
        (Some(members), None, None) => Ok(Neighbourhood::of(&offsets(members, dimensions)?)),
        (Some(members), Some(weights), None) => weighted(offsets(members, dimensions)?, weights),
        _ => value.wrong("offsets (and weights), or radius"),
    }
}

fn weighted(offsets: Vec<Offset>, weights: Value<'_>) -> Checked<Neighbourhood> {
    let numbers: Option<Vec<f64>> = weights.list().and_then(|l| l.iter().map(Value::number).collect());
    match numbers {
        Some(numbers) if numbers.len() == offsets.len() && numbers.iter().all(|w| w.is_finite()) => {
            let members: Vec<(Offset, f64)> = offsets.into_iter().zip(numbers).collect();
            Ok(Neighbourhood::weighted(&members))
        }
        Some(numbers) => {
            let message = format!("{} weights are given for {} offsets", numbers.len(), offsets.len());
            problem(&weights.span(), message)
        }
        None => weights.wrong("a list of numbers"),
    }
}

fn offsets(value: Value<'_>, dimensions: usize) -> Checked<Vec<Offset>> {
    let Some(items) = value.list() else { return value.wrong("a list of offsets such as [[0, 1], [0, -1]]") };
    if items.is_empty() || items.len() > limits::MEMBERS {
        let message = format!("a neighbourhood has 1 to {} members, not {}", limits::MEMBERS, items.len());
        return problem(&value.span(), message);
    }
    let mut offsets = Vec::new();
    for item in items {
        let numbers = whole_numbers(item, -limits::REACH, limits::REACH)?;
        if numbers.len() != dimensions {
            let message = format!("an offset has one number per axis, {dimensions}, not {}", numbers.len());
            return problem(&item.span(), message);
        }
        let mut offset = [0; 3];
        for (slot, number) in offset[3 - dimensions..].iter_mut().zip(numbers) {
            *slot = number as i32;
        }
        if offsets.contains(&offset) {
            return problem(&item.span(), "this offset is listed already");
        }
        offsets.push(offset);
    }
    Ok(offsets)
}

/// All sites within a distance, without the site itself.
fn disc(value: Value<'_>, dimensions: usize) -> Checked<Neighbourhood> {
    let radius = value.number().filter(|r| (1.0..=limits::REACH as f64).contains(r));
    let Some(radius) = radius else { return value.wrong(&format!("a number from 1 to {}", limits::REACH)) };
    let reach = radius as i32;
    let range = |axis: usize| if axis + dimensions >= 3 { -reach..=reach } else { 0..=0 };
    let mut offsets = Vec::new();
    for z in range(0) {
        for y in range(1) {
            for x in range(2) {
                let distance = f64::from(z * z + y * y + x * x);
                if distance > 0.0 && distance <= radius * radius {
                    offsets.push([z, y, x]);
                }
                if offsets.len() > limits::MEMBERS {
                    let message =
                        format!("more than {} sites lie within {radius}: choose less", limits::MEMBERS);
                    return problem(&value.span(), message);
                }
            }
        }
    }
    Ok(Neighbourhood::of(&offsets))
}

/// `[covariates]`: name = "file.npy" (relative to the model file), or name = number.
pub(crate) fn covariates(sheet: &mut Sheet, value: Option<Value<'_>>, folder: &Path) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[covariates]")?.all()? {
        sheet.names.declare(entry.name(), "covariate", &entry.span())?;
        let source = match (entry.value.number(), entry.value.string()) {
            (Some(x), _) if x.is_finite() => CovariateSource::Constant(x),
            (_, Some(file)) if file.contains(char::is_control) => {
                return entry.value.wrong(
                    "a path without control characters (in double quotes a backslash begins an escape: write it in \
                     single quotes or with /)",
                );
            }
            (_, Some(file)) if !file.trim().is_empty() => CovariateSource::File(folder.join(file)),
            _ => return entry.value.wrong("a file such as \"fuel.npy\", or a number"),
        };
        sheet.covariates.push((entry.name().to_string(), source));
    }
    Ok(())
}

/// `[definitions]`: name = expression, of which later ones may use earlier ones.
pub(crate) fn definitions(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    let table: Table<'_> = table_of(value, "[definitions]")?;
    for entry in table.all()? {
        sheet.names.declare(entry.name(), "definition", &entry.span())?;
        let node = entry.value.expression()?;
        sheet.definitions.push(Definition { name: entry.name().to_string(), node });
    }
    Ok(())
}
