//! Sums a layer over regions of the lattice: given by a map of labels, or its rows or columns.

use std::sync::Arc;

use glauber_engine::{Observation, Summary};
use glauber_lattice::Values;
use glauber_program::Model;

use super::error::ObservationError;
use crate::summaries::Selection;

/// The sums over regions. `labels` says for each site in which it lies, from 0; a site of no region has `None`.
///
/// # Errors
/// [`ObservationError`] where there is not one label for each site, or a region without sites.
pub fn regions(
    model: &Model,
    selection: &Selection,
    labels: &[Option<u32>],
    names: Vec<String>,
) -> Result<Observation, ObservationError> {
    let sites = model.declarations().lattice.sites();
    let wrong = |why: String| ObservationError::Regions { why };
    if labels.len() != sites {
        let shape = model.declarations().lattice.shape();
        return Err(wrong(format!(
            "it has {} numbers, but the lattice {shape:?} has {sites} sites",
            labels.len()
        )));
    }
    let mut members = vec![0usize; names.len()];
    for label in labels.iter().flatten() {
        let Some(count) = members.get_mut(*label as usize) else {
            return Err(wrong(format!("region {label} is not among its {} regions", names.len())));
        };
        *count += 1;
    }
    if let Some(empty) = members.iter().position(|n| *n == 0) {
        return Err(wrong(format!("region `{}` has no site", names[empty])));
    }
    let values = selection.values(model);
    let nominal = matches!(values, Values::Categories(names) if names.len() > 2);
    Ok(Observation::Summary(Arc::new(Regions {
        layer: selection.place,
        state: selection.state.map(f64::from),
        // A site's share in a state of two is linear in the layer.
        slope: match (selection.state, values.range()) {
            (None, _) if !nominal => Some(1.0),
            (Some(state), (low, high)) if values.is_integer() && (high - low - 1.0).abs() < f64::EPSILON => {
                Some(if f64::from(state) >= high { 1.0 } else { -1.0 })
            }
            _ => None,
        },
        labels: labels.iter().map(|l| l.unwrap_or(u32::MAX)).collect(),
        names,
    })))
}

/// The regions that `rows`, `columns` and maps of labels are: what they are called, and where each site lies.
pub(super) fn along(model: &Model, from_the_last: usize, what: &str) -> (Vec<Option<u32>>, Vec<String>) {
    let shape = model.declarations().lattice.shape();
    let axis = shape.len().saturating_sub(from_the_last);
    let stride: usize = shape[axis + 1..].iter().product();
    let length = shape[axis];
    let labels = (0..shape.iter().product::<usize>()).map(|i| Some((i / stride % length) as u32)).collect();
    (labels, (0..length).map(|k| format!("{what} {k}")).collect())
}

/// Sums over regions.
struct Regions {
    layer: usize,
    state: Option<f64>,
    slope: Option<f64>,
    labels: Vec<u32>,
    names: Vec<String>,
}

impl Summary for Regions {
    fn outputs(&self) -> Vec<String> {
        self.names.clone()
    }

    fn values(&self, layers: &[Vec<f64>]) -> Vec<f64> {
        let mut sums = vec![0.0; self.names.len()];
        let own = self.labels.iter().zip(&layers[self.layer]);
        for (label, x) in own {
            if let Some(sum) = sums.get_mut(*label as usize) {
                *sum += match self.state {
                    None => *x,
                    Some(state) => f64::from(u8::from((x - state).abs() < 0.5)),
                };
            }
        }
        sums
    }

    /// Where the number of a state has no derivative it is no number, so that nobody takes it for one.
    fn pull_back(&self, layers: &[Vec<f64>], bars: &[f64]) -> Vec<Vec<f64>> {
        let mut slopes: Vec<Vec<f64>> = layers.iter().map(|l| vec![0.0; l.len()]).collect();
        let slope = self.slope.unwrap_or(f64::NAN);
        for (own, label) in slopes[self.layer].iter_mut().zip(&self.labels) {
            *own = bars.get(*label as usize).map_or(0.0, |bar| slope * bar);
        }
        slopes
    }
}
