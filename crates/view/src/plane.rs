//! Makes bytes of a layer's numbers, one for each site, and says which colour each byte has.

use glauber_lattice::Values;
use glauber_program::Layer;
use glauber_report::frames::{Colouring, FrameError};

/// A layer as bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plane {
    /// What byte 0 stands for where bytes are levels of a range.
    pub(crate) low: f64,
    /// What byte 255 stands for.
    pub(crate) high: f64,
    /// One for each site that is shown.
    pub(crate) bytes: Vec<u8>,
}

/// How a layer is shown.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) name: String,
    /// The states' names, where there are states.
    pub(crate) labels: Vec<String>,
    /// The colours of the bytes, 0xrrggbb.
    pub(crate) colours: Vec<u32>,
    /// Where bytes are levels: the range so far. It only widens, so that a colour keeps its meaning for the eye.
    range: Option<(f64, f64)>,
}

impl Look {
    /// The look of a layer: its states in the colours that pictures of it have, other numbers along a scale.
    /// More states than there are colours are numbers.
    pub(crate) fn of_layer(layer: &Layer) -> Look {
        let usual = |_: FrameError| Colouring::sequential(0.0, 255.0);
        let Ok(colouring) = Colouring::of_layer(layer, 0.0, 255.0).or_else(usual) else {
            return Look::of_states(&layer.name, Vec::new(), vec![0x80_8080; 256]);
        };
        let states = colouring.count();
        let range = match &layer.values {
            _ if states.is_some() => None,
            Values::Integers { lowest, highest } if highest - lowest <= 100 => {
                Some((f64::from(*lowest), f64::from(*highest)))
            }
            _ => Some((f64::INFINITY, f64::NEG_INFINITY)),
        };
        let bytes = states.unwrap_or(256);
        let hex = |byte: usize| {
            let rgb = colouring.colour(byte as f64);
            u32::from(rgb.0) << 16 | u32::from(rgb.1) << 8 | u32::from(rgb.2)
        };
        let labels = match &layer.values {
            Values::Binary => vec![format!("no {}", layer.name), layer.name.clone()],
            _ => colouring.labels(),
        };
        Look { name: layer.name.clone(), labels, colours: (0..bytes).map(hex).collect(), range }
    }

    /// The same look under another name.
    pub(crate) fn named(self, name: &str) -> Look {
        Look { name: name.to_string(), ..self }
    }

    /// The look of bytes that are states, in given colours.
    pub(crate) fn of_states(name: &str, labels: Vec<String>, colours: Vec<u32>) -> Look {
        Look { name: name.to_string(), labels, colours, range: None }
    }

    /// Whether bytes are states.
    pub(crate) fn has_states(&self) -> bool {
        self.range.is_none()
    }

    /// The bytes of these numbers.
    pub(crate) fn plane(&mut self, numbers: &[f64]) -> Plane {
        let Some((mut low, mut high)) = self.range else {
            let last = self.colours.len().saturating_sub(1) as f64;
            let bytes = numbers.iter().map(|x| x.clamp(0.0, last).round() as u8).collect();
            return Plane { low: 0.0, high: 255.0, bytes };
        };
        for x in numbers.iter().filter(|x| x.is_finite()) {
            low = low.min(*x);
            high = high.max(*x);
        }
        self.range = Some((low, high));
        let (low, high) = match (low, high) {
            (low, high) if low < high => (low, high),
            (low, _) if low.is_finite() => (low, low + 1.0),
            _ => (0.0, 1.0),
        };
        let scale = 255.0 / (high - low);
        let bytes = numbers.iter().map(|x| ((x - low) * scale).round().clamp(0.0, 255.0) as u8).collect();
        Plane { low, high, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_their_numbers() {
        let layer = Layer::new("health", Values::categories(&["well", "ill", "dead"]));
        let mut look = Look::of_layer(&layer);
        assert_eq!((look.labels.len(), look.colours.len(), look.has_states()), (3, 3, true));
        assert_eq!(look.plane(&[0.0, 2.0, 1.0]).bytes, [0, 2, 1]);
    }

    #[test]
    fn a_range_widens_and_never_shrinks() {
        let mut look = Look::of_layer(&Layer::new("u", Values::Real));
        assert_eq!(look.plane(&[0.0, 1.0]).bytes, [0, 255]);
        let plane = look.plane(&[0.5, 0.5]);
        assert_eq!((plane.low, plane.high, &plane.bytes[..]), (0.0, 1.0, &[128, 128][..]));
        let plane = look.plane(&[-1.0, 0.0]);
        assert_eq!((plane.low, plane.high, &plane.bytes[..]), (-1.0, 1.0, &[0, 128][..]));
        let plane = look.plane(&[f64::NAN, 0.0]);
        assert_eq!((plane.low, plane.bytes[1]), (-1.0, 128));
    }

    #[test]
    fn a_field_of_one_number_has_a_range() {
        let mut look = Look::of_layer(&Layer::new("u", Values::Real));
        assert_eq!(look.plane(&[3.0, 3.0]), Plane { low: 3.0, high: 4.0, bytes: vec![0, 0] });
    }
}
