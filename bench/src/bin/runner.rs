//! Runs one problem of `bench/peers` through glauber, once for every line on standard input.
//!
//! `runner PROBLEM` prints `ready`, then answers each line `run SEED` with a JSON object: the seconds it took and the
//! numbers it found, for the comparison with other programs; `memory` with the most bytes that were resident since the
//! start beyond those at the start. `peers/compare.py` speaks to it.
#![allow(clippy::print_stdout, clippy::print_stderr)] // Speaks over standard output.

use std::io::BufRead;
use std::time::Instant;

use glauber::engine::{FieldData, LossValue, Options, Plan, Run};
use glauber::models::{ModelOptions, OptionValue, named};
use glauber::program::Estimator;
use glauber::program::estimators::{GumbelSoftmax, StraightThrough};
use glauber::segment::{DataTerm, PottsEnergy, PottsWeights};
use glauber::tasks::summaries::observation;
use glauber_bench::problems::{Anything, News, Pattern, THETA, observed};

/// A random number in [0, 1) that every program can make: `lowbias32` of the place and the seed.
fn hash(place: u32, seed: u32) -> f64 {
    let mut x = place.wrapping_add(seed.wrapping_mul(1_000_003));
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^= x >> 16;
    f64::from(x) / 4_294_967_296.0
}

fn scattered(count: u32, share: f64, seed: u32) -> Vec<u8> {
    (0..count).map(|place| u8::from(hash(place, seed) < share)).collect()
}

/// What a run found: numbers with a name each.
type Found = Vec<(&'static str, f64)>;
type Problem = Box<dyn FnMut(u64) -> Anything<Found>>;

fn transition(estimator: &dyn Estimator) -> Anything<Problem> {
    const PAIRS: usize = 128;
    let news = News::new(64, Some(estimator))?;
    let picks: Vec<u32> = (0..PAIRS as u32).collect();
    let count = (PAIRS * 64 * 64) as u32;
    let first = FieldData::picked(scattered(count, 0.1, 1), picks.clone());
    let target = FieldData::picked(scattered(count, 0.3, 2), picks);
    Ok(Box::new(move |seed| {
        let run = Run::new(&[0.3], 1).replicates(PAIRS).seed(seed).start(vec![first.clone()]);
        let run = run.observe(1, 0).with_field("target", target.clone());
        let gradient = news.plan.gradient(&run, &observed)?;
        Ok(vec![("loss", gradient.value), ("beta", gradient.parameters[0])])
    }))
}

fn spread() -> Anything<Problem> {
    let news = News::new(1000, None)?;
    let first = FieldData::shared(scattered(1_000_000, 0.03, 1));
    Ok(Box::new(move |seed| {
        let run = Run::new(&[0.1], 10).seed(seed).start(vec![first.clone()]).observe(10, 0);
        let run = run.with_field("target", FieldData::shared(vec![0u8; 1_000_000])).without_last();
        Ok(vec![("aware", news.plan.simulate(&run)?.outputs.mean()[0])])
    }))
}

fn walk() -> Anything<Problem> {
    let mut options = ModelOptions::none();
    options.set("walkers", OptionValue::Number(1500.0));
    let model = named("persistent-random-walk", &options)?;
    let displacement = observation(&"msd".parse()?, &model)?;
    let softmax = GumbelSoftmax { temperature: 1.0 };
    let plan =
        Plan::new(&model, &[displacement], Some(&softmax), Options { threads: 1, ..Options::default() })?;
    let target = |n: usize| {
        let lags: f64 = (1..n).map(|k| (n - k) as f64 * 0.9f64.powi(k as i32)).sum();
        1.6 * (n as f64 + 2.0 * lags)
    };
    let targets: Vec<f64> = (1..=10).map(target).collect();
    Ok(Box::new(move |seed| {
        let mut run = Run::new(&[0.5, 0.5], 10).seed(seed);
        run.events = (1..=10).map(|step| (step, 0)).collect();
        let gradient = plan.gradient(&run, &|mean| {
            let off: Vec<f64> = mean.iter().zip(&targets).map(|(m, t)| m - t).collect();
            LossValue {
                value: off.iter().map(|d| d * d).sum(),
                slopes: off.iter().map(|d| 2.0 * d).collect(),
            }
        })?;
        let [center, resample] = [gradient.parameters[0], gradient.parameters[1]];
        Ok(vec![("loss", gradient.value), ("p_center", center), ("p_resample", resample)])
    }))
}

fn pattern_gradient() -> Anything<Problem> {
    let pattern = Pattern::new(64, Some(&StraightThrough), 1)?;
    Ok(Box::new(move |seed| {
        let gradient = pattern.plan.gradient(&pattern.compared(&THETA, 500).seed(seed), &observed)?;
        let names = ["D_A", "D_B", "k1", "k2", "k3"];
        let found = names.into_iter().zip(gradient.parameters);
        Ok(std::iter::once(("loss", gradient.value)).chain(found).collect())
    }))
}

fn pattern_forward(side: usize, steps: usize) -> Anything<Problem> {
    let pattern = Pattern::new(side, None, 1)?;
    Ok(Box::new(move |seed| {
        let outputs = pattern.plan.simulate(&pattern.compared(&THETA, steps).seed(seed))?.outputs;
        Ok(vec![("loss", outputs.mean()[0])])
    }))
}

fn segmentation() -> Anything<Problem> {
    let (height, width) = (384, 512);
    let z: Vec<f32> = standardised(height, width);
    let (least, most) = z.iter().fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
    let start: Vec<f32> = z.iter().map(|v| (v - least) / (most - least)).collect();
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    Ok(Box::new(move |_| {
        let weights = PottsWeights { field: 0.6, inside: 0.05, outside: 0.15, data: 0.5, classes: 0.0 };
        let energy = PottsEnergy::new(height, width, weights, DataTerm::Squared, &z)?;
        let x = one_thread.install(|| energy.descended(&start, 0.01, 100))?;
        Ok(vec![("mean", x.iter().map(|v| f64::from(*v)).sum::<f64>() / x.len() as f64)])
    }))
}

fn standardised(height: usize, width: usize) -> Vec<f32> {
    let grey: Vec<f64> = (0..(height * width) as u32).map(|place| hash(place, 3)).collect();
    let n = grey.len() as f64;
    let mean = grey.iter().sum::<f64>() / n;
    let deviation = (grey.iter().map(|g| (g - mean) * (g - mean)).sum::<f64>() / n).sqrt();
    grey.iter().map(|g| ((g - mean) / deviation) as f32).collect()
}

fn problem(name: &str) -> Anything<Problem> {
    match name {
        "si-straight-through" => transition(&StraightThrough),
        "si-gumbel-softmax" => transition(&GumbelSoftmax { temperature: 1.0 }),
        "si-forward" => spread(),
        "walk" => walk(),
        "mk-gradient" => pattern_gradient(),
        "mk-forward" => pattern_forward(64, 500),
        "mk-forward-512" => pattern_forward(512, 20),
        "segmentation" => segmentation(),
        _ => Err(format!("there is no problem `{name}`").into()),
    }
}

/// The most bytes that were ever resident, from the process's own account; 0 where there is none.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn main() -> Anything<()> {
    let before = peak();
    let name = std::env::args().nth(1).unwrap_or_default();
    let mut problem = problem(&name)?;
    problem(0)?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("run", seed)) => {
                let begin = Instant::now();
                let found = problem(seed.parse()?)?;
                let seconds = begin.elapsed().as_secs_f64();
                let found: Vec<String> = found.iter().map(|(k, v)| format!("\"{k}\": {v:e}")).collect();
                println!("{{\"seconds\": {seconds:e}, \"found\": {{{}}}}}", found.join(", "));
            }
            _ => println!("{{\"memory\": {}}}", peak() - before),
        }
    }
    Ok(())
}
