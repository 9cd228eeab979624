//! Gives the tests objectives whose minimum is known.
#![allow(dead_code)] // each test file uses some of them

use glauber_optimize::objective::{Evaluation, Interval, LogLikelihood, Objective, ObjectiveError, Unknown};

/// ½ Σ cᵢ (θᵢ − tᵢ)², as −ln of a likelihood: its information is diag(c).
pub struct Quadratic {
    pub unknowns: Vec<Unknown>,
    pub curvature: Vec<f64>,
    pub minimum: Vec<f64>,
}

impl Quadratic {
    pub fn new(curvature: &[f64], minimum: &[f64]) -> Quadratic {
        let names = (0..curvature.len()).map(|i| Unknown::scalar(&format!("x{i}"), Interval::any()));
        Quadratic { unknowns: names.collect(), curvature: curvature.to_vec(), minimum: minimum.to_vec() }
    }

    /// One probability.
    pub fn probability(minimum: f64) -> Quadratic {
        Quadratic {
            unknowns: vec![Unknown::scalar("beta", Interval::unit())],
            ..Quadratic::new(&[1.0], &[minimum])
        }
    }

    /// A scalar and a field.
    pub fn with_field(shape: &[usize]) -> Quadratic {
        let unknowns =
            vec![Unknown::scalar("beta", Interval::unit()), Unknown::field("image", Interval::unit(), shape)];
        let length = 1 + shape.iter().product::<usize>();
        let minimum = (0..length).map(|i| (i % 97) as f64 / 96.0).collect();
        Quadratic { unknowns, curvature: vec![1.0; length], minimum }
    }
}

impl Objective for Quadratic {
    fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }

    fn evaluate(&mut self, theta: &[f64], _: u64) -> Result<Evaluation, ObjectiveError> {
        let errors = theta.iter().zip(&self.minimum).map(|(x, t)| x - t);
        let gradient: Vec<f64> = errors.clone().zip(&self.curvature).map(|(e, c)| c * e).collect();
        let value = gradient.iter().zip(errors).map(|(g, e)| 0.5 * g * e).sum();
        Ok(Evaluation { value, gradient })
    }

    fn likelihood(&self) -> Option<LogLikelihood> {
        Some(LogLikelihood { route: "exact", data: 1.0 })
    }
}

/// (1 − x)² + 10 (y − x²)²: a curved valley with its minimum at (1, 1).
pub struct Rosenbrock([Unknown; 2]);

impl Rosenbrock {
    pub fn new() -> Rosenbrock {
        Rosenbrock(["x", "y"].map(|name| Unknown::scalar(name, Interval::any())))
    }
}

impl Objective for Rosenbrock {
    fn unknowns(&self) -> &[Unknown] {
        &self.0
    }

    fn evaluate(&mut self, theta: &[f64], _: u64) -> Result<Evaluation, ObjectiveError> {
        let (x, y) = (theta[0], theta[1]);
        let off = y - x * x;
        let value = (1.0 - x) * (1.0 - x) + 10.0 * off * off;
        Ok(Evaluation { value, gradient: vec![-2.0 * (1.0 - x) - 40.0 * x * off, 20.0 * off] })
    }
}

/// A quadratic about `minimum` seen through noise that is a pure function of the iteration.
pub struct Noisy {
    pub unknowns: Vec<Unknown>,
    pub minimum: Vec<f64>,
    pub noise: f64,
    pub seed: u64,
}

impl Noisy {
    pub fn new(minimum: &[f64], noise: f64, seed: u64) -> Noisy {
        let unknowns = (0..minimum.len()).map(|i| Unknown::scalar(&format!("p{i}"), Interval::unit()));
        Noisy { unknowns: unknowns.collect(), minimum: minimum.to_vec(), noise, seed }
    }
}

impl Objective for Noisy {
    fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }

    fn evaluate(&mut self, theta: &[f64], iteration: u64) -> Result<Evaluation, ObjectiveError> {
        let mut draws = Draws::new(self.seed, iteration);
        let errors: Vec<f64> = theta.iter().zip(&self.minimum).map(|(x, t)| x - t).collect();
        let gradient = errors.iter().map(|e| e + self.noise * draws.symmetric()).collect();
        let value = errors.iter().map(|e| 0.5 * e * e).sum::<f64>() + self.noise * draws.symmetric();
        Ok(Evaluation { value, gradient })
    }
}

/// Uniform numbers, SplitMix64 (Steele, Lea & Flood 2014).
pub struct Draws(u64);

impl Draws {
    pub fn new(seed: u64, stream: u64) -> Draws {
        let mut draws = Draws(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        draws.next();
        draws
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// In [−√3, √3): mean 0, variance 1.
    pub fn symmetric(&mut self) -> f64 {
        (2.0 * self.unit() - 1.0) * 3f64.sqrt()
    }
}
