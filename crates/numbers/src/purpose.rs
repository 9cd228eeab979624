//! Lists what random numbers are used for, so that two uses of one seed never share a number.
//!
//! A use of noise that does not simulate with the user's seed itself derives a seed of its own:
//! [`derive_seed`](crate::noise::derive_seed) of the seed, the purpose, and an index within it. To add a use: a line
//! here, with a number of its own (the compiler refuses a number that is taken). Numbers are never changed and never
//! used again: they are part of what a seed means.

/// What noise is used for.
///
/// Simulations alone take the user's seed as it is: `glauber simulate`, the simulated data of a fit file and
/// `glauber.simulate` from Python, which give the same states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Purpose {
    /// The rollouts of a transition fit; by iteration.
    Transition = 1,
    /// The order of a transition fit's pairs; by epoch, and by place within it.
    TransitionOrder = 2,
    /// The rollouts of a trajectory fit; by iteration.
    Trajectory = 3,
    /// The rollouts that give the slopes of a trajectory fit's loss; by iteration.
    TrajectorySlopes = 4,
    /// A test whether a pattern forms; by step of the fit.
    Formation = 5,
    /// The rollouts of a stability fit; by iteration.
    Stability = 6,
    /// The rollouts that give the slopes of a transition fit's loss over several steps; by iteration.
    TransitionSlopes = 7,
    /// The curves that are drawn of a trajectory fit.
    Curves = 8,
    /// Rollouts called from Python, and their gradients.
    Rollout = 9,
    /// Runs from states handed over in Python that do not say how many steps are behind them.
    GivenStart = 12,
    /// What makes lattices of different shapes draw different noise; by length of an axis.
    Lattice = 10,
    /// The comparison of estimators with the true gradient; by batch.
    Check = 11,
    /// The rollouts of a fit of an initial state; by iteration.
    InitialState = 21,
    /// The starts that a fit of an initial state draws; by layer.
    InitialStateStarts = 22,
    /// The rollouts that refine a fitted initial state; by call.
    Refinement = 23,
    /// The trials that say how far a refinement may be trusted; by call.
    RefinementTrials = 24,
    /// Starting sites drawn at random; by layer.
    StartingSites = 31,
    /// The simulations that check a fit of cells, and the parameters that they draw.
    CellsCheck = 41,
    /// The cells that a fit of tracks simulates; by lattice.
    CellTracks = 42,
    /// The coefficients at which a fit of tracks simulates; by simulation.
    CellTracksDesign = 43,
    /// What is done with each experiment of a design; by experiment.
    ObservedExperiment = 61,
    /// The noise of drawn data; by observation.
    ObservedNoise = 62,
    /// The particles of a particle filter; by evaluation.
    ParticleFilter = 63,
    /// Which particles go on; by experiment.
    Resampling = 64,
    /// The simulations of a synthetic likelihood; by evaluation.
    SyntheticLikelihood = 65,
    /// The points of a noisy likelihood around an estimate.
    Surface = 66,
    /// Data sets drawn at an estimate; by data set.
    Bootstrap = 67,
    /// The simulations behind the errors of a trajectory fit.
    Sandwich = 68,
    /// Where the chains of a posterior begin; by chain and trial.
    PosteriorStart = 51,
    /// The moves of a posterior's chains; by chain, and by step within it.
    PosteriorMoves = 52,
    /// The noise of the likelihood along a posterior's chains; by chain, and by step within it.
    PosteriorNoise = 53,
    /// The points of a search without gradients; by round.
    SearchPoints = 0x5ea7_c400,
}
