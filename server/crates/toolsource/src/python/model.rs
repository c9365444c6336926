//! Classes as types of arguments: pydantic models, dataclasses, typed dictionaries and enumerations.

use ruff_python_ast::{Expr, Stmt, StmtClassDef};
use serde_json::{Value, json};

use super::{
    alias::{Rename, rename},
    annotation::{Found, Read, Refusal, Types, choice, unsupported},
    constant, docstring,
    field::Field,
    generic::parts,
    names::{Meaning, last_part},
};
use crate::{Object, SourceError, docstring::Docstring};

/// How many classes one may derive from.
const MAX_BASES: usize = 24;

/// What a class is to JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Model,
    /// The same, and fields may be optional altogether.
    TypedDict {
        total: bool,
    },
    Enum {
        names_as_values: bool,
    },
}

/// The fields of a class so far.
#[derive(Default)]
struct Fields {
    properties: Object,
    required: Vec<Value>,
    /// What makes other names of their names.
    rename: Option<Rename>,
}

impl Types<'_> {
    /// The schema of a class of the file.
    pub(super) fn class(&mut self, class: &StmtClassDef) -> Read<Found> {
        let name = class.name.as_str();
        if let Some(root) = self.root(class) {
            // A class that contains itself: from here on anything goes.
            return self.once(name, |types| types.read(root)).unwrap_or_else(|| Ok(Found::default()));
        }
        let kind = self.kind(class, &mut Vec::new()).ok_or_else(|| unsupported(name))?;
        if let Kind::Enum { names_as_values } = kind {
            return self.enumeration(class, names_as_values);
        }
        let fields = self.once(name, |types| {
            let mut fields = Fields { rename: rename(class, types.names), ..Fields::default() };
            types.fields(class, kind, &mut fields, 0).map(|()| fields)
        });
        // A class that contains itself: from here on anything goes.
        let Some(fields) = fields else { return Ok(found(json!({ "type": "object" }))) };
        let Fields { mut properties, required, .. } = fields?;
        let text = Docstring::parse(docstring(&class.body).unwrap_or_default());
        for (name, property) in &mut properties {
            if let (Some(text), Some(property)) = (text.parameter(name), property.as_object_mut())
                && !property.contains_key("description")
            {
                self.spend(text.len())?;
                property.insert("description".into(), text.into());
            }
        }
        let mut schema = json!({ "type": "object", "properties": properties, "required": required });
        if !text.description.is_empty() {
            self.spend(text.description.len())?;
            schema["description"] = text.description.into();
        }
        Ok(found(schema))
    }

    /// What a class is, by its own decorators and bases and those of the classes that it derives from. Looks at each
    /// of a few classes once: classes can derive from each other in more ways than anyone could follow.
    fn kind<'c>(&'c self, class: &'c StmtClassDef, seen: &mut Vec<&'c str>) -> Option<Kind> {
        let is_dataclass = |expression: &Expr| match expression {
            Expr::Call(call) => last_part(&call.func) == Some("dataclass"),
            plain => last_part(plain) == Some("dataclass"),
        };
        if class.decorator_list.iter().any(|decorator| is_dataclass(&decorator.expression)) {
            return Some(Kind::Model);
        }
        if seen.len() > MAX_BASES || seen.contains(&class.name.as_str()) {
            return None;
        }
        seen.push(class.name.as_str());
        let arguments = class.arguments.as_ref()?;
        arguments.args.iter().find_map(|base| {
            let base = if let Expr::Subscript(generic) = base { generic.value.as_ref() } else { base };
            let mut name = last_part(base)?;
            match self.names.get(name) {
                Some(Meaning::Class(base)) => return self.kind(base, seen),
                Some(Meaning::Imported(imported)) => name = imported,
                _ => {}
            }
            match name {
                "BaseModel" | "GenericModel" | "NamedTuple" => Some(Kind::Model),
                "TypedDict" => {
                    let total = arguments
                        .keywords
                        .iter()
                        .find(|keyword| keyword.arg.as_ref().is_some_and(|name| name.as_str() == "total"));
                    let total = total.and_then(|keyword| constant::value(&keyword.value));
                    Some(Kind::TypedDict { total: total != Some(Value::Bool(false)) })
                }
                "Enum" | "IntEnum" | "Flag" | "IntFlag" => Some(Kind::Enum { names_as_values: false }),
                "StrEnum" => Some(Kind::Enum { names_as_values: true }),
                _ => None,
            }
        })
    }

    /// The type of the only value of a model that is no object.
    fn root<'c>(&self, class: &'c StmtClassDef) -> Option<&'c Expr> {
        let mut bases = class.arguments.iter().flat_map(|arguments| arguments.args.iter());
        bases.find_map(|base| match base {
            Expr::Subscript(filled) if self.is_root_model(&filled.value) => Some(filled.slice.as_ref()),
            plain if self.is_root_model(plain) => class.body.iter().find_map(|statement| match statement {
                Stmt::AnnAssign(assign) if last_part(&assign.target) == Some("root") => {
                    Some(assign.annotation.as_ref())
                }
                _ => None,
            }),
            _ => None,
        })
    }

    fn is_root_model(&self, base: &Expr) -> bool {
        let Some(name) = last_part(base) else { return false };
        match self.names.get(name) {
            Some(Meaning::Imported(imported)) => imported == "RootModel",
            Some(_) => false,
            None => name == "RootModel",
        }
    }

    /// Adds the fields of a class after those of the classes that it derives from.
    fn fields(&mut self, class: &StmtClassDef, kind: Kind, fields: &mut Fields, depth: usize) -> Read<()> {
        if depth > MAX_BASES {
            return Err(SourceError::SchemaTooLarge.into());
        }
        for base in class.arguments.iter().flat_map(|arguments| arguments.args.iter()) {
            let (base, given) = match base {
                Expr::Subscript(generic) => (generic.value.as_ref(), parts(generic)),
                plain => (plain, Vec::new()),
            };
            if let Expr::Name(name) = base
                && let Some(Meaning::Class(base)) = self.names.get(name.id.as_str())
                && !std::ptr::eq(base, class)
            {
                self.spend(0)?;
                let outer = self.enter(base, &given)?;
                let kind = self.kind(base, &mut Vec::new()).unwrap_or(kind);
                self.fields(base, kind, fields, depth + 1)?;
                self.filled = outer;
            }
        }
        for statement in &class.body {
            let Stmt::AnnAssign(assign) = statement else { continue };
            let Expr::Name(name) = assign.target.as_ref() else { continue };
            if name.id.starts_with('_') || name.id == "model_config" || is_class_variable(&assign.annotation) {
                continue;
            }
            self.field(name.id.as_str(), &assign.annotation, assign.value.as_deref(), kind, fields)?;
        }
        Ok(())
    }

    fn field(
        &mut self,
        name: &str,
        annotation: &Expr,
        value: Option<&Expr>,
        kind: Kind,
        fields: &mut Fields,
    ) -> Read<()> {
        let found = self.read(annotation).map_err(|refusal| match refusal {
            Refusal::Type(reason) => Refusal::Type(format!("field '{name}': {reason}")),
            other => other,
        })?;
        let schema_type = found.schema.get("type").and_then(Value::as_str);
        let given = value.and_then(|value| Field::of(value, schema_type, self.names));
        let has_default = match &given {
            Some(field) => field.has_default,
            None => value.is_some(),
        };
        let field = given.unwrap_or_default();
        let required = match (kind, wrapper(annotation)) {
            (Kind::TypedDict { .. }, Some("Required")) => true,
            (Kind::TypedDict { .. }, Some("NotRequired")) => false,
            (Kind::TypedDict { total }, _) => total,
            _ => !has_default,
        };
        let description = field.description.or_else(|| found.description.clone());
        let mut schema = if required { found.nullable_schema() } else { found.schema };
        schema.extend(field.constraints);
        let name = match (field.alias, fields.rename) {
            (Some(alias), _) => alias,
            (None, Some(rename)) => rename(name),
            (None, None) => name.to_owned(),
        };
        self.spend(name.len() + description.as_deref().map_or(0, str::len))?;
        if let Some(description) = description {
            schema.insert("description".into(), description.into());
        }
        fields.required.retain(|known| *known != name);
        if required {
            fields.required.push(name.as_str().into());
        }
        fields.properties.insert(name, Value::Object(schema));
        Ok(())
    }

    fn enumeration(&mut self, class: &StmtClassDef, names_as_values: bool) -> Read<Found> {
        let members = self.values(class, names_as_values)?;
        if members.is_empty() {
            return Err(Refusal::Type(format!("'{}' has no members", class.name)));
        }
        Ok(found(choice(members.into_iter().map(|(_, value)| value).collect())))
    }

    /// The members of an enumeration, with their values.
    pub(super) fn members<'c>(&mut self, class: &'c StmtClassDef) -> Read<Vec<(&'c str, Value)>> {
        match self.kind(class, &mut Vec::new()) {
            Some(Kind::Enum { names_as_values }) => self.values(class, names_as_values),
            _ => Err(unsupported(class.name.as_str())),
        }
    }

    fn values<'c>(&mut self, class: &'c StmtClassDef, names_as_values: bool) -> Read<Vec<(&'c str, Value)>> {
        let mut values = Vec::new();
        for statement in &class.body {
            let Stmt::Assign(assign) = statement else { continue };
            let [Expr::Name(name)] = assign.targets.as_slice() else { continue };
            if name.id.starts_with('_') {
                continue;
            }
            let automatic = matches!(assign.value.as_ref(), Expr::Call(call) if last_part(&call.func) == Some("auto"));
            let value = match constant::value(&assign.value) {
                Some(value) => value,
                None if automatic && names_as_values => name.id.to_lowercase().into(),
                None if automatic => (values.len() + 1).into(),
                None => {
                    let reason = format!("the members of '{}' have to be texts or numbers", class.name);
                    return Err(Refusal::Type(reason));
                }
            };
            self.spend(value.as_str().map_or(0, str::len))?;
            values.push((name.id.as_str(), value));
        }
        Ok(values)
    }
}

fn found(schema: Value) -> Found {
    let schema = if let Value::Object(schema) = schema { schema } else { Object::new() };
    Found { schema, ..Found::default() }
}

/// The name before the brackets: `Required` of `Required[int]`.
fn wrapper(annotation: &Expr) -> Option<&str> {
    match annotation {
        Expr::Subscript(subscript) => last_part(&subscript.value),
        plain => last_part(plain),
    }
}

fn is_class_variable(annotation: &Expr) -> bool {
    wrapper(annotation) == Some("ClassVar")
}
