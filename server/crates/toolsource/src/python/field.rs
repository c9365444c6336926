//! What `Field(...)` says about a field of a model or an annotated parameter.

use ruff_python_ast::{Expr, ExprCall};
use serde_json::Value;

use super::{
    constant,
    names::{Names, last_part},
};
use crate::Object;

/// Constraints of pydantic and their names in JSON Schema.
const CONSTRAINTS: [(&str, &str); 7] = [
    ("gt", "exclusiveMinimum"),
    ("ge", "minimum"),
    ("lt", "exclusiveMaximum"),
    ("le", "maximum"),
    ("multiple_of", "multipleOf"),
    ("pattern", "pattern"),
    ("regex", "pattern"),
];

/// What is said about a field beside its type.
#[derive(Debug, Default)]
pub struct Field {
    /// Whether it may be left out.
    pub has_default: bool,
    /// The name that JSON uses instead of its own.
    pub alias: Option<String>,
    /// What it means.
    pub description: Option<String>,
    /// Bounds on its value.
    pub constraints: Object,
}

impl Field {
    /// Reads a call of `Field`; none when it is a call of something else.
    pub fn of(expression: &Expr, schema_type: Option<&str>, names: &Names<'_>) -> Option<Self> {
        let Expr::Call(call) = expression else { return None };
        matches!(last_part(&call.func)?, "Field" | "field" | "Query").then(|| Self::read(call, schema_type, names))
    }

    /// Reads the arguments of a call that takes what `Field` takes.
    pub fn read(call: &ExprCall, schema_type: Option<&str>, names: &Names<'_>) -> Self {
        let is_default = |value: &Expr| !matches!(value, Expr::EllipsisLiteral(_));
        let mut field = Self { has_default: call.arguments.args.first().is_some_and(is_default), ..Self::default() };
        for keyword in &call.arguments.keywords {
            let Some(name) = keyword.arg.as_ref().map(|name| name.as_str()) else { continue };
            match name {
                "default" => field.has_default = is_default(&keyword.value),
                "default_factory" => field.has_default = true,
                "description" => field.description = constant::long_text(&keyword.value, names),
                "alias" if field.alias.is_none() => field.alias = alias(&keyword.value),
                "alias" => {}
                "validation_alias" => field.alias = alias(&keyword.value).or(field.alias),
                _ => field.constrain(name, &keyword.value, schema_type),
            }
        }
        field
    }

    fn constrain(&mut self, name: &str, value: &Expr, schema_type: Option<&str>) {
        let Some(value @ (Value::Number(_) | Value::String(_))) = constant::value(value) else { return };
        let keyword = match (name, schema_type) {
            ("min_length" | "min_items", Some("array")) => "minItems",
            ("max_length" | "max_items", Some("array")) => "maxItems",
            ("min_length", _) => "minLength",
            ("max_length", _) => "maxLength",
            _ => match CONSTRAINTS.iter().find(|(known, _)| *known == name) {
                Some((_, keyword)) => keyword,
                None => return,
            },
        };
        self.constraints.insert(keyword.to_owned(), value);
    }
}

/// The name that JSON uses, of several the first.
fn alias(value: &Expr) -> Option<String> {
    let text = match value {
        Expr::Call(call) if last_part(&call.func) == Some("AliasChoices") => {
            call.arguments.args.first().and_then(constant::text)
        }
        plain => constant::text(plain),
    };
    text.map(str::to_owned)
}
