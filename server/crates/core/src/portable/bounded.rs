//! Reads JSON from a file without holding more of it than a bound: in bytes, and in values.

use std::{
    cell::Cell,
    fmt,
    io::{self, Read},
    rc::Rc,
};

use mneme_domain::JsonObject;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// What may still be read before the reader is told that something was dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub bytes: u64,
    pub values: u64,
}

/// The room of one reading, shared by the reader and what is made of its bytes.
#[derive(Debug, Clone)]
pub struct Allowance(Rc<Cell<Room>>);

impl Allowance {
    pub fn new(room: Room) -> Self {
        Self(Rc::new(Cell::new(room)))
    }

    /// Sets the room; what it was comes back.
    pub fn set(&self, room: Room) -> Room {
        self.0.replace(room)
    }

    fn take_bytes(&self, count: u64) -> bool {
        let room = self.0.get();
        self.0.set(Room { bytes: room.bytes.saturating_sub(count), ..room });
        room.bytes >= count
    }

    fn take_value(&self) -> bool {
        let room = self.0.get();
        self.0.set(Room { values: room.values.saturating_sub(1), ..room });
        room.values > 0
    }
}

/// A reader that fails when there is no room left.
pub struct Bounded<R> {
    inner: R,
    allowance: Allowance,
}

impl<R> Bounded<R> {
    pub fn new(inner: R, allowance: Allowance) -> Self {
        Self { inner, allowance }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Small pieces, so that the count is nearly that of what was used.
        let most = buffer.len().min(8 << 10);
        let count = self.inner.read(&mut buffer[..most])?;
        if !self.allowance.take_bytes(count as u64) {
            return Err(io::Error::other("one entity of the file is too large"));
        }
        Ok(count)
    }
}

/// Reads any value, counting.
#[derive(Clone)]
pub struct AnyValue<'a>(pub &'a Allowance);

impl<'de> DeserializeSeed<'de> for AnyValue<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if !self.0.take_value() {
            return Err(de::Error::custom("one entity of the file holds too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

/// Refuses what no database keeps.
pub fn checked<E: de::Error>(text: String) -> Result<String, E> {
    if text.contains('\0') {
        return Err(E::custom("a text holds the character NUL"));
    }
    Ok(text)
}

impl<'de> Visitor<'de> for AnyValue<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        checked(text.to_owned()).map(Value::String)
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        checked(text).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.clone())? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = JsonObject::new();
        while let Some(key) = fields.next_key::<String>()? {
            object.insert(checked(key)?, fields.next_value_seed(self.clone())?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, room: Room) -> Result<Value, String> {
        let allowance = Allowance::new(room);
        let mut json = serde_json::Deserializer::from_reader(Bounded::new(text.as_bytes(), allowance.clone()));
        AnyValue(&allowance).deserialize(&mut json).map_err(|error| error.to_string())
    }

    #[test]
    fn what_fits_is_read_as_it_is_and_what_does_not_is_refused() {
        let text = r#"{"z":[1,-2,1.5,true,null,"ü"],"a":{}}"#;
        let room = Room { bytes: 1000, values: 9 };
        assert_eq!(read(text, room).unwrap().to_string(), text);
        assert!(read(text, Room { values: 8, ..room }).unwrap_err().contains("too many values"));
        assert!(read(text, Room { bytes: 20, ..room }).unwrap_err().contains("too large"));
        assert!(read(r#"["a\u0000b"]"#, room).unwrap_err().contains("NUL"));
    }
}
