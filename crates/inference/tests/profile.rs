//! Compares profiles with likelihoods whose intervals are known, and what they say of parameters that data leave open.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod toys;

use glauber_inference::likelihood::{Interval, Kind};
use glauber_inference::profile::{ProfileError, Side, profile};
use toys::Toy;

#[test]
fn a_binomial_number_has_the_interval_of_its_likelihood_ratio() {
    for gradient in [true, false] {
        let toy = Toy { gradient, ..Toy::binomial(7.0, 10.0) };
        let found = profile(&toy, &[], 0.95).unwrap();
        assert!((found.top.at[0] - 0.7).abs() < 1e-6 && found.top.at_rest, "{}", found.text());
        let log = |p: f64| 7.0 * p.ln() + 3.0 * (1.0 - p).ln();
        for end in found.profiles[0].interval().unwrap() {
            let fall = 2.0 * (log(0.7) - log(end));
            assert!((fall - 3.841_458_820_694_124).abs() < 1e-4, "{end}: {fall}");
        }
        assert!((found.criteria.aic() - (2.0 - 2.0 * log(0.7))).abs() < 1e-9);
        assert!(found.text().starts_with("the data determine every parameter"), "{}", found.text());
    }
}

#[test]
fn an_optimum_at_an_end_has_one_side() {
    // No success of 10: the interval goes from 0 to where 10 ln(1 − p) = −1.92.
    let found = profile(&Toy::binomial(0.0, 10.0), &[], 0.95).unwrap();
    assert_eq!(found.top.at, [0.0]);
    let high = 1.0 - (-0.192_072_941_f64).exp();
    match found.profiles[0].sides {
        [Side::Open(low), Side::Bounded(end)] => assert!(low == 0.0 && (end - high).abs() < 1e-5, "{end}"),
        other => panic!("{other:?}"),
    }
    let text = found.text();
    assert!(text.contains("at most 0.17") && text.contains("highest at the end 0"), "{text}");
}

#[test]
fn what_is_determined_only_together_is_named() {
    let normal = |y: f64| -50.0 * (y - 2.0) * (y - 2.0);
    let wide = Interval::new(0.01, 100.0);
    let product = Toy::new(&[("k1", wide, 1.0), ("k2", wide, 1.0)], move |x| {
        let slope = -100.0 * (x[0] * x[1] - 2.0);
        (normal(x[0] * x[1]), vec![slope * x[1], slope * x[0]])
    });
    let found = profile(&product, &[], 0.95).unwrap();
    assert!(
        found.text().contains("k1  ")
            && found.text().contains("is determined only up to its product with `k2`"),
        "{}",
        found.text()
    );
    let sum =
        Toy::new(&[("a", Interval::new(-5.0, 5.0), 1.0), ("b", Interval::new(-5.0, 5.0), 1.0)], move |x| {
            let slope = -100.0 * (x[0] + x[1] - 2.0);
            (normal(x[0] + x[1]), vec![slope, slope])
        });
    let found = profile(&sum, &["b".into()], 0.95).unwrap();
    assert_eq!(found.profiles.len(), 1);
    assert!(found.text().contains("its sum with `a`"), "{}", found.text());
    let nothing = Toy::new(&[("x", wide, 1.0)], |_| (-3.0, vec![0.0]));
    let found = profile(&nothing, &[], 0.95).unwrap();
    assert!(found.text().contains("is not determined by the data"), "{}", found.text());
}

#[test]
fn profiles_of_correlated_numbers_are_wider_than_their_slices() {
    // Precision [[2, 1.6], [1.6, 2]]: the profile's variance is the inverse's, 2 / 1.44.
    let toy = Toy::new(&[("a", Interval::any(), 5.0), ("b", Interval::any(), 5.0)], |x| {
        let (u, v) = (x[0] - 1.0, x[1] + 2.0);
        (-0.5 * (2.0 * u * u + 3.2 * u * v + 2.0 * v * v), vec![-2.0 * u - 1.6 * v, -2.0 * v - 1.6 * u])
    });
    let found = profile(&toy, &[], 0.95).unwrap();
    let half = 1.959_963_984_540_054 * (2.0f64 / 1.44).sqrt();
    for (profile, middle) in found.profiles.iter().zip([1.0, -2.0]) {
        let [low, high] = profile.interval().unwrap();
        assert!((low - middle + half).abs() < 1e-4 && (high - middle - half).abs() < 1e-4, "{low} {high}");
    }
}

#[test]
fn what_has_no_profile_is_said() {
    assert!(matches!(profile(&Toy::binomial(7.0, 10.0).noisy(1.0), &[], 0.95), Err(ProfileError::Noisy(_))));
    assert!(matches!(profile(&Toy::binomial(7.0, 10.0), &[], 1.0), Err(ProfileError::Level(_))));
    let error = profile(&Toy::binomial(7.0, 10.0), &["q".into()], 0.95).unwrap_err().to_string();
    assert!(error.contains("no parameter `q`"), "{error}");
    let never = Toy::new(&[("p", Interval::unit(), 0.5)], |_| (f64::NEG_INFINITY, vec![0.0]));
    assert!(matches!(profile(&never, &[], 0.95), Err(ProfileError::Impossible(_))));
    let about = Toy { kind: Kind::Approximate, ..Toy::binomial(7.0, 10.0) };
    assert!(profile(&about, &[], 0.95).unwrap().text().contains("approximate"));
}
