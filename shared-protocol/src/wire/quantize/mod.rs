//! Quantisation: game values to lanes and back. A lane is an integer from zero up; everything after this file
//! is integer arithmetic on lanes.
//!
//! The values come as `f64`, in which every `f32` and every integer of up to 53 bits is exact. The only
//! operations on them are those that IEEE 754 defines to the last bit (`+ − × ÷`, square root, rounding), so
//! that every machine agrees on each lane.

mod axis;
mod smallest_three;
mod turn;

pub use axis::Axis;
pub use smallest_three::SmallestThree;
pub use turn::Turn;

/// The whole number of steps that a quotient stands for: itself rounded up, except that a quotient a rounding
/// error above a whole number is that number. (1 − 0) / 0.1 has ten steps, also where the 0.1 was once an
/// `f32`.
const fn whole_steps(quotient: f64) -> f64 {
    let nearest = quotient.round();
    let error = (quotient - nearest).abs();
    if error < 1e-6 * nearest.abs() && error < 0.01 { nearest } else { quotient.ceil() }
}
