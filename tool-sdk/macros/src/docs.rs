//! Reading doc comments: the text for the model, and the `# Arguments` section.

use std::collections::BTreeMap;

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// A doc comment taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Docs {
    /// Everything outside the `# Arguments` section, lines of a paragraph joined.
    pub text: String,
    /// Argument name to meaning.
    pub arguments: BTreeMap<String, String>,
}

/// The lines of the doc comment among some attributes.
pub fn lines(attributes: &[Attribute]) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else {
            continue;
        };
        if !pair.path.is_ident("doc") {
            continue;
        }
        if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value {
            for line in text.value().split('\n') {
                lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned());
            }
        }
    }
    lines
}

/// Splits the lines of a doc comment.
pub fn parse(lines: &[String]) -> Docs {
    let (mut text, mut arguments) = (Vec::new(), Vec::new());
    let mut in_arguments = false;
    for line in lines {
        if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            in_arguments = heading.eq_ignore_ascii_case("arguments");
            if in_arguments {
                continue;
            }
        }
        if in_arguments {
            arguments.push(line.as_str());
        } else {
            text.push(line.as_str());
        }
    }
    Docs { text: join(&text), arguments: parse_arguments(&arguments) }
}

/// Joins the lines of each paragraph; list items, indented lines and fences stay apart.
fn join(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut fenced = false;
    let mut glue = false;
    for line in lines {
        let fence = line.trim_start().starts_with("```");
        let verbatim = fenced || fence || line.starts_with("    ");
        let starts_item = item(line).is_some() || numbered(line) || line.starts_with('#');
        if glue && !line.is_empty() && !verbatim && !starts_item {
            out.push(' ');
            out.push_str(line.trim_start());
        } else {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(line);
        }
        fenced ^= fence;
        glue = !line.is_empty() && !verbatim && !line.starts_with('#');
    }
    while out.contains("\n\n\n") {
        out = out.replace("\n\n\n", "\n\n");
    }
    out.trim().to_owned()
}

fn item(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("* ").or_else(|| line.strip_prefix("- "))
}

fn numbered(line: &str) -> bool {
    let rest = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < line.trim_start().len() && rest.starts_with(". ")
}

/// Reads `* name - meaning` items, whose meaning may go on over the next lines.
fn parse_arguments(lines: &[&str]) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in lines {
        if let Some((name, meaning)) = item(line).and_then(argument) {
            found.insert(name.clone(), meaning);
            current = Some(name);
        } else if let Some(meaning) = current.as_ref().and_then(|name| found.get_mut(name)) {
            meaning.push(' ');
            meaning.push_str(line.trim());
        }
    }
    for meaning in found.values_mut() {
        meaning.truncate(meaning.trim_end().len());
    }
    found
}

/// Splits `` `name` - meaning `` or `name: meaning`.
fn argument(item: &str) -> Option<(String, String)> {
    let item = item.trim();
    let (name, rest) = match item.strip_prefix('`') {
        Some(quoted) => quoted.split_once('`')?,
        None => item.split_at(item.find(|c: char| !c.is_alphanumeric() && c != '_')?),
    };
    let meaning = rest.trim_start().trim_start_matches(['-', ':', '–', '—']).trim();
    Some((name.to_owned(), meaning.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Docs {
        parse(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn paragraphs_are_joined_and_lists_kept() {
        let docs = parsed("One\ntwo.\n\nThree:\n- a\n  b\n- c\n\n```\nx\ny\n```");
        assert_eq!(docs.text, "One two.\n\nThree:\n- a b\n- c\n\n```\nx\ny\n```");
    }

    #[test]
    fn arguments_are_found_in_either_notation() {
        let docs =
            parsed("Text.\n\n# Arguments\n* `label` - Which block,\n  exactly.\n- count: How many\n\n# Notes\nMore.");
        assert_eq!(docs.text, "Text.\n\n# Notes\nMore.");
        assert_eq!(docs.arguments["label"], "Which block, exactly.");
        assert_eq!(docs.arguments["count"], "How many");
        assert_eq!(docs.arguments.len(), 2);
    }
}
