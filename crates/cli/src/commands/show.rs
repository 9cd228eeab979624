//! Prints a model's programs.

use std::collections::BTreeMap;

use glauber::engine::EngineError;
use glauber::likelihood::log_likelihood;
use glauber::model_file::CovariateSource;
use glauber::program::Slopeless;
use glauber::program::estimators::{EstimatorOptions, named};
use serde_json::json;

use super::{covariates_of, model_of, pairs};
use crate::arguments::Show;
use crate::outcome::{CommandOutcome, Failure};

/// Runs `glauber show`.
pub fn run(arguments: &Show) -> Result<CommandOutcome, Failure> {
    let loaded = model_of(&arguments.choice)?;
    // What was given is read and checked, as where the model is run.
    covariates_of(&loaded, &arguments.choice, &mut Vec::new())?;
    let given = pairs(&arguments.choice.covariates, "--covariate")?;
    let model = &loaded.model;
    let d = model.declarations();
    let mut text = format!("model {} on {}\n", model.name(), d.lattice);
    if let Some(outside) = &d.outside {
        text += &format!("  beyond the fixed edges {outside}\n");
    }
    for layer in &d.layers {
        text += &format!("  layer      {}: {}\n", layer.name, layer.values);
    }
    for p in &d.parameters {
        let default = p.default.map_or(String::new(), |x| format!(", usually {x}"));
        text += &format!("  parameter  {} in {}{default}\n", p.name, p.interval);
    }
    for covariate in &loaded.covariates {
        let own = given.iter().find(|(name, _)| *name == covariate.name).map(|(_, value)| *value);
        let source = match (own, &covariate.source) {
            (Some(value), _) if value.parse::<f64>().is_ok() => format!("{value} at every site"),
            (Some(path), _) => format!("from {path}"),
            (None, CovariateSource::File(path)) => format!("from {}", path.display()),
            (None, CovariateSource::Constant(value)) => format!("{value} where nobody says"),
        };
        text += &format!("  covariate  {}: {source}\n", covariate.name);
    }
    let application = model.application();
    for (name, words) in &application {
        text += &format!("  {name:<10} {words}\n");
    }
    let likelihood = match log_likelihood(&model.step) {
        Ok(_) => "exact".to_string(),
        Err(error) => error.to_string(),
    };
    text += &format!("  likelihood {likelihood}\n");
    let notes: Vec<String> =
        model.notes().into_iter().chain(model.slopeless(true, false).iter().map(Slopeless::words)).collect();
    for note in &notes {
        text += &format!("  note       {note}\n");
    }
    if let Some(start) = &model.start {
        text += &format!("\nstart of {start}");
    }
    text += &format!("\nstep of {}", model.step);
    let mut adjoint_text = None;
    if arguments.adjoint {
        let estimator =
            named(arguments.estimator.as_deref().unwrap_or("straight-through"), EstimatorOptions::default())
                .map_err(Failure::input)?;
        if estimator.by_differences() {
            return Err(Failure::input(
                "`differences` only run forwards, at other parameters: there is no adjoint to show",
            ));
        }
        let adjoint = model.adjoint(&*estimator);
        let adjoint = adjoint.ok_or_else(|| Failure::input(EngineError::no_way_back(model)))?;
        text += &format!("\nadjoint under {} of {adjoint}", estimator.name());
        adjoint_text = Some(adjoint.to_string());
    }
    let object = json!({
        "model": model.name(),
        "shape": d.lattice.shape(),
        "layers": d.layers.iter().map(|l| json!({"name": l.name, "values": l.values.to_string()})).collect::<Vec<_>>(),
        "parameters": d.parameters.iter().map(|p| {
            json!({"name": p.name, "interval": [p.interval.lowest, p.interval.highest], "default": p.default})
        }).collect::<Vec<_>>(),
        "covariates": loaded.covariates.iter().map(|c| &c.name).collect::<Vec<_>>(),
        "update": model.update().name(),
        "application": application.iter().cloned().collect::<BTreeMap<_, _>>(),
        "likelihood": likelihood == "exact",
        "notes": notes,
        "step": model.step.to_string(),
        "adjoint": adjoint_text,
    });
    Ok(CommandOutcome::done(text, object))
}
