//! From integers to bits and back: the bit strings, the variable-length numbers, the quantisation of game
//! values to integers, and the static prefix codes.

pub mod bits;
pub mod codes;
pub mod gaps;
pub mod quantize;
pub mod varint;
