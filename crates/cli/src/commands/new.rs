//! Writes a commented model file to begin with.

use glauber::files::run_folder::write_new;
use glauber::model_file::template;
use serde_json::json;

use crate::arguments::New;
use crate::outcome::{CommandOutcome, Failure};

/// Runs `glauber new`.
pub fn run(arguments: &New) -> Result<CommandOutcome, Failure> {
    let mut path = arguments.name.clone();
    if path.extension().is_none_or(|e| e != "toml") {
        path.as_mut_os_string().push(".toml");
    }
    let name = path.file_stem().and_then(|s| s.to_str()).filter(|s| !s.trim().is_empty());
    let Some(name) = name else {
        return Err(Failure::input(format!(
            "{}: give a name, such as `glauber new measles`",
            path.display()
        )));
    };
    write_new(&path, template(name)).map_err(Failure::input)?;
    let shown = path.display();
    let text = format!(
        "{shown} written; try\n  glauber view {shown}      runs on a page, which follows when you save the file\n  glauber simulate {shown} --out {name}.gif\n  glauber show {shown}\n  \
         glauber check {shown} --option shape=[9,9]"
    );
    Ok(CommandOutcome::done(text, json!({"model": name, "out": path})))
}
