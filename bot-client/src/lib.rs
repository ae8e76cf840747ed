//! Tickwire's bots: thousands of clients in one process that join a room, play or idle, decode every
//! snapshot, and report what they saw.
//!
//! A run ([`run`]) divides its clients among threads. Each thread (`worker`) has a readiness loop of its own
//! and no other thread's data; a client (`bot`) is a session over a socket (`socket`). Inputs come from one
//! timer wheel per thread (`wheel`), each client at its own phase. What is measured is summed up per thread
//! (`measure`) and put together at the end (`report`).
//!
//! A bad network is made in process ([`conditioner`]), for tests and for bots.
//!
//! There is no asynchronous runtime under it: what a client costs is little more than its system calls, and
//! so a machine can play the many clients of a server under test.
#![forbid(unsafe_code)]

mod bot;
pub mod conditioner;
mod measure;
mod report;
mod run;
mod socket;
mod target;
mod wheel;
mod worker;

pub use report::{Quantiles, Report};
pub use run::{Behaviour, RunConfig, RunError, Stall, run};
pub use target::{Target, TargetError};
