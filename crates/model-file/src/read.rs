//! Makes a model of the text of a model file.

use std::io::Read;
use std::path::Path;

use glauber_lattice::{Lattice, Values};
use glauber_program::{Model, ModelBuilder, Scope, UPDATES};

use crate::covariate::Covariate;
use crate::document::{self, Table};
use crate::error::{Checked, ModelFileError, Problem};
use crate::loaded::{LoadError, Loaded};
use crate::sheet::{Sheet, edge};
use crate::tables::{Replaced, sheet};
use crate::{functions, limits, start, step};
use glauber_models::{CatalogueError, ModelOptions, OptionReader};

/// Every function an expression may call, as it is written.
pub fn language() -> impl Iterator<Item = &'static str> {
    functions::functions().map(|f| f.usage)
}

/// The model of a file.
pub(crate) fn load(path: &Path, options: &ModelOptions) -> Result<Loaded, LoadError> {
    let unreadable =
        |e: std::io::Error| ModelFileError::Read { path: path.to_path_buf(), why: e.to_string() };
    // A pipe would keep whoever opens it waiting.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        let why = "it is no regular file".to_string();
        return Err(ModelFileError::Read { path: path.to_path_buf(), why }.into());
    }
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limits::BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limits::BYTES {
        let found = std::fs::metadata(path).map_or(bytes.len() as u64, |m| m.len());
        return Err(ModelFileError::TooLarge { path: path.to_path_buf(), found }.into());
    }
    let text = String::from_utf8(bytes).map_err(|e| ModelFileError::Read {
        path: path.to_path_buf(),
        why: format!("it is not text: byte {} is no UTF-8", e.utf8_error().valid_up_to()),
    })?;
    parse(&text, path, options)
}

/// The model that the text of a model file says; `path` names it in errors, and covariates are relative to it.
///
/// # Errors
/// [`LoadError`] with the place of the first mistake.
///
/// ```
/// use glauber_model_file::parse;
/// use glauber_models::ModelOptions;
/// let text = r#"
/// states = ["healthy", "ill"]
/// [parameters]
/// recovery = [0.0, 1.0]
/// [transitions]
/// "ill -> healthy" = "recovery"
/// "#;
/// let loaded = parse(text, "clinic.toml".as_ref(), &ModelOptions::none())?;
/// assert_eq!(loaded.model.name(), "clinic");
/// # Ok::<(), glauber_model_file::LoadError>(())
/// ```
pub fn parse(text: &str, path: &Path, options: &ModelOptions) -> Result<Loaded, LoadError> {
    let shown = path.display().to_string();
    if text.len() as u64 > limits::BYTES {
        return Err(ModelFileError::TooLarge { path: path.to_path_buf(), found: text.len() as u64 }.into());
    }
    let located = |p: Problem| LoadError::File(p.located(&shown, text));
    let document = document::open(text).map_err(located)?;
    let root = Table::new(document.get_ref(), "the file", text);
    let file_name = path.file_stem().and_then(|s| s.to_str()).unwrap_or("model");
    let folder = path.parent().unwrap_or(Path::new(""));
    let (replaced, reader) = replaced(&root, file_name, options)?;
    let sheet = sheet(&root, file_name, &replaced, folder).map_err(located)?;
    reader.finish()?;
    build(&sheet, &shown, text)
}

/// What the options say: shape, boundary, update, and values of the file's constants.
fn replaced<'o>(
    root: &Table<'_>,
    file_name: &str,
    options: &'o ModelOptions,
) -> Result<(Replaced, OptionReader<'o>), CatalogueError> {
    let mut reader = OptionReader::new(file_name, options);
    let mut replaced = Replaced { shape: reader.shape()?, ..Replaced::default() };
    if reader.has("boundary") {
        replaced.boundary = edge(reader.choice("boundary", &["periodic", "reflecting", "fixed"])?);
    } else {
        reader.choice("boundary", &["periodic"])?;
    }
    match reader.has("update") {
        true => replaced.update = Some(reader.choice("update", &UPDATES)?),
        // An option that it takes.
        false => drop(reader.choice("update", &UPDATES)),
    }
    let constants = root.take("constants").and_then(|v| v.table("[constants]"));
    for name in constants.iter().flat_map(|t| t.all().unwrap_or_default()).map(document::KeyValue::name) {
        if reader.has(name) {
            let value = reader.number(name, 0.0, f64::MIN, f64::MAX)?;
            replaced.constants.push((name.to_string(), value));
        } else {
            reader.number(name, 0.0, f64::MIN, f64::MAX)?;
        }
    }
    Ok((replaced, reader))
}

/// Builds the model through the public builder.
fn build(sheet: &Sheet, shown: &str, text: &str) -> Result<Loaded, LoadError> {
    let lattice =
        sheet.lattice().map_err(|error| ModelFileError::Lattice { file: shown.to_string(), error })?;
    let mut builder = Model::build(&sheet.name, lattice.clone());
    if let Some(states) = &sheet.states {
        builder =
            builder.layer(&states.layer, Values::Categories(states.names.clone())).colours(&states.colours);
    }
    for layer in &sheet.layers {
        let values = match layer.labels {
            true => Values::labels(layer.highest),
            false => Values::integers(layer.lowest, layer.highest),
        };
        builder = builder.layer(&layer.name, values);
    }
    for parameter in &sheet.parameters {
        builder = match parameter.default {
            Some(default) => builder.parameter_or(&parameter.name, parameter.interval, default),
            None => builder.parameter(&parameter.name, parameter.interval),
        };
        if let Some(unit) = &parameter.unit {
            builder = builder.unit(unit);
        }
    }
    if let Some(words) = crate::declare::beyond(sheet) {
        if let Some(states) = &sheet.states {
            builder = builder.edge(&states.layer, states.outside as f64);
        }
        for layer in &sheet.layers {
            builder = builder.edge(&layer.name, layer.outside);
        }
        builder = builder.outside(&words);
    }
    builder = builder.update(sheet.applied.update.clone());
    for note in &sheet.notes {
        builder = builder.note(note);
    }
    for (name, _) in &sheet.covariates {
        builder = builder.covariate(name);
    }
    let located = |p: Problem| LoadError::File(p.located(shown, text));
    let model = traced(sheet, &lattice, builder, located, shown)?;
    let covariates = sheet
        .covariates
        .iter()
        .map(|(name, source)| Covariate { name: name.clone(), source: source.clone() });
    Ok(Loaded { covariates: covariates.collect(), model })
}

fn traced(
    sheet: &Sheet,
    lattice: &Lattice,
    mut builder: ModelBuilder,
    located: impl Fn(Problem) -> LoadError,
    shown: &str,
) -> Result<Model, LoadError> {
    let mut outcome: Checked<()> = Ok(());
    if let Some(entries) = &sheet.start {
        builder = builder.start(|s: &Scope| outcome = start::trace(sheet, entries, s));
        outcome.map_err(&located)?;
    }
    let mut outcome: Checked<()> = Ok(());
    let model = builder.step(|s: &Scope| outcome = step::trace(sheet, lattice, s));
    outcome.map_err(&located)?;
    model.map_err(|e| ModelFileError::Model { file: shown.to_string(), error: Box::new(e) }.into())
}
