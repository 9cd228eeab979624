//! Draws the key to a picture's colours as a strip of pixels below it: states by name, or the ends of a range.

use crate::colour::Rgb;
use crate::frames::Colouring;
use crate::frames::letters::{ADVANCE, DOWN, inked, width_of, within};
use crate::plot::brief;

/// The narrowest strip; a picture that is narrower gets paper at its right.
pub(crate) const LEAST_WIDTH: usize = 240;
/// From this width on letters are twice as large.
const WIDE: usize = 480;
/// The colours of the strip: its ground and its letters.
pub(crate) const PAPER: Rgb = Rgb::hex(0xffffff);
pub(crate) const INK: Rgb = Rgb::hex(0x1b1f24);

/// Around the strip, between a swatch and its name, between entries, between lines.
const MARGIN: usize = 6;
const NEAR: usize = 4;
const FAR: usize = 12;
const LINE: usize = DOWN + 4;
/// A swatch, and the bar of a range.
const SWATCH: usize = 14;
const BAR: usize = 100;

/// Where a strip's colours stand in the palette of what it is drawn under.
pub(crate) trait Palette {
    /// The place of a colour.
    fn place(&mut self, colour: Rgb) -> u8;
}

/// Rows of places in a palette.
pub(crate) struct Strip {
    pub(crate) pixels: Vec<u8>,
    pub(crate) width: usize,
}

impl Strip {
    pub(crate) fn height(&self) -> usize {
        self.pixels.len() / self.width
    }
}

/// One piece of the strip, in unscaled pixels.
enum Piece {
    Text(String),
    /// A framed swatch and its name.
    State(Rgb, String),
    /// The colours of a range from left to right.
    Bar(Vec<Rgb>),
}

impl Piece {
    fn width(&self) -> usize {
        match self {
            Piece::Text(text) => width_of(text),
            Piece::State(_, name) => SWATCH + NEAR + width_of(name),
            Piece::Bar(colours) => colours.len(),
        }
    }
}

/// The key to `colouring`, as wide as asked or a little wider.
pub(crate) fn strip(colouring: &Colouring, width: usize, palette: &mut impl Palette) -> Strip {
    let width = width.max(LEAST_WIDTH);
    let scale = if width >= WIDE { 2 } else { 1 };
    let inner = width / scale - 2 * MARGIN;
    let (mut lines, mut x) = (1, 0);
    let mut placed = Vec::new();
    for piece in pieces(colouring, inner) {
        if x > 0 && x + piece.width() > inner {
            (lines, x) = (lines + 1, 0);
        }
        let next = x + piece.width() + if colouring.range().is_some() { NEAR } else { FAR };
        placed.push((piece, x, lines - 1));
        x = next;
    }
    let height = 2 * MARGIN + lines * LINE - (LINE - DOWN);
    let mut canvas = Canvas {
        pixels: vec![palette.place(PAPER); width * height * scale],
        width,
        scale,
        ink: palette.place(INK),
    };
    canvas.pixels.resize(width * height * scale, palette.place(PAPER));
    for (piece, x, line) in placed {
        canvas.draw(&piece, MARGIN + x, MARGIN + line * LINE, palette);
    }
    Strip { pixels: canvas.pixels, width }
}

/// What the strip says, from left to right.
fn pieces(colouring: &Colouring, inner: usize) -> Vec<Piece> {
    let most = inner / ADVANCE;
    let title = colouring.title();
    let mut pieces = Vec::new();
    if !title.is_empty() {
        pieces.push(Piece::Text(within(&format!("{title}:"), most)));
    }
    match colouring.range() {
        Some((lo, hi)) => {
            let colour = |i: usize| colouring.colour(lo + (i as f64 + 0.5) / BAR as f64 * (hi - lo));
            let bar = Piece::Bar((0..BAR.min(inner)).map(colour).collect());
            pieces.extend([Piece::Text(brief(lo)), bar, Piece::Text(brief(hi))]);
        }
        None => {
            let letters = inner.saturating_sub(SWATCH + NEAR) / ADVANCE;
            let state =
                |(k, name): (usize, String)| Piece::State(colouring.colour(k as f64), within(&name, letters));
            pieces.extend(colouring.labels().into_iter().enumerate().map(state));
        }
    }
    pieces
}

struct Canvas {
    pixels: Vec<u8>,
    width: usize,
    scale: usize,
    ink: u8,
}

impl Canvas {
    /// Colours an unscaled pixel.
    fn dot(&mut self, x: usize, y: usize, colour: u8) {
        for row in y * self.scale..(y + 1) * self.scale {
            for column in (x * self.scale..(x + 1) * self.scale).filter(|c| *c < self.width) {
                if let Some(pixel) = self.pixels.get_mut(row * self.width + column) {
                    *pixel = colour;
                }
            }
        }
    }

    fn draw(&mut self, piece: &Piece, x: usize, y: usize, palette: &mut impl Palette) {
        match piece {
            Piece::Text(text) => self.text(text, x, y),
            Piece::State(colour, name) => {
                let colour = palette.place(*colour);
                for (row, column) in (0..DOWN).flat_map(|row| (0..SWATCH).map(move |column| (row, column))) {
                    let edge = row == 0 || row == DOWN - 1 || column == 0 || column == SWATCH - 1;
                    self.dot(x + column, y + row, if edge { self.ink } else { colour });
                }
                self.text(name, x + SWATCH + NEAR, y + 1);
            }
            Piece::Bar(colours) => {
                for (column, colour) in colours.iter().enumerate() {
                    let colour = palette.place(*colour);
                    (0..DOWN).for_each(|row| self.dot(x + column, y + row, colour));
                }
            }
        }
    }

    fn text(&mut self, text: &str, x: usize, y: usize) {
        for (number, letter) in text.chars().enumerate() {
            for (row, column) in (0..DOWN).flat_map(|row| (0..ADVANCE).map(move |column| (row, column))) {
                if inked(letter, row, column) {
                    self.dot(x + number * ADVANCE + column, y + row, self.ink);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::frames::Picture;
    use glauber_lattice::Values;
    use glauber_program::{Colour, Layer};

    fn fire() -> Colouring {
        let mut layer = Layer::new("state", Values::categories(&["tree", "burning", "burnt"]));
        layer.colours = vec![Some(Colour::hex(0x9ccb86)), Some(Colour::hex(0xe0401a))];
        Colouring::of_layer(&layer, 0.0, 1.0).unwrap()
    }

    /// Reads a line of the strip back: the text whose letters stand at this place.
    fn read(picture: &Picture, x: usize, y: usize, scale: usize, letters: usize) -> String {
        let rgba = picture.rgba();
        let ink = |column: usize, row: usize| {
            let at = 4 * ((y + row * scale) * picture.width() + x + column * scale);
            rgba[at..at + 3] == [INK.0, INK.1, INK.2]
        };
        let letter = |number: usize| {
            let fits = |c: &char| {
                (0..DOWN).all(|r| (0..ADVANCE).all(|k| inked(*c, r, k) == ink(number * ADVANCE + k, r)))
            };
            (' '..='~').find(fits).unwrap_or('?')
        };
        (0..letters).map(letter).collect()
    }

    #[test]
    fn states_stand_below_with_their_names_and_colours() {
        let lattice: Vec<u8> = (0..64 * 64).map(|site| (site % 3) as u8).collect();
        let picture = Picture::of(&lattice, 64, 64, &fire()).unwrap().enlarged_for_eyes().unwrap();
        let keyed = picture.with_legend(&fire()).unwrap();
        assert_eq!(keyed.width(), 512);
        let top = picture.height();
        assert_eq!(keyed.rgba()[..4 * 512 * top], picture.rgba()[..]);
        let mut x = 2 * MARGIN;
        assert_eq!(read(&keyed, x, top + 2 * MARGIN, 2, 6), "state:");
        x += 2 * (width_of("state:") + FAR);
        for (name, colour) in [("tree", 0x9ccb86), ("burning", 0xe0401a), ("burnt", 0xd55e00)] {
            let Rgb(r, g, b) = Rgb::hex(colour);
            let at = 4 * ((top + 2 * (MARGIN + DOWN / 2)) * 512 + x + SWATCH);
            assert_eq!(keyed.rgba()[at..at + 3], [r, g, b], "{name}");
            let letters = read(&keyed, x + 2 * (SWATCH + NEAR), top + 2 * (MARGIN + 1), 2, name.len());
            assert_eq!(letters, name);
            x += 2 * (SWATCH + NEAR + width_of(name) + FAR);
        }
    }

    #[test]
    fn ranges_show_their_ends() {
        let counts = Colouring::sequential(0.0, 50.0).unwrap().titled("A");
        let picture =
            Picture::of(&[0.0; 300 * 300], 300, 300, &counts).unwrap().with_legend(&counts).unwrap();
        let y = 300 + MARGIN;
        assert_eq!(read(&picture, MARGIN, y, 1, 2), "A:");
        let bar = MARGIN + width_of("A:") + NEAR + width_of("0") + NEAR;
        let pixel = |x: usize| picture.rgba()[4 * (y * picture.width() + x)..][..3].to_vec();
        let of = |value: f64| {
            let Rgb(r, g, b) = counts.colour(value);
            vec![r, g, b]
        };
        assert_eq!((pixel(bar), pixel(bar + BAR - 1)), (of(0.25), of(49.75)));
        assert_eq!(read(&picture, bar + BAR + NEAR, y, 1, 2), "50");
    }

    #[test]
    fn any_names_in_any_picture_have_a_key() {
        let names = |count: usize, length: usize| -> Vec<String> {
            (0..count).map(|k| format!("{k}{}", "ü森x ".repeat(length))).collect()
        };
        for count in [1, 2, 7, 200] {
            for length in [0, 1, 300] {
                let colouring =
                    Colouring::categories(count).unwrap().named(&names(count, length)).titled("zustand");
                for (height, width) in [(1, 1), (3, 700), (700, 3)] {
                    let picture = Picture::of(&vec![0u8; height * width], height, width, &colouring).unwrap();
                    let keyed = picture.with_legend(&colouring).unwrap();
                    assert!(keyed.height() > height && keyed.width() == width.max(LEAST_WIDTH));
                    assert!(keyed.to_png().is_ok());
                }
            }
        }
    }
}
