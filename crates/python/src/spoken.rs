//! Says in Python's words what the library says in those of a fit file: keys become arguments.
//!
//! `data.step-time` is `step_time=`, `columns = { id = "cell" }` under [data] is `columns={"id": "cell"}`; what a fit was
//! given as a file is told as it is.

/// What is called otherwise in Python than its key is.
const OTHERWISE: [(&str, &str); 9] = [
    ("data.first-step", "times="),
    ("data.simulate.parameters", "simulate={\"parameters\": …}"),
    ("data.simulate", "simulate="),
    ("loss.name", "loss="),
    ("optimizer.name", "optimizer="),
    ("optimizer.map", "maps="),
    ("estimator.name", "estimator="),
    ("estimator.compare", "compare="),
    ("run.formation-test", "formation_test="),
];

/// Phrases of which there is nothing in memory.
const PHRASES: [(&str, &str); 1] = [(
    "say so in a line `# lags: intervals`",
    "give them as a file of which a line says `# lags: intervals`, by its path",
)];

/// Tables of a fit file whose keys are arguments; those whose keys are names.
const TABLES: [&str; 5] = ["data", "loss", "optimizer", "estimator", "run"];
const NAMED: [&str; 2] = ["start", "fixed"];

/// The same words for who writes Python.
pub fn in_python(words: &str) -> String {
    let words = PHRASES.iter().fold(words.to_string(), |words, (from, to)| words.replace(from, to));
    let words = sliced(&words);
    let mut out = String::new();
    let mut parts = words.split('`').peekable();
    let mut is_code = false;
    while let Some(part) = parts.next() {
        // A back quote without its partner opens nothing.
        let own = is_code && parts.peek().is_some();
        out += &if own { argument(part).unwrap_or_else(|| part.to_string()) } else { part.to_string() };
        if parts.peek().is_some() {
            out.push('`');
        }
        is_code = !is_code;
    }
    out.replace("` under [data]", "`")
}

/// A key, or a key with its value, as an argument.
fn argument(code: &str) -> Option<String> {
    let (key, value) = match code.split_once(" = ") {
        Some((key, value)) => (key, Some(value)),
        None => (code, None),
    };
    let is_key = |key: &str| key.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == '.' || c == '_');
    if !is_key(key) {
        let (table, name) = key.split_once('.')?;
        return (NAMED.contains(&table) && value.is_none()).then(|| format!("{table}={{\"{name}\": …}}"));
    }
    let name = match (OTHERWISE.iter().find(|(own, _)| *own == key), key.split_once('.')) {
        (Some((_, name)), _) => name.to_string(),
        (None, Some((table, key))) if TABLES.contains(&table) => {
            format!("{}=", key.rsplit('.').next().unwrap_or(key).replace('-', "_"))
        }
        (None, Some((table, name))) if NAMED.contains(&table) => format!("{table}={{\"{name}\": …}}"),
        (None, None) if value.is_some() => format!("{}=", key.replace('-', "_")),
        _ => return None,
    };
    Some(match value {
        None => name,
        Some(value) => format!("{name}{}", python_value(value)),
    })
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
    use super::in_python;

    #[test]
    fn keys_become_arguments() {
        for (file, python) in [
            ("give `data.step-time` too", "give `step_time=` too"),
            ("say it by `data.first-step`", "say it by `times=`"),
            (
                "give `columns = { id = \"a b\", time = 3 }` under [data]",
                "give `columns={\"id\": \"a b\", \"time\": 3}`",
            ),
            ("give `interval = 12` under [data]; else", "give `interval=12`; else"),
            ("`data.frames.every = 2` takes", "`every=2` takes"),
            ("give `fixed.beta`", "give `fixed={\"beta\": …}`"),
            ("give `start.β_1`", "give `start={\"β_1\": …}`"),
            ("the column `data` of `x.csv`", "the column `data` of `x.csv`"),
            ("as with data.frames = { first = 16 }", "as with {layer: array[:, 16:]}"),
            ("one ` alone", "one ` alone"),
            ("`beta` is 0.3; `p / max(n, 1)`", "`beta` is 0.3; `p / max(n, 1)`"),
        ] {
            assert_eq!(in_python(file), python);
        }
    }
}
