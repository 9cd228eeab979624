//! Draws one panel: header, axes, bands, lines, points, targets.

use crate::colour::{AXIS, GRID, Ink, MUTED, TEXT};
use crate::plot::axis::{Scale, Tick};
use crate::plot::layout::{
    Axes, EntryOf, Header, LABEL_SIZE, Layout, LegendEntry, PANEL_WIDTH, ROW, SMALL_SIZE, SWATCH, TITLE_SIZE,
    Y_TICKS, roomy_ticks, stands_aside, stands_upright,
};
use crate::plot::panel::{Panel, Shape};
use crate::plot::series::{band, dashes, ink, line, marker, points};
use crate::svg::{Attributes, Svg, px, shortened, text_width};

/// Marks a panel's picture with what the page's script needs to turn a place into numbers.
pub(crate) fn readable_by_script<'a>(svg: Attributes<'a>, panel: &Panel, layout: &Layout) -> Attributes<'a> {
    let axes = Axes::of(panel, layout);
    let scale =
        |scale: &Scale| format!("{} {} {}", if scale.log { "log" } else { "linear" }, scale.lo, scale.hi);
    let area = [axes.x.from, axes.y.to, axes.x.to - axes.x.from, axes.y.from - axes.y.to].map(px).join(" ");
    svg.with("role", "img")
        .with("aria-label", &format!("{} {} against {}", panel.title, panel.y.label, panel.x.label))
        .with("tabindex", "0")
        .with("data-area", &area)
        .with("data-x", &scale(&axes.x))
        .with("data-y", &scale(&axes.y))
        .with("data-x-name", &panel.x.label)
        .with("data-y-name", &panel.y.label)
}

/// Draws `panel`, its corner at the origin; with `numbers`, each series carries its data for the page's script.
pub(crate) fn panel(svg: &mut Svg, panel: &Panel, layout: &Layout, numbers: bool) {
    let axes = Axes::of(panel, layout);
    let y_ticks = axes.y.ticks(Y_TICKS);
    let x_ticks = roomy_ticks(&axes.x);
    header(svg, panel, layout, &axes);
    grid(svg, &axes, &y_ticks);
    // A picture within the picture cuts off what lies outside the axes, without names that could collide.
    let (x, y) = (axes.x.from, axes.y.to);
    let (width, height) = (axes.x.to - x, axes.y.from - y);
    svg.open("svg")
        .px("x", x)
        .px("y", y)
        .px("width", width)
        .px("height", height)
        .with("viewBox", &[x, y, width, height].map(px).join(" "))
        .with("preserveAspectRatio", "none");
    for shape in [Shape::Band, Shape::Line] {
        if shape == Shape::Line {
            rules(svg, panel, &axes);
        }
        let of_shape = || panel.series.iter().filter(|series| series.shape == shape);
        for series in of_shape().filter(|s| s.faint).chain(of_shape().filter(|s| !s.faint)) {
            match shape {
                Shape::Band => band(svg, panel, series, &axes),
                _ => line(svg, panel, series, &axes, numbers),
            }
        }
    }
    svg.close();
    axis_lines(svg, panel, layout, &axes, &x_ticks, &y_ticks);
    for series in panel.series.iter().filter(|series| series.shape == Shape::Points) {
        points(svg, panel, series, &axes, numbers);
    }
    target_names(svg, panel, &axes);
    if panel.series.iter().all(|series| series.xs.is_empty()) {
        text(svg, "no data", (x + width / 2.0, y + height / 2.0), SMALL_SIZE, "middle", MUTED);
    }
}

fn text(svg: &mut Svg, words: &str, at: (f64, f64), size: f64, anchor: &str, colour: Ink) {
    let attributes = svg.open("text").px("x", at.0).px("y", at.1).px("font-size", size);
    let attributes = if anchor == "start" { attributes } else { attributes.with("text-anchor", anchor) };
    attributes.fill(colour);
    svg.words(words);
    svg.close();
}

fn segment(svg: &mut Svg, from: (f64, f64), to: (f64, f64), colour: Ink, width: f64, dashes: &str) {
    let path = format!("M{} {}L{} {}", px(from.0), px(from.1), px(to.0), px(to.1));
    let attributes = svg.empty("path").with("d", &path).px("stroke-width", width);
    let attributes = if dashes.is_empty() { attributes } else { attributes.with("stroke-dasharray", dashes) };
    attributes.stroke(colour);
}

fn header(svg: &mut Svg, panel: &Panel, layout: &Layout, axes: &Axes) {
    let header = Header::of(panel);
    // Headers of unlike height end together, on the axes.
    let mut top = layout.header - header.height;
    for line in &header.title {
        let attributes = svg.open("text").px("x", 0.0).px("y", top + TITLE_SIZE).px("font-size", TITLE_SIZE);
        attributes.with("font-weight", "600").fill(TEXT);
        svg.words(line);
        svg.close();
        top += 1.3 * TITLE_SIZE;
    }
    for entry in &header.entries {
        let middle = top + ROW * entry.row as f64 + ROW / 2.0 + 1.0;
        swatch(svg, panel, entry, middle);
        let label = shortened(entry.label, SMALL_SIZE, PANEL_WIDTH - SWATCH - 5.0);
        text(svg, &label, (entry.x + SWATCH + 5.0, middle + 4.0), SMALL_SIZE, "start", TEXT);
    }
    top += ROW * header.legend_rows as f64;
    if let Some(note) = &header.note {
        text(svg, note, (0.0, top + 13.0), SMALL_SIZE, "start", MUTED);
        top += ROW;
    }
    let inside = |value: f64| axes.x.shows(value) && value >= axes.x.lo && value <= axes.x.hi;
    for (mark, (half, row)) in panel.marks.iter().zip(&header.marks).filter(|(mark, _)| inside(mark.value)) {
        let baseline = top + ROW * (header.mark_rows - 1 - row) as f64 + 15.0;
        let place = axes.x.place(mark.value).clamp(*half, (PANEL_WIDTH - half).max(*half));
        text(svg, &mark.label, (place, baseline), SMALL_SIZE, "middle", MUTED);
    }
}

fn swatch(svg: &mut Svg, panel: &Panel, entry: &LegendEntry<'_>, middle: f64) {
    let (from, to) = ((entry.x, middle), (entry.x + SWATCH, middle));
    match entry.of {
        EntryOf::Target(colour) => {
            segment(svg, from, to, colour.map_or(AXIS, |colour| ink(panel, colour)), 1.4, "5 4");
        }
        EntryOf::Series(series) => match series.shape {
            Shape::Line => {
                let width = if series.faint { 1.0 } else { 2.2 };
                segment(svg, from, to, ink(panel, series.colour), width, dashes(panel, series));
            }
            Shape::Points => {
                marker(svg, series.colour, (entry.x + SWATCH / 2.0, middle), 4.0, ink(panel, series.colour))
            }
            Shape::Band => {
                let area = svg.empty("rect").px("x", entry.x).px("y", middle - 5.0).px("width", SWATCH);
                area.px("height", 10.0).with("fill-opacity", "0.25").fill(ink(panel, series.colour));
            }
        },
    }
}

fn grid(svg: &mut Svg, axes: &Axes, ticks: &[Tick]) {
    for tick in ticks.iter().filter(|tick| !tick.label.is_empty()) {
        let y = axes.y.place(tick.value);
        segment(svg, (axes.x.from, y), (axes.x.to, y), GRID, 1.0, "");
    }
}

fn axis_lines(
    svg: &mut Svg,
    panel: &Panel,
    layout: &Layout,
    axes: &Axes,
    x_ticks: &[Tick],
    y_ticks: &[Tick],
) {
    let (left, right, bottom, top) = (axes.x.from, axes.x.to, axes.y.from, axes.y.to);
    segment(svg, (left, bottom), (right, bottom), AXIS, 1.0, "");
    segment(svg, (left, bottom), (left, top), AXIS, 1.0, "");
    for tick in x_ticks {
        let (x, length) = (axes.x.place(tick.value), if tick.label.is_empty() { 3.0 } else { 5.0 });
        segment(svg, (x, bottom), (x, bottom + length), AXIS, 1.0, "");
        if !tick.label.is_empty() {
            text(svg, &tick.label, (x, bottom + 18.0), SMALL_SIZE, "middle", MUTED);
        }
    }
    for tick in y_ticks {
        let (y, length) = (axes.y.place(tick.value), if tick.label.is_empty() { 3.0 } else { 5.0 });
        segment(svg, (left - length, y), (left, y), AXIS, 1.0, "");
        if !tick.label.is_empty() {
            text(svg, &tick.label, (left - 8.0, y + 4.0), SMALL_SIZE, "end", MUTED);
        }
    }
    if !panel.x.label.is_empty() {
        let label = shortened(&panel.x.label, LABEL_SIZE, PANEL_WIDTH);
        // Under the middle of the axes, but never beyond the panel.
        let half = text_width(&label, LABEL_SIZE) / 2.0;
        let middle = ((left + right) / 2.0).clamp(half, (PANEL_WIDTH - half).max(half));
        text(svg, &label, (middle, bottom + 37.0), LABEL_SIZE, "middle", TEXT);
    }
    if stands_upright(&panel.y.label) {
        text(svg, &panel.y.label, (0.0, (top + bottom) / 2.0 + 4.0), LABEL_SIZE, "start", TEXT);
    } else {
        let label = shortened(&panel.y.label, LABEL_SIZE, layout.height());
        let half = text_width(&label, LABEL_SIZE) / 2.0;
        let middle = ((top + bottom) / 2.0).clamp(half, (layout.height() - half).max(half));
        let turn = format!("translate({} {})rotate(-90)", px(LABEL_SIZE), px(middle));
        svg.open("text")
            .with("transform", &turn)
            .px("font-size", LABEL_SIZE)
            .with("text-anchor", "middle")
            .fill(TEXT);
        svg.words(&label);
        svg.close();
    }
}

/// Target lines and marks.
fn rules(svg: &mut Svg, panel: &Panel, axes: &Axes) {
    for target in panel.targets.iter().filter(|target| axes.y.shows(target.value)) {
        let y = axes.y.place(target.value);
        let colour = target.colour.map_or(AXIS, |colour| ink(panel, colour));
        segment(svg, (axes.x.from, y), (axes.x.to, y), colour, 1.4, "5 4");
    }
    for mark in panel.marks.iter().filter(|mark| axes.x.shows(mark.value)) {
        let x = axes.x.place(mark.value);
        segment(svg, (x, axes.y.from), (x, axes.y.to), AXIS, 1.2, "2 3");
    }
}

/// The names of the target lines, right of the axes, moved apart where the lines lie close.
fn target_names(svg: &mut Svg, panel: &Panel, axes: &Axes) {
    let inside = |value: f64| axes.y.shows(value) && value >= axes.y.lo && value <= axes.y.hi;
    let mut names: Vec<_> =
        panel.targets.iter().filter(|target| inside(target.value) && stands_aside(&target.label)).collect();
    names.sort_by(|a, b| b.value.total_cmp(&a.value));
    let wanted: Vec<f64> = names.iter().map(|target| axes.y.place(target.value)).collect();
    for (target, (line, name)) in names.iter().zip(wanted.iter().zip(spread_out(&wanted, 14.0))) {
        let colour = target.colour.map_or(MUTED, |colour| ink(panel, colour));
        if (line - name).abs() > 2.0 {
            segment(svg, (axes.x.to, *line), (axes.x.to + 5.0, name), colour, 0.8, "");
        }
        text(svg, &target.label, (axes.x.to + 7.0, name + 4.0), SMALL_SIZE, "start", colour);
    }
}

/// Places at least `distance` apart, each as near to the wanted one as that allows; `wanted` is in rising order.
fn spread_out(wanted: &[f64], distance: f64) -> Vec<f64> {
    // Pool neighbours that are too close into groups, each centred on the mean of what its members wanted.
    let mut groups: Vec<(f64, usize)> = Vec::new(); // (sum of wanted centres, members)
    let centre = |(sum, members): (f64, usize)| sum / members as f64;
    let half = |(_, members): (f64, usize)| distance * members as f64 / 2.0;
    for &place in wanted {
        let mut group = (place, 1);
        while let Some(&before) = groups.last()
            && centre(before) + half(before) > centre(group) - half(group)
        {
            group = (group.0 + before.0, group.1 + before.1);
            groups.pop();
        }
        groups.push(group);
    }
    groups
        .into_iter()
        .flat_map(|group| {
            let first = centre(group) - half(group) + distance / 2.0;
            (0..group.1).map(move |index| first + distance * index as f64)
        })
        .collect()
}
