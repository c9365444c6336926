//! Which part of a page is what it is about.

use dom_query::{Document, NodeRef};
use dom_smoothie::{Config, Readability};
use mneme_tool_sdk::http::Url;

use super::survey::Light;
use super::{MOST_CHARACTERS, markdown, plain, survey};

/// Beyond these a page is not parsed: only its text is taken.
const MOST_TAGS: usize = 60_000;
const MOST_DEPTH: usize = 400;
const MOST_MARKUP: usize = 4_000_000;
/// Beyond this the whole page is written out, without looking for its main part.
const MOST_TAGS_TO_JUDGE: usize = 20_000;
/// A main part must have this many characters of Markdown, and this share of the page's.
const LEAST_CHARACTERS: usize = 250;
const LEAST_SHARE: usize = 20;

/// The page as Markdown: its main part when there clearly is one, else all of it without menus.
pub fn markdown(html: &str, url: &Url) -> String {
    let light = survey::lighten(html);
    if is_wild(&light) {
        return plain::text(&light.html, MOST_CHARACTERS);
    }
    let document = Document::from(light.html.as_str());
    if depth(document.root()) > MOST_DEPTH {
        return plain::text(&light.html, MOST_CHARACTERS);
    }
    let tags = light.tags;
    drop(light);

    let title = joined(&document.select_single("title").text());
    let base = document.select_single("base[href]").attr("href").and_then(|base| url.join(&base).ok());
    let base = base.unwrap_or_else(|| url.clone());
    let whole = markdown::write(document.root(), &base);
    if tags <= MOST_TAGS_TO_JUDGE
        && let Some(article) = main_part(document, url, &base)
        && article.len() >= LEAST_CHARACTERS.max(whole.len() / LEAST_SHARE)
    {
        return titled(&title, article);
    }
    titled(&title, whole)
}

fn is_wild(light: &Light) -> bool {
    light.tags > MOST_TAGS || light.depth > MOST_DEPTH || light.html.len() > MOST_MARKUP
}

/// The deepest nesting, counted without recursion.
fn depth(root: NodeRef) -> usize {
    let (mut deepest, mut depth, mut node) = (0, 0, root);
    loop {
        if let Some(child) = node.first_child() {
            depth += 1;
            deepest = deepest.max(depth);
            node = child;
            continue;
        }
        loop {
            if depth == 0 {
                return deepest;
            }
            if let Some(sibling) = node.next_sibling() {
                node = sibling;
                break;
            }
            let Some(parent) = node.parent() else { return deepest };
            depth -= 1;
            node = parent;
        }
    }
}

/// The main part, found by the density of text and links, as reading modes of browsers do.
fn main_part(document: Document, url: &Url, base: &Url) -> Option<String> {
    let config = Config {
        // Classes name the language of code.
        keep_classes: true,
        // Descriptions for machines are not read: their parser was not made for hostile ones.
        disable_json_ld: true,
        ..Config::default()
    };
    let mut readability = Readability::with_document(document, Some(&url.to_string()), Some(config)).ok()?;
    if !readability.is_probably_readable() {
        return None;
    }
    let article = readability.parse().ok()?;
    drop(readability);
    let document = Document::from(article.content);
    (depth(document.root()) <= MOST_DEPTH).then(|| markdown::write(document.root(), base))
}

/// Puts the page's title on top, unless the text begins with a heading of its own.
fn titled(title: &str, text: String) -> String {
    match title.is_empty() || text.starts_with("# ") {
        true => text,
        false => format!("# {title}\n\n{text}"),
    }
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
