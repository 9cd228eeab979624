//! Holds the machines and planes that one replicate at a time is run with.

use std::sync::{Arc, Weak};

use glauber_lattice::Storage;

use crate::ahead::Ahead;
use crate::codes::{CodePair, Codes, Observed};
use crate::compile::Code;
use crate::events::Events;
use crate::fields::set;
use crate::kernel::Source;
use crate::kernels::Lane;
use crate::machine::Machine;
use glauber_backend::EngineError;
use glauber_backend::Options;
use glauber_backend::{FieldData, Numbers};

use glauber_backend::plane::{Margin, Plane};
use glauber_backend::{Run, Start};

/// A program's machine and the fields it reads.
pub(crate) struct Unit<F> {
    pub(crate) machine: Machine<F>,
    pub(crate) fields: Vec<Plane<F>>,
    pub(crate) targets: Vec<Plane<F>>,
    /// What the fields hold that are the same for every replicate, so as not to copy it again.
    shared: Vec<Weak<Numbers>>,
    /// The replicate whose fields these are.
    chosen: Option<usize>,
    /// Derivatives by fields.
    pub(crate) field_adjoints: Vec<Plane<F>>,
}

/// The units of an adjoint: whole, and where nobody wants the derivative by the state.
pub(crate) struct UnitPair<F> {
    pub(crate) whole: Unit<F>,
    pub(crate) last: Unit<F>,
}

/// What a unit is run with.
pub(crate) struct Shared<'a, F> {
    pub(crate) machine: &'a mut Machine<F>,
    pub(crate) fields: &'a [Plane<F>],
    pub(crate) targets: &'a [Plane<F>],
    pub(crate) field_adjoints: &'a mut [Plane<F>],
}

impl<F> UnitPair<F> {
    /// The one to run.
    pub(crate) fn unit(&mut self, last: bool) -> &mut Unit<F> {
        if last { &mut self.last } else { &mut self.whole }
    }

    /// The one to run, with one replicate's fields, adding to the derivatives by fields that both share.
    pub(crate) fn sharing(&mut self, last: bool, run: &Run<'_>, replicate: usize) -> Shared<'_, F>
    where
        F: Lane,
    {
        let UnitPair { whole, last: lighter } = self;
        if last { &mut *lighter } else { &mut *whole }.choose(run, replicate);
        let field_adjoints = &mut whole.field_adjoints;
        if last {
            Shared {
                machine: &mut lighter.machine,
                fields: &lighter.fields,
                targets: &lighter.targets,
                field_adjoints,
            }
        } else {
            Shared {
                machine: &mut whole.machine,
                fields: &whole.fields,
                targets: &whole.targets,
                field_adjoints,
            }
        }
    }

    fn both(&mut self) -> [&mut Unit<F>; 2] {
        [&mut self.whole, &mut self.last]
    }
}

/// The layers of one replicate at one time.
pub(crate) type State<F> = Vec<Plane<F>>;

/// Everything that runs one replicate.
pub(crate) struct Worker<F: Lane> {
    pub(crate) crew: usize,
    pub(crate) start: Option<Unit<F>>,
    pub(crate) step: Unit<F>,
    /// What carries a state through a step where sites are updated one after another.
    pub(crate) events: Option<Events<F>>,
    pub(crate) observed: Vec<Option<(Unit<F>, Option<UnitPair<F>>)>>,
    pub(crate) adjoint_step: Option<UnitPair<F>>,
    pub(crate) adjoint_start: Option<Unit<F>>,
    /// Derivatives by the layers (by each state of a nominal one), and room for the step before.
    pub(crate) adjoints: [State<F>; 2],
    /// For gradients within light cones: what leaves the terms of each observation, and where to …
    pub(crate) terms: Vec<Option<Unit<F>>>,
    pub(crate) terms_plane: State<F>,
    /// … what lies ahead on the way back, and what draws are worth.
    pub(crate) ahead: Option<Ahead>,
    pub(crate) local_advantage: State<F>,
    /// States to be used again.
    spare: Vec<State<F>>,
    /// Kept fields to be used again.
    spare_kept: State<F>,
}

impl<F: Lane> Unit<F> {
    fn new(code: &Arc<Code>, options: &Options, crew: usize) -> Unit<F> {
        let declarations = &code.program.declarations();
        Unit {
            machine: Machine::new(code.clone(), options.simd, crew),
            fields: declarations.fields.iter().map(|_| Plane::U8(Vec::new())).collect(),
            shared: declarations.fields.iter().map(|_| Weak::new()).collect(),
            chosen: None,
            targets: Vec::new(),
            field_adjoints: Vec::new(),
        }
    }

    /// Sets parameters and the fields that are the same for every replicate.
    fn prepare(&mut self, run: &Run<'_>) -> Result<(), EngineError> {
        self.chosen = None;
        let code = self.machine.shared_code();
        let declarations = &code.program.declarations();
        if !code.field_adjoints().is_empty() {
            let real = || Plane::zeros(Storage::Real, &code.layout);
            self.field_adjoints = declarations.fields.iter().map(|_| real()).collect();
        }
        for (place, field) in declarations.fields.iter().enumerate() {
            let data = run.field(&field.name).ok_or_else(|| EngineError::MissingField {
                model: declarations.model.clone(),
                name: field.name.clone(),
            })?;
            let source = Source::Field(place as u32);
            if code.reads(source) && data.picks().is_none() {
                let same = self.shared[place].as_ptr() == Arc::as_ptr(data.shared_numbers());
                if !same {
                    self.set_field(&code, place, data, 0);
                    self.shared[place] = Arc::downgrade(data.shared_numbers());
                }
            }
        }
        self.machine.prepare(run.parameters);
        Ok(())
    }

    fn set_field(&mut self, code: &Code, place: usize, data: &FieldData, replicate: usize) {
        let bytes = matches!(data.numbers(), Numbers::Bytes(_));
        let plane = &mut self.fields[place];
        let fits = match plane {
            Plane::U8(v) => bytes && !v.is_empty(),
            Plane::Real(_) => !bytes,
            _ => false,
        };
        if !fits {
            *plane = Plane::zeros(if bytes { Storage::U8 } else { Storage::Real }, &code.layout);
        }
        let margin = code.margin(Source::Field(place as u32), Margin::Lattice);
        set(plane, &code.layout, margin, data, replicate);
    }

    /// Sets the fields that differ between replicates, where they are not set yet.
    pub(crate) fn choose(&mut self, run: &Run<'_>, replicate: usize) {
        if self.chosen.replace(replicate) == Some(replicate) {
            return;
        }
        let code = self.machine.shared_code();
        let declarations = &code.program.declarations();
        for (place, field) in declarations.fields.iter().enumerate() {
            let data = run.field(&field.name).filter(|d| d.picks().is_some());
            if let Some(data) = data.filter(|_| code.reads(Source::Field(place as u32))) {
                self.shared[place] = Weak::new();
                self.set_field(&code, place, data, replicate);
            }
        }
        let Some(targets) = &run.targets else { return };
        self.targets.resize_with(declarations.layers.len(), || Plane::U8(Vec::new()));
        for (place, (plane, data)) in self.targets.iter_mut().zip(targets).enumerate() {
            let source = Source::Target(place as u32);
            if !code.reads(source) {
                continue;
            }
            if plane.is_empty() {
                *plane = Plane::zeros(declarations.layers[place].values.storage(), &code.layout);
            }
            set(plane, &code.layout, code.margin(source, Margin::Lattice), data, replicate);
        }
    }
}

/// The observations that a run takes.
fn used<'w, T>(observed: &'w mut [Option<T>], run: &Run<'_>) -> impl Iterator<Item = &'w mut T> {
    let taken: Vec<bool> = (0..observed.len()).map(|k| run.events.iter().any(|e| e.1 == k)).collect();
    observed.iter_mut().zip(taken).filter_map(|(unit, taken)| unit.as_mut().filter(|_| taken))
}

impl<F: Lane> Worker<F> {
    pub(crate) fn new(codes: &Codes, options: &Options, crew: usize) -> Worker<F> {
        let unit = |code: &Arc<Code>| Unit::new(code, options, crew);
        let pair = |codes: &CodePair| UnitPair { whole: unit(&codes.whole), last: unit(&codes.last) };
        let adjoint = codes.adjoint.as_ref();
        let lambda = || {
            let places = 0..codes.declarations.adjoint_places();
            places.map(|_| Plane::zeros(Storage::Real, &codes.layout)).collect()
        };
        let real = || Plane::zeros(Storage::Real, &codes.layout);
        Worker {
            crew,
            start: codes.start.as_ref().map(unit),
            step: unit(&codes.step),
            events: codes.events.as_ref().map(|rule| Events::new(rule, options.simd)),
            observed: codes
                .observed
                .iter()
                .map(|o| match o {
                    Observed::Program { forward, adjoint } => {
                        Some((unit(forward), adjoint.as_ref().map(pair)))
                    }
                    Observed::Summary(_) => None,
                })
                .collect(),
            adjoint_step: adjoint.map(|a| pair(&a.step)),
            adjoint_start: adjoint.and_then(|a| a.start.as_ref()).map(unit),
            terms: codes.cone.iter().flat_map(|c| &c.terms).map(|t| t.as_ref().map(unit)).collect(),
            terms_plane: codes.cone.iter().map(|_| real()).collect(),
            ahead: codes.cone.as_ref().map(|_| Ahead::new(codes, options.simd)),
            local_advantage: codes.cone.iter().map(|_| real()).collect(),
            adjoints: if adjoint.is_some() { [lambda(), lambda()] } else { [Vec::new(), Vec::new()] },
            spare: Vec::new(),
            spare_kept: Vec::new(),
        }
    }

    /// The units that a run needs forwards, in a fixed order.
    pub(crate) fn forward_units(&mut self, run: &Run<'_>) -> impl Iterator<Item = &mut Unit<F>> {
        let observed = used(&mut self.observed, run).map(|(forward, _)| forward);
        let start = self.start.iter_mut().filter(|_| matches!(run.start, Start::Model));
        std::iter::once(&mut self.step).chain(start).chain(observed)
    }

    /// The units that a run needs backwards, in a fixed order.
    pub(crate) fn backward_units(&mut self, run: &Run<'_>) -> impl Iterator<Item = &mut Unit<F>> {
        let observed = used(&mut self.observed, run).filter_map(|(_, adjoint)| adjoint.as_mut());
        let pairs = self.adjoint_step.iter_mut().chain(observed);
        let start = self.adjoint_start.iter_mut().filter(|_| matches!(run.start, Start::Model));
        pairs.flat_map(UnitPair::both).chain(start)
    }

    /// The units that add up derivatives by fields, in a fixed order: those of observations share them.
    pub(crate) fn units_with_field_adjoints(&mut self) -> impl Iterator<Item = &mut Unit<F>> {
        let observed = self.observed.iter_mut().flatten().filter_map(|(_, adjoint)| adjoint.as_mut());
        let step = self.adjoint_step.iter_mut().flat_map(UnitPair::both);
        step.chain(&mut self.adjoint_start).chain(observed.map(|pair| &mut pair.whole))
    }

    pub(crate) fn prepare(&mut self, run: &Run<'_>, backward: bool) -> Result<(), EngineError> {
        self.units_with_field_adjoints().for_each(|unit| unit.field_adjoints.clear());
        self.forward_units(run).try_for_each(|unit| unit.prepare(run))?;
        self.events.iter_mut().try_for_each(|events| events.prepare(run))?;
        if backward {
            self.backward_units(run).try_for_each(|unit| unit.prepare(run))?;
            used(&mut self.terms, run).try_for_each(|unit| unit.prepare(run))?;
        }
        Ok(())
    }

    /// Puts what the step has just made, and its adjoint reads, behind the state it began with.
    pub(crate) fn keep(&mut self, codes: &Codes, state: &mut State<F>) {
        let zeros = |storage: &Storage| Plane::zeros(*storage, &codes.layout);
        state.extend(codes.kept.take(&mut self.step.machine.temporaries, &mut self.spare_kept, zeros));
    }

    /// Takes back a state that is no longer needed.
    pub(crate) fn done_with(&mut self, codes: &Codes, mut state: State<F>) {
        self.spare_kept.extend(state.drain(codes.declarations.layers.len()..));
        self.spare.push(state);
    }

    pub(crate) fn state(&mut self, codes: &Codes) -> State<F> {
        self.spare.pop().unwrap_or_else(|| {
            let zeros = |l: &glauber_program::Layer| Plane::zeros(l.values.storage(), &codes.layout);
            codes.declarations.layers.iter().map(zeros).collect()
        })
    }
}
