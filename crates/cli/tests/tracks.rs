//! Tries `glauber tracks`, and fits of tracks, as a cell biologist would.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn glauber(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_glauber")).args(arguments).current_dir(folder).output().unwrap()
}

fn done(folder: &Path, arguments: &[&str]) -> Value {
    let output = glauber(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = glauber(folder, arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments:?}: no «{word}» in «{message}»");
    }
}

/// Three tracks of straight lines at speeds 1, 2 and 3 µm per frame of 10 s: MSD(n) = 14 n² / 3 µm².
fn lines() -> String {
    let mut text = String::from("id,t,x,y\n");
    for speed in 1..=3 {
        for frame in 0..6 {
            text += &format!("{speed},{},{},0\n", frame * 10, frame * speed);
        }
    }
    text
}

fn with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cells.csv"), text).unwrap();
    folder
}

/// What the reader guessed is said before its error, and before that of what is made of the tracks, in fits too.
#[test]
fn what_was_guessed_is_said_before_the_error() {
    let folder = with("Exported today\nid,t,x,y\n1,0,0,0\n1,24,0,0\n1,60,0,0\n");
    let here = folder.path();
    std::fs::write(here.join("short.csv"), "Exported today\nid,t,x,y\n1,0,0,0\n1,24,0,0\n1,48,0,1\n")
        .unwrap();
    let fit = "model = \"persistent-random-walk\"\ntask = \"trajectory\"\n[data]\ntracks = \"cells.csv\"\n[start]\np_center = 0.5\n";
    std::fs::write(here.join("fit.toml"), fit).unwrap();
    for (arguments, error) in [
        (&["tracks", "cells.csv"][..], "intervals are mixed"),
        (&["tracks", "short.csv", "--lags", "9"], "lag"),
        (&["fit", "fit.toml", "--out", "o"], "intervals are mixed"),
        (
            &[
                "fit",
                "fit.toml",
                "--out",
                "o",
                "--set",
                "data.tracks=short.csv",
                "--set",
                "data.dimensions=3",
            ],
            "2-D",
        ),
    ] {
        let output = glauber(here, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        let (note, failure) = (said.find("`Exported today`"), said.find("glauber: "));
        assert!(note.is_some() && note < failure && said.contains(error), "{arguments:?}: {said}");
        assert_eq!(said.matches("`Exported today`").count(), 1, "{said}");
    }
}

#[test]
fn tracks_are_summarised_and_drawn() {
    let folder = with(&lines());
    let found = done(
        folder.path(),
        &["tracks", "cells.csv", "--json", "--out", "msd.svg", "--length-unit", "µm", "--time-unit", "s"],
    );
    assert_eq!((found["tracks"].as_u64(), found["positions"].as_u64()), (Some(3), Some(18)));
    assert_eq!((found["dimensions"].as_u64(), found["interval"].as_f64()), (Some(2), Some(10.0)));
    let msd: Vec<f64> = found["msd"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    for (lag, value) in (1..).zip(&msd) {
        assert!((value - 14.0 / 3.0 * f64::from(lag * lag)).abs() < 1e-12, "{lag}: {value}");
    }
    let errors = found["msd_standard_error"].as_array().unwrap();
    assert!(errors.len() == msd.len() && errors.iter().all(|e| e.as_f64().unwrap() > 0.0));
    let picture = std::fs::read_to_string(folder.path().join("msd.svg")).unwrap();
    assert!(picture.contains("MSD (µm²)") && picture.contains("time (s)"));
    refused(folder.path(), &["tracks", "cells.csv", "--out", "msd.svg"], &["msd.svg exists already"]);
    // The curve can be kept, and fitted.
    done(folder.path(), &["tracks", "cells.csv", "--json", "--out", "msd.csv", "--bootstrap", "0"]);
    let kept = std::fs::read_to_string(folder.path().join("msd.csv")).unwrap();
    assert!(kept.lines().count() >= 6, "{kept}");
}

#[test]
fn tracks_and_the_curve_made_of_them_are_fitted_alike() {
    let folder = with(&lines());
    done(folder.path(), &["tracks", "cells.csv", "--json", "--out", "msd.csv", "--lags", "4"]);
    let fit = "model = \"persistent-random-walk\"\ntask = \"trajectory\"\n[data]\nmsd = \"msd.csv\"\nlags = 4\n\
        step-time = 10.0\nsite-length = 3.0\n[start]\np_center = 0.5\np_resample = 0.5\n\
        [optimizer]\nsteps = 40\nreplicates = 100\nlearning-rate = 0.1\n";
    std::fs::write(folder.path().join("fit.toml"), fit).unwrap();
    let of_curve = done(folder.path(), &["fit", "fit.toml", "--json", "--quiet", "--out", "curve"]);
    let set = ["--set", "data.tracks=cells.csv"];
    let of_tracks = done(
        folder.path(),
        &[&["fit", "fit.toml", "--json", "--quiet", "--out", "tracks"][..], &set].concat(),
    );
    let estimate = |found: &Value, name: &str| found["parameters"][name]["estimate"].as_f64().unwrap();
    for name in ["p_center", "p_resample"] {
        // The kept curve is rounded in its last digits.
        assert!((estimate(&of_curve, name) - estimate(&of_tracks, name)).abs() < 1e-6, "{name}");
    }
    assert!(folder.path().join("curve/msd.svg").is_file());
}

#[test]
fn tracks_that_cannot_be_are_refused_with_their_place() {
    let cases = [
        ("", vec!["cells.csv"]),
        ("id,t,x,y\n", vec!["cells.csv"]),
        ("id,x,y\n1,0,0\n1,1,1\n", vec!["cells.csv", "time"]),
        ("id,t,x,y\n1,0,0,0\n1,10,far,1\n", vec!["line 3", "far"]),
        ("id,t,x,y\n1,0,0,0\n1,10,NaN,1\n", vec!["line 3", "NaN"]),
        ("id,t,x,y\n1,0,0,0\n1,0,1,1\n", vec!["1"]),
        ("id,t,x,y\n1,0,0,0\n2,0,1,1\n", vec!["cells.csv"]),
        ("id,t,x,y\n1,0,0,0\n1,10,1,1\n1,17,2,2\n", vec!["interval"]),
    ];
    for (text, words) in cases {
        let folder = with(text);
        refused(folder.path(), &["tracks", "cells.csv"], &words);
    }
    let folder = with(&lines());
    refused(folder.path(), &["tracks", "none.csv"], &["none.csv"]);
    refused(
        folder.path(),
        &["tracks", "cells.csv", "--lags", "100"],
        &["cells.csv", "longest track spans 5"],
    );
    refused(folder.path(), &["tracks", "cells.csv", "--column", "id=0"], &["counted from 1"]);
    refused(folder.path(), &["tracks", "cells.csv", "--out", "msd.png"], &[".svg or .csv"]);
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"bb\">]><Tracks>&b;</Tracks>";
    std::fs::write(folder.path().join("bomb.xml"), bomb).unwrap();
    refused(folder.path(), &["tracks", "bomb.xml"], &["bomb.xml"]);
}

const WALK: &str = "model = \"persistent-random-walk\"\ntask = \"trajectory\"\n[data]\ntracks = \"cells.csv\"\n\
    site-length = 3.0\n[start]\np_center = 0.5\np_resample = 0.5\n\
    [optimizer]\nsteps = 5\nreplicates = 20\nlearning-rate = 0.1\n";

#[test]
fn notes_of_readers_reach_the_fit() {
    // The second track misses its frame 2; five lags are fewer than the usual ten.
    let folder = with(&lines().replace("2,20,4,0\n", ""));
    std::fs::write(folder.path().join("fit.toml"), WALK).unwrap();
    let found = done(folder.path(), &["fit", "fit.toml", "--json", "--quiet", "--out", "run"]);
    let kept: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("run/result.json")).unwrap()).unwrap();
    for object in [&found, &kept] {
        let notes: Vec<&str> =
            object["notes"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        assert!(notes.iter().any(|n| n.contains("1 of 3 tracks have gaps, 1 frames")), "{notes:?}");
        assert!(notes.iter().any(|n| n.contains("x from `x`")), "{notes:?}");
    }
    let output = glauber(folder.path(), &["fit", "fit.toml", "--quiet", "--out", "again"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("have gaps") && text.contains("5 lags"), "{text}");
}

#[test]
fn curves_of_displacements_take_what_they_do_not_say() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("said.csv", "# interval: 24 s\nlag,msd\n1,10\n2,25\n4,60\n8,130\n");
    write("bare.csv", "lag;msd\n1;10\n2;25\n4;60\n8;130\n");
    write(
        "fit.toml",
        &WALK.replace("tracks = \"cells.csv\"", "msd = \"bare.csv\"\nstep-time = 12.0\nlags = 4"),
    );
    let run = |out: &str, sets: &[&str]| {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        done(folder.path(), &[&["fit", "fit.toml", "--json", "--quiet", "--out", out][..], &sets].concat())
    };
    let said = run("said", &["data.msd=said.csv"]);
    let bare = run("bare", &["data.interval=24"]);
    assert_eq!(said["parameters"], bare["parameters"]);
    assert!(said.to_string().contains("3 lags; one step is 12"), "{said}");
    // Without any interval a lag is one unit of time, which is no whole number of steps of 12.
    let set = ["fit", "fit.toml", "--quiet", "--out", "wrong"];
    refused(folder.path(), &set, &["no whole number of steps"]);
    write("times.csv", "lag,msd\n24,10\n48,25\n");
    write("later.csv", "# interval: 24 s\nlag,msd\n2,10\n3,25\n");
    write("errors.csv", "# interval: 24 s\nlag,msd,se\n1,10,1\n2,25,\n4,60,2\n");
    for (value, words) in [
        ("data.msd=said.csv,data.time-unit=min", "`data.time-unit` is `min`"),
        ("data.msd=times.csv,data.interval=24", "24, 48"),
        ("data.msd=later.csv,data.lags=1", "lags count intervals of 24"),
        ("data.msd=errors.csv,loss.name=weighted", "no standard error at lag 2"),
        ("data.msd=said.csv,data.interval=30", "its interval is 24"),
        ("data.interval=24,data.bootstrap=10", "`data.bootstrap` is about tracks"),
        ("data.interval=24,data.shortest-track=3", "`data.shortest-track` is about tracks"),
    ] {
        let sets: Vec<&str> = value.split(',').flat_map(|set| ["--set", set]).collect();
        refused(folder.path(), &[&set[..], &sets].concat(), &[words]);
    }
}

#[test]
fn units_of_a_file_are_not_relabelled() {
    let folder = with("id,t [ms],x [nm],y [nm]\n1,0,0,0\n1,10,3,4\n");
    refused(
        folder.path(),
        &["tracks", "cells.csv", "--length-unit", "um"],
        &["`nm`", "--length-unit", "`um`"],
    );
    refused(folder.path(), &["tracks", "cells.csv", "--time-unit", "s"], &["`ms`", "--time-unit", "`s`"]);
    done(folder.path(), &["tracks", "cells.csv", "--json", "--length-unit", "nm", "--bootstrap", "0"]);
    let folder = with("id,frame,x,y\n1,0,0,0\n1,1,3,4\n");
    refused(folder.path(), &["tracks", "cells.csv", "--time-unit", "h"], &["counts frames", "--interval"]);
}

#[test]
fn a_curve_of_any_summary_is_fitted() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("share.csv", "minutes;share\n10;0,1\n20;0,2\n");
    write("cover.csv", "time;share;se\n0;0,01;0\n10;0,1;0,02\n20;0,2;0,03\n");
    let fit = "model = \"susceptible-infected\"\ntask = \"trajectory\"\n[model-options]\nshape = [16, 16]\n\
        [data]\ncurve = \"cover.csv\"\nstep-time = 5.0\n[loss]\nsummary = \"mean(aware)\"\nname = \"weighted\"\n\
        [start]\nbeta = 0.5\n[estimator]\nname = \"straight-through\"\n\
        [optimizer]\nsteps = 5\nreplicates = 20\nlearning-rate = 0.1\n";
    write("fit.toml", fit);
    let found = done(folder.path(), &["fit", "fit.toml", "--json", "--quiet", "--out", "run"]);
    let notes = found["notes"].to_string();
    assert!(notes.contains("`time`, `share`, `se`") && notes.contains("step 0 is the start"), "{notes}");
    let with = |set| ["fit", "fit.toml", "--quiet", "--out", "wrong", "--set", set];
    refused(folder.path(), &with("data.curve=share.csv"), &["no column `step` or `time`", "minutes"]);
    refused(folder.path(), &with("data.step-time=3"), &["time 10 is 3.33", "whole number"]);
}

#[test]
fn numbers_are_read_alike_everywhere() {
    let folder = with(&lines());
    std::fs::write(folder.path().join("fit.toml"), WALK).unwrap();
    let run = |out: &str, seed: &str, start: &str| {
        let set = format!("start.p_center={start}");
        let command = ["fit", "fit.toml", "--json", "--quiet", "--out", out, "--seed", seed, "--set", &set];
        done(folder.path(), &command)["parameters"].clone()
    };
    assert_eq!(run("a", "0x10", ".3"), run("b", "1_6", "0.3"));
    let largest = "18446744073709551615";
    let found = run("c", largest, "3e-1");
    // What is written beside the results is the same fit.
    let again = done(folder.path(), &["fit", "c/fit.toml", "--json", "--quiet", "--out", "d"]);
    assert_eq!((&again["parameters"], again["seed"].as_u64()), (&found, Some(u64::MAX)));
    let simulate = |seed: &str, beta: &str, out: &str| {
        let beta = format!("beta={beta}");
        let command =
            ["simulate", "susceptible-infected", "--option", "shape=[8,8]", "--steps", "3", "--json"];
        done(folder.path(), &[&command[..], &["--seed", seed, "--set", &beta, "--out", out]].concat());
        std::fs::read(folder.path().join(out)).unwrap()
    };
    assert_eq!(simulate("0x7", ".25", "e.npz"), simulate("7", "2.5e-1", "f.npz"));
    simulate(largest, "0.3", "g.npz");
    refused(folder.path(), &["simulate", "susceptible-infected", "--out", "h.npz", "--seed", "-1"], &[]);
}
