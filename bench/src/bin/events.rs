//! Measures what an event costs against the lattice's size, beside the same loops by hand, and draws it.
//!
//! `events [FOLDER]` writes `events.csv` and `events.svg` into the folder (default `docs/benchmarks`). Programs take turns round
//! by round; times are those of the processor, so that other work on the machine counts little, and every row is a median.
#![allow(clippy::print_stdout)] // A tool for people at a terminal.

use std::hint::black_box;
use std::path::PathBuf;

use glauber::engine::{EngineError, Options, Plan, Run};
use glauber::files::run_folder::write_whole;
use glauber::models::{ModelOptions, OptionValue, named};
use glauber::report::plot::{Figure, Panel};
use glauber_bench::handwritten::{contact_process, ising};

/// Whatever goes wrong.
type Anything<T> = Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 5;

/// Steps of a model on a square of some side, from its own start; or the same by hand.
type Steps<'a> = Box<dyn Fn() -> Result<(), EngineError> + 'a>;

/// One measurement.
struct Row {
    what: &'static str,
    program: &'static str,
    side: usize,
    nanoseconds: f64,
}

/// Nanoseconds of the processor that this process has used.
fn used() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    threads.filter_map(of).sum()
}

fn plan(name: &str, side: usize, update: &str) -> Anything<Plan> {
    let mut options = ModelOptions::none();
    options.set("shape", OptionValue::List(vec![side as f64; 2]));
    options.set("update", OptionValue::Text(update.into()));
    let model = named(name, &options)?;
    Ok(Plan::new(&model, &[], None, Options { threads: 1, ..Options::default() })?)
}

/// The medians of programs that take turns, in nanoseconds per event.
fn turns(events: f64, programs: &[(&'static str, Steps<'_>)]) -> Anything<Vec<(&'static str, f64)>> {
    let mut times = vec![Vec::new(); programs.len()];
    for _ in 0..=ROUNDS {
        for ((_, program), own) in programs.iter().zip(&mut times) {
            let begin = used();
            program()?;
            own.push((used() - begin) / events);
        }
    }
    let median = |mut own: Vec<f64>| {
        own.remove(0);
        own.sort_by(f64::total_cmp);
        own[own.len() / 2]
    };
    Ok(programs.iter().zip(times).map(|((name, _), own)| (*name, median(own))).collect())
}

fn contact(rows: &mut Vec<Row>) -> Anything<()> {
    for side in [32, 64, 128, 256, 512, 1024, 2048] {
        let steps = ((1 << 21) / (side * side)).max(1);
        let engine = plan("contact-process", side, "random-sequential")?;
        let theta = [2.0];
        let run = Run::new(&theta, steps).without_last();
        let programs: [(&'static str, Steps<'_>); 2] = [
            ("engine", Box::new(|| engine.simulate(&run).map(drop))),
            (
                "by hand",
                Box::new(|| {
                    black_box(contact_process::run(side, steps, theta[0], 0.1, 1));
                    Ok(())
                }),
            ),
        ];
        for (program, nanoseconds) in turns((steps * side * side) as f64, &programs)? {
            rows.push(Row { what: "contact process, random sequential", program, side, nanoseconds });
        }
    }
    Ok(())
}

fn checkerboard(rows: &mut Vec<Row>) -> Anything<()> {
    for side in [64, 256, 1024] {
        let sweeps = ((1 << 22) / (side * side)).max(1);
        let theta = [0.44, 0.0];
        let run = Run::new(&theta, sweeps).without_last();
        let (colours, sites) =
            (plan("ising", side, "sublattices")?, plan("ising", side, "random-sequential")?);
        let programs: [(&'static str, Steps<'_>); 3] = [
            ("sublattices", Box::new(|| colours.simulate(&run).map(drop))),
            ("random-sequential", Box::new(|| sites.simulate(&run).map(drop))),
            (
                "checkerboard by hand",
                Box::new(|| {
                    black_box(ising::run(side, sweeps, theta[0], 1));
                    Ok(())
                }),
            ),
        ];
        for (program, nanoseconds) in turns((sweeps * side * side) as f64, &programs)? {
            rows.push(Row { what: "ising", program, side, nanoseconds });
        }
    }
    Ok(())
}

fn panel(rows: &[Row], what: &str, title: &str) -> Panel {
    let mut panel = Panel::new(title).x("sites").y("nanoseconds per event").log_x();
    let mut programs: Vec<&str> = rows.iter().filter(|r| r.what == what).map(|r| r.program).collect();
    programs.sort_unstable();
    programs.dedup();
    for program in programs {
        let of = || rows.iter().filter(|r| r.what == what && r.program == program);
        let sites: Vec<f64> = of().map(|r| (r.side * r.side) as f64).collect();
        let times: Vec<f64> = of().map(|r| r.nanoseconds).collect();
        panel = panel.line(program, &sites, &times);
    }
    panel
}

fn main() -> Anything<()> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("docs/benchmarks"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let mut rows = Vec::new();
    contact(&mut rows)?;
    checkerboard(&mut rows)?;
    let mut table = String::from("what,program,side,nanoseconds_per_event\n");
    for r in &rows {
        table += &format!("\"{}\",{},{},{:.3}\n", r.what, r.program, r.side, r.nanoseconds);
    }
    print!("{table}");
    write_whole(folder.join("events.csv"), table)?;
    Figure::new("What an event costs")
        .panel(panel(&rows, "contact process, random sequential", "contact process, random sequential"))
        .panel(panel(&rows, "ising", "Ising, Glauber's dynamics"))
        .write(folder.join("events.svg"))?;
    Ok(())
}
