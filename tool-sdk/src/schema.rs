//! JSON Schema of Rust types, as models expect it in a tool description.

use serde_json::{Value, json};

/// A type that can be an argument of a tool. Derive it for structs with named fields and
/// for enums without data; the derive follows serde's `rename`, `rename_all` and `default`.
pub trait ToolSchema {
    /// The JSON Schema.
    fn schema() -> Value;

    /// What the type is called in an error message: "an integer", "a list of strings".
    fn expected() -> String;

    /// Whether the argument may be left out (or be null) without a default.
    fn optional() -> bool {
        false
    }
}

macro_rules! schema {
    ($($type:ty),+ => $name:literal, $expected:literal) => {
        $(impl ToolSchema for $type {
            fn schema() -> Value {
                json!({ "type": $name })
            }
            fn expected() -> String {
                $expected.to_owned()
            }
        })+
    };
}

schema!(String, char => "string", "a string");
schema!(bool => "boolean", "true or false");
schema!(f32, f64 => "number", "a number");
schema!(i8, i16, i32, i64, isize => "integer", "an integer");
schema!(u8, u16, u32, u64, usize => "integer", "an integer that is not negative");

impl<T: ToolSchema> ToolSchema for Option<T> {
    fn schema() -> Value {
        T::schema()
    }
    fn expected() -> String {
        T::expected()
    }
    fn optional() -> bool {
        true
    }
}

impl<T: ToolSchema> ToolSchema for Vec<T> {
    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
    fn expected() -> String {
        format!("a list, each item {}", T::expected())
    }
}

impl<T: ToolSchema> ToolSchema for Box<T> {
    fn schema() -> Value {
        T::schema()
    }
    fn expected() -> String {
        T::expected()
    }
    fn optional() -> bool {
        T::optional()
    }
}

/// Any JSON object.
impl ToolSchema for serde_json::Map<String, Value> {
    fn schema() -> Value {
        json!({ "type": "object" })
    }
    fn expected() -> String {
        "an object".to_owned()
    }
}

/// Any JSON value.
impl ToolSchema for Value {
    fn schema() -> Value {
        json!({})
    }
    fn expected() -> String {
        "a JSON value".to_owned()
    }
}
