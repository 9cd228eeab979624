//! Compiles a program for one layout: passes of kernels over registers, and scalars in between.

use std::collections::{BTreeMap, HashMap};

use glauber_lattice::{Layout, Storage};
use glauber_program::passes::{Table, lowered};
use glauber_program::{Comparison, Op, Program, Rank, Sink, Unary, ValueId};

use crate::fold::Fold;
use crate::kernel::{Arg, Destination, Kernel, Range, Register, Source};
use crate::registers::allocate;
use crate::schedule::{PassPlan, Schedule, read_elsewhere, schedule};
use crate::specialise::has_choices;
use crate::tally::{Summed, Tally};
use glauber_backend::CompileOptions;
use glauber_backend::plane::{Margin, holds};
use glauber_program::passes::Tables;
use glauber_program::passes::{Colour, choice};

/// The kernels of one pass, and what happens before and after it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pass {
    /// Transposed reads on reflecting lattices, done before the kernels.
    pub(crate) folds: Vec<Fold>,
    pub(crate) kernels: Vec<Kernel>,
    /// The same with registers that are written once, where a run may decide what of them is run.
    pub(crate) undecided: Vec<Kernel>,
    /// The fields written, in the order of the kernels' output numbers.
    pub(crate) outputs: Vec<Destination>,
    /// Temporaries made here whose margins are read later.
    pub(crate) margins: Vec<(u32, Margin)>,
    /// Sums made here: slot and value.
    pub(crate) sums: Vec<ValueId>,
    /// The colour of the sites that alone are computed.
    pub(crate) colour: Option<Colour>,
}

/// Longer programs get no tables: each is a program of its own, nearly as long as the one it is made of.
const MOST_TABULATED: usize = 4096;

/// A program compiled for a layout.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) program: Program,
    pub(crate) layout: Layout,
    pub(crate) passes: Vec<Pass>,
    /// Values below site rank, by the pass before which they are evaluated.
    pub(crate) scalars: Vec<Vec<ValueId>>,
    /// The scalars that kernels read, in the order of their slots.
    pub(crate) slots: Vec<ValueId>,
    /// The noise that kernels read: (draw, lane).
    pub(crate) keys: Vec<(u32, u32)>,
    /// Temporaries: what they hold, and as what.
    pub(crate) temporaries: Vec<(ValueId, Storage)>,
    pub(crate) tables: Vec<(Table, Box<Code>)>,
    /// The numbers that are looked up by label.
    pub(crate) tallies: Vec<Tally>,
    pub(crate) registers: usize,
    /// The fields read, and whether at other sites.
    reads: HashMap<Source, bool>,
    /// Which pass makes each sum over sites, and where in it.
    pub(crate) sum_of: HashMap<ValueId, (usize, usize)>,
}

impl Code {
    pub(crate) fn compile(program: &Program, layout: &Layout, options: CompileOptions) -> Code {
        Code::compile_given(lowered(program), layout, options, &BTreeMap::new())
    }

    /// Compiles a lowered program of which some values are given in fields behind the layers, at these places.
    pub(crate) fn compile_given(
        program: Program,
        layout: &Layout,
        options: CompileOptions,
        given: &BTreeMap<ValueId, u32>,
    ) -> Code {
        let short = program.instructions().len() <= MOST_TABULATED;
        let tables = match options.tables && short {
            true => Tables::find(&program, |value| given.contains_key(&value)),
            false => Tables::none(),
        };
        let schedule = schedule(&program, &tables, given);
        let mut compiler = Compiler::new(&program, layout, &schedule, &tables, options);
        compiler.given = given.clone();
        let passes: Vec<Pass> = (0..schedule.passes.len()).map(|number| compiler.pass(number)).collect();
        let Compiler { slots, keys, used_tables, sum_of, temporaries, tallies, registers, .. } = compiler;
        let inner = CompileOptions { tables: false, ..options };
        let tables = used_tables
            .into_iter()
            .map(|i| {
                let table = tables.tables[i].clone();
                let own = table.program(&program);
                let layout = Layout::new(&own.declarations().lattice, [0; 3]);
                let code = Code::compile(&own, &layout, inner);
                (table, Box::new(code))
            })
            .collect();
        let mut scalars = vec![Vec::new(); passes.len() + 1];
        for (index, instruction) in program.instructions().iter().enumerate() {
            if instruction.rank != Rank::Site {
                scalars[schedule.level[index]].push(ValueId(index as u32));
            }
        }
        let layout = layout.clone();
        let mut reads = HashMap::new();
        for (source, beyond) in passes.iter().flat_map(|p| &p.kernels).filter_map(Kernel::source) {
            *reads.entry(source).or_insert(false) |= beyond;
        }
        tallies.iter().flat_map(Tally::sources).for_each(|source| {
            reads.entry(source).or_insert(false);
        });
        Code {
            reads,
            layout,
            passes,
            scalars,
            slots,
            keys,
            temporaries,
            tables,
            tallies,
            registers,
            sum_of,
            program,
        }
    }
}

impl Code {
    /// Whether the tables read such an instruction.
    pub(crate) fn tables_read(&self, is: impl Fn(&Op) -> bool) -> bool {
        self.tables.iter().any(|(_, c)| c.program.instructions().iter().any(|i| is(&i.op)))
    }

    /// Whether a field is read at all.
    pub(crate) fn reads(&self, source: Source) -> bool {
        self.reads.contains_key(&source)
    }

    /// Whether it reads the derivative by any layer of the state after it.
    pub(crate) fn reads_next_adjoints(&self) -> bool {
        self.reads.keys().any(|source| matches!(source, Source::NextAdjoint(_)))
    }

    /// How a field's margin must be filled for what reads it, where it has `margin`.
    pub(crate) fn margin(&self, source: Source, margin: Margin) -> Margin {
        if self.reads.get(&source) == Some(&true) { margin } else { Margin::Unread }
    }

    /// Whether every site of a field is written.
    pub(crate) fn writes(&self, destination: Destination) -> bool {
        self.passes.iter().any(|p| p.outputs.contains(&destination))
    }

    /// The fields whose derivatives the program leaves.
    pub(crate) fn field_adjoints(&self) -> Vec<u32> {
        let sinks = self.program.results().iter().filter_map(|(sink, _)| match sink {
            Sink::FieldAdjoint(i) => Some(*i),
            _ => None,
        });
        sinks.collect()
    }
}

struct Compiler<'p> {
    program: &'p Program,
    layout: &'p Layout,
    schedule: &'p Schedule,
    tables: &'p Tables,
    options: CompileOptions,
    /// Values that exist beforehand, at these places among and behind the layers.
    given: BTreeMap<ValueId, u32>,
    slots: Vec<ValueId>,
    slot_of: HashMap<ValueId, u32>,
    keys: Vec<(u32, u32)>,
    key_of: HashMap<(u32, u32), u32>,
    used_tables: Vec<usize>,
    tallies: Vec<Tally>,
    sum_of: HashMap<ValueId, (usize, usize)>,
    temporaries: Vec<(ValueId, Storage)>,
    /// The number of each stored value's temporary.
    temporary_of: HashMap<ValueId, u32>,
    /// The pass in which each temporary is made.
    made_in: HashMap<ValueId, usize>,
    registers: usize,
}

impl<'p> Compiler<'p> {
    fn new(
        program: &'p Program,
        layout: &'p Layout,
        schedule: &'p Schedule,
        tables: &'p Tables,
        options: CompileOptions,
    ) -> Compiler<'p> {
        let mut temporaries = Vec::new();
        let mut temporary_of = HashMap::new();
        let mut made_in = HashMap::new();
        for value in schedule.temporaries.keys().filter(|v| !schedule.folded.contains(*v)) {
            temporary_of.insert(*value, temporaries.len() as u32);
            temporaries.push((*value, storage_of(program, *value)));
        }
        for value in &schedule.folded {
            temporary_of.insert(*value, temporaries.len() as u32);
            temporaries.push((*value, Storage::Real));
            // A fold is done before the pass of its level, as if made one pass earlier.
            made_in.insert(*value, schedule.level[value.index()].saturating_sub(1));
        }
        for (number, pass) in schedule.passes.iter().enumerate() {
            for value in &pass.stores {
                made_in.insert(*value, number);
            }
        }
        Compiler {
            program,
            layout,
            schedule,
            tables,
            options,
            given: BTreeMap::new(),
            slots: Vec::new(),
            slot_of: HashMap::new(),
            keys: Vec::new(),
            key_of: HashMap::new(),
            used_tables: Vec::new(),
            tallies: Vec::new(),
            sum_of: HashMap::new(),
            temporaries,
            temporary_of,
            made_in,
            registers: 0,
        }
    }

    fn pass(&mut self, number: usize) -> Pass {
        let plan = &self.schedule.passes[number];
        let mut kernels = Vec::new();
        let mut register_of: HashMap<ValueId, Register> = HashMap::new();
        for value in &plan.values {
            let dst = register_of.len() as Register;
            let kernel = self.kernel(*value, dst, number, &register_of);
            kernels.push(kernel);
            register_of.insert(*value, dst);
        }
        let (outputs, finishing) = self.finishing_kernels(plan, number, &register_of);
        let mut kernels = finished_early(kernels, finishing);
        if self.options.fuse {
            crate::registers::fuse(&mut kernels);
        }
        crate::registers::drop_dead(&mut kernels);
        let undecided = if has_choices(&kernels) { kernels.clone() } else { Vec::new() };
        self.registers = self.registers.max(allocate(&mut kernels));
        let mut margins = Vec::new();
        let folded_here = |v: &&ValueId| self.schedule.level[v.index()] == number;
        for value in plan.stores.iter().chain(self.schedule.folded.iter().filter(folded_here)) {
            let margin = self.schedule.temporaries.get(value).copied().unwrap_or(Margin::Unread);
            if margin != Margin::Unread {
                margins.push((self.temporary_of[value], margin));
            }
        }
        let folded: Vec<ValueId> = self
            .schedule
            .folded
            .iter()
            .filter(|v| self.schedule.level[v.index()] == number)
            .copied()
            .collect();
        let folds = folded.into_iter().map(|v| self.fold(v)).collect();
        Pass { folds, margins, kernels, undecided, outputs, sums: plan.sums.clone(), colour: plan.colour }
    }

    /// Stores, sums and sinks: what a pass leaves behind.
    fn finishing_kernels(
        &mut self,
        plan: &PassPlan,
        number: usize,
        register_of: &HashMap<ValueId, Register>,
    ) -> (Vec<Destination>, Vec<Kernel>) {
        let (mut outputs, mut kernels) = (Vec::new(), Vec::new());
        let mut output = |to: Destination| {
            outputs.push(to);
            outputs.len() as u32 - 1
        };
        for value in &plan.stores {
            let output = output(Destination::Temporary(self.temporary_of[value]));
            kernels.push(self.store(plan, output, *value, None, register_of));
        }
        for (slot, value) in plan.sums.iter().enumerate() {
            self.sum_of.insert(*value, (number, slot));
            kernels.push(Kernel::Sum { slot: slot as u32, a: self.arg(*value, register_of) });
        }
        for (sink, value) in &plan.sinks {
            let to = match sink {
                Sink::NextLayer(i) => Destination::NextLayer(*i),
                Sink::LayerAdjoint(i) => Destination::LayerAdjoint(*i),
                Sink::FieldAdjoint(i) => Destination::FieldAdjoint(*i),
                Sink::Check(check) => {
                    kernels.push(self.check(plan, *check, *value, register_of));
                    continue;
                }
                Sink::Output(_) | Sink::ParameterAdjoint(_) => continue,
                // A step is one of all sites, or an event's, which is no pass.
                Sink::Elsewhere(_) | Sink::TotalRate | Sink::Fastest => continue,
            };
            let layer = if let Sink::NextLayer(layer) = sink { Some(*layer) } else { None };
            let output = output(to);
            kernels.push(self.store(plan, output, *value, layer, register_of));
        }
        (outputs, kernels)
    }

    /// What stores a value that a pass leaves: of a layer, or of the layer that it is after a colour's update.
    fn store(
        &mut self,
        plan: &PassPlan,
        output: u32,
        value: ValueId,
        layer: Option<u32>,
        register_of: &HashMap<ValueId, Register>,
    ) -> Kernel {
        if plan.colour.is_none() {
            let range = layer.and_then(|layer| self.unproven_range(layer, value));
            return Kernel::Store { output, a: self.arg(value, register_of), range, over: None };
        }
        match choice(self.program, value) {
            Some((_, own, before)) => {
                let layer = layer.or_else(|| self.schedule.updates.get(&value).copied());
                let range = layer.and_then(|layer| self.unproven_range(layer, own));
                let over = Some(self.source(before));
                Kernel::Store { output, a: self.arg(own, register_of), range, over }
            }
            None => Kernel::Copy { output, source: self.source(value) },
        }
    }

    fn check(
        &mut self,
        plan: &PassPlan,
        check: u32,
        value: ValueId,
        register_of: &HashMap<ValueId, Register>,
    ) -> Kernel {
        let own = choice(self.program, value).filter(|_| plan.colour.is_some());
        let value = own.map_or(value, |(_, own, _)| own);
        let table = self.tables.number_of(value);
        let table = table.map(|number| place_of(&mut self.used_tables, number) as u32);
        let required = self.program.declarations().checks[check as usize].required;
        Kernel::Check { check, required, a: self.arg(value, register_of), table }
    }

    /// The range a layer's next value must be checked against, where its domain does not prove it.
    fn unproven_range(&self, layer: u32, value: ValueId) -> Option<Range> {
        let values = &self.program.declarations().layers[layer as usize].values;
        let (lowest, highest) = values.range();
        let domain = self.program.instruction(value).domain;
        let proven = domain.integer && domain.proves(lowest, highest);
        let range = Range { layer, lowest: lowest as i32, highest: highest as i32 };
        (values.is_integer() && !proven).then_some(range)
    }

    fn arg(&mut self, value: ValueId, register_of: &HashMap<ValueId, Register>) -> Arg {
        match register_of.get(&value) {
            Some(register) => Arg::Register(*register),
            None => Arg::Scalar(self.slot(value)),
        }
    }

    fn slot(&mut self, value: ValueId) -> u32 {
        *self.slot_of.entry(value).or_insert_with(|| {
            self.slots.push(value);
            self.slots.len() as u32 - 1
        })
    }

    fn key(&mut self, draw: u32, lane: u32) -> u32 {
        *self.key_of.entry((draw, lane)).or_insert_with(|| {
            self.keys.push((draw, lane));
            self.keys.len() as u32 - 1
        })
    }

    fn kernel(
        &mut self,
        value: ValueId,
        dst: Register,
        pass: usize,
        of: &HashMap<ValueId, Register>,
    ) -> Kernel {
        if let Some(place) = self.given.get(&value) {
            return Kernel::Load { dst, source: Source::Layer(*place), distance: 0 };
        }
        if let Some(temporary) = self.temporary_of.get(&value) {
            if self.made_in[&value] < pass {
                return Kernel::Load { dst, source: Source::Temporary(*temporary), distance: 0 };
            }
        }
        if let Some(number) = self.tables.number_of(value) {
            return self.lookup(number, dst, of);
        }
        if let Some(kernel) = self.threshold(value, dst, of) {
            return kernel;
        }
        let program = self.program;
        match &program.instruction(value).op {
            Op::Layer(i) => Kernel::Load { dst, source: Source::Layer(*i), distance: 0 },
            Op::Field(i) => Kernel::Load { dst, source: Source::Field(*i), distance: 0 },
            Op::Target(i) => Kernel::Load { dst, source: Source::Target(*i), distance: 0 },
            Op::NextAdjoint(i) => Kernel::Load { dst, source: Source::NextAdjoint(*i), distance: 0 },
            Op::LocalAdvantage => Kernel::Load { dst, source: Source::LocalAdvantage, distance: 0 },
            Op::Coordinate(axis) => Kernel::Coordinate { dst, axis: *axis },
            Op::OfColour { colouring, colour } => {
                Kernel::OfColour { dst, colouring: *colouring, colour: *colour }
            }
            Op::Spread(a) => Kernel::Spread { dst, a: self.slot(*a) },
            Op::Unary(function, a) => Kernel::Unary { function: *function, dst, a: of[a] },
            Op::Binary(function, a, b) => {
                Kernel::Binary { function: *function, dst, a: self.arg(*a, of), b: self.arg(*b, of) }
            }
            Op::Compare(comparison, a, b) => {
                Kernel::Compare { comparison: *comparison, dst, a: self.arg(*a, of), b: self.arg(*b, of) }
            }
            Op::Select(c, yes, no) => self.select(dst, *c, *yes, *no, of),
            Op::Round(a, _) => Kernel::Round { dst, a: of[a] },
            Op::Uniform { draw, lane, .. } => Kernel::Uniform { dst, key: self.key(*draw, *lane) },
            Op::Centred { draw, lane, .. } => Kernel::Centred { dst, key: self.key(*draw, *lane) },
            Op::Bernoulli { p, u, .. } => match program.instruction(*u).op {
                Op::Uniform { draw, lane, rank: Rank::Site } => {
                    Kernel::Bernoulli { dst, key: self.key(draw, lane), p: self.arg(*p, of) }
                }
                _ => Kernel::Compare {
                    comparison: Comparison::Less,
                    dst,
                    a: self.arg(*u, of),
                    b: self.arg(*p, of),
                },
            },
            Op::Normal(a, b) => Kernel::Normal { dst, a: of[a], b: of[b] },
            Op::Count { law, arguments, draw, .. } => {
                let arguments = arguments.iter().map(|a| self.arg(*a, of)).collect();
                Kernel::Count { law: *law, dst, key: self.key(*draw, 0), arguments }
            }
            Op::Entry { list, at } => {
                let numbers = program.declarations().lists[*list as usize].clone();
                self.gather(dst, Tally::Given(numbers), *at, of)
            }
            Op::CellSum { x, labels, at, cells } => {
                let x = match program.instruction(*x).op {
                    Op::Spread(number) => Summed::Number(self.slot(number)),
                    _ => Summed::Field(self.source(*x)),
                };
                let pass = self.schedule.level[value.index()];
                let tally = Tally::Sum { x, labels: self.source(*labels), cells: *cells, pass };
                self.gather(dst, tally, *at, of)
            }
            op if op.reads_elsewhere() => self.read(op, dst),
            // Everything else was lowered or is no site value.
            other => unreachable!("no kernel for {other:?}"),
        }
    }

    /// A comparison of a centred number with the threshold of a draw, in one kernel: see `lowered`.
    fn threshold(
        &mut self,
        value: ValueId,
        dst: Register,
        of: &HashMap<ValueId, Register>,
    ) -> Option<Kernel> {
        let op = |v: ValueId| &self.program.instruction(v).op;
        let Op::Compare(comparison, a, b) = *op(value) else { return None };
        let (w, t, passes) = match comparison {
            Comparison::Less => (a, b, false),
            Comparison::LessOrEqual => (b, a, true),
            Comparison::Equal => return None,
        };
        let (Op::Centred { rank: Rank::Site, .. }, Op::Select(condition, above, below)) = (op(w), op(t))
        else {
            return None;
        };
        let (Op::Compare(Comparison::Less, x, zero), (above, below)) = (op(*condition), (*above, *below))
        else {
            return None;
        };
        let is_zero = matches!(op(*zero), Op::Constant(number) if number.get().abs() <= 0.0);
        let known = |v: ValueId| of.contains_key(&v) || self.program.instruction(v).rank != Rank::Site;
        let (above, negated) = match *op(above) {
            Op::Unary(Unary::Negate, x) if of.contains_key(&above) && known(x) => (x, true),
            _ => (above, false),
        };
        if *x != w || !is_zero || !of.contains_key(&w) || !known(above) || !known(below) {
            return None;
        }
        let (below, above) = (self.arg(below, of), self.arg(above, of));
        Some(Kernel::Threshold { dst, w: of[&w], below, above, negated, passes })
    }

    fn select(
        &mut self,
        dst: Register,
        c: ValueId,
        yes: ValueId,
        no: ValueId,
        of: &HashMap<ValueId, Register>,
    ) -> Kernel {
        let (yes, no) = (self.arg(yes, of), self.arg(no, of));
        match of.get(&c) {
            Some(condition) => Kernel::Select { dst, condition: *condition, yes, no },
            // One condition for all sites: c·yes + (1 − c)·no would not be exact, so compare per block.
            None => Kernel::SelectAll { dst, condition: self.slot(c), yes, no },
        }
    }

    fn gather(
        &mut self,
        dst: Register,
        tally: Tally,
        at: ValueId,
        of: &HashMap<ValueId, Register>,
    ) -> Kernel {
        let tally = place_of(&mut self.tallies, tally) as u32;
        Kernel::Gather { dst, tally, a: self.arg(at, of) }
    }

    fn lookup(&mut self, number: usize, dst: Register, of: &HashMap<ValueId, Register>) -> Kernel {
        let table = place_of(&mut self.used_tables, number) as u32;
        let mut stride = 1;
        let mut keys = Vec::new();
        for key in &self.tables.tables[number].keys {
            keys.push((of[&key.value], key.lowest, stride));
            stride *= key.count as i32;
        }
        Kernel::Lookup { dst, table, keys }
    }

    /// The field an instruction reads elsewhere: one that exists beforehand, or a temporary.
    fn source(&self, x: ValueId) -> Source {
        match self.temporary_of.get(&x) {
            Some(temporary) => Source::Temporary(*temporary),
            None if self.given.contains_key(&x) => Source::Layer(self.given[&x]),
            None => match self.program.instruction(x).op {
                Op::Layer(i) => Source::Layer(i),
                Op::Field(i) => Source::Field(i),
                Op::Target(i) => Source::Target(i),
                Op::NextAdjoint(i) => Source::NextAdjoint(i),
                ref other => unreachable!("{other:?} is read elsewhere but was never stored"),
            },
        }
    }

    fn read(&mut self, op: &Op, dst: Register) -> Kernel {
        let x = read_elsewhere(op).unwrap_or(ValueId(0));
        let source = self.source(x);
        let distance = |offset: [i32; 3], back: bool| {
            self.layout.distance(if back { offset.map(|d| -d) } else { offset })
        };
        match op {
            Op::Shift { offset, transposed, .. } => {
                Kernel::Load { dst, source, distance: distance(*offset, *transposed) }
            }
            Op::NeighbourSum { neighbourhood, transposed, .. } => {
                let members = &self.program.declarations().neighbourhoods[*neighbourhood as usize];
                let distances = members.offsets().iter().map(|o| distance(*o, *transposed)).collect();
                if members.counts() {
                    let lattice = &self.program.declarations().lattice;
                    let highest = self.program.instruction(x).domain.beyond_edges(lattice).highest;
                    let in_bytes = highest * members.offsets().len() as f64 <= 255.0;
                    Kernel::NeighbourCount { dst, source, distances, in_bytes }
                } else {
                    Kernel::NeighbourSum { dst, source, distances, weights: members.weights().to_vec() }
                }
            }
            Op::Translate { direction, offsets, transposed, .. } => {
                let members = &self.program.declarations().neighbourhoods[*offsets as usize];
                let distances = members.offsets().iter().map(|o| distance(*o, !*transposed)).collect();
                Kernel::LoadMoved { dst, source, direction: self.slot(*direction), distances }
            }
            other => unreachable!("{other:?} reads no other site"),
        }
    }

    /// A transposed read on a reflecting lattice.
    fn fold(&mut self, value: ValueId) -> Fold {
        let op = self.program.instruction(value).op.clone();
        let x = read_elsewhere(&op).unwrap_or(ValueId(0));
        let to = self.temporary_of[&value];
        let from = self.temporary_of[&x];
        match op {
            Op::Shift { offset, .. } => Fold { from, to, members: vec![(offset, 1.0)], direction: None },
            Op::NeighbourSum { neighbourhood, .. } => {
                let n = &self.program.declarations().neighbourhoods[neighbourhood as usize];
                let members = n.offsets().iter().copied().zip(n.weights().iter().copied()).collect();
                Fold { from, to, members, direction: None }
            }
            Op::Translate { direction, offsets, .. } => {
                let n = &self.program.declarations().neighbourhoods[offsets as usize];
                let members = n.offsets().iter().map(|o| (o.map(|d| -d), 1.0)).collect();
                Fold { from, to, members, direction: Some(self.slot(direction)) }
            }
            other => unreachable!("{other:?} reads no other site"),
        }
    }
}

/// Puts every kernel of `finishing` right behind the one that makes what it reads, so that registers are soon free
/// again. Registers are written once here.
fn finished_early(kernels: Vec<Kernel>, finishing: Vec<Kernel>) -> Vec<Kernel> {
    let mut waiting: HashMap<Register, Vec<Kernel>> = HashMap::new();
    let mut all = Vec::with_capacity(kernels.len() + finishing.len());
    for mut kernel in finishing {
        let mut reads = None;
        kernel.reads(|r| reads = Some(*r));
        match reads {
            Some(register) => waiting.entry(register).or_default().push(kernel),
            None => all.push(kernel),
        }
    }
    for mut kernel in kernels {
        let made = kernel.writes().copied();
        all.push(kernel);
        all.extend(made.and_then(|register| waiting.remove(&register)).into_iter().flatten());
    }
    all
}

fn place_of<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

/// The smallest storage of a stored value.
fn storage_of(program: &Program, value: ValueId) -> Storage {
    // Its margin may hold what stands beyond the edges.
    let domain = program.instruction(value).domain.beyond_edges(&program.declarations().lattice);
    [Storage::U8, Storage::I16].into_iter().find(|s| holds(*s, domain)).unwrap_or(Storage::Real)
}
