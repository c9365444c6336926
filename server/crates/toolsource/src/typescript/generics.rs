//! Type parameters: those of functions, whose callers are models, and those of interfaces and aliases, which are filled in.

use serde_json::Value;

use super::{
    tokens::{Token, Tokens},
    types::{Found, Read, Types, unexpected},
};
use crate::{Object, budget::weight};

impl Types<'_, '_> {
    /// `<A, B extends C = D>` after its first bracket. Each parameter means what is given for it; for the rest, its default
    /// or the bound of it. A function's own have the bound first: a model may send whatever the bound allows.
    pub(super) fn type_parameters(&mut self, tokens: &mut Tokens<'_>, given: Vec<Found>) -> Read<()> {
        let is_function = given.is_empty();
        let mut given = given.into_iter();
        while !tokens.eat(">") {
            let name = match tokens.bump() {
                Token::Word("const" | "in" | "out") if matches!(tokens.peek(), Token::Word(_)) => continue,
                Token::Word(name) => name,
                other => return Err(unexpected(other)),
            };
            let bound = match tokens.peek() == Token::Word("extends") {
                true => {
                    tokens.bump();
                    Some(self.read(tokens)?.schema)
                }
                false => None,
            };
            let default = if tokens.eat("=") { Some(self.read(tokens)?.schema) } else { None };
            let otherwise = if is_function { bound.or(default) } else { default.or(bound) };
            let meaning = given.next().map(|found| found.schema).or(otherwise).unwrap_or_default();
            self.filled.push((name.to_owned(), meaning));
            if !tokens.eat(",") && tokens.peek() != Token::Mark(">") {
                return Err(unexpected(tokens.bump()));
            }
        }
        Ok(())
    }

    /// What a type parameter means here; none when the name is no such one.
    pub(super) fn filled_in(&mut self, name: &str) -> Read<Option<Value>> {
        let found = self.filled.iter().rev().find(|(known, _)| known == name);
        let Some(schema) = found.map(|(_, schema)| schema.clone()) else { return Ok(None) };
        self.pay(&schema)?;
        Ok(Some(Value::Object(schema)))
    }

    /// Pays for another copy of a schema: types that use each other's parameters multiply.
    pub(super) fn pay(&mut self, schema: &Object) -> Read<()> {
        let cost = weight(schema, 2 * self.depth)?;
        Ok(self.budget.spend(cost)?)
    }
}
