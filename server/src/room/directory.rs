//! The directory of rooms: which there are, who has places, and on which thread each of them runs.
//!
//! It is the one thing that connections and room threads share, and it is touched when somebody comes or
//! goes, never in a tick.

use crate::session::TokenHash;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use tickwire_protocol::message::{RoomCode, RoomId};

/// What is known of a room outside of its thread.
#[derive(Debug)]
pub struct RoomCard {
    /// Its id.
    pub id: RoomId,
    /// Its game's place in the server's list.
    pub game: usize,
    /// Its code, if it is private.
    pub code: Option<RoomCode>,
    /// The thread that it runs on.
    pub thread: usize,
    /// Places.
    pub capacity: usize,
    /// The level's name and content, for those who fetch it.
    pub level: Mutex<(u64, Arc<[u8]>)>,
    taken: AtomicUsize,
    is_open: AtomicBool,
}

/// A place in a room, until it is dropped.
#[derive(Debug)]
pub struct PlaceTaken {
    card: Arc<RoomCard>,
}

/// The rooms of a server.
#[derive(Debug, Default)]
pub struct Directory {
    rooms: Mutex<BTreeMap<RoomId, Arc<RoomCard>>>,
    /// How many rooms there have been: ids are not used twice.
    opened: AtomicU32,
    tokens: Mutex<HashMap<TokenHash, RoomId>>,
}

impl RoomCard {
    /// The card of a new room, with nobody in it.
    #[must_use]
    pub fn new(
        id: RoomId,
        game: usize,
        code: Option<RoomCode>,
        thread: usize,
        capacity: usize,
    ) -> Arc<RoomCard> {
        Arc::new(RoomCard {
            id,
            game,
            code,
            thread,
            capacity,
            level: Mutex::new((0, Arc::from([]))),
            taken: AtomicUsize::new(0),
            is_open: AtomicBool::new(true),
        })
    }

    /// Takes a place, if there is one and the room is not about to close.
    #[must_use]
    pub fn take_place(self: &Arc<Self>) -> Option<PlaceTaken> {
        let taken = self.taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |taken| {
            (taken < self.capacity && self.is_open()).then_some(taken + 1)
        });
        taken.ok().map(|_| PlaceTaken { card: Arc::clone(self) })
    }

    /// The number of places taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// Whether somebody may come in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::SeqCst)
    }

    /// Closes a room in which no place is taken: false when one is.
    pub(crate) fn close_if_empty(&self) -> bool {
        self.is_open.store(false, Ordering::SeqCst);
        if self.taken() == 0 {
            return true;
        }
        // Somebody took a place while the door was closing.
        self.is_open.store(true, Ordering::SeqCst);
        false
    }

    /// Closes a room, whoever is in it.
    pub(crate) fn close(&self) {
        self.is_open.store(false, Ordering::SeqCst);
    }
}

impl Drop for PlaceTaken {
    fn drop(&mut self) {
        self.card.taken.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Directory {
    /// The room with this id.
    #[must_use]
    pub fn room(&self, id: RoomId) -> Option<Arc<RoomCard>> {
        self.rooms.lock().get(&id).cloned()
    }

    /// The private room with this code.
    #[must_use]
    pub fn room_with_code(&self, code: RoomCode) -> Option<Arc<RoomCard>> {
        self.rooms.lock().values().find(|card| card.code == Some(code)).cloned()
    }

    /// A place in the fullest public room of a game that has one; of equally full ones the oldest.
    #[must_use]
    pub fn quick_place(&self, game: usize) -> Option<(Arc<RoomCard>, PlaceTaken)> {
        let rooms = self.rooms.lock();
        let public = rooms.values().filter(|card| card.game == game && card.code.is_none());
        let mut candidates: Vec<_> = public.filter(|card| card.is_open()).collect();
        candidates.sort_by_key(|card| std::cmp::Reverse(card.taken()));
        candidates.into_iter().find_map(|card| Some((Arc::clone(card), card.take_place()?)))
    }

    /// All rooms, by id.
    #[must_use]
    pub fn rooms(&self) -> Vec<Arc<RoomCard>> {
        self.rooms.lock().values().cloned().collect()
    }

    /// The room in which a session with this token is.
    #[must_use]
    pub fn room_of_token(&self, token: &TokenHash) -> Option<Arc<RoomCard>> {
        let id = *self.tokens.lock().get(token)?;
        self.room(id)
    }

    /// Enters a room, unless there are `max` already.
    pub(crate) fn insert(
        &self,
        max: usize,
        make: impl FnOnce(RoomId) -> Arc<RoomCard>,
    ) -> Option<Arc<RoomCard>> {
        let mut rooms = self.rooms.lock();
        if rooms.len() >= max {
            return None;
        }
        let card = make(RoomId(self.opened.fetch_add(1, Ordering::SeqCst) + 1));
        rooms.insert(card.id, Arc::clone(&card));
        Some(card)
    }

    pub(crate) fn remove(&self, id: RoomId) {
        self.rooms.lock().remove(&id);
        self.tokens.lock().retain(|_, room| *room != id);
    }

    pub(crate) fn remember_token(&self, token: TokenHash, room: RoomId) {
        self.tokens.lock().insert(token, room);
    }

    pub(crate) fn forget_token(&self, token: &TokenHash) {
        self.tokens.lock().remove(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(directory: &Directory, code: Option<RoomCode>) -> Arc<RoomCard> {
        directory.insert(3, |id| RoomCard::new(id, 0, code, 0, 2)).unwrap()
    }

    #[test]
    fn quick_play_takes_the_fullest_room_with_space() {
        let directory = Directory::default();
        let (one, other) = (open(&directory, None), open(&directory, None));
        let secret = open(&directory, Some(RoomCode::from_bits(7)));
        let _in_secret = secret.take_place();
        let _in_other = other.take_place();
        let places: Vec<_> = std::iter::from_fn(|| directory.quick_place(0)).collect();
        let rooms: Vec<_> = places.iter().map(|(card, _)| card.id).collect();
        assert_eq!(rooms, [other.id, one.id, one.id]);
        assert!(directory.quick_place(1).is_none());
        assert!(directory.insert(3, |_| unreachable!("there are three")).is_none());
        assert_eq!(directory.room_with_code(RoomCode::from_bits(7)).unwrap().id, secret.id);
    }

    #[test]
    fn a_room_closes_only_when_no_place_is_taken() {
        let directory = Directory::default();
        let room = open(&directory, None);
        let place = room.take_place();
        assert!(!room.close_if_empty());
        drop(place);
        assert!(room.close_if_empty());
        assert!(room.take_place().is_none());
    }
}
