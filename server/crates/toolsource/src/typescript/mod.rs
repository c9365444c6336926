//! TypeScript and JavaScript: the tool is the last exported function at the top of the file, or the last function
//! when none is exported. One that is declared (`function f`) goes before one that is bound to a name (`const f = …`).
//! Its types come from its parameters, or from JSDoc where it has none; its texts from JSDoc.
//!
//! Only declarations that begin a line are read, and of them only the signature. The body is not looked at.

mod bound;
mod declarations;
mod jsdoc;
mod objects;
mod tokens;
mod types;

use declarations::{Declarations, Function};
use jsdoc::JsDoc;
use serde_json::Value;
use tokens::{Token, Tokens};
use types::Types;

use crate::{Given, Object, Result, Signature, SourceError, object};

/// Parameters that the server fills; the model never sees them.
const RESERVED: [&str; 2] = ["agentState", "agent_state"];

/// What errors call a parameter without a name.
const PATTERN: &str = "{}";
const NOT_ALONE: &str = "a destructured parameter takes all arguments, so there can be no other";

/// The signature of the tool in a source. `arguments` replaces what the parameters would give.
pub fn derive(source: &str, given: Given<'_>, arguments: Option<Value>) -> Result<Signature> {
    let declarations = Declarations::of(source);
    let function = tool(&declarations)?;
    let name = function.name.to_owned();
    let doc = JsDoc::parse(function.doc.unwrap_or_default());
    let summary = || given.arguments?.get("description")?.as_str();
    let described = [given.description, Some(doc.description.as_str()), summary()];
    let description = described.into_iter().flatten().map(str::trim).find(|text| !text.is_empty());
    let Some(description) = description.map(str::to_owned) else {
        return Err(SourceError::Undocumented { function: name });
    };
    let parameters = match arguments {
        Some(arguments) => arguments,
        None => Reader { function, doc: &doc, types: Types::new(&declarations) }.parameters()?,
    };
    Ok(Signature { name, description, parameters })
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
        let (function, parameter) = (self.function.name.to_owned(), parameter.to_owned());
        SourceError::Parameter { function, parameter, reason: reason.into() }
    }

    fn parameters(&mut self) -> Result<Value> {
        let mut tokens = Tokens::new(self.function.rest);
        let mut found = Parameters::default();
        if !tokens.eat("(") {
            // `word => …`
            return match tokens.bump() {
                Token::Word(name) if tokens.peek() == Token::Mark("=>") => {
                    self.add(name, &mut tokens, &mut found)?;
                    Ok(object(found.properties, found.required))
                }
                _ => Err(self.refuse("?", "a tool cannot have type parameters")),
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
        if !tokens.eat(":") {
            return Err(self.refuse(PATTERN, "a destructured parameter needs a type"));
        }
        let read = self.types.read(tokens);
        let mut schema = read.map_err(|refusal| self.refused(PATTERN, refusal))?.schema;
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
        let read = if tokens.eat(":") {
            self.types.read(tokens)
        } else if let Some(text) = doc.and_then(|doc| doc.kind.as_deref()) {
            self.types.read_all(text)
        } else {
            let (function, parameter) = (self.function.name.to_owned(), name.to_owned());
            return Err(SourceError::Untyped { function, parameter });
        };
        let mut found = read.map_err(|refusal| self.refused(name, refusal))?;
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
}
