//! What all clients are told: events, and notices of what happened to the room.

use super::{Room, send_to};
use crate::outbox::Outbox;
use std::sync::Arc;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{Audience, LevelId};
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::limits::MAX_LEVEL_PATH_BYTES;
use tickwire_protocol::message::{
    BoundedText, EventQueueError, LevelInfo, LevelSource, Notice, NoticeKind, ServerMessage,
};
use tickwire_protocol::time::Tick;

impl Room {
    /// Queues the events of the tick for those whom they concern.
    pub(super) fn tell_events(&mut self) {
        let tick = self.play.next_tick().before(1).unwrap_or_default();
        let mut told: Vec<(Audience, Arc<[u8]>)> = Vec::new();
        let mut lost = self.play.drain_events(&mut |audience, payload| told.push((*audience, payload)));
        if !told.is_empty() {
            lost += self.queue_events(tick, &told);
        }
        self.services.metrics.events_dropped.inc_by(lost);
    }

    /// Queues events for those whom they concern, and says how many could not be.
    fn queue_events(&mut self, tick: Tick, told: &[(Audience, Arc<[u8]>)]) -> u64 {
        let mut lost = 0;
        let addressed = Addressed::of(told.iter().map(|(audience, _)| audience));
        let mut due = Vec::new();
        for (key, session) in self.sessions.iter_mut() {
            let concerns = |place: usize| self.play.concerns(&told[place].0, session.player);
            addressed.find(session.player, concerns, &mut due);
            for place in &due {
                match session.events.push(tick, Arc::clone(&told[*place].1)) {
                    Ok(_) => {}
                    Err(EventQueueError::Overflow) => {
                        self.ending.push((key, SessionEnd::EventOverflow));
                        break;
                    }
                    Err(EventQueueError::TooLarge(_)) => lost += 1,
                }
            }
        }
        lost
    }

    /// Tells everybody what happened to the room: that its clock slipped, or that the level is another one.
    pub(super) fn tell_room(&mut self, begun: &super::Begun, outbox: &mut Outbox) {
        if begun.slipped > 0 {
            let epoch = self.pace.epoch();
            self.tell_all(NoticeKind::Slip { epoch, ticks: begun.slipped }, outbox);
        }
        let (level_epoch, content) = self.play.level();
        if level_epoch != self.level_epoch {
            self.level_epoch = level_epoch;
            self.publish_level(content);
            self.tell_all(NoticeKind::Level(self.level_info()), outbox);
        }
    }

    pub(super) fn tell_all(&mut self, kind: NoticeKind, outbox: &mut Outbox) {
        let message = ServerMessage::Notice(Notice::from(kind));
        let (_, bytes) = outbox.message(|out| message.encode(out));
        let Some(bytes) = bytes else { return };
        for (_, session) in self.sessions.iter_mut().filter(|(_, session)| session.is_active()) {
            if session.conversation.handle_server(&message).is_ok() {
                send_to(session, bytes);
            }
        }
    }

    /// The level, as a welcome and a notice tell it.
    pub(super) fn level_info(&self) -> LevelInfo {
        let (epoch, content) = self.play.level();
        let id = LevelId::of(&content);
        let source = if content.is_empty() {
            LevelSource::BuiltIn(BoundedText::default())
        } else {
            LevelSource::Fetch(BoundedText::<MAX_LEVEL_PATH_BYTES>::cut(&format!("/levels/{id}")))
        };
        LevelInfo { epoch: epoch as u16, content_hash: id.0, source }
    }
}

/// The events of a tick by whom they are for. Those for a single player are found by the player: a game may
/// tell each of its thousands something of its own in each tick.
#[derive(Default)]
struct Addressed {
    /// The places of those for one player, ascending.
    own: Vec<(PlayerId, usize)>,
    /// The places of the others.
    shared: Vec<usize>,
}

impl Addressed {
    fn of<'a>(audiences: impl Iterator<Item = &'a Audience>) -> Addressed {
        let mut addressed = Addressed::default();
        for (place, audience) in audiences.enumerate() {
            match audience {
                Audience::Player(player) => addressed.own.push((*player, place)),
                _ => addressed.shared.push(place),
            }
        }
        addressed.own.sort_unstable();
        addressed
    }

    /// Finds the places of those for a player, in their order.
    fn find(&self, player: PlayerId, concerns: impl Fn(usize) -> bool, due: &mut Vec<usize>) {
        let first = self.own.partition_point(|(other, _)| *other < player);
        due.clear();
        due.extend(self.own[first..].iter().take_while(|own| own.0 == player).map(|own| own.1));
        due.extend(self.shared.iter().copied().filter(|place| concerns(*place)));
        due.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::game::TeamId;

    #[test]
    fn events_come_in_their_order_to_whom_they_concern() {
        let one = |player| Audience::Player(PlayerId(player));
        let team = Audience::Team(TeamId(0));
        let told = [one(3), Audience::All, one(1), team, one(3), Audience::All, one(9)];
        let addressed = Addressed::of(told.iter());
        // The players of odd numbers are in the team.
        let concerns = |audience: &Audience, player: PlayerId| match audience {
            Audience::Player(one) => *one == player,
            Audience::Team(_) => player.0 % 2 == 1,
            _ => true,
        };
        for player in (0..11).map(PlayerId) {
            let expected: Vec<usize> =
                (0..told.len()).filter(|place| concerns(&told[*place], player)).collect();
            let mut due = vec![77];
            addressed.find(player, |place| concerns(&told[place], player), &mut due);
            assert_eq!(due, expected, "{player:?}");
        }
    }
}
