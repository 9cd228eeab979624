//! Cuts the replicates of a run into blocks, the same ones on every machine, and adds up what comes of them.
//!
//! Within a block one replicate follows the other, and the blocks' sums are added in their order: so the result does not
//! depend on who computed which block, on how many threads or machines. A gradient has two halves: the outputs of all
//! replicates must be known before the loss says how they count, and only then a block can go back.

use std::any::Any;
use std::ops::Range;

use glauber_program::{FieldKind, Signature};

use crate::error::EngineError;
use crate::outcome::{Frame, Gradient, Outputs, Simulation};
use crate::run::Run;

/// Replicates fall into at most this many blocks.
pub const MOST_BLOCKS: usize = 16;

/// The replicates of each block of a run.
///
/// ```
/// use glauber_backend::blocks_of;
/// assert_eq!(blocks_of(3), [0..1, 1..2, 2..3]);
/// assert_eq!(blocks_of(1000).len(), 16);
/// ```
pub fn blocks_of(replicates: usize) -> Vec<Range<usize>> {
    let count = replicates.min(MOST_BLOCKS);
    let bound = |block: usize| block * replicates / count;
    (0..count).map(|block| bound(block)..bound(block + 1)).collect()
}

/// What can be asked of some blocks of a run.
pub trait Blocks: Send + Sync {
    /// Runs blocks forwards.
    ///
    /// # Errors
    /// As [`crate::Prepared::simulate`].
    fn simulate(&self, run: &Run<'_>, blocks: Range<usize>) -> Result<Simulation, EngineError>;

    /// Runs blocks forwards, keeping what the way back needs.
    ///
    /// # Errors
    /// As [`crate::Prepared::gradient`].
    fn remember(&self, run: &Run<'_>, blocks: Range<usize>) -> Result<Remembered, EngineError>;

    /// Whether replicates are held against each other site by site: [`Blocks::sums`] then needs the terms of all blocks.
    fn needs_terms(&self) -> bool {
        false
    }

    /// What the same blocks of the same run add to what replicates are held against; nothing where that needs a look at all
    /// blocks before.
    ///
    /// # Errors
    /// As [`crate::Prepared::gradient`].
    fn terms(
        &self,
        run: &Run<'_>,
        blocks: Range<usize>,
        remembered: &Remembered,
        weights: &Weights,
    ) -> Result<Option<Terms>, EngineError> {
        let _ = (run, blocks, remembered, weights);
        Ok(None)
    }

    /// Runs the same blocks of the same run backwards: the sums of each. `terms` are those of all blocks, where they are needed.
    ///
    /// # Errors
    /// As [`crate::Prepared::gradient`].
    fn sums(
        &self,
        run: &Run<'_>,
        blocks: Range<usize>,
        remembered: Remembered,
        weights: (&Weights, Option<&Terms>),
    ) -> Result<Vec<BlockSum>, EngineError>;
}

/// What each site adds to the loss, summed over replicates, in whole multiples of a small number, so that no order of
/// adding matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// How many units a number has; 0 where some term is no finite number.
    pub units: f64,
    /// For each kind of replicate and each event with terms of single sites: by site.
    pub sums: Vec<Vec<i64>>,
}

impl Terms {
    /// Adds those of other blocks; says whether they are of the same kind.
    ///
    /// ```
    /// use glauber_backend::Terms;
    /// let mut all = Terms { units: 8.0, sums: vec![vec![1, -2]] };
    /// assert!(all.add(&Terms { units: 8.0, sums: vec![vec![5, 5]] }));
    /// assert_eq!(all.sums, [[6, 3]]);
    /// assert!(!all.add(&Terms { units: 4.0, sums: vec![vec![0, 0]] }));
    /// ```
    pub fn add(&mut self, other: &Terms) -> bool {
        let alike = self.units.to_bits() == other.units.to_bits()
            && self.sums.len() == other.sums.len()
            && self.sums.iter().zip(&other.sums).all(|(own, more)| own.len() == more.len());
        if alike {
            for (own, more) in self.sums.iter_mut().flatten().zip(other.sums.iter().flatten()) {
                *own = own.wrapping_add(*more);
            }
        }
        alike
    }
}

/// What blocks keep of their way forwards.
pub struct Remembered {
    /// The numbers observed: \[replicate\]\[number\], flattened.
    pub outputs: Vec<f64>,
    /// Whatever the backend keeps for the way back.
    pub states: Box<dyn Any + Send + Sync>,
}

/// How the outputs of all replicates count in a loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// How many replicates there are in all.
    pub replicates: usize,
    /// Their mean outputs.
    pub mean: Vec<f64>,
    /// The loss's derivative by each mean output.
    pub slopes: Vec<f64>,
}

impl Weights {
    /// Of all outputs, and the loss's derivatives by their means.
    pub fn new(outputs: &Outputs, slopes: Vec<f64>) -> Weights {
        Weights { replicates: outputs.replicates(), mean: outputs.mean(), slopes }
    }
}

/// The derivatives that one block adds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockSum {
    /// By each parameter.
    pub parameters: Vec<f64>,
    /// By parameter fields, by name.
    pub fields: Vec<(String, Vec<f64>)>,
    /// By the starting state, for each replicate, where that is wanted.
    pub start: Vec<Frame>,
}

impl BlockSum {
    /// No derivative yet by any of so many parameters.
    pub fn of(parameters: usize) -> BlockSum {
        BlockSum { parameters: vec![0.0; parameters], ..BlockSum::default() }
    }

    /// Adds derivatives by fields.
    pub fn add_fields(&mut self, own: Vec<(String, Vec<f64>)>) {
        for (name, values) in own {
            match self.fields.iter_mut().find(|(n, _)| *n == name) {
                Some((_, sum)) => sum.iter_mut().zip(values).for_each(|(s, v)| *s += v),
                None => self.fields.push((name, values)),
            }
        }
    }
}

/// The gradient that all blocks' sums, in their order, add up to.
pub fn total(signature: &Signature, value: f64, blocks: Vec<BlockSum>, outputs: Outputs) -> Gradient {
    let mut sum = BlockSum::of(signature.parameters.len());
    let unknown = signature.fields.iter().filter(|f| matches!(f.kind, FieldKind::Parameter(_)));
    sum.fields = unknown.map(|f| (f.name.clone(), vec![0.0; signature.lattice.sites()])).collect();
    for block in blocks {
        sum.parameters.iter_mut().zip(&block.parameters).for_each(|(sum, own)| *sum += own);
        sum.add_fields(block.fields);
        sum.start.extend(block.start);
    }
    Gradient { value, parameters: sum.parameters, fields: sum.fields, start: sum.start, outputs }
}
