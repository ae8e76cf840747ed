//! The binary `tickwire-bots`: clients for a Tickwire server, and what they saw of it.

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tickwire_bot::{Behaviour, Report, RunConfig, RunError, Stall, Target, run};

/// Bots for a Tickwire server: they join, play, check every snapshot, and report.
#[derive(Parser)]
#[command(name = "tickwire-bots", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plays the swarm, the workload of every measurement: 25 inputs a second and client.
    Swarm(SwarmArguments),
    /// Joins and does nothing, but for answers to pings and an acknowledgement a second.
    Idle(IdleArguments),
}

#[derive(Args)]
struct CommonArguments {
    /// The URL of the server, `ws://HOST[:PORT][/PATH]`; without a path it is /play.
    #[arg(long, value_name = "URL")]
    connect: String,
    /// Clients.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=60_000))]
    clients: u32,
    /// Seconds that are measured, once all are in and two more seconds have gone.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Threads; by default one per core.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// What the clients want follows from this number.
    #[arg(long, value_name = "X", default_value_t = 1)]
    seed: u64,
    /// Connections that are opened per second.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 500,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    connects_per_second: u32,
    /// Whether clients of a server on the loopback connect from many addresses of it.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    spread_sources: bool,
    /// Where the report goes as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Args)]
struct SwarmArguments {
    #[command(flatten)]
    common: CommonArguments,
    /// Every so manieth client compares its state with the server's after each snapshot; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 50)]
    verify_every: u32,
    /// Seconds into the measured time after which some clients stop reading.
    #[arg(long, value_name = "S", requires = "stall_clients")]
    stall_after: Option<u32>,
    /// How many do.
    #[arg(long, value_name = "K", requires = "stall_after")]
    stall_clients: Option<u32>,
}

#[derive(Args)]
struct IdleArguments {
    #[command(flatten)]
    common: CommonArguments,
    /// The game to join.
    #[arg(long, value_name = "NAME", default_value = "swarm", value_parser = ["swarm"])]
    game: String,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misuse(&error),
    };
    let (behaviour, common, swarm) = match arguments.command {
        Command::Swarm(swarm) => {
            let stall = swarm
                .stall_after
                .zip(swarm.stall_clients)
                .map(|(after, clients)| Stall { after: Duration::from_secs(u64::from(after)), clients });
            (Behaviour::Swarm, swarm.common, (swarm.verify_every, stall))
        }
        Command::Idle(idle) => (Behaviour::Idle, idle.common, (0, None)),
    };
    let target = match Target::parse(&common.connect) {
        Ok(target) => target,
        Err(error) => return fail(MISUSE, &error),
    };
    let (verify_every, stall) = swarm;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let config = RunConfig {
        target,
        behaviour,
        clients: common.clients,
        measured: Duration::from_secs(u64::from(common.seconds)),
        warm_up: Duration::from_secs(2),
        verify_every,
        threads: common.threads.map_or(cores, usize::from),
        seed: common.seed,
        connects_per_second: common.connects_per_second,
        spread_sources: common.spread_sources,
        stall,
    };
    if let Err(error) = stop_on_interrupt() {
        return fail(FAILED, &error);
    }
    match run(&config, &STOP) {
        Ok(report) => finish(&report, common.json),
        Err(error @ (RunError::Join { .. } | RunError::System(_))) => fail(FAILED, &error),
    }
}

/// Set by Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

const FAILED: u8 = 1;
const MISUSE: u8 = 2;

fn finish(report: &Report, json: Option<PathBuf>) -> ExitCode {
    let written = (|| -> anyhow::Result<()> {
        writeln!(io::stdout(), "{report}")?;
        if let Some(path) = json {
            let what = || path.display().to_string();
            let mut file = File::create(&path).with_context(what)?;
            serde_json::to_writer_pretty(&mut file, report).with_context(what)?;
            writeln!(file).with_context(what)?;
        }
        Ok(())
    })();
    match written {
        Err(error) => fail(FAILED, &error),
        Ok(()) if report.is_good() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(FAILED),
    }
}

/// Says in one line what is wrong, or gives the help that was asked for.
fn misuse(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // There is nobody to tell that nobody reads.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let lines: Vec<&str> =
        lines.filter(|line| !line.is_empty() && !line.starts_with("For more information")).collect();
    fail(MISUSE, &lines.join(" ").trim_start_matches("error: "))
}

fn fail(code: u8, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("tickwire-bots: {error:#}");
    ExitCode::from(code)
}

/// Makes Ctrl-C end the run in good order; a second one ends the program.
fn stop_on_interrupt() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if STOP.swap(true, Ordering::Relaxed) {
                    std::process::exit(i32::from(FAILED));
                }
            }
        });
    })?;
    Ok(())
}
