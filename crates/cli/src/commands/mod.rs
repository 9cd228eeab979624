//! Holds one file per command.

mod carry_on;
pub mod cells;
pub mod check;
pub mod fit;
pub mod generate;
pub mod merge;
pub mod models;
pub mod new;
pub mod posterior;
pub mod reproduce;
pub mod segment;
pub mod show;
pub mod simulate;
pub mod tracks;
pub mod view;

use std::path::Path;

use glauber::files::number;
use glauber::model_file::{CovariateSource, Loaded};
use glauber::models::{ModelOptions, OptionValue};
use glauber::program::Model;
use glauber::tasks::covariates::{Covariates, read_covariates};
use glauber::tasks::tasks::unknowns;

use crate::arguments::ModelChoice;
use crate::outcome::Failure;

/// The model that was asked for.
pub fn model_of(choice: &ModelChoice) -> Result<Loaded, Failure> {
    let options = options_of(choice)?;
    glauber::model_file::load(&choice.model, &options).map_err(|error| {
        let mut message = error.to_string();
        if Path::new(&format!("{}.toml", choice.model)).is_file() {
            message += &format!("; for the model file write {}.toml", choice.model);
        }
        Failure::input(message)
    })
}

/// The options that were given for it.
fn options_of(choice: &ModelChoice) -> Result<ModelOptions, Failure> {
    let mut options = ModelOptions::none();
    for (name, value) in pairs(&choice.options, "--option")? {
        options.set(name, option_value(value));
    }
    Ok(options)
}

/// The covariates that were given for it.
fn sources_of(choice: &ModelChoice) -> Result<Vec<(String, CovariateSource)>, Failure> {
    let mut given = Vec::new();
    for (name, value) in pairs(&choice.covariates, "--covariate")? {
        let source = match number(value) {
            Some(number) => CovariateSource::Constant(number),
            None => CovariateSource::File(value.into()),
        };
        given.push((name.to_string(), source));
    }
    Ok(given)
}

/// The data per site that its rules read, what was given, else what the model says; how their files were read becomes `notes`.
pub fn covariates_of(
    loaded: &Loaded,
    choice: &ModelChoice,
    notes: &mut Vec<String>,
) -> Result<Covariates, Failure> {
    read_covariates(loaded, &sources_of(choice)?, notes).map_err(Failure::input)
}

/// NAME=VALUE in two parts.
fn split<'t>(text: &'t str, flag: &str) -> Result<(&'t str, &'t str), Failure> {
    let parts = text.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
    parts
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .ok_or_else(|| Failure::input(format!("{flag} {text}: give NAME=VALUE, such as {flag} beta=0.3")))
}

/// Several NAME=VALUE in two parts each; a name that is given twice would be without effect once.
fn pairs<'t>(given: &'t [String], flag: &str) -> Result<Vec<(&'t str, &'t str)>, Failure> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for text in given {
        let (name, value) = split(text, flag)?;
        if let Some((_, earlier)) = pairs.iter().find(|(other, _)| *other == name) {
            return Err(Failure::input(format!(
                "{flag} {text}: `{name}` was given before, as {earlier}: give it once"
            )));
        }
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// A number, a list of numbers, true or false, or a word.
fn option_value(text: &str) -> OptionValue {
    let list = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let numbers: Option<Vec<f64>> = list.and_then(|items| items.split(',').map(number).collect());
    match (number(text), numbers, text) {
        (Some(x), ..) => OptionValue::Number(x),
        (_, Some(numbers), _) => OptionValue::List(numbers),
        (.., "true") => OptionValue::Flag(true),
        (.., "false") => OptionValue::Flag(false),
        _ => OptionValue::Text(text.to_string()),
    }
}

/// The model's parameters: its defaults and what was set.
pub fn parameters_of(model: &Model, set: &[String]) -> Result<Vec<f64>, Failure> {
    let declared = &model.declarations().parameters;
    let mut values: Vec<Option<f64>> = declared.iter().map(|p| p.default).collect();
    for (name, value) in pairs(set, "--set")? {
        let value = number(value)
            .ok_or_else(|| Failure::input(format!("--set {name}={value}: `{value}` is not a number")))?;
        let place = unknowns::check(model, name, value).map_err(Failure::input)?;
        values[place] = Some(value);
    }
    let value = |(parameter, value): (&glauber::program::Parameter, Option<f64>)| {
        value.ok_or_else(|| {
            let name = &parameter.name;
            Failure::input(format!(
                "model `{}` has no default for `{name}`: give --set {name}=VALUE",
                model.name()
            ))
        })
    };
    declared.iter().zip(values).map(value).collect()
}
