//! Values in Python's notation: the API's validation errors carry a list of dictionaries as text.

use serde_json::Value;

/// Appends a JSON value as Python would show it.
pub fn value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => string(out, text),
        Value::Array(items) => sequence(out, '[', ']', items.iter(), self::value),
        Value::Object(fields) => sequence(out, '{', '}', fields.iter(), |out, (key, field)| {
            string(out, key);
            out.push_str(": ");
            self::value(out, field);
        }),
    }
}

/// Appends items between brackets, separated by commas.
pub fn sequence<T>(
    out: &mut String,
    open: char,
    close: char,
    items: impl Iterator<Item = T>,
    mut item: impl FnMut(&mut String, T),
) {
    out.push(open);
    for (index, one) in items.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        item(out, one);
    }
    out.push(close);
}

/// Appends a quoted string: single quotes unless the text has some and no double ones.
pub fn string(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() && u32::from(c) <= 0xff => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(json: &Value) -> String {
        let mut out = String::new();
        value(&mut out, json);
        out
    }

    #[test]
    fn values_look_like_python() {
        assert_eq!(
            shown(&json!({"a": [1, 2.5, true, false, null], "b": {}})),
            "{'a': [1, 2.5, True, False, None], 'b': {}}"
        );
    }

    #[test]
    fn quotes_follow_pythons_rule() {
        assert_eq!(shown(&json!("it's")), "\"it's\"");
        assert_eq!(shown(&json!("say \"x\"")), "'say \"x\"'");
        assert_eq!(shown(&json!("both ' and \"")), "'both \\' and \"'");
        assert_eq!(shown(&json!("a\n\u{0}\\")), "'a\\n\\x00\\\\'");
    }
}
