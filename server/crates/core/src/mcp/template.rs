//! `{{ NAME }}` and `{{ NAME | default }}` in tokens, headers and variables of servers.

use std::collections::BTreeMap;

/// Puts values in the place of variables. `Err` names the variable that has neither a value nor a default.
pub fn fill(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start + 2..].find("}}") else { break };
        let inside = &rest[start + 2..start + 2 + length];
        let (name, default) = match inside.split_once('|') {
            Some((name, default)) => (name.trim(), Some(default.trim())),
            None => (inside.trim(), None),
        };
        filled.push_str(&rest[..start]);
        if is_name(name) {
            match (values.get(name), default) {
                (Some(value), _) => filled.push_str(value),
                (None, Some(default)) => filled.push_str(default),
                (None, None) => return Err(name.to_owned()),
            }
        } else {
            // Braces that mean something else stay as they are.
            filled.push_str(&rest[start..start + length + 4]);
        }
        rest = &rest[start + length + 4..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Whether a text names variables.
pub fn is_template(text: &str) -> bool {
    text.contains("{{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_give_way_to_their_values_and_defaults() {
        let values = BTreeMap::from([("KEY".to_owned(), "v{{a}}".to_owned()), ("EMPTY".to_owned(), String::new())]);
        for (text, expected) in [
            ("plain", "plain"),
            ("Bearer {{ KEY }}", "Bearer v{{a}}"),
            ("{{KEY|other}} {{ KEY | other }}", "v{{a}} v{{a}}"),
            ("{{ NONE | api_key }}", "api_key"),
            ("{{NONE|}}.", "."),
            ("{{ EMPTY | x }}", ""),
            ("{{ a b }} {{}} {{ é }}", "{{ a b }} {{}} {{ é }}"),
            ("{{ KEY", "{{ KEY"),
            ("}} {{ KEY }}", "}} v{{a}}"),
        ] {
            assert_eq!(fill(text, &values).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(fill("Bearer {{ NONE }}", &values), Err("NONE".to_owned()));
    }
}
