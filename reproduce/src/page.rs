//! Puts claims, figures, films and numbers on one page, and writes the files beside it.

use std::path::PathBuf;
use std::time::Duration;

use glauber_report::html::{Claim, Page, Section, Table, Verdict};
use glauber_report::progress::in_time;
use serde_json::{Value, json};

use crate::error::ReproduceError;
use crate::findings::{Finding, Findings};
use crate::settings::{Experiment, Settings};
use crate::store::Store;

/// An experiment that is on the page.
pub(crate) struct Shown {
    pub experiment: Experiment,
    pub findings: Findings,
    /// The names of its parts.
    pub names: Vec<String>,
}

/// Writes the page and all files; returns the page's path.
pub(crate) fn write(store: &Store, settings: &Settings, shown: &[Shown]) -> Result<PathBuf, ReproduceError> {
    for (name, bytes) in shown.iter().flat_map(|s| &s.findings.files) {
        store.write(name, bytes)?;
    }
    let claims = json!(shown.iter().flat_map(|s| &s.findings.claims).map(entry).collect::<Vec<_>>());
    store.write("numbers/claims.json", format!("{claims:#}\n").as_bytes())?;
    let path = store.folder().join("index.html");
    page(store, settings, shown).write(&path).map_err(ReproduceError::part)?;
    Ok(path)
}

/// A claim for scripts, without times.
fn entry(finding: &Finding) -> Value {
    json!({
        "key": finding.key,
        "claim": finding.claim,
        "said": finding.said,
        "measured": finding.measured,
        "verdict": finding.verdict.words(),
        "note": finding.note,
    })
}

fn page(store: &Store, settings: &Settings, shown: &[Shown]) -> Page {
    let all: Vec<&Finding> = shown.iter().flat_map(|s| &s.findings.claims).collect();
    let claims: Vec<Claim> = all.iter().map(|f| f.to_claim(store.seconds(f.parts))).collect();
    let extent = match settings.quick {
        true => {
            "This is the quick run: fits are shortened, and claims that need the long ones are not tested."
        }
        false => "Every fit has the paper's settings, or says where it departs from them.",
    };
    let mut page = Page::new("Fitting stochastic lattice models by approximate gradients: the claims, measured again")
        .lead(format!(
            "Schering, Keemink and Textor (2023) fit stochastic lattice models by gradients through their randomness. \
             glauber has run their experiments again. {extent} Each verdict is computed from the numbers of this run."
        ))
        .section(Section::new("The claims").claims(&claims));
    if let Some(section) = what_does_not_hold(&all) {
        page = page.section(section);
    }
    for one in shown {
        page = page.section(one.findings.section.clone());
    }
    page.section(how(store, settings, shown)).footer(
        "Schering, Keemink & Textor: Fitting Stochastic Lattice Models Using Approximate Gradients, 2023. \
         Cell tracks behind the displacement curves: celltrackR 1.2.2, Wortel et al., ImmunoInformatics 1–2, 100003, 2021.",
    )
}

/// Every claim that does not hold as it was said, in plain words.
fn what_does_not_hold(all: &[&Finding]) -> Option<Section> {
    let of = |verdict: Verdict| all.iter().filter(move |finding| finding.verdict == verdict);
    let mut section = Section::new("What does not hold, and why");
    let mut any = false;
    for verdict in [Verdict::DoesNotHold, Verdict::HoldsWithDifference] {
        for finding in of(verdict) {
            any = true;
            let because = match finding.note.as_str() {
                "" => "The reason is not known.".to_string(),
                note => format!("Why: {note}."),
            };
            let words = verdict.words();
            section = section
                .prose(&format!("“{}” {words}. Measured: {}. {because}", finding.claim, finding.measured));
        }
    }
    any.then_some(section)
}

/// Seeds, times, and how to run it again.
fn how(store: &Store, settings: &Settings, shown: &[Shown]) -> Section {
    let names: Vec<String> = shown.iter().flat_map(|s| s.names.iter().cloned()).collect();
    let time = |names: &[String]| {
        let seconds: f64 = names.iter().map(|name| store.seconds_of(name)).sum();
        in_time(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    };
    let mut table = Table::new(["Experiment", "Parts", "Time"]);
    for one in shown {
        table = table.row([one.experiment.name().to_string(), one.names.len().to_string(), time(&one.names)]);
    }
    table = table.row(["all of these".to_string(), names.len().to_string(), time(&names)]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut command = "glauber reproduce all".to_string();
    if settings.quick {
        command += " --quick";
    }
    if settings.seed != 1 {
        command += &format!(" --seed {}", settings.seed);
    }
    if settings.seeds != 1 {
        command += &format!(" --seeds {}", settings.seeds);
    }
    let mut section = Section::new("How this was run")
        .facts([
            ("glauber".to_string(), env!("CARGO_PKG_VERSION").to_string()),
            ("Seed".to_string(), settings.seed.to_string()),
            ("Seeds of each stability fit".to_string(), settings.seeds.to_string()),
            ("Cores of this machine".to_string(), cores.to_string()),
        ])
        .table(&table)
        .prose(
            "Numbers and figures lie as files beside this page, in numbers/ and figures/. To run it again:",
        )
        .code(&command);
    let others = store.of_other_builds(&names);
    if others > 0 {
        section = section.prose(&format!(
            "{others} of {} parts were kept from a run of another build of glauber; --fresh runs them anew.",
            names.len()
        ));
    }
    section
}
