//! Checks fit files: everything they can say, everything that can be wrong with them.
#![allow(clippy::unwrap_used)]

#[path = "../../optimize/tests/objectives/mod.rs"]
mod objectives;

use std::path::{Path, PathBuf};

use glauber_fit::fit_file::{
    ColumnName, DataSource, FitFile, FitFileError, MapChoice, MemorySize, ModelSource, OptionChoice, Place,
    PrecisionChoice, TABLES_OF_KEYS, Task, Value, Weights,
};
use glauber_optimize::clipping::Clip;
use glauber_optimize::maps::Map;
use glauber_optimize::method::Method;
use glauber_optimize::objective::{Interval, Unknown};
use glauber_optimize::schedule::Schedule;
use objectives::Draws;

const MINIMAL: &str = "model = \"susceptible-infected\"\ntask = \"transition\"\n";

const FULL: &str = r#"
model = "models/spread.toml"
task = "state"

[model-options]
shape = [64, 64]
capacity = 50
boundary = "periodic"
wind = 0.5
open = true

[data]
truth = "mask.png"
initial = "centre"
steps = 8
frames = { first = 2, last = 20, every = 3 }
layer = "aware"
threshold = 0.5
invert = true
plane = 3
columns = { id = "TRACK_ID", time = 8, x = "x", y = "y", z = 4 }
interval = 24.0
step-time = 24
site-length = 3.1622776601683795
length-unit = "µm"
time-unit = "s"
dimensions = 2
lags = 10
shortest-track = 4
bootstrap = 200

[data.simulate]
runs = 100
steps = 50
seed = 7
initial = "centre"
parameters = { beta = 0.3 }

[start]
beta = [0.01, 0.9]
gamma = 0.5

[fixed]
delta = 0.25

[loss]
name = "squared-error"
summary = "density"
weighted = true
weights = { bright = 0.6, edge = 0.05 }
at = [0, 5, 10]

[estimator]
name = "gumbel-rao"
temperature = 0.5
samples = 10
baseline = "mean"
surrogate = "sigmoid"
width = 2.0

[optimizer]
name = "sgd"
momentum = 0.9
learning-rate = 0.05
steps = 1e4
replicates = 1500
batch = 128
schedule = { name = "step", every = 1000, factor = 0.5 }
warm-up = 100
clip = { value = 2.5 }
map = { beta = "clamp" }
tolerance = 1e-8
patience = 20
plateau = { window = 100, improvement = 0.01, patience = 5 }
average = 0.25

[run]
seed = 3
threads = 2
memory = "512 MiB"
precision = "f64"
out = "results"
checkpoint-every = 500
trace-every = 10
formation-test = { every = 250, steps = 1000, rollouts = 4 }
"#;

fn parse(text: &str) -> Result<FitFile, FitFileError> {
    with(text, &[])
}

fn with(text: &str, overrides: &[&str]) -> Result<FitFile, FitFileError> {
    let overrides: Vec<String> = overrides.iter().map(|text| text.to_string()).collect();
    FitFile::parse(text, Path::new("/fits/a.toml"), &overrides, Path::new("/home"))
}

/// The line of the full example that begins so.
fn line_of(beginning: &str) -> usize {
    1 + FULL.lines().position(|line| line.starts_with(beginning)).unwrap()
}

fn say(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn every_key_is_read() {
    let file = parse(FULL).unwrap();
    assert_eq!(file.model, ModelSource::File(PathBuf::from("/fits/models/spread.toml")));
    assert_eq!(file.task, Task::State);
    let shape = OptionChoice::List(vec![OptionChoice::Whole(64), OptionChoice::Whole(64)]);
    assert_eq!(file.model_options["shape"], shape);
    assert_eq!(file.model_options["open"], OptionChoice::Flag(true));
    assert_eq!(file.model_options["wind"], OptionChoice::Number(0.5));
    let data = &file.data;
    let Some(DataSource::Simulate(simulation)) = &data.source else { panic!("{:?}", data.source) };
    assert_eq!((simulation.runs, simulation.steps, simulation.seed), (100, 50, 7));
    assert!((simulation.parameters["beta"] - 0.3).abs() < 1e-15);
    assert_eq!(data.truth, Some(PathBuf::from("/fits/mask.png")));
    assert_eq!((*data.frames.first, *data.frames.last, *data.frames.every), (Some(2), Some(20), Some(3)));
    assert_eq!(data.columns.id, Some(ColumnName::Name("TRACK_ID".into())));
    assert_eq!(data.columns.time, Some(ColumnName::Number(8)));
    assert_eq!((*data.steps, *data.lags, *data.dimensions), (Some(8), Some(10), Some(2)));
    assert!(*data.invert && data.step_time == Some(24.0));
    assert_eq!(file.starts().len(), 2);
    assert!(
        (file.starts()[1]["beta"] - 0.9).abs() < 1e-15 && (file.starts()[1]["gamma"] - 0.5).abs() < 1e-15
    );
    assert!(matches!(&*file.loss.weights, Some(Weights::Named(weights)) if weights.len() == 2));
    assert_eq!(file.loss.at, Some(vec![0, 5, 10]));
    assert_eq!(file.estimator.samples, Some(10));
    assert_eq!(file.optimizer.steps, 10_000);
    assert_eq!(file.optimizer.schedule, Schedule::Step { every: 1000, factor: 0.5 });
    assert_eq!(file.optimizer.clip, Some(Clip::Value(2.5)));
    assert!(matches!(&file.optimizer.map, Some(MapChoice::Named(maps)) if maps["beta"] == Map::Clamp));
    assert_eq!((file.run.seed, file.run.threads, file.run.precision), (3, 2, PrecisionChoice::F64));
    assert_eq!(file.run.memory, MemorySize(512 << 20));
    assert_eq!(file.run.out, Some(PathBuf::from("/fits/results")));
    assert_eq!(file.run.formation_test.map(|test| (test.every, test.rollouts)), Some((250, 4)));

    let unknowns = ["beta", "gamma"].map(|name| Unknown::scalar(name, Interval::unit()));
    let Method::Descent(descent) = file.method(&unknowns).unwrap() else { panic!() };
    assert_eq!((descent.stopping.steps, descent.trace_every, descent.seed), (10_000, 10, 3));
    assert_eq!(descent.stopping.tolerance.map(|rule| rule.patience), Some(20));
    assert_eq!(descent.maps.len(), 1);
    let error = file.method(&unknowns[1..]).unwrap_err().to_string();
    let wanted =
        format!("/fits/a.toml, line {}, column 9: there is no fitted parameter `beta`", line_of("map ="));
    assert!(error.starts_with(&wanted), "{error}");
}

#[test]
fn defaults_are_written_out() {
    let file = parse(MINIMAL).unwrap();
    assert_eq!(file.optimizer.choice.name, "adam");
    assert!(file.optimizer.learning_rate.is_some_and(|rate| (rate - 0.01).abs() < 1e-15));
    assert_eq!((file.optimizer.steps, file.run.seed, file.run.threads), (1000, 1, 0));
    assert_eq!(file.starts(), vec![std::collections::BTreeMap::new()]);
    let text = file.to_toml().unwrap();
    assert!(text.contains("memory = \"1 GiB\"") && text.contains("learning-rate = 0.01"), "{text}");
}

#[test]
fn what_is_written_reads_back_as_the_same_fit_from_anywhere() {
    let sources = [
        FULL.to_string(),
        MINIMAL.to_string(),
        format!(
            "{MINIMAL}[optimizer]\nschedule = \"cosine\"\nclip = 1\nmap = \"logit\"\nbeta2 = 0.99\n[loss]\nweights = [1, 2.5]\n"
        ),
        format!(
            "{MINIMAL}[data]\nstates = \"runs.npz\"\n[optimizer]\nschedule = {{ name = \"exponential\", half-life = 10 }}\n"
        ),
    ];
    for text in sources {
        let written = parse(&text).unwrap().to_toml().unwrap();
        let again = FitFile::parse(&written, Path::new("/elsewhere/b.toml"), &[], Path::new("/")).unwrap();
        assert_eq!(again.to_toml().unwrap(), written);
        // Nothing is lost on the way: the parsed values are the same, places apart.
        let debug = |file: &FitFile| {
            format!(
                "{:?}",
                (&file.model, &file.data, &file.start, &file.fixed, &file.loss, &file.optimizer, &file.run)
            )
        };
        assert_eq!(debug(&again), debug(&parse(&text).unwrap()));
    }
}

/// A file with one key in one table, without what would meet it.
fn with_key(table: &str, key: &str, value: &str) -> String {
    let steps = if table == "data.simulate" && key != "steps" { "steps = 1\n" } else { "" };
    format!("{MINIMAL}[{table}]\n{steps}{key} = {value}\n")
}

#[test]
fn each_key_refuses_the_wrong_type_at_its_place() {
    for (table, keys) in TABLES_OF_KEYS {
        for (key, _) in keys {
            let error = parse(&with_key(table, key, "[[[]]]")).unwrap_err();
            let message = error.to_string();
            let known = message.contains(&format!("`{table}.{key}`"));
            assert!(
                known
                    && (message.contains("must be")
                        || message.contains("memory")
                        || message.contains("not for the task")),
                "{table}.{key}: {message}"
            );
            assert!(matches!(error.place, Place::File { line: 4 | 5, .. }), "{table}.{key}: {message}");
        }
    }
}

#[test]
fn each_key_is_suggested_for_its_misspelling() {
    for (table, keys) in TABLES_OF_KEYS {
        for (key, _) in keys {
            let message = say(&with_key(table, &format!("{key}x"), "1"));
            assert!(message.ends_with(&format!("did you mean `{key}`?")), "{table}.{key}: {message}");
            assert!(message.starts_with("/fits/a.toml, line "), "{message}");
        }
    }
    assert!(say("modle = \"a\"\n").contains("a fit file has no key `modle`: did you mean `model`?"));
    assert!(say(&format!("{MINIMAL}[optimiser]\n")).contains("did you mean `optimizer`?"));
    assert!(
        say(&format!("{MINIMAL}[optimizer]\nlearning_rate = 1\n")).contains("did you mean `learning-rate`?")
    );
}

#[test]
fn wrong_values_are_named_with_what_is_right() {
    for (lines, wanted) in [
        ("[optimizer]\nsteps = 0", "`optimizer.steps` is 0, but must be a whole number of at least 1"),
        ("[optimizer]\nsteps = -5", "must be a whole number of at least 1"),
        ("[optimizer]\nsteps = 1.5", "`optimizer.steps` is 1.5, but must be a whole number"),
        ("[optimizer]\nsteps = \"many\"", "`optimizer.steps` is the text \"many\", but must be"),
        ("[optimizer]\nsteps = 99999999999999999999", "must be a whole number of at least"),
        ("[run]\nseed = 18446744073709551616", "must be a whole number from 0 to 18446744073709551615"),
        ("[start]\nbeta = .3", "write 0.3, not .3"),
        ("[data]\nstates = \"C:\\Users\\me\\runs.npz\"", "in single quotes"),
        (
            "[data]\nstates = \"D:\\temp\\new.npz\"",
            "`data.states` holds a tab (\\t); in double quotes a backslash",
        ),
        ("[optimizer]\nlearning-rate = 0", "`optimizer.learning-rate` is 0, but must be a number above 0"),
        ("[optimizer]\nlearning-rate = nan", "is NaN, but must be a number above 0"),
        ("[optimizer]\nlearning-rate = inf", "is inf, but must be a number above 0"),
        ("[optimizer]\nname = \"adan\"", "there is no optimizer `adan`: did you mean `adam`?"),
        ("[optimizer]\nname = \"sgd\"", "`sgd` needs `optimizer.learning-rate`"),
        (
            "[optimizer]\nmomentum = 0.9",
            "name \"adam\" has no key `momentum`: it is an option of `sgd` and `nesterov`",
        ),
        (
            "[optimizer]\nname = \"sgd\"\nlearning-rate = 1\nmomentum = 1",
            "must be a number at least 0 and below 1",
        ),
        ("[optimizer]\nschedule = \"cosin\"", "did you mean `cosine`?"),
        (
            "[optimizer]\nschedule = \"step\"",
            "needs `every` and `factor`: schedule = { name = \"step\", every",
        ),
        ("[optimizer]\nschedule = { every = 3 }", "`optimizer.schedule` needs `name`"),
        ("[optimizer]\nschedule = { name = \"step\", every = 3 }", "needs `factor`"),
        (
            "[optimizer]\nschedule = { name = \"cosine\", half-life = 3 }",
            "the schedule `cosine` has no key `half-life`",
        ),
        ("[optimizer]\nclip = { value = 1, norm = 1 }", "either `value` or `norm`"),
        ("[optimizer]\nclip = -1", "above 0"),
        ("[optimizer]\nmap = \"logt\"", "`optimizer.map` cannot be \"logt\": did you mean `logit`?"),
        ("[optimizer]\nmap = { beta = 3 }", "`optimizer.map.beta` is 3, but must be a text"),
        ("[optimizer]\naverage = 1.5", "in [0, 1]"),
        ("[optimizer]\nplateau = { }", "`optimizer.plateau` needs `window`"),
        ("[estimator]\ntemperature = 0.0", "`estimator.temperature` is 0.0, but must be a number above 0"),
        ("[run]\nmemory = \"much\"", "\"much\" is no amount of memory: write it like \"1 GiB\""),
        ("[run]\nmemory = true", "`run.memory`: \"true\" is no amount"),
        ("[run]\nprecision = \"f16\"", "`run.precision` cannot be \"f16\""),
        ("[run]\nseed = -1", "`run.seed` is -1, but must be a whole number from 0 to 18446744073709551615"),
        ("[run]\nout = \"\"", "`run.out` is the text \"\", but must be a text that is not empty"),
        ("[run]\nformation-test = { steps = 3 }", "needs `every`"),
        ("[start]\nbeta = \"high\"", "`start.beta` is the text \"high\", but must be a number"),
        ("[start]\nbeta = []", "`start.beta` is a list, but must be a number or a list of at least one"),
        ("[start]\nbeta = [1, nan]", "`start.beta` is NaN, but must be a number that is finite"),
        ("[start]\na = [1, 2]\nb = [1, 2, 3]", "`start.b` has 3 values and `start.a` has 2"),
        ("[start]\nbeta = 1\n[fixed]\nbeta = 1", "`beta` has a start and is fixed"),
        ("[fixed]\nbeta = [1]", "`fixed.beta` is a list, but must be a number"),
        (
            "[data]\ntracks = \"a.csv\"",
            "`data.tracks` is not for the task `transition`: give `data.states` or `data.simulate`",
        ),
        (
            "[data]\nstates = \"a\"\nsimulate = { steps = 1 }",
            "two kinds of data, `data.states` and `data.simulate`",
        ),
        ("[data]\nsimulate = { runs = 3 }", "`data.simulate` needs `steps`"),
        (
            "[data]\nsimulate = { steps = 3, parameters = { beta = \"x\" } }",
            "`data.simulate.parameters.beta` is the text",
        ),
        ("[data]\nframes = { first = 5, last = 2 }", "ends before it begins"),
        ("[data]\ndimensions = 4", "`data.dimensions` must be 2 or 3"),
        ("[data]\ncolumns = { id = 0 }", "`data.columns.id` is 0, but must be a whole number of at least 1"),
        ("[data]\ncolumns = { idd = 1 }", "[data.columns] has no key `idd`: did you mean `id`?"),
        ("[model-options]\nshape = { x = 1 }", "`model-options.shape` holds a table"),
        ("[loss]\nat = [1, -1]", "`loss.at` is -1, but must be a whole number"),
        ("data = 3", "`data` is 3, but must be a table"),
        ("[run]\nseed = 1\nseed = 2", "this is not TOML: duplicate key"),
        ("[run\nseed = 1", "this is not TOML: "),
    ] {
        let message = say(&format!("{MINIMAL}{lines}\n"));
        assert!(message.contains(wanted), "{lines}\n  says  {message}\n  not   {wanted}");
        assert!(message.starts_with("/fits/a.toml, line "), "{message}");
    }
    assert!(say("task = \"transition\"\n").contains("the key `model` is missing"));
    assert!(say("model = \"a\"\n").contains("the key `task` is missing: \"transition\""));
    assert!(
        say("model = \"a\"\ntask = \"transitio\"\n")
            .contains("`task` cannot be \"transitio\": did you mean `transition`?")
    );
    assert!(say("").contains("`model` is missing"));
}

#[test]
fn places_count_lines_and_characters() {
    let error = parse("# µµµ\r\nmodel = \"a\"\ntask = \"transition\"\n[run]\n  out = \"µ\"\n  sed = 1\n")
        .unwrap_err();
    assert_eq!(error.place, Place::File { line: 6, column: 3 });
    let error = parse("model = \"a\"\ntask = \"transition\"\nrun = { out = \"µµ\", sed = 1 }\n").unwrap_err();
    assert_eq!(error.place, Place::File { line: 3, column: 21 });
    let error = parse(&format!("{MINIMAL}[optimizer]\nlearnin-rate = 1\n")).unwrap_err();
    assert_eq!(error.place, Place::File { line: 4, column: 1 });
}

#[test]
fn overrides_replace_and_are_checked_like_the_file() {
    let set = |overrides: &[&str]| with(FULL, overrides).unwrap();
    assert_eq!(set(&["run.seed=9"]).run.seed, 9);
    assert_eq!(set(&["run.memory=2GiB"]).run.memory, MemorySize(2 << 30));
    assert_eq!(set(&["model=ising", "task=state"]).model, ModelSource::Catalogue("ising".into()));
    assert_eq!(set(&["start.beta=[0.1, 0.2, 0.3]"]).starts().len(), 3);
    assert_eq!(
        set(&["data.simulate.parameters.gamma=0.1"]).data.source.map(|source| match source {
            DataSource::Simulate(simulation) => simulation.parameters.len(),
            _ => 0,
        }),
        Some(2)
    );
    assert_eq!(set(&["loss.weights=[1,2]"]).loss.weights, Some(Weights::List(vec![1.0, 2.0])));
    assert_eq!(set(&["estimator={name=\"straight-through\"}"]).estimator.temperature, None);
    assert_eq!(
        with(MINIMAL, &["optimizer.plateau.window=5"]).unwrap().optimizer.plateau.map(|p| p.window),
        Some(5)
    );
    assert_eq!(
        set(&["run.out=2026-11-22"]).run.out,
        Some(PathBuf::from("/home/2026-11-22")),
        "a date is a text here"
    );
    // A text may hold `=`.
    assert_eq!(set(&["loss.name=a=b"]).loss.name.as_deref(), Some("a=b"));

    let twice = |overrides: &[&str]| with(FULL, overrides).unwrap_err().to_string();
    assert_eq!(
        twice(&["run.seed=9", "run.seed = 10"]),
        "--set run.seed = 10: `run.seed` is set twice: give one value"
    );
    let both =
        twice(&["optimizer.schedule={name=\"step\",every=1,factor=0.5}", "optimizer.schedule.every=3"]);
    assert!(both.contains("meets what is set for `optimizer.schedule`: give one"), "{both}");
    assert!(twice(&["data.simulate.runs=3", "data.simulate={steps=3}"]).contains("`data.simulate.runs`"));
    assert_eq!(set(&["run.seed=9", "run.threads=10"]).run.threads, 10);

    let fail = |text: &str| with(FULL, &[text]).unwrap_err().to_string();
    assert_eq!(
        fail("optimizer.step=3"),
        "--set optimizer.step=3: [optimizer] with name \"sgd\" has no key `step`: did you mean `steps`?"
    );
    assert_eq!(
        fail("run.seed=abc"),
        "--set run.seed=abc: `run.seed` is the text \"abc\", but must be a whole number from 0 to 18446744073709551615, from \
         2^63 on written as a text, \"…\""
    );
    assert!(fail("run.seed").contains("reads table.key=value"));
    assert!(fail("run.seed=").contains("the value is missing"));
    assert!(fail("=3").contains("is not a key"));
    assert!(fail("run..seed=3").contains("is not a key"));
    assert!(fail("a.b.c.d.e.f.g=3").contains("is not a key"));
    assert!(fail("rnu.seed=3").contains("a fit file has no `rnu`: did you mean `run`?"));
    assert!(fail("start.beta=[0.1,").contains("check its brackets"));
    assert!(fail("model.name=x").contains("`model` is the text"));
    assert!(
        fail("run.seed=1\nthreads=2").contains("`run.seed` is the text"),
        "no second key through a line break"
    );
}

#[test]
fn seeds_go_up_to_two_to_the_64() {
    for seed in ["18446744073709551615", "\"18446744073709551615\"", "0xffffffffffffffff"] {
        let file = with(FULL, &[&format!("run.seed={seed}")]).unwrap();
        assert_eq!(file.run.seed, u64::MAX);
        // TOML ends before: the seed is written as a text.
        let again = parse(&file.to_toml().unwrap()).unwrap();
        assert_eq!(again.run.seed, u64::MAX);
    }
    for seed in ["18446744073709551616", "-1", "1.5", "\"1.25\""] {
        let error = with(FULL, &[&format!("run.seed={seed}")]).unwrap_err().to_string();
        assert!(error.contains("whole number"), "{error}");
    }
}

#[test]
fn values_in_memory_replace_those_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fit.toml");
    std::fs::write(&path, FULL).unwrap();
    let set = |key: &str, value: Value| FitFile::load_with(&path, &[(key.to_string(), value)]);
    assert_eq!(set("run.seed", Value::Integer(9)).unwrap().run.seed, 9);
    let starts = Value::list([0.1, 0.2].map(Value::Float));
    assert_eq!(set("start.β😀", starts).unwrap().starts().len(), 2);
    let error = set("run.sed", Value::Integer(9)).unwrap_err().to_string();
    assert!(error.contains("did you mean `seed`"), "{error}");
    let error = set("rum.seed", Value::Integer(9)).unwrap_err().to_string();
    assert!(error.contains("did you mean `run`"), "{error}");
}

#[test]
fn a_source_in_an_override_takes_the_place_of_the_files_own() {
    let text = "model = \"walk\"\ntask = \"trajectory\"\n[data]\nmsd = \"curve.csv\"\n";
    let source = |overrides: &[&str]| with(text, overrides).unwrap().data.source.unwrap();
    assert_eq!(source(&[]), DataSource::Msd(PathBuf::from("/fits/curve.csv")));
    assert_eq!(source(&["data.tracks=cells.csv"]), DataSource::Tracks(PathBuf::from("/home/cells.csv")));
    assert_eq!(source(&["data.tracks=/abs/cells.csv"]), DataSource::Tracks(PathBuf::from("/abs/cells.csv")));
    assert!(with(text, &["data.tracks=a", "data.curve=b"]).is_err());
}

#[test]
fn a_search_is_chosen_like_an_optimizer() {
    let text =
        format!("{MINIMAL}[optimizer]\nname = \"cma-es\"\npopulation = 12\nsteps = 40\nmap = \"clamp\"\n");
    let file = parse(&text).unwrap();
    let unknowns = [Unknown::scalar("beta", Interval::unit())];
    let Method::Search(search) = file.method(&unknowns).unwrap() else { panic!() };
    assert_eq!((search.stopping.steps, search.search.options["population"] as u64), (40, 12));
    assert_eq!(search.maps["beta"], Map::Clamp);
    let written = file.to_toml().unwrap();
    assert_eq!(parse(&written).unwrap().to_toml().unwrap(), written);
    let message = say(&format!("{text}learning-rate = 0.1\n"));
    assert!(
        message.ends_with("name \"cma-es\" has no key `learning-rate`: it uses no gradients"),
        "{message}"
    );
    assert!(say(&format!("{MINIMAL}[optimizer]\nname = \"cmaes\"\n")).contains("did you mean `cma-es`?"));
    assert!(
        say(&format!("{MINIMAL}[optimizer]\nspread = 1\n"))
            .contains("an option of `cma-es` and `nelder-mead`")
    );
}

#[test]
fn missing_data_are_asked_for() {
    let error = parse(MINIMAL).unwrap().source().unwrap_err().to_string();
    assert!(
        error.ends_with("the task `transition` needs data: give `data.states` or `data.simulate`"),
        "{error}"
    );
    assert!(parse(FULL).unwrap().source().is_ok());
}

#[test]
fn names_only_a_model_knows_are_checked_with_places() {
    let file = parse(FULL).unwrap();
    let error = file.check_names("start", file.start.keys(), &["beta", "gama"], "parameter").unwrap_err();
    let line = line_of("gamma =");
    let wanted =
        format!("/fits/a.toml, line {line}, column 1: there is no parameter `gamma`: did you mean `gama`?");
    assert_eq!(error.to_string(), wanted);
    let place = |key: &str| file.wrong(key, "no").place;
    assert_eq!(place("estimator.name"), Place::File { line: line_of("name = \"gumbel-rao\""), column: 1 });
    // A key that is not there: the table it would be in.
    assert_eq!(place("run.nothing.here"), Place::File { line: line_of("[run]"), column: 2 });
    assert_eq!(parse(MINIMAL).unwrap().wrong("loss.name", "no").place, Place::Nowhere);
}

#[test]
fn files_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        FitFile::load(&path, &[]).unwrap_err().to_string()
    };
    assert!(load("binary.toml", b"\xff\xfe\x00").contains("is not UTF-8"));
    assert!(load("nul.toml", b"model = \"\0\"").contains("this is not TOML"));
    assert!(load("empty.toml", b"").contains("`model` is missing"));
    assert!(load("large.toml", &vec![b'#'; (1 << 20) + 1]).contains("larger than 1 MiB"));
    assert!(
        FitFile::load(&folder.path().join("none.toml"), &[])
            .unwrap_err()
            .to_string()
            .contains("there is no such file")
    );
    assert!(FitFile::load(folder.path(), &[]).unwrap_err().to_string().contains("is a folder"));
    std::fs::write(folder.path().join("good.toml"), FULL).unwrap();
    assert!(FitFile::load(&folder.path().join("good.toml"), &["run.seed=4".into()]).unwrap().run.seed == 4);
}

#[test]
fn hostile_files_are_refused_without_harm() {
    let deep = 100_000;
    for text in [
        format!("model = {}{}", "[".repeat(deep), "]".repeat(deep)),
        format!("model = {}1{}", "{a=".repeat(deep), "}".repeat(deep)),
        format!("{}x = 1", "a.".repeat(deep)),
        format!("[{}x]", "a.".repeat(deep)),
        format!("model = \"{}", "\\".repeat(deep)),
        "[[a]]\n".repeat(deep),
        "[".repeat(deep),
        "\n".repeat(deep) + "?",
    ] {
        assert!(parse(&text).is_err(), "{}", &text[..20]);
    }
    let deep_value = format!("start.beta={}1{}", "[".repeat(deep), "]".repeat(deep));
    assert!(with(MINIMAL, &[&deep_value]).is_err());
    let many: String = (0..50_000).map(|i| format!("k{i} = {i}\n")).collect();
    assert!(
        say(&format!("{MINIMAL}[start]\nbeta = [{}]\n", "1,".repeat(20_000)))
            .contains("at most 10000 starts")
    );
    assert_eq!(parse(&format!("{MINIMAL}[fixed]\n{many}")).unwrap().fixed.len(), 50_000);
}

#[test]
fn no_mutation_of_a_file_panics() {
    // Pinned seed; every case must come back, right or wrong, with a message that names the file.
    let mut draws = Draws::new(99, 0);
    let pieces = [
        "[", "]", "{", "}", "=", "\"", "'", "nan", "-1", "1e999", "0x", ".", ",", "\n", "[data]", "µ",
        "\u{0}", "simulate", "true",
    ];
    let mut wrong = 0;
    for _ in 0..3000 {
        let mut text: Vec<char> = FULL.chars().collect();
        for _ in 0..=draws.next() % 4 {
            let at = draws.next() as usize % text.len();
            match draws.next() % 3 {
                0 => drop(text.splice(at..(at + 1 + draws.next() as usize % 20).min(text.len()), [])),
                1 => drop(text.splice(at..at, pieces[draws.next() as usize % pieces.len()].chars())),
                _ => text.swap(at, 0),
            }
        }
        let text: String = text.into_iter().collect();
        match parse(&text) {
            Ok(file) => assert!(file.to_toml().is_ok()),
            Err(error) => {
                wrong += 1;
                assert!(error.to_string().starts_with("/fits/a.toml"), "{error}");
            }
        }
    }
    assert!(wrong > 1000, "{wrong}");
}
