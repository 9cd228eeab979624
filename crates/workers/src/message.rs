//! Holds what is asked of workers and what they answer, as it travels.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use glauber_engine::{
    BlockSum, CompileOptions, FieldData, FirstStep, Frame, Numbers, Options, Precision, Run, Start, Terms,
    Weights,
};
use serde::{Deserialize, Serialize};

use crate::content::{Content, Hash, Known};

/// A question.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ask {
    /// The programs.
    pub plan: Hash,
    pub how: How,
    pub run: SentRun,
    pub what: What,
}

/// What of [`Options`] a worker is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct How {
    double: bool,
    memory: usize,
    tables: bool,
    fuse: bool,
    pub threads: usize,
}

impl How {
    pub(crate) fn of(options: &Options, threads: usize) -> How {
        let CompileOptions { tables, fuse } = options.compile;
        How { double: options.precision == Precision::Double, memory: options.memory, tables, fuse, threads }
    }

    /// The options of a worker, whose threads are not the engine's own.
    pub(crate) fn options(self) -> Options {
        let precision = if self.double { Precision::Double } else { Precision::Single };
        let compile = CompileOptions { tables: self.tables, fuse: self.fuse };
        Options { precision, memory: self.memory, compile, threads: 0, ..Options::default() }
    }
}

/// Tells a gradient from others: whose plan's, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gradient {
    pub plan: u64,
    pub number: u64,
}

/// What is wanted of a run.
#[derive(Serialize, Deserialize)]
pub(crate) enum What {
    /// The outputs of some blocks, and their last states.
    Simulate(Range<usize>),
    /// The outputs of some blocks; the states of their way are kept under the number of the gradient.
    Remember { gradient: Gradient, blocks: Range<usize> },
    /// The sums of one of several stretches of blocks: of the stretch `own`, or of another that this worker has kept.
    Sums { asked: OfStretch, terms: Option<SentTerms> },
    /// What the same add to what replicates are held against, likewise.
    Terms(OfStretch),
}

/// Which of several stretches of blocks is meant, and how their outputs count.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OfStretch {
    pub gradient: Gradient,
    /// The stretch that is asked for.
    pub own: usize,
    /// All of them, and who keeps each.
    pub held: Vec<(Range<usize>, u64)>,
    pub weights: SentWeights,
    /// Whether it is computed anew where nothing was kept.
    pub anyway: bool,
}

/// An answer.
#[derive(Serialize, Deserialize)]
pub(crate) enum Answer {
    /// It has not been told what these are.
    Missing(Vec<Hash>),
    /// What was observed, the last states, and who keeps the states of the way.
    Outputs { values: Vec<f64>, last: Vec<SentFrame>, holder: u64 },
    /// The sums of a stretch.
    Sums { stretch: usize, sums: Vec<SentSum> },
    /// What a stretch adds to what replicates are held against, and who keeps the states of its way.
    Terms { stretch: usize, terms: SentTerms, holder: u64 },
    /// What a stretch adds cannot be said without a look at all of them.
    Unbounded,
    /// It has kept none of the stretches that are left.
    Nothing,
    /// It could not be computed.
    Refused(String),
}

/// A state as it travels, layer by layer.
#[derive(Serialize, Deserialize)]
pub(crate) struct SentFrame(Vec<SentLayer>);

/// A layer as it travels: in bytes, where its numbers are such.
#[derive(Serialize, Deserialize)]
enum SentLayer {
    Bytes(Vec<u8>),
    Reals(Vec<f64>),
}

impl From<Frame> for SentFrame {
    fn from(frame: Frame) -> SentFrame {
        // Bit by bit: −0 is no byte.
        let is_byte = |x: &f64| f64::from(*x as u8).to_bits() == x.to_bits();
        let layer = |own: Vec<f64>| match own.iter().all(is_byte) {
            true => SentLayer::Bytes(own.into_iter().map(|x| x as u8).collect()),
            false => SentLayer::Reals(own),
        };
        SentFrame(frame.into_iter().map(layer).collect())
    }
}

impl From<SentFrame> for Frame {
    fn from(SentFrame(layers): SentFrame) -> Frame {
        let layer = |own: SentLayer| match own {
            SentLayer::Bytes(own) => own.into_iter().map(f64::from).collect(),
            SentLayer::Reals(own) => own,
        };
        layers.into_iter().map(layer).collect()
    }
}

/// [`Weights`] as they travel.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SentWeights {
    replicates: usize,
    mean: Vec<f64>,
    slopes: Vec<f64>,
}

impl From<Weights> for SentWeights {
    fn from(Weights { replicates, mean, slopes }: Weights) -> SentWeights {
        SentWeights { replicates, mean, slopes }
    }
}

impl From<SentWeights> for Weights {
    fn from(SentWeights { replicates, mean, slopes }: SentWeights) -> Weights {
        Weights { replicates, mean, slopes }
    }
}

/// [`Terms`] as they travel.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SentTerms {
    units: f64,
    sums: Vec<Vec<i64>>,
}

impl SentTerms {
    /// Whether each is of so many sites.
    pub(crate) fn is_of(&self, sites: usize) -> bool {
        self.sums.iter().all(|own| own.len() == sites)
    }
}

impl From<Terms> for SentTerms {
    fn from(Terms { units, sums }: Terms) -> SentTerms {
        SentTerms { units, sums }
    }
}

impl From<SentTerms> for Terms {
    fn from(SentTerms { units, sums }: SentTerms) -> Terms {
        Terms { units, sums }
    }
}

/// A [`BlockSum`] as it travels.
#[derive(Serialize, Deserialize)]
pub(crate) struct SentSum {
    parameters: Vec<f64>,
    fields: Vec<(String, Vec<f64>)>,
    start: Vec<Frame>,
}

impl SentSum {
    /// Whether it is of so many parameters, and its fields of so many sites.
    pub(crate) fn is_of(&self, parameters: usize, sites: usize) -> bool {
        self.parameters.len() == parameters && self.fields.iter().all(|(_, own)| own.len() == sites)
    }
}

impl From<BlockSum> for SentSum {
    fn from(BlockSum { parameters, fields, start }: BlockSum) -> SentSum {
        SentSum { parameters, fields, start }
    }
}

impl From<SentSum> for BlockSum {
    fn from(SentSum { parameters, fields, start }: SentSum) -> BlockSum {
        BlockSum { parameters, fields, start }
    }
}

/// Numbers per site: which, and the choice for the replicates.
#[derive(Serialize, Deserialize)]
struct SentField {
    numbers: Hash,
    picks: Option<Vec<u32>>,
}

/// A [`Run`] as it travels.
#[derive(Serialize, Deserialize)]
pub(crate) struct SentRun {
    parameters: Vec<f64>,
    steps: usize,
    replicates: usize,
    first_replicate: u32,
    seed: u64,
    start: Option<Vec<SentField>>,
    first_step: (u32, Option<Vec<u32>>),
    fields: Vec<(String, SentField)>,
    targets: Option<Vec<SentField>>,
    events: Vec<(usize, usize)>,
    wants_start_gradient: bool,
    wanted: Option<Vec<usize>>,
    wants_last: bool,
}

impl SentRun {
    /// Of a run; what it needs is added to `needs`.
    pub(crate) fn of(run: &Run<'_>, known: &Known, needs: &mut BTreeMap<Hash, Content>) -> SentRun {
        let mut field = |data: &FieldData| {
            let numbers = known.hash(data.shared_numbers());
            needs.entry(numbers).or_insert_with(|| Content::Numbers(data.shared_numbers().clone()));
            SentField { numbers, picks: data.picks().map(<[u32]>::to_vec) }
        };
        SentRun {
            parameters: run.parameters.to_vec(),
            steps: run.steps,
            replicates: run.replicates,
            first_replicate: run.first_replicate,
            seed: run.seed,
            start: match &run.start {
                Start::Model => None,
                Start::States(layers) => Some(layers.iter().map(&mut field).collect()),
            },
            first_step: match &run.first_step {
                FirstStep::Common(steps) => (*steps, None),
                FirstStep::Each(all) => (0, Some(all.to_vec())),
            },
            fields: run.fields.iter().map(|(name, data)| (name.clone(), field(data))).collect(),
            targets: run.targets.as_ref().map(|all| all.iter().map(&mut field).collect()),
            events: run.events.clone(),
            wants_start_gradient: run.wants_start_gradient,
            wanted: run.wanted.clone(),
            wants_last: run.wants_last,
        }
    }

    /// The numbers that it needs.
    pub(crate) fn needs(&self) -> impl Iterator<Item = Hash> + '_ {
        let fields = self.fields.iter().map(|(_, field)| field);
        let layers = self.start.iter().chain(&self.targets).flatten();
        fields.chain(layers).map(|field| field.numbers)
    }

    /// The run, with numbers by their hash; nothing where some are missing.
    pub(crate) fn run(&self, numbers: impl Fn(&Hash) -> Option<Arc<Numbers>>) -> Option<Run<'_>> {
        let field = |sent: &SentField| {
            Some(FieldData::from_parts(numbers(&sent.numbers)?, sent.picks.clone().map(Arc::new)))
        };
        let layers = |sent: &Vec<SentField>| sent.iter().map(field).collect::<Option<Vec<_>>>();
        let mut run = Run::new(&self.parameters, self.steps).replicates(self.replicates).seed(self.seed);
        run.first_replicate = self.first_replicate;
        if let Some(start) = &self.start {
            run.start = Start::States(layers(start)?);
        }
        run.first_step = match &self.first_step {
            (steps, None) => FirstStep::Common(*steps),
            (_, Some(all)) => FirstStep::Each(Arc::new(all.clone())),
        };
        let named = self.fields.iter().map(|(name, sent)| Some((name.clone(), field(sent)?)));
        run.fields = named.collect::<Option<Vec<_>>>()?;
        run.targets = match &self.targets {
            Some(targets) => Some(layers(targets)?),
            None => None,
        };
        run.events = self.events.clone();
        run.wants_start_gradient = self.wants_start_gradient;
        run.wanted = self.wanted.clone();
        run.wants_last = self.wants_last;
        Some(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_back_with_their_bits_and_whole_numbers_in_bytes() {
        let frames =
            [vec![vec![0.0, 1.0, 255.0], vec![0.5, -0.0]], vec![vec![-0.0], vec![f64::NAN, 256.0], vec![]]];
        for (frame, length) in frames.into_iter().zip([24, 31]) {
            let bytes = postcard::to_allocvec(&SentFrame::from(frame.clone())).unwrap_or_default();
            assert_eq!(bytes.len(), length);
            let back: Frame = postcard::from_bytes::<SentFrame>(&bytes).map(Into::into).unwrap_or_default();
            let bits = |own: &Frame| -> Vec<Vec<u64>> {
                own.iter().map(|layer| layer.iter().map(|x| x.to_bits()).collect()).collect()
            };
            assert_eq!(bits(&back), bits(&frame));
        }
    }
}
