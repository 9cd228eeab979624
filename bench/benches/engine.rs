//! Times the engine against the same loops written by hand: noise, susceptible–infected, Malevanets–Kapral.
#![allow(missing_docs)] // Made by criterion's macros.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use glauber::numbers::noise::{Key, uniform};
use glauber::program::Estimator;
use glauber::program::estimators::GumbelSoftmax;
use glauber_bench::handwritten::torus::Torus;
use glauber_bench::handwritten::{malevanets_kapral as mk, susceptible_infected as si};
use glauber_bench::problems::{ESTIMATOR, News, Pattern, THETA, observed};
use glauber_bench::with_widest_vectors;

/// What is timed is a run that works.
const RUNS: &str = "a run of this crate";

with_widest_vectors! {
    /// A block of random numbers as a draw uses them.
    pub fn random_numbers(key: Key, numbers: &mut [f32]) {
        for (site, number) in numbers.iter_mut().enumerate() {
            *number = uniform(key.word(site as u32));
        }
    }
}

fn noise(c: &mut Criterion) {
    let mut group = c.benchmark_group("noise");
    let mut numbers = vec![0.0f32; 4096];
    group.throughput(Throughput::Elements(4096));
    let mut step = 0;
    group.bench_function("uniform numbers, 4096 a key", |b| {
        b.iter(|| {
            step += 1;
            random_numbers(Key::new(1, 0, step, 0, 0), black_box(&mut numbers));
        })
    });
    group.finish();
}

fn susceptible_infected(c: &mut Criterion) {
    let (side, steps, beta) = (1000, 10, [0.1]);
    let news = News::new(side, Some(&ESTIMATOR)).expect("a problem of this crate");
    let first = Torus::from_sites(side, side, &news.first);
    let mut group = c.benchmark_group("susceptible-infected 1000 x 1000, 10 steps");
    group.throughput(Throughput::Elements((side * side * steps) as u64));
    let run = news.run(&beta, steps);
    group.bench_function("forward, engine", |b| b.iter(|| news.plan.simulate(&run).expect(RUNS)));
    group.bench_function("forward, by hand", |b| {
        let (mut state, mut next) = (first.clone(), first.clone());
        b.iter(|| {
            state.clone_from(&first);
            for t in 1..=steps as u32 {
                si::step(&state, &mut next, beta[0], Key::new(1, 0, t, 0, 0));
                std::mem::swap(&mut state, &mut next);
            }
        })
    });
    let run = news.compared(&beta, steps);
    group.bench_function("forward and backward, engine", |b| {
        b.iter(|| news.plan.gradient(&run, &observed).expect(RUNS))
    });
    group.bench_function("forward and backward, by hand", |b| {
        b.iter(|| si::gradient(&first, &news.target, beta[0], steps as u32, 1))
    });
    group.finish();
}

fn transition_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("susceptible-infected 64 x 64, a gradient step of 128 pairs");
    let softmax = GumbelSoftmax { temperature: 1.0 };
    let estimators: [(&str, &dyn Estimator); 2] =
        [("straight-through", &ESTIMATOR), ("gumbel-softmax", &softmax)];
    for (name, estimator) in estimators {
        let news = News::new(64, Some(estimator)).expect("a problem of this crate");
        let run = news.pairs(&[0.3], 128);
        group.bench_function(name, |b| b.iter(|| news.plan.gradient(&run, &observed).expect(RUNS)));
    }
    group.finish();
}

fn malevanets_kapral(c: &mut Criterion) {
    let steps = 500;
    let pattern = Pattern::new(64, Some(&ESTIMATOR), 1).expect("a problem of this crate");
    let field = |l: &Vec<u8>| Torus::from_sites(64, 64, l);
    let first = mk::State { a: field(&pattern.layers[0]), b: field(&pattern.layers[1]) };
    let mut group = c.benchmark_group("malevanets-kapral 64 x 64, 500 steps");
    group.throughput(Throughput::Elements(steps as u64));
    let run = pattern.run(&THETA, steps);
    group.bench_function("forward, engine", |b| b.iter(|| pattern.plan.simulate(&run).expect(RUNS)));
    group.bench_function("forward, by hand", |b| {
        let (mut state, mut next, mut room) = (first.clone(), first.clone(), mk::Room::new(64, 64));
        b.iter(|| {
            for t in 1..=steps as u32 {
                mk::step(&state, &mut next, &mut room, &mk::Step::new(&THETA, 50.0, 1, t));
                next.a.wrap();
                next.b.wrap();
                std::mem::swap(&mut state, &mut next);
            }
        })
    });
    let run = pattern.compared(&THETA, steps);
    group.bench_function("gradient, engine", |b| {
        b.iter(|| pattern.plan.gradient(&run, &observed).expect(RUNS))
    });
    group.bench_function("gradient, by hand", |b| {
        b.iter(|| mk::gradient(&first, &THETA, 50.0, steps as u32, 1))
    });
    group.finish();
}

fn larger(c: &mut Criterion) {
    let steps = 20;
    let mut group = c.benchmark_group("malevanets-kapral 512 x 512, 20 steps");
    group.throughput(Throughput::Elements(steps as u64));
    let pattern = Pattern::new(512, None, 1).expect("a problem of this crate");
    let run = pattern.run(&THETA, steps);
    group.bench_function("forward, engine", |b| b.iter(|| pattern.plan.simulate(&run).expect(RUNS)));
    group.finish();
    let mut group = c.benchmark_group("malevanets-kapral 64 x 64, 100 steps, 16 replicates");
    for threads in [1, 2] {
        let pattern = Pattern::new(64, Some(&ESTIMATOR), threads).expect("a problem of this crate");
        let run = pattern.compared(&THETA, 100).replicates(16);
        group.bench_function(format!("gradient, {threads} threads"), |b| {
            b.iter(|| pattern.plan.gradient(&run, &observed).expect(RUNS))
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(15).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    targets = noise, susceptible_infected, transition_step, malevanets_kapral, larger
}
criterion_main!(benches);
