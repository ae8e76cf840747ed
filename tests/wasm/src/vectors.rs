//! glam's types, as a simulation uses them: a vector unit must not change the order of a sum.

use glam::{Affine2, EulerRot, Mat2, Mat3, Mat4, Quat, Vec2, Vec3, Vec3A, Vec4};
use tickwire_protocol::determinism::SimRng;

use crate::floats;

/// One hash per operation over many random operands.
pub(crate) fn operations() -> Vec<u64> {
    let mut rng = SimRng::from_u64(3);
    let operands: Vec<Operands> = (0..2000).map(|_| Operands::draw(&mut rng)).collect();
    OPERATIONS
        .iter()
        .map(|operation| floats::hash(operands.iter().flat_map(|operands| operation(operands).to_array())))
        .collect()
}

/// Each operation gives up to four numbers, the rest are zero.
const OPERATIONS: &[fn(&Operands) -> Vec4] = &[
    |o| Vec4::splat(o.a4.dot(o.b4)),
    |o| o.a4.normalize(),
    |o| Vec4::splat(o.a4.length()),
    |o| Vec4::splat(o.a4.element_sum()),
    |o| o.a3.cross(o.b3).extend(o.a3.dot(o.b3)),
    |o| o.a3.normalize_or_zero().extend(o.a3.distance(o.b3)),
    |o| o.a3.clamp_length_max(2.0).extend(o.a3.angle_between(o.b3)),
    |o| o.a3.reflect(o.b3.normalize()).extend(0.0),
    |o| o.a3.any_orthonormal_vector().extend(0.0),
    |o| o.a3.rotate_towards(o.b3, 0.1).extend(0.0),
    |o| Vec3A::from(o.a3).cross(o.b3.into()).normalize().extend(Vec3A::from(o.a3).dot(o.b3.into())),
    |o| (o.a2().clamp_length(1.0, 2.0)).extend(o.a2().angle_to(o.b2())).extend(o.a2().length()),
    |o| (o.a2().move_towards(o.b2(), 0.3)).extend(o.a2().to_angle()).extend(o.a2().perp_dot(o.b2())),
    |o| o.a2().rotate(Vec2::from_angle(o.angle)).extend(0.0).extend(0.0),
    |o| o.a2().rotate_towards(o.b2(), 0.1).extend(0.0).extend(0.0),
    |o| o.a4.clamp(o.b4.min(o.a4), o.b4.max(o.a4)),
    |o| o.a4.mul_add(o.b4, o.a4),
    |o| o.a4.lerp(o.b4, 0.3).round(),
    |o| o.a4.rem_euclid(o.b4),
    |o| (o.a * o.b).into(),
    |o| (o.a * o.a3).extend(0.0),
    |o| o.a.slerp(o.b, 0.3).into(),
    |o| o.a.lerp(o.b, 0.3).into(),
    |o| o.a.rotate_towards(o.b, 0.1).into(),
    |o| Quat::from_axis_angle(o.a3.normalize(), o.angle).into(),
    |o| Quat::from_scaled_axis(o.a3).into(),
    |o| Quat::from_euler(EulerRot::YXZ, o.angle, o.a3.x, o.a3.y).into(),
    |o| Vec3::from(o.a.to_euler(EulerRot::YXZ)).extend(o.a.angle_between(o.b)),
    |o| Quat::from_rotation_arc(o.a3.normalize(), o.b3.normalize()).into(),
    |o| (Mat3::from_quat(o.a) * Mat3::from_quat(o.b) * o.a3).extend(Mat3::from_quat(o.a).determinant()),
    |o| Mat4::from_rotation_translation(o.a, o.b3).inverse() * o.a4,
    |o| Mat4::from_quat(o.a) * Mat4::from_scale(o.a3) * o.a4,
    |o| (Mat2::from_angle(o.angle).inverse() * o.a2()).extend(0.0).extend(0.0),
    |o| {
        (Affine2::from_angle_translation(o.angle, o.b2()).inverse().transform_point2(o.a2()))
            .extend(0.0)
            .extend(0.0)
    },
    |o| Vec4::new(o.a3.x.abs(), o.a3.y.abs(), o.a3.z.abs(), 1.0).powf(1.7),
    |o| o.a3.exp().extend(o.angle),
];

struct Operands {
    a: Quat,
    b: Quat,
    a3: Vec3,
    b3: Vec3,
    a4: Vec4,
    b4: Vec4,
    angle: f32,
}

impl Operands {
    fn draw(rng: &mut SimRng) -> Self {
        let mut four = || Vec4::from_array([0; 4].map(|_| rng.f32_in(-5.0, 5.0)));
        let (a4, b4, a, b) = (four(), four(), four(), four());
        Self {
            a: Quat::from_vec4(a.normalize()),
            b: Quat::from_vec4(b.normalize()),
            a3: a.truncate(),
            b3: b.truncate(),
            a4,
            b4,
            angle: rng.angle(),
        }
    }

    fn a2(&self) -> Vec2 {
        self.a3.truncate()
    }

    fn b2(&self) -> Vec2 {
        self.b3.truncate()
    }
}
