//! The binary `tickwire-bots`: clients for a Tickwire server, and what they saw of it.

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tickwire_bot::conditioner::Conditions;
use tickwire_bot::page::page;
use tickwire_bot::{
    Behaviour, Glance, Report, Requirements, RunConfig, RunError, Stall, Target, Verdict, run,
};

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
    /// Plays in the arena with the client that people have: it predicts, and counts what it got wrong.
    Arena(ArenaArguments),
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
    /// Where the report goes as a page with plots, which needs no network.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// What the run has to show, such as `interval_p99_ms<=40,corrections<=0`: the exit code is 1 if it does
    /// not, and 3 if the bots themselves were too late to tell. The names are those of the JSON; a quantile
    /// of interval_ms is interval_p99_ms.
    #[arg(long, value_name = "LIST")]
    require: Option<Requirements>,
    /// Counts where the bytes went: by part of a snapshot, and by kind of entity.
    #[arg(long)]
    account: bool,
    /// Shows nothing while it runs.
    #[arg(long)]
    quiet: bool,
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
struct ArenaArguments {
    #[command(flatten)]
    common: CommonArguments,
    /// The network to put between each client and the server: lan, broadband, wifi, 4g or awful.
    #[arg(long, value_name = "NAME", value_parser = conditions)]
    conditions: Option<Conditions>,
    /// Only walks about, and shoots at nobody: a machine can play more of them.
    #[arg(long)]
    walk: bool,
}

/// The conditions of a name.
fn conditions(name: &str) -> Result<Conditions, String> {
    let names = || Conditions::PRESETS.map(|conditions| conditions.name).join(", ");
    Conditions::named(name).ok_or_else(|| format!("there are {}", names()))
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
    let (behaviour, common, (verify_every, stall, conditions)) = match arguments.command {
        Command::Swarm(swarm) => {
            let stall = swarm
                .stall_after
                .zip(swarm.stall_clients)
                .map(|(after, clients)| Stall { after: Duration::from_secs(u64::from(after)), clients });
            (Behaviour::Swarm, swarm.common, (swarm.verify_every, stall, None))
        }
        Command::Arena(arena) => {
            let behaviour = if arena.walk { Behaviour::ArenaWalk } else { Behaviour::Arena };
            (behaviour, arena.common, (0, None, arena.conditions))
        }
        Command::Idle(idle) => (Behaviour::Idle, idle.common, (0, None, None)),
    };
    let target = match Target::parse(&common.connect) {
        Ok(target) => target,
        Err(error) => return fail(MISUSE, &error),
    };
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
        conditions,
        accounts: common.account,
    };
    if let Err(error) = stop_on_interrupt() {
        return fail(FAILED, &error);
    }
    let mut display = Display::new(&config, common.quiet);
    let outcome = run(&config, &STOP, &mut |glance| display.show(glance));
    display.bar.finish_and_clear();
    match outcome {
        Ok(report) => finish(&report, &common),
        Err(error @ (RunError::Join { .. } | RunError::System(_))) => fail(FAILED, &error),
    }
}

/// Set by Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

const FAILED: u8 = 1;
const MISUSE: u8 = 2;
const SPOILED: u8 = 3;

/// How a run goes, on a terminal.
struct Display {
    bar: ProgressBar,
    seconds: f64,
}

impl Display {
    fn new(config: &RunConfig, quiet: bool) -> Display {
        // It shows nothing where standard error is no terminal.
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(config.measured.as_secs()), target);
        let style = ProgressStyle::with_template("{bar:24} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Display { bar, seconds: config.measured.as_secs_f64() }
    }

    fn show(&mut self, glance: &Glance) {
        let time = match glance.measured {
            None if glance.clients < glance.wanted => "joining".to_owned(),
            None => "warming up".to_owned(),
            Some(seconds) => format!("{:.0} of {:.0} s", seconds.min(self.seconds), self.seconds),
        };
        self.bar.set_position(glance.measured.unwrap_or(0.0) as u64);
        self.bar.set_message(format!(
            "{time}  {}/{} up  {:.1} snapshots/s each  {:.0} B/s each  p99 {:.1} ms  {} faults",
            glance.clients,
            glance.wanted,
            glance.snapshots_per_second / f64::from(glance.clients.max(1)),
            glance.bytes_per_second / f64::from(glance.clients.max(1)),
            glance.interval_p99_ms,
            glance.faults
        ));
    }
}

fn finish(report: &Report, common: &CommonArguments) -> ExitCode {
    let written = (|| -> anyhow::Result<()> {
        writeln!(io::stdout(), "{report}")?;
        if let Some(path) = &common.html {
            let title = format!("{} clients of {}", report.clients, common.connect);
            std::fs::write(path, page(&title, report)).with_context(|| path.display().to_string())?;
        }
        if let Some(path) = &common.json {
            let what = || path.display().to_string();
            let mut file = File::create(path).with_context(what)?;
            serde_json::to_writer_pretty(&mut file, report).with_context(what)?;
            writeln!(file).with_context(what)?;
        }
        Ok(())
    })();
    if let Err(error) = written {
        return fail(FAILED, &error);
    }
    match common.require.clone().unwrap_or_default().judge(report) {
        Verdict::Passed => ExitCode::SUCCESS,
        Verdict::Failed(why) => fail(FAILED, &why.join("; ")),
        Verdict::Spoiled(why) => fail(SPOILED, &why),
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
