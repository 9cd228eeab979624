//! Checks what stands beyond fixed edges: random rules against the same rules computed plainly, site by site, where what is
//! outside is a number beside the field.
#![allow(clippy::unwrap_used)]

use glauber_engine::{FieldData, Options, Plan, Precision, Run};
use glauber_lattice::{Boundary, Lattice, Moore, Neighbourhood, Neighbours, Offset, Values, VonNeumann};
use glauber_likelihood::log_likelihood;
use glauber_program::{Expr, Interval, Model, ModelError, Pick, Scope, Update};
use glauber_statistics::tolerance::SampleMean;

/// Small numbers from a seed (Steele, Lea & Flood's SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % count as u64) as usize
    }
}

const OFFSETS: [Offset; 6] = [[0, 0, 1], [0, 0, -2], [0, 1, 0], [0, -1, 1], [0, 2, -1], [0, 0, -1]];

/// An expression of a rule.
#[derive(Debug)]
enum Tree {
    Layer(usize),
    Field,
    Parameter,
    Number(f64),
    Add(Box<Tree>, Box<Tree>),
    Times(Box<Tree>, Box<Tree>),
    LessFrom(f64, Box<Tree>),
    Less(Box<Tree>, Box<Tree>),
    IsB,
    Choice(Box<Tree>, Box<Tree>, Box<Tree>),
    /// A draw that is certain, whatever its uniform number is.
    Certain(Box<Tree>),
    Shift(Box<Tree>, Offset, Option<f64>),
    Sum(Box<Tree>, u8, Option<f64>),
}

fn around(which: u8) -> Neighbourhood {
    match which {
        0 => VonNeumann.on(2),
        1 => Moore.on(2),
        2 => Neighbourhood::weighted(&[([0, 0, 1], 0.25), ([0, 1, 0], -1.75), ([0, -1, -1], 0.125)]),
        _ => Neighbourhood::weighted(&[([0, 0, 2], 2.0), ([0, 0, -1], 3.0)]),
    }
}

fn tree(dice: &mut Dice, depth: usize) -> Tree {
    let leaf = |dice: &mut Dice| match dice.below(7) {
        0..=2 => Tree::Layer(dice.below(3)),
        3 => Tree::Field,
        4 => Tree::Parameter,
        5 => Tree::IsB,
        _ => Tree::Number([0.0, 1.0, -0.5, 3.0][dice.below(4)]),
    };
    if depth == 0 {
        return leaf(dice);
    }
    let deeper = |dice: &mut Dice| Box::new(tree(dice, depth - 1));
    let given = |dice: &mut Dice| [None, None, Some(0.0), Some(1.0), Some(-2.5)][dice.below(5)];
    match dice.below(13) {
        0 => Tree::Add(deeper(dice), deeper(dice)),
        1 => Tree::Times(deeper(dice), deeper(dice)),
        2 | 3 => Tree::LessFrom([1.0, 2.0, 0.25][dice.below(3)], deeper(dice)),
        4 => Tree::Less(deeper(dice), deeper(dice)),
        5 => Tree::Choice(deeper(dice), deeper(dice), deeper(dice)),
        6 => Tree::Certain(deeper(dice)),
        7..=9 => Tree::Shift(deeper(dice), OFFSETS[dice.below(6)], given(dice)),
        10 | 11 => Tree::Sum(deeper(dice), dice.below(4) as u8, given(dice)),
        _ => leaf(dice),
    }
}

const NAMES: [&str; 3] = ["on", "count", "level"];

/// The rule, as a model says it.
fn said(s: &Scope, tree: &Tree) -> Expr {
    let of = |t: &Tree| said(s, t);
    match tree {
        Tree::Layer(i) => s.layer(NAMES[*i]),
        Tree::Field => s.field("slope"),
        Tree::Parameter => s.parameter("p"),
        Tree::Number(x) => s.number(*x),
        Tree::Add(a, b) => of(a) + of(b),
        Tree::Times(a, b) => of(a) * of(b),
        Tree::LessFrom(x, a) => *x - of(a),
        Tree::Less(a, b) => of(a).less(of(b)),
        Tree::IsB => s.layer("kind").is(1),
        Tree::Choice(c, a, b) => of(c).greater(0.25).select(of(a), of(b)),
        Tree::Certain(a) => s.bernoulli(of(a).greater(0.5)),
        Tree::Shift(a, offset, None) => of(a).shift(*offset),
        Tree::Shift(a, offset, Some(x)) => of(a).beyond(*x).shift(*offset),
        Tree::Sum(a, n, None) => of(a).neighbours_all_round(around(*n)).sum(),
        Tree::Sum(a, n, Some(x)) => of(a).beyond(*x).neighbours_all_round(around(*n)).sum(),
    }
}

/// A field, and what is beyond the edges of either axis.
#[derive(Clone)]
struct Plain {
    sites: Vec<f64>,
    beyond: [f64; 2],
}

struct World {
    shape: [usize; 2],
    boundaries: [Boundary; 2],
    /// The layers on, count, level and kind, then the field.
    layers: Vec<Plain>,
    p: f64,
}

impl World {
    fn all(&self, x: f64) -> Plain {
        Plain { sites: vec![x; self.shape[0] * self.shape[1]], beyond: [x; 2] }
    }

    /// What site `i` sees at an offset; beyond both edges at once the first axis decides.
    fn seen(&self, x: &Plain, i: usize, offset: Offset) -> f64 {
        let at = [i / self.shape[1], i % self.shape[1]];
        let mut source = [0; 2];
        for k in 0..2 {
            match self.boundaries[k].source(at[k] as i64 + i64::from(offset[k + 1]), self.shape[k]) {
                Some(place) => source[k] = place,
                None => return x.beyond[k],
            }
        }
        x.sites[source[0] * self.shape[1] + source[1]]
    }

    fn with(&self, f: impl Fn(&dyn Fn(&Plain) -> f64) -> f64) -> Plain {
        let sites = (0..self.shape[0] * self.shape[1]).map(|i| f(&|x: &Plain| x.sites[i])).collect();
        Plain { sites, beyond: [0, 1].map(|k| f(&|x: &Plain| x.beyond[k])) }
    }

    fn value(&self, tree: &Tree) -> Plain {
        let truth = |holds: bool| f64::from(u8::from(holds));
        match tree {
            Tree::Layer(i) => self.layers[*i].clone(),
            Tree::IsB => self.with(|of| truth((of(&self.layers[3]) - 1.0).abs() < 0.5)),
            Tree::Field => self.layers[4].clone(),
            Tree::Parameter => self.all(self.p),
            Tree::Number(x) => self.all(*x),
            Tree::Add(a, b) => {
                let (a, b) = (self.value(a), self.value(b));
                self.with(|of| of(&a) + of(&b))
            }
            Tree::Times(a, b) => {
                let (a, b) = (self.value(a), self.value(b));
                self.with(|of| of(&a) * of(&b))
            }
            Tree::LessFrom(x, a) => {
                let a = self.value(a);
                self.with(|of| x - of(&a))
            }
            Tree::Less(a, b) => {
                let (a, b) = (self.value(a), self.value(b));
                self.with(|of| truth(of(&a) < of(&b)))
            }
            Tree::Choice(c, a, b) => {
                let (c, a, b) = (self.value(c), self.value(a), self.value(b));
                self.with(|of| if of(&c) > 0.25 { of(&a) } else { of(&b) })
            }
            Tree::Certain(a) => {
                let a = self.value(a);
                self.with(|of| truth(of(&a) > 0.5))
            }
            Tree::Shift(a, offset, given) => {
                let mut a = self.value(a);
                a.beyond = given.map_or(a.beyond, |x| [x; 2]);
                let sites = (0..a.sites.len()).map(|i| self.seen(&a, i, *offset)).collect();
                Plain { sites, beyond: a.beyond }
            }
            Tree::Sum(a, n, given) => {
                let (mut a, n) = (self.value(a), around(*n));
                a.beyond = given.map_or(a.beyond, |x| [x; 2]);
                let members = || n.offsets().iter().zip(n.weights());
                let sum = |i: usize| members().map(|(o, w)| w * self.seen(&a, i, *o)).sum();
                let total: f64 = n.weights().iter().sum();
                Plain { sites: (0..a.sites.len()).map(sum).collect(), beyond: a.beyond.map(|x| total * x) }
            }
        }
    }
}

fn world(dice: &mut Dice, edges: [Option<f64>; 4]) -> World {
    let shape = [4 + 2 * dice.below(2), 6];
    let number = |dice: &mut Dice| [0.0, 1.0, 0.5, -2.0][dice.below(4)];
    let first = number(dice);
    let second = if dice.below(3) == 0 { number(dice) } else { first };
    let mut boundaries = [Boundary::Fixed(first), Boundary::Fixed(second)];
    match dice.below(4) {
        0 => boundaries[dice.below(2)] = Boundary::Periodic,
        1 => boundaries[dice.below(2)] = Boundary::Reflecting,
        _ => {}
    }
    let sites = shape[0] * shape[1];
    let lattices = boundaries.map(|b| if let Boundary::Fixed(x) = b { x } else { f64::NAN });
    let layer = |dice: &mut Dice, edge: Option<f64>, value: &dyn Fn(&mut Dice) -> f64| Plain {
        sites: (0..sites).map(|_| value(dice)).collect(),
        beyond: edge.map_or(lattices, |x| [x; 2]),
    };
    let real = |dice: &mut Dice| dice.below(1024) as f64 / 512.0 - 1.0;
    let layers = vec![
        layer(dice, edges[0], &|d| d.below(2) as f64),
        layer(dice, edges[1], &|d| d.below(6) as f64),
        layer(dice, edges[2], &real),
        layer(dice, edges[3], &|d| d.below(3) as f64),
        layer(dice, None, &real),
    ];
    World { shape, boundaries, layers, p: 0.375 }
}

fn model(world: &World, edges: [Option<f64>; 4], update: Update, tree: &Tree) -> Result<Model, ModelError> {
    let lattice = Lattice::new(&world.shape).unwrap();
    let lattice = lattice.along(0, world.boundaries[0]).along(1, world.boundaries[1]);
    let mut built = Model::build("edges", lattice)
        .layer("on", Values::binary())
        .layer("count", Values::integers(0, 5))
        .layer("level", Values::Real)
        .layer("kind", Values::categories(&["a", "b", "c"]))
        .layer("out", Values::Real)
        .parameter("p", Interval::positive())
        .covariate("slope")
        .update(update);
    for (name, edge) in ["on", "count", "level", "kind"].iter().zip(edges) {
        built = edge.map_or(built.clone(), |edge| built.edge(name, edge));
    }
    built.step(|s| {
        ["on", "count", "level", "kind"].iter().for_each(|name| s.next(name).set(s.layer(name)));
        s.next("out").set(said(s, tree));
    })
}

fn edges(dice: &mut Dice) -> [Option<f64>; 4] {
    let mut of = |values: &[f64]| (dice.below(2) == 0).then(|| values[dice.below(values.len())]);
    [of(&[0.0, 1.0]), of(&[0.0, 2.0, 5.0]), of(&[-0.25, 0.0, 3.5]), of(&[0.0, 1.0, 2.0])]
}

/// A random rule gives at every site what it gives where it is computed plainly, under every update: all at once, by
/// colours, site after site in any order. Layers that it reads stay as they are.
#[test]
fn rules_see_what_they_make_of_the_edges() {
    let mut by_scheme = [0; 3];
    let mut differs = 0;
    for seed in 0..400 {
        let mut dice = Dice(seed);
        let edges = edges(&mut dice);
        let (world, tree) = (world(&mut dice, edges), tree(&mut dice, 4));
        let expected = world.value(&tree).sites;
        if expected.iter().any(|x| x.is_nan()) {
            continue;
        }
        let updates = [Update::Synchronous, Update::Sublattices, Update::sequential(Pick::EachOnce)];
        for (place, update) in updates.into_iter().enumerate() {
            // A draw is made where the event is; elsewhere such a rule has no meaning.
            if place > 0 && format!("{tree:?}").contains("Certain") {
                continue;
            }
            // Beyond a mirror an event sees what is around it mirrored too (LIMITATIONS.md).
            if place == 2 && world.boundaries.contains(&Boundary::Reflecting) {
                continue;
            }
            let model = match model(&world, edges, update, &tree) {
                Ok(model) => model,
                // It reaches too far for colours.
                Err(ModelError::Scheme { .. }) if place == 1 => continue,
                Err(error) => panic!("seed {seed}: {error}"),
            };
            let theta = [world.p];
            let mut start: Vec<FieldData> =
                world.layers[..4].iter().map(|layer| FieldData::shared(layer.sites.clone())).collect();
            start.push(FieldData::shared(vec![0.0; expected.len()]));
            let slope = FieldData::shared(world.layers[4].sites.clone());
            let run = Run::new(&theta, 1).start(start).with_field("slope", slope);
            let options = Options { precision: Precision::Double, threads: 1, ..Options::default() };
            let found = Plan::new(&model, &[], None, options).unwrap().simulate(&run).unwrap();
            for (i, (own, right)) in found.last[0][4].iter().zip(&expected).enumerate() {
                // Sums are taken in another order: some roundings of terms no greater than this.
                let tolerance = 1e-12 * (1.0 + right.abs() + 1e4);
                assert!(
                    (own - right).abs() <= tolerance,
                    "seed {seed}, {:?}, site {i} of {:?}: {own}, plainly {right}\n{tree:?}\n{edges:?}\n{}",
                    model.declarations().update,
                    world.shape,
                    model.step
                );
            }
            by_scheme[place] += 1;
        }
        // The same with nothing but the lattice's numbers beyond the edges: the test can tell.
        let mut other = World { layers: world.layers.clone(), ..world };
        other.layers.iter_mut().for_each(|layer| layer.beyond = [0.0; 2]);
        let unlike = other.value(&tree).sites.iter().zip(&expected).any(|(a, b)| (a - b).abs() > 1e-6);
        differs += usize::from(unlike);
    }
    assert!(by_scheme[0] > 300 && by_scheme[1] > 50 && by_scheme[2] > 100, "{by_scheme:?}");
    assert!(differs > 60, "{differs}");
}

/// A number that is no exact difference of others is read as it is, in either precision: nothing is added to it and taken
/// away again.
#[test]
fn what_is_inside_is_read_exactly() {
    let built = Model::build("exact", Lattice::square(4).fixed(0.0))
        .layer("u", Values::Real)
        .edge("u", 1e6)
        .step(|s| s.next("u").set(s.layer("u").shift([0, 0, 1])))
        .unwrap();
    let start: Vec<f64> = (0..16).map(|i| f64::from((0.1 + f64::from(i) * 1e-7) as f32)).collect();
    let run = Run::new(&[], 1).start(vec![FieldData::shared(start.clone())]);
    for precision in [Precision::Single, Precision::Double] {
        let plan = Plan::new(&built, &[], None, Options { precision, ..Options::default() }).unwrap();
        let last = plan.simulate(&run).unwrap().last[0][0].clone();
        for i in 0..16 {
            let right = if i % 4 == 3 { 1e6 } else { start[i + 1] };
            assert!((last[i] - right).abs() <= 0.0, "{i}: {} {right}", last[i]);
        }
    }
}

/// A draw whose outcome is open beyond the edges is made once for all of what lies there: in a replicate all sites at the
/// edge see the same, with the probability that the rule gives it there (a false alarm in 10,000 seeds).
#[test]
fn draws_beyond_the_edges_are_made_once() {
    let model = Model::build("drawn", Lattice::square(6).fixed(0.0))
        .layer("on", Values::binary())
        .edge("on", 1.0)
        .step(|s| {
            let drawn = s.bernoulli(s.layer("on") * 0.25);
            s.next("on").set(drawn.shift([0, 0, 1]));
        })
        .unwrap();
    let start = vec![FieldData::shared(vec![0_u8; 36])];
    let run = Run::new(&[], 1).replicates(4000).seed(3).start(start);
    let plan = Plan::new(&model, &[], None, Options::default()).unwrap();
    let mut seen = Vec::new();
    for frame in plan.simulate(&run).unwrap().last {
        let column: Vec<f64> = (0..6).map(|y| frame[0][6 * y + 5]).collect();
        assert!(column.iter().all(|x| (x - column[0]).abs() <= 0.0), "{column:?}");
        let inside = frame[0].iter().enumerate().filter(|(i, _)| i % 6 < 5).map(|(_, x)| x).sum::<f64>();
        assert!(inside.abs() <= 0.0, "{inside}");
        seen.push(column[0]);
    }
    let found = SampleMean::of(&seen);
    assert!(found.agrees_with(0.25, 1e-4), "{} ± {}", found.mean, found.standard_error());
    assert!(log_likelihood(&model.step).is_err());
}

/// The exact likelihood of a step sums to 1 over all states after it, and is the product of the sites' chances where what
/// is beyond the edges counts: all at once and by colours.
#[test]
fn likelihoods_know_the_edges() {
    for update in [Update::Synchronous, Update::Sublattices] {
        let model = Model::build("free", Lattice::new(&[2, 3]).unwrap().fixed(0.0))
            .layer("on", Values::binary())
            .parameter("p", Interval::unit())
            .edge("on", 1.0)
            .update(update.clone())
            .step(|s| {
                let free = (1.0 - s.layer("on")).neighbours(VonNeumann).sum();
                let beside = (s.layer("on") * 2.0 - 1.0).shift([0, 0, 1]);
                s.next("on").bernoulli(s.parameter("p") * (0.2 + 0.1 * free) + 0.25 * (beside + 1.0) / 2.0);
            })
            .unwrap();
        let chance = |state: &[f64], i: usize| {
            let (y, x) = ((i / 3) as i64, (i % 3) as i64);
            let at = |y: i64, x: i64| match (0..2).contains(&y) && (0..3).contains(&x) {
                true => state[(y * 3 + x) as usize],
                false => 1.0,
            };
            let free = 4.0 - at(y, x - 1) - at(y, x + 1) - at(y - 1, x) - at(y + 1, x);
            0.6 * (0.2 + 0.1 * free) + 0.25 * at(y, x + 1)
        };
        let program = log_likelihood(&model.step).unwrap();
        let options = Options { precision: Precision::Double, ..Options::default() };
        let plan = Plan::new(&model, &[program.into()], None, options).unwrap();
        let before = vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
        let after: Vec<Vec<f64>> =
            (0..64).map(|n| (0..6).map(|site| f64::from(n >> site & 1)).collect()).collect();
        let theta = [0.6];
        let mut run =
            Run::new(&theta, 0).replicates(64).start(vec![FieldData::shared(before.clone())]).observe(0, 0);
        run.targets = Some(vec![FieldData::picked(after.concat(), (0..64).collect())]);
        let law: Vec<f64> = plan.simulate(&run).unwrap().outputs.values.into_iter().map(f64::exp).collect();
        assert!((law.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{}", law.iter().sum::<f64>());
        if update == Update::Synchronous {
            for (state, own) in after.iter().zip(&law) {
                let plainly: f64 = (0..6)
                    .map(|i| if state[i] > 0.5 { chance(&before, i) } else { 1.0 - chance(&before, i) })
                    .product();
                assert!((own - plainly).abs() < 1e-12, "{own} {plainly}");
            }
        }
    }
}
