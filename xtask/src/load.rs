//! The swarm over real sockets: the server on one core, bots on another, and the bare system calls before and
//! after, for comparison in the same minutes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::command::Invocation;
use crate::workspace;

/// What one run of the swarm cost.
struct Measured {
    micros: f64,
    late_share: f64,
    done_p99_millis: f64,
    stages: String,
}

/// How long is measured after everybody is there.
const WARM_UP: Duration = Duration::from_secs(4);

/// Measures the swarm with each of these numbers of players.
pub(crate) fn measure(players: &[u32], seconds: u32) -> anyhow::Result<()> {
    Invocation::cargo("build --release -p tickwire-server -p tickwire-bot").run()?;
    let bare = bare_program()?;
    let folder = workspace::target_dir().join("release");
    println!("    server on core 0, clients on core 1; CPU of the server in µs per client and tick");
    println!(
        "    {:>7} {:>11} {:>8} {:>10} {:>6} {:>6} {:>9}  per tick and client: {}",
        "players",
        "bare before",
        "tickwire",
        "bare after",
        "ratio",
        "late",
        "done p99",
        STAGES.join(", ")
    );
    for &players in players {
        let before = measure_bare(&bare, players, 5)?;
        let ours = measure_swarm(&folder, players, seconds)?;
        let after = measure_bare(&bare, players, 5)?;
        println!(
            "    {players:>7} {before:>11.2} {:>8.2} {after:>10.2} {:>6.2} {:>5.2}% {:>6.1} ms  {}",
            ours.micros,
            ours.micros / ((before + after) / 2.0),
            ours.late_share * 100.0,
            ours.done_p99_millis,
            ours.stages,
        );
    }
    Ok(())
}

/// Builds the bench of the bare system calls and finds it.
fn bare_program() -> anyhow::Result<PathBuf> {
    let build = Invocation::cargo("bench -p tickwire-server --bench bare --no-run --message-format json");
    let messages = build.read().context("the bench `bare` cannot be built")?;
    let executable = messages.lines().filter(|line| line.contains("\"name\":\"bare\"")).find_map(|line| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        rest.split_once('"').map(|(path, _)| PathBuf::from(path))
    });
    executable.context("cargo does not say where the bench `bare` is")
}

fn measure_bare(bare: &Path, clients: u32, seconds: u32) -> anyhow::Result<f64> {
    let clients = clients.to_string();
    let seconds = seconds.to_string();
    let mut server = Running::start(pinned(0, bare).args(["serve", &clients, &seconds]))?;
    let address = server.line()?;
    let mut peer = Running::start(pinned(1, bare).args(["peer", address.trim(), &clients, &seconds]))?;
    let line = server.line()?;
    peer.stop();
    let (micros, _) = line.split_once(' ').context("the bench `bare` prints what it measured")?;
    Ok(micros.parse()?)
}

fn measure_swarm(folder: &Path, players: u32, seconds: u32) -> anyhow::Result<Measured> {
    let count = players.to_string();
    let mut server = Running::start(pinned(0, &folder.join("tickwire")).args([
        "swarm",
        "--players",
        &count,
        "--listen",
        "127.0.0.1:0",
    ]))?;
    let ready = server.line()?;
    let (_, address) = ready.trim().split_once("http://").context("the server prints its address")?;
    let address = address.trim_end_matches('/').to_owned();
    let report = workspace::target_dir().join(format!("swarm-{players}.json"));
    let length = (seconds + 60).to_string();
    let mut bots = Running::start(
        pinned(1, &folder.join("tickwire-bots"))
            .args(["swarm", "--connect", &format!("ws://{address}"), "--clients", &count])
            .args(["--threads", "1", "--seconds", &length, "--json"])
            .arg(&report),
    )?;
    wait_for(&address, "tickwire_sessions{state=\"active\"} ", f64::from(players))?;
    sleep(WARM_UP);
    let (before, cpu_before) = (metrics(&address)?, server.cpu_seconds()?);
    sleep(Duration::from_secs(u64::from(seconds)));
    let (after, cpu_after) = (metrics(&address)?, server.cpu_seconds()?);
    let difference = |name: &str| value(&after, name) - value(&before, name);
    let ticks = difference("tickwire_ticks_total ");
    ensure!(ticks > 0.0, "the server did not tick");
    let client_ticks = ticks * f64::from(players);
    let stages = STAGES.map(|stage| {
        let name = format!("tickwire_tick_stage_seconds_sum{{stage=\"{stage}\"}} ");
        format!("{:.2}", difference(&name) * 1e6 / client_ticks)
    });
    bots.interrupt();
    server.stop();
    Ok(Measured {
        micros: (cpu_after - cpu_before) * 1e6 / client_ticks,
        late_share: difference("tickwire_late_ticks_total ") / ticks,
        done_p99_millis: quantile(&before, &after, "tickwire_tick_done_seconds_bucket{le=\"", 0.99) * 1e3,
        stages: stages.join(" "),
    })
}

const STAGES: [&str; 6] = ["drain", "game", "capture", "interest", "assemble", "send"];

fn pinned(core: u32, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program).current_dir(workspace::root());
    command
}

/// A child process whose output is read line by line. It does not outlive this value.
struct Running {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Running> {
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = started.with_context(|| format!("cannot start {command:?}"))?;
        let output = BufReader::new(child.stdout.take().context("its output is piped")?);
        Ok(Running { child, output })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("a process ended before it said what it was to say");
        }
        Ok(line)
    }

    /// The CPU time that all its threads have used so far.
    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let mut nanos = 0.0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            nanos += text.split_whitespace().next().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        }
        Ok(nanos / 1e9)
    }

    /// Asks it to end, and prints what it has to say.
    fn interrupt(&mut self) {
        let signalled = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        if signalled.is_ok_and(|status| status.success()) {
            let mut rest = String::new();
            // What cannot be read is not there to be printed.
            let _ = self.output.read_to_string(&mut rest);
            rest.lines().for_each(|line| println!("      {line}"));
        }
        let _ = self.child.wait();
    }

    fn stop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until a metric has a value.
fn wait_for(address: &str, name: &str, wanted: f64) -> anyhow::Result<()> {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(60) {
        if metrics(address).is_ok_and(|text| value(&text, name) >= wanted) {
            return Ok(());
        }
        sleep(Duration::from_millis(200));
    }
    bail!("after a minute `{name}` is still below {wanted}")
}

fn metrics(address: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
}

/// The upper end of the range in which a quantile of a histogram lies.
fn quantile(before: &str, after: &str, name: &str, quantile: f64) -> f64 {
    let buckets: Vec<(f64, f64)> = after
        .lines()
        .filter_map(|line| line.strip_prefix(name))
        .filter_map(|rest| rest.split_once("\"} "))
        .map(|(limit, count)| {
            let earlier = value(before, &format!("{name}{limit}\"}} "));
            (limit.parse().unwrap_or(f64::INFINITY), count.parse().unwrap_or(0.0) - earlier)
        })
        .collect();
    let total = buckets.last().map_or(0.0, |(_, count)| *count);
    let found = buckets.iter().find(|(_, count)| *count >= total * quantile);
    found.map_or(f64::NAN, |(limit, _)| *limit)
}
