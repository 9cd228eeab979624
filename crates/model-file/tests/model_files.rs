//! Checks that model files say what they should: the same bits as built-in models, edges, particles, errors with places.
#![allow(clippy::unwrap_used)]

use glauber_engine::{EngineError, FieldData, Frame, LossValue, Options, Plan, Precision, Run};
use glauber_lattice::{Boundary, Lattice, Values, VonNeumann};
use glauber_likelihood::log_likelihood;
use glauber_model_file::{CovariateSource, Field, load, parse, template};
use glauber_models::{ModelOptions, named};
use glauber_program::estimators::GumbelSoftmax;
use glauber_program::{Interval, Model, Pick, Update};

fn model(text: &str) -> Model {
    parse(text, "test.toml".as_ref(), &ModelOptions::none()).unwrap_or_else(|e| panic!("{e}")).model
}

fn mistake(text: &str) -> String {
    match parse(text, "test.toml".as_ref(), &ModelOptions::none()) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

fn run_frames(
    model: &Model,
    theta: &[f64],
    start: Option<Vec<FieldData>>,
    steps: usize,
    replicates: usize,
) -> Vec<Frame> {
    let plan = Plan::new(model, &[], None, Options::default()).unwrap();
    let mut run = Run::new(theta, steps).replicates(replicates);
    if let Some(layers) = start {
        run = run.start(layers);
    }
    plan.simulate(&run).unwrap().last
}

fn example(name: &str) -> String {
    format!("{}/../../examples/models/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// The file's step has the instructions of the built-in one and gives the same bits, gradients included.
#[test]
fn susceptible_infected_as_a_file_is_the_built_in_model() {
    let file = load(&example("susceptible-infected"), &ModelOptions::none()).unwrap().model;
    let built_in = named("susceptible-infected", &ModelOptions::none()).unwrap();
    // The same instructions, if in another order: so the file runs as fast.
    let kinds = |m: &Model| {
        let instructions = m.step.instructions().iter();
        let mut kinds: Vec<String> =
            instructions.map(|i| format!("{:?} {:?}", std::mem::discriminant(&i.op), i.domain)).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(kinds(&file), kinds(&built_in));
    for theta in [0.05, 0.3, 0.95] {
        let (a, b) = (run_frames(&file, &[theta], None, 30, 3), run_frames(&built_in, &[theta], None, 30, 3));
        assert_eq!(a, b);
        assert!(a[0][0].iter().sum::<f64>() > 2.0);
        assert_eq!(gradient_bits(&file, theta), gradient_bits(&built_in, theta));
    }
}

fn gradient_bits(model: &Model, theta: f64) -> [u64; 3] {
    let theta = [theta];
    let count = model.observe(|s| s.output("aware", s.layer("aware").sum())).unwrap();
    let estimator = GumbelSoftmax { temperature: 0.7 };
    let plan = Plan::new(model, &[count.into()], Some(&estimator), Options::default()).unwrap();
    let run = Run::new(&theta, 10).replicates(3).observe(10, 0);
    let gradient = plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] }).unwrap();
    let log = log_likelihood(&model.step).unwrap();
    let plan =
        Plan::new(model, &[log.into()], None, Options { precision: Precision::Double, ..Options::default() });
    let state =
        |last: usize| vec![FieldData::shared((0..4096).map(|i| u8::from(i % last == 0)).collect::<Vec<_>>())];
    let mut run = Run::new(&theta, 0).start(state(30)).observe(0, 0);
    run.targets = Some(state(15));
    let likelihood = plan.unwrap().simulate(&run).unwrap().outputs.values[0];
    [gradient.value.to_bits(), gradient.parameters[0].to_bits(), likelihood.to_bits()]
}

#[test]
fn every_example_and_the_template_run() {
    let folder = example("");
    let folder = std::path::Path::new(&folder).parent().unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            let loaded =
                load(path.to_str().unwrap(), &ModelOptions::none()).unwrap_or_else(|e| panic!("{e}"));
            runs_from_its_defaults(loaded);
            count += 1;
        }
    }
    assert!(count >= 4);
    runs_from_its_defaults(
        parse(&template("new \"one\""), "x.toml".as_ref(), &ModelOptions::none()).unwrap(),
    );
}

fn runs_from_its_defaults(loaded: glauber_model_file::Loaded) {
    let theta: Vec<f64> = loaded.model.declarations().parameters.iter().map(|p| p.default.unwrap()).collect();
    let plan = Plan::new(&loaded.model, &[], None, Options::default()).unwrap();
    let mut run = Run::new(&theta, 20);
    for (name, numbers) in loaded.fields(&[], |_| Err("no files here".into())).unwrap() {
        run = run.with_field(&name, FieldData::shared(numbers));
    }
    let last = plan.simulate(&run).unwrap().last;
    let start = plan.simulate(&Run { steps: 0, ..run }).unwrap().last;
    assert_ne!(last, start, "{} does nothing in 20 steps", loaded.model.name());
}

/// Each mistake is named with its line, its column (marked with `@` here), and what to do.
#[test]
fn mistakes_have_a_place_and_a_remedy() {
    let states = "states = [\"calm\", \"angry\"]\n[parameters]\nbeta = [0, 1]\n";
    let rules = format!("{states}[transitions]\n");
    let particles = "[layers]\nn = 9\n[reactions]\n";
    for (before, text, advice) in [
        (rules.as_str(), "'calm -> angry' = '1 - @bta'", "did you mean `beta`"),
        (&rules, "'calm -> angry' = 'count(@agry)'", "did you mean `angry`"),
        (&rules, "'calm -> @agry' = 0.1", "did you mean `angry`"),
        (&rules, "@'calm angry' = 0.1", "arrow"),
        (&rules, "'calm -> angry' = '@cuont(angry)'", "did you mean `count`"),
        (&rules, "'calm -> angry' = 'beta + @angry'", "is(angry)"),
        (&rules, "'calm -> angry' = '@(beta'", "never closed"),
        (&rules, "'calm -> angry' = @true", "number or an expression"),
        (&rules, "@'calm -> calm' = 0.1", "needs no transition"),
        (&rules, "'calm->angry' = 0.1\n@'calm -> angry' = 0.1", "stated already"),
        (&rules, "'calm -> angry' = '@uniform()'", "only [start] may"),
        (&rules, "'calm -> angry' = 'count(angry, @mooore)'", "did you mean `moore`"),
        (&rules, "'calm -> angry' = '@count(angry, moore, 3)'", "is written count(state)"),
        (&rules, "'calm -> angry' = '@z'", "no coordinate"),
        (states, "[@transition]\n'calm -> angry' = 0.1", "did you mean `transitions`"),
        (states, "[lattice]\n@shap = [4]", "did you mean `shape`"),
        (states, "[lattice]\nshape = [4, @0]", "from 1 to"),
        (states, "[lattice]\nboundary = @'periodc'", "did you mean `periodic`"),
        (states, "gamma = @[1, 0]", "empty"),
        (states, "gamma = { interval = [0, 1], default = @2 }", "outside the interval"),
        (states, "gamma = { interval = [0, 1], @defualt = 1 }", "did you mean `default`"),
        (states, "@exp = [0, 1]", "has a meaning"),
        (states, "@calm = [0, 1]", "names a state already"),
        (states, "[start]\nangry = '@count(calm)'", "none yet in [start]"),
        (states, "[start]\n@agry = 0.1", "did you mean `angry`"),
        (states, "[definitions]\na = '@b'\nb = '1'\n[transitions]\n'calm -> angry' = 'a'", "move it up"),
        (states, "[neighbourhoods]\nfar = [[0, 1], @[0, 1]]", "listed already"),
        (states, "[neighbourhoods]\nfar = [@[1]]", "one number per axis"),
        ("", "states = @['one']", "2 to 64 states"),
        ("", "@[transitions]\n'a -> b' = 1", "neither states nor layers"),
        ("", "states = ['a', 'b'@\n", "not valid TOML"),
        (particles, "'n -> @2 m' = 1", "no layer called `m`"),
        (particles, "@'n -> n' = 1", "changes nothing"),
        (particles, "'n -> 2 n' = { @rat = 1 }", "rate"),
    ] {
        let marked = format!("{before}{}", text.replace('\'', "\""));
        let at = marked.find('@').unwrap();
        let (line, column) =
            (marked[..at].matches('\n').count() + 1, at - marked[..at].rfind('\n').map_or(0, |i| i + 1) + 1);
        let found = mistake(&marked.replace('@', ""));
        let place = format!("test.toml, line {line}, column {column}: ");
        assert!(found.starts_with(&place), "{found}\nwanted {place}");
        assert!(found.contains(advice), "{found}\nwanted {advice}");
    }
}

#[test]
fn a_multi_line_expression_has_its_own_lines() {
    let text = "states = [\"a\", \"b\"]\n[transitions]\n\"a -> b\" = \"\"\"\n0.1\n + nothing * 2\"\"\"\n";
    assert!(mistake(text).starts_with("test.toml, line 5, column 4: "), "{}", mistake(text));
}

/// Probabilities that exceed 1 together are found at run time, and named.
#[test]
fn transitions_that_exceed_one_are_named_when_they_run() {
    let text = r#"
        states = ["a", "b", "c"]
        [lattice]
        shape = [8, 8]
        [parameters]
        p = [0.0, 1.0]
        [transitions]
        "a -> b" = "p"
        "a -> c" = "p"
        "b -> a" = "2 * p"
    "#;
    let model = model(text);
    let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
    let state = |k: u8| vec![FieldData::shared(vec![k; 64])];
    let fails = |k, p: f64| plan.simulate(&Run::new(&[p], 3).start(state(k))).map(|_| ());
    assert_eq!(fails(0, 0.5), Ok(()));
    let shown = fails(0, 0.7).unwrap_err().to_string();
    assert!(shown.contains("probability of `leaving a (all its transitions together)` is 1.4,"), "{shown}");
    let shown = fails(1, 0.6).unwrap_err().to_string();
    assert!(shown.contains("probability of `b -> a` is 1.2,"), "{shown}");
    // A state that no site is in is not complained of.
    assert_eq!(fails(2, 0.9), Ok(()));
    assert!(matches!(fails(1, 0.9), Err(EngineError::NotProbability { step: 1, .. })));
}

/// Counts and sums across every kind of edge, against a plain loop over all sites and neighbours.
#[test]
fn edges_are_what_the_file_says() {
    let (rows, columns) = (5usize, 7usize);
    let picture: Vec<u8> = (0..rows * columns).map(|i| (i * i + i / 3) as u8 % 3).collect();
    for (boundary, outside) in [("periodic", 0), ("reflecting", 0), ("fixed", 0), ("fixed", 1), ("fixed", 2)]
    {
        let name = ["a", "b", "c"][outside];
        let beyond_edges =
            if boundary == "fixed" { format!("outside = \"{name}\"\n") } else { String::new() };
        for (state, own) in [("a", 0), ("b", 1), ("c", 2)] {
            // A site becomes b with certainty exactly where the count is 3 or more.
            let text = format!(
                "states = [\"a\", \"b\", \"c\"]\n[lattice]\nshape = [{rows}, {columns}]\nboundary = \"{boundary}\"\n\
                 {beyond_edges}[definitions]\nmany = \"count({state}) >= 3\"\n[transitions]\n\
                 \"a -> b\" = \"many\"\n\"b -> a\" = \"not many\"\n\"c -> b\" = \"many\"\n\"c -> a\" = \"not many\""
            );
            let start = vec![FieldData::shared(picture.clone())];
            let last = run_frames(&model(&text), &[], Some(start), 1, 1);
            for y in 0..rows as i64 {
                for x in 0..columns as i64 {
                    let mut count = 0;
                    for (dy, dx) in (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dy, dx))) {
                        if (dy, dx) != (0, 0) {
                            count += usize::from(
                                beyond(&picture, rows, columns, y + dy, x + dx, boundary, outside) == own,
                            );
                        }
                    }
                    let found = last[0][0][(y as usize) * columns + x as usize];
                    let wanted = if count >= 3 { 1.0 } else { 0.0 };
                    assert!((found - wanted).abs() < 0.5, "{boundary} {name} {state} at {y}, {x}: {count}");
                }
            }
        }
    }
}

fn beyond(
    picture: &[u8],
    rows: usize,
    columns: usize,
    y: i64,
    x: i64,
    boundary: &str,
    outside: usize,
) -> usize {
    let along = |x: i64, n: usize| match boundary {
        "periodic" => Some(x.rem_euclid(n as i64) as usize),
        "reflecting" => Some(x.clamp(0, n as i64 - 1) as usize),
        _ => (0..n as i64).contains(&x).then_some(x as usize),
    };
    match (along(y, rows), along(x, columns)) {
        (Some(y), Some(x)) => usize::from(picture[y * columns + x]),
        _ => outside,
    }
}

/// Particles hop without getting lost on closed lattices, get lost at fixed edges, and their mean follows the
/// random walk's.
#[test]
fn hops_keep_the_number_of_particles() {
    for (shape, boundary, p) in [
        ("[6, 5]", "periodic", 0.3),
        ("[6, 5]", "reflecting", 1.0),
        ("[4, 3, 5]", "reflecting", 0.7),
        ("[9]", "periodic", 1.0),
    ] {
        let text = format!(
            "[lattice]\nshape = {shape}\nboundary = \"{boundary}\"\n[layers]\nn = 200\n[start]\nn = \"poisson(6)\"\n[hops]\nn = {p}"
        );
        let model = model(&text);
        let before = run_frames(&model, &[], None, 0, 20);
        let after = run_frames(&model, &[], None, 40, 20);
        for (a, b) in before.iter().zip(&after) {
            let total = |f: &Frame| f[0].iter().sum::<f64>();
            assert!((total(a) - total(b)).abs() < 1e-9 && total(a) > 0.0, "{shape} {boundary}");
            assert_ne!(a, b);
        }
    }
    let text =
        "[lattice]\nshape = [9]\nboundary = \"fixed\"\n[layers]\nn = 200\n[start]\nn = 20\n[hops]\nn = 0.5";
    let last = run_frames(&model(text), &[], None, 2000, 1);
    assert!(
        last[0][0].iter().all(|n| n.abs() < 0.5),
        "all particles leave over fixed edges: {:?}",
        last[0][0]
    );
}

/// One step of 10,000 particles from one site: multinomial over the neighbours, weights as stated. Each of five counts
/// is within 4.4 standard deviations (false alarm below 1e-4 altogether).
#[test]
fn hops_follow_weights() {
    let text = r#"
        [lattice]
        shape = [11, 11]
        [neighbourhoods]
        drift = { offsets = [[0, 1], [0, -1], [1, 0], [-1, 0]], weights = [4, 2, 1, 1] }
        [layers]
        n = 16000
        [start]
        n = "10000 * centre"
        [hops]
        n = { probability = 0.8, neighbourhood = "drift" }
    "#;
    let last = &run_frames(&model(text), &[], None, 1, 1)[0][0];
    let at = |y: usize, x: usize| last[y * 11 + x];
    for (found, p) in
        [(at(5, 5), 0.2_f64), (at(5, 6), 0.4), (at(5, 4), 0.2), (at(6, 5), 0.1), (at(4, 5), 0.1)]
    {
        let (mean, deviation) = (10_000.0 * p, (10_000.0 * p * (1.0 - p)).sqrt());
        assert!((found - mean).abs() < 4.4 * deviation, "{found} for {mean}");
    }
}

/// Mass action by combinations: from (4, 3) the mean changes of one step are the propensities. Tolerance 4.4 standard
/// errors over 40,000 sites.
#[test]
fn reactions_are_mass_action() {
    let text = r#"
        [lattice]
        shape = [200, 200]
        [layers]
        A = 9
        B = 9
        [start]
        A = 4
        B = 3
        [reactions]
        "2 A + B -> 3 A" = 0.01      # 6 pairs x 3: 0.18
        "A -> 0" = 0.05              # 4: 0.2
        "0 -> 2 B" = 0.1             # 0.1
        "B -> 10 B" = 0.5            # does not fit: never
    "#;
    let frames = run_frames(&model(text), &[], None, 1, 1);
    let mean = |layer: usize| frames[0][layer].iter().sum::<f64>() / 40_000.0;
    let error = |second: f64, first: f64| 4.4 * ((second - first * first) / 40_000.0).sqrt();
    assert!((mean(0) - (4.0 + 0.18 - 0.2)).abs() < error(0.38, -0.02), "{}", mean(0));
    assert!((mean(1) - (3.0 - 0.18 + 0.2)).abs() < error(0.18 + 0.4, 0.02), "{}", mean(1));
}

#[test]
fn options_change_shape_boundary_and_constants_and_nothing_else() {
    let text =
        "states = [\"a\", \"b\"]\n[constants]\nq = 0\n[start]\nb = \"q\"\n[transitions]\n\"a -> b\" = 0";
    let options = ModelOptions::none().with("shape", vec![3.0, 4.0]).with("boundary", "fixed").with("q", 1.0);
    let loaded = parse(text, "t.toml".as_ref(), &options).unwrap();
    assert_eq!(loaded.model.declarations().lattice.to_string(), "3 × 4, fixed at 0");
    assert_eq!(run_frames(&loaded.model, &[], None, 0, 1)[0][0], vec![1.0; 12]);
    let wrong = parse(text, "t.toml".as_ref(), &ModelOptions::none().with("shap", vec![3.0])).unwrap_err();
    assert!(wrong.to_string().contains("did you mean `shape`"), "{wrong}");
}

#[test]
fn covariates_come_from_files_numbers_or_the_caller_and_fit_the_lattice() {
    let text = "states = [\"a\", \"b\"]\n[lattice]\nshape = [2, 3]\n[covariates]\nwet = 0.5\nfuel = \"maps/fuel.npy\"\n\
                [transitions]\n\"a -> b\" = \"clamp(wet * fuel, 0, 1)\"";
    let loaded = parse(text, "models/fire.toml".as_ref(), &ModelOptions::none()).unwrap();
    assert_eq!(loaded.covariates[1].source, CovariateSource::File("models/maps/fuel.npy".into()));
    let field = |shape: &[usize], value: f64| Field {
        shape: shape.to_vec(),
        numbers: vec![value; shape.iter().product()],
    };
    let read = loaded.fields(&[], |_| Ok(field(&[2, 3], 2.0))).unwrap();
    assert_eq!(read, [("wet".to_string(), vec![0.5; 6]), ("fuel".to_string(), vec![2.0; 6])]);
    let given = [("fuel".to_string(), field(&[2, 3], 1.0))];
    assert!(loaded.fields(&given, |_| Err("unread".into())).is_ok());
    for (bad, advice) in [(field(&[3, 2], 1.0), "shape [3, 2]"), (field(&[2, 3], f64::NAN), "NaN")] {
        let error = loaded.fields(&[], |_| Ok(bad.clone())).unwrap_err().to_string();
        assert!(error.contains(advice) && error.contains("`fuel`"), "{error}");
    }
    let error = loaded.fields(&[], |_| Err("no such file".into())).unwrap_err().to_string();
    assert!(error.contains("maps/fuel.npy") && error.contains("no such file"), "{error}");
}

#[test]
fn starts_are_what_the_file_says() {
    let text = |start: &str| {
        format!(
            "states = [\"a\", \"b\", \"c\"]\n[lattice]\nshape = [3, 4]\n[transitions]\n\"a -> b\" = 0\n[start]\n{start}"
        )
    };
    let frame = |start: &str| run_frames(&model(&text(start)), &[], None, 0, 1)[0][0].clone();
    let mut wanted = vec![0.0; 12];
    wanted[6] = 2.0;
    assert_eq!(frame("c = \"centre\""), wanted);
    assert_eq!(frame("c = { at = [1, 2] }"), wanted);
    wanted[11] = 2.0;
    assert_eq!(frame("c = { at = [[1, 2], [2, 3]] }"), wanted);
    assert_eq!(
        frame("b = \"x >= 2 and y == 0\""),
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    );
    assert_eq!(frame("a = 0\nb = 0.0"), vec![2.0; 12]);
    assert!(mistake(&text("c = { at = [1, 4] }")).contains("from 0 to 3"));
    let shown = mistake(&text("a = 0.3\nb = 0.3\nc = 0.3"));
    assert!(
        shown.contains("the states at the start") && shown.contains("add up to 0.9, not to 1"),
        "{shown}"
    );
}

/// With certainty to learn, one step from the centre makes aware exactly the centre and its neighbours: in one, two and
/// three dimensions, every neighbourhood, every boundary, and one boundary per axis.
#[test]
fn neighbourhoods_in_every_dimension() {
    for (shape, neighbourhood, z) in [
        ("[9]", "moore", 2),
        ("[9]", "von-neumann", 2),
        ("[7, 8]", "moore", 8),
        ("[7, 8]", "von-neumann", 4),
        ("[7, 8]", "hexagonal", 6),
        ("[7, 8]", "far", 3),
        ("[5, 6, 7]", "moore", 26),
        ("[5, 6, 7]", "von-neumann", 6),
        ("[5, 6, 7]", "disc", 18),
    ] {
        let axes = shape.matches(',').count() + 1;
        let mixed = format!("[{}]", ["\"periodic\"", "\"fixed\"", "\"reflecting\""][..axes].join(", "));
        for boundary in ["\"periodic\"", "\"reflecting\"", "\"fixed\"", &mixed] {
            let own = match neighbourhood {
                "far" => "[neighbourhoods]\nfar = [[0, 3], [-2, 1], [1, -1]]\n",
                "disc" => "[neighbourhoods]\ndisc = { radius = 1.5 }\n",
                _ => "",
            };
            let text = format!(
                "states = [\"unaware\", \"aware\"]\nneighbourhood = \"{neighbourhood}\"\n[lattice]\nshape = {shape}\n\
                 boundary = {boundary}\n{own}[start]\naware = \"centre\"\n[transitions]\n\"unaware -> aware\" = \"count(aware) > 0\""
            );
            let last = &run_frames(&model(&text), &[], None, 1, 1)[0][0];
            let aware = last.iter().sum::<f64>();
            assert!((aware - f64::from(1 + z)).abs() < 1e-9, "{shape} {neighbourhood} {boundary}: {aware}");
        }
    }
}

#[test]
fn states_have_the_colours_that_the_file_says() {
    let text = |colours: &str| {
        format!(
            "states = [\"tree\", \"burning\", \"burnt\"]\n[colours]\n{colours}\n[transitions]\n\
             \"tree -> burning\" = \"0.1\"\n"
        )
    };
    let colours = |own: &str| {
        let model = model(&text(own));
        let layer = model.declarations().layers[0].clone();
        [0, 1, 2].map(|state| layer.colour(state).map(|c| c.to_string()))
    };
    let own = colours("burning = \"#E0401A\"\nburnt = \"black\"");
    assert_eq!(own, [None, Some("#e0401a".into()), Some("#000000".into())]);
    assert_eq!(colours("tree = \"#0a0\""), [Some("#00aa00".into()), None, None]);
    for (own, words) in [
        ("burning = \"redd\"", &["line 3", "redd", "`red`", "#rrggbb"][..]),
        ("burning = 7", &["line 3", "colour", "not the number 7"]),
        ("burned = \"red\"", &["line 3", "burned", "`burnt`"]),
        ("burning = \"#12345g\"", &["line 3", "#12345g"]),
    ] {
        let message = mistake(&text(own));
        for word in words {
            assert!(message.contains(word), "{own}: no «{word}» in {message}");
        }
    }
    let message = mistake("[layers]\nprey = 4\n[colours]\nprey = \"red\"\n");
    assert!(message.contains("scale") && message.contains("line 4"), "{message}");
    // A key that is spelt otherwise is not passed over.
    let message = mistake("states = [\"a\", \"b\"]\n[colors]\na = \"red\"\n");
    assert!(message.contains("colors") && message.contains("colours"), "{message}");
}

/// What would mean something else than it says is refused where it is said.
#[test]
fn neighbourhoods_and_edges_that_mean_nothing_are_refused() {
    let rule = |lattice: &str, more: &str, count: &str| {
        format!(
            "states = [\"a\", \"b\"]\n{more}[lattice]\n{lattice}\n[transitions]\n\"a -> b\" = \"{count} > 0\"\n"
        )
    };
    let cases = [
        (rule("shape = [9]", "neighbourhood = \"hexagonal\"\n", "count(b)"), "two dimensions"),
        (rule("shape = [4, 4, 4]", "", "count(b, hexagonal)"), "two dimensions"),
        (
            rule("shape = [9]", "neighbourhoods = { six = \"hexagonal\" }\n", "count(b, six)"),
            "two dimensions",
        ),
        (rule("shape = [9]\noutside = \"b\"", "", "count(b)"), "this lattice has none"),
        (rule("shape = [9, 9]\nboundary = \"reflecting\"\noutside = \"b\"", "", "count(b)"), "has none"),
        (rule("shape = [9]", "neighbourhoods = { moore = [[1]] }\n", "count(b)"), "already"),
        (rule("shape = [9]", "neighbourhoods = { von_neumann = [[1]] }\n", "count(b)"), "already"),
        (rule("shape = [1, 9]", "", "count(b)"), "shape [9]"),
        (rule("shape = [9, 1]\nboundary = \"reflecting\"", "", "count(b)"), "is the site itself"),
        (rule("shape = [5]", "neighbourhoods = { far = [[5]] }\n", "count(b, far)"), "is the site itself"),
        (
            rule("shape = [5]", "neighbourhoods = { far = { radius = 6 } }\n", "count(b, far)"),
            "is the site itself",
        ),
    ];
    for (text, words) in cases {
        let found = mistake(&text);
        assert!(found.contains(words), "{found}\n{text}");
    }
    let mut torus = ModelOptions::none();
    torus.set("boundary", glauber_models::OptionValue::Text("periodic".into()));
    let fixed = rule("shape = [9]\nboundary = \"fixed\"\noutside = \"b\"", "", "count(b)");
    assert!(parse(&fixed, "t.toml".as_ref(), &torus).is_ok(), "an option may close a file's edges");
    let ladder = model(&rule("shape = [2, 9]", "", "count(b)"));
    assert!(
        ladder.notes().len() == 1 && ladder.notes()[0].contains("[-1, -1] and [1, -1]"),
        "{:?}",
        ladder.notes()
    );
    assert!(model(&rule("shape = [3, 9]", "", "count(b)")).notes().is_empty());
    assert!(
        model(&rule("shape = [1, 9]\nboundary = \"fixed\"\noutside = \"a\"", "", "count(b)"))
            .notes()
            .is_empty()
    );
}

/// A comparison whose answer is always no is a slip.
#[test]
fn numbers_that_a_layer_never_has_are_refused() {
    let rule = |test: &str| {
        format!(
            "[layers]\nprey = 20\n[reactions]\n\"prey -> 0\" = {{ probability = \"if({test}, 0.5, 0)\" }}\n"
        )
    };
    for test in ["prey == 21", "prey != 30", "2.5 == prey", "time == 1.5", "x == -1"] {
        let found = mistake(&rule(test));
        assert!(found.contains("is never"), "{test}: {found}");
    }
    for test in ["prey == 20", "prey == 0", "prey < 50", "x == 3", "pi == 3"] {
        model(&rule(test));
    }
}

/// The same of anything else that is asked, and of conditions that are none.
#[test]
fn questions_that_are_none_are_refused() {
    let rule = |chance: &str| {
        format!(
            "states = [\"s\", \"i\"]\n[lattice]\nshape = [8, 8]\n[parameters]\np = [0.0, 1.0]\n[transitions]\n\
             \"s -> i\" = \"p * count(i) / 8\"\n\"i -> s\" = \"{chance}\"\n"
        )
    };
    for test in [
        "count(s) == 2.5",
        "count(s) == -1",
        "p == 2",
        "density(s) == 2",
        "is(s) == 2",
        "time == 0",
        "2 == p",
    ] {
        let found = mistake(&rule(&format!("p * ({test})")));
        assert!(found.contains("is never"), "{test}: {found}");
    }
    let none = [
        "p and 0.5",
        "not p",
        "if(p, .1, .9)",
        "p or is(s)",
        "is(s) and count(s)",
        "if(time, .1, .9)",
        "not .5",
    ];
    for chance in none {
        let found = mistake(&rule(chance));
        assert!(found.contains("asks for a condition") && found.contains("line 8"), "{chance}: {found}");
    }
    let some = [
        "p * (is(s) and count(s) > 1)",
        "if(is(s) or 1, p, 0)",
        "p * not (x == 3)",
        "p * (p == 0.5)",
        "p * (count(s) == 2)",
    ];
    some.iter().for_each(|chance| drop(model(&rule(chance))));
}

/// What stands beyond fixed edges is said where the file does not say it, and where an option leaves none of them.
#[test]
fn what_stands_beyond_edges_is_said() {
    let text = |lattice: &str| {
        format!(
            "states = [\"still\", \"moving\"]\n[lattice]\nshape = [8, 8]\n{lattice}\n[parameters]\np = [0.0, 1.0]\n\
             [transitions]\n\"still -> moving\" = \"p * count(moving) / 8\"\n"
        )
    };
    let of = |lattice: &str, options: ModelOptions| {
        let model = parse(&text(lattice), "t.toml".as_ref(), &options).unwrap().model;
        (model.notes().join("; "), model.declarations().outside.clone())
    };
    let (none, fixed) = (ModelOptions::none, |edge: &str| ModelOptions::none().with("boundary", edge));
    let (notes, outside) = of("boundary = \"fixed\"", none());
    assert!(notes.contains("no `lattice.outside`") && notes.contains("`still`"), "{notes}");
    assert_eq!(outside.as_deref(), Some("`still`"));
    assert!(of("", fixed("fixed")).0.contains("no `lattice.outside`"));
    let with = "boundary = \"fixed\"\noutside = \"moving\"";
    assert_eq!(of(with, none()), (String::new(), Some("`moving`".into())));
    let (notes, outside) = of(with, fixed("periodic"));
    assert!(notes.contains("`outside` is without effect") && outside.is_none(), "{notes}");
    assert_eq!(of("", none()), (String::new(), None));
}

/// A comparison whose number the value never reaches has one answer, and is refused with its place.
#[test]
fn questions_with_one_answer_are_refused() {
    let refused = |condition: &str| {
        let text = format!(
            "states = [\"a\", \"b\"]\n[parameters]\np = [0.0, 1.0]\n[transitions]\n\"a -> b\" = \"if({condition}, p, 0)\"\n"
        );
        parse(&text, "t.toml".as_ref(), &ModelOptions::none()).map(|_| ()).map_err(|e| e.to_string())
    };
    for condition in ["count(b) > 200", "200 < count(b)", "count(b) <= -1", "p >= 1.5", "-2 >= count(b)"] {
        let message = refused(condition).unwrap_err();
        assert!(message.contains("one answer") && message.contains("line 5"), "{condition}: {message}");
    }
    for condition in
        ["count(b) > 8", "count(b) >= -1", "count(b) < 0", "p <= 1.5", "count(b) > 2 * p", "count(b) < 50"]
    {
        assert_eq!(refused(condition), Ok(()), "{condition}");
    }
    for bounds in ["clamp(p, 0.5, 0.1) > 0", "clamp(p, 2, -1) > 0"] {
        let message = refused(bounds).unwrap_err();
        assert!(message.contains("swap the two"), "{bounds}: {message}");
    }
    assert_eq!(refused("clamp(p, 0.1, 0.5) > 0.2"), Ok(()));
}

/// What holds nowhere, though the number lies at the end of what is asked, is no slip that is refused; it is said.
#[test]
fn questions_that_hold_nowhere_are_among_the_notes() {
    let notes = |condition: &str| {
        let text = format!(
            "states = [\"a\", \"b\"]\n[lattice]\nshape = [8, 8]\n[parameters]\np = [0.0, 1.0]\n[transitions]\n\"a -> b\" = \"if({condition}, p, 0)\"\n"
        );
        parse(&text, "t.toml".as_ref(), &ModelOptions::none()).unwrap().model.notes()
    };
    for condition in ["count(b) > 8", "count(b) < 0", "p > 1", "x < 0", "time < 1", "0 > count(b)"] {
        let own = notes(condition);
        assert!(own.len() == 1 && own[0].contains("holds nowhere"), "{condition}: {own:?}");
    }
    for condition in ["count(b) > 7", "count(b) >= 0", "p < 1", "x > 0", "time < 2", "count(b) > 2 * p"] {
        assert_eq!(notes(condition), [""; 0], "{condition}");
    }
}

/// Files of rules for one site after another give the bits of the same rules traced in Rust.
#[test]
fn rules_for_one_site_after_another_are_those_traced_in_rust() {
    let line = Lattice::line(32).fixed(0.0);
    let tasep = Model::build("tasep", line)
        .layer("occupied", Values::categories(&["free", "particle"]))
        .parameter("entry", Interval::unit())
        .parameter("exit", Interval::unit())
        .update(Update::sequential(Pick::AnySite))
        .step(|s| {
            let (here, right) = (s.layer("occupied"), s.neighbour_towards(s.number(0.0), &[[0, 0, 1]]));
            let free = 1.0 - here;
            let enters = free * s.coordinate(0).equals(0.0).select(s.parameter("entry"), 0.0);
            let exits = here * right.exists().select(0.0, s.parameter("exit"));
            let hops = here * (right.exists() * free.at(right));
            let event = s.categorical(&[
                enters.into(),
                exits.into(),
                hops.into(),
                (1.0 - (enters + exits + hops)).into(),
            ]);
            let left = event.is(2).select(0.0, event.is(1).select(0.0, event.is(0).select(1.0, here)));
            s.next("occupied").set(left);
            s.next("occupied").set_at(right, event.is(2).select(1.0, here.at(right)));
        });
    let kawasaki = Model::build("kawasaki", Lattice::square(64))
        .layer("up", Values::categories(&["down", "upward"]))
        .parameter("beta", Interval::new(0.0, 2.0))
        .update(Update::sequential(Pick::AnySite))
        .step(|s| {
            let (up, there) = (s.layer("up"), s.neighbour(VonNeumann));
            let spin = up * 2.0 - 1.0;
            let (around, other) = (spin.neighbours(VonNeumann).sum(), spin.at(there));
            let cost = (spin * (around - other) + other * (around.at(there) - spin)) * 2.0;
            let accepted = (-s.parameter("beta") * cost).sigmoid();
            let unlike = up * (1.0 - up).at(there);
            let fore = unlike * accepted;
            let back = (1.0 - up) * up.at(there) * accepted;
            let event = s.categorical(&[fore.into(), back.into(), (1.0 - (fore + back)).into()]);
            s.next("up").set(event.is(1).select(1.0, event.is(0).select(0.0, up)));
            s.next("up").set_at(there, event.is(1).select(0.0, event.is(0).select(1.0, up.at(there))));
        });
    let contact = Model::build("contact", Lattice::square(64))
        .layer("state", Values::categories(&["free", "occupied"]))
        .parameter("lambda", Interval::new(0.0, 10.0))
        .update(Update::ContinuousTime)
        .step(|s| {
            let here = s.layer("state");
            let birth = (1.0 - here) * (s.parameter("lambda") * here.neighbours(VonNeumann).mean());
            let event = s.rates(&[here.into(), birth.into()]);
            s.next("state").set(event.is(1).select(1.0, event.is(0).select(0.0, here)));
        });
    let agents = Update::sequential(Pick::Among { layer: "cell".into(), state: 1 });
    let walls = Lattice::new(&[48, 96]).unwrap().along(1, Boundary::Reflecting);
    let scratch = Model::build("scratch", walls)
        .layer("cell", Values::categories(&["gap", "agent"]))
        .parameter("motility", Interval::unit())
        .parameter("division", Interval::unit())
        .update(agents)
        .step(|s| {
            let (cell, there) = (s.layer("cell"), s.neighbour(VonNeumann));
            let free = (1.0 - cell).at(there) * cell;
            let divides = free * s.parameter("division");
            let moves = free * (s.parameter("motility") * (1.0 - s.parameter("division")));
            let event = s.categorical(&[divides.into(), moves.into(), (1.0 - (divides + moves)).into()]);
            s.next("cell").set(event.is(1).select(0.0, event.is(0).select(1.0, cell)));
            s.next("cell").set_at(there, event.is(1).select(1.0, event.is(0).select(1.0, cell.at(there))));
        });
    for (name, traced, theta) in [
        ("tasep", tasep, vec![0.3, 0.8]),
        ("kawasaki", kawasaki, vec![0.6]),
        ("contact-process", contact, vec![1.9]),
        ("scratch-assay", scratch, vec![0.9, 0.1]),
    ] {
        let (file, traced) = (load(&example(name), &ModelOptions::none()).unwrap().model, traced.unwrap());
        let sites = file.declarations().lattice.sites();
        let start =
            || Some(vec![FieldData::shared((0..sites).map(|i| u8::from(i % 3 == 0)).collect::<Vec<_>>())]);
        let (a, b) = (run_frames(&file, &theta, start(), 10, 3), run_frames(&traced, &theta, start(), 10, 3));
        assert_eq!(a, b, "{name}");
        assert_ne!(a, run_frames(&file, &theta, start(), 0, 3), "{name} does nothing");
    }
}

/// Particles that react and move with the picked site are none too many and none too few, in any order and at any edge.
#[test]
fn particles_move_to_the_picked_site() {
    for (update, there) in [
        ("scheme = 'random-sequential'", "there = 'von-neumann'"),
        ("scheme = 'random-sequential'\norder = 'permutation'", "there = 'anywhere'"),
        ("scheme = 'sublattices'", "there = 'von-neumann'"),
        ("scheme = 'continuous-time'\nmost = 2", "there = 'von-neumann'"),
        ("scheme = 'continuous-time'", "there = 'anywhere'"),
    ] {
        for boundary in ["periodic", "reflecting", "fixed"] {
            let text = format!(
                "[lattice]\nshape = [6, 6]\nboundary = '{boundary}'\n[layers]\nA = 9\nB = 9\n[start]\nA = 'binomial(8, 0.3)'\n\
                 B = 'binomial(8, 0.3)'\n[update]\n{update}\n{there}\n[reactions]\n'A, 0 -> 0, A' = 0.02\n'B, 0 -> 0, B' = 0.02\n\
                 '2 A, B -> 2 B, A' = 0.001\n'A -> B' = 0.01\n'B -> A' = 0.01"
            );
            if update.contains("sublattices") && boundary == "reflecting" {
                assert!(mistake(&text).contains("two sites would write to one"));
                continue;
            }
            let model = model(&text);
            let (before, after) = (run_frames(&model, &[], None, 0, 8), run_frames(&model, &[], None, 30, 8));
            for (a, b) in before.iter().zip(&after) {
                let total = |f: &Frame| f.iter().flatten().sum::<f64>();
                assert!(
                    (total(a) - total(b)).abs() < 1e-9,
                    "{update} {there} {boundary}: {} {}",
                    total(a),
                    total(b)
                );
                assert_ne!(a, b, "{update} {there} {boundary}");
            }
        }
    }
}

/// A particle alone does not meet itself: neither drawn from anywhere, nor mirrored at an edge.
#[test]
fn a_site_is_not_its_own_partner() {
    for (there, boundary) in [("anywhere", "periodic"), ("von-neumann", "reflecting")] {
        let text = format!(
            "states = ['none', 'a']\n[lattice]\nshape = [2, 2]\nboundary = '{boundary}'\n[start]\na = {{ at = [0, 0] }}\n[update]\n\
             scheme = 'random-sequential'\nthere = '{there}'\n[transitions]\n'a, a -> none, none' = 1.0"
        );
        let last = run_frames(&model(&text), &[], None, 50, 20);
        assert!(last.iter().all(|f| (f[0].iter().sum::<f64>() - 1.0).abs() < 1e-9), "{there}");
        // Its own changes are not undone by what the picked site would become.
        let text = format!("{text}\n'a -> none' = 1.0")
            .replace("'a, a -> none, none' = 1.0", "'a, none -> a, a' = 0.0");
        let last = run_frames(&model(&text), &[], None, 50, 20);
        assert!(last.iter().all(|f| f[0].iter().all(|x| x.abs() < 1e-9)), "{there}: {last:?}");
    }
}

/// Mean occupancy of particles that hop at rate d to a neighbour, in continuous time on a ring: that of the exact master
/// equation, exp(t d Δ/2). Limits of 4.4 standard errors at each of six sites (false alarm below 1e-4).
#[test]
fn hops_in_continuous_time_are_exact() {
    let text = "[lattice]\nshape = [6]\n[layers]\nn = 60\n[start]\nn = '10 * (x == 2)'\n[update]\nscheme = 'continuous-time'\n\
                there = 'von-neumann'\n[reactions]\n'n, 0 -> 0, n' = 0.5";
    let runs = 20_000;
    let last = run_frames(&model(text), &[], None, 2, runs);
    let mut mean = [0.0, 0.0, 10.0, 0.0, 0.0, 0.0];
    let parts = 20_000;
    for _ in 0..parts {
        let before = mean;
        for (i, value) in mean.iter_mut().enumerate() {
            let around = before[(i + 1) % 6] + before[(i + 5) % 6] - 2.0 * before[i];
            *value += 2.0 / f64::from(parts) * 0.5 * around / 2.0;
        }
    }
    for (site, wanted) in mean.into_iter().enumerate() {
        let found = last.iter().map(|f| f[0][site]).sum::<f64>() / runs as f64;
        // Independent particles are binomial.
        let error = (wanted * (1.0 - wanted / 10.0) / runs as f64).sqrt();
        assert!((found - wanted).abs() < 4.4 * error, "site {site}: {found}, exactly {wanted}");
    }
}

#[test]
fn mistakes_of_updates_have_a_place_and_a_remedy() {
    let states = "states = ['calm', 'angry']\n[lattice]\nshape = [8, 8]\n";
    let picks = format!("{states}[update]\nscheme = 'random-sequential'\nthere = 'moore'\n");
    let layers = "[lattice]\nshape = [8, 8]\n[layers]\nn = 9\n[update]\nscheme = 'random-sequential'\n";
    for (before, text, advice) in [
        (states, "[update]\nscheme = @'sublatices'", "did you mean `sublattices`"),
        (states, "update = @7", "table [update]"),
        (states, "[update]\nscheme = 'random-sequential'\namong = @'angr'", "did you mean `angry`"),
        (states, "[update]\nscheme = 'sublattices'\namong = @'angry'", "leave them out"),
        (states, "[update]\nscheme = 'random-sequential'\nevents = @0", "from 1 to"),
        (
            states,
            "[update]\nscheme = 'random-sequential'\norder = @'permutaton'",
            "did you mean `permutation`",
        ),
        (
            states,
            "[update]\nscheme = 'random-sequential'\namong = 'calm'\norder = @'permutation'",
            "leave out one",
        ),
        (states, "[update]\nscheme = 'synchronous'\nthere = @'moore'", "could write to one"),
        (states, "[update]\nscheme = 'random-sequential'\nthere = @'more'", "did you mean `moore`"),
        (states, "[update]\nscheme = 'random-sequential'\nmost = @1", "leave it out"),
        (states, "[update]\n@there = 'moore'", ""),
        (&picks, "[transitions]\n@'calm, angry -> angry' = 1.0", "comma on both sides"),
        (&picks, "[transitions]\n'calm, @angy -> angry, calm' = 1.0", "did you mean `angry`"),
        (&picks, "[transitions]\n@'calm, angry -> calm, angry' = 1.0", "needs no transition"),
        (&picks, "[transitions]\n'calm -> angry' = '@at(is(calm), ther)'", "or `there`"),
        (&picks, "[transitions]\n'calm -> angry' = '@there'", "write at(x, there)"),
        (&picks, "[transitions]\n'calm -> angry' = '@at(1, there, 0)'", "no offsets"),
        (&picks, "[parameters]\n@there = [0, 1]", "has a meaning"),
        (states, "[transitions]\n@'calm, angry -> angry, calm' = 1.0", "no other site is picked"),
        (states, "[transitions]\n'calm -> angry' = '@exists(there)'", "no other site is picked"),
        (layers, "[hops]\n@n = 0.5", "as \"prey, 0 -> 0, prey\""),
        (layers, "among = { @m = 1 }\n[reactions]\n'n -> 0' = 0.1", "no layer called `m`"),
        (layers, "among = { n = @10 }\n[reactions]\n'n -> 0' = 0.1", "from 0 to 9"),
    ] {
        let marked = format!("{before}{text}").replace('\'', "\"");
        // Keys of the top level come first.
        let marked = match text.starts_with("update") {
            true => format!("{text}\n{before}").replace('\'', "\""),
            false => marked,
        };
        let at = marked.find('@').unwrap();
        let (line, column) =
            (marked[..at].matches('\n').count() + 1, at - marked[..at].rfind('\n').map_or(0, |i| i + 1) + 1);
        let found = mistake(&marked.replace('@', ""));
        if !advice.is_empty() {
            let place = format!("test.toml, line {line}, column {column}: ");
            assert!(found.starts_with(&place), "{found}\nwanted {place}");
            assert!(found.contains(advice), "{found}\nwanted {advice}");
        }
    }
    // What only the finished model shows.
    for (text, words) in [
        (format!("{picks}[transitions]\n'calm -> angry' = 'density(angry)'"), "sums over the whole lattice"),
        (format!("{picks}[transitions]\n'calm -> angry' = 'mean(at(is(calm), there))'"), "by way of another site"),
        (
            "update = 'continuous-time'\nstates = ['calm', 'angry']\n".to_string(),
            "states no rates",
        ),
        (
            "update = 'sublattices'\nstates = ['a', 'b']\n[lattice]\nshape = [37, 37]\n[transitions]\n'a -> b' = 'mean(is(b))'"
                .to_string(),
            "that will do are 38 × 36",
        ),
    ] {
        let found = mistake(&text.replace('\'', "\""));
        assert!(found.contains(words), "{found}\nwanted {words}");
    }
}

/// The option `update` stands in place of the file's, and says what it leaves without effect.
#[test]
fn the_option_update_replaces_that_of_the_file() {
    let with = |word: &str, text: &str| {
        parse(&text.replace('\'', "\""), "test.toml".as_ref(), &ModelOptions::none().with("update", word))
    };
    let text = "states = ['a', 'b']\n[lattice]\nshape = [8, 8]\n[transitions]\n'a -> b' = 'mean(is(b))'\n'b -> a' = 0.1\n";
    for word in ["synchronous", "sublattices", "random-sequential"] {
        assert_eq!(with(word, text).unwrap().model.update().name(), word);
    }
    assert!(
        with("continuous-time", text).unwrap_err().to_string().contains("states probabilities")
            || with("continuous-time", text).unwrap_err().to_string().contains("state probabilities")
    );
    assert!(with("randomly", text).unwrap_err().to_string().contains("one of synchronous"));
    let own = format!("{text}[update]\nscheme = 'random-sequential'\norder = 'permutation'\nevents = 3");
    let model = with("sublattices", &own).unwrap().model;
    assert!(
        model.notes().iter().any(|n| n.contains("without effect under sublattices")),
        "{:?}",
        model.notes()
    );
    // A rule for agents would be another one at all sites.
    let own = format!("{text}[update]\nscheme = 'random-sequential'\namong = 'a'\nevents = 3");
    let refused = with("sublattices", &own).unwrap_err().to_string();
    assert!(refused.contains("one for agents") && refused.contains("test.toml"), "{refused}");
    // Named states are asked for by their names.
    let numbered = own.replace("among = 'a'", "among = { state = 1 }");
    let refused = with("random-sequential", &numbered).unwrap_err().to_string();
    assert!(refused.contains("among = \"a\" or \"b\""), "{refused}");
    let model = with("random-sequential", &own).unwrap().model;
    let pick = Pick::Among { layer: "state".into(), state: 0 };
    assert_eq!(*model.update(), Update::RandomSequential { pick, events: Some(3) });
    // A likelihood is there under sublattices, also where the rule reads the picked site.
    let reads = format!("{text}[update]\nscheme = 'sublattices'\nthere = 'von-neumann'\n");
    let reads = reads.replace("'b -> a' = 0.1", "'b, a -> a, a' = 0.1");
    assert!(
        log_likelihood(
            &parse(&reads.replace('\'', "\""), "t.toml".as_ref(), &ModelOptions::none()).unwrap().model.step
        )
        .is_ok()
    );
}
