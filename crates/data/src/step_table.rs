//! Reads a table of numbers over steps: a CSV whose first column is the step, and each other one a number that was seen.
//!
//! An empty cell, `NA`, `NaN` and `-` were not seen. Lines that begin with # are left out.

use std::path::Path;

use glauber_arrays::Array;
use glauber_files::number;

/// The most bytes that are read.
const LONGEST: u64 = 1 << 28;

/// The array that names the columns of a table, one after another: UTF-8, a line for each.
pub const NAMES_OF_COLUMNS: &str = "names of columns";

/// `times` and the numbers, \[time\]\[number\], as arrays `times` and `data`, and [`NAMES_OF_COLUMNS`].
///
/// ```no_run
/// let arrays = glauber_data::read_step_table("counts.csv".as_ref())?; // step,north,south
/// assert_eq!((arrays[0].0.as_str(), arrays[1].0.as_str()), ("times", "data"));
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// What is wrong, with file and line.
pub fn read_step_table(path: &Path) -> Result<Vec<(String, Array)>, String> {
    let wrong = |line: usize, what: String| format!("{}, line {line}: {what}", path.display());
    let about = std::fs::metadata(path).map_err(|e| format!("{}: cannot be read: {e}", path.display()))?;
    if !about.is_file() || about.len() > LONGEST {
        return Err(format!("{}: is no table of at most 256 MiB", path.display()));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("{}: cannot be read as text: {e}", path.display()))?;
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim_start_matches('\u{feff}').trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let Some((first, header)) = lines.next() else { return Err(format!("{}: is empty", path.display())) };
    let comma = [',', ';', '\t'].into_iter().max_by_key(|c| header.matches(*c).count()).unwrap_or(',');
    let split = |line: &str| -> Vec<String> {
        line.split(comma).map(|cell| cell.trim().trim_matches('"').to_string()).collect()
    };
    let names = split(header);
    if names.len() < 2 || names.iter().all(|name| number(name).is_some()) {
        return Err(wrong(first, "the first line names the columns: the step, and what was seen".into()));
    }
    let own = names[0].to_lowercase();
    if !matches!(own.as_str(), "step" | "steps") {
        let message = format!(
            "the first column is `{}`: call it `step`, with the step after which each line was seen",
            names[0]
        );
        return Err(wrong(first, message));
    }
    let (mut steps, mut values) = (Vec::new(), Vec::new());
    for (line, text) in lines {
        let cells = split(text);
        if cells.len() != names.len() {
            return Err(wrong(
                line,
                format!("it has {} cells, but there are {} columns", cells.len(), names.len()),
            ));
        }
        for (place, cell) in cells.iter().enumerate() {
            let missing = matches!(cell.to_lowercase().as_str(), "" | "na" | "nan" | "-");
            let value = match (missing, number(cell)) {
                (true, _) if place > 0 => f64::NAN,
                (false, Some(x)) => x,
                _ => return Err(wrong(line, format!("`{cell}` in column `{}` is no number", names[place]))),
            };
            if place == 0 { steps.push(value) } else { values.push(value) }
        }
    }
    let array = |shape: Vec<usize>, values: Vec<f64>| Array::new(shape, values).map_err(|e| e.to_string());
    let count = steps.len();
    let called: Vec<f64> = names[1..].join("\n").bytes().map(f64::from).collect();
    Ok(vec![
        ("times".into(), array(vec![count], steps)?),
        ("data".into(), array(vec![count, names.len() - 1], values)?),
        (NAMES_OF_COLUMNS.into(), array(vec![called.len()], called)?),
    ])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<(String, Array)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("counts.csv");
        std::fs::write(&path, text).unwrap();
        read_step_table(&path)
    }

    #[test]
    fn cells_that_are_empty_were_not_seen() {
        let arrays = of("# a remark\nstep;north;south\n1;3;\n4;NA;7\n").unwrap();
        assert_eq!(arrays[0].1.to_f64(), [1.0, 4.0]);
        assert_eq!(arrays[1].1.shape(), [2, 2]);
        let names: Vec<u8> = arrays[2].1.to_f64().into_iter().map(|byte| byte as u8).collect();
        assert_eq!((arrays[2].0.as_str(), names.as_slice()), (NAMES_OF_COLUMNS, b"north\nsouth".as_slice()));
        let values = arrays[1].1.to_f64();
        assert!(values[1].is_nan() && values[2].is_nan() && values[3].to_bits() == 7.0_f64.to_bits());
    }

    #[test]
    fn what_is_no_table_is_said_with_its_line() {
        for (text, words) in [
            ("", "is empty"),
            ("1,2\n3,4\n", "names the columns"),
            ("day,cases\n1,2\n", "call it `step`"),
            ("step,cases\n1,2,3\n", "line 2: it has 3 cells"),
            ("step,cases\n1,many\n", "`many` in column `cases`"),
            ("step,cases\n,1\n", "is no number"),
        ] {
            let found = of(text).unwrap_err();
            assert!(found.contains(words), "{found}");
        }
    }
}
