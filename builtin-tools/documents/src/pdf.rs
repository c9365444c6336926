//! PDF. Two readers: one follows the places of letters on the page, the simpler one the order of the file.

use pdf_extract::{Document, PlainTextOutput};

use crate::outcome::{Reading, Result, check, unreadable};

/// The most pages.
const MAX_PAGES: usize = 20_000;

pub fn read(bytes: Vec<u8>, careful: bool) -> Result<Reading> {
    let mut document = Document::load_mem(&bytes).map_err(|error| damaged(&error))?;
    drop(bytes);
    // What is only protected against changes opens without a password.
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err(unreadable("The PDF is protected by a password; save it without one and upload it again"));
    }
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    if pages.is_empty() {
        return Err(unreadable("The PDF has no pages; it is damaged or cut off"));
    }
    if pages.len() > MAX_PAGES {
        return Err(unreadable(format!("The PDF has {} pages; at most {MAX_PAGES} are read", pages.len())));
    }
    let mut text = String::new();
    if !careful {
        for page in &pages {
            let mut found = String::new();
            let mut output = PlainTextOutput::new(&mut found);
            // A page that cannot be read leaves the others, and what was read of it.
            let _ = pdf_extract::output_doc_page(&document, &mut output, *page);
            drop(output);
            add(&mut text, &found)?;
        }
    }
    // It also knows some fonts that the other one does not.
    if text.trim().is_empty() {
        text.clear();
        for page in &pages {
            add(&mut text, &document.extract_text(&[*page]).unwrap_or_default())?;
        }
    }
    if text.trim().is_empty() {
        let count = pages.len();
        let pages = if count == 1 { "1 page".to_owned() } else { format!("{count} pages") };
        return Err(unreadable(format!(
            "The PDF has {pages} and no text in it: it is made of images; run it through text recognition (OCR) first"
        )));
    }
    Ok(Reading { text, pages: Some(pages.len()) })
}

/// Adds a page, without the empty lines that layouts leave.
fn add(text: &mut String, page: &str) -> Result<()> {
    if !text.is_empty() {
        text.push('\n');
    }
    let mut empty = 0;
    for line in page.lines().map(str::trim_end) {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            text.push_str(line);
            text.push('\n');
        }
    }
    check(text.len())
}

fn damaged(error: &dyn std::fmt::Display) -> mneme_tool_sdk::ToolError {
    unreadable(format!("The PDF cannot be read: it is damaged or cut off ({error})"))
}
