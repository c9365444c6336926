//! The zip archives that Office documents are.

use std::io::{Cursor, Read};

use zip::{ZipArchive, result::ZipError};

use crate::{
    kind::Kind,
    outcome::{Result, unreadable},
};

/// The most bytes that a part of a document unpacks to.
const MAX_PART: u64 = 48 << 20;
/// The most that the parts read of one document unpack to.
const MAX_ALL: u64 = 120 << 20;
/// The most entries.
const MAX_ENTRIES: usize = 50_000;

/// What an archive is, by the parts that it has.
pub fn kind(bytes: &[u8], ending: &str) -> Result<Kind> {
    let archive = open(bytes)?;
    let has = |name: &str| archive.index_for_name(name).is_some();
    Ok(if has("word/document.xml") {
        Kind::Word
    } else if has("xl/workbook.xml") {
        Kind::Sheet
    } else if has("ppt/presentation.xml") {
        Kind::Slides
    } else if matches!(ending, "docx" | "xlsx" | "pptx") {
        return Err(unreadable(format!("The file is called .{ending}, but it is another kind of archive (zip)")));
    } else {
        return Err(unreadable("The file is an archive (zip); unpack it and upload the documents in it"));
    })
}

fn open<B: AsRef<[u8]>>(bytes: B) -> Result<ZipArchive<Cursor<B>>> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if archive.len() > MAX_ENTRIES {
        return Err(unreadable(format!("The document has more than {MAX_ENTRIES} parts")));
    }
    Ok(archive)
}

fn damaged(error: &ZipError) -> mneme_tool_sdk::ToolError {
    unreadable(format!("The document cannot be read: it is damaged or cut off ({error})"))
}

/// A document's parts.
pub struct Parts {
    archive: ZipArchive<Cursor<Vec<u8>>>,
    left: u64,
}

impl Parts {
    pub fn open(bytes: Vec<u8>) -> Result<Self> {
        Ok(Self { archive: open(bytes)?, left: MAX_ALL })
    }

    /// A part as text; none when there is no such part.
    pub fn text(&mut self, name: &str) -> Result<Option<String>> {
        let part = match self.archive.by_name(name) {
            Ok(part) => part,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(damaged(&error)),
        };
        if part.encrypted() {
            return Err(unreadable("The document is protected by a password; save it without one and upload it again"));
        }
        let most = MAX_PART.min(self.left);
        let mut bytes = Vec::new();
        part.take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(format!("The document cannot be read: it is damaged or cut off ({error})")))?;
        let size = bytes.len() as u64;
        if size > most {
            return Err(unreadable(format!("The document unpacks to more than {} MB", most >> 20)));
        }
        self.left -= size;
        Ok(Some(crate::plain::decode_xml(bytes)))
    }
}

/// Fails when any part of a document that others will unpack says that it is too large, or is larger than it says.
pub fn check(bytes: &[u8]) -> Result<()> {
    let mut archive = open(bytes)?;
    let mut left = MAX_ALL;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| damaged(&error))?;
        let name = part.name().map(|name| name.into_owned()).unwrap_or_default();
        if !name.ends_with(".xml") && !name.ends_with(".rels") {
            continue;
        }
        let size = std::io::copy(&mut part.take(left.min(MAX_PART) + 1), &mut std::io::sink())
            .map_err(|error| unreadable(format!("The document cannot be read: it is damaged or cut off ({error})")))?;
        if size > left.min(MAX_PART) {
            return Err(unreadable(format!("The document unpacks to more than {} MB", left.min(MAX_PART) >> 20)));
        }
        left -= size;
    }
    Ok(())
}
