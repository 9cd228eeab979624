//! Says what a page and its session tell one another.

use serde::Deserialize;

use crate::plane::Plane;

/// What a page asks for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Wish {
    /// Run on.
    Play,
    /// Stand still.
    Pause,
    /// One step, then stand still.
    Step,
    /// From the start again, with a seed (as text: a page's numbers are not exact beyond 2⁵³).
    Restart {
        /// The seed.
        seed: String,
    },
    /// How many steps a second; 0 for as many as can be.
    Speed {
        /// Steps a second.
        steps: f64,
    },
    /// A parameter's value.
    Set {
        /// Its name.
        name: String,
        /// Its value.
        value: f64,
    },
    /// An option's value; the model is made anew.
    Option {
        /// Its name.
        name: String,
        /// Its value.
        value: OptionWish,
    },
    /// What is drawn as curves; nothing for the usual.
    Curves {
        /// Summaries.
        of: Vec<String>,
    },
    /// Which plane of a volume is shown.
    Slice {
        /// Its number.
        plane: usize,
    },
    /// What is at a site.
    Site {
        /// Its place in the lattice.
        place: usize,
    },
    /// A film of what was shown.
    Film {
        /// Which layer.
        layer: u8,
    },
    /// The parameters that a fit had at a row of its course, from the start.
    Course {
        /// Which fit's.
        fit: usize,
        /// Which row of it.
        row: usize,
    },
    /// A picture has been drawn; the next may come.
    Drawn,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum OptionWish {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A word.
    Word(String),
}

/// What a binary message is: the first byte.
const PICTURE: u8 = 1;
const FILM: u8 = 2;

/// A picture: kind, 3 bytes of nothing, course (u32), step (f64), numbers of curves (u32), layers (u32), the numbers (f64 each), for
/// every layer its range (two f64), then the bytes of all layers. Little-endian. `course` counts restarts, so that
/// a page knows which curve a number belongs to.
pub(crate) fn picture(course: u32, step: u64, numbers: &[f64], planes: &[Plane]) -> Vec<u8> {
    let bytes: usize = planes.iter().map(|p| p.bytes.len() + 16).sum();
    let mut message = Vec::with_capacity(24 + 8 * numbers.len() + bytes);
    message.extend([PICTURE, 0, 0, 0]);
    message.extend(course.to_le_bytes());
    message.extend((step as f64).to_le_bytes());
    message.extend((numbers.len() as u32).to_le_bytes());
    message.extend((planes.len() as u32).to_le_bytes());
    numbers.iter().for_each(|number| message.extend(number.to_le_bytes()));
    for plane in planes {
        message.extend(plane.low.to_le_bytes());
        message.extend(plane.high.to_le_bytes());
    }
    planes.iter().for_each(|plane| message.extend(&plane.bytes));
    message
}

/// A film: kind, layer, then the GIF.
pub(crate) fn film(layer: u8, gif: &[u8]) -> Vec<u8> {
    [&[FILM, layer], gif].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_and_nonsense_is_not() {
        let read = |text: &str| serde_json::from_str::<Wish>(text).ok();
        assert_eq!(read(r#"{"do":"play"}"#), Some(Wish::Play));
        assert_eq!(
            read(r#"{"do":"set","name":"b","value":0.5}"#),
            Some(Wish::Set { name: "b".into(), value: 0.5 })
        );
        let flag = Wish::Option { name: "x".into(), value: OptionWish::Flag(true) };
        assert_eq!(read(r#"{"do":"option","name":"x","value":true}"#), Some(flag));
        for bad in [
            "",
            "{}",
            r#"{"do":"fly"}"#,
            r#"{"do":"set","name":1,"value":0}"#,
            r#"{"do":"slice","plane":-1}"#,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_picture_is_as_long_as_it_says() {
        let plane = Plane { low: 0.0, high: 1.0, bytes: vec![7; 6] };
        let message = picture(3, 9, &[0.5], &[plane.clone(), plane]);
        assert_eq!(message.len(), 24 + 8 + 2 * (16 + 6));
        assert_eq!(message[8..16], 9.0_f64.to_le_bytes());
    }
}
