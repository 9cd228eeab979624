//! Builds a model: declarations, how it starts, what a step does. Everything is checked when the model is built.

use glauber_lattice::{Lattice, Overlap, Values};
use serde::Serialize;

use crate::colour::Colour;
use crate::declarations::{Declarations, Field, FieldKind, Interval, Layer, Parameter, Signature};
use crate::error::{ModelError, unknown};
use crate::op::{Op, Place};
use crate::program::Program;
use crate::scheme;
use crate::trace::{Scope, Stage};
use crate::update::{IDLE_CHOICES, Update};

/// A stochastic lattice model: its declarations, its start and its step, each traced once into a program.
///
/// ```
/// use glauber_lattice::{Lattice, Moore, Values};
/// use glauber_program::{Interval, Model};
///
/// let si = Model::build("susceptible-infected", Lattice::square(64).periodic())
///     .layer("aware", Values::binary())
///     .parameter("beta", Interval::unit())
///     .step(|s| {
///         let aware = s.layer("aware");
///         let exposure = aware.neighbours(Moore).sum();
///         let learns = 1.0 - (1.0 - s.parameter("beta")).pow(exposure);
///         s.next("aware").bernoulli(aware + (1.0 - aware) * learns)
///     })?;
/// assert_eq!(si.step.declarations().draws, ["aware"]);
/// # Ok::<(), glauber_program::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Model {
    /// How a lattice starts where nobody gives one; reads no layers.
    pub start: Option<Program>,
    /// One step.
    pub step: Program,
}

impl Model {
    /// Begins a model of this name on a lattice.
    pub fn build(name: &str, lattice: Lattice) -> ModelBuilder {
        let signature = Signature::new(name, lattice);
        let mut builder = ModelBuilder { signature, update: Update::Synchronous, start: None, error: None };
        builder.check_name("model", name);
        builder
    }

    /// What the model speaks of: what its start, its step and what observes it have in common.
    pub fn signature(&self) -> &Signature {
        &self.step.declarations.signature
    }

    /// What its step refers to by number.
    pub fn declarations(&self) -> &Declarations {
        &self.step.declarations
    }

    /// When the rule is applied to which sites.
    pub fn update(&self) -> &Update {
        &self.step.declarations.update
    }

    /// The same rule under another update scheme. A rule for agents stays one ([`Update::replaced`]); choices that have no
    /// effect under the other scheme are said in [`Model::notes`].
    ///
    /// # Errors
    /// [`ModelError::Scheme`] where the rule cannot be applied so.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Values, VonNeumann};
    /// # use glauber_program::{Model, Update};
    /// let voter = Model::build("voter", Lattice::square(8))
    ///     .layer("opinion", Values::binary())
    ///     .step(|s| s.next("opinion").bernoulli(s.layer("opinion").neighbours(VonNeumann).mean()))?;
    /// let one_by_one = voter.updated("random-sequential".parse().unwrap_or_default())?;
    /// assert!(one_by_one.update().is_by_events());
    /// assert!(voter.updated(Update::ContinuousTime).is_err()); // it states no rates
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn updated(&self, update: Update) -> Result<Model, ModelError> {
        let mut model = self.clone();
        let (asked, own) = (update.name(), self.name().to_string());
        let (update, note) = self.update().replaced(update).map_err(|why| ModelError::Scheme {
            model: own,
            update: asked,
            why,
        })?;
        let declarations = &mut model.step.declarations;
        declarations.update = update;
        let notes = &mut declarations.signature.notes;
        notes.retain(|said| !said.starts_with(IDLE_CHOICES));
        notes.extend(note);
        scheme::check(&model.step)?;
        Ok(model)
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.signature().model
    }

    /// The place of a parameter.
    ///
    /// # Errors
    /// [`ModelError::UnknownName`] with the nearest right name.
    pub fn parameter(&self, name: &str) -> Result<usize, ModelError> {
        let parameters = &self.signature().parameters;
        let place = parameters.iter().position(|p| p.name == name);
        place.ok_or_else(|| {
            unknown(self.name(), "parameter", name, parameters.iter().map(|p| p.name.as_str()))
        })
    }

    /// The place of a layer.
    ///
    /// # Errors
    /// [`ModelError::UnknownName`] with the nearest right name.
    pub fn layer(&self, name: &str) -> Result<usize, ModelError> {
        let layers = &self.signature().layers;
        let place = layers.iter().position(|p| p.name == name);
        place.ok_or_else(|| unknown(self.name(), "layer", name, layers.iter().map(|p| p.name.as_str())))
    }

    /// What a reader must know of the model as it stands: what was assumed of it, and neighbourhoods that count a site twice
    /// on a small lattice.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Moore, Values};
    /// # use glauber_program::Model;
    /// # let lattice = Lattice::new(&[2, 8]).map_err(|e| e.to_string())?;
    /// let ladder = Model::build("ladder", lattice)
    ///     .layer("on", Values::binary())
    ///     .step(|s| s.next("on").bernoulli(s.layer("on").neighbours(Moore).mean()))
    ///     .map_err(|e| e.to_string())?;
    /// assert!(ladder.notes()[0].contains("counts twice"));
    /// # Ok::<(), String>(())
    /// ```
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.signature().notes.clone();
        if *self.update() == Update::ContinuousTime {
            let changed = scheme::changed_without_event(&self.step);
            if !changed.is_empty() {
                let layers: Vec<String> = changed.iter().map(|name| format!("`{name}`")).collect();
                notes.push(format!(
                    "the rule may change {} also where no transition happens, at a pace that no rate says: let every change \
                     depend on which transition it is (event == 0, …)",
                    layers.join(", ")
                ));
            }
        }
        notes.extend(scheme::around_the_lattice(&self.step));
        for program in self.start.iter().chain([&self.step]) {
            let declarations = &program.declarations;
            let lattice = &declarations.lattice;
            for instruction in &program.instructions {
                let (Op::NeighbourSum { neighbourhood: n, .. }
                | Op::There { place: Place::Neighbour { offsets: n, .. }, .. }
                | Op::Put { place: Place::Neighbour { offsets: n, .. }, .. }) = instruction.op
                else {
                    continue;
                };
                let own = &declarations.neighbourhoods[n as usize];
                let Some(Overlap::Twice(one, other)) = own.overlap(lattice) else { continue };
                let apart = one.iter().zip(&other).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
                let [one, other] = [one, other].map(|o| format!("{:?}", &o[3 - lattice.dimensions()..]));
                let note = format!(
                    "on a lattice of {lattice} the neighbours at offsets {one} and {other} are the same site, which \
                     counts twice; where that is not meant, choose lengths of {} or more, or another boundary",
                    apart + 1
                );
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        notes
    }

    /// Traces an observation: a program that takes numbers per replicate from a state.
    ///
    /// # Errors
    /// The first mistake of the tracing.
    pub fn observe<T>(&self, trace: impl FnOnce(&Scope) -> T) -> Result<Program, ModelError> {
        let scope = Scope::open(Declarations::new(self.signature().clone()), Stage::Observation);
        trace(&scope);
        scope.close()
    }
}

/// A model being declared; see [`Model::build`].
#[derive(Clone, Debug)]
pub struct ModelBuilder {
    signature: Signature,
    update: Update,
    start: Option<Program>,
    error: Option<ModelError>,
}

impl ModelBuilder {
    /// Declares a layer.
    pub fn layer(mut self, name: &str, values: Values) -> ModelBuilder {
        self.check_name("layer", name);
        if let Values::Categories(names) = &values {
            for (place, state) in names.iter().enumerate() {
                self.check_name("state", state);
                if names[..place].contains(state) {
                    self.duplicate("state", state);
                }
            }
        }
        if self.signature.layers.iter().any(|l| l.name == name) {
            self.duplicate("layer", name);
        }
        self.signature.layers.push(Layer::new(name, values));
        self
    }

    /// Says what a layer is beyond the lattice's fixed edges, where it is not the number of the lattice
    /// ([`glauber_lattice::Boundary::Fixed`]). Along axes without fixed edges it means nothing.
    ///
    /// ```
    /// use glauber_lattice::{Lattice, Values, VonNeumann};
    /// use glauber_program::Model;
    /// // Beyond the edges there is a wall, and no water.
    /// let seeping = Model::build("seeping", Lattice::square(8).fixed(0.0))
    ///     .layer("wall", Values::binary())
    ///     .layer("water", Values::binary())
    ///     .edge("wall", 1.0)
    ///     .step(|s| {
    ///         let open = (1.0 - s.layer("wall")).neighbours(VonNeumann).sum(); // of four, none beyond the edges
    ///         s.next("wall").set(s.layer("wall"));
    ///         s.next("water").set(open.at_least(2.0));
    ///     })?;
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn edge(mut self, layer: &str, value: f64) -> ModelBuilder {
        let model = self.signature.model.clone();
        match self.signature.layers.iter_mut().find(|own| own.name == layer) {
            None => {
                let known = self.signature.layers.iter().map(|own| own.name.as_str());
                let error = crate::error::unknown(&model, "layer", layer, known);
                self.error.get_or_insert(error);
            }
            Some(own) => {
                let (lowest, highest) = own.values.range();
                let whole = !own.values.is_integer() || value.fract().abs() <= 0.0;
                if !value.is_finite() || value < lowest || value > highest || !whole {
                    let (layer, values) = (layer.to_string(), own.values.to_string());
                    self.error.get_or_insert(ModelError::Edge { model, layer, values, value });
                }
                own.edge = Some(value);
            }
        }
        let said = |own: &Layer| own.edge.map(|value| format!("{} = {value}", own.name));
        let words: Vec<String> = self.signature.layers.iter().filter_map(said).collect();
        self.outside(&words.join(", "))
    }

    /// Says what the states of the layer declared last are drawn in, by number: those of a binary layer or of named states.
    ///
    /// ```
    /// use glauber_lattice::{Lattice, Values};
    /// use glauber_program::{Colour, Model};
    /// let fire = Model::build("fire", Lattice::square(8).periodic())
    ///     .layer("state", Values::categories(&["tree", "burning", "burnt"]))
    ///     .colours(&[Some(Colour::hex(0xa8d08d)), Some(Colour::hex(0xd7301f)), None])
    ///     .step(|s| s.next("state").set(s.layer("state")))?;
    /// assert_eq!(fire.declarations().layers[0].colour(1), Some(Colour::hex(0xd7301f)));
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn colours(mut self, colours: &[Option<Colour>]) -> ModelBuilder {
        let model = self.signature.model.clone();
        let Some(layer) = self.signature.layers.last_mut() else {
            self.error.get_or_insert(ModelError::Colours {
                model,
                layer: "none yet".into(),
                states: 0,
                found: colours.len(),
            });
            return self;
        };
        let states = match &layer.values {
            Values::Binary => 2,
            Values::Categories(names) => names.len(),
            Values::Integers { .. } | Values::Real | Values::Labels { .. } => 0,
        };
        if colours.len() > states {
            let (layer, found) = (layer.name.clone(), colours.len());
            self.error.get_or_insert(ModelError::Colours { model, layer, states, found });
            return self;
        }
        layer.colours = colours.to_vec();
        let named = |place: usize| match &layer.values {
            Values::Categories(names) => names[place].clone(),
            _ => place.to_string(),
        };
        for (other, colour) in colours.iter().enumerate().filter_map(|(i, c)| Some((i, (*c)?))) {
            if let Some(one) = colours[..other].iter().position(|own| *own == Some(colour)) {
                let (layer, one, other) = (layer.name.clone(), named(one), named(other));
                let colour = colour.to_string();
                self.error.get_or_insert(ModelError::SameColour { model, layer, one, other, colour });
                break;
            }
        }
        self
    }

    /// Declares a parameter without a default.
    pub fn parameter(self, name: &str, interval: Interval) -> ModelBuilder {
        self.add_parameter(Parameter { name: name.to_string(), interval, default: None, unit: None })
    }

    /// Declares a parameter with the value it has where nobody says another.
    pub fn parameter_or(self, name: &str, interval: Interval, default: f64) -> ModelBuilder {
        let default = Some(default);
        self.add_parameter(Parameter { name: name.to_string(), interval, default, unit: None })
    }

    /// Says what the parameter that was declared last is measured in: it is shown beside it, and has no effect.
    ///
    /// ```
    /// use glauber_lattice::{Lattice, Values};
    /// use glauber_program::{Interval, Model};
    /// let model = Model::build("decay", Lattice::line(8))
    ///     .layer("alive", Values::binary())
    ///     .parameter("rate", Interval::unit())
    ///     .unit("per day")
    ///     .step(|s| s.next("alive").bernoulli(s.parameter("rate")))?;
    /// assert_eq!(model.declarations().parameters[0].unit.as_deref(), Some("per day"));
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn unit(mut self, unit: &str) -> ModelBuilder {
        if let Some(parameter) = self.signature.parameters.last_mut() {
            parameter.unit = Some(unit.to_string()).filter(|unit| !unit.trim().is_empty());
        }
        self
    }

    fn add_parameter(mut self, parameter: Parameter) -> ModelBuilder {
        let Interval { lowest, highest } = parameter.interval;
        self.check_name("parameter", &parameter.name);
        if self.signature.parameters.iter().any(|p| p.name == parameter.name) {
            self.duplicate("parameter", &parameter.name);
        }
        if lowest.is_nan() || highest.is_nan() || lowest >= highest {
            let model = self.signature.model.clone();
            let name = parameter.name.clone();
            self.error.get_or_insert(ModelError::EmptyInterval { model, name, lowest, highest });
        }
        self.signature.parameters.push(parameter);
        self
    }

    /// Has a reader told of something, by [`Model::notes`].
    pub fn note(mut self, words: &str) -> ModelBuilder {
        self.signature.notes.push(words.to_string());
        self
    }

    /// Says what stands beyond fixed edges where the rule works it in, the lattice's own being 0.
    pub fn outside(mut self, words: &str) -> ModelBuilder {
        self.signature.outside = Some(words.to_string());
        self
    }

    /// Declares a covariate: data, one number per site, that a rule may read.
    pub fn covariate(self, name: &str) -> ModelBuilder {
        self.field(name, FieldKind::Covariate)
    }

    /// Declares a parameter field: one unknown per site.
    pub fn parameter_field(self, name: &str, interval: Interval) -> ModelBuilder {
        self.field(name, FieldKind::Parameter(interval))
    }

    fn field(mut self, name: &str, kind: FieldKind) -> ModelBuilder {
        let what = if matches!(kind, FieldKind::Covariate) { "covariate" } else { "parameter field" };
        self.check_name(what, name);
        if self.signature.fields.iter().any(|f| f.name == name) {
            self.duplicate("field", name);
        }
        self.signature.fields.push(Field { name: name.to_string(), kind });
        self
    }

    /// Refuses a name that nobody could write down.
    fn check_name(&mut self, kind: &'static str, name: &str) {
        if name.trim().is_empty() {
            let model = self.signature.model.clone();
            self.error.get_or_insert(ModelError::NoName { model, name: name.to_string(), kind });
        }
    }

    fn duplicate(&mut self, kind: &'static str, name: &str) {
        let model = self.signature.model.clone();
        self.error.get_or_insert(ModelError::Duplicate { model, kind, name: name.to_string() });
    }

    /// What has been declared: for front ends that trace through [`Scope::open`].
    ///
    /// # Errors
    /// The first mistake in the declarations or the start.
    pub fn declared(self) -> Result<Declarations, ModelError> {
        let update = self.update;
        self.error.map_or(Ok(Declarations { update, ..Declarations::new(self.signature) }), Err)
    }

    /// Says when the rule is applied to which sites; all at once where nothing is said. Say it before the step is traced.
    pub fn update(mut self, update: Update) -> ModelBuilder {
        self.update = update;
        self
    }

    /// Traces how a lattice starts. Declare layers, parameters and fields first.
    pub fn start<T>(mut self, trace: impl FnOnce(&Scope) -> T) -> ModelBuilder {
        if self.error.is_none() {
            let scope = Scope::open(Declarations::new(self.signature.clone()), Stage::Start);
            trace(&scope);
            match scope.close() {
                Ok(program) => self.start = Some(program),
                Err(error) => self.error = Some(error),
            }
        }
        self
    }

    /// Traces a step and finishes the model.
    ///
    /// # Errors
    /// The first mistake in the declarations, the start or the step.
    pub fn step<T>(self, trace: impl FnOnce(&Scope) -> T) -> Result<Model, ModelError> {
        let start = self.start.clone();
        let scope = Scope::open(self.declared()?, Stage::Step);
        trace(&scope);
        let step = scope.close()?;
        Ok(Model { start, step })
    }
}
