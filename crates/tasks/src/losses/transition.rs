//! Measures how far one simulated step is from the observed one.
//!
//! | name | formula, mean over the batch | note |
//! |---|---|---|
//! | `pixel` | mean over sites of Σ over layers (x̂ − x)² | |
//! | `count` | Σ over layers (Σ over sites x̂ − Σ over sites x)² | |
//!
//! x̂ is simulated from the observed state before, x observed. Neither is a proper score of the *draws*: E(x̂ − x)² is least at
//! probabilities of 0 or 1. What is followed is the loss of the means, (E x̂ − x)², for `pixel` the Brier score. Over one step
//! straight-through and its like do that by themselves, as their derivative of x̂ is that of its mean. Else the loss is
//! linearised at other rollouts x̂′: Σ over layers and sites of ∂loss/∂x̂′ · x̂, whose gradient by an unbiased estimator is that of
//! the loss of the means, and 0 in the mean where x̂ and x have one law, whatever the estimator takes the derivative of x̂ to be.
//!
//! Reference: Schering, Keemink & Textor 2023; Brier 1950 for the score.

use glauber_program::{Model, ModelError, Program, Scope, nearest_name};

/// One loss of the list.
#[derive(Clone, Copy)]
pub struct TransitionLoss {
    /// Its name, as in a fit file.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// A learning rate that suits plain gradient descent on it.
    pub usual_rate: f64,
    trace: fn(&Scope, &[String]),
    slopes: fn(&[Vec<f64>], &[Vec<f64>]) -> (f64, Vec<Vec<f64>>),
}

/// Every loss. To add one: a function below, and a line here.
pub const TRANSITION_LOSSES: &[TransitionLoss] = &[
    TransitionLoss {
        name: "pixel",
        summary: "mean squared error per site",
        usual_rate: 2.0,
        trace: pixel,
        slopes: pixel_slopes,
    },
    TransitionLoss {
        name: "count",
        summary: "squared error of the number of sites",
        usual_rate: 1e-7,
        trace: count,
        slopes: count_slopes,
    },
];

/// The name under which a layer's observed next values are given.
pub fn observed(layer: &str) -> String {
    format!("observed {layer}")
}

/// The name under which the derivative of the loss by a layer's values is given.
pub fn slope(layer: &str) -> String {
    format!("slope of {layer}")
}

/// The observation whose only output is the loss of one replicate, linearised: Σ over layers and sites of slope · value.
///
/// # Errors
/// [`ModelError`] as in [`Model::observe`].
pub fn linearised(model: &Model) -> Result<Program, ModelError> {
    let layers: Vec<String> = model.declarations().layers.iter().map(|l| l.name.clone()).collect();
    model.observe(|s| {
        let product = |layer: &String| (s.layer(layer) * s.data(&slope(layer))).sum();
        let total = layers.iter().fold(s.number(0.0), |sum, layer| sum + product(layer));
        s.output("linear", total);
    })
}

impl TransitionLoss {
    /// The loss of this name, or the name most like it.
    ///
    /// # Errors
    /// The nearest right name, where one is like it.
    pub fn named(name: &str) -> Result<TransitionLoss, Option<String>> {
        let found = TRANSITION_LOSSES.iter().find(|l| l.name == name);
        found.copied().ok_or_else(|| nearest_name(name, TRANSITION_LOSSES.iter().map(|l| l.name)))
    }

    /// The observation whose only output is the loss of one replicate.
    ///
    /// # Errors
    /// [`ModelError`] as in [`Model::observe`].
    pub fn observation(&self, model: &Model) -> Result<Program, ModelError> {
        let layers: Vec<String> = model.declarations().layers.iter().map(|l| l.name.clone()).collect();
        model.observe(|s| (self.trace)(s, &layers))
    }

    /// The loss of a simulated state against the observed one, and its derivative by every simulated value; each state
    /// one dense field per layer.
    pub fn slopes(&self, simulated: &[Vec<f64>], seen: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
        (self.slopes)(simulated, seen)
    }
}

fn pixel(s: &Scope, layers: &[String]) {
    let mut total = s.number(0.0);
    for layer in layers {
        let error = s.layer(layer) - s.data(&observed(layer));
        total = total + (error * error).mean();
    }
    s.output("loss", total);
}

fn count(s: &Scope, layers: &[String]) {
    let mut total = s.number(0.0);
    for layer in layers {
        let error = s.layer(layer).sum() - s.data(&observed(layer)).sum();
        total = total + error * error;
    }
    s.output("loss", total);
}

fn pixel_slopes(simulated: &[Vec<f64>], seen: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
    let mut loss = 0.0;
    let layer = |(x, y): (&Vec<f64>, &Vec<f64>)| {
        let sites = x.len() as f64;
        let errors: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
        loss += errors.iter().map(|e| e * e).sum::<f64>() / sites;
        errors.into_iter().map(|e| 2.0 * e / sites).collect()
    };
    let slopes = simulated.iter().zip(seen).map(layer).collect();
    (loss, slopes)
}

fn count_slopes(simulated: &[Vec<f64>], seen: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
    let mut loss = 0.0;
    let layer = |(x, y): (&Vec<f64>, &Vec<f64>)| {
        let error = x.iter().sum::<f64>() - y.iter().sum::<f64>();
        loss += error * error;
        vec![2.0 * error; x.len()]
    };
    let slopes = simulated.iter().zip(seen).map(layer).collect();
    (loss, slopes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use glauber_engine::{FieldData, LossValue, Options, Plan, Precision, Run};
    use glauber_program::estimators::StraightThrough;

    /// The slopes are those of the traced loss: its derivative by the state it is taken of.
    #[test]
    fn slopes_are_those_of_the_traced_loss() {
        let model = glauber_models::named(
            "malevanets-kapral",
            &glauber_models::ModelOptions::none().with("shape", vec![3.0, 4.0]),
        )
        .unwrap();
        let field = |shift: usize| -> Vec<Vec<f64>> {
            (0..2).map(|layer| (0..12).map(|i| ((i * 7 + layer * 3 + shift) % 11) as f64).collect()).collect()
        };
        let (simulated, seen) = (field(0), field(4));
        for loss in TRANSITION_LOSSES {
            let observation = loss.observation(&model).unwrap();
            let options = Options { precision: Precision::Double, ..Options::default() };
            let plan = Plan::new(&model, &[observation.into()], Some(&StraightThrough), options).unwrap();
            let theta: Vec<f64> = model.declarations().parameters.iter().map(|_| 0.5).collect();
            let start = simulated.iter().map(|l| FieldData::shared(l.clone())).collect();
            let mut run = Run::new(&theta, 0).start(start).observe(0, 0);
            for (layer, values) in model.declarations().layers.iter().zip(&seen) {
                run = run.with_field(&observed(&layer.name), FieldData::shared(values.clone()));
            }
            run.wants_start_gradient = true;
            let traced = plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] }).unwrap();
            let (value, slopes) = loss.slopes(&simulated, &seen);
            assert!((value - traced.value).abs() < 1e-12 * value, "{}: {value} {}", loss.name, traced.value);
            for (own, other) in slopes.iter().flatten().zip(traced.start[0].iter().flatten()) {
                assert!((own - other).abs() < 1e-12 * (1.0 + own.abs()), "{}: {own} {other}", loss.name);
            }
        }
    }
}
