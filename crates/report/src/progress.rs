//! Shows how far a fit or a long run is, on standard error and nowhere else.
//!
//! On a terminal: one line with a bar, the step, the time left, the readings (loss, parameters) and the speed.
//! Elsewhere (a log file, a batch system): a plain line every ten seconds. Silent, if so wished. Standard output
//! is never touched: it belongs to results.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::plot::brief;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// A bar where standard error is a terminal, plain lines where it is not.
    #[default]
    Auto,
    /// Plain lines, every ten seconds.
    Lines,
    /// Nothing.
    Silent,
}

/// Time between two plain lines.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// Time between two drawings of the bar.
const BETWEEN_DRAWINGS: Duration = Duration::from_millis(60);

/// The progress of one run; dropped early (an error, an interruption), it leaves its last line standing.
///
/// ```
/// use glauber_report::progress::{Progress, Show};
/// let mut progress = Progress::new("susceptible-infected", 1000, Show::Silent);
/// for step in 1..=1000 {
///     let (loss, beta) = (1.0 / step as f64, 0.3);
///     progress.update(step, &[("loss", loss), ("beta", beta)]);
/// }
/// progress.finish("beta = 0.300 after 1000 steps");
/// ```
#[derive(Debug)]
pub struct Progress {
    kind: Kind,
    began: Instant,
    shown: Option<Duration>,
    finished: bool,
}

#[derive(Debug)]
enum Kind {
    Bar(ProgressBar),
    Lines(Lines),
    Silent,
}

impl Progress {
    /// Begins to show a run of `steps` steps called `name`.
    pub fn new(name: &str, steps: u64, show: Show) -> Self {
        Self::resumed(name, 0, steps, show)
    }

    /// Begins to show a run that carries on after `done` of its `steps` steps.
    pub fn resumed(name: &str, done: u64, steps: u64, show: Show) -> Self {
        let name = printable(name);
        let kind = match show {
            Show::Silent => Kind::Silent,
            Show::Auto if std::io::stderr().is_terminal() => Kind::Bar(bar(&name, done, steps)),
            Show::Auto | Show::Lines => Kind::Lines(Lines { name, done, steps }),
        };
        Self { kind, began: Instant::now(), shown: None, finished: false }
    }

    /// Says that `step` steps are done and what the readings are now. Cheap: it shows only what the eye can follow.
    pub fn update(&mut self, step: u64, readings: &[(&str, f64)]) {
        let pause = match &self.kind {
            Kind::Bar(_) => BETWEEN_DRAWINGS,
            Kind::Lines(_) => BETWEEN_LINES,
            Kind::Silent => return,
        };
        let elapsed = self.began.elapsed();
        let due = match self.shown {
            Some(shown) => elapsed.saturating_sub(shown) >= pause,
            // A bar appears at once; a run shorter than ten seconds needs no line.
            None => matches!(self.kind, Kind::Bar(_)) || elapsed >= pause,
        };
        if !due {
            return;
        }
        self.shown = Some(elapsed);
        match &self.kind {
            Kind::Bar(bar) => {
                bar.set_position(step);
                let speed = brief_speed(bar.per_sec());
                bar.set_message(format!("{} · {speed}/s · {}", in_words(readings), bar.prefix()));
            }
            Kind::Lines(lines) => say(&lines.line(step, elapsed, readings)),
            Kind::Silent => {}
        }
    }

    /// Says something without disturbing the bar (a warning, a finished part).
    pub fn say(&self, words: &str) {
        match &self.kind {
            Kind::Bar(bar) => bar.suspend(|| say(&printable(words))),
            Kind::Lines(_) => say(&printable(words)),
            Kind::Silent => {}
        }
    }

    /// Ends the bar and says how the run ended.
    pub fn finish(mut self, words: &str) {
        self.finished = true;
        let seconds = in_time(self.began.elapsed());
        match &self.kind {
            Kind::Bar(bar) => {
                bar.finish_and_clear();
                say(&format!("{}: {} ({seconds})", bar.prefix(), printable(words)));
            }
            Kind::Lines(lines) => say(&format!("{}: {} ({seconds})", lines.name, printable(words))),
            Kind::Silent => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let (Kind::Bar(bar), false) = (&self.kind, self.finished) {
            bar.abandon();
        }
    }
}

fn bar(name: &str, done: u64, steps: u64) -> ProgressBar {
    // 20 drawings a second at most, whatever the speed of the run.
    let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr_with_hz(20));
    // What a narrow terminal cuts off at the end matters least.
    let template = "{bar:12} {human_pos}/{human_len} · {eta} left · {wide_msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar.set_prefix(name.to_owned());
    bar.set_position(done);
    // The time left is judged by this run's own speed.
    bar.reset_eta();
    bar
}

/// What a plain line says.
#[derive(Debug)]
struct Lines {
    name: String,
    done: u64,
    steps: u64,
}

impl Lines {
    fn line(&self, step: u64, elapsed: Duration, readings: &[(&str, f64)]) -> String {
        let speed = step.saturating_sub(self.done) as f64 / elapsed.as_secs_f64().max(1e-9);
        let mut line = format!("{}: step {step} of {}", self.name, self.steps);
        if self.steps > 0 {
            let _ = write!(line, " ({:.0} %)", 100.0 * step as f64 / self.steps as f64);
        }
        for (name, value) in readings {
            let _ = write!(line, ", {} {}", printable(name), brief(*value));
        }
        let left = self.steps.saturating_sub(step) as f64 / speed;
        if left.is_finite() {
            let left = in_time(Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX));
            let _ = write!(line, ", {} steps/s, {left} left", brief_speed(speed));
        }
        line
    }
}

/// Readings as the bar shows them: "loss 0.0123  beta 0.2987".
fn in_words(readings: &[(&str, f64)]) -> String {
    let words: Vec<String> =
        readings.iter().map(|(name, value)| format!("{} {}", printable(name), brief(*value))).collect();
    words.join("  ")
}

fn brief_speed(speed: f64) -> String {
    if speed >= 10.0 { format!("{speed:.0}") } else { format!("{speed:.2}") }
}

/// A time in the two largest units that matter.
pub fn in_time(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds if seconds / 3600 < 100_000 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => "very long".to_owned(),
    }
}

/// A name without characters that could steer the terminal.
fn printable(words: &str) -> String {
    words.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Writes a line to standard error; where nobody listens any more, the run goes on.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(done: u64) -> Lines {
        Lines { name: "walk".to_owned(), done, steps: 10_000 }
    }

    #[test]
    fn a_line_says_step_readings_speed_and_time_left() {
        let line = lines(0).line(2500, Duration::from_secs(10), &[("loss", 0.012_345_6), ("p_center", 0.2)]);
        assert_eq!(
            line,
            "walk: step 2500 of 10000 (25 %), loss 0.012346, p_center 0.2, 250 steps/s, 30 s left"
        );
    }

    #[test]
    fn a_resumed_run_is_judged_by_its_own_speed() {
        let line = lines(5000).line(6000, Duration::from_secs(100), &[]);
        assert_eq!(line, "walk: step 6000 of 10000 (60 %), 10 steps/s, 6 min 40 s left");
    }

    #[test]
    fn lines_survive_odd_moments() {
        assert_eq!(
            lines(0).line(0, Duration::ZERO, &[("loss", f64::NAN)]),
            "walk: step 0 of 10000 (0 %), loss not a number"
        );
        let endless = Lines { name: String::new(), done: 0, steps: u64::MAX };
        assert!(endless.line(1, Duration::from_secs(1000), &[]).ends_with("very long left"));
        let nothing = Lines { name: "n".to_owned(), done: 0, steps: 0 };
        assert_eq!(nothing.line(0, Duration::from_secs(1), &[]), "n: step 0 of 0");
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(in_words(&[("be\u{1b}[2Jta\n", 1.0), ("γ", 2.0)]), "be [2Jta  1  γ 2");
    }

    #[test]
    fn times_are_told_in_two_units() {
        let told = [0.04, 9.94, 59.0, 61.0, 3600.0, 36_061.0].map(|s| in_time(Duration::from_secs_f64(s)));
        assert_eq!(told, ["0.0 s", "9.9 s", "59 s", "1 min 1 s", "1 h 0 min", "10 h 1 min"]);
    }

    #[test]
    fn only_what_is_due_is_shown() {
        let mut progress = Progress::new("walk", 10, Show::Lines);
        progress.update(1, &[]);
        assert_eq!(progress.shown, None, "a line before ten seconds");
        progress.began -= Duration::from_secs(11);
        progress.update(2, &[("loss", 1.0)]);
        let shown = progress.shown;
        assert!(shown.is_some_and(|shown| shown >= Duration::from_secs(11)));
        progress.update(3, &[("loss", 1.0)]);
        assert_eq!(progress.shown, shown, "two lines within ten seconds");
        let mut silent = Progress::new("walk", 10, Show::Silent);
        silent.began -= Duration::from_secs(100);
        silent.update(1, &[("loss", 1.0)]);
        assert_eq!(silent.shown, None);
    }
}
