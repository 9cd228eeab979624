//! Checks that small probabilities are kept in single precision: by rules that write them as 1 − something, and by draws
//! of which they are one of several classes.
#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::eq_op)] // Exact equality is what is asked.

use glauber_engine::{FieldData, LossValue, Options, Plan, Precision, Run, noise_seed};
use glauber_lattice::{Lattice, Moore, Values};
use glauber_model_file::parse;
use glauber_models::ModelOptions;
use glauber_numbers::noise::Key;
use glauber_program::estimators::StraightThrough;
use glauber_program::{Expr, Interval, Model, Op, Scope};

type Rule = fn(Expr, Expr) -> Expr;

/// Ways to write the same small probability, or one like it, of a small b and a count n.
const RULES: [(&str, Rule); 29] = [
    ("1 - (1 - b)^n", |b, n| 1.0 - (1.0 - b).pow(n)),
    ("1 - exp(-b n)", |b, n| 1.0 - (-(b * n)).exp()),
    ("1 - exp(-b)^n", |b, n| 1.0 - (-b).exp().pow(n)),
    ("1 - (1 - b)^2", |b, n| 1.0 - (1.0 - b).pow(2.0) + (n - n) * b),
    ("1 - (1 - b)(1 - 2 b)", |b, n| 1.0 - (1.0 - b) * (1.0 - b * 2.0) + b * n),
    ("1 - (1 - b)^n exp(-b)", |b, n| 1.0 - (1.0 - b).pow(n) * (-b).exp()),
    ("exp(b n) - 1", |b, n| (b * n).exp() - 1.0),
    ("ln(1 + b n)", |b, n| (b * n + 1.0).ln()),
    ("-ln(1 - b n)", |b, n| -(1.0 - b * n).ln()),
    ("1 - if(b > 0, (1 - b)^n, 1)", |b, n| 1.0 - b.greater(0.0).select((1.0 - b).pow(n), 1.0)),
    ("1 - if(n > 3, 0, (1 - b)^n)", |b, n| 1.0 - n.greater(3.0).select(0.0, (1.0 - b).pow(n))),
    ("1 - a (1 - b)", |b, n| 1.0 - n.greater(3.0) * (1.0 - b)),
    ("1 - (a - a b)", |b, n| 1.0 - (n.greater(3.0) - n.greater(3.0) * b)),
    ("(1 + b)^n - 1", |b, n| (1.0 + b).pow(n) - 1.0),
    ("(1 + b n)^2.5 - 1", |b, n| (1.0 + b * n).pow(2.5) - 1.0),
    ("1 - 1 over (1 + b n)", |b, n| 1.0 - 1.0 / (1.0 + b * n)),
    ("1 - 1 over (1 + b)^n", |b, n| 1.0 - 1.0 / (1.0 + b).pow(n)),
    ("1 - ((1 - b)^n + (1 - b)^n) over 2", |b, n| 1.0 - ((1.0 - b).pow(n) + (1.0 - b).pow(n)) / 2.0),
    ("1 - (0.3 (1 - b)^n + 0.7 exp(-b))", |b, n| 1.0 - ((1.0 - b).pow(n) * 0.3 + (-b).exp() * 0.7)),
    ("1 - (0.3 (1 - 0.6 b)^n + 0.7 (1 - 0.9 b)^n)", |b, n| {
        1.0 - ((1.0 - b * 0.6).pow(n) * 0.3 + (1.0 - b * 0.9).pow(n) * 0.7)
    }),
    ("1 - 0.3 (1 - b)^n - 0.7 (1 - b)", |b, n| 1.0 - (1.0 - b).pow(n) * 0.3 - (1.0 - b) * 0.7 + b * n),
    ("0.5 - 0.5 (1 - b)^n", |b, n| 0.5 - (1.0 - b).pow(n) * 0.5),
    ("0.5 - 0.5 (1 - 2 b)^n", |b, n| 0.5 - (1.0 - b * 2.0).pow(n) * 0.5 + b * n),
    ("0.5 - (0.5 - b n)", |b, n| 0.5 - (0.5 - b * n)),
    ("(0.2 + 0.8 exp(-b)) (-1) + 1", |b, n| 1.0 - ((-b).exp() * 0.8 + 0.2) + b * n),
    ("q - q (1 - b)^n", |b, n| n / 9.0 - n / 9.0 * (1.0 - b).pow(n)),
    ("q exp(b n) - q", |b, n| n / 9.0 * (b * n).exp() - n / 9.0),
    ("1 - 2 sigmoid(-2 b n)", |b, n| 1.0 - (b * n * -2.0).sigmoid() * 2.0),
    ("1 - 1/(1 + exp(-x))", |b, n| 1.0 - (-(b * n).ln()).sigmoid()),
];

fn model(rule: Rule) -> Model {
    Model::build("small", Lattice::line(9))
        .layer("x", Values::Real)
        .parameter("b", Interval::unit())
        .step(|s| {
            let n = s.coordinate(0);
            s.next("x").set(rule(s.parameter("b"), n));
        })
        .unwrap()
}

fn values(model: &Model, b: f64, precision: Precision) -> (Vec<f64>, f64) {
    let mean = model.observe(|s| s.output("mean", s.layer("x").mean())).unwrap();
    let options = Options { precision, ..Options::default() };
    let plan = Plan::new(model, &[mean.into()], Some(&StraightThrough), options).unwrap();
    let theta = [b];
    let run = Run::new(&theta, 1).start(vec![FieldData::shared(vec![0.0; 9])]).observe(1, 0);
    let last = plan.simulate(&run).unwrap().last.remove(0).remove(0);
    let slope = plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] }).unwrap();
    (last, slope.parameters[0])
}

#[test]
fn small_values_and_their_slopes_are_as_good_in_single_precision() {
    for (name, rule) in RULES {
        let own = model(rule);
        for b in [0.0, 1e-12, 3e-9, 1e-7, 2.5e-5, 1e-3, 0.1] {
            // The sigmoid's argument is a logarithm, which is none at 0.
            if name.contains("/(1 +") && b == 0.0 {
                continue;
            }
            let ((single, slope), (double, wanted)) =
                (values(&own, b, Precision::Single), values(&own, b, Precision::Double));
            for (site, (single, double)) in single.iter().zip(&double).enumerate().skip(1) {
                let error = (single - double).abs();
                assert!(error <= 4e-6 * double.abs(), "{name}, b = {b}, n = {site}: {single} for {double}");
            }
            if !name.contains("/(1 +") {
                assert!(
                    (slope - wanted).abs() <= 4e-6 * wanted.abs(),
                    "{name}, b = {b}: {slope} for {wanted}"
                );
            }
        }
    }
}

/// What mixtures are rewritten to is what they say, in double precision.
#[test]
fn mixtures_are_what_they_say() {
    let plain: [(&str, fn(f64, f64) -> f64); 11] = [
        ("1 - ((1 - b)^n + (1 - b)^n) over 2", |b, n| 1.0 - (1.0 - b).powf(n)),
        ("1 - (0.3 (1 - b)^n + 0.7 exp(-b))", |b, n| 1.0 - 0.3 * (1.0 - b).powf(n) - 0.7 * (-b).exp()),
        ("1 - (0.3 (1 - 0.6 b)^n + 0.7 (1 - 0.9 b)^n)", |b, n| {
            1.0 - 0.3 * (1.0 - 0.6 * b).powf(n) - 0.7 * (1.0 - 0.9 * b).powf(n)
        }),
        ("1 - 0.3 (1 - b)^n - 0.7 (1 - b)", |b, n| 1.0 - 0.3 * (1.0 - b).powf(n) - 0.7 * (1.0 - b) + b * n),
        ("0.5 - 0.5 (1 - b)^n", |b, n| 0.5 - 0.5 * (1.0 - b).powf(n)),
        ("0.5 - 0.5 (1 - 2 b)^n", |b, n| 0.5 - 0.5 * (1.0 - 2.0 * b).powf(n) + b * n),
        ("0.5 - (0.5 - b n)", |b, n| b * n),
        ("(0.2 + 0.8 exp(-b)) (-1) + 1", |b, n| 0.8 - 0.8 * (-b).exp() + b * n),
        ("q - q (1 - b)^n", |b, n| n / 9.0 * (1.0 - (1.0 - b).powf(n))),
        ("q exp(b n) - q", |b, n| n / 9.0 * ((b * n).exp() - 1.0)),
        ("1 - 2 sigmoid(-2 b n)", |b, n| (b * n).tanh()),
    ];
    for (name, wanted) in plain {
        let (_, rule) = RULES.iter().find(|(own, _)| *own == name).unwrap();
        for b in [0.01, 0.2, 0.45] {
            let (found, _) = values(&model(*rule), b, Precision::Double);
            for (n, found) in found.iter().enumerate() {
                let wanted = wanted(b, n as f64);
                assert!((found - wanted).abs() < 1e-14, "{name}, b = {b}, n = {n}: {found} for {wanted}");
            }
        }
    }
}

/// At b = 1 and beyond ½ the values are those of the plain formula, exactly certain where they should be.
#[test]
fn large_probabilities_are_as_before() {
    let own = model(RULES[0].1);
    for precision in [Precision::Single, Precision::Double] {
        for b in [0.5, 0.51, 0.9, 1.0] {
            let (found, slope) = values(&own, b, precision);
            for (n, found) in found.iter().enumerate() {
                let wanted = 1.0 - (1.0 - b).powi(n as i32);
                assert!((found - wanted).abs() < 3e-7, "b = {b}, n = {n}: {found}");
                assert!(b < 1.0 || *found == wanted, "b = {b}, n = {n}: {found}");
            }
            let wanted = (0..9).map(|n| f64::from(n) * (1.0 - b).powi((n - 1).max(0))).sum::<f64>() / 9.0;
            assert!((slope - wanted).abs() < 1e-5, "b = {b}: slope {slope} for {wanted}");
        }
    }
}

/// A layer of 0 and 1 with a parameter q, whose next state a rule gives.
fn of_states(rule: impl Fn(&Scope, Expr, Expr)) -> Model {
    Model::build("states", Lattice::line(9))
        .layer("a", Values::binary())
        .parameter("q", Interval::unit())
        .step(|s| rule(s, s.layer("a"), s.parameter("q")))
        .unwrap()
}

/// What survives with a probability near 1 ends with the small one, however that is written.
#[test]
fn draws_know_what_is_missing_to_their_probability() {
    let survives: [fn(Expr, Expr) -> Expr; 3] =
        [|a, q| a * (1.0 - q), |a, q| a - a * q, |a, q| a.select(1.0 - q, 0.0)];
    for p in survives {
        let model = of_states(|s, a, q| s.next("a").bernoulli(p(a, q)));
        let rest =
            model.step.instructions().iter().any(|i| matches!(i.op, Op::Bernoulli { rest: Some(_), .. }));
        assert!(rest, "{}", model.step);
    }
}

/// A uniform number has no such form: near 1 it is coarse itself, and the model says so.
#[test]
fn the_upper_tail_of_a_uniform_number_is_noted() {
    let noted = |rule: fn(Expr, Expr) -> Expr| {
        let model = of_states(|s, a, q| {
            let died = rule(s.uniform(), q);
            s.next("a").set(a * (1.0 - died));
        });
        model.notes().iter().any(|note| note.contains("write `u < p`"))
    };
    assert!(noted(|u, q| u.greater(1.0 - q)) && noted(|u, q| (1.0 - u).less(q)));
    assert!(!noted(|u, q| u.less(q)) && !noted(|u, q| u.less(1.0 - q)) && !noted(|u, _| u.greater(0.75)));
}

const CANCELS: &str = "is the difference of two numbers";

/// The notes of a model that draws with a chance made of q, and of a, which is 0 or 1.
fn notes_of_chance(chance: fn(Expr, Expr) -> Expr) -> Vec<String> {
    of_states(|s, a, q| s.next("a").bernoulli(chance(a, q))).notes()
}

/// Differences of computed numbers that may be near each other and that no form keeps are said to lose small chances.
#[test]
fn differences_that_cancel_are_noted() {
    let lost: [fn(Expr, Expr) -> Expr; 11] = [
        |_, q| (q + 1.0).tanh() - 1f64.tanh(),
        |a, q| a * ((q + 1.0).tanh() - 1f64.tanh()),
        |a, q| a.select((q + 1.0).tanh() - 1f64.tanh(), 0.0),
        |_, q| ((q + 1.0).sqrt() - 1.0).max(0.0).min(1.0),
        |_, q| -(1.0 - (q + 1.0).sqrt()),
        |_, q| 1.0 - q.cos(),
        |_, q| 1.0 - 2.0 / (q + 2.0),
        |a, q| (q + 1.0).sin() * 0.5 - a * (1f64.sin() * 0.5),
        |_, q| (q * 0.5 + 0.5).pow(3.0) - 0.125,
        |_, q| ((q + 1.0).ln() + (q + 2.0).ln() - 2f64.ln()) * 0.25,
        |_, q| ((q - 1.0).exp() - (-1f64).exp()) / 2.0,
    ];
    for (number, chance) in lost.into_iter().enumerate() {
        let notes = notes_of_chance(chance);
        let found =
            notes.iter().filter(|note| note.contains(CANCELS) && note.contains("precision f64")).count();
        assert_eq!(found, 1, "{number}: {notes:?}");
    }
    let kept: [fn(Expr, Expr) -> Expr; 10] = [
        |_, q| q,
        |_, q| 1.0 - q,
        |a, q| a - a * q,
        |_, q| (q * 0.5).tanh(),
        |_, q| 0.9 - (q + 1.0).tanh() * 0.5,
        |a, q| 1.0 - (1.0 - q).pow(a * 3.0 + 1.0),
        |a, q| 1.0 - (-(q * (a + 1.0))).exp(),
        |_, q| (q * 0.5).exp_m1(),
        |a, _| 1.0 - a.neighbours(Moore).sum() / 2.0,
        |a, q| a.select(q, 1.0 - q),
    ];
    for (number, chance) in kept.into_iter().enumerate() {
        let notes = notes_of_chance(chance);
        assert!(notes.is_empty(), "{number}: {notes:?}");
    }
    for (name, rule) in RULES {
        let model = Model::build("rules", Lattice::line(9))
            .layer("x", Values::binary())
            .parameter("b", Interval::unit())
            .step(|s| s.next("x").bernoulli(rule(s.parameter("b"), s.coordinate(0)).min(1.0).max(0.0)))
            .unwrap();
        assert!(!model.notes().iter().any(|note| note.contains(CANCELS)), "{name}: {:?}", model.notes());
    }
    // Rates and the classes of a draw are chances too.
    let rate = of_states(|s, _, q| {
        let count = s.poisson((q + 1.0).tanh() - 1f64.tanh());
        s.next("a").set(count.greater(0.0));
    });
    let class = of_states(|s, _, q| {
        let p = 1.0 - q.cos();
        s.next("a").set(s.categorical(&[p.into(), (1.0 - p).into()]));
    });
    for model in [rate, class] {
        assert!(model.notes().iter().any(|note| note.contains(CANCELS)), "{:?}", model.notes());
    }
}

/// What the note says is so: in single precision the chance is another, in double precision it is what was meant.
#[test]
fn what_the_note_of_a_difference_says_is_so() {
    let chance: Rule = |q, n| (q * n + 1.0).tanh() - 1f64.tanh();
    for q in [1e-9, 3e-8, 1e-6] {
        let own = model(chance);
        let (single, double) =
            (values(&own, q, Precision::Single).0[1], values(&own, q, Precision::Double).0[1]);
        let wanted = q * (1.0 - 1f64.tanh().powi(2));
        assert!((double / wanted - 1.0).abs() < 2e-6, "{double} for {wanted}");
        assert!(
            (single - wanted).abs() < 1.2e-7 && (single / wanted - 1.0).abs() > 1e-4,
            "{single} for {wanted}"
        );
    }
}

#[test]
fn no_model_of_the_catalogue_loses_small_chances() {
    for entry in glauber_models::MODELS {
        let model = glauber_models::named(entry.name, &ModelOptions::none()).unwrap();
        let lost: Vec<String> = model.notes().into_iter().filter(|note| note.contains(CANCELS)).collect();
        assert!(lost.is_empty(), "{}: {lost:?}", entry.name);
    }
}

const SIDE: usize = 512;
const P: f64 = 2e-8;

/// Seeds whose first step has a draw within p of one end, with the site and the centred number.
fn rare(lattice: &Lattice) -> Vec<(u64, usize, f64)> {
    let mut found = Vec::new();
    for seed in 1..400 {
        let key = Key::new(noise_seed(seed, lattice), 0, 1, 0, 0);
        for site in 0..(SIDE * SIDE) as u32 {
            // The word alone tells all but one in 2^15 apart.
            let word = key.word(site);
            if !(256..u32::MAX - 256).contains(&word) {
                let w: f64 = key.centred(site);
                if w.abs() < P {
                    found.push((seed, site as usize, w));
                }
            }
        }
    }
    found
}

/// Transitions of probability 2·10⁻⁸, a third of what single precision tells apart near 1, happen exactly where the draw
/// says so: from every state of two and of three to every other.
#[test]
fn rare_transitions_happen_where_their_draw_says() {
    let rule = |states: &str, transitions: &str| {
        let text = format!(
            "states = {states}\n[lattice]\nshape = [{SIDE}, {SIDE}]\n[parameters]\np = [0.0, 1.0]\n[transitions]\n{transitions}"
        );
        parse(&text, "rare.toml".as_ref(), &ModelOptions::none()).unwrap().model
    };
    let two = rule(r#"["a", "b"]"#, "\"a -> b\" = \"1 - exp(-p)\"\n\"b -> a\" = \"1 - (1 - p)^1\"\n");
    let three = rule(
        r#"["a", "b", "c"]"#,
        "\"a -> b\" = \"1 - exp(-p)\"\n\"b -> a\" = \"p\"\n\"b -> c\" = \"p\"\n\"c -> a\" = \"1 - (1 - p)^1\"\n",
    );
    // From which state, on which side of the draw, to which state.
    let cases: [(&Model, u8, [f64; 2]); 5] = [
        (&two, 0, [1.0, 0.0]),
        (&two, 1, [1.0, 0.0]),
        (&three, 0, [0.0, 1.0]),
        (&three, 1, [0.0, 2.0]),
        (&three, 2, [0.0, 2.0]),
    ];
    let lattice = Lattice::square(SIDE);
    let rare = rare(&lattice);
    assert!(
        rare.iter().any(|r| r.2 < 0.0) && rare.iter().any(|r| r.2 >= 0.0),
        "no seed has a rare draw: {rare:?}"
    );
    for (seed, site, w) in rare {
        for (model, from, [low, high]) in &cases {
            let plan = Plan::new(model, &[], None, Options::default()).unwrap();
            let start = FieldData::shared(vec![*from; SIDE * SIDE]);
            let last = plan.simulate(&Run::new(&[P], 1).seed(seed).start(vec![start])).unwrap().last;
            let found = last[0][0][site];
            // A draw of two states is 1 at the lower end, and 0 at the upper one; the classes of three go upwards.
            let wanted = match (*from, model.declarations().layers[0].values.range().1 > 1.5) {
                (_, false) if w >= 0.0 => 1.0,
                (_, false) => 0.0,
                (2, true) if w < 0.0 => 2.0,
                (0, true) if w >= 0.0 => 0.0,
                _ if w >= 0.0 => *low,
                _ => *high,
            };
            assert_eq!(found, wanted, "seed {seed}, site {site}, w {w}, from {from}\n{}", model.step);
            let others = last[0][0].iter().enumerate().filter(|(i, x)| *i != site && **x != f64::from(*from));
            assert!(others.count() <= 2, "seed {seed}: more transitions than draws that say so");
        }
    }
}
