//! Where the bytes of the server's messages went: by part of a snapshot, and by kind of entity.

use crate::report::Report;
use serde::Serialize;
use std::fmt;
use tickwire_protocol::client::ByteAccount;
use tickwire_protocol::snapshot::KindAccount;

/// What a part of the payload took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PayloadPart {
    /// Its name: `header`, `lists`, `avatar`, `entering KIND`, `changed KIND`, `padding`, `events`, `other`.
    pub name: String,
    /// Bytes per client and second.
    pub bytes_per_client_second: f64,
    /// Of a kind: how many entities were told of, per client and second.
    pub told_per_client_second: Option<f64>,
    /// Of a kind: bits for each of them.
    pub bits_each: Option<f64>,
}

/// The parts of what came in so many seconds of all clients together. `kinds` are the names of the game's
/// kinds of entity. Kinds that nothing was told of are left out.
pub(crate) fn parts(account: &ByteAccount, kinds: &[String], client_seconds: f64) -> Vec<PayloadPart> {
    let rate = |count: f64| if client_seconds > 0.0 { count / client_seconds } else { 0.0 };
    let part = |name: &str, bytes: f64| PayloadPart {
        name: name.to_owned(),
        bytes_per_client_second: rate(bytes),
        ..PayloadPart::default()
    };
    let snapshots = &account.snapshots;
    let bits = |name, bits: u64| part(name, bits as f64 / 8.0);
    let mut parts = vec![
        bits("header", snapshots.header_bits),
        bits("avatar", snapshots.avatar_bits),
        bits("lists", snapshots.list_bits),
    ];
    let of_kinds = |form: &'static str, accounts: &[KindAccount]| -> Vec<PayloadPart> {
        let told = accounts.iter().enumerate().filter(|(_, account)| account.told > 0);
        let named = told.map(|(kind, account)| {
            let name = kinds.get(kind).map_or("?", String::as_str);
            PayloadPart {
                told_per_client_second: Some(rate(account.told as f64)),
                bits_each: Some(account.bits as f64 / account.told as f64),
                ..part(&format!("{form} {name}"), account.bits as f64 / 8.0)
            }
        });
        named.collect()
    };
    parts.extend(of_kinds("entering", &snapshots.entered));
    parts.extend(of_kinds("changed", &snapshots.changed));
    parts.push(bits("padding", snapshots.padding_bits));
    parts.push(part("events", account.event_bytes as f64));
    parts.push(part("other", account.other_bytes as f64));
    parts
}

/// The parts, a line each.
pub(crate) fn write_parts(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    for part in &report.payload_parts {
        let bytes = part.bytes_per_client_second;
        let share = 100.0 * bytes / report.payload_bytes_per_client_second.max(f64::MIN_POSITIVE);
        write!(f, "  {:19} {bytes:8.1} bytes a second and client {share:5.1} %", part.name)?;
        if let Some((told, bits)) = part.told_per_client_second.zip(part.bits_each) {
            write!(f, "; {told:.1} a second of {bits:.1} bits")?;
        }
        writeln!(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::snapshot::SnapshotAccount;

    #[test]
    fn the_parts_are_the_whole() {
        let snapshots = SnapshotAccount {
            snapshots: 10,
            header_bits: 80,
            avatar_bits: 40,
            list_bits: 100,
            padding_bits: 20,
            entered: vec![KindAccount { told: 2, bits: 160 }],
            changed: vec![KindAccount::default(), KindAccount { told: 50, bits: 400 }],
        };
        let account = ByteAccount { snapshots, event_bytes: 30, other_bytes: 17 };
        let parts = parts(&account, &["figure".to_owned(), "bolt".to_owned()], 2.0);
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        let expected = ["header", "avatar", "lists", "entering figure", "changed bolt", "padding", "events"];
        assert_eq!(names[..7], expected);
        let sum: f64 = parts.iter().map(|part| part.bytes_per_client_second).sum();
        assert!((sum - account.bytes() as f64 / 2.0).abs() < 1e-9);
        assert_eq!((parts[4].told_per_client_second, parts[4].bits_each), (Some(25.0), Some(8.0)));
    }
}
