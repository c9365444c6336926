//! Names that a model's settings make of the names of its fields.

use ruff_python_ast::{Expr, Stmt, StmtClassDef};

use super::{
    constant,
    names::{Meaning, Names, last_part},
};

/// What makes one name of another.
pub type Rename = fn(&str) -> String;

/// How many classes are asked for their settings: they can derive from each other in many ways.
const MAX_CLASSES: usize = 64;

/// What the settings of a class, or of those that it derives from, make of the names of its fields.
pub fn rename(class: &StmtClassDef, names: &Names<'_>) -> Option<Rename> {
    let mut left = MAX_CLASSES;
    asked(class, names, &mut left)
}

fn asked(class: &StmtClassDef, names: &Names<'_>, left: &mut usize) -> Option<Rename> {
    *left = left.checked_sub(1)?;
    if let Some(generator) = class.body.iter().find_map(generator) {
        return known(generator, names);
    }
    let mut bases = class.arguments.iter().flat_map(|arguments| arguments.args.iter());
    bases.find_map(|base| match names.get(last_part(base)?) {
        Some(Meaning::Class(base)) => asked(base, names, left),
        _ => None,
    })
}

/// What a statement in a class sets `alias_generator` to: in `model_config`, or in `class Config`.
fn generator(statement: &Stmt) -> Option<&Expr> {
    const SETTING: &str = "alias_generator";
    let (target, value) = match statement {
        Stmt::Assign(assign) => (assign.targets.first()?, assign.value.as_ref()),
        Stmt::AnnAssign(assign) => (assign.target.as_ref(), assign.value.as_deref()?),
        Stmt::ClassDef(config) if config.name.as_str() == "Config" => {
            return config.body.iter().find_map(|statement| match statement {
                Stmt::Assign(assign) if is_named(assign.targets.first()?, SETTING) => Some(assign.value.as_ref()),
                _ => None,
            });
        }
        _ => return None,
    };
    match value {
        _ if !is_named(target, "model_config") => None,
        Expr::Call(call) => call.arguments.find_keyword(SETTING).map(|keyword| &keyword.value),
        Expr::Dict(settings) => settings.items.iter().find_map(|item| {
            let key = item.key.as_ref()?;
            (constant::text(key) == Some(SETTING)).then_some(&item.value)
        }),
        _ => None,
    }
}

fn is_named(target: &Expr, name: &str) -> bool {
    matches!(target, Expr::Name(found) if found.id.as_str() == name)
}

/// The generators of pydantic's own that change anything.
fn known(generator: &Expr, names: &Names<'_>) -> Option<Rename> {
    if let Expr::Call(call) = generator {
        let named = ["validation_alias", "alias"].into_iter().find_map(|name| call.arguments.find_keyword(name));
        return known(named.map(|keyword| &keyword.value).or_else(|| call.arguments.args.first())?, names);
    }
    let name = last_part(generator)?;
    let name = if let Some(Meaning::Imported(imported)) = names.get(name) { imported } else { name };
    match name {
        "to_camel" => Some(camel),
        "to_pascal" => Some(pascal),
        _ => None,
    }
}

fn pascal(name: &str) -> String {
    let mut titled = String::with_capacity(name.len());
    for c in name.chars() {
        let is_inside = titled.ends_with(char::is_alphabetic);
        titled.push(if is_inside { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() });
    }
    let mut made = String::with_capacity(titled.len());
    let mut before = '_';
    let mut rest = titled.chars().peekable();
    while let Some(c) = rest.next() {
        let joins = c == '_' && before.is_ascii_alphanumeric() && rest.peek().is_some_and(char::is_ascii_alphanumeric);
        if !joins {
            made.push(c);
        }
        before = c;
    }
    made
}

fn camel(name: &str) -> String {
    let is_one_word =
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    let goes_on = |pair: &[u8]| matches!(pair, [a, b] if a.is_ascii_digit() && b.is_ascii_lowercase());
    if is_one_word && !name.as_bytes().windows(2).any(goes_on) {
        return name.to_owned();
    }
    let made = pascal(name);
    let first = made.find(|c: char| c != '_').unwrap_or(made.len());
    let (margin, rest) = made.split_at(first);
    let mut rest = rest.chars();
    let head = rest.next().map(|c| c.to_ascii_lowercase());
    margin.chars().chain(head).chain(rest).collect()
}
