//! Lets a simulation carry on from the last states of an earlier one.

use std::path::Path;
use std::sync::Arc;

use glauber::data::arrays::{ReadLimits, read_arrays};
use glauber::engine::Run;
use glauber::program::Model;
use glauber::tasks::states::{
    States, StatesError, is_about_states, of_another_name, times_name, unread_arrays,
};

use crate::outcome::Failure;

/// The states that an earlier simulation left, and what of its file nobody reads.
pub struct Earlier(States, Vec<String>);

impl Earlier {
    /// Reads the states of a model from an NPZ as `simulate` writes it.
    ///
    /// # Errors
    /// Where the file holds no states of the model; those of another layer are none, though a fit takes them with a note.
    pub fn read(path: &Path, model: &Model) -> Result<Earlier, Failure> {
        let place = |problem: &dyn std::fmt::Display| {
            Failure::input(format!("--start {}: {problem}", path.display()))
        };
        let arrays = read_arrays(path, ReadLimits::default()).map_err(Failure::input)?;
        let declarations = model.declarations();
        if let (Some(_), [layer]) = (of_another_name(declarations, &arrays), &declarations.layers[..]) {
            let own = arrays.iter().map(|(name, _)| name.as_str());
            let own =
                own.filter(|name| *name != times_name(declarations) && !is_about_states(declarations, name));
            let names: Vec<String> = own.map(|name| format!("`{name}`")).collect();
            return Err(place(&format!(
                "it holds {}, but a run of model `{}` starts from `{}`: these are states of another model; where their numbers \
                 mean the same, write the file again with that name",
                names.join(", "),
                model.name(),
                layer.name
            )));
        }
        // Of a fit file's words, those of a command.
        let in_options = |e: StatesError| {
            e.to_string()
                .replace("set the lattice's shape under [model-options]", "set it by --option shape=[…]")
        };
        let states = States::from_arrays(declarations, &arrays).map_err(|e| place(&in_options(e)))?;
        let notes = unread_arrays(declarations, &arrays);
        Ok(Earlier(states, notes.iter().map(|note| format!("--start {}: {note}", path.display())).collect()))
    }

    /// Which arrays of the file are not read.
    pub fn unread(&self) -> &[String] {
        &self.1
    }

    /// That the states were left by a run under another update, where they were.
    pub fn of_another_update(&self, model: &Model) -> Option<String> {
        let told = self.0.of_another_update(model.update())?;
        Some(format!("{told}; the run carries on under its own"))
    }

    /// After how many steps the states were left.
    pub fn step(&self) -> u32 {
        self.0.steps.last().copied().unwrap_or(0)
    }

    /// How many realisations carry on where `asked` are asked for: one for each of the earlier ones; as many as asked
    /// where there was one.
    ///
    /// # Errors
    /// Where another number than that of the earlier ones is asked for.
    pub fn replicates(&self, asked: usize) -> Result<usize, Failure> {
        match self.0.runs {
            1 => Ok(asked),
            runs if asked == 1 || asked == runs => Ok(runs),
            runs => Err(Failure::input(format!(
                "--replicates {asked}: the states of --start are those of {runs} realisations, each of which carries on once: \
                 leave --replicates out"
            ))),
        }
    }

    /// The same run from these states: each replicate from the realisation of its number.
    pub fn carry_on<'a>(&self, run: Run<'a>) -> Run<'a> {
        let last = |replicate: usize| ((replicate % self.0.runs + 1) * self.0.times - 1) as u32;
        let picks = Arc::new((0..run.replicates).map(last).collect());
        run.start(self.0.pick(&picks)).first_step(self.step())
    }
}
