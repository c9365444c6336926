//! Annotations to JSON Schema.

use ruff_python_ast::{Expr, ExprCall, ExprSubscript, Operator};
use ruff_python_parser::{Mode, parse_expression};
use serde_json::{Value, json};

use super::{
    constant,
    field::Field,
    generic::parts,
    guard,
    known::known,
    names::{Meaning, Names, last_part},
};
use crate::{
    Object, SourceError,
    budget::{Budget, MAX_DEPTH},
};

/// Why an annotation gives no schema.
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

impl Refusal {
    /// The error of a parameter.
    pub fn at(self, function: &str, parameter: &str) -> SourceError {
        match self {
            Self::Type(reason) => {
                SourceError::Parameter { function: function.to_owned(), parameter: parameter.to_owned(), reason }
            }
            Self::Source(error) => error,
        }
    }
}

/// What an annotation says.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The schema of values other than None.
    pub schema: Object,
    /// Whether None is a value too.
    pub nullable: bool,
    /// The text that `Annotated` carries.
    pub description: Option<String>,
}

impl Found {
    fn of(schema: Value) -> Self {
        let schema = if let Value::Object(schema) = schema { schema } else { Object::new() };
        Self { schema, ..Self::default() }
    }

    /// The schema with null among its values when None is.
    pub fn nullable_schema(self) -> Object {
        if !self.nullable || self.schema.is_empty() || is_null(&self.schema) {
            return self.schema;
        }
        if self.schema.len() == 1
            && let Some(Value::Array(members)) = self.schema.get("anyOf")
        {
            let members = members.iter().cloned().chain([json!({ "type": "null" })]).collect();
            return Object::from_iter([("anyOf".to_owned(), Value::Array(members))]);
        }
        Object::from_iter([("anyOf".to_owned(), json!([self.schema, { "type": "null" }]))])
    }
}

pub type Read<T> = std::result::Result<T, Refusal>;

/// Reads the annotations of one file.
pub struct Types<'a> {
    pub(super) names: &'a Names<'a>,
    budget: Budget,
    depth: usize,
    /// Classes and aliases being read right now.
    pub(super) open: Vec<String>,
    /// Type parameters and what they mean where something is read now.
    pub(super) filled: Vec<(String, Found)>,
}

impl<'a> Types<'a> {
    /// A reader over the names of a file.
    pub fn new(names: &'a Names<'a>) -> Self {
        Self { names, budget: Budget::default(), depth: 0, open: Vec::new(), filled: Vec::new() }
    }

    /// Pays for an object of the schema.
    pub fn spend(&mut self, text: usize) -> Read<()> {
        Ok(self.budget.spend(text)?)
    }

    /// How deep the schema stands that is read now, in levels of JSON.
    pub(super) fn level(&self) -> usize {
        2 * self.depth
    }

    /// The schema of an annotation.
    pub fn read(&mut self, annotation: &Expr) -> Read<Found> {
        self.spend(0)?;
        if self.depth >= MAX_DEPTH {
            return Err(SourceError::SchemaTooLarge.into());
        }
        self.depth += 1;
        let found = match annotation {
            Expr::NoneLiteral(_) => Ok(Found { nullable: true, ..Found::of(json!({ "type": "null" })) }),
            Expr::StringLiteral(text) => self.quoted(text.value.to_str()),
            Expr::BinOp(pair) if pair.op == Operator::BitOr => self.union(&[&pair.left, &pair.right]),
            Expr::Subscript(subscript) => self.generic(subscript),
            Expr::Name(_) | Expr::Attribute(_) => self.named(annotation),
            Expr::Call(call) if last_part(&call.func) == Some("NewType") => match &*call.arguments.args {
                [_, base] => self.read(base),
                _ => Err(unsupported("NewType")),
            },
            Expr::Call(call) if last_part(&call.func) == Some("TypeVar") => self.variable(call),
            Expr::Call(call) => self.constrained(call),
            _ => Err(Refusal::Type("its annotation is not a type".into())),
        };
        self.depth -= 1;
        found
    }

    /// `conint(ge=0)` and the like.
    fn constrained(&mut self, call: &ExprCall) -> Read<Found> {
        let kind = match last_part(&call.func) {
            Some("conint") => "integer",
            Some("confloat" | "condecimal") => "number",
            Some("constr" | "conbytes") => "string",
            Some("conlist" | "conset" | "confrozenset") => "array",
            _ => return Err(Refusal::Type("its annotation is not a type".into())),
        };
        let mut found = Found::of(json!({ "type": kind }));
        if kind == "array" {
            let items = match call.arguments.args.first() {
                Some(inner) => self.read(inner)?.nullable_schema(),
                None => Object::new(),
            };
            found.schema.insert("items".into(), Value::Object(items));
            if last_part(&call.func) != Some("conlist") {
                found.schema.insert("uniqueItems".into(), true.into());
            }
        }
        found.schema.extend(Field::read(call, Some(kind), self.names).constraints);
        Ok(found)
    }

    /// A forward reference.
    fn quoted(&mut self, text: &str) -> Read<Found> {
        let no_type = || Refusal::Type(format!("its annotation {text:?} is not a type"));
        guard::check(text, Mode::Expression)?;
        let parsed = parse_expression(text).map_err(|_| no_type())?;
        self.read(parsed.expr())
    }

    fn named(&mut self, annotation: &Expr) -> Read<Found> {
        let Some(mut name) = last_part(annotation) else { return Err(unsupported("?")) };
        if let Expr::Name(_) = annotation {
            if let Some(found) = self.filled_in(name)? {
                return Ok(found);
            }
            if let Some(found) = self.parametric(name, &[])? {
                return Ok(found);
            }
            match self.names.get(name) {
                Some(Meaning::Class(class)) => return self.class(class),
                Some(Meaning::Alias(target)) => {
                    return self.once(name, |types| types.read(target)).unwrap_or_else(|| Err(circular(name)));
                }
                Some(Meaning::Imported(imported)) => name = imported,
                Some(Meaning::Generic(_)) | None => {}
            }
        }
        let schema = match name {
            "str" | "AnyStr" | "LiteralString" => json!({ "type": "string" }),
            "int" => json!({ "type": "integer" }),
            "float" => json!({ "type": "number" }),
            "bool" => json!({ "type": "boolean" }),
            "Any" | "object" => json!({}),
            "dict" | "Dict" | "Mapping" | "MutableMapping" | "OrderedDict" | "defaultdict" | "DefaultDict" => {
                json!({ "type": "object" })
            }
            "list" | "List" | "Sequence" | "MutableSequence" | "Iterable" | "Collection" | "deque" | "Deque"
            | "tuple" | "Tuple" => {
                json!({ "type": "array", "items": {} })
            }
            "set" | "Set" | "frozenset" | "FrozenSet" => json!({ "type": "array", "items": {}, "uniqueItems": true }),
            _ => known(name).ok_or_else(|| unsupported(name))?,
        };
        Ok(Found::of(schema))
    }

    fn generic(&mut self, subscript: &ExprSubscript) -> Read<Found> {
        let Some(mut name) = last_part(&subscript.value) else { return Err(unsupported("?")) };
        let parts = parts(subscript);
        if let Expr::Name(_) = subscript.value.as_ref()
            && let Some(found) = self.parametric(name, &parts)?
        {
            return Ok(found);
        }
        if let Some(Meaning::Imported(imported)) = self.names.get(name) {
            name = imported;
        }
        match (name, parts.as_slice()) {
            ("Optional", [inner]) => Ok(Found { nullable: true, ..self.read(inner)? }),
            ("Union", parts) => self.union(parts),
            ("Literal", parts) => self.literal(parts),
            ("Annotated", [inner, notes @ ..]) => self.annotated(inner, notes),
            ("Final" | "Required" | "NotRequired" | "ClassVar" | "ReadOnly", [inner]) => self.read(inner),
            ("InstanceOf" | "SkipValidation" | "SerializeAsAny" | "SkipJsonSchema", [inner]) => self.read(inner),
            ("Json", [_]) => Ok(Found::of(json!({ "type": "string" }))),
            ("Counter", [_]) => {
                Ok(Found::of(json!({ "type": "object", "additionalProperties": { "type": "integer" } })))
            }
            (
                "list" | "List" | "Sequence" | "MutableSequence" | "Iterable" | "Collection" | "deque" | "Deque",
                [inner],
            ) => {
                let items = self.read(inner)?.nullable_schema();
                Ok(Found::of(json!({ "type": "array", "items": items })))
            }
            ("set" | "Set" | "frozenset" | "FrozenSet", [inner]) => {
                let items = self.read(inner)?.nullable_schema();
                Ok(Found::of(json!({ "type": "array", "items": items, "uniqueItems": true })))
            }
            (
                "dict" | "Dict" | "Mapping" | "MutableMapping" | "OrderedDict" | "defaultdict" | "DefaultDict",
                [_, inner],
            ) => {
                let values = self.read(inner)?.nullable_schema();
                let mut schema = json!({ "type": "object" });
                if !values.is_empty() {
                    schema["additionalProperties"] = Value::Object(values);
                }
                Ok(Found::of(schema))
            }
            ("tuple" | "Tuple", [inner, Expr::EllipsisLiteral(_)]) => {
                let items = self.read(inner)?.nullable_schema();
                Ok(Found::of(json!({ "type": "array", "items": items })))
            }
            ("tuple" | "Tuple", parts) => {
                let items = self.union(parts)?.nullable_schema();
                let length = parts.len();
                Ok(Found::of(json!({ "type": "array", "items": items, "minItems": length, "maxItems": length })))
            }
            _ => Err(unsupported(name)),
        }
    }

    pub(super) fn union(&mut self, parts: &[&Expr]) -> Read<Found> {
        let mut members: Vec<Value> = Vec::new();
        let mut union = Found::default();
        for part in parts {
            let found = self.read(part)?;
            union.nullable |= found.nullable;
            union.description = union.description.or(found.description);
            match found.schema.get("anyOf") {
                _ if is_null(&found.schema) => {}
                // A union in a union, unless it says more than that.
                Some(Value::Array(inner)) if found.schema.len() == 1 => {
                    inner.iter().for_each(|member| add(&mut members, member.clone()));
                }
                _ => add(&mut members, Value::Object(found.schema)),
            }
        }
        union.schema = match members.len() {
            0 => Found::of(json!({ "type": "null" })).schema,
            1 => members.pop().map(Found::of).unwrap_or_default().schema,
            // A member that takes anything makes the whole take anything.
            _ if members.contains(&json!({})) => Object::new(),
            _ => Found::of(json!({ "anyOf": members })).schema,
        };
        Ok(union)
    }

    fn literal(&mut self, parts: &[&Expr]) -> Read<Found> {
        let mut literal = Found::default();
        let mut values = Vec::with_capacity(parts.len());
        for part in parts {
            let Some(value) = self.constant(part) else {
                let reason = "a Literal may hold only texts, numbers, booleans and members of an Enum of the source";
                return Err(Refusal::Type(reason.into()));
            };
            self.spend(value.as_str().map_or(0, str::len))?;
            literal.nullable |= value.is_null();
            if !value.is_null() {
                values.push(value);
            }
        }
        literal.schema = Found::of(choice(values)).schema;
        Ok(literal)
    }

    fn annotated(&mut self, inner: &Expr, notes: &[&Expr]) -> Read<Found> {
        let mut found = self.read(inner)?;
        for note in notes {
            let kind = found.schema.get("type").and_then(Value::as_str);
            if let Some(text) = constant::long_text(note, self.names) {
                found.description = Some(text);
            } else if let Some(field) = Field::of(note, kind, self.names) {
                found.description = field.description.or(found.description);
                found.schema.extend(field.constraints);
            }
        }
        self.spend(found.description.as_deref().map_or(0, str::len))?;
        Ok(found)
    }

    /// Reads something that may refer to itself; none when it is being read already.
    pub(super) fn once<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.open.iter().any(|open| open == name) {
            return None;
        }
        self.open.push(name.to_owned());
        let result = read(self);
        self.open.pop();
        Some(result)
    }
}

fn add(members: &mut Vec<Value>, member: Value) {
    if !members.contains(&member) {
        members.push(member);
    }
}

fn is_null(schema: &Object) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

pub fn unsupported(name: &str) -> Refusal {
    Refusal::Type(format!("the type '{name}' is neither built in nor defined in the source"))
}

fn circular(name: &str) -> Refusal {
    Refusal::Type(format!("the type '{name}' is defined by itself"))
}

/// The schema of a fixed set of values.
pub fn choice(values: Vec<Value>) -> Value {
    let mut kinds: Vec<&str> = values.iter().map(constant::type_name).collect();
    kinds.dedup();
    match kinds.as_slice() {
        [] => json!({ "type": "null" }),
        [kind] => json!({ "type": kind, "enum": values }),
        _ => json!({ "enum": values }),
    }
}
