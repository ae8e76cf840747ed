//! When to open a connection, and when to give one up. What opens and closes them is the owner of the socket.
//!
//! A connection that nothing is heard from for a second and a half is probably dead, though no one will say
//! so for minutes (a half-open TCP connection is the normal case). The client then opens another one beside
//! it, and the resume takes the session over. It tries again every half second for ten seconds, and leaves
//! those before under way for a while, because a handshake over a bad path takes several round trips; the
//! first that opens is taken. Afterwards attempts come in growing random intervals ("full jitter": Brooker,
//! "Exponential Backoff And Jitter", 2015), so that a server that comes back is not met by everybody at once.

use crate::determinism::SimRng;
use crate::end::SessionEnd;
use crate::time::Micros;
use std::collections::VecDeque;

/// A connection that the client asked for. Numbers are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

/// What the owner of the sockets is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionTask {
    /// Open a connection, and say when it is open
    /// ([`Client::handle_opened`](super::Client::handle_opened)) or has failed
    /// ([`Client::handle_closed`](super::Client::handle_closed)).
    Open(ConnectionId),
    /// Close a connection, with this end's code, or stop opening it. What is still under way to it is sent
    /// before, as far as that does not take long. Nothing has to be said of it any more.
    Close(ConnectionId, SessionEnd),
}

/// The connections of a client.
#[derive(Debug)]
pub(super) struct Connector {
    random: SimRng,
    next_id: u32,
    current: Option<ConnectionId>,
    /// Connections that are being opened, and since when.
    attempts: VecDeque<(ConnectionId, Micros)>,
    tasks: VecDeque<ConnectionTask>,
    /// When the next attempt is due, if the client wants a connection.
    next_attempt: Option<Micros>,
    /// Since when it wants one.
    wanting_since: Micros,
    /// Attempts since the eager ones.
    backed_off: u32,
}

/// Time between two attempts at first.
const EAGER_INTERVAL: Micros = Micros(500_000);
/// For how long attempts come at that interval.
const EAGER_TIME: Micros = Micros(10_000_000);
/// The longest random interval after that.
const MAX_INTERVAL: u64 = 30_000_000;
/// How long an attempt may take.
const ATTEMPT_TIME: Micros = Micros(4_000_000);
/// Attempts at a time; the oldest is given up for one more.
const MAX_ATTEMPTS: usize = 6;

impl Connector {
    pub(super) fn new(seed: u64) -> Connector {
        Connector {
            random: SimRng::from_u64(seed),
            next_id: 0,
            current: None,
            attempts: VecDeque::new(),
            tasks: VecDeque::new(),
            next_attempt: None,
            wanting_since: Micros(0),
            backed_off: 0,
        }
    }

    /// The connection that counts.
    pub(super) fn current(&self) -> Option<ConnectionId> {
        self.current
    }

    pub(super) fn is_wanting(&self) -> bool {
        self.next_attempt.is_some()
    }

    pub(super) fn poll_task(&mut self) -> Option<ConnectionTask> {
        self.tasks.pop_front()
    }

    /// A connection is wanted no sooner than at `at`, if it is not wanted already.
    pub(super) fn want(&mut self, at: Micros) {
        if self.next_attempt.is_none() {
            (self.next_attempt, self.wanting_since, self.backed_off) = (Some(at), at, 0);
        }
    }

    /// No further connection is wanted: the current one is alive after all.
    pub(super) fn calm(&mut self) {
        self.next_attempt = None;
        for (id, _) in self.attempts.drain(..) {
            self.tasks.push_back(ConnectionTask::Close(id, SessionEnd::Left));
        }
    }

    /// Nothing is wanted any more.
    pub(super) fn close_all(&mut self, end: SessionEnd) {
        self.calm();
        if let Some(id) = self.current.take() {
            self.tasks.push_back(ConnectionTask::Close(id, end));
        }
    }

    pub(super) fn deadline(&self) -> Option<Micros> {
        let oldest = self.attempts.front().map(|(_, since)| *since + ATTEMPT_TIME);
        [self.next_attempt, oldest].into_iter().flatten().min()
    }

    pub(super) fn handle_time(&mut self, now: Micros) {
        while let Some((id, since)) = self.attempts.front().copied()
            && now.saturating_since(since) >= ATTEMPT_TIME
        {
            self.attempts.pop_front();
            self.tasks.push_back(ConnectionTask::Close(id, SessionEnd::Left));
        }
        if self.next_attempt.is_some_and(|at| at <= now) {
            self.attempt(now);
        }
    }

    fn attempt(&mut self, now: Micros) {
        if self.attempts.len() == MAX_ATTEMPTS
            && let Some((id, _)) = self.attempts.pop_front()
        {
            self.tasks.push_back(ConnectionTask::Close(id, SessionEnd::Left));
        }
        let id = ConnectionId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        self.attempts.push_back((id, now));
        self.tasks.push_back(ConnectionTask::Open(id));
        self.next_attempt = Some(if now.saturating_since(self.wanting_since) < EAGER_TIME {
            now + EAGER_INTERVAL
        } else {
            self.backed_off += 1;
            let longest = (EAGER_INTERVAL.0 << self.backed_off.min(8)).min(MAX_INTERVAL);
            now + Micros(self.random_up_to(longest))
        });
    }

    /// A random time up to this one.
    pub(super) fn random_up_to(&mut self, longest: u64) -> u64 {
        u64::from(self.random.u32_up_to(u32::try_from(longest).unwrap_or(u32::MAX)))
    }

    /// A connection is open. Whether it is one that was being opened; it is the current one then, and the one
    /// before is closed.
    pub(super) fn handle_opened(&mut self, id: ConnectionId) -> bool {
        let Some(place) = self.attempts.iter().position(|(attempt, _)| *attempt == id) else { return false };
        self.attempts.remove(place);
        if let Some(before) = self.current.replace(id) {
            self.tasks.push_back(ConnectionTask::Close(before, SessionEnd::Replaced));
        }
        self.calm();
        true
    }

    /// A connection is closed or could not be opened. Whether it was the current one.
    pub(super) fn handle_closed(&mut self, id: ConnectionId) -> bool {
        self.attempts.retain(|(attempt, _)| *attempt != id);
        if self.current == Some(id) {
            self.current = None;
            return true;
        }
        false
    }

    /// Drops the current connection, if there is one.
    pub(super) fn drop_current(&mut self, end: SessionEnd) {
        if let Some(id) = self.current.take() {
            self.tasks.push_back(ConnectionTask::Close(id, end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(connector: &mut Connector, from: u64, to: u64) -> Vec<(u64, ConnectionTask)> {
        let mut tasks = Vec::new();
        for now in (from..to).step_by(10_000) {
            connector.handle_time(Micros(now));
            while let Some(task) = connector.poll_task() {
                tasks.push((now, task));
            }
        }
        tasks
    }

    #[test]
    fn attempts_are_eager_at_first_and_then_random() {
        let mut connector = Connector::new(1);
        connector.want(Micros(0));
        let tasks = run(&mut connector, 0, 300_000_000);
        let opened: Vec<u64> = tasks
            .iter()
            .filter(|(_, task)| matches!(task, ConnectionTask::Open(_)))
            .map(|(at, _)| *at)
            .collect();
        let eager = opened.iter().take_while(|at| **at < 10_000_000).count();
        assert_eq!(eager, 20);
        let later = &opened[21..];
        assert!((5..100).contains(&later.len()), "{}", later.len());
        let gaps: Vec<u64> = later.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap <= MAX_INTERVAL + 10_000));
        assert!(gaps.iter().any(|gap| *gap > 3_000_000) && gaps.windows(2).any(|pair| pair[0] != pair[1]));
        let closed = tasks.len() - opened.len();
        assert!(opened.len() - closed <= MAX_ATTEMPTS);
    }

    #[test]
    fn the_first_that_opens_is_taken() {
        let mut connector = Connector::new(1);
        connector.want(Micros(0));
        run(&mut connector, 0, 1_100_000);
        assert!(connector.handle_opened(ConnectionId(1)));
        assert!(!connector.handle_opened(ConnectionId(0)), "it was given up");
        assert_eq!(connector.current(), Some(ConnectionId(1)));
        let tasks = run(&mut connector, 1_100_000, 5_000_000);
        let closed: Vec<_> = tasks.into_iter().map(|(_, task)| task).collect();
        let close = |id| ConnectionTask::Close(ConnectionId(id), SessionEnd::Left);
        assert_eq!(closed, [close(0), close(2)]);
        assert!(connector.handle_closed(ConnectionId(1)) && connector.current().is_none());
        assert!(!connector.handle_closed(ConnectionId(1)));
    }
}
