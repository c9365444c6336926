//! Python: the tool is the last function at the top of the file, or the last class that derives from `BaseTool`; helpers
//! and classes may stand beside it.

mod alias;
mod annotation;
mod constant;
mod field;
mod generic;
mod guard;
mod known;
mod model;
mod names;
mod tool_class;

use annotation::Types;
use names::Names;
use ruff_python_ast::{Expr, ModModule, ParameterWithDefault, Parameters, Stmt, StmtFunctionDef};
use ruff_python_parser::{Mode, parse_module};
use ruff_text_size::TextSize;
use serde_json::Value;
use tool_class::ToolClass;

use crate::{Given, Object, Result, Signature, SourceError, docstring::Docstring, object};

/// Parameters that the server fills; the model never sees them.
const RESERVED: [&str; 2] = ["agent_state", "self"];

/// What a source has as its tool.
enum Tool<'a> {
    Function(&'a StmtFunctionDef),
    Class(ToolClass<'a>),
}

/// The signature of the tool in a source. `arguments` replaces what the parameters would give.
pub fn derive(source: &str, given: Given<'_>, arguments: Option<Value>) -> Result<Signature> {
    let module = parse(source)?;
    let names = Names::of(&module.body);
    let function = match tool(&module, &names)? {
        Tool::Function(function) => function,
        Tool::Class(class) => return class.signature(&names, given, arguments),
    };
    let name = function.name.to_string();
    let docstring = Docstring::parse(docstring(&function.body).unwrap_or_default());
    let description = described(&name, &[Some(docstring.description.as_str())], given)?;
    let parameters = match arguments {
        Some(arguments) => arguments,
        None => {
            let manner = Manner { docstrings: &[&docstring], texts_are_needed: true, left_out: &[] };
            let mut types = Types::new(&names);
            if let Some(listed) = function.type_params.as_deref() {
                types.fill(listed, Vec::new()).map_err(|refusal| refusal.at(&name, "[]"))?;
            }
            parameters(&name, &function.parameters, &manner, &mut types)?
        }
    };
    Ok(Signature { name, description, parameters })
}

/// The name of the function or class that is the tool.
pub fn entry_point(source: &str) -> Result<String> {
    let module = parse(source)?;
    Ok(match tool(&module, &Names::of(&module.body))? {
        Tool::Function(function) => function.name.to_string(),
        Tool::Class(class) => class.entry_point(),
    })
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

fn tool<'a>(module: &'a ModModule, names: &Names<'a>) -> Result<Tool<'a>> {
    let mut left = tool_class::MAX_LOOK;
    let tool = module.body.iter().rev().find_map(|statement| match statement {
        Stmt::FunctionDef(function) => Some(Tool::Function(function)),
        Stmt::ClassDef(class) => ToolClass::of(class, names, &mut left).map(Tool::Class),
        _ => None,
    });
    tool.ok_or(SourceError::NoFunction {
        expected: "the last function at the top level of the file is the tool, or the last class that derives from BaseTool",
    })
}

/// What a tool does: what its author says beside the source, or the first text of the source that says something.
fn described(function: &str, said: &[Option<&str>], given: Given<'_>) -> Result<String> {
    let summary = given.arguments.and_then(|arguments| arguments.get("description")?.as_str());
    let texts = std::iter::once(given.description).chain(said.iter().copied()).chain([summary]);
    let text = texts.flatten().map(str::trim).find(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| SourceError::Undocumented { function: function.to_owned() })
}

/// How the parameters of a function are read.
struct Manner<'d> {
    /// Where their texts are.
    docstrings: &'d [&'d Docstring],
    /// Whether one without a text is refused.
    texts_are_needed: bool,
    /// Those that are none of the model's.
    left_out: &'d [&'d str],
}

impl Manner<'_> {
    fn text(&self, parameter: &str) -> Option<String> {
        self.docstrings.iter().find_map(|docstring| docstring.parameter(parameter)).map(str::to_owned)
    }
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

fn parameters(function: &str, parameters: &Parameters, manner: &Manner<'_>, types: &mut Types<'_>) -> Result<Value> {
    only_named(function, parameters)?;
    let mut properties = Object::new();
    let mut required = Vec::new();
    for ParameterWithDefault { parameter, default, .. } in parameters.args.iter().chain(&parameters.kwonlyargs) {
        let name = parameter.name.as_str();
        if RESERVED.contains(&name) || manner.left_out.contains(&name) {
            continue;
        }
        let Some(annotation) = parameter.annotation.as_deref() else {
            return Err(SourceError::Untyped { function: function.to_owned(), parameter: name.to_owned() });
        };
        let found = types.read(annotation).map_err(|refusal| refusal.at(function, name))?;
        let text = manner.text(name).or_else(|| found.description.clone());
        if text.is_none() && manner.texts_are_needed {
            let (function, parameter) = (function.to_owned(), name.to_owned());
            return Err(SourceError::UndocumentedParameter { function, parameter });
        }
        let length = name.len() + text.as_deref().map_or(0, str::len);
        types.spend(length).map_err(|refusal| refusal.at(function, name))?;
        // A parameter with a default may be left out, which says the same as null.
        let mut schema = if default.is_some() { found.schema } else { found.nullable_schema() };
        if let Some(text) = text {
            schema.insert("description".into(), text.into());
        }
        properties.insert(name.to_owned(), Value::Object(schema));
        if default.is_none() {
            required.push(name.into());
        }
    }
    Ok(object(properties, required))
}
