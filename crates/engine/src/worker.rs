//! Holds the machines and planes that one replicate at a time is run with.

use std::sync::Arc;

use glauber_lattice::Storage;

use crate::compile::Code;
use crate::data::FieldData;
use crate::error::EngineError;
use crate::machine::{Fault, Machine};
use crate::plan::{Codes, Observed, Options};
use crate::plane::{Margin, Plane};
use crate::real::Real;
use crate::run::Run;

/// A program's machine and the fields it reads.
pub(crate) struct Unit<F> {
    pub(crate) machine: Machine<F>,
    pub(crate) fields: Vec<Plane<F>>,
    pub(crate) targets: Vec<Plane<F>>,
    /// Derivatives by fields.
    pub(crate) field_adjoints: Vec<Plane<F>>,
}

/// The layers of one replicate at one time.
pub(crate) type State<F> = Vec<Plane<F>>;

/// Everything that runs one replicate.
pub(crate) struct Worker<F: Real> {
    pub(crate) crew: usize,
    pub(crate) start: Option<Unit<F>>,
    pub(crate) step: Unit<F>,
    pub(crate) observed: Vec<Option<(Unit<F>, Option<Unit<F>>)>>,
    pub(crate) adjoint_step: Option<Unit<F>>,
    pub(crate) adjoint_last: Option<Unit<F>>,
    pub(crate) adjoint_start: Option<Unit<F>>,
    /// Derivatives by the layers (by each state of a nominal one), and room for the step before.
    pub(crate) adjoints: [State<F>; 2],
    /// States to be used again.
    pub(crate) spare: Vec<State<F>>,
}

impl<F: Real> Unit<F> {
    fn new(code: &Arc<Code>, options: &Options, crew: usize) -> Unit<F> {
        let declarations = &code.program.declarations;
        Unit {
            machine: Machine::new(code.clone(), options.simd, crew),
            fields: declarations.fields.iter().map(|_| Plane::U8(Vec::new())).collect(),
            targets: Vec::new(),
            field_adjoints: Vec::new(),
        }
    }

    /// Sets parameters and the fields that are the same for every replicate.
    fn prepare(&mut self, run: &Run<'_>) -> Result<Option<Fault>, EngineError> {
        let code = self.machine.code();
        let (layout, declarations) = (code.layout.clone(), code.program.declarations.clone());
        let real = || Plane::zeros(Storage::Real, &layout);
        let wants_fields = code
            .program
            .results
            .iter()
            .any(|(sink, _)| matches!(sink, glauber_program::Sink::FieldAdjoint(_)));
        if wants_fields {
            self.field_adjoints = declarations.fields.iter().map(|_| real()).collect();
        }
        for (place, field) in declarations.fields.iter().enumerate() {
            let data = run.field(&field.name).ok_or_else(|| EngineError::MissingField {
                model: declarations.model.clone(),
                name: field.name.clone(),
            })?;
            let bytes = matches!(*data.numbers, crate::data::Numbers::Bytes(_));
            self.fields[place] = Plane::zeros(if bytes { Storage::U8 } else { Storage::Real }, &layout);
            if data.picks.is_none() {
                set(&mut self.fields[place], &layout, data, 0);
            }
        }
        Ok(self.machine.prepare(run.parameters))
    }

    /// Sets the fields that differ between replicates.
    pub(crate) fn choose(&mut self, run: &Run<'_>, replicate: usize) {
        let code = self.machine.code();
        for (place, field) in code.program.declarations.fields.iter().enumerate() {
            if let Some(data) = run.field(&field.name).filter(|d| d.picks.is_some()) {
                set(&mut self.fields[place], &code.layout, data, replicate);
            }
        }
        if let Some(targets) = &run.targets {
            let layers = &code.program.declarations.layers;
            if self.targets.len() != layers.len() {
                let zeros = |l: &glauber_program::Layer| Plane::zeros(l.values.storage(), &code.layout);
                self.targets = layers.iter().map(zeros).collect();
            }
            for (plane, data) in self.targets.iter_mut().zip(targets) {
                set(plane, &code.layout, data, replicate);
            }
        }
    }
}

/// Copies one replicate's field into a plane.
pub(crate) fn set<F: Real>(
    plane: &mut Plane<F>,
    layout: &glauber_lattice::Layout,
    data: &FieldData,
    replicate: usize,
) {
    let from = data.place(replicate, layout.sites());
    if let crate::data::Numbers::Bytes(bytes) = &*data.numbers {
        if plane.set_bytes(layout, Margin::Lattice, &bytes[from..from + layout.sites()]) {
            return;
        }
    }
    plane.set_dense(layout, Margin::Lattice, |site| data.numbers.at(from + site));
}

impl<F: Real> Worker<F> {
    pub(crate) fn new(codes: &Codes, options: &Options, crew: usize) -> Worker<F> {
        let unit = |code: &Arc<Code>| Unit::new(code, options, crew);
        let adjoint = codes.adjoint.as_ref();
        let lambda = || {
            let places = 0..codes.declarations.adjoint_places();
            places.map(|_| Plane::zeros(Storage::Real, &codes.layout)).collect()
        };
        Worker {
            crew,
            start: codes.start.as_ref().map(unit),
            step: unit(&codes.step),
            observed: codes
                .observed
                .iter()
                .map(|o| match o {
                    Observed::Program { forward, adjoint } => {
                        Some((unit(forward), adjoint.as_ref().map(unit)))
                    }
                    Observed::Summary(_) => None,
                })
                .collect(),
            adjoint_step: adjoint.map(|a| unit(&a.step)),
            adjoint_last: adjoint.map(|a| unit(&a.last)),
            adjoint_start: adjoint.and_then(|a| a.start.as_ref()).map(unit),
            adjoints: if adjoint.is_some() { [lambda(), lambda()] } else { [Vec::new(), Vec::new()] },
            spare: Vec::new(),
        }
    }

    /// Every unit, in a fixed order.
    pub(crate) fn units(&mut self) -> impl Iterator<Item = &mut Unit<F>> {
        let observed = self.observed.iter_mut().flatten().flat_map(|(f, a)| std::iter::once(f).chain(a));
        std::iter::once(&mut self.step)
            .chain(&mut self.start)
            .chain(&mut self.adjoint_step)
            .chain(&mut self.adjoint_last)
            .chain(&mut self.adjoint_start)
            .chain(observed)
    }

    pub(crate) fn prepare(&mut self, run: &Run<'_>, backward: bool) -> Result<Option<Fault>, EngineError> {
        let mut fault = None;
        for unit in self.units() {
            fault = fault.or(unit.prepare(run)?);
        }
        let _ = backward;
        Ok(fault)
    }

    pub(crate) fn state(&mut self, codes: &Codes) -> State<F> {
        self.spare.pop().unwrap_or_else(|| {
            let zeros = |l: &glauber_program::Layer| Plane::zeros(l.values.storage(), &codes.layout);
            codes.declarations.layers.iter().map(zeros).collect()
        })
    }
}
