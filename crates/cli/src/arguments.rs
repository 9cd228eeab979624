//! Declares what can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Simulate stochastic lattice models and fit them to data by gradients through their randomness.
#[derive(Parser)]
#[command(
    name = "glauber",
    version,
    arg_required_else_help = true,
    after_help = "Begin with:\n  \
    glauber models                                   what there is\n  \
    glauber simulate susceptible-infected --steps 50 --out news.gif\n  \
    glauber fit examples/susceptible-infected.toml   recover a parameter from simulated data\n\n\
    Exit codes: 0 done, 1 the run failed, 2 the input is wrong, 130 interrupted (a checkpoint is left)."
)]
pub struct Arguments {
    /// Print one JSON object on stdout and nothing else there.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// List the models that come with glauber.
    Models,
    /// Print what a model's step says, and how it runs backwards.
    Show(Show),
    /// Run a model forwards and keep its states.
    Simulate(Simulate),
    /// Fit a model to data as a fit file says.
    Fit(Fit),
    /// Compare every gradient estimator with the true gradient.
    Check(Check),
}

#[derive(Args)]
pub struct ModelChoice {
    /// A model of the catalogue (see `glauber models`), or the path of a model file.
    pub model: String,
    /// An option of the model, such as shape=[32,32] or capacity=20; may be repeated.
    #[arg(long = "option", value_name = "NAME=VALUE")]
    pub options: Vec<String>,
}

#[derive(Args)]
#[command(after_help = "Example:\n  glauber show susceptible-infected --adjoint")]
pub struct Show {
    #[command(flatten)]
    pub choice: ModelChoice,
    /// Also print the adjoint: the program that runs the step backwards.
    #[arg(long)]
    pub adjoint: bool,
    /// Under which estimator.
    #[arg(long, default_value = "straight-through")]
    pub estimator: String,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    glauber simulate susceptible-infected --set beta=0.3 --steps 50 --replicates 100 --out runs.npz\n  \
    glauber simulate malevanets-kapral --steps 20000 --every 200 --out film.gif\n  \
    glauber simulate susceptible-infected --steps 20 --out last.png")]
pub struct Simulate {
    #[command(flatten)]
    pub choice: ModelChoice,
    /// A parameter's value; may be repeated. Others keep their defaults.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// How many steps.
    #[arg(long, default_value_t = 50)]
    pub steps: usize,
    /// How many independent realisations.
    #[arg(long, default_value_t = 1)]
    pub replicates: usize,
    /// Keep every n-th state.
    #[arg(long, default_value_t = 1)]
    pub every: usize,
    /// The seed of all noise.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many threads; 0 for all cores. The result does not depend on it.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// Which layer a film or picture shows; the first where nobody says.
    #[arg(long)]
    pub layer: Option<String>,
    /// Where to: .npz (every layer, [replicate, time, …lattice]), .gif (a film of the first realisation) or .png (its
    /// last state).
    #[arg(long)]
    pub out: PathBuf,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    glauber fit examples/susceptible-infected.toml\n  \
    glauber fit my.toml --set data.states=runs.npz --set optimizer.steps=500 --out results\n  \
    glauber fit my.toml --out results --resume     carry on after Ctrl-C")]
pub struct Fit {
    /// The fit file (TOML).
    pub file: PathBuf,
    /// The folder for the results; a new one below `out/` where nobody says.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Override a key of the fit file, such as optimizer.steps=500; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// The seed of all noise; overrides run.seed.
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many threads; 0 for all cores. The result does not depend on it.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Carry on from the checkpoint in the output folder.
    #[arg(long)]
    pub resume: bool,
    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Args)]
#[command(
    after_help = "The objective is the mean of all layers after some steps, the reference its central finite\n\
    difference with common noise.\n\nExample:\n  glauber check susceptible-infected --option shape=[9,9] --set beta=0.1 --steps 2"
)]
pub struct Check {
    #[command(flatten)]
    pub choice: ModelChoice,
    /// A parameter's value; may be repeated. Others keep their defaults.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Steps of the rollout.
    #[arg(long, default_value_t = 3)]
    pub steps: usize,
    /// Realisations per batch; there are 20 batches.
    #[arg(long, default_value_t = 200)]
    pub replicates: usize,
    /// The seed of all noise.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}
