//! Where the bytes that came went.

use crate::message::ServerType;
use crate::snapshot::SnapshotAccount;

/// The bytes of the server's messages by what they told, without the framing of the transport.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByteAccount {
    /// The bits of snapshots, their type byte among those of the header.
    pub snapshots: SnapshotAccount,
    /// Bytes of messages with events.
    pub event_bytes: u64,
    /// Bytes of all other messages.
    pub other_bytes: u64,
}

impl ByteAccount {
    /// All bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.snapshots.bits() / 8 + self.event_bytes + self.other_bytes
    }

    /// Adds what another account has.
    pub fn add(&mut self, other: &ByteAccount) {
        self.snapshots.add(&other.snapshots);
        self.event_bytes += other.event_bytes;
        self.other_bytes += other.other_bytes;
    }

    /// Counts a message; of a snapshot the type byte alone, because its reader counts the rest.
    pub(super) fn count_message(&mut self, message: &[u8]) {
        match message.first().copied().and_then(ServerType::from_byte) {
            Some(ServerType::Snapshot) => self.snapshots.header_bits += 8,
            Some(ServerType::Events) => self.event_bytes += message.len() as u64,
            _ => self.other_bytes += message.len() as u64,
        }
    }
}
