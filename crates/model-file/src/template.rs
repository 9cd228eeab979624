//! Holds the model file that `glauber new` writes: commented, and ready to run.

/// A model file of this name to begin with: an epidemic with recovery, every part explained.
///
/// ```
/// use glauber_model_file::{parse, template};
/// use glauber_models::ModelOptions;
/// let text = template("measles");
/// assert_eq!(parse(&text, "measles.toml".as_ref(), &ModelOptions::none())?.model.name(), "measles");
/// # Ok::<(), glauber_model_file::LoadError>(())
/// ```
pub fn template(name: &str) -> String {
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    let tame: String = quoted.chars().filter(|c| !c.is_control()).collect();
    include_str!("template.toml").replace("NAME", &tame)
}
