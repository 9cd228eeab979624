//! Draws curves: several panels of lines, points with error bars, bands and target lines, as SVG.
//!
//! The text of a picture stays text, its colours follow the reader's light or dark pages, its legend stands
//! above the axes and never on the data, and traces of any length become small files (`thin`). Why this is
//! ours and not a library: `docs/decisions/0003-plots.md`.
//!
//! ```
//! use glauber_report::plot::{Figure, Panel};
//! let steps: Vec<f64> = (0..500).map(f64::from).collect();
//! let beta: Vec<f64> = steps.iter().map(|step| 0.3 + 0.6 * (-step / 80.0).exp()).collect();
//! let loss: Vec<f64> = beta.iter().map(|beta| (beta - 0.3f64).powi(2) + 1e-4).collect();
//! let svg = Figure::new("Susceptible–infected: recovery of β")
//!     .panel(Panel::new("").x("gradient step").y("β").line("fit", &steps, &beta).target("true β = 0.3", 0.3))
//!     .panel(Panel::new("").x("gradient step").y("loss").log_y().line("", &steps, &loss))
//!     .to_svg()?;
//! assert!(svg.starts_with("<svg"));
//! # Ok::<(), glauber_report::plot::PlotError>(())
//! ```

use std::path::Path;

use crate::colour::{PAPER, TEXT};
use crate::plot::layout::{BOLD, Layout, PANEL_WIDTH};
use crate::svg::{self, Svg};
use glauber_files::run_folder::{self as files, FileError};

mod axis;
mod draw;
mod layout;
mod panel;
mod series;
mod thin;

pub use panel::Panel;

/// What is wrong with a figure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlotError {
    /// The numbers of a series do not belong together.
    #[error("panel {panel:?}, series {series:?}: {xs} x, {ys} y{} do not pair up; give slices of one length",
        spread.map(|n| format!(" and {n} errors (or upper edges)")).unwrap_or_default())]
    Lengths {
        /// The title of the panel.
        panel: String,
        /// The label of the series.
        series: String,
        /// How many x there are.
        xs: usize,
        /// How many y there are.
        ys: usize,
        /// How many errors or upper edges there are.
        spread: Option<usize>,
    },
    /// An axis was given a range that is none.
    #[error("panel {panel:?}: {axis} from {lo} to {hi} is no range{}; give a lower and a larger upper end, both finite",
        if *log { " of a logarithmic axis" } else { "" })]
    Range {
        /// The title of the panel.
        panel: String,
        /// "x" or "y".
        axis: &'static str,
        /// The lower end.
        lo: f64,
        /// The upper end.
        hi: f64,
        /// Whether the axis is logarithmic (both ends must then be above 0).
        log: bool,
    },
    /// There is nothing to draw.
    #[error("figure {figure:?} has no panel; add one with Figure::panel")]
    Empty {
        /// The title of the figure.
        figure: String,
    },
    /// The file could not be written.
    #[error("{0}")]
    File(String),
}

impl From<FileError> for PlotError {
    fn from(error: FileError) -> Self {
        Self::File(error.to_string())
    }
}

/// A figure: a title and panels in a grid, all of one size, their axes aligned.
#[derive(Debug, Clone, Default)]
pub struct Figure {
    title: String,
    panels: Vec<Panel>,
    columns: Option<usize>,
}

/// Around the figure and between its panels, in user units.
const GAP: f64 = 18.0;
/// The size of the figure's title.
const TITLE_SIZE: f64 = 16.0;

impl Figure {
    /// A figure without panels; the title may be empty.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Adds a panel after the others.
    pub fn panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    /// How many panels stand side by side in a file (at least 1). Unsaid, up to three panels stand in one column,
    /// which stays readable 400 pixels wide, and more in two. The HTML page arranges panels by its own width.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = Some(columns.max(1));
        self
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The picture, as the text of an SVG file.
    ///
    /// # Errors
    /// [`PlotError::Lengths`], [`PlotError::Range`] for what a panel was given, [`PlotError::Empty`] without panels.
    pub fn to_svg(&self) -> Result<String, PlotError> {
        self.check()?;
        let columns =
            self.columns.unwrap_or(if self.panels.len() > 3 { 2 } else { 1 }).min(self.panels.len());
        let layouts = self.layouts(columns);
        let width = GAP + columns as f64 * (PANEL_WIDTH + GAP);
        let title = svg::wrapped(&self.title, TITLE_SIZE * BOLD, width - 2.0 * GAP);
        let header = if title.is_empty() { GAP } else { GAP + 1.35 * TITLE_SIZE * title.len() as f64 + 6.0 };
        let height = header + layouts.iter().step_by(columns).map(|row| row.height() + GAP).sum::<f64>();

        let mut svg = Svg::default();
        svg.open("svg")
            .with("xmlns", "http://www.w3.org/2000/svg")
            .px("width", width)
            .px("height", height)
            .with("viewBox", &format!("0 0 {} {}", svg::px(width), svg::px(height)))
            .with("role", "img")
            .with("font-family", svg::FONTS);
        svg.title(&self.title);
        svg.raw(&format!("<desc>{}</desc>", svg::escape(&self.description())));
        svg.raw(&format!("<style>{}</style>\n", svg::STYLE));
        svg.empty("rect").with("width", "100%").with("height", "100%").fill(PAPER);
        for (line, words) in title.iter().enumerate() {
            let baseline = GAP + TITLE_SIZE * (0.9 + 1.35 * line as f64);
            let text = svg.open("text").px("x", GAP).px("y", baseline);
            text.px("font-size", TITLE_SIZE).with("font-weight", "600").fill(TEXT);
            svg.words(words);
            svg.close();
        }
        let mut top = header;
        for (row, layouts) in self.panels.chunks(columns).zip(layouts.chunks(columns)) {
            for (column, (panel, layout)) in row.iter().zip(layouts).enumerate() {
                svg.open("svg")
                    .px("x", GAP + column as f64 * (PANEL_WIDTH + GAP))
                    .px("y", top)
                    .px("width", PANEL_WIDTH)
                    .px("height", layout.height());
                draw::panel(&mut svg, panel, layout, false);
                svg.close();
            }
            top += layouts[0].height() + GAP;
        }
        Ok(svg.finish())
    }

    /// Writes the picture to `path`, whole or not at all.
    ///
    /// # Errors
    /// As [`Figure::to_svg`], and [`PlotError::File`] if the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        Ok(files::write_whole(path, self.to_svg()?)?)
    }

    /// Each panel as a picture of its own, as wide as its place, with the numbers behind its lines: for the page.
    pub(crate) fn to_panels(&self) -> Result<Vec<String>, PlotError> {
        self.check()?;
        // The page may put any panel beside or below any other.
        let layout = Layout::of(self.panels.iter(), self.panels.iter());
        let panels = self.panels.iter().map(|panel| {
            let mut svg = Svg::default();
            let view = format!("0 0 {} {}", svg::px(PANEL_WIDTH), svg::px(layout.height()));
            let attributes = svg.open("svg").with("class", "gl-panel").with("viewBox", &view);
            draw::readable_by_script(attributes, panel, &layout);
            svg.raw(&format!("<desc>{}</desc>", svg::escape(&panel.description())));
            draw::panel(&mut svg, panel, &layout, true);
            svg.finish()
        });
        Ok(panels.collect())
    }

    /// For each series of each panel: its panel, its label and a few numbers, as the page lists them.
    pub(crate) fn numbers(&self) -> Vec<SeriesNumbers> {
        self.panels.iter().flat_map(Panel::numbers).collect()
    }

    fn check(&self) -> Result<(), PlotError> {
        if self.panels.is_empty() {
            return Err(PlotError::Empty { figure: self.title.clone() });
        }
        self.panels.iter().try_for_each(Panel::check)
    }

    /// The layout of each panel when `columns` of them stand side by side.
    fn layouts(&self, columns: usize) -> Vec<Layout> {
        let of_panel = |index: usize| {
            let column = self.panels.iter().skip(index % columns).step_by(columns);
            let row = self.panels.iter().skip(index - index % columns).take(columns);
            Layout::of(column, row)
        };
        (0..self.panels.len()).map(of_panel).collect()
    }

    fn description(&self) -> String {
        self.panels.iter().map(Panel::description).collect::<Vec<_>>().join(" ")
    }
}

/// What a series comes to, for a reader without the picture.
#[derive(Debug, Clone)]
pub(crate) struct SeriesNumbers {
    pub name: String,
    pub axes: String,
    pub count: usize,
    /// First and last shown point, point of the lowest and of the highest value; `None` if nothing is shown.
    pub points: Option<[(f64, f64); 4]>,
}

impl Panel {
    /// The panel in words.
    fn description(&self) -> String {
        let series = self.numbers().into_iter().map(|numbers| match numbers.points {
            Some([_, (x, y), ..]) => {
                format!(
                    "{}: {} points, the last at {} = {}.",
                    numbers.name,
                    numbers.count,
                    axes_of(&numbers.axes, x),
                    brief(y)
                )
            }
            None => format!("{}: no points.", numbers.name),
        });
        let targets = self.targets.iter().map(|target| format!("{}: {}.", target.label, brief(target.value)));
        let words: Vec<String> = series.chain(targets).collect();
        format!("{} ({} against {}). {}", self.title, self.y.label, self.x.label, words.join(" "))
    }

    fn numbers(&self) -> Vec<SeriesNumbers> {
        let named = |series: &panel::Series| match (series.name(), self.title.as_str()) {
            ("", "") => self.y.label.clone(),
            ("", title) => title.to_owned(),
            (name, "") => name.to_owned(),
            (name, title) => format!("{title}: {name}"),
        };
        let told = |series: &&panel::Series| {
            series.shape != panel::Shape::Band && series.role != panel::Role::Median
        };
        let lines = self.series.iter().filter(told);
        lines
            .map(|series| {
                let shown = || {
                    let points = series.xs.iter().copied().zip(series.ys.iter().copied());
                    points.filter(|(x, y)| x.is_finite() && y.is_finite())
                };
                let points = shown().next().map(|first| {
                    let last = shown().next_back().unwrap_or(first);
                    let lowest =
                        shown().fold(first, |best, point| if point.1 < best.1 { point } else { best });
                    let highest =
                        shown().fold(first, |best, point| if point.1 > best.1 { point } else { best });
                    [first, last, lowest, highest]
                });
                let axes = format!("{} against {}", self.y.label, self.x.label);
                SeriesNumbers { name: named(series), axes, count: shown().count(), points }
            })
            .collect()
    }
}

fn axes_of(axes: &str, x: f64) -> String {
    match axes.split_once(" against ") {
        Some((y, x_name)) => format!("{x_name} {}: {y}", brief(x)),
        None => brief(x),
    }
}

/// A number to five digits, as short as it goes, with a true minus sign.
pub(crate) fn brief(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return if value.is_nan() {
            "not a number".to_owned()
        } else {
            format!("{}∞", if value < 0.0 { "−" } else { "" })
        };
    }
    let power = value.abs().log10().floor() as i32;
    let text = if (-4..7).contains(&power) {
        let fixed = format!("{value:.*}", (4 - power).max(0) as usize);
        if fixed.contains('.') { fixed.trim_end_matches('0').trim_end_matches('.').to_owned() } else { fixed }
    } else {
        let scientific = format!("{value:.4e}");
        let (digits, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests;
