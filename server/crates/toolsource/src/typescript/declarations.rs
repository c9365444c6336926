//! The declarations that begin a line.

use std::collections::{HashMap, HashSet};

use super::bound::Look;

/// The name of a function that is exported by default and has none. What prepares files for the runtime gives it this one.
pub const ANONYMOUS: &str = "__default_export";

/// A function.
#[derive(Debug)]
pub struct Function<'s> {
    /// Its name.
    pub name: &'s str,
    /// Whether other files may import it.
    pub exported: bool,
    /// Whether it is a `function` of its own, and not bound to a name as a value.
    pub declared: bool,
    /// The text of the JSDoc comment right before it.
    pub doc: Option<&'s str>,
    /// The source from its parameters.
    pub rest: &'s str,
}

/// A type: the source after `interface X`, which may begin with type parameters and `extends`, or after `type X`, from its
/// type parameters or else from behind the `=`.
#[derive(Debug, Clone, Copy)]
pub struct TypeSource<'s>(pub &'s str);

/// What a file declares.
#[derive(Debug, Default)]
pub struct Declarations<'s> {
    /// Functions in the order of the file.
    pub functions: Vec<Function<'s>>,
    /// Interfaces and aliases by name.
    pub types: HashMap<&'s str, TypeSource<'s>>,
    /// Enumerations by name: the source from their first bracket.
    pub enums: HashMap<&'s str, TypeSource<'s>>,
    /// Arrays that are bound to names: the source behind their first bracket.
    pub arrays: HashMap<&'s str, TypeSource<'s>>,
}

impl<'s> Declarations<'s> {
    /// Reads a file.
    pub fn of(source: &'s str) -> Self {
        let mut reader = Reader {
            source,
            margin: margin(source),
            found: Self::default(),
            look: Look::default(),
            exports: HashSet::new(),
        };
        let mut start = 0;
        for line in source.split_inclusive('\n') {
            reader.line(start, line);
            start += line.len();
        }
        let Reader { mut found, exports, .. } = reader;
        for function in &mut found.functions {
            function.exported |= exports.contains(function.name);
        }
        found
    }
}

/// Reads a file line by line.
struct Reader<'s> {
    source: &'s str,
    /// Blanks that every line begins with, as in a text that stands in another program.
    margin: usize,
    found: Declarations<'s>,
    look: Look,
    /// Names that are exported behind their declaration.
    exports: HashSet<&'s str>,
}

impl<'s> Reader<'s> {
    fn line(&mut self, start: usize, line: &'s str) {
        let source = self.source;
        let mut rest = line.get(self.margin..).unwrap_or(line);
        while let Some(comment) = rest.strip_prefix("/*") {
            let Some((_, after)) = comment.split_once("*/") else { return };
            rest = after.trim_start();
        }
        let begin = start + line.len() - rest.len();
        let doc = || source.get(..begin).and_then(doc_before);
        let mut exported = false;
        while let Some((word, after)) = first_word(rest) {
            match word {
                "export" if after.trim_start().starts_with('{') => {
                    let from = start + line.len() - after.len();
                    let names = self.look.exports(source.get(from..).unwrap_or_default());
                    self.exports.extend(names.into_iter().flatten());
                    return;
                }
                "export" => exported = true,
                "default" if exported => {
                    let from = start + line.len() - after.len();
                    if let Some(rest) = self.look.anonymous(source.get(from..).unwrap_or_default()) {
                        let doc = doc();
                        self.found.functions.push(Function { name: ANONYMOUS, exported, declared: true, doc, rest });
                        return;
                    }
                }
                "default" | "async" | "declare" => {}
                // `const enum`.
                "const" if first_word(after).is_some_and(|(next, _)| next == "enum") => {}
                "const" | "let" | "var" => {
                    let Some((name, after)) = first_word(after) else { return };
                    let from = start + line.len() - after.len();
                    if let Some(items) =
                        after.trim_start().strip_prefix('=').and_then(|value| value.trim_start().strip_prefix('['))
                    {
                        let items = start + line.len() - items.len();
                        self.found.arrays.insert(name, TypeSource(source.get(items..).unwrap_or_default()));
                        return;
                    }
                    let bound = self.look.function(source.get(from..).unwrap_or_default());
                    if let Some(rest) = bound {
                        let doc = doc();
                        self.found.functions.push(Function { name, exported, declared: false, doc, rest });
                    }
                    return;
                }
                "function" => {
                    let Some((name, after)) = first_word(after) else { return };
                    let from = start + line.len() - after.len();
                    let rest = source.get(from..).unwrap_or_default();
                    let doc = doc();
                    self.found.functions.push(Function { name, exported, declared: true, doc, rest });
                    return;
                }
                // `module.exports = { f }` or `= f`.
                "module" if after.starts_with(".exports") => {
                    let value = after.strip_prefix(".exports").and_then(|rest| rest.trim_start().strip_prefix('='));
                    let Some(value) = value else { return };
                    let from = start + line.len() - value.len();
                    let value = source.get(from..).unwrap_or_default().trim_start();
                    match first_word(value) {
                        Some((name, _)) => {
                            self.exports.insert(name);
                        }
                        None => self.exports.extend(self.look.exports(value).into_iter().flatten()),
                    }
                    return;
                }
                "enum" => {
                    let Some((name, after)) = first_word(after) else { return };
                    let from = start + line.len() - after.len();
                    self.found.enums.insert(name, TypeSource(source.get(from..).unwrap_or_default()));
                    return;
                }
                "interface" | "type" => {
                    let Some((name, after)) = first_word(after) else { return };
                    let after = after.trim_start();
                    let is_interface = after.starts_with('{') || after.starts_with("extends ");
                    let body = match word {
                        _ if after.starts_with('<') => Some(after),
                        "type" => after.strip_prefix('='),
                        _ => is_interface.then_some(after),
                    };
                    if let Some(body) = body {
                        let from = start + line.len() - body.len();
                        self.found.types.insert(name, TypeSource(source.get(from..).unwrap_or_default()));
                    }
                    return;
                }
                // `export default f`.
                name => {
                    if exported {
                        self.exports.insert(name);
                    }
                    return;
                }
            }
            rest = after;
        }
    }
}

/// A word and what follows it; the first line's word has no blank before it.
fn first_word(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix(' ').unwrap_or(text);
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Blanks that every line begins with that has anything else.
fn margin(source: &str) -> usize {
    let lines = source.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| line.len() - line.trim_start_matches([' ', '\t']).len()).min().unwrap_or(0)
}

/// The JSDoc comment that ends a text, but for remarks to other tools such as `// eslint-disable-next-line`.
fn doc_before(text: &str) -> Option<&str> {
    let mut text = text.trim_end();
    while let Some((before, line)) = text.rsplit_once('\n')
        && line.trim_start().starts_with("//")
    {
        text = before.trim_end();
    }
    let text = text.strip_suffix("*/")?;
    let comment = text.get(text.rfind("/*")?..)?;
    comment.strip_prefix("/**")
}
