//! What a file is. Its first bytes decide; its name only says what kind of text a text is, and what it must not be.

use crate::{
    archive,
    outcome::{Result, unreadable},
};

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Pdf,
    Word,
    Sheet,
    Slides,
    Html,
    Json,
    Markdown,
    /// Any other text, with its media type.
    Plain(&'static str),
}

const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const SHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const SLIDES: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

impl Kind {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Word => WORD,
            Self::Sheet => SHEET,
            Self::Slides => SLIDES,
            Self::Html => "text/html",
            Self::Json => "application/json",
            Self::Markdown => "text/markdown",
            Self::Plain(media_type) => media_type,
        }
    }

    /// Whether its text has headings and lists in Markdown.
    pub fn is_markdown(self) -> bool {
        matches!(self, Self::Markdown | Self::Word | Self::Slides | Self::Html)
    }
}

/// Beginnings of files that hold no text.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"RIFF", "sound, video or a picture (RIFF)"),
    (b"ID3", "sound (MP3)"),
    (b"OggS", "sound (Ogg)"),
    (b"\x1f\x8b", "compressed data (gzip); unpack it first"),
    (b"BZh", "compressed data (bzip2); unpack it first"),
    (b"7z\xbc\xaf", "an archive (7z); unpack it first"),
    (b"Rar!", "an archive (RAR); unpack it first"),
    (b"\xfd7zXZ", "compressed data (xz); unpack it first"),
    (b"MZ", "a program (Windows)"),
    (b"\x7fELF", "a program (ELF)"),
    (b"\0asm", "a program (WebAssembly)"),
    (b"SQLite format 3", "a database (SQLite)"),
];

/// The old binary format of Office, which also wraps encrypted files of the new one.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Finds out what a file is.
pub fn detect(name: &str, bytes: &[u8]) -> Result<Kind> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    // A PDF may have some bytes before its mark.
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    if head.windows(5).any(|five| five == b"%PDF-") {
        return Ok(Kind::Pdf);
    }
    if bytes.starts_with(COMPOUND) {
        // Names in such a file are UTF-16.
        let marker: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        return Err(match bytes.windows(marker.len()).any(|part| part == marker) {
            true => unreadable("The document is protected by a password; save it without one and upload it again"),
            false => unreadable(
                "The document is in the old binary format of Office; save it as .docx, .xlsx or .pptx and upload it again",
            ),
        });
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return archive::kind(bytes, &ending);
    }
    if let Some((_, what)) = FOREIGN.iter().find(|(mark, _)| bytes.starts_with(mark)).filter(|_| !is_text(bytes)) {
        return Err(unreadable(format!("The file holds no text: it is {what}")));
    }
    if !is_text(bytes) {
        return Err(unreadable(match promised(&ending) {
            Some(format) => format!("The file is called .{ending}, but it is no {format}; it is damaged or cut off"),
            None => "The file holds binary data and no text".to_owned(),
        }));
    }
    if let Some(format) = promised(&ending) {
        if bytes.is_empty() {
            return Err(unreadable("The file is empty"));
        }
        return Err(unreadable(format!("The file is called .{ending}, but it is no {format}: it holds plain text")));
    }
    Ok(match ending.as_str() {
        "md" | "markdown" | "mdx" => Kind::Markdown,
        "html" | "htm" | "xhtml" => Kind::Html,
        "json" => Kind::Json,
        "jsonl" | "ndjson" => Kind::Plain("application/jsonl"),
        "csv" => Kind::Plain("text/csv"),
        "tsv" => Kind::Plain("text/tab-separated-values"),
        "xml" | "svg" => Kind::Plain("text/xml"),
        "yaml" | "yml" => Kind::Plain("application/yaml"),
        _ => Kind::Plain("text/plain"),
    })
}

/// The format that a name promises and that is no text.
fn promised(ending: &str) -> Option<&'static str> {
    Some(match ending {
        "pdf" => "PDF",
        "docx" => "Word document",
        "xlsx" => "Excel workbook",
        "pptx" => "PowerPoint presentation",
        _ => return None,
    })
}

/// Whether bytes can be read as text: in UTF-16 with its mark, or in an encoding without NUL and with few controls.
fn is_text(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return true;
    }
    if bytes.contains(&0) {
        return false;
    }
    let odd = |byte: &&u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    let controls = bytes.iter().filter(odd).count();
    controls * 50 <= bytes.len()
}
