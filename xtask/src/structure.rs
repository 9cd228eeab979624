//! Counts what the plan of the house promises: lines of code per crate, circles between files, long files.
//!
//! A circle is a set of files of one crate that use one another, a parent module with its children left out (a parent
//! declares its children, and children may use what it holds). Paths are followed through `pub use`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// More lines of code than this in one crate are two crates.
const MOST_LINES: usize = 8_000;
/// Files above this are named, to be looked at.
const LONG_FILE: usize = 400;

/// Prints the counts; an error where a crate is too large or files go in circles.
pub fn structure() -> Result<()> {
    let mut sources: Vec<PathBuf> = folders(Path::new("crates"))?;
    sources.extend(["conformance", "reproduce", "bench", "xtask"].map(PathBuf::from));
    let mut wrong = Vec::new();
    println!("{:<12} {:>6} {:>6}  circles", "crate", "files", "code");
    for folder in sources {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let modules = read(&folder.join("src"))?;
        let lines: usize = modules.values().map(|m| m.lines).sum();
        let circles = circles(&modules);
        println!("{name:<12} {:>6} {lines:>6}  {}", modules.len(), circles.len());
        for circle in &circles {
            println!("    {}", circle.join(" ↔ "));
        }
        for (module, file) in modules.iter().filter(|(_, f)| f.lines > LONG_FILE) {
            println!("    {} lines of code: {}", file.lines, shown(module));
        }
        if lines > MOST_LINES {
            wrong.push(format!("{name} has {lines} lines of code, {MOST_LINES} are the most"));
        }
        if !circles.is_empty() {
            wrong.push(format!("{name} has {} circles between files", circles.len()));
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("; "));
    }
    Ok(())
}

/// A module's place in its crate, `[]` for the root.
type Place = Vec<String>;

/// One file.
struct Module {
    /// Lines that are neither blank nor comment, tests left out.
    lines: usize,
    /// Paths it names, from the crate's root.
    uses: Vec<Place>,
    /// Names that it hands on, and the paths they stand for.
    handed_on: BTreeMap<String, Place>,
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} could not be read", folder.display()))?;
    let mut found: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.is_dir()).collect();
    found.sort();
    Ok(found)
}

fn read(source: &Path) -> Result<BTreeMap<Place, Module>> {
    let mut modules = BTreeMap::new();
    let mut pending = vec![source.to_path_buf()];
    while let Some(folder) = pending.pop() {
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("{} could not be read", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let place = place_of(path.strip_prefix(source)?);
                let module = module(&std::fs::read_to_string(&path)?, &place);
                modules.insert(place, module);
            }
        }
    }
    Ok(modules)
}

/// `a/b.rs` and `a/b/mod.rs` are a::b; `lib.rs`, `main.rs` the root.
fn place_of(path: &Path) -> Place {
    let mut parts: Place =
        path.iter().map(|p| p.to_string_lossy().trim_end_matches(".rs").to_string()).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

fn module(text: &str, place: &Place) -> Module {
    // Tests stand at the end of a file.
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    let code: Vec<&str> = text.lines().map(without_comment).filter(|line| !line.trim().is_empty()).collect();
    let joined = code.join("\n");
    let mut uses = Vec::new();
    let mut handed_on = BTreeMap::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in joined.match_indices(start) {
            let whole =
                !joined[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$');
            if whole {
                for (path, _) in tree(&joined[at..]) {
                    uses.push(from_root(&path, place));
                }
            }
        }
    }
    for line in joined.split(';') {
        let line = line.trim_start().trim_start_matches('\n');
        let handing = line.rsplit_once('\n').map_or(line, |_| line);
        let Some(at) = handing.find("use ") else { continue };
        let public = handing[..at].trim_end();
        let path = &handing[at + 4..];
        for (path, name) in tree(path) {
            let first = path.first().map(String::as_str);
            // A path that starts at a child is a use of the child, too.
            let full = match first {
                Some("crate" | "super" | "self") => from_root(&path, place),
                _ => place.iter().cloned().chain(path.iter().cloned()).collect(),
            };
            if public.ends_with("pub") || public.ends_with(')') {
                handed_on.insert(name, full);
            }
        }
    }
    Module { lines: code.len(), uses, handed_on }
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line }
}

/// The paths of a `use` tree (or of a plain path), each with the name it brings.
fn tree(text: &str) -> Vec<(Place, String)> {
    let mut place = Place::new();
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if end > 0 {
            place.push(rest[..end].to_string());
            rest = &rest[end..];
        }
        let Some(next) = rest.strip_prefix("::") else { break };
        rest = next;
        if let Some(group) = rest.strip_prefix('{') {
            return branches(group)
                .iter()
                .flat_map(|branch| tree(branch.trim()))
                .map(|(path, name)| {
                    let own = path.first().is_some_and(|p| p == "self");
                    let name = if own { place.last().cloned().unwrap_or_default() } else { name };
                    let path = if own { path[1..].to_vec() } else { path };
                    (place.iter().cloned().chain(path).collect(), name)
                })
                .collect();
        }
    }
    let renamed = rest
        .trim_start()
        .strip_prefix("as ")
        .map(|r| r.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>());
    let name = renamed.or_else(|| place.last().cloned()).unwrap_or_default();
    vec![(place, name)]
}

/// What stands between the commas of a group, up to its closing brace.
fn branches(group: &str) -> Vec<&str> {
    let (mut found, mut depth, mut begin) = (Vec::new(), 0_usize, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                found.push(&group[begin..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&group[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    found.retain(|branch| !branch.trim().is_empty());
    found
}

fn from_root(path: &[String], place: &Place) -> Place {
    let mut root = match path.first().map(String::as_str) {
        Some("crate") => Place::new(),
        _ => place.clone(),
    };
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        match first.as_str() {
            "super" => {
                root.pop();
            }
            "crate" | "self" => {}
            _ => break,
        }
        rest = after;
    }
    root.extend(rest.iter().cloned());
    root
}

/// The file a path leads to, through the names that modules hand on.
fn file_of(path: &Place, modules: &BTreeMap<Place, Module>, depth: usize) -> Option<Place> {
    let mut length = path.len();
    while !modules.contains_key(&path[..length]) {
        length = length.checked_sub(1)?;
    }
    let place = path[..length].to_vec();
    let handed = path.get(length).and_then(|name| modules[&place].handed_on.get(name));
    match handed {
        Some(next) if depth > 0 && *next != *path => {
            file_of(&next.iter().chain(&path[length + 1..]).cloned().collect(), modules, depth - 1)
                .or(Some(place))
        }
        _ => Some(place),
    }
}

/// The circles: sets of files that reach one another by uses that are not between a parent and what is in it.
fn circles(modules: &BTreeMap<Place, Module>) -> Vec<Vec<String>> {
    let kin = |a: &Place, b: &Place| a.starts_with(b) || b.starts_with(a);
    let arrows: BTreeMap<&Place, BTreeSet<Place>> = modules
        .iter()
        .map(|(place, module)| {
            let to = module.uses.iter().filter_map(|path| file_of(path, modules, 8));
            (place, to.filter(|to| !kin(to, place)).collect())
        })
        .collect();
    let reached: BTreeMap<&Place, BTreeSet<&Place>> =
        arrows.keys().map(|from| (*from, reach(from, &arrows))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (from, to) in &reached {
        let circle: Vec<String> =
            to.iter().filter(|other| reached[**other].contains(*from)).map(|other| shown(other)).collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reach<'a>(from: &Place, arrows: &'a BTreeMap<&'a Place, BTreeSet<Place>>) -> BTreeSet<&'a Place> {
    let mut seen = BTreeSet::new();
    let mut pending: Vec<&Place> = arrows[from].iter().collect();
    while let Some(place) = pending.pop() {
        if seen.insert(place) {
            pending.extend(&arrows[place]);
        }
    }
    seen
}

fn shown(place: &Place) -> String {
    if place.is_empty() { "the root".into() } else { place.join("::") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_of(files: &[(&str, &str)]) -> BTreeMap<Place, Module> {
        files
            .iter()
            .map(|(path, text)| (place_of(Path::new(path)), module(text, &place_of(Path::new(path)))))
            .collect()
    }

    #[test]
    fn a_circle_is_found_through_what_is_handed_on_and_groups() {
        let modules = crate_of(&[
            ("lib.rs", "mod a;\nmod b;\nmod c;\npub use b::{Held, self as other};\n"),
            ("a.rs", "use crate::{c::Thing, Held};\n"),
            ("b.rs", "use super::a;\n"),
            ("c.rs", "use std::fmt;\n"),
        ]);
        assert_eq!(circles(&modules), [["a", "b"]]);
    }

    #[test]
    fn parents_with_children_and_tests_are_no_circle() {
        let modules = crate_of(&[
            ("a/mod.rs", "mod b;\npub use b::B;\npub struct A;\n"),
            ("a/b.rs", "use super::A;\npub struct B;\n"),
            ("c.rs", "use crate::a::A;\n"),
            ("a/d.rs", "// use crate::c::C;\n#[cfg(test)]\nmod tests {\n    use crate::c::C;\n}\n"),
        ]);
        assert!(circles(&modules).is_empty());
        assert_eq!(modules[&place_of(Path::new("a/d.rs"))].lines, 0);
    }
}
