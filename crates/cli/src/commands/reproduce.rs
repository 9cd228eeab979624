//! Runs the paper's experiments again, and says claim by claim what holds.

use std::sync::atomic::{AtomicBool, Ordering};

use glauber::report::progress::Show;
use glauber_reproduce::settings::{Experiment, Settings};
use glauber_reproduce::{ReproduceError, reproduce};
use serde_json::json;

use crate::arguments::Reproduce;
use crate::outcome::{CommandOutcome, Failure};

static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Runs `glauber reproduce`.
pub fn run(arguments: &Reproduce) -> Result<CommandOutcome, Failure> {
    let usual = if arguments.quick { "out/reproduce-quick" } else { "out/reproduce" };
    let experiments = experiments(&arguments.experiment)?;
    for (given, flag, own) in
        [(arguments.data.is_some(), "--data", "state"), (arguments.seeds.is_some(), "--seeds", "stability")]
    {
        if given && !experiments.iter().any(|experiment| experiment.name() == own) {
            return Err(Failure::input(format!(
                "{flag} is for the experiment `{own}`, which is not run: leave it out"
            )));
        }
    }
    let settings = Settings {
        experiments,
        quick: arguments.quick,
        data: arguments.data.clone(),
        seed: arguments.seed,
        seeds: arguments.seeds.unwrap_or(1),
        fresh: arguments.fresh,
        ..Settings::new(arguments.out.clone().unwrap_or_else(|| usual.into()))
    };
    let _ = ctrlc::set_handler(|| INTERRUPT.store(true, Ordering::Relaxed));
    let show = if arguments.quiet { Show::Silent } else { Show::Auto };
    let summary = match reproduce(&settings, show, &INTERRUPT) {
        Ok(summary) => summary,
        Err(ReproduceError::Interrupted) => {
            let text = "interrupted; the same command carries on from what was finished";
            let object = json!({"stopped": "interrupted", "out": settings.out});
            return Ok(CommandOutcome::stopped(text, object));
        }
        Err(ReproduceError::Input(words)) => return Err(Failure::input(words)),
        Err(ReproduceError::Part(words)) => return Err(Failure::run(words)),
    };
    let claims: Vec<_> = summary
        .claims
        .iter()
        .map(|(key, claim, measured, verdict)| {
            json!({"key": key, "claim": claim, "measured": measured, "verdict": verdict.words()})
        })
        .collect();
    let mut text = String::new();
    for (_, claim, _, verdict) in &summary.claims {
        text += &format!("{:24}{claim}\n", verdict.words());
    }
    let (run, kept) = summary.parts;
    text += &format!(
        "\n{run} parts run, {kept} kept from before, {:.0} s in all; open {}",
        summary.seconds,
        summary.page.display()
    );
    let object = json!({
        "claims": claims, "page": summary.page, "parts": {"run": run, "kept": kept}, "seconds": summary.seconds,
        "seed": settings.seed, "seeds": settings.seeds, "quick": settings.quick,
        "version": glauber::VERSION, "out": settings.out,
    });
    Ok(CommandOutcome::done(text, object))
}

fn experiments(name: &str) -> Result<Vec<Experiment>, Failure> {
    if name == "all" {
        return Ok(Experiment::ALL.to_vec());
    }
    let known = Experiment::ALL.into_iter().find(|e| e.name() == name);
    known.map(|e| vec![e]).ok_or_else(|| {
        let names = Experiment::ALL.map(Experiment::name).join(", ");
        Failure::input(format!("there is no experiment `{name}`: name one of {names}, or all"))
    })
}
