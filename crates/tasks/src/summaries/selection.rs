//! Picks what a summary is of: a layer, or the sites of a layer that are in a state.

use glauber_lattice::Values;
use glauber_program::{Expr, Model, Scope, nearest_name};

use super::{SummaryError, wrong};

/// A layer, or 1 where it is in a state and 0 elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The layer's name.
    pub layer: String,
    /// The layer's place in the model's list.
    pub place: usize,
    /// The state's number.
    pub state: Option<i32>,
}

impl Selection {
    /// Reads `LAYER` or `LAYER=STATE`; a state is a number, or the name of a category.
    ///
    /// # Errors
    /// [`SummaryError`] for an unknown layer or state.
    pub fn parse(model: &Model, text: &str) -> Result<Selection, SummaryError> {
        let (layer, state) = match text.split_once('=') {
            None => (text.trim(), None),
            Some((layer, state)) => (layer.trim(), Some(state.trim())),
        };
        let place = model.layer(layer)?;
        let values = &model.declarations().layers[place].values;
        let state = state.map(|s| state_of(layer, values, s)).transpose()?;
        Ok(Selection { layer: layer.to_string(), place, state })
    }

    /// The number at each site, traced.
    pub fn trace(&self, s: &Scope, values: &Values) -> Expr {
        let layer = s.layer(&self.layer);
        match (self.state, two_states(values)) {
            (None, _) => layer,
            (Some(state), Some((lowest, highest))) if state == highest => {
                (layer - f64::from(lowest)) / f64::from(highest - lowest)
            }
            (Some(_), Some((lowest, highest))) => (f64::from(highest) - layer) / f64::from(highest - lowest),
            (Some(state), None) if matches!(values, Values::Categories(_)) => layer.is(state.max(0) as u32),
            (Some(state), None) => layer.equals(f64::from(state)),
        }
    }

    /// Whether the number at a site has a derivative by the layer: a whole layer has, and a named state, and one of two
    /// numbers.
    pub fn is_differentiable(&self, model: &Model) -> bool {
        let values = self.values(model);
        if matches!(values, Values::Labels { .. }) {
            return false;
        }
        self.state.is_none() || two_states(values).is_some() || matches!(values, Values::Categories(_))
    }

    /// Its values' declaration.
    pub fn values<'m>(&self, model: &'m Model) -> &'m Values {
        &model.declarations().layers[self.place].values
    }
}

/// The two values of a layer that has just two: the number of sites in either is then linear in the layer.
fn two_states(values: &Values) -> Option<(i32, i32)> {
    match values {
        Values::Binary => Some((0, 1)),
        Values::Integers { lowest, highest } if highest - lowest == 1 => Some((*lowest, *highest)),
        Values::Categories(names) if names.len() == 2 => Some((0, 1)),
        _ => None,
    }
}

fn state_of(layer: &str, values: &Values, text: &str) -> Result<i32, SummaryError> {
    if let Values::Categories(names) = values
        && let Some(place) = names.iter().position(|n| n == text)
    {
        return Ok(place as i32);
    }
    let (lowest, highest) = values.range();
    let number = text.parse::<i32>().ok().filter(|n| f64::from(*n) >= lowest && f64::from(*n) <= highest);
    match (number, values) {
        (Some(n), _) if values.is_integer() => Ok(n),
        (_, Values::Real) => {
            Err(wrong(format!("the layer `{layer}` holds real numbers, so it has no states")))
        }
        (_, Values::Categories(names)) => {
            let hint = match nearest_name(text, names.iter().map(String::as_str)) {
                Some(n) => format!(": did you mean `{n}`?"),
                None => format!("; it has {}", names.join(", ")),
            };
            Err(wrong(format!("the layer `{layer}` has no state `{text}`{hint}")))
        }
        _ => Err(wrong(format!("the layer `{layer}` has no state `{text}`: it holds {values}"))),
    }
}
