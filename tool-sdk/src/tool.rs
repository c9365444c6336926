//! What `#[tool]` makes of a function, and the set of tools of a component.

use serde_json::{Map, Value, json};

use crate::{Arguments, Host, ToolError};

/// A tool: implemented by `#[tool]`, on a type with the name of the function.
pub trait Tool {
    /// What the model calls.
    const NAME: &'static str;
    /// What the host and the model are told.
    fn spec() -> ToolSpec;
    /// Takes the arguments apart and calls the function.
    fn call(host: &dyn Host, arguments: Arguments) -> Result<String, ToolError>;
}

/// What the host and the model are told about a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// What the model calls.
    pub name: String,
    /// What the tool does.
    pub description: String,
    /// JSON Schema of the arguments.
    pub parameters: Value,
    /// The host capabilities that a call needs.
    pub capabilities: Vec<String>,
}

/// One argument of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means; may be empty.
    pub description: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// Its JSON Schema.
    pub schema: Value,
}

impl ToolSpec {
    /// Puts a description together from its parts.
    pub fn new(name: &str, description: &str, parameters: Vec<Parameter>, capabilities: &[&[&str]]) -> Self {
        let required: Vec<_> = parameters.iter().filter(|p| p.required).map(|p| p.name).collect();
        let mut names: Vec<String> = Vec::new();
        for name in capabilities.iter().copied().flatten() {
            if !names.iter().any(|known| known == name) {
                names.push((*name).to_owned());
            }
        }
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            parameters: json!({
                "type": "object",
                "properties": properties(&parameters),
                "required": required,
            }),
            capabilities: names,
        }
    }
}

fn properties(parameters: &[Parameter]) -> Map<String, Value> {
    parameters
        .iter()
        .map(|parameter| {
            let mut schema = parameter.schema.clone();
            if let (Value::Object(members), false) = (&mut schema, parameter.description.is_empty()) {
                members.insert("description".to_owned(), parameter.description.into());
            }
            (parameter.name.to_owned(), schema)
        })
        .collect()
}

/// A tool as an entry of a component's list.
#[derive(Clone, Copy)]
pub struct RegisteredTool {
    name: &'static str,
    spec: fn() -> ToolSpec,
    call: fn(&dyn Host, Arguments) -> Result<String, ToolError>,
}

impl RegisteredTool {
    /// The entry of a tool.
    pub fn of<T: Tool>() -> Self {
        Self { name: T::NAME, spec: T::spec, call: T::call }
    }

    /// What the host and the model are told.
    pub fn spec(&self) -> ToolSpec {
        (self.spec)()
    }
}

/// Runs one of a component's tools.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "only a component dispatches"))]
pub(crate) fn dispatch(
    tools: &[RegisteredTool],
    host: &dyn Host,
    name: &str,
    arguments: &str,
) -> Result<String, ToolError> {
    let tool = tools
        .iter()
        .find(|tool| tool.name == name)
        .ok_or_else(|| ToolError::invalid(format!("this component has no tool called `{name}`")))?;
    (tool.call)(host, Arguments::parse(arguments)?)
}
