//! Reads what a model file says of cells: `[cells]`, numbers of each cell; `[lists]`; `[copies]`, by which labels spread.

use glauber_program::Update;

use super::document::{Value, table_of};
use super::error::{Checked, problem, unknown};
use super::limits;
use super::sheet::{Copying, PerCell, Sheet};
use super::syntax::Kind;
use super::translate::{NO_THERE, Translator};

/// `[cells]`: name = a list of numbers, the medium's first, or { sum = "expression", of = "layer" }.
pub(crate) fn numbers(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[cells]")?.all()? {
        let name = entry.name();
        sheet.names.declare(name, "number of cells", &entry.span())?;
        let own = match entry.value.table(&format!("number of cells `{name}`")) {
            None => PerCell::Given(list(entry.value)?),
            Some(table) => {
                let (sum, of) = (table.take("sum"), table.take("of"));
                table.finish()?;
                let (Some(sum), Some(of)) = (sum, of) else {
                    return entry.value.wrong(
                        "a list of numbers, the medium's first, or { sum = \"...\", of = \"layer\" }",
                    );
                };
                let node = sum.expression()?;
                let mut inner = false;
                node.visit(&mut |n| inner |= matches!(&n.kind, Kind::Call(name, _) if name == "of_cell"));
                if inner {
                    let message = "a sum over cells is made of what is at sites, not of numbers of cells: leave of_cell out";
                    return problem(&sum.span(), message);
                }
                PerCell::Sum { node, layer: labels(sheet, of)? }
            }
        };
        sheet.cells.numbers.push((name.to_string(), own));
    }
    Ok(())
}

/// `[lists]`: name = a list of numbers, for look_up.
pub(crate) fn lists(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[lists]")?.all()? {
        sheet.names.declare(entry.name(), "list", &entry.span())?;
        let own = list(entry.value)?;
        sheet.cells.lists.push((entry.name().to_string(), own));
    }
    Ok(())
}

/// `[copies]`: layer of labels = the probability with which the picked site's label is copied to the site.
pub(crate) fn copies(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[copies]")?.all()? {
        let name = entry.name();
        let known: Vec<&str> = sheet.layers.iter().filter(|l| l.labels).map(|l| l.name.as_str()).collect();
        if !known.contains(&name) {
            return problem(&entry.span(), unknown("layer of labels", name, &known));
        }
        if sheet.applied.there.is_none() {
            return problem(&entry.span(), NO_THERE);
        }
        if sheet.applied.update == Update::ContinuousTime {
            let message = "copies state probabilities, and continuous-time asks for rates: give scheme = \
                           \"random-sequential\" or \"sublattices\"";
            return problem(&entry.span(), message);
        }
        let node = entry.value.expression()?;
        sheet.cells.copies.push(Copying { layer: name.to_string(), node });
    }
    Ok(())
}

fn list(value: Value<'_>) -> Checked<Vec<f64>> {
    let numbers: Option<Vec<f64>> = value.list().and_then(|l| l.iter().map(Value::number).collect());
    match numbers {
        Some(all) if all.is_empty() || all.len() > limits::LIST => {
            problem(&value.span(), format!("a list has 1 to {} numbers, not {}", limits::LIST, all.len()))
        }
        Some(all) if all.iter().all(|x| x.is_finite()) => Ok(all),
        _ => value.wrong("a list of numbers"),
    }
}

fn labels(sheet: &Sheet, value: Value<'_>) -> Checked<String> {
    let name = value.text("a layer of labels")?;
    let known: Vec<&str> = sheet.layers.iter().filter(|l| l.labels).map(|l| l.name.as_str()).collect();
    match known.contains(&name) {
        true => Ok(name.to_string()),
        false => problem(&value.span(), unknown("layer of labels", name, &known)),
    }
}

/// Says what labels become: each is copied from the picked site with its probability.
pub(crate) fn trace(translator: &mut Translator<'_>) -> Checked<()> {
    let (sheet, scope) = (translator.sheet, translator.scope);
    for Copying { layer, node } in &sheet.cells.copies {
        let chance = translator.expression(node)?;
        let picked = translator.picked(node)?;
        scope.check_probability(&format!("a copy of {layer}"), chance);
        let (here, copied) = (scope.layer(layer), scope.bernoulli(chance * picked.exists));
        scope.next(layer).set(copied.select(here.at(picked.there), here));
    }
    Ok(())
}
