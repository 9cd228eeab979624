//! Gives Python what a rule is traced with: layers, parameters, fields, draws, and what comes next.

use std::sync::{Mutex, PoisonError};

use glauber::lattice::Values;
use glauber::program::{Declarations, Expr, Operand, Program, Stage, nearest_name};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::errors::{input_error, model_error};
use crate::expression::{neighbourhood, offset, state_number};
use crate::operand::{needed, operand};
use crate::per_cell::per_cell;
use crate::there::picked;
use crate::traced::{Beyond, CellSum, Expression, Scope, There, checked};
use crate::typing::{Anything, Around, As, Becomes, Moved, Number, Offset, PerCell, Picked, Probabilities};

/// What a layer becomes; see `Scope.next`.
#[pyclass(frozen, module = "glauber")]
pub struct Next {
    scope: Py<Scope>,
    layer: String,
}

/// Traces a Python function: it is called once, with a scope, and its mistakes are raised from the line that made them.
///
/// # Errors
/// Whatever the function raises; what is wrong with the rule as a whole, with the place of the function.
pub fn traced(function: &Bound<'_, PyAny>, declarations: Declarations, stage: Stage) -> PyResult<Program> {
    let py = function.py();
    let tracing = Mutex::new(Some(glauber::program::Scope::open(declarations.clone(), stage)));
    let scope = Py::new(py, Scope { tracing, declarations, stage })?;
    let finished =
        function.call1((scope.clone_ref(py),)).and_then(|returned| scope.get().take(&returned, function));
    // Ends the tracing also where the function failed: its traceback may keep the scope alive.
    let tracing = scope.get().tracing.lock().unwrap_or_else(PoisonError::into_inner).take();
    finished?;
    let Some(tracing) = tracing else { return Err(model_error("the tracing ended while it was going on")) };
    tracing.close().map_err(|mistake| {
        // The builder's words, as Python writes them.
        let words = mistake.to_string().replace(" next(\"", " s.next(\"").replace("(layer(\"", "(s.layer(\"");
        model_error(format!("{words}{}", place(function)))
    })
}

/// Operands of a list; `wanted` says what it should be.
fn listed(given: &Bound<'_, PyAny>, wanted: &'static str, what: &str) -> PyResult<Vec<Operand>> {
    let wrong = || PyTypeError::new_err(wanted);
    if given.is_instance_of::<Expression>() {
        return Err(wrong());
    }
    given.try_iter().map_err(|_| wrong())?.map(|p| needed(&p?, what)).collect()
}

/// Where a function was written.
fn place(function: &Bound<'_, PyAny>) -> String {
    let read = || -> PyResult<String> {
        let code = function.getattr("__code__")?;
        let (name, file): (String, String) =
            (function.getattr("__qualname__")?.extract()?, code.getattr("co_filename")?.extract()?);
        let line: usize = code.getattr("co_firstlineno")?.extract()?;
        Ok(format!("\n(`{name}`, File \"{file}\", line {line})"))
    };
    read().unwrap_or_default()
}

impl Scope {
    fn with<T>(&self, f: impl FnOnce(&glauber::program::Scope) -> T) -> PyResult<T> {
        let tracing = self.tracing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(scope) = &*tracing else {
            return Err(model_error(
                "this rule has been traced already: use the scope `s` only within the function it is handed to",
            ));
        };
        let made = f(scope);
        match scope.mistake() {
            Some(mistake) => Err(model_error(mistake)),
            None => Ok(made),
        }
    }

    fn make(&self, f: impl FnOnce(&glauber::program::Scope) -> Expr) -> PyResult<Expression> {
        checked(self.with(f)?)
    }

    /// Takes what the function returned as next values or outputs.
    fn take(&self, returned: &Bound<'_, PyAny>, function: &Bound<'_, PyAny>) -> PyResult<()> {
        if returned.is_none() {
            return Ok(());
        }
        let observes = self.stage == Stage::Observation;
        if let Ok(entries) = returned.cast::<PyDict>() {
            for (name, value) in entries.iter() {
                let name: String = name.extract().map_err(|_| {
                    PyTypeError::new_err("the keys of what a rule returns are names of layers")
                })?;
                let what = format!("what the rule returns for `{name}`");
                let value =
                    if observes { needed(&value, &what)? } else { self.value_for(&name, &value, &what)? };
                self.with(|s| if observes { s.output(&name, value) } else { s.next(&name).set(value) })?;
            }
            return Ok(());
        }
        if let Some(value) = operand(returned)? {
            let layers = &self.declarations.layers;
            match (observes, &layers[..]) {
                (true, _) => return self.with(|s| s.output("value", value)),
                (false, [only]) => return self.with(|s| s.next(&only.name).set(value)),
                _ => {}
            }
        }
        let kind = returned.get_type().name().map_or_else(|_| String::new(), |n| n.to_string());
        let wanted = if observes { "{name: number per replicate}" } else { "{layer: next value}" };
        Err(PyTypeError::new_err(format!(
            "a rule returns a dictionary {wanted}, or nothing; this one returned: {kind}{}",
            place(function)
        )))
    }

    /// What a layer becomes: a number, a traced value, or one of its states by name.
    fn value_for(&self, layer: &str, given: &Bound<'_, PyAny>, what: &str) -> PyResult<Operand> {
        match self.states_of(layer) {
            Some(states) if given.is_instance_of::<PyString>() => {
                Ok(Operand::Number(f64::from(state_number(Some(&states), given)?)))
            }
            _ => needed(given, what),
        }
    }

    /// The layer, parameter or field of a name.
    pub(crate) fn named(&self, name: &str) -> PyResult<Expression> {
        let d = &self.declarations;
        if d.layers.iter().any(|l| l.name == name) {
            return self.layer(name);
        }
        if d.parameters.iter().any(|p| p.name == name) {
            return self.parameter(name);
        }
        if d.fields.iter().any(|f| f.name == name) {
            return self.field(name);
        }
        let known: Vec<&str> = d
            .layers
            .iter()
            .map(|l| l.name.as_str())
            .chain(d.parameters.iter().map(|p| p.name.as_str()))
            .chain(d.fields.iter().map(|f| f.name.as_str()))
            .collect();
        let hint = nearest_name(name, known.iter().copied());
        let hint = hint
            .map_or_else(|| format!("; it has {}", known.join(", ")), |n| format!(": did you mean `{n}`?"));
        Err(model_error(format!(
            "model `{}` has no layer, parameter or field called `{name}`{hint}",
            d.model
        )))
    }

    fn states_of(&self, layer: &str) -> Option<std::sync::Arc<Vec<String>>> {
        self.declarations.layers.iter().find(|l| l.name == layer).and_then(|l| match &l.values {
            Values::Categories(names) => Some(std::sync::Arc::new(names.clone())),
            _ => None,
        })
    }
}

/// Several probabilities.
fn probabilities(given: &Bound<'_, PyAny>) -> PyResult<Vec<Operand>> {
    const WANTED: &str =
        "a categorical draw takes a list of probabilities, the last of which takes what is left of 1";
    listed(given, WANTED, "a probability")
}

#[pymethods]
impl Scope {
    /// The layer, parameter or field of this name.
    fn __getitem__(&self, name: &str) -> PyResult<Expression> {
        self.named(name)
    }
    /// A layer's value at each site before the step.
    fn layer(&self, name: &str) -> PyResult<Expression> {
        let made = self.make(|s| s.layer(name))?;
        Ok(Expression { states: self.states_of(name), ..made })
    }
    /// A parameter: one number for the whole run.
    fn parameter(&self, name: &str) -> PyResult<Expression> {
        self.make(|s| s.parameter(name))
    }
    /// A covariate or parameter field: one fixed number per site.
    fn field(&self, name: &str) -> PyResult<Expression> {
        self.make(|s| s.field(name))
    }
    /// Data to compare with in an observation, one number per site; declared by being named.
    fn data(&self, name: &str) -> PyResult<Expression> {
        self.make(|s| s.data(name))
    }
    /// A layer's observed value after the step, for `revealed_by` and nothing else.
    fn observed_next(&self, layer: &str) -> PyResult<Expression> {
        self.make(|s| s.observed_next(layer))
    }
    /// A plain number as a traced value.
    fn number(&self, value: f64) -> PyResult<Expression> {
        if value.is_nan() {
            return Err(model_error("NaN stands in a rule: every constant must be a number"));
        }
        self.make(|s| s.number(value))
    }
    /// The number of the step: 1 for the first.
    fn step(&self) -> PyResult<Expression> {
        self.make(glauber::program::Scope::step)
    }
    /// The site's coordinate along an axis of the lattice, counted as in its shape, from 0.
    fn coordinate(&self, axis: usize) -> PyResult<Expression> {
        self.make(|s| s.coordinate(axis))
    }
    /// 1 with probability `p` at each site, else 0.
    fn bernoulli(&self, p: As<'_, Number>) -> PyResult<Expression> {
        let p = needed(&p, "the probability of a draw")?;
        self.make(|s| s.bernoulli(p))
    }
    /// 1 with probability `p` for each replicate, else 0.
    fn replicate_bernoulli(&self, p: As<'_, Number>) -> PyResult<Expression> {
        let p = needed(&p, "the probability of a draw")?;
        self.make(|s| s.replicate_bernoulli(p))
    }
    /// A class 0, 1, 2 … at each site with these probabilities; the last class takes what is left of 1.
    fn categorical(&self, probabilities: As<'_, Probabilities>) -> PyResult<Expression> {
        let p = self::probabilities(&probabilities)?;
        self.make(|s| s.categorical(&p))
    }
    /// A class for each replicate with these probabilities; the last class takes what is left of 1.
    fn replicate_categorical(&self, probabilities: As<'_, Probabilities>) -> PyResult<Expression> {
        let p = self::probabilities(&probabilities)?;
        self.make(|s| s.replicate_categorical(&p))
    }
    /// A uniform number in [0, 1) at each site.
    fn uniform(&self) -> PyResult<Expression> {
        self.make(glauber::program::Scope::uniform)
    }
    /// A standard normal number at each site.
    fn normal(&self) -> PyResult<Expression> {
        self.make(glauber::program::Scope::normal)
    }
    /// The number of successes in `n` trials of probability `p` at each site.
    fn binomial(&self, n: As<'_, Number>, p: As<'_, Number>) -> PyResult<Expression> {
        let (n, p) = (needed(&n, "the number of trials")?, needed(&p, "the probability of a draw")?);
        self.make(|s| s.binomial(n, p))
    }
    /// The number of events of mean `rate` at each site.
    fn poisson(&self, rate: As<'_, Number>) -> PyResult<Expression> {
        let rate = needed(&rate, "the rate of a draw")?;
        self.make(|s| s.poisson(rate))
    }
    /// How many trials of probability `p`, above 0, it takes at each site up to the first success, that one included (NumPy's
    /// `geometric`).
    fn geometric(&self, p: As<'_, Number>) -> PyResult<Expression> {
        let p = needed(&p, "the probability of a draw")?;
        self.make(|s| s.geometric(p))
    }
    /// The plane `x` moved as a whole by the offset that `direction` (one class per replicate) picks from `offsets`.
    fn translate(
        &self,
        x: As<'_, Moved>,
        direction: As<'_, Number>,
        offsets: Vec<As<'_, Offset>>,
    ) -> PyResult<Expression> {
        let dimensions = self.declarations.lattice.dimensions();
        let offsets: PyResult<Vec<_>> = offsets.iter().map(|o| offset(o, dimensions)).collect();
        let direction = needed(&direction, "the direction")?;
        let offsets = offsets?;
        let beyond = x.cast::<Beyond>().ok().map(|x| x.get().of);
        let plain = match beyond {
            Some(_) => Operand::Number(0.0),
            None => needed(&x, "the plane")?,
        };
        if offsets.is_empty() {
            return Err(model_error("translate needs at least one offset"));
        }
        self.make(|s| {
            let as_expr = |o: Operand| match o {
                Operand::Expr(e) => e,
                Operand::Number(v) => s.number(v),
            };
            let x = beyond.unwrap_or_else(|| as_expr(plain).into());
            s.translate(x, as_expr(direction), &offsets)
        })
    }
    /// A neighbour in a direction that is drawn for each site: uniformly, or by the neighbourhood's weights. Only a rule that is
    /// applied to one site after another (`update=`) may pick sites.
    fn neighbour(slf: &Bound<'_, Scope>, neighbourhood: As<'_, Around>) -> PyResult<There> {
        let own = slf.get();
        let around = self::neighbourhood(&neighbourhood, own.declarations.lattice.dimensions())?;
        let there = own.with(|s| s.neighbour(around))?;
        Ok(There { there, scope: slf.clone().unbind() })
    }
    /// The neighbour at the offset that `direction` picks from `offsets`, a whole number from 0 at each site.
    fn neighbour_towards(
        slf: &Bound<'_, Scope>,
        direction: As<'_, Number>,
        offsets: Vec<As<'_, Offset>>,
    ) -> PyResult<There> {
        let own = slf.get();
        let dimensions = own.declarations.lattice.dimensions();
        let offsets: PyResult<Vec<_>> = offsets.iter().map(|o| offset(o, dimensions)).collect();
        let (direction, offsets) = (needed(&direction, "the direction")?, offsets?);
        let there = own.with(|s| {
            let direction = match direction {
                Operand::Expr(e) => e,
                Operand::Number(x) => s.number(x),
            };
            s.neighbour_towards(direction, &offsets)
        })?;
        Ok(There { there, scope: slf.clone().unbind() })
    }
    /// A site drawn uniformly from the whole lattice; it may be the site itself.
    fn anywhere(slf: &Bound<'_, Scope>) -> PyResult<There> {
        let there = slf.get().with(glauber::program::Scope::anywhere)?;
        Ok(There { there, scope: slf.clone().unbind() })
    }
    /// The sum of a value over the sites of each cell of a layer of labels: its volume, where the value is 1. `s.of_cell(sum, label)`
    /// is that of the cell with a label. Sums are those of the state that the rule reads: before the step where it is synchronous,
    /// when a colour begins by sublattices, at that moment where events are one after another, for which the value must be a whole
    /// number.
    fn cell_sum(&self, value: As<'_, Number>, layer: &str) -> PyResult<CellSum> {
        let value = needed(&value, "what is summed")?;
        Ok(CellSum { sum: self.with(|s| s.cell_sum(value, layer))? })
    }
    /// The number of the cell that a label names: a sum over its sites, or the entry of a list of numbers, the medium's first.
    fn of_cell(&self, number: As<'_, PerCell>, label: As<'_, Number>) -> PyResult<Expression> {
        let (number, label) = (per_cell(&number)?, needed(&label, "the label")?);
        self.make(|s| s.of_cell(&number, label))
    }
    /// The entry of a list of numbers that a whole number points at, 0 the first: such as an adhesion, by types.
    fn look_up(&self, numbers: Vec<f64>, place: As<'_, Number>) -> PyResult<Expression> {
        let place = needed(&place, "the place in the list")?;
        self.make(|s| s.look_up(&numbers, place))
    }
    /// The number of the transition that an event is, for transitions of these rates per unit of time; one number higher than
    /// the last where none happens. For update="continuous-time", once in a rule. `most` is the highest sum of rates that a
    /// site can have, needed only where it cannot be found from the rule.
    #[pyo3(signature = (rates, most = None))]
    fn rates(&self, rates: As<'_, Probabilities>, most: Option<As<'_, Number>>) -> PyResult<Expression> {
        const WANTED: &str =
            "s.rates takes a list of rates, one for each transition of a site, as s.rates([dies, breeds])";
        let rates = listed(&rates, WANTED, "a rate")?;
        let most = most.map(|m| needed(&m, "the highest sum of rates")).transpose()?;
        self.make(|s| match most {
            Some(most) => s.rates_below(&rates, most),
            None => s.rates(&rates),
        })
    }
    /// Moves what is here to the picked site, in one layer: that becomes as this is, and this becomes `left`, where `when` is 1
    /// (else 0: draw a chance by s.bernoulli) and there is such a site. Beyond a fixed edge there is none, and what is here
    /// stays: what is to leave there is set to `left` by the rule.
    #[pyo3(signature = (there, layer, left = None, when = None))]
    fn move_to(
        &self,
        there: As<'_, Picked>,
        layer: &str,
        left: Option<As<'_, Becomes>>,
        when: Option<As<'_, Number>>,
    ) -> PyResult<()> {
        let there = picked(&there)?;
        let left = left.map(|l| self.value_for(layer, &l, "what is left behind")).transpose()?;
        let when = when.map(|w| needed(&w, "when it moves")).transpose()?;
        let (left, when) = (left.unwrap_or(Operand::Number(0.0)), when.unwrap_or(Operand::Number(1.0)));
        self.with(|s| s.move_to(there, layer, left, when))
    }
    /// Has this site and the picked one change places in one layer, where `when` is 1 (else 0: draw a chance by s.bernoulli) and there is such a site:
    /// beyond a fixed edge there is none, and nothing changes.
    #[pyo3(signature = (there, layer, when = None))]
    fn swap_with(&self, there: As<'_, Picked>, layer: &str, when: Option<As<'_, Number>>) -> PyResult<()> {
        let there = picked(&there)?;
        let when = when.map(|w| needed(&w, "when they change places")).transpose()?;
        self.with(|s| s.swap_with(there, layer, when.unwrap_or(Operand::Number(1.0))))
    }
    /// Has `p` checked to lie in [0, 1] wherever the step runs; an error calls it the probability of `what`.
    fn check_probability(&self, what: &str, p: As<'_, Number>) -> PyResult<()> {
        let p = needed(&p, "the probability")?;
        self.with(|s| s.check_probability(what, p))
    }
    /// Leaves a number per replicate under a name.
    fn output(&self, name: &str, value: As<'_, Number>) -> PyResult<()> {
        let value = needed(&value, "an output")?;
        self.with(|s| s.output(name, value))
    }
    /// Says what a layer becomes: `.set(value)`, `.bernoulli(p)` or `.categorical([p, …])`; at a picked site `.set_at(there,
    /// value)`.
    fn next(slf: &Bound<'_, Scope>, layer: &str) -> PyResult<Next> {
        Ok(Next { scope: slf.clone().unbind(), layer: layer.to_string() })
    }
    fn __setitem__(&self, layer: &str, value: As<'_, Anything>) -> PyResult<()> {
        let _ = (layer, value);
        Err(PyTypeError::new_err(format!(
            "a layer's present value cannot be changed: say what it becomes with s.next(\"{layer}\").set(value), or return \
             {{\"{layer}\": value}}"
        )))
    }
    fn __setattr__(&self, name: &str, value: As<'_, Anything>) -> PyResult<()> {
        self.__setitem__(name, value)
    }
    fn __getattr__(&self, name: &Bound<'_, PyString>) -> PyResult<Py<PyAny>> {
        let name = name.to_cow()?;
        let d = &self.declarations;
        let declared = d.layers.iter().any(|l| l.name == name) || d.parameters.iter().any(|p| p.name == name);
        let hint = if declared {
            format!("write s[\"{name}\"]")
        } else {
            "layers, parameters and fields are read as s[\"name\"]".into()
        };
        Err(pyo3::exceptions::PyAttributeError::new_err(format!(
            "the scope of a rule has no attribute `{name}`: {hint}"
        )))
    }
    fn __repr__(&self) -> String {
        format!("<scope of model `{}`>", self.declarations.model)
    }
}

impl Next {
    fn value(&self, given: &Bound<'_, PyAny>) -> PyResult<Operand> {
        self.scope.get().value_for(&self.layer, given, &format!("what layer `{}` becomes", self.layer))
    }
}

#[pymethods]
impl Next {
    /// The next value at each site; of a layer of named states also a state's name.
    fn set(&self, value: As<'_, Becomes>) -> PyResult<()> {
        let value = self.value(&value)?;
        self.scope.get().with(|s| s.next(&self.layer).set(value))
    }
    /// The value at a picked site, written after those of the site itself; beyond a fixed edge nothing is written, whatever
    /// the rule says of the site itself: what it leaves behind for a site out there is gone (`there.exists()` tells).
    fn set_at(&self, there: As<'_, Picked>, value: As<'_, Becomes>) -> PyResult<()> {
        let (there, value) = (picked(&there)?, self.value(&value)?);
        self.scope.get().with(|s| s.next(&self.layer).set_at(there, value))
    }
    /// 1 with probability `p`, else 0.
    fn bernoulli(&self, p: As<'_, Number>) -> PyResult<()> {
        let p = needed(&p, "the probability of a draw")?;
        self.scope.get().with(|s| s.next(&self.layer).bernoulli(p))
    }
    /// A class with these probabilities; the last class takes what is left of 1.
    fn categorical(&self, probabilities: As<'_, Probabilities>) -> PyResult<()> {
        let p = self::probabilities(&probabilities)?;
        let states = self.scope.get().states_of(&self.layer);
        if let Some(states) = states.filter(|s| s.len() != p.len()) {
            return Err(input_error(format!(
                "layer `{}` has {} states ({}), but {} probabilities were given: give one for each, in this order",
                self.layer,
                states.len(),
                states.join(", "),
                p.len()
            )));
        }
        self.scope.get().with(|s| s.next(&self.layer).categorical(&p))
    }
}
