//! Says how a person words what a file does not say, so that errors name the words that they have.

use glauber_files::rounded;

/// Where a person says what a file does not, so that errors name the words that they have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Face {
    /// In the `[data]` table of a fit file.
    #[default]
    FitFile,
    /// As options of a command.
    CommandLine,
}

impl Face {
    /// How a column is named.
    pub(super) fn column(self, key: &str) -> String {
        match self {
            Self::FitFile => format!("`data.columns.{key}`"),
            Self::CommandLine => format!("--column {key}=NAME"),
        }
    }

    /// How a column is given by its name.
    pub(super) fn named_column(self, key: &str, name: &str) -> String {
        match self {
            Self::FitFile => format!("`columns = {{ {key} = \"{}\" }}` under [data]", name.escape_default()),
            Self::CommandLine => format!("--column \"{key}={}\"", name.escape_default()),
        }
    }

    /// How a column is given by its number.
    pub(super) fn numbered_column(self, key: &str, number: usize) -> String {
        match self {
            Self::FitFile => format!("`columns = {{ {key} = {number} }}` under [data]"),
            Self::CommandLine => format!("--column {key}={number}"),
        }
    }

    /// How columns are given by their numbers, each of which the person fills in.
    pub(super) fn columns(self, keys: &[&str]) -> String {
        let one = |key: &&str| match self {
            Self::FitFile => format!("{key} = N"),
            Self::CommandLine => format!("--column {key}=N"),
        };
        let all: Vec<String> = keys.iter().map(one).collect();
        match self {
            Self::FitFile => format!("`columns = {{ {} }}` under [data]", all.join(", ")),
            Self::CommandLine => format!("`{}`", all.join(" ")),
        }
    }

    /// How a setting is called.
    pub(super) fn option(self, key: &str) -> String {
        match self {
            Self::FitFile => format!("`data.{key}`"),
            Self::CommandLine => format!("--{key}"),
        }
    }

    /// How the interval is given.
    pub(super) fn interval(self, interval: f64) -> String {
        match self {
            Self::FitFile => format!("`interval = {}` under [data]", rounded(interval)),
            Self::CommandLine => format!("--interval {}", rounded(interval)),
        }
    }
}
