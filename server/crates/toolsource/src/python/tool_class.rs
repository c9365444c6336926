//! Classes after the manner of `BaseTool`, as crewai, langchain and the older clients have them: name, description and
//! `args_schema` are attributes, and a method does the work.

use ruff_python_ast::{Expr, Stmt, StmtClassDef, StmtFunctionDef};
use serde_json::Value;

use super::{
    Manner,
    annotation::Types,
    constant, described, docstring,
    names::{Meaning, Names, last_part},
    parameters,
};
use crate::{Given, Result, Signature, SourceError, docstring::Docstring, is_in_name};

/// What such a class derives from.
const BASES: [&str; 2] = ["BaseTool", "StructuredTool"];
/// The method that does the work, first of all.
const METHODS: [&str; 3] = ["_run", "_arun", "run"];
/// Parameters that a method has for its framework.
const FRAMEWORK: [&str; 2] = ["callbacks", "run_manager"];
/// How many classes one may derive from.
const MAX_CLASSES: usize = 24;
/// Members and bases of classes that are looked at in one file: classes can derive from each other in many ways.
pub const MAX_LOOK: usize = 200_000;

/// A class that is a tool.
pub struct ToolClass<'a> {
    class: &'a StmtClassDef,
    /// It, and the classes of the file that it derives from.
    line: Vec<&'a StmtClassDef>,
    method: &'a StmtFunctionDef,
}

impl<'a> ToolClass<'a> {
    /// The class, when it is a tool. `left` is what may still be looked at in this file.
    pub fn of(class: &'a StmtClassDef, names: &Names<'a>, left: &mut usize) -> Option<Self> {
        let mut line = vec![class];
        let (mut at, mut is_tool) = (0, false);
        while let Some(current) = line.get(at).copied() {
            at += 1;
            for base in current.arguments.iter().flat_map(|arguments| arguments.args.iter()) {
                *left = left.checked_sub(1)?;
                let base = if let Expr::Subscript(generic) = base { generic.value.as_ref() } else { base };
                let Some(mut name) = last_part(base) else { continue };
                match names.get(name) {
                    Some(Meaning::Class(base)) => {
                        if line.len() < MAX_CLASSES && !line.iter().any(|known| std::ptr::eq(*known, base)) {
                            line.push(base);
                        }
                        continue;
                    }
                    Some(Meaning::Imported(imported)) => name = imported,
                    _ => {}
                }
                is_tool |= BASES.contains(&name);
            }
        }
        if !is_tool {
            return None;
        }
        *left = left.checked_sub(line.iter().map(|class| class.body.len()).sum())?;
        let find = |wanted: &str| line.iter().copied().find_map(|class| method(class, wanted));
        let method = METHODS.into_iter().find_map(find)?;
        Some(Self { class, line, method })
    }

    /// The name under which the source knows the class.
    pub fn entry_point(&self) -> String {
        self.class.name.to_string()
    }

    /// How a model calls the tool. `arguments` replaces what the class says of them.
    pub fn signature(&self, names: &Names<'a>, given: Given<'_>, arguments: Option<Value>) -> Result<Signature> {
        let class = Docstring::parse(docstring(&self.class.body).unwrap_or_default());
        let method = Docstring::parse(docstring(&self.method.body).unwrap_or_default());
        let own = self.value("description").and_then(constant::text);
        let said = [own, Some(class.description.as_str()), Some(method.description.as_str())];
        let description = described(self.class.name.as_str(), &said, given)?;
        let parameters = match arguments {
            Some(arguments) => arguments,
            None => self.parameters(names, &[&method, &class])?,
        };
        Ok(Signature { name: self.name(), description, parameters })
    }

    /// What `args_schema` says, or else the method.
    fn parameters(&self, names: &Names<'a>, docstrings: &[&Docstring]) -> Result<Value> {
        let mut types = Types::new(names);
        if let Some(model) = self.model(names)? {
            return self.arguments(model, &mut types);
        }
        let manner = Manner { docstrings, texts_are_needed: false, left_out: &FRAMEWORK };
        parameters(self.class.name.as_str(), &self.method.parameters, &manner, &mut types)
    }

    /// Its name, with `_` where model providers take no other character.
    fn name(&self) -> String {
        let given = self.value("name").and_then(constant::text).unwrap_or_default().trim();
        let name: String = given.chars().map(|c| if is_in_name(c) { c } else { '_' }).collect();
        if given.contains(is_in_name) { name } else { self.entry_point() }
    }

    /// The class that `args_schema` names.
    fn model(&self, names: &Names<'a>) -> Result<Option<&'a StmtClassDef>> {
        let found = match self.value("args_schema") {
            None | Some(Expr::NoneLiteral(_)) => return Ok(None),
            Some(Expr::Name(name)) => names.get(name.id.as_str()),
            Some(_) => None,
        };
        match found {
            Some(Meaning::Class(model)) => Ok(Some(model)),
            _ => Err(self.unreadable()),
        }
    }

    fn arguments(&self, model: &StmtClassDef, types: &mut Types<'_>) -> Result<Value> {
        let found = types.class(model).map_err(|refusal| refusal.at(self.class.name.as_str(), "args_schema"))?;
        let mut schema = found.schema;
        if !schema.contains_key("properties") {
            return Err(self.unreadable());
        }
        // It would be the tool's own once more.
        schema.remove("description");
        Ok(Value::Object(schema))
    }

    fn unreadable(&self) -> SourceError {
        SourceError::Parameter {
            function: self.class.name.to_string(),
            parameter: "args_schema".into(),
            reason: "it has to be a model that is defined in the source".into(),
        }
    }

    /// What an attribute is set to, or the default of the field.
    fn value(&self, name: &str) -> Option<&'a Expr> {
        let in_class =
            |class: &'a StmtClassDef| class.body.iter().rev().find_map(|statement| assigned(statement, name));
        self.line.iter().copied().find_map(in_class).map(default)
    }
}

/// The value that a statement gives to a name.
fn assigned<'a>(statement: &'a Stmt, name: &str) -> Option<&'a Expr> {
    let (target, value) = match statement {
        Stmt::AnnAssign(assign) => (assign.target.as_ref(), assign.value.as_deref()?),
        Stmt::Assign(assign) => match assign.targets.as_slice() {
            [target] => (target, assign.value.as_ref()),
            _ => return None,
        },
        _ => return None,
    };
    matches!(target, Expr::Name(found) if found.id.as_str() == name).then_some(value)
}

fn method<'a>(class: &'a StmtClassDef, name: &str) -> Option<&'a StmtFunctionDef> {
    class.body.iter().find_map(|statement| match statement {
        Stmt::FunctionDef(function) if function.name.as_str() == name => Some(function),
        _ => None,
    })
}

/// The value in `Field(default=…)`, or the expression itself.
fn default(value: &Expr) -> &Expr {
    let Expr::Call(call) = value else { return value };
    if last_part(&call.func) != Some("Field") {
        return value;
    }
    let mut keywords = call.arguments.keywords.iter();
    let named = keywords.find(|keyword| keyword.arg.as_ref().is_some_and(|name| name.as_str() == "default"));
    named.map(|keyword| &keyword.value).or_else(|| call.arguments.args.first()).unwrap_or(value)
}
