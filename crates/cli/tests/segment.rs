//! Tries `glauber segment`, `glauber generate` and fits of initial states as their users would.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn glauber(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_glauber")).args(arguments).current_dir(folder).output().unwrap()
}

fn done(folder: &Path, arguments: &[&str]) -> Value {
    let output = glauber(folder, &[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

/// Runs a command that must fail with exit code 2, say all these words, and leave nothing in `no`.
fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = glauber(folder, arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments:?}: no «{word}» in «{message}»");
    }
    // A fit makes its folder before it reads its data; what counts is that there is no result in it.
    let left = if arguments[0] == "fit" { "no/result.json" } else { "no" };
    assert!(!folder.join(left).exists(), "{arguments:?} left {left}");
}

fn cells() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = done(
        folder.path(),
        &[
            "generate", "cells", "--count", "2", "--height", "90", "--width", "120", "--cells", "8", "--out",
            "cells",
        ],
    );
    assert_eq!(made["images"], 2);
    folder
}

#[test]
fn generated_cells_are_segmented_and_scored() {
    let folder = cells();
    let result = done(
        folder.path(),
        &["segment", "cells/image-001.png", "--truth", "cells/truth-001.png", "--out", "run", "--quiet"],
    );
    let dice = result["dice"].as_f64().unwrap();
    assert!(dice > 0.9 && dice > result["otsu"]["dice"].as_f64().unwrap(), "{result}");
    assert!(result["jaccard"].as_f64().unwrap() < dice && result["steps"].as_u64().unwrap() > 0);
    for file in ["mask.png", "labels.tif", "overlay.png", "course.svg", "course.csv", "result.json"] {
        assert!(folder.path().join("run").join(file).is_file(), "{file}");
    }
    // The labels serve as a truth of the same mask.
    let again = done(
        folder.path(),
        &["segment", "cells/image-001.png", "--truth", "run/labels.tif", "--out", "again", "--quiet"],
    );
    assert!((again["dice"].as_f64().unwrap() - 1.0).abs() < 1e-12);
    // Without a truth there are no scores; the same seed gives the same mask on any number of threads.
    let blind = done(
        folder.path(),
        &["segment", "cells/image-001.png", "--threads", "1", "--out", "blind", "--quiet"],
    );
    assert!(blind.get("dice").is_none() && blind.get("otsu").is_none());
    let mask = |run: &str| std::fs::read(folder.path().join(run).join("mask.png")).unwrap();
    assert_eq!(mask("run"), mask("blind"));
    // What is there is not written over.
    refused(folder.path(), &["segment", "cells/image-001.png", "--out", "run"], &["run"]);
}

#[test]
fn every_plane_of_a_stack_is_segmented() {
    let folder = cells();
    std::fs::create_dir(folder.path().join("series")).unwrap();
    for number in 0..2 {
        let name = format!("image-00{number}.png");
        std::fs::copy(folder.path().join("cells").join(&name), folder.path().join("series").join(&name))
            .unwrap();
    }
    let result = done(
        folder.path(),
        &["segment", "series", "--preset", "cells", "--steps", "12", "--out", "run", "--quiet"],
    );
    assert_eq!(result["planes"].as_array().unwrap().len(), 2);
    assert_eq!(result["steps"], 12);
    for file in ["masks.tif", "labels.tif", "overlay-000.png", "overlay-001.png", "course-001.csv"] {
        assert!(folder.path().join("run").join(file).is_file(), "{file}");
    }
    // A stack that was written is read again as one.
    let stack = done(folder.path(), &["segment", "run/masks.tif", "--out", "masks", "--quiet"]);
    assert_eq!(stack["planes"].as_array().unwrap().len(), 2);
    refused(
        folder.path(),
        &["segment", "cells/image-000.png", "--truth", "run/masks.tif", "--out", "no"],
        &["2 planes, the image 1"],
    );
}

/// A PNG that has a header and an empty picture.
fn bare_png(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut file = vec![0x89, b'P', b'N', b'G', 13, 10, 26, 10];
    for chunk in [&header[..], b"IDAT", b"IEND"] {
        let mut sum = u32::MAX;
        for byte in chunk {
            sum ^= u32::from(*byte);
            (0..8).for_each(|_| sum = (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()));
        }
        file.extend((chunk.len() as u32 - 4).to_be_bytes());
        file.extend(chunk);
        file.extend((!sum).to_be_bytes());
    }
    file
}

#[test]
fn images_that_cannot_be_segmented_are_refused() {
    let folder = cells();
    let at = folder.path();
    let image = "cells/image-000.png";
    let write = |name: &str, bytes: &[u8]| std::fs::write(at.join(name), bytes).unwrap();
    write("text.png", b"this is no picture at all");
    refused(at, &["segment", "text.png", "--out", "no"], &["text.png", "is not an image"]);
    write("empty.png", b"");
    refused(at, &["segment", "empty.png", "--out", "no"], &["empty"]);
    refused(at, &["segment", "missing.png", "--out", "no"], &["missing.png"]);
    write("zero.png", &bare_png(0, 5));
    refused(at, &["segment", "zero.png", "--out", "no"], &["zero.png"]);
    write("huge.png", &bare_png(60_000, 60_000));
    refused(at, &["segment", "huge.png", "--out", "no"], &["60000 × 60000", "limit"]);
    let labels = std::fs::read(at.join("cells/labels-000.tif")).unwrap();
    write("cut.tif", &labels[..labels.len() / 2]);
    refused(at, &["segment", "cut.tif", "--out", "no"], &["cut.tif"]);
    // A mask of nothing is an image of one colour.
    done(at, &["generate", "cells", "--cells", "0", "--height", "20", "--width", "20", "--out", "none"]);
    refused(at, &["segment", "none/truth-000.png", "--out", "no"], &["one colour"]);
    done(at, &["generate", "cells", "--height", "20", "--width", "20", "--cells", "1", "--out", "small"]);
    refused(
        at,
        &["segment", image, "--truth", "small/truth-000.png", "--out", "no"],
        &["20 × 20", "90 × 120"],
    );
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let folder = cells();
    let segment = |more: &[&str], words: &[&str]| {
        refused(folder.path(), &[&["segment", "cells/image-000.png", "--out", "no"], more].concat(), words);
    };
    segment(&["--weights", "0.6,NaN,0.15,0.5"], &["weight of inside", "NaN"]);
    segment(&["--weights", "0.6,0.1"], &["four or five"]);
    segment(&["--weights", "-1,0,0,0"], &["weight of field", "-1"]);
    segment(&["--preset", "seadragn"], &["seadragon"]);
    segment(&["--rate", "-0.1"], &["rate"]);
    segment(&["--threshold", "1"], &["threshold"]);
    segment(&["--flatten", "9"], &["flatten"]);
    refused(folder.path(), &["generate", "cells", "--count", "0", "--out", "no"], &["--count 0"]);
    refused(folder.path(), &["generate", "cells", "--height", "0", "--out", "no"], &["0 × 256 pixels"]);
    refused(folder.path(), &["generate", "cells", "--blur", "NaN", "--out", "no"], &["blur"]);
    refused(folder.path(), &["generate", "cells", "--out", "cells"], &["cells"]);
}

const START: &str = r#"
model = "susceptible-infected"
task = "state"
[model-options]
shape = [16, 16]
[data]
start-sites = 1
[data.simulate]
parameters = { beta = 0.3 }
steps = 4
start-sites = 1
[optimizer]
name = "adam"
learning-rate = 0.1
steps = 40
replicates = 16
"#;

#[test]
fn the_start_of_a_process_is_found_and_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("start.toml"), START).unwrap();
    let result = done(folder.path(), &["fit", "start.toml", "--out", "run", "--quiet"]);
    let start = &result["start"]["aware"];
    assert_eq!(start["most_likely"].as_array().unwrap().len(), 1);
    assert!(start["ranks"][0].as_u64().unwrap() < 13, "{start}"); // the top twentieth of 256
    for file in
        ["start-aware.npy", "start-aware.png", "weights-aware.npy", "most-likely-start.npz", "trace.csv"]
    {
        assert!(folder.path().join("run").join(file).is_file(), "{file}");
    }
    // From a file: a series with its start, whose frames 1 … are fitted to.
    let simulate = [
        "simulate",
        "susceptible-infected",
        "--option",
        "shape=[16,16]",
        "--steps",
        "3",
        "--out",
        "seen.npz",
    ];
    assert_eq!(glauber(folder.path(), &simulate).status.code(), Some(0));
    let result = done(
        folder.path(),
        &["fit", "start.toml", "--set", "data.states=seen.npz", "--out", "states", "--quiet"],
    );
    assert_eq!(result["about"][0], "observed after 1, 2, 3 steps");
    assert_eq!(result["start"]["aware"]["truth"], serde_json::json!([[8, 8]]));
    assert!(result["start"]["aware"]["ranks"][0].as_u64().unwrap() < 3, "{result}");
}

#[test]
fn fits_of_a_start_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("start.toml"), START).unwrap();
    let fit = |set: &str, words: &[&str]| {
        refused(folder.path(), &["fit", "start.toml", "--set", set, "--out", "no", "--quiet"], words);
    };
    fit("start.beta=0.5", &["fits no parameter", "[fixed]"]);
    fit("fixed.beta=2", &["beta", "0, 1"]);
    fit("data.simulate.runs=3", &["one start"]);
    fit("data.start-sites=500", &["500 sites"]);
    fit("data.simulate.start-sites=500", &["500 sites"]);
    fit("loss.name=cros-entropy", &["cross-entropy"]);
    fit("data.frames.last=9", &["frames 1 to 4"]);
    fit("data.image=photo.png", &["glauber segment"]);
    fit("data.states=missing.npz", &["missing.npz"]);
    fit("model=gray-scott", &["beta"]);
}
