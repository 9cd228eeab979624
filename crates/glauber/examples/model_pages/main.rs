//! Writes a page with a picture for every model of the catalogue into `docs/models`, or says which are stale.
//!
//! `cargo xtask models` writes them, `cargo xtask models --check` compares them with those that are there.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A tool for people at a terminal.

mod pages;
mod pictures;

use std::error::Error;
use std::path::Path;

use glauber::models::MODELS;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let check = words.iter().any(|w| w == "--check");
    let only: Vec<&String> = words.iter().filter(|w| !w.starts_with("--")).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/models");
    let mut stale = Vec::new();
    let mut put = |name: String, bytes: Vec<u8>| -> Result<(), Box<dyn Error>> {
        let path = folder.join(&name);
        if std::fs::read(&path).ok().as_ref() == Some(&bytes) {
            return Ok(());
        }
        if !check {
            glauber::files::run_folder::write_whole(&path, &bytes)?;
            println!("{name} written");
        }
        stale.push(name);
        Ok(())
    };
    std::fs::create_dir_all(&folder)?;
    put("README.md".into(), pages::index().into_bytes())?;
    for entry in MODELS.iter().filter(|e| only.is_empty() || only.iter().any(|name| *name == e.name)) {
        put(format!("{}.md", entry.name), pages::page(entry)?.into_bytes())?;
        put(format!("{}.png", entry.name), pictures::picture(entry.name)?)?;
    }
    if check && !stale.is_empty() {
        return Err(format!("stale: {}; run `cargo xtask models`", stale.join(", ")).into());
    }
    Ok(())
}
