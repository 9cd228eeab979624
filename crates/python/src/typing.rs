//! Names the kinds of Python values that cross, for the stub that `cargo xtask python --stubs` writes.
//!
//! A value `As<Number>` is any Python value here: what it must be is checked where it is read, with a message of its own.

use std::marker::PhantomData;
use std::ops::Deref;

use pyo3::prelude::*;
use pyo3::{inspect::PyStaticExpr as Hint, type_hint_identifier, type_hint_subscript, type_hint_union};

/// A kind of Python values.
pub trait Kind {
    /// What the stub calls it.
    const HINT: Hint;
}

/// A Python value which the stub says is of this kind.
pub struct As<'py, K: Kind>(Bound<'py, PyAny>, PhantomData<K>);

impl<'py, K: Kind> As<'py, K> {
    /// The value, made here.
    pub fn of(value: Bound<'py, PyAny>) -> As<'py, K> {
        As(value, PhantomData)
    }
}

impl<'py, K: Kind> Deref for As<'py, K> {
    type Target = Bound<'py, PyAny>;
    fn deref(&self) -> &Bound<'py, PyAny> {
        &self.0
    }
}

impl<'a, 'py, K: Kind> FromPyObject<'a, 'py> for As<'py, K> {
    type Error = std::convert::Infallible;
    const INPUT_TYPE: Hint = K::HINT;
    fn extract(given: Borrowed<'a, 'py, PyAny>) -> Result<As<'py, K>, Self::Error> {
        Ok(As::of(given.to_owned()))
    }
}

impl<'py, K: Kind> IntoPyObject<'py> for As<'py, K> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = std::convert::Infallible;
    const OUTPUT_TYPE: Hint = K::HINT;
    fn into_pyobject(self, _py: Python<'py>) -> Result<Bound<'py, PyAny>, Self::Error> {
        Ok(self.0)
    }
}

/// Declares kinds: what each is, its name, and what the stub calls it.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $hint:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name;
        impl Kind for $name {
            const HINT: Hint = $hint;
        }
    )*};
}

kinds! {
    /// A traced value.
    Traced = words::TRACED;
    /// A number or a traced value.
    Number = type_hint_union!(words::FLOAT, words::TRACED);
    /// A plane that is moved: a number, a traced value, or one with what it is beyond the edges.
    Moved = type_hint_union!(
        words::FLOAT,
        words::TRACED,
        <crate::traced::Beyond as pyo3::PyTypeInfo>::TYPE_HINT
    );
    /// What a traced value may be compared with.
    Compared = type_hint_union!(words::FLOAT, words::STR, words::TRACED);
    /// A state by its number or name.
    State = type_hint_union!(words::INT, words::STR);
    /// What a layer becomes: a number, a traced value, or the name of one of its states.
    Becomes = type_hint_union!(words::FLOAT, words::STR, words::TRACED);
    /// A site that a rule picks.
    Picked = <crate::traced::There as pyo3::PyTypeInfo>::TYPE_HINT;
    /// A number for every cell: a sum over its sites, or one given for each behind one for the medium.
    PerCell = type_hint_union!(
        <crate::traced::CellSum as pyo3::PyTypeInfo>::TYPE_HINT,
        type_hint_subscript!(words::SEQUENCE, words::FLOAT)
    );
    /// Probabilities of classes.
    Probabilities = type_hint_subscript!(words::SEQUENCE, Number::HINT);
    /// A displacement along each axis; of a line a number.
    Offset = type_hint_union!(words::INT, type_hint_subscript!(words::SEQUENCE, words::INT));
    /// A neighbourhood: its name, its offsets, or its offsets with weights.
    Around = type_hint_union!(
        words::STR,
        type_hint_subscript!(words::SEQUENCE, Offset::HINT),
        type_hint_subscript!(words::MAPPING, words::ANY, words::FLOAT)
    );
    /// A start, step or observation.
    Rule = type_hint_subscript!(
        type_hint_identifier!("collections.abc", "Callable"),
        Hint::List { elts: &[<crate::traced::Scope as pyo3::PyTypeInfo>::TYPE_HINT] },
        words::ANY
    );
    /// A flat array of doubles.
    Floats = type_hint_subscript!(words::ARRAY, type_hint_identifier!("numpy", "float64"));
    /// A flat array of truth values.
    Truths = type_hint_subscript!(words::ARRAY, type_hint_identifier!("numpy", "bool_"));
    /// A flat array of any numbers.
    Numbers = type_hint_subscript!(words::ARRAY, words::ANY);
    /// A dictionary whose keys are known to both sides.
    Table = type_hint_subscript!(type_hint_identifier!("builtins", "dict"), words::STR, words::ANY);
    /// Bytes, or a text.
    Stored = type_hint_union!(type_hint_identifier!("builtins", "bytes"), words::STR);
    /// Anything.
    Anything = words::ANY;
}

/// The words the kinds are made of.
mod words {
    use super::Hint;
    use pyo3::type_hint_identifier;

    pub const ANY: Hint = type_hint_identifier!("typing", "Any");
    pub const ARRAY: Hint = type_hint_identifier!("numpy.typing", "NDArray");
    pub const FLOAT: Hint = type_hint_identifier!("builtins", "float");
    pub const INT: Hint = type_hint_identifier!("builtins", "int");
    pub const MAPPING: Hint = type_hint_identifier!("collections.abc", "Mapping");
    pub const SEQUENCE: Hint = type_hint_identifier!("collections.abc", "Sequence");
    pub const STR: Hint = type_hint_identifier!("builtins", "str");
    pub const TRACED: Hint = <crate::traced::Expression as pyo3::PyTypeInfo>::TYPE_HINT;
}
