//! Times rules that are applied to one site after another, and colour after colour, beside the same loops by hand.
#![allow(missing_docs)] // Made by criterion's macros.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use glauber::engine::{Options, Plan, Run};
use glauber::models::{ModelOptions, OptionValue, named};
use glauber_bench::handwritten::{contact_process, ising};

/// What is timed is a run that works.
const RUNS: &str = "a run of this crate";

/// A catalogue model on a square, ready to be run from its own start.
fn plan(name: &str, side: usize, more: &[(&str, &str)]) -> Plan {
    let mut options = ModelOptions::none();
    options.set("shape", OptionValue::List(vec![side as f64; 2]));
    more.iter().for_each(|(key, word)| options.set(key, OptionValue::Text((*word).into())));
    let model = named(name, &options).expect("a model of the catalogue");
    Plan::new(&model, &[], None, Options { threads: 1, ..Options::default() }).expect("a plan")
}

/// The contact process in random sequential order: an event a site.
fn contact(c: &mut Criterion) {
    let mut group = c.benchmark_group("contact process, random sequential, a step");
    for side in [32, 64, 128, 256, 512, 1024, 2048] {
        let events = (side * side) as u64;
        group.throughput(Throughput::Elements(events));
        let steps = ((1 << 20) / events).max(1) as usize;
        group.throughput(Throughput::Elements(events * steps as u64));
        let engine = plan("contact-process", side, &[("update", "random-sequential")]);
        let theta = [2.0];
        let run = Run::new(&theta, steps).without_last();
        group.bench_with_input(BenchmarkId::new("engine", side), &side, |b, _| {
            b.iter(|| engine.simulate(&run).expect(RUNS))
        });
        group.bench_with_input(BenchmarkId::new("by hand", side), &side, |b, _| {
            b.iter(|| black_box(contact_process::run(side, steps, theta[0], 0.1, 1)))
        });
    }
    group.finish();
}

/// A checkerboard sweep of the Ising model by Glauber's dynamics.
fn checkerboard(c: &mut Criterion) {
    let (side, steps) = (1024, 10);
    let mut group = c.benchmark_group("ising 1024 x 1024, 10 sweeps");
    group.throughput(Throughput::Elements((side * side * steps) as u64));
    let theta = [0.44, 0.0];
    for update in ["sublattices", "random-sequential"] {
        let engine = plan("ising", side, &[("update", update)]);
        let run = Run::new(&theta, steps).without_last();
        group.bench_function(update, |b| b.iter(|| engine.simulate(&run).expect(RUNS)));
    }
    group.bench_function("checkerboard by hand", |b| {
        b.iter(|| black_box(ising::run(side, steps, theta[0], 1)))
    });
    group.finish();
}

criterion_group! {
    name = updates;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(3));
    targets = contact, checkerboard
}
criterion_main!(updates);
