//! Prepares a model for running, and runs it: checks what a run is given, and hands it to a backend.

use glauber_program::estimators::MeanField;
use glauber_program::{Bundle, Estimator, Model, Op, Program, Signature, Update};

use crate::cpu::Cpu;
use glauber_backend::EngineError;
use glauber_backend::Observation;
use glauber_backend::differences;
use glauber_backend::{Backend, Ensemble, Options, Prepared};
use glauber_backend::{Gradient, LossValue, Outputs, Recorder, Simulation};
use glauber_backend::{Run, Subject};

/// A model prepared for running.
///
/// ```
/// use glauber_engine::{Options, Plan, Run, Start};
/// use glauber_lattice::{Lattice, Values};
/// use glauber_program::{Interval, Model};
///
/// let coins = Model::build("coins", Lattice::line(1000))
///     .layer("heads", Values::binary())
///     .parameter("p", Interval::unit())
///     .start(|s| s.next("heads").set(0.0))
///     .step(|s| s.next("heads").bernoulli(s.parameter("p")))?;
/// let count = coins.observe(|s| s.output("heads", s.layer("heads").sum()))?;
/// let plan = Plan::new(&coins, &[count.into()], None, Options::default())?;
/// let outputs = plan.simulate(&Run::new(&[0.5], 1).replicates(100).observe(1, 0))?.outputs;
/// assert!((outputs.mean()[0] - 500.0).abs() < 10.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Plan {
    subject: Subject,
    update: Update,
    options: Options,
    has_adjoints: bool,
    /// What is to be known of its gradients.
    notes: Vec<String>,
    /// Whether gradients are differences of runs.
    by_differences: bool,
    /// Why there never are any, where that is so.
    no_way_back: Option<EngineError>,
    prepared: Box<dyn Prepared>,
}

impl Plan {
    /// Compiles a model with observations; with an estimator, for gradients too.
    ///
    /// # Errors
    /// [`EngineError::Threads`] where the threads asked for cannot be started; [`EngineError::Simd`] where `GLAUBER_SIMD`
    /// asks for vector instructions that are not there; [`EngineError::Foreign`] for an observation of another model;
    /// [`EngineError::NoMean`] for mean-field of labels or of three or more named states;
    /// [`EngineError::NoWayBack`] for an estimator other than differences where sites are updated one after another.
    pub fn new(
        model: &Model,
        observations: &[Observation],
        estimator: Option<&dyn Estimator>,
        options: Options,
    ) -> Result<Plan, EngineError> {
        let programs: Vec<Option<&Program>> = observations.iter().map(Observation::program).collect();
        let foreign = |p: &&Program| !p.speaks_as(&model.step);
        if let Some(number) = programs.iter().position(|p| p.as_ref().is_some_and(foreign)) {
            let other = programs[number].map_or_else(String::new, |p| p.declarations().model.clone());
            return Err(EngineError::Foreign { model: model.name().to_string(), number, other });
        }
        let by_differences = estimator.is_some_and(|e| e.by_differences());
        if estimator.is_some() && !by_differences && model.update().is_by_events() {
            return Err(EngineError::no_way_back(model));
        }
        let meanless =
            model.declarations().layers.iter().find(|layer| layer.is_labels() || layer.is_nominal());
        if let (Some(layer), Some(true)) = (meanless, estimator.map(|e| e.name() == MeanField.name())) {
            let (model, labels) = (model.name().to_string(), layer.is_labels());
            return Err(EngineError::NoMean { model, layer: layer.name.clone(), labels });
        }
        let bundle = Bundle::new(model, &programs, estimator);
        let subject = Subject {
            signature: model.signature().clone(),
            has_start: bundle.start.is_some(),
            reads_targets: bundle.observed.iter().map(|o| o.as_ref().is_some_and(reads_targets)).collect(),
        };
        let has_adjoints = bundle.adjoints.is_some();
        let cone = bundle.adjoints.as_ref().and_then(|a| a.cone.as_ref());
        let mut notes = cone.map_or_else(Vec::new, |cone| cone.notes());
        if cone.is_some() && observations.iter().any(|o| o.program().is_none()) {
            notes.push("light-cone: a summary that is no program has no terms of single sites".into());
        }
        let no_way_back = model.update().is_by_events().then(|| EngineError::no_way_back(model));
        let backend: &dyn Backend = options.backend.map_or(&Cpu, |named| named.0);
        let prepared = backend.prepare(bundle, observations, &options)?;
        Ok(Plan {
            subject,
            update: model.update().clone(),
            options,
            has_adjoints,
            notes,
            by_differences,
            no_way_back,
            prepared,
        })
    }

    /// What the model speaks of.
    pub fn declarations(&self) -> &Signature {
        &self.subject.signature
    }

    /// What is to be known of its gradients: where a light cone is the whole lattice.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// When its rule is applied to which sites.
    pub fn update(&self) -> &Update {
        &self.update
    }

    /// How the plan runs.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Bytes that one state of one replicate takes in the history.
    pub fn bytes_per_state(&self) -> usize {
        self.prepared.bytes_per_state()
    }

    /// Runs forwards.
    ///
    /// # Errors
    /// [`EngineError`] where the run does not fit the model, or a rule leaves a layer's range or the probabilities' interval.
    pub fn simulate(&self, run: &Run<'_>) -> Result<Simulation, EngineError> {
        self.simulate_recorded(run, None)
    }

    /// Replicates that stay where they are run, for runs that start as this one; nothing where the backend keeps none.
    ///
    /// # Errors
    /// As [`Plan::simulate`], where the run does not fit the model.
    pub fn ensemble(&self, run: &Run<'_>) -> Result<Option<Box<dyn Ensemble + '_>>, EngineError> {
        run.check(&self.subject)?;
        Ok(self.prepared.ensemble())
    }

    /// Runs forwards for what is observed alone: last states are neither copied out nor sent from worker to worker.
    ///
    /// # Errors
    /// As [`Plan::simulate`].
    pub fn outputs(&self, run: &Run<'_>) -> Result<Outputs, EngineError> {
        Ok(self.simulate(&run.clone().without_last())?.outputs)
    }

    /// Runs forwards, showing states to a recorder.
    ///
    /// # Errors
    /// As [`Plan::simulate`].
    pub fn simulate_recorded(
        &self,
        run: &Run<'_>,
        recorder: Option<&dyn Recorder>,
    ) -> Result<Simulation, EngineError> {
        run.check(&self.subject)?;
        self.prepared.simulate(run, recorder)
    }

    /// Runs forwards and backwards: the gradient of a loss of the mean outputs.
    ///
    /// # Errors
    /// As [`Plan::simulate`]; [`EngineError::Memory`] where no checkpointing fits the memory allowed;
    /// [`EngineError::NoEstimator`] where the plan was made without one; [`EngineError::NoWayBack`] where sites are updated one
    /// after another; [`EngineError::NoDifferences`] where differences are asked for a derivative that they have not.
    pub fn gradient(
        &self,
        run: &Run<'_>,
        loss: &(dyn Fn(&[f64]) -> LossValue + Sync),
    ) -> Result<Gradient, EngineError> {
        run.check(&self.subject)?;
        if self.by_differences {
            let subject = (&self.subject.signature, self.update.is_by_events());
            return differences::gradient(&*self.prepared, subject, run, loss);
        }
        if !self.has_adjoints {
            let none = EngineError::NoEstimator { model: self.subject.signature.model.clone() };
            return Err(self.no_way_back.clone().unwrap_or(none));
        }
        self.prepared.gradient(run, loss)
    }
}

/// Whether a program reads the observed next state.
fn reads_targets(program: &Program) -> bool {
    program.instructions().iter().any(|i| matches!(i.op, Op::Target(_)))
}
