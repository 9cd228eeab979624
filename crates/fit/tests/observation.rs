//! Observations in fit files: read, resolved, fitted, written out again, and refused at their place.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use glauber_data::arrays::{Array, write_npy, write_npz};
use glauber_files::Overwrite;
use glauber_fit::fit_file::FitFile;
use glauber_fit::job::{Unkept, prepare};
use glauber_optimize::observer::{Observer, Silent};

const COUNTS: &str = r#"
model = "susceptible-infected-recovered"
task = "observation"

[model-options]
shape = [16, 16]
start = "random"
density = 0.05

[observation]
what = "count(state=infected)"
noise = { name = "negative-binomial", size = "size", share = 0.8 }

[[experiment]]
name = "fast"
data = "fast.npz"
fixed = { recovery = 0.4 }

[[experiment]]
name = "slow"
data = "slow.npy"
steps = [1, 2, 4, 8]
fixed = { recovery = 0.2 }

[start]
infection = 0.2
size = 5.0

[optimizer]
replicates = 40
steps = 5
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let array = |values: &[f64]| Array::new(vec![values.len()], values.to_vec()).unwrap();
    let (fast, times) = (array(&[14.0, f64::NAN, 40.0, 31.0]), array(&[1.0, 2.0, 3.0, 5.0]));
    write_npz(folder.path().join("fast.npz"), [("data", &fast), ("times", &times)], Overwrite::Refuse)
        .unwrap();
    write_npy(folder.path().join("slow.npy"), &array(&[12.0, 25.0, 60.0, 90.0]), Overwrite::Refuse).unwrap();
    folder
}

fn parsed(text: &str, folder: &Path) -> FitFile {
    FitFile::parse(text, &folder.join("fit.toml"), &[], Path::new("")).unwrap()
}

fn why(text: &str, folder: &Path) -> String {
    match FitFile::parse(text, &folder.join("fit.toml"), &[], Path::new("")) {
        Err(error) => error.to_string(),
        Ok(file) => prepare(&file).err().map(|e| e.to_string()).unwrap_or_default(),
    }
}

#[test]
fn two_experiments_are_fitted_and_written_out() {
    let folder = folder();
    let file = parsed(COUNTS, folder.path());
    let mut job = prepare(&file).unwrap();
    assert!(job.notes.iter().any(|n| n.contains("route `particle-filter`")), "{:?}", job.notes);
    assert!(job.notes.iter().any(|n| n.contains("1 of 4 numbers missing")), "{:?}", job.notes);
    let mut watch = |_: &str| Box::new(Silent) as Box<dyn Observer>;
    let outcome = job.run(&mut watch, &Unkept, &AtomicBool::new(false)).unwrap();
    let result = &outcome.best().result;
    assert_eq!(result.likelihood, Some("particle-filter"));
    assert!(result.estimate("infection").unwrap().value > 0.0 && result.estimate("size").is_some());
    assert!(result.estimate("recovery").is_none());
    // What is written out is the same fit.
    let again =
        FitFile::parse(&file.to_toml().unwrap(), Path::new("again.toml"), &[], Path::new("")).unwrap();
    assert_eq!(again.experiments, file.experiments);
}

/// The data, as they were taken, and the notes, of regions 0, 1, 2 in a table with this header.
fn regions(header: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let folder = folder();
    let labels = Array::new(vec![16, 16], (0..256).map(|i| f64::from(i / 96)).collect::<Vec<f64>>()).unwrap();
    write_npy(folder.path().join("labels.npy"), &labels, Overwrite::Refuse).unwrap();
    let numbers: Vec<&str> = header.split(',').skip(1).collect();
    let row = |step: u32| {
        let own = numbers.iter().map(|name| name.parse::<f64>().map_or(7.0, |x| 10.0 * x + f64::from(step)));
        format!("{step},{}", own.map(|x| x.to_string()).collect::<Vec<_>>().join(","))
    };
    std::fs::write(folder.path().join("counts.csv"), format!("{header}\n{}\n{}\n", row(1), row(3))).unwrap();
    let begin = COUNTS.split("[[experiment]]").next().unwrap().replace("count(", "regions(");
    let end = "data = \"counts.csv\"\nregions = \"labels.npy\"\n[fixed]\nrecovery = 0.3\n[start]\ninfection = 0.2\nsize = 5.0\n";
    let text = format!("{}\n{end}[optimizer]\nreplicates = 20\nsteps = 2\n", begin.trim_end());
    let file = FitFile::parse(&text, &folder.path().join("fit.toml"), &[], Path::new(""))
        .map_err(|e| e.to_string())?;
    let mut job = prepare(&file).map_err(|e| e.to_string())?;
    let mut watch = |_: &str| Box::new(Silent) as Box<dyn Observer>;
    let outcome = job.run(&mut watch, &Unkept, &AtomicBool::new(false)).map_err(|e| e.to_string())?;
    let notes = outcome.data_notes.clone();
    let result = &outcome.best().result;
    let found = ["infection", "size"].map(|n| format!("{:?}", result.estimate(n).map(|e| e.value)));
    Ok((found.to_vec(), notes))
}

#[test]
fn columns_of_regions_are_found_by_their_labels() {
    let (expected, notes) = regions("step,0,1,2").unwrap();
    assert!(!notes.iter().any(|n| n.contains("by their place")), "{notes:?}");
    for header in ["step,2,0,1", "step,1,0,2"] {
        assert_eq!(regions(header).unwrap().0, expected, "{header}");
    }
    let (_, notes) = regions("step,north,mid,south").unwrap();
    assert!(
        notes.iter().any(|n| n.contains("`north`, `mid`, `south` of") && n.contains("by their place")),
        "{notes:?}"
    );
    for header in ["step,1,2,3", "step,0,1,south", "step,10,20,30"] {
        let found = regions(header).unwrap_err();
        assert!(found.contains("but its numbers are `region 0`, `region 1`, `region 2`"), "{found}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = folder();
    let cases = [
        (COUNTS.replace("state=infected", "state=ill"), "has no state `ill`"),
        (COUNTS.replace("\"slow.npy\"", "\"none.npy\""), "none.npy"),
        (COUNTS.replace("[1, 2, 4, 8]", "[1, 2, 4]"), "4 times, but 3 steps"),
        (COUNTS.replace("size = \"size\", ", ""), "it needs `size`"),
        (COUNTS.replace("\"negative-binomial\"", "\"negativ-binomial\""), "there is none of this name"),
        (COUNTS.replace("recovery = 0.4", "recovry = 0.4"), "did you mean `recovery`"),
        (COUNTS.replace("name = \"slow\"", "nam = \"slow\""), "has no key `nam`"),
        (COUNTS.replace("task = \"observation\"", "task = \"transition\""), "are of the task `observation`"),
        (
            COUNTS.replace("task = \"observation\"", "task = \"observation\"\nroute = \"exact\""),
            "every layer at every site",
        ),
        (COUNTS.replace("steps = 5\n", "steps = 5\nname = \"adam\"\n"), "follows gradients"),
        (COUNTS.replace("size = 5.0", ""), "`size` has no default"),
    ];
    for (text, words) in cases {
        let found = why(&text, folder.path());
        assert!(found.contains(words), "{words}: {found}");
    }
}
