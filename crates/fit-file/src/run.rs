//! Reads the `[run]` table: seed, threads, memory, output.

use std::path::PathBuf;

use serde::Serialize;

use super::error::FitFileError;
use super::reader::{Key, Reader};
use super::skip;
use super::tree::Value;
use glauber_files::MemorySize;

/// The keys of `[run]`.
pub const KEYS: &[Key] = &[
    ("seed", "whole number: of all the fit's noise (default 1)"),
    ("threads", "whole number: 0 for all cores (default 0)"),
    ("memory", "text or bytes: what the history may take (default \"1 GiB\")"),
    ("precision", "\"f32\" or \"f64\": of the model's arithmetic (default \"f32\")"),
    ("out", "path: the folder for the results (default: chosen by the command)"),
    ("checkpoint-every", "whole number: steps between checkpoints, 0 for none (default 1000)"),
    ("trace-every", "whole number: which steps the trace keeps (default: so that there are at most 100,000)"),
    ("formation-test", "table: test for pattern formation during the fit"),
];

const FORMATION_KEYS: &[Key] = &[
    ("every", "whole number: steps of the fit between two tests"),
    ("steps", "whole number: steps of each rollout of a test (default 50,000)"),
    ("rollouts", "whole number: rollouts of each test (default 1)"),
];

/// The arithmetic of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrecisionChoice {
    /// 32 bits.
    #[default]
    F32,
    /// 64 bits.
    F64,
}

/// The pattern-formation test during a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FormationTestChoice {
    /// Steps of the fit between two tests, at least 1.
    pub every: u64,
    /// Steps of each rollout of a test, at least 1.
    pub steps: u64,
    /// Rollouts of each test, at least 1.
    pub rollouts: u64,
}

/// The `[run]` table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunChoice {
    /// Seed of all the fit's noise.
    #[serde(serialize_with = "skip::seed")]
    pub seed: u64,
    /// Threads; 0 for all cores.
    pub threads: u64,
    /// What the history may take.
    pub memory: MemorySize,
    /// The arithmetic of the model.
    pub precision: PrecisionChoice,
    /// The folder for the results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out: Option<PathBuf>,
    /// Steps between checkpoints; 0 for none.
    pub checkpoint_every: u64,
    /// Which steps the trace keeps; `None` for so many that at most 100,000 are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_every: Option<u64>,
    /// The pattern-formation test, if wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formation_test: Option<FormationTestChoice>,
}

pub(super) fn read(mut table: Reader<'_>) -> Result<RunChoice, FitFileError> {
    let memory = memory(&mut table)?;
    let precision =
        table.word("precision", &[("f32", PrecisionChoice::F32), ("f64", PrecisionChoice::F64)])?;
    let formation_test = if table.has("formation-test") {
        let mut inner = table.table("formation-test", FORMATION_KEYS)?;
        let Some(every) = inner.count("every", 1)? else {
            return Err(inner.here(
                "`run.formation-test` needs `every`: how many steps of the fit lie between two tests",
            ));
        };
        let steps = inner.count("steps", 1)?.unwrap_or(50_000);
        Some(FormationTestChoice { every, steps, rollouts: inner.count("rollouts", 1)?.unwrap_or(1) })
    } else {
        None
    };
    Ok(RunChoice {
        seed: table.seed("seed")?.unwrap_or(1),
        threads: table.count("threads", 0)?.unwrap_or(0),
        memory,
        precision: precision.unwrap_or_default(),
        out: table.path_of("out")?,
        checkpoint_every: table.count("checkpoint-every", 0)?.unwrap_or(1000),
        trace_every: table.count("trace-every", 1)?,
        formation_test,
    })
}

fn memory(table: &mut Reader<'_>) -> Result<MemorySize, FitFileError> {
    let place = table.place("memory");
    let text = match table.raw("memory").map(|node| node.value) {
        None => return Ok(MemorySize(1 << 30)),
        Some(Value::Text(text)) => text,
        Some(Value::Integer(bytes)) => bytes.to_string(),
        Some(other) => other.described(),
    };
    text.parse().map_err(|message| table.error(place, format!("`run.memory`: {message}")))
}
