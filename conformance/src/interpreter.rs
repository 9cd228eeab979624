//! Runs a program the slow way: whole fields, one instruction at a time, straight from what each instruction says it means.
//!
//! It is the oracle the engine is compared with. It shares nothing with the engine but the noise words and the
//! elementary functions: no blocks, passes, tables, fused kernels, padded planes or storage types. Boundaries are asked
//! site by site; transposed reads hand numbers on from site to site.
//!
//! Two conventions of the engine are restated here because they decide bits: values below site rank are double and are
//! rounded once where a site reads them; a sum over sites adds sixteen running sums per block of at most 512 sites (whole
//! rows where they fit), then the blocks in order.

use std::collections::HashMap;

use glauber_lattice::{Boundary, Lattice, Offset};
use glauber_numbers::elementary;
use glauber_numbers::noise::{Key, philox4x32_10, uniform};
use glauber_numbers::real::Real;
use glauber_program::{Binary, Comparison, Op, Program, Rank, Sink, Unary, ValueId};

/// What a program reads.
#[derive(Clone, Debug, Default)]
pub struct Inputs<'a> {
    /// The parameters.
    pub parameters: &'a [f64],
    /// The layers before the step, dense.
    pub layers: &'a [Vec<f64>],
    /// Fields by name, dense.
    pub fields: HashMap<String, Vec<f64>>,
    /// The observed layers, dense.
    pub targets: &'a [Vec<f64>],
    /// In adjoint programs: the derivative by the next layers, dense.
    pub next_adjoints: &'a [Vec<f64>],
    /// In adjoint programs: the derivative by the outputs.
    pub output_adjoints: &'a [f64],
    /// In adjoint programs: the replicate's lead.
    pub advantage: f64,
    /// Seed, replicate and step of the noise.
    pub address: (u64, u32, u32),
    /// Added to the number of every draw.
    pub first_draw: u32,
}

/// What a program leaves; a result that it has not is not there.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The next layers, by number.
    pub next: HashMap<u32, Vec<f64>>,
    /// The outputs, by number.
    pub outputs: HashMap<u32, f64>,
    /// Derivatives by layers, by number.
    pub layer_adjoints: HashMap<u32, Vec<f64>>,
    /// Derivatives by fields, by number.
    pub field_adjoints: HashMap<u32, Vec<f64>>,
    /// Derivatives by parameters, by number.
    pub parameter_adjoints: HashMap<u32, f64>,
    /// Layers that were given a value they cannot hold, and draws that were given no probability.
    pub faults: Vec<String>,
    /// Values that left the domain their instruction claims, beyond rounding.
    pub outside: Vec<String>,
}

/// A value of any rank.
#[derive(Clone, Debug)]
enum Value<F> {
    One(f64),
    Many(Vec<F>),
}

impl<F: Real> Value<F> {
    fn at(&self, site: usize) -> F {
        match self {
            Value::One(x) => F::from_f64(*x),
            Value::Many(v) => v[site],
        }
    }

    fn one(&self) -> f64 {
        match self {
            Value::One(x) => *x,
            Value::Many(_) => f64::NAN,
        }
    }
}

/// Runs `program` once, with sites in the precision `F`.
pub fn interpret<F: Real>(program: &Program, inputs: &Inputs<'_>) -> Results {
    let program = &program.simulated();
    let mut interpreter = Interpreter::<F> { program, inputs, values: Vec::new(), classes: HashMap::new() };
    for index in 0..program.instructions.len() {
        let value = interpreter.evaluate(ValueId(index as u32));
        interpreter.values.push(value);
    }
    interpreter.results()
}

struct Interpreter<'a, F> {
    program: &'a Program,
    inputs: &'a Inputs<'a>,
    values: Vec<Value<F>>,
    /// For categorical draws: for each class but the last, 1 where the draw went past it.
    classes: HashMap<ValueId, Vec<Value<F>>>,
}

impl<F: Real> Interpreter<'_, F> {
    fn lattice(&self) -> &Lattice {
        &self.program.declarations.lattice
    }

    fn sites(&self) -> usize {
        self.lattice().sites()
    }

    fn value(&self, v: ValueId) -> &Value<F> {
        &self.values[v.index()]
    }

    fn is_site(&self, v: ValueId) -> bool {
        matches!(self.value(v), Value::Many(_))
    }

    fn field(&self, f: impl Fn(usize) -> F) -> Value<F> {
        Value::Many((0..self.sites()).map(f).collect())
    }

    fn given(&self, dense: &[f64]) -> Value<F> {
        self.field(|i| F::from_f64(dense[i]))
    }

    fn key(&self, draw: u32, lane: u32) -> Key {
        let (seed, replicate, step) = self.inputs.address;
        Key::new(seed, replicate, step, draw + self.inputs.first_draw, lane)
    }

    fn evaluate(&mut self, id: ValueId) -> Value<F> {
        let d = &self.program.declarations;
        let instruction = self.program.instruction(id);
        let v = |v: &ValueId| self.value(*v);
        match &instruction.op {
            Op::Constant(number) => Value::One(number.get()),
            Op::Parameter(i) => Value::One(self.inputs.parameters[*i as usize]),
            Op::StepIndex => Value::One(f64::from(self.inputs.address.2)),
            Op::OutputAdjoint(i) => {
                Value::One(self.inputs.output_adjoints.get(*i as usize).copied().unwrap_or(0.0))
            }
            Op::Advantage => Value::One(self.inputs.advantage),
            Op::Layer(i) => self.given(&self.inputs.layers[*i as usize]),
            Op::Target(i) => self.given(&self.inputs.targets[*i as usize]),
            Op::NextAdjoint(i) => self.given(&self.inputs.next_adjoints[*i as usize]),
            Op::Field(i) => self.given(&self.inputs.fields[&d.fields[*i as usize].name]),
            Op::Coordinate(axis) => {
                let [_, height, width] = self.lattice().extent();
                self.field(|i| {
                    F::from_i32([i / (height * width), i / width % height, i % width][*axis as usize] as i32)
                })
            }
            Op::Unary(function, a) => self.map1(v(a), |x| unary(*function, x), |x| unary(*function, x)),
            Op::Binary(function, a, b) => self.binary(*function, v(a), v(b)),
            Op::Compare(comparison, a, b) => self.compare(*comparison, v(a), v(b)),
            Op::Select(c, a, b) => self.select(v(c), v(a), v(b)),
            Op::Heaviside(a, _) => self.compare(Comparison::Less, &Value::One(0.0), v(a)),
            Op::Round(a, _) => self.map1(v(a), f64::round_ties_even, Real::round_ties_even),
            // Whose derivative it has does not make it a field.
            Op::Replace { value, .. } => v(value).clone(),
            Op::Hold(a) => v(a).clone(),
            Op::Revealed { value, .. } => v(value).clone(),
            Op::Spread(a) => self.field(|i| v(a).at(i)),
            Op::Shift { x, offset, transposed } => self.read(*x, &[(*offset, 1.0)], *transposed, true),
            Op::NeighbourSum { x, neighbourhood, transposed } => {
                let n = &d.neighbourhoods[*neighbourhood as usize];
                let members: Vec<_> = n.offsets().iter().copied().zip(n.weights().iter().copied()).collect();
                self.read(*x, &members, *transposed, n.counts())
            }
            Op::Translate { x, direction, offsets, transposed } => {
                let offsets = d.neighbourhoods[*offsets as usize].offsets();
                let chosen = (v(direction).one() as i64).clamp(0, offsets.len() as i64 - 1) as usize;
                let back = offsets[chosen].map(i32::wrapping_neg);
                self.read(*x, &[(back, 1.0)], *transposed, true)
            }
            Op::SiteSum(a) => Value::One(self.site_sum(v(a))),
            Op::Uniform { draw, lane, rank } => {
                let key = self.key(*draw, *lane);
                match rank {
                    Rank::Site => self.field(|i| uniform(key.word(i as u32))),
                    _ => Value::One(uniform(key.word(0))),
                }
            }
            Op::Bernoulli { p, u } => self.compare(Comparison::Less, v(u), v(p)),
            Op::Categorical { probabilities, u } => {
                let (class, passed) = self.categorical(probabilities, *u);
                self.classes.insert(id, passed);
                class
            }
            Op::Indicator { draw, class } => self.indicator(*draw, *class as usize),
            Op::Normal(a, b) => self.map2(v(a), v(b), box_muller, box_muller),
            Op::Binomial { n, p, draw, .. } => {
                let key = self.key(*draw, 0);
                self.counted(instruction.rank, |i, at| binomial(&key, i, at(*n), at(*p)))
            }
            Op::Poisson { rate, draw, .. } => {
                let key = self.key(*draw, 0);
                self.counted(instruction.rank, |i, at| poisson(&key, i, at(*rate)))
            }
        }
    }

    fn map1(&self, a: &Value<F>, one: impl Fn(f64) -> f64, many: impl Fn(F) -> F) -> Value<F> {
        match a {
            Value::One(a) => Value::One(one(*a)),
            Value::Many(a) => Value::Many(a.iter().map(|a| many(*a)).collect()),
        }
    }

    fn map2(
        &self,
        a: &Value<F>,
        b: &Value<F>,
        one: impl Fn(f64, f64) -> f64,
        many: impl Fn(F, F) -> F,
    ) -> Value<F> {
        match (a, b) {
            (Value::One(a), Value::One(b)) => Value::One(one(*a, *b)),
            _ => self.field(|i| many(a.at(i), b.at(i))),
        }
    }

    fn binary(&self, function: Binary, a: &Value<F>, b: &Value<F>) -> Value<F> {
        self.map2(a, b, |a, b| binary(function, a, b), |a, b| binary(function, a, b))
    }

    fn compare(&self, comparison: Comparison, a: &Value<F>, b: &Value<F>) -> Value<F> {
        self.map2(a, b, |a, b| compare(comparison, a, b), |a, b| compare(comparison, a, b))
    }

    fn select(&self, c: &Value<F>, a: &Value<F>, b: &Value<F>) -> Value<F> {
        if let (Value::One(c), Value::One(a), Value::One(b)) = (c, a, b) {
            return Value::One(if *c != 0.0 { *a } else { *b });
        }
        let chosen = |i: usize| match c {
            Value::One(c) => *c != 0.0,
            Value::Many(c) => c[i] != F::ZERO,
        };
        self.field(|i| if chosen(i) { a.at(i) } else { b.at(i) })
    }

    fn categorical(&self, probabilities: &[ValueId], u: ValueId) -> (Value<F>, Vec<Value<F>>) {
        let mut sum: Option<Value<F>> = None;
        let mut class = Value::One(0.0);
        let mut passed = Vec::new();
        for p in &probabilities[..probabilities.len() - 1] {
            let next = match &sum {
                None => self.value(*p).clone(),
                Some(sum) => self.binary(Binary::Add, sum, self.value(*p)),
            };
            let past = self.compare(Comparison::LessOrEqual, &next, self.value(u));
            class = self.binary(Binary::Add, &class, &past);
            passed.push(past);
            sum = Some(next);
        }
        (class, passed)
    }

    fn indicator(&self, draw: ValueId, class: usize) -> Value<F> {
        let Some(passed) = self.classes.get(&draw) else {
            return self.compare(Comparison::Equal, self.value(draw), &Value::One(class as f64));
        };
        if class > passed.len() {
            return Value::One(0.0);
        }
        let before = if class == 0 { Value::One(1.0) } else { passed[class - 1].clone() };
        match passed.get(class) {
            Some(after) => self.binary(Binary::Subtract, &before, after),
            None => before,
        }
    }

    fn counted(&self, rank: Rank, draw: impl Fn(u32, &dyn Fn(ValueId) -> f64) -> f64) -> Value<F> {
        if rank == Rank::Site {
            return self.field(|i| F::from_f64(draw(i as u32, &|v| self.value(v).at(i).to_f64())));
        }
        Value::One(draw(0, &|v| self.value(v).one()))
    }

    /// Where site `i` reads at `offset`: another site, or the number that stands beyond the edge.
    fn beyond(&self, i: usize, offset: Offset) -> Result<usize, f64> {
        let [depth, height, width] = self.lattice().extent();
        let at = [i / (height * width), i / width % height, i % width];
        let mut source = [0; 3];
        // Beyond two edges at once the first axis decides, whose margin is filled last.
        for axis in 0..3 {
            let boundary = self.lattice().boundaries()[axis];
            let x = at[axis] as i64 + i64::from(offset[axis]);
            source[axis] = match (boundary.source(x, [depth, height, width][axis]), boundary) {
                (Some(x), _) => x,
                (None, Boundary::Fixed(outside)) => return Err(outside),
                (None, _) => 0,
            };
        }
        Ok((source[0] * height + source[1]) * width + source[2])
    }

    fn read(&self, x: ValueId, members: &[(Offset, f64)], transposed: bool, counts: bool) -> Value<F> {
        let x = self.value(x);
        let term = |weight: f64, value: F| if counts { value } else { F::from_f64(weight) * value };
        if transposed {
            let mut to = vec![F::ZERO; self.sites()];
            for i in 0..self.sites() {
                for (offset, weight) in members {
                    if let Ok(source) = self.beyond(i, *offset) {
                        to[source] = to[source] + term(*weight, x.at(i));
                    }
                }
            }
            return Value::Many(to);
        }
        if let ([(offset, _)], true) = (members, counts) {
            return self.field(|i| match self.beyond(i, *offset) {
                Ok(source) => x.at(source),
                Err(outside) => F::from_f64(outside),
            });
        }
        self.field(|i| {
            members.iter().fold(F::ZERO, |sum, (offset, weight)| {
                let value = match self.beyond(i, *offset) {
                    Ok(source) => x.at(source),
                    Err(outside) => F::from_f64(outside),
                };
                sum + term(*weight, value)
            })
        })
    }

    fn site_sum(&self, a: &Value<F>) -> f64 {
        let Value::Many(a) = a else { return a.one() * self.sites() as f64 };
        let width = self.lattice().extent()[2];
        let mut total = 0.0;
        if width <= 512 {
            a.chunks(512 / width * width).for_each(|block| total += lane_sum(block));
        } else {
            a.chunks(width).flat_map(|row| row.chunks(512)).for_each(|block| total += lane_sum(block));
        }
        total
    }

    fn dense(&self, v: ValueId) -> Vec<f64> {
        (0..self.sites()).map(|i| self.value(v).at(i).to_f64()).collect()
    }

    fn outside_domains(&self) -> Vec<String> {
        let mut outside = Vec::new();
        for (index, instruction) in self.program.instructions.iter().enumerate() {
            let domain = instruction.domain;
            let slack = |bound: f64| if bound.is_finite() { bound.abs() * 1e-5 } else { 0.0 };
            let inside = |x: f64| match x.is_nan() {
                true => domain.nan,
                false => {
                    x >= domain.lowest - slack(domain.lowest)
                        && x <= domain.highest + slack(domain.highest)
                        && (!domain.integer || x.is_infinite() || x.fract() == 0.0)
                }
            };
            let bad = match &self.values[index] {
                Value::One(x) => Some(*x).filter(|x| !inside(*x)),
                Value::Many(v) => v.iter().map(|x| x.to_f64()).find(|x| !inside(*x)),
            };
            if let Some(x) = bad {
                outside.push(format!("%{index} = {:?} is {x}, outside {domain:?}", instruction.op));
            }
        }
        outside
    }

    fn results(&self) -> Results {
        let mut results = Results { outside: self.outside_domains(), ..Results::default() };
        for (sink, v) in &self.program.results {
            match sink {
                Sink::NextLayer(i) => {
                    let layer = &self.program.declarations.layers[*i as usize];
                    let mut dense = self.dense(*v);
                    let (lowest, highest) = layer.values.range();
                    let whole = |x: f64| x.fract() == 0.0 && x >= lowest && x <= highest;
                    if layer.values.is_integer() && !dense.iter().all(|x| whole(*x)) {
                        results.faults.push(layer.name.clone());
                    }
                    if layer.values.is_integer() {
                        // Whole numbers are kept as integers, which have no negative zero.
                        dense.iter_mut().for_each(|x| *x += 0.0);
                    }
                    results.next.insert(*i, dense);
                }
                Sink::Output(i) => {
                    results.outputs.insert(*i, self.value(*v).one());
                }
                Sink::LayerAdjoint(i) => {
                    results.layer_adjoints.insert(*i, self.dense(*v));
                }
                Sink::FieldAdjoint(i) => {
                    results.field_adjoints.insert(*i, self.dense(*v));
                }
                Sink::ParameterAdjoint(i) => {
                    results.parameter_adjoints.insert(*i, self.value(*v).one());
                }
                Sink::Probability(i) => {
                    let sites = if self.is_site(*v) { self.sites() } else { 1 };
                    let good = |p: f64| (-1e-5..=1.0 + 1e-5).contains(&p);
                    if !(0..sites).all(|s| good(self.value(*v).at(s).to_f64())) {
                        results.faults.push(format!("draw {i}"));
                    }
                }
            }
        }
        results
    }
}

/// Sixteen running sums, then a tree.
fn lane_sum<F: Real>(block: &[F]) -> f64 {
    let mut lanes = [0.0; 16];
    for (i, x) in block.iter().enumerate() {
        lanes[i % 16] += x.to_f64();
    }
    for width in [8, 4, 2, 1] {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
    }
    lanes[0]
}

fn unary<F: Real>(function: Unary, x: F) -> F {
    match function {
        Unary::Negate => -x,
        Unary::Absolute => x.abs(),
        Unary::Sign if x > F::ZERO => F::ONE,
        Unary::Sign if x < F::ZERO => -F::ONE,
        Unary::Sign => F::ZERO,
        Unary::SquareRoot => x.sqrt(),
        Unary::Exponential => elementary::exp(x),
        Unary::ExponentialMinusOne => elementary::exp_m1(x),
        Unary::Logarithm => elementary::ln(x),
        Unary::LogarithmOnePlus => elementary::ln_1p(x),
        Unary::Sigmoid => elementary::sigmoid(x),
        Unary::HyperbolicTangent => elementary::tanh(x),
        Unary::Sine => elementary::sin(x),
        Unary::Cosine => elementary::cos(x),
        Unary::Floor => x.floor(),
    }
}

fn binary<F: Real>(function: Binary, a: F, b: F) -> F {
    match function {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Power => elementary::pow(a, b),
        Binary::Minimum => Real::min(a, b),
        Binary::Maximum => Real::max(a, b),
    }
}

fn compare<F: Real>(comparison: Comparison, a: F, b: F) -> F {
    let holds = match comparison {
        Comparison::Equal => a == b,
        Comparison::Less => a < b,
        Comparison::LessOrEqual => a <= b,
    };
    if holds { F::ONE } else { F::ZERO }
}

/// A standard normal number from two uniform ones: √(−2 ln u) cos 2πv, with u = 0 moved up to 2⁻³².
fn box_muller<F: Real>(u: F, v: F) -> F {
    let u = if u.to_f64() == 0.0 { F::from_f64(1.0 / 4_294_967_296.0) } else { u };
    let radius = (-(F::from_f64(2.0) * elementary::ln(u))).sqrt();
    radius * elementary::sin_cos_turns(v).1
}

/// A uniform number of 53 bits for piece `piece` of a count at a site.
fn fine_uniform(key: &Key, site: u32, piece: u32) -> f64 {
    let counter = [key.word(site), key.word(!site), piece, site];
    let words = philox4x32_10(counter, [0x676c_6175, 0x6265_7221]);
    let bits = (u64::from(words[0]) << 32 | u64::from(words[1])) >> 11;
    (bits as f64 + 0.5) / (1u64 << 53) as f64
}

/// Successes in n trials of probability p by inversion, in pieces of at most ⌊16/p⌋ trials; above p = ½ the failures.
fn binomial(key: &Key, site: u32, n: f64, p: f64) -> f64 {
    if n.is_nan() || p.is_nan() || n < 0.0 {
        return f64::NAN;
    }
    let n = n.floor();
    let (rare, mirrored) = if p > 0.5 { ((1.0 - p).max(0.0), true) } else { (p.max(0.0), false) };
    let mut count = 0.0;
    if rare > 0.0 {
        let (mut left, mut piece) = (n, 0);
        while left > 0.0 {
            let trials = left.min((16.0 / rare).floor().max(1.0));
            let mut mass = elementary::exp(trials * elementary::ln_1p(-rare));
            let (mut u, mut k) = (fine_uniform(key, site, piece), 0.0);
            while u >= mass && k < trials {
                u -= mass;
                mass *= rare / (1.0 - rare) * (trials - k) / (k + 1.0);
                k += 1.0;
            }
            count += k;
            left -= trials;
            piece += 1;
        }
    }
    if mirrored { n - count } else { count }
}

/// Events of mean `rate` by inversion, in pieces of mean at most 16.
fn poisson(key: &Key, site: u32, rate: f64) -> f64 {
    if !(0.0..1e9).contains(&rate) {
        return f64::NAN;
    }
    let (mut left, mut piece, mut count) = (rate, 0, 0.0);
    while left > 0.0 {
        let mean = left.min(16.0);
        let mut mass = elementary::exp(-mean);
        let (mut u, mut k) = (fine_uniform(key, site, piece), 0.0);
        while u >= mass && k < 1000.0 {
            u -= mass;
            k += 1.0;
            mass *= mean / k;
        }
        count += k;
        left -= mean;
        piece += 1;
    }
    count
}
