//! Types to JSON Schema.

use serde_json::{Value, json};

use super::{
    declarations::{Declarations, TypeSource},
    tokens::{Token, Tokens},
};
use crate::{
    Object, SourceError,
    budget::{Budget, MAX_DEPTH},
};

/// Most dimensions of an array.
const MAX_ARRAYS: usize = 3;

/// Why a type gives no schema.
#[derive(Debug)]
pub enum Refusal {
    /// A type that JSON cannot fill.
    Type(String),
    /// Whatever the parameter is.
    Source(SourceError),
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// What a type says.
#[derive(Debug, Default)]
pub struct Found {
    /// The schema of its values.
    pub schema: Object,
    /// Whether there may be no value.
    pub undefined: bool,
}

impl Found {
    fn of(schema: Value) -> Self {
        let schema = if let Value::Object(schema) = schema { schema } else { Object::new() };
        Self { schema, undefined: false }
    }
}

pub type Read<T> = std::result::Result<T, Refusal>;

/// Reads the types of one file.
pub struct Types<'a, 's> {
    pub(super) declarations: &'a Declarations<'s>,
    pub(super) budget: Budget,
    pub(super) depth: usize,
    open: Vec<String>,
    /// Type parameters and what they mean where something is read now.
    pub(super) filled: Vec<(String, Object)>,
}

impl<'a, 's> Types<'a, 's> {
    /// A reader over the declarations of a file.
    pub fn new(declarations: &'a Declarations<'s>) -> Self {
        Self { declarations, budget: Budget::default(), depth: 0, open: Vec::new(), filled: Vec::new() }
    }

    /// The type that a text is.
    pub fn read_all(&mut self, text: &str) -> Read<Found> {
        let mut tokens = Tokens::new(text);
        let mut found = self.read(&mut tokens)?;
        // JSDoc has `string=` for what may be left out.
        found.undefined |= tokens.eat("=");
        match tokens.bump() {
            Token::End => Ok(found),
            other => Err(unexpected(other)),
        }
    }

    /// The type that comes next: a union of one or more.
    pub fn read(&mut self, tokens: &mut Tokens<'_>) -> Read<Found> {
        self.budget.spend(0)?;
        if self.depth >= MAX_DEPTH {
            return Err(SourceError::SchemaTooLarge.into());
        }
        self.depth += 1;
        tokens.eat("|");
        let mut members = Vec::new();
        let mut undefined = false;
        loop {
            match self.intersection(tokens)? {
                None => undefined = true,
                Some(schema) if members.contains(&schema) => {}
                Some(schema) => members.push(schema),
            }
            if !tokens.eat("|") {
                break;
            }
            self.budget.spend(0)?;
        }
        self.depth -= 1;
        Ok(Found { undefined, ..Found::of(merged(members)) })
    }

    /// One member of a union with its `[]`s; none for `undefined`.
    pub(super) fn member(&mut self, tokens: &mut Tokens<'_>) -> Read<Option<Value>> {
        let Some(mut schema) = self.primary(tokens)? else { return Ok(None) };
        let mut arrays = 0;
        while tokens.eat("[") {
            if !tokens.eat("]") {
                schema = self.part(&schema, tokens)?;
                continue;
            }
            arrays += 1;
            if arrays > MAX_ARRAYS {
                return Err(SourceError::SchemaTooLarge.into());
            }
            self.budget.spend(0)?;
            schema = json!({ "type": "array", "items": schema });
        }
        Ok(Some(schema))
    }

    fn primary(&mut self, tokens: &mut Tokens<'_>) -> Read<Option<Value>> {
        Ok(Some(match tokens.bump() {
            Token::Word("undefined" | "void") => return Ok(None),
            Token::Word("readonly") => return self.primary_once(tokens),
            Token::Word("keyof") => self.keys(tokens)?,
            Token::Word("typeof") => self.constants(tokens)?,
            Token::Word(name) => self.named(name, tokens)?,
            // A template that is filled in.
            Token::Text(text) if text.contains("${") && !text.contains('\\') => json!({ "type": "string" }),
            Token::Text(text) if !text.contains(['\\', '$']) => {
                self.budget.spend(text.len())?;
                json!({ "type": "string", "enum": [text] })
            }
            Token::Number(text) => json!({ "type": "number", "enum": [number(text, false)?] }),
            Token::Mark("-") => json!({ "type": "number", "enum": [negative(tokens)?] }),
            // What JSDoc has beside the types of TypeScript: anything, never null, or null.
            Token::Mark("*") => json!({}),
            Token::Mark("!") => self.inner(tokens)?,
            Token::Mark("?") => {
                let inner = self.inner(tokens)?;
                merged(vec![inner, json!({ "type": "null" })])
            }
            Token::Mark("{") => self.members(tokens)?,
            Token::Mark("(") => {
                let inner = self.read(tokens)?;
                if !tokens.eat(")") || tokens.peek() == Token::Mark("=>") {
                    return Err(unexpected(tokens.bump()));
                }
                Value::Object(inner.schema)
            }
            Token::Mark("[") => self.tuple(tokens)?,
            other => return Err(unexpected(other)),
        }))
    }

    fn primary_once(&mut self, tokens: &mut Tokens<'_>) -> Read<Option<Value>> {
        if tokens.peek() == Token::Word("readonly") {
            return Err(unexpected(tokens.bump()));
        }
        self.primary(tokens)
    }

    /// The type behind a word or mark that makes another of it.
    pub(super) fn inner(&mut self, tokens: &mut Tokens<'_>) -> Read<Value> {
        self.budget.spend(0)?;
        if self.depth >= MAX_DEPTH {
            return Err(SourceError::SchemaTooLarge.into());
        }
        self.depth += 1;
        let inner = self.primary(tokens)?;
        self.depth -= 1;
        Ok(inner.unwrap_or_else(|| json!({})))
    }

    fn named(&mut self, name: &str, tokens: &mut Tokens<'_>) -> Read<Value> {
        if let Some(schema) = self.filled_in(name)? {
            return Ok(schema);
        }
        if let Some(source) = self.declarations.enums.get(name) {
            return self.enumeration(&mut Tokens::new(source.0));
        }
        if let Some(source) = self.declarations.types.get(name).copied() {
            return self.declared(name, source, tokens);
        }
        if let Some(made) = self.utility(name, tokens)? {
            return Ok(made);
        }
        Ok(match name {
            "string" | "String" => json!({ "type": "string" }),
            "number" | "Number" => json!({ "type": "number" }),
            "boolean" | "Boolean" => json!({ "type": "boolean" }),
            "true" => json!({ "type": "boolean", "enum": [true] }),
            "false" => json!({ "type": "boolean", "enum": [false] }),
            "null" => json!({ "type": "null" }),
            "any" | "unknown" => json!({}),
            // JSDoc writes a record as `Object<string, number>`.
            "object" | "Object" => match self.generics(tokens)?.pop() {
                Some(values) => json!({ "type": "object", "additionalProperties": values.schema }),
                None => json!({ "type": "object" }),
            },
            "Date" | "URL" | "RegExp" | "bigint" | "Map" | "Set" | "Buffer" | "Uint8Array" => {
                let reason =
                    format!("JSON has no '{name}'; take a text, a number, an array or an object and make one of it");
                return Err(Refusal::Type(reason));
            }
            _ => {
                let mut name: String = name.chars().take(80).collect();
                if tokens.eat(".")
                    && let Token::Word(member) = tokens.peek()
                {
                    name.push('.');
                    name.extend(member.chars().take(80));
                }
                let reason = format!("the type '{name}' is neither built in nor declared in the source");
                return Err(Refusal::Type(reason));
            }
        })
    }

    /// A type of the file, with what stands between brackets behind its name filled in.
    fn declared(&mut self, name: &str, source: TypeSource<'_>, tokens: &mut Tokens<'_>) -> Read<Value> {
        let given = self.generics(tokens)?;
        if self.open.iter().any(|open| open == name) {
            // A type that contains itself: from here on anything goes.
            return Ok(json!({ "type": "object" }));
        }
        self.open.push(name.to_owned());
        let outer = std::mem::take(&mut self.filled);
        let mut tokens = Tokens::new(source.0);
        if tokens.eat("<") {
            self.type_parameters(&mut tokens, given)?;
            // Of an alias.
            tokens.eat("=");
        }
        let declared = match tokens.peek() {
            Token::Word("extends") => self.heir(&mut tokens)?,
            _ => Value::Object(self.read(&mut tokens)?.schema),
        };
        if tokens.peek() == Token::Word("extends") {
            return Err(Refusal::Type(format!("the type '{name}' depends on a condition")));
        }
        self.filled = outer;
        self.open.pop();
        Ok(declared)
    }

    /// `{ Red = "red", Blue = "blue" }`.
    fn enumeration(&mut self, tokens: &mut Tokens<'_>) -> Read<Value> {
        let mut values: Vec<Value> = Vec::new();
        let mut next = Some(0_i64);
        if !tokens.eat("{") {
            return Err(unexpected(tokens.bump()));
        }
        while !tokens.eat("}") {
            match tokens.bump() {
                Token::Word(_) | Token::Text(_) => {}
                other => return Err(unexpected(other)),
            }
            let value = match (tokens.eat("="), next) {
                (true, _) => constant(tokens)?,
                (false, Some(number)) => number.into(),
                (false, None) => return Err(Refusal::Type("a member of its enum has no value".into())),
            };
            next = value.as_i64().and_then(|number| number.checked_add(1));
            self.budget.spend(value.as_str().map_or(0, str::len))?;
            values.push(value);
            if !tokens.eat(",") && tokens.peek() != Token::Mark("}") {
                return Err(unexpected(tokens.bump()));
            }
        }
        let texts = values.iter().filter(|value| value.is_string()).count();
        match texts {
            _ if values.is_empty() => Err(Refusal::Type("its enum has no members".into())),
            0 => Ok(json!({ "type": "number", "enum": values })),
            all if all == values.len() => Ok(json!({ "type": "string", "enum": values })),
            _ => Ok(json!({ "enum": values })),
        }
    }

    /// `<A, B>`, or nothing. JSDoc may have a dot before it.
    pub(super) fn generics(&mut self, tokens: &mut Tokens<'_>) -> Read<Vec<Found>> {
        let mut found = Vec::new();
        let dotted = tokens.eat(".");
        if !tokens.eat("<") {
            return if dotted { Err(unexpected(tokens.bump())) } else { Ok(found) };
        }
        loop {
            found.push(self.read(tokens)?);
            if tokens.eat(">") {
                return Ok(found);
            }
            if !tokens.eat(",") {
                return Err(unexpected(tokens.bump()));
            }
        }
    }

    fn tuple(&mut self, tokens: &mut Tokens<'_>) -> Read<Value> {
        let mut members = Vec::new();
        let mut length = 0;
        while !tokens.eat("]") {
            let member = Value::Object(self.read(tokens)?.schema);
            length += 1;
            if !members.contains(&member) {
                members.push(member);
            }
            if !tokens.eat(",") && tokens.peek() != Token::Mark("]") {
                return Err(unexpected(tokens.bump()));
            }
        }
        Ok(json!({ "type": "array", "items": merged(members), "minItems": length, "maxItems": length }))
    }
}

/// The schema of a union. Literals of one type become one list of values.
pub fn merged(mut members: Vec<Value>) -> Value {
    if members.len() == 1 {
        return members.pop().unwrap_or_default();
    }
    let kind = members.first().and_then(|first| first.get("type")).cloned();
    let values: Option<Vec<Vec<Value>>> = members
        .iter()
        .map(|member| {
            let is_same = member.get("type") == kind.as_ref();
            member.get("enum")?.as_array().filter(|_| is_same).cloned()
        })
        .collect();
    match (values, kind) {
        (Some(values), Some(kind)) => {
            let mut each: Vec<Value> = Vec::new();
            for value in values.concat() {
                if !each.contains(&value) {
                    each.push(value);
                }
            }
            json!({ "type": kind, "enum": each })
        }
        _ if members.is_empty() || members.contains(&json!({})) => json!({}),
        _ => json!({ "anyOf": members }),
    }
}

/// The value of a member of an enum or a list.
pub fn constant(tokens: &mut Tokens<'_>) -> Read<Value> {
    if tokens.eat("-") {
        return negative(tokens);
    }
    match tokens.bump() {
        Token::Text(text) if !text.contains(['\\', '$']) => Ok(text.into()),
        Token::Number(text) => number(text, false),
        other => Err(unexpected(other)),
    }
}

/// The number behind a minus.
fn negative(tokens: &mut Tokens<'_>) -> Read<Value> {
    match tokens.bump() {
        Token::Number(text) => number(text, true),
        other => Err(unexpected(other)),
    }
}

/// A number as it is written.
fn number(text: &str, negative: bool) -> Read<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(if negative { -whole } else { whole }.into());
    }
    let fraction = text.parse::<f64>().ok().map(|number| if negative { -number } else { number });
    let fraction = fraction.and_then(serde_json::Number::from_f64);
    fraction.map(Value::Number).ok_or_else(|| unexpected(Token::Number(text)))
}

pub fn unexpected(token: Token<'_>) -> Refusal {
    Refusal::Type(format!("{token} was not expected in its type"))
}
