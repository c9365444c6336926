//! Types that TypeScript makes of others: `Partial`, `Pick`, `Omit`, `Record`, `keyof`, `T["member"]` and the like.

use serde_json::{Value, json};

use super::{
    tokens::{Token, Tokens},
    types::{Read, Refusal, Types, merged, unexpected},
};
use crate::Object;

impl Types<'_, '_> {
    /// What one of TypeScript's own generic types makes of those between its brackets; none for other names.
    pub(super) fn utility(&mut self, name: &str, tokens: &mut Tokens<'_>) -> Read<Option<Value>> {
        let known = [
            "Array",
            "ReadonlyArray",
            "Record",
            "Readonly",
            "Partial",
            "Required",
            "Pick",
            "Omit",
            "Exclude",
            "Extract",
            "NonNullable",
        ];
        if !known.contains(&name) {
            return Ok(None);
        }
        let mut given = self.generics(tokens)?.into_iter().map(|found| found.schema);
        let (mut first, second) = (given.next().unwrap_or_default(), given.next().unwrap_or_default());
        let made = match name {
            "Array" | "ReadonlyArray" => json!({ "type": "array", "items": first }),
            "Record" => self.record(&first, second)?,
            "Partial" => {
                first.remove("required");
                Value::Object(first)
            }
            "Required" => {
                let names = members(name, &first)?.keys().map(|member| member.as_str().into()).collect();
                first.insert("required".into(), Value::Array(names));
                Value::Object(first)
            }
            "Pick" | "Omit" => chosen(name, first, &second)?,
            "Exclude" | "Extract" => {
                let (values, others) = (literals(name, &first)?, literals(name, &second)?);
                let mut values = values.clone();
                values.retain(|value| others.contains(value) == (name == "Extract"));
                if values.is_empty() {
                    return Err(Refusal::Type(format!("its '{name}' leaves nothing")));
                }
                first.insert("enum".into(), Value::Array(values));
                Value::Object(first)
            }
            "NonNullable" => match first.remove("anyOf") {
                Some(Value::Array(mut kinds)) => {
                    kinds.retain(|kind| kind.get("type").is_none_or(|kind| kind != "null"));
                    merged(kinds)
                }
                _ => Value::Object(first),
            },
            _ => Value::Object(first),
        };
        Ok(Some(made))
    }

    /// `Record<Keys, Values>`: a member for each key when they are known.
    fn record(&mut self, keys: &Object, values: Object) -> Read<Value> {
        let Some(names) = keys.get("enum").and_then(Value::as_array) else {
            return Ok(json!({ "type": "object", "additionalProperties": values }));
        };
        let mut properties = Object::new();
        for name in names.iter().filter_map(Value::as_str) {
            self.pay(&values)?;
            properties.insert(name.to_owned(), Value::Object(values.clone()));
        }
        let required = properties.keys().map(|name| name.as_str().into()).collect();
        Ok(crate::object(properties, required))
    }

    /// `keyof T` after its word.
    pub(super) fn keys(&mut self, tokens: &mut Tokens<'_>) -> Read<Value> {
        let inner = self.inner(tokens)?;
        match inner.get("properties").and_then(Value::as_object) {
            Some(members) if !members.is_empty() => {
                let names: Vec<&String> = members.keys().collect();
                Ok(json!({ "type": "string", "enum": names }))
            }
            _ => Ok(json!({ "type": "string" })),
        }
    }

    /// `typeof NAMES` after its word: the type of a list of constants.
    pub(super) fn constants(&mut self, tokens: &mut Tokens<'_>) -> Read<Value> {
        let name = match tokens.bump() {
            Token::Word(name) => name,
            other => return Err(unexpected(other)),
        };
        let unreadable = || {
            let name: String = name.chars().take(80).collect();
            Refusal::Type(format!("'typeof {name}' is not the type of a list of texts or numbers in the source"))
        };
        let source = self.declarations.arrays.get(name).ok_or_else(unreadable)?;
        let mut list = Tokens::new(source.0);
        let mut items = Vec::new();
        while !list.eat("]") {
            let value = super::types::constant(&mut list).map_err(|_| unreadable())?;
            self.budget.spend(value.as_str().map_or(0, str::len))?;
            let kind = if value.is_string() { "string" } else { "number" };
            items.push(json!({ "type": kind, "enum": [value] }));
            if !list.eat(",") && list.peek() != Token::Mark("]") {
                return Err(unreadable());
            }
        }
        Ok(json!({ "type": "array", "items": merged(items) }))
    }

    /// `T["member"]` and `T[number]` after the first bracket.
    pub(super) fn part(&mut self, whole: &Value, tokens: &mut Tokens<'_>) -> Read<Value> {
        let wanted = tokens.bump();
        let part = match wanted {
            Token::Text(member) => whole.get("properties").and_then(|members| members.get(member)),
            Token::Word("number") => whole.get("items"),
            _ => None,
        };
        let part = part.cloned().ok_or_else(|| unexpected(wanted))?;
        if tokens.eat("]") { Ok(part) } else { Err(unexpected(tokens.bump())) }
    }
}

/// `Pick<T, Names>` and `Omit<T, Names>`.
fn chosen(utility: &str, mut whole: Object, names: &Object) -> Read<Value> {
    let names = literals(utility, names)?.clone();
    members(utility, &whole)?;
    let stays = |member: &str| names.iter().any(|name| name == member) == (utility == "Pick");
    if let Some(Value::Object(properties)) = whole.get_mut("properties") {
        properties.retain(|member, _| stays(member));
    }
    if let Some(Value::Array(required)) = whole.get_mut("required") {
        required.retain(|member| member.as_str().is_some_and(stays));
    }
    Ok(Value::Object(whole))
}

/// The members of an object.
fn members<'t>(utility: &str, whole: &'t Object) -> Read<&'t Object> {
    let members = whole.get("properties").and_then(Value::as_object);
    members.ok_or_else(|| Refusal::Type(format!("'{utility}' needs an object with known members")))
}

/// The values of a union of literals.
fn literals<'t>(utility: &str, union: &'t Object) -> Read<&'t Vec<Value>> {
    let values = union.get("enum").and_then(Value::as_array);
    values.ok_or_else(|| Refusal::Type(format!("'{utility}' needs literal names such as \"a\" | \"b\"")))
}
