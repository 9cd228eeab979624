//! Reads the pictures back as XML and checks what is in them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::xml::{Element, elements};

fn count(number: usize) -> Vec<f64> {
    (0..number).map(|i| i as f64).collect()
}

fn two_panels() -> Figure {
    let xs = count(50);
    let ys: Vec<f64> = xs.iter().map(|x| 0.3 + 0.6 * (-x / 8.0).exp()).collect();
    let low: Vec<f64> = ys.iter().map(|y| y - 0.05).collect();
    let high: Vec<f64> = ys.iter().map(|y| y + 0.05).collect();
    Figure::new("Recovery of <β> & \"more\"")
        .panel(
            Panel::new("Parameter")
                .x("gradient step")
                .y("β (per neighbour)")
                .line("fit", &xs, &ys)
                .band("95 %", &xs, &low, &high)
                .points_with_errors("data", &[10.0, 20.0, 30.0], &[0.4, 0.35, 0.3], &[0.05, f64::NAN, 0.02])
                .target("true β = 0.3", 0.3)
                .target("a target whose name is far too long to stand aside", 0.5)
                .mark("best", 25.0),
        )
        .panel(Panel::new("Loss").x("gradient step").y("loss").log_y().line("", &xs, &ys))
}

fn texts(found: &[Element]) -> Vec<String> {
    found.iter().filter(|element| element.name == "text").map(|element| element.text.clone()).collect()
}

/// The numbers of every `M` and `L` of a path.
fn places(path: &str) -> Vec<(f64, f64)> {
    path.split(['M', 'L'])
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let mut numbers =
                piece.split([' ', 'h', 'Z']).filter(|n| !n.is_empty()).map(|n| n.parse().unwrap());
            (numbers.next().unwrap(), numbers.next().unwrap())
        })
        .collect()
}

fn lines(found: &[Element]) -> Vec<&Element> {
    found.iter().filter(|element| element.attribute("stroke-linejoin") == "round").collect()
}

#[test]
fn a_figure_says_everything_in_text() {
    let found = elements(&two_panels().to_svg().unwrap());
    let texts = texts(&found);
    for wanted in [
        "Recovery of <β> & \"more\"",
        "Parameter",
        "Loss",
        "gradient step",
        "β (per neighbour)",
        "loss",
        "fit",
        "95 %",
        "data",
        "true β = 0.3",
        "a target whose name is far too long to stand aside",
        "best",
    ] {
        assert!(texts.iter().any(|text| text == wanted), "{wanted:?} is not among {texts:?}");
    }
    assert!(found.iter().any(|element| element.name == "desc" && element.text.contains("fit: 50 points")));
}

#[test]
fn every_coloured_element_has_a_light_and_a_dark_colour() {
    let text = two_panels().to_svg().unwrap();
    assert!(text.contains("prefers-color-scheme:dark"));
    let mut coloured = 0;
    for element in elements(&text) {
        for (name, property) in [("stroke", "--s:#"), ("fill", "--f:#")] {
            let colour = element.attribute(name);
            if colour.starts_with('#') {
                assert!(element.attribute("style").contains(property), "{element:?}");
                assert!(element.attribute("class").contains(&format!("gl-{}", &name[..1])), "{element:?}");
                coloured += 1;
            }
        }
    }
    assert!(coloured > 50, "{coloured}");
}

#[test]
fn nothing_leaves_the_picture_and_the_legend_is_above_the_axes() {
    let figure = two_panels();
    let panels = figure.to_panels().unwrap();
    for panel in &panels {
        let found = elements(panel);
        let area: Vec<f64> =
            found[0].attribute("data-area").split(' ').map(|number| number.parse().unwrap()).collect();
        let view: Vec<f64> =
            found[0].attribute("viewBox").split(' ').map(|number| number.parse().unwrap()).collect();
        assert!(area[0] > 0.0 && area[0] + area[2] < view[2] && area[1] > 0.0 && area[1] + area[3] < view[3]);
        for element in found.iter().filter(|element| element.name == "text") {
            if element.attributes.iter().any(|(name, _)| name == "transform") {
                continue;
            }
            let (x, y) = (element.number("x"), element.number("y"));
            let width = crate::svg::text_width(&element.text, element.number("font-size"));
            let from = match element.attribute("text-anchor") {
                "middle" => x - width / 2.0,
                "end" => x - width,
                _ => x,
            };
            assert!(from >= -0.5 && from + width <= view[2] + 0.5 && y > 0.0 && y <= view[3], "{element:?}");
            // No word stands on the data.
            let clear = y <= area[1]
                || y >= area[1] + area[3]
                || from + width <= area[0]
                || from >= area[0] + area[2];
            assert!(clear, "{element:?} stands in {area:?}");
        }
    }
}

#[test]
fn a_line_goes_through_its_points() {
    let figure = Figure::new("")
        .panel(Panel::new("").line("", &[0.0, 5.0, 10.0], &[-1.0, 0.0, 1.0]).y_range(-1.0, 1.0));
    let found = elements(&figure.to_panels().unwrap()[0]);
    let area: Vec<f64> =
        found[0].attribute("data-area").split(' ').map(|number| number.parse().unwrap()).collect();
    let [left, top, width, height] = area[..] else { panic!("{area:?}") };
    let found = places(lines(&found)[0].attribute("d"));
    let wanted = [(left, top + height), (left + width / 2.0, top + height / 2.0), (left + width, top)];
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(
            (found.0 - wanted.0).abs() < 0.011 && (found.1 - wanted.1).abs() < 0.011,
            "{found:?} {wanted:?}"
        );
    }
}

#[test]
fn gaps_are_gaps_and_lone_points_are_seen() {
    let nan = f64::NAN;
    let ys = [1.0, 2.0, nan, 4.0, f64::INFINITY, 6.0, 7.0];
    let text = Figure::new("").panel(Panel::new("").line("", &count(7), &ys)).to_svg().unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf,"));
    let found = elements(&text);
    let path = lines(&found)[0].attribute("d");
    assert_eq!(path.matches('M').count(), 3, "{path}");
    assert_eq!(path.matches("h0").count(), 1, "{path}");
    assert!(
        texts(&found).iter().any(|text| text.starts_with("1 value is infinite")),
        "the infinite value is not told"
    );
}

#[test]
fn a_long_trace_is_a_small_file_with_its_extremes() {
    let xs = count(100_000);
    let mut ys: Vec<f64> = xs.iter().map(|x| ((x * 12.9898).sin() * 43758.5453).fract()).collect();
    ys[77_777] = 40.0;
    let figure = Figure::new("").panel(Panel::new("").line("trace", &xs, &ys));
    let text = figure.to_svg().unwrap();
    assert!(text.len() < 80_000, "{} bytes", text.len());
    let found = elements(&figure.to_panels().unwrap()[0]);
    let line = lines(&found)[0];
    assert!(line.attribute("data-ys").split(',').any(|y| y == "40"), "the spike is gone");
    let (xs, ys) =
        (line.attribute("data-xs").split(',').count(), line.attribute("data-ys").split(',').count());
    assert_eq!(xs, ys);
}

#[test]
fn values_that_a_logarithmic_axis_cannot_show_are_counted() {
    let panel = Panel::new("").log_y().line("", &count(5), &[1.0, 0.0, -3.0, 10.0, 100.0]);
    let found = elements(&Figure::new("").panel(panel).to_svg().unwrap());
    assert!(
        texts(&found).iter().any(|text| text.starts_with("2 values are 0, negative")),
        "{:?}",
        texts(&found)
    );
}

#[test]
fn error_bars_span_twice_the_error() {
    let panel =
        Panel::new("").points_with_errors("", &[1.0, 2.0], &[5.0, 5.0], &[2.0, f64::NAN]).y_range(0.0, 10.0);
    let found = elements(&Figure::new("").panel(panel).to_panels().unwrap()[0]);
    let area: Vec<f64> =
        found[0].attribute("data-area").split(' ').map(|number| number.parse().unwrap()).collect();
    let bars: Vec<&Element> =
        found.iter().filter(|element| element.attribute("stroke-width") == "1.3").collect();
    assert_eq!(bars.len(), 1, "an error that is not a number has no bar");
    let places = places(bars[0].attribute("d"));
    assert!(((places[0].1 - places[1].1) - 0.4 * area[3]).abs() < 0.03, "{places:?}");
    assert_eq!(found.iter().filter(|element| element.name == "circle").count(), 2);
}

#[test]
fn many_series_and_targets_stay_apart() {
    let mut panel = Panel::new("many").x("x").y("y").ordered_colours();
    for index in 0..12 {
        let level = 0.5 + 0.001 * f64::from(index);
        panel = panel.line(format!("series {index}"), &[0.0, 1.0], &[0.0, level]);
        panel = panel.target_of_series(format!("{level}"), level);
    }
    let found = elements(&Figure::new("").panel(panel).to_panels().unwrap()[0]);
    let mut colours: Vec<&str> = lines(&found).iter().map(|line| line.attribute("stroke")).collect();
    assert_eq!(colours.len(), 12);
    colours.sort_unstable();
    colours.dedup();
    assert_eq!(colours.len(), 12, "two series have one colour");
    let mut names: Vec<f64> = found
        .iter()
        .filter(|e| e.name == "text" && e.text.starts_with("0.5"))
        .map(|e| e.number("y"))
        .collect();
    assert!(names.len() >= 12);
    names.sort_by(f64::total_cmp);
    let names = &names[names.len() - 12..];
    assert!(names.windows(2).all(|pair| pair[1] - pair[0] >= 13.9), "{names:?}");
}

#[test]
fn a_noisy_trace_shows_its_median() {
    let xs = count(10_000);
    let ys: Vec<f64> = xs.iter().map(|x| if *x as usize % 10 == 3 { 50.0 } else { 2.0 }).collect();
    let found =
        elements(&Figure::new("").panel(Panel::new("").trace("loss", &xs, &ys)).to_panels().unwrap()[0]);
    let lines = lines(&found);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].attribute("stroke"), lines[1].attribute("stroke"));
    assert_eq!(lines[0].attribute("data-ys"), "", "the values are told twice");
    assert_eq!(lines[1].attribute("data-label"), "loss (median)");
    assert!(lines[1].attribute("data-ys").split(',').all(|y| y == "2"), "the median is not 2");
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let message = |panel: Panel| Figure::new("f").panel(panel).to_svg().unwrap_err().to_string();
    let lengths = message(Panel::new("P").line("fit", &[1.0, 2.0], &[1.0]));
    assert!(
        lengths.contains("\"P\"") && lengths.contains("\"fit\"") && lengths.contains("2 x, 1 y"),
        "{lengths}"
    );
    assert!(message(Panel::new("P").points_with_errors("d", &[1.0], &[1.0], &[])).contains("0 errors"));
    assert!(message(Panel::new("P").y_range(2.0, 1.0)).contains("y from 2 to 1"));
    assert!(message(Panel::new("P").log_x().x_range(0.0, 1.0)).contains("logarithmic"));
    assert!(message(Panel::new("P").x_range(f64::NAN, 1.0)).contains("NaN"));
    assert!(matches!(Figure::new("f").to_svg(), Err(PlotError::Empty { .. })));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent").join("plot.svg");
    assert!(matches!(two_panels().write(path), Err(PlotError::File(_))));
}

#[test]
fn hostile_numbers_and_names_still_make_a_picture() {
    let values =
        [0.0, -0.0, 1e-320, -1e-300, 1e299, -1e299, 1.7e308, f64::MIN_POSITIVE, f64::NAN, f64::NEG_INFINITY];
    for log in [false, true] {
        for (i, first) in values.into_iter().enumerate() {
            for second in values.into_iter().skip(i) {
                let mut panel =
                    Panel::new("\u{0}<svg>").x("]]>").y("\"").line("&", &[first, second], &[second, first]);
                panel = panel
                    .points_with_errors("p", &[second], &[first], &[second])
                    .target("t", first)
                    .mark("m", second);
                let panel = if log { panel.log_x().log_y() } else { panel };
                let text = Figure::new("</svg>").panel(panel).to_svg().unwrap();
                assert!(elements(&text).len() > 5 && !text.contains("NaN"), "{first} {second} {log}");
            }
        }
    }
}

#[test]
fn numbers_are_written_briefly() {
    let found = [0.0, 0.3, -1.25, 123_456.0, 1e7, 0.000_012_3, 299_792_458.0, 0.299_87].map(brief);
    assert_eq!(found, ["0", "0.3", "−1.25", "123456", "1e7", "1.23e−5", "2.9979e8", "0.29987"]);
    assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(brief), ["not a number", "∞", "−∞"]);
}
