//! Measures how time and memory grow with sites, steps, replicates and threads, and draws them with the ideal line.
//!
//! `scaling [FOLDER]` writes `scaling.csv` and `scaling.svg` into the folder (default `docs/benchmarks`). Every row is
//! the median of several runs; memory is the most that was resident since the start, so it can only grow from row to row
//! and the small cases come first.
#![allow(clippy::print_stdout)] // A tool for people at a terminal.

use std::path::PathBuf;
use std::time::Instant;

use glauber::engine::EngineError;
use glauber::files::run_folder::write_whole;
use glauber::report::plot::{Figure, Panel};
use glauber_bench::problems::{Anything, ESTIMATOR, News, Pattern, THETA, observed};

/// One measurement.
struct Row {
    what: &'static str,
    case: &'static str,
    size: f64,
    seconds: f64,
    megabytes: f64,
}

/// The median time of runs that fill about a second, at least three.
fn median(mut f: impl FnMut() -> Result<(), EngineError>) -> Anything<f64> {
    f()?;
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.len() < 3 || (begin.elapsed().as_secs_f64() < 1.0 && times.len() < 50) {
        let start = Instant::now();
        f()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// Megabytes resident at most since the start; not a number where the system does not tell.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |k| k / 1024.0)
}

fn steps(rows: &mut Vec<Row>) -> Anything<()> {
    let pattern = Pattern::new(64, Some(&ESTIMATOR), 1)?;
    for steps in [100, 1000, 10_000, 100_000] {
        let run = pattern.compared(&THETA, steps);
        let forward = median(|| pattern.plan.simulate(&run).map(drop))?;
        rows.push(Row {
            what: "steps",
            case: "forward",
            size: steps as f64,
            seconds: forward,
            megabytes: peak(),
        });
    }
    for steps in [100, 1000, 10_000, 100_000] {
        let run = pattern.compared(&THETA, steps);
        let both = median(|| pattern.plan.gradient(&run, &observed).map(drop))?;
        rows.push(Row {
            what: "steps",
            case: "gradient",
            size: steps as f64,
            seconds: both,
            megabytes: peak(),
        });
    }
    Ok(())
}

fn sites(rows: &mut Vec<Row>) -> Anything<()> {
    for side in [64, 128, 256, 512, 1024, 2048, 4096] {
        let news = News::new(side, Some(&ESTIMATOR))?;
        let size = (side * side) as f64;
        let run = news.run(&[0.1], 4);
        let forward = median(|| news.plan.simulate(&run).map(drop))?;
        rows.push(Row { what: "sites", case: "forward", size, seconds: forward, megabytes: peak() });
        let run = news.compared(&[0.1], 4);
        let both = median(|| news.plan.gradient(&run, &observed).map(drop))?;
        rows.push(Row { what: "sites", case: "gradient", size, seconds: both, megabytes: peak() });
    }
    Ok(())
}

fn replicates(rows: &mut Vec<Row>) -> Anything<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for (threads, case) in [(1, "one thread"), (cores, "all cores")] {
        let pattern = Pattern::new(64, Some(&ESTIMATOR), threads)?;
        for replicates in [1, 2, 4, 8, 16, 32, 64] {
            let run = pattern.compared(&THETA, 100).replicates(replicates);
            let seconds = median(|| pattern.plan.gradient(&run, &observed).map(drop))?;
            rows.push(Row { what: "replicates", case, size: replicates as f64, seconds, megabytes: peak() });
        }
    }
    Ok(())
}

/// Time per unit of size, with the ideal: that of the largest case for all.
fn panel(rows: &[Row], what: &str, title: &str, x: &str) -> Panel {
    let mut panel = Panel::new(title).x(x).y("seconds").log_x().log_y();
    let mut cases: Vec<&str> = rows.iter().filter(|r| r.what == what).map(|r| r.case).collect();
    cases.dedup();
    let mut seen = Vec::new();
    for case in cases {
        if seen.contains(&case) {
            continue;
        }
        seen.push(case);
        let of: Vec<&Row> = rows.iter().filter(|r| r.what == what && r.case == case).collect();
        let sizes: Vec<f64> = of.iter().map(|r| r.size).collect();
        let seconds: Vec<f64> = of.iter().map(|r| r.seconds).collect();
        let Some(last) = of.last() else { continue };
        let ideal: Vec<f64> = sizes.iter().map(|s| last.seconds * s / last.size).collect();
        panel = panel
            .line(case, &sizes, &seconds)
            .line(format!("{case}, in proportion"), &sizes, &ideal)
            .dashed();
    }
    panel
}

fn main() -> Anything<()> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("docs/benchmarks"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let mut rows = Vec::new();
    steps(&mut rows)?;
    replicates(&mut rows)?;
    sites(&mut rows)?;
    let mut table = String::from("what,case,size,seconds,peak_megabytes\n");
    for r in &rows {
        table += &format!("{},{},{},{:.6},{:.1}\n", r.what, r.case, r.size, r.seconds, r.megabytes);
    }
    print!("{table}");
    write_whole(folder.join("scaling.csv"), table)?;
    Figure::new("How time grows")
        .panel(panel(&rows, "sites", "susceptible–infected, 4 steps", "sites"))
        .panel(panel(&rows, "steps", "Malevanets–Kapral 64 × 64", "steps"))
        .panel(panel(
            &rows,
            "replicates",
            "Malevanets–Kapral 64 × 64, gradient through 100 steps",
            "replicates",
        ))
        .write(folder.join("scaling.svg"))?;
    Ok(())
}
