//! Keeps a simulation of cells on the way, so that the same request carries on where it was stopped, with the same bits.
//!
//! An NPZ: what is asked for (a digest of it), the states kept so far, and where the simulation stands. It is written anew now and
//! then, in one step, and removed at the end.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use glauber_cellular_potts::Checkpoint;
use glauber_data::Overwrite;
use glauber_data::arrays::{Array, ReadLimits, Values, read_arrays, write_npz};

use crate::CellsError;

/// How long between two.
const BETWEEN: Duration = Duration::from_secs(10);

/// The file, when it was last written, and what it is of.
pub(super) struct KeptSimulation {
    path: PathBuf,
    digest: u64,
    written: Instant,
}

/// What was read of it: states by cell number, frame after frame, and where the simulation stands.
pub(super) struct Stand {
    pub(super) states: Vec<u32>,
    pub(super) checkpoint: Checkpoint,
}

impl KeptSimulation {
    /// Of a request in words.
    pub(super) fn of(path: &Path, request: &str) -> KeptSimulation {
        // FNV-1a: two requests that differ have the same once in 10¹⁹.
        let digest = request.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        KeptSimulation { path: path.into(), digest, written: Instant::now() }
    }

    /// Where an earlier run stood, if there is its file; every n-th of its states is kept.
    pub(super) fn read(&self, sites: usize, every: u64) -> Result<Option<Stand>, CellsError> {
        if !self.path.exists() {
            return Ok(None);
        }
        let arrays = read_arrays(&self.path, ReadLimits::default())?;
        let refused = |why: &str| {
            CellsError::Request(format!(
                "{}: {why}: give the command that wrote it, another --checkpoint, or remove the file",
                self.path.display()
            ))
        };
        let broken = || refused("is no checkpoint of a simulation of cells");
        let of =
            |wanted: &str| arrays.iter().find(|(name, _)| name == wanted).map(|(_, array)| array.values());
        let numbers = |wanted: &str| match of(wanted) {
            Some(Values::U32(values)) => Ok(values.clone()),
            _ => Err(broken()),
        };
        let Some(Values::U64(stand)) = of("stand") else { return Err(broken()) };
        let &[digest, step, passes_over, acts] = stand.as_slice() else { return Err(broken()) };
        if digest != self.digest {
            return Err(refused("is the checkpoint of another simulation"));
        }
        let (states, labels, activities) = (numbers("states")?, numbers("labels")?, numbers("activities")?);
        if labels.len() != sites || states.len() as u64 != (step / every + 1) * sites as u64 {
            return Err(broken());
        }
        let activities = (acts > 0).then_some(activities);
        let checkpoint = Checkpoint { step, labels, activities, passes_over: passes_over > 0 };
        Ok(Some(Stand { states, checkpoint }))
    }

    /// Writes where the simulation stands, if it is time; a file that cannot be written is an error.
    pub(super) fn keep(&mut self, states: &[u32], stand: impl Fn() -> Checkpoint) -> Result<(), CellsError> {
        if self.written.elapsed() < BETWEEN {
            return Ok(());
        }
        self.write(states, &stand())
    }

    fn write(&mut self, states: &[u32], stand: &Checkpoint) -> Result<(), CellsError> {
        let array = |values: Values| {
            Array::new(vec![values.len()], values).map_err(|error| CellsError::Request(error.to_string()))
        };
        let own =
            [self.digest, stand.step, u64::from(stand.passes_over), u64::from(stand.activities.is_some())];
        let arrays = [
            ("stand", array(Values::U64(own.to_vec()))?),
            ("labels", array(Values::U32(stand.labels.clone()))?),
            ("activities", array(Values::U32(stand.activities.clone().unwrap_or_default()))?),
            ("states", array(Values::U32(states.to_vec()))?),
        ];
        write_npz(&self.path, arrays.iter().map(|(name, array)| (*name, array)), Overwrite::Replace)?;
        self.written = Instant::now();
        Ok(())
    }

    /// The simulation is over: the file is not needed any more.
    pub(super) fn remove(&self) {
        // Where it cannot be removed, the next run of another request says so.
        drop(std::fs::remove_file(&self.path));
    }

    #[cfg(test)]
    pub(super) fn due(mut self) -> KeptSimulation {
        self.written = Instant::now().checked_sub(BETWEEN).unwrap_or(self.written);
        self
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_by_the_same_request_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("on-the-way.npz");
        let stand = Checkpoint {
            step: 7,
            labels: vec![0, 1, 2, 1],
            activities: Some(vec![0, 3, 0, 0]),
            passes_over: true,
        };
        let mut kept = KeptSimulation::of(&path, "one");
        assert!(kept.read(4, 8).unwrap().is_none());
        kept.keep(&[0, 1, 1, 1], || stand.clone()).unwrap();
        assert!(!path.exists(), "it was not time");
        kept = kept.due();
        kept.keep(&[0, 1, 1, 1], || stand.clone()).unwrap();
        let read = kept.read(4, 8).unwrap().unwrap();
        assert_eq!((read.states, read.checkpoint), (vec![0, 1, 1, 1], stand));
        let message = |kept: &KeptSimulation, sites| kept.read(sites, 8).err().unwrap().to_string();
        assert!(message(&KeptSimulation::of(&path, "other"), 4).contains("of another simulation"));
        assert!(message(&kept, 3).contains("no checkpoint"));
        std::fs::write(&path, "text").unwrap();
        assert!(message(&kept, 4).contains("on-the-way.npz"));
        kept.remove();
        assert!(!path.exists());
    }
}
