//! Writes a page that holds everything: prose, curves, lattices, films, tables, in one file without a network.
//!
//! The page follows the reader's light or dark setting, fits a phone and a wide screen, and shows every figure
//! and number without JavaScript; with it, pointing at a curve (or the arrow keys) tells the values. Everything
//! given as words is escaped. The page forbids itself to load anything from elsewhere.
//!
//! ```
//! use glauber_report::html::{Claim, Page, Section, Verdict};
//! use glauber_report::plot::{Figure, Panel};
//! let figure = Figure::new("").panel(Panel::new("").x("step").y("β").line("fit", &[0.0, 1.0], &[0.9, 0.3]));
//! let page = Page::new("Recovery of β").lead("One parameter, found again.").section(
//!     Section::new("Transition").prose("The fit starts at 0.9.").figure(&figure, "The course of β.")?.claims(&[Claim {
//!         claim: "β is recovered".into(),
//!         said: "0.3".into(),
//!         measured: "0.3002 ± 0.0004".into(),
//!         verdict: Verdict::Holds,
//!         note: String::new(),
//!         seconds: Some(1.3),
//!     }]),
//! );
//! let html = page.to_html();
//! assert!(html.contains("✓ holds"));
//! # Ok::<(), glauber_report::plot::PlotError>(())
//! ```

use std::path::Path;

use crate::frames::{Colouring, FrameError, Picture};
use crate::plot::{Figure, PlotError, SeriesNumbers, brief};
use crate::svg::{STYLE, base64, escape};
use glauber_files::run_folder::{self as files, FileError};

mod table;

pub use table::{Claim, Table, Verdict};

const CSS: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("hover.js");

/// A page: a title, a few words, sections.
#[derive(Debug, Clone, Default)]
pub struct Page {
    title: String,
    lead: String,
    sections: Vec<Section>,
    footer: String,
}

/// A part of a page under a heading of its own.
#[derive(Debug, Clone, Default)]
pub struct Section {
    title: String,
    blocks: Vec<Block>,
}

/// What stands in a section, as HTML; pictures that follow one another stand side by side.
#[derive(Debug, Clone)]
enum Block {
    Html(String),
    Picture(String),
}

impl Page {
    /// An empty page.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// The words under the title.
    pub fn lead(mut self, words: impl Into<String>) -> Self {
        self.lead = words.into();
        self
    }

    /// Adds a section after the others.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// The words at the end: version, seed, how to make the page again.
    pub fn footer(mut self, words: impl Into<String>) -> Self {
        self.footer = words.into();
        self
    }

    /// The page, as the text of an HTML file (which is also well-formed XML).
    pub fn to_html(&self) -> String {
        let title = escape(&self.title);
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\"><head><meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
             style-src 'unsafe-inline'; script-src 'unsafe-inline'\"/>\n\
             <title>{title}</title>\n<style>\n{CSS}{STYLE}\n</style></head>\n<body><header><h1>{title}</h1>\n"
        );
        html.push_str(&paragraphs(&self.lead, " class=\"lead\""));
        if self.sections.len() > 1 {
            html.push_str("<nav aria-label=\"Sections\"><ul>");
            for (number, section) in self.sections.iter().enumerate() {
                html.push_str(&format!("<li><a href=\"#part-{number}\">{}</a></li>", escape(&section.title)));
            }
            html.push_str("</ul></nav>");
        }
        html.push_str("</header>\n<main>\n");
        for (number, section) in self.sections.iter().enumerate() {
            html.push_str(&format!("<section id=\"part-{number}\"><h2>{}</h2>\n", escape(&section.title)));
            section.write(&mut html);
            html.push_str("</section>\n");
        }
        html.push_str("</main>\n<footer>");
        html.push_str(&paragraphs(&self.footer, ""));
        html.push_str("</footer>\n<script>//<![CDATA[\n");
        html.push_str(SCRIPT);
        html.push_str("//]]></script></body></html>\n");
        html
    }

    /// Writes the page to `path`, whole or not at all.
    ///
    /// # Errors
    /// [`FileError`] if the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        files::write_whole(path, self.to_html())
    }
}

impl Section {
    /// An empty section.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Adds prose; an empty line begins a new paragraph.
    pub fn prose(self, words: &str) -> Self {
        self.html(paragraphs(words, ""))
    }

    /// Adds a command or a piece of a file, letter by letter.
    pub fn code(self, text: &str) -> Self {
        self.html(format!("<pre><code>{}</code></pre>\n", escape(text)))
    }

    /// Adds a figure, its panels side by side where there is room, with a caption and its main numbers.
    ///
    /// # Errors
    /// As [`Figure::to_svg`].
    pub fn figure(self, figure: &Figure, caption: &str) -> Result<Self, PlotError> {
        let panels = figure.to_panels()?;
        let size = match panels.len() {
            1 => "one",
            2 => "few",
            _ => "many",
        };
        let mut html = format!("<figure class=\"{size}\">");
        if !figure.title().is_empty() {
            html.push_str(&format!("<p class=\"figure-title\">{}</p>", escape(figure.title())));
        }
        html.push_str(&format!("<div class=\"panels {size}\">\n"));
        for panel in panels {
            html.push_str(&format!("<div class=\"panel\">{panel}</div>\n"));
        }
        html.push_str("</div>");
        html.push_str(&figcaption(caption));
        html.push_str(&numbers_to_html(&figure.numbers()));
        html.push_str("</figure>\n");
        Ok(self.html(html))
    }

    /// Adds a picture of a lattice or image with its caption; `words` say what it shows to who cannot see it.
    ///
    /// # Errors
    /// [`FrameError::Encoding`] if it cannot be encoded.
    pub fn picture(mut self, picture: &Picture, words: &str, caption: &str) -> Result<Self, FrameError> {
        let image = image(&data("png", &picture.to_png()?), picture, words);
        self.blocks.push(Block::Picture(format!("<figure>{image}{}</figure>\n", figcaption(caption))));
        Ok(self)
    }

    /// Adds a film (the bytes of a GIF file) with its caption. `still` is what stands in its place for readers
    /// who asked their system for less motion.
    ///
    /// # Errors
    /// [`FrameError::Encoding`] if the still cannot be encoded.
    pub fn film(
        mut self,
        gif: &[u8],
        still: &Picture,
        words: &str,
        caption: &str,
    ) -> Result<Self, FrameError> {
        let html = format!(
            "<figure><picture><source media=\"(prefers-reduced-motion: reduce)\" srcset=\"{}\"/>{}</picture>{}</figure>\n",
            data("png", &still.to_png()?),
            image(&data("gif", gif), still, words),
            figcaption(caption)
        );
        self.blocks.push(Block::Picture(html));
        Ok(self)
    }

    /// Adds a key to the colours of the pictures before or after it: names of states (their own
    /// where `states` is empty), or of a range.
    pub fn key(self, name: &str, colouring: &Colouring, states: &[&str]) -> Self {
        let mut html = String::from("<p class=\"key\">");
        if let Some((lo, hi)) = colouring.range() {
            let stops: Vec<String> = (0..=16)
                .map(|stop| colouring.colour(lo + f64::from(stop) / 16.0 * (hi - lo)).to_string())
                .collect();
            let ramp = format!(
                "<span class=\"ramp\" style=\"background:linear-gradient(90deg,{})\"></span>",
                stops.join(",")
            );
            html.push_str(&format!("<span>{} {}{ramp}{}</span>", escape(name), brief(lo), brief(hi)));
        } else {
            if !name.is_empty() {
                html.push_str(&format!("<span>{}</span>", escape(name)));
            }
            let own = colouring.labels();
            let states: Vec<&str> = match states.is_empty() {
                true => own.iter().map(String::as_str).collect(),
                false => states.to_vec(),
            };
            for (state, name) in states.iter().enumerate() {
                let colour = colouring.colour(state as f64);
                html.push_str(&format!("<span><i style=\"background:{colour}\"></i>{}</span>", escape(name)));
            }
        }
        html.push_str("</p>\n");
        self.html(html)
    }

    /// Adds a table.
    pub fn table(self, table: &Table) -> Self {
        self.html(format!("<div class=\"block scroll\">{}</div>", table.to_html()))
    }

    /// Adds the table of claims, with the count of verdicts.
    pub fn claims(self, claims: &[Claim]) -> Self {
        self.html(format!("<div class=\"block\">{}</div>", table::claims_to_html(claims)))
    }

    /// Adds a short list of names and values: seed, version, machine, times.
    pub fn facts<S: AsRef<str>>(self, facts: impl IntoIterator<Item = (S, S)>) -> Self {
        let items = facts.into_iter().map(|(name, value)| {
            format!("<dt>{}</dt><dd>{}</dd>", escape(name.as_ref()), escape(value.as_ref()))
        });
        let items: String = items.collect();
        self.html(format!("<dl>{items}</dl>\n"))
    }

    fn html(mut self, html: String) -> Self {
        self.blocks.push(Block::Html(html));
        self
    }

    fn write(&self, html: &mut String) {
        let are_pictures = |a: &Block, b: &Block| matches!((a, b), (Block::Picture(_), Block::Picture(_)));
        for blocks in self.blocks.chunk_by(are_pictures) {
            match blocks {
                [Block::Html(block), ..] => html.push_str(block),
                pictures => {
                    let size = ["", "one", "two", "three"].get(pictures.len()).unwrap_or(&"many");
                    html.push_str(&format!("<div class=\"block pictures {size}\">"));
                    for picture in pictures {
                        if let Block::Picture(picture) = picture {
                            html.push_str(picture);
                        }
                    }
                    html.push_str("</div>\n");
                }
            }
        }
    }
}

/// Words as paragraphs, cut at empty lines.
fn paragraphs(words: &str, attributes: &str) -> String {
    let words = words.replace("\r\n", "\n");
    let paragraphs = words.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p{attributes}>{}</p>\n", escape(paragraph))).collect()
}

fn figcaption(caption: &str) -> String {
    if caption.is_empty() { String::new() } else { format!("<figcaption>{}</figcaption>", escape(caption)) }
}

fn data(kind: &str, bytes: &[u8]) -> String {
    format!("data:image/{kind};base64,{}", base64(bytes))
}

/// An image; a small one is enlarged by the browser with its pixels as squares, a large one smoothly made smaller.
fn image(address: &str, picture: &Picture, words: &str) -> String {
    let class = if picture.width().max(picture.height()) > 400 { " class=\"wide\"" } else { "" };
    format!(
        "<img src=\"{address}\" alt=\"{}\" width=\"{}\" height=\"{}\"{class}/>",
        escape(words),
        picture.width(),
        picture.height()
    )
}

/// The numbers of a figure's series, for who cannot point at them.
fn numbers_to_html(numbers: &[SeriesNumbers]) -> String {
    let mut table = Table::new(["Series", "Points", "First", "Last", "Lowest", "Highest"]);
    for series in numbers {
        let told = series.points.map(|points| points.map(|(x, y)| format!("{} (at {})", brief(y), brief(x))));
        let [first, last, lowest, highest] = told.unwrap_or_default();
        let count = series.count.to_string();
        table = table.row([series.name.clone(), count, first, last, lowest, highest]);
    }
    if numbers.is_empty() {
        return String::new();
    }
    format!("<details><summary>Numbers</summary><div class=\"scroll\">{}</div></details>", table.to_html())
}

#[cfg(test)]
mod tests;
