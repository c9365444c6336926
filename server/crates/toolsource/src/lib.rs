//! Reads what a tool's author wrote and says how a model has to call it: the function's name, its description and
//! the JSON Schema of its arguments. Nothing of the source is ever run.
//!
//! A source is untrusted text. Its size, the depth of its nesting and the size of the schema are bounded, so that
//! time, memory and stack stay bounded too; whatever else it is, the worst answer is a [`SourceError`].

mod arguments;
mod budget;
mod docstring;
mod error;
mod python;
mod typescript;

pub use error::SourceError;
use std::borrow::Cow;

use serde_json::{Map, Value, json};

/// Longest source, in bytes.
pub const MAX_SOURCE: usize = 512 * 1024;
/// Longest name of a tool, in characters: what the model providers allow.
pub const MAX_NAME: usize = 64;

/// A JSON object.
pub type Object = Map<String, Value>;
/// The result of reading a source.
pub type Result<T> = std::result::Result<T, SourceError>;

/// What a tool is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python 3.
    Python,
    /// TypeScript, or JavaScript with its types in JSDoc.
    TypeScript,
}

impl Language {
    /// The language of the API's name for it. `json` is what older servers called Python.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "python" | "json" => Some(Self::Python),
            "typescript" | "javascript" => Some(Self::TypeScript),
            _ => None,
        }
    }
}

/// What the author says beside the source; it takes precedence over the source.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    /// What the tool is called when the source gives its function no name.
    pub name: Option<&'a str>,
    /// What the tool does.
    pub description: Option<&'a str>,
    /// JSON Schema of the arguments, as pydantic writes it.
    pub arguments: Option<&'a Object>,
}

/// How a model calls a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// The function's name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON Schema of the arguments: `type`, `properties`, `required`.
    pub parameters: Value,
}

impl Signature {
    /// The signature as model providers expect it: `name`, `description`, `parameters`.
    pub fn into_schema(self) -> Object {
        let mut schema = Object::new();
        schema.insert("name".into(), self.name.into());
        schema.insert("description".into(), self.description.into());
        schema.insert("parameters".into(), self.parameters);
        schema
    }
}

/// Derives the signature of the tool in a source.
///
/// # Errors
/// The first thing that keeps the tool from being described.
pub fn derive(language: Language, source: &str, given: Given<'_>) -> Result<Signature> {
    check_size(source)?;
    let arguments = given.arguments.map(arguments::inline).transpose()?;
    let signature = match language {
        Language::Python => on_deep_stack(|| python::derive(&dedented(source), given, arguments)),
        Language::TypeScript => typescript::derive(source, given, arguments),
    }?;
    check_name(&signature.name)?;
    Ok(signature)
}

/// The name of the function or class that is the tool, without asking for its documentation.
///
/// # Errors
/// When the source is too large, does not parse or has no function.
pub fn entry_point(language: Language, source: &str) -> Result<String> {
    check_size(source)?;
    match language {
        Language::Python => on_deep_stack(|| python::entry_point(&dedented(source))),
        Language::TypeScript => typescript::entry_point(source),
    }
}

/// A source without the blanks that all of its lines begin with: it may have stood in another program. Python reads none that
/// is indented as a whole.
pub fn dedented(source: &str) -> Cow<'_, str> {
    let mut lines = source.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let (margin, _) = first.split_at(first.len() - first.trim_start_matches([' ', '\t']).len());
    if margin.is_empty() || !lines.all(|line| line.starts_with(margin)) {
        return Cow::Borrowed(source);
    }
    source.split_inclusive('\n').map(|line| line.strip_prefix(margin).unwrap_or(line)).collect()
}

/// Whether a name is one that every model provider takes.
///
/// # Errors
/// Names the rule that it breaks.
pub fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(is_in_name) {
        let shown = name.chars().take(MAX_NAME).collect();
        return Err(SourceError::Name { name: shown });
    }
    Ok(())
}

/// Whether a tool's name may have this character.
fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn check_size(source: &str) -> Result<()> {
    if source.len() > MAX_SOURCE { Err(SourceError::TooLarge) } else { Ok(()) }
}

/// The schema of an object with these properties.
fn object(properties: Object, required: Vec<Value>) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

/// Stack for freeing the deepest tree that a source of [`MAX_SOURCE`] can make, in bytes. The nesting is checked
/// before; this is for broken sources that the parser repairs to something deeper. Untouched pages cost nothing.
const STACK: usize = 256 * 1024 * 1024;

fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("tool-source".into()).stack_size(STACK).spawn_scoped(scope, work);
        let thread = thread.map_err(|_| SourceError::Unavailable)?;
        // A panic would be the parser's defect; the source that shows it is refused.
        thread.join().unwrap_or(Err(SourceError::Unreadable))
    })
}
