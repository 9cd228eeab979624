//! Writes what a fit of an initial state found: the probability map, the most likely start, and how both compare.
//!
//! Per layer: `start-LAYER.npy` and `.png`, the probability of every site to have started on; `weights-LAYER.npy`,
//! the map as the gradients left it; and for all layers `most-likely-start.npz`.

use std::path::Path;

use glauber::data::Overwrite;
use glauber::data::arrays::{Array, Values, write_npy, write_npz};
use glauber::fit::job::{Job, StateFit};
use glauber::optimize::fit_result::FitResult;
use glauber::report::frames::{Colouring, Picture};
use glauber::tasks::tasks::initial_state::Refinement;
use serde_json::{Value, json};

use crate::outcome::Failure;

/// The most likely sites that are listed.
const LISTED: usize = 32;
/// The most sites told beside the most likely.
const OTHERS: usize = 8;

/// What was found, in words and for scripts.
pub struct Found {
    /// For people.
    pub text: String,
    /// For scripts.
    pub object: Value,
}

/// Refines the fitted map and writes everything into the run folder; nothing for other tasks.
pub fn write(job: &Job, result: &FitResult, out: &Path) -> Result<Option<Found>, Failure> {
    let Some(fit) = &job.state else { return Ok(None) };
    let refined = fit.refined(&result.theta).map_err(Failure::run)?;
    let declarations = job.model.declarations();
    let (shape, sites) = (declarations.lattice.shape().to_vec(), declarations.lattice.sites());
    let fitted = fit.probabilities(&result.theta);
    let array = |values: Values| Array::new(shape.clone(), values).map_err(Failure::run);
    let mut arrays = Vec::new();
    for (number, layer) in declarations.layers.iter().enumerate() {
        let file = |what: &str, ending: &str| out.join(format!("{what}-{}.{ending}", layer.name));
        let map = &refined.map[number];
        let write = |name: &str, values: &[f64]| {
            write_npy(file(name, "npy"), &array(Values::F64(values.to_vec()))?, Overwrite::Replace)
                .map_err(Failure::run)
        };
        write("start", map)?;
        write("weights", &fitted[number * sites..][..sites])?;
        picture(map, &shape, &file("start", "png"))?;
        let mut state = vec![0u8; sites];
        refined.most_likely[number].iter().for_each(|site| state[*site] = 1);
        arrays.push((layer.name.clone(), array(Values::U8(state))?));
    }
    write_npz(
        out.join("most-likely-start.npz"),
        arrays.iter().map(|(name, array)| (name.as_str(), array)),
        Overwrite::Replace,
    )
    .map_err(Failure::run)?;
    let names: Vec<&str> = declarations.layers.iter().map(|l| l.name.as_str()).collect();
    Ok(Some(say(fit, &refined, &names, &shape)))
}

fn picture(map: &[f64], shape: &[usize], path: &Path) -> Result<(), Failure> {
    let &[height, width] = shape else { return Ok(()) };
    let highest = map.iter().copied().fold(0.0, f64::max);
    let colours = Colouring::sequential(0.0, if highest > 0.0 { highest } else { 1.0 });
    colours
        .and_then(|c| {
            let c = c.titled("probability");
            Picture::of(map, height, width, &c)?.enlarged_for_eyes()?.with_legend(&c)
        })
        .and_then(|p| p.write_png(path))
        .map_err(Failure::run)
}

/// The sites next in probability, until nine tenths of what is expected are told: a start is known to within them.
fn others(map: &[f64], told: &[usize], shape: &[usize]) -> String {
    let enough = 0.9 * map.iter().sum::<f64>();
    let mut held: f64 = told.iter().map(|site| map[*site]).sum();
    let mut rest: Vec<usize> =
        (0..map.len()).filter(|site| !told.contains(site) && map[*site] > 0.0).collect();
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

fn say(fit: &StateFit, refined: &Refinement, names: &[&str], shape: &[usize]) -> Found {
    let mut layers = serde_json::Map::new();
    let mut text = String::new();
    for (number, name) in names.iter().enumerate() {
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
                let told = format!("most likely started at {}", each.collect::<Vec<_>>().join(", "));
                told + &others(map, likely, shape)
            }
        };
        if let Some(truth) = &fit.truth {
            let ranks: Vec<usize> = truth[number].iter().map(|s| StateFit::rank(map, *s)).collect();
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
        layers.insert((*name).to_string(), entry);
    }
    Found { text, object: Value::Object(layers) }
}
