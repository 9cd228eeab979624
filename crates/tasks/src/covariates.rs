//! Reads the covariates of a model: for each an array, an image or one number, as fields of a run.
//!
//! | source | numbers |
//! |---|---|
//! | `.npy` | the array's; it has the lattice's shape |
//! | `.npz` | those of the array with the covariate's name, or of the only one |
//! | TIFF, ESRI ASCII grid, 16-bit PNG, a folder of them | the file's own numbers; planes are the first axis of a 3-D lattice |
//! | PNG and JPEG of 8 bits and less, colours, masks of 0 and full scale | grey values, 0 black to 1 white |
//! | a number | the same at every site |
//!
//! What was read how is noted, as are numbers of colours in a table, which are taken as they are. A value that the file
//! names as no data is an error. Axes of length 1 in front of the lattice's own are left out. Every number must be finite.

use std::path::Path;

use glauber_engine::FieldData;
use glauber_model_file::{CovariateSource, Field, Loaded, ModelFileError};
use glauber_program::nearest_name;

use glauber_data::arrays::{Array, ReadLimits, read_arrays};
use glauber_data::images::{ImageLimits, read_images, usual_no_data};
use glauber_data::{DataError, FileKind};

/// Data per site by name, as a run takes them.
pub type Covariates = Vec<(String, FieldData)>;

/// The covariates of a model: those `given` by name, else what the model itself says. `notes` takes what is to be said of how
/// their files were read.
///
/// # Errors
/// [`ModelFileError::Covariate`] for a name the model does not read, a file that cannot be read, or numbers that do not
/// fit the lattice.
///
/// ```
/// use glauber_tasks::covariates::read_covariates;
/// use glauber_model_file::{CovariateSource, load};
/// use glauber_models::ModelOptions;
/// let fire = load("forest-fire", &ModelOptions::none().with("shape", vec![4.0, 5.0]))?;
/// let mut notes = Vec::new();
/// let covariates = read_covariates(&fire, &[("fuel".into(), CovariateSource::Constant(0.5))], &mut notes)?;
/// assert_eq!(covariates[0].1.numbers().len(), 20);
/// assert!(read_covariates(&fire, &[("feul".into(), CovariateSource::Constant(0.5))], &mut notes).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_covariates(
    loaded: &Loaded,
    given: &[(String, CovariateSource)],
    notes: &mut Vec<String>,
) -> Result<Covariates, ModelFileError> {
    let mut loaded = loaded.clone();
    for (name, source) in given {
        match loaded.covariates.iter_mut().find(|c| c.name == *name) {
            Some(covariate) => covariate.source = source.clone(),
            None => return Err(unknown(&loaded, name)),
        }
    }
    let lattice = loaded.model.declarations().lattice.shape().to_vec();
    let mut found = Covariates::new();
    for covariate in &loaded.covariates {
        let one = Loaded { covariates: vec![covariate.clone()], model: loaded.model.clone() };
        let fields = one.fields(&[], |path| field(path, &covariate.name, &lattice, notes))?;
        found.extend(fields.into_iter().map(|(name, numbers)| (name, FieldData::shared(numbers))));
    }
    Ok(found)
}

fn unknown(loaded: &Loaded, name: &str) -> ModelFileError {
    let known: Vec<&str> = loaded.covariates.iter().map(|c| c.name.as_str()).collect();
    let hint = match nearest_name(name, known.iter().copied()) {
        Some(nearest) => format!(": did you mean `{nearest}`?"),
        None if known.is_empty() => "; it reads none".to_string(),
        None => format!("; it reads {}", known.join(", ")),
    };
    ModelFileError::Covariate {
        model: loaded.model.name().to_string(),
        name: name.to_string(),
        problem: format!("the model reads no covariate of this name{hint}"),
    }
}

/// The numbers of a file, without axes of length 1 before the lattice's; a single number is that of every site.
///
/// # Errors
/// What is wrong with it, in words.
pub fn field(path: &Path, name: &str, lattice: &[usize], notes: &mut Vec<String>) -> Result<Field, String> {
    let without_path = |e: DataError| {
        let place = e.place().map(|place| format!("{place}: ")).unwrap_or_default();
        format!("{place}{}; {}", e.found(), e.remedy())
    };
    let (mut shape, numbers) = if FileKind::of(path).map_err(without_path)?.holds_arrays() {
        let array = array(path, name, without_path)?;
        let numbers = array.to_f64();
        let said = usual_no_data(&numbers);
        notes.extend(said.map(|note| format!("covariate `{name}`, {}: {note}", path.display())));
        (array.shape().to_vec(), numbers)
    } else {
        let stack = read_images(path, ImageLimits::default()).map_err(without_path)?;
        let (numbers, of_reader) = stack.numbers(path).map_err(without_path)?;
        notes.extend(of_reader.iter().map(|note| format!("covariate `{name}`, {}: {note}", path.display())));
        (stack.array().shape().to_vec(), numbers)
    };
    if let ([], [number]) = (&shape[..], &numbers[..]) {
        let sites = lattice.iter().product();
        return Ok(Field { shape: lattice.to_vec(), numbers: vec![*number; sites] });
    }
    while shape.len() > lattice.len() && shape[0] == 1 {
        shape.remove(0);
    }
    Ok(Field { shape, numbers })
}

/// The array of a file that has this name, or is the only one.
fn array(path: &Path, name: &str, words: impl Fn(DataError) -> String) -> Result<Array, String> {
    let mut arrays = read_arrays(path, ReadLimits::default()).map_err(words)?;
    let place = arrays.iter().position(|(own, _)| own == name);
    match place.or((arrays.len() == 1).then_some(0)) {
        Some(place) => Ok(arrays.swap_remove(place).1),
        None => {
            let known: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
            Err(format!("it holds the arrays {}, but none called `{name}`", known.join(", ")))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use glauber_data::Overwrite;
    use glauber_data::arrays::{write_npy, write_npz};
    use glauber_data::images::write_grey_png;
    use glauber_model_file::load;
    use glauber_models::ModelOptions;

    fn fire() -> Loaded {
        load("forest-fire", &ModelOptions::none().with("shape", vec![2.0, 3.0])).unwrap()
    }

    fn fuel(path: &Path) -> Result<Vec<f64>, String> {
        let given = [("fuel".to_string(), CovariateSource::File(path.to_path_buf()))];
        let found = read_covariates(&fire(), &given, &mut Vec::new()).map_err(|e| e.to_string())?;
        let (_, data) = found.into_iter().find(|(name, _)| name == "fuel").unwrap();
        Ok((0..data.numbers().len()).map(|i| data.numbers().at(i)).collect())
    }

    #[test]
    fn arrays_archives_and_images_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let numbers = vec![0.5, 1.5, -2.0, 0.0, 3.0, 4.0];
        let plain = Array::new(vec![2, 3], numbers.clone()).unwrap();
        write_npy(at("fuel.npy"), &plain, Overwrite::Refuse).unwrap();
        assert_eq!(fuel(&at("fuel.npy")).unwrap(), numbers);
        let deep = Array::new(vec![1, 2, 3], numbers.clone()).unwrap();
        let other = Array::new(vec![1], vec![9.0]).unwrap();
        write_npz(at("maps.npz"), [("slope", &other), ("fuel", &deep)], Overwrite::Refuse).unwrap();
        assert_eq!(fuel(&at("maps.npz")).unwrap(), numbers);
        write_npz(at("none.npz"), [("a", &other), ("b", &other)], Overwrite::Refuse).unwrap();
        let error = fuel(&at("none.npz")).unwrap_err();
        assert!(error.contains("a, b") && error.contains("`fuel`"), "{error}");
        write_grey_png(at("fuel.png"), 2, 3, &[0, 51, 255, 102, 204, 0], Overwrite::Refuse).unwrap();
        let grey = fuel(&at("fuel.png")).unwrap();
        assert!((grey[1] - 0.2).abs() < 1e-12 && (grey[2] - 1.0).abs() < 1e-12, "{grey:?}");
    }

    #[test]
    fn usual_signs_of_no_data_in_arrays_are_noted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fuel.npy");
        let array = Array::new(vec![2, 3], vec![0.5, -9999.0, 0.0, 0.0, 3.0, 4.0]).unwrap();
        write_npy(&path, &array, Overwrite::Refuse).unwrap();
        let given = [("fuel".to_string(), CovariateSource::File(path))];
        let mut notes = Vec::new();
        read_covariates(&fire(), &given, &mut notes).unwrap();
        assert!(notes.len() == 1 && notes[0].contains("`fuel`") && notes[0].contains("-9999"), "{notes:?}");
    }

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fuel.npy");
        write_npy(&path, &Array::new(vec![3, 2], vec![0.0; 6]).unwrap(), Overwrite::Refuse).unwrap();
        let error = fuel(&path).unwrap_err();
        assert!(error.contains("[3, 2]") && error.contains("[2, 3]"), "{error}");
        let error = fuel(&folder.path().join("absent.npy")).unwrap_err();
        assert!(error.contains("absent.npy") && error.contains("no such file"), "{error}");
        let given = [("feul".to_string(), CovariateSource::Constant(1.0))];
        let error = read_covariates(&fire(), &given, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("did you mean `fuel`"), "{error}");
    }
}
