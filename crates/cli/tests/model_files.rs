//! Tries model files on the command line: wherever a name is taken, a path is; covariates; `glauber new`.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use glauber::data::Overwrite;
use glauber::data::arrays::{Array, ReadLimits, read_arrays, write_npy};
use glauber::data::images::write_grey_png;
use serde_json::Value;

fn glauber(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_glauber")).args(arguments).current_dir(folder).output().unwrap()
}

/// The JSON of a command that must succeed.
fn done(folder: &Path, arguments: &[&str]) -> Value {
    let output = glauber(folder, &[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

/// Runs a command that must fail with exit code 2 and every one of these words in its message.
fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = glauber(folder, arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments:?}: no «{word}» in «{message}»");
    }
}

const FIRE: &str = r#"
states = ["tree", "burning", "burnt"]
[lattice]
shape = [6, 8]
[parameters]
spread = { interval = [0.0, 5.0], default = 0.4 }
fuel_effect = { interval = [-3.0, 3.0], default = 1.0 }
[covariates]
fuel = "maps/fuel.npy"
[start]
burning = 0.2
[transitions]
"tree -> burning" = "1 - exp(-spread * exp(fuel_effect * fuel) * count(burning))"
"burning -> burnt" = 0.5
"#;

/// A folder with a model file in `models/` and its map in `models/maps/`.
fn with_fire() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let maps = folder.path().join("models/maps");
    std::fs::create_dir_all(&maps).unwrap();
    std::fs::write(folder.path().join("models/fire.toml"), FIRE).unwrap();
    let fuel: Vec<f64> = (0..48).map(|i| f64::from(i % 8) / 4.0 - 1.0).collect();
    write_npy(maps.join("fuel.npy"), &Array::new(vec![6, 8], fuel).unwrap(), Overwrite::Refuse).unwrap();
    folder
}

#[test]
fn a_new_model_file_runs_everywhere_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    assert_eq!(done(here, &["new", "measles"])["out"], "measles.toml");
    let text = std::fs::read_to_string(here.join("measles.toml")).unwrap();
    refused(here, &["new", "measles"], &["measles.toml", "already there"]);
    refused(here, &["new", "measles.toml"], &["measles.toml", "already there"]);
    refused(here, &["new", "no/such/measles"], &["no/such"]);
    refused(here, &["simulate", "measles", "--out", "x.npz"], &["measles.toml"]);
    assert_eq!(std::fs::read_to_string(here.join("measles.toml")).unwrap(), text);
    assert_eq!(done(here, &["show", "measles.toml"])["likelihood"], true);
    for out in ["film.gif", "last.png"] {
        done(here, &["simulate", "measles.toml", "--steps", "5", "--out", out]);
    }
    // A lattice of 64 × 64 is shown with 512 × 512 pixels; below stands the key, in the file's own colours.
    let (png, gif) =
        (std::fs::read(here.join("last.png")).unwrap(), std::fs::read(here.join("film.gif")).unwrap());
    let tall = |bytes: [u8; 2]| u16::from_le_bytes(bytes) > 512;
    assert!(tall([png[23], png[22]]) && tall([gif[8], gif[9]]));
    for bytes in [&png, &gif] {
        let has = |colour: [u8; 3]| bytes.windows(3).any(|own| own == colour);
        assert!(has([0xc8, 0x28, 0x1e]) && has([0x5b, 0x8f, 0xc7]));
    }
    let checked = done(
        here,
        &["check", "measles.toml", "--option", "shape=[5,5]", "--steps", "1", "--replicates", "100"],
    );
    assert_eq!(checked["estimators"]["straight-through"]["verdict"], "agrees", "{checked}");
    let fit = "model = \"measles.toml\"\ntask = \"transition\"\n[model-options]\nshape = [16, 16]\n\
               [data.simulate]\nparameters = { infection = 0.2, recovery = 0.3 }\nruns = 10\nsteps = 10\n\
               [loss]\nname = \"likelihood\"\n[optimizer]\nname = \"rprop\"\nlearning-rate = 0.1\nsteps = 100\n";
    std::fs::write(here.join("fit.toml"), fit).unwrap();
    let found = done(here, &["fit", "fit.toml", "--out", "run", "--quiet"]);
    for (name, truth) in [("infection", 0.2), ("recovery", 0.3)] {
        let own = &found["parameters"][name];
        let (estimate, error) = (own["estimate"].as_f64().unwrap(), own["standard_error"].as_f64().unwrap());
        // Five standard errors: one false alarm in 1.7 million seeds.
        assert!((estimate - truth).abs() < 5.0 * error, "{name}: {estimate} ± {error}");
    }
}

/// The states of a file's model and of the catalogue's are the same, bit for bit.
#[test]
fn a_file_simulates_what_the_built_in_model_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("{}/../../examples/models/susceptible-infected.toml", env!("CARGO_MANIFEST_DIR"));
    for (model, out) in [(file.as_str(), "file.npz"), ("susceptible-infected", "built-in.npz")] {
        done(folder.path(), &["simulate", model, "--steps", "30", "--replicates", "3", "--out", out]);
    }
    // The file's states have names, which its archive holds besides.
    let read = |name: &str| {
        let arrays = read_arrays(folder.path().join(name), ReadLimits::default()).unwrap();
        arrays.into_iter().filter(|(name, _)| name != "names of states").collect::<Vec<_>>()
    };
    assert!(read("file.npz") == read("built-in.npz"));
}

#[test]
fn covariates_come_from_arrays_images_and_numbers() {
    let folder = with_fire();
    let here = folder.path();
    let simulate = |out: &str, more: &[&str]| {
        let own = ["simulate", "models/fire.toml", "--steps", "4", "--replicates", "20", "--out", out];
        done(here, &[&own, more].concat());
        read_arrays(here.join(out), ReadLimits::default()).unwrap()
    };
    let grey: Vec<u8> = (0..48).map(|i| (i * 5) as u8).collect();
    write_grey_png(here.join("fuel.png"), 6, 8, &grey, Overwrite::Refuse).unwrap();
    let (own, flat) = (simulate("own.npz", &[]), simulate("flat.npz", &["--covariate", "fuel=-1"]));
    let image = simulate("image.npz", &["--covariate", "fuel=fuel.png"]);
    assert!(own != flat && own != image && flat != image);
    done(here, &["check", "models/fire.toml", "--steps", "1", "--replicates", "5"]);
    let shown = done(here, &["show", "models/fire.toml"]);
    assert_eq!(shown["covariates"][0], "fuel");
    let wrong = |covariate: &str, words: &[&str]| {
        refused(here, &["simulate", "models/fire.toml", "--covariate", covariate, "--out", "x.npz"], words);
    };
    wrong("feul=1", &["feul", "did you mean `fuel`"]);
    wrong("fuel=none.npy", &["none.npy", "no such file"]);
    wrong("fuel=models/fire.toml", &["fire.toml"]);
    wrong("fuel=nan", &["fuel", "NaN", "finite"]);
    write_grey_png(here.join("small.png"), 2, 2, &[0; 4], Overwrite::Refuse).unwrap();
    wrong("fuel=small.png", &["[2, 2]", "[6, 8]"]);
    // The catalogue's fire burns on maps too, or on flat ground.
    let catalogue = ["simulate", "forest-fire", "--option", "shape=[6,8]", "--steps", "3", "--out"];
    done(here, &[&catalogue[..], &["flat-fire.npz"]].concat());
    done(here, &[&catalogue[..], &["map-fire.npz", "--covariate", "elevation=fuel.png"]].concat());
}

/// A pickled object in the place of a covariate is refused, not run.
#[test]
fn pickled_covariates_are_refused() {
    let folder = with_fire();
    let header = "{'descr': '|O', 'fortran_order': False, 'shape': (6, 8), }";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let padded = format!("{header:<117}\n");
    bytes.extend((padded.len() as u16).to_le_bytes());
    bytes.extend(padded.as_bytes());
    bytes.extend(b"\x80\x04cos\nsystem\n(S'echo run'\ntR.");
    std::fs::write(folder.path().join("evil.npy"), bytes).unwrap();
    let own = ["simulate", "models/fire.toml", "--covariate", "fuel=evil.npy", "--out", "x.npz"];
    refused(folder.path(), &own, &["evil.npy", "object"]);
}

/// A fit with covariates of the model file, and with others of the fit file; paths in a fit file start from its folder,
/// those of an override from the working folder.
#[test]
fn fit_files_name_model_files_and_covariates() {
    let folder = with_fire();
    let here = folder.path();
    let fit = |model: &str| {
        format!(
            "model = \"{model}\"\ntask = \"transition\"\n[data.simulate]\n\
             parameters = {{ spread = 0.3, fuel_effect = 0.8 }}\nruns = 60\nsteps = 6\n[loss]\nname = \"likelihood\"\n\
             [optimizer]\nname = \"rprop\"\nlearning-rate = 0.1\nsteps = 200\n"
        )
    };
    std::fs::create_dir(here.join("fits")).unwrap();
    let write = |name: &str, text: String| std::fs::write(here.join("fits").join(name), text).unwrap();
    write("beside.toml", fit("../models/fire.toml"));
    write("absent.toml", fit("models/water.toml"));
    let recovered = |file: &str, out: &str, more: &[&str]| {
        let found = done(here, &[&["fit", file, "--out", out, "--quiet"], more].concat());
        for (name, truth) in [("spread", 0.3), ("fuel_effect", 0.8)] {
            let own = &found["parameters"][name];
            let (estimate, error) =
                (own["estimate"].as_f64().unwrap(), own["standard_error"].as_f64().unwrap());
            assert!((estimate - truth).abs() < 5.0 * error, "{file}, {name}: {estimate} ± {error}");
        }
        found["loss"].as_f64().unwrap().to_bits()
    };
    let beside = recovered("fits/beside.toml", "a", &[]);
    assert_eq!(beside, recovered("fits/absent.toml", "b", &["--set", "model=models/fire.toml"]));
    // What was run is written out, with absolute paths, and gives the same again from anywhere.
    assert_eq!(beside, recovered("a/fit.toml", "c", &[]));
    let grey: Vec<u8> = (0..48).map(|i| (i * 5) as u8).collect();
    write_grey_png(here.join("fuel.png"), 6, 8, &grey, Overwrite::Refuse).unwrap();
    assert_ne!(beside, recovered("fits/beside.toml", "d", &["--set", "data.covariates.fuel=\"fuel.png\""]));
    refused(here, &["fit", "fits/absent.toml", "--out", "x"], &["line 1", "fits/models/water.toml"]);
    std::fs::copy(here.join("models/fire.toml"), here.join("models/water.toml")).unwrap();
    refused(
        here,
        &["fit", "fits/absent.toml", "--out", "x"],
        &["fits/models/water.toml", "working folder", "--set model=models/water.toml"],
    );
    let set = ["fit", "fits/beside.toml", "--out", "x", "--set"];
    refused(here, &[&set[..], &["data.covariates.feul=1"]].concat(), &["did you mean `fuel`"]);
    refused(here, &[&set[..], &["data.covariates.fuel=true"]].concat(), &["data.covariates.fuel", "number"]);
    std::fs::write(here.join("models/fire.toml"), FIRE.replace("count(burning)", "cuont(burning)")).unwrap();
    refused(
        here,
        &["fit", "fits/beside.toml", "--out", "x"],
        &["fire.toml, line 13", "did you mean `count`"],
    );
    assert!(!here.join("x/result.json").exists());
}

/// The shipped example: six parameters of a fire on two maps, from five burns, within 3 standard errors at its seed (a
/// false alarm of 0.3 % per parameter at another).
#[test]
fn a_fire_on_maps_is_found_from_five_burns() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("{}/../../examples/forest-fire.toml", env!("CARGO_MANIFEST_DIR"));
    let found = done(folder.path(), &["fit", &file, "--out", "run", "--quiet"]);
    for name in ["spread", "fuel_effect", "slope_effect", "wind_y", "wind_x", "burnout"] {
        let own = &found["parameters"][name];
        let (estimate, error) = (own["estimate"].as_f64().unwrap(), own["standard_error"].as_f64().unwrap());
        let truth = found["truth"][name].as_f64().unwrap();
        assert!(
            error > 0.0 && (estimate - truth).abs() <= 3.0 * error,
            "{name}: {estimate} ± {error} for {truth}"
        );
    }
}

/// Commands say when sites are updated where that is not all at once, and refuse what has no way back.
#[test]
fn commands_say_the_update() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let example = |name: &str| format!("{}/../../examples/models/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let (scratch, contact) = (example("scratch-assay"), example("contact-process"));
    let shown = done(here, &["show", &scratch]);
    assert_eq!(shown["update"], "random-sequential");
    let said = shown["application"].as_object().unwrap();
    assert!(said["update"].as_str().unwrap().contains("drawn among those where cell is agent"), "{said:?}");
    assert_eq!(
        said["footprint"],
        "reads the site itself and 4 others, up to 1 site away; writes the site itself and 4 others"
    );
    let text = String::from_utf8_lossy(&glauber(here, &["show", &contact]).stdout).into_owned();
    assert!(text.contains("update     continuous-time: one unit of time"), "{text}");
    // 4096 sites, of which each dies at rate 1 or is born at 1.9 at most.
    assert!(text.contains("events     in a step 7782.4 on average"), "{text}");
    refused(
        here,
        &["show", &contact, "--adjoint"],
        &["update = \"continuous-time\" has no gradient", "nelder-mead"],
    );
    let checked = done(here, &["check", &contact, "--steps", "1", "--replicates", "2"]);
    assert!(checked["notes"].to_string().contains("has no gradient"), "{checked}");
    let names: Vec<&String> = checked["estimators"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["differences"]);
    for (out, word) in [("a.npz", "random-sequential"), ("a.gif", "random-sequential")] {
        let ran = done(here, &["simulate", &scratch, "--steps", "2", "--out", out]);
        assert_eq!(ran["update"], word);
        let notes = ran["notes"].to_string();
        assert!(notes.contains("update random-sequential: a step is as many events"), "{notes}");
    }
    let plain =
        done(here, &["simulate", "voter", "--option", "shape=[8,8]", "--steps", "2", "--out", "v.npz"]);
    assert_eq!(plain["update"], "synchronous");
    assert!(!plain["notes"].to_string().contains("a step is"), "{plain}");
    // Where no agent is left what was run is written, and the command has failed.
    for (file, shape, steps) in [("a", "0.5", 1..40), ("none", "0", 0..1)] {
        let text = format!(
            "states = {{ layer = \"q\", names = [\"e\", \"a\"] }}\n[lattice]\nshape = [8, 8]\n[start]\na = {shape}\n[update]\n\
             scheme = \"random-sequential\"\namong = \"a\"\n[transitions]\n\"a -> e\" = 0.5\n"
        );
        std::fs::write(here.join("die.toml"), text).unwrap();
        let out = format!("die-{file}.npz");
        let ended = glauber(here, &["simulate", "die.toml", "--steps", "50", "--out", &out, "--json"]);
        assert_eq!(ended.status.code(), Some(1));
        let said: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert!(said["error"].as_str().unwrap().contains("no site is left where q is a"), "{said}");
        assert!(steps.contains(&said["steps"].as_u64().unwrap()), "{said}");
        assert!(here.join(out).exists());
        assert!(String::from_utf8_lossy(&ended.stderr).contains("no site is left"));
    }
    refused(
        here,
        &["simulate", "die.toml", "--option", "update=sublattices", "--steps", "5", "--out", "no.npz"],
        &["one for agents", "die.toml"],
    );
    refused(
        here,
        &["show", "schelling", "--option", "update=sublattices"],
        &[".with_update(", "Model::updated"],
    );
    let file = "states = [\"a\", \"b\"]\n[lattice]\nshape = [8, 8]\n[parameters]\np = { interval = [0, 1], default = 0.4 }\n\
                [start]\nb = 0.5\n[transitions]\n\"a -> b\" = \"p * mean(is(b), von-neumann)\"\n\"b -> a\" = 0.1\n";
    std::fs::write(here.join("m.toml"), file).unwrap();
    let shown = done(here, &["show", "m.toml", "--option", "update=sublattices"]);
    assert_eq!(
        (&shown["application"]["colours"], &shown["likelihood"]),
        (&Value::from("2"), &Value::from(true))
    );
    refused(
        here,
        &["show", "m.toml", "--option", "update=continuous-time"],
        &["m.toml", "state probabilities"],
    );
    refused(
        here,
        &["show", "m.toml", "--option", "update=sublattices", "--option", "shape=[37,37]"],
        &["that will do are 38 × 38"],
    );
    std::fs::write(
        here.join("fit.toml"),
        "model = \"m.toml\"\ntask = \"transition\"\n[model-options]\nupdate = \"sublattices\"\n[data]\nsimulate = { runs = 6, steps = 10, \
         parameters = { p = 0.4 } }\n[start]\np = 0.7\n[loss]\nname = \"likelihood\"\n[optimizer]\nname = \"rprop\"\nsteps = 40\n",
    )
    .unwrap();
    let found = done(here, &["fit", "fit.toml", "--quiet"]);
    assert_eq!(found["update"], "sublattices");
    assert!(
        found["notes"].to_string().contains("update sublattices: a step is colour after colour"),
        "{found}"
    );
    refused(
        here,
        &["fit", "fit.toml", "--quiet", "--set", "model-options.update=random-sequential"],
        &["no exact likelihood", "task = trajectory"],
    );
}
