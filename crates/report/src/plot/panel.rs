//! Collects what one panel of a figure shows: series, bands, target lines, axes.

use crate::plot::PlotError;

/// One pair of axes with everything drawn on it.
///
/// Series take the colours of [`SERIES`](crate::colour::SERIES) in the order in which they are added; from the
/// seventh on the colours come back with other dashes. A value that is not finite (or not positive on a
/// logarithmic axis) leaves a gap in a line.
///
/// ```
/// use glauber_report::plot::Panel;
/// let steps = [0.0, 1.0, 2.0, 3.0];
/// let panel = Panel::new("Recovery")
///     .x("gradient step")
///     .y("β (per neighbour and step)")
///     .line("start 0.9", &steps, &[0.9, 0.5, 0.35, 0.3])
///     .band("", &steps, &[0.8, 0.4, 0.3, 0.28], &[1.0, 0.6, 0.4, 0.32])
///     .target("true β", 0.3);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Panel {
    pub(crate) title: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    pub(crate) targets: Vec<Target>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) ordered: bool,
    colours: usize,
    problem: Option<PlotError>,
}

/// What an axis shows, as far as the caller said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Axis {
    pub label: String,
    pub log: bool,
    pub range: Option<(f64, f64)>,
    pub include: Option<f64>,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Line,
    Points,
    Band,
}

/// Which part of a trace a line is, if it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Whole,
    /// The values of a trace: listed among the numbers, but not told to who points at the panel.
    Values,
    /// Their median: the other way round.
    Median,
}

/// A line, a set of points (with or without error bars) or a band.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// Its name in the legend; empty keeps it out.
    pub label: String,
    /// Its name where it stands in no legend: beside a target line, as one of the two lines of a trace.
    pub aside: String,
    pub shape: Shape,
    pub role: Role,
    pub colour: usize,
    pub dashed: bool,
    pub faint: bool,
    pub xs: Vec<f64>,
    /// The values; for a band, its lower edge.
    pub ys: Vec<f64>,
    /// Standard errors of points, upper edge of a band, otherwise empty.
    pub spread: Vec<f64>,
}

/// A horizontal line with a name.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub label: String,
    pub value: f64,
    /// The colour of a series, or the neutral one.
    pub colour: Option<usize>,
}

/// A vertical line with a name.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub label: String,
    pub value: f64,
}

impl Panel {
    /// An empty panel; the title may be empty.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Names the horizontal axis, with its unit: "lag (s)".
    pub fn x(mut self, label: impl Into<String>) -> Self {
        self.x.label = label.into();
        self
    }

    /// Names the vertical axis, with its unit: "MSD (µm²)".
    pub fn y(mut self, label: impl Into<String>) -> Self {
        self.y.label = label.into();
        self
    }

    /// Makes the horizontal axis logarithmic.
    pub fn log_x(mut self) -> Self {
        self.x.log = true;
        self
    }

    /// Makes the vertical axis logarithmic.
    pub fn log_y(mut self) -> Self {
        self.y.log = true;
        self
    }

    /// Fixes the range of the horizontal axis; what lies outside is cut off.
    pub fn x_range(mut self, lo: f64, hi: f64) -> Self {
        self.x.range = Some((lo, hi));
        self
    }

    /// Fixes the range of the vertical axis; what lies outside is cut off.
    pub fn y_range(mut self, lo: f64, hi: f64) -> Self {
        self.y.range = Some((lo, hi));
        self
    }

    /// Lets the vertical axis reach at least to `value` (0, say, so that heights can be compared).
    pub fn y_includes(mut self, value: f64) -> Self {
        self.y.include = Some(value);
        self
    }

    /// Colours the series along one sequence instead of by unlike colours: for series that have an order.
    pub fn ordered_colours(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// A line through (x, y). An empty label keeps it out of the legend.
    pub fn line(self, label: impl Into<String>, xs: &[f64], ys: &[f64]) -> Self {
        self.add(label.into(), Shape::Line, xs, ys, None)
    }

    /// A noisy trace: its values pale, and on them their median over windows of a fiftieth of its length.
    ///
    /// Up to 200 values it is the same as [`Panel::line`]. A window holds only the values that are there; where
    /// there is none, the median has a gap, too.
    pub fn trace(self, label: impl Into<String>, xs: &[f64], ys: &[f64]) -> Self {
        if ys.len() <= 200 || xs.len() != ys.len() {
            return self.line(label, xs, ys);
        }
        let (centres, medians) = running_medians(xs, ys);
        let label = label.into();
        let median = if label.is_empty() { "median".to_owned() } else { format!("{label} (median)") };
        let values = self.line("", xs, ys).faint().part(Role::Values, label.clone());
        values.line(label, &centres, &medians).same_colour().part(Role::Median, median)
    }

    fn part(mut self, role: Role, aside: String) -> Self {
        if let Some(series) = self.series.last_mut() {
            (series.role, series.aside) = (role, aside);
        }
        self
    }

    /// Points at (x, y).
    pub fn points(self, label: impl Into<String>, xs: &[f64], ys: &[f64]) -> Self {
        self.add(label.into(), Shape::Points, xs, ys, None)
    }

    /// Points at (x, y) with bars from y − error to y + error; one that is not finite has no bar.
    pub fn points_with_errors(
        self,
        label: impl Into<String>,
        xs: &[f64],
        ys: &[f64],
        errors: &[f64],
    ) -> Self {
        self.add(label.into(), Shape::Points, xs, ys, Some(errors))
    }

    /// A shaded band between two edges, in the colour of the series before it.
    pub fn band(self, label: impl Into<String>, xs: &[f64], lower: &[f64], upper: &[f64]) -> Self {
        let first = self.series.is_empty();
        let panel = self.add(label.into(), Shape::Band, xs, lower, Some(upper));
        if first { panel } else { panel.same_colour() }
    }

    /// Draws the series added last in the colour of the one before it (a fit through its data, a second run).
    pub fn same_colour(mut self) -> Self {
        if let [.., before, last] = self.series.as_mut_slice()
            && last.colour + 1 == self.colours
            && before.colour != last.colour
        {
            last.colour = before.colour;
            self.colours -= 1;
        }
        self
    }

    /// Draws the series added last with dashes.
    pub fn dashed(mut self) -> Self {
        if let Some(series) = self.series.last_mut() {
            series.dashed = true;
        }
        self
    }

    /// Draws the series added last thin and pale: one of many, or what is not the point.
    pub fn faint(mut self) -> Self {
        if let Some(series) = self.series.last_mut() {
            series.faint = true;
        }
        self
    }

    /// A dashed horizontal line at `value`, named at its right end.
    pub fn target(mut self, label: impl Into<String>, value: f64) -> Self {
        self.targets.push(Target { label: label.into(), value, colour: None });
        self
    }

    /// A dashed horizontal line at `value` in the colour of the series added last, and its name if it has none.
    pub fn target_of_series(mut self, label: impl Into<String>, value: f64) -> Self {
        let label = label.into();
        if let Some(series) = self.series.last_mut()
            && series.label.is_empty()
        {
            series.aside.clone_from(&label);
        }
        let colour = self.series.last().map(|series| series.colour);
        self.targets.push(Target { label, value, colour });
        self
    }

    /// A dotted vertical line at `value`, named at its top.
    pub fn mark(mut self, label: impl Into<String>, value: f64) -> Self {
        self.marks.push(Mark { label: label.into(), value });
        self
    }

    fn add(mut self, label: String, shape: Shape, xs: &[f64], ys: &[f64], spread: Option<&[f64]>) -> Self {
        let lengths = (xs.len(), ys.len(), spread.map_or(xs.len(), <[f64]>::len));
        if (lengths.0 != lengths.1 || lengths.0 != lengths.2) && self.problem.is_none() {
            self.problem = Some(PlotError::Lengths {
                panel: self.title.clone(),
                series: label.clone(),
                xs: xs.len(),
                ys: ys.len(),
                spread: spread.map(<[f64]>::len),
            });
        }
        let (xs, ys, spread) = (xs.to_vec(), ys.to_vec(), spread.unwrap_or_default().to_vec());
        let colour = self.colours;
        self.colours += 1;
        self.series.push(Series {
            label,
            aside: String::new(),
            shape,
            role: Role::Whole,
            colour,
            dashed: false,
            faint: false,
            xs,
            ys,
            spread,
        });
        self
    }

    /// How many colours the series use.
    pub(crate) fn colours(&self) -> usize {
        self.colours
    }

    /// What the caller got wrong, first thing first.
    pub(crate) fn check(&self) -> Result<(), PlotError> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        for (name, axis) in [("x", &self.x), ("y", &self.y)] {
            if let Some((lo, hi)) = axis.range {
                let finite = lo.abs() < super::axis::LARGEST && hi.abs() < super::axis::LARGEST;
                if !finite || lo >= hi || (axis.log && lo <= 0.0) {
                    let panel = self.title.clone();
                    return Err(PlotError::Range { panel, axis: name, lo, hi, log: axis.log });
                }
            }
        }
        Ok(())
    }
}

/// At 201 places along a trace, x and the median of the values within a hundredth of its length on either side.
fn running_medians(xs: &[f64], ys: &[f64]) -> (Vec<f64>, Vec<f64>) {
    const WINDOWS: usize = 200;
    let reach = ys.len() / 100;
    let places = (0..=WINDOWS).map(|window| window * (ys.len() - 1) / WINDOWS);
    places
        .map(|place| {
            let window = &ys[place.saturating_sub(reach)..(place + reach + 1).min(ys.len())];
            let mut values: Vec<f64> = window.iter().copied().filter(|value| !value.is_nan()).collect();
            if ys[place].is_nan() || values.is_empty() {
                return (xs[place], f64::NAN);
            }
            let middle = values.len() / 2;
            (xs[place], *values.select_nth_unstable_by(middle, f64::total_cmp).1)
        })
        .unzip()
}

impl Series {
    /// What it is called where it is told apart by name.
    pub(crate) fn name(&self) -> &str {
        if self.aside.is_empty() { &self.label } else { &self.aside }
    }

    /// The numbers that the vertical axis should show, of point `index`.
    pub(crate) fn heights(&self, index: usize) -> [f64; 2] {
        let y = self.ys[index];
        match (self.shape, self.spread.get(index)) {
            (Shape::Band, Some(&upper)) => [y, upper],
            (Shape::Points, Some(&error)) if error.is_finite() => [y - error, y + error],
            _ => [y, y],
        }
    }
}
