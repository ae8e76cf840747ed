//! Sessions: who is in a room, by which connection, and how far it is with what it was told.

mod flow;
mod table;
mod token;

pub use flow::{Flow, SendTimes};
pub use table::{SessionKey, Sessions};
pub use token::TokenHash;
pub(crate) use token::new_token;

use crate::assemble::{Recipient, Transport};
use crate::inbox::Inbox;
use crate::interest::View;
use crate::net::link::{Link, LinkEnd};
use std::hint::black_box;
use std::mem::offset_of;
use tickwire_protocol::game::Role;
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::message::{Conversation, EventQueue, RoundTrip, SessionState};
use tickwire_protocol::snapshot::{InputLead, StreamProfile};
use tickwire_protocol::time::{Micros, Tick};

/// One player or spectator of a room.
///
/// It is several cache lines long, and all of thousands are passed through twice in each tick. So the fields
/// stand in memory as they do here: first what receiving needs, which then takes half of the lines, and last
/// what neither needs.
#[repr(C)]
pub(crate) struct Session {
    /// The connection; none while detached.
    pub(crate) wire: Option<Wire>,
    pub(crate) conversation: Conversation,
    pub(crate) flow: Flow,
    pub(crate) round_trip: RoundTrip,
    pub(crate) last_heard: Micros,
    pub(crate) last_active: Micros,
    pub(crate) next_ping: Micros,
    pub(crate) detached_since: Micros,
    /// How early the newest input came, if that has not been told.
    pub(crate) lead: Option<InputLead>,
    pub(crate) next_command: u32,
    pub(crate) nonce: u32,
    pub(crate) player: PlayerId,
    pub(crate) role: Role,
    /// Whether the client wants the check of its state after each snapshot.
    pub(crate) wants_checks: bool,
    /// Whether the client has acknowledged a snapshot of this stream. One that does no longer starts anew.
    pub(crate) has_acknowledged: bool,
    /// The token of the resume before, while it is still valid.
    pub(crate) token_before: Option<TokenHash>,
    pub(crate) recipient: Recipient,
    /// Who is in sight.
    pub(crate) view: View,
    /// Where the player looks from.
    pub(crate) center: [f32; 3],
    pub(crate) events: EventQueue,
    pub(crate) name: String,
    /// The token of the next resume.
    pub(crate) token: TokenHash,
}

const _: () = assert!(2 * offset_of!(Session, recipient) <= size_of::<Session>(), "see Session");

/// A connection: what comes in, and what goes out.
pub(crate) struct Wire {
    pub(crate) link: Box<dyn Link>,
    /// What has come; none while it is drained.
    pub(crate) inbox: Option<Inbox>,
    /// Something was sent and not flushed yet.
    has_queued: bool,
    /// The network did not take all of what was flushed.
    is_blocked: bool,
}

impl Wire {
    /// A new connection.
    pub(crate) fn new(link: Box<dyn Link>, inbox: Inbox) -> Wire {
        Wire { link, inbox: Some(inbox), has_queued: false, is_blocked: false }
    }

    /// Hands a message to the link, to go out with the next flush. A link that has ended says so when it is
    /// read.
    pub(crate) fn send(&mut self, message: &[u8]) {
        self.link.send(message);
        self.has_queued = true;
    }

    /// Writes what the link was handed, if there is anything.
    ///
    /// # Errors
    /// [`LinkEnd`] when nothing can be written any more.
    pub(crate) fn flush(&mut self) -> Result<(), LinkEnd> {
        if self.has_queued || self.is_blocked {
            self.is_blocked = !self.link.poll_flush()?;
            self.has_queued = false;
        }
        Ok(())
    }

    /// Writes a message at once; what was sent before has been written. It is behind its
    /// [headroom](crate::outbox::HEADROOM).
    ///
    /// # Errors
    /// [`LinkEnd`] when nothing can be written any more.
    pub(crate) fn send_alone(&mut self, bytes: &mut [u8]) -> Result<(), LinkEnd> {
        debug_assert!(self.is_clear(), "it would go out before what was sent");
        self.is_blocked = !self.link.poll_send(bytes)?;
        Ok(())
    }

    /// Whether all that was sent has been written.
    pub(crate) fn is_clear(&self) -> bool {
        !self.has_queued && !self.is_blocked
    }

    /// Whether a part of what was sent is still to be written: what is sent now would wait behind it.
    pub(crate) fn is_blocked(&self) -> bool {
        self.is_blocked
    }
}

impl Session {
    /// A session that begins with this connection.
    pub(crate) fn new(player: PlayerId, name: String, role: Role, wire: Wire, now: Micros) -> Session {
        let profile = StreamProfile { has_avatar: false, predicts: false, capacity: 1 };
        Session {
            player,
            name,
            role,
            wire: Some(wire),
            conversation: Conversation::new(),
            recipient: Recipient::new(profile, Transport::Ordered),
            flow: Flow::default(),
            round_trip: RoundTrip::default(),
            events: EventQueue::new(0),
            next_command: 0,
            wants_checks: false,
            token: TokenHash::NONE,
            token_before: None,
            lead: None,
            view: View::default(),
            center: [0.0; 3],
            has_acknowledged: false,
            last_heard: now,
            last_active: now,
            next_ping: now,
            nonce: 0,
            detached_since: now,
        }
    }

    /// The stream of snapshots begins: with a session, and with each resume.
    pub(crate) fn begin_stream(&mut self, profile: StreamProfile, now: Micros) {
        self.recipient = Recipient::new(profile, Transport::Ordered);
        self.flow.restart();
        self.view.clear();
        self.lead = None;
        self.has_acknowledged = false;
        (self.last_heard, self.last_active, self.next_ping) = (now, now, now);
    }

    /// Begins to fetch into the cache what receiving needs of its own memory. What belongs to a player is
    /// some kilobytes in many places, that of thousands is fetched from far away in each tick, and to wait
    /// for one place after another takes longer than all else that is done for a player. So those of a block
    /// of players are read before they are needed, in a loop that does nothing else: then many are on their
    /// way at a time.
    pub(crate) fn prefetch(&self) {
        let Session { wire, conversation, flow, recipient, .. } = self;
        black_box((wire.as_ref().is_some_and(Wire::is_blocked), flow.waiting_for(Micros(0))));
        black_box((conversation.state(), conversation.server_pings(), self.last_heard, self.nonce));
        black_box((self.has_acknowledged, recipient.acknowledged()));
    }

    /// Goes on with what its own memory leads to and is needed to receive. See [`Session::prefetch`].
    pub(crate) fn prefetch_receiving(&self) {
        if let Some(wire) = &self.wire {
            wire.link.prefetch_receiving();
            if let Some(inbox) = &wire.inbox {
                inbox.prefetch();
            }
        }
    }

    /// Begins to fetch what serving needs besides. See [`Session::prefetch`].
    pub(crate) fn prefetch_more(&self) {
        self.recipient.prefetch();
        black_box((self.view.visible().len(), self.view.is_made(), self.events.len()));
    }

    /// Goes on with what its own memory leads to and is needed to serve. See [`Session::prefetch`].
    pub(crate) fn prefetch_serving(&self) {
        self.view.prefetch();
        self.recipient.prefetch_known();
        if let Some(wire) = &self.wire {
            wire.link.prefetch_sending();
        }
    }

    /// Whether it has a connection over which the game goes on.
    pub(crate) fn is_active(&self) -> bool {
        self.wire.is_some() && self.conversation.state() == SessionState::Active
    }

    /// The newest snapshot that the client is known to have; before the first, the tick of nothing.
    pub(crate) fn newest_known(&self) -> Option<Tick> {
        self.recipient.acknowledged()
    }
}
