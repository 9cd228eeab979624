//! Refuses what a fit file says and the fit at hand does not use, with the reason.
//!
//! Every key is in one of two lists, or it is refused: those that every fit uses are named here, all others are
//! [`Marked`](super::Marked) when the fit reads them. So a key that is new, and that nobody thought of, is refused and
//! never without effect in silence.

use std::sync::atomic::Ordering;

use super::error::{FitFileError, Place};
use super::optimization::OF_GRADIENTS;
use super::{FitFile, data};

/// What every fit uses, or checks by itself: keys, and tables with all that is in them.
pub const USED_BY_ALL: &[&str] = &[
    "model",
    "task",
    "model-options",
    "route",
    "errors",
    "observation",
    "experiment",
    "start",
    "fixed",
    "data.covariates",
    "data.simulate.runs",
    "data.simulate.steps",
    "data.simulate.seed",
    "data.simulate.parameters",
    "optimizer.name",
    "optimizer.learning-rate",
    "optimizer.schedule",
    "optimizer.warm-up",
    "optimizer.steps",
    "optimizer.clip",
    "optimizer.map",
    "optimizer.tolerance",
    "optimizer.plateau",
    "optimizer.average",
    "run.seed",
    "run.threads",
    "run.memory",
    "run.precision",
    "run.out",
    "run.checkpoint-every",
    "run.trace-every",
    "run.formation-test",
];

const NO_POSTERIOR: &str = "this task has a loss, which is no probability of the data: a likelihood, and with it a posterior, is \
                            there for the tasks `transition` and `observation`";

/// Who uses a key, as the reason why the fit at hand does not.
const REASONS: &[(&str, &str)] = &[
    (
        "data.truth",
        "no fit scores itself against a file; simulated data know their own truth, and `glauber segment --truth` scores \
         a mask",
    ),
    (
        "data.initial",
        "it says how rollouts begin that are compared with observed states, in the task `trajectory`; elsewhere the \
         model's own option `start` does, in [model-options]",
    ),
    (
        "data.steps",
        "the task `state` takes it for the steps up to the first observed frame, the task `stability` for those after \
         the pattern; in a transition one step lies between two states, and a trajectory is as long as its data",
    ),
    ("data.first-step", "it is the step at which observed states (`data.states`) begin"),
    ("data.start-sites", "it is known, or not, of a start that is to be found: in the task `state`"),
    ("data.frames", "it chooses frames of `data.states`, and in the task `state` of a simulated run"),
    (
        "data.layer",
        "it says what an array or image without a name holds; these data name their layers, or hold none",
    ),
    ("data.threshold", "it cuts the grey values of images of a binary layer, and there are none"),
    ("data.invert", "it turns the grey values of images of a binary layer round, and there are none"),
    ("data.channel", "it chooses among the channels of images (`data.states`), and there are none"),
    ("data.slice", "it chooses among the slices of images (`data.states`), and there are none"),
    ("data.plane", "all planes of a stack are read, as times"),
    ("data.columns", "it names the columns of a table of tracks (`data.tracks`)"),
    (
        "data.interval",
        "it is the time between two frames of tracks, curves or states, in the data's unit; data that are simulated \
         have one frame a step",
    ),
    (
        "data.step-time",
        "it is the time of one step in the data's unit, of tracks, curves or states; data that are simulated have one \
         frame a step",
    ),
    ("data.site-length", "it is the length of one site in the data's unit, of tracks or of a curve of them"),
    ("data.length-unit", "it is the unit of tracks or of a curve of them"),
    ("data.time-unit", "it is the unit of tracks or of a curve of them"),
    ("data.dimensions", "it chooses axes of tracks (`data.tracks`)"),
    (
        "data.lags",
        "it says how much of a mean squared displacement is compared, from `data.tracks` or `data.msd`",
    ),
    ("data.shortest-track", "it leaves out tracks of `data.tracks`"),
    ("data.bootstrap", "it resamples tracks of `data.tracks` for their errors"),
    (
        "data.simulate.initial",
        "the tasks `state` and `stability` start their data otherwise than their rollouts; here the model's own option \
         `start`, in [model-options], says how both begin",
    ),
    ("data.simulate.start-sites", "only the task `state` looks for the sites that a run started from"),
    ("posterior.chains", NO_POSTERIOR),
    ("posterior.draws", NO_POSTERIOR),
    ("posterior.warm-up", NO_POSTERIOR),
    ("posterior.sampler", NO_POSTERIOR),
    ("priors", NO_POSTERIOR),
    ("loss.name", "this fit has one loss, and no choice of it"),
    ("loss.summary", "only the task `trajectory` compares a summary"),
    ("loss.weighted", "only the task `trajectory` compares data that have standard errors"),
    (
        "loss.weights",
        "no loss of a fit has terms to be weighed; those of a segmentation are `glauber segment --weights`",
    ),
    ("loss.at", "only the task `trajectory` compares at chosen steps; `data.frames` chooses observed states"),
    (
        "estimator.name",
        "gradients are not estimated here: the likelihood has them exactly, and a search uses none (only `mean-field` \
         changes what is simulated); other estimators can be compared by `estimator.compare`",
    ),
    ("estimator.compare", "a search uses no gradients, so that all estimators would find the same"),
    (
        "estimator.temperature",
        "no estimator of this fit has a temperature; `gumbel-softmax` and `gumbel-rao` have",
    ),
    ("estimator.samples", "no estimator of this fit averages over noises; `gumbel-rao` does"),
    ("estimator.radius", "no estimator of this fit looks so far and no farther; `light-cone` does"),
    (
        "estimator.baseline",
        "the score function takes the other replicates' mean off the loss, and nothing else",
    ),
    ("estimator.surrogate", "how heaviside and round are differentiated is said in the model"),
    ("estimator.width", "how heaviside and round are differentiated is said in the model"),
    (
        "optimizer.replicates",
        "the task `transition` runs one step from every pair of states; `optimizer.batch` says how many pairs a step \
         of the fit looks at",
    ),
    (
        "optimizer.batch",
        "the data are taken whole, not in batches; only the losses of the task `transition` take batches, and the \
         likelihood takes all pairs",
    ),
    ("optimizer.patience", "it counts the steps at rest, and what rest is says `optimizer.tolerance`"),
];

impl FitFile {
    /// Refuses keys that the file or an override says and nothing has read: call it once the fit is set up.
    ///
    /// # Errors
    /// [`FitFileError`] at the first of them, with the reason and the names of the others.
    pub fn refuse_unused(&self) -> Result<(), FitFileError> {
        let mut unused: Vec<&String> = self.written.iter().filter(|key| !self.is_used(key)).collect();
        unused.sort_by_key(|key| match self.places.get(*key) {
            Some(Place::File { line, column }) => (1, *line, *column),
            _ => (0, 0, 0),
        });
        let Some((first, others)) = unused.split_first() else { return Ok(()) };
        let reason = REASONS
            .iter()
            .find(|(name, _)| is_within(first, name))
            .map_or("nothing in it reads this key", |(_, reason)| reason);
        let mut message = format!("`{first}` has no effect in this fit: {reason}. Take it out");
        if !others.is_empty() {
            let list: Vec<String> = others.iter().map(|key| format!("`{key}`")).collect();
            message += &format!("; nor has {} an effect", list.join(", "));
        }
        Err(self.wrong(first, message))
    }

    /// Whether every fit uses a key, or something has read it.
    fn is_used(&self, key: &str) -> bool {
        let mut path = key;
        loop {
            if let Some(mark) = self.marks.get(path) {
                return mark.load(Ordering::Relaxed);
            }
            match path.rsplit_once('.') {
                Some((table, _)) => path = table,
                None => break,
            }
        }
        let option = key.strip_prefix("optimizer.").unwrap_or_default();
        USED_BY_ALL.iter().any(|used| is_within(key, used))
            || data::SOURCES.iter().any(|source| key.strip_prefix("data.") == Some(source))
            || self.optimizer.choice.options.contains_key(option)
    }

    /// A key of the file's that only optimizers by gradients have.
    #[must_use]
    pub fn key_of_gradients(&self) -> Option<String> {
        let options = self.optimizer.choice.options.keys().map(String::as_str);
        let of_gradients: Vec<String> =
            OF_GRADIENTS.into_iter().chain(options).map(|key| format!("optimizer.{key}")).collect();
        let found = self.written.iter().find(|own| of_gradients.iter().any(|key| is_within(own, key)))?;
        of_gradients.into_iter().find(|key| is_within(found, key))
    }

    /// The keys that are marked when they are read, by their dotted path.
    pub fn marked_keys(&self) -> impl Iterator<Item = &str> {
        self.marks.keys().map(String::as_str)
    }
}

/// Whether a dotted key is this one, or stands in this table.
fn is_within(key: &str, table: &str) -> bool {
    key.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::super::TABLES_OF_KEYS;
    use super::*;

    /// Every key of the schema is marked when it is read, or known to be used by all; those that are marked have a reason.
    #[test]
    fn no_key_of_the_schema_is_forgotten() {
        let minimal = "model = \"a\"\ntask = \"state\"\n[data.simulate]\nsteps = 1\n";
        let file = FitFile::parse(minimal, Path::new("a.toml"), &[], Path::new("")).unwrap();
        for (table, keys) in TABLES_OF_KEYS {
            for (name, _) in keys {
                let key = format!("{table}.{name}");
                if TABLES_OF_KEYS.iter().any(|(other, _)| *other == key) {
                    continue;
                }
                let is_source = table == "data" && data::SOURCES.contains(name);
                let for_all = is_source || USED_BY_ALL.iter().any(|used| is_within(&key, used));
                let marked = file.marked_keys().any(|path| is_within(path, &key));
                let reason = REASONS.iter().any(|(own, _)| *own == key);
                assert!(for_all != marked, "{key}: used by all {for_all}, marked {marked}");
                assert_eq!(marked, reason, "{key}: reason");
            }
        }
    }

    #[test]
    fn what_nothing_has_read_is_refused_at_its_place() {
        let text = "model = \"a\"\ntask = \"transition\"\n[loss]\nsummary = \"nonsense\"\nat = [1]\nname = \"pixel\"\n";
        let file =
            FitFile::parse(text, Path::new("a.toml"), &["data.steps=3".into()], Path::new("")).unwrap();
        assert_eq!(file.loss.name.as_deref(), Some("pixel"));
        let message = file.refuse_unused().unwrap_err().to_string();
        assert!(
            message.starts_with("--set data.steps=3: `data.steps` has no effect in this fit: "),
            "{message}"
        );
        assert!(message.ends_with("; nor has `loss.summary`, `loss.at` an effect"), "{message}");
        assert_eq!((*file.data.steps, file.loss.summary.as_deref()), (Some(3), Some("nonsense")));
        let message = file.refuse_unused().unwrap_err().to_string();
        assert!(message.starts_with("a.toml, line 5, column 1: `loss.at` has no effect"), "{message}");
    }
}
