//! Writes and reads what states are, beside them: under which update they were simulated, and what the numbers of named states
//! mean: a file holds 0, 1, 2 …, which another model, or the
//! same with its states in another order, takes for other states.
//!
//! The array is text in bytes (UTF-8), a line for each layer of named states: the layer, then its states, with tabs between.

use glauber_data::arrays::{Array, Values as ArrayValues};
use glauber_lattice::Values;
use glauber_program::{Signature, Update};

use super::StatesError;

/// The array of an archive that holds the names of states.
pub(super) const NAMES: &str = "names of states";

/// The array of an archive that holds under which update its states were simulated.
const UPDATE: &str = "update scheme";

/// Under which update states were simulated, as an array of text in bytes with its name; nothing for a model that has a layer
/// of this name.
pub fn update_of_states(signature: &Signature, update: &Update) -> Option<(String, Array)> {
    let bytes = update.in_full().into_bytes();
    let is_taken = signature.layers.iter().any(|layer| layer.name == UPDATE);
    let array = Array::new(vec![bytes.len()], ArrayValues::U8(bytes)).ok()?;
    (!is_taken).then(|| (UPDATE.to_string(), array))
}

/// Under which update states were simulated, where the arrays say so.
pub(super) fn update(signature: &Signature, arrays: &[(String, Array)]) -> Option<String> {
    let is_taken = signature.layers.iter().any(|layer| layer.name == UPDATE);
    let own = arrays.iter().find(|(name, _)| name == UPDATE && !is_taken);
    let text = own.and_then(|(_, array)| text_of(array))?;
    text.split(", ").next()?.parse::<Update>().is_ok().then_some(text)
}

/// That the arrays were simulated under another update than `own`, where they say so.
pub fn another_update(signature: &Signature, arrays: &[(String, Array)], own: &Update) -> Option<String> {
    another(&update(signature, arrays)?, own)
}

/// That `theirs` is another update than `own`, where it is.
pub(super) fn another(theirs: &str, own: &Update) -> Option<String> {
    let own = own.in_full();
    (theirs != own).then(|| {
        format!(
            "the states were simulated under update = {theirs}, and this model has update = {own}: a step of one is no step \
             of the other"
        )
    })
}

/// The names of a model's states as an array, with the array's name; nothing for a model without named states.
pub fn names_of_states(signature: &Signature) -> Option<(String, Array)> {
    let line = |(layer, states): (&str, &[String])| format!("{layer}\t{}", states.join("\t"));
    let lines: Vec<String> = named(signature).map(line).collect();
    let bytes = lines.join("\n").into_bytes();
    let is_taken = signature.layers.iter().any(|layer| layer.name == NAMES);
    let array = Array::new(vec![bytes.len()], ArrayValues::U8(bytes)).ok()?;
    (!lines.is_empty() && !is_taken).then(|| (NAMES.to_string(), array))
}

/// Whether an array says what states are: their names, or under which update they were simulated.
pub fn is_about_states(signature: &Signature, name: &str) -> bool {
    (name == NAMES || name == UPDATE) && signature.layers.iter().all(|layer| layer.name != name)
}

/// The layers of named states, with those.
fn named(signature: &Signature) -> impl Iterator<Item = (&str, &[String])> {
    signature.layers.iter().filter_map(|layer| match &layer.values {
        Values::Categories(states) => Some((layer.name.as_str(), &states[..])),
        _ => None,
    })
}

/// Refuses states whose numbers mean others in this model.
///
/// # Errors
/// [`StatesError::OtherStates`] where a layer's states have other names, or none.
pub(super) fn check(signature: &Signature, arrays: &[(String, Array)]) -> Result<(), StatesError> {
    let own = arrays.iter().find(|(name, _)| name == NAMES && is_about_states(signature, name));
    let Some(text) = own.and_then(|(_, array)| text_of(array)) else { return Ok(()) };
    let theirs: Vec<(&str, Vec<&str>)> = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(layer, states)| (layer, states.split('\t').collect()))
        .collect();
    for layer in &signature.layers {
        // A single array is taken for a single layer, whatever its name.
        let only = (signature.layers.len() == 1 && arrays.iter().all(|(name, _)| *name != layer.name))
            .then(|| theirs.first());
        let found = only.unwrap_or_else(|| theirs.iter().find(|(name, _)| *name == layer.name));
        let found = found.map_or(&[][..], |(_, states)| &states[..]);
        let wanted: Vec<&str> = named(signature)
            .find(|(name, _)| *name == layer.name)
            .map_or(Vec::new(), |(_, states)| states.iter().map(String::as_str).collect());
        if found != wanted {
            let words = |states: &[&str]| match states {
                [] => "numbers without names".to_string(),
                states => states.join(", "),
            };
            return Err(StatesError::OtherStates {
                layer: layer.name.clone(),
                model: signature.model.clone(),
                found: words(found),
                wanted: words(&wanted),
            });
        }
    }
    Ok(())
}

fn text_of(array: &Array) -> Option<String> {
    let bytes = array.to_f64().into_iter().map(|x| ((0.0..256.0).contains(&x)).then_some(x as u8));
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use glauber_lattice::{Lattice, Values};
    use glauber_program::Model;

    use super::super::States;
    use super::*;

    fn model(layer: &str, values: Values) -> Model {
        Model::build("m", Lattice::line(4))
            .layer(layer, values)
            .step(|s| s.next(layer).set(s.layer(layer)))
            .unwrap()
    }

    fn of(names: &[&str]) -> Values {
        Values::Categories(names.iter().map(|name| (*name).to_string()).collect())
    }

    #[test]
    fn numbers_that_mean_other_states_are_refused() {
        let written = model("state", of(&["well", "ill"]));
        let states = Array::new(vec![2, 4], ArrayValues::U8(vec![0, 1, 1, 0, 1, 1, 1, 0])).unwrap();
        let file = |layer: &str| -> Vec<(String, Array)> {
            [(layer.to_string(), states.clone())]
                .into_iter()
                .chain(names_of_states(written.signature()))
                .collect()
        };
        let read = |layer: &str, values: Values| {
            States::from_arrays(model(layer, values).signature(), &file("state")).map(|states| states.times)
        };
        assert_eq!(read("state", of(&["well", "ill"])).unwrap(), 2);
        assert_eq!(read("other", of(&["well", "ill"])).unwrap(), 2);
        for (layer, values) in [
            ("state", of(&["ill", "well"])),
            ("state", of(&["well", "ill", "dead"])),
            ("state", Values::Binary),
            ("other", of(&["no", "yes"])),
        ] {
            let error = read(layer, values).unwrap_err().to_string();
            assert!(error.contains("well, ill") && error.contains("`names of states`"), "{error}");
        }
        // A file that says nothing of its update is of any; one that does is told of another.
        let mut with_update = file("state");
        let signature = written.signature();
        with_update.extend(update_of_states(signature, &Update::Sublattices));
        let simulated = States::from_arrays(signature, &with_update).unwrap();
        assert_eq!(simulated.of_another_update(&Update::Sublattices), None);
        let told = simulated.of_another_update(&Update::Synchronous).unwrap();
        assert!(told.contains("update = sublattices") && told.contains("update = synchronous"), "{told}");
        let silent = States::from_arrays(signature, &file("state")).unwrap();
        assert_eq!(silent.of_another_update(&Update::Synchronous), None);
        // Without names nothing is known, and nothing refused; nothing is written where there are none.
        let bare = [("state".to_string(), states.clone())];
        assert!(States::from_arrays(model("state", of(&["ill", "well"])).signature(), &bare).is_ok());
        assert_eq!(names_of_states(model("state", Values::Binary).signature()), None);
    }
}
