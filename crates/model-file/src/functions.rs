//! Lists what an expression may call, and the words that stand for numbers.

use glauber_program::{CountLaw, Unary};

/// A function of the language.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// The fewest and the most arguments.
    pub(crate) arguments: (usize, usize),
    /// How it is written, for errors and the documentation.
    pub(crate) usage: &'static str,
    /// Where it may stand.
    pub(crate) place: Place,
}

/// Where a function may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Anywhere,
    /// Reads a state: not in `[start]`, where there is none yet.
    Step,
    /// Draws: only in `[start]`; elsewhere probabilities are stated, not drawn.
    Start,
}

const fn function(
    name: &'static str,
    fewest: usize,
    most: usize,
    place: Place,
    usage: &'static str,
) -> Function {
    Function { name, arguments: (fewest, most), usage, place }
}

/// The functions besides those of one number and numbers that count, which are listed below all languages ([`Unary`],
/// [`CountLaw`]).
const FUNCTIONS: &[Function] = &[
    function("log", 1, 1, Place::Anywhere, "log(x): the natural logarithm"),
    function("min", 2, 16, Place::Anywhere, "min(a, b, ...)"),
    function("max", 2, 16, Place::Anywhere, "max(a, b, ...)"),
    function("clamp", 3, 3, Place::Anywhere, "clamp(x, lowest, highest)"),
    function("if", 3, 3, Place::Anywhere, "if(condition, then, else)"),
    function(
        "count",
        1,
        2,
        Place::Step,
        "count(state) or count(state, neighbourhood): how many neighbours are in it",
    ),
    function("is", 1, 1, Place::Step, "is(state): 1 where the site is in it, else 0"),
    function("density", 1, 1, Place::Step, "density(state): the share of all sites in it"),
    function("sum", 1, 2, Place::Step, "sum(x) or sum(x, neighbourhood): the sum of x over the neighbours"),
    function(
        "mean",
        1,
        2,
        Place::Step,
        "mean(x) or mean(x, neighbourhood): the mean of x over the neighbours",
    ),
    function(
        "at",
        2,
        4,
        Place::Step,
        "at(x, offset along each axis): x at a displaced site, such as at(fuel, 0, 1); at(x, there): x at the picked site",
    ),
    function(
        "exists",
        1,
        1,
        Place::Step,
        "exists(there): 1 where the picked site is on the lattice, 0 beyond an edge",
    ),
    function(
        "sum_each",
        1,
        2,
        Place::Step,
        "sum_each(x) or sum_each(x, neighbourhood): the sum of x over the neighbours, of which at(y, each) is y at one",
    ),
    function(
        "of_cell",
        2,
        2,
        Place::Step,
        "of_cell(number, label): a number of [cells], of the cell with a label, such as of_cell(volume, at(cell, there))",
    ),
    function(
        "look_up",
        2,
        2,
        Place::Step,
        "look_up(list, place): the number in a place of one of [lists], 0 the first",
    ),
    function("uniform", 0, 0, Place::Start, "uniform(): a random number from 0 to 1"),
    function("bernoulli", 1, 1, Place::Start, "bernoulli(p): 1 with probability p, else 0"),
];

/// Every word that stands for a number: the site's coordinates (from 0; x along the last axis of the shape), 1 at the
/// central site, the number of the step (1 for the first), π.
pub(crate) const WORDS: &[&str] = &["x", "y", "z", "centre", "time", "pi"];

/// The word for each of the neighbours of a sum in turn.
pub(crate) const EACH: &str = "each";

/// The word for the site that a rule picks.
pub(crate) const THERE: &str = "there";

/// Every function.
pub(crate) fn functions() -> impl Iterator<Item = Function> {
    let unary = Unary::ALL.into_iter().filter(|f| Unary::named(f.name()).is_some());
    let counts = CountLaw::ALL.into_iter().map(|law| {
        let ((name, usage), arguments) = (law.words(), law.required().len());
        function(name, arguments, arguments, Place::Start, usage)
    });
    let unary = unary.map(|f| function(f.name(), 1, 1, Place::Anywhere, f.usage()));
    unary.chain(FUNCTIONS.iter().copied()).chain(counts)
}

/// The function of this name.
pub(crate) fn named(name: &str) -> Option<Function> {
    functions().find(|f| f.name == name)
}
