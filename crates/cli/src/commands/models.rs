//! Lists the catalogue.

use glauber::models::MODELS;
use serde_json::json;

use crate::outcome::CommandOutcome;

/// Runs `glauber models`.
pub fn run() -> CommandOutcome {
    let width = MODELS.iter().map(|m| m.name.len()).max().unwrap_or(0);
    let lines: Vec<String> = MODELS.iter().map(|m| format!("{:width$}  {}", m.name, m.summary)).collect();
    let list: Vec<_> = MODELS.iter().map(|m| json!({"name": m.name, "summary": m.summary})).collect();
    CommandOutcome::done(lines.join("\n"), json!({ "models": list }))
}
