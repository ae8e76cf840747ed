//! The commands that the server may not have taken yet, kept to be sent again after a resume.

use crate::limits::MAX_UNCONFIRMED_COMMANDS;
use std::collections::VecDeque;

/// Commands in the order of their numbers.
///
/// The protocol confirms no single command. What the server has taken is known from the welcome that resumes,
/// which names the next number, and from a pong: on an ordered stream all that was sent before its ping has
/// been read.
#[derive(Debug, Default)]
pub(super) struct UnconfirmedCommands {
    /// The number of the first one that is kept.
    first: u32,
    payloads: VecDeque<Vec<u8>>,
    /// How many of them have been sent on this connection.
    sent: usize,
    /// For each ping under way, its number and that of the first command after it.
    pings: VecDeque<(u32, u32)>,
}

impl UnconfirmedCommands {
    /// A new session begins, whose first command has this number.
    pub(super) fn begin(&mut self, next: u32) {
        *self = UnconfirmedCommands { first: next, ..UnconfirmedCommands::default() };
    }

    /// The session goes on over another connection, and the server takes this number next. False when it
    /// cannot be the next.
    pub(super) fn resume(&mut self, next: u32) -> bool {
        let Some(taken) = next.checked_sub(self.first) else {
            // Commands were taken for confirmed because so many followed, and were not.
            self.first = next;
            self.sent = 0;
            return true;
        };
        if taken as usize > self.payloads.len() {
            return false;
        }
        self.payloads.drain(..taken as usize);
        (self.first, self.sent) = (next, 0);
        true
    }

    /// The connection is gone, and with it what was under way.
    pub(super) fn handle_disconnected(&mut self) {
        self.sent = 0;
        self.pings.clear();
    }

    /// Keeps a command to be sent. When there are too many, the oldest is taken for confirmed.
    pub(super) fn push(&mut self, payload: &[u8]) {
        if self.payloads.len() == MAX_UNCONFIRMED_COMMANDS {
            self.payloads.pop_front();
            self.first = self.first.wrapping_add(1);
            self.sent = self.sent.saturating_sub(1);
        }
        self.payloads.push_back(payload.to_vec());
    }

    /// The next command that has not been sent on this connection, and its number.
    pub(super) fn unsent(&self) -> Option<(u32, &[u8])> {
        let payload = self.payloads.get(self.sent)?;
        Some((self.first.checked_add(self.sent as u32)?, payload))
    }

    /// That command has been sent.
    pub(super) fn handle_sent(&mut self) {
        self.sent += 1;
    }

    /// A ping has been sent.
    pub(super) fn handle_ping(&mut self, nonce: u32) {
        self.pings.push_back((nonce, self.first.wrapping_add(self.sent as u32)));
    }

    /// The pong of a ping has come.
    pub(super) fn handle_pong(&mut self, nonce: u32) {
        let Some(place) = self.pings.iter().position(|(asked, _)| *asked == nonce) else { return };
        let next = self.pings.get(place).map_or(self.first, |(_, next)| *next);
        self.pings.drain(..=place);
        let taken = (next.wrapping_sub(self.first) as usize).min(self.sent);
        self.payloads.drain(..taken);
        self.sent -= taken;
        self.first = self.first.wrapping_add(taken as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsent(commands: &mut UnconfirmedCommands) -> Vec<(u32, u8)> {
        let mut all = Vec::new();
        while let Some((number, payload)) = commands.unsent() {
            all.push((number, payload[0]));
            commands.handle_sent();
        }
        all
    }

    #[test]
    fn what_was_not_taken_is_sent_again() {
        let mut commands = UnconfirmedCommands::default();
        commands.begin(5);
        (0..4).for_each(|payload| commands.push(&[payload]));
        assert_eq!(unsent(&mut commands), [(5, 0), (6, 1), (7, 2), (8, 3)]);
        commands.handle_disconnected();
        assert!(commands.resume(7));
        assert_eq!(unsent(&mut commands), [(7, 2), (8, 3)]);
        commands.handle_disconnected();
        assert!(!commands.resume(10), "that was never sent");
        assert!(commands.resume(9));
        assert_eq!(unsent(&mut commands), []);
    }

    #[test]
    fn a_pong_confirms_what_was_sent_before_its_ping() {
        let mut commands = UnconfirmedCommands::default();
        commands.begin(1);
        commands.push(&[0]);
        unsent(&mut commands);
        commands.handle_ping(11);
        commands.push(&[1]);
        unsent(&mut commands);
        commands.handle_pong(99);
        commands.handle_pong(11);
        assert_eq!((commands.first, commands.payloads.len(), commands.sent), (2, 1, 1));
        commands.handle_disconnected();
        assert!(commands.resume(2));
        assert_eq!(unsent(&mut commands), [(2, 1)]);
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut commands = UnconfirmedCommands::default();
        commands.begin(0);
        (0..MAX_UNCONFIRMED_COMMANDS + 3).for_each(|_| commands.push(&[7]));
        assert_eq!((commands.first, commands.payloads.len()), (3, MAX_UNCONFIRMED_COMMANDS));
        commands.handle_disconnected();
        assert!(commands.resume(1), "the oldest are lost");
        assert_eq!(commands.unsent().map(|(number, _)| number), Some(1));
    }
}
