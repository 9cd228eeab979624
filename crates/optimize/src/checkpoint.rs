//! Stores where a fit stands, bit for bit, so that it can carry on as if it had never stopped.
//!
//! A checkpoint is one file: the line `glauber checkpoint 3`; a line of JSON that says what follows; every number as
//! eight little-endian bytes; a check sum. The JSON also holds the fit's [`Identity`]: everything that its course
//! depends on, as readable pairs, so that a checkpoint of another fit is refused with the difference named.
//! Nothing is allocated before the file's own size has been compared with what it claims and with what the fit needs.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::averaging::Average;
use crate::course::Course;
use crate::optimizers::Memory;
use crate::stopping::StoppingState;
use crate::trace::{Record, Trace};
use glauber_files::{DataError, Overwrite, WholeFile};

const FIRST_LINE: &[u8] = b"glauber checkpoint 3\n";
/// The JSON line is a few kilobytes; more than this is not ours.
const LONGEST_HEADER: u64 = 4 << 20;

/// Everything a fit's course depends on, as (what, value) pairs in words a user knows.
pub type Identity = Vec<(String, String)>;

/// When and where checkpoints are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointPolicy {
    /// The file.
    pub path: PathBuf,
    /// Steps between two; 0 for none but when the fit is interrupted or ends.
    pub every: u64,
    /// Whether to carry on from the file where it is there. Without it, a file that is there is an error.
    pub resume: bool,
}

impl CheckpointPolicy {
    /// The state to begin with: the one stored where there is one, else `blank`.
    ///
    /// # Errors
    /// [`CheckpointError`] where a file is there that was not asked for, or cannot be resumed.
    pub(crate) fn resume(
        &self,
        identity: &Identity,
        blank: FitState,
        most_records: u64,
    ) -> Result<FitState, CheckpointError> {
        match (self.path.symlink_metadata().is_ok(), self.resume) {
            (false, _) => Ok(blank),
            (true, false) => Err(CheckpointError::AlreadyThere { path: self.path.clone() }),
            (true, true) => read(&self.path, identity, blank, most_records),
        }
    }
}

/// Why a checkpoint was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// One is there and was not asked for.
    #[error("{} holds an earlier run's checkpoint: resume it, or choose another output folder", .path.display())]
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// It belongs to a fit that differs.
    #[error("{} belongs to another fit: {what} was {was} and is now {is}; restore it, or start in another output folder", .path.display())]
    OtherFit {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: String,
        /// Its value in the checkpoint.
        was: String,
        /// Its value now.
        is: String,
    },
    /// It is cut off, changed, or no checkpoint at all.
    #[error("{} cannot be resumed: {found}; delete it to start afresh", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// The file system refused.
    #[error(transparent)]
    File(#[from] DataError),
}

/// Where a fit stands before it evaluates a step.
#[derive(Clone, Debug, PartialEq)]
pub struct FitState {
    /// The step to be evaluated.
    pub step: u64,
    /// Free coordinates.
    pub free: Vec<f64>,
    /// Where it stood before the last update, where the loss may be +∞: NaN before the first; empty where it may not.
    pub previous: Vec<f64>,
    /// The share of its steps that it takes after a loss of +∞; 1 where none was met.
    pub caution: f64,
    /// What the optimizer remembers.
    pub memory: Memory,
    /// What the stopping rules remember.
    pub stopping: StoppingState,
    /// The largest change of a parameter in the last update; ∞ before the first, or where no rule needs it.
    pub last_change: f64,
    /// The course so far, to tell whether it came to rest.
    pub course: Course,
    /// The average so far.
    pub average: Average,
    /// The history so far.
    pub trace: Trace,
}

impl FitState {
    /// Before the first step at these free coordinates, with nothing remembered, no course and no average.
    pub(crate) fn at(free: Vec<f64>, trace: Trace) -> FitState {
        FitState {
            step: 0,
            free,
            previous: Vec::new(),
            caution: 1.0,
            memory: Memory::default(),
            stopping: StoppingState::default(),
            last_change: f64::INFINITY,
            course: Course::new(0),
            average: Average::new(0, Vec::new()),
            trace,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    identity: Identity,
    counts: [u64; 8],
    lists: Vec<(String, u64)>,
}

/// Writes the state, whole or not at all, over an older checkpoint of the same fit.
///
/// # Errors
/// [`CheckpointError::File`] where the file cannot be written.
pub fn write(path: &Path, identity: &Identity, state: &FitState) -> Result<(), CheckpointError> {
    let small = [state.stopping.window_sum, state.stopping.best, state.last_change, state.caution];
    let records: Vec<f64> = state.trace.records.iter().flat_map(Record::numbers).collect();
    let mut lists: Vec<(String, &[f64])> = vec![("free".into(), &state.free), ("small".into(), &small)];
    lists
        .extend(state.memory.slots.iter().map(|slot| (format!("optimizer.{}", slot.name), &slot.values[..])));
    lists.push(("previous".into(), &state.previous));
    lists.push(("average".into(), &state.average.sum));
    lists.push(("batches".into(), &state.average.batches));
    lists.push(("course".into(), &state.course.batches));
    lists.push(("trace".into(), &records));
    let StoppingState { resting, in_window, stale, .. } = state.stopping;
    let header = Header {
        identity: identity.clone(),
        counts: [
            state.step,
            resting,
            in_window,
            stale,
            state.average.count,
            state.average.batch_length,
            state.course.count,
            state.course.batch_length,
        ],
        lists: lists.iter().map(|(name, values)| (name.clone(), values.len() as u64)).collect(),
    };
    let refused = |error: std::io::Error| CheckpointError::File(DataError::io(path, "write it", &error));
    let mut json = serde_json::to_vec(&header).map_err(|error| refused(error.into()))?;
    json.push(b'\n');
    let mut file = WholeFile::create(path, Overwrite::Replace)?;
    let mut sum = CheckSum::new();
    for bytes in [FIRST_LINE, &json] {
        sum.bytes(bytes);
        file.write_all(bytes).map_err(refused)?;
    }
    for (_, values) in &lists {
        for value in *values {
            sum.number(value.to_bits());
            file.write_all(&value.to_bits().to_le_bytes()).map_err(refused)?;
        }
    }
    file.write_all(&sum.0.to_le_bytes()).map_err(refused)?;
    Ok(file.finish()?)
}

/// Reads a state. `blank` is the fit's state before its first step: it tells the lengths of all lists but those of
/// the trace and the batches, which `most_records` bounds.
///
/// # Errors
/// [`CheckpointError`] where the file is of another fit, is damaged, or cannot be read.
pub fn read(
    path: &Path,
    identity: &Identity,
    blank: FitState,
    most_records: u64,
) -> Result<FitState, CheckpointError> {
    let damaged =
        |found: &str| CheckpointError::Damaged { path: path.to_path_buf(), found: found.to_string() };
    let refused = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged("it ends too early"),
        _ => CheckpointError::File(DataError::io(path, "read it", &error)),
    };
    let file = File::open(path).map_err(refused)?;
    let size = file.metadata().map_err(refused)?.len();
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut sum = CheckSum::new();
    let mut first_line = [0; FIRST_LINE.len()];
    reader.read_exact(&mut first_line).map_err(|_| damaged("it is no checkpoint of this version"))?;
    if first_line != FIRST_LINE {
        return Err(damaged("it is no checkpoint of this version"));
    }
    sum.bytes(&first_line);
    let json = header_line(&mut reader).map_err(refused)?;
    sum.bytes(&json);
    let header: Header = serde_json::from_slice(&json).map_err(|_| damaged("its header is not readable"))?;
    compare(path, &header.identity, identity)?;

    let claimed: u64 = header.lists.iter().fold(0, |total: u64, (_, n)| total.saturating_add(*n));
    let before = (FIRST_LINE.len() + json.len()) as u64;
    if claimed.checked_mul(8).and_then(|bytes| bytes.checked_add(before + 8)) != Some(size) {
        return Err(damaged("its size is not what its header says"));
    }
    if !fits(&header, &blank, most_records) {
        return Err(damaged("its lists are not those of this fit"));
    }
    let mut lists = Vec::with_capacity(header.lists.len());
    for (_, length) in &header.lists {
        let mut values = Vec::with_capacity(*length as usize);
        let mut bytes = [0; 8];
        for _ in 0..*length {
            reader.read_exact(&mut bytes).map_err(refused)?;
            let bits = u64::from_le_bytes(bytes);
            sum.number(bits);
            values.push(f64::from_bits(bits));
        }
        lists.push(values);
    }
    let mut last = [0; 8];
    reader.read_exact(&mut last).map_err(refused)?;
    if u64::from_le_bytes(last) != sum.0 {
        return Err(damaged("its check sum is wrong"));
    }
    restore(&header, lists, blank).ok_or_else(|| damaged("its lists are not those of this fit"))
}

/// The JSON line with its end, if it is not too long.
fn header_line(reader: &mut impl std::io::BufRead) -> std::io::Result<Vec<u8>> {
    let mut json = Vec::new();
    std::io::BufRead::read_until(&mut reader.take(LONGEST_HEADER), b'\n', &mut json)?;
    Ok(json)
}

/// Refuses a checkpoint whose identity differs, naming the first difference.
fn compare(path: &Path, was: &Identity, is: &Identity) -> Result<(), CheckpointError> {
    let value = |identity: &Identity, what: &str| {
        identity
            .iter()
            .find(|(key, _)| key == what)
            .map_or("not given".to_string(), |(_, value)| value.clone())
    };
    let keys = is.iter().chain(was).map(|(what, _)| what);
    for what in keys {
        let (was, is) = (value(was, what), value(is, what));
        if was != is {
            return Err(CheckpointError::OtherFit { path: path.to_path_buf(), what: what.clone(), was, is });
        }
    }
    Ok(())
}

/// Whether the header's lists have the names and lengths that this fit needs.
fn fits(header: &Header, blank: &FitState, most_records: u64) -> bool {
    let mut wanted = vec![("free".to_string(), blank.free.len()), ("small".to_string(), 4)];
    wanted.extend(
        blank.memory.slots.iter().map(|slot| (format!("optimizer.{}", slot.name), slot.values.len())),
    );
    wanted.push(("previous".to_string(), blank.previous.len()));
    wanted.push(("average".to_string(), blank.average.sum.len()));
    let Some((found, [batches, course, trace])) = header.lists.split_last_chunk::<3>() else { return false };
    let exact = found.len() == wanted.len()
        && found
            .iter()
            .zip(&wanted)
            .all(|((name, n), (right, length))| name == right && *n == *length as u64);
    let width = (blank.trace.columns.len() + 4) as u64;
    exact
        && batches.0 == "batches"
        && batches.1 <= blank.average.most_batch_numbers() as u64
        && course.0 == "course"
        && blank.course.may_hold(course.1)
        && trace.0 == "trace"
        && trace.1 % width == 0
        && trace.1 / width <= most_records
}

fn restore(header: &Header, lists: Vec<Vec<f64>>, blank: FitState) -> Option<FitState> {
    let mut lists = lists.into_iter();
    let mut state = blank;
    let [step, resting, in_window, stale, count, batch_length, steps, course_length] = header.counts;
    state.step = step;
    state.free = lists.next()?;
    let [window_sum, best, last_change, caution] = <[f64; 4]>::try_from(lists.next()?).ok()?;
    state.stopping = StoppingState { resting, in_window, window_sum, best, stale };
    state.last_change = last_change;
    state.caution = caution;
    for slot in &mut state.memory.slots {
        slot.values = lists.next()?;
    }
    state.previous = lists.next()?;
    state.average.sum = lists.next()?;
    state.average.batches = lists.next()?;
    state.course.batches = lists.next()?;
    (state.course.count, state.course.batch_length) = (steps, course_length.max(1));
    state.average.count = count;
    state.average.batch_length = batch_length.max(1);
    let width = state.trace.columns.len() + 4;
    state.trace.records = lists.next()?.chunks(width).filter_map(Record::from_numbers).collect();
    Some(state)
}

/// FNV-1a over bytes and, for speed, over whole numbers.
struct CheckSum(u64);

impl CheckSum {
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    fn new() -> CheckSum {
        CheckSum(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(Self::PRIME);
        }
    }

    fn number(&mut self, bits: u64) {
        // The shift carries high bits down, which a product alone never does.
        let mixed = (self.0 ^ bits).wrapping_mul(Self::PRIME);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// A short text that stands for a long list of numbers in an [`Identity`].
pub fn digest(values: &[f64]) -> String {
    digest_of(values.iter().copied())
}

/// As [`digest`], of numbers one after the other.
///
/// ```
/// use glauber_optimize::checkpoint::{digest, digest_of};
/// assert_eq!(digest_of((0..3).map(f64::from)), digest(&[0.0, 1.0, 2.0]));
/// assert_ne!(digest(&[0.0, 1.0]), digest(&[1.0, 0.0]));
/// ```
pub fn digest_of(values: impl Iterator<Item = f64>) -> String {
    let (mut sum, mut count) = (CheckSum::new(), 0u64);
    values.for_each(|value| {
        sum.number(value.to_bits());
        count += 1;
    });
    format!("{count} numbers, digest {:016x}", sum.0)
}

/// Adds the leaves of a JSON value to an identity, each as its dotted path and its text.
pub fn flatten(path: &str, value: &serde_json::Value, into: &mut Identity) {
    match value {
        serde_json::Value::Null => {}
        serde_json::Value::Object(entries) => {
            for (key, inner) in entries {
                let deeper = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&deeper, inner, into);
            }
        }
        other => into.push((path.to_string(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        vec![("seed".into(), "1".into()), ("learning-rate.start".into(), "0.01".into())]
    }

    fn state() -> FitState {
        let mut average = Average::new(3, vec![0]);
        (0..70).for_each(|k| average.add(&[f64::from(k), 0.1, 0.2]));
        let mut course = Course::new(1);
        (0..600).for_each(|k| course.add(&[f64::from(k)], &[0.1], &[false]));
        let record = |step| Record {
            step,
            loss: f64::NAN,
            gradient_norm: 1e-310,
            rate: -0.0,
            parameters: vec![0.1; 5],
        };
        FitState {
            step: 1 << 60,
            free: vec![0.1, f64::MIN_POSITIVE, -0.0],
            memory: Memory::with([("velocity", vec![1.0 / 3.0; 3])]),
            stopping: StoppingState {
                resting: 1,
                in_window: 2,
                window_sum: 0.3,
                best: f64::INFINITY,
                stale: 4,
            },
            last_change: f64::INFINITY,
            previous: vec![f64::NAN, 0.5, 0.25],
            caution: 0.125,
            course,
            average,
            trace: Trace { columns: vec!["p".into(); 5], records: vec![record(0), record(7)] },
        }
    }

    fn blank() -> FitState {
        let mut blank = state();
        blank.step = 0;
        blank.free = vec![0.0; 3];
        blank.average = Average::new(3, vec![0]);
        blank.course = Course::new(1);
        blank.trace.records.clear();
        blank
    }

    #[test]
    fn every_bit_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        write(&path, &identity(), &state()).unwrap();
        let found = read(&path, &identity(), blank(), 2).unwrap();
        // NaN is unequal to itself, so compare what is printed: `{:?}` of f64 is exact.
        assert_eq!(format!("{found:?}"), format!("{:?}", state()));
        assert_eq!(found.free[2].to_bits(), (-0.0f64).to_bits());
    }

    #[test]
    fn another_fit_is_refused_by_its_difference() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        write(&path, &identity(), &state()).unwrap();
        let mut other = identity();
        other[1].1 = "0.02".into();
        let error = read(&path, &other, blank(), 2).unwrap_err().to_string();
        assert!(error.contains("another fit: learning-rate.start was 0.01 and is now 0.02"), "{error}");
        let error = read(&path, &identity()[..1].to_vec(), blank(), 2).unwrap_err().to_string();
        assert!(error.contains("was 0.01 and is now not given"), "{error}");
    }

    #[test]
    fn any_damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        write(&path, &identity(), &state()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(read(&path, &identity(), blank(), 2).is_err(), "cut at {cut}");
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 0x10;
            std::fs::write(&path, &changed).unwrap();
            assert!(read(&path, &identity(), blank(), 2).is_err(), "changed at {place}");
        }
        std::fs::write(&path, &whole).unwrap();
        assert!(read(&path, &identity(), blank(), 1).is_err(), "more records than the fit has steps");
        let mut shorter = blank();
        shorter.free.pop();
        assert!(read(&path, &identity(), shorter, 2).is_err());
    }

    #[test]
    fn a_header_that_claims_terabytes_is_refused_before_allocation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let header = Header {
            identity: identity(),
            counts: [0; 8],
            lists: vec![("free".into(), 1 << 60), ("x".into(), u64::MAX)],
        };
        let mut bytes = FIRST_LINE.to_vec();
        bytes.extend(serde_json::to_vec(&header).unwrap());
        bytes.extend([b'\n'; 9]);
        std::fs::write(&path, bytes).unwrap();
        let error = read(&path, &identity(), blank(), 2).unwrap_err().to_string();
        assert!(error.contains("its size is not what its header says"), "{error}");
    }
}
