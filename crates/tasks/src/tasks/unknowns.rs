//! Splits what a model needs into the parameters that are fitted and all that is given: fixed parameters, covariates.

use glauber_engine::Run;
use glauber_program::{Model, nearest_name};

use crate::covariates::Covariates;
use glauber_optimize::objective::Unknown;

/// What is wrong with the choice of fitted and fixed parameters.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UnknownsError {
    /// A name that is no parameter.
    #[error("model `{model}` has no parameter called `{name}`{}", match .nearest {
        Some(n) => format!(": did you mean `{n}`?"),
        None => format!("; it has {}", known.join(", ")),
    })]
    Name {
        /// The model.
        model: String,
        /// What was asked for.
        name: String,
        /// The parameter most like it.
        nearest: Option<String>,
        /// All parameters.
        known: Vec<String>,
    },
    /// A value outside its interval.
    #[error("parameter `{name}` of model `{model}` is {value}, outside its interval [{lowest}, {highest}]")]
    Value {
        /// The model.
        model: String,
        /// The parameter.
        name: String,
        /// The value.
        value: f64,
        /// The interval's lower end.
        lowest: f64,
        /// The interval's upper end.
        highest: f64,
    },
    /// A parameter that is neither started nor fixed and has no default.
    #[error("model `{model}`: parameter `{name}` has no default: give it a value under [start] or [fixed]")]
    NoValue {
        /// The model.
        model: String,
        /// The parameter.
        name: String,
    },
    /// Nothing to fit.
    #[error("model `{model}`: every parameter is fixed, so there is nothing to fit")]
    Nothing {
        /// The model.
        model: String,
    },
}

/// The fitted parameters of a model, the values of the others, and its covariates.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The fitted ones, in the order of the model's declarations: θ.
    pub unknowns: Vec<Unknown>,
    /// Where they stand in the model's list.
    pub places: Vec<usize>,
    /// All parameters, the fitted ones at any value.
    pub all: Vec<f64>,
    /// The data per site that the model's rules read.
    pub covariates: Covariates,
}

impl Fitted {
    /// Fixes the named parameters; the others are fitted.
    ///
    /// # Errors
    /// [`UnknownsError`] for an unknown name, a value outside its interval, or nothing left to fit.
    pub fn new(model: &Model, fixed: &[(String, f64)]) -> Result<Fitted, UnknownsError> {
        let parameters = &model.declarations().parameters;
        let name = model.name().to_string();
        for (fixed_name, value) in fixed {
            check(model, fixed_name, *value)?;
        }
        let mut fitted = Fitted {
            unknowns: Vec::new(),
            places: Vec::new(),
            all: Vec::new(),
            covariates: Covariates::new(),
        };
        for (place, parameter) in parameters.iter().enumerate() {
            match fixed.iter().find(|(n, _)| *n == parameter.name) {
                Some((_, value)) => fitted.all.push(*value),
                None => {
                    fitted.unknowns.push(Unknown::scalar(&parameter.name, parameter.interval));
                    fitted.places.push(place);
                    fitted.all.push(parameter.default.unwrap_or(f64::NAN));
                }
            }
        }
        if fitted.unknowns.is_empty() {
            return Err(UnknownsError::Nothing { model: name });
        }
        Ok(fitted)
    }

    /// The same with these covariates, one for each that the model declares.
    pub fn with_covariates(mut self, covariates: Covariates) -> Fitted {
        self.covariates = covariates;
        self
    }

    /// One replicate of `steps` steps with the model's covariates; `parameters` are all of the model's.
    pub fn run<'a>(&self, parameters: &'a [f64], steps: usize) -> Run<'a> {
        let wanted = Some(self.places.clone());
        Run { fields: self.covariates.clone(), wanted, ..Run::new(parameters, steps) }
    }

    /// θ at the start: the named values, or the parameters' defaults.
    ///
    /// # Errors
    /// [`UnknownsError`] for an unknown name, a value outside its interval, or a parameter without value.
    pub fn start(&self, model: &Model, start: &[(String, f64)]) -> Result<Vec<f64>, UnknownsError> {
        for (name, value) in start {
            check(model, name, *value)?;
        }
        let value = |(unknown, place): (&Unknown, &usize)| {
            let given = start.iter().find(|(n, _)| *n == unknown.name).map(|(_, v)| *v);
            given.or(Some(self.all[*place]).filter(|v| v.is_finite())).ok_or_else(|| UnknownsError::NoValue {
                model: model.name().to_string(),
                name: unknown.name.clone(),
            })
        };
        self.unknowns.iter().zip(&self.places).map(value).collect()
    }

    /// All parameters of the model at θ.
    pub fn parameters(&self, theta: &[f64]) -> Vec<f64> {
        let mut all = self.all.clone();
        for (place, value) in self.places.iter().zip(theta) {
            all[*place] = *value;
        }
        all
    }

    /// The part of a gradient by all parameters that belongs to θ.
    pub fn gradient(&self, all: &[f64]) -> Vec<f64> {
        self.places.iter().map(|place| all[*place]).collect()
    }
}

/// Checks a named value of a parameter.
///
/// # Errors
/// [`UnknownsError`] for an unknown name or a value outside its interval.
pub fn check(model: &Model, name: &str, value: f64) -> Result<usize, UnknownsError> {
    let parameters = &model.declarations().parameters;
    let place = parameters.iter().position(|p| p.name == name).ok_or_else(|| UnknownsError::Name {
        model: model.name().to_string(),
        name: name.to_string(),
        nearest: nearest_name(name, parameters.iter().map(|p| p.name.as_str())),
        known: parameters.iter().map(|p| p.name.clone()).collect(),
    })?;
    let interval = parameters[place].interval;
    if !interval.contains(value) {
        return Err(UnknownsError::Value {
            model: model.name().to_string(),
            name: name.to_string(),
            value,
            lowest: interval.lowest,
            highest: interval.highest,
        });
    }
    Ok(place)
}
