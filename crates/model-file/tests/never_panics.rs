//! Checks that no text makes the reader of model files panic, hang, or take much memory: expressions and whole files
//! made of the language's pieces, valid files with pieces changed, cut out, doubled or nested, and the worst by hand.
//!
//! `GLAUBER_FUZZ=20` runs twenty times the cases, from another seed.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use glauber_engine::{FieldData, Options, Plan, Run};
use glauber_model_file::{parse, template};
use glauber_models::ModelOptions;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// A runner from a pinned seed.
fn runner(cases: u32) -> TestRunner {
    let times: u8 = std::env::var("GLAUBER_FUZZ").ok().and_then(|t| t.parse().ok()).unwrap_or(1);
    let cases = cases * u32::from(times);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[times; 32]))
}

/// The most memory this process has had, in KiB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default().to_string();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Reads a text; runs a step of what is a small model. Whether it was one.
fn read(text: &str) -> bool {
    let begin = Instant::now();
    let outcome = parse(text, "fuzz.toml".as_ref(), &ModelOptions::none());
    let spent = begin.elapsed();
    // The longest legal file takes about a second unoptimised; a hang or exponential growth would pass any limit.
    assert!(spent < Duration::from_secs(20), "{spent:?} for {}", &text[..text.len().min(2000)]);
    match outcome {
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.is_empty() && shown.len() < 5000, "{shown}");
            false
        }
        Ok(loaded) => {
            let declarations = loaded.model.declarations();
            let theta: Vec<f64> =
                declarations.parameters.iter().map(|p| p.default.unwrap_or(p.interval.lowest)).collect();
            if declarations.lattice.sites() <= 10_000 && theta.iter().all(|x| x.is_finite()) {
                // A run may fail in words, but not panic.
                if let Ok(plan) = Plan::new(&loaded.model, &[], None, Options::default()) {
                    let mut run = Run::new(&theta, 1);
                    for field in &declarations.fields {
                        run = run.with_field(
                            &field.name,
                            FieldData::shared(vec![0.5; declarations.lattice.sites()]),
                        );
                    }
                    let _ = plan.simulate(&run);
                }
            }
            true
        }
    }
}

const PIECES: [&str; 64] = [
    "a",
    "b",
    "beta",
    "n",
    "x",
    "y",
    "z",
    "centre",
    "time",
    "pi",
    "0",
    "1",
    "0.5",
    "1e308",
    "1e-320",
    "-",
    "+",
    "*",
    "/",
    "^",
    "(",
    ")",
    ",",
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "!=",
    "and",
    "or",
    "not",
    "if(",
    "count(a)",
    "count(b, moore)",
    "count(b, von-neumann)",
    "is(a)",
    "is(b)",
    "mean(is(b))",
    "sum(beta, hexagonal)",
    "at(is(a), 0, 1)",
    "at(n, 1, 1)",
    "exp(",
    "log(",
    "log1p(",
    "sqrt(",
    "min(",
    "max(",
    "clamp(",
    "floor(",
    "tanh(",
    "sigmoid(",
    "density(a)",
    "bernoulli(",
    "binomial(",
    "poisson(",
    "uniform()",
    "fuel",
    "früh",
    "\u{0}",
    "  ",
    "1..2",
    "@",
    "'",
];

fn expression() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 1..12).prop_map(|p| p.join(" "))
}

fn file_with(expression: &str) -> String {
    let quoted = expression.replace('\\', "\\\\").replace('"', "\\\"").replace('\u{0}', "\\u0000");
    format!(
        "states = [\"a\", \"b\"]\n[lattice]\nshape = [4, 5]\nboundary = \"fixed\"\n[layers]\nn = 5\n[parameters]\n\
         beta = [0.1, 1.0]\n[covariates]\nfuel = 0.5\n[start]\nb = 0.3\nn = 1\n[transitions]\n\
         \"a -> b\" = \"{quoted}\"\n[hops]\nn = \"{quoted}\"\n"
    )
}

#[test]
fn expressions_of_all_kinds() {
    let good = std::cell::Cell::new(0u32);
    let cases = 6000;
    runner(cases)
        .run(&expression(), |text| {
            good.set(good.get() + u32::from(read(&file_with(&text))));
            Ok(())
        })
        .unwrap();
    let good = good.get();
    assert!(good > 80, "{good} of {cases} expressions were read: the pieces no longer fit the language");
}

/// What rules that pick another site have besides.
const PICKED: [&str; 6] =
    ["at(is(a), there)", "at(n + beta, there)", "exists(there)", "there", "at(", "at(exists(there), there)"];

fn file_by_events(expression: &str, number: usize) -> String {
    let quoted = expression.replace('\\', "\\\\").replace('"', "\\\"").replace('\u{0}', "\\u0000");
    let update = [
        "scheme = \"random-sequential\"\nthere = \"von-neumann\"",
        "scheme = \"random-sequential\"\nthere = \"anywhere\"\norder = \"permutation\"",
        "scheme = \"random-sequential\"\nthere = \"hexagonal\"\namong = { n = 1 }",
        "scheme = \"sublattices\"\nthere = { neighbourhood = \"von-neumann\", towards = \"x\" }",
        "scheme = \"continuous-time\"\nthere = \"moore\"\nmost = 10",
    ][number % 5];
    let boundary = ["fixed", "reflecting", "periodic"][number / 5 % 3];
    format!(
        "states = [\"a\", \"b\"]\n[lattice]\nshape = [4, 6]\nboundary = \"{boundary}\"\n[layers]\nn = 5\n[parameters]\n\
         beta = [0.1, 1.0]\n[covariates]\nfuel = 0.5\n[start]\nb = 0.3\nn = 1\n[update]\n{update}\n[transitions]\n\
         \"a, b -> b, a\" = \"{quoted}\"\n\"a -> b\" = 0.1\n[reactions]\n\"n, 0 -> 0, n\" = \"{quoted}\"\n"
    )
}

#[test]
fn expressions_of_rules_for_one_site_after_another() {
    let good = std::cell::Cell::new(0u32);
    let pieces: Vec<&str> = PIECES.into_iter().chain(PICKED).collect();
    let expressions = prop::collection::vec(prop::sample::select(pieces), 1..8).prop_map(|p| p.join(" "));
    let cases = 4000;
    runner(cases)
        .run(&(expressions, 0..15usize), |(text, update)| {
            good.set(good.get() + u32::from(read(&file_by_events(&text, update))));
            Ok(())
        })
        .unwrap();
    let good = good.get();
    assert!(good > 80, "{good} of {cases} expressions were read: the pieces no longer fit the language");
}

fn corpus() -> Vec<String> {
    let folder = format!("{}/../../examples/models", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().filter(|p| p.extension().is_some_and(|e| e == "toml"));
    let mut texts: Vec<String> = texts.map(|p| std::fs::read_to_string(p).unwrap()).collect();
    texts.push(template("fuzz"));
    texts.iter().map(|t| t.replace("shape = [64, 64]", "shape = [6, 7]")).collect()
}

/// One change of a text: cut, double, insert a piece, swap, at character boundaries.
fn changed(text: &str, (kind, at, length, piece): (u8, prop::sample::Index, usize, &str)) -> String {
    let characters: Vec<char> = text.chars().collect();
    let from = at.index(characters.len().max(1));
    let to = (from + length).min(characters.len());
    let part = |range: std::ops::Range<usize>| characters[range].iter().collect::<String>();
    let (before, middle, after) = (part(0..from), part(from..to), part(to..characters.len()));
    match kind {
        0 => format!("{before}{after}"),
        1 => format!("{before}{middle}{middle}{after}"),
        2 => format!("{before}{piece}{middle}{after}"),
        3 => format!("{before}{piece}{after}"),
        _ => format!("{after}{middle}{before}"),
    }
}

const PATCHES: [&str; 24] = [
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\n",
    "=",
    "->",
    "-> ",
    "0",
    "-1",
    "1e999",
    "nan",
    "inf",
    "[[",
    "true",
    "1979-05-27",
    "[parameters]\n",
    "\"\"\"",
    "a.b.c = 1\n",
    "9223372036854775807",
    "\u{202e}",
    "((((((((",
    "# ",
];

#[test]
fn files_with_pieces_changed() {
    let texts = corpus();
    let change = (0u8..5, any::<prop::sample::Index>(), 1usize..40, prop::sample::select(PATCHES.to_vec()));
    let strategy = (0..texts.len(), prop::collection::vec(change, 1..4));
    let before = peak();
    let good = std::cell::Cell::new(0u32);
    runner(6000)
        .run(&strategy, |(which, changes)| {
            let text = changes.into_iter().fold(texts[which].clone(), |text, change| changed(&text, change));
            good.set(good.get() + u32::from(read(&text)));
            Ok(())
        })
        .unwrap();
    let good = good.get();
    assert!(good > 200, "only {good} changed files were still models");
    assert!(peak() - before < 400_000, "{} KiB more than before", peak() - before);
}

#[test]
fn bytes_without_sense() {
    let judge = |text: String| {
        read(&text);
        Ok(())
    };
    runner(4000).run(&any::<String>(), judge).unwrap();
}

/// Deep, long and exponential texts are refused, or read, in bounded time and memory.
#[test]
fn the_worst_by_hand() {
    let before = peak();
    let deep = |open: &str, inside: &str, close: &str, n: usize| {
        file_with(&format!("{}{inside}{}", open.repeat(n), close.repeat(n)))
    };
    for n in [10, 60, 70, 300, 20_000] {
        for (open, inside, close) in [
            ("(", "beta", ")"),
            ("-", "beta", ""),
            ("not ", "beta", ""),
            ("2 ^ ", "beta", ""),
            ("1 + ", "beta", ""),
            ("if(beta, 1, ", "0", ")"),
            ("exp(", "beta", ")"),
            ("sum(", "is(b)", ")"),
            ("mean(0.1 * ", "is(b)", ", hexagonal)"),
            ("at(", "is(b)", ", 1, -1)"),
            ("min(beta, ", "1", ")"),
        ] {
            read(&deep(open, inside, close, n));
        }
        read(&format!("states = {}{}", "[".repeat(n), "]".repeat(n)));
        read(&format!("{} = 1", ["a"].repeat(n).join(".")));
        read(&format!("a = {}1{}", "{b=".repeat(n), "}".repeat(n)));
        read(&format!("states = [\"{}\", \"b\"]", "a".repeat(n)));
        let many = |each: &dyn Fn(usize) -> String| (0..n).map(each).collect::<Vec<_>>();
        read(&format!("states = [{}]", many(&|i| format!("\"s{i}\"")).join(", ")));
        read(&format!(
            "states = [\"a\", \"b\"]\n[parameters]\n{}",
            many(&|i| format!("p{i} = [0, 1]\n")).concat()
        ));
        let doubling = many(&|i| format!("d{} = \"d{i} * d{i} + d{i}\"\n", i + 1)).concat();
        read(&format!(
            "states = [\"a\", \"b\"]\n[definitions]\nd0 = \"0.1 * count(b)\"\n{doubling}[transitions]\n\"a -> b\" = \"d{n}\""
        ));
        let sums = many(&|i| format!("d{} = \"sum(d{i}) + sum(d{i}, hexagonal)\"\n", i + 1)).concat();
        read(&format!(
            "states = [\"a\", \"b\"]\n[lattice]\nboundary = \"fixed\"\n[definitions]\nd0 = \"is(b)\"\n{sums}[transitions]\n\
             \"a -> b\" = \"min(1, d{n})\""
        ));
    }
    for shape in [
        "[2147483648, 2147483648, 2147483648]",
        "[0]",
        "[]",
        "[1, 1, 1, 1]",
        "[-1]",
        "[1e300]",
        "[2147483648]",
    ] {
        read(&format!(
            "states = [\"a\", \"b\"]\n[lattice]\nshape = {shape}\n[transitions]\n\"a -> b\" = 0.1"
        ));
    }
    assert!(!read(&"# long\n".repeat(100_000)), "a file above the limit is refused");
    assert!(read("[layers]\nn = 16777216\n[reactions]\n\"10 n -> 9 n\" = 1e-30"));
    assert!(!read("[layers]\nn = [-16777216, 16777216]\n[hops]\nn = 1"), "less than no particles cannot hop");
    let neighbourhood = |radius: f64| {
        format!(
            "states = [\"a\", \"b\"]\nneighbourhood = \"d\"\n[lattice]\nshape = [9, 9, 9]\n[neighbourhoods]\nd = {{ radius = {radius} }}\n[transitions]\n\"a -> b\" = \"0.001 * count(b)\""
        )
    };
    assert!(read(&neighbourhood(3.0)) && !read(&neighbourhood(64.0)) && !read(&neighbourhood(1e300)));
    assert!(peak() - before < 400_000, "{} KiB more than before", peak() - before);
}
