//! The behaviours of the client core, a file each: real clients in a real room, on conditioned links in
//! virtual time.

mod account;
mod cloak;
mod commands;
mod corrections;
mod hardship;
mod lag_compensation;
mod late_maker;
mod lead;
mod network_bots;
mod others;
mod recovery;
mod refusals;
mod report;
