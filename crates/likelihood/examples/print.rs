//! Prints the susceptible–infected model and its adjoint.
#![allow(clippy::print_stdout)]
use glauber_lattice::{Lattice, Moore, Values};
use glauber_likelihood::log_likelihood;
use glauber_program::estimators::{GumbelSoftmax, StraightThrough};
use glauber_program::{Interval, Model, ModelError, differentiate};

fn main() -> Result<(), ModelError> {
    let si = Model::build("susceptible-infected", Lattice::square(64).periodic())
        .layer("aware", Values::binary())
        .parameter("beta", Interval::unit())
        .step(|s| {
            let aware = s.layer("aware");
            let exposure = aware.neighbours(Moore).sum();
            let learns = 1.0 - (1.0 - s.parameter("beta")).pow(exposure);
            s.next("aware").bernoulli(aware + (1.0 - aware) * learns)
        })?;
    println!("{}", si.step);
    println!("{}", differentiate(&si.step, &StraightThrough));
    println!("{}", differentiate(&si.step, &GumbelSoftmax { temperature: 1.0 }));
    let likelihood = log_likelihood(&si.step)?;
    println!("{likelihood}");
    println!("{}", differentiate(&likelihood, &StraightThrough));
    Ok(())
}
