//! Holds what a rule is run with: numbers of the run, tables, fields, edges.

use std::sync::{Arc, Weak};

use glauber_lattice::{Axes, Storage, Values};
use glauber_program::{Declarations, MOST_COUNT, NO_HIGHEST_RATE, Op, Pick, Rank, Update, dataflow};

use super::agents::Agents;
use super::batch::{Batch, MOST, RUN, Sites};
use super::edges::Edges;
use super::instruction::{Instruction, Slot, Source};
use super::rule::{Rule, SumsOf};
use crate::fields::set;
use crate::kernels::Lane;
use crate::machine::{Machine, tabulated};
use crate::scalars::evaluate;
use glauber_backend::EngineError;
use glauber_backend::Fault;
use glauber_backend::Numbers;
use glauber_backend::Run;
use glauber_backend::Simd;
use glauber_backend::inputs::{Address, Inputs};
use glauber_backend::plane::{Margin, Plane};

/// A rule with the memory to run it on one replicate.
pub(crate) struct Events<F: Lane> {
    pub(super) rule: Arc<Rule>,
    pub(super) simd: Simd,
    pub(super) edges: Edges,
    pub(super) axes: Axes,
    pub(super) sites: Sites,
    pub(super) fields: Vec<Plane<F>>,
    shared: Vec<Weak<Numbers>>,
    chosen: Option<usize>,
    /// 1 at every site, 0 beyond fixed edges; empty where nobody asks.
    pub(super) inside: Plane<F>,
    /// What stands beyond fixed edges; empty where nobody asks.
    pub(super) edge: Plane<F>,
    /// Registers, each of a number for every event at hand.
    pub(super) registers: Vec<F>,
    pub(super) tables: Vec<TableOf<F>>,
    machines: Vec<Machine<F>>,
    values: Vec<f64>,
    parameters: Vec<f64>,
    /// The step that numbers and tables were last made for.
    made_for: Option<u32>,
    by_step: bool,
    pub(super) highest: f64,
    /// Whether by the highest sum of rates nothing can happen.
    pub(super) idle: bool,
    pub(super) agents: Agents,
    pub(super) order: Vec<u32>,
    /// Room for the random numbers of a run of events, one run behind another.
    pub(super) words: Vec<u32>,
    pub(super) noise: Vec<F>,
    /// What each layer holds.
    pub(super) held: Vec<Held<F>>,
    pub(super) batch: Batch,
    /// For each instruction, whether it is a check that nothing can fail: of what a table holds.
    pub(super) certain: Vec<bool>,
    /// The sums over cells that the rule reads.
    pub(super) sums: Option<Sums<F>>,
}

/// The sums of a state.
pub(super) struct Sums<F: Lane> {
    pub(super) of: Arc<SumsOf>,
    pub(super) events: Box<Events<F>>,
    /// For each sum, by label.
    pub(super) by_label: Vec<Vec<f64>>,
    pub(super) batch: Batch,
    /// Sites that a write concerns.
    pub(super) concerned: Vec<usize>,
    /// How many events are worth being tried at a time, before one of them changes a sum.
    pub(super) worth: usize,
    /// Whether one has.
    pub(super) changed: bool,
}

/// What a layer holds.
pub(super) struct Held<F> {
    pub(super) lowest: F,
    pub(super) highest: F,
    pub(super) integer: bool,
}

/// A table's values and how keys count.
pub(super) struct TableOf<F> {
    pub(super) values: Vec<F>,
    pub(super) lowest: [i32; 3],
    pub(super) strides: [i32; 3],
}

impl<F: Lane> Sums<F> {
    pub(super) fn new(of: &Arc<SumsOf>, simd: Simd) -> Sums<F> {
        Sums {
            events: Box::new(Events::new(&of.rule, simd)),
            by_label: of.all.iter().map(|sum| vec![0.0; sum.cells as usize + 1]).collect(),
            batch: Batch::new(&of.rule),
            concerned: Vec::new(),
            worth: MOST,
            changed: false,
            of: of.clone(),
        }
    }
}

fn held<F: Lane>(values: &Values) -> Held<F> {
    let (lowest, highest) = values.range();
    Held { lowest: F::from_f64(lowest), highest: F::from_f64(highest), integer: values.is_integer() }
}

impl<F: Lane> Events<F> {
    pub(crate) fn new(rule: &Arc<Rule>, simd: Simd) -> Events<F> {
        let layout = &rule.layout;
        let d = rule.program.declarations();
        let tables = rule.tables.iter().map(|(table, _)| {
            let (mut lowest, mut strides, mut stride) = ([0; 3], [0; 3], 1);
            for (place, key) in table.keys.iter().enumerate() {
                lowest[place] = key.lowest;
                strides[place] = stride;
                stride *= key.count as i32;
            }
            TableOf { values: vec![F::ZERO; table.entries()], lowest, strides }
        });
        let asks = |source| {
            rule.instructions
                .iter()
                .any(|i| matches!(i, Instruction::Read { source: own, .. } if *own == source))
        };
        let mut inside = Plane::U8(Vec::new());
        if asks(Source::Inside) {
            let mut marks = vec![1_u8; layout.padded_len()];
            layout.fill_margin_with(&mut marks, |_| 0);
            inside = Plane::U8(marks);
        }
        let mut edge = Plane::U8(Vec::new());
        if asks(Source::Edge) {
            edge = Plane::zeros(Storage::Real, layout);
            edge.fill_margin(layout, Margin::Lattice);
        }
        let reads_step =
            dataflow::dependent(rule.program.instructions(), |_, op| *op == Op::StepIndex, |_, _| false);
        Events {
            simd: simd.supported(),
            edges: Edges::new(layout, rule.boundaries),
            axes: Axes::new(layout),
            sites: Sites::new(),
            fields: d.fields.iter().map(|_| Plane::U8(Vec::new())).collect(),
            shared: d.fields.iter().map(|_| Weak::new()).collect(),
            chosen: None,
            inside,
            edge,
            registers: vec![F::ZERO; rule.registers * MOST],
            tables: tables.collect(),
            machines: rule
                .tables
                .iter()
                .map(|(_, code)| Machine::new(Arc::from(code.clone()), simd, 1))
                .collect(),
            values: vec![0.0; rule.program.instructions().len()],
            parameters: Vec::new(),
            made_for: None,
            by_step: reads_step.contains(&true),
            highest: 0.0,
            idle: false,
            agents: Agents::default(),
            order: Vec::new(),
            words: vec![0; RUN * (2 + 2 * rule.anywhere.len())],
            noise: vec![F::ZERO; RUN * rule.noise.len()],
            batch: Batch::new(rule),
            certain: vec![false; rule.instructions.len()],
            held: d.layers.iter().map(|layer| held(&layer.values)).collect(),
            sums: rule.sums.as_ref().map(|of| Sums::new(of, simd)),
            rule: rule.clone(),
        }
    }

    /// The rule.
    pub(crate) fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Sets parameters and the fields that are the same for every replicate.
    pub(crate) fn prepare(&mut self, run: &Run<'_>) -> Result<(), EngineError> {
        self.chosen = None;
        self.made_for = None;
        self.parameters = run.parameters.to_vec();
        self.sums.iter_mut().try_for_each(|sums| sums.events.prepare(run))?;
        let rule = self.rule.clone();
        let d = rule.program.declarations();
        for (place, field) in d.fields.iter().enumerate() {
            let data = run.field(&field.name).ok_or_else(|| EngineError::MissingField {
                model: d.model.clone(),
                name: field.name.clone(),
            })?;
            let same = self.shared[place].as_ptr() == Arc::as_ptr(data.shared_numbers());
            if data.picks().is_none() && !same && rule.reads_field(place) {
                self.set_field(place, data, 0);
                self.shared[place] = Arc::downgrade(data.shared_numbers());
            }
        }
        Ok(())
    }

    /// Sets the fields that differ between replicates.
    pub(crate) fn choose(&mut self, run: &Run<'_>, replicate: usize) {
        if self.chosen.replace(replicate) == Some(replicate) {
            return;
        }
        self.sums.iter_mut().for_each(|sums| sums.events.choose(run, replicate));
        let rule = self.rule.clone();
        for (place, field) in rule.program.declarations().fields.iter().enumerate() {
            let data = run.field(&field.name).filter(|d| d.picks().is_some());
            if let Some(data) = data.filter(|_| rule.reads_field(place)) {
                self.shared[place] = Weak::new();
                self.set_field(place, data, replicate);
            }
        }
    }

    fn set_field(&mut self, place: usize, data: &glauber_backend::FieldData, replicate: usize) {
        let storage = if matches!(data.numbers(), Numbers::Bytes(_)) { Storage::U8 } else { Storage::Real };
        let plane = &mut self.fields[place];
        if plane.storage() != storage || plane.is_empty() {
            *plane = Plane::zeros(storage, &self.rule.layout);
        }
        set(plane, &self.rule.layout, Margin::Lattice, data, replicate);
    }

    /// Makes the numbers and tables that hold in a step.
    pub(super) fn make_ready(&mut self, address: Address) -> Result<(), Trouble> {
        let wanted = if self.by_step { address.step } else { 0 };
        if self.made_for == Some(wanted) {
            return Ok(());
        }
        let rule = self.rule.clone();
        let mut parameters = self.parameters.clone();
        if rule.continuous {
            self.highest = self.highest_rate(&rule, &parameters, address)?;
            self.idle = self.highest <= 0.0;
            if rule.fastest.is_some() {
                parameters.push(if self.idle { f64::MIN_POSITIVE } else { self.highest });
            }
        }
        self.evaluate_scalars(&rule, &parameters, address);
        for (slot, register) in rule.slots.iter().zip(self.registers.chunks_exact_mut(MOST)) {
            register.fill(F::from_f64(match slot {
                Slot::Value(value) => self.values[value.index()],
                Slot::Number(number) => *number,
            }));
        }
        for (number, (table, _)) in rule.tables.iter().enumerate() {
            let machine = &mut self.machines[number];
            machine.prepare(&parameters);
            let values = tabulated(table, machine, &[], address.step).map_err(Trouble::Fault)?;
            let count = self.tables[number].values.len();
            self.tables[number].values.copy_from_slice(&values[..count]);
        }
        self.certain = rule.instructions.iter().map(|check| self.is_certain(&rule, check)).collect();
        self.made_for = Some(wanted);
        Ok(())
    }

    /// Whether an instruction is a check of what a table holds, and nothing in the table fails it.
    fn is_certain(&self, rule: &Rule, instruction: &Instruction) -> bool {
        let Instruction::Check { check, a } = instruction else { return false };
        let required = rule.required(*check);
        let table = rule.instructions.iter().find_map(|other| match other {
            Instruction::Lookup { to, table, .. } if to == a => Some(&self.tables[*table as usize]),
            _ => None,
        });
        let allowed = |value: &F| required.allows(value.to_f64(), F::EPSILON.to_f64());
        table.is_some_and(|table| table.values.iter().all(allowed))
    }

    fn evaluate_scalars(&mut self, rule: &Rule, parameters: &[f64], address: Address) {
        for (index, instruction) in rule.program.instructions().iter().enumerate() {
            if instruction.rank == Rank::Run {
                self.values[index] = match &instruction.op {
                    Op::Parameter(i) => parameters.get(*i as usize).copied().unwrap_or(f64::NAN),
                    op => evaluate::<F>(op, &self.values, &Inputs { address, ..Inputs::nothing() }),
                };
            }
        }
    }

    /// The highest sum of rates of a site: the declared one, or what follows from the rule. Only the latter may be below 0, as where
    /// rates are: these are then found at the sites that have them.
    fn highest_rate(&mut self, rule: &Rule, parameters: &[f64], address: Address) -> Result<f64, Trouble> {
        let declared = rule.program.result(glauber_program::Sink::Fastest);
        let highest = match declared {
            Some(declared) => {
                self.evaluate_scalars(rule, parameters, address);
                Some(self.values[declared.index()])
            }
            None => rule.program.highest_rate(parameters, address.step),
        };
        match highest {
            Some(rate) if rate.is_finite() && (rate >= 0.0 || declared.is_none()) => Ok(rate),
            other => Err(Trouble::NoHighestRate(other)),
        }
    }
}

/// What an event met, besides values that may not be.
#[derive(Debug)]
pub(crate) enum Trouble {
    Fault(Fault),
    /// No bound of the rates follows from the rule, or the declared one is none.
    NoHighestRate(Option<f64>),
    /// More events than can be numbered.
    TooManyEvents(f64),
    /// No site is in the state that sites are drawn from.
    NoAgents,
    /// It was to stop.
    Stopped,
}

impl Trouble {
    /// What is wrong, and what to do about it.
    pub(crate) fn complaint(&self, d: &Declarations) -> String {
        match (self, &d.update) {
            (Trouble::NoHighestRate(None), _) => NO_HIGHEST_RATE.into(),
            (Trouble::NoHighestRate(Some(found)), _) => {
                format!("the highest sum of rates of a site is {found}: it must be a number of 0 or more")
            }
            (Trouble::TooManyEvents(mean), _) => format!(
                "a step has {mean:.3e} events on average, more than {MOST_COUNT:.0e}: take a smaller unit of time (divide all rates by \
                 a number, and run as many times more steps)"
            ),
            (Trouble::NoAgents, Update::RandomSequential { pick: Pick::Among { layer, state }, .. }) => {
                let state = d.state_named(layer, *state);
                format!(
                    "no site is left where {layer} is {state}, so that none can be drawn; stop before, or draw among all sites \
                 where such sites can die out"
                )
            }
            _ => "there is no site to be drawn".into(),
        }
    }
}
