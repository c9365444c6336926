//! Web pages, as Markdown.

use htmd::HtmlToMarkdown;

use crate::{
    outcome::{Reading, Result, unreadable},
    plain,
};

/// Elements inside each other at most. The parser's work grows with the square of it.
const MAX_DEPTH: usize = 1_000;
/// Elements that never hold others, or that close by themselves.
const FLAT: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p",
    "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "option", "optgroup", "rp", "rt",
    "html", "body", "head",
];

/// About how deep the elements of a page nest at most, without parsing it.
fn depth(html: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in html.split('<').skip(1) {
        let closes = tag.starts_with('/');
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).take(16).collect();
        let name = name.to_ascii_lowercase();
        if name.is_empty() || FLAT.contains(&name.as_str()) {
            continue;
        }
        depth = if closes { depth.saturating_sub(1) } else { depth + 1 };
        deepest = deepest.max(depth);
    }
    deepest
}

pub fn read(bytes: Vec<u8>) -> Result<Reading> {
    let html = plain::decode(bytes)?;
    if depth(&html) > MAX_DEPTH {
        return Err(unreadable("The page cannot be read: its elements nest too deeply"));
    }
    let converter =
        HtmlToMarkdown::builder().skip_tags(vec!["script", "style", "noscript", "template", "svg", "iframe"]).build();
    let text = converter.convert(&html).map_err(|error| unreadable(format!("The page cannot be read: {error}")))?;
    if text.trim().is_empty() {
        return Err(unreadable("The page has no text in it"));
    }
    Ok(Reading::of(text))
}
