//! Reads `[colours]`: what a model file says its states are drawn in.

use glauber_program::Colour;

use super::document::{Value, table_of};
use super::error::{Checked, problem, unknown};
use super::sheet::Sheet;

/// `[colours]`: state = "#rrggbb" or the name of a colour.
pub(crate) fn read(sheet: &mut Sheet, value: Option<Value<'_>>) -> Checked<()> {
    let Some(value) = value else { return Ok(()) };
    for entry in table_of(value, "[colours]")?.all()? {
        let text = entry.value.text("a colour such as \"#d7301f\"")?;
        let colour: Colour = match text.parse() {
            Ok(colour) => colour,
            Err(error) => return problem(&entry.value.span(), format!("{error}")),
        };
        match (sheet.state(entry.name()), &mut sheet.states) {
            (Some(place), Some(states)) => states.colours[place] = Some(colour),
            (_, Some(states)) => {
                let known: Vec<&str> = states.names.iter().map(String::as_str).collect();
                return problem(&entry.span(), unknown("state", entry.name(), &known));
            }
            (_, None) => {
                let message = "colours are those of `states`, and this file has none: layers of numbers are drawn along a \
                               scale";
                return problem(&entry.span(), message);
            }
        }
    }
    Ok(())
}
