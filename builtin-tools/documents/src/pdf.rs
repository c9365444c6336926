//! PDF. Two readers: one follows the places of letters on the page, the simpler one the order of the file.

use pdf_extract::{Document, Object, PlainTextOutput};

use crate::outcome::{Reading, Result, check, unreadable};

/// The most pages.
const MAX_PAGES: usize = 20_000;
/// The name of UTF-16 that the simpler reader knows.
const UTF16: &[u8] = b"UniGB-UTF16-H";

pub fn read(bytes: Vec<u8>, careful: bool) -> Result<Reading> {
    let mut document = Document::load_mem(&bytes).map_err(|error| damaged(&error))?;
    drop(bytes);
    // What is only protected against changes opens without a password.
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err(unreadable("The PDF is protected by a password; save it without one and upload it again"));
    }
    name_encodings(&mut document);
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

/// Chinese, Japanese and Korean fonts without a table of their letters often have UTF-16 for an encoding, which has a name
/// for each language and direction. The readers know one of them.
fn name_encodings(document: &mut Document) {
    for object in document.objects.values_mut() {
        let Ok(font) = object.as_dict_mut() else { continue };
        if font.get(b"Encoding").and_then(Object::as_name).is_ok_and(is_utf16) {
            font.set("Encoding", Object::Name(UTF16.to_vec()));
        }
    }
}

fn is_utf16(name: &[u8]) -> bool {
    const LANGUAGES: &[&[u8]] = &[b"UniGB-", b"UniCNS-", b"UniJIS-", b"UniKS-", b"UniJIS2004-", b"UniJISX0213-"];
    let rest = LANGUAGES.iter().find_map(|language| name.strip_prefix(*language));
    rest.is_some_and(|rest| rest.starts_with(b"UCS2-") || rest.starts_with(b"UTF16-"))
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
