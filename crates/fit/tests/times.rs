//! Fits states to the steps they were seen after: rules that read the step's number, frames several steps apart, starts
//! of observed runs.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use glauber_data::Overwrite;
use glauber_data::images::write_grey_png;
use glauber_engine::{Observation, Options, Plan, Run};
use glauber_fit::fit_file::FitFile;
use glauber_fit::job::{Job, Unkept, prepare};
use glauber_lattice::{Lattice, Values};
use glauber_optimize::objective::Objective;
use glauber_optimize::observer::{Observer, Silent};
use glauber_program::estimators::StraightThrough;
use glauber_program::{Interval, Model};
use glauber_statistics::tolerance::SampleMean;
use glauber_tasks::losses::curve::CurveLoss;
use glauber_tasks::losses::transition::TransitionLoss;
use glauber_tasks::states::States;
use glauber_tasks::tasks::likelihood::{Likelihood, LikelihoodError};
use glauber_tasks::tasks::trajectory::{Replication, Target, Trajectory};
use glauber_tasks::tasks::transition::{Pairs, Transition};
use glauber_tasks::tasks::unknowns::Fitted;

/// Coins that come up with probability p / n in step n, and stay up with probability ½.
fn fading() -> Model {
    Model::build("fading", Lattice::square(16))
        .layer("up", Values::binary())
        .parameter("p", Interval::unit())
        .start(|s| s.next("up").bernoulli(0.5))
        .step(|s| {
            let up = s.layer("up");
            s.next("up").bernoulli(up * 0.5 + (1.0 - up) * s.parameter("p") / s.step())
        })
        .unwrap()
}

fn fitted(model: &Model) -> Fitted {
    Fitted::new(model, &[]).unwrap()
}

fn pairs(model: &Model, states: States) -> Pairs {
    Pairs::new(model, &fitted(model), states, Options::default()).unwrap()
}

fn transition(model: &Model, states: States, loss: &str) -> Transition {
    let loss = TransitionLoss::named(loss).unwrap();
    let pairs = pairs(model, states);
    Transition::new(model, fitted(model), pairs, &loss, &StraightThrough, 1 << 20, 3, Options::default())
        .unwrap()
}

/// The share of sites that come up in step n, for those that are not up: of all runs together.
fn risen(states: &States, time: usize) -> (f64, f64) {
    let (mut down, mut rise) = (0.0, 0.0);
    for run in 0..states.runs {
        let at =
            |time: usize, site: usize| states.layers[0].at((run * states.times + time) * states.sites + site);
        for site in (0..states.sites).filter(|site| at(time, *site) < 0.5) {
            down += 1.0;
            rise += at(time + 1, site);
        }
    }
    (down, rise)
}

/// −ln L of the pairs, term by term.
fn expected_likelihood(states: &States, p: f64) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for time in 0..states.times - 1 {
        let chance = p / f64::from(states.steps[time + 1]);
        let (down, rise) = risen(states, time);
        let up = (states.runs * states.sites) as f64 - down;
        sum -= rise * chance.ln() + (down - rise) * (1.0 - chance).ln() + up * 0.5f64.ln();
        count += states.runs as f64;
    }
    sum / count
}

#[test]
fn the_likelihood_of_a_step_reads_its_number() {
    let model = fading();
    let all = States::simulate(&model, &[0.7], 9, 5, 1).unwrap();
    for states in [all.clone(), all.clone().every(4, 9, 1)] {
        let first = states.steps[0];
        let mut likelihood =
            Likelihood::new(&model, fitted(&model), pairs(&model, states.clone()), Options::default())
                .unwrap();
        for p in [0.2, 0.7] {
            let value = likelihood.evaluate(&[p], 0).unwrap().value;
            let right = expected_likelihood(&states, p);
            assert!((value / right - 1.0).abs() < 1e-12, "from step {first}, p = {p}: {value} {right}");
        }
    }
}

/// The mean gradient of a loss, with its uncertainty, at p.
fn gradients(objective: &mut dyn Objective, p: f64) -> SampleMean {
    let sample: Vec<f64> = (0..60).map(|i| objective.evaluate(&[p], i).unwrap().gradient[0]).collect();
    SampleMean::of(&sample)
}

/// The pixel loss is lowest where Σ over pairs of (p / n − risen) / n over the sites that are down is 0.
#[test]
fn a_loss_runs_every_step_under_its_number() {
    let model = fading();
    let states = States::simulate(&model, &[0.7], 9, 5, 1).unwrap().every(4, 9, 1);
    let (mut weight, mut sum) = (0.0, 0.0);
    for time in 0..states.times - 1 {
        let n = f64::from(states.steps[time + 1]);
        let (down, rise) = risen(&states, time);
        weight += down / (n * n);
        sum += rise / n;
    }
    let best = sum / weight;
    let mut objective = transition(&model, states, "pixel");
    assert!(gradients(&mut objective, best).agrees_with(0.0, 1e-6));
    for (p, sign) in [(0.8 * best, -1.0), (1.2 * best, 1.0)] {
        let found = gradients(&mut objective, p);
        assert!(!found.agrees_with(0.0, 1e-6) && found.mean * sign > 0.0, "{p}: {}", found.mean);
    }
}

/// Coins that come up with probability p and go down with probability q, each alone.
fn flips() -> Model {
    Model::build("flips", Lattice::square(24))
        .layer("up", Values::binary())
        .parameter("p", Interval::unit())
        .start(|s| s.next("up").set(0.0))
        .step(|s| {
            let up = s.layer("up");
            s.next("up").bernoulli(up * 0.6 + (1.0 - up) * s.parameter("p"))
        })
        .unwrap()
}

/// All pairs begin with every site down: after two steps a site is up with m(p) = p (1.6 − p), and where m is the share
/// that was seen the mean gradient of either loss is 0.
#[test]
fn losses_simulate_the_steps_between_two_states() {
    let model = flips();
    let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
    let run = Run::new(&[0.3], 2).replicates(20).seed(4);
    let states = States::record_every(&plan, &run, 2).unwrap();
    assert_eq!((&states.steps[..], states.spacing().as_str()), (&[0, 2][..], "2 steps"));
    let up: f64 =
        (0..20).map(|run| (0..576).map(|s| states.layers[0].at((2 * run + 1) * 576 + s)).sum::<f64>()).sum();
    let share = up / (20.0 * 576.0);
    let best = 0.8 - (0.64 - share).sqrt();
    for loss in ["pixel", "count"] {
        let mut objective = transition(&model, states.clone(), loss);
        let found = gradients(&mut objective, best);
        assert!(found.agrees_with(0.0, 1e-6), "{loss}: {} ± {}", found.mean, found.standard_error());
        for (p, sign) in [(0.9 * best, -1.0), (1.1 * best, 1.0)] {
            let found = gradients(&mut objective, p);
            assert!(
                !found.agrees_with(0.0, 1e-6) && found.mean * sign > 0.0,
                "{loss} at {p}: {}",
                found.mean
            );
        }
        assert!(objective.likelihood().is_none(), "no likelihood is known of two steps");
    }
    let refused =
        Likelihood::new(&model, fitted(&model), pairs(&model, states), Options::default()).err().unwrap();
    assert!(matches!(&refused, LikelihoodError::Spacing { spacing } if spacing == "2 steps"), "{refused}");
    assert!(refused.to_string().contains("pixel"), "{refused}");
}

/// A gap in the frames: a loss runs over it, the likelihood leaves its pair out.
#[test]
fn pairs_over_a_gap_are_simulated_or_left_out() {
    let model = flips();
    let whole = States::simulate(&model, &[0.3], 6, 8, 2).unwrap();
    // Frames 0, 1, 2 and 5: the third pair is three steps apart.
    let mut gap = whole.clone().every(0, 3, 1);
    let last = whole.clone().every(5, 5, 1);
    gap.steps[3] = 5;
    let mut sites: Vec<f64> = (0..gap.layers[0].len()).map(|i| gap.layers[0].at(i)).collect();
    for run in 0..8 {
        for site in 0..gap.sites {
            sites[(run * 4 + 3) * gap.sites + site] = last.layers[0].at(run * gap.sites + site);
        }
    }
    gap.layers[0] = std::sync::Arc::new(sites.into());
    assert_eq!(gap.spacing(), "1 to 3 steps");
    let of = |states: States| {
        let pairs = pairs(&model, states);
        Likelihood::new(&model, fitted(&model), pairs, Options::default())
            .unwrap()
            .evaluate(&[0.4], 0)
            .unwrap()
    };
    let (left_out, known) = (of(gap.clone()), of(whole.clone().every(0, 2, 1)));
    assert_eq!((left_out.value.to_bits(), left_out.gradient), (known.value.to_bits(), known.gradient));
    let mut objective = transition(&model, gap, "pixel");
    let near = gradients(&mut objective, 0.3);
    for (p, sign) in [(0.2, -1.0), (0.4, 1.0)] {
        let found = gradients(&mut objective, p);
        assert!(found.mean * sign > 0.0 && found.mean.abs() > 5.0 * near.mean.abs(), "{p}: {}", found.mean);
    }
}

/// Sites that stay as they are: the mean over rollouts is the mean over their starts.
#[test]
fn every_observed_run_counts_alike_as_a_start() {
    let still = Model::build("still", Lattice::line(20))
        .layer("up", Values::binary())
        .parameter("p", Interval::unit())
        .step(|s| s.next("up").set(s.layer("up")))
        .unwrap();
    let runs = 7;
    // Run r has r + 1 sites up, at both of its times.
    let site = |run: usize, site: usize| f64::from(u8::from(site <= run));
    let order_of = |order: &[usize]| {
        let numbers: Vec<f64> =
            order.iter().flat_map(|run| (0..40).map(move |i| site(*run, i % 20))).collect();
        States {
            layers: vec![std::sync::Arc::new(numbers.into())],
            runs,
            times: 2,
            sites: 20,
            steps: vec![3, 4],
            timed: true,
            update: None,
        }
    };
    let mean = 4.0;
    for order in [[0, 1, 2, 3, 4, 5, 6], [6, 2, 5, 0, 1, 3, 4]] {
        for replicates in [1, 4, 7, 10, 14, 20] {
            let up = Observation::from(still.observe(|s| s.output("up", s.layer("up").sum())).unwrap());
            let target = Target { steps: vec![4], outputs: up.outputs(), values: vec![mean], errors: None };
            let objective = Trajectory::new(
                &still,
                fitted(&still),
                up,
                target,
                CurveLoss::named("squared-error").unwrap(),
                &StraightThrough,
                Replication { replicates, seed: 1 },
                Some(order_of(&order)),
                Options::default(),
            );
            let seen = objective.unwrap().simulated(&[0.5], replicates, 1).unwrap();
            assert_eq!(seen.replicates(), replicates.next_multiple_of(runs));
            assert!((seen.mean()[0] - mean).abs() < 1e-12, "{replicates} from {order:?}: {:?}", seen.mean());
        }
    }
}

const MODEL: &str = "states = [\"down\", \"up\"]\n[lattice]\nshape = [16, 16]\n[parameters]\n\
    p = { interval = [0.0, 1.0], default = 0.5 }\n[start]\nup = 0.5\n[transitions]\n\
    \"down -> up\" = \"p / time\"\n\"up -> down\" = 0.5\n";

/// A folder with a model whose rule reads time, and states of it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fading.toml"), MODEL).unwrap();
    folder
}

fn fit(folder: &Path, more: &str) -> Result<Job, String> {
    let text = format!("model = \"fading.toml\"\n{more}");
    let file = FitFile::parse(&text, &folder.join("fit.toml"), &[], folder).map_err(|e| e.to_string())?;
    prepare(&file).map_err(|e| e.to_string())
}

#[test]
fn a_fit_file_spaces_numbers_and_chooses_frames() {
    let folder = folder();
    let here = folder.path();
    let simulated =
        "[data]\nframes = { FRAMES }\n[data.simulate]\nparameters = { p = 0.7 }\nsteps = 12\nruns = 3\n";
    let told = |task: &str, frames: &str, more: &str| {
        fit(here, &format!("task = \"{task}\"\n{}{more}", simulated.replace("FRAMES", frames)))
            .map(|job| job.notes[0].clone())
    };
    assert!(told("transition", "", "").unwrap().contains("pairs of states, 1 step apart"));
    assert!(
        told("transition", "first = 2, every = 5", "").unwrap().contains("pairs of states, 5 steps apart")
    );
    let refused = told("transition", "every = 2", "[loss]\nname = \"likelihood\"\n").unwrap_err();
    assert!(refused.contains("2 steps apart") && refused.contains("likelihood"), "{refused}");
    let beyond = told("transition", "last = 13", "").unwrap_err();
    assert!(beyond.contains("data.frames") && beyond.contains("13"), "{beyond}");
    for key in ["interval = 2.0\nstep-time = 1.0", "first-step = 4"] {
        let text = simulated.replace("[data]\n", &format!("[data]\n{key}\n"));
        for (task, more) in
            [("transition", ""), ("trajectory", "[loss]\nsummary = \"mean(state)\"\n"), ("state", "")]
        {
            let text = text.replace("runs = 3", "runs = 1").replace("frames = { FRAMES }\n", "");
            let refused = fit(here, &format!("task = \"{task}\"\n{text}{more}")).err().unwrap();
            assert!(refused.contains("simulated data"), "{task}: {refused}");
        }
    }
}

/// A folder of pictures of these numbers, for the model that fades.
fn pictures(numbers: &[u32]) -> tempfile::TempDir {
    let folder = folder();
    std::fs::create_dir(folder.path().join("film")).unwrap();
    for number in numbers {
        let grey: Vec<u8> =
            (0..256u32).map(|site| if (site * 7 + number) % 3 == 0 { 200 } else { 0 }).collect();
        let path = folder.path().join(format!("film/t{number:03}.png"));
        write_grey_png(path, 16, 16, &grey, Overwrite::Refuse).unwrap();
    }
    folder
}

/// Numbers that go up by 5 may be frames or steps: which of the two is asked, and obeyed.
#[test]
fn names_that_count_by_more_than_one_are_asked_about() {
    let task = |data: &str, more: &str| {
        format!("task = \"transition\"\n[data]\nstates = \"film\"\n{data}[loss]\nname = \"count\"\n{more}")
    };
    for numbers in [&[0, 5, 10, 15][..], &[0, 5, 15, 20], &[5, 10]] {
        let folder = pictures(numbers);
        let told = |data: &str| fit(folder.path(), &task(data, "")).map(|job| job.notes[0].clone());
        let refused = told("").unwrap_err();
        for words in ["go up by 5", "`data.interval = 5.0`", "one step or 5 steps apart", "film"] {
            assert!(refused.contains(words), "{numbers:?}: {refused}");
        }
        let wide = told("interval = 5.0\nstep-time = 1.0\n").unwrap();
        assert!(wide.contains("5") && wide.contains("steps apart"), "{wide}");
        let near = told("interval = 1.0\nstep-time = 1.0\n").unwrap();
        assert!(near.contains("1 step apart") || near.contains("1 to 2 steps apart"), "{near}");
    }
    // With a unit too, and in dates.
    for (names, asked) in
        [("day1 day3 day5", Some(2)), ("0min 30min 60min", Some(30)), ("day3 day4 day6", None)]
    {
        let folder = pictures(&[0, 1, 2]);
        let film = folder.path().join("film");
        for (number, name) in names.split(' ').enumerate() {
            std::fs::rename(film.join(format!("t{number:03}.png")), film.join(format!("{name}.png")))
                .unwrap();
        }
        let found = fit(folder.path(), &task("", ""));
        match asked {
            Some(by) => {
                let refused = found.err().unwrap();
                assert!(refused.contains(&format!("go up by {by}, and nothing says")), "{refused}");
            }
            None => assert!(found.unwrap().notes[0].contains("1 to 2 steps apart")),
        }
    }
    let folder = pictures(&[3, 4, 6, 7]);
    let found = fit(folder.path(), &task("", "")).unwrap();
    assert!(found.notes[0].contains("1 to 2 steps apart"), "{:?}", found.notes);
}

/// What is advised can be taken: of states further apart there is no likelihood.
#[test]
fn the_likelihood_is_advised_where_it_takes_the_pairs() {
    let folder = folder();
    let text = |frames: &str| {
        format!(
            "task = \"transition\"\n[data]\n{frames}[data.simulate]\nparameters = {{ p = 0.7 }}\nsteps = 12\nruns = 3\n\
             [loss]\nname = \"pixel\"\n"
        )
    };
    let advised = |frames: &str| {
        let job = fit(folder.path(), &text(frames)).unwrap();
        job.notes.into_iter().find(|note| note.contains("exact likelihood"))
    };
    assert!(advised("").is_some());
    assert_eq!(advised("frames = { every = 2 }\n"), None);
    let gap = pictures(&[3, 4, 6, 7]);
    let job = fit(gap.path(), "task = \"transition\"\n[data]\nstates = \"film\"\n").unwrap();
    assert!(
        job.notes.iter().any(|n| n.contains("of the 2 pairs that are one step apart")),
        "{:?}",
        job.notes
    );
}

/// A search by single draws ends at 0 or 1: the first line says it.
#[test]
fn a_search_by_pixels_says_in_its_first_line_what_it_finds() {
    let folder = folder();
    let verdict = |more: &str| {
        let text = format!(
            "task = \"transition\"\n[data.simulate]\nparameters = {{ p = 0.7 }}\nsteps = 4\nruns = 2\n\
             [optimizer]\nname = \"nelder-mead\"\nsteps = 12\n[loss]\n{more}"
        );
        let mut job = fit(folder.path(), &text).unwrap();
        let mut watch = |_: &str| Box::new(Silent) as Box<dyn Observer>;
        job.run(&mut watch, &Unkept, &AtomicBool::new(false)).unwrap().best().result.verdict.clone()
    };
    let first = verdict("name = \"pixel\"\n");
    assert!(first.starts_with("not at the right probabilities: a search"), "{first}");
    let first = verdict("name = \"count\"\n");
    assert!(!first.contains("not at the right probabilities"), "{first}");
}
