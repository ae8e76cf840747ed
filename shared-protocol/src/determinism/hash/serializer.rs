//! The walk through a state: serde's calls become bytes in the [`Hasher`], and errors learn where they
//! happened.

use serde::{Serialize, ser};

use super::{Hasher, StateHashError, StateHashFault};

/// Declares how a scalar becomes bytes.
macro_rules! scalars {
    ($($method:ident($value:ident: $scalar:ty) = $bytes:expr;)+) => {$(
        #[inline]
        fn $method(self, $value: $scalar) -> Result<(), StateHashError> {
            self.put($bytes);
            Ok(())
        }
    )+};
}

impl<'a> ser::Serializer for &'a mut Hasher {
    type Ok = ();
    type Error = StateHashError;
    type SerializeSeq = Entries<'a>;
    type SerializeTuple = Entries<'a>;
    type SerializeTupleStruct = Entries<'a>;
    type SerializeTupleVariant = Entries<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Entries<'a>;
    type SerializeStructVariant = Entries<'a>;

    scalars! {
        serialize_bool(value: bool) = [u8::from(value)];
        serialize_u8(value: u8) = [value];
        serialize_u16(value: u16) = value.to_le_bytes();
        serialize_u32(value: u32) = value.to_le_bytes();
        serialize_u64(value: u64) = value.to_le_bytes();
        serialize_u128(value: u128) = value.to_le_bytes();
        serialize_i8(value: i8) = value.to_le_bytes();
        serialize_i16(value: i16) = value.to_le_bytes();
        serialize_i32(value: i32) = value.to_le_bytes();
        serialize_i64(value: i64) = value.to_le_bytes();
        serialize_i128(value: i128) = value.to_le_bytes();
        serialize_char(value: char) = u32::from(value).to_le_bytes();
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), StateHashError> {
        if value.is_nan() {
            return Err(StateHashError::new(StateHashFault::NotANumber));
        }
        let canonical = if value == 0.0 { 0.0 } else { value };
        self.put(canonical.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), StateHashError> {
        if value.is_nan() {
            return Err(StateHashError::new(StateHashFault::NotANumber));
        }
        let canonical = if value == 0.0 { 0.0 } else { value };
        self.put(canonical.to_le_bytes());
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), StateHashError> {
        self.put_slice(value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), StateHashError> {
        self.put_slice(value);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<(), StateHashError> {
        self.put([0]);
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), StateHashError> {
        self.put([1]);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), StateHashError> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), StateHashError> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
    ) -> Result<(), StateHashError> {
        self.put(index.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), StateHashError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), StateHashError> {
        self.put(index.to_le_bytes());
        value.serialize(self).map_err(|error| error.within(format_args!("::{variant}")))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Entries<'a>, StateHashError> {
        Entries::counted(self, length)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Entries<'a>, StateHashError> {
        Ok(Entries::fixed(self, None))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Entries<'a>, StateHashError> {
        Ok(Entries::fixed(self, None))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Entries<'a>, StateHashError> {
        self.put(index.to_le_bytes());
        Ok(Entries::fixed(self, Some(variant)))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Entries<'a>, StateHashError> {
        Entries::counted(self, length)
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Entries<'a>, StateHashError> {
        Ok(Entries::fixed(self, None))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Entries<'a>, StateHashError> {
        self.put(index.to_le_bytes());
        Ok(Entries::fixed(self, Some(variant)))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The values of a sequence, map, tuple or struct on their way into the hash.
pub(super) struct Entries<'a> {
    hasher: &'a mut Hasher,
    /// The enum variant whose values these are, for the path of an error.
    variant: Option<&'static str>,
    /// The number of entries announced, where it is not fixed by the type.
    announced: Option<u64>,
    given: u64,
}

impl<'a> Entries<'a> {
    #[inline]
    fn fixed(hasher: &'a mut Hasher, variant: Option<&'static str>) -> Self {
        Self { hasher, variant, announced: None, given: 0 }
    }

    #[inline]
    fn counted(hasher: &'a mut Hasher, length: Option<usize>) -> Result<Self, StateHashError> {
        let Some(length) = length else {
            return Err(StateHashError::new(StateHashFault::UnknownLength));
        };
        let announced = length as u64;
        hasher.put(announced.to_le_bytes());
        Ok(Self { hasher, variant: None, announced: Some(announced), given: 0 })
    }

    #[inline]
    fn value<T: Serialize + ?Sized>(&mut self, value: &T, name: Name) -> Result<(), StateHashError> {
        match value.serialize(&mut *self.hasher) {
            Ok(()) => {
                self.given += u64::from(!matches!(name, Name::Key));
                Ok(())
            }
            Err(error) => Err(self.locate(error, name)),
        }
    }

    #[cold]
    fn locate(&self, error: StateHashError, name: Name) -> StateHashError {
        let index = self.given;
        let error = match name {
            Name::Field(field) => error.within(format_args!(".{field}")),
            Name::Place => error.within(format_args!(".{index}")),
            Name::Element => error.within(format_args!("[{index}]")),
            Name::Key => error.within(format_args!("[key of entry {index}]")),
            Name::Value => error.within(format_args!("[entry {index}]")),
        };
        match self.variant {
            Some(variant) => error.within(format_args!("::{variant}")),
            None => error,
        }
    }

    #[inline]
    fn finish(self) -> Result<(), StateHashError> {
        match self.announced {
            Some(announced) if announced != self.given => {
                Err(StateHashError::new(StateHashFault::WrongLength { announced, given: self.given }))
            }
            _ => Ok(()),
        }
    }
}

/// What an entry is called in the path of an error.
#[derive(Clone, Copy)]
enum Name {
    Field(&'static str),
    Place,
    Element,
    Key,
    Value,
}

/// Implements the traits of compounds whose values have no names.
macro_rules! unnamed_entries {
    ($($compound:ident, $method:ident, $name:expr;)+) => {$(
        impl ser::$compound for Entries<'_> {
            type Ok = ();
            type Error = StateHashError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), StateHashError> {
                self.value(value, $name)
            }

            #[inline]
            fn end(self) -> Result<(), StateHashError> {
                self.finish()
            }
        }
    )+};
}

unnamed_entries! {
    SerializeSeq, serialize_element, Name::Element;
    SerializeTuple, serialize_element, Name::Element;
    SerializeTupleStruct, serialize_field, Name::Place;
    SerializeTupleVariant, serialize_field, Name::Place;
}

/// Implements the traits of compounds whose values have names.
macro_rules! named_entries {
    ($($compound:ident;)+) => {$(
        impl ser::$compound for Entries<'_> {
            type Ok = ();
            type Error = StateHashError;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                field: &'static str,
                value: &T,
            ) -> Result<(), StateHashError> {
                self.value(value, Name::Field(field))
            }

            fn skip_field(&mut self, field: &'static str) -> Result<(), StateHashError> {
                self.hasher.put_slice(field.as_bytes());
                Ok(())
            }

            #[inline]
            fn end(self) -> Result<(), StateHashError> {
                self.finish()
            }
        }
    )+};
}

named_entries! {
    SerializeStruct;
    SerializeStructVariant;
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = StateHashError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), StateHashError> {
        self.value(key, Name::Key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), StateHashError> {
        self.value(value, Name::Value)
    }

    fn end(self) -> Result<(), StateHashError> {
        self.finish()
    }
}
