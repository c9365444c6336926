//! A look at the markup of a page before it is parsed: one pass, in time proportional to its length.
//!
//! A parser of HTML has to cope with anything, but not cheaply: with elements nested a hundred thousand deep each new
//! one costs a walk over all the others. So the depth is estimated first. Scripts, styles, drawings and comments are
//! dropped on the way; they are most of the bytes of most pages.

use std::collections::HashMap;

/// Elements of which nothing is read; their content is skipped as it stands.
const DROPPED: &[&str] = &["script", "style", "svg", "template", "noscript", "iframe", "textarea", "select", "object"];
/// Elements without content.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements whose end is often left out, and found by the parser.
const OPTIONAL_END: &[&str] = &[
    "html", "head", "body", "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "option",
    "optgroup", "rp", "rt", "caption",
];

/// A longer tag loses its attributes: a parser compares each one with all before it.
const LONGEST_TAG: usize = 4096;

/// The markup that is worth parsing, and how demanding it is.
pub struct Light<'a> {
    /// The pieces that were kept.
    pub html: String,
    /// Start tags.
    pub tags: usize,
    /// The most elements that were open at the same time, as far as can be told without parsing.
    pub depth: usize,
    open: HashMap<&'a str, usize>,
    open_now: usize,
}

/// Takes out what is not read, and measures.
pub fn lighten(html: &str) -> Light<'_> {
    let mut light =
        Light { html: String::with_capacity(html.len() / 2), tags: 0, depth: 0, open: HashMap::new(), open_now: 0 };
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        light.html.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(end) = tag_end(rest) else {
            // Not a tag any more, or one that was cut off.
            rest = "";
            break;
        };
        let (tag, after) = rest.split_at(end);
        rest = after;
        let closing = tag.starts_with("</");
        let name = name(&tag[if closing { 2 } else { 1 }..]);
        if !closing && is(DROPPED, name) {
            rest = after_end_of(name, rest);
            continue;
        }
        if tag.len() <= LONGEST_TAG {
            light.html.push_str(tag);
        } else if !closing && !name.is_empty() {
            light.html.push_str(&format!("<{name}>"));
        }
        light.count(name, closing);
    }
    light.html.push_str(rest);
    light
}

impl<'a> Light<'a> {
    fn count(&mut self, name: &'a str, closing: bool) {
        if name.is_empty() {
            return;
        }
        if !closing {
            self.tags += 1;
        }
        if is(VOID, name) || is(OPTIONAL_END, name) {
            return;
        }
        // `<Div>` and `<div>` are counted apart, which makes the estimate larger at worst.
        let open = self.open.entry(name).or_default();
        if !closing {
            *open += 1;
            self.open_now += 1;
            self.depth = self.depth.max(self.open_now);
        } else if *open > 0 {
            *open -= 1;
            self.open_now -= 1;
        }
    }
}

/// Where the tag ends that a text begins with: after the first `>` outside a quoted value.
fn tag_end(text: &str) -> Option<usize> {
    let mut value = false;
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') if value => quote = Some(byte),
            (None, b'=') => value = true,
            (None, _) => value &= byte.is_ascii_whitespace(),
        }
        if quote.is_some() {
            value = false;
        }
    }
    None
}

fn name(tag: &str) -> &str {
    let end = tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(tag.len());
    match tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => &tag[..end],
        false => "",
    }
}

fn is(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// What follows the end tag of that name; nothing when there is none.
fn after_end_of<'a>(name: &str, text: &'a str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        if self::name(rest).eq_ignore_ascii_case(name) {
            return rest.find('>').map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_is_dropped() {
        let light = lighten(
            "<p>a<!-- <b> --><SCRIPT>if (a </b) {}</p></SCRIPT >b<svg><path/></svg>c<1 <style>x</style> d</p><img>",
        );
        assert_eq!(light.html, "<p>abc<1 <style>x</style> d</p><img>");
        assert_eq!(light.tags, 2);
        assert_eq!(lighten("a<script>b").html, "a");
        assert_eq!(lighten("a<!-- b").html, "a");
        assert_eq!(lighten("a<b").html, "a");
        assert_eq!(lighten("").html, "");
        assert_eq!(lighten("<a b=\"<svg>\" c = '>'>x<a \"y>z").html, "<a b=\"<svg>\" c = '>'>x<a \"y>z");
        assert_eq!(lighten(&format!("<p {}>x", "a='>' ".repeat(1_000))).html, "<p>x");
    }

    #[test]
    fn the_depth_is_that_of_open_elements() {
        assert_eq!(lighten("<div><div><b>x</b></div></div><div></div>").depth, 3);
        assert_eq!(lighten("<p>a<p>b<li>c<br>").depth, 0);
        assert_eq!(lighten(&"<div></x>".repeat(1000)).depth, 1000);
        assert_eq!(lighten("</div></div><div>").depth, 1);
    }
}
