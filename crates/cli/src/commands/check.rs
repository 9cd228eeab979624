//! Compares estimators with the true gradient.

use glauber::engine::EngineError;
use glauber::files::significant;
use glauber::program::Slopeless;
use glauber::tasks::check::{CheckError, CheckSettings, check};
use serde_json::{Map, Value, json};

use super::{covariates_of, model_of, parameters_of};
use crate::arguments::Check;
use crate::outcome::{CommandOutcome, Failure};

/// Runs `glauber check`.
pub fn run(arguments: &Check) -> Result<CommandOutcome, Failure> {
    let mut notes = Vec::new();
    checked(arguments, &mut notes).map_err(|failure| failure.after(notes))
}

fn checked(arguments: &Check, notes: &mut Vec<String>) -> Result<CommandOutcome, Failure> {
    let loaded = model_of(&arguments.choice)?;
    let covariates = covariates_of(&loaded, &arguments.choice, notes)?;
    let model = loaded.model;
    let slopeless = model.slopeless(true, false);
    notes.splice(0..0, slopeless.iter().map(Slopeless::words));
    notes.extend(model.update_note());
    let theta = parameters_of(&model, &arguments.parameters)?;
    if arguments.steps == 0 || arguments.replicates == 0 {
        return Err(Failure::input("--steps and --replicates must be at least 1"));
    }
    let settings = CheckSettings {
        steps: arguments.steps,
        replicates: arguments.replicates,
        seed: arguments.seed,
        ..CheckSettings::default()
    };
    let found = check(&model, &covariates, &theta, settings).map_err(|error| match error {
        CheckError::Model(error) => Failure::input(error),
        CheckError::Engine(error @ EngineError::NoWayBack { .. }) => Failure::input(error),
        CheckError::Engine(error) => Failure::run(error),
    })?;
    notes.extend(found.notes.iter().cloned());
    let names = &found.parameters;
    let mut text: String = notes.iter().map(|note| format!("note: {note}\n")).collect();
    text += &format!(
        "gradient of the layers' means and likeness after {} steps of {}\n",
        settings.steps,
        model.name()
    );
    text += &format!("{:18}", "");
    names.iter().for_each(|n| text += &format!("{n:>26}"));
    let row = |label: &str, numbers: &[glauber::tasks::check::Measured]| {
        let mut line = format!("\n{label:18}");
        numbers
            .iter()
            .for_each(|m| line += &format!("{:>14} ± {:<9.2e}", significant(m.mean, 6), m.standard_error));
        line
    };
    text += &row(found.kind, &found.reference);
    for e in &found.estimators {
        text += &row(e.name, &e.gradient);
        text += &format!(" {}", e.verdict().words());
    }
    text +=
        "\n\nstandard deviation of one gradient at the cost of 100 rollouts, and what is known of its bias\n";
    for e in &found.estimators {
        for (k, name) in names.iter().enumerate() {
            let (off, deviation) = (&e.off[k], e.deviation[k]);
            text += &format!("{:18}{name}: deviation {deviation:.3e}, {}", e.name, e.verdicts[k].words());
            text += &format!(", off by {} ± {:.1e}", significant(off.mean, 3), off.standard_error);
            if let Some(many) = e.outweighs[k] {
                text += &format!(
                    "; its bias outweighs its noise from {} rollouts on",
                    significant(many.ceil(), 3)
                );
            }
            text += "\n";
        }
    }
    text += "\n";
    for e in &found.estimators {
        text += &format!("{}: {}\n", e.name, e.bias);
    }
    let by_name =
        |numbers: Vec<Value>| -> Map<String, Value> { names.iter().cloned().zip(numbers).collect() };
    let estimators: Map<String, Value> = found
        .estimators
        .iter()
        .map(|e| {
            let gradient =
                e.gradient.iter().map(|m| json!({"mean": m.mean, "standard_error": m.standard_error}));
            let off = e.off.iter().map(|m| json!({"mean": m.mean, "standard_error": m.standard_error}));
            let verdicts = e.verdicts.iter().map(|v| json!(v.words()));
            (
                e.name.to_string(),
                json!({
                    "gradient": by_name(gradient.collect()),
                    "verdict": e.verdict().words(),
                    "verdicts": by_name(verdicts.collect()),
                    "off": by_name(off.collect()),
                    "deviation_of_100_rollouts": by_name(e.deviation.iter().map(|d| json!(d)).collect()),
                    "bias_outweighs_after": by_name(e.outweighs.iter().map(|n| json!(n)).collect()),
                    "bias": e.bias,
                }),
            )
        })
        .collect();
    let reference = by_name(found.reference.iter().map(|m| json!(m.mean)).collect());
    let errors = by_name(found.reference.iter().map(|m| json!(m.standard_error)).collect());
    let object = json!({
        "model": model.name(),
        "update": model.update().name(),
        "theta": by_name(theta.iter().map(|x| json!(x)).collect()),
        "steps": settings.steps,
        "notes": notes,
        "reference": {"kind": found.kind, "gradient": reference, "standard_error": errors},
        "estimators": estimators,
    });
    Ok(CommandOutcome::done(text, object))
}
