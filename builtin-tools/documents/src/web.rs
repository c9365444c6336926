//! Web pages, as Markdown.

use htmd::HtmlToMarkdown;

use crate::{
    outcome::{Reading, Result, unreadable},
    plain,
};

pub fn read(bytes: Vec<u8>) -> Result<Reading> {
    let html = plain::decode(bytes)?;
    let converter =
        HtmlToMarkdown::builder().skip_tags(vec!["script", "style", "noscript", "template", "svg", "iframe"]).build();
    let text = converter.convert(&html).map_err(|error| unreadable(format!("The page cannot be read: {error}")))?;
    if text.trim().is_empty() {
        return Err(unreadable("The page has no text in it"));
    }
    Ok(Reading::of(text))
}
