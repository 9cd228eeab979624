//! Lays out one panel: its header, margins and axes, from the widths of its words.

use crate::plot::axis::{Scale, Tick, range_of};
use crate::plot::panel::{Panel, Series, Shape};
use crate::svg::{text_width, wrapped};

/// Width of a panel, height of its axes: chosen so that the letters are readable when it is shown 400 pixels wide.
pub(crate) const PANEL_WIDTH: f64 = 420.0;
const AXES_HEIGHT: f64 = 205.0;
pub(crate) const TITLE_SIZE: f64 = 14.0;
pub(crate) const LABEL_SIZE: f64 = 13.0;
pub(crate) const SMALL_SIZE: f64 = 12.0;
pub(crate) const ROW: f64 = 17.0;

/// Bold letters are wider than [`text_width`] says.
pub(crate) const BOLD: f64 = 1.16;

/// Where the axes lie in a panel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    left: f64,
    right: f64,
    pub header: f64,
    footer: f64,
}

impl Layout {
    /// The layout with room for the labels of every panel in `column` beside the axes, and of every panel in `row`
    /// above and below them: so the axes of a figure line up.
    pub(crate) fn of<'a>(
        column: impl Iterator<Item = &'a Panel> + Clone,
        row: impl Iterator<Item = &'a Panel> + Clone,
    ) -> Self {
        let tick_width = |panel: &Panel| {
            let ticks = y_scale(panel, 1.0, 0.0).ticks(Y_TICKS);
            ticks.iter().map(|tick| text_width(&tick.label, SMALL_SIZE)).fold(0.0, f64::max)
        };
        let y_label = |panel: &Panel| match &panel.y.label {
            label if label.is_empty() => 0.0,
            label if stands_upright(label) => text_width(label, LABEL_SIZE) + 7.0,
            _ => LABEL_SIZE + 7.0,
        };
        let left = column.clone().map(|panel| tick_width(panel) + 9.0 + y_label(panel));
        let right = column.map(|panel| f64::max(side_labels_width(panel) + 16.0, overhang(panel)));
        let header = row.clone().map(|panel| Header::of(panel).height);
        let footer = row.map(|panel| if panel.x.label.is_empty() { 24.0 } else { 44.0 });
        Self {
            left: left.fold(0.0, f64::max),
            right: right.fold(0.0, f64::max),
            header: header.fold(0.0, f64::max),
            footer: footer.fold(0.0, f64::max),
        }
    }

    pub(crate) fn height(&self) -> f64 {
        self.header + AXES_HEIGHT + self.footer
    }

    fn axes_width(&self) -> f64 {
        (PANEL_WIDTH - self.left - self.right).max(60.0)
    }
}

/// Whether the name of the vertical axis is so short that it need not be turned.
pub(crate) fn stands_upright(label: &str) -> bool {
    text_width(label, LABEL_SIZE) <= 1.3 * LABEL_SIZE
}

pub(crate) const Y_TICKS: usize = 5;

/// The room for names of target lines to the right of the axes; longer names go into the legend.
const SIDE_LABEL: f64 = 0.24 * PANEL_WIDTH;

pub(crate) fn stands_aside(label: &str) -> bool {
    !label.is_empty() && text_width(label, SMALL_SIZE) <= SIDE_LABEL
}

fn side_labels_width(panel: &Panel) -> f64 {
    let labels = panel.targets.iter().filter(|target| stands_aside(&target.label));
    labels.map(|target| text_width(&target.label, SMALL_SIZE)).fold(0.0, f64::max)
}

/// How far the last label of the horizontal axis reaches beyond it.
fn overhang(panel: &Panel) -> f64 {
    // The final width is not known yet; in a narrower axes the last label would stand nearer its end.
    let scale = x_scale(panel, 0.0, 0.6 * PANEL_WIDTH);
    let ends = roomy_ticks(&scale).into_iter().filter(|tick| !tick.label.is_empty());
    let ends =
        ends.map(|tick| scale.place(tick.value) + text_width(&tick.label, SMALL_SIZE) / 2.0 - scale.to);
    ends.fold(0.0, f64::max)
}

fn x_scale(panel: &Panel, from: f64, to: f64) -> Scale {
    let shown = |value: f64, log: bool| value.is_finite() && (!log || value > 0.0);
    let values = panel.series.iter().flat_map(|series| {
        let points = series.xs.iter().zip(&series.ys);
        points.filter(|point| shown(*point.1, panel.y.log)).map(|point| *point.0)
    });
    let values = values.chain(panel.marks.iter().map(|mark| mark.value));
    // A line may begin on the axis; a point there would be cut in half.
    let has_points = panel.series.iter().any(|series| series.shape == Shape::Points);
    let margin = if has_points { 0.04 } else { 0.0 };
    let (lo, hi) = panel.x.range.unwrap_or_else(|| range_of(values, panel.x.log, margin));
    Scale { log: panel.x.log, lo, hi, from, to }
}

fn y_scale(panel: &Panel, from: f64, to: f64) -> Scale {
    let shown = |value: f64| value.is_finite() && (!panel.x.log || value > 0.0);
    let values = panel
        .series
        .iter()
        .flat_map(|series| {
            let indices = (0..series.ys.len().min(series.xs.len())).filter(|&index| shown(series.xs[index]));
            indices.flat_map(|index| series.heights(index))
        })
        .chain(panel.targets.iter().map(|target| target.value))
        .chain(panel.y.include);
    let (lo, hi) = panel.y.range.unwrap_or_else(|| range_of(values, panel.y.log, 0.06));
    Scale { log: panel.y.log, lo, hi, from, to }
}

/// One entry of the legend.
pub(crate) struct LegendEntry<'a> {
    pub label: &'a str,
    pub x: f64,
    pub row: usize,
    pub of: EntryOf<'a>,
}

pub(crate) enum EntryOf<'a> {
    Series(&'a Series),
    Target(Option<usize>),
}

/// What stands above the axes: title, legend, a note on values that cannot be shown, names of marks.
pub(crate) struct Header<'a> {
    pub title: Vec<String>,
    pub entries: Vec<LegendEntry<'a>>,
    pub note: Option<String>,
    pub marks: Vec<(f64, usize)>,
    pub legend_rows: usize,
    pub mark_rows: usize,
    pub height: f64,
}

pub(crate) const SWATCH: f64 = 24.0;

impl<'a> Header<'a> {
    pub(crate) fn of(panel: &'a Panel) -> Self {
        let title = wrapped(&panel.title, TITLE_SIZE * BOLD, PANEL_WIDTH);
        let named = panel.series.iter().filter(|series| !series.label.is_empty());
        let named = named.map(|series| (series.label.as_str(), EntryOf::Series(series)));
        let lines = panel.targets.iter().filter(|t| !t.label.is_empty() && !stands_aside(&t.label));
        let lines = lines.map(|target| (target.label.as_str(), EntryOf::Target(target.colour)));
        let (mut x, mut row) = (0.0, 0);
        let mut entries = Vec::new();
        for (label, of) in named.chain(lines) {
            let width = (SWATCH + 5.0 + text_width(label, SMALL_SIZE)).min(PANEL_WIDTH);
            if x > 0.0 && x + width > PANEL_WIDTH {
                (x, row) = (0.0, row + 1);
            }
            entries.push(LegendEntry { label, x, row, of });
            x += width + 14.0;
        }
        let legend_rows = if entries.is_empty() { 0 } else { row + 1 };
        let note = note(panel);
        let marks = mark_places(panel);
        let mark_rows = marks.iter().map(|(_, row)| row + 1).max().unwrap_or(0);
        let rows = legend_rows + usize::from(note.is_some()) + mark_rows;
        let height = title.len() as f64 * 1.3 * TITLE_SIZE + rows as f64 * ROW + 9.0;
        Self { title, entries, note, marks, legend_rows, mark_rows, height }
    }
}

/// How many values have no place on the axes, in words. NaN is a gap that was meant and is not counted.
fn note(panel: &Panel) -> Option<String> {
    let (x, y) = (x_scale(panel, 0.0, 1.0), y_scale(panel, 0.0, 1.0));
    let lost = |scale: &Scale, value: f64| !value.is_nan() && !scale.shows(value);
    let count: usize = panel
        .series
        .iter()
        .map(|series| series.xs.iter().zip(&series.ys).filter(|p| lost(&x, *p.0) || lost(&y, *p.1)).count())
        .sum();
    let why = if panel.x.log || panel.y.log { "0, negative or infinite" } else { "infinite" };
    match count {
        0 => None,
        1 => Some(format!("1 value is {why} and not drawn")),
        _ => Some(format!("{count} values are {why} and not drawn")),
    }
}

/// For each mark: half the width of its name, and the row in which it does not meet another's.
fn mark_places(panel: &Panel) -> Vec<(f64, usize)> {
    // The final scale is not known yet; its shortest form errs on the side of more rows.
    let scale = x_scale(panel, 0.0, 0.6 * PANEL_WIDTH);
    let mut ends: Vec<Vec<(f64, f64)>> = Vec::new();
    panel
        .marks
        .iter()
        .map(|mark| {
            let half = text_width(&mark.label, SMALL_SIZE) / 2.0;
            let (from, to) = (scale.place(mark.value) - half - 4.0, scale.place(mark.value) + half + 4.0);
            let free = ends.iter().position(|row| row.iter().all(|taken| to < taken.0 || from > taken.1));
            let row = free.unwrap_or(ends.len());
            if row == ends.len() {
                ends.push(Vec::new());
            }
            ends[row].push((from, to));
            (half, row)
        })
        .collect()
}

/// Both axes of a panel, in its user units.
pub(crate) struct Axes {
    pub x: Scale,
    pub y: Scale,
}

impl Axes {
    pub(crate) fn of(panel: &Panel, layout: &Layout) -> Self {
        Self {
            x: x_scale(panel, layout.left, layout.left + layout.axes_width()),
            y: y_scale(panel, layout.header + AXES_HEIGHT, layout.header),
        }
    }
}

/// As many ticks as have room for their labels.
pub(crate) fn roomy_ticks(scale: &Scale) -> Vec<Tick> {
    let fits = |ticks: &Vec<Tick>| {
        let mut end = f64::NEG_INFINITY;
        let mut labelled: Vec<&Tick> = ticks.iter().filter(|tick| !tick.label.is_empty()).collect();
        labelled.sort_by(|a, b| a.value.total_cmp(&b.value));
        labelled.into_iter().all(|tick| {
            let (place, half) = (scale.place(tick.value), text_width(&tick.label, SMALL_SIZE) / 2.0);
            let free = place - half >= end + 8.0;
            end = place + half;
            free
        })
    };
    (1..=6).rev().map(|count| scale.ticks(count)).find(fits).unwrap_or_default()
}
