//! Says how a person words what a file does not say, so that errors name the words that they have.

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
            Self::FitFile => format!("columns.{key}"),
            Self::CommandLine => format!("--column {key}=NAME"),
        }
    }

    /// How columns are given by their numbers.
    pub(super) fn columns(self, given: &[(&str, usize)]) -> String {
        let one = |(key, number): &(&str, usize)| match self {
            Self::FitFile => format!("{key} = {number}"),
            Self::CommandLine => format!("--column {key}={number}"),
        };
        let all: Vec<String> = given.iter().map(one).collect();
        match self {
            Self::FitFile => format!("`columns = {{ {} }}` under [data]", all.join(", ")),
            Self::CommandLine => format!("`{}`", all.join(" ")),
        }
    }

    /// How the interval is given.
    pub(super) fn interval(self, interval: f64) -> String {
        match self {
            Self::FitFile => format!("`interval = {interval}` under [data]"),
            Self::CommandLine => format!("--interval {interval}"),
        }
    }
}
