//! What a rule says of cells, which are all sites with one label: sums over them, and numbers given for each.

use crate::dataflow::dependent;
use crate::error::ModelError;
use crate::op::{Op, Rank, ValueId};
use crate::trace::{Expr, Operand, Scope, Trace, find, with_trace};

/// A sum over each cell's sites; see [`Scope::cell_sum`].
#[derive(Clone, Copy, Debug)]
pub struct CellSum {
    trace: u32,
    /// What is summed, the labels, and the highest label; none where that failed, which the tracing knows.
    of: Option<(ValueId, ValueId, u32)>,
}

/// One number for every cell: a sum, or numbers that are given, the medium's first.
#[derive(Clone, Copy, Debug)]
pub enum PerCell<'a> {
    /// A sum over each cell's sites.
    Sum(CellSum),
    /// As many numbers as there are cells, behind one for the medium.
    Given(&'a [f64]),
}

impl From<CellSum> for PerCell<'_> {
    fn from(sum: CellSum) -> Self {
        PerCell::Sum(sum)
    }
}

impl<'a, const N: usize> From<&'a [f64; N]> for PerCell<'a> {
    fn from(given: &'a [f64; N]) -> Self {
        PerCell::Given(given)
    }
}

impl<'a> From<&'a [f64]> for PerCell<'a> {
    fn from(given: &'a [f64]) -> Self {
        PerCell::Given(given)
    }
}

impl<'a> From<&'a Vec<f64>> for PerCell<'a> {
    fn from(given: &'a Vec<f64>) -> Self {
        PerCell::Given(given)
    }
}

impl Scope {
    /// The sum of a value over the sites of each cell of a layer of labels: its volume, where the value is 1.
    ///
    /// The value is made of layers, fields, coordinates and numbers, here and at fixed offsets. Sums are those of the state that the rule reads:
    /// before the step where it is synchronous, when a colour begins by sublattices, at that moment where events are one
    /// after another, for which the value must be a whole number.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Moore, Values};
    /// # use glauber_program::{Model, Update};
    /// let shrinks = Model::build("cells that shrink", Lattice::square(16))
    ///     .layer("cell", Values::labels(2))
    ///     .update(Update::sequential(Default::default()))
    ///     .step(|s| {
    ///         let volume = s.cell_sum(1.0, "cell");
    ///         let excess = s.of_cell(volume, s.layer("cell")) - s.of_cell(&[0.0, 20.0, 30.0], s.layer("cell"));
    ///         let lost = s.bernoulli((excess / 100.0).max(0.0).min(1.0));
    ///         s.next("cell").set(lost.select(0.0, s.layer("cell")))
    ///     })?;
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn cell_sum(&self, value: impl Into<Operand>, layer: &str) -> CellSum {
        let of = with_trace(self.id, |t| {
            let x = t.resolve(value.into());
            let made = labels(t, layer).and_then(|(labels, cells)| {
                summable(t, x)?;
                Ok((t.graph.push(Op::Spread(x)), labels, cells))
            });
            made.map_err(|error| t.fail(error)).ok()
        });
        CellSum { trace: self.id, of: of.flatten() }
    }

    /// The number of the cell that a label names: of this site's, of a neighbour's, of any other.
    pub fn of_cell<'a>(&self, number: impl Into<PerCell<'a>>, label: impl Into<Operand>) -> Expr {
        let (number, label) = (number.into(), label.into());
        self.push(|t| {
            let at = t.resolve(label);
            match number_of(t, number, at) {
                Ok(op) => t.graph.push(op),
                Err(error) => t.fail(error),
            }
        })
    }
}

impl Scope {
    /// The entry of a list of numbers that a whole number points at, 0 the first: such as an adhesion, by types.
    ///
    /// ```
    /// # use glauber_lattice::{Lattice, Values};
    /// # use glauber_program::Model;
    /// let m = Model::build("m", Lattice::line(4)).layer("n", Values::up_to(2)).step(|s| {
    ///     let stays = s.look_up(&[1.0, 0.5, 0.1], s.layer("n"));
    ///     s.next("n").set(s.bernoulli(stays) * s.layer("n"))
    /// })?;
    /// # Ok::<(), glauber_program::ModelError>(())
    /// ```
    pub fn look_up(&self, numbers: &[f64], place: impl Into<Operand>) -> Expr {
        self.push(|t| {
            let at = t.resolve(place.into());
            let domain = t.graph.domain(at);
            let last = numbers.len() as f64 - 1.0;
            if !(domain.integer && domain.proves(0.0, last)) || numbers.iter().any(|x| !x.is_finite()) {
                let why = format!(
                    "look_up has a list of {} finite numbers, of which 0 is the first, and is asked for one whose place is not \
                     always a whole number from 0 to {last} ({})",
                    numbers.len(),
                    domain.words()
                );
                let error = refuse(t, why);
                return t.fail(error);
            }
            let list = t.graph.declarations.list(numbers);
            t.graph.push(Op::Entry { list, at })
        })
    }
}

/// A layer of labels, and the highest.
fn labels(t: &mut Trace, layer: &str) -> Result<(ValueId, u32), ModelError> {
    let place = find(t, layer)?;
    let values = &t.graph.declarations.layers[place as usize].values;
    match *values {
        glauber_lattice::Values::Labels { cells } => Ok((t.graph.push(Op::Layer(place)), cells as u32)),
        _ => Err(refuse(
            t,
            format!(
                "sums over cells are asked of layer `{layer}`, which says of no site to which cell it belongs (it is {values}): \
                 declare it as labels, with how many cells there are"
            ),
        )),
    }
}

/// Refuses to sum what is not a function of the state.
fn summable(t: &Trace, x: ValueId) -> Result<(), ModelError> {
    let depends =
        |is: fn(&Op) -> bool| dependent(t.graph.instructions(), |_, op| is(op), |_, _| false)[x.index()];
    let why = if depends(|op| matches!(op, Op::Uniform { .. } | Op::Count { .. })) {
        "a draw, which only the site at hand makes"
    } else if depends(|op| op.is_of_events() || matches!(op, Op::Target(_) | Op::Translate { .. })) {
        "another site that is picked"
    } else if depends(|op| matches!(op, Op::CellSum { .. } | Op::SiteSum(_))) {
        "another sum"
    } else {
        return Ok(());
    };
    let known = "sum what is made of layers, fields, coordinates and numbers, here and at fixed offsets";
    Err(refuse(t, format!("a sum over cells is made of {why}: {known}")))
}

fn number_of(t: &mut Trace, number: PerCell<'_>, at: ValueId) -> Result<Op, ModelError> {
    let domain = t.graph.domain(at);
    let cells = match number {
        PerCell::Sum(CellSum { trace, .. }) if trace != t.id() => {
            return Err(ModelError::ForeignValue { model: t.model() });
        }
        // What failed has been told.
        PerCell::Sum(CellSum { of: None, .. }) => return Ok(Op::Constant(crate::op::Number::new(f64::NAN))),
        PerCell::Sum(CellSum { of: Some((.., cells)), .. }) => cells,
        PerCell::Given(list) => {
            let all = t.graph.declarations.layers.iter().filter_map(|l| match l.values {
                glauber_lattice::Values::Labels { cells } => Some(cells as usize),
                _ => None,
            });
            let all: Vec<usize> = all.collect();
            if !all.iter().any(|cells| cells + 1 == list.len()) {
                let wanted = match all.as_slice() {
                    [] => "a layer of labels, of which the model has none: declare one".to_string(),
                    [cells, ..] => format!(
                        "{} numbers, one for the medium (label 0) and one for each of {cells} cells",
                        cells + 1
                    ),
                };
                return Err(t.miscounted("of_cell", &wanted, list.len()));
            }
            if let Some(place) = list.iter().position(|x| !x.is_finite()) {
                let why = format!("the number given for cell {place} is {}: give a finite one", list[place]);
                return Err(refuse(t, why));
            }
            list.len() as u32 - 1
        }
    };
    if !(domain.integer && domain.proves(0.0, f64::from(cells))) {
        return Err(refuse(
            t,
            format!(
                "of_cell is asked of a label that is not always one of 0 to {cells} ({}): give a layer of labels, here or at \
                 another site, or a choice between such; a fixed edge must be 0 or a label",
                domain.words()
            ),
        ));
    }
    Ok(match number {
        PerCell::Sum(CellSum { of: Some((x, labels, cells)), .. }) => {
            let at = if t.graph.rank(at) == Rank::Site { at } else { t.graph.push(Op::Spread(at)) };
            Op::CellSum { x, labels, at, cells }
        }
        PerCell::Given(list) => Op::Entry { list: t.graph.declarations.list(list), at },
        PerCell::Sum(_) => Op::Constant(crate::op::Number::new(f64::NAN)),
    })
}

fn refuse(t: &Trace, why: String) -> ModelError {
    ModelError::Cells { model: t.model(), why }
}
