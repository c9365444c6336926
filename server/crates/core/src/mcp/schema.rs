//! Schemas of strangers' tools, made such that models' providers take them, and what remains the matter with them.
//!
//! Providers want one object at the top, no references, and a type everywhere. References are put in place, parts of
//! `allOf` joined, missing types guessed from what stands beside them. What cannot be said otherwise stays and is named.

use mneme_domain::{
    JsonObject,
    mcp::{McpToolHealth, McpToolStatus},
};
use serde_json::{Value, json};

/// The deepest schema.
const MAX_DEPTH: usize = 40;
/// The most parts of a schema once its references are in place.
const MAX_PARTS: usize = 5_000;
/// The most reasons that are listed.
const MAX_REASONS: usize = 20;

/// The schema as it is offered to models, and how it stands.
pub fn normalise(given: &JsonObject) -> (JsonObject, McpToolHealth) {
    let mut work = Work { root: given, parts: 0, loose: Vec::new(), wrong: Vec::new() };
    let mut schema = work.part(&Value::Object(given.clone()), "", &mut Vec::new(), 0);
    work.top(&mut schema);
    let schema = match schema {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    };
    let status = match (work.wrong.is_empty(), work.loose.is_empty()) {
        (false, _) => McpToolStatus::Invalid,
        (true, false) => McpToolStatus::NonStrictOnly,
        (true, true) => McpToolStatus::StrictCompliant,
    };
    let mut reasons = work.wrong;
    reasons.append(&mut work.loose);
    reasons.truncate(MAX_REASONS);
    (schema, McpToolHealth { status, reasons })
}

struct Work<'a> {
    root: &'a JsonObject,
    parts: usize,
    /// What keeps providers from enforcing the schema.
    loose: Vec<String>,
    /// What keeps them from taking it at all.
    wrong: Vec<String>,
}

fn note(reasons: &mut Vec<String>, path: &str, what: &str) {
    let place = if path.is_empty() { "the schema" } else { path };
    let reason = format!("{place} {what}");
    if reasons.len() < MAX_REASONS && !reasons.contains(&reason) {
        reasons.push(reason);
    }
}

impl Work<'_> {
    /// One part of the schema. `open` are the references that lead here.
    fn part(&mut self, given: &Value, path: &str, open: &mut Vec<String>, depth: usize) -> Value {
        self.parts += 1;
        if depth > MAX_DEPTH || self.parts > MAX_PARTS {
            note(&mut self.wrong, "", "is too large or too deep");
            return json!({});
        }
        match given {
            Value::Object(part) => self.object(part, path, open, depth),
            // `true` allows anything.
            Value::Bool(true) => {
                note(&mut self.loose, path, "allows any value");
                json!({})
            }
            _ => {
                note(&mut self.wrong, path, "is no schema");
                json!({})
            }
        }
    }

    fn object(&mut self, part: &JsonObject, path: &str, open: &mut Vec<String>, depth: usize) -> Value {
        if let Some(Value::String(reference)) = part.get("$ref") {
            return self.referenced(part, reference, path, open, depth);
        }
        let mut part = part.clone();
        for key in ["$schema", "$id", "$anchor", "$comment", "$defs", "definitions"] {
            part.shift_remove(key);
        }
        if let Some(Value::Array(all)) = part.shift_remove("allOf") {
            for one in &all {
                let one = self.part(one, path, open, depth + 1);
                join(&mut part, one);
            }
        }
        for key in ["anyOf", "oneOf"] {
            let Some(Value::Array(choices)) = part.get(key).cloned() else { continue };
            let choices: Vec<Value> = choices.iter().map(|choice| self.part(choice, path, open, depth + 1)).collect();
            match <[Value; 1]>::try_from(choices) {
                // A choice of one is none.
                Ok([only]) => {
                    part.shift_remove(key);
                    join(&mut part, only);
                }
                Err(choices) => drop(part.insert(key.into(), Value::Array(choices))),
            }
        }
        if let Some(Value::Object(properties)) = part.get("properties").cloned() {
            let each = properties.iter().map(|(name, one)| {
                let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                (name.clone(), self.part(one, &place, open, depth + 1))
            });
            let properties: JsonObject = each.collect();
            part.insert("properties".into(), Value::Object(properties));
        }
        match part.get("items").cloned() {
            Some(Value::Array(several)) => {
                note(&mut self.loose, path, "has a schema for each item of its own");
                let first = several.first().map(|one| self.part(one, path, open, depth + 1));
                part.insert("items".into(), first.unwrap_or_else(|| json!({})));
            }
            Some(one) => {
                let one = self.part(&one, &format!("{path}[]"), open, depth + 1);
                part.insert("items".into(), one);
            }
            None => {}
        }
        if let Some(more @ Value::Object(_)) = part.get("additionalProperties").cloned() {
            let more = self.part(&more, &format!("{path}.*"), open, depth + 1);
            part.insert("additionalProperties".into(), more);
        }
        self.kind(&mut part, path);
        Value::Object(part)
    }

    /// What a reference leads to, with what stands beside it.
    fn referenced(
        &mut self,
        part: &JsonObject,
        reference: &str,
        path: &str,
        open: &mut Vec<String>,
        depth: usize,
    ) -> Value {
        if open.iter().any(|one| one == reference) {
            note(&mut self.loose, path, "refers to itself");
            return json!({"type": "object"});
        }
        let root = self.root;
        let found = match reference.strip_prefix('#') {
            Some("") => Some(Value::Object(root.clone())),
            Some(pointer) => pointed(root, pointer).cloned(),
            None => None,
        };
        let Some(found) = found else {
            note(&mut self.wrong, path, "refers to what is not there");
            return json!({});
        };
        open.push(reference.to_owned());
        let mut found = self.part(&found, path, open, depth + 1);
        open.pop();
        // A description of this very place goes before the general one.
        if let Value::Object(found) = &mut found {
            for (key, value) in part {
                if key != "$ref" {
                    found.insert(key.clone(), value.clone());
                }
            }
        }
        found
    }

    /// Sees to the type.
    fn kind(&mut self, part: &mut JsonObject, path: &str) {
        let choice = ["anyOf", "oneOf"].iter().any(|key| part.contains_key(*key));
        if !part.contains_key("type") && !choice {
            match guessed(part) {
                Some(kind) => drop(part.insert("type".into(), kind)),
                None => note(&mut self.loose, path, "has no type"),
            }
        }
        if is(part, "array") && !part.contains_key("items") {
            part.insert("items".into(), json!({}));
            note(&mut self.loose, path, "does not say what its items are");
        }
        if is(part, "object") && !path.is_empty() {
            let named = part.get("properties").and_then(Value::as_object).is_some_and(|names| !names.is_empty());
            let free = part.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
            if free || (!named && !part.contains_key("additionalProperties")) {
                note(&mut self.loose, path, "takes properties of any name");
            }
        }
        for key in ["patternProperties", "not", "if", "dependentSchemas", "propertyNames", "unevaluatedProperties"] {
            if part.contains_key(key) {
                note(&mut self.loose, path, &format!("uses {key}"));
            }
        }
        // Some providers want texts in a list of values, whatever the type says.
        if let Some(Value::Array(values)) = part.get("enum")
            && values.is_empty()
        {
            note(&mut self.wrong, path, "allows no value");
        }
    }

    /// The top: one object, with properties, whose choices are joined.
    fn top(&mut self, schema: &mut Value) {
        let Value::Object(top) = schema else {
            note(&mut self.wrong, "", "is no object");
            return;
        };
        for key in ["anyOf", "oneOf"] {
            if let Some(Value::Array(choices)) = top.shift_remove(key) {
                note(&mut self.loose, "", "is a choice between several, which are offered as one");
                for choice in choices {
                    if let Value::Object(mut choice) = choice {
                        // What one choice demands another may not have.
                        choice.shift_remove("required");
                        join(top, Value::Object(choice));
                    }
                }
            }
        }
        match top.get("type") {
            None => drop(top.insert("type".into(), "object".into())),
            Some(kind) if kind == "object" => {}
            Some(Value::Array(kinds)) if kinds.iter().any(|kind| kind == "object") => {
                top.insert("type".into(), "object".into());
            }
            Some(_) => note(&mut self.wrong, "", "is no object"),
        }
        if !matches!(top.get("properties"), Some(Value::Object(_))) {
            top.insert("properties".into(), json!({}));
        }
        match top.get("additionalProperties") {
            None => drop(top.insert("additionalProperties".into(), Value::Bool(false))),
            Some(Value::Bool(false)) => {}
            Some(_) => note(&mut self.loose, "", "takes properties of any name"),
        }
        // A demand for what is not described cannot be met.
        let names: Vec<String> = match top.get("properties") {
            Some(Value::Object(properties)) => properties.keys().cloned().collect(),
            _ => Vec::new(),
        };
        match top.get_mut("required") {
            Some(Value::Array(required)) => {
                required.retain(|name| name.as_str().is_some_and(|name| names.iter().any(|known| known == name)));
            }
            Some(_) => drop(top.shift_remove("required")),
            None => {}
        }
    }
}

/// A JSON pointer's target within an object.
fn pointed<'a>(root: &'a JsonObject, pointer: &str) -> Option<&'a Value> {
    let mut steps = pointer.strip_prefix('/')?.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
    let first = root.get(&steps.next()?)?;
    steps.try_fold(first, |at, step| match at {
        Value::Object(object) => object.get(&step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

fn is(part: &JsonObject, kind: &str) -> bool {
    match part.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => false,
    }
}

/// The type that the rest of a part speaks of.
fn guessed(part: &JsonObject) -> Option<Value> {
    let has = |keys: &[&str]| keys.iter().any(|key| part.contains_key(*key));
    if has(&["properties", "additionalProperties", "required", "patternProperties"]) {
        return Some("object".into());
    }
    if has(&["items", "minItems", "maxItems", "uniqueItems", "prefixItems"]) {
        return Some("array".into());
    }
    let of = |value: &Value| match value {
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null => "null",
    };
    if let Some(Value::Array(values)) = part.get("enum") {
        let mut kinds: Vec<&str> = Vec::new();
        values.iter().map(of).for_each(|kind| {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        });
        return match kinds[..] {
            [] => None,
            [one] => Some(one.into()),
            _ => Some(json!(kinds)),
        };
    }
    if let Some(value) = part.get("const").or_else(|| part.get("default").filter(|value| !value.is_null())) {
        return Some(of(value).into());
    }
    if has(&["pattern", "minLength", "maxLength", "format"]) {
        return Some("string".into());
    }
    has(&["minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"]).then(|| "number".into())
}

/// Joins a part into another that must hold at the same time.
fn join(into: &mut JsonObject, other: Value) {
    let Value::Object(other) = other else { return };
    for (key, value) in other {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(mine)), Value::Object(theirs)) if key == "properties" => {
                for (name, one) in theirs {
                    mine.entry(name).or_insert(one);
                }
            }
            (Some(Value::Array(mine)), Value::Array(theirs)) if key == "required" => {
                for name in theirs {
                    if !mine.contains(&name) {
                        mine.push(name);
                    }
                }
            }
            // What stands at the place itself counts.
            (Some(_), _) => {}
            (None, value) => drop(into.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(schema: Value) -> (Value, McpToolHealth) {
        let Value::Object(schema) = schema else { panic!() };
        let (schema, health) = normalise(&schema);
        (Value::Object(schema), health)
    }

    #[test]
    fn a_plain_schema_stays_as_it_is_and_is_closed() {
        let (schema, health) = run(json!({"type": "object", "title": "T", "properties":
            {"a": {"title": "A", "type": "integer"}, "b": {"default": 2, "type": "integer"}}, "required": ["a"]}));
        assert_eq!(
            schema,
            json!({"type": "object", "title": "T", "properties": {"a": {"title": "A", "type": "integer"},
                "b": {"default": 2, "type": "integer"}}, "required": ["a"], "additionalProperties": false})
        );
        assert_eq!(health, McpToolHealth { status: McpToolStatus::StrictCompliant, reasons: vec![] });
    }

    #[test]
    fn references_are_put_in_place_wherever_they_lead() {
        let (schema, health) = run(json!({
            "$schema": "x", "type": "object",
            "properties": {"who": {"$ref": "#/$defs/Person", "description": "whom"}, "list": {"items": {"$ref": "#/$defs/Place"}}},
            "$defs": {
                "Person": {"type": "object", "description": "a person", "additionalProperties": false,
                    "properties": {"home": {"$ref": "#/$defs/Place"}}},
                "Place": {"type": "string", "enum": ["here", "there"]},
            },
        }));
        let place = json!({"type": "string", "enum": ["here", "there"]});
        assert_eq!(
            schema,
            json!({"type": "object", "properties": {
                "who": {"type": "object", "description": "whom", "additionalProperties": false, "properties": {"home": place}},
                "list": {"items": place, "type": "array"}}, "additionalProperties": false})
        );
        assert_eq!(health.status, McpToolStatus::StrictCompliant, "{health:?}");
    }

    #[test]
    fn schemas_that_never_end_do() {
        let (schema, health) = run(json!({"type": "object", "properties": {"tree": {"$ref": "#/$defs/Node"}},
            "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}}}));
        assert_eq!(schema.pointer("/properties/tree/properties/next"), Some(&json!({"type": "object"})));
        assert_eq!(health.status, McpToolStatus::NonStrictOnly);
        // Each definition holds the next one twice: a thousand million parts, if nobody counted.
        let mut defs = JsonObject::new();
        for level in 0..30 {
            let next = json!({"$ref": format!("#/$defs/L{}", level + 1)});
            defs.insert(format!("L{level}"), json!({"type": "object", "properties": {"a": next, "b": next}}));
        }
        defs.insert("L30".into(), json!({"type": "string"}));
        let (_, health) = run(json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/L0"}}, "$defs": defs}));
        assert_eq!(health.status, McpToolStatus::Invalid, "{health:?}");
    }

    #[test]
    fn choices_and_missing_types_are_told_as_well_as_they_can_be() {
        let (schema, health) = run(json!({"properties": {
            "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "only": {"anyOf": [{"type": "integer"}], "description": "one"},
            "both": {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"properties": {"b": {"const": 1}}, "required": ["b"]}], "additionalProperties": false},
            "level": {"enum": ["low", "high"]},
            "any": {"description": "whatever"},
            "list": {"type": "array"},
            "free": {"type": "object"},
        }, "required": ["maybe", "gone"]}));
        assert_eq!(
            schema["properties"],
            json!({
                "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "only": {"description": "one", "type": "integer"},
                "both": {"additionalProperties": false, "type": "object", "properties":
                    {"a": {"type": "string"}, "b": {"const": 1, "type": "integer"}}, "required": ["a", "b"]},
                "level": {"enum": ["low", "high"], "type": "string"},
                "any": {"description": "whatever"},
                "list": {"type": "array", "items": {}},
                "free": {"type": "object"},
            })
        );
        assert_eq!(schema["required"], json!(["maybe"]));
        let reasons = health.reasons.join("; ");
        assert_eq!(health.status, McpToolStatus::NonStrictOnly);
        for part in ["any has no type", "list does not say", "free takes properties"] {
            assert!(reasons.contains(part), "{reasons}");
        }
    }

    #[test]
    fn what_no_provider_takes_is_invalid_with_the_reason() {
        for (schema, part) in [
            (json!({"type": "string"}), "no object"),
            (
                json!({"type": "object", "properties": {"a": {"$ref": "http://x/y.json"}}}),
                "a refers to what is not there",
            ),
            (json!({"type": "object", "properties": {"a": 7}}), "a is no schema"),
            (json!({"type": "object", "properties": {"a": {"enum": []}}}), "a allows no value"),
        ] {
            let (_, health) = run(schema);
            assert_eq!(health.status, McpToolStatus::Invalid);
            assert!(health.reasons.iter().any(|reason| reason.contains(part)), "{health:?}");
        }
        let (schema, health) = run(json!({"oneOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}]}));
        assert_eq!(health.status, McpToolStatus::NonStrictOnly);
        assert_eq!(schema["properties"], json!({"a": {"type": "string"}, "b": {"type": "string"}}));
        assert_eq!(run(json!({})).0, json!({"type": "object", "properties": {}, "additionalProperties": false}));
    }
}
