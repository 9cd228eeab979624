//! Lists the tasks: what may be fitted to what, from which data, and by which estimator where nobody says.

use serde::Serialize;

/// What is fitted to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Pairs of successive states.
    Transition,
    /// A summary over time.
    Trajectory,
    /// A state: an image, or an initial lattice.
    State,
    /// A pattern that should stay.
    Stability,
    /// A summary of stationary states.
    Stationary,
    /// What was seen of a process, with noise: by a likelihood.
    Observation,
}

/// One task of the list.
pub struct TaskEntry {
    /// The task.
    pub task: Task,
    /// Its name in a fit file.
    pub name: &'static str,
    /// The keys of `[data]` that it may be fitted to.
    pub sources: &'static [&'static str],
    /// The estimator of its gradients where nobody says.
    pub usual_estimator: &'static str,
    /// Whether what it compares is simulated by the estimator's own program, so that even a search depends on it.
    pub by_estimator: bool,
}

/// Every task. To add one: its line here and in [`Task`], and its data in `problem`.
pub const TASKS: &[TaskEntry] = &[
    TaskEntry {
        task: Task::Transition,
        name: "transition",
        sources: &["states", "simulate"],
        // Of states several steps apart another: see `problem::estimators`.
        usual_estimator: "straight-through",
        by_estimator: true,
    },
    TaskEntry {
        task: Task::Trajectory,
        name: "trajectory",
        sources: &["tracks", "msd", "curve", "states", "simulate"],
        // For squared displacements, and for few parameters through many steps, another: see `problem::estimators`.
        usual_estimator: "light-cone",
        by_estimator: true,
    },
    TaskEntry {
        task: Task::State,
        name: "state",
        sources: &["states", "image", "simulate"],
        usual_estimator: "straight-through",
        by_estimator: false,
    },
    TaskEntry {
        task: Task::Stability,
        name: "stability",
        sources: &["states", "pattern", "simulate"],
        usual_estimator: "straight-through",
        by_estimator: false,
    },
    TaskEntry {
        task: Task::Stationary,
        name: "stationary",
        sources: &["states", "simulate"],
        usual_estimator: "light-cone",
        by_estimator: true,
    },
    TaskEntry {
        task: Task::Observation,
        name: "observation",
        // Under [observation] and [[experiment]].
        sources: &[],
        usual_estimator: "likelihood",
        by_estimator: false,
    },
];

impl Task {
    /// Its line of the list.
    pub fn entry(self) -> &'static TaskEntry {
        TASKS.iter().find(|entry| entry.task == self).unwrap_or(&TASKS[0])
    }

    /// Its name in a fit file.
    pub fn name(self) -> &'static str {
        self.entry().name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_has_its_own_line() {
        for entry in TASKS {
            assert_eq!(entry.task.name(), entry.name);
            let elsewhere = entry.task == Task::Observation;
            assert!(elsewhere || entry.sources.contains(&"simulate"), "{}", entry.name);
        }
    }
}
