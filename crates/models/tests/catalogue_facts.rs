//! Checks the exact facts that the catalogue's pages state: means of small steps, percolation, currents, final sizes.
//!
//! Means over independent replicates are compared with exact values within 4.9 of their standard errors (false alarm
//! 1e-6 each) at pinned seeds; where a finite lattice or time enters, the bound is said at the place.
#![allow(clippy::unwrap_used)]

mod support;

use glauber_engine::Run;
use glauber_models::{MODELS, OptionValue};
use glauber_program::{Model, Scope};
use glauber_statistics::tolerance::{mean_within, shared, successes_within};
use support::{ALARM, assert_mean, given, invert, last, model, number, outputs, shape, word};

/// The observed numbers of one replicate after another.
fn sample(
    model: &Model,
    theta: &[f64],
    steps: usize,
    replicates: usize,
    trace: impl FnOnce(&Scope),
) -> Vec<f64> {
    outputs(model, Run::new(theta, steps).replicates(replicates).seed(7), &[steps], trace).values
}

fn ever_infected(s: &Scope) {
    s.output("ever", (1.0 - s.layer("state").is(0)).sum());
}

/// From one infected site each of z neighbours is infected with probability β: in every neighbourhood and dimension.
#[test]
fn first_steps_of_epidemics() {
    let name = "susceptible-infected-recovered";
    for (lengths, neighbourhood, z) in [
        (vec![9], "moore", 2.0),
        (vec![9, 8], "moore", 8.0),
        (vec![9, 8], "von-neumann", 4.0),
        (vec![9, 8], "hexagonal", 6.0),
        (vec![5, 6, 7], "moore", 26.0),
        (vec![5, 6, 7], "von-neumann", 6.0),
        (vec![9, 8], "all", 71.0),
    ] {
        for boundary in ["periodic", "reflecting", "fixed"] {
            let sir = model(
                name,
                &[shape(&lengths), word("neighbourhood", neighbourhood), word("boundary", boundary)],
            );
            let ever = sample(&sir, &[0.3, 0.5], 1, 4000, ever_infected);
            assert_mean(&format!("{neighbourhood} {boundary}"), &ever, 1.0 + z * 0.3, ALARM);
        }
    }
    let seir = model("susceptible-exposed-infected-recovered", &[shape(&[7, 7])]);
    let (beta, gamma) = (0.2, 0.3);
    let ever = sample(&seir, &[beta, 0.0, gamma], 2, 10_000, ever_infected);
    let never: f64 = (1.0 - beta) * (gamma + (1.0 - gamma) * (1.0 - beta));
    assert_mean("exposed", &ever, 1.0 + 8.0 * (1.0 - never), ALARM);
}

/// The share that escapes solves s = s₀ exp(−R₀ (1 − s)). With 40,000 sites and 400 infected at the start the finite
/// size moves the mean by order 1/400 of its spread: 0.002 besides the mean's own limit.
#[test]
fn final_size_of_a_well_mixed_epidemic() {
    let sir = model(
        "susceptible-infected-recovered",
        &[shape(&[200, 200]), word("neighbourhood", "all"), word("start", "random"), number("density", 0.01)],
    );
    for (beta, gamma) in [(4e-5, 1.0), (1.5e-5, 0.4), (1e-5, 0.5)] {
        let spread = -40_000.0 * f64::ln_1p(-beta) / gamma;
        let mut escaped: f64 = 0.5;
        for _ in 0..1000 {
            escaped = 0.99 * (-spread * (1.0 - escaped)).exp();
        }
        let theta = [beta, gamma];
        let run = Run::new(&theta, 300).replicates(24).seed(3);
        let left = outputs(&sir, run, &[300], |s| s.output("left", s.layer("state").is(0).mean()));
        let mean = left.mean()[0];
        let allowed = mean_within(left.standard_error()[0], ALARM) + 0.002;
        assert!((mean - escaped).abs() < allowed, "R0 {spread}: {mean} for {escaped} ± {allowed}");
    }
}

#[test]
fn first_step_of_the_contact_process_and_the_fire() {
    let process = model(
        "contact-process",
        &[shape(&[9, 9]), word("start", "centre"), number("time-step", 0.3), word("update", "synchronous")],
    );
    let occupied = sample(&process, &[2.5], 1, 10_000, |s| s.output("n", s.layer("occupied").sum()));
    assert_mean("contact", &occupied, (-0.3f64).exp() + 4.0 * (1.0 - (-0.3 * 2.5 / 4.0f64).exp()), ALARM);
    let fire = model("forest-fire", &[shape(&[9, 9])]);
    let flat = glauber_engine::FieldData::shared(vec![0u8; 81]);
    let run = Run::new(&[0.4, 1.0, 1.0, 0.0, 0.0, 0.3], 1)
        .replicates(10_000)
        .with_field("fuel", flat.clone())
        .with_field("elevation", flat);
    let burnt = outputs(&fire, run, &[1], ever_infected).values;
    let chance = |hazard: f64| 1.0 - (-hazard).exp();
    assert_mean("fire", &burnt, 1.0 + 4.0 * chance(0.4) + 4.0 * chance(0.4 / 2f64.sqrt()), ALARM);
}

/// Wind, slope and fuel act on the right neighbour with the right sign: one step from the centre, site by site.
#[test]
fn wind_blows_and_fire_climbs() {
    let fire = model("forest-fire", &[shape(&[3, 3])]);
    let (spread, fuel, slope, wind_y, wind_x) = (0.3, 0.7, 0.4, 0.2, -0.9);
    let height: Vec<f64> = (0..9).map(|i| f64::from(i * i) / 10.0).collect();
    let map: Vec<f64> = (0..9).map(|i| f64::from(i % 4)).collect();
    let theta = [spread, fuel, slope, wind_y, wind_x, 0.0];
    let run = Run::new(&theta, 1)
        .replicates(40_000)
        .with_field("fuel", glauber_engine::FieldData::shared(map.clone()))
        .with_field("elevation", glauber_engine::FieldData::shared(height.clone()));
    let frames = last(&fire, run);
    for site in (0..9).filter(|i| *i != 4) {
        let (dy, dx) = (f64::from(site as u8 / 3) - 1.0, f64::from(site as u8 % 3) - 1.0);
        let r = (dy * dy + dx * dx).sqrt();
        let log = fuel * map[site] + slope * (height[site] - height[4]) / r + (wind_y * dy + wind_x * dx) / r;
        // Site 7 stays with a chance of 1.4e-5: a normal law would not do. False alarm 1e-6 in all.
        let burns = frames.iter().filter(|f| f[0][site] > 0.5).count() as u64;
        let p = 1.0 - (-spread / r * log.exp()).exp();
        let within = successes_within(frames.len() as u64, p, shared(1e-6, 8));
        assert!(within.contains(&burns), "site {site}: {burns}, not {within:?}");
    }
}

/// Between 300 and 1,000 lifetimes the density falls by far below the critical point and stays above it; λ_c = 3.29785.
#[test]
fn the_contact_process_lives_above_its_critical_point() {
    let process = model("contact-process", &[shape(&[1000])]);
    let densities = |lambda: f64| {
        let theta = [lambda];
        let run = Run::new(&theta, 1_000).replicates(4).seed(5);
        outputs(&process, run, &[300, 1_000], |s| s.output("n", s.layer("occupied").mean())).mean()
    };
    let (below, above) = (densities(3.0), densities(3.5));
    assert!(below[1] < 0.2 * below[0] && below[1] < 0.02, "at 3.0: {below:?}");
    assert!(above[1] > 0.9 * above[0] && above[1] > 0.3, "at 3.5: {above:?}");
}

/// Three lines of the Domany–Kinzel model whose critical points are known, bracketed by ±0.02 (compact: exactly ½).
#[test]
fn directed_percolation_is_critical_where_it_should_be() {
    let kinzel = model("domany-kinzel", &[shape(&[2000])]);
    let density = |p1: f64, p2: f64| {
        let theta = [p1, p2];
        let run = Run::new(&theta, 3000).replicates(2).seed(9);
        outputs(&kinzel, run, &[3000], |s| s.output("n", s.layer("active").mean())).mean()[0]
    };
    let bonds = |p: f64| p * (2.0 - p);
    for (below, above) in [
        (density(0.705 - 0.02, 0.705 - 0.02), density(0.705 + 0.02, 0.705 + 0.02)),
        (density(0.645 - 0.02, bonds(0.645 - 0.02)), density(0.645 + 0.02, bonds(0.645 + 0.02))),
    ] {
        // At distance 0.02 the time to die out is about 0.02^-1.73 = 870 steps; above, the density is near 0.02^0.28.
        assert!(below < 0.05 && above > 0.25 && above > 8.0 * below, "{below} {above}");
    }
    // Every site but those without a parent: of a full lattice all have two.
    let one = sample(&kinzel, &[0.6, 0.9], 1, 10, |s| s.output("n", s.layer("active").sum()));
    let (seen, of) = (one.iter().sum::<f64>() as u64, 10 * 2000);
    assert!(successes_within(of, 0.9, ALARM).contains(&seen), "{seen} of {of}");
}

/// Compact directed percolation from one site survives with probability (2p − 1)/p², exactly. A run of 400 steps tells
/// survival from death up to a chance below 1e-6 at these p.
#[test]
fn compact_percolation_survives_as_often_as_a_walk_escapes() {
    let kinzel = model("domany-kinzel", &[shape(&[1000]), word("start", "centre")]);
    for p in [0.4, 0.7, 0.8] {
        let alive =
            sample(&kinzel, &[p, 1.0], 400, 2000, |s| s.output("n", s.layer("active").sum().min(1.0)));
        let wanted = if p > 0.5 { (2.0 * p - 1.0) / (p * p) } else { 0.0 };
        assert_mean(&format!("p = {p}"), &alive, wanted, ALARM);
    }
}

/// All states of a ring of `n` sites reachable in one voter step, with their probabilities.
fn voter_step(state: usize, n: usize, copying: f64) -> Vec<f64> {
    let up: Vec<f64> = (0..n)
        .map(|i| {
            let at = |j: usize| f64::from(u8::from(state >> (j % n) & 1 == 1));
            (1.0 - copying) * at(i) + copying * 0.5 * (at(i + 1) + at(i + n - 1))
        })
        .collect();
    let chance = |next: usize| (0..n).map(|i| if next >> i & 1 == 1 { up[i] } else { 1.0 - up[i] }).product();
    (0..1 << n).map(chance).collect()
}

/// Mean times to consensus on a ring, from the transition matrix: T = (1 − Q)⁻¹ 1 over the states without consensus.
#[test]
fn voters_agree_after_the_exact_mean_time() {
    let (n, copying) = (6, 0.6);
    let open: Vec<usize> = (1..(1 << n) - 1).collect();
    let rows: Vec<Vec<f64>> = open
        .iter()
        .map(|from| {
            let chance = voter_step(*from, n, copying);
            open.iter().map(|to| f64::from(u8::from(from == to)) - chance[*to]).collect()
        })
        .collect();
    let inverse = invert(&rows);
    let start = 0b000111;
    let wanted: f64 = inverse[open.iter().position(|s| *s == start).unwrap()].iter().sum();
    let voter = model("voter", &[shape(&[n])]);
    let bits: Vec<u8> = (0..n).map(|i| (start >> i & 1) as u8).collect();
    let times: Vec<usize> = (0..300).collect();
    let theta = [copying, 0.0];
    let run = Run::new(&theta, 300).replicates(3000).seed(2).start(given(&[bits]));
    let seen = outputs(&voter, run, &times, |s| {
        let share = s.layer("opinion").mean();
        s.output("disagree", share.greater(0.0) * share.less(1.0));
        s.output("share", share);
    });
    // The number of times without consensus is the time to it; 300 steps cut off less than 1e-6 of its mean.
    let rows = || seen.values.chunks_exact(seen.width);
    let waits: Vec<f64> = rows().map(|row| row.iter().step_by(2).sum()).collect();
    assert_mean("time to consensus", &waits, wanted, ALARM);
    // The mean opinion never changes.
    let late: Vec<f64> = rows().map(|row| row[row.len() - 1]).collect();
    assert_mean("share", &late, 0.5, ALARM);
}

#[test]
fn a_glider_glides() {
    let life = model("game-of-life", &[shape(&[12, 10])]);
    let cells = [(1, 2), (2, 3), (3, 1), (3, 2), (3, 3)];
    let picture = |shift: usize| {
        let mut state = vec![0u8; 120];
        cells.iter().for_each(|(y, x)| state[(y + shift) % 12 * 10 + (x + shift) % 10] = 1);
        state
    };
    for quarter in 0..8 {
        let run = Run::new(&[1.0, 1.0, 0.0], 4 * quarter).start(given(&[picture(0)]));
        let found = &last(&life, run)[0][0];
        let wanted: Vec<f64> = picture(quarter).into_iter().map(f64::from).collect();
        assert_eq!(*found, wanted, "after {} steps", 4 * quarter);
    }
    // With noise only: every site alive with probability ε.
    let alive = sample(&life, &[0.0, 0.0, 0.2], 1, 2000, |s| s.output("n", s.layer("alive").mean()));
    assert_mean("noise", &alive, 0.2, ALARM);
}

/// The current of a small ring, exactly: mean number of moves per step in the stationary state of all arrangements.
fn ring_current(sites: usize, particles: u32, p: f64) -> f64 {
    let states: Vec<usize> = (0..1 << sites).filter(|s: &usize| s.count_ones() == particles).collect();
    let movable = |s: usize| -> Vec<usize> {
        (0..sites).filter(|i| s >> i & 1 == 1 && s >> ((i + 1) % sites) & 1 == 0).collect()
    };
    let mut weight = vec![1.0 / states.len() as f64; states.len()];
    for _ in 0..2000 {
        let mut next = vec![0.0; states.len()];
        for (state, w) in states.iter().zip(&weight) {
            let free = movable(*state);
            for choice in 0..1usize << free.len() {
                let moved = free.iter().enumerate().filter(|(k, _)| choice >> k & 1 == 1);
                let after = moved.fold(*state, |s, (_, i)| s ^ (1 << i) ^ (1 << ((i + 1) % sites)));
                let count = choice.count_ones() as i32;
                let chance = p.powi(count) * (1.0 - p).powi(free.len() as i32 - count);
                next[states.binary_search(&after).unwrap()] += w * chance;
            }
        }
        weight = next;
    }
    states.iter().zip(&weight).map(|(s, w)| w * p * movable(*s).len() as f64).sum::<f64>() / sites as f64
}

/// `particles` of `sites` places, at random: the stationary state in the limit of small p.
fn shuffled(sites: usize, particles: usize) -> Vec<u8> {
    let mut state: Vec<u8> = (0..sites).map(|i| u8::from(i < particles)).collect();
    let mut word = 12_345u64;
    for i in (1..sites).rev() {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.swap(i, (word >> 33) as usize % (i + 1));
    }
    state
}

/// Observes p × the share of particles that may move: the mean current given the state.
fn current(s: &Scope) {
    let occupied = s.layer("occupied");
    s.output("current", s.parameter("hop") * (occupied * (1.0 - occupied.shift([0, 0, 1]))).mean());
}

#[test]
fn driven_particles_carry_the_exact_current() {
    let (sites, p) = (8, 0.6);
    let ring = model("exclusion", &[shape(&[sites])]);
    let theta = [p];
    let run = Run::new(&theta, 400).replicates(2000).seed(4).start(given(&[vec![1, 1, 1, 0, 0, 0, 0, 0]]));
    let times: Vec<usize> = (100..=400).step_by(5).collect();
    let seen = outputs(&ring, run, &times, current);
    let means: Vec<f64> =
        seen.values.chunks_exact(seen.width).map(|row| row.iter().sum::<f64>() / row.len() as f64).collect();
    assert_mean("small ring", &means, ring_current(sites, 3, p), ALARM);
    // Particles are conserved, and a large ring carries (1 − √(1 − 4pρ(1 − ρ)))/2; its own size moves that by
    // less than 1/sites.
    for (p, density) in [(0.5, 0.5), (0.9, 0.25), (0.02, 0.5)] {
        let sites = 1600;
        let ring = model("exclusion", &[shape(&[sites])]);
        let start = shuffled(sites, (density * sites as f64) as usize);
        let theta = [p];
        let steps = if p < 0.1 { 20_000 } else { 4000 };
        let times: Vec<usize> = (steps / 2..=steps).step_by(100).collect();
        let seen = outputs(
            &ring,
            Run::new(&theta, steps).replicates(8).seed(6).start(given(&[start])),
            &times,
            |s| {
                current(s);
                s.output("particles", s.layer("occupied").sum());
            },
        );
        let rows = seen.values.chunks_exact(seen.width);
        let means: Vec<f64> =
            rows.clone().map(|r| r.iter().step_by(2).sum::<f64>() * 2.0 / r.len() as f64).collect();
        let free: f64 = density * (1.0 - density);
        let wanted = (1.0 - (1.0 - 4.0 * p * free).sqrt()) / 2.0;
        let mean = means.iter().sum::<f64>() / 8.0;
        assert!((mean / wanted - 1.0).abs() < 0.01, "p = {p}, density {density}: {mean} for {wanted}");
        if p < 0.1 {
            assert!((mean / p - free).abs() < 0.01 * free + p * free * free, "{} for {free}", mean / p);
        }
        for row in rows {
            assert!(row.iter().skip(1).step_by(2).all(|n| (n - density * sites as f64).abs() < 0.5));
        }
    }
}

/// Means and variances of the linear birth–death–immigration process, step by step; migration changes neither.
#[test]
fn births_deaths_and_arrivals_have_their_moments() {
    let (b, d, nu, m) = (0.1, 0.15, 0.4, 0.3);
    for boundary in ["periodic", "reflecting"] {
        let gas = model("birth-death-migration", &[shape(&[4, 5]), word("boundary", boundary)]);
        let theta = [b, d, nu, m];
        let run = Run::new(&theta, 12).replicates(6000).seed(8).start(given(&[vec![6; 20]]));
        let totals = outputs(&gas, run, &[12], |s| s.output("n", s.layer("particles").sum())).values;
        let (mut mean, mut variance) = (120.0, 0.0);
        let a = 1.0 + b - d;
        for _ in 0..12 {
            variance = a * a * variance + (b * (1.0 - b) + d * (1.0 - d)) * mean + 20.0 * nu;
            mean = a * mean + 20.0 * nu;
        }
        assert_mean(boundary, &totals, mean, ALARM);
        let squares: Vec<f64> = totals.iter().map(|n| (n - mean) * (n - mean)).collect();
        assert_mean(boundary, &squares, variance, ALARM);
    }
}

#[test]
fn gray_scott_conserves_and_is_bistable() {
    let closed = model("gray-scott", &[shape(&[10, 10])]);
    let theta = [1.0, 0.0, 0.0, 0.3, 0.2];
    let total = |steps| -> f64 {
        let frames = last(&closed, Run::new(&theta, steps).seed(3));
        frames[0].iter().flatten().sum()
    };
    assert!((total(0) - total(300)).abs() < 0.5 && total(0) > 2500.0);
    // Without hops at large scale a site follows the rate equations; its mean differs by order 1/scale.
    let scale = 400.0;
    let stirred = model(
        "gray-scott",
        &[
            shape(&[40, 40]),
            ("hops", OptionValue::Flag(false)),
            number("scale", scale),
            number("capacity", 1600.0),
            number("time-step", 0.002),
            word("start", "spot"),
        ],
    );
    let (k, feed, kill) = (1.0, 0.1, 0.03);
    let theta = [k, feed, kill];
    let run = Run::new(&theta, 20_000).seed(4).start(vec![
        glauber_engine::FieldData::shared(vec![200.0; 1600]),
        glauber_engine::FieldData::shared(vec![160.0; 1600]),
    ]);
    let seen = outputs(&stirred, run, &[20_000], |s| {
        s.output("u", s.layer("U").mean());
        s.output("v", s.layer("V").mean());
    });
    let root = (1.0 - 4.0 * (feed + kill) * (feed + kill) / feed).sqrt();
    let v = (1.0 + root) * feed / (2.0 * (feed + kill));
    let u = (1.0 - root) / 2.0;
    let found = [seen.values[0] / scale, seen.values[1] / scale];
    assert!((found[0] - u).abs() < 0.03 && (found[1] - v).abs() < 0.03, "{found:?} for {u}, {v}");
    let none = model("gray-scott", &[shape(&[10, 10]), word("start", "empty")]);
    let seen = outputs(&none, Run::new(&[1.0, 0.1, 0.03, 0.1, 0.1], 500), &[500], |s| {
        s.output("v", s.layer("V").sum())
    });
    assert!(seen.values[0].abs() < 0.5, "without V there is none");
}

/// Every model runs from its defaults, in every number of dimensions and with every boundary it takes.
#[test]
fn every_model_runs_where_it_may() {
    for entry in MODELS {
        let mut runs = 0;
        for lengths in [vec![12], vec![8, 10], vec![4, 6, 8]] {
            for boundary in ["periodic", "reflecting", "fixed", "free", "open"] {
                let mut options = glauber_models::ModelOptions::none();
                if entry.name == "persistent-random-walk" {
                    options.set("walkers", OptionValue::Number(50.0));
                } else if entry.name == "scratch-assay" {
                    options.set("shape", shape(&lengths).1);
                } else {
                    options.set("shape", shape(&lengths).1);
                    options.set("boundary", OptionValue::Text(boundary.into()));
                }
                let Ok(loaded) = glauber_model_file::load(entry.name, &options) else { continue };
                let parameters = &loaded.model.declarations().parameters;
                let theta: Vec<f64> = parameters.iter().map(|p| p.default.unwrap()).collect();
                let mut run = Run::new(&theta, 5).replicates(2);
                for (name, numbers) in loaded.fields(&[], |_| Err("none".into())).unwrap() {
                    run = run.with_field(&name, glauber_engine::FieldData::shared(numbers));
                }
                assert_eq!(last(&loaded.model, run).len(), 2);
                runs += 1;
            }
        }
        assert!(runs >= 2, "{}", entry.name);
    }
}

/// No parameter of the catalogue acts through comparisons alone, but for Schelling's, and those that do in part are known:
/// what particles hop depends on where there is room.
#[test]
fn parameters_of_the_catalogue_have_derivatives() {
    for entry in MODELS.iter().filter(|entry| entry.name != "schelling") {
        let found = model(entry.name, &[]).slopeless(true, false);
        let told: Vec<&String> = found.iter().flat_map(|one| &one.parameters).collect();
        assert!(found.iter().all(|one| one.only.is_empty()), "{}: {found:?}", entry.name);
        // Where cells are drawn to move is compared with where their daughters went.
        let known = ["gray-scott", "scratch-assay"].contains(&entry.name);
        assert!(told.is_empty() || known, "{}: {found:?}", entry.name);
    }
    let paper = model("malevanets-kapral", &[word("excitation", "paper")]).slopeless(true, false);
    assert!(paper.is_empty(), "{paper:?}");
}
