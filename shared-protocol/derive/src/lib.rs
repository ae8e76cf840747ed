//! `#[derive(Replicate)]` for Tickwire.
#![forbid(unsafe_code)]

mod attributes;
mod enumeration;
mod expand;
mod model;
mod parse;
mod predictor;
mod quantization;

use model::Model;
use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

/// Declares a struct as a kind of entity, or a field-less enum as the value of a field.
///
/// On a struct with named fields (none, for a mere marker) it implements the trait
/// `tickwire_protocol::Replicate`: the schema of the kind, and the way from a value to its components and
/// back. On an enum it implements `FieldValue` and `DefaultQuantization`: the value is the variant's place in
/// the order of declaration, whatever its discriminant, and a place beyond the last is the last.
///
/// ```
/// use glam::{Quat, Vec2};
/// use tickwire_protocol::Replicate;
/// use tickwire_protocol::schema::{Predictor, Schema};
///
/// const ARENA: f32 = 512.0;
///
/// #[derive(Replicate)]
/// #[replicate(name = "walker")]
/// struct Walker {
///     /// Between snapshots it moves by itself, and is shown at most one step from the truth.
///     #[replicate(ranged(min = -ARENA, max = ARENA, step = 0.125), velocity = velocity, tolerance = 1)]
///     position: Vec2,
///     /// In units per second.
///     #[replicate(ranged(min = -20, max = 20, step = 1.0 / 64.0))]
///     velocity: Vec2,
///     #[replicate(angle(steps = 4096), predict = linear)]
///     heading: f32,
///     #[replicate(quat(bits = 9))]
///     turret: Quat,
///     #[replicate(int(max = 100), default = 100)]
///     hp: u8,
///     team: Team,
///     alive: bool,
///     /// Known to the server alone.
///     #[replicate(skip)]
///     path: Vec<Vec2>,
/// }
///
/// #[derive(Clone, Copy, Replicate)]
/// enum Team {
///     Red,
///     Blue,
/// }
///
/// let schema = Schema::new(vec![Walker::kind()])?;
/// let walker = &schema.kinds()[0];
/// assert_eq!(walker.name, "walker");
/// assert_eq!(walker.fields.len(), 7);
/// assert_eq!(walker.fields[0].predictor, Predictor::Segment { velocity: 1 });
/// # Ok::<(), tickwire_protocol::schema::SchemaError>(())
/// ```
///
/// # On a struct
/// - `#[replicate(name = "…")]`: the name of the kind, instead of the type's. It is part of the structural
///   hash.
///
/// # On a field: how it is quantised
/// At most one of these. Fields of type `bool`, `u8`, `i8`, `u16`, `i16` and enums that derive `Replicate`
/// need none; without one they have the whole range of the type.
///
/// | Attribute | Types | Values |
/// |---|---|---|
/// | `ranged(min = …, max = …, step = …)` | `f32`, `f64`, `Vec2`, `Vec3` | `min + n · step`, up to `max` |
/// | `angle(step = …)` | `f32`, `f64` | a turn in steps of at most so many radians |
/// | `angle(steps = …)` | `f32`, `f64` | a turn in so many steps, from 2 |
/// | `quat(bits = …)` | `Quat` | the smallest three components, each in 4 to 15 bits |
/// | `int(min = …, max = …)` | integers of up to 32 bits | `min..=max`, each by default the type's own |
///
/// Of `ranged`, each of the three is one number for all axes, or an array literal with one number per axis:
/// `min = [-256, -256, 0]`. The last value is the first one not below `max`. No range has more than 2³⁰ − 1
/// steps.
///
/// # On a field: how it is predicted
/// - `velocity = field`: the field, `ranged` or `angle`, moves by itself with the velocity that another field
///   of this struct holds, in units or radians per second. That one is `ranged`, has as many axes, is held,
///   and belongs to no other field.
/// - `predict = linear`: the next value is compared with what two earlier ones extrapolate to. For numbers,
///   vectors and rotations, where there is no velocity.
/// - `predict = hold`: the next value is compared with the last. So it is without any of these.
///
/// # On a field: the rest
/// - `tolerance = …`: how far the published value may stay behind the truth, in steps: 0, or from 0.5 to 64.
/// - `default = …`: a value of the field's type, which an entering entity is assumed to have. Without it, the
///   value of the range that is nearest to zero, the identity, `false` or the first variant.
/// - `skip`: the field is not replicated. Where a value is made of components, it is `Default::default()`.
///
/// A field may have several `#[replicate(…)]`; they count as one.
///
/// # Constants
/// The numbers of an attribute are constant expressions in the scope of the struct (`Self` has no meaning in
/// them). Those of `ranged`, `angle(step = …)` and `tolerance` may be of any numeric type, `steps` is an
/// `i32`, `bits` a `u8`, and the bounds of `int` have the field's type. They are checked as the program is
/// compiled: an empty range, a step of zero, a wrong number of axes and the like are errors that name the
/// field. A default is a value and no constant; one that is out of its range is refused by `Schema::new`.
///
/// # What is refused
/// Tuple structs, unions, enums with data or without variants, and types with generic parameters.
#[proc_macro_derive(Replicate, attributes(replicate))]
pub fn replicate(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let output = match parse::parse(input) {
        Ok(Model::Kind(kind)) => expand::expand(&kind),
        Ok(Model::Enum(model)) => enumeration::expand(&model),
        Err(errors) => Error::into_compile_error(errors),
    };
    output.into()
}
