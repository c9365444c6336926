//! Type parameters: those of functions, whose callers are models, and those of classes and aliases, which are filled in by
//! what stands in brackets behind the name.

use ruff_python_ast::{Expr, ExprCall, ExprSubscript, StmtClassDef, StmtTypeAlias, TypeParam, TypeParams};

use super::{
    annotation::{Found, Read, Types},
    constant,
    names::{Meaning, last_part},
};
use crate::budget::weight;

/// How a class or alias of the file says that it has type parameters.
enum Declared<'a> {
    /// In brackets behind its name.
    Listed(&'a TypeParams),
    /// By a base such as `Generic[T]`.
    Named(Vec<&'a str>),
}

impl Types<'_> {
    /// Gives each listed type parameter its meaning: what is given for it, or else what it is bound to.
    pub(super) fn fill(&mut self, parameters: &TypeParams, given: Vec<Found>) -> Read<()> {
        let mut given = given.into_iter();
        for parameter in parameters.iter() {
            let otherwise = match parameter {
                TypeParam::TypeVar(variable) => variable.bound.as_deref().or(variable.default.as_deref()),
                TypeParam::TypeVarTuple(_) | TypeParam::ParamSpec(_) => None,
            };
            let meaning = match (given.next(), otherwise) {
                (Some(found), _) => found,
                // `T: (int, str)` is one or the other.
                (None, Some(Expr::Tuple(kinds))) => self.union(&kinds.elts.iter().collect::<Vec<_>>())?,
                (None, Some(bound)) => self.read(bound)?,
                (None, None) => Found::default(),
            };
            self.filled.push((parameter.name().to_string(), meaning));
        }
        Ok(())
    }

    /// What a type parameter means here; none when the name is no such one.
    pub(super) fn filled_in(&mut self, name: &str) -> Read<Option<Found>> {
        let found = self.filled.iter().rev().find(|(known, _)| known == name);
        let Some(found) = found.map(|(_, found)| found.clone()) else { return Ok(None) };
        let cost = weight(&found.schema, self.level())?;
        self.spend(cost)?;
        Ok(Some(found))
    }

    /// `TypeVar("T", bound=str)` and `TypeVar("T", int, str)`: whatever it may be.
    pub(super) fn variable(&mut self, call: &ExprCall) -> Read<Found> {
        let kinds: Vec<&Expr> = call.arguments.args.iter().skip(1).collect();
        let bound = ["bound", "default"].into_iter().find_map(|name| call.arguments.find_keyword(name));
        match bound {
            _ if !kinds.is_empty() => self.union(&kinds),
            Some(bound) => self.read(&bound.value),
            None => Ok(Found::default()),
        }
    }

    /// A generic class or alias of the file with what stands in brackets behind its name; none when the file has no such one.
    pub(super) fn parametric(&mut self, name: &str, parts: &[&Expr]) -> Read<Option<Found>> {
        let (outer, found) = match self.names.get(name) {
            Some(Meaning::Class(class)) if declared(class).is_some() => {
                let outer = self.enter(class, parts)?;
                (outer, self.class(class)?)
            }
            Some(Meaning::Generic(alias)) => {
                let given = self.each(parts)?;
                let outer = std::mem::take(&mut self.filled);
                if let Some(parameters) = alias.type_params.as_deref() {
                    self.fill(parameters, given)?;
                }
                (outer, self.aliased(alias)?)
            }
            _ => return Ok(None),
        };
        self.filled = outer;
        Ok(Some(found))
    }

    /// Gives the type parameters of a class the meanings that these have here. Returns those that held until now.
    pub(super) fn enter(&mut self, class: &StmtClassDef, parts: &[&Expr]) -> Read<Vec<(String, Found)>> {
        let given = self.each(parts)?;
        let outer = std::mem::take(&mut self.filled);
        match declared(class) {
            Some(Declared::Listed(parameters)) => self.fill(parameters, given)?,
            Some(Declared::Named(names)) => {
                self.filled = names.into_iter().map(str::to_owned).zip(given).collect();
            }
            None => {}
        }
        Ok(outer)
    }

    fn each(&mut self, parts: &[&Expr]) -> Read<Vec<Found>> {
        parts.iter().map(|part| self.read(part)).collect()
    }

    fn aliased(&mut self, alias: &StmtTypeAlias) -> Read<Found> {
        let name = last_part(&alias.name).unwrap_or_default();
        let read = self.once(name, |types| types.read(&alias.value));
        // A type that contains itself: from here on anything goes.
        read.unwrap_or_else(|| Ok(Found::default()))
    }

    /// The value of a literal, of a member of an enumeration of the file, or of a constant of the file.
    pub(super) fn constant(&mut self, expression: &Expr) -> Option<serde_json::Value> {
        if let Some(value) = constant::value(expression) {
            return Some(value);
        }
        match expression {
            Expr::Name(name) => match self.names.get(name.id.as_str())? {
                Meaning::Alias(target) => constant::value(target),
                _ => None,
            },
            Expr::Attribute(attribute) => {
                let Expr::Name(owner) = attribute.value.as_ref() else { return None };
                let Meaning::Class(class) = self.names.get(owner.id.as_str())? else { return None };
                let member = attribute.attr.as_str();
                self.members(class).ok()?.into_iter().find_map(|(name, value)| (name == member).then_some(value))
            }
            _ => None,
        }
    }
}

/// What stands between the brackets behind a name.
pub fn parts(subscript: &ExprSubscript) -> Vec<&Expr> {
    match subscript.slice.as_ref() {
        Expr::Tuple(tuple) => tuple.elts.iter().collect(),
        single => vec![single],
    }
}

fn declared(class: &StmtClassDef) -> Option<Declared<'_>> {
    if let Some(parameters) = class.type_params.as_deref() {
        return Some(Declared::Listed(parameters));
    }
    let mut bases = class.arguments.iter().flat_map(|arguments| arguments.args.iter());
    bases.find_map(|base| match base {
        Expr::Subscript(base) if matches!(last_part(&base.value), Some("Generic" | "Protocol")) => {
            Some(Declared::Named(parts(base).into_iter().filter_map(last_part).collect()))
        }
        _ => None,
    })
}
