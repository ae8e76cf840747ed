//! `#[derive(Replicate)]`: what it yields, and what it refuses.

use glam::{Quat, Vec2, Vec3};
use tickwire_protocol::Replicate;
use tickwire_protocol::limits::{MAX_FIELDS, MAX_LANE};
use tickwire_protocol::schema::{
    DEFAULT_TOLERANCE, DefaultQuantization, FieldSchema, FieldValue, Predictor, Quantization, Schema,
};
use tickwire_protocol::wire::quantize::{Axis, SmallestThree, Turn};

#[path = "derive/misuse.rs"]
mod misuse;

/// How far a walker's world reaches, as a constant of the game in the game's own type.
const ARENA: f32 = 512.0;
const MAX_HP: u8 = 100;

/// Doc comments and other attributes are left alone.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
#[replicate(name = "walker")]
struct Walker {
    /// Where it stands.
    #[replicate(ranged(min = -ARENA, max = ARENA, step = 0.125), velocity = velocity, tolerance = 1)]
    position: Vec2,
    #[replicate(ranged(min = -20.0, max = 20.0, step = 1.0 / 64.0))]
    velocity: Vec2,
    #[replicate(angle(steps = 4096))]
    #[replicate(predict = linear)]
    heading: f32,
    #[replicate(int(max = MAX_HP), default = MAX_HP)]
    hp: u8,
    ammo: i16,
    team: Team,
    alive: bool,
    /// A thing of the server's alone.
    #[replicate(skip)]
    path: Vec<Vec2>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Replicate)]
enum Team {
    #[default]
    Spectator,
    Red = 7,
    r#Blue,
}

#[derive(Clone, Debug, PartialEq, Replicate)]
struct Cube {
    #[replicate(ranged(min = [-256, -256, 0.0], max = [255.0, 255.0, 32.0], step = [0.5, 0.5, 0.25]))]
    position: Vec3,
    #[replicate(quat(bits = 9), predict = linear)]
    orientation: Quat,
    #[replicate(angle(step = 0.01), velocity = spin, tolerance = 0)]
    roll: f64,
    #[replicate(ranged(min = -8.0, max = 8.0, step = 0.5), predict = hold)]
    spin: f64,
    #[replicate(int(min = -40, max = 1_000_000))]
    r#type: i32,
}

/// A kind may be nothing but its presence.
#[derive(Debug, PartialEq, Replicate)]
struct Marker;

#[derive(Debug, PartialEq, Replicate)]
struct Empty {}

fn axes(min: &[f64], step: f64, max_lane: i32) -> Quantization {
    Quantization::Ranged(min.iter().map(|&min| Axis { min, step, max_lane }).collect())
}

fn walker() -> Walker {
    Walker {
        position: Vec2::new(1.5, -300.0),
        velocity: Vec2::new(-0.25, 3.0),
        heading: 1.25,
        hp: 73,
        ammo: -32768,
        team: Team::Blue,
        alive: true,
        path: Vec::new(),
    }
}

fn components<T: Replicate>(value: &T) -> Vec<f64> {
    let mut components = vec![0.0; T::COMPONENTS];
    value.write_components(&mut components);
    components
}

#[test]
fn a_kind_is_what_its_attributes_say() {
    let kind = Walker::kind();
    assert_eq!(kind.name, "walker");
    let names: Vec<&str> = kind.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["position", "velocity", "heading", "hp", "ammo", "team", "alive"]);
    let variants = ["Spectator", "Red", "Blue"].map(String::from).to_vec();
    let expected = [
        FieldSchema {
            predictor: Predictor::Segment { velocity: 1 },
            tolerance: 1.0,
            ..FieldSchema::new("position", axes(&[-512.0, -512.0], 0.125, 8192))
        },
        FieldSchema::new("velocity", axes(&[-20.0, -20.0], 1.0 / 64.0, 2560)),
        FieldSchema {
            predictor: Predictor::Linear,
            ..FieldSchema::new("heading", Quantization::Angle(Turn { steps: 4096 }))
        },
        FieldSchema {
            default: vec![100.0],
            ..FieldSchema::new("hp", Quantization::Int { min: 0, max: 100 })
        },
        FieldSchema::new("ammo", Quantization::Int { min: -32768, max: 32767 }),
        FieldSchema::new("team", Quantization::Enum { variants }),
        FieldSchema::new("alive", Quantization::Bool),
    ];
    assert_eq!(kind.fields, expected);
    assert_eq!(kind.fields[1].tolerance, DEFAULT_TOLERANCE);
}

#[test]
fn axes_may_differ() {
    let kind = Cube::kind();
    assert_eq!(kind.name, "Cube");
    let axis = |min, step, max_lane| Axis { min, step, max_lane };
    let position =
        Quantization::Ranged(vec![axis(-256.0, 0.5, 1022), axis(-256.0, 0.5, 1022), axis(0.0, 0.25, 128)]);
    assert_eq!(kind.fields[0].quantization, position);
    assert_eq!(kind.fields[0].default, [0.0; 3]);
    assert_eq!(kind.fields[1].quantization, Quantization::Quat(SmallestThree { bits: 9 }));
    assert_eq!(kind.fields[1].predictor, Predictor::Linear);
    assert_eq!(kind.fields[2].quantization, Quantization::Angle(Turn { steps: 629 }));
    assert_eq!(kind.fields[2].predictor, Predictor::Segment { velocity: 3 });
    assert_eq!(kind.fields[2].tolerance, 0.0);
    assert_eq!(kind.fields[3].predictor, Predictor::Hold);
    assert_eq!(kind.fields[4].name, "type");
    assert_eq!(kind.fields[4].quantization, Quantization::Int { min: -40, max: 1_000_000 });
}

#[test]
fn a_struct_without_fields_is_a_kind() {
    assert_eq!(Marker::COMPONENTS, 0);
    assert!(Marker::kind().fields.is_empty());
    assert_eq!(Marker::from_components(&components(&Marker)), Marker);
    assert_eq!(Empty::from_components(&components(&Empty {})), Empty {});
    assert!(Schema::new(vec![Marker::kind(), Empty::kind()]).is_ok());
}

#[test]
fn values_survive_their_components() {
    let walker = walker();
    let values = components(&walker);
    assert_eq!(values, [1.5, -300.0, -0.25, 3.0, 1.25, 73.0, -32768.0, 2.0, 1.0]);
    assert_eq!(Walker::from_components(&values), walker);

    let cube = Cube {
        position: Vec3::new(1.0, 2.0, 3.0),
        orientation: Quat::from_xyzw(0.5, -0.5, 0.5, -0.5),
        roll: 0.1,
        spin: -0.5,
        r#type: 77,
    };
    assert_eq!(Cube::COMPONENTS, 10);
    assert_eq!(Cube::from_components(&components(&cube)), cube);
}

#[test]
fn skipped_fields_are_their_default() {
    let walker = Walker { path: vec![Vec2::ONE], ..walker() };
    assert_eq!(components(&walker).len(), Walker::COMPONENTS);
    assert!(Walker::from_components(&components(&walker)).path.is_empty());
}

#[test]
fn components_of_another_number_panic() {
    let short = std::panic::catch_unwind(|| Walker::from_components(&[0.0; Walker::COMPONENTS - 1]));
    let long = std::panic::catch_unwind(|| Marker.write_components(&mut [0.0]));
    assert!(short.is_err() && long.is_err());
}

#[test]
fn an_enum_takes_any_component() {
    assert_eq!(Team::COMPONENTS, 1);
    for (index, team) in [Team::Spectator, Team::Red, Team::Blue].into_iter().enumerate() {
        let mut component = [f64::NAN];
        team.write_components(&mut component);
        assert_eq!(component, [index as f64]);
        assert_eq!(Team::from_components(&component), team);
    }
    for beyond in [3.0, 1e300, f64::INFINITY] {
        assert_eq!(Team::from_components(&[beyond]), Team::Blue);
    }
    for below in [-1.0, f64::NEG_INFINITY, f64::NAN] {
        assert_eq!(Team::from_components(&[below]), Team::Spectator);
    }
    assert!(matches!(Team::default_quantization(), Quantization::Enum { variants } if variants.len() == 3));
}

/// The hash is part of the handshake: a change of the derive must not change it unawares.
#[test]
fn the_structural_hash_is_stable() {
    let schema = Schema::new(vec![Walker::kind(), Cube::kind(), Marker::kind()]).unwrap();
    assert_eq!(schema.structural_hash(), 0x27d7_b2aa_1aa5_0819, "{:#018x}", schema.structural_hash());
}

/// Each limit that the derive asserts, touched from inside: the schema has to accept it too.
mod limits {
    use super::*;

    #[derive(Replicate)]
    struct Extremes {
        #[replicate(ranged(min = 0, max = MAX_LANE, step = 1), tolerance = 0.5)]
        finest: f64,
        #[replicate(ranged(min = 0, max = 1e-3, step = 1.0), tolerance = 64)]
        coarsest: f32,
        #[replicate(ranged(min = -1e300, max = 1e300, step = 1e300))]
        huge: f64,
        #[replicate(angle(steps = 2))]
        half_turns: f32,
        #[replicate(angle(steps = MAX_LANE))]
        fine_turn: f64,
        #[replicate(angle(step = 3.15))]
        wide: f64,
        #[replicate(quat(bits = 4))]
        coarse: Quat,
        #[replicate(quat(bits = 15))]
        fine: Quat,
        #[replicate(int(max = MAX_LANE as u32))]
        integer: u32,
        #[replicate(int(min = i32::MIN, max = i32::MIN))]
        one_integer: i32,
        #[replicate(int)]
        whole: u16,
        #[replicate(ranged(min = 0, max = 1000, step = 1.0 / 1024.0), velocity = fast)]
        place: f64,
        #[replicate(ranged(min = -1024, max = 1024, step = 1))]
        fast: f64,
        #[replicate(default = Team::Red)]
        team: Team,
    }

    #[derive(Replicate)]
    #[replicate(name = "a name of sixty-four bytes, which is the longest that a kind has")]
    #[rustfmt::skip]
    struct Full {
        a0: bool, a1: bool, a2: bool, a3: bool, a4: bool, a5: bool, a6: bool, a7: bool,
        b0: bool, b1: bool, b2: bool, b3: bool, b4: bool, b5: bool, b6: bool, b7: bool,
        c0: bool, c1: bool, c2: bool, c3: bool, c4: bool, c5: bool, c6: bool, c7: bool,
        d0: bool, d1: bool, d2: bool, d3: bool, d4: bool, d5: bool, d6: bool, d7: bool,
        #[replicate(skip)]
        _not_counted: bool,
    }

    #[test]
    fn what_the_derive_accepts_a_schema_accepts() {
        assert_eq!(Full::kind().fields.len(), MAX_FIELDS);
        assert_eq!(Full::kind().name.len(), 64);
        let kinds = vec![Extremes::kind(), Full::kind(), Walker::kind(), Cube::kind(), Marker::kind()];
        assert_eq!(Schema::new(kinds).err(), None);
    }
}

/// The derive relies on nothing that is in scope, and does not get into the way of what is.
mod hygiene {
    #![allow(non_camel_case_types, dead_code)]

    use tickwire_protocol::Replicate as Renamed;

    mod std {}
    mod core {}
    mod tickwire_protocol_is_elsewhere {}
    struct String;
    struct Vec;
    struct Option;
    trait Replicate {}
    trait FieldValue {}
    trait Default {}
    const MIN: f64 = -1.0;
    const MAX: f64 = 1.0;
    const AXES: f64 = 0.5;
    const BOUND: u8 = 3;
    type f64_ = f64;

    #[derive(Renamed)]
    pub(super) struct Shadowed {
        #[replicate(ranged(min = MIN, max = MAX, step = AXES), default = components())]
        components: f64_,
        #[replicate(int(max = BOUND), default = own)]
        own: u8,
        #[replicate(skip)]
        value_0: u8,
    }

    #[derive(Renamed)]
    pub(super) enum Choice {
        Some,
        None,
        Ok,
        Err,
    }

    #[allow(non_upper_case_globals)]
    const own: u8 = 2;

    fn components() -> f64 {
        0.5
    }
}

#[test]
fn names_in_scope_do_not_matter() {
    let kind = hygiene::Shadowed::kind();
    assert_eq!(kind.fields[0].default, [0.5]);
    assert_eq!(kind.fields[1].quantization, Quantization::Int { min: 0, max: 3 });
    assert_eq!(kind.fields[1].default, [2.0]);
    assert!(Schema::new(vec![kind]).is_ok());
    assert!(matches!(hygiene::Choice::from_components(&[9.0]), hygiene::Choice::Err));
}

/// A default is a value, not a constant: out of its range, the schema refuses it and names the field.
#[test]
fn a_default_out_of_range_is_refused_by_the_schema() {
    #[derive(Replicate)]
    struct Shy {
        #[replicate(int(max = 3), default = 4)]
        hp: u8,
    }
    let error = Schema::new(vec![Shy::kind()]).unwrap_err();
    assert_eq!(error.to_string(), "field \"hp\" of kind \"Shy\": its default does not fit");
}
