//! Compares draws with posteriors that are known: by NUTS, by the random walk, by a noisy likelihood.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod toys;

use glauber_inference::density::Density;
use glauber_inference::likelihood::{Interval, Likelihood};
use glauber_inference::posterior::{Posterior, PosteriorError, Sampler, Settings, sample};
use glauber_inference::prior::Prior;
use glauber_statistics::tolerance::mean_within;
use toys::Toy;

fn drawn(density: &Density, settings: Settings) -> Posterior {
    sample(density, settings, &|| false, &|_, _| {}).unwrap()
}

fn density(toy: Toy, priors: &[(&str, &str)]) -> Density {
    let priors: Vec<(String, Prior)> =
        priors.iter().map(|(name, text)| (name.to_string(), Prior::parse(text).unwrap())).collect();
    Density::new(toy.another(), &priors).unwrap()
}

/// Whether the mean and sd of draws are these, each but for one seed in 10,000; of effective draws as many as were counted.
fn agrees(posterior: &Posterior, place: usize, mean: f64, sd: f64) {
    let (summary, own) = (posterior.summaries()[place], posterior.agreement[place]);
    assert!((summary.mean - mean).abs() < mean_within(sd / own.bulk.sqrt(), 1e-4), "{}", posterior.text());
    // The sd of an sd over n normal draws is sd/√2n; heavier tails than normal ones: twice that.
    let within = 2.0 * mean_within(sd / (2.0 * own.tail.min(own.bulk)).sqrt(), 1e-4);
    assert!((summary.sd - sd).abs() < within, "{} {}", summary.sd, posterior.text());
}

#[test]
fn a_binomial_number_has_its_beta_posterior() {
    // 7 of 10 with the prior beta(2, 3): beta(9, 6).
    let (mean, sd) = (9.0 / 15.0, (9.0 * 6.0 / (225.0 * 16.0f64)).sqrt());
    let own = density(Toy::binomial(7.0, 10.0), &[("p", "beta(2, 3)")]);
    for sampler in Sampler::ALL {
        let draws = if sampler == Sampler::Nuts { 1500 } else { 6000 };
        let settings = Settings { draws, sampler: Some(sampler), ..Settings::default() };
        let posterior = drawn(&own, settings);
        assert!(posterior.trusted(), "{}", posterior.text());
        assert!(posterior.verdict().contains("agree"), "{}", posterior.text());
        agrees(&posterior, 0, mean, sd);
    }
}

#[test]
fn a_noisy_likelihood_gives_the_same_posterior() {
    // ln L known to a standard deviation of 1.2 only: fewer draws, the same law.
    let own = density(Toy::binomial(7.0, 10.0).noisy(1.2), &[]);
    let (a, b) = (8.0, 4.0);
    let sd = (a * b / ((a + b) * (a + b) * (a + b + 1.0f64))).sqrt();
    let posterior = drawn(&own, Settings { draws: 12_000, warm_up: 2000, seed: 7, ..Settings::default() });
    assert_eq!(posterior.sampler, Sampler::RandomWalk);
    assert!(posterior.most_rhat() < 1.01, "{}", posterior.text());
    agrees(&posterior, 0, a / (a + b), sd);
    let noise = posterior.noise.unwrap();
    assert!((0.9..1.5).contains(&noise), "{noise}");
    assert!(posterior.text().contains("ln likelihood is simulated"), "{}", posterior.text());
    // Where it is far too noisy, that is said.
    let far = density(Toy::binomial(7.0, 10.0).noisy(6.0), &[]);
    let stuck = drawn(&far, Settings { draws: 500, warm_up: 300, ..Settings::default() });
    assert!(!stuck.trusted() && stuck.text().contains("more particles"), "{}", stuck.text());
}

#[test]
fn correlated_normal_numbers_keep_their_means_and_widths() {
    // Precision [[2, 1.6], [1.6, 2]] about (1, −2), the second number's prior uniform over a wide interval.
    let toy = Toy::new(&[("a", Interval::any(), 0.0), ("b", Interval::new(-40.0, 40.0), 0.0)], |x| {
        let (u, v) = (x[0] - 1.0, x[1] + 2.0);
        (-0.5 * (2.0 * u * u + 3.2 * u * v + 2.0 * v * v), vec![-2.0 * u - 1.6 * v, -2.0 * v - 1.6 * u])
    });
    let own = density(toy, &[("a", "uniform(-50, 50)")]);
    let posterior = drawn(&own, Settings { draws: 2000, ..Settings::default() });
    let sd = (2.0f64 / (4.0 - 2.56)).sqrt();
    agrees(&posterior, 0, 1.0, sd);
    agrees(&posterior, 1, -2.0, sd);
}

#[test]
fn draws_depend_on_the_seed_and_not_on_threads() {
    let own = density(Toy::binomial(7.0, 10.0), &[]);
    for sampler in Sampler::ALL {
        let settings = Settings { draws: 100, warm_up: 100, sampler: Some(sampler), ..Settings::default() };
        let with = |threads: usize, seed: u64| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| drawn(&own, Settings { seed, ..settings }))
        };
        let one = with(1, 5);
        assert_eq!(one, with(3, 5));
        assert_ne!(one.draws, with(1, 6).draws);
        // Each draw has the density that is said of it.
        for (chain, values) in one.log_density.iter().enumerate() {
            for (draw, value) in values.iter().enumerate() {
                let at = one.draws[0][chain][draw];
                let right = 7.0 * at.ln() + 3.0 * (1.0 - at).ln();
                assert!((value - right).abs() < 1e-9, "{value} {right}");
            }
        }
    }
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let own = density(Toy::binomial(7.0, 10.0).noisy(1.0), &[]);
    let settings = Settings { sampler: Some(Sampler::Nuts), ..Settings::default() };
    let error = sample(&own, settings, &|| false, &|_, _| {}).unwrap_err();
    assert!(error.to_string().contains("without noise"), "{error}");
    let error =
        sample(&own, Settings { draws: 1, ..Settings::default() }, &|| false, &|_, _| {}).unwrap_err();
    assert!(error.to_string().contains("`draws` is 1"), "{error}");
    let never = density(Toy::new(&[("p", Interval::unit(), 0.5)], |_| (f64::NEG_INFINITY, vec![0.0])), &[]);
    let error = sample(&never, Settings::default(), &|| false, &|_, _| {}).unwrap_err();
    assert!(matches!(error, PosteriorError::Nowhere { .. }), "{error}");
    let stopped = sample(&density(Toy::binomial(7.0, 10.0), &[]), Settings::default(), &|| true, &|_, _| {});
    assert!(matches!(stopped, Err(PosteriorError::Interrupted)));
    // Improper, of nothing that is fitted, twice, 0 at the start.
    let toy = Toy::new(&[("rate", Interval::positive(), 1.0)], |x| (-x[0], vec![-1.0]));
    let refused = |priors: &[(&str, &str)]| {
        let priors: Vec<(String, Prior)> =
            priors.iter().map(|(name, text)| (name.to_string(), Prior::parse(text).unwrap())).collect();
        Density::new(toy.another(), &priors).err().unwrap().to_string()
    };
    assert!(refused(&[]).contains("improper"));
    assert!(refused(&[("rat", "gamma(1, 1)")]).contains("did you mean `rate`"));
    assert!(refused(&[("rate", "gamma(1, 1)"), ("rate", "gamma(1, 1)")]).contains("two priors"));
    assert!(refused(&[("rate", "uniform(2, 3)")]).contains("start of `rate`"));
}

#[test]
fn two_places_far_apart_are_not_called_a_posterior() {
    // Two needles: each chain stays at the one that it fell to.
    let toy = Toy::new(&[("x", Interval::new(-10.0, 10.0), 0.0)], |x| {
        let (a, b) = (-500.0 * (x[0] - 4.0).powi(2), -500.0 * (x[0] + 4.0).powi(2));
        if a > b { (a, vec![-1000.0 * (x[0] - 4.0)]) } else { (b, vec![-1000.0 * (x[0] + 4.0)]) }
    });
    let posterior = drawn(&density(toy, &[]), Settings { draws: 200, warm_up: 200, ..Settings::default() });
    assert!(!posterior.trusted() && posterior.verdict().contains("do not agree"), "{}", posterior.text());
    assert_eq!(posterior.object()["trusted"], false);
}

#[test]
fn free_and_natural_densities_are_one() {
    let toy = Toy::new(&[("a", Interval::positive(), 1.0), ("b", Interval::new(-1.0, 3.0), 0.0)], |x| {
        (-x[0] * x[0] - x[1], vec![-2.0 * x[0], -1.0])
    });
    let mut own = density(toy, &[("a", "gamma(2, 3)"), ("b", "normal(0, 1)")]);
    let (free, mut slopes) = ([0.3, -0.8], [0.0; 2]);
    let value = own.free_value_and_gradient(&free, &mut slopes).unwrap();
    let natural = own.to_natural(&free);
    assert!((own.value(&natural, 0).unwrap() + own.log_jacobian(&free) - value).abs() < 1e-12);
    assert!(own.to_free(&natural).iter().zip(free).all(|(a, b)| (a - b).abs() < 1e-12));
    for i in 0..2 {
        let at = |step: f64, own: &mut Density| {
            let mut moved = free;
            moved[i] += step;
            own.free_value(&moved, 0).unwrap()
        };
        let by_difference = (at(1e-6, &mut own) - at(-1e-6, &mut own)) / 2e-6;
        assert!((slopes[i] - by_difference).abs() < 1e-6, "{i}: {} {by_difference}", slopes[i]);
    }
    assert_eq!(own.value(&[-1.0, 0.0], 0).unwrap(), f64::NEG_INFINITY);
    assert_eq!(own.value(&[f64::NAN, 0.0], 0).unwrap(), f64::NEG_INFINITY);
}
