//! Answers for a worker: keeps the programs and numbers it was sent, and computes blocks.
//!
//! What it keeps is bounded, the oldest goes first; what is then missing is said and sent again.

use std::collections::HashMap;
use std::hash::Hasher;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use glauber_engine::{
    Backend, BlockSum, Blocks, Cpu, EngineError, Numbers, Observation, Prepared, Remembered, Run, Terms,
};
use glauber_program::Bundle;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::content::{Hash, read};
use crate::message::{Answer, Ask, Gradient, How, OfStretch, What};

/// The most bytes of contents that are kept.
const MOST_BYTES: usize = 1 << 31;
/// The most plans that are kept.
const MOST_PLANS: usize = 32;
/// The most gradients whose states are kept: those of several fits that run side by side.
const MOST_GRADIENTS: usize = 8;

/// The states of stretches of blocks, and whether their terms were given.
type Kept = HashMap<(usize, usize), (Remembered, bool)>;

/// What a worker keeps and knows.
pub struct Station {
    /// Tells it from others.
    number: u64,
    contents: Mutex<Vec<(Hash, Arc<Vec<u8>>)>>,
    numbers: Mutex<Vec<(Hash, Arc<Numbers>)>>,
    plans: Mutex<Vec<((Hash, How), Arc<dyn Prepared>)>>,
    /// By gradient and blocks: the states of the way, and whether their terms were given.
    kept: Mutex<Vec<(Gradient, Kept)>>,
    pools: Mutex<Vec<(usize, ThreadPool)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn found<K: PartialEq, T: Clone>(list: &Mutex<Vec<(K, T)>>, key: &K) -> Option<T> {
    locked(list).iter().find(|(own, _)| own == key).map(|(_, value)| value.clone())
}

impl Default for Station {
    fn default() -> Station {
        // As random as the keys of hash maps are.
        let hasher = std::hash::BuildHasher::build_hasher(&std::hash::RandomState::new());
        Station {
            number: hasher.finish(),
            contents: Mutex::default(),
            numbers: Mutex::default(),
            plans: Mutex::default(),
            kept: Mutex::default(),
            pools: Mutex::default(),
        }
    }
}

impl Station {
    /// What tells it from others.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Keeps a content.
    pub fn keep(&self, hash: Hash, bytes: Arc<Vec<u8>>) {
        let mut contents = locked(&self.contents);
        if contents.iter().any(|(own, _)| *own == hash) {
            return;
        }
        contents.push((hash, bytes));
        let mut all: usize = contents.iter().map(|(_, bytes)| bytes.len()).sum();
        while all > MOST_BYTES && contents.len() > 1 {
            let (gone, bytes) = contents.remove(0);
            all -= bytes.len();
            locked(&self.numbers).retain(|(own, _)| *own != gone);
        }
    }

    /// The answer to a question, as bytes. A question that makes the engine panic is refused: whoever asked computes it, and
    /// says what is wrong there.
    pub fn answer(&self, body: &[u8]) -> Vec<u8> {
        let answer = match postcard::from_bytes::<Ask>(body) {
            Ok(ask) => catch_unwind(AssertUnwindSafe(|| self.answer_to(&ask)))
                .unwrap_or_else(|_| Answer::Refused("the engine failed: please report this".into())),
            Err(error) => Answer::Refused(format!("the question cannot be read: {error}")),
        };
        postcard::to_allocvec(&answer).unwrap_or_default()
    }

    /// Forgets its threads, which a process that was forked has not.
    pub fn forked(&self) {
        // Dropping them would wait for threads that do not exist here.
        std::mem::take(&mut *locked(&self.pools)).into_iter().for_each(std::mem::forget);
    }

    fn numbers(&self, hash: &Hash) -> Option<Arc<Numbers>> {
        if let Some(known) = found(&self.numbers, hash) {
            return Some(known);
        }
        let own = Arc::new(read(&found(&self.contents, hash)?)?);
        locked(&self.numbers).push((*hash, own.clone()));
        Some(own)
    }

    fn plan(&self, hash: Hash, how: How) -> Result<Arc<dyn Prepared>, String> {
        if let Some(known) = found(&self.plans, &(hash, how)) {
            return Ok(known);
        }
        let bytes = found(&self.contents, &hash).ok_or("the programs are missing")?;
        let bundle = Bundle::from_bytes(&bytes).map_err(|e| e.to_string())?;
        let observations: Option<Vec<Observation>> =
            bundle.observed.iter().map(|p| p.clone().map(Observation::Program)).collect();
        let observations = observations.ok_or("an observation is no program")?;
        let prepared = Cpu.prepare(bundle, &observations, &how.options()).map_err(|e| e.to_string())?;
        let prepared: Arc<dyn Prepared> = Arc::from(prepared);
        let mut plans = locked(&self.plans);
        if plans.len() >= MOST_PLANS {
            plans.remove(0);
        }
        plans.push(((hash, how), prepared.clone()));
        Ok(prepared)
    }

    /// Works on threads of its own, as many as were asked for: a worker is one of many.
    fn install<T: Send>(&self, threads: usize, work: impl FnOnce() -> T + Send) -> Result<T, String> {
        let threads = threads.max(1);
        let idle = {
            let mut pools = locked(&self.pools);
            let place = pools.iter().position(|(own, _)| *own == threads);
            place.map(|place| pools.swap_remove(place).1)
        };
        let pool = match idle {
            Some(pool) => pool,
            None => ThreadPoolBuilder::new().num_threads(threads).build().map_err(|e| e.to_string())?,
        };
        let done = pool.install(work);
        locked(&self.pools).push((threads, pool));
        Ok(done)
    }

    fn answer_to(&self, ask: &Ask) -> Answer {
        let is_here = |hash: &Hash| locked(&self.contents).iter().any(|(own, _)| own == hash);
        let missing: Vec<Hash> =
            std::iter::once(ask.plan).chain(ask.run.needs()).filter(|hash| !is_here(hash)).collect();
        if !missing.is_empty() {
            return Answer::Missing(missing);
        }
        let answered = self.install(ask.how.threads, || {
            let plan = self.plan(ask.plan, ask.how)?;
            let blocks = plan.blocks().ok_or("its gradients hold all replicates against each other")?;
            let run =
                ask.run.run(|hash| self.numbers(hash)).ok_or("the numbers of the run cannot be read")?;
            self.computed(blocks, &run, &ask.what).map_err(|e| e.to_string())
        });
        answered.and_then(|own| own).unwrap_or_else(Answer::Refused)
    }

    fn computed(&self, plan: &dyn Blocks, run: &Run<'_>, what: &What) -> Result<Answer, EngineError> {
        match what {
            What::Simulate(blocks) => {
                let found = plan.simulate(run, blocks.clone())?;
                let last = found.last.into_iter().map(Into::into).collect();
                Ok(Answer::Outputs { values: found.outputs.values, last, holder: self.number })
            }
            What::Remember { gradient, blocks } => {
                let own = plan.remember(run, blocks.clone())?;
                let values = own.outputs.clone();
                self.remember(*gradient, blocks, (own, false));
                Ok(Answer::Outputs { values, last: Vec::new(), holder: self.number })
            }
            What::Sums { asked, terms } => {
                let Some((stretch, remembered)) = self.found(plan, run, asked, false)? else {
                    return Ok(Answer::Nothing);
                };
                let weights = asked.weights.clone().into();
                let terms: Option<Terms> = terms.clone().map(Into::into);
                let blocks = asked.held[stretch].0.clone();
                let sums: Vec<BlockSum> = plan.sums(run, blocks, remembered, (&weights, terms.as_ref()))?;
                Ok(Answer::Sums { stretch, sums: sums.into_iter().map(Into::into).collect() })
            }
            What::Terms(asked) => {
                let Some((stretch, remembered)) = self.found(plan, run, asked, true)? else {
                    return Ok(Answer::Nothing);
                };
                let blocks = asked.held[stretch].0.clone();
                let terms = plan.terms(run, blocks.clone(), &remembered, &asked.weights.clone().into())?;
                self.remember(asked.gradient, &blocks, (remembered, true));
                let holder = self.number;
                Ok(terms.map_or(Answer::Unbounded, |own| Answer::Terms {
                    stretch,
                    terms: own.into(),
                    holder,
                }))
            }
        }
    }

    /// The stretch that is asked for, or another that is kept here; `fresh` ones are those whose terms were not given yet.
    fn found(
        &self,
        plan: &dyn Blocks,
        run: &Run<'_>,
        asked: &OfStretch,
        fresh: bool,
    ) -> Result<Option<(usize, Remembered)>, EngineError> {
        let OfStretch { gradient, own, held, anyway, .. } = asked;
        let mut order = vec![*own];
        order.extend((0..held.len()).filter(|k| k != own && held[*k].1 == self.number));
        let recalled = |k: usize| Some((k, self.recall(*gradient, &held.get(k)?.0, fresh)?));
        if let Some(kept) = order.into_iter().find_map(recalled) {
            return Ok(Some(kept));
        }
        match held.get(*own).filter(|_| *anyway) {
            Some((blocks, _)) => Ok(Some((*own, plan.remember(run, blocks.clone())?))),
            None => Ok(None),
        }
    }

    fn remember(&self, gradient: Gradient, blocks: &Range<usize>, own: (Remembered, bool)) {
        let mut kept = locked(&self.kept);
        // Who asks for the next one is done with the last.
        kept.retain(|(own, _)| own.plan != gradient.plan || *own == gradient);
        let place = match kept.iter().position(|(number, _)| *number == gradient) {
            Some(place) => place,
            None => {
                if kept.len() >= MOST_GRADIENTS {
                    kept.remove(0);
                }
                kept.push((gradient, HashMap::new()));
                kept.len() - 1
            }
        };
        kept[place].1.insert((blocks.start, blocks.end), own);
    }

    fn recall(&self, gradient: Gradient, blocks: &Range<usize>, fresh: bool) -> Option<Remembered> {
        let mut kept = locked(&self.kept);
        let place = kept.iter().position(|(number, _)| *number == gradient)?;
        let key = (blocks.start, blocks.end);
        if fresh && kept[place].1.get(&key).is_some_and(|(_, given)| *given) {
            return None;
        }
        let own = kept[place].1.remove(&key);
        if kept[place].1.is_empty() {
            kept.remove(place);
        }
        own.map(|(own, _)| own)
    }
}
