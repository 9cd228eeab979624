//! Checks that model files say what they should: the same bits as built-in models, edges, particles, errors with places.
#![allow(clippy::unwrap_used)]

use glauber_engine::{EngineError, FieldData, Frame, LossValue, Options, Plan, Precision, Run};
use glauber_model_file::{CovariateSource, Field, load, parse, template};
use glauber_models::{ModelOptions, named};
use glauber_program::estimators::GumbelSoftmax;
use glauber_program::{Model, log_likelihood};

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
        ("burning = 7", &["line 3", "colour", "a number"]),
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
}
