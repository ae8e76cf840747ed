//! The float helpers on many operands of every size, with zeros, subnormals, infinities and NaN.

use tickwire_protocol::determinism::{SimRng, float, state_hash};

/// One hash per function, over every operand of [`operands`].
pub(crate) fn unary() -> Vec<u64> {
    let functions: &[fn(f32) -> f32] = &[
        float::sin,
        float::cos,
        |x| float::sin_cos(x).0,
        |x| float::sin_cos(x).1,
        float::tan,
        float::asin,
        float::acos,
        float::atan,
        float::exp,
        float::exp2,
        float::ln,
        float::log2,
        float::log10,
        float::cbrt,
        float::tanh,
        float::sqrt,
        float::wrap_angle,
        float::canonical,
        |x| float::powi(x, 5),
        |x| float::powi(x, -3),
        |x| float::finite(x).unwrap_or(-1.0),
    ];
    let operands = operands();
    functions.iter().map(|function| hash(operands.iter().map(|&x| function(x)))).collect()
}

/// One hash per function, over pairs of operands.
pub(crate) fn binary() -> Vec<u64> {
    let functions: &[fn(f32, f32) -> f32] = &[
        float::min,
        float::max,
        float::atan2,
        float::pow,
        float::hypot,
        float::angle_difference,
        |x, y| float::clamp(x, -1.0, y),
        |x, y| float::lerp(x, y, 0.3),
        |x, y| float::approach(x, y, 0.25),
        |x, y| float::approach_angle(x, y, 0.25),
    ];
    let pairs = pairs();
    functions.iter().map(|function| hash(pairs.iter().map(|&(x, y)| function(x, y)))).collect()
}

/// One hash per operation that Rust itself specifies to the bit: if one of these differs, nothing else can
/// hold.
pub(crate) fn exact() -> Vec<u64> {
    let functions: &[fn(f32, f32) -> f32] = &[
        |x, y| x + y,
        |x, y| x - y,
        |x, y| x * y,
        |x, y| x / y,
        |x, y| x % y,
        |x, y| x * y + x,
        |x, _| x.sqrt(),
        |x, _| x.floor(),
        |x, _| x.ceil(),
        |x, _| x.trunc(),
        |x, _| x.round(),
        |x, _| x.round_ties_even(),
        |x, _| x.abs(),
        |x, y| x.copysign(y),
        |x, _| x as i32 as f32,
        |x, _| x as u8 as f32,
        |x, _| x.to_bits() as f32,
        |x, y| (f64::from(x) * f64::from(y)) as f32,
        |x, y| f32::from(x < y),
    ];
    let pairs = pairs();
    functions.iter().map(|function| hash(pairs.iter().map(|&(x, y)| function(x, y)))).collect()
}

/// The hash of the results' bits, in which all NaN are one: their bits are known to differ.
pub(crate) fn hash(results: impl Iterator<Item = f32>) -> u64 {
    let bits: Vec<u32> = results.map(|x| if x.is_nan() { u32::MAX } else { x.to_bits() }).collect();
    state_hash(&bits).expect("integers can be hashed")
}

/// Every sign and exponent with several mantissas each, every thousandth of the range in which angles lie,
/// and the values around which functions change their method.
fn operands() -> Vec<f32> {
    let mut rng = SimRng::from_u64(1);
    let mut operands = edges();
    for exponent in 0..512_u32 {
        operands.extend((0..16).map(|_| f32::from_bits(exponent << 23 | rng.next_u32() >> 9)));
    }
    operands.extend((-20_000..20_000).map(|n| n as f32 * 0.001));
    operands.extend((0..20_000).map(|_| rng.f32_in(-1.0, 1.0)));
    operands
}

/// All pairs of edges, random pairs near one, and random pairs of any bits.
fn pairs() -> Vec<(f32, f32)> {
    let mut rng = SimRng::from_u64(2);
    let edges = edges();
    let mut pairs: Vec<(f32, f32)> = edges.iter().flat_map(|&x| edges.iter().map(move |&y| (x, y))).collect();
    pairs.extend((0..20_000).map(|_| (rng.f32_in(-8.0, 8.0), rng.f32_in(-8.0, 8.0))));
    pairs.extend((0..20_000).map(|_| (rng.f32_in(0.0, 2.0), rng.f32_in(-3.0, 3.0))));
    pairs.extend((0..20_000).map(|_| (f32::from_bits(rng.next_u32()), f32::from_bits(rng.next_u32()))));
    pairs
}

fn edges() -> Vec<f32> {
    use core::f32::consts::{FRAC_PI_2, FRAC_PI_4, LN_2, PI, TAU};
    let positive = [
        0.0,
        f32::from_bits(1),
        f32::MIN_POSITIVE,
        1e-20,
        1e-4,
        0.1,
        0.5,
        LN_2,
        FRAC_PI_4,
        1.0,
        1.5,
        FRAC_PI_2,
        2.0,
        2.5,
        PI,
        TAU,
        10.0,
        88.7,
        104.0,
        8_388_608.0,
        16_777_216.0,
        2_147_483_648.0,
        1e20,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
    ];
    positive.into_iter().flat_map(|x: f32| [x, -x, x.next_up(), x.next_down()]).collect()
}
