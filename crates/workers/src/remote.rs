//! Shares runs among the workers of a crew: the backend that asks.
//!
//! Stretches of blocks go out, one for each worker. For a gradient they go out twice: their outputs come back, the loss says
//! how they count, and whoever kept the states of a stretch goes back through them; between the two, where replicates are
//! held against each other site by site, they go out once more for what each site adds to the loss. An executor chooses who takes which
//! task: so a worker answers for a stretch that it has kept, whichever it was asked for, and one that nobody has kept is run
//! again. Blocks are computed alike by anyone, so none of this changes a bit.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use glauber_engine::{
    Backend, BlockSum, Blocks, Cpu, EngineError, Frame, Gradient as Found, LossValue, MOST_BLOCKS,
    Observation, Options, Outputs, Prepared, Recorder, Run, Simulation, Terms, Weights, blocks_of, total,
};
use glauber_program::{Bundle, Signature};

use crate::carrier::{Carrier, Task};
use crate::content::{Content, Hash, Known};
use crate::message::{Answer, Gradient, How, OfStretch, SentRun, SentTerms, SentWeights, What};
use crate::station::Station;

/// How often what a worker says it misses is sent again.
const MOST_ROUNDS: usize = 3;

/// How often a flag is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The workers behind a carrier, and what they were sent.
pub struct Crew {
    carrier: Box<dyn Carrier>,
    threads: usize,
    here: Arc<Station>,
    known: Known,
    sent: Mutex<HashSet<Hash>>,
    plans: AtomicU64,
    number: u64,
    stopped: AtomicBool,
    latency: Mutex<Option<f64>>,
}

impl Crew {
    /// Of workers that use so many threads each; `here` answers for what is lost.
    pub fn new(carrier: Box<dyn Carrier>, threads: usize, here: Arc<Station>) -> Crew {
        let number = here.number();
        Crew {
            carrier,
            threads,
            here,
            known: Known::default(),
            sent: Mutex::default(),
            plans: AtomicU64::new(0),
            number,
            stopped: AtomicBool::new(false),
            latency: Mutex::default(),
        }
    }

    /// Seconds of a task without work, as the carrier said it first: asking costs as much as a short step. None where `stop`
    /// says that there is no use in knowing.
    fn latency(&self, stop: &dyn Fn() -> bool) -> Option<f64> {
        let mut latency = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        if latency.is_none() {
            *latency = self.carrier.latency(stop);
        }
        *latency
    }

    /// Whoever carries tasks for it, so that other work can be carried too.
    pub fn carrier(&self) -> &dyn Carrier {
        &*self.carrier
    }

    /// Whether it was told to stop what it is doing.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Does work that ends early where the flag is raised meanwhile: whatever waits for workers then is given up.
    pub fn until<T>(&self, stop: &AtomicBool, work: impl FnOnce() -> T) -> T {
        self.stopped.store(false, Ordering::Relaxed);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watch = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    if stop.load(Ordering::Relaxed) {
                        self.stopped.store(true, Ordering::Relaxed);
                    }
                    std::thread::park_timeout(LOOK);
                }
            });
            let _ended = Ended { done: &done, watch: watch.thread() };
            work()
        })
    }
}

/// Says that work has ended, however it did: whoever watches it would be waited for.
struct Ended<'a> {
    done: &'a AtomicBool,
    watch: &'a std::thread::Thread,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        self.watch.unpark();
    }
}

/// The backend that shares runs among a crew; without one, this machine's.
pub struct Remote(Mutex<Option<Arc<Crew>>>);

impl Remote {
    /// Shares runs among a crew.
    pub fn new(crew: Arc<Crew>) -> Remote {
        Remote(Mutex::new(Some(crew)))
    }

    /// Lets the crew go: plans that are prepared from now on run here.
    pub fn dismiss(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Backend for Remote {
    fn name(&self) -> &'static str {
        "workers"
    }

    fn prepare(
        &self,
        bundle: Bundle,
        observations: &[Observation],
        options: &Options,
    ) -> Result<Box<dyn Prepared>, EngineError> {
        let here = Cpu.prepare(bundle.clone(), observations, options)?;
        let Some(crew) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone() else {
            return Ok(here);
        };
        let Some(needs_terms) = here.blocks().map(Blocks::needs_terms) else { return Ok(here) };
        if observations.iter().any(|own| own.program().is_none()) {
            crew.carrier.tell(
                "a summary that is no program cannot be sent: what observes it runs here, not on the workers",
            );
            return Ok(here);
        }
        let programs = match bundle.to_bytes() {
            Ok(bytes) => Arc::new(bytes),
            Err(error) => {
                crew.carrier.tell(&format!("{error}: it runs here, not on the workers"));
                return Ok(here);
            }
        };
        let number = crew.plans.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Plan {
            widths: observations.iter().map(|own| own.outputs().len()).collect(),
            how: How::of(options, crew.threads),
            needs_terms,
            unbounded: AtomicBool::new(false),
            signature: bundle.declarations().signature.clone(),
            hash: Hash::of(&programs),
            programs,
            here,
            pace: Mutex::default(),
            told: Default::default(),
            // Apart from other crews' plans too.
            number: crew.number.rotate_left(32) ^ number,
            gradients: AtomicU64::new(0),
            crew,
        }))
    }
}

/// What is asked of a run.
#[derive(Clone, Copy)]
enum Kind {
    Simulation,
    Gradient,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Simulation => "a simulation",
            Kind::Gradient => "a gradient",
        }
    }

    /// How often workers are asked; once more where replicates are held against each other.
    fn trips(self, needs_terms: bool) -> f64 {
        match self {
            Kind::Simulation => 1.0,
            Kind::Gradient if needs_terms => 3.0,
            Kind::Gradient => 2.0,
        }
    }
}

/// Where a run is computed.
enum Way {
    Here,
    /// Here, with a look at the clock.
    Measured,
    Sent,
}

/// A model's programs, which can be sent.
struct Plan {
    crew: Arc<Crew>,
    here: Box<dyn Prepared>,
    signature: Signature,
    /// How many numbers each observation gives.
    widths: Vec<usize>,
    hash: Hash,
    programs: Arc<Vec<u8>>,
    how: How,
    /// Whether replicates are held against each other, site by site.
    needs_terms: bool,
    /// Whether what they are held against wants a look at all of them before, so that gradients run here.
    unbounded: AtomicBool,
    /// Seconds of one core by replicate and step: of simulations, of gradients.
    pace: Mutex<[Option<f64>; 2]>,
    /// Whether it was told that it runs here, of simulations and of gradients.
    told: [AtomicBool; 2],
    number: u64,
    gradients: AtomicU64,
}

/// A run on its way.
struct Sending<'p, 'r> {
    plan: &'p Plan,
    run: &'p Run<'r>,
    sent: SentRun,
    needs: BTreeMap<Hash, Content>,
}

/// Why workers gave no result.
enum Unanswered {
    /// The run was told to stop, or there is no use in going on.
    Failed(EngineError),
    /// A worker could not: this machine will say why.
    Refused,
}

/// Work of a run, in steps of replicates.
fn work(run: &Run<'_>) -> f64 {
    run.replicates as f64 * (run.steps as f64 + 1.0)
}

fn milliseconds(seconds: f64) -> String {
    let ms = 1e3 * seconds;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

impl Plan {
    /// Whether it was told to stop what it is doing.
    fn is_stopped(&self, run: &Run<'_>) -> bool {
        self.crew.is_stopped() || run.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Where a run is computed, as far as that is known to be better.
    fn way(&self, run: &Run<'_>, kind: Kind) -> Result<Way, EngineError> {
        let blocks = run.replicates.min(MOST_BLOCKS);
        let refused = matches!(kind, Kind::Gradient) && self.unbounded.load(Ordering::Relaxed);
        if blocks < 2 || refused {
            return Ok(Way::Here);
        }
        let known = || self.crew.latency(&|| self.is_stopped(run)).ok_or(EngineError::Interrupted);
        let pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner)[kind as usize];
        let told = &self.told[kind as usize];
        if let Some(pace) = pace.filter(|_| told.load(Ordering::Relaxed)) {
            // Too short for any number of workers, which then need not be asked for.
            if pace * work(run) <= kind.trips(self.needs_terms) * known()? {
                return Ok(Way::Here);
            }
        }
        if self.crew.carrier.workers() == 0 {
            return Ok(Way::Here);
        }
        let latency = known()?;
        // On the way there it may have turned out that nobody answers.
        let workers = self.crew.carrier.workers();
        if workers == 0 {
            return Ok(Way::Here);
        }
        if latency <= 0.0 {
            return Ok(Way::Sent);
        }
        let Some(pace) = pace else { return Ok(Way::Measured) };
        let alone = pace * work(run);
        let workers = blocks.min(workers);
        let shared = alone / workers as f64 + kind.trips(self.needs_terms) * latency;
        if shared < alone {
            return Ok(Way::Sent);
        }
        if told.swap(true, Ordering::Relaxed) {
            return Ok(Way::Here);
        }
        self.crew.carrier.tell(&format!(
            "{} of `{}` takes some {} on one core, and {} on {workers} workers, which answer after {}: it runs here",
            kind.name(),
            self.signature.model,
            milliseconds(alone),
            milliseconds(shared),
            milliseconds(latency)
        ));
        Ok(Way::Here)
    }

    /// Computes here, and notes how long that took.
    fn measured<T>(&self, run: &Run<'_>, kind: Kind, here: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let found = here();
        let cores = rayon::current_num_threads().min(blocks_of(run.replicates).len());
        let pace = begin.elapsed().as_secs_f64() * cores as f64 / work(run);
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)[kind as usize] = Some(pace);
        found
    }

    fn sending<'p, 'r>(&'p self, run: &'p Run<'r>) -> Sending<'p, 'r> {
        let mut needs = BTreeMap::from([(self.hash, Content::Bytes(self.programs.clone()))]);
        let sent = SentRun::of(run, &self.crew.known, &mut needs);
        Sending { plan: self, run, sent, needs }
    }

    /// Stretches of blocks, one for each worker where there are enough.
    fn stretches(&self, run: &Run<'_>) -> Vec<Range<usize>> {
        let blocks = blocks_of(run.replicates).len();
        let count = self.crew.carrier.workers().clamp(1, blocks);
        let bound = |k: usize| k * blocks / count;
        (0..count).map(|k| bound(k)..bound(k + 1)).collect()
    }
}

impl Sending<'_, '_> {
    fn contents(&self, hashes: impl Iterator<Item = Hash>) -> Vec<(Hash, Arc<Vec<u8>>)> {
        hashes.filter_map(|hash| Some((hash, self.needs.get(&hash)?.bytes()))).collect()
    }

    fn stopped(&self) -> bool {
        self.plan.is_stopped(self.run)
    }

    /// Whether an answer is one to this question, as far as its size tells: one that is not is lost, as no sum may be cut short
    /// in silence.
    fn fits(&self, answer: &Answer, what: &What) -> bool {
        let of_replicates = blocks_of(self.run.replicates);
        let replicates = |own: &Range<usize>| -> usize {
            of_replicates.get(own.clone()).map_or(0, |blocks| blocks.iter().map(ExactSizeIterator::len).sum())
        };
        let width = |(_, number): &(usize, usize)| self.plan.widths.get(*number).copied().unwrap_or(0);
        let width: usize = self.run.events.iter().map(width).sum();
        let signature = &self.plan.signature;
        match (answer, what) {
            (Answer::Missing(_) | Answer::Refused(_), _) => true,
            (Answer::Nothing, What::Sums { .. } | What::Terms(_)) | (Answer::Unbounded, What::Terms(_)) => {
                true
            }
            (Answer::Terms { stretch, terms, .. }, What::Terms(asked)) => {
                *stretch < asked.held.len() && terms.is_of(signature.lattice.sites())
            }
            (Answer::Outputs { values, last, .. }, What::Simulate(blocks)) => {
                let last_is_there = !self.run.wants_last || last.len() == replicates(blocks);
                values.len() == replicates(blocks) * width && last_is_there
            }
            (Answer::Outputs { values, .. }, What::Remember { blocks, .. }) => {
                values.len() == replicates(blocks) * width
            }
            (Answer::Sums { stretch, sums }, What::Sums { asked: OfStretch { held, .. }, .. }) => {
                let (parameters, sites) = (signature.parameters.len(), signature.lattice.sites());
                held.get(*stretch).is_some_and(|(blocks, _)| sums.len() == blocks.len())
                    && sums.iter().all(|sum| sum.is_of(parameters, sites))
            }
            _ => false,
        }
    }

    /// The answers to questions about the run; what is lost is answered here.
    fn answers(&self, questions: &[What]) -> Result<Vec<Answer>, Unanswered> {
        let crew = &self.plan.crew;
        let mut answers: Vec<Option<Answer>> = questions.iter().map(|_| None).collect();
        let new: Vec<Hash> = {
            let mut sent = crew.sent.lock().unwrap_or_else(PoisonError::into_inner);
            self.needs.keys().filter(|hash| sent.insert(**hash)).copied().collect()
        };
        let new = self.contents(new.into_iter());
        let task = |what: &What| {
            let ask = (self.plan.hash, self.plan.how, &self.sent, what);
            let body = postcard::to_allocvec(&ask).unwrap_or_default();
            Task { body, contents: new.clone() }
        };
        let mut waiting: Vec<(usize, Task)> = questions.iter().map(task).enumerate().collect();
        for _ in 0..MOST_ROUNDS {
            if waiting.is_empty() {
                break;
            }
            let tasks = waiting.iter().map(|(_, task)| task.clone()).collect();
            let carried = crew.carrier.carry(tasks, &|| self.stopped());
            if self.stopped() {
                return Err(Unanswered::Failed(EngineError::Interrupted));
            }
            let carried = carried.map_err(|words| Unanswered::Failed(EngineError::Workers(words)))?;
            let mut missed = Vec::new();
            for ((number, mut task), bytes) in waiting.into_iter().zip(carried) {
                let answer: Option<Answer> = bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok());
                match answer.filter(|answer| self.fits(answer, &questions[number])) {
                    Some(Answer::Missing(hashes)) => {
                        task.contents = self.contents(hashes.into_iter());
                        missed.push((number, task));
                    }
                    other => answers[number] = other,
                }
            }
            waiting = missed;
        }
        let mut found = Vec::with_capacity(answers.len());
        for (answer, what) in answers.into_iter().zip(questions) {
            found.push(match answer {
                Some(answer) => answer,
                None => self.answered_here(what)?,
            });
        }
        Ok(found)
    }

    /// The answer of this machine.
    fn answered_here(&self, what: &What) -> Result<Answer, Unanswered> {
        if self.stopped() {
            return Err(Unanswered::Failed(EngineError::Interrupted));
        }
        let here = &self.plan.crew.here;
        self.contents(self.needs.keys().copied())
            .into_iter()
            .for_each(|(hash, bytes)| here.keep(hash, bytes));
        let ask = (self.plan.hash, self.plan.how, &self.sent, what);
        let bytes = here.answer(&postcard::to_allocvec(&ask).unwrap_or_default());
        postcard::from_bytes(&bytes).map_err(|_| Unanswered::Refused)
    }

    fn simulation(&self) -> Result<Simulation, Unanswered> {
        let stretches = self.plan.stretches(self.run);
        let questions: Vec<What> = stretches.iter().cloned().map(What::Simulate).collect();
        let (mut values, mut last) = (Vec::new(), Vec::new());
        for answer in self.answers(&questions)? {
            let Answer::Outputs { values: own, last: states, .. } = answer else {
                return Err(Unanswered::Refused);
            };
            values.extend(own);
            last.extend(states.into_iter().map(Frame::from));
        }
        let width = values.len() / self.run.replicates;
        Ok(Simulation { outputs: Outputs { values, width }, last })
    }

    fn gradient(&self, loss: &(dyn Fn(&[f64]) -> LossValue + Sync)) -> Result<Found, Unanswered> {
        let number = self.plan.gradients.fetch_add(1, Ordering::Relaxed);
        let gradient = Gradient { plan: self.plan.number, number };
        let stretches = self.plan.stretches(self.run);
        let questions: Vec<What> =
            stretches.iter().map(|blocks| What::Remember { gradient, blocks: blocks.clone() }).collect();
        let (mut values, mut held) = (Vec::new(), Vec::new());
        for (answer, blocks) in self.answers(&questions)?.into_iter().zip(stretches) {
            let Answer::Outputs { values: own, holder, .. } = answer else {
                return Err(Unanswered::Refused);
            };
            values.extend(own);
            held.push((blocks, holder));
        }
        let width = values.len() / self.run.replicates;
        let outputs = Outputs { values, width };
        let LossValue { value, slopes } = loss(&outputs.mean());
        // A loss may itself say that there is no use in going on.
        if self.stopped() {
            return Err(Unanswered::Failed(EngineError::Interrupted));
        }
        let weights: SentWeights = Weights::new(&outputs, slopes).into();
        let asked = |own: usize, held: &[(Range<usize>, u64)], anyway: bool| OfStretch {
            gradient,
            own,
            held: held.to_vec(),
            weights: weights.clone(),
            anyway,
        };
        let terms = if self.plan.needs_terms { Some(self.terms(&mut held, &asked)?) } else { None };
        let mut sums: Vec<Option<Vec<BlockSum>>> = held.iter().map(|_| None).collect();
        for anyway in [false, true] {
            let left = (0..held.len()).filter(|k| sums[*k].is_none());
            let question = |own: usize| What::Sums { asked: asked(own, &held, anyway), terms: terms.clone() };
            let questions: Vec<What> = left.map(question).collect();
            for answer in self.answers(&questions)? {
                match answer {
                    Answer::Sums { stretch, sums: own } if stretch < sums.len() => {
                        sums[stretch] = Some(own.into_iter().map(Into::into).collect());
                    }
                    Answer::Nothing => {}
                    _ => return Err(Unanswered::Refused),
                }
            }
        }
        let sums: Option<Vec<Vec<BlockSum>>> = sums.into_iter().collect();
        let sums = sums.ok_or(Unanswered::Refused)?;
        Ok(total(&self.plan.signature, value, sums.concat(), outputs))
    }

    /// What replicates are held against: whole numbers, so that it is the same in whatever order they come.
    fn terms(
        &self,
        held: &mut [(Range<usize>, u64)],
        asked: &dyn Fn(usize, &[(Range<usize>, u64)], bool) -> OfStretch,
    ) -> Result<SentTerms, Unanswered> {
        let mut found: Vec<Option<Terms>> = held.iter().map(|_| None).collect();
        for anyway in [false, true] {
            let left = (0..held.len()).filter(|k| found[*k].is_none());
            let questions: Vec<What> = left.map(|own| What::Terms(asked(own, held, anyway))).collect();
            for answer in self.answers(&questions)? {
                match answer {
                    Answer::Terms { stretch, terms, holder } if stretch < held.len() => {
                        held[stretch].1 = holder;
                        found[stretch] = Some(terms.into());
                    }
                    Answer::Nothing => {}
                    Answer::Unbounded => {
                        self.plan.unbounded.store(true, Ordering::Relaxed);
                        self.plan.crew.carrier.tell(
                            "what a site may add to the loss has no bound, so that light cones want a look at all rollouts before: \
                             gradients run here, not on the workers",
                        );
                        return Err(Unanswered::Refused);
                    }
                    _ => return Err(Unanswered::Refused),
                }
            }
        }
        let found: Option<Vec<Terms>> = found.into_iter().collect();
        let sum = found.and_then(|all| {
            let mut all = all.into_iter();
            let mut sum = all.next()?;
            all.all(|own| sum.add(&own)).then_some(sum)
        });
        sum.map(Into::into).ok_or(Unanswered::Refused)
    }
}

impl Prepared for Plan {
    fn simulate(&self, run: &Run<'_>, recorder: Option<&dyn Recorder>) -> Result<Simulation, EngineError> {
        if recorder.is_some() {
            return self.here.simulate(run, recorder);
        }
        match self.way(run, Kind::Simulation)? {
            Way::Here => self.here.simulate(run, None),
            Way::Measured => self.measured(run, Kind::Simulation, || self.here.simulate(run, None)),
            Way::Sent => match self.sending(run).simulation() {
                Ok(found) => Ok(found),
                Err(Unanswered::Failed(error)) => Err(error),
                Err(Unanswered::Refused) => self.here.simulate(run, None),
            },
        }
    }

    fn gradient(
        &self,
        run: &Run<'_>,
        loss: &(dyn Fn(&[f64]) -> LossValue + Sync),
    ) -> Result<Found, EngineError> {
        match self.way(run, Kind::Gradient)? {
            Way::Here => self.here.gradient(run, loss),
            Way::Measured => self.measured(run, Kind::Gradient, || self.here.gradient(run, loss)),
            Way::Sent => match self.sending(run).gradient(loss) {
                Ok(found) => Ok(found),
                Err(Unanswered::Failed(error)) => Err(error),
                Err(Unanswered::Refused) => self.here.gradient(run, loss),
            },
        }
    }

    fn bytes_per_state(&self) -> usize {
        self.here.bytes_per_state()
    }
}
