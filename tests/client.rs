//! The behaviours of the client core, a file each: real clients in a real room, on conditioned links in
//! virtual time.

mod commands;
mod corrections;
mod lead;
mod others;
mod recovery;
mod report;
