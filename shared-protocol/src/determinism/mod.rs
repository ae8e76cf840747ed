//! The determinism kit: what a simulation uses so that every machine computes the same next state.
//!
//! A server rules by the same step function with which each client predicts, natively and as WebAssembly. One
//! bit of difference in one number is a misprediction: it may grow until two bodies part company, and even
//! where friction swallows it again, the avatar has to be sent once more. Rust's `+ - * /`, `sqrt`, `%`,
//! comparisons and casts are exactly specified by IEEE 754 and are the same everywhere. What is not is named
//! here, with what to use instead:
//!
//! | differs between machines                        | use                                          |
//! |-------------------------------------------------|----------------------------------------------|
//! | std's `sin`, `exp`, `powf`: the platform's libm | [`float`], which compiles one libm into all  |
//! | `f32::min`, `f32::max` of NaN and signed zeros  | [`float::min`], [`float::max`]               |
//! | the sign and payload of a NaN                   | [`float::finite`] at the edge, no NaN inside |
//! | `powi`, whose precision std leaves open         | [`float::powi`]                              |
//! | a random generator seeded by the system         | [`random::SimRng`], inside the saved state   |
//! | the iteration order of a `HashMap`              | a `BTreeMap`, a sorted `Vec`, a slab         |
//! | `usize` in state                                | a fixed-width integer                        |
//! | the clock, threads, addresses                   | the tick, which is an argument               |
//!
//! Whether it worked is shown by [`hash::state_hash`]: equal states have equal hashes, on every machine.
//!
//! # Vectors
//!
//! glam is built with its features `libm` and `scalar-math`: the first takes its transcendental functions
//! from the same crate as [`float`], the second keeps it from summing in the order of the vector unit at
//! hand. Cargo unifies features, so no crate of the build can take them away again. With both, every method
//! of its `f32` types that was reviewed (version 0.34) is the same everywhere for finite operands, among them
//! `length`, `normalize`, `clamp_length`, `move_towards`, `from_angle`, `to_angle`, `rotate`, `slerp`, and
//! even `mul_add`, which it rounds once, slowly where the processor has no such instruction. Three things to
//! know:
//!
//! - `min`, `max` and `clamp` of vectors compare with `<` and `>` and take the second operand where neither
//!   holds: portable, but a NaN on the left vanishes and one on the right stays. Keep NaN out before.
//! - `rotate_towards` panics when its operands make a NaN, as does any use of std's `clamp` on such a bound.
//! - `move_towards` jumps to the target from within 10⁻⁴ even if the step is shorter, and `angle_to` and
//!   `angle_between` go through the arc cosine, which cannot tell vectors apart that are parallel to within
//!   about 3·10⁻⁴ rad. Take [`float::atan2`] of the cross and dot products where that matters.
//!
//! # What is out of reach
//!
//! 32-bit x86 without SSE2 (the `i586` targets) computes in 80 bits and is not supported. A new version of
//! the compiler does not change results, a new version of libm or glam may: the known answers in the tests of
//! this module notice, and a server and its clients are to be built from one lock file.

pub mod float;
pub mod hash;
pub mod random;

pub use float::NotFinite;
pub use hash::{StateHashError, StateHashFault, state_hash};
pub use random::SimRng;
