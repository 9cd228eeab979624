//! Reads `[update]`: when the rule is applied to which sites, and which other site it picks.

use glauber_lattice::Neighbourhood;
use glauber_program::{Pick, UPDATES, Update};

use super::document::{Table, Value, table_of};
use super::error::{Checked, problem, unknown};
use super::sheet::{Sheet, Towards};

/// `update = "word"`, or the table; `replaced` is the word that an option puts in its place.
pub(crate) fn read(sheet: &mut Sheet, value: Option<Value<'_>>, replaced: Option<&str>) -> Checked<()> {
    let table = match value {
        Some(value) if value.string().is_none() => Some(table_of(value, "[update]")?),
        _ => None,
    };
    let own = match (&table, value) {
        (Some(table), Some(value)) => match table.take("scheme") {
            Some(word) => scheme(word)?,
            None => return value.wrong(&format!("scheme = one of {}", UPDATES.join(", "))),
        },
        (None, Some(word)) => scheme(word)?,
        _ => Update::Synchronous,
    };
    let update = replaced.map_or_else(|| own.clone(), |word| word.parse().unwrap_or_default());
    let rates = |update: &Update| *update == Update::ContinuousTime;
    if rates(&own) != rates(&update) {
        let (found, wanted) =
            if rates(&own) { ("rates", "probabilities") } else { ("probabilities", "rates") };
        let span = value.map_or(0..0, |v| v.span());
        return problem(
            &span,
            format!(
                "the option update = \"{update}\" asks for {wanted}, and the rules of this file state {found}: write another \
                 file for it"
            ),
        );
    }
    sheet.applied.update = update;
    if let Some(table) = table {
        choices(sheet, &table, own)?;
        table.finish()?;
    }
    Ok(())
}

fn scheme(value: Value<'_>) -> Checked<Update> {
    let word = value.text("an update")?;
    word.parse().or_else(|_| problem(&value.span(), unknown("update", word, &UPDATES)))
}

/// What the table says besides the scheme, of which `own` is the file's.
fn choices(sheet: &mut Sheet, table: &Table<'_>, own: Update) -> Checked<()> {
    let (among, events, order) = (table.take("among"), table.take("events"), table.take("order"));
    let sequential = |update: &Update| matches!(update, Update::RandomSequential { .. });
    if let Some(value) = among.or(events).or(order).filter(|_| !sequential(&own)) {
        let message = "among, events and order are those of scheme = \"random-sequential\": leave them out";
        return problem(&value.span(), message);
    }
    let said = among.or(events).or(order).map(|value| value.span());
    let among = among.map(|value| state(sheet, value)).transpose()?;
    let events = events.map(|value| value.whole(1, u32::MAX.into())).transpose()?.map(|n| n as u32);
    let each_once = match order {
        None => false,
        Some(value) => match value.text("an order")? {
            "replacement" => false,
            "permutation" if among.is_some() => {
                let message = "a permutation takes every site once, so that none are drawn among some: leave out one of the two";
                return problem(&value.span(), message);
            }
            "permutation" => true,
            other => {
                return problem(&value.span(), unknown("order", other, &["replacement", "permutation"]));
            }
        },
    };
    if let Some(span) = said {
        let pick = match (among, each_once) {
            (Some((layer, state)), _) => Pick::Among { layer, state },
            (None, true) => Pick::EachOnce,
            (None, false) => Pick::AnySite,
        };
        let own = Update::RandomSequential { pick, events };
        if sequential(&sheet.applied.update) {
            sheet.applied.update = own;
        } else {
            let asked = sheet.applied.update.clone();
            let word = asked.name();
            match own.replaced(asked) {
                Ok((_, note)) => sheet.notes.extend(note),
                Err(why) => return problem(&span, format!("the option update = \"{word}\": {why}")),
            }
        }
    }
    let (there, most) = (table.take("there"), table.take("most"));
    if let Some(value) = there {
        if sheet.applied.update == Update::Synchronous {
            let message = "the rule picks another site, and all sites at once could write to one: give scheme = \
                           \"random-sequential\", \"sublattices\" or \"continuous-time\"";
            return problem(&value.span(), message);
        }
        sheet.applied.there = Some(towards(sheet, value)?);
    }
    if let Some(value) = most {
        if sheet.applied.update != Update::ContinuousTime {
            let message = "most is the highest sum of rates of a site, and only continuous-time has rates: leave it out";
            return problem(&value.span(), message);
        }
        sheet.applied.most = Some(value.expression()?);
    }
    Ok(())
}

/// `among = "state"`, or `{ layer = number }`.
fn state(sheet: &Sheet, value: Value<'_>) -> Checked<(String, i32)> {
    if let Some(name) = value.string() {
        return match (&sheet.states, sheet.state(name)) {
            (Some(states), Some(place)) => Ok((states.layer.clone(), place as i32)),
            _ => {
                let known: Vec<&str> = sheet.names.of(&["state"]).collect();
                problem(&value.span(), unknown("state", name, &known))
            }
        };
    }
    let table = value.table("among");
    let entries = match &table {
        Some(table) => table.all()?,
        None => return value.wrong("a state, or { layer = number }"),
    };
    let [entry] = entries else { return value.wrong("one layer, { layer = number }") };
    if let Some(states) = sheet.states.as_ref().filter(|states| states.layer == entry.name()) {
        let names: Vec<String> = sheet.names.of(&["state"]).map(|name| format!("\"{name}\"")).collect();
        let message = format!(
            "the states of `{}` have names: give one of them, among = {}",
            states.layer,
            names.join(" or ")
        );
        return problem(&value.span(), message);
    }
    let Some(place) = sheet.layer(entry.name()) else {
        let known: Vec<&str> = sheet.layers.iter().map(|l| l.name.as_str()).collect();
        return problem(&entry.span(), unknown("layer", entry.name(), &known));
    };
    let own = &sheet.layers[place];
    Ok((own.name.clone(), entry.value.whole(own.lowest.into(), own.highest.into())? as i32))
}

/// `there = "anywhere"`, a neighbourhood, or `{ neighbourhood = "name", towards = "expression" }`.
fn towards(sheet: &Sheet, value: Value<'_>) -> Checked<Towards> {
    let named = |value: Value<'_>| -> Checked<Neighbourhood> {
        let found = super::declare::named_neighbourhood(sheet, value)?;
        if found.weights().iter().any(|w| *w < 0.0) || found.weights().iter().sum::<f64>() <= 0.0 {
            let message = "a neighbour is drawn by the neighbourhood's weights: they must be 0 or more, one of them more";
            return problem(&value.span(), message);
        }
        Ok(found)
    };
    if value.string() == Some("anywhere") {
        return Ok(Towards::Anywhere);
    }
    let Some(table) = value.table("there") else {
        return Ok(Towards::Neighbour { neighbourhood: named(value)?, direction: None, span: value.span() });
    };
    let (neighbourhood, direction) = (table.take("neighbourhood"), table.take("towards"));
    table.finish()?;
    let Some(neighbourhood) = neighbourhood else { return value.wrong("neighbourhood = \"...\"") };
    let direction = direction.map(|d| d.expression()).transpose()?;
    Ok(Towards::Neighbour { neighbourhood: named(neighbourhood)?, direction, span: value.span() })
}
