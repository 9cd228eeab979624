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

use glauber_engine::Fault;
use glauber_lattice::{Boundary, Lattice, Offset};
use glauber_numbers::elementary;
use glauber_numbers::noise::Key;
use glauber_numbers::real::Real;
use glauber_program::{Binary, Comparison, CountLaw, Op, Place, Program, Rank, Requirement, Sink, ValueId};

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
    /// In adjoint programs: what the outcomes of draws are worth, at each site, dense.
    pub local_advantage: &'a [f64],
    /// Seed, replicate and step of the noise.
    pub address: (u64, u32, u32),
    /// Added to the number of every draw.
    pub first_draw: u32,
    /// Where sites are updated one after another: which event of the step it is, and the highest sum of rates. Its
    /// number is then what random numbers are made of, in place of the site's.
    pub event: Option<(u32, f64)>,
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
    /// Layers that were given a value they cannot hold, and arguments of draws that are none.
    pub faults: Vec<Fault>,
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

/// What an event leaves: what it writes, in order, and what is wrong.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// Layer, site, value.
    pub writes: Vec<(u32, usize, f64)>,
    /// Layers that were given a value they cannot hold, and arguments of draws that are none.
    pub faults: Vec<Fault>,
}

/// Runs a rule for the event of `inputs` at a site, with numbers of sites in the precision `F`.
pub fn interpret_event<F: Real>(rule: &Program, inputs: &Inputs<'_>, site: usize) -> Written {
    let mut interpreter =
        Interpreter::<F> { program: rule, inputs, values: Vec::new(), classes: HashMap::new() };
    for index in 0..rule.instructions().len() {
        let value = interpreter.evaluate(ValueId(index as u32));
        interpreter.values.push(value);
    }
    let mut written = Written::default();
    let d = rule.declarations();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for (sink, v) in rule.results() {
        let value = interpreter.value(*v);
        match (sink, &rule.instruction(*v).op) {
            (Sink::NextLayer(layer), _) => own.push((*layer, site, value.at(site).to_f64())),
            (Sink::Elsewhere(layer), Op::Put { place, .. }) => {
                if let Ok(there) = interpreter.picked(place, site) {
                    others.push((*layer, there, value.at(site).to_f64()));
                }
            }
            (Sink::Check(check), _) => {
                let number = match value {
                    Value::One(x) => *x,
                    Value::Many(v) => v[site].to_f64(),
                };
                if !allowed(d.checks[*check as usize].required, number, F::EPSILON.to_f64()) {
                    written.faults.push(Fault::Refused { check: *check, site, value: number });
                }
            }
            _ => {}
        }
    }
    written.writes = own.into_iter().chain(others).collect();
    for (layer, site, value) in &written.writes {
        let values = &d.layers[*layer as usize].values;
        let (lowest, highest) = values.range();
        if values.is_integer() && !(value.fract() == 0.0 && *value >= lowest && *value <= highest) {
            written.faults.push(Fault::OutOfRange { layer: *layer, site: *site, value: *value });
        }
    }
    written
}

/// Runs `program` once, with sites in the precision `F`.
pub fn interpret<F: Real>(program: &Program, inputs: &Inputs<'_>) -> Results {
    let program = &program.simulated();
    let mut interpreter = Interpreter::<F> { program, inputs, values: Vec::new(), classes: HashMap::new() };
    for index in 0..program.instructions().len() {
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
        &self.program.declarations().lattice
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

    /// What a site's random numbers are made of.
    fn numbered(&self, site: usize) -> u32 {
        self.inputs.event.map_or(site as u32, |(number, _)| number)
    }

    /// The site that another one picks, or the number that stands beyond the edge.
    fn picked(&self, place: &Place, i: usize) -> Result<usize, f64> {
        match place {
            Place::Neighbour { direction, offsets } => {
                let offsets = self.program.declarations().neighbourhoods[*offsets as usize].offsets();
                let class = self.value(*direction).at(i).to_f64();
                self.beyond(i, offsets[(class.max(0.0) as usize).min(offsets.len() - 1)])
            }
            Place::Anywhere { draw } => {
                let [high, low] = [0, 1].map(|lane| u128::from(self.key(*draw, lane).word(self.numbered(i))));
                Ok((((high << 32 | low) * self.sites() as u128) >> 64) as usize)
            }
        }
    }

    fn evaluate(&mut self, id: ValueId) -> Value<F> {
        let d = &self.program.declarations();
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
            Op::LocalAdvantage => self.given(self.inputs.local_advantage),
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
            Op::OfColour { colouring, colour } => {
                let [_, height, width] = self.lattice().extent();
                self.field(|i| {
                    let site = [i / (height * width), i / width % height, i % width];
                    F::from_i32(i32::from(colouring.colour(site) == *colour))
                })
            }
            Op::Unary(function, a) => self.map1(v(a), |x| function.value(x), |x| function.value(x)),
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
            Op::There { x, place } => self.field(|i| match self.picked(place, i) {
                Ok(there) => v(x).at(there),
                Err(outside) => F::from_f64(outside),
            }),
            Op::Put { value, .. } => v(value).clone(),
            Op::Inside(place) => self.field(|i| if self.picked(place, i).is_ok() { F::ONE } else { F::ZERO }),
            Op::Fastest => Value::One(self.inputs.event.map_or(f64::NAN, |(_, fastest)| fastest)),
            Op::Entry { list, at } => {
                let (list, at) = (&d.lists[*list as usize], v(at));
                self.field(|i| F::from_f64(list[at.at(i).to_f64() as usize]))
            }
            Op::CellSum { x, labels, at, .. } => {
                let (x, labels, at) = (v(x), v(labels), v(at));
                let label = |value: &Value<F>, site: usize| value.at(site).to_f64() as i64;
                let mut sums: HashMap<i64, f64> = HashMap::new();
                for site in 0..self.sites() {
                    *sums.entry(label(labels, site)).or_default() += x.at(site).to_f64();
                }
                self.field(|i| F::from_f64(sums.get(&label(at, i)).copied().unwrap_or(0.0)))
            }
            Op::SiteSum(a) => Value::One(self.site_sum(v(a))),
            Op::Uniform { draw, lane, rank } => {
                let key = self.key(*draw, *lane);
                match rank {
                    Rank::Site => self.field(|i| key.uniform(self.numbered(i))),
                    _ => Value::One(key.uniform(0)),
                }
            }
            Op::Centred { draw, lane, rank } => self.centred(*draw, *lane, *rank),
            Op::Bernoulli { p, rest: None, u } => self.compare(Comparison::Less, v(u), v(p)),
            Op::Bernoulli { p, rest: Some(rest), u } => {
                let w = self.centred_of(*u);
                self.map3(&w, v(p), v(rest), Bernoulli)
            }
            Op::Categorical { below, above, u, .. } => {
                let (class, passed) = self.categorical(below, above, *u);
                self.classes.insert(id, passed);
                class
            }
            Op::Indicator { draw, class } => self.indicator(*draw, *class as usize),
            Op::Normal(a, b) => self.map2(v(a), v(b), box_muller, box_muller),
            Op::Count { law, arguments, draw, .. } => {
                let key = self.key(*draw, 0);
                self.counted(instruction.rank, |i, at| match (law, &arguments[..]) {
                    (CountLaw::Binomial, [n, p]) => binomial(&key, i, at(*n), at(*p)),
                    (CountLaw::Poisson, [rate]) => poisson(&key, i, at(*rate)),
                    (CountLaw::Geometric, [p]) => geometric(&key, i, at(*p)),
                    _ => f64::NAN,
                })
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

    fn centred(&self, draw: u32, lane: u32, rank: Rank) -> Value<F> {
        let key = self.key(draw, lane);
        match rank {
            Rank::Site => self.field(|i| key.centred(self.numbered(i))),
            _ => Value::One(key.centred(0)),
        }
    }

    /// The centred number of the draw that a uniform number is of.
    fn centred_of(&self, u: ValueId) -> Value<F> {
        match self.program.instruction(u).op {
            Op::Uniform { draw, lane, rank } => self.centred(draw, lane, rank),
            ref other => panic!("a draw is decided by {other:?}"),
        }
    }

    fn map3(&self, w: &Value<F>, a: &Value<F>, b: &Value<F>, decide: impl Decide) -> Value<F> {
        match (w, a, b) {
            (Value::One(w), Value::One(a), Value::One(b)) => Value::One(decide.decide(*w, *a, *b)),
            _ => self.field(|i| decide.decide(w.at(i), a.at(i), b.at(i))),
        }
    }

    /// Class k is passed where, below u = 1/2, the sum up to k is at most u, and from there on what lies beyond is at
    /// least 1 - u.
    fn categorical(&self, below: &[ValueId], above: &[ValueId], u: ValueId) -> (Value<F>, Vec<Value<F>>) {
        let mut class = Value::One(0.0);
        let mut passed = Vec::new();
        for (below, above) in below.iter().zip(above) {
            let past = self.map3(&self.centred_of(u), self.value(*below), self.value(*above), Passed);
            class = self.binary(Binary::Add, &class, &past);
            passed.push(past);
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
            return self.field(|i| F::from_f64(draw(self.numbered(i), &|v| self.value(v).at(i).to_f64())));
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
        for (index, instruction) in self.program.instructions().iter().enumerate() {
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
        for (sink, v) in self.program.results() {
            match sink {
                Sink::NextLayer(i) => {
                    let layer = &self.program.declarations().layers[*i as usize];
                    let mut dense = self.dense(*v);
                    let (lowest, highest) = layer.values.range();
                    let whole = |x: f64| x.fract() == 0.0 && x >= lowest && x <= highest;
                    let bad = dense.iter().position(|x| !whole(*x)).filter(|_| layer.values.is_integer());
                    if let Some(site) = bad {
                        results.faults.push(Fault::OutOfRange { layer: *i, site, value: dense[site] });
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
                // What is written elsewhere, and rates, are events' ([`interpret_event`]).
                Sink::Elsewhere(_) | Sink::TotalRate | Sink::Fastest => {}
                Sink::ParameterAdjoint(i) => {
                    results.parameter_adjoints.insert(*i, self.value(*v).one());
                }
                Sink::Check(i) => {
                    let sites = if self.is_site(*v) { self.sites() } else { 1 };
                    let required = self.program.declarations().checks[*i as usize].required;
                    // Below site rank numbers are double.
                    let number = |s: usize| {
                        if self.is_site(*v) { self.value(*v).at(s).to_f64() } else { self.value(*v).one() }
                    };
                    let bad = (0..sites).find(|s| !allowed(required, number(*s), F::EPSILON.to_f64()));
                    if let Some(site) = bad {
                        results.faults.push(Fault::Refused { check: *i, site, value: number(site) });
                    }
                }
            }
        }
        results
    }
}

/// What a centred number decides, by one threshold for each of its signs.
trait Decide: Copy {
    fn decide<F: Real>(self, w: F, below: F, above: F) -> F;
}

/// Whether a class is passed.
#[derive(Clone, Copy)]
struct Passed;

impl Decide for Passed {
    fn decide<F: Real>(self, w: F, below: F, above: F) -> F {
        let passed = if w < F::ZERO { -w <= above } else { below <= w };
        if passed { F::ONE } else { F::ZERO }
    }
}

/// Whether a draw of probability `below`, and `above` of the opposite, succeeds.
#[derive(Clone, Copy)]
struct Bernoulli;

impl Decide for Bernoulli {
    fn decide<F: Real>(self, w: F, below: F, above: F) -> F {
        let succeeds = if w < F::ZERO { -w > above } else { w < below };
        if succeeds { F::ONE } else { F::ZERO }
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

/// A standard normal number from two uniform ones: √(−2 ln u) cos 2πv, with u = 0 moved up to 2⁻⁶⁴.
fn box_muller<F: Real>(u: F, v: F) -> F {
    let u = if u.to_f64() == 0.0 { F::from_f64(1.0 / 18_446_744_073_709_551_616.0) } else { u };
    let radius = (-(F::from_f64(2.0) * elementary::ln(u))).sqrt();
    radius * elementary::sin_cos_turns(v).1
}

/// Whether a draw may have such an argument; rounding carries probabilities 64 distances of 1 to the next number off.
fn allowed(required: Requirement, x: f64, epsilon: f64) -> bool {
    let whole = x.fract() == 0.0;
    match required {
        Requirement::Probability | Requirement::Share => x >= -64.0 * epsilon && x <= 1.0 + 64.0 * epsilon,
        Requirement::WholeOfOne => (x - 1.0).abs() <= 64.0 * epsilon,
        Requirement::Trials => whole && (0.0..=1e9).contains(&x),
        Requirement::Rate => (0.0..=1e9).contains(&x),
        Requirement::Chance => x >= f64::from(f32::MIN_POSITIVE) && x <= 1.0 + 64.0 * epsilon,
        Requirement::Direction(count) => whole && x >= 0.0 && x < f64::from(count),
        Requirement::Number => !x.is_nan(),
        Requirement::Condition => whole && (0.0..=1.0).contains(&x),
    }
}

/// Two uniform numbers of 53 bits for an attempt of a count at a site.
fn fine_uniforms(key: &Key, site: u32, attempt: u32) -> (f64, f64) {
    let [a, b, c, d] = key.words(site, attempt).map(u64::from);
    let number = |high: u64, low: u64| (((high << 32 | low) >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    (number(a, b), number(c, d))
}

/// Successes in n trials of probability p; above p = 1/2 the failures are drawn.
fn binomial(key: &Key, site: u32, n: f64, p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1e9).contains(&n) || n.fract() != 0.0 {
        return f64::NAN;
    }
    let (rare, mirrored) = if p > 0.5 { ((1.0 - p).max(0.0), true) } else { (p.max(0.0), false) };
    let odds = rare / (1.0 - rare);
    let count = if n * rare < 10.0 {
        let mut mass = elementary::exp(n * elementary::ln_1p(-rare));
        let (mut u, mut k) = (fine_uniforms(key, site, 0).0, 0.0);
        while u >= mass && k < n {
            u -= mass;
            mass *= odds * (n - k) / (k + 1.0);
            k += 1.0;
        }
        k
    } else {
        // BTRS of Hoermann (1993).
        let spread = (n * rare * (1.0 - rare)).sqrt();
        let b = 1.15 + 2.53 * spread;
        let a = -0.0873 + 0.0248 * b + 0.01 * rare;
        let mode = ((n + 1.0) * rare).floor();
        let top = (mode + 0.5) * elementary::ln((mode + 1.0) / (odds * (n - mode + 1.0)))
            + stirling(mode)
            + stirling(n - mode);
        let law = |k: f64| {
            top + (n + 1.0) * elementary::ln((n - mode + 1.0) / (n - k + 1.0))
                + (k + 0.5) * elementary::ln((n - k + 1.0) * odds / (k + 1.0))
                - stirling(k)
                - stirling(n - k)
        };
        let outside = |k: f64, _: f64, _: f64| k < 0.0 || k > n;
        rejected(key, site, [a, b, n * rare + 0.5, 0.92 - 4.2 / b, (2.83 + 5.1 / b) * spread], outside, law)
    };
    if mirrored { n - count } else { count }
}

/// Events of mean `rate`.
fn poisson(key: &Key, site: u32, rate: f64) -> f64 {
    if !(0.0..=1e9).contains(&rate) {
        return f64::NAN;
    }
    if rate < 10.0 {
        let mut mass = elementary::exp(-rate);
        let (mut u, mut k) = (fine_uniforms(key, site, 0).0, 0.0);
        while u >= mass && k < 1000.0 {
            u -= mass;
            k += 1.0;
            mass *= rate / k;
        }
        return k;
    }
    // PTRS of Hoermann (1993).
    let b = 0.931 + 2.53 * rate.sqrt();
    let a = -0.059 + 0.02483 * b;
    let law = |k: f64| {
        (k + 1.0 - rate) + k * elementary::ln(rate / (k + 1.0))
            - 0.5 * elementary::ln(k + 1.0)
            - 0.918_938_533_204_672_7
            - stirling(k)
    };
    let outside = |k: f64, depth: f64, height: f64| k < 0.0 || (depth < 0.013 && height > depth);
    rejected(
        key,
        site,
        [a, b, rate + 0.43, 0.9277 - 3.6224 / (b - 2.0), 1.1239 + 1.1328 / (b - 3.4)],
        outside,
        law,
    )
}

/// Trials up to the first success: the least k with (1 - p)^k <= u, by logarithms.
fn geometric(key: &Key, site: u32, p: f64) -> f64 {
    match p {
        p if p >= 1.0 => 1.0,
        p if p > 0.0 => {
            let trials = elementary::ln(fine_uniforms(key, site, 0).0) / elementary::ln_1p(-p);
            trials.floor() + 1.0
        }
        _ => f64::NAN,
    }
}

/// Transformed rejection with squeeze: a, b, centre, squeeze, scale; what is refused unseen; the law's logarithm.
fn rejected(
    key: &Key,
    site: u32,
    [a, b, centre, squeeze, scale]: [f64; 5],
    outside: impl Fn(f64, f64, f64) -> bool,
    law: impl Fn(f64) -> f64,
) -> f64 {
    for attempt in 0.. {
        let (u, height) = fine_uniforms(key, site, attempt);
        let u = u - 0.5;
        let depth = 0.5 - u.abs();
        let k = ((2.0 * a / depth + b) * u + centre).floor();
        if depth >= 0.07 && height <= squeeze {
            return k;
        }
        if !outside(k, depth, height) && elementary::ln(height * scale / (a / (depth * depth) + b)) <= law(k)
        {
            return k;
        }
    }
    f64::NAN
}

/// ln k! less Stirling's (k + 1/2) ln(k + 1) - (k + 1) + ln(2 pi)/2: summed up to 9!, by its series above.
fn stirling(k: f64) -> f64 {
    let exact = [
        0.081_061_466_795_327_26,
        0.041_340_695_955_409_3,
        0.027_677_925_684_998_34,
        0.020_790_672_103_765_093,
        0.016_644_691_189_821_193,
        0.013_876_128_823_070_748,
        0.011_896_709_945_891_77,
        0.010_411_265_261_972_096,
        0.009_255_462_182_712_733,
        0.008_330_563_433_362_87,
    ];
    if k < 10.0 {
        return exact[k as usize];
    }
    let z = 1.0 / (k + 1.0);
    let square = z * z;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - square / 1680.0) * square) * square) * z
}
