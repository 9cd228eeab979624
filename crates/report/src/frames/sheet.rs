//! Lays out several pictures in a grid, each with a caption, and a key to their colours, as one SVG.

use std::path::Path;

use crate::colour::{AXIS, MUTED, PAPER, TEXT};
use crate::frames::{Colouring, FrameError, Picture};
use crate::plot::brief;
use crate::svg::{self, Svg, base64, px, shortened, wrapped};
use glauber_files::run_folder as files;

/// Pictures side by side, with captions whose letters stay letters.
///
/// ```
/// use glauber_report::frames::{Colouring, ContactSheet, Picture};
/// let colouring = Colouring::sequential(0.0, 3.0)?;
/// let mut sheet = ContactSheet::new("Density", 2).key("particles", &colouring);
/// for step in 0..4u8 {
///     let picture = Picture::of(&[step; 64], 8, 8, &colouring)?;
///     sheet = sheet.with(&picture, format!("step {step}"))?;
/// }
/// assert!(sheet.to_svg().contains("step 3"));
/// # Ok::<(), glauber_report::frames::FrameError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ContactSheet {
    title: String,
    columns: usize,
    tiles: Vec<Tile>,
    key: Option<Key>,
}

#[derive(Debug, Clone)]
struct Tile {
    png: String,
    height: usize,
    width: usize,
    caption: String,
}

#[derive(Debug, Clone)]
struct Key {
    name: String,
    /// Names of the categories; none for a range.
    categories: Vec<String>,
    colouring: Colouring,
}

/// Width of a picture on the sheet, in user units, and the gaps around it.
const TILE: f64 = 180.0;
const GAP: f64 = 14.0;
const TITLE_SIZE: f64 = 16.0;
const SIZE: f64 = 13.0;
const KEY_WIDTH: f64 = 160.0;

impl ContactSheet {
    /// A sheet with `columns` pictures side by side (at least 1); the title may be empty.
    pub fn new(title: impl Into<String>, columns: usize) -> Self {
        Self { title: title.into(), columns: columns.max(1), tiles: Vec::new(), key: None }
    }

    /// Adds a picture with its caption.
    ///
    /// # Errors
    /// [`FrameError::Encoding`] if the picture cannot be encoded, [`FrameError::TooLarge`] if not enlarged.
    pub fn with(mut self, picture: &Picture, caption: impl Into<String>) -> Result<Self, FrameError> {
        // Enlarged here, and not by the reader's program, which may blur what it enlarges.
        let times = (2.0 * TILE) as usize / picture.width().max(picture.height());
        let png = base64(&picture.enlarged(times.max(1))?.to_png()?);
        let (height, width) = (picture.height(), picture.width());
        self.tiles.push(Tile { png, height, width, caption: caption.into() });
        Ok(self)
    }

    /// Adds a key to the colours of numbers along a range, or to states by their names (by their numbers, where they have
    /// none).
    pub fn key(mut self, name: impl Into<String>, colouring: &Colouring) -> Self {
        let categories = colouring.labels();
        self.key = Some(Key { name: name.into(), categories, colouring: colouring.clone() });
        self
    }

    /// Adds a key to the colours of states, by their names, the first for 0.
    pub fn key_to_states(mut self, names: &[&str], colouring: &Colouring) -> Self {
        let categories = names.iter().map(ToString::to_string).collect();
        self.key = Some(Key { name: String::new(), categories, colouring: colouring.clone() });
        self
    }

    /// The sheet, as the text of an SVG file.
    pub fn to_svg(&self) -> String {
        let columns = self.columns.min(self.tiles.len()).max(1);
        let width = GAP + columns as f64 * (TILE + GAP);
        let title = wrapped(&self.title, TITLE_SIZE * 1.16, width - 2.0 * GAP);
        let header = GAP + 1.35 * TITLE_SIZE * title.len() as f64 + if title.is_empty() { 0.0 } else { 6.0 };
        let rows: Vec<f64> = self.tiles.chunks(columns).map(row_height).collect();
        let key_height = if self.key.is_some() { 34.0 + 18.0 * self.key_rows(width) } else { 0.0 };
        let height = header + rows.iter().sum::<f64>() + key_height;

        let mut svg = Svg::default();
        svg.open("svg")
            .with("xmlns", "http://www.w3.org/2000/svg")
            .px("width", width)
            .px("height", height)
            .with("viewBox", &format!("0 0 {} {}", px(width), px(height)))
            .with("role", "img")
            .with("font-family", svg::FONTS);
        svg.title(&self.title);
        svg.raw(&format!("<style>{}</style>\n", svg::STYLE));
        svg.empty("rect").with("width", "100%").with("height", "100%").fill(PAPER);
        for (line, words) in title.iter().enumerate() {
            let baseline = GAP + TITLE_SIZE * (0.9 + 1.35 * line as f64);
            let text = svg.open("text").px("x", GAP).px("y", baseline).px("font-size", TITLE_SIZE);
            text.with("font-weight", "600").fill(TEXT);
            svg.words(words);
            svg.close();
        }
        let mut top = header;
        for (tiles, height) in self.tiles.chunks(columns).zip(&rows) {
            for (column, tile) in tiles.iter().enumerate() {
                tile.draw(&mut svg, GAP + column as f64 * (TILE + GAP), top);
            }
            top += height;
        }
        if let Some(key) = &self.key {
            key.draw(&mut svg, top, width);
        }
        svg.finish()
    }

    fn key_rows(&self, width: f64) -> f64 {
        let Some(key) = &self.key else { return 0.0 };
        key.places(width).last().map_or(0.0, |(_, row)| *row as f64)
    }

    /// Writes the sheet to `path`, whole or not at all.
    ///
    /// # Errors
    /// [`FrameError::File`] if it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), FrameError> {
        Ok(files::write_whole(path, self.to_svg())?)
    }
}

/// The height of a row of tiles with their captions.
fn row_height(tiles: &[Tile]) -> f64 {
    let height = |tile: &Tile| tile.size().1 + 1.35 * SIZE * tile.caption_lines().len() as f64;
    tiles.iter().map(height).fold(0.0, f64::max) + 6.0 + GAP
}

impl Tile {
    /// Width and height on the sheet.
    fn size(&self) -> (f64, f64) {
        let scale = TILE / self.width.max(self.height) as f64;
        // A space–time diagram of few sites and many steps must not become a thread.
        let long = |length: usize| (scale * length as f64).max(TILE / 8.0);
        (long(self.width), long(self.height))
    }

    fn caption_lines(&self) -> Vec<String> {
        wrapped(&self.caption, SIZE, TILE)
    }

    fn draw(&self, svg: &mut Svg, x: f64, y: f64) {
        let (width, height) = self.size();
        svg.open("image")
            .px("x", x)
            .px("y", y)
            .px("width", width)
            .px("height", height)
            .with("preserveAspectRatio", "none")
            .with("image-rendering", "pixelated")
            .with("href", &format!("data:image/png;base64,{}", self.png));
        svg.title(&self.caption);
        svg.close();
        let frame = svg.empty("rect").px("x", x).px("y", y).px("width", width).px("height", height);
        frame.with("fill", "none").px("stroke-width", 0.7).stroke(AXIS);
        for (line, words) in self.caption_lines().iter().enumerate() {
            let baseline = y + height + SIZE * (1.35 * line as f64 + 1.35);
            svg.open("text").px("x", x).px("y", baseline).px("font-size", SIZE).fill(MUTED);
            svg.words(words);
            svg.close();
        }
    }
}

impl Key {
    /// Place and row of each category's name.
    fn places(&self, width: f64) -> Vec<(f64, usize)> {
        let (mut x, mut row) = (GAP, 0);
        let place = |name: &String| {
            let needed = 24.0 + svg::text_width(name, SIZE);
            if x > GAP && x + needed > width - GAP {
                (x, row) = (GAP, row + 1);
            }
            let place = (x, row);
            x += needed + 14.0;
            place
        };
        self.categories.iter().map(place).collect()
    }

    fn draw(&self, svg: &mut Svg, top: f64, width: f64) {
        let text = |svg: &mut Svg, x: f64, y: f64, words: &str| {
            svg.open("text").px("x", x).px("y", y).px("font-size", SIZE).fill(MUTED);
            svg.words(words);
            svg.close();
        };
        for (state, (name, (x, row))) in self.categories.iter().zip(self.places(width)).enumerate() {
            let y = top + 18.0 * row as f64;
            let colour = self.colouring.colour(state as f64).to_string();
            let swatch = svg.empty("rect").px("x", x).px("y", y).px("width", 16.0).px("height", 12.0);
            swatch.with("fill", &colour).px("stroke-width", 0.7).stroke(AXIS);
            text(svg, x + 22.0, y + 11.0, &shortened(name, SIZE, width - 2.0 * GAP - 24.0));
        }
        let Some((lo, hi)) = self.colouring.range() else { return };
        // Steps, not a gradient: a gradient needs a name, and names collide where pictures share a page.
        const STEPS: usize = 64;
        let step = KEY_WIDTH / STEPS as f64;
        for index in 0..STEPS {
            let share = (index as f64 + 0.5) / STEPS as f64;
            let colour = self.colouring.colour(lo + share * (hi - lo)).to_string();
            let stripe = svg.empty("rect").px("x", GAP + step * index as f64).px("y", top);
            // Each reaches to the end and the next covers it: light shows between colours that only meet.
            let rest = KEY_WIDTH - step * index as f64;
            stripe.px("width", rest).px("height", 12.0).with("fill", &colour);
        }
        text(svg, GAP, top + 26.0, &brief(lo));
        let high = brief(hi);
        text(svg, GAP + KEY_WIDTH - svg::text_width(&high, SIZE) * 0.95, top + 26.0, &high);
        text(svg, GAP + KEY_WIDTH + 10.0, top + 11.0, &self.name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn picture(height: usize, width: usize) -> Picture {
        Picture::of(&vec![1.0; height * width], height, width, &Colouring::binary()).unwrap()
    }

    #[test]
    fn a_sheet_holds_every_picture_and_caption_inside_its_frame() {
        let mut sheet = ContactSheet::new("<A sheet> & more", 3).key("aware", &Colouring::binary());
        for index in 0..7 {
            sheet = sheet.with(&picture(8, 8), format!("step {index}")).unwrap();
        }
        let text = sheet.to_svg();
        let elements = crate::xml::elements(&text);
        let images: Vec<_> = elements.iter().filter(|element| element.name == "image").collect();
        assert_eq!(images.len(), 7);
        let frame = &elements[0];
        let mut places = std::collections::HashSet::new();
        for image in images {
            let [x, y, w, h] = ["x", "y", "width", "height"].map(|name| image.number(name));
            assert!(
                x >= 0.0 && x + w <= frame.number("width") && y >= 0.0 && y + h <= frame.number("height")
            );
            assert!(places.insert((x as i64, y as i64)), "two pictures in one place");
            assert!(image.attribute("href").starts_with("data:image/png;base64,iVBOR"));
        }
        for index in 0..7 {
            assert!(text.contains(&format!("step {index}</text>")), "caption {index}");
        }
        assert!(text.contains("&lt;A sheet&gt; &amp; more"));
    }

    #[test]
    fn keys_name_every_state_or_the_ends_of_the_range() {
        let states = Colouring::categories(3).unwrap();
        let text = ContactSheet::new("", 1).with(&picture(2, 2), "").unwrap();
        let named = text.clone().key_to_states(&["susceptible", "infected", "recovered"], &states).to_svg();
        for name in ["susceptible", "infected", "recovered"] {
            assert!(named.contains(name));
        }
        let range = text.key("particles", &Colouring::sequential(0.0, 50.0).unwrap()).to_svg();
        assert!(
            range.contains(">0</text>")
                && range.contains(">50</text>")
                && range.contains(">particles</text>")
        );
    }

    #[test]
    fn an_empty_sheet_and_extreme_shapes_are_still_pictures() {
        assert!(!crate::xml::elements(&ContactSheet::new("nothing", 3).to_svg()).is_empty());
        let sheet = ContactSheet::new("", 2).with(&picture(1000, 2), "thread").unwrap();
        let text = sheet.with(&picture(1, 1), "point").unwrap().to_svg();
        let elements = crate::xml::elements(&text);
        for image in elements.iter().filter(|element| element.name == "image") {
            assert!(image.number("width") >= 20.0 && image.number("height") >= 20.0);
        }
    }
}
