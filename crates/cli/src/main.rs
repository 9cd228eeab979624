//! Runs the command line: parses, calls, prints; no science here.

mod arguments;
mod commands;
mod outcome;

use std::io::Write;

use clap::Parser;

use arguments::{Arguments, Command};
use outcome::{Failure, Outcome};

fn main() -> std::process::ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap prints help and versions to stdout, mistakes to stderr.
            let _ = error.print();
            return std::process::ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let json = arguments.json;
    match run(arguments) {
        Ok(Outcome { text, object, interrupted }) => {
            let shown = if json { object.to_string() } else { text.trim_end().to_string() };
            if !shown.is_empty() {
                // Whoever reads may have seen enough (`| head`): no reason to fail.
                let _ = writeln!(std::io::stdout(), "{shown}");
            }
            std::process::ExitCode::from(if interrupted { 130 } else { 0 })
        }
        Err(Failure { message, code }) => {
            let _ = writeln!(std::io::stderr(), "glauber: {message}");
            std::process::ExitCode::from(code)
        }
    }
}

fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    match arguments.command {
        Command::Models => Ok(commands::models::run()),
        Command::New(own) => commands::new::run(&own),
        Command::Show(own) => commands::show::run(&own),
        Command::Simulate(own) => commands::simulate::run(&own),
        Command::Fit(own) => commands::fit::run(&own),
        Command::Check(own) => commands::check::run(&own),
        Command::Segment(own) => commands::segment::run(&own),
        Command::Generate(own) => commands::generate::run(&own),
        Command::Tracks(own) => commands::tracks::run(&own),
        Command::Reproduce(own) => commands::reproduce::run(&own),
    }
}
