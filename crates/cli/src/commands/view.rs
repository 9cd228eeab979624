//! Serves the page that shows a model as it runs.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use glauber::files::number;
use glauber::view::{Remains, Server, Source, ViewError, ViewOptions};
use serde_json::json;

use super::{options_of, pairs, sources_of};
use crate::arguments::{ModelChoice, View};
use crate::outcome::{CommandOutcome, Failure};

/// Runs `glauber view` until Ctrl-C. With `--json` the address is printed as a line of JSON.
pub fn run(arguments: &View, is_json: bool) -> Result<CommandOutcome, Failure> {
    let mut source = source_of(arguments)?;
    source.seed = arguments.seed;
    for (name, value) in pairs(&arguments.parameters, "--set")? {
        let number = number(value)
            .ok_or_else(|| Failure::input(format!("--set {name}={value}: `{value}` is not a number")))?;
        source.parameters.push((name.to_string(), number));
    }
    let options = ViewOptions { port: arguments.port, threads: arguments.threads };
    let server = Server::open(source, options).map_err(|error| match error {
        ViewError::Model(_) | ViewError::Port { .. } => Failure::input(error),
        ViewError::Random(_) | ViewError::Thread(_) => Failure::run(error),
    })?;
    let address = server.address();
    let line = if is_json {
        json!({"address": address}).to_string()
    } else {
        format!("{address}\nthe page is for this machine only; Ctrl-C ends it")
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Failure::run)?;
    drop(out);
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    ctrlc::set_handler(move || told.store(true, Ordering::Relaxed)).map_err(Failure::run)?;
    if !arguments.no_browser {
        open(&address);
    }
    server.run(&stop);
    // Everything was said when it began.
    Ok(CommandOutcome::done("", serde_json::Value::Null))
}

/// What is shown.
fn source_of(arguments: &View) -> Result<Source, Failure> {
    let Some(path) = &arguments.fit else { return named(arguments) };
    let own = arguments.model.is_some().then(|| named(arguments)).transpose()?;
    // Data that a fit says are simulated may take a while.
    let _ = writeln!(std::io::stderr(), "reading {} and its data …", path.display());
    let mut source = Source::of_fit(path, own).map_err(Failure::input)?;
    if let Some(folder) = &arguments.draws {
        let mut draws = Remains::read(folder).map_err(Failure::input)?;
        if !draws.has_draws() {
            let words =
                format!("{} holds no draws.csv: give what `glauber posterior` wrote", folder.display());
            return Err(Failure::input(words));
        }
        draws = draws.draws_alone();
        source.remains = Arc::new(draws.or(Remains::clone(&source.remains)));
    }
    Ok(source)
}

/// The model that was named, with its data.
fn named(arguments: &View) -> Result<Source, Failure> {
    let choice = ModelChoice {
        model: arguments.model.clone().unwrap_or_default(),
        options: arguments.options.clone(),
        covariates: arguments.covariates.clone(),
    };
    let mut source = Source::new(&choice.model, options_of(&choice)?);
    source.covariates = sources_of(&choice)?;
    match &arguments.data {
        Some(data) => source.beside(data).map_err(Failure::input),
        None => Ok(source),
    }
}

/// Asks the system to open an address; where it cannot, the address was printed.
fn open(address: &str) {
    let (program, first): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(target_os = "windows") {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let quiet = (Stdio::null(), Stdio::null(), Stdio::null());
    let _ =
        Command::new(program).args(first).arg(address).stdin(quiet.0).stdout(quiet.1).stderr(quiet.2).spawn();
}
