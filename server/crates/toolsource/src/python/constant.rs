//! Constants as they stand in a source.

use ruff_python_ast::{Expr, Number, Operator, UnaryOp};
use serde_json::Value;

use super::names::{Meaning, Names};

/// Longest text that is put together from others, in bytes.
const MAX_TEXT: usize = 32 * 1024;

/// The value of a literal that JSON can hold.
pub fn value(expression: &Expr) -> Option<Value> {
    match expression {
        Expr::StringLiteral(text) => Some(text.value.to_str().into()),
        Expr::BooleanLiteral(literal) => Some(literal.value.into()),
        Expr::NoneLiteral(_) => Some(Value::Null),
        Expr::NumberLiteral(literal) => number(&literal.value, false),
        Expr::UnaryOp(unary) if unary.op == UnaryOp::USub => match unary.operand.as_ref() {
            Expr::NumberLiteral(literal) => number(&literal.value, true),
            _ => None,
        },
        _ => None,
    }
}

/// The text of a string literal.
pub fn text(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::StringLiteral(text) => Some(text.value.to_str()),
        _ => None,
    }
}

/// The text of a literal, of a constant of the file, or of several of them that are added.
pub fn long_text(expression: &Expr, names: &Names<'_>) -> Option<String> {
    let mut parts = Vec::new();
    let mut rest = expression;
    // `a + b + c` is `(a + b) + c`.
    while let Expr::BinOp(sum) = rest
        && sum.op == Operator::Add
    {
        parts.push(named_text(&sum.right, names)?);
        rest = sum.left.as_ref();
    }
    parts.push(named_text(rest, names)?);
    let length: usize = parts.iter().map(|part| part.len()).sum();
    (length <= MAX_TEXT || parts.len() == 1).then(|| parts.into_iter().rev().collect())
}

fn named_text<'a>(expression: &'a Expr, names: &Names<'a>) -> Option<&'a str> {
    match expression {
        Expr::Name(name) => match names.get(name.id.as_str())? {
            Meaning::Alias(target) => text(target),
            _ => None,
        },
        other => text(other),
    }
}

fn number(number: &Number, negative: bool) -> Option<Value> {
    match number {
        Number::Int(int) => {
            let int = int.as_i64()?;
            Some(if negative { int.checked_neg()? } else { int }.into())
        }
        Number::Float(float) => serde_json::Number::from_f64(if negative { -float } else { *float }).map(Value::Number),
        Number::Complex { .. } => None,
    }
}

/// The JSON Schema type of a value, for values that have one of their own.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
