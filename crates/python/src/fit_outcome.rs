//! Gives Python what the fits of a job came to, as dictionaries, and lets it be written into a folder.

use std::path::Path;

use glauber::fit::outcome::{Curves, Fit, FormationTests, Outcome, StartMap};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::reals;
use crate::errors::{input_error, run_error};
use crate::fit_request::Words;
use crate::typing::{As, Floats, Table};

/// What fits came to, to be written into a folder.
#[pyclass(frozen, module = "glauber._glauber")]
pub struct FitOutcome(pub Outcome);

#[pymethods]
impl FitOutcome {
    /// Writes what `glauber fit` writes into its folder; nothing that is there is overwritten.
    fn write(&self, folder: &str) -> PyResult<()> {
        let folder = Path::new(folder);
        let failed = |error: String| run_error(format!("the result could not be kept: {error}"));
        std::fs::create_dir_all(folder).map_err(|e| failed(format!("{}: {e}", folder.display())))?;
        let mut there =
            std::fs::read_dir(folder).map_err(|e| failed(format!("{}: {e}", folder.display())))?;
        if there.next().is_some() {
            let message = "holds files, and nothing is overwritten: give a new folder, or an empty one";
            return Err(input_error(format!("{} {message}", folder.display())));
        }
        self.0.write_tests(folder).map_err(failed)?;
        self.0.write(folder).map_err(failed)
    }
}

/// All that Python's `FitResult` is made of.
pub fn numbers(py: Python<'_>, outcome: Outcome, words: Words) -> PyResult<As<'_, Table>> {
    let said = |notes: &[String]| -> Vec<String> { notes.iter().map(|note| words.say(note)).collect() };
    let all = PyDict::new(py);
    all.set_item("best", outcome.best.number)?;
    all.set_item("best_of", &outcome.best.words)?;
    let list = PyList::empty(py);
    for one in &outcome.fits {
        let own = fit(py, one, words)?;
        own.set_item(
            "formation",
            one.formation.as_ref().map(|t| formation(py, t, &outcome.layers)).transpose()?,
        )?;
        list.append(own)?;
    }
    all.set_item("attempts", list)?;
    all.set_item(
        "curves",
        outcome.curves.clone().map(|c| curves(py, c.map_err(|why| words.say(&why)))).transpose()?,
    )?;
    all.set_item("state", outcome.start.as_ref().map(|map| start_map(py, map)))?;
    all.set_item("model", &outcome.model)?;
    all.set_item("task", outcome.task.name())?;
    all.set_item("about", said(&outcome.notes))?;
    all.set_item("data_notes", said(&outcome.data_notes))?;
    all.set_item("truth", &outcome.truth)?;
    all.set_item("outcome", FitOutcome(outcome))?;
    Ok(As::of(all.into_any()))
}

/// A refined map, the most likely sites of each layer, and whether anything was refined.
type RefinedTuple<'py> = (As<'py, Floats>, Vec<Vec<usize>>, bool);

fn start_map<'py>(py: Python<'py>, map: &StartMap) -> (As<'py, Floats>, Option<RefinedTuple<'py>>) {
    let refined = map.refined.clone().map(|r| (reals(py, r.map.concat()), r.most_likely, r.refined));
    (reals(py, map.fitted.clone()), refined)
}

/// What the tests of one fit found.
fn formation<'py>(
    py: Python<'py>,
    found: &FormationTests,
    layers: &[String],
) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    all.set_item("claim", &found.claim)?;
    all.set_item("verdict", found.tests.last().map(|t| t.verdict.word()))?;
    all.set_item("steps", found.steps)?;
    all.set_item("rollouts", found.rollouts)?;
    all.set_item("layers", layers)?;
    all.set_item("shape", &found.shape)?;
    let tests = PyList::empty(py);
    for one in &found.tests {
        let own = PyDict::new(py);
        own.set_item("step", one.step)?;
        own.set_item("variance", one.score.variance)?;
        // Of a uniform lattice there is neither.
        let known = |x: f64| Some(x).filter(|x| !x.is_nan());
        own.set_item("correlation", known(one.score.correlation))?;
        own.set_item("mean_wave_number", known(one.score.mean_wave_number))?;
        own.set_item("verdict", one.verdict.word())?;
        own.set_item("patterns", one.patterns)?;
        let layers: Vec<_> = one.layers.iter().map(|layer| reals(py, layer.clone())).collect();
        own.set_item("layers", layers)?;
        tests.append(own)?;
    }
    all.set_item("tests", tests)?;
    Ok(all)
}

/// Curves as Python takes them: a dictionary, or why there is none.
fn curves<'py>(py: Python<'py>, curves: Result<Curves, String>) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    match curves {
        Err(why) => out.set_item("why", why)?,
        Ok(c) => {
            out.set_item("summary", c.summary)?;
            out.set_item("outputs", c.outputs)?;
            out.set_item("times", c.times)?;
            out.set_item("time_unit", c.time_unit)?;
            out.set_item("unit", c.unit)?;
            out.set_item("data", c.data)?;
            out.set_item("errors", c.errors)?;
            out.set_item("simulated", c.simulated)?;
        }
    }
    Ok(out)
}

fn fit<'py>(py: Python<'py>, ran: &Fit, said: Words) -> PyResult<Bound<'py, PyDict>> {
    let r = &ran.result;
    let out = PyDict::new(py);
    out.set_item("name", &ran.name)?;
    out.set_item("comparison", ran.comparison)?;
    out.set_item("caveat", ran.caveat.as_ref().map(|caveat| said.say(caveat)))?;
    let estimates: Vec<_> = r
        .estimates
        .iter()
        .map(|e| {
            let (words, why) = (said.say(&e.words()), said.say(&e.known.words()));
            (
                e.name.clone(),
                e.found().unwrap_or(f64::NAN),
                e.start,
                e.standard_error,
                e.simulation_noise,
                words,
                why,
            )
        })
        .collect();
    out.set_item("estimates", estimates)?;
    let fields = PyList::empty(py);
    for field in &r.fields {
        let values = r.values(&field.name).unwrap_or_default().to_vec();
        fields.append((&field.name, field.shape.clone(), reals(py, values)))?;
    }
    out.set_item("fields", fields)?;
    out.set_item("loss", r.loss)?;
    out.set_item("smoothed_loss", r.smoothed_loss())?;
    out.set_item("steps", r.steps)?;
    out.set_item("stopped", r.stopped.word())?;
    out.set_item("stopped_because", said.say(&r.stopped.to_string()))?;
    out.set_item("seed", r.seed)?;
    out.set_item("likelihood", r.likelihood)?;
    out.set_item("at_optimum", r.at_optimum)?;
    out.set_item("verdict", said.say(&r.verdict))?;
    out.set_item("notes", r.notes.iter().map(|note| said.say(note)).collect::<Vec<_>>())?;
    out.set_item("columns", &r.trace.columns)?;
    let rows: Vec<f64> =
        r.trace.records.iter().flat_map(|record| record.numbers().collect::<Vec<_>>()).collect();
    out.set_item("trace", reals(py, rows))?;
    Ok(out)
}
