//! `cargo xtask bench`: the benchmarks of all members, and the swarm over real sockets.

use std::process::ExitCode;

use crate::command::Invocation;
use crate::load;
use crate::report::{Outcome, Report};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only benchmarks whose name contains this, and no sockets
    filter: Option<String>,
    /// Only the swarm over real sockets
    #[arg(long, conflicts_with = "filter")]
    load: bool,
    /// Players of the swarm over real sockets
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1000, 2000])]
    players: Vec<u32>,
    /// Seconds that the swarm is measured for
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    seconds: u32,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    let mut report = Report::new();
    if !options.load {
        report.step("bench", || {
            let mut bench = Invocation::cargo("bench --workspace");
            if let Some(filter) = &options.filter {
                bench = bench.arg("--").arg(filter);
            }
            bench.run()?;
            Ok(Outcome::Passed)
        });
    }
    if options.filter.is_none() {
        report.step("load", || {
            load::measure(&options.players, options.seconds)?;
            Ok(Outcome::Passed)
        });
    }
    report.finish()
}
