//! What comes to a client: connections that open and close, and the messages of the server.

use super::clock::TickClock;
use super::connect::ConnectionId;
use super::hub::Client;
use super::scene::ClientEvent;
use super::session::{Received, Session};
use super::stats::since;
use crate::end::{ComeBack, SessionEnd};
use crate::game::{InputPolicy, Simulation};
use crate::limits::MAX_BASELINE_AGE;
use crate::message::{Notice, NoticeKind, Refusal, ServerMessage, ServerType, SessionState, decode_payload};
use crate::snapshot::{Applied, AvatarTold, InputLead};
use crate::time::Micros;

/// What the header of a snapshot says, as far as it is of use after it was applied.
struct Told {
    epoch: u16,
    lead: Option<InputLead>,
    is_expected: bool,
}

/// Snapshots that wait for the level: as many as may be under way.
const MAX_WITHHELD: usize = 2 * MAX_BASELINE_AGE as usize;

/// For so long after a connection was given up, its hello may still come to the server and replace the one
/// that was opened instead.
const SELF_REPLACED: Micros = Micros(15_000_000);

impl<S: Simulation> Client<S> {
    /// A connection that the client asked for is open.
    pub fn handle_opened(&mut self, id: ConnectionId, now: Micros) {
        self.pass(now);
        let before = self.connector.current();
        if self.ended.is_some() || !self.connector.handle_opened(id) {
            return;
        }
        if before.is_some() {
            self.counted.connections_lost += 1;
            self.gave_up = Some(self.now);
            self.tell(ClientEvent::Disconnected(SessionEnd::ConnectionLost));
        }
        self.detach();
        self.told = None;
        (self.hello_at, self.listened_since) = (self.now, self.now);
        let mut hello = self.buffer();
        if self.session.poll_hello(&mut hello).is_ok() {
            self.push_message(id, hello);
        }
    }

    /// A connection was closed, with this WebSocket close code, or broke, or could not be opened.
    pub fn handle_closed(&mut self, id: ConnectionId, code: Option<u16>, now: Micros) {
        self.pass(now);
        if self.ended.is_some() || !self.connector.handle_closed(id) {
            return;
        }
        let end = code.and_then(SessionEnd::from_code).unwrap_or(SessionEnd::ConnectionLost);
        let (end, come_back) = self.told.take().unwrap_or((end, end.come_back()));
        self.lose(end, come_back);
    }

    /// A message came over a connection. One over another connection than the current is of no use.
    pub fn handle_message(&mut self, id: ConnectionId, bytes: &[u8], now: Micros) {
        self.pass(now);
        if self.ended.is_some() || self.connector.current() != Some(id) {
            return;
        }
        self.counted.bytes_received += bytes.len() as u64;
        self.listened_since = self.now;
        if self.connector.is_wanting() {
            // It lives: what was to replace it is not needed. A connection that is already open is the
            // current one, so nothing was said on those that are closed now.
            self.connector.calm();
        }
        if self.session.state() == SessionState::Active {
            self.trouble_since = None;
        }
        if self.is_withholding() && belongs_to_snapshots(bytes) {
            if self.withheld.len() < MAX_WITHHELD {
                self.withheld.push_back((bytes.to_vec(), self.now));
            }
            return;
        }
        self.receive(bytes, self.now);
        self.acknowledge();
    }

    /// Takes in a message that came at `at`.
    pub(super) fn receive(&mut self, bytes: &[u8], at: Micros) {
        let Client { session, predictor, history, .. } = self;
        let predicts = session.welcome().is_some_and(|welcome| welcome.body.profile.predicts);
        let mut told = None;
        let received = session.handle_message_with(bytes, at, |header, baseline, expected| {
            let is_expected = if predicts {
                predictor.expect(header, baseline, history, expected)
            } else {
                expected.extend_from_slice(baseline.unwrap_or_default());
                baseline.is_some()
            };
            told = Some(Told { epoch: header.epoch, lead: header.lead, is_expected });
            is_expected
        });
        match (received, told) {
            (Err(end), _) => self.fail(end),
            (Ok(Received::Welcome), _) => self.handle_welcome(),
            (Ok(Received::Refusal(refusal)), _) => self.handle_refusal(&refusal),
            (Ok(Received::Snapshot(applied)), Some(told)) => {
                self.snapshot_bytes.handle_sample(bytes.len() as u64);
                self.handle_snapshot(applied, &told, at);
            }
            (Ok(Received::Notice(notice)), _) => self.handle_notice(notice),
            (Ok(Received::Missed), _) => self.counted.restarts += 1,
            (Ok(_), _) => {}
        }
    }

    fn handle_welcome(&mut self) {
        let Some(welcome) = self.session.welcome() else { return };
        let body = &welcome.body;
        let (resumed, period, epoch, level) =
            (body.resumed, body.tick_period, body.epoch, body.level.clone());
        self.handshake = self.now.saturating_since(self.hello_at);
        self.trouble_since = None;
        self.withheld.clear();
        (self.next_input, self.newest, self.unacknowledged_since) = (None, None, None);
        self.history.clear();
        self.predictor.begin(period);
        if resumed && epoch == self.epoch {
            self.clock.handle_connected(self.now);
        } else {
            self.clock = TickClock::new(period);
            self.clock.handle_connected(self.now);
            self.playback.begin(period);
        }
        self.epoch = epoch;
        self.counted.resumes += u64::from(resumed);
        self.begin_pings();
        self.want_level(&level);
        self.tell(ClientEvent::Welcomed { resumed });
    }

    fn handle_snapshot(&mut self, applied: Applied, told: &Told, at: Micros) {
        let tick = applied.tick;
        let gap = self.newest.and_then(|newest| tick.since(newest)).unwrap_or(u32::MAX);
        self.counted.snapshots += 1;
        if let Some(interval) = since(&mut self.snapshot_at, at).filter(|_| gap < 8) {
            self.interval.handle_sample(interval);
        }
        self.unacknowledged_since.get_or_insert(self.now);
        if told.epoch != self.epoch {
            // A slip that no notice told of.
            self.epoch = told.epoch;
            self.clock = TickClock::new(self.period());
            self.playback.begin(self.period());
            self.next_input = None;
        }
        self.newest = Some(tick);
        let round_trip = self.session.round_trip().smoothed().unwrap_or(self.handshake);
        self.clock.handle_snapshot(tick, round_trip, at);
        if let Some(lead) = told.lead {
            self.clock.handle_lead(tick, gap, lead, at);
        }
        if applied.desync {
            // All is told anew, the avatar with it; until then what was predicted is as good as anything.
            self.counted.mismatches += 1;
            self.counted.restarts += 1;
            return;
        }
        let Some((view, decoder)) = self.session.view().zip(self.session.decoder()) else { return };
        let as_expected = applied.avatar == AvatarTold::AsExpected && told.is_expected;
        let predicts = self.session.welcome().is_some_and(|welcome| welcome.body.profile.predicts);
        let is_avatar = if predicts {
            self.predictor.confirm(tick, view.avatar.as_deref(), as_expected)
        } else if as_expected {
            true
        } else {
            let avatar = view.avatar.as_deref().map(decode_payload);
            let is_avatar = !matches!(avatar, Some(Err(_)));
            self.told_avatar = avatar.and_then(Result::ok);
            is_avatar
        };
        self.playback.handle_snapshot(view, decoder.codec(), self.config.shows_others, at);
        if !is_avatar {
            self.fail(SessionEnd::Malformed);
        }
    }

    fn handle_notice(&mut self, notice: Notice) {
        self.told = notice.going_away().or(self.told);
        match &notice.kind {
            NoticeKind::Slip { epoch, ticks } => {
                self.epoch = *epoch;
                self.forget_rejected();
                self.clock.handle_slip(*ticks);
                self.playback.handle_slip(*ticks);
            }
            NoticeKind::Level(level) => self.want_level(&level.clone()),
            _ => {}
        }
        self.tell(ClientEvent::Notice(notice));
        // An end is told before the connection is closed, which may take its time.
        if let (Some((end, come_back)), true) = (self.told, self.session.state() != SessionState::Active) {
            self.told = None;
            self.connector.drop_current(SessionEnd::Left);
            self.lose(end, come_back);
        }
    }

    /// The server stood still while inputs were made for ticks that did not come: those beyond its window
    /// were rejected, and are made anew when their time comes. One that was still under way may be within it,
    /// so that they are made anew as they were.
    fn forget_rejected(&mut self) {
        let InputPolicy::PerTick(policy) = S::INPUT_POLICY.within_limits() else { return };
        let Some(last) = self.newest.and_then(|newest| newest.after(policy.window_ticks)) else { return };
        if self.next_input.is_some_and(|next| Some(next) > last.after(1)) {
            self.next_input = last.after(1);
            self.history.forget_after(last);
            self.clock.forget_after(last);
            self.predictor.forget_after(last);
        }
    }

    fn handle_refusal(&mut self, refusal: &Refusal) {
        let end = refusal.end();
        self.connector.drop_current(SessionEnd::Left);
        match self.session.state() {
            SessionState::Gone(_) => self.finish(end, refusal.come_back, refusal.text.as_str()),
            // The session is not what was refused: it is tried again.
            _ => {
                let at = self.time_to_come_back(match refusal.come_back {
                    ComeBack::After(time) => time,
                    _ => Micros(500_000),
                });
                self.detach();
                self.connector.want(at);
            }
        }
    }

    /// The server broke the protocol.
    pub(super) fn fail(&mut self, end: SessionEnd) {
        self.connector.drop_current(end);
        self.finish(end, end.come_back(), "");
    }

    /// The current connection is gone.
    fn lose(&mut self, end: SessionEnd, come_back: ComeBack) {
        self.counted.connections_lost += 1;
        let replaced_itself = end == SessionEnd::Replaced
            && self.gave_up.is_some_and(|at| self.now.saturating_since(at) < SELF_REPLACED);
        let come_back = if replaced_itself { ComeBack::Resume } else { come_back };
        if come_back != ComeBack::Resume {
            return self.finish(end, come_back, "");
        }
        self.detach();
        self.tell(ClientEvent::Disconnected(end));
        if self.session.welcome().is_some() {
            self.trouble_since.get_or_insert(self.now);
        }
        let at =
            if self.hello_at + Micros(100_000) > self.now { self.now + Micros(500_000) } else { self.now };
        self.connector.want(at);
    }

    /// The session is over: the client comes back as a new player, or does not.
    fn finish(&mut self, end: SessionEnd, come_back: ComeBack, text: &str) {
        let at = match come_back {
            ComeBack::Never => return self.end(end, text.to_owned()),
            ComeBack::After(time) => self.time_to_come_back(time),
            ComeBack::Now | ComeBack::Resume => self.now,
        };
        self.session = Session::new(self.config.session.clone());
        self.trouble_since = None;
        self.withheld.clear();
        self.drop_messages();
        self.tell(ClientEvent::Disconnected(end));
        // However often it ends at once, the next attempt is not at once.
        let at = at.max(self.hello_at + Micros(500_000));
        self.waiting = Some((at, end));
        self.connector.want(at);
    }

    /// It is over.
    pub(super) fn end(&mut self, end: SessionEnd, text: String) {
        if self.ended.is_none() {
            self.ended = Some(end);
            self.connector.close_all(end);
            self.withheld.clear();
            self.tell(ClientEvent::Ended { end, text });
        }
    }

    fn time_to_come_back(&mut self, least: Micros) -> Micros {
        let least = least.min(Micros(3_600_000_000));
        self.now + least + Micros(self.connector.random_up_to(least.0 / 2))
    }

    /// What was under way over the connection of before does not count any more.
    fn detach(&mut self) {
        match self.session.state() {
            SessionState::Active | SessionState::Detached => self.session.handle_disconnected(),
            SessionState::Handshaking | SessionState::Gone(_) => {
                self.session = Session::new(self.config.session.clone());
            }
        }
        self.withheld.clear();
        self.drop_messages();
        self.unacknowledged_since = None;
    }
}

/// Whether a message means something only in its place among the snapshots: one of them, or the word that the
/// clock slipped between two.
fn belongs_to_snapshots(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(first) if *first == ServerType::Snapshot as u8 => true,
        Some(first) if *first == ServerType::Notice as u8 => {
            let Ok(ServerMessage::Notice(notice)) = ServerMessage::decode(bytes) else { return false };
            matches!(notice.kind, NoticeKind::Slip { .. })
        }
        _ => false,
    }
}
