//! Holds what a reproduction is asked for.

use std::path::PathBuf;

/// One of the paper's experiments, or what it left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Experiment {
    /// Figure 2: β of susceptible–infected from pairs of successive states.
    Transition,
    /// Figure 3: a persistent random walk from mean squared displacements.
    Trajectory,
    /// Figure 4: images segmented by a Potts energy.
    State,
    /// Figure 5: Malevanets–Kapral patterns that stay.
    Stability,
    /// What the paper left open: the Cellular Potts model, and approximate Bayesian computation.
    Cells,
}

impl Experiment {
    /// All of them, in the paper's order.
    pub const ALL: [Experiment; 5] = [
        Experiment::Transition,
        Experiment::Trajectory,
        Experiment::State,
        Experiment::Stability,
        Experiment::Cells,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Experiment::Transition => "transition",
            Experiment::Trajectory => "trajectory",
            Experiment::State => "state",
            Experiment::Stability => "stability",
            Experiment::Cells => "cells",
        }
    }
}

/// What a reproduction is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which experiments, in this order.
    pub experiments: Vec<Experiment>,
    /// Shortened runs, of which some claims cannot be told.
    pub quick: bool,
    /// The folder for the page, figures, numbers, and the kept results of parts.
    pub out: PathBuf,
    /// The folder with the paper's images (`seadragon.jpg`, `cells.png`, each with its `_mask.png`), or with a folder
    /// `images` that has them.
    pub data: Option<PathBuf>,
    /// The seed of all noise.
    pub seed: u64,
    /// How many seeds each stability fit is run from, at least 1: `seed`, `seed` + 1, …
    pub seeds: u64,
    /// Throw away what an earlier run has kept in the folder.
    pub fresh: bool,
}

impl Settings {
    /// All experiments with the paper's settings, seed 1, one seed for each stability fit.
    pub fn new(out: impl Into<PathBuf>) -> Settings {
        Settings {
            experiments: Experiment::ALL.to_vec(),
            quick: false,
            out: out.into(),
            data: None,
            seed: 1,
            seeds: 1,
            fresh: false,
        }
    }

    /// The same settings with shortened runs.
    pub fn quick(mut self) -> Settings {
        self.quick = true;
        self
    }
}
