//! Checks that a run shared among workers has the bits of one machine: every model of the catalogue under every estimator,
//! workers that forget, that take another's task, and tasks that are lost.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use glauber_engine::*;
use glauber_models::{MODELS, ModelOptions, OptionValue, named};
use glauber_program::Model;
use glauber_program::estimators::{ESTIMATORS, EstimatorOptions};
use glauber_workers::{Carrier, Crew, Remote, Station, Task};

/// Workers in this process, which take tasks as they like.
struct Stations {
    stations: Vec<Station>,
    /// Every so many tasks one is lost, and one is answered by a worker that knows nothing; 0 for none.
    trouble: usize,
    carried: Arc<AtomicUsize>,
    told: Arc<Mutex<Vec<String>>>,
    /// Seconds there and back.
    latency: f64,
}

impl Carrier for Stations {
    fn workers(&self) -> usize {
        self.stations.len()
    }
    fn latency(&self, _: &dyn Fn() -> bool) -> Option<f64> {
        Some(self.latency)
    }
    fn carry(&self, tasks: Vec<Task>, _: &dyn Fn() -> bool) -> Result<Vec<Option<Vec<u8>>>, String> {
        let answer = |task: Task| {
            let number = self.carried.fetch_add(1, Ordering::Relaxed);
            if self.trouble > 0 && number % self.trouble == 1 {
                return None;
            }
            let fresh = Station::default();
            let forgets = self.trouble > 0 && number % self.trouble == 2;
            // Not the worker whose turn it was: 7 and the number of workers have no factor in common.
            let own = if forgets { &fresh } else { &self.stations[number * 7 % self.stations.len()] };
            task.contents.into_iter().for_each(|(hash, bytes)| own.keep(hash, bytes));
            Some(own.answer(&task.body))
        };
        Ok(tasks.into_iter().map(answer).collect())
    }
    fn tell(&self, words: &str) {
        self.told.lock().unwrap().push(words.to_string());
    }
}

/// A crew of so many workers; how many tasks they were sent, and what was told.
fn crew(
    workers: usize,
    trouble: usize,
    latency: f64,
) -> (Options, Arc<AtomicUsize>, Arc<Mutex<Vec<String>>>) {
    let (carried, told) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
    let stations = (0..workers).map(|_| Station::default()).collect();
    let carrier = Stations { stations, trouble, carried: carried.clone(), told: told.clone(), latency };
    let remote = Remote::new(Arc::new(Crew::new(Box::new(carrier), 1, Arc::default())));
    let backend = Some(BackendName(Box::leak(Box::new(remote))));
    (Options { threads: 1, backend, ..Options::default() }, carried, told)
}

fn observation(model: &Model) -> Observation {
    let layers = model.declarations().layers.clone();
    let program = model.observe(|s| {
        for layer in &layers {
            let x = s.layer(&layer.name);
            let number = if layer.is_nominal() { x.equals(1.0) } else { x * x };
            s.output(&layer.name, number.sum());
        }
    });
    program.unwrap().into()
}

fn parameters(model: &Model) -> Vec<f64> {
    let middle = |p: &glauber_program::Parameter| {
        let (low, high) = (p.interval.lowest, p.interval.highest);
        p.default.unwrap_or(if low.is_finite() && high.is_finite() { 0.5 * (low + high) } else { 1.0 })
    };
    model.declarations().parameters.iter().map(middle).collect()
}

fn run<'a>(model: &Model, parameters: &'a [f64], replicates: usize) -> Run<'a> {
    let mut run = Run::new(parameters, 3).replicates(replicates).seed(20).observe(3, 0).observe(2, 0);
    let sites = model.declarations().lattice.sites();
    for field in &model.declarations().fields {
        let map: Vec<f64> = (0..sites).map(|site| 0.5 + 0.25 * ((site % 5) as f64)).collect();
        run = run.with_field(&field.name, FieldData::shared(map));
    }
    run
}

fn loss(mean: &[f64]) -> LossValue {
    let slopes: Vec<f64> = mean.iter().enumerate().map(|(k, m)| m / (k as f64 + 1.0)).collect();
    LossValue { value: slopes.iter().zip(mean).map(|(s, m)| 0.5 * s * m).sum(), slopes }
}

/// All numbers of a gradient, as bits.
fn bits(found: &Gradient) -> Vec<u64> {
    let fields = found.fields.iter().flat_map(|(_, values)| values);
    let start = found.start.iter().flatten().flatten();
    let all = found.parameters.iter().chain(fields).chain(start).chain(&found.outputs.values);
    std::iter::once(&found.value).chain(all).map(|x| x.to_bits()).collect()
}

#[test]
fn every_model_and_estimator_has_the_bits_of_one_machine() {
    let (shared, carried, _) = crew(3, 5, 0.0);
    let alone = Options { threads: 1, ..Options::default() };
    for entry in MODELS {
        // On a small lattice, where it takes one.
        let small = ModelOptions::none().with("shape", OptionValue::List(vec![12.0, 12.0]));
        let model = named(entry.name, &small).or_else(|_| named(entry.name, &ModelOptions::none())).unwrap();
        let (theta, seen) = (parameters(&model), [observation(&model)]);
        let run = run(&model, &theta, 5);
        let simulate =
            |options: Options| Plan::new(&model, &seen, None, options).unwrap().simulate(&run).unwrap();
        let (here, there) = (simulate(alone), simulate(shared));
        assert_eq!(here.last, there.last, "{}", entry.name);
        assert_eq!(here.outputs, there.outputs, "{}", entry.name);
        if model.update().is_by_events() {
            continue;
        }
        let nominal = model.declarations().layers.iter().any(|layer| layer.is_nominal());
        let meanless = |name: &str| nominal && name == "mean-field";
        for estimator in ESTIMATORS.iter().filter(|e| e.name != "differences" && !meanless(e.name)) {
            let made = (estimator.make)(EstimatorOptions { temperature: 0.8, samples: 3, radius: None });
            let gradient = |options: Options| {
                let plan = Plan::new(&model, &seen, Some(&*made), options).unwrap();
                let before = carried.load(Ordering::Relaxed);
                let found = plan.gradient(&run, &loss).unwrap();
                (bits(&found), carried.load(Ordering::Relaxed) > before)
            };
            let ((here, _), (there, sent)) = (gradient(alone), gradient(shared));
            assert_eq!(here, there, "{} by {}", entry.name, estimator.name);
            assert!(sent, "{} by {}", entry.name, estimator.name);
        }
    }
}

#[test]
fn any_number_of_workers_gives_the_same_bits_of_starts_picks_and_steps() {
    let model =
        named("susceptible-infected", &ModelOptions::none().with("shape", OptionValue::List(vec![9.0, 7.0])))
            .unwrap();
    let seen = [observation(&model)];
    let sites = model.declarations().lattice.sites();
    let states: Vec<u8> = (0..3 * sites).map(|k| u8::from(k % 4 == 0)).collect();
    let theta = parameters(&model);
    for replicates in [1, 2, 15, 16, 17, 40] {
        let picks = (0..replicates as u32).map(|k| k % 3).collect();
        let mut run = run(&model, &theta, replicates).start(vec![FieldData::picked(states.clone(), picks)]);
        run = run.first_steps(Arc::new((0..replicates as u32).map(|k| 2 * k).collect()));
        for name in ["gumbel-softmax", "light-cone"] {
            let entry = ESTIMATORS.iter().find(|e| e.name == name).unwrap();
            let estimator = (entry.make)(EstimatorOptions { temperature: 0.8, samples: 3, radius: None });
            run.wants_start_gradient = name != "light-cone";
            let gradient = |options: Options| {
                let plan = Plan::new(&model, &seen, Some(&*estimator), options).unwrap();
                bits(&plan.gradient(&run, &loss).unwrap())
            };
            let alone = gradient(Options { threads: 2, ..Options::default() });
            for (workers, trouble) in [(1, 0), (2, 0), (2, 3), (5, 4), (1000, 0)] {
                assert_eq!(
                    gradient(crew(workers, trouble, 0.0).0),
                    alone,
                    "{name}, {replicates} on {workers}"
                );
            }
        }
    }
}

#[test]
fn what_is_too_short_runs_here_and_says_so_once_it_is_measured() {
    let model = named("susceptible-infected", &ModelOptions::none()).unwrap();
    let theta = parameters(&model);
    let run = run(&model, &theta, 4);
    let (slow, carried, told) = crew(2, 0, 1e3);
    let plan = Plan::new(&model, &[observation(&model)], None, slow).unwrap();
    (0..3).for_each(|_| drop(plan.simulate(&run).unwrap()));
    assert_eq!(carried.load(Ordering::Relaxed), 0);
    let told = told.lock().unwrap();
    assert!(told[0].contains("it runs here") && told[0].contains("on 2 workers"), "{}", told[0]);
    let (fast, carried, told) = crew(2, 0, 1e-9);
    let plan = Plan::new(&model, &[observation(&model)], None, fast).unwrap();
    (0..3).for_each(|_| drop(plan.simulate(&run).unwrap()));
    assert_eq!((carried.load(Ordering::Relaxed), told.lock().unwrap().len()), (4, 0));
}

#[test]
fn errors_are_those_of_one_machine() {
    let model = glauber_program::Model::build("rise", glauber_lattice::Lattice::line(4))
        .layer("n", glauber_lattice::Values::Integers { lowest: 0, highest: 2 })
        .start(|s| s.next("n").set(1.0))
        .step(|s| s.next("n").set(s.layer("n") + 1.0))
        .unwrap();
    let simulate = |options: Options| {
        Plan::new(&model, &[], None, options).unwrap().simulate(&Run::new(&[], 3).replicates(4)).unwrap_err()
    };
    assert_eq!(simulate(crew(2, 0, 0.0).0), simulate(Options::default()));
}

/// Two workers whose answers come back in another order, or cut off, or as no answers.
struct Mixed(Station, usize);

impl Carrier for Mixed {
    fn workers(&self) -> usize {
        2
    }
    fn latency(&self, _: &dyn Fn() -> bool) -> Option<f64> {
        Some(0.0)
    }
    fn carry(&self, tasks: Vec<Task>, _: &dyn Fn() -> bool) -> Result<Vec<Option<Vec<u8>>>, String> {
        let answer = |task: Task| {
            task.contents.into_iter().for_each(|(hash, bytes)| self.0.keep(hash, bytes));
            let mut answer = self.0.answer(&task.body);
            match self.1 {
                1 => answer.truncate(answer.len() / 2),
                2 => answer = vec![7; 40],
                _ => {}
            }
            Some(answer)
        };
        let mut answers: Vec<_> = tasks.into_iter().map(answer).collect();
        if self.1 == 0 {
            answers.reverse();
        }
        Ok(answers)
    }
    fn tell(&self, _: &str) {}
}

#[test]
fn what_is_no_answer_to_a_question_by_its_size_is_computed_here() {
    let model = named("susceptible-infected", &ModelOptions::none()).unwrap();
    let (theta, seen) = (parameters(&model), [observation(&model)]);
    let estimator =
        (ESTIMATORS.iter().find(|e| e.name == "straight-through").unwrap().make)(EstimatorOptions {
            temperature: 0.8,
            samples: 3,
            radius: None,
        });
    // Of 17 replicates the first stretch has nine, the second eight.
    let run = run(&model, &theta, 17);
    let found = |options: Options| {
        let plan = Plan::new(&model, &seen, Some(&*estimator), options).unwrap();
        (bits(&plan.gradient(&run, &loss).unwrap()), plan.simulate(&run).unwrap().outputs.values)
    };
    let alone = found(Options { threads: 1, ..Options::default() });
    for trouble in 0..3 {
        let crew = Crew::new(Box::new(Mixed(Station::default(), trouble)), 1, Arc::default());
        let backend = Some(BackendName(Box::leak(Box::new(Remote::new(Arc::new(crew))))));
        assert_eq!(found(Options { threads: 1, backend, ..Options::default() }), alone, "{trouble}");
    }
}

#[test]
fn work_that_panics_is_not_waited_for() {
    let crew = Crew::new(Box::new(Mixed(Station::default(), 0)), 1, Arc::default());
    let flag = std::sync::atomic::AtomicBool::new(false);
    let work = || crew.until(&flag, || assert!(flag.load(Ordering::Relaxed), "a loss fails"));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err());
}
