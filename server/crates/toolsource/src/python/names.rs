//! What the names at the top of a file mean in annotations.

use std::collections::HashMap;

use ruff_python_ast::{ExceptHandler, Expr, Stmt, StmtClassDef, StmtTypeAlias};

/// A name's meaning. A later definition hides an earlier one, as it does when the file runs.
#[derive(Debug, Clone, Copy)]
pub enum Meaning<'a> {
    /// A class of the file.
    Class(&'a StmtClassDef),
    /// Another name for a type.
    Alias(&'a Expr),
    /// Another name for a type, with type parameters.
    Generic(&'a StmtTypeAlias),
    /// Something imported, under its own name.
    Imported(&'a str),
}

/// The names of a file.
#[derive(Debug, Default)]
pub struct Names<'a>(HashMap<&'a str, Meaning<'a>>);

impl<'a> Names<'a> {
    /// The names that the statements at the top of a file define, also those under `if` and `try` there.
    pub fn of(body: &'a [Stmt]) -> Self {
        let mut names = Self::default();
        names.add(body);
        names
    }

    /// Adds names that other statements define where these do not: those of the other branches.
    fn add_missing(&mut self, body: &'a [Stmt]) {
        for (name, meaning) in Self::of(body).0 {
            self.0.entry(name).or_insert(meaning);
        }
    }

    fn add(&mut self, body: &'a [Stmt]) {
        for statement in body {
            let names = &mut self.0;
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
                        let is_generic = alias.type_params.is_some();
                        let meaning = if is_generic { Meaning::Generic(alias) } else { Meaning::Alias(&alias.value) };
                        names.insert(name.id.as_str(), meaning);
                    }
                }
                Stmt::If(branches) => {
                    self.add_missing(&branches.body);
                    branches.elif_else_clauses.iter().for_each(|branch| self.add_missing(&branch.body));
                }
                Stmt::Try(attempt) => {
                    self.add(&attempt.body);
                    self.add(&attempt.orelse);
                    for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                        self.add_missing(&handler.body);
                    }
                }
                _ => {}
            }
        }
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
