//! Says what a command ends with: words and an object, or a failure with its exit code.

use glauber::files::DataError;
use glauber::fit::job::JobError;
use serde_json::Value;

/// What a command has to say.
pub struct CommandOutcome {
    /// For people.
    pub text: String,
    /// For scripts.
    pub object: Value,
    /// Whether it was stopped from outside.
    pub interrupted: bool,
    /// Why it failed all the same: the command has found something, but could not keep it or not come to its end.
    pub failed: Option<String>,
}

impl CommandOutcome {
    /// A finished command.
    pub fn done(text: impl Into<String>, object: Value) -> CommandOutcome {
        CommandOutcome { text: text.into(), object, interrupted: false, failed: None }
    }

    /// A command that has found something and could not write it: its last line, which says where that is, is left out.
    pub fn unkept(self, message: &str) -> CommandOutcome {
        let (before, last) = self.text.rsplit_once('\n').unwrap_or(("", self.text.as_str()));
        let time = last.split_once("; result").map_or("", |(time, _)| time);
        let text = format!("{before}\n{time}").trim_end().to_string();
        CommandOutcome { text, failed: Some(format!("the result could not be kept: {message}")), ..self }
    }

    /// A command that was stopped from outside.
    pub fn stopped(text: impl Into<String>, object: Value) -> CommandOutcome {
        CommandOutcome { interrupted: true, ..CommandOutcome::done(text, object) }
    }
}

/// Why a command failed.
pub struct Failure {
    /// In words.
    pub message: String,
    /// 1 where the run failed, 2 where the input is wrong.
    pub code: u8,
    /// What was to be known of the input before it failed: often why it did.
    pub notes: Vec<String>,
}

impl Failure {
    /// Something the user gave is wrong.
    pub fn input(message: impl ToString) -> Failure {
        Failure { message: message.to_string(), code: 2, notes: Vec::new() }
    }

    /// The run itself failed.
    pub fn run(message: impl ToString) -> Failure {
        Failure { message: message.to_string(), code: 1, notes: Vec::new() }
    }

    /// Data that could not be read, with what their reader had said by then.
    pub fn data(error: DataError) -> Failure {
        let (notes, error) = error.apart();
        Failure::input(error).after(notes)
    }

    /// A job that could not be set up, with what the readers of its data had said by then.
    pub fn job(error: JobError) -> Failure {
        let (notes, error) = error.apart();
        Failure::input(error).after(notes)
    }

    /// The same after these notes.
    pub fn after(mut self, notes: Vec<String>) -> Failure {
        self.notes.splice(0..0, notes);
        self
    }
}
