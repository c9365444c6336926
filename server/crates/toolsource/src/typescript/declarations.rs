//! The declarations that begin a line.

use std::collections::HashMap;

/// A function.
#[derive(Debug)]
pub struct Function<'s> {
    /// Its name.
    pub name: &'s str,
    /// Whether other files may import it.
    pub exported: bool,
    /// The text of the JSDoc comment right before it.
    pub doc: Option<&'s str>,
    /// The source after its name.
    pub rest: &'s str,
}

/// A type: the source after `interface X` or after `type X =`.
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
}

impl<'s> Declarations<'s> {
    /// Reads a file.
    pub fn of(source: &'s str) -> Self {
        let mut found = Self::default();
        let mut start = 0;
        for line in source.split_inclusive('\n') {
            found.line(source, start, line);
            start += line.len();
        }
        found
    }

    fn line(&mut self, source: &'s str, start: usize, line: &'s str) {
        let mut rest = line;
        let mut exported = false;
        while let Some((word, after)) = first_word(rest) {
            match word {
                "export" => exported = true,
                "default" | "async" | "declare" | "const" => {}
                "function" => {
                    let Some((name, after)) = first_word(after) else { return };
                    let from = start + line.len() - after.len();
                    let rest = source.get(from..).unwrap_or_default();
                    let doc = source.get(..start).and_then(doc_before);
                    self.functions.push(Function { name, exported, doc, rest });
                    return;
                }
                "enum" => {
                    let Some((name, after)) = first_word(after) else { return };
                    let from = start + line.len() - after.len();
                    self.enums.insert(name, TypeSource(source.get(from..).unwrap_or_default()));
                    return;
                }
                "interface" | "type" => {
                    let Some((name, after)) = first_word(after) else { return };
                    let after = after.trim_start();
                    let body =
                        if word == "type" { after.strip_prefix('=') } else { after.starts_with('{').then_some(after) };
                    if let Some(body) = body {
                        let from = start + line.len() - body.len();
                        self.types.insert(name, TypeSource(source.get(from..).unwrap_or_default()));
                    }
                    return;
                }
                _ => return,
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

/// The JSDoc comment that ends a text.
fn doc_before(text: &str) -> Option<&str> {
    let text = text.trim_end().strip_suffix("*/")?;
    let comment = text.get(text.rfind("/*")?..)?;
    comment.strip_prefix("/**")
}
