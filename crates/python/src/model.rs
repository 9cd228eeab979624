//! Gives models and observations to Python: traced from functions, from the catalogue, from model files, from bytes.

use glauber::data::no_data_sign;
use glauber::engine::{EngineError, FieldData, Numbers};
use glauber::lattice::{Boundary, Lattice, Values};
use glauber::likelihood::log_likelihood;
use glauber::model_file::Loaded;
use glauber::models::{MODELS, ModelOptions, OptionValue};
use glauber::program::estimators::EstimatorOptions;
use glauber::program::{Colour, Declarations, Interval, Pick, Program, Stage, Update};
use glauber::report::frames::Colouring;
use glauber::tasks::covariates::{Covariates, read_covariates};
use glauber::tasks::summaries;
use pyo3::exceptions::{PyTypeError, PyUserWarning};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::arrays::{GivenField, doubles, field, reals};
use crate::errors::{in_python, input_error, model_error};
use crate::scope::traced;
use crate::typing::{Anything, As, Floats, Rule, Stored};

/// A model: its declarations, its start and its step, and the covariates it came with, as they were when it was loaded.
#[pyclass(frozen, module = "glauber._glauber")]
#[derive(Clone)]
pub struct Model {
    pub model: glauber::program::Model,
    /// The numbers of every covariate that comes with it, or why they could not be had.
    pub covariates: Vec<UsualField>,
}

/// A covariate that comes with a model: its name, and its numbers or why there are none.
pub type UsualField = (String, Result<FieldData, String>);

/// The same as bytes and arrays: the model, and for each covariate its numbers (one where it is the same at every site) or
/// why there are none.
type StoredModel<'py> = (Bound<'py, PyBytes>, Vec<(String, Option<As<'py, Floats>>, Option<String>)>);

fn numbers(field: &FieldData) -> Vec<f64> {
    let numbers = field.numbers();
    (0..numbers.len()).map(|i| numbers.at(i)).collect()
}

/// Numbers taken from a state: traced, or a summary by its name.
#[pyclass(frozen, module = "glauber._glauber")]
#[derive(Clone)]
pub struct Observation {
    pub observation: glauber::engine::Observation,
    /// The program, or the summary's text.
    source: Result<Program, String>,
}

/// A layer as Python describes it: name, kind, range, names of states, colours of states by number (none where `None`).
type LayerTuple = (String, String, Option<(i32, i32)>, Option<Vec<String>>, Vec<Option<String>>);
/// A boundary as Python describes it: its kind, and the value of a fixed one.
type BoundaryTuple = (String, f64);

fn values((name, kind, range, states, _): &LayerTuple) -> PyResult<Values> {
    match (kind.as_str(), range, states) {
        ("binary", ..) => Ok(Values::Binary),
        ("real", ..) => Ok(Values::Real),
        ("integers", Some((lowest, highest)), _) if lowest <= highest => {
            Ok(Values::integers(*lowest, *highest))
        }
        ("labels", Some((_, cells)), _) if *cells >= 1 => Ok(Values::labels(*cells)),
        ("categories", _, Some(states)) if !states.is_empty() => Ok(Values::Categories(states.clone())),
        _ => Err(input_error(format!(
            "layer `{name}`: its values are none: give lowest <= highest, or at least one state"
        ))),
    }
}

/// An update as Python describes it: its word; of random sequential order the layer and state among which sites are drawn,
/// whether each is taken once in a step, and the number of events.
type UpdateTuple = (String, Option<(String, i32)>, bool, Option<u32>);

fn update((word, among, each_once, events): UpdateTuple) -> PyResult<Update> {
    let update: Update = word.parse().map_err(input_error)?;
    let pick = match (among, each_once) {
        (Some((layer, state)), _) => Pick::Among { layer, state },
        (None, true) => Pick::EachOnce,
        (None, false) => Pick::AnySite,
    };
    Ok(match update {
        Update::RandomSequential { .. } => Update::RandomSequential { pick, events },
        other => other,
    })
}

fn colour(text: &str) -> PyResult<Colour> {
    text.parse().map_err(input_error)
}

fn lattice(shape: &[usize], boundaries: &[BoundaryTuple]) -> PyResult<Lattice> {
    let mut lattice = Lattice::new(shape).map_err(input_error)?;
    for (axis, (kind, value)) in boundaries.iter().enumerate() {
        let boundary = match kind.as_str() {
            "periodic" => Boundary::Periodic,
            "reflecting" => Boundary::Reflecting,
            _ => Boundary::Fixed(*value),
        };
        lattice = lattice.along(axis, boundary);
    }
    Ok(lattice)
}

/// Traces a model: its start and step are Python functions of a scope, each called once.
#[pyfunction]
#[pyo3(signature = (name, shape, boundaries, layers, edges, parameters, covariates, fields, update, start, step))]
#[allow(clippy::too_many_arguments)]
pub fn trace(
    name: &str,
    shape: Vec<usize>,
    boundaries: Vec<BoundaryTuple>,
    layers: Vec<LayerTuple>,
    edges: Vec<(String, f64)>,
    parameters: Vec<(String, f64, f64, Option<f64>, Option<String>)>,
    covariates: Vec<String>,
    fields: Vec<(String, f64, f64)>,
    update: UpdateTuple,
    start: Option<As<'_, Rule>>,
    step: As<'_, Rule>,
) -> PyResult<Model> {
    let mut builder = glauber::program::Model::build(name, lattice(&shape, &boundaries)?);
    for layer in &layers {
        let colours: PyResult<Vec<Option<Colour>>> =
            layer.4.iter().map(|c| c.as_deref().map(colour).transpose()).collect();
        builder = builder.layer(&layer.0, values(layer)?).colours(&colours?);
    }
    for (layer, value) in &edges {
        builder = builder.edge(layer, *value);
    }
    for (parameter, lowest, highest, default, unit) in &parameters {
        let interval = Interval::new(*lowest, *highest);
        builder = match default {
            Some(value) if !interval.contains(*value) => {
                return Err(input_error(format!(
                    "parameter `{parameter}` of model `{name}` has the default {value}, outside its interval {interval}"
                )));
            }
            Some(value) => builder.parameter_or(parameter, interval, *value),
            None => builder.parameter(parameter, interval),
        };
        builder = builder.unit(unit.as_deref().unwrap_or_default());
    }
    for covariate in &covariates {
        builder = builder.covariate(covariate);
    }
    for (field, lowest, highest) in &fields {
        builder = builder.parameter_field(field, Interval::new(*lowest, *highest));
    }
    let declarations = builder.update(self::update(update)?).declared().map_err(model_error)?;
    let start = start
        .map(|f| traced(&f, Declarations::new(declarations.signature.clone()), Stage::Start))
        .transpose()?;
    let step = traced(&step, declarations, Stage::Step)?;
    Ok(Model { model: glauber::program::Model { start, step }, covariates: Vec::new() })
}

/// An option of a catalogue model as Python gives it.
pub fn option(name: &str, value: &Bound<'_, PyAny>) -> PyResult<OptionValue> {
    if let Ok(flag) = value.cast::<pyo3::types::PyBool>() {
        return Ok(OptionValue::Flag(flag.is_true()));
    }
    if let Ok(text) = value.extract::<String>() {
        return Ok(OptionValue::Text(text));
    }
    if let Ok(number) = value.extract::<f64>() {
        return Ok(OptionValue::Number(number));
    }
    if let Ok(list) = value.extract::<Vec<f64>>() {
        return Ok(OptionValue::List(list));
    }
    Err(PyTypeError::new_err(format!(
        "option `{name}` is neither a number, a text, true or false, nor a list of numbers"
    )))
}

/// The catalogue's model of this name, or that of a model file.
#[pyfunction]
pub fn load(name: &str, options: Vec<(String, As<'_, Anything>)>) -> PyResult<Model> {
    let mut read = ModelOptions::none();
    for (key, value) in &options {
        read.set(key, option(key, value)?);
    }
    let loaded = glauber::model_file::load(name, &read).map_err(|e| {
        input_error(e.to_string().replace("`glauber models` lists them", "glauber.models() lists them"))
    })?;
    let mut notes = Vec::new();
    let covariates = usual_fields(&loaded, &mut notes);
    for note in notes {
        Python::attach(|py| warn(py, &note))?;
    }
    Ok(Model { model: loaded.model, covariates })
}

/// Warns a user of Python.
fn warn(py: Python<'_>, text: &str) -> PyResult<()> {
    let text = std::ffi::CString::new(text).unwrap_or_default();
    PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)
}

/// Warns of fields that hold what often stands for no data.
///
/// # Errors
/// Where warnings are errors.
pub fn warn_of_no_data(given: &[(String, GivenField)]) -> PyResult<()> {
    for (name, (numbers, _)) in given {
        let Numbers::Reals(numbers) = &numbers.0 else { continue };
        if let Some(sign) = no_data_sign(numbers) {
            let words = sign.in_words("places");
            let text = format!("field `{name}` holds {words}; it was taken as a number");
            Python::attach(|py| warn(py, &text))?;
        }
    }
    Ok(())
}

/// The covariates that come with a model, read once and for all; one that cannot be had fails only where it is needed.
fn usual_fields(loaded: &Loaded, notes: &mut Vec<String>) -> Vec<UsualField> {
    let one = |c: &glauber::model_file::Covariate| {
        let alone = Loaded { model: loaded.model.clone(), covariates: vec![c.clone()] };
        let found = read_covariates(&alone, &[], notes).map_err(|e| e.to_string());
        let field = found.and_then(|mut f| f.pop().ok_or_else(|| "it holds nothing".to_string()));
        (c.name.clone(), field.map(|(_, data)| data))
    };
    loaded.covariates.iter().map(one).collect()
}

/// The names of the catalogue's models, each with what it is.
#[pyfunction]
pub fn catalogue() -> Vec<(&'static str, &'static str)> {
    MODELS.iter().map(|m| (m.name, m.summary)).collect()
}

impl Model {
    /// The fields of a run: those given, then what comes with the model.
    ///
    /// # Errors
    /// Where what comes with the model is needed and cannot be had.
    pub fn fields_of_run(&self, given: Vec<(String, GivenField)>) -> PyResult<Covariates> {
        warn_of_no_data(&given)?;
        let mut all: Covariates = given.into_iter().map(|(name, data)| (name, field(data))).collect();
        for (name, usual) in &self.covariates {
            if !all.iter().any(|(n, _)| n == name) {
                all.push((name.clone(), usual.clone().map_err(input_error)?));
            }
        }
        Ok(all)
    }
}

#[pymethods]
impl Model {
    #[getter]
    fn name(&self) -> &str {
        self.model.name()
    }
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.model.declarations().lattice.shape())
    }
    #[getter]
    fn lattice(&self) -> String {
        self.model.declarations().lattice.to_string()
    }
    /// The boundary along each axis: its kind, and the value of a fixed one.
    #[getter]
    fn boundaries(&self) -> Vec<BoundaryTuple> {
        let lattice = &self.model.declarations().lattice;
        let own = &lattice.boundaries()[3 - lattice.dimensions()..];
        let tuple = |b: &Boundary| match b {
            Boundary::Periodic => ("periodic".to_string(), 0.0),
            Boundary::Reflecting => ("reflecting".to_string(), 0.0),
            Boundary::Fixed(value) => ("fixed".to_string(), *value),
        };
        own.iter().map(tuple).collect()
    }
    /// What layers are beyond fixed edges, where that is not the lattice's number.
    #[getter]
    fn edges(&self) -> Vec<(String, f64)> {
        let layers = &self.model.declarations().layers;
        layers.iter().filter_map(|l| Some((l.name.clone(), l.edge?))).collect()
    }
    /// Name, kind, range and states of every layer, and what its states are drawn in.
    #[getter]
    fn layers(&self) -> Vec<LayerTuple> {
        let tuple = |l: &glauber::program::Layer| {
            let (kind, range, states) = match &l.values {
                Values::Binary => ("binary", Some((0, 1)), None),
                Values::Integers { lowest, highest } => ("integers", Some((*lowest, *highest)), None),
                Values::Categories(names) => ("categories", None, Some(names.clone())),
                Values::Real => ("real", None, None),
                Values::Labels { cells } => ("labels", Some((0, *cells)), None),
            };
            let drawn = Colouring::of_layer(l, 0.0, 1.0).ok();
            let colour = |state: usize| drawn.as_ref().map(|d| d.colour(state as f64).to_string());
            let colours = (0..drawn.as_ref().and_then(Colouring::count).unwrap_or(0)).map(colour).collect();
            (l.name.clone(), kind.to_string(), range, states, colours)
        };
        self.model.declarations().layers.iter().map(tuple).collect()
    }
    /// Name, interval, default and unit of every parameter.
    #[getter]
    fn parameters(&self) -> Vec<(String, f64, f64, Option<f64>, Option<String>)> {
        let parameters = &self.model.declarations().parameters;
        parameters
            .iter()
            .map(|p| (p.name.clone(), p.interval.lowest, p.interval.highest, p.default, p.unit.clone()))
            .collect()
    }
    /// Name of every field, and its interval where it is one of unknowns.
    #[getter]
    fn fields(&self) -> Vec<(String, Option<(f64, f64)>)> {
        use glauber::program::FieldKind;
        let interval = |kind: &FieldKind| match kind {
            FieldKind::Covariate => None,
            FieldKind::Parameter(i) => Some((i.lowest, i.highest)),
        };
        self.model.declarations().fields.iter().map(|f| (f.name.clone(), interval(&f.kind))).collect()
    }
    #[getter]
    fn has_start(&self) -> bool {
        self.model.start.is_some()
    }
    /// When its rule is applied to which sites.
    #[getter]
    fn update(&self) -> UpdateTuple {
        let update = self.model.update();
        let (pick, events) = match update {
            Update::RandomSequential { pick, events } => (pick.clone(), *events),
            _ => (Pick::AnySite, None),
        };
        let each_once = pick == Pick::EachOnce;
        let among = match pick {
            Pick::Among { layer, state } => Some((layer, state)),
            _ => None,
        };
        (update.name().to_string(), among, each_once, events)
    }
    /// The update with its choices, as a file of states holds it.
    #[getter]
    fn scheme(&self) -> String {
        self.model.update().in_full()
    }
    /// The same rule under another update.
    fn updated(&self, update: UpdateTuple) -> PyResult<Model> {
        let model = self.model.updated(self::update(update)?).map_err(model_error)?;
        Ok(Model { model, covariates: self.covariates.clone() })
    }
    /// Why gradients cannot pass through its steps; nothing where they can.
    #[getter]
    fn no_gradient(&self) -> Option<String> {
        let events = self.model.update().is_by_events();
        events.then(|| in_python(EngineError::no_way_back(&self.model)))
    }
    /// What a reader must know of the model on its lattice.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.model.notes()
    }
    /// Where gradients lack what parameters, or states of earlier steps, do: in words, with the parameters.
    fn slopeless(&self, several_steps: bool, scored: bool) -> Vec<(String, Vec<String>)> {
        let found = self.model.slopeless(several_steps, scored);
        found.into_iter().map(|one| (one.words(), one.parameters)).collect()
    }
    /// Why there is no exact likelihood; nothing where there is.
    #[getter]
    fn no_likelihood(&self) -> Option<String> {
        log_likelihood(&self.model.step).err().map(in_python)
    }
    /// The start and the step as text, and the step's adjoint under an estimator.
    #[pyo3(signature = (estimator = None))]
    fn show(&self, estimator: Option<&str>) -> PyResult<String> {
        let mut text: String =
            self.model.application().iter().map(|(name, words)| format!("{name} {words}\n")).collect();
        text += &self.model.start.as_ref().map(|s| format!("start of {s}\n")).unwrap_or_default();
        text += &format!("step of {}", self.model.step);
        for one in self.model.slopeless(true, false) {
            text += &format!("note: {}\n", one.words());
        }
        if let Some(name) = estimator {
            let own = glauber::program::estimators::named(name, EstimatorOptions::default())
                .map_err(input_error)?;
            let Some(adjoint) = self.model.adjoint(&*own) else {
                return Err(input_error(self.no_gradient().unwrap_or_default()));
            };
            text += &format!("\nadjoint under {} of {adjoint}", own.name());
        }
        Ok(text)
    }
    /// Traces an observation: a function of a scope that leaves outputs, or returns them by name.
    fn observe(&self, function: As<'_, Rule>) -> PyResult<Observation> {
        let declarations = Declarations::new(self.model.signature().clone());
        let program = traced(&function, declarations, Stage::Observation)?;
        if program.declarations().outputs.is_empty() {
            return Err(model_error(
                "an observation leaves no number: return {name: value}, or call s.output(name, value)",
            ));
        }
        Ok(Observation { observation: program.clone().into(), source: Ok(program) })
    }
    /// The summary of this name, such as "mean(aware)".
    fn summary(&self, text: &str) -> PyResult<Observation> {
        let choice: summaries::SummaryChoice = text.parse().map_err(input_error)?;
        let observation = summaries::observation(&choice, &self.model).map_err(input_error)?;
        Ok(Observation { observation, source: Err(text.to_string()) })
    }
    /// What `restored` makes the same model of.
    fn stored<'py>(&self, py: Python<'py>) -> PyResult<StoredModel<'py>> {
        let bytes = self.model.to_bytes().map_err(input_error)?;
        let covariate = |(name, field): &UsualField| match field {
            Ok(field) => {
                let mut all = numbers(field);
                if all.iter().all(|x| x.to_bits() == all[0].to_bits()) {
                    all.truncate(1);
                }
                (name.clone(), Some(reals(py, all)), None)
            }
            Err(why) => (name.clone(), None, Some(why.clone())),
        };
        Ok((PyBytes::new(py, &bytes), self.covariates.iter().map(covariate).collect()))
    }
    /// The model that was stored.
    #[staticmethod]
    fn restored(
        bytes: &[u8],
        covariates: Vec<(String, Option<As<'_, Floats>>, Option<String>)>,
    ) -> PyResult<Model> {
        let model = glauber::program::Model::from_bytes(bytes).map_err(input_error)?;
        let sites = model.declarations().lattice.sites();
        let mut own = Vec::new();
        for (name, given, why) in covariates {
            let field = match given.map(|given| doubles(&given)).transpose()? {
                Some(one) if one.len() == 1 => Ok(FieldData::shared(vec![one[0]; sites])),
                Some(all) if all.len() == sites => Ok(FieldData::shared(all)),
                Some(_) => {
                    return Err(input_error(format!(
                        "the stored covariate `{name}` is not one of this model"
                    )));
                }
                None => Err(why.unwrap_or_else(|| format!("covariate `{name}` is missing"))),
            };
            own.push((name, field));
        }
        Ok(Model { model, covariates: own })
    }
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let same = |(a, b): (&UsualField, &UsualField)| {
            a.0 == b.0
                && match (&a.1, &b.1) {
                    (Ok(a), Ok(b)) => numbers(a) == numbers(b),
                    (Err(_), Err(_)) => true,
                    _ => false,
                }
        };
        other.cast::<Model>().is_ok_and(|o| {
            let (own, others) = (&self.covariates, &o.get().covariates);
            o.get().model == self.model && own.len() == others.len() && own.iter().zip(others).all(same)
        })
    }
    fn __hash__(&self) -> usize {
        self.model.step.instructions().len()
    }
}

#[pymethods]
impl Observation {
    /// Where gradients lack what states do to its numbers, in words; nothing of a summary, which has its own derivative.
    fn slopeless(&self) -> Vec<String> {
        let program = self.source.as_ref().ok();
        program.map_or_else(Vec::new, |p| p.slopeless().iter().map(|one| one.words()).collect())
    }
    /// The names of its numbers.
    #[getter]
    fn outputs(&self) -> Vec<String> {
        self.observation.outputs()
    }
    /// The names of the data per site that it reads.
    #[getter]
    fn fields(&self) -> Vec<String> {
        let program = self.source.as_ref().ok();
        program.map_or_else(Vec::new, |p| p.declarations().fields.iter().map(|f| f.name.clone()).collect())
    }
    /// The summary's text, or the program as bytes: what `restored` makes the same observation of.
    fn stored<'py>(&self, py: Python<'py>) -> PyResult<As<'py, Stored>> {
        Ok(As::of(match &self.source {
            Ok(program) => PyBytes::new(py, &program.to_bytes().map_err(input_error)?).into_any(),
            Err(text) => text.into_pyobject(py)?.into_any(),
        }))
    }
    /// The observation of a model that was stored.
    #[staticmethod]
    fn restored(model: &Bound<'_, Model>, stored: As<'_, Stored>) -> PyResult<Observation> {
        if let Ok(text) = stored.extract::<String>() {
            return model.get().summary(&text);
        }
        let program = Program::from_bytes(stored.cast::<PyBytes>()?.as_bytes()).map_err(input_error)?;
        Ok(Observation { observation: program.clone().into(), source: Ok(program) })
    }
}
