//! Fits cells from a stack of labels on the command line: what is found, what is said, what is refused.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use glauber::cellular_potts::{Acceptance, Cells, Elastic, Energy, Order, Simulation};
use glauber::data::Overwrite;
use glauber::data::arrays::{Array, write_npy, write_npz};
use glauber::data::images::write_labels_tiff;
use glauber::lattice::Lattice;
use serde_json::Value;

const SIDE: usize = 48;

fn glauber(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_glauber")).args(arguments).current_dir(folder).output().unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = glauber(folder, arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments:?}: no «{word}» in «{message}»");
    }
}

/// 25 cells of two types in the middle of a torus, `frames` of them, `stride` steps apart; labels of cells are 1000 and 40.
fn film(frames: usize, stride: u64) -> Vec<u16> {
    let mut labels = vec![0; SIDE * SIDE];
    for y in 0..40 {
        for x in 0..40 {
            labels[(4 + y) * SIDE + 4 + x] = (y / 8 * 5 + x / 8 + 1) as u32;
        }
    }
    let types: Vec<u8> = (0..26).map(|label| if label == 0 { 0 } else { 1 + (label % 2) as u8 }).collect();
    let cells = Cells::new(Lattice::square(SIDE), labels, types).unwrap();
    let energy = Energy {
        volume: Some(vec![Elastic { strength: 0.1, target: 64.0 }; 2]),
        ..Energy::of_adhesion(2, vec![0.0, 1.6, 1.6, 1.6, 1.4, 1.1, 1.6, 1.1, 0.2])
    };
    let order = Order::Sublattices;
    let mut simulation = Simulation::new(cells, &energy, Acceptance::Metropolis, order, 11, 0).unwrap();
    let mut film = Vec::new();
    for frame in 0..frames {
        if frame > 0 {
            simulation.run(stride);
        }
        // Labels as segmentations have them: neither small nor without gaps.
        film.extend(
            simulation
                .cells()
                .labels()
                .iter()
                .map(|label| if *label == 0 { 0 } else { 1000 + 40 * *label as u16 }),
        );
    }
    film
}

fn with_film(frames: usize, stride: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.tif");
    write_labels_tiff(path, frames, SIDE, SIDE, &film(frames, stride), Overwrite::Refuse).unwrap();
    let mut table = String::from("label,type\n");
    for label in 1..26 {
        table += &format!("{},{}\n", 1000 + 40 * label, if label % 2 == 0 { "dark" } else { "light" });
    }
    std::fs::write(folder.path().join("types.csv"), table).unwrap();
    folder
}

#[test]
fn a_stack_of_labels_and_a_table_of_types_give_parameters_with_errors() {
    let folder = with_film(31, 1);
    let arguments = [
        "cells",
        "fit",
        "labels.tif",
        "--types",
        "types.csv",
        "--torus",
        "--set",
        "volume_target=64",
        "--out",
        "run",
        "--json",
    ];
    let output = glauber(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let result = json_of(&output);
    // In the order of the alphabet dark is 1, which the film has for even labels.
    for (name, truth) in
        [("J01", 1.6), ("J02", 1.6), ("J11", 1.4), ("J12", 1.1), ("J22", 0.2), ("volume_strength", 0.1)]
    {
        let found = &result["parameters"][name];
        let (estimate, error) =
            (found["estimate"].as_f64().unwrap(), found["standard_error"].as_f64().unwrap());
        assert!((estimate - truth).abs() < 4.5 * error && error < 0.1 * truth.max(0.5), "{name}: {found}");
    }
    assert_eq!(result["effective"], false, "{result}");
    assert_eq!(
        (&result["cells"], &result["types"][0], &result["updates"]["impossible"]),
        (&25.into(), &"dark".into(), &0.into())
    );
    assert_eq!(result["check"]["frames"].as_array().unwrap().len(), 30);
    assert_eq!(result["fixed"]["volume_target"], 64.0);
    let run = folder.path().join("run");
    for file in ["result.json", "parameters.json", "check.csv", "check.svg"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    let kept: Value = serde_json::from_slice(&std::fs::read(run.join("parameters.json")).unwrap()).unwrap();
    assert_eq!(kept["parameters"], result["parameters"]);
    // The same labels as an array of 32 bits, types by ranges: the same numbers.
    let values: Vec<u32> = film(31, 1).into_iter().map(u32::from).collect();
    let array = Array::new(vec![31, SIDE, SIDE], values).unwrap();
    write_npy(folder.path().join("labels.npy"), &array, Overwrite::Refuse).unwrap();
    let ranges: Vec<String> =
        (1..26).map(|label| format!("{0}:{0}={1}", 1000 + 40 * label, 1 + label % 2)).collect();
    let mut arguments = vec![
        "cells",
        "fit",
        "labels.npy",
        "--torus",
        "--set",
        "volume_target=64",
        "--replicates",
        "0",
        "--json",
    ];
    ranges.iter().for_each(|range| arguments.extend(["--type-range", range]));
    let again = json_of(&glauber(folder.path(), &arguments));
    assert_eq!(again["parameters"], result["parameters"]);
    assert_eq!(again["check"], Value::Null);
    // A target that nobody knows is fitted; one that is assumed makes estimates effective, and is named first.
    let fit =
        ["cells", "fit", "labels.tif", "--types", "types.csv", "--torus", "--replicates", "0", "--json"];
    let free = json_of(&glauber(folder.path(), &fit));
    let found = &free["parameters"]["volume_target"];
    let (estimate, error) = (found["estimate"].as_f64().unwrap(), found["standard_error"].as_f64().unwrap());
    assert!((estimate - 64.0).abs() < 4.5 * error && error < 4.0, "{found}");
    assert_eq!((&free["effective"], free["parameters"].as_object().unwrap().len()), (&false.into(), 7));
    let named = [&fit[..], &["--fit", "J01,J02,J11,J12,J22,volume_strength"]].concat();
    let assumed = json_of(&glauber(folder.path(), &named));
    assert_eq!(assumed["effective"], true);
    let verdict = assumed["verdict"].as_str().unwrap();
    assert!(verdict.starts_with("`volume_target1` is neither fitted nor set, and is assumed"), "{verdict}");
    // Targets count the sites of binned frames, of which the file's are not.
    let binned = [&fit[..], &["--coarsen", "4", "--set"]].concat();
    refused(
        folder.path(),
        &[&binned[..], &["volume_target=64"]].concat(),
        &["volumes count blocks", "give the target in blocks (4"],
    );
    let blocks = json_of(&glauber(folder.path(), &[&binned[..], &["volume_target=4"]].concat()));
    assert_eq!(blocks["effective"], true);
    assert!(blocks["verdict"].as_str().unwrap().contains("frames are binned by 4"), "{blocks}");
}

/// Planes of a file that says nothing of slices are slices where the option says so.
#[test]
fn planes_are_grouped_by_depth() {
    let folder = tempfile::tempdir().unwrap();
    // 3 times of 4 slices: a cell that grows by a column, another that stays.
    let mut planes = Vec::new();
    for plane in 0..12 {
        let end = 4 + plane / 4;
        planes.extend((0..64).map(|site| match (site / 8, site % 8) {
            (1..=3, x) if (1..end).contains(&x) => 1_u16,
            (5..=6, 1..=3) => 2,
            _ => 0,
        }));
    }
    write_labels_tiff(folder.path().join("m.tif"), 12, 8, 8, &planes, Overwrite::Refuse).unwrap();
    let fit =
        |depth: &'static str| ["cells", "fit", "m.tif", "--replicates", "0", "--json", "--depth", depth];
    let result = json_of(&glauber(folder.path(), &fit("4")));
    assert_eq!((&result["frames"][1], &result["cells"]), (&3.into(), &2.into()), "{result}");
    assert!(result["notes"].to_string().contains("12 planes were taken for 3 times of 4 slices"), "{result}");
    refused(folder.path(), &fit("5"), &["12 planes, no whole number of times of 5 slices"]);
    refused(folder.path(), &fit("0"), &["a time has at least one slice"]);
    let flat = json_of(&glauber(folder.path(), &fit("1")));
    assert_eq!(flat["frames"][1], 12, "{flat}");
}

/// Types and times that lie beside labels in an NPZ are of these labels.
#[test]
fn types_and_times_of_a_file_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let labels = Array::new(vec![13, SIDE, SIDE], film(13, 1)).unwrap();
    let rows = (1..26_u32).flat_map(|label| [1000 + 40 * label, 1 + label % 2]).collect::<Vec<_>>();
    let types = Array::new(vec![25, 2], rows).unwrap();
    let write = |name: &str, times: Vec<f64>| {
        let times = Array::new(vec![13], times).unwrap();
        let arrays = [("labels", &labels), ("types", &types), ("times", &times)];
        write_npz(folder.path().join(name), arrays, Overwrite::Refuse).unwrap();
    };
    write("even.npz", (0..13).map(f64::from).collect());
    write("far.npz", (0..13).map(|time| 3.0 * f64::from(time)).collect());
    write("odd.npz", (0..13).map(|time| f64::from(time * time)).collect());
    let fit = |name: &'static str| ["cells", "fit", name, "--torus", "--replicates", "0", "--json"];
    let even = json_of(&glauber(folder.path(), &fit("even.npz")));
    assert_eq!(even["types"].as_array().unwrap().len(), 2);
    assert!(even["parameters"]["J12"].is_object(), "{even}");
    assert!(!even["notes"].to_string().contains("apart; its frames"), "{even}");
    let far = json_of(&glauber(folder.path(), &fit("far.npz")));
    assert!(far["notes"].to_string().contains("`times` of the file are 3 apart"), "{far}");
    refused(folder.path(), &fit("odd.npz"), &["`times` go from 1 to 4 between the frames 1 and 2"]);
}

#[test]
fn frames_apart_are_said_first_and_later_frames_predicted() {
    let folder = with_film(13, 5);
    let output =
        glauber(folder.path(), &["cells", "fit", "labels.tif", "--types", "types.csv", "--frames", "0:9"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let first = text.lines().next().unwrap();
    assert!(
        first.contains("frames look further apart than one step") && first.contains("frames 0 to 8"),
        "{text}"
    );
    for words in [
        "(effective)",
        "simulations of frames 9 to 12",
        "one `volume_target` of all types is fitted",
        "--torus",
    ] {
        assert!(text.contains(words), "no «{words}» in {text}");
    }
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let folder = with_film(3, 1);
    let fit = |more: &[&'static str]| [&["cells", "fit", "labels.tif"][..], more].concat();
    let with_types = |more: &[&'static str]| fit(&[&["--types", "types.csv"][..], more].concat());
    refused(
        folder.path(),
        &with_types(&["--fit", "J01,J11"]),
        &["pairs of neighbouring sites are of types", "neither fitted nor set"],
    );
    refused(folder.path(), &with_types(&["--fit", "K"]), &["`K` is no coefficient", "volume_strength"]);
    refused(folder.path(), &with_types(&["--fit", "J01", "--set", "J01=1"]), &["is to be fitted and"]);
    refused(folder.path(), &with_types(&["--frames", "2:9"]), &["frames 0 to 2"]);
    refused(folder.path(), &with_types(&["--frames", "2"]), &["FROM:TO"]);
    refused(folder.path(), &with_types(&["--set", "volume_target=x"]), &["`x` is not a number"]);
    refused(
        folder.path(),
        &with_types(&["--torus", "--coarsen", "5"]),
        &["blocks of 5 do not fit axis 0 of length 48"],
    );
    refused(folder.path(), &fit(&["--type-range", "1:9=0"]), &["FROM:TO=TYPE"]);
    refused(
        folder.path(),
        &fit(&["--type-range", "1:9=1"]),
        &["the types do not say what label 1040 is", "(and 24 labels more)"],
    );
    refused(
        folder.path(),
        &fit(&["--type-range", "1:1500=1", "--type-range", "1400:2000=2"]),
        &["--type-range: the types give label 1400 both type 1 and type 2"],
    );
    refused(folder.path(), &fit(&["--type-range", "0:9000=1"]), &["0 is the medium"]);
    refused(folder.path(), &with_types(&["--replicates", "5"]), &["take 19 or more"]);
    std::fs::create_dir(folder.path().join("used")).unwrap();
    std::fs::write(folder.path().join("used/result.json"), "{}").unwrap();
    let output = glauber(folder.path(), &with_types(&["--out", "used"]));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("already holds") && !message.contains("--resume"), "{message}");
    std::fs::write(folder.path().join("few.csv"), "label,type\n1040,1\n").unwrap();
    refused(
        folder.path(),
        &fit(&["--types", "few.csv"]),
        &["few.csv: the types do not say what label 1080 is"],
    );
    let negative = Array::new(vec![2, 4, 4], vec![-1i32; 32]).unwrap();
    write_npy(folder.path().join("negative.npy"), &negative, Overwrite::Refuse).unwrap();
    refused(folder.path(), &["cells", "fit", "negative.npy"], &["label -1 in frame 0, row 0, column 0"]);
    let flat = Array::new(vec![4, 4], vec![1i32; 16]).unwrap();
    write_npy(folder.path().join("flat.npy"), &flat, Overwrite::Refuse).unwrap();
    refused(folder.path(), &["cells", "fit", "flat.npy"], &["[time, y, x]"]);
    let grey = Array::new(vec![2, 4, 4], vec![0.5f32; 32]).unwrap();
    write_npy(folder.path().join("grey.npy"), &grey, Overwrite::Refuse).unwrap();
    refused(folder.path(), &["cells", "fit", "grey.npy"], &["holds 0.5, which is no label"]);
    // Nothing was left behind.
    assert!(!folder.path().join("out/labels").exists());
}

/// What is simulated on the command line is fitted on the command line, without a word about either file.
#[test]
fn a_simulated_movie_is_fitted_with_the_types_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = [
        "cells",
        "simulate",
        "--shape",
        "48,48",
        "--torus",
        "--blocks",
        "5,5",
        "--sides",
        "8,8",
        "--counts",
        "13,12",
        "--set",
        "J01=1.6",
        "--set",
        "J02=1.6",
        "--set",
        "J11=1.4",
        "--set",
        "J12=1.1",
        "--set",
        "J22=0.2",
        "--set",
        "volume_strength=0.1",
        "--set",
        "volume_target=64",
        "--steps",
        "30",
        "--out",
        "movie.tif",
        "--cells",
        "cells.csv",
        "--film",
        "movie.gif",
        "--picture",
        "last.png",
        "--json",
    ];
    let output = glauber(folder.path(), &simulate);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = json_of(&output);
    assert_eq!(
        (&told["frames"], &told["cells"], &told["order"]),
        (&31.into(), &25.into(), &"sublattices".into())
    );
    assert_eq!(told["types_table"], "movie-types.csv");
    let table = std::fs::read_to_string(folder.path().join("cells.csv")).unwrap();
    assert!(table.starts_with("step,id,type,volume,perimeter,y,x\n0,1,"), "{table:.80}");
    assert_eq!(table.lines().count(), 1 + 31 * 25);
    let fit = [
        "cells",
        "fit",
        "movie.tif",
        "--types",
        "movie-types.csv",
        "--torus",
        "--set",
        "volume_target=64",
        "--replicates",
        "0",
        "--json",
    ];
    let result = json_of(&glauber(folder.path(), &fit));
    for (name, truth) in
        [("J01", 1.6), ("J02", 1.6), ("J11", 1.4), ("J12", 1.1), ("J22", 0.2), ("volume_strength", 0.1)]
    {
        let found = &result["parameters"][name];
        let (estimate, error) =
            (found["estimate"].as_f64().unwrap(), found["standard_error"].as_f64().unwrap());
        assert!((estimate - truth).abs() < 4.5 * error && error < 0.1 * truth.max(0.5), "{name}: {found}");
    }
    assert_eq!((&result["effective"], &result["updates"]["impossible"]), (&false.into(), &0.into()));
    // Nothing is overwritten, and nothing is done before that is known.
    refused(folder.path(), &simulate, &["movie.tif exists already"]);
    // The same cells again from the movie's first frame, types by its table: the same course under the same seed.
    let mut again = vec!["cells", "simulate", "--start", "movie.tif", "--types", "movie-types.csv"];
    again.extend(simulate.iter().skip_while(|own| **own != "--set").take(14));
    again.extend(["--torus", "--steps", "30", "--out", "again.npz", "--json"]);
    let told = json_of(&glauber(folder.path(), &again));
    assert!(told["notes"].to_string().contains("has 31 frames"), "{told}");
    let fit = [
        "cells",
        "fit",
        "again.npz",
        "--types",
        "again-types.csv",
        "--torus",
        "--set",
        "volume_target=64",
        "--replicates",
        "0",
        "--json",
    ];
    assert_eq!(json_of(&glauber(folder.path(), &fit))["parameters"], result["parameters"]);
}

/// Slices of three dimensions come back as slices.
#[test]
fn grown_cells_of_three_dimensions_are_fitted_from_their_stack() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = [
        "cells",
        "simulate",
        "--shape",
        "8,16,20",
        "--grown",
        "100",
        "--counts",
        "12",
        "--set",
        "J01=0.4",
        "--set",
        "J11=0.3",
        "--set",
        "volume_strength=0.05",
        "--set",
        "volume_target=100",
        "--steps",
        "6",
        "--out",
        "m.tif",
        "--cells",
        "c.csv",
        "--json",
    ];
    let output = glauber(folder.path(), &simulate);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let fit = [
        "cells",
        "fit",
        "m.tif",
        "--depth",
        "8",
        "--set",
        "volume_target=100",
        "--replicates",
        "0",
        "--json",
    ];
    refused(folder.path(), &["cells", "fit", "m.tif"], &["8 slices × 7 frames", "--depth"]);
    let result = json_of(&glauber(folder.path(), &fit));
    assert_eq!((&result["frames"][1], &result["updates"]["impossible"]), (&7.into(), &0.into()), "{result}");
    let cells = std::fs::read_to_string(folder.path().join("c.csv")).unwrap();
    assert!(cells.starts_with("step,id,type,volume,perimeter,z,y,x\n"), "{cells:.80}");
}

#[test]
fn cells_start_from_a_pif() {
    let folder = tempfile::tempdir().unwrap();
    let pif = "0 Medium 0 19 0 15 0 0\n1 soft 2 6 3 7 0 0\n2 hard 7 11 3 7 0 0\n3 soft 7 11 8 12 0 0\n";
    std::fs::write(folder.path().join("cells.piff"), pif).unwrap();
    let mut simulate =
        vec!["cells", "simulate", "--start", "cells.piff", "--out", "m.npy", "--json", "--steps", "3"];
    for one in ["J01=1", "J02=1", "J12=0.5", "J22=0.4", "volume_strength=0.2", "volume_target=25"] {
        simulate.extend(["--set", one]);
    }
    let output = glauber(folder.path(), &simulate);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = json_of(&output);
    assert_eq!((&told["shape"][0], &told["shape"][1], &told["cells"]), (&16.into(), &20.into(), &3.into()));
    let table = std::fs::read_to_string(folder.path().join("m-types.csv")).unwrap();
    assert_eq!(table, "label,type,name\n1,2,soft\n2,1,hard\n3,2,soft\n");
}

#[test]
fn simulations_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let start =
        ["cells", "simulate", "--out", "m.tif", "--shape", "20,20", "--blocks", "2,2", "--sides", "5,5"];
    for (more, words) in [
        (&["--set", "J01=1"][..], "`J11`, the adhesion of types 1 and 1, is not set"),
        (&["--set", "J01=x"], "is not a number"),
        (&["--types", "t.csv"], "--counts gives blocks"),
        (&["--begin", "18,0", "--set", "J01=1", "--set", "J11=1"], "beyond axis 0"),
        (&["--cells", "m.csv.tif"], "must end in .csv"),
        (&["--cells", "m-types.csv"], "is named twice"),
        (&["--film", "nowhere/m.gif"], "there is no folder nowhere"),
        (&["--grown", "30", "--counts", "4"], "cannot be used with"),
    ] {
        refused(folder.path(), &[&start[..], more].concat(), &[words]);
    }
    refused(folder.path(), &["cells", "simulate", "--out", "m.tif"], &["say how the cells start"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Tracks of small cells of the Act model, as a table of centroids in units of half a site.
fn with_tracks() -> tempfile::TempDir {
    use glauber::cellular_potts::{Act, Experiment, simulated_tracks};
    let folder = tempfile::tempdir().unwrap();
    let elastic = |strength, target| Some(vec![Elastic { strength, target }]);
    let energy = Energy {
        volume: elastic(1.5, 60.0),
        act: Some(vec![Act { strength: 8.0, most: 16 }]),
        ..Energy::of_adhesion(1, vec![0.0, 1.0, 1.0, 5.0])
    };
    let experiment = Experiment {
        lattice: Lattice::square(36),
        types: vec![1],
        volume: 60,
        burn_in: 50,
        between: 5,
        acceptance: Acceptance::Metropolis,
        order: Order::RandomSequential,
    };
    let tracks = simulated_tracks(&experiment, &energy, 41, 12, 3, &|| false).unwrap();
    let mut table = String::from("Time,CellID,X,Y\n");
    for (cell, track) in tracks.iter().flatten().enumerate() {
        for (record, [_, y, x]) in track.records.iter().zip(&track.positions) {
            table += &format!("{},{cell},{},{}\n", 5 * record, 0.5 * x, 0.5 * y);
        }
    }
    std::fs::write(folder.path().join("tracks.csv"), table).unwrap();
    folder
}

const KNOWN: [&str; 10] = [
    "--set",
    "J01=1",
    "--set",
    "volume_strength=1.5",
    "--set",
    "volume_target=60",
    "--shape",
    "36,36",
    "--burn-in",
    "50",
];

#[test]
fn tracks_of_centroids_give_the_act_term() {
    let folder = with_tracks();
    let given = [
        "--steps-per-frame",
        "5",
        "--site",
        "0.5",
        "--range",
        "act_strength=2:30",
        "--range",
        "max_act=6:40",
    ];
    let fit = [&["cells", "fit", "tracks.csv"][..], &KNOWN, &given, &["--out", "act", "--json"]].concat();
    let output = glauber(folder.path(), &fit);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let result = json_of(&output);
    assert_eq!(
        (&result["task"], &result["tracks"], &result["records"]),
        (&"tracks".into(), &12.into(), &41.into())
    );
    for (name, truth) in [("act_strength", 8.0), ("max_act", 16.0)] {
        let parameter = &result["parameters"][name];
        let (estimate, error) =
            (parameter["estimate"].as_f64().unwrap(), parameter["standard_error"].as_f64());
        // So few cells need not determine both; where there is an error it holds, at one false alarm in ten thousand.
        if let Some(error) = error {
            assert!((estimate - truth).abs() < 3.9 * error, "{name}: {estimate} ± {error}");
        } else {
            assert!(parameter["no_error_because"].is_string());
        }
    }
    assert!(result["observed"]["speed"].as_f64().unwrap() > 0.02);
    for file in ["result.json", "parameters.json", "check.csv", "check.svg"] {
        assert!(folder.path().join("act").join(file).is_file(), "{file}");
    }
}

#[test]
fn options_of_tracks_and_of_labels_are_told_apart() {
    let folder = with_tracks();
    let fit = |more: &[&'static str]| [&["cells", "fit", "tracks.csv"][..], &KNOWN, more].concat();
    refused(folder.path(), &fit(&[]), &["--steps-per-frame"]);
    let steps = ["--steps-per-frame", "5"];
    let with = |more: &[&'static str]| [&fit(&steps)[..], more].concat();
    refused(folder.path(), &with(&["--types", "t.csv"]), &["--types is of labels"]);
    refused(folder.path(), &with(&["--replicates", "9"]), &["--replicates is of labels"]);
    refused(folder.path(), &with(&["--range", "act_strength=9:2"]), &["the smaller number first"]);
    refused(folder.path(), &with(&["--range", "max_act=0:9"]), &["from 1"]);
    refused(folder.path(), &with(&["--range", "J01=0:2"]), &["is not fitted"]);
    refused(folder.path(), &with(&["--range", "max_act"]), &["NAME=LOW:HIGH"]);
    refused(folder.path(), &with(&["--set", "max_act=9"]), &["the same number"]);
    refused(folder.path(), &with(&["--site", "0"]), &["positive length"]);
    refused(folder.path(), &with(&["--fit", "K"]), &["`K` is no coefficient"]);
    std::fs::write(folder.path().join("still.csv"), "id,t,x,y\n1,0,0,0\n1,1,0,0\n1,2,0,0\n").unwrap();
    let still: Vec<&str> =
        with(&[]).into_iter().map(|word| if word == "tracks.csv" { "still.csv" } else { word }).collect();
    refused(folder.path(), &still, &["they stand still"]);
    let flat = Array::new(vec![2, 4, 4], vec![1i32; 32]).unwrap();
    write_npy(folder.path().join("labels.npy"), &flat, Overwrite::Refuse).unwrap();
    let labels = |more: &[&'static str]| [&["cells", "fit", "labels.npy"][..], more].concat();
    refused(folder.path(), &labels(&["--site", "2"]), &["--site is of tracks"]);
    refused(folder.path(), &labels(&["--range", "J01=0:2"]), &["--range is of tracks and of --snapshots"]);
    refused(
        folder.path(),
        &labels(&["--snapshots", "10", "--replicates", "3"]),
        &["--replicates is of movies"],
    );
    refused(folder.path(), &labels(&["--snapshots", "10", "--torus"]), &["2 snapshots", "or more"]);
    refused(folder.path(), &labels(&["--channel", "1"]), &["a channel is given"]);
    refused(folder.path(), &labels(&["--depth", "2"]), &["a depth is given"]);
    // Nothing was left behind.
    assert!(!folder.path().join("out").join("tracks").exists());
}

/// Killed on the way and called again, a simulation ends with the files of one that ran through.
#[test]
fn a_killed_simulation_carries_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = |out: &str, more: &[&'static str]| -> Vec<String> {
        let own = "cells simulate --shape 96,96 --torus --grown 60 --counts 20 --order random-sequential --set J01=1 --set J11=5 \
                   --set volume_strength=1.5 --set volume_target=60 --set act_strength=8 --set max_act=15 --every 500 --steps";
        let words = own.split_whitespace().map(String::from).chain(more.iter().map(|word| word.to_string()));
        words
            .chain([
                "--out".into(),
                format!("{out}.npy"),
                "--cells".into(),
                format!("{out}.csv"),
                "--json".into(),
            ])
            .collect()
    };
    let run = |arguments: &[String]| {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        glauber(folder.path(), &words)
    };
    // Another request, which must not take the checkpoint.
    let others = ["3500", "--checkpoint", "way.npz"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_glauber"))
        .args(simulate("never", &["4000", "--checkpoint", "way.npz"]))
        .current_dir(folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begin = std::time::Instant::now();
    let mut ended = false;
    while !folder.path().join("way.npz").exists() && begin.elapsed().as_secs() < 300 {
        ended = child.try_wait().unwrap().is_some();
        if ended {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    if !ended {
        child.kill().unwrap();
    }
    child.wait().unwrap();
    if ended {
        // A machine so fast that no checkpoint was due: nothing is left behind.
        assert!(!folder.path().join("way.npz").exists());
    } else {
        // Another request does not take it.
        let words: Vec<String> = simulate("other", &others);
        let output = run(&words);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("another simulation"), "{output:?}");
        let resumed = json_of(&run(&simulate("resumed", &["4000", "--checkpoint", "way.npz"])));
        assert!(resumed["notes"].to_string().contains("carried on from step"), "{resumed}");
    }
    let name = if ended { "never" } else { "resumed" };
    assert_eq!(run(&simulate("whole", &["4000"])).status.code(), Some(0));
    for ending in ["npy", "csv"] {
        let read = |name: &str| std::fs::read(folder.path().join(format!("{name}.{ending}"))).unwrap();
        assert!(read(name) == read("whole"), "{ending}");
    }
    assert!(!folder.path().join("way.npz").exists());
}
