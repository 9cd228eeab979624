//! Fits coefficients of the Cellular Potts model to snapshots of tissue at rest: frames that are no movie.

use std::path::Path;

use glauber_cellular_potts::{Acceptance, Cells, Movie, Order, SnapshotFit, Unknown, fit_snapshots};
use glauber_files::run_folder::write_whole;
use glauber_lattice::Lattice;
use glauber_optimize::verdict::{significant, with_precision};
use serde_json::{Map, Value, json};

use crate::tracks::usual_range;
use crate::{CellsError, CellsRequest, Question};

/// What came of it.
#[derive(Clone, Debug)]
pub struct SnapshotsOutcome {
    /// The estimates.
    pub fit: SnapshotFit,
    /// What was known, by name.
    pub fixed: Vec<(String, f64)>,
    /// How files were read and what was guessed.
    pub notes: Vec<String>,
    /// How many snapshots.
    pub snapshots: usize,
    /// How long drifts were looked at.
    pub steps: u64,
    /// In which order of updates.
    pub order: Order,
    /// How copies are accepted.
    pub acceptance: Acceptance,
    /// The lattice in words.
    pub lattice: String,
    /// The seed.
    pub seed: u64,
    /// How long it took.
    pub seconds: f64,
}

/// Reads and fits; every frame is a snapshot, `steps` how long its drift is looked at, `ranges` where unknowns are looked for.
///
/// # Errors
/// [`CellsError`] with what does not fit together.
pub fn run_snapshots(
    request: &CellsRequest,
    steps: u64,
    order: Order,
    ranges: &[(String, [f64; 2])],
) -> Result<SnapshotsOutcome, CellsError> {
    crate::known_instructions()?;
    if steps == 0 {
        return Err(CellsError::Request("drifts are looked at for at least one step: --snapshots 10".into()));
    }
    let stack = request.labels.read()?;
    let mut notes = stack.notes.clone();
    let own = request.types.or_own(stack.types.as_ref(), &mut notes);
    let labels_error = |error| CellsError::Labels { path: own.blamed_for(&error, &request.labels), error };
    let (types, type_names) = own.read(&mut notes)?;
    let lattice = Lattice::new(&stack.shape)
        .map_err(|error| CellsError::Request(format!("{}: {error}", request.labels.name())))?;
    let lattice = if request.torus { lattice } else { lattice.fixed(0.0) };
    let movie = Movie::read(lattice, &stack.labels, &types).map_err(labels_error)?;
    let all = movie.frames().len();
    let frames = request.frames.clone().unwrap_or(0..all);
    let movie = movie.part(frames).and_then(|part| part.every(request.every)).map_err(labels_error)?;
    if !request.torus {
        notes.push("beyond the edges of the frames there is medium; for frames that close on themselves give --torus".into());
    }
    let question = Question::new(request, &movie, type_names.len(), false, &mut notes)?;
    notes.extend(question.assumed.iter().cloned());
    let unknowns = question
        .unknowns
        .iter()
        .map(|unknown| {
            let given = ranges.iter().find(|(name, _)| *name == unknown.name).map(|(_, range)| *range);
            let usual = || usual_range(&unknown.name, &mut notes);
            let range = given.or_else(usual).ok_or_else(|| {
                let name = &unknown.name;
                CellsError::Request(format!("`{name}` has no usual range: give --range {name}=LOW:HIGH"))
            })?;
            Ok((unknown.clone(), range))
        })
        .collect::<Result<Vec<(Unknown, [f64; 2])>, CellsError>>()?;
    if let Some((name, _)) = ranges.iter().find(|(name, _)| unknowns.iter().all(|(own, _)| own.name != *name))
    {
        return Err(CellsError::Request(format!(
            "`{name}` has a range and is not fitted: fit it, or leave its range out"
        )));
    }
    let snapshots: Vec<Cells> = (0..movie.frames().len()).filter_map(|frame| movie.cells(frame)).collect();
    let (acceptance, seed) = (request.acceptance, request.seed);
    let fit = fit_snapshots(&snapshots, &question.energy, &unknowns, acceptance, order, steps, seed)
        .map_err(|error| CellsError::Request(error.to_string()))?;
    Ok(SnapshotsOutcome {
        fit,
        fixed: question.fixed,
        notes,
        snapshots: snapshots.len(),
        steps,
        order,
        acceptance,
        lattice: movie.lattice().to_string(),
        seed,
        seconds: 0.0,
    })
}

impl SnapshotsOutcome {
    fn words(&self) -> String {
        match self.fit.at_rest {
            true => "found: with these coefficients the tissue does not drift".into(),
            false => "NOT settled: estimates are where the search stood".into(),
        }
    }

    /// Everything that a person should know, in order.
    pub fn all_notes(&self) -> Vec<String> {
        let own = std::iter::once(self.words()).chain(self.fit.notes.iter().cloned());
        own.chain(self.notes.iter().cloned()).collect()
    }

    /// As `glauber cells fit --json` prints it; `out` is the folder it stands in.
    pub fn object(&self, out: &Path) -> Value {
        let fit = &self.fit;
        let parameters: Map<String, Value> = (0..fit.unknowns.len())
            .map(|place| {
                let mut parameter = json!({
                    "estimate": fit.estimates[place],
                    "standard_error": fit.errors[place].as_ref().ok(),
                    "noise_of_simulation": fit.noise[place],
                });
                if let Err(why) = &fit.errors[place] {
                    parameter["no_error_because"] = json!(why);
                }
                (fit.unknowns[place].name.clone(), parameter)
            })
            .collect();
        let fixed: Map<String, Value> = self.fixed.iter().map(|(name, x)| (name.clone(), json!(x))).collect();
        json!({
            "model": "cellular-potts",
            "task": "snapshots",
            "parameters": parameters,
            "fixed": fixed,
            "likelihood": Value::Null,
            "errors": "sandwich of the drifts over snapshots, the simulations' own noise included",
            "at_optimum": fit.at_rest,
            "verdict": self.words(),
            "snapshots": self.snapshots,
            "steps": self.steps,
            "order": match self.order {
                Order::Sublattices => "sublattices",
                Order::RandomSequential => "random-sequential",
            },
            "acceptance": match self.acceptance {
                Acceptance::Metropolis => "metropolis",
                Acceptance::HeatBath => "heat-bath",
            },
            "lattice": self.lattice,
            "seed": self.seed,
            "notes": self.all_notes(),
            "seconds": self.seconds,
            "version": env!("CARGO_PKG_VERSION"),
            "out": out,
        })
    }

    /// In words, for people.
    pub fn text(&self, out: &Path) -> String {
        let fit = &self.fit;
        let mut text =
            format!("cellular-potts, {} snapshots, {}: {}\n", self.snapshots, self.lattice, self.words());
        self.all_notes().iter().skip(1).for_each(|note| text += &format!("note: {note}\n"));
        text.push('\n');
        let names = fit
            .unknowns
            .iter()
            .map(|one| one.name.len())
            .chain(self.fixed.iter().map(|(name, _)| name.len()));
        let width = names.max().unwrap_or(0);
        for (place, unknown) in fit.unknowns.iter().enumerate() {
            let error = fit.errors[place].as_ref();
            let estimate = with_precision(fit.estimates[place], error.ok().copied());
            let said = match error {
                Ok(error) => format!("± {}", significant(*error, 2)),
                Err(why) => format!("(no error: {why})"),
            };
            text += &format!("{:width$} = {estimate} {said}\n", unknown.name);
        }
        for (name, value) in &self.fixed {
            text += &format!("{name:width$} = {} (fixed)\n", significant(*value, 5));
        }
        text + &format!(
            "\n± by the scatter of drifts over snapshots; J and strengths in units of T, drifts over {} steps\n\n{:.1} s; result and \
             parameters in {}",
            self.steps,
            self.seconds,
            out.display()
        )
    }

    /// Writes `result.json` and `parameters.json`.
    ///
    /// # Errors
    /// What could not be written, in words.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let pretty = |value: &Value| {
            serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|error| error.to_string())
        };
        let object = self.object(folder);
        let parameters = json!({"parameters": object["parameters"], "verdict": object["verdict"]});
        write_whole(folder.join("parameters.json"), pretty(&parameters)?).map_err(|e| e.to_string())?;
        write_whole(folder.join("result.json"), pretty(&object)?).map_err(|e| e.to_string())
    }
}
