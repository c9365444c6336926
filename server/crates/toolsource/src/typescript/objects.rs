//! Types of objects: their members, what they inherit, and several of them at once.

use serde_json::{Value, json};

use super::{
    jsdoc::JsDoc,
    tokens::{Token, Tokens},
    types::{Read, Refusal, Types, unexpected},
};
use crate::{Object, SourceError, budget::MAX_DEPTH};

impl Types<'_, '_> {
    /// One or more types that hold at once; none for `undefined`.
    pub(super) fn intersection(&mut self, tokens: &mut Tokens<'_>) -> Read<Option<Value>> {
        let mut whole = self.member(tokens)?;
        while tokens.eat("&") {
            self.budget.spend(0)?;
            whole = match (whole, self.member(tokens)?) {
                (Some(one), Some(other)) => Some(both(one, other)?),
                _ => None,
            };
        }
        Ok(whole)
    }

    /// `extends A, B { … }`: the members of an interface with those that it inherits.
    pub(super) fn heir(&mut self, tokens: &mut Tokens<'_>) -> Read<Value> {
        if self.depth >= MAX_DEPTH {
            return Err(SourceError::SchemaTooLarge.into());
        }
        self.depth += 1;
        tokens.bump();
        let mut inherited: Option<Value> = None;
        while let Some(next) = self.member(tokens)? {
            self.budget.spend(0)?;
            inherited = Some(match inherited {
                None => next,
                Some(before) => both(before, next)?,
            });
            if !tokens.eat(",") {
                break;
            }
        }
        if !tokens.eat("{") {
            return Err(unexpected(tokens.bump()));
        }
        let own = self.members(tokens)?;
        self.depth -= 1;
        match inherited {
            Some(inherited) => both(inherited, own),
            None => Ok(own),
        }
    }

    /// The inside of `{ name: string; age?: number }`. A JSDoc comment before a member describes it.
    pub(super) fn members(&mut self, tokens: &mut Tokens<'_>) -> Read<Value> {
        let mut properties = Object::new();
        let mut required = Vec::new();
        let mut doc: Option<&str> = None;
        while !tokens.eat("}") {
            doc = tokens.doc().or(doc);
            let name = match tokens.bump() {
                Token::Word("readonly") if !matches!(tokens.peek(), Token::Mark(":" | "?")) => continue,
                Token::Word(name) | Token::Text(name) => name,
                Token::Mark("[") => return self.index_signature(tokens),
                other => return Err(unexpected(other)),
            };
            let optional = tokens.eat("?");
            if !tokens.eat(":") {
                return Err(unexpected(tokens.bump()));
            }
            self.budget.spend(name.len())?;
            let mut found = self.read(tokens)?;
            if let Some(comment) = doc.take() {
                self.budget.spend(comment.len())?;
                let text = JsDoc::parse(comment).description;
                if !text.is_empty() {
                    found.schema.insert("description".into(), text.into());
                }
            }
            if !optional && !found.undefined {
                required.push(Value::from(name));
            }
            properties.insert(name.to_owned(), Value::Object(found.schema));
            // A line break separates members as well as these do.
            let _separated = tokens.eat(";") || tokens.eat(",");
        }
        Ok(crate::object(properties, required))
    }

    /// The inside of `{ [key: string]: number }` after its first bracket.
    fn index_signature(&mut self, tokens: &mut Tokens<'_>) -> Read<Value> {
        tokens.bump();
        if !tokens.eat(":") {
            return Err(unexpected(tokens.bump()));
        }
        self.read(tokens)?;
        if !tokens.eat("]") || !tokens.eat(":") {
            return Err(unexpected(tokens.bump()));
        }
        let values = self.read(tokens)?;
        let _separated = tokens.eat(";") || tokens.eat(",");
        if !tokens.eat("}") {
            return Err(unexpected(tokens.bump()));
        }
        Ok(json!({ "type": "object", "additionalProperties": values.schema }))
    }
}

/// The schema of what is both. Members that both have are those of the second.
fn both(one: Value, other: Value) -> Read<Value> {
    // `string & {}` is how an editor is told to propose more than a text.
    let is_anything = |schema: &Value| {
        let members = schema.get("properties").and_then(Value::as_object);
        members.is_some_and(Object::is_empty)
    };
    if is_anything(&other) {
        return Ok(one);
    }
    if is_anything(&one) {
        return Ok(other);
    }
    let parts = |schema: Value| match schema {
        Value::Object(mut schema) => match (schema.remove("properties"), schema.remove("required")) {
            (Some(Value::Object(properties)), required) => Some((properties, required)),
            _ => None,
        },
        _ => None,
    };
    let (Some((mut properties, one)), Some((more, other))) = (parts(one), parts(other)) else {
        return Err(Refusal::Type("only objects with known members can be intersected or extended".into()));
    };
    let names = |required: Option<Value>| match required {
        Some(Value::Array(names)) => names,
        _ => Vec::new(),
    };
    let mut required = names(one);
    required.retain(|name| name.as_str().is_some_and(|name| !more.contains_key(name)));
    required.extend(names(other));
    properties.extend(more);
    Ok(crate::object(properties, required))
}
