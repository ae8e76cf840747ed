//! `cargo xtask soak`: the simulations of the tests, optimised and at length.

use std::process::ExitCode;

use crate::command::Invocation;
use crate::report::{Outcome, Report};
use crate::wasm;

/// How long to go on.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Snapshots that the simulated streams apply and compare, each
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    snapshots: u32,
    /// Ticks that a simulated client predicts under each preset of the link conditioner
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    ticks: u32,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    let mut report = Report::new();
    report.step("snapshot streams", || {
        Invocation::cargo("test --release -p tickwire-tests --test snapshot_stream -- --nocapture")
            .env("TICKWIRE_SNAPSHOTS", options.snapshots.to_string())
            .run()?;
        Ok(Outcome::Passed)
    });
    report.step("clients under each preset", || {
        Invocation::cargo("test --release -p tickwire-tests --test client -- --nocapture")
            .env("TICKWIRE_TICKS", options.ticks.to_string())
            .run()?;
        Ok(Outcome::Passed)
    });
    wasm::soak(&mut report);
    report.finish()
}
