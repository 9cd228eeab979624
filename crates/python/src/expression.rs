//! Gives traced values to Python: operators and methods write instructions, mistakes are raised where they are made.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use glauber::lattice::{
    Hexagonal, Moore, Neighbourhood, Neighbours as _, Offset as Displacement, VonNeumann,
};
use glauber::program::{Comparison, Domain, Expr, Operand, Surrogate, nearest_name};
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyTypeError, PyValueError, PyZeroDivisionError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::errors::model_error;
use crate::operand::{needed, operand, refuse_complex};
use crate::there::picked;
use crate::traced::{Beyond, Expression, checked};
use crate::typing::{Anything, Around, As, Compared, Number, Offset, Picked, State, Traced};

const NO_TRUTH: &str = "a traced value is a number at every site that is not known yet, so Python's `if`, `and`, `or`, \
`not` and `while` cannot ask for it: write glauber.where(condition, yes, no), combine conditions with `&`, `|` and `~`, \
and use glauber.minimum and glauber.maximum in place of min() and max()";

const NO_SITES: &str = "a traced value is the number at every site at once, and has no sites to go through or to pick: read \
other sites with x.shift((0, 1)) or x.neighbours(\"moore\").sum(), all of them with x.sum() or x.mean(), and the place \
of a site with s.coordinate(axis)";

/// The values around each site; see `Expression.neighbours`.
#[pyclass(frozen, module = "glauber")]
pub struct Neighbours {
    of: glauber::program::Beyond,
    states: Option<Arc<Vec<String>>>,
    neighbourhood: Neighbourhood,
}

/// The value as Python's.
fn traced(py: Python<'_>, expr: Expr) -> PyResult<As<'_, Traced>> {
    Ok(As::of(Bound::new(py, checked(expr)?)?.into_any()))
}

fn binary<'py>(value: &Bound<'py, PyAny>, f: impl FnOnce(Operand) -> Expr) -> PyResult<As<'py, Traced>> {
    match operand(value)? {
        None => Ok(As::of(value.py().NotImplemented().into_bound(value.py()))),
        Some(other) => traced(value.py(), f(other)),
    }
}

/// Both operands in order, of which one is this value.
fn ordered(own: Expr, other: Operand, swapped: bool) -> (Expr, Expr) {
    let other = match other {
        Operand::Expr(e) => e,
        Operand::Number(x) => own.number(x),
    };
    if swapped { (other, own) } else { (own, other) }
}

/// A state by its name or number.
pub fn state_number(states: Option<&Vec<String>>, state: &Bound<'_, PyAny>) -> PyResult<u32> {
    if let Ok(name) = state.cast::<PyString>() {
        let name = name.to_cow()?;
        let Some(states) = states else {
            return Err(PyTypeError::new_err(format!(
                "the state \"{name}\" was asked of a value without named states: name states of a layer of categories, \
                 as in s.layer(\"cell\") == \"{name}\""
            )));
        };
        let place = states.iter().position(|s| *s == name);
        return place.map(|p| p as u32).ok_or_else(|| {
            let hint = nearest_name(&name, states.iter().map(String::as_str));
            let hint = hint.map_or_else(
                || format!("; there are {}", states.join(", ")),
                |n| format!(": did you mean `{n}`?"),
            );
            model_error(format!("there is no state `{name}`{hint}"))
        });
    }
    state
        .extract::<u32>()
        .map_err(|_| PyTypeError::new_err("a state is given by its name, or by its number: 0, 1, 2 …"))
}

/// A neighbourhood by name, as offsets, or as offsets with weights.
pub fn neighbourhood(given: &Bound<'_, PyAny>, dimensions: usize) -> PyResult<Neighbourhood> {
    const WANTED: &str = "a neighbourhood is \"moore\", \"von-neumann\", \"hexagonal\", a list of offsets such as \
                          [(0, 1), (1, 0)], or a dictionary {offset: weight}";
    if let Ok(name) = given.cast::<PyString>() {
        return match name.to_cow()?.to_lowercase().replace('_', "-").as_str() {
            "moore" => Ok(Moore.on(dimensions)),
            "von-neumann" => Ok(VonNeumann.on(dimensions)),
            "hexagonal" if dimensions == 2 => Ok(Hexagonal.on(2)),
            "hexagonal" => {
                Err(PyValueError::new_err("the hexagonal neighbourhood is for lattices of two dimensions"))
            }
            other => Err(PyValueError::new_err(format!("there is no neighbourhood \"{other}\": {WANTED}"))),
        };
    }
    if let Ok(weights) = given.cast::<PyDict>() {
        let mut members = Vec::new();
        for (at, weight) in weights.iter() {
            let weight: f64 = weight.extract().map_err(|_| PyTypeError::new_err(WANTED))?;
            if !weight.is_finite() {
                return Err(PyValueError::new_err(format!(
                    "a neighbour's weight is {weight}: give a finite number"
                )));
            }
            members.push((offset(&at, dimensions)?, weight));
        }
        return Ok(Neighbourhood::weighted(&members));
    }
    let mut offsets = Vec::new();
    for at in given.try_iter().map_err(|_| PyTypeError::new_err(WANTED))? {
        offsets.push(offset(&at?, dimensions)?);
    }
    if let Some(twice) =
        offsets.iter().enumerate().find(|(i, at)| offsets[..*i].contains(at)).map(|(_, at)| at)
    {
        let own = &twice[3 - dimensions..];
        return Err(PyValueError::new_err(format!(
            "the neighbour at offset {own:?} is named twice: name each once, with its weight where it is to count more, as \
             {{offset: 2.0}}"
        )));
    }
    Ok(Neighbourhood::of(&offsets))
}

/// An offset with as many numbers as the lattice has axes, as (z, y, x).
pub fn offset(given: &Bound<'_, PyAny>, dimensions: usize) -> PyResult<Displacement> {
    let wanted = || {
        PyTypeError::new_err(format!(
            "an offset has a whole number for each of the lattice's {dimensions} axes, in the order of its shape"
        ))
    };
    let own: Vec<i32> = match given.extract::<i32>() {
        Ok(x) => vec![x],
        Err(_) => given.extract().map_err(|_| wanted())?,
    };
    if own.len() != dimensions || own.iter().any(|d| d.unsigned_abs() > 1 << 20) {
        return Err(wanted());
    }
    let mut offset = [0; 3];
    offset[3 - dimensions..].copy_from_slice(&own);
    Ok(offset)
}

/// A surrogate derivative by name.
fn surrogate(name: &str, width: f64) -> PyResult<Surrogate> {
    if !(width > 0.0 && width.is_finite()) {
        return Err(PyValueError::new_err(format!(
            "the surrogate's width is {width}: give a number above 0"
        )));
    }
    match name {
        "identity" => Ok(Surrogate::Identity),
        "sigmoid" => Ok(Surrogate::sigmoid(width)),
        "triangle" => Ok(Surrogate::triangle(width)),
        _ => Err(PyValueError::new_err(format!(
            "there is no surrogate \"{name}\": there are \"identity\", \"sigmoid\" and \"triangle\""
        ))),
    }
}

impl Expression {
    fn arithmetic<'py>(
        &self,
        other: &Bound<'py, PyAny>,
        swapped: bool,
        f: impl FnOnce(Expr, Expr) -> Expr,
    ) -> PyResult<As<'py, Traced>> {
        binary(other, |o| {
            let (a, b) = ordered(self.expr, o, swapped);
            f(a, b)
        })
    }

    /// What a division leaves; by a constant 0 it is refused, as a parameter that is 0 makes it no number.
    fn remainder<'py>(&self, other: &Bound<'py, PyAny>, swapped: bool) -> PyResult<As<'py, Traced>> {
        let Some(operand) = operand(other)? else {
            return Ok(As::of(other.py().NotImplemented().into_bound(other.py())));
        };
        let (a, b) = ordered(self.expr, operand, swapped);
        if b.domain().is_some_and(|d| d.lowest >= 0.0 && d.highest <= 0.0 && !d.nan) {
            return Err(PyZeroDivisionError::new_err("a value % 0 is no number: give another divisor"));
        }
        traced(other.py(), a - b * floored(a, b))
    }

    fn unary(&self, f: impl FnOnce(Expr) -> Expr) -> PyResult<Expression> {
        checked(f(self.expr))
    }

    /// As arithmetic, of two conditions: values that are 0 or 1.
    fn conditions<'py>(
        &self,
        other: &Bound<'py, PyAny>,
        swapped: bool,
        sign: &str,
        f: impl FnOnce(Expr, Expr) -> Expr,
    ) -> PyResult<As<'py, Traced>> {
        let Some(operand) = operand(other)? else {
            return Ok(As::of(other.py().NotImplemented().into_bound(other.py())));
        };
        let (a, b) = ordered(self.expr, operand, swapped);
        need_condition(a, sign)?;
        need_condition(b, sign)?;
        traced(other.py(), f(a, b))
    }

    /// The state, or the number, that a value is compared with by == and !=.
    fn equal_to(&self, other: &Bound<'_, PyAny>) -> PyResult<Expr> {
        let whole = other.extract::<u32>().ok().or_else(|| {
            let number = other.extract::<f64>().ok().filter(|_| refuse_complex(other).is_ok())?;
            (number.fract().abs() < f64::MIN_POSITIVE && (0.0..=1e9).contains(&number))
                .then_some(number as u32)
        });
        if other.is_instance_of::<PyString>() {
            return Ok(self.expr.is(state_number(self.states.as_deref(), other)?));
        }
        let array = other.getattr("ndim").and_then(|n| n.extract::<usize>()).is_ok_and(|axes| axes > 0);
        if let Some(state) = whole.filter(|_| !array) {
            self.check_asked(f64::from(state), &state.to_string())?;
            return Ok(self.expr.is(state));
        }
        match operand(other)? {
            Some(Operand::Number(x)) => {
                self.check_asked(x, &x.to_string())?;
                Ok(self.expr.equals(x))
            }
            Some(other) => Ok(self.expr.equals(other)),
            None => {
                let kind = other.get_type().name().map_or_else(|_| "object".to_string(), |n| n.to_string());
                Err(PyTypeError::new_err(format!(
                    "a traced value is compared with a {kind}, which it never equals: compare it with a number, a traced \
                     value or the name of a state, and for one of several write (x == a) | (x == b)"
                )))
            }
        }
    }

    /// Refuses a question whose answer is always no.
    fn check_asked(&self, asked: f64, written: &str) -> PyResult<()> {
        let Some(domain) = self.expr.domain() else { return Ok(()) };
        let may = domain.within_reach(asked);
        if may {
            return Ok(());
        }
        let (lowest, highest) = (domain.lowest, domain.highest);
        let states = self.states.as_ref().map(|s| format!(" ({})", s.join(", "))).unwrap_or_default();
        let kind = if domain.integer { "a whole number" } else { "a number" };
        Err(model_error(format!(
            "a value is asked whether it is {written}, which it never is: it is {kind} from {lowest} to {highest}{states}"
        )))
    }
}

/// Refuses what is no condition, 0 or 1: bits of greater numbers are not what `&`, `|`, `^` and `~` work on.
fn need_condition(value: Expr, sign: &str) -> PyResult<()> {
    let Some(domain) = value.domain() else { return Ok(()) };
    if value.mistake().is_some() || (domain.integer && domain.proves(0.0, 1.0)) {
        return Ok(());
    }
    let Domain { lowest, highest, integer, .. } = domain;
    let kind = match integer {
        true => format!("a whole number from {lowest} to {highest}"),
        false if lowest.is_finite() && highest.is_finite() => format!("a number from {lowest} to {highest}"),
        false => "any number".to_string(),
    };
    Err(PyTypeError::new_err(format!(
        "`{sign}` combines conditions, which are 0 or 1, but this value is {kind}: make a condition of it, as (n > 0) or \
         (n == 2); bit k of a whole number n is n // 2**k % 2; and of probabilities write p * q, p + q - p * q and 1 - p"
    )))
}

/// The integer part of a quotient.
fn floored(a: Expr, b: Expr) -> Expr {
    (a / b).floor()
}

#[pymethods]
impl Expression {
    fn __add__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&other, false, |a, b| a + b)
    }
    fn __radd__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&other, true, |a, b| a + b)
    }
    fn __sub__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&other, false, |a, b| a - b)
    }
    fn __rsub__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&other, true, |a, b| a - b)
    }
    fn __mul__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&other, false, |a, b| a * b)
    }
    fn __rmul__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&other, true, |a, b| a * b)
    }
    fn __truediv__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&other, false, |a, b| a / b)
    }
    fn __rtruediv__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&other, true, |a, b| a / b)
    }
    fn __floordiv__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&other, false, floored)
    }
    fn __rfloordiv__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&other, true, floored)
    }
    fn __mod__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.remainder(&other, false)
    }
    fn __rmod__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.remainder(&other, true)
    }
    fn __pow__<'py>(
        &self,
        power: As<'py, Number>,
        modulo: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<As<'py, Traced>> {
        if modulo.is_some() {
            return Err(PyTypeError::new_err("pow() of a traced value takes no modulus"));
        }
        binary(&power, |p| self.expr.pow(p))
    }
    fn __rpow__<'py>(
        &self,
        base: As<'py, Number>,
        _modulo: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<As<'py, Traced>> {
        self.arithmetic(&base, true, |a, b| a.pow(b))
    }
    fn __neg__(&self) -> PyResult<Expression> {
        self.unary(|x| -x)
    }
    fn __pos__(&self) -> PyResult<Expression> {
        self.unary(|x| x)
    }
    fn __abs__(&self) -> PyResult<Expression> {
        self.unary(Expr::abs)
    }
    fn __floor__(&self) -> PyResult<Expression> {
        self.unary(Expr::floor)
    }
    /// Both of two conditions.
    fn __and__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.conditions(&other, false, "&", |a, b| a * b)
    }
    fn __rand__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.conditions(&other, true, "&", |a, b| a * b)
    }
    /// At least one of two conditions.
    fn __or__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.conditions(&other, false, "|", |a, b| a.max(b))
    }
    fn __ror__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.conditions(&other, true, "|", |a, b| a.max(b))
    }
    /// Exactly one of two conditions.
    fn __xor__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.conditions(&other, false, "^", |a, b| 1.0 - a.equals(b))
    }
    fn __rxor__<'py>(&self, other: As<'py, Number>) -> PyResult<As<'py, Traced>> {
        self.conditions(&other, true, "^", |a, b| 1.0 - a.equals(b))
    }
    /// Not this condition.
    fn __invert__(&self) -> PyResult<Expression> {
        need_condition(self.expr, "~")?;
        self.unary(|x| 1.0 - x)
    }

    fn __richcmp__<'py>(&self, other: As<'py, Compared>, comparison: CompareOp) -> PyResult<As<'py, Traced>> {
        let own = self.expr;
        if matches!(comparison, CompareOp::Eq | CompareOp::Ne) {
            let equal = self.equal_to(&other)?;
            let made = if matches!(comparison, CompareOp::Eq) { equal } else { 1.0 - equal };
            return traced(other.py(), made);
        }
        let (ordered, swapped) = match comparison {
            CompareOp::Lt | CompareOp::Gt => (Comparison::Less, matches!(comparison, CompareOp::Gt)),
            _ => (Comparison::LessOrEqual, matches!(comparison, CompareOp::Ge)),
        };
        if let Some(Operand::Number(x)) = operand(&other)? {
            // What holds everywhere is no slip: a bound that is wide enough.
            let settled = own.settled(ordered, x, swapped);
            let sign = match comparison {
                CompareOp::Lt => "<",
                CompareOp::Le => "<=",
                CompareOp::Gt => ">",
                _ => ">=",
            };
            if let Some(words) = own.never(ordered, x, swapped) {
                own.remark(&format!(
                    "the rule asks whether a value is {sign} {x}, which holds nowhere: {words}"
                ));
            }
            if let Some(words) = settled.filter(|words| words.starts_with("never")) {
                return Err(model_error(format!(
                    "whether a value is {sign} {x} has one answer at every site, {words}: compare it with a number that it \
                     may reach"
                )));
            }
        }
        binary(&other, |o| match comparison {
            CompareOp::Eq | CompareOp::Ne => own.equals(o),
            CompareOp::Lt => own.less(o),
            CompareOp::Le => own.at_most(o),
            CompareOp::Gt => own.greater(o),
            CompareOp::Ge => own.at_least(o),
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        format!("{:?}", self.expr).hash(&mut hasher);
        hasher.finish()
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(PyTypeError::new_err(NO_TRUTH))
    }
    fn __float__(&self) -> PyResult<f64> {
        Err(PyTypeError::new_err(
            "a traced value is no number yet, so float(), int() and the functions of the module math cannot take it: \
             write glauber.exp(x) or np.exp(x) in place of math.exp(x), and glauber.floor(x) in place of int(x)",
        ))
    }
    fn __int__(&self) -> PyResult<i64> {
        self.__float__().map(|x| x as i64)
    }
    fn __index__(&self) -> PyResult<i64> {
        Err(PyTypeError::new_err(
            "a traced value is no number yet, so range() and lists cannot take it: repeat a fixed number of times, and \
             choose with glauber.where(condition, yes, no)",
        ))
    }
    fn __format__(&self, how: &str) -> PyResult<String> {
        if how.is_empty() {
            return Ok(self.__repr__());
        }
        Err(PyTypeError::new_err(
            "a traced value is no number yet, so it cannot be formatted: simulate the model and look at the states, or \
             print the program with model.show()",
        ))
    }
    fn __iter__(&self) -> PyResult<As<'_, Anything>> {
        Err(PyTypeError::new_err(NO_SITES))
    }
    fn __len__(&self) -> PyResult<usize> {
        Err(PyTypeError::new_err(NO_SITES))
    }
    fn __getitem__<'py>(&self, _place: As<'py, Anything>) -> PyResult<As<'py, Anything>> {
        Err(PyTypeError::new_err(NO_SITES))
    }
    #[pyo3(signature = (digits = None))]
    fn __round__(&self, digits: Option<i64>) -> PyResult<Expression> {
        if digits.is_some_and(|d| d != 0) {
            return Err(PyTypeError::new_err(
                "round() of a traced value takes no digits: write glauber.round(x * 10) / 10 for one digit",
            ));
        }
        self.round("identity", 1.0)
    }
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn __array__(
        &self,
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        Err(PyTypeError::new_err(
            "a traced value is no array: it stands for the number at every site, and the rule is traced once for all of \
             them. Use its operators, its methods, and NumPy's functions of numbers such as np.exp and np.where",
        ))
    }
    #[pyo3(signature = (function, method, *inputs, **keywords))]
    fn __array_ufunc__(
        &self,
        function: &Bound<'_, PyAny>,
        method: &str,
        inputs: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let dispatch = function.py().import("glauber._functions")?.getattr("of_numpy")?;
        Ok(dispatch.call1((function, method, inputs, keywords))?.unbind())
    }
    fn __array_function__(
        &self,
        function: &Bound<'_, PyAny>,
        _types: &Bound<'_, PyAny>,
        inputs: &Bound<'_, PyTuple>,
        keywords: &Bound<'_, PyDict>,
    ) -> PyResult<Py<PyAny>> {
        let dispatch = function.py().import("glauber._functions")?.getattr("of_numpy")?;
        Ok(dispatch.call1((function, "__call__", inputs, keywords))?.unbind())
    }
    fn __repr__(&self) -> String {
        "<traced value: a number of the rule that is being written down>".into()
    }

    /// −1, 0 or 1; derivative 0.
    fn sign(&self) -> PyResult<Expression> {
        self.unary(Expr::sign)
    }
    /// √x.
    fn sqrt(&self) -> PyResult<Expression> {
        self.unary(Expr::sqrt)
    }
    /// eˣ.
    fn exp(&self) -> PyResult<Expression> {
        self.unary(Expr::exp)
    }
    /// eˣ − 1, exact near 0.
    fn expm1(&self) -> PyResult<Expression> {
        self.unary(Expr::exp_m1)
    }
    /// The natural logarithm.
    fn log(&self) -> PyResult<Expression> {
        self.unary(Expr::ln)
    }
    /// ln(1 + x), exact near 0.
    fn log1p(&self) -> PyResult<Expression> {
        self.unary(Expr::ln_1p)
    }
    /// 1 / (1 + e⁻ˣ).
    fn sigmoid(&self) -> PyResult<Expression> {
        self.unary(Expr::sigmoid)
    }
    /// The hyperbolic tangent.
    fn tanh(&self) -> PyResult<Expression> {
        self.unary(Expr::tanh)
    }
    /// The hyperbolic cosine.
    fn cosh(&self) -> PyResult<Expression> {
        self.unary(Expr::cosh)
    }
    /// The sine of an angle in radians.
    fn sin(&self) -> PyResult<Expression> {
        self.unary(Expr::sin)
    }
    /// The cosine of an angle in radians.
    fn cos(&self) -> PyResult<Expression> {
        self.unary(Expr::cos)
    }
    /// The greatest whole number not above x; derivative 0.
    fn floor(&self) -> PyResult<Expression> {
        self.unary(Expr::floor)
    }
    /// The nearest whole number (halves to even); its derivative is taken to be the surrogate's: "identity", "sigmoid" or
    /// "triangle" of this width.
    #[pyo3(signature = (surrogate = "identity", width = 1.0))]
    fn round(&self, surrogate: &str, width: f64) -> PyResult<Expression> {
        let surrogate = self::surrogate(surrogate, width)?;
        self.unary(|x| x.round(surrogate))
    }
    /// 1 where above 0, else 0; its derivative is taken to be the surrogate's: "identity", "sigmoid" or "triangle".
    #[pyo3(signature = (surrogate = "sigmoid", width = 1.0))]
    fn heaviside(&self, surrogate: &str, width: f64) -> PyResult<Expression> {
        let surrogate = self::surrogate(surrogate, width)?;
        self.unary(|x| x.heaviside(surrogate))
    }
    /// The lesser of two.
    fn minimum(&self, other: As<'_, Number>) -> PyResult<Expression> {
        let other = needed(&other, "the second value of minimum")?;
        self.unary(|x| x.min(other))
    }
    /// The greater of two.
    fn maximum(&self, other: As<'_, Number>) -> PyResult<Expression> {
        let other = needed(&other, "the second value of maximum")?;
        self.unary(|x| x.max(other))
    }
    /// `yes` where this is not 0, else `no`.
    fn where_(&self, yes: As<'_, Number>, no: As<'_, Number>) -> PyResult<Expression> {
        let (yes, no) =
            (needed(&yes, "what stands where the condition holds")?, needed(&no, "what stands elsewhere")?);
        self.unary(|c| c.select(yes, no))
    }
    /// 1 where this is the state of this name or number, else 0. The derivative goes to that state's probability.
    fn is_(&self, state: As<'_, State>) -> PyResult<Expression> {
        let state = state_number(self.states.as_deref(), &state)?;
        self.unary(|x| x.is(state))
    }
    /// This value, taken as constant by every derivative.
    fn stop_gradient(&self) -> PyResult<Expression> {
        self.unary(Expr::hold)
    }
    /// This value, with the derivative of another.
    fn with_gradient_of(&self, other: As<'_, Number>) -> PyResult<Expression> {
        let other = needed(&other, "the value whose derivative is taken")?;
        self.unary(|x| x.with_gradient_of(other))
    }
    /// This random value, which the observed next state gives away as `observed`: simulations are unchanged, and the
    /// exact likelihood may pass the value on to other sites.
    fn revealed_by(&self, observed: As<'_, Number>) -> PyResult<Expression> {
        let observed = needed(&observed, "what was observed")?;
        self.unary(|x| x.revealed_by(observed))
    }
    /// The value at a displaced site: at site i that of site i + offset, one number per axis of the lattice.
    fn shift(&self, offset: As<'_, Offset>) -> PyResult<Expression> {
        let offset = self::offset(&offset, self.expr.dimensions())?;
        let moved = self.unary(|x| x.shift(offset))?;
        Ok(Expression { states: self.states.clone(), ..moved })
    }
    /// The value at a site that the rule picks, as s.neighbour("von-neumann"). It may be made of layers, fields and numbers, not
    /// of draws.
    fn at(&self, there: As<'_, Picked>) -> PyResult<Expression> {
        let there = picked(&there)?;
        let own = self.unary(|x| x.at(there))?;
        Ok(Expression { states: self.states.clone(), ..own })
    }
    /// The values around each site: "moore", "von-neumann", "hexagonal", offsets, or {offset: weight}.
    #[pyo3(signature = (neighbourhood = None))]
    fn neighbours(&self, neighbourhood: Option<As<'_, Around>>) -> PyResult<Neighbours> {
        let dimensions = self.expr.dimensions();
        let neighbourhood = match neighbourhood {
            None => Moore.on(dimensions),
            Some(given) => self::neighbourhood(&given, dimensions)?,
        };
        Ok(Neighbours { of: self.expr.into(), states: self.states.clone(), neighbourhood })
    }
    /// This value, to be read across fixed edges (`.shift`, `.at`, `.neighbours`, `s.translate`), beyond which it is to be
    /// `value` and not what the rule makes of the layers' values there.
    fn beyond(&self, value: As<'_, Number>) -> PyResult<Beyond> {
        let value = needed(&value, "the value beyond the edges")?;
        let (dimensions, states) = (self.expr.dimensions(), self.states.clone());
        Ok(Beyond { of: self.expr.beyond(value), dimensions, states })
    }
    /// The sum over all sites: one number per replicate.
    fn sum(&self) -> PyResult<Expression> {
        self.unary(Expr::sum)
    }
    /// The mean over all sites: one number per replicate.
    fn mean(&self) -> PyResult<Expression> {
        self.unary(Expr::mean)
    }
}

#[pymethods]
impl Beyond {
    /// As `Expression.shift`.
    fn shift(&self, offset: As<'_, Offset>) -> PyResult<Expression> {
        let offset = self::offset(&offset, self.dimensions)?;
        let moved = checked(self.of.shift(offset))?;
        Ok(Expression { states: self.states.clone(), ..moved })
    }
    /// As `Expression.at`.
    fn at(&self, there: As<'_, Picked>) -> PyResult<Expression> {
        let own = checked(self.of.at(picked(&there)?))?;
        Ok(Expression { states: self.states.clone(), ..own })
    }
    /// As `Expression.neighbours`.
    #[pyo3(signature = (neighbourhood = None))]
    fn neighbours(&self, neighbourhood: Option<As<'_, Around>>) -> PyResult<Neighbours> {
        let neighbourhood = match neighbourhood {
            None => Moore.on(self.dimensions),
            Some(given) => self::neighbourhood(&given, self.dimensions)?,
        };
        Ok(Neighbours { of: self.of, states: self.states.clone(), neighbourhood })
    }
}

#[pymethods]
impl Neighbours {
    /// Their weighted sum.
    fn sum(&self) -> PyResult<Expression> {
        checked(self.of.neighbours(self.neighbourhood.clone()).sum())
    }
    /// Their weighted mean.
    fn mean(&self) -> PyResult<Expression> {
        checked(self.of.neighbours(self.neighbourhood.clone()).mean())
    }
    /// How many of them (by weight) are in the state of this name or number.
    fn count(&self, state: As<'_, State>) -> PyResult<Expression> {
        let state = state_number(self.states.as_deref(), &state)?;
        checked(self.of.neighbours(self.neighbourhood.clone()).count(state))
    }
}
