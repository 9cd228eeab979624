//! Runs a model step by step, so that it can be looked at.

use glauber_engine::{Numbers, Observation};
use glauber_lattice::Values;
use glauber_program::{Model, Parameter};
use glauber_tasks::covariates::Covariates;
use glauber_tasks::summaries::{SummaryChoice, observation};
use serde_json::{Value, json};

use crate::knob::Knob;
use crate::observed::Observed;
use crate::plane::{Look, Plane};
use crate::stage::{Curves, Stage, shell};
use crate::walk::{Beginning, Moment, Walk};

/// More states than this are not each given a curve unasked.
const MOST_SHARES: usize = 12;
/// More curves than this are not drawn.
const MOST_CURVES: usize = 64;

/// A model that runs.
pub(crate) struct LatticeStage {
    model: Model,
    notes: Vec<String>,
    rule: String,
    /// The command up to the parameters.
    command: Command,
    knobs: Vec<Knob>,
    looks: Vec<Look>,
    curves: Vec<Curves>,
    observations: Vec<Observation>,
    walk: Walk,
    threads: usize,
    /// Where the run is.
    now: Moment,
    observed: Option<Observed>,
}

/// What simulates the same elsewhere.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// A line of a shell, up to the parameters.
    Shell(String),
    /// A call in Python, of a model that was handed over.
    Python,
}

impl LatticeStage {
    /// A model at its start. `rule` is what its user wrote, `command` what runs it.
    pub(crate) fn new(
        model: Model,
        covariates: Covariates,
        notes: Vec<String>,
        rule: String,
        command: Command,
        threads: usize,
        observed: Option<Observed>,
    ) -> Result<LatticeStage, String> {
        let declarations = model.declarations();
        let knobs = declarations.parameters.iter().map(knob).collect();
        let mut looks: Vec<Look> = declarations.layers.iter().map(Look::of_layer).collect();
        if observed.is_some() {
            let seen: Vec<Look> =
                looks.iter().map(|look| look.clone().named(&format!("{}, observed", look.name))).collect();
            looks.extend(seen);
        }
        let choices = usual(&model);
        let (observations, curves) = observations_of(&model, &choices)?;
        let walk = Walk::new(&model, &observations, covariates, threads)?;
        let mut stage = LatticeStage {
            notes,
            rule,
            command,
            knobs,
            looks,
            curves,
            observations,
            walk,
            threads,
            now: Moment::default(),
            observed,
            model,
        };
        stage.summarise()?;
        stage.restart(1)?;
        Ok(stage)
    }

    fn summarise(&mut self) -> Result<(), String> {
        let parameters: Vec<f64> = self.knobs.iter().map(|k| k.value).collect();
        match &mut self.observed {
            Some(observed) => observed.summarise(&self.walk, &parameters),
            None => Ok(()),
        }
    }

    fn run(&mut self, steps: usize) -> Result<(), String> {
        let parameters: Vec<f64> = self.knobs.iter().map(|k| k.value).collect();
        self.walk.go_on(&mut self.now, &parameters, steps)
    }

    /// The first step, and the state there; none where the model says it.
    fn first(&self) -> (u32, Vec<Vec<f64>>) {
        self.observed.as_ref().map_or((0, Vec::new()), |observed| (observed.first_step(), observed.start()))
    }
}

/// The slider of a parameter: at its default, or where a model says none at the middle of its interval, or near its lower end.
fn knob(parameter: &Parameter) -> Knob {
    let (low, high) = (parameter.interval.lowest, parameter.interval.highest);
    let value = parameter.default.unwrap_or(match (low.is_finite(), high.is_finite()) {
        (true, true) => f64::midpoint(low, high),
        (true, false) => low + 1.0,
        (false, true) => high - 1.0,
        (false, false) => 0.0,
    });
    Knob { name: parameter.name.clone(), low, high, value, unit: parameter.unit.clone() }
}

/// What is drawn where nobody chose: shares of states, means of numbers.
fn usual(model: &Model) -> Vec<String> {
    let mut choices = Vec::new();
    for layer in &model.declarations().layers {
        match &layer.values {
            Values::Categories(names) if names.len() <= MOST_SHARES => {
                choices.extend(names.iter().map(|state| format!("mean({}={state})", layer.name)));
            }
            Values::Categories(_) => {}
            // The medium's share: of labels there is no mean.
            Values::Labels { .. } => choices.push(format!("mean({}=0)", layer.name)),
            _ => choices.push(format!("mean({})", layer.name)),
        }
    }
    choices
}

/// The observations of these summaries, and the curves they make: shares of one layer's states in one plot.
fn observations_of(model: &Model, choices: &[String]) -> Result<(Vec<Observation>, Vec<Curves>), String> {
    let mut observations = Vec::new();
    let mut curves: Vec<Curves> = Vec::new();
    for text in choices {
        let choice: SummaryChoice =
            text.parse().map_err(|error: glauber_tasks::summaries::SummaryError| error.to_string())?;
        let seen = observation(&choice, model).map_err(|error| error.to_string())?;
        let outputs = seen.outputs();
        let share = share_of(model, text);
        match share {
            Some((layer, state, colour)) => {
                let title = format!("shares of {layer}");
                match curves.last_mut().filter(|c| c.title == title) {
                    Some(all) => {
                        all.names.push(state);
                        all.colours.push(colour);
                    }
                    None => curves.push(Curves { title, names: vec![state], colours: vec![colour] }),
                }
            }
            None => curves.push(Curves {
                title: text.clone(),
                colours: vec![None; outputs.len()],
                names: if outputs.len() == 1 { vec![text.clone()] } else { outputs.to_vec() },
            }),
        }
        observations.push(seen);
    }
    let count: usize = curves.iter().map(|c| c.names.len()).sum();
    if count > MOST_CURVES {
        return Err(format!("these are {count} curves: choose at most {MOST_CURVES}"));
    }
    Ok((observations, curves))
}

/// Layer, state and colour of a share of sites, if a summary is one.
fn share_of(model: &Model, text: &str) -> Option<(String, String, Option<u32>)> {
    let (layer, state) = text.strip_prefix("mean(")?.strip_suffix(')')?.split_once('=')?;
    let (layer, state) = (layer.trim(), state.trim());
    let layer = model.declarations().layers.iter().find(|l| l.name == layer)?;
    let Values::Categories(names) = &layer.values else { return None };
    let place = names.iter().position(|name| name == state)?;
    let colour = Look::of_layer(layer).colours.get(place).copied();
    Some((layer.name.clone(), state.to_string(), colour))
}

impl Stage for LatticeStage {
    fn name(&self) -> String {
        self.model.name().to_string()
    }

    fn extent(&self) -> [usize; 3] {
        self.model.declarations().lattice.extent()
    }

    fn words(&self) -> Value {
        let declarations = self.model.declarations();
        let mut notes = self.notes.clone();
        if let Some(observed) = &self.observed {
            let step = observed.first_step();
            notes.push(format!("the model begins with the first state of the first observed run, that of step {step}; beside it stands the last state of that run seen by then"));
        }
        for layer in &declarations.layers {
            if let Values::Categories(names) = &layer.values
                && names.len() > MOST_SHARES
            {
                notes.push(format!(
                    "`{}` has {} states, of which no curves are drawn unasked: write a summary such as mean({}={})",
                    layer.name,
                    names.len(),
                    layer.name,
                    names[1]
                ));
            }
        }
        for parameter in declarations.parameters.iter().filter(|p| p.default.is_none()) {
            notes.push(format!(
                "the model has no usual value of `{}`: it begins within its interval",
                parameter.name
            ));
        }
        let beyond =
            declarations.outside.as_ref().map(|outside| json!(["beyond the edges", outside.to_string()]));
        let applied = self.model.application();
        let application: Vec<Value> =
            beyond.into_iter().chain(applied.iter().map(|(name, words)| json!([name, words]))).collect();
        let layers: Vec<Value> =
            declarations.layers.iter().map(|l| json!([l.name, l.values.to_string()])).collect();
        json!({
            "lattice": declarations.lattice.to_string(),
            "layers": layers,
            "application": application,
            "notes": notes,
            "rule": self.rule,
            "program": self.model.step.to_string(),
        })
    }

    fn knobs(&self) -> &[Knob] {
        &self.knobs
    }

    fn looks(&self) -> Vec<Look> {
        self.looks.clone()
    }

    fn curves(&self) -> &[Curves] {
        &self.curves
    }

    fn watch(&mut self, summaries: &[String]) -> Result<(), String> {
        let usual = if summaries.is_empty() { usual(&self.model) } else { Vec::new() };
        let choices = if summaries.is_empty() { &usual } else { summaries };
        let (observations, curves) = observations_of(&self.model, choices)?;
        let covariates = self.walk.covariates.clone();
        self.walk = Walk::new(&self.model, &observations, covariates, self.threads)?;
        self.observations = observations;
        self.curves = curves;
        self.summarise()?;
        // Of no step: the present state is looked at again.
        self.run(0)
    }

    fn restart(&mut self, seed: u64) -> Result<(), String> {
        let (step, state) = self.first();
        self.now = Moment::at(seed, step, state);
        self.run(0)
    }

    fn set(&mut self, parameter: &str, value: f64) -> Result<(), String> {
        let knob = self.knobs.iter_mut().find(|k| k.name == parameter);
        let knob = knob.ok_or_else(|| format!("there is no parameter `{parameter}`"))?;
        if !(value >= knob.low && value <= knob.high) {
            let (low, high) = (knob.low, knob.high);
            return Err(format!("`{parameter}` cannot be {value}: it lies between {low} and {high}"));
        }
        knob.value = value;
        Ok(())
    }

    fn advance(&mut self, steps: usize) -> Result<(), String> {
        if u64::from(self.now.step) + steps as u64 > u64::from(u32::MAX) {
            return Err("a run has at most 4,294,967,295 steps: restart it".into());
        }
        self.run(steps)
    }

    fn step(&self) -> u64 {
        u64::from(self.now.step)
    }

    fn numbers(&self) -> &[f64] {
        &self.now.numbers
    }

    fn planes(&mut self, slice: usize) -> Vec<Plane> {
        let [depth, height, width] = self.extent();
        let from = slice.min(depth - 1) * height * width;
        let to = from + height * width;
        let shown = |numbers: &Numbers, first: usize| -> Vec<f64> {
            match numbers {
                Numbers::Reals(all) => all[first + from..first + to].to_vec(),
                Numbers::Bytes(all) => all[first + from..first + to].iter().map(|x| f64::from(*x)).collect(),
            }
        };
        let mut planes: Vec<Plane> = self
            .looks
            .iter_mut()
            .zip(&self.now.state)
            .map(|(look, numbers)| look.plane(&shown(numbers, 0)))
            .collect();
        if let Some(observed) = &self.observed {
            let first = observed.by(self.now.step) as usize * observed.states.sites;
            let looks = self.looks[self.now.state.len()..].iter_mut().zip(&observed.states.layers);
            planes.extend(looks.map(|(look, numbers)| look.plane(&shown(numbers, first))));
        }
        planes
    }

    fn at(&self, site: usize) -> Vec<String> {
        let layers = &self.model.declarations().layers;
        let now = layers.iter().zip(&self.now.state).map(|(layer, numbers)| (layer, numbers, site, ""));
        let seen = self.observed.iter().flat_map(|observed| {
            let place = observed.by(self.now.step) as usize * observed.states.sites + site;
            layers
                .iter()
                .zip(&observed.states.layers)
                .map(move |(layer, numbers)| (layer, numbers, place, " (observed)"))
        });
        let is_site = site < self.model.declarations().lattice.sites();
        now.chain(seen)
            .filter(|_| is_site)
            .map(|(layer, numbers, place, which)| {
                let number = numbers.at(place);
                let words = match &layer.values {
                    Values::Categories(names) => {
                        let state = names.get(number as usize).cloned().unwrap_or_else(|| number.to_string());
                        format!("{}: {state}", layer.name)
                    }
                    Values::Real => format!("{}: {number:.6}", layer.name),
                    _ => format!("{}: {number}", layer.name),
                };
                words + which
            })
            .collect()
    }

    fn observed(&self) -> Value {
        self.observed.as_ref().map_or(Value::Null, Observed::described)
    }

    fn beginning(&self) -> Option<Beginning> {
        let (step, state) = self.first();
        Some(Beginning {
            model: self.model.clone(),
            observations: self.observations.clone(),
            covariates: self.walk.covariates.clone(),
            step,
            state,
            knobs: self.knobs.clone(),
            curves: self.curves.iter().map(|c| c.names.len()).sum(),
        })
    }

    fn farthest(&self) -> u64 {
        let seen = self.observed.as_ref().and_then(|observed| observed.states.steps.last().copied());
        u64::from(seen.unwrap_or(0))
    }

    fn command(&self, steps: u64, seed: u64) -> String {
        let steps = steps.max(1);
        match &self.command {
            Command::Shell(begin) => {
                let set = |k: &Knob| format!(" --set {}", shell(&format!("{}={}", k.name, k.value)));
                let sets: String = self.knobs.iter().map(set).collect();
                format!("{begin}{sets} --steps {steps} --seed {seed} --out run.npz")
            }
            Command::Python => {
                let set = |k: &Knob| format!("{}: {:?}", Value::from(k.name.as_str()), k.value);
                let sets: Vec<String> = self.knobs.iter().map(set).collect();
                format!("glauber.simulate(model, {{{}}}, steps={steps}, seed={seed})", sets.join(", "))
            }
        }
    }
}
