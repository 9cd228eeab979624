//! Writes the pages: the doc of a model's file, what it declares, its picture and the command that repeats it.

use std::error::Error;
use std::path::Path;

use glauber::likelihood::log_likelihood;
use glauber::model_file::load;
use glauber::models::{CatalogueEntry, MODELS};

use super::pictures;

/// The list of all pages.
pub fn index() -> String {
    let mut text = "# The models that come with glauber\n\n\
        Each page is made from the doc of the model's file by `cargo xtask models`; the pictures are the engine's.\n\
        Models of your own: [model files](../model-files.md).\n\n| model | | |\n|---|---|---|\n"
        .to_string();
    for entry in MODELS {
        let name = entry.name;
        text += &format!(
            "| [`{name}`]({name}.md) | {} | <img src=\"{name}.png\" height=\"64\" alt=\"\"> |\n",
            entry.summary
        );
    }
    text
}

/// The page of one model.
pub fn page(entry: &CatalogueEntry) -> Result<String, Box<dyn Error>> {
    let name = entry.name;
    let setting = pictures::setting(name);
    let loaded = load(name, &setting.options())?;
    let caption = pictures::caption(&setting, &loaded.model);
    let likelihood = match log_likelihood(&loaded.model.step) {
        Ok(_) => "Its transitions have an exact likelihood.".to_string(),
        Err(error) => {
            let text = error.to_string();
            format!("M{}.", text.strip_prefix('m').unwrap_or(&text))
        }
    };
    let (first, rest) = doc(name)?;
    Ok(format!(
        "<!-- Made from crates/models/src/{file}.rs by `cargo xtask models`: change it there. -->\n\
         # {name}\n\n{first}\n\n![{summary}]({name}.png)\n\n*{caption}*\n\n{rest}\n\n{likelihood}\n\n\
         ```sh\nglauber show {name} --adjoint\n{command}\n```\n",
        file = file(name),
        summary = entry.summary,
        command = setting.command(),
    ))
}

fn file(name: &str) -> String {
    match name {
        "game-of-life" => "life".into(),
        other => other.replace('-', "_"),
    }
}

/// The first paragraph of a model's doc, and the others without their examples in Rust.
fn doc(name: &str) -> Result<(String, String), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../models/src/{}.rs", file(name)));
    let source = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut lines = Vec::new();
    let mut code = false;
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.strip_prefix(' ').unwrap_or(line);
        if line.starts_with("```") {
            code = !code;
        } else if !code {
            lines.push(line);
        }
    }
    let text = lines.join("\n");
    let (first, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    Ok((first.to_string(), rest.trim().to_string()))
}
