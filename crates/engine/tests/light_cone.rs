//! Gradients within light cones, compared with the exact derivative of an expectation over all states of small lattices.
//!
//! Every state is followed with its probability, step by step; the derivative is that of the sum. All kinds of draws,
//! several layers, edges, draws that move within a step, sums over the lattice, several times of observation. False
//! alarm: 10⁻³ for the file.
#![allow(clippy::unwrap_used)]

use glauber_engine::{FieldData, LossValue, Options, Plan, Run};
use glauber_lattice::{Lattice, Values, VonNeumann};
use glauber_program::estimators::LightCone;
use glauber_program::{Interval, Model, Program};
use glauber_statistics::tolerance::{mean_within, shared};

/// A small world: its model, and the same written out for all states.
struct World {
    name: &'static str,
    model: Model,
    seen: Program,
    sites: usize,
    /// How many states a site has, and how many outcomes its draws.
    states: usize,
    outcomes: usize,
    theta: Vec<f64>,
    /// The chances of a site's draws, by θ and the state before.
    law: fn(&[f64], &[u8], usize) -> Vec<f64>,
    /// A site's next state, by the state before and all sites' draws.
    next: fn(&[u8], &[u8], usize) -> u8,
    /// The layers' values of a site's state.
    layers: fn(u8) -> Vec<u8>,
    /// What is observed.
    outputs: fn(&[u8]) -> Vec<f64>,
    start: Vec<u8>,
    /// Where the start is drawn: the chance of state 1.
    drawn: Option<fn(&[f64]) -> f64>,
    times: Vec<usize>,
}

const REPLICATES: usize = 12;
const BATCHES: usize = 1500;
/// How many gradients are compared in the whole file.
const COMPARED: usize = 24;

fn digits(mut number: usize, base: usize, count: usize) -> Vec<u8> {
    let digit = |_| {
        let own = number % base;
        number /= base;
        own as u8
    };
    (0..count).map(digit).collect()
}

fn number(digits: &[u8], base: usize) -> usize {
    digits.iter().rev().fold(0, |sum, d| sum * base + *d as usize)
}

impl World {
    /// The weight of each observed number in the loss.
    fn slopes(&self) -> Vec<f64> {
        let width = self.seen.declarations().outputs.len();
        (0..self.times.len() * width).map(|k| [1.0, -0.4, 0.7][k % 3]).collect()
    }

    /// E(loss) at θ.
    fn expected(&self, theta: &[f64]) -> f64 {
        let all = self.states.pow(self.sites as u32);
        let mut chances = vec![0.0; all];
        match self.drawn {
            None => chances[number(&self.start, self.states)] = 1.0,
            Some(p) => {
                let p = p(theta);
                for code in 0..2usize.pow(self.sites as u32) {
                    let state = digits(code, 2, self.sites);
                    let chance = state.iter().map(|d| if *d == 1 { p } else { 1.0 - p }).product();
                    chances[number(&state, self.states)] = chance;
                }
            }
        }
        let (slopes, width) = (self.slopes(), self.seen.declarations().outputs.len());
        let mut total = 0.0;
        for step in 0..=*self.times.last().unwrap() {
            for (event, _) in self.times.iter().enumerate().filter(|(_, at)| **at == step) {
                for (code, chance) in chances.iter().enumerate().filter(|(_, c)| **c > 0.0) {
                    let outputs = (self.outputs)(&digits(code, self.states, self.sites));
                    let own = outputs.iter().zip(&slopes[event * width..]).map(|(o, s)| o * s).sum::<f64>();
                    total += chance * own;
                }
            }
            let mut after = vec![0.0; all];
            for (code, chance) in chances.iter().enumerate().filter(|(_, c)| **c > 0.0) {
                let before = digits(code, self.states, self.sites);
                let laws: Vec<Vec<f64>> =
                    (0..self.sites).map(|site| (self.law)(theta, &before, site)).collect();
                for drawn in 0..self.outcomes.pow(self.sites as u32) {
                    let draws = digits(drawn, self.outcomes, self.sites);
                    let own: f64 = laws.iter().zip(&draws).map(|(law, d)| law[*d as usize]).product();
                    if own > 0.0 {
                        let next: Vec<u8> =
                            (0..self.sites).map(|site| (self.next)(&before, &draws, site)).collect();
                        after[number(&next, self.states)] += chance * own;
                    }
                }
            }
            chances = after;
        }
        total
    }

    fn exact(&self, place: usize) -> f64 {
        let slope = |h: f64| {
            let at = |sign: f64| {
                let mut theta = self.theta.clone();
                theta[place] += sign * h;
                self.expected(&theta)
            };
            (at(1.0) - at(-1.0)) / (2.0 * h)
        };
        // Richardson: of order h⁴, some 1e-8.
        (4.0 * slope(0.01) - slope(0.02)) / 3.0
    }

    /// Mean and standard error of a gradient.
    fn estimated(&self, estimator: &LightCone) -> Vec<(f64, f64)> {
        let plan =
            Plan::new(&self.model, &[self.seen.clone().into()], Some(estimator), Options::default()).unwrap();
        let slopes = self.slopes();
        let steps = *self.times.last().unwrap();
        let loss = |_: &[f64]| LossValue { value: 0.0, slopes: slopes.clone() };
        let layers = (self.layers)(0).len();
        let start: Vec<FieldData> = (0..layers)
            .map(|k| FieldData::shared(self.start.iter().map(|s| (self.layers)(*s)[k]).collect::<Vec<u8>>()))
            .collect();
        let batches: Vec<Vec<f64>> = (0..BATCHES)
            .map(|batch| {
                let mut run = Run::new(&self.theta, steps).replicates(REPLICATES).seed(batch as u64 + 1);
                for at in &self.times {
                    run = run.observe(*at, 0);
                }
                if self.drawn.is_none() {
                    run = run.start(start.clone());
                }
                plan.gradient(&run, &loss).unwrap().parameters
            })
            .collect();
        (0..self.theta.len())
            .map(|k| {
                let n = BATCHES as f64;
                let mean = batches.iter().map(|b| b[k]).sum::<f64>() / n;
                let square = batches.iter().map(|b| (b[k] - mean).powi(2)).sum::<f64>();
                (mean, (square / (n - 1.0) / n).sqrt())
            })
            .collect()
    }

    /// How far each parameter's gradient is off the exact one, in standard errors; and that the test could tell.
    fn off(&self, estimator: &LightCone) -> Vec<f64> {
        let found = self.estimated(estimator);
        let off = found.iter().enumerate().map(|(k, (mean, error))| {
            let exact = self.exact(k);
            assert!(*error < 0.08 * exact.abs(), "{}: {mean} ± {error} of {exact} tells nothing", self.name);
            (mean - exact) / error
        });
        off.collect()
    }

    fn is_unbiased(&self) {
        let bound = mean_within(1.0, shared(1e-3, COMPARED));
        let off = self.off(&LightCone::default());
        assert!(off.iter().all(|z| z.abs() < bound), "{}: off by {off:?} standard errors", self.name);
    }
}

fn around(state: &[u8], site: usize, periodic: bool) -> f64 {
    let n = state.len();
    let read = |at: i64| match periodic {
        true => f64::from(state[at.rem_euclid(n as i64) as usize]),
        false => state.get(at as usize).map_or(0.0, |s| f64::from(*s)),
    };
    read(site as i64 - 1) + read(site as i64 + 1)
}

fn one_layer(state: u8) -> Vec<u8> {
    vec![state]
}

fn share(state: &[u8]) -> Vec<f64> {
    vec![state.iter().map(|s| f64::from(*s)).sum::<f64>() / state.len() as f64]
}

fn coin(p: f64) -> Vec<f64> {
    vec![1.0 - p, p]
}

fn own_draw(_: &[u8], draws: &[u8], site: usize) -> u8 {
    draws[site]
}

fn contact(lattice: Lattice) -> Model {
    Model::build("contact", lattice)
        .layer("on", Values::binary())
        .parameter("birth", Interval::unit())
        .parameter("death", Interval::unit())
        .step(|s| {
            let on = s.layer("on");
            let n = on.neighbours_all_round(VonNeumann).sum();
            let born = 1.0 - (1.0 - s.parameter("birth")).pow(n);
            s.next("on").bernoulli(on * (1.0 - s.parameter("death")) + (1.0 - on) * born);
        })
        .unwrap()
}

fn mean_of(model: &Model, layer: &str) -> Program {
    model.observe(|s| s.output("mean", s.layer(layer).mean())).unwrap()
}

fn contact_on_a_ring() -> World {
    let model = contact(Lattice::line(8));
    World {
        name: "contact on a ring",
        seen: mean_of(&model, "on"),
        model,
        sites: 8,
        states: 2,
        outcomes: 2,
        theta: vec![0.35, 0.3],
        law: |theta, state, site| {
            let born = 1.0 - (1.0 - theta[0]).powf(around(state, site, true));
            coin(if state[site] == 1 { 1.0 - theta[1] } else { born })
        },
        next: own_draw,
        layers: one_layer,
        outputs: share,
        start: vec![1, 0, 0, 1, 0, 0, 0, 1],
        drawn: None,
        times: vec![1, 2, 4],
    }
}

#[test]
fn bernoulli_draws_on_a_ring_at_several_times() {
    contact_on_a_ring().is_unbiased();
}

#[test]
fn a_cone_that_is_cut_off_is_biased() {
    let world = contact_on_a_ring();
    let world = World { times: vec![4], theta: vec![0.5, 0.1], ..world };
    let bound = mean_within(1.0, shared(1e-3, COMPARED));
    let off = world.off(&LightCone { radius: Some(1) });
    assert!(off[0].abs() > bound, "no bias was found where there is one: {off:?}");
    world.is_unbiased();
}

#[test]
fn fixed_edges_and_a_drawn_start() {
    let lattice = Lattice::line(8).fixed(0.0);
    let model = Model::build("spread", lattice)
        .layer("on", Values::binary())
        .parameter("beta", Interval::unit())
        .parameter("first", Interval::unit())
        .start(|s| s.next("on").bernoulli(s.parameter("first")))
        .step(|s| {
            let on = s.layer("on");
            let n = on.neighbours_all_round(VonNeumann).sum();
            s.next("on").bernoulli(on + (1.0 - on) * (1.0 - (1.0 - s.parameter("beta")).pow(n)));
        })
        .unwrap();
    let world = World {
        name: "spread with edges",
        seen: mean_of(&model, "on"),
        model,
        sites: 8,
        states: 2,
        outcomes: 2,
        theta: vec![0.3, 0.2],
        law: |theta, state, site| {
            let falls = 1.0 - (1.0 - theta[0]).powf(around(state, site, false));
            coin(if state[site] == 1 { 1.0 } else { falls })
        },
        next: own_draw,
        layers: one_layer,
        outputs: share,
        start: vec![0; 8],
        drawn: Some(|theta| theta[1]),
        times: vec![2],
    };
    world.is_unbiased();
}

/// On 3 × 3 sites.
#[test]
fn bernoulli_draws_in_two_dimensions() {
    let model = contact(Lattice::square(3).reflecting());
    let world = World {
        name: "contact on 3 × 3",
        seen: mean_of(&model, "on"),
        model,
        sites: 9,
        states: 2,
        outcomes: 2,
        theta: vec![0.3, 0.3],
        law: |theta, state, site| {
            let (y, x) = ((site / 3) as i64, (site % 3) as i64);
            let read = |y: i64, x: i64| f64::from(state[(y.clamp(0, 2) * 3 + x.clamp(0, 2)) as usize]);
            let n = read(y - 1, x) + read(y + 1, x) + read(y, x - 1) + read(y, x + 1);
            coin(if state[site] == 1 { 1.0 - theta[1] } else { 1.0 - (1.0 - theta[0]).powf(n) })
        },
        next: own_draw,
        layers: one_layer,
        outputs: share,
        start: vec![1, 0, 0, 0, 0, 0, 0, 1, 0],
        drawn: None,
        times: vec![2],
    };
    world.is_unbiased();
}

#[test]
fn categorical_draws_of_named_states() {
    let model = Model::build("illness", Lattice::line(6))
        .layer("state", Values::categories(&["well", "ill", "over"]))
        .parameter("beta", Interval::unit())
        .parameter("gamma", Interval::unit())
        .step(|s| {
            let state = s.layer("state");
            let (well, ill, over) = (state.is(0), state.is(1), state.is(2));
            let n = state.neighbours_all_round(VonNeumann).count(1);
            let falls = well * (1.0 - (1.0 - s.parameter("beta")).pow(n));
            let heals = ill * s.parameter("gamma");
            let [to_ill, to_over] = [ill - heals + falls, over + heals];
            s.next("state").categorical(&[(well - falls).into(), to_ill.into(), to_over.into()]);
        })
        .unwrap();
    let seen = model.observe(|s| {
        s.output("ill", s.layer("state").is(1).mean());
        s.output("over", s.layer("state").is(2).sum());
    });
    let world = World {
        name: "illness",
        seen: seen.unwrap(),
        model,
        sites: 6,
        states: 3,
        outcomes: 3,
        theta: vec![0.4, 0.3],
        law: |theta, state, site| {
            let n = state.len();
            let ill = |at: usize| if state[at % n] == 1 { 1.0 } else { 0.0 };
            match state[site] {
                0 => {
                    let falls = 1.0 - (1.0 - theta[0]).powf(ill(site + 1) + ill(site + n - 1));
                    vec![1.0 - falls, falls, 0.0]
                }
                1 => vec![0.0, 1.0 - theta[1], theta[1]],
                _ => vec![0.0, 0.0, 1.0],
            }
        },
        next: own_draw,
        layers: one_layer,
        outputs: |state| {
            let count = |k: u8| state.iter().filter(|s| **s == k).count() as f64;
            vec![count(1) / 6.0, count(2)]
        },
        start: vec![0, 1, 0, 0, 0, 0],
        drawn: None,
        times: vec![1, 3],
    };
    world.is_unbiased();
}

fn binomial(n: u8, p: f64) -> Vec<f64> {
    let choose = |k: u8| (0..k).map(|j| f64::from(n - j) / f64::from(j + 1)).product::<f64>();
    (0..3u8)
        .map(|k| if k > n { 0.0 } else { choose(k) * p.powi(k.into()) * (1.0 - p).powi((n - k).into()) })
        .collect()
}

#[test]
fn binomial_draws() {
    let model = Model::build("herd", Lattice::line(6))
        .layer("animals", Values::up_to(2))
        .parameter("stay", Interval::unit())
        .step(|s| {
            let crowd = s.layer("animals").shift([0, 0, -1]).max(s.layer("animals"));
            s.next("animals").set(s.binomial(crowd, s.parameter("stay")));
        })
        .unwrap();
    let world = World {
        name: "binomial",
        seen: mean_of(&model, "animals"),
        model,
        sites: 6,
        states: 3,
        outcomes: 3,
        theta: vec![0.7],
        law: |theta, state, site| {
            let n = state.len();
            binomial(state[(site + n - 1) % n].max(state[site]), theta[0])
        },
        next: own_draw,
        layers: one_layer,
        outputs: share,
        start: vec![2, 0, 1, 2, 0, 0],
        drawn: None,
        times: vec![1, 3],
    };
    world.is_unbiased();
}

#[test]
fn poisson_draws_that_are_cut_off() {
    let model = Model::build("rain", Lattice::line(5))
        .layer("drops", Values::up_to(2))
        .parameter("rate", Interval::new(0.0, 5.0))
        .step(|s| {
            let near = s.layer("drops").neighbours_all_round(VonNeumann).sum();
            s.next("drops").set(s.poisson(s.parameter("rate") * (1.0 + near)).min(2.0));
        })
        .unwrap();
    let world = World {
        name: "poisson",
        seen: mean_of(&model, "drops"),
        model,
        sites: 5,
        states: 3,
        outcomes: 3,
        theta: vec![0.3],
        law: |theta, state, site| {
            let rate = theta[0] * (1.0 + around(state, site, true));
            let none = (-rate).exp();
            vec![none, rate * none, 1.0 - none - rate * none]
        },
        next: own_draw,
        layers: one_layer,
        outputs: share,
        start: vec![1, 0, 0, 0, 2],
        drawn: None,
        times: vec![3],
    };
    world.is_unbiased();
}

/// A draw that is used at two sites of the same step: its cone is wider than its own site from the first moment.
#[test]
fn draws_that_move_within_a_step() {
    let model = Model::build("seeds", Lattice::line(8))
        .layer("on", Values::binary())
        .parameter("p", Interval::unit())
        .step(|s| {
            let seed = s.bernoulli(s.parameter("p") * (0.3 + 0.7 * s.layer("on")));
            s.next("on").set(seed.max(seed.shift([0, 0, 2])));
        })
        .unwrap();
    let world = World {
        name: "seeds",
        seen: mean_of(&model, "on"),
        model,
        sites: 8,
        states: 2,
        outcomes: 2,
        theta: vec![0.4],
        law: |theta, state, site| coin(theta[0] * (0.3 + 0.7 * f64::from(state[site]))),
        next: |_, draws, site| draws[site].max(draws[(site + 2) % draws.len()]),
        layers: one_layer,
        outputs: share,
        start: vec![1, 1, 0, 0, 0, 1, 0, 0],
        drawn: None,
        times: vec![1, 2],
    };
    world.is_unbiased();
}

/// Two layers that act on each other, the second by what the first draws in the same step.
#[test]
fn two_layers() {
    let model = Model::build("pair", Lattice::line(5))
        .layer("a", Values::binary())
        .layer("b", Values::binary())
        .parameter("p", Interval::unit())
        .parameter("q", Interval::unit())
        .step(|s| {
            let (a, b) = (s.layer("a"), s.layer("b"));
            s.next("a").bernoulli(s.parameter("p") * (1.0 - 0.6 * b.shift([0, 0, 1])));
            s.next("b").bernoulli(s.parameter("q") * (0.2 + 0.8 * a.shift([0, 0, -1])));
        })
        .unwrap();
    let seen = model.observe(|s| {
        s.output("both", (s.layer("a") * s.layer("b")).sum());
        s.output("steps", (s.layer("a") - s.layer("a").shift([0, 0, 1])).abs().mean());
    });
    let world = World {
        name: "two layers",
        seen: seen.unwrap(),
        model,
        sites: 5,
        states: 4,
        outcomes: 4,
        theta: vec![0.6, 0.5],
        law: |theta, state, site| {
            let n = state.len();
            let b = f64::from(state[(site + 1) % n] >> 1);
            let a = f64::from(state[(site + n - 1) % n] & 1);
            let (p, q) = (theta[0] * (1.0 - 0.6 * b), theta[1] * (0.2 + 0.8 * a));
            vec![(1.0 - p) * (1.0 - q), p * (1.0 - q), (1.0 - p) * q, p * q]
        },
        next: own_draw,
        layers: |state| vec![state & 1, state >> 1],
        outputs: |state| {
            let a = |at: usize| f64::from(state[at % 5] & 1);
            let both = state.iter().filter(|s| **s == 3).count() as f64;
            vec![both, (0..5).map(|i| (a(i) - a(i + 1)).abs()).sum::<f64>() / 5.0]
        },
        start: vec![1, 2, 0, 3, 0],
        drawn: None,
        times: vec![2],
    };
    world.is_unbiased();
}

/// A rule that reads the whole lattice's sum, and a number observed that is no sum of local terms.
#[test]
fn what_is_felt_everywhere() {
    let model = Model::build("crowded", Lattice::line(7))
        .layer("on", Values::binary())
        .parameter("p", Interval::unit())
        .step(|s| {
            let full = s.layer("on").mean();
            s.next("on").bernoulli(s.parameter("p") * (1.0 - 0.7 * full));
        })
        .unwrap();
    let seen = model.observe(|s| {
        let total = s.layer("on").sum();
        s.output("square", total * total * 0.1);
        s.output("mean", s.layer("on").mean());
    });
    let world = World {
        name: "crowded",
        seen: seen.unwrap(),
        model,
        sites: 7,
        states: 2,
        outcomes: 2,
        theta: vec![0.6],
        law: |theta, state, _| {
            let full = state.iter().map(|s| f64::from(*s)).sum::<f64>() / 7.0;
            coin(theta[0] * (1.0 - 0.7 * full))
        },
        next: own_draw,
        layers: one_layer,
        outputs: |state| {
            let total = state.iter().map(|s| f64::from(*s)).sum::<f64>();
            vec![0.1 * total * total, total / 7.0]
        },
        start: vec![1, 1, 1, 0, 0, 1, 0],
        drawn: None,
        times: vec![1, 2],
    };
    world.is_unbiased();
}

/// A layer whose range is far wider than what occurs: its terms are not rounded away. Of 12,800 draws the mean of the
/// products of two leads, each of standard deviation below 1, is within 0.05 of 1 but once in 10⁸.
#[test]
fn a_wide_range_rounds_nothing_away() {
    let model = Model::build("walkers", Lattice::line(64))
        .layer("x", Values::Integers { lowest: -(1 << 24), highest: 1 << 24 })
        .parameter("p", Interval::unit())
        .start(|s| s.next("x").set(0.0))
        .step(|s| s.next("x").set(s.layer("x") + s.bernoulli(s.parameter("p"))))
        .unwrap();
    let seen = mean_of(&model, "x");
    let plan = Plan::new(&model, &[seen.into()], Some(&LightCone::default()), Options::default()).unwrap();
    let run = Run::new(&[0.3], 1).replicates(200).observe(1, 0);
    let found = plan.gradient(&run, &|m| LossValue { value: m[0], slopes: vec![1.0] }).unwrap().parameters[0];
    assert!((found - 1.0).abs() < 0.05, "{found}");
}
