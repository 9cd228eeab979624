//! Runs a compiled program on one replicate: scalars, passes, sums, results.

use std::sync::Arc;

use glauber_lattice::Storage;
use glauber_program::passes::Table;
use glauber_program::{Op, Rank, Sink, ValueId, dataflow};
use rayon::prelude::*;

use crate::block::{Block, Column, blocks, blocks_of_colour};
use crate::compile::{Code, Pass};
use crate::kernel::{Destination, Kernel, Source};
use crate::kernels::Lane;
use crate::kernels::{Entries, Memory, Output, Violation, run_blocks};
use crate::scalars::evaluate;
use crate::share::{share, whole};
use crate::specialise::specialised;
use crate::tally::{Summed, Tally, add_up};
use glauber_backend::Fault;
use glauber_backend::Simd;
use glauber_backend::inputs::{Address, Inputs, Results};
use glauber_backend::plane::{Margin, Plane};
use glauber_numbers::noise::Key;

/// What tables depend on besides the parameters: left at 0 and empty where they do not.
#[derive(Clone, Debug, PartialEq)]
struct Filled {
    step: u32,
    output_adjoints: Vec<f64>,
}

/// One program with the memory to run it.
pub(crate) struct Machine<F> {
    code: Arc<Code>,
    simd: Simd,
    /// How many threads share the blocks of one replicate.
    crew: usize,
    /// The blocks of all sites, and for each pass that is of a colour those of its sites.
    blocks: Vec<Block>,
    coloured: Vec<Option<Vec<Block>>>,
    registers: Vec<Vec<Column<F>>>,
    pub(crate) temporaries: Vec<Plane<F>>,
    tables: Vec<Entries<F>>,
    table_machines: Vec<Machine<F>>,
    /// Numbers by label.
    tallies: Vec<Vec<F>>,
    /// The value of every instruction below site rank.
    values: Vec<f64>,
    scalars: Vec<F>,
    keys: Vec<Key>,
    partial: Vec<f64>,
    depends_on_step: Vec<bool>,
    /// The kernels of each pass without what the run decides, where it decides any, and by which numbers it does.
    decided: Vec<Option<Vec<Kernel>>>,
    decided_by: Vec<u64>,
    /// The parameters last prepared for.
    prepared: Option<Vec<f64>>,
    /// What the tables were last filled for.
    filled: Option<Filled>,
}

impl<F: Lane> Machine<F> {
    pub(crate) fn new(code: Arc<Code>, simd: Simd, crew: usize) -> Machine<F> {
        let layout = &code.layout;
        let storage = |(_, s): &(ValueId, Storage)| Plane::zeros(*s, layout);
        let depends_on_step =
            dataflow::dependent(code.program.instructions(), |_, op| *op == Op::StepIndex, |_, _| false);
        let blocks = blocks(layout);
        let crew = crew.clamp(1, blocks.len().max(1));
        let of_colour = |(colouring, colour)| blocks_of_colour(layout, &colouring, colour);
        let coloured = code.passes.iter().map(|pass| pass.colour.map(of_colour)).collect();
        Machine {
            simd: simd.supported(),
            crew,
            registers: (0..crew).map(|_| (0..code.registers).map(|_| Column::new()).collect()).collect(),
            temporaries: code.temporaries.iter().map(storage).collect(),
            tables: code.tables.iter().map(|(table, _)| Entries::new(table.entries())).collect(),
            table_machines: code
                .tables
                .iter()
                .map(|(_, c)| Machine::new(Arc::from(c.clone()), simd, 1))
                .collect(),
            tallies: code.tallies.iter().map(numbers_by_label).collect(),
            values: vec![0.0; code.program.instructions().len()],
            scalars: vec![F::ZERO; code.slots.len()],
            keys: vec![Key::new(0, 0, 0, 0, 0); code.keys.len()],
            partial: Vec::new(),
            depends_on_step,
            decided: Vec::new(),
            decided_by: Vec::new(),
            prepared: None,
            filled: None,
            blocks,
            coloured,
            code,
        }
    }

    pub(crate) fn code(&self) -> &Code {
        &self.code
    }

    pub(crate) fn shared_code(&self) -> Arc<Code> {
        self.code.clone()
    }

    /// Sets the parameters, and evaluates what depends on nothing else.
    pub(crate) fn prepare(&mut self, parameters: &[f64]) {
        let same =
            |known: &Vec<f64>| known.iter().map(|p| p.to_bits()).eq(parameters.iter().map(|p| p.to_bits()));
        if self.prepared.as_ref().is_some_and(same) {
            return;
        }
        self.prepared = Some(parameters.to_vec());
        self.filled = None;
        let code = self.code.clone();
        for stage in &code.scalars {
            for value in stage.iter().filter(|v| code.program.instruction(**v).rank == Rank::Run) {
                let known = match &code.program.instruction(*value).op {
                    Op::Parameter(i) => parameters[*i as usize],
                    op => evaluate::<F>(op, &self.values, &Inputs::nothing()),
                };
                self.values[value.index()] = known;
            }
        }
        self.decide(&code);
        self.table_machines.iter_mut().for_each(|machine| machine.prepare(parameters));
    }

    /// Leaves out of the passes what the numbers of the run decide.
    fn decide(&mut self, code: &Code) {
        let choices = code.passes.iter().flat_map(|pass| &pass.undecided).filter_map(|kernel| match kernel {
            Kernel::SelectAll { condition, .. } => Some(*condition),
            _ => None,
        });
        let fixed = |slot: u32| {
            let value = *code.slots.get(slot as usize)?;
            let instruction = code.program.instruction(value);
            let stays = instruction.rank == Rank::Run && !self.depends_on_step[value.index()];
            stays.then_some((instruction, self.values[value.index()]))
        };
        let conditions: Vec<u32> = choices.filter(|slot| fixed(*slot).is_some()).collect();
        let by: Vec<u64> =
            conditions.iter().filter_map(|slot| fixed(*slot)).map(|(_, x)| u64::from(x != 0.0)).collect();
        if by == self.decided_by {
            return;
        }
        // Nothing but the outcomes of choices, and constants, is used: what is left holds for all runs with these.
        let scalars = |slot: u32| {
            let (instruction, number) = fixed(slot)?;
            let used = matches!(instruction.op, Op::Constant(_)) || conditions.contains(&slot);
            used.then(|| F::from_f64(number))
        };
        let (mut own, mut registers) = (Vec::new(), code.registers);
        let first = code.slots.len() as u32;
        let decided = code.passes.iter().map(|pass| {
            let has_choices = !pass.undecided.is_empty();
            has_choices.then(|| {
                let (kernels, needed) = specialised(&pass.undecided, &scalars, first, &mut own);
                registers = registers.max(needed);
                kernels
            })
        });
        self.decided = decided.collect();
        self.scalars.truncate(code.slots.len());
        self.scalars.append(&mut own);
        self.registers.iter_mut().for_each(|own| own.resize(registers, Column::new()));
        self.decided_by = by;
    }

    /// Runs the program once.
    pub(crate) fn run(&mut self, inputs: &Inputs<'_, F>, results: &mut Results<'_, F>) -> Option<Fault> {
        let code = self.code.clone();
        for (slot, (draw, lane)) in code.keys.iter().enumerate() {
            self.keys[slot] = inputs.address.key(*draw, *lane);
        }
        let mut fault = self.fill_tables(inputs);
        for (number, pass) in code.passes.iter().enumerate() {
            self.evaluate_stage(number, inputs);
            self.fold(pass);
            self.add_up(number, inputs);
            let found = self.run_pass(number, pass, inputs, results);
            fault = more_telling(fault, found);
            for (temporary, margin) in &pass.margins {
                self.temporaries[*temporary as usize].fill_margin(&code.layout, *margin);
            }
            self.finish_sums(pass, &code);
        }
        self.evaluate_stage(code.passes.len(), inputs);
        for (sink, value) in code.program.results() {
            let number = self.values[value.index()];
            match sink {
                Sink::Output(i) => results.outputs[*i as usize] = number,
                Sink::ParameterAdjoint(i) => results.parameter_adjoints[*i as usize] += number,
                Sink::Check(check) if code.program.instruction(*value).rank != Rank::Site => {
                    let required = code.program.declarations().checks[*check as usize].required;
                    if !required.allows(number, F::EPSILON.to_f64()) {
                        let found = Fault::Refused { check: *check, site: 0, value: number };
                        fault = more_telling(fault, Some(found));
                    }
                }
                _ => {}
            }
        }
        fault
    }

    fn evaluate_stage(&mut self, stage: usize, inputs: &Inputs<'_, F>) {
        let code = self.code.clone();
        for value in &code.scalars[stage] {
            let instruction = code.program.instruction(*value);
            if instruction.rank == Rank::Replicate || self.depends_on_step[value.index()] {
                self.values[value.index()] = match &instruction.op {
                    // Its operand's slot holds the sum: site values have no other number here.
                    Op::SiteSum(x) => self.values[x.index()],
                    op => evaluate(op, &self.values, inputs),
                };
            }
        }
        for (slot, value) in code.slots.iter().enumerate() {
            self.scalars[slot] = F::from_f64(self.values[value.index()]);
        }
    }

    fn fold(&mut self, pass: &Pass) {
        let boundaries = self.code.program.declarations().lattice.boundaries();
        for fold in &pass.folds {
            let chosen = fold.direction.map(|slot| self.scalars[slot as usize].to_i32().max(0) as usize);
            fold.run(&self.code.layout, boundaries, &mut self.temporaries, chosen);
        }
    }

    fn run_pass(
        &mut self,
        number: usize,
        pass: &Pass,
        inputs: &Inputs<'_, F>,
        results: &mut Results<'_, F>,
    ) -> Option<Fault> {
        let code = self.code.clone();
        let mut written: Vec<(Destination, Plane<F>)> = pass
            .outputs
            .iter()
            .map(|to| (*to, std::mem::replace(self.place(*to, results), Plane::U8(Vec::new()))))
            .collect();
        let blocks = self.coloured[number].as_deref().unwrap_or(&self.blocks);
        self.partial.clear();
        self.partial.resize(blocks.len() * pass.sums.len(), 0.0);
        let memory = Memory {
            layout: &code.layout,
            layers: inputs.layers,
            next_adjoints: inputs.next_adjoints,
            local_advantage: inputs.local_advantage,
            fields: inputs.fields,
            targets: inputs.targets,
            temporaries: &self.temporaries,
            scalars: &self.scalars,
            keys: &self.keys,
            tables: &self.tables,
            tallies: &self.tallies,
        };
        let kernels = self.decided.get(number).and_then(Option::as_deref).unwrap_or(&pass.kernels);
        let adding = results.add_layer_adjoints;
        let add = |to: &Destination| match to {
            Destination::LayerAdjoint(_) => adding,
            Destination::FieldAdjoint(_) => true,
            _ => false,
        };
        let violation = if self.crew == 1 {
            let mut outputs: Vec<Output<'_, F>> =
                written.iter_mut().map(|(to, p)| Output { part: whole(p), base: 0, add: add(to) }).collect();
            let registers = &mut self.registers[0];
            run_blocks(self.simd, kernels, blocks, &memory, &mut outputs, registers, &mut self.partial)
        } else {
            let outputs = written.iter_mut().map(|(to, p)| (whole(p), add(to))).collect();
            let shares = share(blocks, self.crew, &code.layout, outputs, &mut self.partial, pass.sums.len());
            let simd = self.simd;
            let found: Vec<Option<Violation>> = shares
                .into_par_iter()
                .zip(self.registers.par_iter_mut())
                .map(|(mut s, registers)| {
                    run_blocks(simd, kernels, s.blocks, &memory, &mut s.outputs, registers, s.sums)
                })
                .collect();
            found.into_iter().flatten().next()
        };
        for (to, plane) in written {
            *self.place(to, results) = plane;
        }
        violation.map(fault_of)
    }

    fn place<'r>(&'r mut self, to: Destination, results: &'r mut Results<'_, F>) -> &'r mut Plane<F> {
        match to {
            Destination::NextLayer(i) => &mut results.next_layers[i as usize],
            Destination::LayerAdjoint(i) => &mut results.layer_adjoints[i as usize],
            Destination::FieldAdjoint(i) => &mut results.field_adjoints[i as usize],
            Destination::Temporary(i) => &mut self.temporaries[i as usize],
        }
    }

    /// Makes the sums over cells that a pass reads.
    fn add_up(&mut self, pass: usize, inputs: &Inputs<'_, F>) {
        let code = self.code.clone();
        for (number, tally) in code.tallies.iter().enumerate() {
            let Tally::Sum { x, labels, pass: own, .. } = tally else { continue };
            if *own != pass {
                continue;
            }
            let plane = |source: Source| match source {
                Source::Layer(i) => &inputs.layers[i as usize],
                Source::NextAdjoint(i) => &inputs.next_adjoints[i as usize],
                Source::LocalAdvantage => &inputs.local_advantage[0],
                Source::Field(i) => &inputs.fields[i as usize],
                Source::Target(i) => &inputs.targets[i as usize],
                Source::Temporary(i) => &self.temporaries[i as usize],
            };
            let (x, one) = match x {
                Summed::Number(slot) => (None, self.scalars[*slot as usize].to_f64()),
                Summed::Field(source) => (Some(plane(*source)), 0.0),
            };
            let mut sums = vec![0.0; tally.count()];
            add_up(&mut sums, &code.layout, plane(*labels), x, one);
            for (to, sum) in self.tallies[number].iter_mut().zip(sums) {
                *to = F::from_f64(sum);
            }
        }
    }

    /// Adds the blocks' sums in block order.
    fn finish_sums(&mut self, pass: &Pass, code: &Code) {
        let slots = pass.sums.len();
        for (slot, value) in pass.sums.iter().enumerate() {
            let mut total = 0.0;
            for block in 0..self.blocks.len() {
                total += self.partial[block * slots + slot];
            }
            self.values[value.index()] = total;
            debug_assert!(code.sum_of.contains_key(value));
        }
    }

    /// Evaluates the tables, where anything they depend on has changed.
    fn fill_tables(&mut self, inputs: &Inputs<'_, F>) -> Option<Fault> {
        let code = self.code.clone();
        if code.tables.is_empty() {
            return None;
        }
        let step = if code.tables_read(|op| *op == Op::StepIndex) { inputs.address.step } else { 0 };
        let by_outputs = code.tables_read(|op| matches!(op, Op::OutputAdjoint(_)));
        let output_adjoints = if by_outputs { inputs.output_adjoints } else { &[] };
        let known = self.filled.as_ref();
        if known.is_some_and(|f| f.step == step && f.output_adjoints == output_adjoints) {
            return None;
        }
        self.filled = Some(Filled { step, output_adjoints: output_adjoints.to_vec() });
        for (number, (table, _)) in code.tables.iter().enumerate() {
            match tabulated(table, &mut self.table_machines[number], output_adjoints, step) {
                Ok(values) => self.tables[number].fill(&values),
                Err(fault) => return Some(fault),
            }
        }
        None
    }
}

/// The numbers of a tally as far as they are known beforehand.
fn numbers_by_label<F: Lane>(tally: &Tally) -> Vec<F> {
    match tally {
        Tally::Given(numbers) => numbers.iter().map(|x| F::from_f64(*x)).collect(),
        Tally::Sum { .. } => vec![F::ZERO; tally.count()],
    }
}

/// The values of a table, by the machine of its program, which knows the parameters.
pub(crate) fn tabulated<F: Lane>(
    table: &Table,
    machine: &mut Machine<F>,
    output_adjoints: &[f64],
    step: u32,
) -> Result<Vec<F>, Fault> {
    let layout = machine.code().layout.clone();
    let mut fields = Vec::new();
    for place in 0..table.keys.len() {
        let mut plane = Plane::zeros(Storage::Real, &layout);
        plane.set_dense(&layout, Margin::Unread, |entry| table.key_at(place, entry));
        fields.push(plane);
    }
    let mut next = [Plane::zeros(Storage::Real, &layout)];
    let address = Address { seed: 0, replicate: 0, step, first_draw: 0 };
    let inputs = Inputs { fields: &fields, output_adjoints, address, ..Inputs::nothing() };
    let mut results = Results {
        next_layers: &mut next,
        layer_adjoints: &mut [],
        add_layer_adjoints: false,
        field_adjoints: &mut [],
        outputs: &mut [],
        parameter_adjoints: &mut [],
    };
    if let Some(fault) = machine.run(&inputs, &mut results) {
        return Err(fault);
    }
    match next {
        [Plane::Real(values)] => Ok(values),
        _ => Ok(Vec::new()),
    }
}

/// What a violation of a kernel is.
fn fault_of(violation: Violation) -> Fault {
    match violation {
        Violation::Refused { check, site, value } => Fault::Refused { check, site, value },
        Violation::OutOfRange { layer, site, value } => Fault::OutOfRange { layer, site, value },
    }
}

/// The first of two faults; but an argument that may not be tells more than the value outside a layer's range that it
/// led to.
fn more_telling(first: Option<Fault>, then: Option<Fault>) -> Option<Fault> {
    match (&first, &then) {
        (Some(Fault::OutOfRange { .. }), Some(Fault::Refused { .. })) => then,
        _ => first.or(then),
    }
}
