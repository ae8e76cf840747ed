//! Tickwire's server. So far its pure half: what a room remembers of its past ([`history`]), and what each
//! player is told of it ([`assemble`]).
#![forbid(unsafe_code)]

pub mod assemble;
pub mod history;
