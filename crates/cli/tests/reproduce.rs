//! Runs the quick reproduction from end to end and opens it in a browser; kills a part of it twice and runs it again.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn reproduce(task: &str, out: &Path, further: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glauber"));
    command.args(["reproduce", task, "--quick", "--quiet", "--json", "--out"]).arg(out).args(further);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_name().unwrap().into(), std::fs::read(&path).unwrap())).collect()
}

/// Kills a run that nobody can warn once `due` says so; false where it ended before.
fn killed_when(mut run: Child, due: &dyn Fn() -> bool) -> bool {
    let begin = Instant::now();
    while !due() && begin.elapsed() < Duration::from_secs(3_000) {
        if run.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    true
}

#[test]
fn the_whole_tells_what_it_must_and_a_killed_run_ends_with_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));

    let output = reproduce("all", &whole, &[]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdict = |key: &str| {
        let claims = said["claims"].as_array().unwrap();
        let claim = claims.iter().find(|c| c["key"] == key).unwrap_or_else(|| panic!("no claim {key}"));
        claim["verdict"].as_str().unwrap().to_string()
    };
    // What the quick run can tell, it must tell; what needs the long fits or the real images, it must not.
    for key in ["beta-recovered", "k2-drives-the-first-drop", "our-diffusion-ratio"] {
        assert_eq!(verdict(key), "holds", "{key}");
    }
    assert_eq!(verdict("gumbel-softmax-on-pixels"), "does not hold");
    for key in ["seadragon-dice", "cells-dice", "diffusion-ratio", "joint-patterns"] {
        assert_eq!(verdict(key), "not tested", "{key}");
    }

    // One task alone, killed after a few parts, then within a fit, which leaves a checkpoint.
    let parts = broken.join("parts");
    let names = || {
        let entries = std::fs::read_dir(&parts).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let count =
        |ending: &str| names().iter().filter(|path| path.extension().is_some_and(|e| e == ending)).count();
    let checkpoint = || count("checkpoint") > 0;
    let killed_once =
        |due: &dyn Fn() -> bool| killed_when(reproduce("transition", &broken, &[]).spawn().unwrap(), due);
    assert!(killed_once(&|| count("json") >= 3), "it ended too soon");
    assert!(killed_once(&checkpoint) && checkpoint(), "it was not killed within a fit");
    let output = reproduce("transition", &broken, &[]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let again: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(again["parts"]["kept"].as_u64().unwrap() >= 3, "{again}");
    assert!(again["parts"]["run"].as_u64().unwrap() >= 1, "{again}");
    for inner in ["numbers", "figures", "parts"] {
        let (one, other) = (files(&whole.join(inner)), files(&broken.join(inner)));
        assert!(one.values().all(|bytes| !bytes.is_empty()), "{inner}: an empty file");
        // What tells of all tasks is another where there is one alone.
        let own = other.iter().filter(|(name, _)| !name.ends_with("claims.json"));
        assert!(own.clone().count() >= 2, "{inner}: {:?}", other.keys());
        for (name, bytes) in own {
            assert!(Some(bytes) == one.get(name), "{inner}/{} differs", name.display());
        }
    }

    // Another seed into the same folder is refused, and leaves it as it was.
    let before = files(&whole.join("numbers"));
    let refused = reproduce("all", &whole, &["--seed", "2"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("--out") && words.contains("--fresh"), "{words}");
    assert_eq!(before, files(&whole.join("numbers")));

    opened_in_a_browser(&whole.join("index.html"));
}

#[test]
fn what_is_asked_wrongly_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glauber"));
        let output = command.arg("reproduce").args(arguments).current_dir(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, words) = run(&["trajectories"]);
    assert!(code == Some(2) && words.contains("trajectory"), "{words}");
    let (code, words) = run(&["state", "--data", "nowhere"]);
    assert!(code == Some(2) && words.contains("seadragon.jpg"), "{words}");
    std::fs::create_dir(folder.path().join("thesis")).unwrap();
    std::fs::write(folder.path().join("thesis/chapter.tex"), "…").unwrap();
    let (code, words) = run(&["state", "--quick", "--out", "thesis"]);
    assert!(code == Some(2) && words.contains("something else"), "{words}");
    assert_eq!(files(&folder.path().join("thesis")).len(), 1);
}

/// The program of a Chromium that starts, if there is one.
fn chromium() -> Option<String> {
    let named = std::env::var("CHROMIUM").ok();
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(str::to_owned);
    named.into_iter().chain(usual).find(|program| {
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
    })
}

/// Counts what stands on the page and writes it into attributes of the body.
const PROBE: &str = r#"<script>
window.addEventListener("load", function () {
  var root = document.documentElement, body = document.body.dataset;
  var panels = [].slice.call(document.querySelectorAll("svg.gl-panel"));
  var images = [].slice.call(document.querySelectorAll("img"));
  var sized = function (element) { var box = element.getBoundingClientRect(); return box.width > 60 && box.height > 60; };
  body.panels = panels.length;
  body.emptypanels = panels.filter(function (p) { return !sized(p) || !p.querySelector("[data-xs]"); }).length;
  body.images = images.length;
  body.emptyimages = images.filter(function (i) { return !sized(i) || !i.naturalWidth; }).length;
  body.wider = root.scrollWidth - root.clientWidth;
  body.claims = document.querySelectorAll(".verdict").length;
  panels[0].dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
  var tip = document.querySelector(".gl-tip");
  body.tip = tip && !tip.hidden ? tip.innerText.replace(/\s+/g, " ") : "none";
});
</script>"#;

/// No error on the console, every figure there and not empty, nothing wider than the window, values to be read.
fn opened_in_a_browser(page: &Path) {
    let html = std::fs::read_to_string(page).unwrap();
    for elsewhere in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!html.contains(elsewhere), "the page loads something from elsewhere: {elsewhere}");
    }
    let Some(program) = chromium() else {
        eprintln!("SKIPPED: no Chromium is installed, so the page was not opened in a browser");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let watched = folder.path().join("page.html");
    std::fs::write(&watched, html.replace("</body>", &format!("{PROBE}</body>"))).unwrap();
    for width in [400, 1400] {
        let output = Command::new(&program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--enable-logging=stderr", "--virtual-time-budget=4000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("--window-size={width},900"))
            .arg(format!("file://{}", watched.display()))
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        let console: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(console.is_empty(), "{width} pixels: {console:?}");
        let document = String::from_utf8(output.stdout).unwrap();
        let attribute = |name: &str| -> String {
            let start = document.find(&format!("data-{name}=\"")).unwrap_or_else(|| panic!("no {name}"));
            let rest = &document[start + name.len() + 7..];
            rest[..rest.find('"').unwrap()].to_string()
        };
        let number = |name: &str| attribute(name).parse::<i64>().unwrap();
        assert!(number("panels") >= 12 && number("emptypanels") == 0, "{width} pixels: {document:.300}");
        assert!(number("images") >= 12 && number("emptyimages") == 0, "{width} pixels");
        assert_eq!(number("wider"), 0, "the page is wider than {width} pixels");
        assert!(number("claims") >= 15);
        assert!(attribute("tip").contains("gradient step"), "{}", attribute("tip"));
    }
}
