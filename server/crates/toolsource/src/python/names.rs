//! What the names at the top of a file mean in annotations.

use std::collections::HashMap;

use ruff_python_ast::{Expr, Stmt, StmtClassDef};

/// A name's meaning. A later definition hides an earlier one, as it does when the file runs.
#[derive(Debug, Clone, Copy)]
pub enum Meaning<'a> {
    /// A class of the file.
    Class(&'a StmtClassDef),
    /// Another name for a type.
    Alias(&'a Expr),
    /// Something imported, under its own name.
    Imported(&'a str),
}

/// The names of a file.
#[derive(Debug, Default)]
pub struct Names<'a>(HashMap<&'a str, Meaning<'a>>);

impl<'a> Names<'a> {
    /// The names that the statements at the top of a file define.
    pub fn of(body: &'a [Stmt]) -> Self {
        let mut names = HashMap::new();
        for statement in body {
            match statement {
                Stmt::ClassDef(class) => {
                    names.insert(class.name.as_str(), Meaning::Class(class));
                }
                Stmt::ImportFrom(import) => {
                    for alias in &import.names {
                        let name = alias.asname.as_ref().unwrap_or(&alias.name);
                        names.insert(name.as_str(), Meaning::Imported(alias.name.as_str()));
                    }
                }
                Stmt::Assign(assign) => {
                    if let [Expr::Name(name)] = assign.targets.as_slice() {
                        names.insert(name.id.as_str(), Meaning::Alias(&assign.value));
                    }
                }
                Stmt::AnnAssign(assign) => {
                    if let (Expr::Name(name), Some(value)) = (assign.target.as_ref(), &assign.value) {
                        names.insert(name.id.as_str(), Meaning::Alias(value));
                    }
                }
                Stmt::TypeAlias(alias) => {
                    if let Expr::Name(name) = alias.name.as_ref() {
                        names.insert(name.id.as_str(), Meaning::Alias(&alias.value));
                    }
                }
                _ => {}
            }
        }
        Self(names)
    }

    /// What a name means, when the file says so.
    pub fn get(&self, name: &str) -> Option<Meaning<'a>> {
        self.0.get(name).copied()
    }
}

/// The last part of a possibly dotted name: `Optional` of `typing.Optional`.
pub fn last_part(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}
