//! Shares fits out among shards that know nothing of each other: together they are the fit of one run, and what does not belong
//! together is refused with nothing overwritten.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn glauber(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_glauber")).args(arguments).current_dir(folder).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn works(folder: &Path, arguments: &[&str]) {
    let output = glauber(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", words(&output));
}

fn refused(folder: &Path, arguments: &[&str], wanted: &[&str]) {
    let output = glauber(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", words(&output));
    for word in wanted {
        assert!(words(&output).contains(word), "{arguments:?}: no «{word}» in «{}»", words(&output));
    }
}

/// What a folder's files of results say, but how long it took and where it is.
fn results(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with("shard-") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let kept =
            text.lines().filter(|line| !["\"seconds\"", "\"out\""].iter().any(|key| line.contains(key)));
        found.push((name, kept.collect::<Vec<_>>().join("\n")));
    }
    found.sort();
    found
}

const STARTS: &str = "model = \"susceptible-infected\"\ntask = \"transition\"\n[model-options]\nshape = [8, 8]\n\
    [data.simulate]\nparameters = { beta = 0.3 }\nruns = 2\nsteps = 4\n[start]\nbeta = [0.2, 0.4, 0.5, 0.6, 0.7]\n\
    [loss]\nname = \"pixel\"\n[optimizer]\nsteps = 20\nbatch = 4\n";

fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("fit.toml"), text).unwrap();
    folder
}

#[test]
fn shards_of_several_starts_are_the_fit_of_one_run() {
    let folder = folder(STARTS);
    let at = folder.path();
    works(at, &["fit", "fit.toml", "--out", "whole", "--quiet", "--set", "optimizer.steps=15"]);
    for number in ["1/2", "2/2"] {
        let arguments = [
            "fit",
            "fit.toml",
            "--out",
            "parts",
            "--quiet",
            "--set",
            "optimizer.steps=15",
            "--shard",
            number,
        ];
        works(at, &arguments);
    }
    works(at, &["merge", "parts"]);
    assert_eq!(results(&at.join("parts")), results(&at.join("whole")));
    works(at, &["merge", "parts", "--out", "elsewhere"]);
    assert_eq!(results(&at.join("elsewhere")), results(&at.join("whole")));
    // Nothing is overwritten.
    let before = results(&at.join("parts"));
    refused(at, &["merge", "parts"], &["already holds a run", "give another folder with --out"]);
    assert!(!words(&glauber(at, &["merge", "parts"])).contains("--resume"));
    // Nor does a shard begin beside a result that it would be no part of.
    std::fs::remove_file(at.join("parts/shard-2-of-2")).unwrap();
    refused(
        at,
        &["fit", "fit.toml", "--out", "parts", "--shard", "2/2"],
        &["parts holds a finished result (result.json)", "--out"],
    );
    std::fs::copy(at.join("parts/shard-1-of-2"), at.join("parts/shard-2-of-2")).unwrap();
    refused(
        at,
        &["fit", "fit.toml", "--out", "parts", "--shard", "2/2"],
        &["shard-2-of-2", "not overwritten"],
    );
    assert_eq!(results(&at.join("parts")), before);
}

#[test]
fn what_is_missing_or_of_another_fit_is_said() {
    let folder = folder(STARTS);
    let at = folder.path();
    for number in ["1/3", "3/3"] {
        works(at, &["fit", "fit.toml", "--out", "parts", "--quiet", "--shard", number]);
    }
    refused(at, &["merge", "parts"], &["of 3 shards these are missing: 2"]);
    works(
        at,
        &["fit", "fit.toml", "--out", "parts", "--quiet", "--shard", "2/3", "--set", "optimizer.steps=7"],
    );
    refused(at, &["merge", "parts"], &["of another fit", "steps", "20", "7"]);
    std::fs::remove_file(at.join("parts/shard-2-of-3")).unwrap();
    works(at, &["fit", "fit.toml", "--out", "parts", "--quiet", "--shard", "2/3"]);
    // The fit file was changed since.
    std::fs::write(at.join("fit.toml"), STARTS.replace("steps = 20", "steps = 21")).unwrap();
    refused(at, &["merge", "parts"], &["of another fit than the fit file now says", "20", "21"]);
    std::fs::write(at.join("fit.toml"), STARTS).unwrap();
    std::fs::rename(at.join("fit.toml"), at.join("moved.toml")).unwrap();
    refused(at, &["merge", "parts"], &["--file"]);
    std::fs::copy(at.join("parts/shard-2-of-3"), at.join("parts/shard-2-of-3-again")).unwrap();
    refused(at, &["merge", "parts", "--file", "moved.toml"], &["shard 2/3", "delete one"]);
    std::fs::remove_file(at.join("parts/shard-2-of-3-again")).unwrap();
    let whole = std::fs::read(at.join("parts/shard-1-of-3")).unwrap();
    for place in (0..whole.len()).step_by(whole.len() / 40) {
        let mut changed = whole.clone();
        changed[place] ^= 4;
        std::fs::write(at.join("parts/shard-1-of-3"), changed).unwrap();
        refused(at, &["merge", "parts", "--file", "moved.toml"], &["shard-1-of-3"]);
    }
    // Nor is what was added to it taken for a part of it.
    for added in [&b"x"[..], &whole] {
        std::fs::write(at.join("parts/shard-1-of-3"), [&whole[..], added].concat()).unwrap();
        refused(at, &["merge", "parts", "--file", "moved.toml"], &["shard-1-of-3", "was changed"]);
    }
    std::fs::write(at.join("parts/shard-1-of-3"), whole).unwrap();
    // A folder of that name is none, for one that reads and for one that would write.
    std::fs::rename(at.join("parts/shard-2-of-3"), at.join("kept")).unwrap();
    std::fs::create_dir(at.join("parts/shard-2-of-3")).unwrap();
    refused(at, &["merge", "parts", "--file", "moved.toml"], &["shard-2-of-3", "it is a folder"]);
    refused(
        at,
        &["fit", "moved.toml", "--out", "parts", "--shard", "2/3"],
        &["shard-2-of-3", "it is a folder"],
    );
    std::fs::remove_dir(at.join("parts/shard-2-of-3")).unwrap();
    // One that was stopped has left its checkpoint.
    std::fs::write(at.join("parts/checkpoint-score-function--start-2"), "").unwrap();
    refused(at, &["merge", "parts", "--file", "moved.toml"], &["missing: 2", "one is unfinished"]);
    std::fs::rename(at.join("kept"), at.join("parts/shard-2-of-3")).unwrap();
    refused(at, &["merge", "parts", "--file", "moved.toml"], &["holds a checkpoint", "all shards are there"]);
    std::fs::remove_file(at.join("parts/checkpoint-score-function--start-2")).unwrap();
    assert!(!at.join("parts/result.json").exists());
    works(at, &["merge", "parts", "--file", "moved.toml"]);
}

#[test]
fn numbers_that_are_no_shards_are_refused() {
    let folder = folder(STARTS);
    let at = folder.path();
    for (number, why) in [
        ("0/3", "no shard 0 of 3"),
        ("4/3", "no shard 4 of 3"),
        ("1/0", "no shards at all were asked for"),
        ("3", "such as 3/16"),
        ("a/b", "such as 3/16"),
        ("1/6", "only 5 fits"),
    ] {
        refused(at, &["fit", "fit.toml", "--out", "parts", "--shard", number], &[why]);
        assert!(!at.join("parts").exists(), "{number}");
    }
    std::fs::write(at.join("file"), "").unwrap();
    let below = ["fit", "fit.toml", "--out", "file/parts", "--shard", "1/2"];
    refused(at, &below, &["cannot make the folder file/parts", "is a file, not a folder"]);
    refused(at, &["fit", "fit.toml", "--shard", "1/2"], &["--out"]);
    let one = "fit.toml";
    std::fs::write(at.join(one), STARTS.replace("[0.2, 0.4, 0.5, 0.6, 0.7]", "0.2")).unwrap();
    refused(at, &["fit", one, "--out", "parts", "--shard", "1/2"], &["nothing to share out"]);
    refused(
        at,
        &["merge", "nowhere"],
        &["nowhere: there is no such folder: give the one that `glauber fit --shard` wrote into"],
    );
    std::fs::create_dir(at.join("empty")).unwrap();
    refused(at, &["merge", "empty"], &["holds no shards"]);
}

#[test]
fn shards_of_one_bootstrap_are_the_fit_of_one_run() {
    let folder = folder(
        "model = \"susceptible-infected\"\ntask = \"observation\"\nroute = \"mean-field-filter\"\nerrors = \"bootstrap\"\n\
         [model-options]\nshape = [6, 6]\n[observation]\nwhat = \"aware\"\ndata = \"runs.npz\"\n[start]\nbeta = 0.1\n",
    );
    let at = folder.path();
    let model = ["simulate", "susceptible-infected", "--option", "shape=[6,6]", "--set", "beta=0.1"];
    works(at, &[&model[..], &["--steps", "5", "--out", "runs.npz"]].concat());
    works(at, &["fit", "fit.toml", "--out", "whole", "--quiet"]);
    for number in ["1/3", "2/3", "3/3"] {
        works(at, &["fit", "fit.toml", "--out", "parts", "--quiet", "--shard", number]);
    }
    works(at, &["merge", "parts"]);
    let whole = results(&at.join("whole"));
    assert_eq!(results(&at.join("parts")), whole);
    assert!(whole.iter().any(|(_, text)| text.contains("bootstrap of")), "{whole:?}");
}
