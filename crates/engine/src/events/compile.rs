//! Makes of a rule the instructions that are run at the site of an event.
//!
//! A value is asked for at a *spot*: the event's site or one that it picks, and an offset from there. What reads elsewhere
//! asks for its operand at another spot, so that in the end only layers and fields are read, at constant distances. Beyond
//! a fixed edge a value that is computed is the edge's, as in a synchronous step.

use std::collections::HashMap;
use std::sync::Arc;

use glauber_lattice::{Boundary, Layout, Offset};
use glauber_program::{
    Binary, Bundle, Comparison, Domain, Graph, Op, Pick, Place, Program, Rank, Sink, Update, ValueId,
    footprint,
};

use super::instruction::{From, Instruction, Noise, Picked, Register, Slot, Source, Write};
use super::rule::{Rule, Sum, SumsOf};
use crate::compile::Code;
use glauber_backend::CompileOptions;
use glauber_backend::EngineError;
use glauber_backend::plane::holds;
use glauber_program::passes::Tables;

/// A value and the spot where it is asked for.
type Asked = (ValueId, From, Offset);

struct Compiler<'p> {
    program: &'p Program,
    tables: Tables,
    layout: &'p Layout,
    boundaries: [Boundary; 3],
    instructions: Vec<Instruction>,
    writes: Vec<Write>,
    operands: Vec<Register>,
    slots: Vec<Slot>,
    noise: Vec<Noise>,
    anywhere: Vec<u32>,
    distances: Vec<i32>,
    weights: Vec<f64>,
    used_tables: Vec<usize>,
    picked: HashMap<Place, From>,
    sums: Vec<Sum>,
    made: HashMap<Asked, Register>,
    /// Registers are numbered from here on until it is known how many numbers come before them.
    registers: usize,
}

/// A register while the number of slots is not known yet: slots first, by their place, others behind.
const FIRST: usize = 1 << 14;

impl Rule {
    /// Compiles the rule of a bundle that is applied by events.
    pub(crate) fn compile(bundle: &Bundle, options: CompileOptions) -> Result<Rule, EngineError> {
        let declarations = bundle.declarations();
        let layout = Layout::new(&declarations.lattice, bundle.reach);
        let (program, fastest) = with_fastest(&bundle.step.simulated());
        let tables = if options.tables { Tables::find(&program, |_| false) } else { Tables::none() };
        let mut compiler = Compiler {
            tables,
            program: &program,
            layout: &layout,
            boundaries: declarations.lattice.boundaries(),
            instructions: Vec::new(),
            writes: Vec::new(),
            operands: Vec::new(),
            slots: Vec::new(),
            noise: Vec::new(),
            anywhere: Vec::new(),
            distances: Vec::new(),
            weights: Vec::new(),
            used_tables: Vec::new(),
            picked: HashMap::new(),
            sums: Vec::new(),
            made: HashMap::new(),
            registers: 0,
        };
        compiler.all()?;
        if compiler.slots.len() > FIRST {
            let why = "its rule reads more numbers that are the same at every site than an event can hold (16,384): shorten it";
            return Err(compiler.too_large(why));
        }
        let Compiler {
            mut instructions,
            mut writes,
            mut operands,
            slots,
            noise,
            anywhere,
            distances,
            weights,
            ..
        } = compiler;
        let Compiler { used_tables, registers, tables, picked: sites, sums, .. } = compiler;
        let behind_slots = |r: &mut Register| {
            if *r as usize >= FIRST {
                *r = (*r as usize - FIRST + slots.len()) as Register;
            }
        };
        instructions.iter_mut().for_each(|instruction| instruction.registers(behind_slots));
        writes.iter_mut().for_each(|write| behind_slots(&mut write.a));
        operands.iter_mut().for_each(behind_slots);
        let around = footprint(&program);
        let distances_of = |offsets: &std::collections::BTreeSet<Offset>| -> Vec<i32> {
            offsets.iter().map(|offset| layout.distance(*offset) as i32).collect()
        };
        let sums = sums_of(bundle, sums, &program, options)?.map(Arc::new);
        let inner = CompileOptions { tables: false, ..options };
        let tables = used_tables.into_iter().map(|number| {
            let table = tables.tables[number].clone();
            let own = table.program(&program);
            let layout = Layout::new(&own.declarations().lattice, [0; 3]);
            (table, Box::new(Code::compile(&own, &layout, inner)))
        });
        let tables = tables.collect();
        let (pick, events) = match &declarations.update {
            Update::RandomSequential { pick, events } => (picked(pick, declarations)?, *events),
            _ => (Picked::AnySite, None),
        };
        Ok(Rule {
            instructions,
            writes,
            operands,
            picks: sites.len(),
            reads: distances_of(&around.reads),
            written: distances_of(&around.writes),
            registers: slots.len() + registers,
            slots,
            noise,
            anywhere,
            distances,
            weights,
            tables,
            pick,
            events,
            continuous: declarations.update == Update::ContinuousTime,
            fastest,
            boundaries: declarations.lattice.boundaries(),
            lists: program.declarations().lists.clone(),
            sums,
            layout,
            program,
        })
    }
}

/// Of the sums that a rule reads; none where it reads none.
fn sums_of(
    bundle: &Bundle,
    all: Vec<Sum>,
    program: &Program,
    options: CompileOptions,
) -> Result<Option<SumsOf>, EngineError> {
    if all.is_empty() {
        return Ok(None);
    }
    let mut declarations = bundle.declarations().clone();
    declarations.update = Update::sequential(glauber_program::Pick::AnySite);
    let count = declarations.layers.len();
    let mut graph = Graph::new(declarations);
    let renamed = graph.import(program, |g, _, op| match op {
        // A bound of rates is read by no sum.
        Op::Parameter(i) if *i as usize >= g.declarations.parameters.len() => Some(g.constant(0.0)),
        _ => None,
    });
    for (number, sum) in all.iter().enumerate() {
        // Behind the layers, so that none is taken for one that stays as it is.
        graph.result(Sink::NextLayer((count + number) as u32), renamed[sum.x.index()]);
    }
    let step = graph.finish();
    let own = Bundle { step, adjoints: None, start: None, observed: Vec::new(), reach: bundle.reach };
    let rule = Rule::compile(&own, options)?;
    let summed = rule.writes.iter().map(|write| write.a).collect();
    let mut layers = vec![false; count];
    for sum in &all {
        layers[sum.labels as usize] = true;
    }
    for instruction in &rule.instructions {
        if let Instruction::Read { source: Source::Layer(i), .. }
        | Instruction::Count { source: Source::Layer(i), .. }
        | Instruction::Sum { source: Source::Layer(i), .. } = instruction
        {
            layers[*i as usize] = true;
        }
    }
    Ok(Some(SumsOf { all, rule: Arc::new(rule), summed, layers }))
}

fn picked(pick: &Pick, d: &glauber_program::Declarations) -> Result<Picked, EngineError> {
    Ok(match pick {
        Pick::AnySite => Picked::AnySite,
        Pick::EachOnce => Picked::EachOnce,
        Pick::Among { layer, state } => {
            let place = d.layers.iter().position(|l| l.name == *layer);
            let place =
                place.ok_or(EngineError::Broken("agents are drawn from a layer that is not declared"))?;
            Picked::Among { layer: place as u16, state: *state }
        }
    })
}

/// The program with the highest sum of rates as one more parameter, where it reads it.
fn with_fastest(program: &Program) -> (Program, Option<u32>) {
    if !program.instructions().iter().any(|i| i.op == Op::Fastest) {
        return (program.clone(), None);
    }
    let mut declarations = program.declarations().clone();
    let place = declarations.parameters.len() as u32;
    declarations.signature.parameters.push(glauber_program::Parameter {
        name: "highest sum of rates".into(),
        interval: glauber_program::Interval::new(f64::MIN_POSITIVE, f64::INFINITY),
        default: None,
        unit: None,
    });
    let mut graph = glauber_program::Graph::new(declarations);
    let renamed = graph.import(program, |g, _, op| match op {
        Op::Fastest => Some(g.push(Op::Parameter(place))),
        _ => None,
    });
    for (sink, value) in program.results() {
        graph.result(*sink, renamed[value.index()]);
    }
    (graph.finish(), Some(place))
}

impl Compiler<'_> {
    fn all(&mut self) -> Result<(), EngineError> {
        let here = |value: ValueId| (value, 0, [0; 3]);
        for (sink, value) in self.program.results() {
            let op = &self.program.instruction(*value).op;
            match (sink, op) {
                (Sink::NextLayer(i), Op::Layer(j)) if i == j => {}
                (Sink::NextLayer(i), _) => {
                    let a = self.register(here(*value))?;
                    self.writes.push(Write { layer: *i as u16, from: 0, a });
                }
                (Sink::Check(check), _) => {
                    let a = self.register(here(*value))?;
                    self.instructions.push(Instruction::Check { check: *check, a });
                }
                _ => {}
            }
        }
        for (sink, value) in self.program.results() {
            if let (Sink::Elsewhere(layer), Op::Put { value, place }) =
                (sink, &self.program.instruction(*value).op)
            {
                let (a, from) = (self.register(here(*value))?, self.place(place)?);
                self.writes.push(Write { layer: *layer as u16, from, a });
            }
        }
        Ok(())
    }

    fn fresh(&mut self) -> Result<Register, EngineError> {
        self.registers += 1;
        let number = FIRST + self.registers - 1;
        if number >= usize::from(u16::MAX) {
            let why =
                "its rule computes more values for one site than an event can hold (some 49,000): shorten it";
            return Err(self.too_large(why));
        }
        Ok(number as Register)
    }

    fn too_large(&self, why: &'static str) -> EngineError {
        EngineError::TooLarge { model: self.program.declarations().model.clone(), why }
    }

    /// The register of a number that is the same at every site.
    fn slot(&mut self, slot: Slot) -> Register {
        let place = self.slots.iter().position(|v| *v == slot);
        place.unwrap_or_else(|| {
            self.slots.push(slot);
            self.slots.len() - 1
        }) as Register
    }

    fn noise(&mut self, noise: Noise) -> u16 {
        let place = self.noise.iter().position(|n| *n == noise);
        place.unwrap_or_else(|| {
            self.noise.push(noise);
            self.noise.len() - 1
        }) as u16
    }

    fn distance(&self, offset: Offset) -> i32 {
        self.layout.distance(offset) as i32
    }

    /// Which picked site a place is; picks it where it is new.
    fn place(&mut self, place: &Place) -> Result<From, EngineError> {
        if let Some(from) = self.picked.get(place) {
            return Ok(*from);
        }
        let pick = match place {
            Place::Neighbour { direction, offsets } => {
                let direction = self.register((*direction, 0, [0; 3]))?;
                let offsets = self.program.declarations().neighbourhoods[*offsets as usize].offsets();
                let start = self.distances.len() as u32;
                for offset in offsets {
                    let distance = self.distance(*offset);
                    self.distances.push(distance);
                    self.weights.push(1.0);
                }
                Instruction::Neighbour { from: 0, direction, start, count: offsets.len() as u16 }
            }
            Place::Anywhere { draw } => {
                self.anywhere.push(*draw);
                Instruction::Anywhere { from: 0, slot: self.anywhere.len() as u16 - 1 }
            }
        };
        let from = self.picked.len() + 1;
        if from > 15 {
            let why = "its rule picks more than 15 other sites in one event: pick fewer";
            return Err(self.too_large(why));
        }
        let from = from as From;
        self.instructions.push(match pick {
            Instruction::Neighbour { direction, start, count, .. } => {
                Instruction::Neighbour { from, direction, start, count }
            }
            Instruction::Anywhere { slot, .. } => Instruction::Anywhere { from, slot },
            other => other,
        });
        self.picked.insert(*place, from);
        Ok(from)
    }

    /// Whether a plane holds what stands beyond the lattice's fixed edges.
    fn holds_edges(&self, op: &Op) -> bool {
        let storage = match op {
            Op::Layer(i) => self.program.declarations().layers[*i as usize].values.storage(),
            Op::Field(_) => glauber_lattice::Storage::U8,
            _ => return false,
        };
        self.edges().all(|value| holds(storage, Domain::point(value)))
    }

    fn edges(&self) -> impl Iterator<Item = f64> + '_ {
        self.boundaries.iter().filter_map(|b| match b {
            Boundary::Fixed(value) => Some(*value),
            _ => None,
        })
    }

    /// The register that holds a value at a spot, which is computed where it is not yet.
    fn register(&mut self, asked: Asked) -> Result<Register, EngineError> {
        let (value, from, offset) = asked;
        let instruction = self.program.instruction(value);
        let here = from == 0 && offset == [0; 3];
        if instruction.rank != Rank::Site {
            return Ok(self.slot(Slot::Value(value)));
        }
        if let Some(known) = self.made.get(&asked) {
            return Ok(*known);
        }
        let op = instruction.op.clone();
        let read = matches!(op, Op::Layer(_) | Op::Field(_));
        // What a plane holds of fixed edges is read like any other; what is computed there is not what stands there.
        let right_at_edges = if read { self.holds_edges(&op) } else { self.edges().next().is_none() };
        let to = if here || right_at_edges { self.computed(asked)? } else { self.at_edge(asked)? };
        self.made.insert(asked, to);
        Ok(to)
    }

    /// A value at a spot that may lie beyond a fixed edge, where it is the edge's.
    fn at_edge(&mut self, asked: Asked) -> Result<Register, EngineError> {
        let (_, from, offset) = asked;
        let distance = self.distance(offset);
        let own = self.computed(asked)?;
        let (inside, edge, to) = (self.fresh()?, self.fresh()?, self.fresh()?);
        self.instructions.extend([
            Instruction::Read { to: inside, source: Source::Inside, from, distance },
            Instruction::Read { to: edge, source: Source::Edge, from, distance },
            Instruction::Select { to, condition: inside, yes: own, no: edge },
        ]);
        Ok(to)
    }

    fn source(&self, value: ValueId) -> Option<Source> {
        let op = &self.program.instruction(value).op;
        let source = match op {
            Op::Layer(i) => Source::Layer(*i as u16),
            Op::Field(i) => Source::Field(*i as u16),
            _ => return None,
        };
        self.holds_edges(op).then_some(source)
    }

    /// Computes a value at a spot, as if there were no fixed edges.
    fn computed(&mut self, asked: Asked) -> Result<Register, EngineError> {
        let (value, from, offset) = asked;
        let op = self.program.instruction(value).op.clone();
        if let Some(number) = self.tables.number_of(value) {
            return self.looked_up(asked, number);
        }
        let moved = |by: Offset| [0, 1, 2].map(|k| offset[k].saturating_add(by[k]));
        let same = |v: ValueId| (v, from, offset);
        let made = match op {
            Op::Layer(i) => {
                let (to, distance) = (self.fresh()?, self.distance(offset));
                Instruction::Read { to, source: Source::Layer(i as u16), from, distance }
            }
            Op::Field(i) => {
                let (to, distance) = (self.fresh()?, self.distance(offset));
                Instruction::Read { to, source: Source::Field(i as u16), from, distance }
            }
            Op::Shift { x, offset: by, .. } => return self.register((x, from, moved(by))),
            Op::There { x, place } if from == 0 && offset == [0; 3] => {
                let from = self.place(&place)?;
                return self.register((x, from, [0; 3]));
            }
            Op::Inside(place) if from == 0 && offset == [0; 3] => {
                let from = self.place(&place)?;
                Instruction::Read { to: self.fresh()?, source: Source::Inside, from, distance: 0 }
            }
            Op::NeighbourSum { x, neighbourhood, .. } => {
                let own = self.program.declarations().neighbourhoods[neighbourhood as usize].clone();
                let offsets: Vec<Offset> = own.offsets().iter().map(|o| moved(*o)).collect();
                match self.source(x) {
                    Some(source) => {
                        let start = self.distances.len() as u32;
                        for (offset, weight) in offsets.iter().zip(own.weights()) {
                            let distance = self.distance(*offset);
                            self.distances.push(distance);
                            self.weights.push(*weight);
                        }
                        let (to, count) = (self.fresh()?, offsets.len() as u16);
                        match own.counts() {
                            true => Instruction::Count { to, source, from, start, count },
                            false => Instruction::Sum { to, source, from, start, count },
                        }
                    }
                    None => return self.summed(x, from, &offsets, own.weights()),
                }
            }
            Op::Coordinate(axis) => {
                let (to, distance) = (self.fresh()?, self.distance(offset));
                Instruction::Coordinate { to, axis, from, distance }
            }
            Op::Uniform { draw, lane, .. } if from == 0 && offset == [0; 3] => {
                let slot = self.noise(Noise { draw, lane, centred: false });
                Instruction::Noise { to: self.fresh()?, slot }
            }
            Op::Centred { draw, lane, .. } if from == 0 && offset == [0; 3] => {
                let slot = self.noise(Noise { draw, lane, centred: true });
                Instruction::Noise { to: self.fresh()?, slot }
            }
            Op::Unary(function, a) => {
                let a = self.register(same(a))?;
                Instruction::Unary { to: self.fresh()?, function, a }
            }
            Op::Binary(function, a, b) => {
                let (a, b) = (self.register(same(a))?, self.register(same(b))?);
                Instruction::Binary { to: self.fresh()?, function, a, b }
            }
            Op::Compare(comparison, a, b) => {
                let (a, b) = (self.register(same(a))?, self.register(same(b))?);
                Instruction::Compare { to: self.fresh()?, comparison, a, b }
            }
            Op::Bernoulli { p, rest: Some(rest), u } => {
                let noise = self.centred(u, from, offset)?;
                let (p, rest) = (self.register(same(p))?, self.register(same(rest))?);
                Instruction::Happens { to: self.fresh()?, noise, p, rest }
            }
            Op::Categorical { below, above, u, .. } => {
                let noise = self.centred(u, from, offset)?;
                let mut pairs = Vec::new();
                for (below, above) in below.iter().zip(&above) {
                    pairs.extend([self.register(same(*below))?, self.register(same(*above))?]);
                }
                let (start, count) = (self.operands.len() as u32, below.len() as u16);
                self.operands.extend(pairs);
                Instruction::Class { to: self.fresh()?, noise, start, count }
            }
            Op::Indicator { draw, class } => {
                let (a, b) = (self.register(same(draw))?, self.slot(Slot::Number(f64::from(class))));
                Instruction::Compare { to: self.fresh()?, comparison: Comparison::Equal, a, b }
            }
            Op::Heaviside(x, _) => {
                let (a, b) = (self.slot(Slot::Number(0.0)), self.register(same(x))?);
                Instruction::Compare { to: self.fresh()?, comparison: Comparison::Less, a, b }
            }
            Op::Bernoulli { p, rest: None, u } => {
                let (a, b) = (self.register(same(u))?, self.register(same(p))?);
                Instruction::Compare { to: self.fresh()?, comparison: Comparison::Less, a, b }
            }
            Op::Select(condition, yes, no) => {
                let (condition, yes, no) =
                    (self.register(same(condition))?, self.register(same(yes))?, self.register(same(no))?);
                Instruction::Select { to: self.fresh()?, condition, yes, no }
            }
            Op::Round(a, _) => {
                let a = self.register(same(a))?;
                Instruction::Round { to: self.fresh()?, a }
            }
            Op::Normal(a, b) => {
                let (a, b) = (self.register(same(a))?, self.register(same(b))?);
                Instruction::Normal { to: self.fresh()?, a, b }
            }
            Op::Count { law, arguments, draw, .. } if from == 0 && offset == [0; 3] => {
                let a = self.register(same(arguments[0]))?;
                let b = arguments.get(1).map_or(Ok(a), |b| self.register(same(*b)))?;
                Instruction::Law { to: self.fresh()?, law, draw, a, b }
            }
            Op::Entry { list, at } => {
                let a = self.register(same(at))?;
                Instruction::Entry { to: self.fresh()?, list, a }
            }
            Op::CellSum { x, labels, at, cells } => {
                let Op::Layer(labels) = self.program.instruction(labels).op else {
                    return Err(EngineError::Broken("a sum over cells knows no layer of labels"));
                };
                let own = Sum { x, labels: labels as u16, cells };
                let known = self.sums.iter().position(|sum| *sum == own);
                let sum = known.unwrap_or_else(|| {
                    self.sums.push(own);
                    self.sums.len() - 1
                }) as u16;
                let a = self.register(same(at))?;
                Instruction::CellSum { to: self.fresh()?, sum, a }
            }
            Op::Spread(a) | Op::Hold(a) | Op::Replace { value: a, .. } => return self.register(same(a)),
            _ => return Err(EngineError::Broken("an instruction has no meaning at the site of an event")),
        };
        let to = made.target().unwrap_or_default();
        self.instructions.push(made);
        Ok(to)
    }

    /// The centred number of the draw that a uniform number is of.
    fn centred(&mut self, u: ValueId, from: From, offset: Offset) -> Result<Register, EngineError> {
        let Op::Uniform { draw, lane, .. } = self.program.instruction(u).op else {
            return Err(EngineError::Broken("a draw is decided by no random number"));
        };
        if from != 0 || offset != [0; 3] {
            return Err(EngineError::Broken("a draw is made at another site"));
        }
        let slot = self.noise(Noise { draw, lane, centred: true });
        let to = self.fresh()?;
        self.instructions.push(Instruction::Noise { to, slot });
        Ok(to)
    }

    /// The sum of a value that is computed at each spot.
    fn summed(
        &mut self,
        x: ValueId,
        from: From,
        offsets: &[Offset],
        weights: &[f64],
    ) -> Result<Register, EngineError> {
        let mut sum: Option<Register> = None;
        for (offset, weight) in offsets.iter().zip(weights) {
            let own = self.register((x, from, *offset))?;
            let own = if (*weight - 1.0).abs() <= 0.0 {
                own
            } else {
                let (to, a) = (self.fresh()?, self.slot(Slot::Number(*weight)));
                self.instructions.push(Instruction::Binary { to, function: Binary::Multiply, a, b: own });
                to
            };
            sum = Some(match sum {
                None => own,
                Some(a) => {
                    let to = self.fresh()?;
                    self.instructions.push(Instruction::Binary { to, function: Binary::Add, a, b: own });
                    to
                }
            });
        }
        sum.ok_or(EngineError::Broken("a neighbourhood has no members"))
    }

    fn looked_up(&mut self, asked: Asked, number: usize) -> Result<Register, EngineError> {
        let (_, from, offset) = asked;
        let keys: Vec<ValueId> = self.tables.tables[number].keys.iter().map(|k| k.value).collect();
        let mut registers = [0; 3];
        for (register, key) in registers.iter_mut().zip(&keys) {
            *register = self.register((*key, from, offset))?;
        }
        let place = self.used_tables.iter().position(|n| *n == number);
        let table = place.unwrap_or_else(|| {
            self.used_tables.push(number);
            self.used_tables.len() - 1
        }) as u16;
        let to = self.fresh()?;
        self.instructions.push(Instruction::Lookup { to, table, keys: registers });
        Ok(to)
    }
}
