//! The arguments of one call, taken one by one with errors that a model can act on.

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use crate::{ToolError, ToolSchema};

/// The JSON object that a model wrote. Members that no parameter asks for are ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct Arguments {
    members: Map<String, Value>,
}

impl Arguments {
    /// Parses JSON text. Empty text and `null` count as no arguments.
    pub fn parse(text: &str) -> Result<Self, ToolError> {
        if text.trim().is_empty() {
            return Ok(Self { members: Map::new() });
        }
        let value = serde_json::from_str(text)
            .map_err(|error| ToolError::invalid(format!("the arguments are not JSON: {error}")))?;
        Self::from_value(value)
    }

    /// Wraps a JSON object.
    pub fn from_value(value: Value) -> Result<Self, ToolError> {
        match value {
            Value::Object(members) => Ok(Self { members }),
            Value::Null => Ok(Self { members: Map::new() }),
            other => Err(ToolError::invalid(format!("the arguments must be a JSON object, not {}", describe(&other)))),
        }
    }

    /// The argument of that name. Null and absence mean `None` for an optional type and
    /// are an error for any other.
    pub fn take<T: ToolSchema + DeserializeOwned>(&mut self, name: &str) -> Result<T, ToolError> {
        match self.members.remove(name) {
            Some(Value::Null) | None if !T::optional() => {
                Err(ToolError::invalid(format!("the argument `{name}` is missing; it must be {}", T::expected())))
            }
            given => convert(name, given.unwrap_or(Value::Null)),
        }
    }

    /// The argument of that name, or the default when it is absent or null.
    pub fn take_or<T: ToolSchema + DeserializeOwned>(
        &mut self,
        name: &str,
        default: impl FnOnce() -> T,
    ) -> Result<T, ToolError> {
        match self.members.remove(name) {
            None | Some(Value::Null) => Ok(default()),
            Some(given) => convert(name, given),
        }
    }
}

fn convert<T: ToolSchema + DeserializeOwned>(name: &str, given: Value) -> Result<T, ToolError> {
    T::deserialize(&given)
        .or_else(|error| match whole_number(&given) {
            Some(number) => T::deserialize(number).map_err(|_| error),
            None => Err(error),
        })
        .map_err(|error| {
            let detail = match given {
                Value::Array(_) | Value::Object(_) => format!(" ({error})"),
                _ => String::new(),
            };
            ToolError::invalid(format!(
                "the argument `{name}` must be {}, not {}{detail}",
                T::expected(),
                describe(&given)
            ))
        })
}

/// JSON has one kind of number, and `3.0` is an integer to a model: so it is here.
fn whole_number(value: &Value) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = value.as_f64()?;
    (number.fract() == 0.0 && number.abs() <= EXACT).then(|| Value::Number(Number::from(number as i64)))
}

/// A value in an error message: its kind, and a short beginning of it.
fn describe(value: &Value) -> String {
    const SHOWN: usize = 40;
    let kind = match value {
        Value::Null => return "null".to_owned(),
        Value::Bool(_) => "the boolean",
        Value::Number(_) => "the number",
        Value::String(_) => "the string",
        Value::Array(_) => "the list",
        Value::Object(_) => "the object",
    };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{kind} {}…", &text[..cut]),
        None => format!("{kind} {text}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(value: Value) -> Arguments {
        Arguments::from_value(value).expect("an object")
    }

    #[test]
    fn a_missing_argument_is_named_with_its_type() {
        let mut given = arguments(json!({"other": 1, "nothing": null}));
        assert_eq!(
            given.take::<i64>("line"),
            Err(ToolError::InvalidArguments("the argument `line` is missing; it must be an integer".into()))
        );
        assert!(given.take::<String>("nothing").is_err());
        assert_eq!(given.take::<Option<String>>("nothing"), Ok(None));
        assert_eq!(given.take_or("line", || -1), Ok(-1));
    }

    #[test]
    fn a_mistyped_argument_is_named_with_what_it_was() {
        let mut given = arguments(json!({
            "line": "seven", "roles": ["user", 3], "label": {"a": 1}, "size": -1, "text": "x".repeat(100)
        }));
        let mut error = |name: &str| given.take::<u32>(name).expect_err("mistyped").to_string();
        assert_eq!(
            error("line"),
            "the argument `line` must be an integer that is not negative, not the string \"seven\""
        );
        assert!(error("size").ends_with("not the number -1"));
        let cut = error("text");
        assert!(cut.ends_with('…') && cut.len() < 160, "{cut}");
        let list = given.take::<Vec<String>>("roles").expect_err("mistyped");
        assert!(
            list.to_string()
                .starts_with("the argument `roles` must be a list, each item a string, not the list [\"user\",3] ("),
            "{list}"
        );
        assert!(given.take::<String>("label").is_err());
    }

    #[test]
    fn whole_floats_are_integers() {
        let mut given = arguments(json!({"a": 3.0, "b": 3.5, "c": 1e300}));
        assert_eq!(given.take::<i64>("a"), Ok(3));
        assert!(given.take::<i64>("b").is_err());
        assert!(given.take::<i64>("c").is_err());
    }

    #[test]
    fn text_that_is_no_object_is_refused() {
        assert_eq!(
            Arguments::parse("[1]").expect_err("a list").to_string(),
            "the arguments must be a JSON object, not the list [1]"
        );
        assert!(Arguments::parse("{\"a\":").is_err());
        assert_eq!(Arguments::parse("  "), Arguments::parse("null"));
    }
}
