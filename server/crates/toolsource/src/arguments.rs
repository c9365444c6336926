//! A given JSON Schema of the arguments: references are replaced by what they refer to, because not every model
//! provider follows them, and titles go, because they only repeat names.

use serde_json::Value;

use crate::{
    Object, Result, SourceError,
    budget::{Budget, MAX_DEPTH},
    object,
};

/// Keywords whose value is a schema.
const SCHEMA: [&str; 6] = ["items", "additionalProperties", "not", "contains", "propertyNames", "unevaluatedItems"];
/// Keywords whose value is a list of schemas.
const SCHEMAS: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
/// Keywords whose value names schemas.
const NAMED: [&str; 2] = ["properties", "patternProperties"];

/// The `parameters` of a tool whose author gives this schema.
///
/// # Errors
/// When it is not of an object, refers to what is not there, or is too large.
pub fn inline(schema: &Object) -> Result<Value> {
    if schema.get("type").is_some_and(|kind| kind != "object") {
        return Err(SourceError::Arguments("its type has to be object".into()));
    }
    let mut walk = Walk { root: schema, budget: Budget::default(), open: Vec::new() };
    let mut flat = walk.object(schema, 0)?;
    let properties = match flat.remove("properties") {
        None => Object::new(),
        Some(Value::Object(properties)) => properties,
        Some(_) => return Err(SourceError::Arguments("its properties have to be an object".into())),
    };
    let required = match flat.remove("required") {
        None => Vec::new(),
        Some(Value::Array(names)) if names.iter().all(|name| is_property(&properties, name)) => names,
        Some(_) => return Err(SourceError::Arguments("required has to list some of its properties".into())),
    };
    Ok(object(properties, required))
}

fn is_property(properties: &Object, name: &Value) -> bool {
    name.as_str().is_some_and(|name| properties.contains_key(name))
}

struct Walk<'a> {
    root: &'a Object,
    budget: Budget,
    /// References being replaced right now.
    open: Vec<String>,
}

impl Walk<'_> {
    fn schema(&mut self, schema: &Value, depth: usize) -> Result<Value> {
        match schema {
            Value::Object(schema) => self.object(schema, depth).map(Value::Object),
            // `true` and `false` are schemas too.
            other => Ok(other.clone()),
        }
    }

    fn object(&mut self, schema: &Object, depth: usize) -> Result<Object> {
        if depth > MAX_DEPTH {
            return Err(SourceError::SchemaTooLarge);
        }
        self.budget.spend(0)?;
        let mut flat = Object::new();
        if let Some(reference) = schema.get("$ref") {
            flat = self.referred(reference, depth)?;
        }
        for (key, value) in schema {
            self.budget.spend(key.len())?;
            let value = match (key.as_str(), value) {
                ("$ref" | "$defs" | "definitions" | "title" | "$schema" | "$id", _) => continue,
                (key, Value::Array(parts)) if SCHEMAS.contains(&key) => {
                    parts.iter().map(|part| self.schema(part, depth + 1)).collect::<Result<_>>()?
                }
                (key, Value::Object(named)) if NAMED.contains(&key) => {
                    let each = named.iter().map(|(name, part)| {
                        self.budget.spend(name.len())?;
                        Ok((name.clone(), self.schema(part, depth + 1)?))
                    });
                    Value::Object(each.collect::<Result<_>>()?)
                }
                (key, value) if SCHEMA.contains(&key) => self.schema(value, depth + 1)?,
                (_, value) => {
                    self.budget.spend(size(value, 0)?)?;
                    value.clone()
                }
            };
            flat.insert(key.clone(), value);
        }
        Ok(unwrapped(flat))
    }

    fn referred(&mut self, reference: &Value, depth: usize) -> Result<Object> {
        let reference = reference.as_str().unwrap_or_default();
        let unknown = || SourceError::Arguments(format!("it has nothing at {reference:?}"));
        let (place, name) = reference.strip_prefix("#/").and_then(|path| path.split_once('/')).ok_or_else(unknown)?;
        let target = self.root.get(place).and_then(|defs| defs.get(name)).and_then(Value::as_object);
        let target = target.ok_or_else(unknown)?;
        if self.open.iter().any(|open| open == reference) {
            // A type that contains itself: from here on anything goes.
            return Ok(Object::from_iter([("type".to_owned(), "object".into())]));
        }
        self.open.push(reference.to_owned());
        let flat = self.object(target, depth + 1);
        self.open.pop();
        flat
    }
}

/// An `allOf` of one schema is how a reference with a description is written.
fn unwrapped(mut schema: Object) -> Object {
    let single = schema.get("allOf").and_then(Value::as_array).filter(|parts| parts.len() == 1);
    let Some(Value::Object(mut inner)) = single.and_then(|parts| parts.first()).cloned() else { return schema };
    schema.remove("allOf");
    inner.extend(schema);
    inner
}

/// How deep a value that is no schema, such as a default, may nest.
const MAX_VALUE_DEPTH: usize = 16;

/// Bytes of a value, roughly.
fn size(value: &Value, depth: usize) -> Result<usize> {
    if depth > MAX_VALUE_DEPTH {
        return Err(SourceError::SchemaTooLarge);
    }
    let mut sum = 0;
    match value {
        Value::String(text) => sum += text.len(),
        Value::Array(items) => {
            for item in items {
                sum += 2 + size(item, depth + 1)?;
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                sum += 4 + key.len() + size(field, depth + 1)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => sum += 8,
    }
    Ok(sum)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(schema: Value) -> Result<Value> {
        inline(schema.as_object().unwrap())
    }

    #[test]
    fn references_are_replaced_and_titles_go() {
        let schema = json!({
            "title": "Plan", "type": "object", "required": ["steps"],
            "$defs": { "Step": {
                "title": "Step", "type": "object", "required": ["title"],
                "properties": { "title": { "title": "Title", "type": "string", "description": "Its name." } },
            } },
            "properties": {
                "steps": { "title": "Steps", "type": "array", "items": { "$ref": "#/$defs/Step" } },
                "last": { "allOf": [{ "$ref": "#/$defs/Step" }], "description": "The end.", "default": null },
            },
        });
        let step = json!({
            "type": "object", "required": ["title"],
            "properties": { "title": { "type": "string", "description": "Its name." } },
        });
        let mut last = step.clone();
        last["description"] = "The end.".into();
        last["default"] = Value::Null;
        let expected = json!({
            "type": "object", "required": ["steps"],
            "properties": { "steps": { "type": "array", "items": step }, "last": last },
        });
        assert_eq!(given(schema).unwrap(), expected);
    }

    #[test]
    fn a_type_that_contains_itself_ends() {
        let node = json!({ "type": "object", "properties": { "next": { "$ref": "#/$defs/Node" } } });
        let schema = json!({ "$defs": { "Node": node }, "properties": { "root": { "$ref": "#/$defs/Node" } } });
        let root = json!({ "type": "object", "properties": { "next": { "type": "object" } } });
        assert_eq!(given(schema).unwrap()["properties"]["root"], root);
    }

    #[test]
    fn types_that_multiply_are_refused() {
        let mut defs = Object::new();
        for level in 0..20 {
            let next = json!({ "$ref": format!("#/$defs/L{}", level + 1) });
            let fields: Object = (0..10).map(|n| (format!("f{n}"), next.clone())).collect();
            defs.insert(format!("L{level}"), json!({ "type": "object", "properties": fields }));
        }
        defs.insert("L20".into(), json!({ "type": "string" }));
        let schema = json!({ "$defs": defs, "properties": { "root": { "$ref": "#/$defs/L0" } } });
        assert_eq!(given(schema), Err(SourceError::SchemaTooLarge));
    }

    #[test]
    fn values_that_nest_without_end_are_refused() {
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        let schema = json!({ "properties": { "a": { "type": "array", "default": deep } } });
        assert_eq!(given(schema), Err(SourceError::SchemaTooLarge));
    }

    #[test]
    fn nonsense_is_refused() {
        for schema in [
            json!({ "type": "string" }),
            json!({ "properties": [] }),
            json!({ "properties": {}, "required": ["a"] }),
            json!({ "properties": { "a": { "$ref": "#/$defs/None" } } }),
            json!({ "properties": { "a": { "$ref": "elsewhere.json" } } }),
            json!({ "properties": { "a": { "$ref": 7 } } }),
        ] {
            assert!(matches!(given(schema.clone()), Err(SourceError::Arguments(_))), "{schema}");
        }
    }
}
