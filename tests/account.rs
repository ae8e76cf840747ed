//! A client can say where the bytes went that it got: all of them, and nothing twice.

use tickwire_arena::entities::FIGURE;
use tickwire_arena::{Arena, ArenaInput};
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::message::ServerType;
use tickwire_protocol::time::Micros;
use tickwire_tests::arena::wide_hall;
use tickwire_tests::party::{Party, Play};

#[test]
fn the_account_of_bytes_is_of_every_byte() {
    let mut party: Party<Arena> = Party::new(60, wide_hall(), 21);
    party.join("Ann", Conditions::LAN, Play::Wild(ArenaInput::default()));
    let ben = party.join("Ben", Conditions::LAN, Play::Idle);
    party.members[ben].records = true;
    party.run(Micros(6_000_000));
    let account = party.members[ben].client.drain_account().expect("it counts");
    let bytes = |kind: ServerType| -> u64 {
        let messages = party.members[ben].recorded.values().flatten();
        messages.filter(|message| message[0] == kind as u8).map(|message| message.len() as u64).sum()
    };
    assert_eq!(account.snapshots.bits(), 8 * bytes(ServerType::Snapshot));
    assert_eq!(account.event_bytes, bytes(ServerType::Events));
    assert!(account.other_bytes >= bytes(ServerType::Welcome));
    let snapshots = &account.snapshots;
    assert!(snapshots.snapshots > 300 && snapshots.header_bits >= 8 * snapshots.snapshots);
    let figures = usize::from(FIGURE.id().0);
    assert!(snapshots.entered[figures].told >= 1, "{snapshots:?}");
    // Ann changes her mind all the time, and nobody else moves.
    let (told, bits) = (snapshots.changed[figures].told, snapshots.changed[figures].bits);
    assert!(told > 50 && bits > 4 * told, "{snapshots:?}");
    let again = party.members[ben].client.drain_account().expect("it counts");
    assert_eq!(again.bytes(), 0, "what was taken out is not counted again");
}
