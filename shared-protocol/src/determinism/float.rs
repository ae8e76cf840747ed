//! Floating-point functions that give the same bits on every machine.
//!
//! The transcendental functions are those of the `libm` crate, a translation of musl's and FreeBSD's into
//! plain Rust arithmetic, so that native code and WebAssembly run the same instructions in the same order.
//! Each is within about one unit in the last place of the true value, and none is promised to be closest.
//! Angles are in radians.
//!
//! A NaN among the operands gives a NaN unless a function says otherwise. Its sign and payload are not
//! portable, which is why a state must hold none: see [`finite`].

use core::f32::consts::{PI, TAU};

/// A value that is NaN or infinite where only a finite number makes sense.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{value} is not a finite number")]
pub struct NotFinite {
    /// The refused value.
    pub value: f32,
}

/// Returns `value` if it is a number that a state may hold.
///
/// # Errors
///
/// [`NotFinite`] for NaN and both infinities.
#[inline]
pub fn finite(value: f32) -> Result<f32, NotFinite> {
    if value.is_finite() { Ok(value) } else { Err(NotFinite { value }) }
}

/// Returns `value` with −0 made +0 and everything else as it is.
///
/// The two zeros are equal but not the same: they differ in their bits, in `atan2` and as divisors.
#[inline]
#[must_use]
pub fn canonical(value: f32) -> f32 {
    if value == 0.0 { 0.0 } else { value }
}

/// The smaller of two numbers: `minimum` of IEEE 754-2019. −0 is smaller than +0, and a NaN on either side
/// gives NaN.
///
/// std's `f32::min` leaves the sign of zero open and drops a NaN, which hides the mistake that made it.
#[inline]
#[must_use]
pub fn min(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() {
        f32::NAN
    } else if a < b || (a == b && a.is_sign_negative()) {
        a
    } else {
        b
    }
}

/// The larger of two numbers: `maximum` of IEEE 754-2019. +0 is larger than −0, and a NaN on either side
/// gives NaN.
#[inline]
#[must_use]
pub fn max(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() {
        f32::NAN
    } else if a > b || (a == b && a.is_sign_positive()) {
        a
    } else {
        b
    }
}

/// Limits `value` to `low..=high`. Where the limits are crossed, `high` wins; any NaN gives NaN. Never
/// panics.
#[inline]
#[must_use]
pub fn clamp(value: f32, low: f32, high: f32) -> f32 {
    min(max(value, low), high)
}

/// The point between `from` (at `t` = 0) and `to` (at `t` = 1), exact at both ends; `t` is not limited.
///
/// Computed as `from · (1 − t) + to · t`, each operation rounded by itself.
#[inline]
#[must_use]
pub fn lerp(from: f32, to: f32, t: f32) -> f32 {
    from * (1.0 - t) + to * t
}

/// Moves `current` towards `target` by at most `max_step` (not negative) and arrives exactly.
#[inline]
#[must_use]
pub fn approach(current: f32, target: f32, max_step: f32) -> f32 {
    let way = target - current;
    if way.abs() <= max_step {
        target
    } else if way < 0.0 {
        current - max_step
    } else {
        current + max_step
    }
}

/// The same direction as `angle` within `-PI..PI` (half open). Infinite angles give NaN.
///
/// A turn is `f32`'s `TAU`, which is 1.7·10⁻⁷ longer than the true one.
#[inline]
#[must_use]
pub fn wrap_angle(angle: f32) -> f32 {
    // The remainder of IEEE operands is exact, and so are both sums: their operands are within a factor of
    // two.
    let rest = angle % TAU;
    if rest >= PI {
        rest - TAU
    } else if rest < -PI {
        rest + TAU
    } else {
        rest
    }
}

/// The shortest turn that takes heading `from` to heading `to`, within `-PI..PI` (half open).
#[inline]
#[must_use]
pub fn angle_difference(from: f32, to: f32) -> f32 {
    wrap_angle(to - from)
}

/// Turns heading `current` the short way towards `target` by at most `max_step` (not negative), within
/// `-PI..PI`.
#[inline]
#[must_use]
pub fn approach_angle(current: f32, target: f32, max_step: f32) -> f32 {
    let turn = angle_difference(current, target);
    if turn.abs() <= max_step {
        wrap_angle(target)
    } else {
        wrap_angle(current + clamp(turn, -max_step, max_step))
    }
}

/// The square root. IEEE 754 demands the closest value, so this is std's; it is here for completeness.
#[inline]
#[must_use]
pub fn sqrt(value: f32) -> f32 {
    value.sqrt()
}

/// `base` to an integer power, by repeated squaring from the lowest bit of the exponent up.
///
/// A negative exponent is the reciprocal of the positive power, and anything to the power 0 is 1.
#[must_use]
pub fn powi(base: f32, exponent: i32) -> f32 {
    let mut rest = exponent.unsigned_abs();
    let mut square = base;
    let mut product = 1.0;
    while rest != 0 {
        if rest & 1 == 1 {
            product *= square;
        }
        square *= square;
        rest >>= 1;
    }
    if exponent < 0 { 1.0 / product } else { product }
}

/// Declares functions that hand their operands to `libm` unchanged.
macro_rules! portable {
    ($($(#[$doc:meta])* $name:ident($($operand:ident),+) = $portable:ident;)+) => {$(
        $(#[$doc])*
        #[inline]
        #[must_use]
        pub fn $name($($operand: f32),+) -> f32 {
            libm::$portable($($operand),+)
        }
    )+};
}

portable! {
    /// The sine of an angle.
    sin(angle) = sinf;
    /// The cosine of an angle.
    cos(angle) = cosf;
    /// The tangent of an angle.
    tan(angle) = tanf;
    /// The angle within `-PI/2..=PI/2` whose sine is `value`; NaN outside `-1..=1`.
    asin(value) = asinf;
    /// The angle within `0..=PI` whose cosine is `value`; NaN outside `-1..=1`.
    acos(value) = acosf;
    /// The angle within `-PI/2..=PI/2` whose tangent is `value`.
    atan(value) = atanf;
    /// The direction of the point (`x`, `y`) within `-PI..=PI`. The zeros' signs choose among the multiples
    /// of `PI/2`.
    atan2(y, x) = atan2f;
    /// e to the power of `value`.
    exp(value) = expf;
    /// 2 to the power of `value`.
    exp2(value) = exp2f;
    /// The natural logarithm; NaN below zero, −∞ at zero.
    ln(value) = logf;
    /// The logarithm to base 2; NaN below zero, −∞ at zero.
    log2(value) = log2f;
    /// The logarithm to base 10; NaN below zero, −∞ at zero.
    log10(value) = log10f;
    /// `base` to the power of `exponent`; NaN for a negative base and a broken exponent, 1 for exponent 0 or
    /// base 1.
    pow(base, exponent) = powf;
    /// The cube root.
    cbrt(value) = cbrtf;
    /// √(x² + y²) without overflow in between. An infinite operand gives ∞, even beside a NaN.
    hypot(x, y) = hypotf;
    /// The hyperbolic tangent, within `-1..=1`: a smooth limiter.
    tanh(value) = tanhf;
}

/// The sine and the cosine of an angle, each the same bits as [`sin`] and [`cos`].
#[inline]
#[must_use]
pub fn sin_cos(angle: f32) -> (f32, f32) {
    libm::sincosf(angle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_and_nan_of_min_and_max_are_defined() {
        let bits = f32::to_bits;
        for (a, b) in [(0.0, -0.0), (-0.0, 0.0)] {
            assert_eq!(bits(min(a, b)), bits(-0.0));
            assert_eq!(bits(max(a, b)), bits(0.0));
        }
        assert!(min(f32::NAN, 1.0).is_nan() && min(1.0, f32::NAN).is_nan());
        assert!(max(f32::NAN, 1.0).is_nan() && max(1.0, f32::NAN).is_nan());
        assert_eq!(min(f32::NEG_INFINITY, 3.0), f32::NEG_INFINITY);
        assert_eq!(max(2.0, 3.0), 3.0);
    }

    #[test]
    fn clamp_is_total() {
        assert_eq!(clamp(5.0, 0.0, 1.0), 1.0);
        assert_eq!(clamp(-5.0, 0.0, 1.0), 0.0);
        assert_eq!(clamp(0.5, 0.0, 1.0), 0.5);
        assert_eq!(clamp(0.5, 1.0, 0.0), 0.0, "crossed limits: the upper one wins");
        assert_eq!(clamp(-0.0, 0.0, 1.0).to_bits(), 0, "−0 lies below +0");
        assert!(clamp(f32::NAN, 0.0, 1.0).is_nan());
        assert!(clamp(0.5, f32::NAN, 1.0).is_nan());
    }

    #[test]
    fn canonical_and_finite() {
        assert_eq!(canonical(-0.0).to_bits(), 0);
        assert_eq!(canonical(-1.5), -1.5);
        assert_eq!(finite(-0.0).map(f32::to_bits), Ok(0x8000_0000));
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(finite(value).is_err());
        }
        assert_eq!(finite(f32::INFINITY).unwrap_err().to_string(), "inf is not a finite number");
    }

    #[test]
    fn wrapped_angles_stay_in_their_half_open_turn() {
        let steps = (-400_000..400_000).map(|n| n as f32 * 0.000_1);
        let edges = [PI, -PI, TAU, -TAU, PI.next_down(), (-PI).next_down(), 1e9, -1e9, -0.0];
        for angle in steps.chain(edges) {
            let wrapped = wrap_angle(angle);
            assert!((-PI..PI).contains(&wrapped), "{angle} became {wrapped}");
            assert_eq!(wrap_angle(wrapped), wrapped);
            if angle.abs() < 40.0 {
                let error = (sin(wrapped) - sin(angle)).abs() + (cos(wrapped) - cos(angle)).abs();
                assert!(error < 1e-5, "{angle} became {wrapped}");
            }
        }
        assert!(wrap_angle(f32::INFINITY).is_nan());
    }

    #[test]
    fn approaching_arrives_and_does_not_overshoot() {
        assert_eq!(approach(0.0, 10.0, 3.0), 3.0);
        assert_eq!(approach(9.0, 10.0, 3.0), 10.0);
        assert_eq!(approach(0.0, -10.0, 3.0), -3.0);
        assert_eq!(approach(0.1, 0.3, 0.0), 0.1);
        // From just short of a half turn to just past it leads over the seam, not back through zero.
        assert_eq!(approach_angle(3.0, -3.0, 0.1), wrap_angle(3.0 + 0.1));
        assert_eq!(approach_angle(3.0, -3.0, 1.0), -3.0);
        assert_eq!(lerp(0.1, 0.7, 0.0), 0.1);
        assert_eq!(lerp(0.1, 0.7, 1.0), 0.7);
    }

    #[test]
    fn integer_powers() {
        assert_eq!(powi(2.0, 10), 1024.0);
        assert_eq!(powi(2.0, -2), 0.25);
        assert_eq!(powi(-3.0, 3), -27.0);
        assert_eq!(powi(0.0, 0), 1.0);
        assert_eq!(powi(2.0, i32::MIN), 0.0);
    }

    #[test]
    fn sine_and_cosine_come_alike_together_and_alone() {
        for n in 0..200_000_u32 {
            let angle = f32::from_bits(n.wrapping_mul(21_473));
            let (sine, cosine) = sin_cos(angle);
            assert_eq!(sine.to_bits(), sin(angle).to_bits(), "at {angle}");
            assert_eq!(cosine.to_bits(), cos(angle).to_bits(), "at {angle}");
        }
    }

    /// The bits of each function at one point, so that another version of libm cannot change them unnoticed.
    /// The comparison of native code with WebAssembly covers thousands of points.
    #[test]
    fn known_answers() {
        let answers = [
            sin(1.0),
            cos(1.0),
            tan(1.0),
            asin(0.7),
            acos(0.7),
            atan(0.7),
            atan2(0.3, -0.7),
            exp(1.3),
            exp2(1.3),
            ln(1.3),
            log2(1.3),
            log10(1.3),
            pow(1.3, 2.7),
            cbrt(1.3),
            hypot(1.3, 2.7),
            tanh(0.7),
            sqrt(2.0),
            powi(1.3, 7),
        ];
        assert_eq!(answers.map(f32::to_bits), KNOWN_ANSWERS);
    }

    const KNOWN_ANSWERS: [u32; 18] = [
        0x3f57_6aa4,
        0x3f0a_5140,
        0x3fc7_5923,
        0x3f46_8073,
        0x3f4b_9f42,
        0x3f1c_5889,
        0x402f_261b,
        0x406a_d5c1,
        0x401d_9624,
        0x3e86_549b,
        0x3ec1_cc45,
        0x3de9_5b20,
        0x4001_f716,
        0x3f8b_b2c3,
        0x403f_c95c,
        0x3f1a_b7d8,
        0x3fb5_04f3,
        0x40c8_cb92,
    ];
}
