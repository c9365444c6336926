//! Python: the tool is the last function at the top of the file; helpers and classes may stand beside it.

mod annotation;
mod constant;
mod field;
mod guard;
mod model;
mod names;

use annotation::Types;
use names::Names;
use ruff_python_ast::{Expr, ModModule, ParameterWithDefault, Parameters, Stmt, StmtFunctionDef};
use ruff_python_parser::{Mode, parse_module};
use ruff_text_size::TextSize;
use serde_json::Value;

use crate::{Given, Object, Result, Signature, SourceError, docstring::Docstring, object};

/// Parameters that the server fills; the model never sees them.
const RESERVED: [&str; 2] = ["agent_state", "self"];

/// The signature of the tool in a source. `arguments` replaces what the parameters would give.
pub fn derive(source: &str, given: Given<'_>, arguments: Option<Value>) -> Result<Signature> {
    let module = parse(source)?;
    let function = last_function(&module)?;
    let name = function.name.to_string();
    let text = docstring(&function.body);
    let docstring = Docstring::parse(text.unwrap_or_default());
    let summary = || given.arguments?.get("description")?.as_str();
    let described = [given.description, Some(docstring.description.as_str()), summary()];
    let description = described.into_iter().flatten().map(str::trim).find(|text| !text.is_empty());
    let Some(description) = description.map(str::to_owned) else {
        return Err(SourceError::Undocumented { function: name });
    };
    let parameters = match arguments {
        Some(arguments) => arguments,
        None => {
            let names = Names::of(&module.body);
            parameters(&name, &function.parameters, &docstring, &mut Types::new(&names))?
        }
    };
    Ok(Signature { name, description, parameters })
}

/// The name of the function that is the tool.
pub fn entry_point(source: &str) -> Result<String> {
    let module = parse(source)?;
    last_function(&module).map(|function| function.name.to_string())
}

fn parse(source: &str) -> Result<ModModule> {
    guard::check(source, Mode::Module)?;
    match parse_module(source) {
        Ok(parsed) => Ok(parsed.into_syntax()),
        Err(error) => {
            let line = Some(line_of(source, error.location.start()));
            let reason = error.error.to_string();
            Err(SourceError::Syntax { line, reason })
        }
    }
}

/// The line of a place in the source, from 1.
fn line_of(source: &str, at: TextSize) -> usize {
    let before = source.as_bytes().iter().take(at.to_usize());
    1 + before.filter(|byte| **byte == b'\n').count()
}

fn last_function(module: &ModModule) -> Result<&StmtFunctionDef> {
    let function = module.body.iter().rev().find_map(|statement| match statement {
        Stmt::FunctionDef(function) => Some(function),
        _ => None,
    });
    function.ok_or(SourceError::NoFunction { expected: "the last function at the top level of the file is the tool" })
}

/// The text that a function or class begins with.
fn docstring(body: &[Stmt]) -> Option<&str> {
    match body.first()? {
        Stmt::Expr(statement) => match statement.value.as_ref() {
            Expr::StringLiteral(text) => Some(text.value.to_str()),
            _ => None,
        },
        _ => None,
    }
}

/// Calls pass arguments by name, so every parameter needs one.
fn only_named(function: &str, parameters: &Parameters) -> Result<()> {
    let refuse = |parameter: String, reason: &str| {
        Err(SourceError::Parameter { function: function.to_owned(), parameter, reason: reason.to_owned() })
    };
    if let Some(rest) = parameters.vararg.as_ref() {
        return refuse(format!("*{}", rest.name), "a tool is called with named arguments only; use a list");
    }
    if let Some(rest) = parameters.kwarg.as_ref() {
        return refuse(format!("**{}", rest.name), "a tool's arguments have to be known; use a dict");
    }
    if let Some(first) = parameters.posonlyargs.first() {
        return refuse(first.parameter.name.to_string(), "a tool is called with named arguments only; remove the '/'");
    }
    Ok(())
}

fn parameters(function: &str, parameters: &Parameters, docstring: &Docstring, types: &mut Types<'_>) -> Result<Value> {
    only_named(function, parameters)?;
    let mut properties = Object::new();
    let mut required = Vec::new();
    for ParameterWithDefault { parameter, default, .. } in parameters.args.iter().chain(&parameters.kwonlyargs) {
        let name = parameter.name.as_str();
        if RESERVED.contains(&name) {
            continue;
        }
        let Some(annotation) = parameter.annotation.as_deref() else {
            return Err(SourceError::Untyped { function: function.to_owned(), parameter: name.to_owned() });
        };
        let found = types.read(annotation).map_err(|refusal| refusal.at(function, name))?;
        let Some(text) = docstring.parameter(name).map(str::to_owned).or_else(|| found.description.clone()) else {
            let (function, parameter) = (function.to_owned(), name.to_owned());
            return Err(SourceError::UndocumentedParameter { function, parameter });
        };
        types.spend(name.len() + text.len()).map_err(|refusal| refusal.at(function, name))?;
        // A parameter with a default may be left out, which says the same as null.
        let mut schema = if default.is_some() { found.schema } else { found.nullable_schema() };
        schema.insert("description".into(), text.into());
        properties.insert(name.to_owned(), Value::Object(schema));
        if default.is_none() {
            required.push(name.into());
        }
    }
    Ok(object(properties, required))
}
