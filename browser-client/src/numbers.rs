//! A value as a row of numbers, so that a page can look at it without an object being made.
//!
//! Numbers, booleans and enums without fields are one number each (an enum its variant's place); structs,
//! tuples and arrays are their parts one after the other. An option of a single number is that number, or
//! NaN. What has no fixed length (texts, lists, maps) is left out: the places of numbers must not depend on
//! the value.

use serde::Serialize;
use serde::ser::{
    Error, Impossible, SerializeStruct, SerializeTuple, SerializeTupleStruct, Serializer, StdError,
};

/// The name of a field, and the place of its first number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedNumber {
    /// The field; within another field, both with a dot between them.
    pub name: String,
    /// The place in the row.
    pub place: usize,
}

/// Writes a value's numbers behind those that are there.
pub fn flatten<T: Serialize>(value: &T, numbers: &mut Vec<f64>) {
    // Nothing that can fail is left in: what has no numbers writes none.
    let _ = value.serialize(&mut Flat { numbers, names: None });
}

/// The names of a value's numbers.
#[must_use]
pub fn names<T: Serialize>(value: &T) -> Vec<NamedNumber> {
    let mut names = Names { known: Vec::new(), path: Vec::new() };
    let mut numbers = Vec::new();
    let _ = value.serialize(&mut Flat { numbers: &mut numbers, names: Some(&mut names) });
    names.known
}

struct Names {
    known: Vec<NamedNumber>,
    path: Vec<&'static str>,
}

struct Flat<'a> {
    numbers: &'a mut Vec<f64>,
    names: Option<&'a mut Names>,
}

/// It is never made: what cannot be a number is left out.
#[derive(Debug)]
struct Never;

impl std::fmt::Display for Never {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl StdError for Never {}

impl Error for Never {
    fn custom<T: std::fmt::Display>(_: T) -> Never {
        Never
    }
}

macro_rules! numbers {
    ($($function:ident $type:ty;)*) => {
        $(fn $function(self, value: $type) -> Result<(), Never> {
            self.numbers.push(value as f64);
            Ok(())
        })*
    };
}

impl Serializer for &mut Flat<'_> {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = Impossible<(), Never>;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Impossible<(), Never>;
    type SerializeMap = Impossible<(), Never>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Never>;

    numbers! {
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_f32 f32;
        serialize_f64 f64;
    }

    fn serialize_bool(self, value: bool) -> Result<(), Never> {
        self.serialize_u8(u8::from(value))
    }

    fn serialize_char(self, value: char) -> Result<(), Never> {
        self.serialize_u32(u32::from(value))
    }

    fn serialize_str(self, _: &str) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Never> {
        self.serialize_f64(f64::NAN)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Never> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, place: u32, _: &'static str) -> Result<(), Never> {
        self.serialize_u32(place)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        place: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Never> {
        self.serialize_u32(place)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Never> {
        Err(Never)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Never> {
        Err(Never)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Never> {
        Err(Never)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Never> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Never> {
        Err(Never)
    }
}

impl Flat<'_> {
    /// A part of a value: one that has no numbers is left out.
    fn part<T: ?Sized + Serialize>(&mut self, value: &T) {
        let before = self.numbers.len();
        if value.serialize(&mut *self).is_err() {
            self.numbers.truncate(before);
        }
    }
}

impl SerializeTuple for &mut Flat<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Never> {
        self.part(value);
        Ok(())
    }

    fn end(self) -> Result<(), Never> {
        Ok(())
    }
}

impl SerializeTupleStruct for &mut Flat<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Never> {
        self.part(value);
        Ok(())
    }

    fn end(self) -> Result<(), Never> {
        Ok(())
    }
}

impl SerializeStruct for &mut Flat<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Never> {
        let place = self.numbers.len();
        if let Some(names) = &mut self.names {
            names.path.push(name);
            names.known.push(NamedNumber { name: names.path.join("."), place });
        }
        self.part(value);
        if let Some(names) = &mut self.names {
            names.path.pop();
        }
        Ok(())
    }

    fn end(self) -> Result<(), Never> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::Vec2;

    #[derive(Serialize)]
    enum Weapon {
        Bolts,
        Rail,
    }

    #[derive(Serialize)]
    struct Body {
        position: Vec2,
        held: [Weapon; 2],
        name: String,
        path: Vec<u8>,
        state: State,
        target: Option<u16>,
    }

    #[derive(Serialize)]
    struct State {
        health: u8,
        alive: bool,
    }

    #[test]
    fn a_value_is_a_row_of_numbers_with_names() {
        let body = Body {
            position: Vec2::new(1.5, -2.0),
            held: [Weapon::Bolts, Weapon::Rail],
            name: "Ann".to_owned(),
            path: vec![1, 2, 3],
            state: State { health: 100, alive: true },
            target: Some(7),
        };
        let mut numbers = vec![9.0];
        flatten(&body, &mut numbers);
        assert_eq!(numbers, [9.0, 1.5, -2.0, 0.0, 1.0, 100.0, 1.0, 7.0]);
        let known: Vec<_> = names(&body).into_iter().map(|named| (named.name, named.place)).collect();
        let expected = [
            ("position", 0),
            ("held", 2),
            ("name", 4),
            ("path", 4),
            ("state", 4),
            ("state.health", 4),
            ("state.alive", 5),
            ("target", 6),
        ];
        assert_eq!(known, expected.map(|(name, place)| (name.to_owned(), place)));
    }

    #[test]
    fn a_missing_number_keeps_its_place() {
        let mut numbers = Vec::new();
        flatten(&(None::<u16>, 3u8), &mut numbers);
        assert!(numbers[0].is_nan() && numbers[1] == 3.0 && numbers.len() == 2);
    }
}
