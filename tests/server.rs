//! The behaviours of the server, a file each: rooms, sessions and clients on a simulated network with virtual
//! time, and a few on real sockets.

mod audience;
mod capacity;
mod client_session;
mod converge;
mod determinism;
mod directory;
mod inputs;
mod join;
mod leave;
mod level_change;
mod malformed;
mod overload;
mod prediction;
mod real_sockets;
mod restart;
mod resume;
mod room_panic;
mod slip;
mod slow_reader;
mod timeouts;
