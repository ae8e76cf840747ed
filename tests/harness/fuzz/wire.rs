//! The wire's primitives, for any bytes: they are total, and what is read can be written again.

use tickwire_protocol::limits::MAX_CODE_BITS;
use tickwire_protocol::wire::bits::{BitReader, BitWriter};
use tickwire_protocol::wire::codes::{CodeSet, PrefixCode};
use tickwire_protocol::wire::gaps::{read_gaps, write_gaps};
use tickwire_protocol::wire::varint::{exp_golomb_bits, read_exp_golomb, write_exp_golomb};

/// Takes the first bytes as a list of what to read, and the others as what it is read from.
pub fn bits(data: &[u8]) {
    let Some((&count, rest)) = data.split_first() else { return };
    let (orders, bytes) = rest.split_at(usize::from(count).min(rest.len()));
    let mut reader = BitReader::new(bytes);
    for &order in orders {
        let before = reader.position();
        let low = u32::from(order & 0x1f);
        match order >> 5 {
            0 => number(&mut reader, low),
            1 => number(&mut reader, 32 + low),
            2 => number(&mut reader, 64),
            3 => {
                let _ = reader.skip(low);
            }
            4 | 5 => golomb(&mut reader, low),
            6 => gaps(&mut reader, low),
            _ => gaps(&mut reader, low * low * 64),
        }
        assert!(reader.position() >= before);
        assert_eq!(reader.position() + reader.remaining(), bytes.len() * 8);
    }
    let left = reader.remaining();
    if let Err(trailing) = reader.finish() {
        assert_eq!(trailing.bits, left);
    }
}

fn number(reader: &mut BitReader<'_>, count: u32) {
    let (before, peeked) = (reader.position(), reader.peek(count.min(32)));
    match reader.read(count) {
        Ok(value) => {
            assert_eq!(reader.position(), before + count as usize);
            assert!(count == 64 || value >> count == 0, "{value} in {count} bits");
            assert_eq!(value as u32, if count < 32 { peeked } else { value as u32 });
            let mut writer = BitWriter::new();
            writer.write(value, count);
            assert_eq!(BitReader::new(&writer.to_bytes()).read(count), Ok(value));
        }
        Err(error) => {
            assert_eq!(reader.position(), before, "a failed read reads nothing");
            assert!(error.wanted > error.available);
        }
    }
}

fn golomb(reader: &mut BitReader<'_>, order: u32) {
    let before = reader.position();
    let Ok(value) = read_exp_golomb(reader, order) else { return };
    let bits = reader.position() - before;
    assert_eq!(bits, exp_golomb_bits(value, order) as usize, "{value} of order {order} has one form");
    let mut writer = BitWriter::new();
    write_exp_golomb(&mut writer, value, order);
    assert_eq!(writer.bits(), bits);
    assert_eq!(read_exp_golomb(&mut BitReader::new(&writer.to_bytes()), order), Ok(value));
}

fn gaps(reader: &mut BitReader<'_>, row: u32) {
    let before = reader.position();
    let mut places = Vec::new();
    let read = read_gaps(reader, row, |place| places.push(place));
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "ascending");
    assert!(places.last().is_none_or(|last| *last < row), "inside the row");
    if read.is_ok() {
        let mut writer = BitWriter::new();
        write_gaps(&mut writer, row, &places);
        assert_eq!(writer.bits(), reader.position() - before, "a list has one form");
    }
}

/// Takes the first bytes as the word lengths of a code, and reads symbols from the others.
pub fn codes(data: &[u8]) {
    let Some((&count, rest)) = data.split_first() else { return };
    let (lengths, bytes) = rest.split_at((usize::from(count) + 1).min(rest.len()));
    let lengths: Vec<u8> = lengths.iter().map(|length| length & 0x0f).collect();
    let weights: Vec<u64> =
        lengths.iter().map(|length| 1 << (u32::from(*length) * 4)).chain([u64::from(count)]).collect();
    if let Ok(code) = PrefixCode::from_weights(&weights) {
        read_symbols(&code, bytes);
    }
    if let Ok(code) = PrefixCode::from_lengths(&lengths) {
        assert!(code.lengths().eq(lengths));
        read_symbols(&code, bytes);
    }
}

fn read_symbols(code: &PrefixCode, bytes: &[u8]) {
    let lengths: Vec<u8> = code.lengths().collect();
    assert!(lengths.iter().all(|length| u32::from(*length) <= MAX_CODE_BITS));
    assert_eq!(PrefixCode::from_lengths(&lengths).as_ref(), Ok(code));
    let set = CodeSet::new(std::slice::from_ref(code));
    let mut reader = BitReader::new(bytes);
    let mut symbols = Vec::new();
    while symbols.len() < bytes.len() * 8 {
        let window = reader.window();
        let found = set.find(0, window);
        let before = reader.position();
        let Ok(symbol) = code.read(&mut reader) else { break };
        assert!((symbol as usize) < code.symbols());
        let bits = (reader.position() - before) as u32;
        let told = if found.is_long() { set.find_long(found, window) } else { (found.note(), found.step()) };
        assert_eq!(told, (symbol, bits));
        symbols.push(symbol);
    }
    let mut writer = BitWriter::new();
    symbols.iter().for_each(|&symbol| code.write(&mut writer, symbol));
    assert_eq!(writer.bits(), reader.position(), "what is read takes as many bits to write");
    let written = writer.to_bytes();
    let mut again = BitReader::new(&written);
    assert!(symbols.iter().all(|symbol| code.read(&mut again) == Ok(*symbol)));
}
