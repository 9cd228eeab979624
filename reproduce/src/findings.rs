//! Holds what an experiment found: its section of the page, its claims, its figures and numbers as files.

use glauber_report::html::{Claim, Section, Verdict};

/// A claim of the paper with what was measured.
pub(crate) struct Finding {
    /// A short name for scripts.
    pub key: &'static str,
    pub claim: String,
    /// What the paper says.
    pub said: String,
    /// What was measured, with its uncertainty.
    pub measured: String,
    pub verdict: Verdict,
    /// The reason for a difference, or empty.
    pub note: String,
    /// How the names of the parts begin that it rests on.
    pub parts: &'static str,
}

impl Finding {
    /// As a row of the page's table; `seconds` is how long its parts took.
    pub(crate) fn to_claim(&self, seconds: f64) -> Claim {
        Claim {
            claim: self.claim.clone(),
            said: self.said.clone(),
            measured: self.measured.clone(),
            verdict: self.verdict,
            note: self.note.clone(),
            seconds: (self.verdict != Verdict::NotTested && seconds > 0.0).then_some(seconds),
        }
    }
}

/// What an experiment found.
pub(crate) struct Findings {
    pub section: Section,
    pub claims: Vec<Finding>,
    /// Files beside the page: path below the folder, bytes.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Lists of numbers of one length as CSV; what is not finite is left empty.
pub(crate) fn csv(columns: &[(&str, &[f64])]) -> Vec<u8> {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = names.join(",") + "\n";
    let rows = columns.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    for row in 0..rows {
        let cell = |values: &[f64]| match values.get(row) {
            Some(value) if value.is_finite() => format!("{value}"),
            _ => String::new(),
        };
        let cells: Vec<String> = columns.iter().map(|(_, values)| cell(values)).collect();
        text += &(cells.join(",") + "\n");
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_so_that_they_read_back_and_gaps_stay_gaps() {
        let text = csv(&[("step", &[0.0, 1.0, 2.0]), ("loss", &[0.1, f64::NAN])]);
        assert_eq!(String::from_utf8_lossy(&text), "step,loss\n0,0.1\n1,\n2,\n");
    }
}
