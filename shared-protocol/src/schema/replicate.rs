//! The seam between a game's types and the schema: what `#[derive(Replicate)]` implements.

use super::{KindSchema, Quantization};
use glam::{Quat, Vec2, Vec3};

/// A kind of entity: a struct whose fields are replicated. Implemented by `#[derive(Replicate)]`.
///
/// Values pass as *components*: plain `f64`s in the order of the fields, one for a scalar, one per axis of a
/// vector, four (x, y, z, w) for a quaternion. All that is generic over the game ends here.
pub trait Replicate: Sized {
    /// The number of components of all fields.
    const COMPONENTS: usize;

    /// The kind: its name, its fields, and how each of them is quantised.
    fn kind() -> KindSchema;

    /// Writes the components of all fields.
    ///
    /// # Panics
    /// When `components` is not [`Replicate::COMPONENTS`] long.
    fn write_components(&self, components: &mut [f64]);

    /// The value with these components. Total: what does not fit a field's type is brought to the nearest
    /// value that does. Skipped fields are their type's default.
    ///
    /// # Panics
    /// When `components` is not [`Replicate::COMPONENTS`] long.
    fn from_components(components: &[f64]) -> Self;
}

/// A type that a replicated field may have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a replicated field",
    note = "numbers, booleans, `Vec2`, `Vec3`, `Quat` and field-less enums that derive `Replicate` can"
)]
pub trait FieldValue: Sized {
    /// The number of components.
    const COMPONENTS: usize;

    /// Writes the components.
    ///
    /// # Panics
    /// When `components` is not [`FieldValue::COMPONENTS`] long.
    fn write_components(&self, components: &mut [f64]);

    /// The value with these components, or the nearest one that the type has.
    ///
    /// # Panics
    /// When `components` is not [`FieldValue::COMPONENTS`] long.
    fn from_components(components: &[f64]) -> Self;
}

/// A type that needs no attribute to be quantised.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` must say how it is quantised",
    label = "add `#[replicate(ranged(min = …, max = …, step = …))]`, `angle(…)`, `quat(…)` or `int(…)`"
)]
pub trait DefaultQuantization: FieldValue {
    /// The quantisation: the whole range of the type.
    fn default_quantization() -> Quantization;
}

/// A type for `ranged(…)`: a scalar, or a vector with an axis per component.
#[diagnostic::on_unimplemented(message = "`ranged(…)` does not go with a field of type `{Self}`")]
pub trait RangedValue: FieldValue {}

/// A type for `angle(…)`: a scalar in radians.
#[diagnostic::on_unimplemented(message = "`angle(…)` does not go with a field of type `{Self}`")]
pub trait AngleValue: FieldValue {}

/// A type for `quat(…)`: a unit quaternion.
#[diagnostic::on_unimplemented(message = "`quat(…)` does not go with a field of type `{Self}`")]
pub trait QuatValue: FieldValue {}

/// A type for `int(…)`: an integer of at most 32 bits.
#[diagnostic::on_unimplemented(message = "`int(…)` does not go with a field of type `{Self}`")]
pub trait IntegerValue: FieldValue {
    /// The type itself. The derive names a bound's type through the trait, so that a field of another type is
    /// one error, about the trait, and not a second one about the bound.
    type Bound;
    /// The smallest value of the type.
    const MIN: i64;
    /// The largest value of the type.
    const MAX: i64;
}

/// A type for `predict = linear`: one whose values lie on a line, or are rotations.
#[diagnostic::on_unimplemented(message = "`predict = linear` does not go with a field of type `{Self}`")]
pub trait SmoothValue: FieldValue {}

macro_rules! scalar {
    ($($type:ty),*) => {$(
        impl FieldValue for $type {
            const COMPONENTS: usize = 1;

            fn write_components(&self, components: &mut [f64]) {
                components[0] = f64::from(*self);
            }

            // A cast from `f64` saturates, and makes zero of what is no number.
            fn from_components(components: &[f64]) -> $type {
                components[0] as $type
            }
        }

        impl SmoothValue for $type {}
    )*};
}

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl IntegerValue for $type {
            type Bound = $type;
            const MIN: i64 = <$type>::MIN as i64;
            const MAX: i64 = <$type>::MAX as i64;
        }
    )*};
}

macro_rules! whole_range {
    ($($type:ty),*) => {$(
        impl DefaultQuantization for $type {
            fn default_quantization() -> Quantization {
                Quantization::Int { min: i64::from(<$type>::MIN), max: i64::from(<$type>::MAX) }
            }
        }
    )*};
}

scalar!(f32, f64, u8, i8, u16, i16, u32, i32);
integer!(u8, i8, u16, i16, u32, i32);
whole_range!(u8, i8, u16, i16);

impl RangedValue for f32 {}
impl RangedValue for f64 {}
impl RangedValue for Vec2 {}
impl RangedValue for Vec3 {}
impl AngleValue for f32 {}
impl AngleValue for f64 {}
impl QuatValue for Quat {}
impl SmoothValue for Vec2 {}
impl SmoothValue for Vec3 {}
impl SmoothValue for Quat {}

impl FieldValue for bool {
    const COMPONENTS: usize = 1;

    fn write_components(&self, components: &mut [f64]) {
        components[0] = if *self { 1.0 } else { 0.0 };
    }

    fn from_components(components: &[f64]) -> bool {
        components[0] != 0.0
    }
}

impl DefaultQuantization for bool {
    fn default_quantization() -> Quantization {
        Quantization::Bool
    }
}

impl FieldValue for Vec2 {
    const COMPONENTS: usize = 2;

    fn write_components(&self, components: &mut [f64]) {
        components.copy_from_slice(&[f64::from(self.x), f64::from(self.y)]);
    }

    fn from_components(components: &[f64]) -> Vec2 {
        Vec2::new(components[0] as f32, components[1] as f32)
    }
}

impl FieldValue for Vec3 {
    const COMPONENTS: usize = 3;

    fn write_components(&self, components: &mut [f64]) {
        components.copy_from_slice(&[f64::from(self.x), f64::from(self.y), f64::from(self.z)]);
    }

    fn from_components(components: &[f64]) -> Vec3 {
        Vec3::new(components[0] as f32, components[1] as f32, components[2] as f32)
    }
}

impl FieldValue for Quat {
    const COMPONENTS: usize = 4;

    fn write_components(&self, components: &mut [f64]) {
        let four = [self.x, self.y, self.z, self.w].map(f64::from);
        components.copy_from_slice(&four);
    }

    fn from_components(components: &[f64]) -> Quat {
        Quat::from_xyzw(
            components[0] as f32,
            components[1] as f32,
            components[2] as f32,
            components[3] as f32,
        )
    }
}
