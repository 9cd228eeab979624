//! Runs the command line: parses, calls, prints; no science here.

mod arguments;
mod commands;
mod outcome;

use std::io::Write;

use clap::{CommandFactory, FromArgMatches};

use arguments::{Arguments, Command};
use outcome::{CommandOutcome, Failure};

fn main() -> std::process::ExitCode {
    let matches = numbers_may_be_negative(Arguments::command()).try_get_matches();
    let arguments = match matches.and_then(|m| Arguments::from_arg_matches(&m)) {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap prints help and versions to stdout, mistakes to stderr.
            let printed = error.print();
            if error.use_stderr() {
                return std::process::ExitCode::from(2);
            }
            return std::process::ExitCode::from(code_after(
                printed.and_then(|()| std::io::stdout().flush()),
                0,
            ));
        }
    };
    let json = arguments.json;
    match run(arguments) {
        Ok(CommandOutcome { text, object, interrupted, failed }) => {
            let shown =
                if json && !object.is_null() { object.to_string() } else { text.trim_end().to_string() };
            let code = match (&failed, interrupted) {
                (Some(_), _) => 1,
                (None, true) => 130,
                (None, false) => 0,
            };
            let code = if shown.is_empty() { code } else { code_after(print(&shown), code) };
            if let Some(message) = failed {
                let _ = writeln!(std::io::stderr(), "glauber: {message}");
            }
            std::process::ExitCode::from(code)
        }
        Err(Failure { message, code, notes }) => {
            for note in notes {
                let _ = writeln!(std::io::stderr(), "note: {note}");
            }
            let _ = writeln!(std::io::stderr(), "glauber: {message}");
            std::process::ExitCode::from(code)
        }
    }
}

/// A command whose options are given what looks like a negative number, to be refused in their own words.
fn numbers_may_be_negative(command: clap::Command) -> clap::Command {
    command.allow_negative_numbers(true).mut_subcommands(numbers_may_be_negative)
}

fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// The exit code after printing: where the output is lost, the command has failed.
fn code_after(printed: std::io::Result<()>, code: u8) -> u8 {
    match printed {
        // Whoever reads may have seen enough (`| head`): no reason to fail.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let _ = writeln!(std::io::stderr(), "glauber: the output could not be written: {error}");
            1
        }
        _ => code,
    }
}

fn run(arguments: Arguments) -> Result<CommandOutcome, Failure> {
    match arguments.command {
        Command::Models => Ok(commands::models::run()),
        Command::New(own) => commands::new::run(&own),
        Command::Show(own) => commands::show::run(&own),
        Command::Simulate(own) => commands::simulate::run(&own),
        Command::View(own) => commands::view::run(&own, arguments.json),
        Command::Fit(own) => commands::fit::run(&own),
        Command::Merge(own) => commands::merge::run(&own),
        Command::Posterior(own) => commands::posterior::run(&own),
        Command::Profile(own) => commands::posterior::profile(&own),
        Command::Check(own) => commands::check::run(&own),
        Command::Segment(own) => commands::segment::run(&own),
        Command::Generate(own) => commands::generate::run(&own),
        Command::Cells(own) => commands::cells::run(&own),
        Command::Tracks(own) => commands::tracks::run(&own),
        Command::Reproduce(own) => commands::reproduce::run(&own),
    }
}
