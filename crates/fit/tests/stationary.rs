//! Fits parameters to a summary of stationary states: against a law that is known, and what is refused.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::path::Path;

use glauber_fit::fit_file::FitFile;
use glauber_fit::job::prepare;
use glauber_statistics::tolerance::mean_within;

/// Particles that arrive and die: at rest the numbers of all sites are independent, Poisson with mean ν / d.
const ARRIVALS: &str = r#"
model = "birth-death-migration"
task = "stationary"
[model-options]
shape = [8, 8]
[fixed]
birth = 0.0
death = 0.2
migration = 0.2
[start]
immigration = 0.8
[loss]
summary = "mean(particles)"
[optimizer]
learning-rate = 0.02
steps = 160
replicates = 16
average = 0.5
"#;
const SIMULATED: &str = "[data.simulate]\nruns = 200\nsteps = 80\nseed = 5\n\
    parameters = { birth = 0.0, death = 0.2, immigration = 0.4, migration = 0.2 }\n";

fn job(text: &str, overrides: &[&str], folder: &Path) -> Result<glauber_fit::job::Job, String> {
    let overrides: Vec<String> = overrides.iter().map(|o| (*o).to_string()).collect();
    let file =
        FitFile::parse(text, &folder.join("fit.toml"), &overrides, folder).map_err(|e| e.to_string())?;
    prepare(&file).map_err(|e| e.to_string())
}

#[test]
fn the_rate_of_arrival_is_found_from_the_density_at_rest() {
    let text = format!("{ARRIVALS}{SIMULATED}");
    let mut job = job(&text, &["data.steps=80"], Path::new("")).unwrap();
    assert!(job.notes[0].contains("compared after 40 and 80 steps"), "{}", job.notes[0]);
    let result = job.attempts[0].run(None, None, None).unwrap();
    let found = result.estimate("immigration").unwrap();
    // The data's mean density is ν / d = 2 with a standard error of √(2 / (64 sites · 200 runs)); ν is d times that. After 40
    // of 80 steps the start's density of 5 has come to 2 + 3 · 0.8⁴⁰, which moves ν by less than 10⁻⁴.
    let of_data = 0.2 * (2.0 / (64.0 * 200.0f64)).sqrt();
    let error = of_data.hypot(found.simulation_noise.unwrap());
    assert!((found.value - 0.4).abs() < mean_within(error, 1e-4) + 1e-4, "{found:?}, error {error}");
}

#[test]
fn states_are_snapshots_whatever_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let states = glauber_data::arrays::Array::new(
        vec![2, 3, 8, 8],
        glauber_data::arrays::Values::F64((0..384).map(|i| f64::from(i / 192)).collect()),
    );
    let path = folder.path().join("states.npz");
    let layer = [("particles", &states.unwrap())];
    glauber_data::arrays::write_npz(&path, layer, glauber_data::Overwrite::Refuse).unwrap();
    let job_of = |more: &str| {
        let key = more.split('=').next().unwrap();
        let set = ["data.states=states.npz", "data.steps=4", more];
        let others = set
            .iter()
            .filter(|set| !set.is_empty() && (**set == more || !set.starts_with(key) || key.is_empty()));
        job(ARRIVALS, &others.copied().collect::<Vec<_>>(), folder.path())
    };
    let problem = job_of("").unwrap().problem;
    let curves = problem.curves(&[]).unwrap().unwrap();
    // One run is all 0, the other all 1.
    assert_eq!((curves.times, curves.data), (vec![2.0, 4.0], vec![vec![0.5, 0.5]]));
    assert_eq!(curves.errors, Some(vec![vec![0.5, 0.5]]));
    for (more, words) in [
        ("data.first-step=3", "does not matter when states were seen"),
        ("loss.at=[2]", "`loss.at` has no effect"),
        ("data.steps=1", "give 2 to"),
        ("loss.summary=msd", "msd"),
        ("loss.name=pixel", "the task `stationary` has no loss called `pixel`"),
    ] {
        let error = job_of(more).err().unwrap();
        assert!(error.contains(words), "{more}: {error}");
    }
    let error = job(ARRIVALS, &["data.states=states.npz"], folder.path()).err().unwrap();
    assert!(error.contains("needs `data.steps`"), "{error}");
}

/// Frames whose times say that the first is the start of a run are not all stationary.
#[test]
fn the_start_of_a_run_is_refused_as_a_snapshot() {
    use glauber_data::arrays::{Array, Values, write_npz};
    let folder = tempfile::tempdir().unwrap();
    let array = |shape: Vec<usize>, at: fn(usize) -> f64| {
        let count = shape.iter().product();
        Array::new(shape, Values::F64((0..count).map(at).collect())).unwrap()
    };
    let (states, times) = (array(vec![2, 3, 8, 8], |_| 1.0), array(vec![3], |k| 10.0 * k as f64));
    let path = folder.path().join("states.npz");
    write_npz(&path, [("particles", &states), ("times", &times)], glauber_data::Overwrite::Refuse).unwrap();
    let set = ["data.states=states.npz", "data.steps=4"];
    let refused = job(ARRIVALS, &set, folder.path()).err().unwrap();
    assert!(refused.contains("start of a run") && refused.contains("first = 2"), "{refused}");
    assert!(job(ARRIVALS, &[set[0], set[1], "data.frames={first=2}"], folder.path()).is_ok());
}
