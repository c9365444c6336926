//! From a tree of HTML to Markdown.

use dom_query::NodeRef;
use mneme_tool_sdk::http::Url;

use super::writer::Writer;
use super::{MOST_CHARACTERS, table};

/// Elements that are about the site, or for the mouse, or not for reading.
const SKIPPED: &[&str] = &[
    "head", "script", "style", "noscript", "template", "svg", "canvas", "iframe", "object", "embed", "audio", "video",
    "nav", "footer", "aside", "button", "input", "select", "option", "textarea", "dialog", "map", "datalist", "meter",
    "progress", "math",
];
/// Elements that stand in paragraphs of their own.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "section",
    "article",
    "main",
    "header",
    "figure",
    "figcaption",
    "address",
    "details",
    "summary",
    "fieldset",
    "form",
    "hgroup",
    "dl",
    "center",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "table",
    "pre",
    "blockquote",
    "hr",
    "tr",
];
/// The depth at which reading ends. Trees are measured before they come here; this is for certain.
const MOST_DEPTH: usize = 500;
/// The length at which a heading, a link or a cell is cut, in bytes, give or take a piece of text.
const LONGEST_LINE: usize = 10_000;

/// Writes what is below a node.
pub fn write(root: NodeRef, base: &Url) -> String {
    let mut page = Page { writer: Writer::new(MOST_CHARACTERS), base, lists: Vec::new() };
    page.children(&root, 0);
    page.writer.finish()
}

pub struct Page<'a> {
    pub writer: Writer,
    base: &'a Url,
    /// For each list around: the number of the next item, or none for one without numbers.
    lists: Vec<Option<u32>>,
}

impl Page<'_> {
    pub fn children(&mut self, node: &NodeRef, depth: usize) {
        if depth > MOST_DEPTH {
            return;
        }
        let mut next = node.first_child();
        while let Some(child) = next {
            if self.writer.is_full() {
                return;
            }
            self.node(&child, depth + 1);
            next = child.next_sibling();
        }
    }

    fn node(&mut self, node: &NodeRef, depth: usize) {
        if node.is_text() {
            self.writer.text(&node.text());
            return;
        }
        let Some(name) = node.node_name().filter(|_| node.is_element()) else { return };
        if is_skipped(node, &name) {
            return;
        }
        match &*name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading(node, &name),
            "br" => self.writer.break_lines(1),
            "hr" => self.block(2, |page| page.writer.word("---")),
            "strong" | "b" => self.marked("**", node, depth),
            "em" | "i" => self.marked("*", node, depth),
            "del" | "s" | "strike" => self.marked("~~", node, depth),
            "code" | "kbd" | "samp" | "tt" => self.code(node),
            "pre" => self.preformatted(node),
            "a" => self.link(node, depth),
            "img" => self.image(node),
            "blockquote" => self.block(2, |page| {
                page.writer.enter("> ", "> ");
                page.children(node, depth);
                page.writer.leave();
            }),
            "ul" | "menu" => self.list(None, node, depth),
            "ol" => {
                let first = node.attr("start").and_then(|start| start.parse().ok()).unwrap_or(1);
                self.list(Some(first), node, depth);
            }
            "li" => self.item(node, depth),
            "dt" => self.block(2, |page| page.marked("**", node, depth)),
            "dd" => self.block(1, |page| page.children(node, depth)),
            "table" => match table::Table::read(node) {
                Some(table) => self.block(2, |page| page.writer.lines(&table.to_string())),
                None => self.block(2, |page| page.children(node, depth)),
            },
            "td" | "th" => self.block(1, |page| page.children(node, depth)),
            name if BLOCKS.contains(&name) => self.block(2, |page| page.children(node, depth)),
            _ => self.children(node, depth),
        }
    }

    fn block(&mut self, breaks: usize, write: impl FnOnce(&mut Self)) {
        self.writer.break_lines(breaks);
        write(self);
        self.writer.break_lines(breaks);
    }

    fn heading(&mut self, node: &NodeRef, name: &str) {
        let text = inline_text(node);
        if text.is_empty() {
            return;
        }
        let level = name[1..].parse().unwrap_or(1);
        self.block(2, |page| page.writer.word(&format!("{} {text}", "#".repeat(level))));
    }

    fn marked(&mut self, mark: &str, node: &NodeRef, depth: usize) {
        let raw = raw_text(node);
        let text = joined(&raw);
        // A mark around nothing, or around paragraphs, would not be one.
        if text.is_empty() || raw.len() >= LONGEST_LINE || has_block(node) {
            return self.children(node, depth);
        }
        if raw.starts_with(char::is_whitespace) {
            self.writer.text(" ");
        }
        self.writer.word(&format!("{mark}{text}{mark}"));
        if raw.ends_with(char::is_whitespace) {
            self.writer.text(" ");
        }
    }

    fn code(&mut self, node: &NodeRef) {
        let text = inline_text(node);
        if text.is_empty() {
            return;
        }
        let fence = if text.contains('`') { "``" } else { "`" };
        let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
        self.writer.word(&format!("{fence}{pad}{text}{pad}{fence}"));
    }

    fn preformatted(&mut self, node: &NodeRef) {
        let text = node.text();
        let text = text.trim_matches('\n').trim_end();
        if text.is_empty() {
            return;
        }
        let mut fence = "```".to_owned();
        while text.contains(&fence) && fence.len() < 16 {
            fence.push('`');
        }
        let language = language(node).unwrap_or_default();
        self.block(2, |page| page.writer.lines(&format!("{fence}{language}\n{text}\n{fence}")));
    }

    fn link(&mut self, node: &NodeRef, depth: usize) {
        let target = node.attr("href").filter(|href| !href.trim_start().starts_with('#'));
        let target = target.and_then(|href| self.base.join(&href).ok());
        let Some(target) = target else { return self.children(node, depth) };
        if has_block(node) {
            self.children(node, depth);
            self.writer.text(" ");
            return self.writer.word(&format!("[link]({target})"));
        }
        let text = match inline_text(node) {
            text if text.is_empty() => node.attr("aria-label").map(|label| joined(&label)).unwrap_or_default(),
            text => text,
        };
        if !text.is_empty() {
            self.writer.word(&format!("[{}]({target})", text.replace('[', "\\[").replace(']', "\\]")));
        }
    }

    fn image(&mut self, node: &NodeRef) {
        let meaning = node.attr("alt").map(|alt| joined(&alt)).unwrap_or_default();
        if meaning.is_empty() {
            return;
        }
        let source = node.attr("src").filter(|source| !source.starts_with("data:"));
        let source = source.and_then(|source| self.base.join(&source).ok());
        let source = source.map(|url| url.to_string()).unwrap_or_default();
        self.writer.word(&format!("![{}]({source})", meaning.replace('[', "\\[").replace(']', "\\]")));
    }

    fn list(&mut self, numbered: Option<u32>, node: &NodeRef, depth: usize) {
        // A list within an item goes on right below it.
        let breaks = if self.lists.is_empty() { 2 } else { 1 };
        self.lists.push(numbered);
        self.block(breaks, |page| page.children(node, depth));
        self.lists.pop();
    }

    fn item(&mut self, node: &NodeRef, depth: usize) {
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                marker
            }
            _ => "- ".to_owned(),
        };
        self.writer.break_lines(1);
        self.writer.enter(&marker, &" ".repeat(marker.len()));
        self.children(node, depth);
        self.writer.leave();
        self.writer.break_lines(1);
    }
}

fn is_skipped(node: &NodeRef, name: &str) -> bool {
    if SKIPPED.contains(&name) || node.has_attr("hidden") {
        return true;
    }
    let hidden = node.attr("aria-hidden").is_some_and(|value| &*value == "true");
    let invisible = node.attr("style").is_some_and(|style| {
        let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
        style.contains("display:none") || style.contains("visibility:hidden")
    });
    // Some sites wrap the whole page into one form; a form without paragraphs is for filling in.
    let to_fill_in = name == "form" && !has_any(node, &["p", "h1", "h2", "article", "table"]);
    hidden || invisible || to_fill_in
}

fn has_block(node: &NodeRef) -> bool {
    has_any(node, BLOCKS)
}

/// Whether one of these elements is below a node. Of a large subtree only the beginning is looked at, because nested
/// elements ask this again and again; it then counts as having them.
fn has_any(node: &NodeRef, names: &[&str]) -> bool {
    const LOOKED_AT: usize = 2_000;
    node.descendants_it()
        .enumerate()
        .any(|(index, below)| index >= LOOKED_AT || below.node_name().is_some_and(|name| names.contains(&&*name)))
}

/// The text of a node on one line, with the meanings of its images; a very long one is cut.
pub fn inline_text(node: &NodeRef) -> String {
    joined(&raw_text(node))
}

fn raw_text(node: &NodeRef) -> String {
    let mut text = String::new();
    for below in node.descendants_it() {
        if text.len() >= LONGEST_LINE {
            break;
        }
        if below.is_text() && !below.parent().is_some_and(|parent| is_hidden_text(&parent)) {
            text.push_str(&below.text());
        } else if below.has_name("img") {
            text.push_str(&below.attr_or("alt", ""));
        } else if below.has_name("br") {
            text.push(' ');
        }
    }
    text
}

fn is_hidden_text(parent: &NodeRef) -> bool {
    parent.node_name().is_some_and(|name| SKIPPED.contains(&&*name))
}

/// The language of a code block, from the class that highlighters use.
fn language(node: &NodeRef) -> Option<String> {
    let own = node.attr("class");
    let inner = node.first_element_child().and_then(|child| child.attr("class"));
    [own, inner].into_iter().flatten().find_map(|classes| {
        let name = classes
            .split_whitespace()
            .find_map(|class| class.strip_prefix("language-").or_else(|| class.strip_prefix("lang-")))?;
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "+-#.".contains(c));
        (plain && name.len() < 20).then(|| name.to_owned())
    })
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
