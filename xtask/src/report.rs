//! Steps, their outcomes, and the table at the end.

use std::fmt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How a step ended that did not fail.
pub(crate) enum Outcome {
    /// It did what its name says.
    Passed,
    /// It could not be done here, for this reason, and that is no fault.
    Skipped(String),
}

/// What the body of a step returns: an error is a failed step.
pub(crate) type StepResult = anyhow::Result<Outcome>;

/// The steps done so far.
pub(crate) struct Report {
    started: Instant,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    state: State,
    duration: Duration,
}

enum State {
    Passed,
    Skipped(String),
    Failed(String),
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), rows: Vec::new() }
    }

    /// Does one step, prints how it went, and says whether it passed.
    ///
    /// A failure does not end the run: the steps after it are worth knowing too.
    pub(crate) fn step(&mut self, name: &str, body: impl FnOnce() -> StepResult) -> bool {
        println!("\n==> {name}");
        let started = Instant::now();
        let result = body();
        let duration = started.elapsed();
        let state = match result {
            Ok(Outcome::Passed) => State::Passed,
            Ok(Outcome::Skipped(reason)) => State::Skipped(reason),
            Err(error) => State::Failed(format!("{error:#}")),
        };
        let row = Row { name: name.to_owned(), state, duration };
        println!("<== {name}: {}, {}", row.state, seconds(duration));
        let passed = matches!(row.state, State::Passed);
        self.rows.push(row);
        passed
    }

    /// Prints the table, and gives the exit code: success if no step failed.
    pub(crate) fn finish(self) -> ExitCode {
        let name_width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        println!("\nSummary");
        for Row { name, state, duration } in &self.rows {
            println!("  {name:name_width$}  {:>9}  {state}", seconds(*duration));
        }
        let failed = self.rows.iter().filter(|row| matches!(row.state, State::Failed(_))).count();
        let skipped = self.rows.iter().filter(|row| matches!(row.state, State::Skipped(_))).count();
        let passed = self.rows.len() - failed - skipped;
        let total = seconds(self.started.elapsed());
        println!("{passed} passed, {skipped} skipped, {failed} failed, in {total}");
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => write!(f, "passed"),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
            Self::Failed(reason) => write!(f, "FAILED: {reason}"),
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
