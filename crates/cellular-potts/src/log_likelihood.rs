//! Makes the exact log-likelihood of movies ready: a function of the unknown coefficients, with its score.
//!
//! For whoever wants more than estimates: profiles, posteriors, comparisons of models. `fit` climbs it.

use crate::coefficients::{Unknown, UnknownError, Weights, theta_of};
use crate::energy::{Acceptance, Energy};
use crate::features::{Counts, Updates};
use crate::labels::Movie;
use crate::likelihood::{Evaluation, Rule, Wanted, evaluate};
use crate::linear::{cholesky, inverse};
use crate::surroundings::PeriodError;

/// Why movies have no likelihood.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LikelihoodError {
    /// What is asked for is not there.
    #[error(transparent)]
    Unknown(#[from] UnknownError),
    /// The lattice does not carry sublattices.
    #[error(transparent)]
    Period(#[from] PeriodError),
    /// No movie.
    #[error("no movie is given")]
    NoMovie,
    /// Lattices of different dimensions.
    #[error("the movies have 2 and 3 axes: those that are fitted together must be alike")]
    Dimensions,
    /// Types beyond the energy's.
    #[error(
        "the movie has a cell of type {movie}, but the energy is for {energy} types of cells: give every type its coefficients"
    )]
    Types {
        /// The highest type of the movie.
        movie: usize,
        /// Types of the energy.
        energy: usize,
    },
    /// A term whose likelihood is not known here.
    #[error("the Act term has no likelihood here: fit without it, or by simulation")]
    Act,
}

/// ln L of movies by their unknown coefficients, under `sublattices`, one step from frame to frame.
///
/// ```
/// use glauber_cellular_potts::{Acceptance, Energy, LogLikelihood, Movie, Unknown};
/// use glauber_lattice::Lattice;
/// // One site of 64 changes from medium to the cell's label.
/// let mut before = vec![0; 64];
/// before[..2].fill(1);
/// let mut after = before.clone();
/// after[2] = 1;
/// let movie = Movie::new(Lattice::square(8), vec![0, 1], vec![before, after])?;
/// let energy = Energy::of_adhesion(1, vec![0.0, 0.3, 0.3, 0.0]);
/// let likelihood =
///     LogLikelihood::new(&[&movie], &energy, Acceptance::Metropolis, &[Unknown::adhesion(0, 1)])?;
/// let (value, score) = likelihood.value_and_score(&[0.3]);
/// assert!(value < 0.0 && score[0] != 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LogLikelihood {
    pub(crate) updates: Updates,
    pub(crate) weights: Weights,
    pub(crate) acceptance: Acceptance,
    given: Vec<f64>,
}

impl LogLikelihood {
    /// Of movies and an energy, of which some coefficients are unknown (or none) and the others stay.
    ///
    /// # Errors
    /// [`LikelihoodError`] where movies, energy and unknowns do not fit together.
    pub fn new(
        movies: &[&Movie],
        energy: &Energy,
        acceptance: Acceptance,
        unknowns: &[Unknown],
    ) -> Result<LogLikelihood, LikelihoodError> {
        let kinds = movies.iter().map(|movie| movie.kinds()).max().ok_or(LikelihoodError::NoMovie)?;
        let axes = movies[0].lattice().dimensions();
        if movies.iter().any(|movie| movie.lattice().dimensions() != axes) {
            return Err(LikelihoodError::Dimensions);
        }
        let weights = Weights::new(energy, unknowns)?;
        if kinds > energy.types {
            return Err(LikelihoodError::Types { movie: kinds, energy: energy.types });
        }
        if energy.act.is_some() {
            return Err(LikelihoodError::Act);
        }
        let updates = Updates::new(movies, &weights, energy.connected)?;
        Ok(LogLikelihood { updates, weights, acceptance, given: theta_of(energy, unknowns) })
    }

    /// The unknowns as they are in the energy that was given.
    pub fn given(&self) -> &[f64] {
        &self.given
    }

    /// What updates the movies have.
    pub fn counts(&self) -> &Counts {
        &self.updates.counts
    }

    /// ln L of all updates that are possible; −∞ where θ makes one of them impossible. NaN where θ has not as many
    /// numbers as there are unknowns.
    pub fn value(&self, theta: &[f64]) -> f64 {
        self.value_and_score(theta).0
    }

    /// ln L and its derivatives by θ. Under Metropolis acceptance it has kinks where ΔH = 0; the derivative there is that
    /// from ΔH < 0.
    pub fn value_and_score(&self, theta: &[f64]) -> (f64, Vec<f64>) {
        if theta.len() != self.given.len() {
            return (f64::NAN, vec![f64::NAN; theta.len()]);
        }
        let at = self.at(Rule::exact(self.acceptance), theta, Wanted::Nothing);
        (at.value, at.score)
    }

    /// √ of the diagonal of the inverse expected information at θ: below these standard errors no unbiased estimate from movies that
    /// went through these states can come (Cramér & Rao, the outcomes of every update being those that θ expects). `None` where θ has
    /// not as many numbers as there are unknowns, or the information has no inverse.
    pub fn least_errors(&self, theta: &[f64]) -> Option<Vec<f64>> {
        let n = theta.len();
        if n != self.given.len() {
            return None;
        }
        let information = self.at(Rule::exact(self.acceptance), theta, Wanted::Informations).expected;
        let inverse = inverse(&cholesky(&information, n)?, n);
        Some((0..n).map(|i| inverse[i * n + i].sqrt()).collect())
    }

    /// How many updates θ makes impossible.
    pub(crate) fn never(&self, theta: &[f64]) -> usize {
        self.at(Rule::exact(self.acceptance), theta, Wanted::Nothing).never
    }

    /// ln L with all that a climb needs, by θ.
    pub(crate) fn at(&self, rule: Rule, theta: &[f64], wanted: Wanted) -> Evaluation {
        let by_phi = evaluate(&self.updates, rule, &self.weights.values(theta), wanted);
        let slopes = self.weights.slopes(theta);
        let (wide, n) = (self.weights.products.len(), theta.len());
        let mut score = vec![0.0; n];
        for m in 0..wide {
            for i in 0..n {
                score[i] += slopes[m * n + i] * by_phi.score[m];
            }
        }
        let turned = |matrix: &[f64]| {
            let mut turned = vec![0.0; n * n];
            for (a, b) in (0..wide).flat_map(|a| (0..wide).map(move |b| (a, b))) {
                for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                    turned[i * n + j] += slopes[a * n + i] * matrix[a * wide + b] * slopes[b * n + j];
                }
            }
            turned
        };
        let mut curvature = turned(&by_phi.curvature);
        // A product of two unknowns bends by itself.
        for (m, (i, j)) in self.weights.products.iter().enumerate() {
            if let Some(j) = *j {
                curvature[i * n + j] -= by_phi.score[m];
                curvature[j * n + i] -= by_phi.score[m];
            }
        }
        Evaluation {
            value: by_phi.value,
            never: by_phi.never,
            score,
            outer: turned(&by_phi.outer),
            expected: turned(&by_phi.expected),
            curvature,
        }
    }
}
