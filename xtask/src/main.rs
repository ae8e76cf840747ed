//! The project's own commands, run as `cargo xtask <command>`.
//!
//! Every command is a list of named steps. A step prints its name, what it runs and how long it took; one
//! that fails prints the command that repeats it. A table at the end says what passed, what was skipped and
//! why, and what failed.

mod bench;
mod browser;
mod command;
mod fuzz;
mod load;
mod report;
mod soak;
mod system;
mod test;
mod wasm;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The arguments of `cargo xtask`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's own commands", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

/// What there is to do.
#[derive(Subcommand)]
enum Task {
    /// Check everything: format, clippy, tests, docs, fuzz corpora, WebAssembly, dependencies
    Test,
    /// Make the package for web pages: WebAssembly and the JavaScript around it
    Web,
    /// Try the package for web pages under node, and the arena's page in headless Chromium
    Browser(browser::Options),
    /// Fuzz each target in turn, with the nightly compiler
    Fuzz(fuzz::Options),
    /// Run the benchmarks of the workspace
    Bench(bench::Options),
    /// Run the simulations of the tests, optimised and at length
    Soak(soak::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().task {
        Task::Test => test::run(),
        Task::Browser(options) => browser::run(&options),
        Task::Web => web::run(),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Soak(options) => soak::run(&options),
    }
}
