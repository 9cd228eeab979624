//! Sweeps every draw over arguments at and beyond their edges: what is simulated, the likelihood and the gradients mean
//! the same, or are an error that names the draw and the value.
#![allow(clippy::unwrap_used)]

use glauber_engine::{EngineError, FieldData, LossValue, Options, Plan, Precision, Run};
use glauber_lattice::{Lattice, Values};
use glauber_likelihood::log_likelihood;
use glauber_program::estimators::{ESTIMATORS, EstimatorOptions};
use glauber_program::{Expr, Interval, Model, ModelError, Operand, Scope};
use glauber_statistics::tolerance::{
    chi_square, chi_square_below, mean_within, shared, variance_ratio_within,
};

const SIDE: usize = 160;
const ALARM: f64 = 1e-6;

/// A model whose only layer becomes a draw of the parameters a and b.
fn drawing(values: Values, draw: impl Fn(&Scope, Expr, Expr) -> Expr) -> Result<Model, ModelError> {
    Model::build("draws", Lattice::square(SIDE))
        .layer("x", values)
        .parameter("a", Interval::any())
        .parameter("b", Interval::any())
        .step(|s| {
            let drawn = draw(s, s.parameter("a"), s.parameter("b"));
            s.next("x").set(drawn);
        })
}

fn numbers(model: &Model, theta: &[f64], precision: Precision) -> Result<Vec<f64>, EngineError> {
    let plan = Plan::new(model, &[], None, Options { precision, ..Options::default() })?;
    let zeros = FieldData::shared(vec![0u8; SIDE * SIDE]);
    let last = plan.simulate(&Run::new(theta, 1).seed(11).start(vec![zeros]))?.last;
    Ok(last.into_iter().flatten().flatten().collect())
}

/// The chances of 0, 1, 2 … by the ratios of neighbouring ones, from the chance of a number in the middle outwards.
fn law(mode: usize, most: usize, ratio: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut chances = vec![0.0; most + 1];
    chances[mode] = 1.0;
    for k in mode..most {
        chances[k + 1] = chances[k] * ratio(k as f64);
    }
    for k in (0..mode).rev() {
        chances[k] = chances[k + 1] / ratio(k as f64);
    }
    let total: f64 = chances.iter().sum();
    chances.iter().map(|c| c / total).collect()
}

/// Pearson's chi-square over numbers of expectation 5 or more, the others together.
fn follows(what: &str, sample: &[f64], chances: &[f64], alarm: f64) {
    let n = sample.len() as f64;
    let (mut observed, mut expected, mut rest) = (Vec::new(), Vec::new(), (0u64, 0.0));
    for (k, chance) in chances.iter().enumerate() {
        let seen = sample.iter().filter(|x| (**x - k as f64).abs() < 0.5).count() as u64;
        assert!(*chance > 0.0 || seen == 0, "{what}: {k} came out, which cannot be");
        if chance * n >= 5.0 {
            observed.push(seen);
            expected.push(chance * n);
        } else {
            rest = (rest.0 + seen, rest.1 + chance * n);
        }
    }
    if rest.1 >= 5.0 {
        observed.push(rest.0);
        expected.push(rest.1);
    }
    let counted: u64 = observed.iter().sum::<u64>() + if rest.1 >= 5.0 { 0 } else { rest.0 };
    assert_eq!(counted, sample.len() as u64, "{what}: numbers beyond those that can be");
    if observed.len() > 1 {
        let statistic = chi_square(&observed, &expected);
        let limit = chi_square_below(observed.len() - 1, alarm);
        assert!(statistic < limit, "{what}: {statistic} of {limit}");
    }
}

#[test]
fn counts_follow_their_laws() {
    let poisson = drawing(Values::Real, |s, a, _| s.poisson(a)).unwrap();
    let binomial = drawing(Values::Real, |s, a, b| s.binomial(a, b)).unwrap();
    let geometric = drawing(Values::Real, |s, a, _| s.geometric(a)).unwrap();
    let rates = [0.0, 1e-3, 0.3, 5.0, 9.99, 10.0, 10.3, 37.5, 400.0];
    let trials = [
        (0.0, 0.5),
        (1.0, 0.3),
        (10.0, 0.0),
        (10.0, 1.0),
        (19.0, 0.5),
        (25.0, 0.4),
        (100.0, 0.1),
        (300.0, 0.35),
        (1000.0, 0.97),
    ];
    let chances = [1e-3, 0.05, 0.3, 0.7, 1.0];
    let alarm = shared(ALARM, 2 * (rates.len() + trials.len() + chances.len()));
    for precision in [Precision::Single, Precision::Double] {
        for rate in rates {
            let sample = numbers(&poisson, &[rate, 0.0], precision).unwrap();
            let most = (rate + 12.0 * rate.sqrt() + 20.0) as usize;
            let chances = law(rate as usize, most, |k| rate / (k + 1.0));
            follows(&format!("poisson({rate})"), &sample, &chances, alarm);
        }
        for p in chances {
            let sample = numbers(&geometric, &[p, 0.0], precision).unwrap();
            let p = if precision == Precision::Single { f64::from(p as f32) } else { p };
            let most = (40.0 / p).min(4000.0) as usize;
            let failures = |k: usize| (1.0 - p).powi(k as i32);
            let mut law: Vec<f64> =
                (0..most).map(|k| if k == 0 { 0.0 } else { p * failures(k - 1) }).collect();
            // What lies beyond counts to the last.
            law.push(failures(most - 1));
            let sample: Vec<f64> = sample.iter().map(|x| x.min(most as f64)).collect();
            follows(&format!("geometric({p})"), &sample, &law, alarm);
        }
        for (n, p) in trials {
            let sample = numbers(&binomial, &[n, p], precision).unwrap();
            // The run draws with the probability as its precision holds it.
            let p = if precision == Precision::Single { f64::from(p as f32) } else { p };
            let chances = match (p > 0.0, p < 1.0) {
                (true, true) => law((n * p) as usize, n as usize, |k| (n - k) / (k + 1.0) * p / (1.0 - p)),
                (_, below) => {
                    let only = if below { 0 } else { n as usize };
                    (0..=n as usize).map(|k| f64::from(u8::from(k == only))).collect()
                }
            };
            follows(&format!("binomial({n}, {p})"), &sample, &chances, alarm);
        }
    }
}

/// Mean and variance of large counts, which take no longer than small ones: by inversion in pieces a rate of 10⁹ would
/// take minutes a site.
#[test]
fn large_counts_have_their_mean_and_variance() {
    let poisson = drawing(Values::Real, |s, a, _| s.poisson(a)).unwrap();
    let binomial = drawing(Values::Real, |s, a, b| s.binomial(a, b)).unwrap();
    let cases = [
        (&poisson, [1e5, 0.0], 1e5, 1e5),
        (&poisson, [1e9, 0.0], 1e9, 1e9),
        (&binomial, [1e6, 0.25], 2.5e5, 1.875e5),
        (&binomial, [1e9, 0.5], 5e8, 2.5e8),
        (&binomial, [1e9, 0.99], 9.9e8, 9.9e6),
    ];
    for (model, theta, mean, variance) in cases {
        let sample = numbers(model, &theta, Precision::Double).unwrap();
        let n = sample.len() as f64;
        let found = sample.iter().sum::<f64>() / n;
        let spread = sample.iter().map(|x| (x - found) * (x - found)).sum::<f64>() / (n - 1.0);
        let error = mean_within((variance / n).sqrt(), ALARM);
        assert!((found - mean).abs() < error, "{theta:?}: mean {found} for {mean}, within {error}");
        let ratio = spread / variance;
        assert!(
            variance_ratio_within(sample.len(), ALARM).contains(&ratio),
            "{theta:?}: variance ratio {ratio}"
        );
    }
}

/// The exact probability of each value of x, from one site's likelihood.
fn likelihood(model: &Model, theta: &[f64], values: usize) -> Result<Vec<f64>, EngineError> {
    let program = log_likelihood(&model.step).unwrap();
    let options = Options { precision: Precision::Double, ..Options::default() };
    let plan = Plan::new(model, &[program.into()], None, options)?;
    let sites = SIDE * SIDE;
    let mut run =
        Run::new(theta, 0).replicates(values).start(vec![FieldData::shared(vec![0u8; sites])]).observe(0, 0);
    let all = (0..values).flat_map(|k| vec![k as u8; sites]).collect::<Vec<u8>>();
    run.targets = Some(vec![FieldData::picked(all, (0..values as u32).collect())]);
    Ok(plan.simulate(&run)?.outputs.values.into_iter().map(|l| (l / sites as f64).exp()).collect())
}

/// Simulated shares, likelihoods and their sum agree for Bernoulli and categorical draws up to the edges of their
/// probabilities.
#[test]
fn probabilities_mean_the_same_in_simulations_and_likelihoods() {
    let bernoulli = drawing(Values::binary(), |s, a, _| s.bernoulli(a)).unwrap();
    let survival = drawing(Values::binary(), |s, a, _| s.bernoulli(1.0 - a)).unwrap();
    let three = Values::categories(&["r", "s", "t"]);
    let categorical = drawing(three.clone(), |s, a, b| {
        let c: Operand = (1.0 - a - b).into();
        s.categorical(&[a.into(), b.into(), c])
    })
    .unwrap();
    let rest_first = drawing(three, |s, a, b| {
        let c: Operand = (1.0 - a - b).into();
        s.categorical(&[c, a.into(), b.into()])
    })
    .unwrap();
    type Law = fn(f64, f64) -> Vec<f64>;
    let cases: [(&Model, Law); 4] = [
        (&bernoulli, |a, _| vec![1.0 - a, a]),
        (&survival, |a, _| vec![a, 1.0 - a]),
        (&categorical, |a, b| vec![a, b, 1.0 - a - b]),
        (&rest_first, |a, b| vec![1.0 - a - b, a, b]),
    ];
    for (model, law) in cases {
        for (a, b) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.3, 0.4), (0.25, 0.5), (1e-3, 0.999), (0.5, 0.5)]
        {
            let wanted = law(a, b);
            for precision in [Precision::Single, Precision::Double] {
                let sample = numbers(model, &[a, b], precision).unwrap();
                follows(&format!("{a}, {b}: {}", model.step), &sample, &wanted, shared(ALARM, 56));
            }
            let found = likelihood(model, &[a, b], wanted.len()).unwrap();
            for (found, wanted) in found.iter().zip(&wanted) {
                assert!((found - wanted).abs() < 1e-12, "{a}, {b}: {found} for {wanted}\n{}", model.step);
            }
        }
    }
}

fn refused(what: &str, error: EngineError, words: &[&str]) {
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "{what}: `{message}` does not say `{word}`");
    }
}

/// Beyond its edges a draw is the same error in a simulation, for every estimator's gradient and in the likelihood.
#[test]
fn beyond_the_edges_every_draw_is_an_error_with_its_name_and_value() {
    type Draw = fn(&Scope, Expr, Expr) -> Expr;
    let real = || Values::Real;
    let two = Values::binary;
    let cases: Vec<(Values, Draw, Vec<([f64; 2], Vec<&str>)>)> = vec![
        (
            two(),
            |s, a, _| s.bernoulli(a),
            vec![([-0.1, 0.0], vec!["`bernoulli`", "-0.1"]), ([1.5, 0.0], vec!["`bernoulli`", "1.5"])],
        ),
        (two(), |s, a, _| s.bernoulli(1.0 - a), vec![([-0.5, 0.0], vec!["`bernoulli`", "1.5"])]),
        (
            two(),
            |s, a, b| s.categorical(&[a.into(), b.into()]),
            vec![
                ([0.25, 0.5], vec!["`categorical`", "0.75", "not to 1"]),
                ([1.0, 1.0], vec!["`categorical`", "2", "not to 1"]),
                ([-0.5, 1.5], vec!["`categorical`", "-0.5"]),
            ],
        ),
        (
            real(),
            |s, a, b| s.binomial(a, b),
            vec![
                ([-1.0, 0.5], vec!["trials of `binomial`", "-1"]),
                ([2.5, 0.5], vec!["trials of `binomial`", "2.5"]),
                ([1e10, 0.5], vec!["trials of `binomial`", "10000000000"]),
                ([3.0, 1.5], vec!["`binomial`", "1.5"]),
                ([3.0, -0.5], vec!["`binomial`", "-0.5"]),
            ],
        ),
        (
            real(),
            |s, a, _| s.poisson(a),
            vec![
                ([-1.0, 0.0], vec!["rate of `poisson`", "-1"]),
                ([1e10, 0.0], vec!["rate of `poisson`", "10000000000"]),
            ],
        ),
    ];
    for (values, draw, bad) in cases {
        let model = drawing(values.clone(), draw).unwrap();
        let mean = model.observe(|s| s.output("mean", s.layer("x").mean())).unwrap();
        for (theta, words) in bad {
            for precision in [Precision::Single, Precision::Double] {
                refused("simulation", numbers(&model, &theta, precision).unwrap_err(), &words);
            }
            for entry in ESTIMATORS.iter().filter(|e| e.name != "mean-field") {
                let estimator = (entry.make)(EstimatorOptions::default());
                let plan =
                    Plan::new(&model, &[mean.clone().into()], Some(&*estimator), Options::default()).unwrap();
                let zeros = FieldData::shared(vec![0u8; SIDE * SIDE]);
                let run = Run::new(&theta, 1).replicates(2).start(vec![zeros]).observe(1, 0);
                let found = plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] });
                refused(entry.name, found.unwrap_err(), &words);
            }
            if values == Values::binary() && words.contains(&"not to 1") {
                refused("likelihood", likelihood(&model, &theta, 2).unwrap_err(), &words);
            } else if values == Values::binary() {
                // What cannot be drawn has likelihood 0, from which a fit steps back.
                let chances = likelihood(&model, &theta, 2).unwrap();
                assert!(chances.iter().all(|c| *c == 0.0), "{theta:?}: {chances:?}");
            }
        }
    }
}

/// What no parameter can mend is refused when the model is built.
#[test]
fn constants_beyond_the_edges_are_refused_when_the_model_is_built() {
    type Draw = fn(&Scope) -> Expr;
    let cases: Vec<(Draw, &str)> = vec![
        (|s| s.bernoulli(1.5), "1.5"),
        (|s| s.poisson(-1.0), "rate of `poisson` is -1"),
        (|s| s.binomial(2.5, 0.5), "trials of `binomial` is 2.5"),
        (|s| s.binomial(-1.0, 0.5), "trials of `binomial` is -1"),
        (|s| s.categorical(&[0.3.into(), 0.3.into(), 0.3.into()]), "not to 1"),
    ];
    for (draw, words) in cases {
        let built = Model::build("constant", Lattice::line(4))
            .layer("x", Values::Real)
            .step(|s| s.next("x").set(draw(s)));
        let message = built.unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}

/// At the edges gradients by every estimator are finite, and straight-through is the derivative of the mean.
#[test]
fn gradients_hold_at_the_edges() {
    type Draw = fn(&Scope, Expr, Expr) -> Expr;
    let cases: Vec<(Draw, Vec<[f64; 2]>, fn(f64, f64) -> [f64; 2])> = vec![
        (|s, a, _| s.bernoulli(a), vec![[0.0, 0.0], [0.4, 0.0], [1.0, 0.0]], |_, _| [1.0, 0.0]),
        (|s, a, b| s.binomial(a, b), vec![[0.0, 0.5], [4.0, 0.0], [4.0, 1.0], [200.0, 0.3]], |n, p| [p, n]),
        (|s, a, _| s.poisson(a), vec![[0.0, 0.0], [0.5, 0.0], [500.0, 0.0]], |_, _| [1.0, 0.0]),
        (|s, a, _| s.geometric(a), vec![[0.01, 0.0], [0.5, 0.0], [1.0, 0.0]], |p, _| [-1.0 / (p * p), 0.0]),
    ];
    for (draw, thetas, slope) in cases {
        let model = drawing(Values::Real, draw).unwrap();
        let mean = model.observe(|s| s.output("mean", s.layer("x").mean())).unwrap();
        for theta in thetas {
            // Differences would leave the edges, which these parameters do not know of.
            for entry in ESTIMATORS.iter().filter(|e| e.name != "differences") {
                let estimator = (entry.make)(EstimatorOptions::default());
                let options = Options { precision: Precision::Double, ..Options::default() };
                let plan = Plan::new(&model, &[mean.clone().into()], Some(&*estimator), options).unwrap();
                let zeros = FieldData::shared(vec![0u8; SIDE * SIDE]);
                let run = Run::new(&theta, 1).replicates(2).start(vec![zeros]).observe(1, 0);
                let found = plan
                    .gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] })
                    .unwrap()
                    .parameters;
                assert!(found.iter().all(|g| g.is_finite()), "{} at {theta:?}: {found:?}", entry.name);
                if ["straight-through", "mean-field"].contains(&entry.name) {
                    for (found, wanted) in found.iter().zip(slope(theta[0], theta[1])) {
                        assert!((found - wanted).abs() < 1e-9, "{} at {theta:?}: {found}", entry.name);
                    }
                }
            }
        }
    }
}

/// Probabilities that add up to 1 but for rounding: the last is what the others leave, which rounding may take below 0, and
/// their sum may miss 1 by as much. It is still one draw: in simulations, in the likelihood and for every estimator.
#[test]
fn rounding_in_a_sum_of_probabilities_is_no_error() {
    // Of these 1 − a − b is 5.6e-17, −2.8e-17, −1.4e-17 and the like in double precision, and up to 6e-8 either way in single.
    let pairs = [
        [0.7, 0.3],
        [0.9, 0.1],
        [0.8, 0.2],
        [0.3, 0.7],
        [0.35, 0.65],
        [0.999, 0.001],
        [0.15, 0.85],
        [1.0 / 3.0, 2.0 / 3.0],
    ];
    let lasts = pairs.map(|[a, b]: [f64; 2]| 1.0 - a - b);
    assert!(lasts.iter().any(|c| *c < 0.0) && lasts.iter().any(|c| *c > 0.0), "{lasts:?}");
    let three = Values::categories(&["r", "s", "t"]);
    type Draw = fn(&Scope, Expr, Expr) -> Expr;
    let draws: [Draw; 4] = [
        |s, a, b| s.categorical(&[a.into(), b.into(), (1.0 - a - b).into()]),
        |s, a, b| s.categorical(&[b.into(), a.into(), (1.0 - b - a).into()]),
        |s, a, b| s.replicate_categorical(&[a.into(), b.into(), (1.0 - a - b).into()]),
        // Each divided by their sum.
        |s, a, b| {
            let total = a + b;
            s.categorical(&[(a / total).into(), (b / total).into(), (1.0 - a / total - b / total).into()])
        },
    ];
    for (number, draw) in draws.into_iter().enumerate() {
        let model = drawing(three.clone(), draw).unwrap();
        let mean = model.observe(|s| s.output("mean", s.layer("x").mean())).unwrap();
        for theta in pairs {
            for precision in [Precision::Single, Precision::Double] {
                let sample = numbers(&model, &theta, precision).unwrap();
                let last = sample.iter().filter(|x| **x > 1.5).count();
                assert_eq!(last, 0, "draw {number}: {theta:?} {precision:?}");
                for entry in ESTIMATORS.iter().filter(|e| e.name != "differences") {
                    let estimator = (entry.make)(EstimatorOptions::default());
                    let options = Options { precision, ..Options::default() };
                    let Ok(plan) = Plan::new(&model, &[mean.clone().into()], Some(&*estimator), options)
                    else {
                        let meanless =
                            entry.name == "mean-field" && model.declarations().layers[0].is_nominal();
                        assert!(number == 2 || meanless, "{} takes no draw {number}", entry.name);
                        continue;
                    };
                    let zeros = FieldData::shared(vec![0u8; SIDE * SIDE]);
                    let run = Run::new(&theta, 1).replicates(2).start(vec![zeros]).observe(1, 0);
                    let found =
                        plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] }).unwrap();
                    let about = format!(
                        "draw {number}, {} at {theta:?}, {precision:?}: {:?}",
                        entry.name, found.parameters
                    );
                    assert!(found.parameters.iter().all(|g| g.is_finite()), "{about}");
                    if number == 0 && ["straight-through", "mean-field"].contains(&entry.name) {
                        // The mean is b + 2 (1 − a − b).
                        for (found, wanted) in found.parameters.iter().zip([-2.0, -1.0]) {
                            assert!((found - wanted).abs() < 1e-4, "{about}");
                        }
                    }
                }
            }
            if number != 2 {
                let chances = likelihood(&model, &theta, 3).unwrap();
                assert!(chances.iter().all(|c| *c >= 0.0), "{theta:?}: {chances:?}");
                assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{theta:?}: {chances:?}");
            }
        }
    }
}

/// Many classes alike, whose sum is off by many roundings.
#[test]
fn many_probabilities_may_be_off_by_their_roundings() {
    for classes in [3usize, 6, 7, 10, 24, 49, 100] {
        let names: Vec<String> = (0..classes).map(|k| format!("c{k}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let model = drawing(Values::categories(&names), |s, a, _| {
            let one: Operand = a.into();
            s.categorical(&vec![one; classes])
        })
        .unwrap();
        let share = 1.0 / classes as f64;
        for precision in [Precision::Single, Precision::Double] {
            let sample = numbers(&model, &[share, 0.0], precision).unwrap();
            let about = format!("{classes} classes, {precision:?}");
            follows(&about, &sample, &vec![share; classes], shared(ALARM, 14));
        }
    }
}
