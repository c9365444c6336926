//! What is wrong with a request, in the words and the layout of the API's validation errors.

use std::ops::{Deref, DerefMut};

use serde_json::Value;

use super::pyrepr;

/// Most characters of an offending value that an answer repeats: enough to recognise it, not the whole body.
const MAX_INPUT: usize = 400;

/// One step on the way to the offending value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A part of the request or a field.
    Field(String),
    /// Place in a list.
    Index(usize),
}

impl From<&str> for Step {
    fn from(name: &str) -> Self {
        Self::Field(name.to_owned())
    }
}

/// A violated rule. Boxed, because every fallible reader of a request returns one.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Fault>);

/// What a [`Problem`] says.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The rule's name: `missing`, `int_parsing`, …
    pub kind: String,
    /// Where: `body`, `query` or `path`, then fields and places.
    pub loc: Vec<Step>,
    /// What should have been.
    pub msg: String,
    /// What was.
    pub input: Option<Value>,
    /// More about the rule, as pairs.
    pub ctx: Vec<(&'static str, String)>,
    /// A value that would do.
    pub example: Option<String>,
}

impl Deref for Problem {
    type Target = Fault;

    fn deref(&self) -> &Fault {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Fault {
        &mut self.0
    }
}

impl Problem {
    /// A violated rule; the rest can be filled in.
    pub fn new(kind: impl Into<String>, loc: Vec<Step>, msg: impl Into<String>) -> Self {
        Self(Box::new(Fault { kind: kind.into(), loc, msg: msg.into(), input: None, ctx: Vec::new(), example: None }))
    }

    /// A value that breaks a rule of our own.
    pub fn value_error(loc: Vec<Step>, reason: &str) -> Self {
        Self::new("value_error", loc, format!("Value error, {reason}"))
    }

    /// The same with the offending value.
    #[must_use]
    pub fn input(mut self, input: Value) -> Self {
        self.input = Some(input);
        self
    }

    /// The answer's body.
    pub fn to_body(&self) -> Value {
        let mut body = serde_json::Map::new();
        body.insert("trace_id".into(), "".into());
        body.insert("detail".into(), self.detail().into());
        if let Some(example) = &self.example {
            body.insert("examples".into(), vec![example.clone()].into());
        }
        Value::Object(body)
    }

    /// The problem as the text of a Python list.
    fn detail(&self) -> String {
        let mut out = String::from("[{'type': ");
        pyrepr::string(&mut out, &self.kind);
        out.push_str(", 'loc': ");
        pyrepr::sequence(&mut out, '(', ')', self.loc.iter(), |out, step| match step {
            Step::Field(name) => pyrepr::string(out, name),
            Step::Index(index) => out.push_str(&index.to_string()),
        });
        if self.loc.len() == 1 {
            // A tuple of one has a trailing comma.
            out.insert(out.len() - 1, ',');
        }
        out.push_str(", 'msg': ");
        pyrepr::string(&mut out, &self.msg);
        out.push_str(", 'input': ");
        self.show_input(&mut out);
        if !self.ctx.is_empty() {
            out.push_str(", 'ctx': ");
            pyrepr::sequence(&mut out, '{', '}', self.ctx.iter(), |out, (key, text)| {
                pyrepr::string(out, key);
                out.push_str(": ");
                pyrepr::string(out, text);
            });
        }
        out.push_str("}]");
        out
    }

    fn show_input(&self, out: &mut String) {
        let mut input = String::new();
        pyrepr::value(&mut input, self.input.as_ref().unwrap_or(&Value::Null));
        match input.char_indices().nth(MAX_INPUT) {
            Some((end, _)) => {
                out.push_str(&input[..end]);
                out.push('…');
            }
            None => out.push_str(&input),
        }
    }
}

/// Turns the words of serde into a rule's name, its message and more about it.
pub fn classify(text: &str) -> (&'static str, String, Vec<(&'static str, String)>) {
    if let Some(rest) = text.strip_prefix("unknown variant `") {
        let (_, expected) = rest.split_once("`, expected ").unwrap_or((rest, ""));
        let names: Vec<String> = expected.split('`').skip(1).step_by(2).map(|name| format!("'{name}'")).collect();
        let expected = either(&names);
        return ("enum", format!("Input should be {expected}"), vec![("expected", expected)]);
    }
    if text.starts_with("String should match pattern '") {
        return ("string_pattern_mismatch", text.to_owned(), Vec::new());
    }
    if text.starts_with("invalid digit found") || text.starts_with("cannot parse integer") {
        return ("int_parsing", "Input should be a valid integer, unable to parse string as an integer".into(), vec![]);
    }
    if text.starts_with("number too ") || text.starts_with("invalid value: integer") {
        return ("int_out_of_range", "Input should be an integer in the allowed range".into(), vec![]);
    }
    if text.starts_with("provided string was not `true` or `false`") {
        return ("bool_parsing", "Input should be a valid boolean, unable to interpret input".into(), vec![]);
    }
    if let Some((_, expected)) = text.split_once(", expected ")
        && text.starts_with("invalid type")
    {
        let (kind, what) = type_name(expected);
        return (kind, format!("Input should be {what}"), vec![]);
    }
    if text.starts_with("input contains invalid characters") || text.starts_with("premature end of input") {
        return ("datetime_parsing", "Input should be a valid datetime".into(), vec![]);
    }
    ("value_error", format!("Value error, {text}"), vec![("error", text.to_owned())])
}

/// What serde expected, in the API's words.
fn type_name(expected: &str) -> (&'static str, &'static str) {
    match expected {
        "a string" | "a borrowed string" => ("string_type", "a valid string"),
        "a boolean" => ("bool_type", "a valid boolean"),
        "f32" | "f64" => ("float_type", "a valid number"),
        "a sequence" => ("list_type", "a valid list"),
        "a map" => ("dict_type", "a valid dictionary"),
        integer if ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "usize"].contains(&integer) => {
            ("int_type", "a valid integer")
        }
        date if date.contains("date and time") => ("datetime_type", "a valid datetime"),
        _ => ("model_attributes_type", "a valid dictionary or object to extract fields from"),
    }
}

/// `a`, `a or b`, `a, b or c`.
pub fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
