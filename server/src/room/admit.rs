//! How somebody comes into a room: as a new player, or with a resume token as one who was here.

use super::{PlaceTaken, Room, send_to};
use crate::config::micros;
use crate::inbox::Inbox;
use crate::net::link::Link;
use crate::outbox::Outbox;
use crate::session::{Session, SessionKey, TokenHash, Wire, new_token};
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{JoinRefusal, Joining, Role};
use tickwire_protocol::limits::{MAX_BASELINE_AGE, MAX_ROOM_NAME_BYTES, MAX_SOFTWARE_BYTES};
use tickwire_protocol::message::{
    BoundedText, ClientMessage, Features, Hello, PlayerName, Refusal, RefusalReason, Resume, ResumeToken,
    RoomInfo, ServerMessage, SessionState, VERSION, Welcome, WelcomeBody,
};
use tickwire_protocol::snapshot::StreamProfile;
use tickwire_protocol::time::Micros;

/// Somebody at a room's door: the hello has been read and found in order.
pub struct Admission {
    /// The connection.
    pub link: Box<dyn Link>,
    /// What comes in over it.
    pub inbox: Inbox,
    /// What was asked for.
    pub hello: Hello,
    /// The name, fit to be shown.
    pub name: PlayerName,
    /// A place, for a new player. Who resumes has one.
    pub place: Option<PlaceTaken>,
}

impl Admission {
    /// Turns somebody away for a reason that needs no more words.
    pub(crate) fn refuse(self, end: SessionEnd, outbox: &mut Outbox) {
        let end = match end {
            end if end.is_refusal() => end,
            SessionEnd::ServerClosing => SessionEnd::DrainingRefused,
            _ => SessionEnd::UnknownRoom,
        };
        self.refuse_with(refusal_of(end), outbox);
    }

    fn refuse_with(mut self, refusal: Refusal, outbox: &mut Outbox) {
        let end = refusal.end();
        tracing::debug!(peer = ?self.link.peer(), reason = end.name(), "refused");
        let (_, message) = outbox.message(|out| ServerMessage::Refusal(refusal).encode(out));
        if let Some(message) = message {
            self.link.send(message);
        }
        // The connection may be gone, and then nobody is left to be told.
        let _ = self.link.poll_flush();
        self.link.close(end);
    }
}

impl Room {
    /// Lets in whoever came since the last tick.
    pub(super) fn admit(&mut self, now: Micros, outbox: &mut Outbox) {
        if self.arrivals.is_empty() {
            return;
        }
        let arrivals = self.arrivals.len();
        for admission in self.arrivals.drain(..arrivals).collect::<Vec<_>>() {
            match admission.hello.body.resume {
                Some(resume) => self.resume(admission, resume, now, outbox),
                None => self.join(admission, now, outbox),
            }
        }
        self.count_sessions();
    }

    /// Does not let somebody in, and counts it.
    fn turn_away(&self, admission: Admission, refusal: Refusal, outbox: &mut Outbox) {
        self.services.metrics.end(refusal.end());
        admission.refuse_with(refusal, outbox);
    }

    fn join(&mut self, admission: Admission, now: Micros, outbox: &mut Outbox) {
        let Some(player) = self.ids.take() else {
            return self.turn_away(admission, refusal_of(SessionEnd::RoomFull), outbox);
        };
        let role = if admission.hello.body.spectator { Role::Spectator } else { Role::Player };
        let joining = Joining { player, name: admission.name.as_str(), role };
        let profile = self.profile(&admission.hello);
        if let Err(refused) = self.play.join(&joining, profile.predicts) {
            self.ids.give_back(player);
            return self.turn_away(admission, refusal(refused), outbox);
        }
        if let Some(place) = admission.place {
            self.places.insert(player, place);
        }
        let wire = Wire::new(admission.link, admission.inbox);
        let name = admission.name.to_string();
        let mut session = Session::new(player, name, role, wire, now);
        session.begin_stream(profile, now);
        let peer = session.wire.as_ref().and_then(|wire| wire.link.peer());
        tracing::debug!(room = self.card.id.0, player = player.0, name = session.name, ?peer, "joined");
        let oldest = self.oldest_view();
        super::receive::take_inputs(&mut *self.play, &mut session, oldest);
        let key = self.sessions.insert(session);
        self.welcome(key, &admission.hello, profile, false, outbox);
    }

    fn resume(&mut self, admission: Admission, resume: Resume, now: Micros, outbox: &mut Outbox) {
        let hash = TokenHash::of(&resume.token);
        let holds = |session: &Session| session.token == hash || session.token_before == Some(hash);
        let found = self.sessions.iter().find(|(_, session)| holds(session)).map(|(key, _)| key);
        let profile = self.profile(&admission.hello);
        let Some((key, session)) = found.and_then(|key| Some((key, self.sessions.get_mut(key)?))) else {
            return self.turn_away(admission, refusal_of(SessionEnd::ResumeRefused), outbox);
        };
        if session.events.handle_resume(resume.next_event).is_err() {
            return self.turn_away(admission, refusal_of(SessionEnd::ResumeRefused), outbox);
        }
        if let Some(mut wire) = session.wire.take() {
            // Half-open connections look alive for long: the player itself says that it is elsewhere.
            session.conversation.handle_disconnected();
            super::say_goodbye(&mut wire, SessionEnd::Replaced, outbox);
            wire.link.close(SessionEnd::Replaced);
        }
        session.wire = Some(Wire::new(admission.link, admission.inbox));
        // The token that came stays valid until the client is heard on the new connection.
        let replaced = if session.token == hash { session.token_before } else { Some(session.token) };
        session.token = hash;
        if let Some(replaced) = replaced {
            self.services.directory.forget_token(&replaced);
        }
        session.begin_stream(profile, now);
        tracing::debug!(room = self.card.id.0, player = session.player.0, name = session.name, "resumed");
        self.play.resume(session.player, profile.predicts);
        self.welcome(key, &admission.hello, profile, true, outbox);
    }

    /// What the snapshots of a client will look like.
    fn profile(&self, hello: &Hello) -> StreamProfile {
        let has_avatar = self.game.has_avatar && !hello.body.spectator;
        let knows_rules = hello.body.fingerprint == self.game.fingerprint;
        let wants = hello.body.features.has(Features::PREDICTS) && knows_rules;
        let predicts = has_avatar && wants && self.game.is_predictable();
        StreamProfile { has_avatar, predicts, capacity: self.game.capacity }
    }

    /// Welcomes a client, and sends what it lacks to read snapshots.
    fn welcome(
        &mut self,
        key: SessionKey,
        hello: &Hello,
        profile: StreamProfile,
        resumed: bool,
        outbox: &mut Outbox,
    ) {
        let token = new_token(&mut self.random);
        let welcome = Box::new(self.welcome_of(key, hello, profile, resumed, token));
        let Some(session) = self.sessions.get_mut(key) else { return };
        if resumed {
            session.token_before = Some(session.token);
        }
        session.token = TokenHash::of(&token);
        self.services.directory.remember_token(session.token, self.card.id);
        session.wants_checks = hello.body.features.has(Features::WANTS_CHECKS);
        let asked = session.conversation.handle_client(&ClientMessage::Hello(Box::new(hello.clone())));
        debug_assert_eq!(asked, Ok(()), "a new connection begins with its hello");
        let (tables, schema) = (welcome.body.tables_follow, welcome.body.schema_follows);
        let mut messages = vec![ServerMessage::Welcome(welcome)];
        if tables {
            messages.push(ServerMessage::Tables(&self.game.tables.1));
        }
        if schema {
            messages.push(ServerMessage::Schema(self.game.schema.clone()));
        }
        for message in messages {
            let allowed = session.conversation.handle_server(&message);
            debug_assert_eq!(allowed, Ok(()), "these are what a hello is answered with");
            match outbox.message(|out| message.encode(out)) {
                (Ok(()), Some(bytes)) => send_to(session, bytes),
                (result, _) => {
                    tracing::error!(?result, "a message of the welcome cannot be encoded");
                    self.ending.push((key, SessionEnd::Internal));
                    return;
                }
            }
        }
        debug_assert_eq!(session.conversation.state(), SessionState::Active);
    }

    fn welcome_of(
        &mut self,
        key: SessionKey,
        hello: &Hello,
        profile: StreamProfile,
        resumed: bool,
        resume_token: ResumeToken,
    ) -> Welcome {
        let level = self.level_info();
        let config = &self.services.config;
        let features = hello.body.features.and(Features::KNOWN);
        let name = BoundedText::<MAX_ROOM_NAME_BYTES>::cut(&format!("{} {}", self.game.name, self.card.id.0));
        let session = self.sessions.get_mut(key);
        let (player, next_event, next_command) = session.map_or_else(Default::default, |session| {
            let next_event = hello.body.resume.map_or(session.events.next(), |resume| resume.next_event);
            (session.player, next_event, session.next_command)
        });
        let body = WelcomeBody {
            version: hello.version.min(VERSION),
            features,
            room: RoomInfo { id: self.card.id, code: self.card.code, name },
            player,
            resume_token,
            resumed,
            tick: self.play.next_tick(),
            tick_period: config.period(),
            epoch: self.pace.epoch(),
            rate: self.pace.rate(),
            profile,
            history: MAX_BASELINE_AGE as u8,
            grace: micros(config.grace),
            fingerprint: self.game.fingerprint,
            tables_id: self.game.tables.0,
            tables_follow: hello.body.tables_id != Some(self.game.tables.0),
            schema_follows: features.has(Features::WANTS_SCHEMA),
            level,
            next_event,
            next_command,
            inputs: self.game.numbering,
            rewind_limit: micros(config.rewind_limit),
        };
        Welcome { body, software: Some(BoundedText::<MAX_SOFTWARE_BYTES>::cut(crate::SOFTWARE)) }
    }
}

/// A refusal that needs no more words.
fn refusal_of(end: SessionEnd) -> Refusal {
    Refusal::new(RefusalReason::End(end))
}

/// What the client of a player whom the game did not let in is told.
fn refusal(refused: JoinRefusal) -> Refusal {
    let end = match &refused {
        JoinRefusal::Full => SessionEnd::RoomFull,
        JoinRefusal::Name => SessionEnd::NameRefused,
        JoinRefusal::Banned => SessionEnd::Banned,
        JoinRefusal::Other(_) => SessionEnd::GameRefused,
    };
    let text = match refused {
        JoinRefusal::Other(text) => text,
        _ => BoundedText::default(),
    };
    Refusal { text, ..refusal_of(end) }
}
