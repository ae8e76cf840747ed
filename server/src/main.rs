//! The binary `tickwire`: hosts games.

#[cfg(feature = "arena")]
mod arena_arguments;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tickwire_server::net::tls::TlsFiles;
use tickwire_server::{Config, Server, ServerBuilder};
use tickwire_swarm::{Swarm, SwarmConfig};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Hosts real-time multiplayer games: a fixed tick, and a delta snapshot per player over WebSocket.
#[derive(Parser)]
#[command(name = "tickwire", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Subcommand)]
enum Command {
    /// Hosts the games in the box (the default).
    Serve(ServeArguments),
    /// Hosts the swarm, the workload of every measurement: one room with a place for each player.
    Swarm(SwarmArguments),
    /// Levels of the arena.
    #[cfg(feature = "arena")]
    #[command(subcommand)]
    Maps(arena_arguments::MapsCommand),
}

#[derive(Args)]
struct ServeArguments {
    #[command(flatten)]
    common: CommonArguments,
    /// Places in a room.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 64,
        value_parser = clap::value_parser!(u32).range(1..=60000)
    )]
    room_capacity: u32,
    #[cfg(feature = "arena")]
    #[command(flatten)]
    arena: arena_arguments::ArenaArguments,
}

impl ServeArguments {
    /// A server with the games in the box; the arena is the one that those get who name none.
    fn server(&self) -> anyhow::Result<ServerBuilder> {
        let capacity = self.room_capacity as usize;
        let config =
            Config { room_capacity: capacity, ..self.common.config(SERVE_HZ, CONNECTIONS_PER_ADDRESS) };
        let server = Server::builder(config);
        #[cfg(feature = "arena")]
        let server = {
            let arena = self.arena.config(self.room_capacity)?;
            server.game_with::<tickwire_arena::Arena>("arena", arena)
        };
        let swarm = SwarmConfig { players: self.room_capacity, ..SwarmConfig::default() };
        Ok(server.game_with::<Swarm>("swarm", swarm))
    }
}

#[derive(Args)]
struct SwarmArguments {
    #[command(flatten)]
    common: CommonArguments,
    /// Walkers that there is room for; the world is as large as so many need.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        value_parser = clap::value_parser!(u32).range(1..=4096)
    )]
    players: u32,
}

#[derive(Args)]
struct CommonArguments {
    /// The address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7777")]
    listen: SocketAddr,
    /// Ticks per second, 1 to 240; 60 by default, and 30 for the swarm.
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1..=240))]
    tick_hz: Option<u32>,
    /// Threads that rooms run on; by default one per core less one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    room_threads: Option<u16>,
    /// Connections at a time, in total.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 16_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_connections: u32,
    /// Connections at a time from one address; 64 by default, and for the swarm as many as in total.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_connections_per_address: Option<u32>,
    /// A file with the certificate chain (PEM), to serve https and wss.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// A file with the certificate's private key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Seconds that a player without a connection stays in the world.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    grace: u32,
    /// Seconds without an input or command after which a player is sent away; 0 for never.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    idle_timeout: u32,
}

impl CommonArguments {
    fn config(&self, tick_hz: u32, per_address: u32) -> Config {
        let per_address = self.max_connections_per_address.unwrap_or(per_address);
        Config {
            tick_hz: self.tick_hz.unwrap_or(tick_hz),
            room_threads: self.room_threads.map(usize::from),
            max_connections: self.max_connections as usize,
            max_connections_per_address: per_address as usize,
            grace: Duration::from_secs(u64::from(self.grace)),
            idle_timeout: (self.idle_timeout > 0).then(|| Duration::from_secs(u64::from(self.idle_timeout))),
            tls: self.tls(),
            ..Config::default()
        }
    }

    fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = self.tls_certificate.clone().zip(self.tls_key.clone())?;
        Some(TlsFiles { certificate, key })
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("TICKWIRE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tickwire: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let command = arguments.command.unwrap_or(Command::Serve(arguments.serve));
    let (address, server) = match &command {
        #[cfg(feature = "arena")]
        Command::Maps(maps) => {
            return Ok(if maps.run()? { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Serve(serve) => (serve.common.listen, serve.server()?),
        Command::Swarm(swarm) => {
            // Spectators have places beside the players.
            let capacity = swarm.players as usize + SPECTATORS;
            let common = swarm.common.config(SWARM_HZ, swarm.common.max_connections);
            let config = Config { room_capacity: capacity, ..common };
            let game = SwarmConfig { players: swarm.players, ..SwarmConfig::default() };
            let server = Server::builder(config).game_with::<Swarm>("swarm", game);
            (swarm.common.listen, server.with_permanent_room())
        }
    };
    let scheme = if server.is_tls() { "https" } else { "http" };
    let server = server.build()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(NETWORK_THREADS)
        .enable_all()
        .build()
        .context("the network's threads cannot be started")?;
    runtime.block_on(async {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "Tickwire is ready: {scheme}://{}/", listener.local_addr()?)?;
        out.flush()?;
        drop(out);
        server.run(listener, shutdown()).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Ticks per second of the games in the box, and of the swarm when it is measured.
const SERVE_HZ: u32 = 60;
const SWARM_HZ: u32 = 30;

/// Connections of a household or a school class behind one address.
const CONNECTIONS_PER_ADDRESS: u32 = 64;

/// Places for those who watch a swarm.
const SPECTATORS: usize = 16;

/// Listening, HTTP and handshakes are little work: connections in a room belong to its thread.
const NETWORK_THREADS: usize = 2;

/// Until somebody wants the program to end.
async fn shutdown() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    // Without signals there is no way to be asked, and the process is killed.
    let _ = interrupted.await;
}
