//! Opens the page in headless Chromium, points at a curve and reads what the page then says.
//!
//! Skipped, visibly, where no Chromium is installed (`CHROMIUM` may name its program).
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::process::Command;

use glauber_report::html::{Page, Section};
use glauber_report::plot::{Figure, Panel};

/// The program of a Chromium that starts, if there is one.
fn chromium() -> Option<String> {
    let named = std::env::var("CHROMIUM").ok();
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(str::to_owned);
    named.into_iter().chain(usual).find(|program| {
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
    })
}

/// The document as it stands after its scripts have run, in a window of the given width.
fn document_after(program: &str, html: &str, width: u32) -> String {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, html).unwrap();
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--window-size={width},900"))
        .args(["--virtual-time-budget=4000", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Points at the middle of the first panel, and writes what it finds into attributes of the body.
const PROBE: &str = r#"<script>
(function () {
  var svg = document.querySelector("svg.gl-panel"), box = svg.getBoundingClientRect();
  var area = svg.dataset.area.split(" ").map(Number), zoom = box.width / svg.viewBox.baseVal.width;
  svg.dispatchEvent(new PointerEvent("pointermove", {
    clientX: box.left + zoom * (area[0] + area[2] / 2), clientY: box.top + zoom * (area[1] + area[3] / 2)
  }));
  var tip = document.querySelector(".gl-tip");
  document.body.dataset.tip = tip && !tip.hidden ? tip.innerText.replace(/\s+/g, " ") : "none";
  svg.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
  document.body.dataset.next = tip ? tip.innerText.replace(/\s+/g, " ") : "none";
  svg.dispatchEvent(new PointerEvent("pointerleave"));
  document.body.dataset.left = tip && tip.hidden ? "hidden" : "shown";
  var root = document.documentElement;
  document.body.dataset.overflow = String(root.scrollWidth - root.clientWidth);
  var sizes = [].map.call(document.querySelectorAll("svg.gl-panel text"), function (text) {
    return text.getBoundingClientRect().height;
  });
  document.body.dataset.smallest = String(Math.min.apply(null, sizes));
})();
</script>"#;

fn attribute<'a>(document: &'a str, name: &str) -> &'a str {
    let start = document.find(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in the document"));
    let rest = &document[start + name.len() + 2..];
    &rest[..rest.find('"').unwrap()]
}

#[test]
fn pointing_at_a_curve_tells_its_values() {
    let Some(program) = chromium() else {
        eprintln!("SKIPPED: no Chromium is installed, so the page was not opened in a browser");
        return;
    };
    let xs: Vec<f64> = (0..=100).map(f64::from).collect();
    let falling: Vec<f64> = xs.iter().map(|x| 1.0 - x / 200.0).collect();
    let figure = Figure::new("")
        .panel(
            Panel::new("A panel with a title")
                .x("gradient step")
                .y("probability per step")
                .x_range(0.0, 100.0)
                .line("fall", &xs, &falling)
                .points_with_errors("data", &[49.9], &[0.25], &[0.01])
                .target("a target", 0.5),
        )
        .panel(Panel::new("").x("x").y("loss").log_y().line("", &xs, &falling));
    let table = glauber_report::html::Table::new(["a column with a long name", "another", "third"]).row([
        "a long cell with many words in it that must not push the page wider than the window",
        "2",
        "averyverylongwordwithoutanyspacethatmustnotpushthepagewidereither",
    ]);
    let page = Page::new("A page")
        .section(Section::new("Curves").figure(&figure, "A caption.").unwrap().table(&table));
    let watch = "<head><script>window.onerror = function (words) { document.documentElement.dataset.failure = words; };</script>";
    let html = page.to_html().replacen("<head>", watch, 1).replace("</body>", &format!("{PROBE}</body>"));
    for width in [400, 1400] {
        let document = document_after(&program, &html, width);
        assert!(
            !document.contains("data-failure"),
            "the script failed: {}",
            attribute(&document, "data-failure")
        );
        let tip = attribute(&document, "data-tip");
        assert_eq!(tip, "gradient step 50 fall 0.75 data 0.25 ± 0.01", "{width} pixels");
        let next = attribute(&document, "data-next");
        assert!(next.starts_with("gradient step 51 fall 0.745"), "{width} pixels: {next}");
        assert_eq!(attribute(&document, "data-left"), "hidden");
        assert_eq!(attribute(&document, "data-overflow"), "0", "the page is wider than {width} pixels");
        let smallest: f64 = attribute(&document, "data-smallest").parse().unwrap();
        assert!(smallest >= 10.0, "letters only {smallest} pixels high in {width} pixels");
    }
}
