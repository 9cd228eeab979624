//! Writes what a fit of an initial state found: the probability map, the most likely start, and how both compare.
//!
//! Per layer: `start-LAYER.npy` and `.png`, the probability of every site to have started on; `weights-LAYER.npy`,
//! the map as the gradients left it; and for all layers `most-likely-start.npz`.

use std::path::Path;

use glauber_data::Overwrite;
use glauber_data::arrays::{Array, Values, write_npy, write_npz};
use glauber_report::frames::{Colouring, Picture};
use glauber_tasks::tasks::initial_state::Refinement;
use serde_json::{Value, json};

/// The most likely sites that are listed.
const LISTED: usize = 32;
/// The most sites named beside the most likely.
const OTHERS: usize = 8;

/// What a fit of an initial state came to: maps of probabilities.
#[derive(Clone, Debug)]
pub struct StartMap {
    /// The names of the layers.
    pub layers: Vec<String>,
    /// The lattice's shape.
    pub shape: Vec<usize>,
    /// The expected number of starts per site as fitted, layer after layer.
    pub fitted: Vec<f64>,
    /// The map made into probabilities; nothing where the fit was stopped before.
    pub refined: Option<Refinement>,
    /// Per layer: the sites that truly started on, where that is known.
    pub truth: Option<Vec<Vec<usize>>>,
}

impl StartMap {
    /// Among all sites of a layer, how many have at least the probability of `site`, itself left out.
    pub fn rank(map: &[f64], site: usize) -> usize {
        map.iter().filter(|p| **p >= map[site]).count() - 1
    }

    /// Writes the maps, their pictures and the most likely start into a folder.
    ///
    /// # Errors
    /// What could not be written, in words.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let Some(refined) = &self.refined else { return Ok(()) };
        let sites: usize = self.shape.iter().product();
        let array = |values: Values| Array::new(self.shape.clone(), values).map_err(words);
        let mut arrays = Vec::new();
        for (number, layer) in self.layers.iter().enumerate() {
            let file = |what: &str, ending: &str| folder.join(format!("{what}-{layer}.{ending}"));
            let map = &refined.map[number];
            let write = |name: &str, values: &[f64]| {
                let array = array(Values::F64(values.to_vec()))?;
                write_npy(file(name, "npy"), &array, Overwrite::Replace).map_err(words)
            };
            write("start", map)?;
            write("weights", &self.fitted[number * sites..][..sites])?;
            picture(map, &self.shape, &file("start", "png"))?;
            let mut state = vec![0u8; sites];
            refined.most_likely[number].iter().for_each(|site| state[*site] = 1);
            arrays.push((layer.clone(), array(Values::U8(state))?));
        }
        let arrays = arrays.iter().map(|(name, array)| (name.as_str(), array));
        write_npz(folder.join("most-likely-start.npz"), arrays, Overwrite::Replace).map_err(words)
    }

    /// Where it most likely started, for people and for scripts; nothing where the fit was stopped before.
    pub fn said(&self) -> Option<(String, Value)> {
        self.refined.as_ref().map(|refined| say(self, refined))
    }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn picture(map: &[f64], shape: &[usize], path: &Path) -> Result<(), String> {
    let &[height, width] = shape else { return Ok(()) };
    let highest = map.iter().copied().fold(0.0, f64::max);
    let colours = Colouring::sequential(0.0, if highest > 0.0 { highest } else { 1.0 });
    colours
        .and_then(|c| {
            let c = c.titled("probability");
            Picture::of(map, height, width, &c)?.enlarged_for_eyes()?.with_legend(&c)
        })
        .and_then(|p| p.write_png(path))
        .map_err(words)
}

/// The sites next in probability, until nine tenths of what is expected are named: a start is known to within them.
fn others(map: &[f64], named: &[usize], shape: &[usize]) -> String {
    let enough = 0.9 * map.iter().sum::<f64>();
    let mut held: f64 = named.iter().map(|site| map[*site]).sum();
    let mut rest: Vec<usize> =
        (0..map.len()).filter(|site| !named.contains(site) && map[*site] > 0.0).collect();
    rest.sort_by(|a, b| map[*b].total_cmp(&map[*a]).then(a.cmp(b)));
    let mut next = Vec::new();
    for site in rest.iter().take(OTHERS) {
        if held >= enough {
            break;
        }
        held += map[*site];
        next.push(format!("{:?} ({:.2})", place(*site, shape), map[*site]));
    }
    match (next.is_empty(), held >= enough) {
        (true, _) => String::new(),
        (false, true) => format!(", or else at {}", next.join(", ")),
        (false, false) => format!(", or else at {}, or further sites", next.join(", ")),
    }
}

/// A site's place along every axis.
fn place(site: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = site;
    let mut place: Vec<usize> = shape
        .iter()
        .rev()
        .map(|length| {
            let own = rest % length;
            rest /= length;
            own
        })
        .collect();
    place.reverse();
    place
}

fn say(fit: &StartMap, refined: &Refinement) -> (String, Value) {
    let shape = &fit.shape[..];
    let mut layers = serde_json::Map::new();
    let mut text = String::new();
    for (number, name) in fit.layers.iter().enumerate() {
        let (map, likely) = (&refined.map[number], &refined.most_likely[number]);
        let places: Vec<Vec<usize>> = likely.iter().take(LISTED).map(|s| place(*s, shape)).collect();
        let probabilities: Vec<f64> = likely.iter().take(LISTED).map(|s| map[*s]).collect();
        let mut entry = json!({
            "most_likely": places,
            "probability": probabilities,
            "expected_sites": map.iter().sum::<f64>(),
            "temperature": refined.temperature,
            "refined": refined.refined,
        });
        text += &format!("{name}: ");
        text += &match likely.len() {
            0 => "no site is likely to have started it".to_string(),
            _ => {
                let each =
                    places.iter().zip(&probabilities).map(|(p, q)| format!("{p:?} (probability {q:.2})"));
                let first = format!("most likely started at {}", each.collect::<Vec<_>>().join(", "));
                first + &others(map, likely, shape)
            }
        };
        if let Some(truth) = &fit.truth {
            let ranks: Vec<usize> = truth[number].iter().map(|s| StartMap::rank(map, *s)).collect();
            let true_places: Vec<Vec<usize>> =
                truth[number].iter().take(LISTED).map(|s| place(*s, shape)).collect();
            entry["truth"] = json!(true_places);
            entry["ranks"] = json!(ranks);
            let each = true_places
                .iter()
                .zip(&ranks)
                .map(|(p, r)| format!("{p:?}, number {} of {}", r + 1, map.len()));
            text += &format!("\n  truly at {}", each.collect::<Vec<_>>().join("; "));
        }
        if !refined.refined {
            text += "\n  the map is as the gradients left it: too many or no sites to be moved one by one";
        }
        text += "\n";
        layers.insert(name.clone(), entry);
    }
    (text, Value::Object(layers))
}
