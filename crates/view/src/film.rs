//! Keeps the pictures that were shown, and makes a film of them.

use std::collections::VecDeque;

use glauber_report::colour::Rgb;
use glauber_report::frames::{Colouring, Film, FilmOptions};

use crate::plane::{Look, Plane};

/// More bytes of pictures than this are not kept: the oldest go.
const MOST_BYTES: usize = 64 << 20;
/// More pictures than this do not go into a film.
const MOST_PICTURES: usize = 600;

/// Pictures of one course, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Reel {
    pictures: VecDeque<Vec<Plane>>,
    bytes: usize,
}

impl Reel {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Reel::default();
    }

    /// Keeps a picture, and forgets the oldest where there is no room.
    pub(crate) fn keep(&mut self, planes: &[Plane]) {
        let size = |planes: &[Plane]| planes.iter().map(|p| p.bytes.len()).sum::<usize>();
        self.bytes += size(planes);
        self.pictures.push_back(planes.to_vec());
        while self.pictures.len() > 1 && (self.bytes > MOST_BYTES || self.pictures.len() > MOST_PICTURES) {
            self.bytes -= self.pictures.pop_front().map_or(0, |oldest| size(&oldest));
        }
    }

    /// The film of a layer (GIF), in the colours of the page; of a line the diagram of time against place (GIF of one picture).
    ///
    /// # Errors
    /// In words, where there is none.
    pub(crate) fn film(
        &self,
        layer: usize,
        look: &Look,
        height: usize,
        width: usize,
    ) -> Result<Vec<u8>, String> {
        let words = |error: glauber_report::frames::FrameError| error.to_string();
        let planes: Vec<&Plane> = self.pictures.iter().filter_map(|planes| planes.get(layer)).collect();
        let last = planes.last().ok_or("there is no picture yet")?;
        let colours = self.colouring(look, last).map_err(words)?;
        // The bytes of an earlier picture may be levels of a narrower range.
        let numbers = |plane: &Plane| -> Vec<f64> {
            let scale = if look.has_states() { 1.0 } else { (plane.high - plane.low) / 255.0 };
            let low = if look.has_states() { 0.0 } else { plane.low };
            plane.bytes.iter().map(|byte| low + f64::from(*byte) * scale).collect()
        };
        if height == 1 {
            let rows: Vec<f64> = planes.iter().flat_map(|plane| numbers(plane)).collect();
            let options = FilmOptions { legend: true, ..FilmOptions::default() };
            let mut film = Film::new(Vec::new(), planes.len(), width, colours, options).map_err(words)?;
            film.push(&rows).map_err(words)?;
            return film.finish().map_err(words);
        }
        let options = FilmOptions { legend: true, ..FilmOptions::default() };
        let mut film = Film::new(Vec::new(), height, width, colours, options).map_err(words)?;
        for plane in planes {
            film.push(&numbers(plane)).map_err(words)?;
        }
        film.finish().map_err(words)
    }

    fn colouring(&self, look: &Look, last: &Plane) -> Result<Colouring, glauber_report::frames::FrameError> {
        if look.has_states() {
            let colours: Vec<Rgb> = look.colours.iter().map(|hex| Rgb::hex(*hex)).collect();
            Ok(Colouring::categories_in(&colours)?.named(&look.labels).titled(&look.name))
        } else {
            Ok(Colouring::sequential(last.low, last.high)?.titled(&look.name))
        }
    }

    /// How many pictures there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.pictures.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_pictures_go() {
        let mut reel = Reel::default();
        for _ in 0..700 {
            reel.keep(&[Plane { low: 0.0, high: 1.0, bytes: vec![0; 100] }]);
        }
        assert_eq!(reel.len(), MOST_PICTURES);
        for _ in 0..3 {
            reel.keep(&[Plane { low: 0.0, high: 1.0, bytes: vec![0; MOST_BYTES] }]);
        }
        assert_eq!(reel.len(), 1);
    }

    #[test]
    fn a_film_is_a_gif() {
        let mut reel = Reel::default();
        let look = Look::of_states("x", vec!["a".into(), "b".into()], vec![0xffffff, 0x000000]);
        assert!(reel.film(0, &look, 2, 2).is_err());
        reel.keep(&[Plane { low: 0.0, high: 255.0, bytes: vec![0, 1, 1, 0] }]);
        assert!(reel.film(0, &look, 2, 2).unwrap().starts_with(b"GIF89a"));
        assert!(reel.film(0, &look, 1, 4).unwrap().starts_with(b"GIF89a"));
        assert!(reel.film(1, &look, 2, 2).is_err());
    }
}
