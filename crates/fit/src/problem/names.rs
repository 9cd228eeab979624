//! Names a job's fits, and lists what is compared, each once.

use glauber_program::Estimator;
use glauber_program::estimators::MeanField;

use crate::error::JobError;
use crate::fit_file::FitFile;

/// What the fit file's own fit is called: the search where it uses no gradients, else what its gradients are by.
pub(crate) fn own_name(file: &FitFile, by: &str) -> String {
    match file.optimizer.rate() {
        None => file.optimizer.choice.name.clone(),
        Some(_) => by.to_string(),
    }
}

/// What is compared with the fit that is made by `own`: without itself and without repeats, with a note where there
/// were such. `without_gradients` are names that a search can be compared with, besides
/// `mean-field`, which changes what is simulated.
pub(crate) fn compared(
    file: &FitFile,
    own: &str,
    without_gradients: &[&str],
) -> Result<(Vec<String>, Option<String>), JobError> {
    let (mut kept, mut again): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for name in file.estimator.compare.iter() {
        if file.optimizer.rate().is_none()
            && !without_gradients.contains(&name.as_str())
            && name != MeanField.name()
        {
            let search = &file.optimizer.choice.name;
            let message = format!(
                "`{search}` uses no gradients, so a fit by it is the same with every estimator: take an optimizer such as \
                 `adam`, or leave `{name}` out"
            );
            return Err(file.wrong("estimator.compare", message).into());
        }
        let known = name == own || kept.contains(name);
        if known { again.push(format!("`{name}`")) } else { kept.push(name.clone()) }
    }
    again.sort();
    again.dedup();
    let note = (!again.is_empty())
        .then(|| format!("{} is fitted once, though `estimator.compare` names it again", again.join(", ")));
    Ok((kept, note))
}
