//! Sweeps the fit file's schema over tasks, data, losses, optimizers and estimators: every key that a fit accepts
//! changes what comes out of it, and every other is refused with the reason.
//!
//! The keys, losses, optimizers and estimators are taken from the program's own lists; a key that is added there must
//! get a line in [`samples`], or the sweep fails.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use glauber_data::Overwrite;
use glauber_data::arrays::{Array, write_npy, write_npz};
use glauber_data::images::write_grey_png;
use glauber_fit::fit_file::{FitFile, TABLES_OF_KEYS, TASKS, Task};
use glauber_fit::job::prepare;
use glauber_model_file::load;
use glauber_models::ModelOptions;
use glauber_optimize::optimizers::OPTIMIZERS;
use glauber_optimize::searches::SEARCHES;
use glauber_program::estimators::ESTIMATORS;
use glauber_tasks::losses::curve::CURVE_LOSSES;
use glauber_tasks::losses::stability::STABILITY_LOSSES;
use glauber_tasks::losses::transition::TRANSITION_LOSSES;
use glauber_tasks::states::States;
use glauber_tasks::tasks::initial_state::StateLoss;

/// Values of every key: texts of TOML, at least one of which means something wherever the key does.
fn samples(key: &str) -> Option<Vec<String>> {
    let quoted = |names: &[&str]| names.iter().map(|name| format!("\"{name}\"")).collect();
    let plain = |values: &[&str]| values.iter().map(|value| value.to_string()).collect::<Vec<_>>();
    Some(match key {
        "data.truth" => quoted(&["truth.png"]),
        "data.initial" => quoted(&["model", "nonsense"]),
        "data.steps" => plain(&["2", "3"]),
        "data.first-step" => plain(&["3"]),
        "data.start-sites" => plain(&["1", "2"]),
        "data.frames" => plain(&["{ first = 1 }", "{ last = 2 }", "{ every = 2 }"]),
        "data.layer" => quoted(&["aware", "nonsense"]),
        "data.threshold" => plain(&["0.5", "1e9"]),
        "data.invert" => plain(&["true"]),
        "data.channel" | "data.slice" => plain(&["1", "\"nonsense\""]),
        "data.plane" => plain(&["1"]),
        "data.columns" => plain(&["{ x = \"y\" }", "{ id = \"nonsense\" }"]),
        "data.interval" | "data.step-time" => plain(&["2", "12", "48", "7"]),
        "data.site-length" => plain(&["2"]),
        "data.length-unit" => quoted(&["inch", "micron"]),
        "data.time-unit" => quoted(&["fortnight"]),
        "data.dimensions" => plain(&["2", "3"]),
        "data.lags" => plain(&["2"]),
        "data.shortest-track" => plain(&["7"]),
        "data.bootstrap" => plain(&["0"]),
        "data.covariates" => plain(&["{ nonsense = 1 }"]),
        "data.simulate.runs" => plain(&["3"]),
        "data.simulate.steps" => plain(&["5"]),
        "data.simulate.seed" => plain(&["11"]),
        "data.simulate.initial" => quoted(&["nonsense"]),
        "data.simulate.start-sites" => plain(&["3"]),
        "data.simulate.parameters" => plain(&["{ nonsense = 0.5 }"]),
        "loss.name" => {
            let mut names: Vec<&str> = vec!["likelihood", "nonsense"];
            names.extend(TRANSITION_LOSSES.iter().map(|l| l.name));
            names.extend(CURVE_LOSSES.iter().map(|l| l.name));
            names.extend(STABILITY_LOSSES.iter().map(|l| l.name));
            names.extend(StateLoss::ALL.iter().map(|(name, _)| *name));
            quoted(&names)
        }
        "loss.summary" => quoted(&["nonsense", "variance(aware)", "msd"]),
        "loss.weighted" => plain(&["true"]),
        "loss.weights" => plain(&["[1.0, 2.0]", "{ bright = 0.5 }"]),
        "loss.at" => plain(&["[2]"]),
        "estimator.name" => {
            let mut names: Vec<&str> = vec!["nonsense"];
            names.extend(ESTIMATORS.iter().map(|e| e.name));
            quoted(&names)
        }
        "estimator.compare" => plain(&["[\"likelihood\"]", "[\"reinmax\"]", "[\"nonsense\"]"]),
        "estimator.temperature" => plain(&["0.3"]),
        "estimator.samples" => plain(&["3"]),
        "estimator.radius" => plain(&["2"]),
        "estimator.baseline" => quoted(&["none"]),
        "estimator.surrogate" => quoted(&["sigmoid", "nonsense"]),
        "estimator.width" => plain(&["0.5"]),
        "optimizer.name" => {
            let mut names: Vec<&str> = vec!["nonsense"];
            names.extend(OPTIMIZERS.iter().map(|e| e.name).chain(SEARCHES.iter().map(|e| e.name)));
            quoted(&names)
        }
        "optimizer.learning-rate" => plain(&["0.037"]),
        "optimizer.steps" => plain(&["4"]),
        "optimizer.replicates" => plain(&["3"]),
        "optimizer.batch" => plain(&["2"]),
        "optimizer.schedule" => plain(&["\"cosine\"", "\"nonsense\""]),
        "optimizer.warm-up" => plain(&["2"]),
        "optimizer.clip" => plain(&["1e-7", "{ value = 1e-7 }"]),
        "optimizer.map" => plain(&["\"identity\"", "{ nonsense = \"log\" }"]),
        // In three steps nothing can be told to have come to rest, but by a patience of one.
        "optimizer.tolerance" => Vec::new(),
        "optimizer.patience" => plain(&["1"]),
        "optimizer.plateau" => plain(&["{ window = 1, improvement = 1e9, patience = 1 }"]),
        "optimizer.average" => plain(&["0.9"]),
        "posterior.chains" => plain(&["3"]),
        "posterior.draws" => plain(&["60"]),
        "posterior.warm-up" => plain(&["50"]),
        "posterior.sampler" => quoted(&["nuts", "random-walk", "nonsense"]),
        "run.seed" => plain(&["5"]),
        "run.precision" => quoted(&["f64"]),
        "run.trace-every" => plain(&["2"]),
        // What changes where and how fast a fit runs, and not what comes out: nothing to be seen here.
        "run.threads" | "run.memory" | "run.out" | "run.checkpoint-every" | "run.formation-test" => {
            Vec::new()
        }
        _ => return None,
    })
}

/// Keys that no fit here takes; they are known, so that the reason can be told.
const NEVER: &[&str] = &[
    "estimator.baseline",
    "estimator.surrogate",
    "estimator.width",
    "loss.weights",
    "data.truth",
    "data.plane",
    "data.channel",
    "data.slice",
];

/// The folder of data that the fits read.
fn data(folder: &Path) {
    let options = ModelOptions::none().with("shape", vec![4.0, 5.0]);
    let model = load("susceptible-infected", &options).unwrap().model;
    let states = States::simulate(&model, &[0.3], 6, 3, 9).unwrap();
    let bits = |runs: usize| -> Vec<f64> {
        (0..runs * states.times * states.sites).map(|i| states.layers[0].at(i)).collect()
    };
    let several = Array::new(vec![3, 7, 4, 5], bits(3)).unwrap();
    write_npz(folder.join("runs.npz"), [("aware", &several)], Overwrite::Refuse).unwrap();
    let one = Array::new(vec![7, 4, 5], bits(1)).unwrap();
    write_npy(folder.join("run.npy"), &one, Overwrite::Refuse).unwrap();
    let pattern = Array::new(vec![4, 5], bits(1)[20..40].to_vec()).unwrap();
    write_npy(folder.join("pattern.npy"), &pattern, Overwrite::Refuse).unwrap();
    std::fs::create_dir(folder.join("film")).unwrap();
    for time in 0..7 {
        let grey: Vec<u8> = bits(1)[time * 20..(time + 1) * 20]
            .iter()
            .enumerate()
            .map(|(i, b)| (200.0 * b) as u8 + (i % 2) as u8)
            .collect();
        write_grey_png(folder.join(format!("film/t{time}.png")), 4, 5, &grey, Overwrite::Refuse).unwrap();
    }
    let mut tracks = "id,t,x,y,z\n".to_string();
    for track in 0..6 {
        for time in 0..6 + track % 3 {
            let (a, b) = (f64::from(track + 1), f64::from(time));
            tracks +=
                &format!("{track},{},{},{},{}\n", 24 * time, (a * b).sin() * b, (a + b).cos() * a, 0.1 * b);
        }
    }
    std::fs::write(folder.join("tracks.csv"), tracks).unwrap();
    let curve = "# interval: 24\n# length unit: µm\nlag,msd,standard_error\n1,2.0,0.1\n2,3.5,0.2\n3,5.5,0.3\n4,7,0.4\n";
    std::fs::write(folder.join("curve.csv"), curve).unwrap();
    let summary = "step,mean(aware)\n1,0.1\n2,0.2\n3,0.3\n";
    std::fs::write(folder.join("summary.csv"), summary).unwrap();
}

const TRANSITION: &str =
    "model = \"susceptible-infected\"\ntask = \"transition\"\nmodel-options.shape = [4, 5]\n";
const TRAJECTORY: &str =
    "model = \"susceptible-infected\"\ntask = \"trajectory\"\nmodel-options.shape = [4, 5]\n";
const WALK: &str = "model = \"persistent-random-walk\"\ntask = \"trajectory\"\n";
const STATE: &str = "model = \"susceptible-infected\"\ntask = \"state\"\nmodel-options.shape = [4, 5]\n";
const STATIONARY: &str =
    "model = \"susceptible-infected\"\ntask = \"stationary\"\nmodel-options.shape = [4, 5]\n";
const STABILITY: &str =
    "model = \"susceptible-infected\"\ntask = \"stability\"\nmodel-options.shape = [4, 5]\n";
const SIMULATE: &str = "[data.simulate]\nparameters = { beta = 0.3 }\nsteps = 4\n";

fn bases() -> Vec<(String, String)> {
    let base = |name: &str, head: &str, rest: &str| (name.to_string(), format!("{head}{rest}"));
    vec![
        base("transition, simulated", TRANSITION, &format!("{SIMULATE}runs = 4\n")),
        base("transition, states", TRANSITION, "[data]\nstates = \"runs.npz\"\n"),
        base("transition, images", TRANSITION, "[data]\nstates = \"film\"\n"),
        base(
            "trajectory, simulated",
            TRAJECTORY,
            &format!("{SIMULATE}runs = 4\n[loss]\nsummary = \"mean(aware)\"\n"),
        ),
        base(
            "trajectory, states",
            TRAJECTORY,
            "[data]\nstates = \"runs.npz\"\n[loss]\nsummary = \"mean(aware)\"\n",
        ),
        base("trajectory, tracks", WALK, "[data]\ntracks = \"tracks.csv\"\ndimensions = 2\nlags = 4\n"),
        base("trajectory, curve", WALK, "[data]\nmsd = \"curve.csv\"\n"),
        base(
            "trajectory, summary",
            TRAJECTORY,
            "[data]\ncurve = \"summary.csv\"\n[loss]\nsummary = \"mean(aware)\"\n",
        ),
        // Three steps fill no lattice: another seed, other frames are other data.
        base("state, simulated", STATE, "[data.simulate]\nparameters = { beta = 0.1 }\nsteps = 3\n"),
        base("state, states", STATE, "[data]\nstates = \"run.npy\"\n[fixed]\nbeta = 0.3\n"),
        base("state, images", STATE, "[data]\nstates = \"film\"\n[fixed]\nbeta = 0.3\n"),
        // After one step the lattice is not yet full, so that there is a slope.
        base(
            "stability, simulated",
            STABILITY,
            "[data]\nsteps = 2\n[data.simulate]\nparameters = { beta = 0.1 }\nsteps = 1\n",
        ),
        base(
            "stationary, states",
            STATIONARY,
            "[data]\nsteps = 4\nstates = \"runs.npz\"\n[loss]\nsummary = \"mean(aware)\"\n",
        ),
        base(
            "stationary, simulated",
            STATIONARY,
            &format!("[data]\nsteps = 4\n{SIMULATE}runs = 4\n[loss]\nsummary = \"mean(aware)\"\n"),
        ),
        base("stability, pattern", STABILITY, "[data]\nsteps = 2\npattern = \"pattern.npy\"\n"),
    ]
}

/// What comes out of a fit, with all its digits; or why there is none.
fn outcome(folder: &Path, text: &str, overrides: &[String]) -> Result<String, String> {
    // Bases are swept side by side.
    let overrides = [overrides, &["run.threads=1".to_string()]].concat();
    let file =
        FitFile::parse(text, &folder.join("fit.toml"), &overrides, folder).map_err(|e| e.to_string())?;
    let mut job = prepare(&file).map_err(|e| e.to_string())?;
    let mut found = format!("{:?} {:?}", job.notes, job.problem.truth);
    for attempt in &mut job.attempts {
        let result = attempt.run(None, None, None).map_err(|e| e.to_string())?;
        found += &format!("{} {:?} {result:?}\n", attempt.name, attempt.start);
    }
    if matches!(file.task, Task::Trajectory | Task::Stationary) {
        let start = job.attempts[0].start.clone();
        found += &format!("{:?}", job.problem.curves(&[&start]).map_err(|e| e.to_string())?);
    }
    Ok(found)
}

/// What sweeps found.
#[derive(Default)]
struct Found {
    /// Keys with an effect.
    used: BTreeSet<String>,
    wrong: Vec<String>,
    /// Every loss, optimizer and estimator, and whether any base took it.
    settings: BTreeMap<String, bool>,
}

impl Found {
    fn and(&mut self, other: Found) {
        self.used.extend(other.used);
        self.wrong.extend(other.wrong);
        for (set, taken) in other.settings {
            *self.settings.entry(set).or_insert(false) |= taken;
        }
    }
}

/// The sweep of one base with one more setting. Whether the base takes the setting.
fn sweep(
    folder: &Path,
    name: &str,
    text: &str,
    more: &[String],
    keys: &[String],
    Found { used, wrong, .. }: &mut Found,
) -> bool {
    // A base that a setting does not suit says so, with the reason: that the setting means something is asked of the others.
    let Ok(plain) = outcome(folder, text, more) else { return false };
    for key in keys {
        let already = more.iter().any(|set| set.split('=').next() == Some(key));
        if already {
            continue;
        }
        for value in samples(key).unwrap() {
            let set = format!("{key}={value}");
            let found = outcome(folder, text, &[more, std::slice::from_ref(&set)].concat());
            match found {
                Ok(found) if found == plain => {
                    // What says what is said already.
                    let same = text.contains(&value)
                        || more.iter().any(|m| m.contains(&value))
                        || is_default(key, &value, name, more);
                    if !same {
                        wrong.push(format!("{name} with {more:?}: {set} is accepted and changes nothing"));
                    }
                }
                Ok(_) => drop(used.insert(key.clone())),
                Err(message) => {
                    let leaf = key.rsplit('.').next().unwrap();
                    let named = message.contains(leaf)
                        || message.contains("nonsense")
                        || message.contains(value.trim_matches('"'))
                        || message.starts_with("--set")
                        || ["nothing was fitted", "leave that step out", "no option `start`"]
                            .iter()
                            .any(|words| message.contains(words));
                    if !named {
                        wrong.push(format!(
                            "{name} with {more:?}: {set} is refused without its name: {message}"
                        ));
                    }
                    if !message.contains("has no effect") && !message.contains("nonsense") {
                        used.insert(key.clone());
                    }
                }
            }
        }
    }
    true
}

/// Whether a value is the one that a file without the key has.
fn is_default(key: &str, value: &str, name: &str, more: &[String]) -> bool {
    let usual: &[(&str, &[&str])] = &[
        ("loss.name", &["\"pixel\"", "\"squared-error\"", "\"log-sum-squares\"", "\"cross-entropy\""]),
        ("optimizer.name", &["\"adam\""]),
        ("loss.summary", &["\"msd\""]),
        // Of squared displacements.
        ("estimator.name", &["\"reinmax\""]),
    ];
    let task = TASKS.iter().find(|task| name.starts_with(&format!("{},", task.name))).unwrap();
    (key == "estimator.name" && value == format!("\"{}\"", task.usual_estimator))
        || (key == "data.dimensions" && value == "2")
        // A frame a step, whatever its time, is what is meant where nobody says; `step-time` makes it another number.
        || (key == "data.interval" && !name.contains("tracks") && !name.ends_with("curve"))
        || usual.iter().any(|(own, values)| *own == key && values.contains(&value))
        // Far from its ends a clamped parameter moves as a free one.
        || (key == "optimizer.map" && name.starts_with("stability"))
        // The start tells nothing, and is left out of the data in any case.
        || (key == "data.frames" && value == "{ first = 1 }" && name == "trajectory, simulated")
        || (key == "data.layer" && value == "\"aware\"")
        || (key == "loss.weighted" && more.iter().any(|m| m.contains("weighted")))
        || (key == "optimizer.clip" && more.is_empty() && value.is_empty())
}

fn all_keys() -> Vec<String> {
    let tables: Vec<&str> = TABLES_OF_KEYS.iter().map(|(table, _)| *table).collect();
    let keys = TABLES_OF_KEYS
        .iter()
        .flat_map(|(table, keys)| keys.iter().map(move |(key, _)| format!("{table}.{key}")));
    // The kinds of data are the bases themselves.
    let sources = ["tracks", "msd", "curve", "states", "image", "pattern"].map(|s| format!("data.{s}"));
    keys.filter(|key| !tables.contains(&key.as_str()) && !sources.contains(key)).collect()
}

/// All sweeps of one base.
fn swept(folder: &Path, name: &str, text: &str, keys: &[String]) -> Found {
    let mut found = Found::default();
    let text = format!("{text}[optimizer]\nsteps = 3\n");
    let is_simulated = text.contains("[data.simulate]");
    let own: Vec<String> =
        keys.iter().filter(|key| is_simulated || !key.starts_with("data.simulate")).cloned().collect();
    assert_eq!(outcome(folder, &text, &[]), outcome(folder, &text, &[]), "{name} is not the same twice");
    outcome(folder, &text, &[]).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(sweep(folder, name, &text, &[], &own, &mut found), "{name}");
    // What depends on losses, optimizers and estimators.
    let choices: Vec<String> = own
        .iter()
        .filter(|key| ["loss", "estimator", "optimizer"].contains(&key.split('.').next().unwrap()))
        .cloned()
        .collect();
    for key in ["loss.name", "optimizer.name", "estimator.name", "estimator.compare", "optimizer.tolerance"] {
        let values = if key == "optimizer.tolerance" { vec!["1e9".into()] } else { samples(key).unwrap() };
        for value in values {
            let mut more = vec![format!("{key}={value}")];
            if value.contains("sgd") || value.contains("nesterov") {
                more.push("optimizer.learning-rate=0.01".into());
            }
            let set = more[0].clone();
            let taken = sweep(folder, name, &text, &more, &choices, &mut found);
            *found.settings.entry(set).or_insert(false) |= taken;
        }
    }
    found
}

#[test]
fn every_key_has_an_effect_or_is_refused_with_the_reason() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path();
    data(folder);
    let keys = all_keys();
    for key in &keys {
        assert!(samples(key).is_some(), "{key} is new: give it a line in `samples`");
    }
    let (found, next, bases) = (Mutex::new(Found::default()), AtomicUsize::new(0), bases());
    let work = || {
        while let Some((name, text)) = bases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let own = swept(folder, name, text, &keys);
            found.lock().unwrap().and(own);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let Found { used, wrong, settings } = found.into_inner().unwrap();
    for (set, taken) in &settings {
        assert_eq!(*taken, !set.contains("nonsense"), "{set}: taken by no base, or by one though it is none");
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    let unused: Vec<&String> =
        keys.iter().filter(|key| !used.contains(*key) && !samples(key).unwrap().is_empty()).collect();
    // Of some keys nothing is tried but what must be refused, or what holds in any case.
    let tried = |key: &str| samples(key).unwrap().iter().any(|v| !v.contains("nonsense") && v != "\"aware\"");
    let forgotten: Vec<_> =
        unused.iter().filter(|key| !NEVER.contains(&key.as_str()) && tried(key)).collect();
    assert!(forgotten.is_empty(), "keys that no fit takes: {forgotten:?}");
}
