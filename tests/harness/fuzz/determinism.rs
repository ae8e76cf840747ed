//! The determinism kit, for any operands.

use tickwire_protocol::determinism::float;

/// Takes each 12 bytes as three floats of any bits, and holds the helpers to what they promise.
pub fn determinism_float(data: &[u8]) {
    let (words, _) = data.as_chunks::<4>();
    let numbers: Vec<f32> = words.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let (triples, _) = numbers.as_chunks::<3>();
    for &[a, b, c] in triples {
        smaller_and_larger(a, b);
        limits(a, b, c);
        zeros_and_nan(a);
        angles(a, b, c);
        approaching(a, b, c);
        transcendental(a, b);
    }
}

fn smaller_and_larger(a: f32, b: f32) {
    let (small, large) = (float::min(a, b), float::max(a, b));
    if a.is_nan() || b.is_nan() {
        assert!(small.is_nan() && large.is_nan(), "min and max of {a}, {b}");
        return;
    }
    assert!(small.total_cmp(&large).is_le(), "min {small} and max {large} of {a}, {b}");
    let (mut given, mut taken) = ([a, b].map(f32::to_bits), [small, large].map(f32::to_bits));
    given.sort_unstable();
    taken.sort_unstable();
    assert_eq!(given, taken, "min and max choose among their operands {a}, {b}");
}

fn limits(value: f32, low: f32, high: f32) {
    let limited = float::clamp(value, low, high);
    if value.is_nan() || low.is_nan() || high.is_nan() {
        assert!(limited.is_nan());
    } else {
        assert!(limited <= high, "clamp({value}, {low}, {high}) = {limited}");
        assert!(limited >= low || low > high, "clamp({value}, {low}, {high}) = {limited}");
    }
}

fn zeros_and_nan(value: f32) {
    let canonical = float::canonical(value);
    assert!(canonical.to_bits() != (-0.0_f32).to_bits());
    assert!(canonical == value || value.is_nan() && canonical.is_nan());
    assert_eq!(float::finite(value).is_ok(), value.is_finite());
}

fn angles(from: f32, to: f32, max_step: f32) {
    let in_turn = |angle: f32| (-std::f32::consts::PI..std::f32::consts::PI).contains(&angle);
    let wrapped = float::wrap_angle(from);
    if !from.is_finite() {
        assert!(wrapped.is_nan());
        return;
    }
    assert!(in_turn(wrapped), "{from} became {wrapped}");
    assert_eq!(float::wrap_angle(wrapped).to_bits(), wrapped.to_bits(), "wrapping {from} twice");
    if (to - from).is_finite() {
        assert!(in_turn(float::angle_difference(from, to)), "from {from} to {to}");
        if (0.0..=std::f32::consts::TAU).contains(&max_step) {
            let turned = float::approach_angle(wrapped, to, max_step);
            assert!(in_turn(turned), "from {wrapped} to {to} by {max_step} became {turned}");
        }
    }
}

fn approaching(current: f32, target: f32, max_step: f32) {
    if current.is_finite() && target.is_finite() && max_step >= 0.0 {
        let arrived = float::approach(current, target, max_step);
        let way = float::min(current, target)..=float::max(current, target);
        assert!(way.contains(&arrived), "from {current} to {target} by {max_step} became {arrived}");
    }
}

fn transcendental(a: f32, b: f32) {
    if a.is_finite() {
        let (sine, cosine) = float::sin_cos(a);
        assert_eq!(
            [sine, cosine].map(f32::to_bits),
            [float::sin(a), float::cos(a)].map(f32::to_bits),
            "at {a}"
        );
        assert!(sine.abs() <= 1.0 && cosine.abs() <= 1.0, "at {a}");
        assert!(float::tanh(a).abs() <= 1.0, "at {a}");
    }
    // None of these may panic, whatever comes in.
    let _ = [float::atan2(a, b), float::pow(a, b), float::hypot(a, b), float::powi(a, b.to_bits() as i32)];
    let _ = [float::tan, float::asin, float::acos, float::atan, float::exp, float::exp2].map(|f| f(a));
    let _ = [float::ln, float::log2, float::log10, float::cbrt, float::sqrt].map(|f| f(a));
}
