//! What a guest says about its tools, checked before anyone relies on it.

use mneme_domain::policy::capability;
use serde_json::Value;

use crate::SandboxError;

const MAX_TOOLS: usize = 64;
const MAX_NAME: usize = 64;
const MAX_DESCRIPTION: usize = 16 << 10;
const MAX_PARAMETERS: usize = 64 << 10;

/// One tool of a guest.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// What the model calls.
    pub name: String,
    /// What the tool does, told to the model.
    pub description: String,
    /// JSON Schema of the arguments: an object schema.
    pub parameters: Value,
    /// The host capabilities that a call needs, see [`capability`], and the environment variables, as `env:NAME`.
    pub capabilities: Vec<String>,
}

impl ToolSpec {
    /// Checks and parses what a guest said about one tool.
    pub(crate) fn parse(
        name: String,
        description: String,
        parameters: &str,
        capabilities: Vec<String>,
    ) -> Result<Self, SandboxError> {
        let bad = |what: String| Err(SandboxError::BadSpec(what));
        if !is_tool_name(&name) {
            return bad(format!(
                "{name:?} is no tool name (letters, digits, `_` and `-`, at most {MAX_NAME} characters, not starting with a digit)"
            ));
        }
        if description.len() > MAX_DESCRIPTION {
            return bad(format!("the description of {name} is longer than {MAX_DESCRIPTION} bytes"));
        }
        if description.contains('\0') {
            return bad(format!("the description of {name} has the character NUL in it"));
        }
        if parameters.len() > MAX_PARAMETERS {
            return bad(format!("the parameters of {name} are longer than {MAX_PARAMETERS} bytes"));
        }
        let parameters: Value = match serde_json::from_str(parameters) {
            Ok(value) => value,
            Err(error) => {
                return bad(format!("the parameters of {name} are not JSON: {error}"));
            }
        };
        if let Some(fault) = fault(&parameters) {
            return bad(format!("the parameters of {name} {fault}"));
        }
        let known = |name: &str| capability::ALL.contains(&name) || name.strip_prefix("env:").is_some_and(is_variable);
        if let Some(unknown) = capabilities.iter().find(|name| !known(name)) {
            return bad(format!("{name} asks for the unknown capability {unknown:?}"));
        }
        Ok(Self { name, description, parameters, capabilities })
    }

    /// Tools that somebody wrote down: a list of objects with `name`, `description` and `parameters`.
    ///
    /// # Errors
    /// For what a component's own description would be refused for.
    pub fn from_list(list: &Value) -> Result<Vec<Self>, SandboxError> {
        const KNOWN: &[&str] = &["name", "description", "parameters"];
        let bad = |what: String| SandboxError::BadSpec(what);
        let items = list.as_array().ok_or_else(|| bad("the tools are not a list".into()))?;
        Self::check_count(items.len())?;
        let read = |item: &Value| {
            let fields = item.as_object().ok_or_else(|| bad("a tool is not an object".into()))?;
            if let Some(unknown) = fields.keys().find(|key| !KNOWN.contains(&key.as_str())) {
                return Err(bad(format!("a tool has the unknown field {unknown:?}; there are {}", KNOWN.join(", "))));
            }
            let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let empty = || serde_json::json!({ "type": "object", "properties": {} });
            let parameters = fields.get("parameters").cloned().unwrap_or_else(empty).to_string();
            Self::parse(text("name"), text("description"), &parameters, Vec::new())
        };
        let specs = items.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Self::check_all(&specs)?;
        Ok(specs)
    }

    /// The function as a model sees it: name, description, parameters.
    pub fn schema(&self) -> serde_json::Map<String, Value> {
        let mut schema = serde_json::Map::new();
        schema.insert("name".into(), self.name.as_str().into());
        schema.insert("description".into(), self.description.as_str().into());
        schema.insert("parameters".into(), self.parameters.clone());
        schema
    }

    /// Checks how many tools a guest has.
    pub(crate) fn check_count(count: usize) -> Result<(), SandboxError> {
        match (1..=MAX_TOOLS).contains(&count) {
            true => Ok(()),
            false => Err(SandboxError::BadSpec(format!("{count} tools; a component has 1 to {MAX_TOOLS}"))),
        }
    }

    /// Checks what holds for a guest's tools together.
    pub(crate) fn check_all(specs: &[Self]) -> Result<(), SandboxError> {
        Self::check_count(specs.len())?;
        for (index, spec) in specs.iter().enumerate() {
            if specs[..index].iter().any(|other| other.name == spec.name) {
                return Err(SandboxError::BadSpec(format!("two tools are called {}", spec.name)));
            }
        }
        Ok(())
    }
}

/// What keeps a JSON Schema from being one of arguments.
fn fault(schema: &Value) -> Option<&'static str> {
    let is_list_of_names = |list: &Value| list.as_array().is_some_and(|names| names.iter().all(Value::is_string));
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Some("are not a JSON Schema of type \"object\"");
    }
    let is_schema = |property: &Value| property.is_object() || property.is_boolean();
    match schema.get("properties") {
        Some(Value::Object(properties)) if !properties.values().all(is_schema) => {
            return Some("have a property that is no JSON Schema");
        }
        None | Some(Value::Object(_)) => {}
        Some(_) => return Some("have `properties` that are no object"),
    }
    match schema.get("required") {
        Some(list) if !is_list_of_names(list) => Some("have `required`, but not as a list of names"),
        _ => None,
    }
}

fn is_tool_name(name: &str) -> bool {
    let starts_well = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    starts_well && name.len() <= MAX_NAME && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn is_variable(name: &str) -> bool {
    (1..=256).contains(&name.len()) && !name.contains(['=', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = r#"{"type": "object", "properties": {}}"#;

    fn parse(name: &str, parameters: &str, capabilities: &[&str]) -> Result<ToolSpec, String> {
        let capabilities = capabilities.iter().map(|&c| c.to_owned()).collect();
        ToolSpec::parse(name.to_owned(), "Does it.".to_owned(), parameters, capabilities)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_good_description_is_taken_over() {
        let spec = parse("do_it-2", OBJECT, &["memory-read"]).expect("accepted");
        assert_eq!(spec.name, "do_it-2");
        assert_eq!(spec.parameters["type"], "object");
        assert_eq!(spec.capabilities, ["memory-read"]);
    }

    #[test]
    fn a_bad_description_is_refused_with_the_reason() {
        let long = "x".repeat(MAX_NAME + 1);
        for name in ["", "2nd", "with space", "quote\"", "ünï", &long] {
            assert!(parse(name, OBJECT, &[]).expect_err(name).contains("tool name"));
        }
        for (parameters, hint) in [
            ("{", "not JSON"),
            ("[]", "type \"object\""),
            (r#"{"type": "string"}"#, "type \"object\""),
            (r#"{"type": "object", "properties": []}"#, "no object"),
            (r#"{"type": "object", "properties": {"a": 1}}"#, "no JSON Schema"),
            (r#"{"type": "object", "required": [1]}"#, "list of names"),
        ] {
            assert!(parse("t", parameters, &[]).expect_err(parameters).contains(hint));
        }
        let padded = format!("{}{OBJECT}", " ".repeat(MAX_PARAMETERS));
        assert!(parse("t", &padded, &[]).is_err());
        let unknown = parse("t", OBJECT, &["root"]).expect_err("unknown");
        assert!(unknown.contains("unknown capability \"root\""));
        assert!(parse("t", OBJECT, &["network", "env:API_KEY"]).is_ok() && parse("t", OBJECT, &["env:"]).is_err());
    }

    #[test]
    fn a_component_has_some_tools_with_different_names() {
        let spec = |name| parse(name, OBJECT, &[]).expect("accepted");
        assert!(ToolSpec::check_all(&[spec("a"), spec("b")]).is_ok());
        assert!(ToolSpec::check_all(&[]).is_err());
        assert!(ToolSpec::check_all(&[spec("a"), spec("a")]).is_err());
        assert!(ToolSpec::check_all(&vec![spec("a"); MAX_TOOLS + 1]).is_err());
    }
}
