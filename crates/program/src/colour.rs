//! Reads the colours that a model says its states are drawn in.

use serde::{Deserialize, Serialize};

use crate::error::nearest_name;

/// A colour: red, green and blue in sRGB, each 0..=255.
///
/// ```
/// use glauber_program::Colour;
/// assert_eq!("#d7301f".parse(), Ok(Colour(0xd7, 0x30, 0x1f)));
/// assert_eq!("black".parse(), Ok(Colour(0, 0, 0)));
/// assert_eq!(Colour(0xd7, 0x30, 0x1f).to_string(), "#d7301f");
/// assert!("burning".parse::<Colour>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Colour(pub u8, pub u8, pub u8);

/// A text that names no colour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no colour{}: give \"#rrggbb\", or one of {}", match .nearest {
    Some(name) => format!(" (did you mean `{name}`?)"),
    None => String::new(),
}, NAMED.map(|(name, _)| name).join(", "))]
pub struct NoColour {
    /// The text.
    text: String,
    /// The name most like it.
    nearest: Option<String>,
}

/// Colours that have a name, after CSS; grey is spelt both ways.
const NAMED: [(&str, u32); 22] = [
    ("black", 0x000000),
    ("white", 0xffffff),
    ("grey", 0x808080),
    ("gray", 0x808080),
    ("silver", 0xc0c0c0),
    ("red", 0xff0000),
    ("crimson", 0xdc143c),
    ("brown", 0xa52a2a),
    ("orange", 0xffa500),
    ("gold", 0xffd700),
    ("yellow", 0xffff00),
    ("beige", 0xf5f5dc),
    ("olive", 0x808000),
    ("green", 0x008000),
    ("lime", 0x00ff00),
    ("teal", 0x008080),
    ("cyan", 0x00ffff),
    ("blue", 0x0000ff),
    ("navy", 0x000080),
    ("purple", 0x800080),
    ("magenta", 0xff00ff),
    ("pink", 0xffc0cb),
];

impl Colour {
    /// The colour written as one number, as `0xd7301f`.
    pub const fn hex(value: u32) -> Colour {
        let [_, red, green, blue] = value.to_be_bytes();
        Colour(red, green, blue)
    }
}

impl std::str::FromStr for Colour {
    type Err = NoColour;

    fn from_str(text: &str) -> Result<Colour, NoColour> {
        let own = text.trim().to_lowercase();
        if let Some(digits) = own.strip_prefix('#') {
            let wide = match digits.len() {
                3 => digits.chars().flat_map(|d| [d, d]).collect(),
                _ => digits.to_string(),
            };
            let hexadecimal = wide.len() == 6 && wide.bytes().all(|b| b.is_ascii_hexdigit());
            if let (true, Ok(value)) = (hexadecimal, u32::from_str_radix(&wide, 16)) {
                return Ok(Colour::hex(value));
            }
        }
        let found = NAMED.iter().find(|(name, _)| *name == own);
        found.map(|(_, value)| Colour::hex(*value)).ok_or_else(|| NoColour {
            text: text.to_string(),
            nearest: nearest_name(&own, NAMED.map(|(name, _)| name)),
        })
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}
