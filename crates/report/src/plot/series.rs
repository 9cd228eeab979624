//! Draws the series of a panel: bands, lines, points with error bars.

use crate::colour::{Ink, PAPER, SERIES, ordered_ink, series_ink};
use crate::plot::axis::Scale;
use crate::plot::layout::Axes;
use crate::plot::panel::{Panel, Role, Series, Shape};
use crate::plot::thin;
use crate::svg::{Attributes, Svg, px};

pub(crate) fn ink(panel: &Panel, colour: usize) -> Ink {
    if panel.ordered { ordered_ink(colour, panel.colours()) } else { series_ink(colour) }
}

pub(crate) fn dashes(panel: &Panel, series: &Series) -> &'static str {
    match (series.dashed, panel.ordered, series.colour / SERIES.len()) {
        (true, ..) => "5 4",
        (false, true, _) | (false, false, 0) => "",
        (false, false, 1) => "9 3",
        (false, false, 2) => "2 3",
        _ => "9 3 2 3",
    }
}

/// The points of a series that have a place, as stretches without gaps.
fn shown(series: &Series, axes: &Axes) -> Vec<(usize, usize)> {
    let count = series.xs.len().min(series.ys.len());
    let edge = |index: usize| series.shape != Shape::Band || axes.y.shows(series.spread[index]);
    thin::stretches(count, |i| axes.x.shows(series.xs[i]) && axes.y.shows(series.ys[i]) && edge(i))
}

/// Half a user unit is a pixel on a screen twice as fine.
fn column(axes: &Axes, x: f64) -> i64 {
    (axes.x.place(x) * 2.0).floor() as i64
}

pub(crate) fn line(svg: &mut Svg, panel: &Panel, series: &Series, axes: &Axes, numbers: bool) {
    let mut path = String::new();
    let mut kept = Vec::new();
    for (from, to) in shown(series, axes) {
        let indices = thin::kept(from, to, |i| column(axes, series.xs[i]), |i| series.ys[i]);
        for (number, &index) in indices.iter().enumerate() {
            path.push(if number == 0 { 'M' } else { 'L' });
            path.push_str(&format!(
                "{} {}",
                px(axes.x.place(series.xs[index])),
                px(axes.y.place(series.ys[index]))
            ));
        }
        if indices.len() == 1 {
            // A lone point between two gaps: a round dot of the line's width.
            path.push_str("h0");
        }
        kept.extend(indices);
    }
    if path.is_empty() {
        return;
    }
    let attributes = svg
        .empty("path")
        .with("d", &path)
        .with("fill", "none")
        .px("stroke-width", if series.faint { 1.1 } else { 1.9 })
        .with("stroke-linejoin", "round")
        .with("stroke-linecap", "round");
    let attributes = if series.faint {
        // Where a picture is shown small, a line thinner than a pixel that lies on itself grows dark.
        attributes.with("stroke-opacity", "0.45").with("vector-effect", "non-scaling-stroke")
    } else {
        attributes
    };
    let dashes = dashes(panel, series);
    let attributes = if dashes.is_empty() { attributes } else { attributes.with("stroke-dasharray", dashes) };
    let attributes = if numbers && series.role != Role::Values {
        with_numbers(attributes, series, &kept)
    } else {
        attributes
    };
    attributes.stroke(ink(panel, series.colour));
}

/// Adds the numbers behind a series, to six digits.
fn with_numbers<'a>(attributes: Attributes<'a>, series: &Series, kept: &[usize]) -> Attributes<'a> {
    let list = |values: &[f64]| {
        let digits: Vec<String> = kept.iter().map(|&index| six_digits(values[index])).collect();
        digits.join(",")
    };
    let attributes = attributes.with("data-label", series.name());
    let attributes = attributes.with("data-xs", &list(&series.xs)).with("data-ys", &list(&series.ys));
    if series.spread.is_empty() { attributes } else { attributes.with("data-errors", &list(&series.spread)) }
}

fn six_digits(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    if rounded == 0.0 || (1e-4..1e9).contains(&rounded.abs()) {
        rounded.to_string()
    } else {
        format!("{rounded:e}")
    }
}

pub(crate) fn band(svg: &mut Svg, panel: &Panel, series: &Series, axes: &Axes) {
    let mut path = String::new();
    for (from, to) in shown(series, axes) {
        let edge = |values: &[f64]| {
            thin::kept(from, to, |i| column(axes, series.xs[i]), |i| values[i])
                .into_iter()
                .map(|i| format!("{} {}", px(axes.x.place(series.xs[i])), px(axes.y.place(values[i]))))
                .collect::<Vec<_>>()
        };
        let (lower, mut upper) = (edge(&series.ys), edge(&series.spread));
        upper.reverse();
        path.push_str(&format!("M{}L{}Z", lower.join("L"), upper.join("L")));
    }
    if !path.is_empty() {
        let attributes = svg.empty("path").with("d", &path);
        attributes.with("fill-opacity", "0.2").fill(ink(panel, series.colour));
    }
}

pub(crate) fn points(svg: &mut Svg, panel: &Panel, series: &Series, axes: &Axes, numbers: bool) {
    let inside = |place: f64, scale: &Scale| {
        place >= scale.from.min(scale.to) - 0.01 && place <= scale.from.max(scale.to) + 0.01
    };
    // Points that fall on one and the same spot are drawn once, so that a million of them stay a small file.
    let mut spots = std::collections::HashSet::new();
    let many = series.xs.len() > 2000;
    let colour = ink(panel, series.colour);
    let kept: Vec<usize> = shown(series, axes)
        .into_iter()
        .flat_map(|(from, to)| from..to)
        .filter(|&i| {
            let (x, y) = (axes.x.place(series.xs[i]), axes.y.place(series.ys[i]));
            let inside = inside(x, &axes.x) && inside(y, &axes.y);
            inside && (!many || spots.insert(((x / 1.5) as i64, (y / 1.5) as i64)))
        })
        .collect();
    let group = svg.open("g");
    if numbers {
        with_numbers(group, series, &kept)
    } else {
        group
    };
    for &i in &kept {
        let (x, y) = (axes.x.place(series.xs[i]), axes.y.place(series.ys[i]));
        if let Some(error) = series.spread.get(i).filter(|error| error.is_finite()) {
            let end = |value: f64| axes.y.place(value).clamp(axes.y.to, axes.y.from);
            let (low, high) = (end(series.ys[i] - error), end(series.ys[i] + error));
            let bar = format!(
                "M{x} {low}L{x} {high}M{from} {low}h6M{from} {high}h6",
                x = px(x),
                low = px(low),
                high = px(high),
                from = px(x - 3.0)
            );
            svg.empty("path").with("d", &bar).with("fill", "none").px("stroke-width", 1.3).stroke(colour);
        }
        marker(svg, series.colour, (x, y), if many || series.faint { 2.0 } else { 3.6 }, colour);
    }
    svg.close();
}

/// The marker of a series: its form, too, tells it from the others.
pub(crate) fn marker(svg: &mut Svg, number: usize, (x, y): (f64, f64), radius: f64, colour: Ink) {
    let attributes = match number % 4 {
        0 => svg.empty("circle").px("cx", x).px("cy", y).px("r", radius),
        1 => {
            let side = 1.75 * radius;
            let square = svg.empty("rect").px("x", x - side / 2.0).px("y", y - side / 2.0);
            square.px("width", side).px("height", side)
        }
        2 => {
            let r = 1.25 * radius;
            let path = format!("M{} {}l{} {}h{}Z", px(x), px(y - r), px(0.95 * r), px(1.7 * r), px(-1.9 * r));
            svg.empty("path").with("d", &path)
        }
        _ => {
            let r = 1.3 * radius;
            let path = format!("M{} {}l{r} {r}l-{r} {r}l-{r} -{r}Z", px(x), px(y - r), r = px(r));
            svg.empty("path").with("d", &path)
        }
    };
    attributes.stroke(PAPER).fill(colour).px("stroke-width", 0.8);
}
