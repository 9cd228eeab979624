//! Reads what a fit left in its folder: how it went step by step, and draws from the posterior.

use std::path::{Path, PathBuf};

use glauber_files::run_folder::RunFolder;
use glauber_fit::fit_file::FitFile;
use glauber_optimize::trace::Trace;
use serde_json::{Value, json};

use crate::knob::Knob;

/// Longer files than this are not read.
const LONGEST: u64 = 256 << 20;
/// Of more courses than this the first are shown.
const MOST_COURSES: usize = 24;
/// Of more rows than this every second, third … is kept, with the first and the last.
const MOST_ROWS: usize = 1000;
/// More numbers than this, over all courses, do not go to a page: rows are then fewer.
const MOST_NUMBERS: usize = 120_000;
/// More draws than this are not kept; they are taken evenly from all.
const MOST_DRAWS: usize = 32;

/// What fits left: courses, and draws from a posterior.
#[derive(Clone, Debug, Default)]
pub struct Remains {
    pub(crate) courses: Vec<Course>,
    pub(crate) draws: Option<Draws>,
    /// The model that was fitted, as its result names it.
    model: Option<String>,
    /// What there is to say of how this was read.
    pub(crate) notes: Vec<String>,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Course {
    pub(crate) name: String,
    pub(crate) trace: Trace,
    /// How many steps were recorded before rows were left out.
    of: usize,
}

/// Draws from a posterior.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draws {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<Vec<f64>>,
    /// How many there were.
    pub(crate) of: usize,
    /// Whether they may be used, in words.
    pub(crate) verdict: Option<String>,
}

impl Draws {
    /// Draws of one parameter.
    #[cfg(test)]
    pub(crate) fn of(name: &str, values: &[f64]) -> Draws {
        let rows: Vec<Vec<f64>> = values.iter().map(|value| vec![*value]).collect();
        Draws { names: vec![name.to_string()], of: rows.len(), rows, verdict: None }
    }
}

/// Every so manieth number below `count`, at most `most` of them, evenly and with both ends.
fn evenly(count: usize, most: usize) -> Vec<usize> {
    if count <= most || most < 2 {
        return (0..count.min(most)).collect();
    }
    (0..most).map(|k| k * (count - 1) / (most - 1)).collect()
}

fn bounded(path: &Path) -> Result<(), String> {
    let length = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.len();
    if length > LONGEST {
        let (here, most) = (length >> 20, LONGEST >> 20);
        return Err(format!("{} has {here} MiB: at most {most} are read", path.display()));
    }
    Ok(())
}

fn object(path: &Path) -> Result<Option<Value>, String> {
    if !path.is_file() {
        return Ok(None);
    }
    bounded(path)?;
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map(Some).map_err(|error| format!("{}: {error}", path.display()))
}

/// A fit's name as part of a file's name.
fn as_in_files(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

impl Remains {
    /// Reads the traces of a fit's folder (`trace.csv` of the best, `trace-NAME.csv`) and its draws (`draws.csv`).
    ///
    /// # Errors
    /// In words, where there is neither, or a file is none of a fit.
    pub fn read(folder: &Path) -> Result<Remains, String> {
        let mut found = Remains::default();
        let result = object(&folder.join("result.json"))?;
        found.read_courses(folder, result.as_ref())?;
        let posterior = object(&folder.join("posterior.json"))?;
        let draws = folder.join("draws.csv");
        if draws.is_file() {
            found.draws = Some(read_draws(&draws, posterior.as_ref())?);
        }
        let named = |object: &Option<Value>| Some(object.as_ref()?.get("model")?.as_str()?.to_string());
        found.model = named(&result).or_else(|| named(&posterior));
        if found.courses.is_empty() && found.draws.is_none() {
            return Err(format!(
                "{} holds neither the course of a fit (trace.csv) nor draws (draws.csv): give the folder that \
                 `glauber fit` or `glauber posterior` wrote, and that of a fit when it has ended",
                folder.display()
            ));
        }
        Ok(found)
    }

    /// What the run of a fit left: of a folder all that is there; of a fit file, what stands in the folder that it names, else in
    /// the last that `glauber fit` made for it below `out/` here, and the draws also in the last of `glauber posterior`.
    /// Where there is none, that is a note.
    ///
    /// # Errors
    /// In words, where a folder that was named holds none, or a file is none of a fit.
    pub fn of_fit(path: &Path) -> Result<Remains, String> {
        if path.is_dir() {
            return Remains::read(path);
        }
        let below = Path::new("out");
        let stem = path.file_stem().map_or("fit".into(), |stem| stem.to_string_lossy().into_owned());
        let file = FitFile::load(path, &[]).map_err(|error| error.to_string())?;
        let run = file.run.out.clone().or_else(|| RunFolder::newest(below, &stem));
        let posterior = RunFolder::newest(below, &format!("{stem}-posterior"));
        let mut found = Remains::default();
        for folder in [run, posterior].into_iter().flatten().filter(|folder| folder.is_dir()) {
            // It was not named: what cannot be read there is said, and no error.
            match Remains::read(&folder) {
                Ok(theirs) => {
                    let what = match (theirs.courses.is_empty(), theirs.has_draws()) {
                        (false, true) => "the course of the fit and draws of its posterior are those",
                        (false, false) => "the course of the fit is that",
                        _ => "draws of the posterior are those",
                    };
                    let note =
                        format!("{what} of {}, the last run of this fit file's name", folder.display());
                    found.notes.push(note);
                    found = found.or(theirs);
                }
                Err(words) => found.notes.push(words),
            }
        }
        if found.courses.is_empty() && found.draws.is_none() && found.notes.is_empty() {
            let words = format!(
                "no run of this fit was found in {}/{stem}: run `glauber fit`, or give the folder of a run to --fit",
                below.display()
            );
            found.notes.push(words);
        }
        Ok(found)
    }

    fn read_courses(&mut self, folder: &Path, result: Option<&Value>) -> Result<(), String> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                path.is_file()
                    && (name == "trace.csv" || name.starts_with("trace-") && name.ends_with(".csv"))
            })
            .collect();
        // The best fit's first.
        paths.sort_by_key(|path| (path.file_name().is_none_or(|name| name != "trace.csv"), path.clone()));
        if paths.len() > MOST_COURSES {
            self.notes.push(format!(
                "{} holds {} courses: the first {MOST_COURSES} are shown",
                folder.display(),
                paths.len()
            ));
            paths.truncate(MOST_COURSES);
        }
        let list = |key: &str| result?.get(key)?.as_array().cloned();
        let names: Vec<String> = [list("starts"), list("compared")]
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|fit| Some(fit.get("name")?.as_str()?.to_string()))
            .collect();
        let best = result.and_then(|r| r.get("best")?.as_str().map(|best| format!("{best} (the best)")));
        let mut read = Vec::new();
        for path in &paths {
            bounded(path)?;
            let mut trace = Trace::read_csv(path).map_err(|error| error.to_string())?;
            let of = trace.records.len();
            let kept = evenly(of, 4 * MOST_ROWS);
            trace.records = kept.into_iter().map(|row| trace.records[row].clone()).collect();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let name = match stem.strip_prefix("trace-") {
                None => best.clone().unwrap_or_else(|| "the fit".into()),
                Some(own) => {
                    let known = names.iter().find(|name| as_in_files(name) == own);
                    known.cloned().unwrap_or_else(|| own.to_string())
                }
            };
            if of > 0 {
                read.push(Course { name, trace, of });
            }
        }
        let width: usize = read.iter().map(|course| course.trace.columns.len() + 2).sum();
        let most = (MOST_NUMBERS / width.max(1)).clamp(2, MOST_ROWS);
        for course in &mut read {
            let kept = evenly(course.trace.records.len(), most);
            course.trace.records = kept.into_iter().map(|row| course.trace.records[row].clone()).collect();
        }
        self.courses = read;
        Ok(())
    }

    /// The same with what another folder holds where this has nothing.
    #[must_use]
    pub fn or(mut self, other: Remains) -> Remains {
        if self.courses.is_empty() {
            self.courses = other.courses;
        }
        self.draws = self.draws.or(other.draws);
        self.model = self.model.or(other.model);
        self.notes.extend(other.notes);
        self
    }

    /// Without courses.
    #[must_use]
    pub fn draws_alone(self) -> Remains {
        Remains { courses: Vec::new(), ..self }
    }

    /// Whether there are draws.
    pub fn has_draws(&self) -> bool {
        self.draws.is_some()
    }

    /// Without anything that is not of this model, and what is to be said of that.
    pub(crate) fn of_model(&self, name: &str, knobs: &[Knob]) -> (Remains, Vec<String>) {
        let mut notes = self.notes.clone();
        if let Some(other) = self.model.as_ref().filter(|other| *other != name) {
            notes.push(format!("what was fitted is the model `{other}`, this is `{name}`: neither course nor draws of it are shown"));
            return (Remains::default(), notes);
        }
        let mut kept = self.clone();
        let is_known = |column: &String| knobs.iter().any(|knob| knob.name == parameter_of(column));
        for course in &kept.courses {
            let strange: Vec<&str> =
                course.trace.columns.iter().filter(|c| !is_known(c)).map(String::as_str).collect();
            if !strange.is_empty() {
                notes.push(format!(
                    "the course of {} has {} besides, of which this model has no slider",
                    course.name,
                    strange.join(", ")
                ));
                break;
            }
        }
        if let Some(draws) = &kept.draws {
            let strange: Vec<&str> =
                draws.names.iter().filter(|name| !is_known(name)).map(String::as_str).collect();
            if !strange.is_empty() {
                notes.push(format!(
                    "the draws are of {}, of which this model has no slider: they are not shown",
                    strange.join(", ")
                ));
                kept.draws = None;
            }
        }
        (kept, notes)
    }

    /// The courses for the page.
    pub(crate) fn described(&self) -> Value {
        let courses = self.courses.iter().map(|course| {
            let records = &course.trace.records;
            let finite = |x: f64| if x.is_finite() { json!(x) } else { json!(null) };
            let values: Vec<Vec<Value>> =
                records.iter().map(|r| r.parameters.iter().map(|x| finite(*x)).collect()).collect();
            json!({
                "name": course.name,
                "of": course.of,
                "steps": records.iter().map(|r| r.step).collect::<Vec<_>>(),
                "losses": records.iter().map(|r| finite(r.loss)).collect::<Vec<_>>(),
                "names": course.trace.columns.iter().map(|c| parameter_of(c)).collect::<Vec<_>>(),
                "values": values,
            })
        });
        courses.collect()
    }

    /// The parameters of a row of a course.
    pub(crate) fn parameters(&self, course: usize, row: usize) -> Option<Vec<(&str, f64)>> {
        let trace = &self.courses.get(course)?.trace;
        let record = trace.records.get(row)?;
        Some(trace.columns.iter().map(|c| parameter_of(c)).zip(record.parameters.iter().copied()).collect())
    }
}

/// A parameter's name: a trace calls one that is named as a column of its own (`rate`) `rate (parameter)`.
fn parameter_of(column: &str) -> &str {
    column.trim_end_matches(" (parameter)")
}

fn read_draws(path: &Path, posterior: Option<&Value>) -> Result<Draws, String> {
    bounded(path)?;
    let wrong =
        |words: String| format!("{}: {words}; give the draws.csv of `glauber posterior`", path.display());
    let mut reader = csv::Reader::from_path(path).map_err(|error| wrong(error.to_string()))?;
    let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
    let fixed = ["chain", "draw", "diverging", "log_density"];
    if !header.iter().take(4).eq(fixed) || header.len() == 4 {
        return Err(wrong(format!("its first columns are not {}", fixed.join(", "))));
    }
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| wrong(error.to_string()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let numbers: Result<Vec<f64>, String> = row
            .iter()
            .skip(fixed.len())
            .map(|cell| {
                let number = cell.parse::<f64>().ok().filter(|x| x.is_finite());
                number.ok_or_else(|| wrong(format!("line {line}: `{cell}` is not a number")))
            })
            .collect();
        rows.push(numbers?);
    }
    let of = rows.len();
    if of == 0 {
        return Err(wrong("it holds no draw".into()));
    }
    let rows = evenly(of, MOST_DRAWS).into_iter().map(|row| rows[row].clone()).collect();
    let verdict = posterior.and_then(|p| Some(p.get("verdict")?.as_str()?.to_string()));
    Ok(Draws { names: header.iter().skip(fixed.len()).map(str::to_string).collect(), rows, of, verdict })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knob(name: &str) -> Knob {
        Knob { name: name.into(), low: 0.0, high: 1.0, value: 0.5, unit: None }
    }

    #[test]
    fn rows_are_left_out_evenly() {
        assert_eq!(evenly(3, 10), [0, 1, 2]);
        assert_eq!(evenly(11, 6), [0, 2, 4, 6, 8, 10]);
        assert_eq!(evenly(1_000_001, 3), [0, 500_000, 1_000_000]);
        assert!(evenly(0, 3).is_empty());
    }

    #[test]
    fn a_folder_of_a_fit_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(Remains::read(folder.path()).unwrap_err().contains("trace.csv"));
        let mut long = String::from("step,loss,gradient_norm,rate,beta,rate (parameter)\n");
        (0..=5000).for_each(|k| long += &format!("{k},{},0,0,0.{k},1\n", 5000 - k));
        std::fs::write(at("trace.csv"), long).unwrap();
        std::fs::write(at("trace-a--start-2.csv"), "step,loss,gradient_norm,rate,beta\n0,1,1,1,0.5\n")
            .unwrap();
        std::fs::write(at("trace-other.csv"), "step,loss,gradient_norm,rate,beta\n").unwrap();
        let result = json!({"model": "m", "best": "a, start 1", "starts": [{"name": "a, start 2"}]});
        std::fs::write(at("result.json"), result.to_string()).unwrap();
        std::fs::write(at("draws.csv"), "chain,draw,diverging,log_density,beta\n0,0,0,-1,0.25\n").unwrap();
        let found = Remains::read(folder.path()).unwrap();
        let names: Vec<&str> = found.courses.iter().map(|course| course.name.as_str()).collect();
        assert_eq!(names, ["a, start 1 (the best)", "a, start 2"]);
        let rows = found.courses[0].trace.records.len();
        assert!((2..=MOST_ROWS).contains(&rows), "{rows}");
        assert_eq!(found.courses[0].trace.records[rows - 1].step, 5000);
        assert_eq!(found.parameters(1, 0), Some(vec![("beta", 0.5)]));
        assert_eq!(found.parameters(0, 0), Some(vec![("beta", 0.0), ("rate", 1.0)]));
        assert_eq!((found.parameters(1, 1), found.parameters(2, 0)), (None, None));

        let (kept, notes) = found.of_model("m", &[knob("beta")]);
        assert_eq!(kept.courses.len(), 2);
        assert!(notes[0].contains("rate (parameter)"), "{notes:?}");
        assert!(kept.draws.is_some());
        let (kept, notes) = found.of_model("other", &[knob("beta")]);
        assert!(kept.courses.is_empty() && kept.draws.is_none() && notes[0].contains("`m`"));
        let (kept, notes) = found.of_model("m", &[knob("gamma")]);
        assert!(kept.draws.is_none() && notes.iter().any(|note| note.contains("the draws are of beta")));
    }

    #[test]
    fn what_is_no_fit_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, text, words) in [
            ("trace.csv", "a,b\n1,2\n", "trace.csv"),
            ("trace.csv", "step,loss,gradient_norm,rate,beta\n0,1,1,1,x\n", "line 2"),
            ("draws.csv", "beta\n0.5\n", "first columns"),
            ("draws.csv", "chain,draw,diverging,log_density,beta\n0,0,0,-1,nan\n", "line 2"),
            ("draws.csv", "chain,draw,diverging,log_density,beta\n", "no draw"),
            ("result.json", "{", "result.json"),
        ] {
            std::fs::write(at(name), text).unwrap();
            let said = Remains::read(folder.path()).unwrap_err();
            assert!(said.contains(words), "{said}");
            std::fs::remove_file(at(name)).unwrap();
        }
        assert!(Remains::read(&at("nowhere")).is_err());
    }
}
