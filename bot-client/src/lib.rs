//! Tickwire's bots: thousands of clients in one process that join a room, play or idle, check what the server
//! tells them, and report what they saw.
//!
//! A run ([`run()`]) divides its clients among threads. Each thread has a readiness loop of its own and no
//! other thread's data. There are two kinds of client. A client of the swarm (`bot`, in a `worker`) is a
//! session over a socket, and no more: its inputs come from one timer wheel per thread (`wheel`), each client
//! at its own phase. A client that predicts (`player`, in a `crowd`) is the whole client core, as a person
//! has it, with a `pilot` for its will; a bad network can be put between it and its sockets
//! ([`conditioner`]).
//!
//! What the loops of both have in common is the `attendance`. What is measured is summed up per thread
//! (`measure`), and by the second (`series`), in an `env` that a thread's clients share. It becomes a
//! [`Report`] for people and scripts, a [`page`] with plots, and a [`Verdict`].
//!
//! There is no asynchronous runtime under the bots: what a client costs is little more than its system calls,
//! and so a machine can play the many clients of a server under test.
//!
//! A game for people has one player, and is written otherwise: [`native`] is the same core with sockets, TLS
//! and a clock around it, on tokio.
#![forbid(unsafe_code)]

mod attendance;
mod bot;
pub mod conditioner;
mod crowd;
mod env;
pub mod level;
mod measure;
pub mod native;
pub mod page;
mod parts;
mod pilot;
mod player;
mod report;
mod run;
mod series;
mod socket;
mod target;
mod verdict;
mod wheel;
mod worker;

pub use parts::PayloadPart;
pub use report::{Quantiles, Report};
pub use run::{Behaviour, Glance, RunConfig, RunError, Stall, run};
pub use series::SeriesPoint;
pub use target::{Target, TargetError};
pub use verdict::{RequirementError, Requirements, Verdict};
