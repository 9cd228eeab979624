//! Reads the page back as XML and checks what is on it.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::plot::Panel;
use crate::xml::elements;

const HOSTILE: &str = "</script><script>alert(1)</script> & \"'<img src=x onerror=alert(2)>";

fn claim(verdict: Verdict) -> Claim {
    Claim {
        claim: format!("claim {HOSTILE}"),
        said: "0.3".into(),
        measured: "0.3002 ± 0.0004".into(),
        verdict,
        note: if verdict == Verdict::HoldsWithDifference { "slower".into() } else { String::new() },
        seconds: Some(75.0),
    }
}

fn page() -> Page {
    let colouring = Colouring::binary();
    let picture = Picture::of(&[0u8, 1, 1, 0], 2, 2, &colouring).unwrap();
    let figure = Figure::new(HOSTILE)
        .panel(
            Panel::new(HOSTILE)
                .x(HOSTILE)
                .y("β")
                .line(HOSTILE, &[0.0, 1.0, 2.0], &[0.9, 0.5, 0.3])
                .target(HOSTILE, 0.3),
        )
        .panel(Panel::new("Loss").x("step").y("loss").log_y().points_with_errors(
            "",
            &[0.0, 1.0],
            &[1.0, 0.1],
            &[0.1, 0.02],
        ));
    let mut film = crate::frames::Film::new(Vec::new(), 2, 2, colouring.clone(), Default::default()).unwrap();
    film.push(&[0u8, 0, 0, 1]).unwrap();
    let film = film.finish().unwrap();
    Page::new(HOSTILE)
        .lead("One.\n\nTwo.")
        .section(
            Section::new(HOSTILE)
                .prose(HOSTILE)
                .code(HOSTILE)
                .figure(&figure, HOSTILE)
                .unwrap()
                .picture(&picture, HOSTILE, HOSTILE)
                .unwrap()
                .film(&film, &picture, HOSTILE, HOSTILE)
                .unwrap()
                .key(HOSTILE, &colouring, &[HOSTILE, "aware"])
                .key("particles", &Colouring::sequential(0.0, 50.0).unwrap(), &[])
                .facts([(HOSTILE, "1")]),
        )
        .section(
            Section::new("Claims")
                .claims(&[
                    claim(Verdict::Holds),
                    claim(Verdict::HoldsWithDifference),
                    claim(Verdict::DoesNotHold),
                    claim(Verdict::Holds),
                    claim(Verdict::NotTested),
                ])
                .table(
                    &Table::new([HOSTILE, "n"])
                        .caption(HOSTILE)
                        .row(["a", "1"])
                        .row([HOSTILE, "2.5 ± 1", "more"]),
                ),
        )
        .footer(HOSTILE)
}

#[test]
fn no_word_becomes_markup() {
    let html = page().to_html();
    let found = elements(&html);
    assert_eq!(found.iter().filter(|element| element.name == "script").count(), 1);
    assert!(found.iter().flat_map(|element| &element.attributes).all(|(name, _)| !name.starts_with("on")));
    // The words themselves are all there.
    for name in ["h1", "h2", "p", "code", "figcaption", "dt", "caption", "th", "td", "title"] {
        assert!(
            found.iter().any(|element| element.name == name && element.text.contains(HOSTILE)),
            "in <{name}>"
        );
    }
    assert!(found.iter().any(|element| element.name == "img" && element.attribute("alt") == HOSTILE));
}

#[test]
fn nothing_comes_from_elsewhere() {
    let html = page().to_html();
    for element in elements(&html) {
        for (name, value) in &element.attributes {
            let is_address = ["src", "href", "srcset", "action", "data"].contains(&name.as_str());
            assert!(!is_address || value.starts_with("data:") || value.starts_with('#'), "{name}={value}");
            assert!(!value.contains("url("), "{name}={value}");
        }
    }
    assert!(!CSS.contains("url(") && !CSS.contains("@import"));
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn every_figure_and_number_is_there_without_the_script() {
    let found = elements(&page().to_html());
    let count = |name: &str| found.iter().filter(|element| element.name == name).count();
    assert_eq!(found.iter().filter(|element| element.attribute("class") == "gl-panel").count(), 2);
    assert_eq!((count("img"), count("picture"), count("section"), count("details")), (2, 1, 2, 1));
    let cells: Vec<&str> = found.iter().filter(|e| e.name == "td").map(|e| e.text.as_str()).collect();
    for wanted in ["0.9 (at 0)", "0.3 (at 2)", "1 min 15 s", "0.3002 ± 0.0004"] {
        assert!(cells.contains(&wanted), "{wanted} is not among {cells:?}");
    }
    let numbers = found.iter().filter(|e| e.name == "td" && e.attribute("class") == "number");
    assert!(
        numbers.map(|e| e.text.as_str()).any(|text| text == "2.5 ± 1"),
        "a column of numbers is not flush right"
    );
}

#[test]
fn verdicts_are_counted_signed_and_coloured() {
    let html = page().to_html();
    assert!(html.contains("5 claims: 2 hold, 1 holds with a difference, 1 does not hold, 1 was not tested."));
    for (class, words) in [
        ("holds", "✓ holds"),
        ("differs", "≈ holds with a difference"),
        ("fails", "✗ does not hold"),
        ("untested", "– not tested"),
    ] {
        assert!(html.contains(&format!("<span class=\"verdict {class}\">{words}</span>")), "{words}");
        assert!(CSS.contains(&format!(".verdict.{class}{{")), "{class} has no colour");
    }
    assert!(html.contains("<span class=\"note\">slower</span>"));
}

#[test]
fn the_script_holds_no_sequence_that_ends_it() {
    assert!(!SCRIPT.contains("</") && !SCRIPT.contains("]]>") && !SCRIPT.contains("innerHTML"));
}

#[test]
fn an_empty_page_is_a_page() {
    let found = elements(&Page::new("").to_html());
    assert!(found.iter().any(|element| element.name == "main"));
    assert!(!found.iter().any(|element| element.name == "nav"));
}

#[test]
fn wrong_figures_are_refused() {
    let wrong = Figure::new("").panel(Panel::new("").line("", &[1.0], &[]));
    assert!(Section::new("").figure(&wrong, "").is_err());
    let folder = tempfile::tempdir().unwrap();
    assert!(page().write(folder.path().join("absent/page.html")).is_err());
}
