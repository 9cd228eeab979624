//! Says in Python's words what is said in those of a fit file: keys become arguments of the call that is made.
//!
//! `data.step-time` is `step_time=` of a trajectory and `times=` of a transition, `columns = { id = "cell" }` under [data] is
//! `columns={"id": "cell"}`. What no argument says is told as a key of a fit file, which Python can run too.

use super::task::Task;

/// The arguments of `glauber.fit` that have a key of their own.
const OF_FIT: [(&str, &str); 14] = [
    ("estimator.name", "estimator"),
    ("optimizer.name", "optimizer"),
    ("optimizer.learning-rate", "learning_rate"),
    ("optimizer.steps", "steps"),
    ("optimizer.replicates", "replicates"),
    ("optimizer.batch", "batch"),
    ("optimizer.average", "average"),
    ("run.seed", "seed"),
    ("run.threads", "threads"),
    ("run.precision", "precision"),
    ("run.memory", "memory"),
    ("data.covariates", "fields"),
    ("start", "start"),
    ("fixed", "fixed"),
];

/// Those of the tasks, by the name of the task's class.
const OF_TASKS: [(Task, &str, &[(&str, &str)]); 6] = [
    (
        Task::Transition,
        "Transition",
        &[
            ("data.states", "states"),
            ("data.simulate", "simulate"),
            ("data.first-step", "times"),
            ("data.interval", "times"),
            ("data.step-time", "times"),
            ("loss.name", "loss"),
            ("estimator.compare", "compare"),
        ],
    ),
    (
        Task::Trajectory,
        "Trajectory",
        &[
            ("data.states", "states"),
            ("data.tracks", "tracks"),
            ("data.msd", "msd"),
            ("data.curve", "msd"),
            ("data.simulate", "simulate"),
            ("data.first-step", "times"),
            ("data.interval", "interval"),
            ("data.step-time", "step_time"),
            ("data.site-length", "site_length"),
            ("data.lags", "lags"),
            ("data.shortest-track", "shortest_track"),
            ("data.bootstrap", "bootstrap"),
            ("data.dimensions", "dimensions"),
            ("data.initial", "initial"),
            ("data.columns", "columns"),
            ("data.length-unit", "length_unit"),
            ("data.time-unit", "time_unit"),
            ("loss.name", "loss"),
            ("loss.summary", "summary"),
            ("loss.weighted", "weighted"),
            ("loss.at", "at"),
            ("estimator.compare", "compare"),
        ],
    ),
    (
        Task::Stationary,
        "Stationary",
        &[
            ("data.states", "states"),
            ("data.simulate", "simulate"),
            ("data.steps", "steps"),
            ("loss.name", "loss"),
            ("loss.summary", "summary"),
            ("loss.weighted", "weighted"),
            ("estimator.compare", "compare"),
        ],
    ),
    (
        Task::Stability,
        "Stability",
        &[
            ("data.pattern", "pattern"),
            ("data.states", "pattern"),
            ("data.simulate", "simulate"),
            ("data.steps", "steps"),
            ("loss.name", "loss"),
            ("estimator.compare", "compare"),
        ],
    ),
    (
        Task::State,
        "InitialState",
        &[
            ("data.states", "states"),
            ("data.image", "states"),
            ("data.simulate", "simulate"),
            ("data.steps", "steps"),
            ("data.first-step", "times"),
            ("data.interval", "times"),
            ("data.step-time", "times"),
            ("data.start-sites", "start_sites"),
            ("loss.name", "loss"),
            ("estimator.compare", "compare"),
            ("fixed", "parameters"),
        ],
    ),
    (Task::Observation, "Observation", &[("data.steps", "steps")]),
];

/// Phrases that are said otherwise as a whole.
const PHRASES: [(&str, &str); 11] = [
    (
        ": correct it, or give it another name and say how far apart the times are by `data.interval` and `data.step-time`",
        ": correct it",
    ),
    (
        "; else leave it out, and say how far apart the times are by `data.interval` and `data.step-time`",
        "; else leave it out",
    ),
    (
        "say so in a line `# lags: intervals`",
        "give them as a file of which a line says `# lags: intervals`, by its path",
    ),
    ("in [model-options]", "of glauber.load"),
    ("under [model-options]", "with glauber.load(…, shape=…)"),
    ("under [start] or [fixed]", "in `start` or `fixed`"),
    ("[start] or of [fixed]", "`start` or of `fixed`"),
    (" under [data]", ""),
    (" under [start]", " in `start`"),
    (" under [fixed]", " in `fixed`"),
    ("in [fixed]", "in `fixed`"),
];

/// Words that a fit from memory, by Python, says to who wrote it.
///
/// ```
/// use glauber_fit_file::{Task, in_python};
/// assert_eq!(in_python("give `data.step-time` too", Task::Trajectory), "give `step_time=` too");
/// assert_eq!(in_python("give `data.step-time` too", Task::Transition), "give `times=` too");
/// ```
pub fn in_python(words: &str, task: Task) -> String {
    let fixed = if task == Task::State { "`parameters`" } else { "`fixed`" };
    let words = PHRASES
        .iter()
        .fold(words.to_string(), |words, (from, to)| words.replace(from, &to.replace("`fixed`", fixed)));
    let words = OF_TASKS.iter().fold(words, |words, (task, class, _)| {
        words.replace(&format!("the task `{}`", task.name()), &format!("glauber.{class}"))
    });
    let words = tables(&sliced(&words), task);
    let mut out = String::new();
    let mut parts = words.split('`').peekable();
    let mut is_code = false;
    while let Some(part) = parts.next() {
        // A back quote without its partner opens nothing.
        out += &match (is_code, parts.peek()) {
            (false, _) => part.to_string(),
            (true, None) => format!("`{part}"),
            (true, Some(_)) => said(part, task).unwrap_or_else(|| format!("`{part}`")),
        };
        is_code = !is_code;
    }
    // Two keys that one argument says.
    for link in ["and", "or", "/"] {
        out = out.replace(&format!("`times=` {link} `times=`"), "`times=`");
    }
    out
}

/// A key, or a key with its value, as Python writes it.
fn said(code: &str, task: Task) -> Option<String> {
    let (key, value) = match code.split_once(" = ") {
        Some((key, value)) => (key, Some(value)),
        None => (code, None),
    };
    // `columns = { … }`, as the readers of tracks say it.
    let whole = if key.contains('.') || value.is_none() { key.to_string() } else { format!("data.{key}") };
    let is_key = |key: &str| key.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == '.' || c == '_');
    let (table, name) = whole.split_once('.')?;
    let is_named = ["start", "fixed"].contains(&table);
    if !(is_named || is_key(&whole) && is_table(table)) {
        return None;
    }
    Some(match argument(&whole, table, name, task, value.map(python_value).as_deref()) {
        Some(argument) => format!("`{argument}`"),
        None => format!("`{code}` of a fit file"),
    })
}

fn is_table(name: &str) -> bool {
    name == "model-options" || super::TABLES_OF_KEYS.iter().any(|(table, _)| *table == name)
}

/// The argument that says what a key does in the call of this task, where one does.
fn argument(key: &str, table: &str, name: &str, task: Task, value: Option<&str>) -> Option<String> {
    let python = |name: &str| name.replace('-', "_");
    let nested = |outer: &str, name: &str| format!("{outer}={{\"{name}\": {}}}", value.unwrap_or("…"));
    let (class, of_task) = OF_TASKS
        .iter()
        .find(|(own, ..)| *own == task)
        .map_or(("", &[][..]), |(_, class, keys)| (*class, *keys));
    let find = |key: &str| of_task.iter().chain(&OF_FIT).find(|(own, _)| *own == key).map(|(_, name)| *name);
    Some(match (table, find(key), key) {
        ("start" | "fixed", ..) => nested(find(table).unwrap_or(table), name),
        ("posterior", ..) => format!("glauber.posterior(…, {}={})", python(name), value.unwrap_or("…")),
        ("model-options", ..) => format!("glauber.load(…, {}={})", python(name), value.unwrap_or("…")),
        // Its name is also one of `glauber.fit`.
        (_, Some(own), "data.steps") => format!("glauber.{class}({own}={})", value.unwrap_or("…")),
        (_, Some("times"), _) => "times=".to_string(),
        (_, Some(own), _) => format!("{own}={}", value.unwrap_or_default()),
        (_, None, "data.frames") => "array[:, first:last]".to_string(),
        (_, None, "data.frames.first") => format!("array[:, {}:]", value.unwrap_or("first")),
        (_, None, "data.frames.last") => "array[:, :last + 1]".to_string(),
        (_, None, "data.frames.every") => format!("array[:, ::{}]", value.unwrap_or("every")),
        (_, None, "data.layer") => "{layer: array}".to_string(),
        ("estimator" | "optimizer", ..) => nested(table, name),
        ("data", ..) => {
            let (outer, inner) = name.split_once('.')?;
            nested(find(&format!("data.{outer}"))?, &python(inner))
        }
        _ => return None,
    })
}

/// Tables in brackets, as the arguments that they are.
fn tables(words: &str, task: Task) -> String {
    let mut out = String::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('[') {
        out += before;
        let Some((inner, behind)) = after.split_once(']') else {
            rest = &rest[before.len()..];
            break;
        };
        let outer = inner.split('.').next().unwrap_or_default();
        let is_name = inner.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == '.');
        let class = OF_TASKS.iter().find(|(own, ..)| *own == task).map_or("", |(_, class, _)| *class);
        match (inner, is_name && is_table(outer)) {
            ("data" | "loss", true) => out += &format!("glauber.{class}"),
            ("run", true) => out += "glauber.fit",
            ("optimizer" | "estimator", true) => out += &format!("`{inner}=`"),
            (_, true) => out += &said(inner, task).unwrap_or_else(|| format!("[{inner}]")),
            (_, false) => {
                out.push('[');
                rest = after;
                continue;
            }
        }
        rest = behind;
    }
    out + rest
}

/// A value of a fit file as Python writes it.
fn python_value(value: &str) -> String {
    let Some(inner) = value.strip_prefix("{ ").and_then(|v| v.strip_suffix(" }")) else {
        return value.to_string();
    };
    let pairs: Vec<String> = inner
        .split(", ")
        .map(|pair| match pair.split_once(" = ") {
            Some((key, value)) => format!("\"{key}\": {value}"),
            None => pair.to_string(),
        })
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Frames left out by their number, as a slice.
fn sliced(words: &str) -> String {
    let (from, to) = ("data.frames = { first = ", " }");
    let Some((before, rest)) = words.split_once(from) else { return words.to_string() };
    let Some((number, after)) = rest.split_once(to).filter(|(n, _)| n.chars().all(|c| c.is_ascii_digit()))
    else {
        return words.to_string();
    };
    format!("{before}{{layer: array[:, {number}:]}}{after}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{TABLES_OF_KEYS, TASKS};
    use super::*;

    /// The arguments of a class or function in a source file of Python: what stands as `name: Type` in its head.
    fn arguments(source: &str, head: &str, indented: &str) -> Vec<String> {
        let (_, rest) = source.split_once(head).unwrap();
        let lines = rest
            .lines()
            .skip(1)
            .take_while(|l| !l.contains("def ") && ![") ->", "class "].iter().any(|end| l.starts_with(end)));
        let names = lines.filter_map(|line| line.strip_prefix(indented)?.split_once(": "));
        let is_name =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        names.filter(|(name, _)| is_name(name)).map(|(name, _)| name.to_string()).collect()
    }

    fn python(file: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/glauber").join(file);
        std::fs::read_to_string(path).unwrap()
    }

    /// The arguments that the call of a task has: those of `glauber.fit`, and those of its class.
    fn call(task: Task) -> (Vec<String>, Vec<String>) {
        let of_fit = arguments(&python("_fit.py"), "\ndef fit(", "    ");
        let (_, class, _) = OF_TASKS.iter().find(|(own, ..)| *own == task).unwrap();
        let file = if task == Task::Observation { "_observation.py" } else { "_tasks.py" };
        let of_task = arguments(&python(file), &format!("\nclass {class}:"), "    ");
        assert!(of_fit.len() > 12 && of_task.len() > 3, "{of_fit:?} {of_task:?}");
        (of_fit, of_task)
    }

    #[test]
    fn every_key_is_said_by_an_argument_that_the_call_has_or_as_one_of_a_file() {
        for entry in TASKS {
            let (of_fit, of_task) = call(entry.task);
            for (table, keys) in TABLES_OF_KEYS {
                for key in keys.iter().map(|(name, _)| format!("{table}.{name}")) {
                    let words = in_python(&format!("give `{key}`"), entry.task);
                    let code = words.strip_prefix("give `").and_then(|w| w.split_once('`')).unwrap();
                    let argument = match code {
                        (own, " of a fit file") => {
                            // No argument is left unused for want of a line here.
                            assert_eq!(own, key);
                            let last = key.rsplit('.').next().unwrap().replace('-', "_");
                            let of_fit = of_fit.contains(&last) && key != "data.steps"; // those of the optimizer
                            let has = of_fit || of_task.contains(&last);
                            assert!(!has || key.starts_with("data.simulate."), "{}: {words}", entry.name);
                            continue;
                        }
                        (own, _) if own.starts_with("array[") || own == "{layer: array}" => continue,
                        (own, _) => own.split_once('=').unwrap().0,
                    };
                    let known = match argument.split_once('(') {
                        Some(("glauber.posterior", name)) => {
                            let own = arguments(&python("_density.py"), "\ndef posterior(", "    ");
                            own.iter().any(|a| name.ends_with(&format!(" {a}")))
                        }
                        Some((class, name)) => {
                            class.starts_with("glauber.") && of_task.iter().any(|a| a == name)
                        }
                        None => of_fit.iter().chain(&of_task).any(|a| a == argument),
                    };
                    assert!(known, "{}: `{key}` is said as {words}", entry.name);
                }
            }
        }
    }

    /// Every key that stands in a source file of the crates which a fit uses, as a message would name it.
    fn keys_in_messages() -> Vec<String> {
        let mut found = Vec::new();
        let mut folders: Vec<_> = ["fit", "tasks", "data", "optimize", "files", "model-file"]
            .map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src"))
            .to_vec();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
                if entry.is_dir() {
                    if !entry.ends_with("cells") {
                        folders.push(entry);
                    }
                    continue;
                }
                let source = std::fs::read_to_string(&entry).unwrap();
                let code = source.split("#[cfg(test)]").next().unwrap();
                for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                    found.push(line.to_string());
                }
            }
        }
        found
    }

    #[test]
    fn no_message_of_the_library_keeps_a_key_that_python_has_not() {
        let is_part = |c: char| c.is_ascii_lowercase() || c == '-' || c == '.' || c == '_';
        let tables = ["data", "loss", "estimator", "optimizer", "run", "model-options"];
        let mut seen = 0;
        for line in keys_in_messages() {
            for (_, code) in line.split('`').enumerate().filter(|(place, _)| place % 2 == 1) {
                let key: String = code.chars().take_while(|c| is_part(*c)).collect();
                let Some((table, _)) = key.split_once('.') else {
                    // A key alone says nothing in Python where its name is written otherwise there.
                    let bare = TABLES_OF_KEYS.iter().flat_map(|(_, keys)| keys.iter());
                    let is_key = key == code && key.contains('-') && bare.clone().any(|(own, _)| *own == key);
                    let of_table = line.contains("needs `") || line.contains("has no key");
                    assert!(!is_key || of_table, "a key without its table in: {line}");
                    continue;
                };
                if !tables.contains(&table) || code.contains('{') && !code.starts_with("data.frames") {
                    continue;
                }
                seen += 1;
                for entry in TASKS {
                    let words = in_python(&format!("`{code}`"), entry.task);
                    let is_ours =
                        words.contains('=') || words.starts_with("`array[") || words.ends_with("file");
                    assert!(is_ours || words == "`{layer: array}`", "{}: {words} in: {line}", entry.name);
                }
            }
        }
        assert!(seen > 60, "{seen}");
    }

    #[test]
    fn keys_become_arguments() {
        for (file, said) in [
            ("give `data.step-time` too", "give `step_time=` too"),
            ("say it by `data.first-step`", "say it by `times=`"),
            (
                "give `columns = { id = \"a b\", time = 3 }` under [data]",
                "give `columns={\"id\": \"a b\", \"time\": 3}`",
            ),
            ("name it by `data.columns.y`", "name it by `columns={\"y\": …}`"),
            ("give `interval = 12` under [data]; else", "give `interval=12`; else"),
            ("`data.frames.every = 2` takes", "`array[:, ::2]` takes"),
            ("give `fixed.beta`", "give `fixed={\"beta\": …}`"),
            ("give `start.β_1`", "give `start={\"β_1\": …}`"),
            ("`optimizer.map` is", "`optimizer={\"map\": …}` is"),
            ("`optimizer.learning-rate` is", "`learning_rate=` is"),
            ("`data.simulate.start-sites`", "`simulate={\"start_sites\": …}`"),
            ("`run.formation-test` tells", "`run.formation-test` of a fit file tells"),
            ("set `model-options.shape`", "set `glauber.load(…, shape=…)`"),
            ("[data.simulate] has no key `stps`", "`simulate=` has no key `stps`"),
            (
                "[optimizer] with name \"adam\" has no key `betas`",
                "`optimizer=` with name \"adam\" has no key `betas`",
            ),
            (
                "[data] has no key `x`; [1, 2] and [run, time]",
                "glauber.Trajectory has no key `x`; [1, 2] and [run, time]",
            ),
            ("[start", "[start"),
            ("only the task `state` looks for it", "only glauber.InitialState looks for it"),
            (
                "rise: correct it, or give it another name and say how far apart the times are by `data.interval` and \
                 `data.step-time`",
                "rise: correct it",
            ),
            ("the column `data` of `x.csv`", "the column `data` of `x.csv`"),
            ("as with data.frames = { first = 16 }", "as with {layer: array[:, 16:]}"),
            ("one ` alone", "one ` alone"),
            ("`beta` is 0.3; `p / max(n, 1)`", "`beta` is 0.3; `p / max(n, 1)`"),
        ] {
            assert_eq!(in_python(file, Task::Trajectory), said);
        }
        let said = in_python("give `data.interval` and `data.step-time`", Task::Transition);
        assert_eq!(said, "give `times=`");
        let said = in_python("lower `data.steps` or `optimizer.steps`", Task::Stability);
        assert_eq!(said, "lower `glauber.Stability(steps=…)` or `steps=`");
    }
}
