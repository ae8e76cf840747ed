//! `cargo xtask bench`: the benchmarks of all members.

use std::process::ExitCode;

use crate::command::Invocation;
use crate::report::{Outcome, Report};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only benchmarks whose name contains this
    filter: Option<String>,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    let mut report = Report::new();
    report.step("bench", || {
        let mut bench = Invocation::cargo("bench --workspace");
        if let Some(filter) = &options.filter {
            bench = bench.arg("--").arg(filter);
        }
        bench.run()?;
        Ok(Outcome::Passed)
    });
    report.finish()
}
