//! Word documents.

use crate::{
    archive::Parts,
    outcome::{Reading, Result, unreadable},
    xml,
};

pub fn read(bytes: Vec<u8>) -> Result<Reading> {
    let mut parts = Parts::open(bytes)?;
    let document = parts.text("word/document.xml")?.ok_or_else(|| unreadable("The document has no text part"))?;
    let mut text = xml::markdown(&document)?;
    drop(document);
    for (part, title) in [("word/footnotes.xml", "Footnotes"), ("word/endnotes.xml", "Endnotes")] {
        let Some(notes) = parts.text(part)? else { continue };
        let notes = xml::markdown(&notes)?;
        if !notes.trim().is_empty() {
            text.push_str(&format!("\n## {title}\n\n{notes}"));
        }
    }
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err(unreadable("The document has no text in it"));
    }
    Ok(Reading::of(text))
}
