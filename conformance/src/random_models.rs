//! Makes models at random, from recipes that a property test can shrink.
//!
//! A recipe is a list of small numbers; every list is a valid model. Three kinds of dishes come out of it:
//!
//! - *smooth*: real layers, whose path is differentiable in everything (draws of fixed probability, noise held by its
//!   seed), with magnitudes kept below about ten, so that finite differences can tell the derivative;
//! - *discrete*: layers of every range, draws whose probabilities depend on everything, comparisons, roundings.

use std::sync::Arc;

use glauber_engine::{FieldData, Run};
use glauber_lattice::{Boundary, Lattice, Moore, Neighbourhood, Neighbours, Offset, Values, VonNeumann};
use glauber_program::{Expr, Interval, Model, ModelError, Operand, Program, Scope, Surrogate};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// One ingredient: what to make of which earlier values.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Which instruction.
    pub kind: u8,
    /// Which operands, counted back from the newest value.
    pub operands: [u8; 3],
    /// A number in [−1, 1].
    pub number: f64,
}

/// A random model.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The lattice's lengths.
    pub shape: Vec<usize>,
    /// 0 periodic, 1 reflecting, 2 fixed, per axis; and the value of a fixed one.
    pub boundaries: Vec<(u8, f64)>,
    /// The instructions of the step.
    pub step: Vec<Node>,
    /// The instructions of the observation.
    pub observation: Vec<Node>,
    /// Whether the model says how it starts.
    pub starts: bool,
    /// The seed of data and noise.
    pub seed: u64,
}

/// Which kind of model to make of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dish {
    /// Differentiable in everything.
    Smooth,
    /// Everything there is.
    Discrete,
    /// Everything but layers of three or more named states, which have no mean.
    Numeric,
}

/// A model with its observation and the data they need.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The model.
    pub model: Model,
    /// Three numbers of a state.
    pub observation: Program,
    /// A starting state, one field per layer.
    pub start: Vec<Vec<f64>>,
    /// Covariate and parameter field.
    pub fields: Vec<(String, Vec<f64>)>,
    /// Parameters inside their intervals.
    pub parameters: Vec<f64>,
}

/// A property test of so many cases, the same every time.
pub fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn node() -> impl Strategy<Value = Node> {
    (any::<u8>(), any::<[u8; 3]>(), -1.0..1.0f64).prop_map(|(kind, operands, number)| Node {
        kind,
        operands,
        number,
    })
}

fn shape() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        prop::collection::vec(1..9usize, 1),
        prop::collection::vec(1..6usize, 2),
        prop::collection::vec(1..4usize, 3),
    ]
}

/// Recipes of up to `most` instructions.
pub fn recipes(most: usize) -> impl Strategy<Value = Recipe> {
    let boundary = (0..3u8, prop_oneof![Just(0.0), Just(1.0), Just(-2.0), Just(0.5), Just(300.0)]);
    shape().prop_flat_map(move |shape| {
        let boundaries = prop::collection::vec(boundary.clone(), shape.len());
        let step = prop::collection::vec(node(), 1..most);
        let observation = prop::collection::vec(node(), 1..6);
        (Just(shape), boundaries, step, observation, any::<bool>(), 0..1000u64).prop_map(
            |(shape, boundaries, step, observation, starts, seed)| Recipe {
                shape,
                boundaries,
                step,
                observation,
                starts,
                seed,
            },
        )
    })
}

/// A number in [0, 1) that depends on its arguments only.
pub fn scattered(seed: u64, stream: u64, index: usize) -> f64 {
    let mut x =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stream.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ index as u64;
    for _ in 0..3 {
        x ^= x >> 31;
        x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    }
    (x >> 11) as f64 / (1u64 << 53) as f64
}

/// Offsets of all sizes: longer than the lattice, off its axes, none.
const OFFSETS: [Offset; 8] =
    [[0, 0, 1], [0, 0, -2], [0, 1, 0], [0, -1, 1], [1, 0, 0], [-1, 1, 2], [0, 3, -5], [0, 0, 7]];

fn neighbourhood(which: u8, dimensions: usize) -> Neighbourhood {
    let inside = |offsets: &[Offset]| {
        let kept = offsets.iter().map(|o| [0, 1, 2].map(|a| if a + dimensions >= 3 { o[a] } else { 0 }));
        kept.collect::<Vec<Offset>>()
    };
    match which % 5 {
        0 => Moore.on(dimensions),
        1 => VonNeumann.on(dimensions),
        2 => {
            let offsets = inside(&OFFSETS[1..6]);
            let weights = [0.5, -1.5, 2.0, 0.25, -0.75];
            Neighbourhood::weighted(&offsets.into_iter().zip(weights).collect::<Vec<_>>())
        }
        3 => Neighbourhood::of(&inside(&OFFSETS[5..])),
        _ => Neighbourhood::weighted(&[([0, 0, 0], 1.0), ([0, 0, 1], 2.0), ([0, 0, 1], -0.5)]),
    }
}

/// A traced value with a bound on its size.
#[derive(Clone, Copy)]
struct Entry {
    value: Expr,
    bound: f64,
}

/// Writes instructions at random.
struct Cook<'s> {
    s: &'s Scope,
    pool: Vec<Entry>,
    dish: Dish,
    dimensions: usize,
    sites: f64,
}

impl Cook<'_> {
    fn add(&mut self, value: Expr, bound: f64) {
        // Large values are folded back, so that nothing overflows and differences stay accurate.
        let entry = if bound > 9.0 {
            Entry { value: (value * (4.0 / bound)).sin() * 2.0, bound: 2.0 }
        } else {
            Entry { value, bound }
        };
        self.pool.push(entry);
    }

    fn pick(&self, back: u8) -> Entry {
        let most = self.pool.len().min(12);
        self.pool[self.pool.len() - 1 - back as usize % most]
    }

    fn probability(&self, e: Entry) -> Expr {
        match self.dish {
            Dish::Smooth => (e.value * 2.0).hold().sigmoid(),
            Dish::Discrete | Dish::Numeric => e.value.sigmoid(),
        }
    }

    fn cook(&mut self, node: &Node) {
        let [a, b, c] = node.operands.map(|o| self.pick(o));
        let (x, y, z) = (a.value, b.value, c.value);
        let n = node.number;
        match node.kind % 48 {
            0..=2 => self.add(x + y, a.bound + b.bound),
            3 | 4 => self.add(x - y, a.bound + b.bound),
            5..=7 => self.add(x * y, a.bound * b.bound),
            8 => self.add(x * y + z, a.bound * b.bound + c.bound),
            9 => self.add(z - x * y, a.bound * b.bound + c.bound),
            10 => self.add(x / (y * y + 0.7), a.bound / 0.7),
            11 => self.add((x.sigmoid() + 0.3).pow(y.tanh() * 2.0), 12.0),
            12 => self.add(x.pow(3.0), a.bound.powi(3)),
            13 => self.add(x.min(y), a.bound.max(b.bound)),
            14 => self.add(x.max(y), a.bound.max(b.bound)),
            15 => self.add(-x, a.bound),
            16 => self.add(x.abs(), a.bound),
            17 => self.add((x * x + 0.5).sqrt(), a.bound + 1.0),
            18 => self.add(x.tanh().exp(), 2.8),
            19 => self.add(x.tanh().exp_m1(), 1.8),
            20 => self.add((x * x + 0.4).ln(), 5.0),
            21 => self.add((x * x).ln_1p(), 5.0),
            22 => self.add(x.sigmoid(), 1.0),
            23 => self.add(x.sin(), 1.0),
            24 => self.add(x.cos(), 1.0),
            25 | 26 => self.add(x.shift(OFFSETS[node.operands[1] as usize % 8]), a.bound.max(2.0)),
            27 | 28 => {
                let around = neighbourhood(node.operands[1], self.dimensions);
                let most: f64 = around.weights().iter().map(|w| w.abs()).sum();
                self.add(x.neighbours_all_round(around).sum(), most * a.bound.max(2.0));
            }
            29 => self.add(x.neighbours_all_round(Moore).mean() * y, a.bound.max(2.0) * b.bound),
            30 => {
                let direction = self.s.replicate_categorical(&[0.2.into(), 0.5.into(), 0.3.into()]);
                let moved = self.s.translate(x, direction, &[OFFSETS[5], OFFSETS[2], OFFSETS[7]]);
                self.add(moved, a.bound.max(2.0));
            }
            31 => self.add(x.sum(), a.bound * self.sites),
            32 => self.add(x.mean() * y, a.bound * b.bound),
            33 => self.add(x * x.neighbours_all_round(VonNeumann).sum(), a.bound * 6.0 * a.bound.max(2.0)),
            34 => self.add(x.less(y).select(y, z), b.bound.max(c.bound)),
            35 => self.add(self.s.normal() * 0.3 + x, a.bound + 2.1),
            36 => self.add(self.s.uniform() * x, a.bound),
            37 => self.add((x * 3.0).floor(), a.bound * 3.0 + 1.0),
            38 => self.add(x.sign() * y, b.bound),
            39 => {
                let p = self.probability(a);
                self.add(self.s.bernoulli(p) + y * 0.5, 1.0 + b.bound);
            }
            40 => {
                let (p, q) = (self.probability(a) * 0.5, self.probability(b) * 0.4);
                let class = self.s.categorical(&[p.into(), q.into(), (1.0 - p - q).into()]);
                self.add(class - class.is(1) * z, 2.0 + c.bound);
            }
            41 => self.add(self.s.step() * (n * 0.1) + x * n, a.bound + 1.0),
            42 => self.add(self.s.coordinate(self.dimensions - 1) * 0.2 - x, a.bound + 2.0),
            _ => self.more(node, [a, b, c]),
        }
    }

    /// Instructions whose derivative is no difference quotient; smooth dishes get something else.
    fn more(&mut self, node: &Node, [a, b, c]: [Entry; 3]) {
        let (x, y, z) = (a.value, b.value, c.value);
        if self.dish == Dish::Smooth {
            return self.add(x * node.number + y * z * 0.3, a.bound + b.bound * c.bound * 0.3);
        }
        match node.kind % 48 {
            43 => self.add((x * 2.0).round(Surrogate::Identity) * 0.5, a.bound + 0.5),
            44 => self.add(x.heaviside(Surrogate::sigmoid(0.5)) + y, 1.0 + b.bound),
            45 => {
                let p = self.probability(a);
                self.add(self.s.binomial(4.0, p) * 0.5, 2.0);
            }
            46 => self.add(self.s.poisson(x.sigmoid() * 2.0).min(8.0) * 0.4, 3.2),
            _ => {
                let p = self.probability(b);
                let shared = self.s.replicate_bernoulli(p.mean());
                self.add(x.with_gradient_of(y) * shared, a.bound);
            }
        }
    }
}

fn sources<'s>(s: &'s Scope, dish: Dish, sites: f64, dimensions: usize, layers: bool) -> Cook<'s> {
    let mut cook = Cook { s, pool: Vec::new(), dish, dimensions, sites };
    cook.add(s.field("data"), 1.0);
    cook.add(s.field("unknown"), 1.0);
    cook.add(s.parameter("theta"), 1.5);
    cook.add(s.parameter("phi"), 1.5);
    if layers {
        cook.add(s.layer("first"), 2.0);
        cook.add(s.layer("second"), 2.0);
        if dish != Dish::Smooth {
            cook.add(s.layer("count") * 0.5, 2.5);
            cook.add(s.layer("spin"), 3.0);
            cook.add(s.layer("on"), 1.0);
            if dish == Dish::Discrete {
                cook.add(s.layer("kind").is(2), 1.0);
            }
            let crowd = s.layer("on").neighbours_all_round(Moore).sum();
            cook.add(1.0 - (1.0 - s.parameter("theta").sigmoid()).pow(crowd), 1.0);
            if dish == Dish::Discrete {
                cook.add(s.layer("kind").neighbours_all_round(VonNeumann).count(1), 6.0);
            }
        }
    }
    cook
}

fn finish(s: &Scope, cook: &Cook<'_>) {
    let (a, b) = (cook.pick(0), cook.pick(1));
    let keep = |e: Entry| e.value * (1.5 / e.bound.max(1.5));
    s.next("first").set(keep(a) + cook.pick(4).value * 0.02);
    s.next("second").set((b.value * 0.7).tanh() * 1.4);
    if cook.dish != Dish::Smooth {
        let whole = |e: Entry, low: f64, high: f64| e.value.round(Surrogate::Identity).max(low).min(high);
        s.next("count").set(whole(cook.pick(2), 0.0, 5.0));
        s.next("spin").set(whole(cook.pick(3), -3.0, 3.0));
        s.next("on").bernoulli(cook.probability(cook.pick(0)));
    }
    if cook.dish == Dish::Discrete {
        let p = cook.probability(cook.pick(1)) * 0.6;
        let rest: Operand = (1.0 - p - 0.3).into();
        s.next("kind").categorical(&[p.into(), 0.3.into(), rest]);
    }
}

impl Recipe {
    /// The lattice.
    ///
    /// # Panics
    /// Never: shapes of recipes are lattices.
    pub fn lattice(&self) -> Lattice {
        let mut lattice = Lattice::new(&self.shape).unwrap_or_else(|_| Lattice::line(1));
        for (axis, (kind, value)) in self.boundaries.iter().enumerate() {
            let boundary = match kind {
                0 => Boundary::Periodic,
                1 => Boundary::Reflecting,
                _ => Boundary::Fixed(*value),
            };
            lattice = lattice.along(axis, boundary);
        }
        lattice
    }

    /// The model with its data.
    ///
    /// # Errors
    /// Where the random rule is no model, which should not happen.
    pub fn sample(&self, dish: Dish) -> Result<Sample, ModelError> {
        // What a smooth rule makes of such a number beyond the edges, step after step, is no number any more.
        const MOST: f64 = 2.0;
        if dish == Dish::Smooth && self.boundaries.iter().any(|(_, value)| *value > MOST) {
            let mut own = self.clone();
            own.boundaries.iter_mut().for_each(|(_, value)| *value = value.min(MOST));
            return own.sample(dish);
        }
        let lattice = self.lattice();
        let (sites, dimensions) = (lattice.sites(), lattice.dimensions());
        let mut builder = Model::build("random", lattice)
            .layer("first", Values::Real)
            .layer("second", Values::Real)
            .parameter("theta", Interval::new(-1.5, 1.5))
            .parameter("phi", Interval::new(-1.5, 1.5))
            .covariate("data")
            .parameter_field("unknown", Interval::new(-1.0, 1.0));
        let mut ranges = vec![None, None];
        if dish != Dish::Smooth {
            builder = builder
                .layer("count", Values::up_to(5))
                .layer("spin", Values::integers(-3, 3))
                .layer("on", Values::binary());
            ranges.extend([Some((0, 5)), Some((-3, 3)), Some((0, 1))]);
        }
        if dish == Dish::Discrete {
            builder = builder.layer("kind", Values::categories(&["a", "b", "c"]));
            ranges.push(Some((0, 2)));
        }
        if self.starts {
            builder = builder.start(|s| {
                let mut cook = sources(s, dish, sites as f64, dimensions, false);
                for node in self.step.iter().rev().take(6) {
                    cook.cook(node);
                }
                finish(s, &cook);
            });
        }
        let model = builder.step(|s| {
            let mut cook = sources(s, dish, sites as f64, dimensions, true);
            self.step.iter().for_each(|node| cook.cook(node));
            finish(s, &cook);
        })?;
        let observation = model.observe(|s| {
            let mut cook = sources(s, dish, sites as f64, dimensions, true);
            self.observation.iter().for_each(|node| cook.cook(node));
            let (a, b) = (cook.pick(0).value, cook.pick(1).value);
            s.output("weighted", (a * s.field("data") + s.layer("first")).sum());
            s.output("square", (b * b).mean());
            s.output("plain", (s.layer("second") * s.parameter("phi")).mean() + s.parameter("theta"));
        })?;
        let real = |stream, from: f64, to: f64| -> Vec<f64> {
            (0..sites).map(|i| from + (to - from) * scattered(self.seed, stream, i)).collect()
        };
        let start = ranges.iter().enumerate().map(|(k, range)| {
            let field = real(10 + k as u64, -1.2, 1.2);
            match range {
                None => field,
                Some((low, high)) => {
                    let span = f64::from(high - low + 1);
                    field.iter().map(|x| f64::from(*low) + ((x + 1.2) / 2.4 * span).floor()).collect()
                }
            }
        });
        Ok(Sample {
            start: start.collect(),
            fields: vec![("data".into(), real(1, -1.0, 1.0)), ("unknown".into(), real(2, -0.9, 0.9))],
            parameters: vec![scattered(self.seed, 3, 0) * 2.0 - 1.0, scattered(self.seed, 3, 1) * 2.0 - 1.0],
            model,
            observation,
        })
    }
}

impl Sample {
    /// A run of this sample over `steps` steps and `replicates` replicates, each with other steps behind its start, observed
    /// at the start, halfway and the end.
    pub fn run<'a>(&self, parameters: &'a [f64], steps: usize, replicates: usize, seed: u64) -> Run<'a> {
        let first = (0..replicates as u32).map(|replicate| replicate % 3).collect();
        let mut run =
            Run::new(parameters, steps).replicates(replicates).seed(seed).first_steps(Arc::new(first));
        if self.model.start.is_none() {
            run = run.start(self.start.iter().map(|l| FieldData::shared(l.clone())).collect());
        }
        for (name, field) in &self.fields {
            run = run.with_field(name, FieldData::shared(field.clone()));
        }
        run.observe(0, 0).observe(steps / 2, 0).observe(steps, 0)
    }
}
