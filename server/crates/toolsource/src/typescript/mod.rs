//! TypeScript and JavaScript: the tool is the last exported function at the top of the file, or the last function
//! when none is exported. One that is declared (`function f`) goes before one that is bound to a name (`const f = …`).
//! What is exported by default may have no name; the tool's is then whatever its author says beside the source.
//! Its types come from its parameters, or from JSDoc where it has none; its texts from JSDoc.
//!
//! Only declarations that begin a line are read, and of them only the signature. The body is not looked at, but for the
//! JSDoc comment that it may begin with.

mod bound;
mod declarations;
mod generics;
mod jsdoc;
mod objects;
mod tokens;
mod types;
mod utilities;

use declarations::{ANONYMOUS, Declarations, Function};
use jsdoc::{DocParameter, JsDoc};
use serde_json::Value;
use tokens::{Token, Tokens};
use types::{Found, Types};

use crate::{Given, Object, Result, Signature, SourceError, object};

/// Parameters that the server or the language fills; the model never sees them.
const RESERVED: [&str; 3] = ["agentState", "agent_state", "this"];

/// What errors call a parameter without a name.
const PATTERN: &str = "{}";
const NOT_ALONE: &str = "a destructured parameter takes all arguments, so there can be no other";

/// The signature of the tool in a source. `arguments` replaces what the parameters would give.
pub fn derive(source: &str, given: Given<'_>, arguments: Option<Value>) -> Result<Signature> {
    let declarations = Declarations::of(source);
    let function = tool(&declarations)?;
    let name = match function.name {
        ANONYMOUS => given.name.ok_or(SourceError::Nameless)?,
        name => name,
    };
    let name = name.to_owned();
    let doc = JsDoc::parse(function.doc.or_else(|| doc_inside(function.rest)).unwrap_or_default());
    let summary = || given.arguments?.get("description")?.as_str();
    let described = [given.description, Some(doc.description.as_str()), summary()];
    let description = described.into_iter().flatten().map(str::trim).find(|text| !text.is_empty());
    let Some(description) = description.map(str::to_owned) else {
        return Err(SourceError::Undocumented { function: name });
    };
    let parameters = match arguments {
        Some(arguments) => arguments,
        None => Reader { function, name: &name, doc: &doc, types: Types::new(&declarations) }.parameters()?,
    };
    Ok(Signature { name, description, parameters })
}

/// The JSDoc comment that a function's body begins with, where authors put it who know docstrings. `rest` begins with the
/// parameters.
fn doc_inside(rest: &str) -> Option<&str> {
    let mut tokens = Tokens::new(rest);
    let mut last = Token::End;
    loop {
        let token = tokens.bump();
        match (token, last) {
            (Token::End | Token::Mark(";"), _) => return None,
            (Token::Mark("(" | "["), _) => tokens.skip_bracket(),
            // A part of a type, not the body.
            (Token::Mark("{"), Token::Mark(":" | "|" | "&" | "<" | ",") | Token::Word("extends")) => {
                tokens.skip_bracket();
            }
            (Token::Mark("{"), _) => {
                tokens.peek();
                return tokens.doc();
            }
            _ => {}
        }
        last = token;
    }
}

/// The name of the function that is the tool.
pub fn entry_point(source: &str) -> Result<String> {
    Ok(tool(&Declarations::of(source))?.name.to_owned())
}

fn tool<'a, 's>(declarations: &'a Declarations<'s>) -> Result<&'a Function<'s>> {
    let functions = declarations.functions.iter().enumerate();
    let tool = functions.max_by_key(|(at, function)| (function.exported, function.declared, *at));
    tool.map(|(_, function)| function).ok_or(SourceError::NoFunction {
        expected: "the last exported function that begins a line of the file is the tool, such as `export function f` or \
                   `export const f = (…) => …`",
    })
}

/// Reads the parameters of a function.
struct Reader<'a, 's> {
    function: &'a Function<'s>,
    /// What the tool is called.
    name: &'a str,
    doc: &'a JsDoc,
    types: Types<'a, 's>,
}

/// The parameters of a function so far.
#[derive(Default)]
struct Parameters {
    properties: Object,
    required: Vec<Value>,
    /// Whether they are the members of one parameter.
    is_whole: bool,
}

impl Reader<'_, '_> {
    fn refuse(&self, parameter: &str, reason: impl Into<String>) -> SourceError {
        let (function, parameter) = (self.name.to_owned(), parameter.to_owned());
        SourceError::Parameter { function, parameter, reason: reason.into() }
    }

    fn parameters(&mut self) -> Result<Value> {
        let mut tokens = Tokens::new(self.function.rest);
        let mut found = Parameters::default();
        if tokens.eat("<") {
            let read = self.types.type_parameters(&mut tokens, Vec::new());
            read.map_err(|refusal| self.refused("<>", refusal))?;
        }
        if !tokens.eat("(") {
            // `word => …`
            return match tokens.bump() {
                Token::Word(name) if tokens.peek() == Token::Mark("=>") => {
                    self.add(name, &mut tokens, &mut found)?;
                    Ok(object(found.properties, found.required))
                }
                other => Err(self.refuse("?", format!("a name was expected, not {other}"))),
            };
        }
        while !tokens.eat(")") {
            let name = match tokens.bump() {
                Token::Word(name) => {
                    self.add(name, &mut tokens, &mut found)?;
                    name
                }
                Token::Mark("{") => {
                    self.pattern(&mut tokens, &mut found)?;
                    PATTERN
                }
                Token::Mark("[") => return Err(self.refuse("[]", "a destructured array cannot be filled by name")),
                Token::Mark("...") => {
                    return Err(self.refuse("...", "a tool's arguments have to be known; use an array"));
                }
                other => return Err(self.refuse("?", format!("a name was expected, not {other}"))),
            };
            if !tokens.eat(",") && tokens.peek() != Token::Mark(")") {
                let unexpected = tokens.bump();
                return Err(self.refuse(name, format!("',' or ')' was expected, not {unexpected}")));
            }
        }
        Ok(object(found.properties, found.required))
    }

    /// Reads a parameter whose name was read.
    fn add(&mut self, name: &str, tokens: &mut Tokens<'_>, found: &mut Parameters) -> Result<()> {
        if RESERVED.contains(&name) {
            tokens.skip_parameter();
            return Ok(());
        }
        if found.is_whole {
            return Err(self.refuse(PATTERN, NOT_ALONE));
        }
        let (schema, optional) = self.parameter(name, tokens)?;
        found.properties.insert(name.to_owned(), Value::Object(schema));
        if !optional {
            found.required.push(name.into());
        }
        Ok(())
    }

    /// Reads `{ a, b }: Type` after its first bracket. The members of the type are the tool's arguments: the runtime
    /// passes all of them to a parameter without a name.
    fn pattern(&mut self, tokens: &mut Tokens<'_>, found: &mut Parameters) -> Result<()> {
        if found.is_whole || !found.properties.is_empty() {
            return Err(self.refuse(PATTERN, NOT_ALONE));
        }
        tokens.skip_bracket();
        let mut schema = if tokens.eat(":") {
            self.types.read(tokens).map_err(|refusal| self.refused(PATTERN, refusal))?.schema
        } else {
            let doc = self.doc;
            let documented = match doc.whole() {
                Some(whole) => self.documented(whole, PATTERN)?,
                None => None,
            };
            documented.ok_or_else(|| self.refuse(PATTERN, "a destructured parameter needs a type"))?.schema
        };
        if tokens.eat("=") {
            tokens.skip_expression();
        }
        let Some(Value::Object(mut properties)) = schema.remove("properties") else {
            return Err(self.refuse(PATTERN, "a destructured parameter needs a type with known members"));
        };
        for (name, property) in &mut properties {
            if let (Some(text), Some(property)) = (self.doc.member(name), property.as_object_mut()) {
                property.insert("description".into(), text.into());
            }
        }
        let required = match schema.remove("required") {
            Some(Value::Array(required)) => required,
            _ => Vec::new(),
        };
        *found = Parameters { properties, required, is_whole: true };
        Ok(())
    }

    fn refused(&self, name: &str, refusal: types::Refusal) -> SourceError {
        match refusal {
            types::Refusal::Type(reason) => self.refuse(name, reason),
            types::Refusal::Source(error) => error,
        }
    }

    /// The schema of a parameter, and whether it may be left out.
    fn parameter(&mut self, name: &str, tokens: &mut Tokens<'_>) -> Result<(Object, bool)> {
        let doc = self.doc.parameter(name);
        let mut optional = tokens.eat("?") || doc.is_some_and(|doc| doc.optional);
        let mut found = if tokens.eat(":") {
            self.types.read(tokens).map_err(|refusal| self.refused(name, refusal))?
        } else {
            let documented = match doc {
                Some(doc) => self.documented(doc, name)?,
                None => None,
            };
            let untyped = || SourceError::Untyped { function: self.name.to_owned(), parameter: name.to_owned() };
            documented.ok_or_else(untyped)?
        };
        if tokens.eat("=") {
            optional = true;
            tokens.skip_expression();
        }
        optional |= found.undefined;
        if let Some(text) = doc.map(|doc| doc.text.as_str()).filter(|text| !text.is_empty()) {
            found.schema.insert("description".into(), text.into());
        }
        Ok((found.schema, optional))
    }

    /// The type that JSDoc gives a parameter; none when it gives it none. `name` is what errors call it.
    fn documented(&mut self, doc: &DocParameter, name: &str) -> Result<Option<Found>> {
        let found = match doc.kind.as_deref() {
            Some(kind) => Some(self.types.read_all(kind).map_err(|refusal| self.refused(name, refusal))?),
            None => None,
        };
        // Of `@param {object} it`, the members are described one by one: `@param {string} it.name`.
        let is_open = found.as_ref().is_none_or(|found| {
            found.schema.len() == 1 && found.schema.get("type").is_some_and(|kind| kind == "object")
        });
        if !is_open {
            return Ok(found);
        }
        let (mut properties, mut required) = (Object::new(), Vec::new());
        let all = self.doc;
        for (member, doc) in all.members(&doc.name) {
            let mut inner = match doc.kind.as_deref() {
                Some(kind) => self.types.read_all(kind).map_err(|refusal| self.refused(name, refusal))?,
                None => Found::default(),
            };
            if !doc.text.is_empty() {
                inner.schema.insert("description".into(), doc.text.as_str().into());
            }
            if !doc.optional && !inner.undefined {
                required.push(member.into());
            }
            properties.insert(member.to_owned(), Value::Object(inner.schema));
        }
        if properties.is_empty() {
            return Ok(found);
        }
        let Value::Object(schema) = object(properties, required) else { return Ok(found) };
        Ok(Some(Found { schema, undefined: found.is_some_and(|found| found.undefined) }))
    }
}
