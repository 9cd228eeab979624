//! Records lattices that move, and makes films of them.

use glauber_engine::{Options, Plan, Run};
use glauber_models::{ModelOptions, named};
use glauber_report::frames::{Colouring, Film, FilmOptions, FrameError, Picture};
use glauber_tasks::states::States;
use serde::{Deserialize, Serialize};

use crate::error::ReproduceError;
use crate::part::Part;

/// Frames of one lattice, each row by row, values 0..=255.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recording {
    pub height: usize,
    pub width: usize,
    pub frames: Vec<Vec<u8>>,
}

/// A run of a catalogue model that is filmed.
#[derive(Clone, Debug)]
pub(crate) struct Take {
    pub model: &'static str,
    /// The model's first `parameters.len()` parameters; the others keep their defaults.
    pub parameters: Vec<f64>,
    pub steps: usize,
    /// Steps between two frames.
    pub every: usize,
    pub seed: u64,
}

impl Take {
    /// A part that records the first layer.
    pub(crate) fn part(self, name: &str, about: &str, weight: f64) -> Part {
        Part::new(name, about, format!("{self:?}"), weight, move |context| {
            let bar = context.progress(0, 1);
            let film = self.record()?;
            bar.finish(&format!("{} frames", film.frames.len()));
            Ok(film)
        })
    }

    fn record(&self) -> Result<Recording, ReproduceError> {
        let model = named(self.model, &ModelOptions::none()).map_err(ReproduceError::part)?;
        let &[height, width] = model.declarations().lattice.shape() else {
            return Err(ReproduceError::part(format!("{}: only planes are filmed", self.model)));
        };
        let defaults = model.declarations().parameters.iter().map(|p| p.default.unwrap_or(0.5));
        let mut parameters: Vec<f64> = defaults.collect();
        parameters.iter_mut().zip(&self.parameters).for_each(|(p, own)| *p = *own);
        let plan = Plan::new(&model, &[], None, Options::default()).map_err(ReproduceError::part)?;
        let run = Run::new(&parameters, self.steps).seed(self.seed);
        let states = States::record_every(&plan, &run, self.every).map_err(ReproduceError::part)?;
        let frame = |time: usize| -> Vec<u8> {
            let sites = time * states.sites..(time + 1) * states.sites;
            sites.map(|site| states.layers[0].at(site) as u8).collect()
        };
        Ok(Recording { height, width, frames: (0..states.times).map(frame).collect() })
    }
}

impl Recording {
    /// The film as a GIF file, `delay` milliseconds a frame, and the last frame as a picture.
    pub(crate) fn film(
        &self,
        colouring: &Colouring,
        delay: u32,
        enlarged: usize,
    ) -> Result<(Vec<u8>, Picture), FrameError> {
        let options = FilmOptions {
            enlarged: Some(enlarged),
            delay,
            time_bar: Some(self.frames.len()),
            ..FilmOptions::default()
        };
        let mut film = Film::new(Vec::new(), self.height, self.width, colouring.clone(), options)?;
        for frame in &self.frames {
            film.push(frame)?;
        }
        Ok((film.finish()?, self.still(self.frames.len().saturating_sub(1), colouring)?))
    }

    /// One frame as a picture.
    pub(crate) fn still(&self, frame: usize, colouring: &Colouring) -> Result<Picture, FrameError> {
        let empty = Vec::new();
        Picture::of(self.frames.get(frame).unwrap_or(&empty), self.height, self.width, colouring)
    }
}
