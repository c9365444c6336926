//! Takes uploads: checks what they are called, records them, and has them read in the background.

use std::sync::Arc;

use mneme_domain::{
    Actor, SourceId,
    folder::{DuplicateFileHandling, FileMetadata, Folder, MAX_NAME_CHARS},
};
use mneme_macros::boxed;
use mneme_store::{
    Conn, StoreError,
    files::{self, NewFile},
    folders,
};

use super::{Spool, folders::stored};
use crate::{Core, CoreError, Result};

/// Numbers that are tried behind a name that is taken.
const SUFFIXES: usize = 10_000;
/// How often a name is looked for again after another upload took it.
const TRIES: usize = 5;

/// Endings of texts and source code, besides those of documents.
const TEXT_ENDINGS: &[&str] = &[
    "txt",
    "text",
    "md",
    "markdown",
    "mdx",
    "rst",
    "adoc",
    "org",
    "tex",
    "log",
    "csv",
    "tsv",
    "json",
    "jsonl",
    "ndjson",
    "xml",
    "svg",
    "yaml",
    "yml",
    "toml",
    "ini",
    "cfg",
    "conf",
    "env",
    "properties",
    "html",
    "htm",
    "xhtml",
    "css",
    "scss",
    "sass",
    "less",
    "js",
    "mjs",
    "cjs",
    "jsx",
    "ts",
    "tsx",
    "vue",
    "svelte",
    "py",
    "pyi",
    "ipynb",
    "java",
    "kt",
    "kts",
    "scala",
    "groovy",
    "c",
    "h",
    "cc",
    "cpp",
    "cxx",
    "hpp",
    "cs",
    "fs",
    "vb",
    "go",
    "rs",
    "rb",
    "php",
    "pl",
    "pm",
    "lua",
    "r",
    "jl",
    "m",
    "mm",
    "swift",
    "dart",
    "ex",
    "exs",
    "erl",
    "hs",
    "clj",
    "lisp",
    "el",
    "ml",
    "sql",
    "graphql",
    "proto",
    "sh",
    "bash",
    "zsh",
    "fish",
    "ps1",
    "bat",
    "cmd",
    "dockerfile",
    "makefile",
    "cmake",
    "gradle",
    "tf",
    "srt",
    "vtt",
    "eml",
    "diff",
    "patch",
];
/// Endings of documents.
const DOCUMENT_ENDINGS: &[&str] = &["pdf", "docx", "xlsx", "pptx"];

/// What a client says about an upload.
#[derive(Debug, Clone, Default)]
pub struct Naming {
    /// What the form calls the file.
    pub sent: String,
    /// What it is to be called instead.
    pub wanted: Option<String>,
    /// The media type that the form gives it.
    pub media_type: Option<String>,
}

impl Naming {
    /// The file's own name.
    ///
    /// # Errors
    /// 422 for what is no name.
    pub fn name(&self) -> Result<String> {
        let given = self.wanted.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(&self.sent);
        // Some clients send whole paths.
        let base = given.rsplit(['/', '\\']).next().unwrap_or(given).trim();
        let odd = |c: char| c.is_control() || matches!(c, '<' | '>' | '"');
        let name: String = base.chars().map(|c| if odd(c) { '_' } else { c }).collect();
        if name.is_empty() || name == "." || name == ".." || name.chars().count() > MAX_NAME_CHARS {
            return Err(CoreError::field("file", format!("a file needs a name of 1 to {MAX_NAME_CHARS} characters")));
        }
        Ok(name)
    }
}

fn ending(name: &str) -> String {
    name.rsplit_once('.').map_or(name, |(_, ending)| ending).to_ascii_lowercase()
}

/// Refuses what is surely no document: by its name when that says so, else by its media type and first bytes. What it is in
/// truth is found out when it is read.
pub(super) fn check_type(name: &str, media_type: Option<&str>, head: &[u8]) -> Result<()> {
    let ending = ending(name);
    let known = |list: &[&str]| list.contains(&ending.as_str());
    let media_type = media_type.unwrap_or("application/octet-stream");
    let textual = media_type.starts_with("text/") || media_type == "application/json" || media_type.ends_with("+json");
    // Without an ending that says something, what looks like text is taken.
    let plain = !head.is_empty() && !head.contains(&0) && String::from_utf8_lossy(head).chars().all(readable);
    if known(TEXT_ENDINGS) || known(DOCUMENT_ENDINGS) || textual || plain || head.starts_with(b"%PDF-") {
        return Ok(());
    }
    Err(CoreError::Unsupported(format!(
        "Unsupported file type: {media_type} (filename: {name}). Supported types: PDF, Word (.docx), Excel (.xlsx), PowerPoint \
         (.pptx), HTML, text files (.txt, .md, .csv), JSON, and code files (.py, .js, .java, etc.)."
    )))
}

fn readable(c: char) -> bool {
    // The last character of the head may be cut in two.
    !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}')
}

/// A media type by the name alone, until the file is read.
pub(super) fn guessed(name: &str, sent: Option<&str>) -> String {
    let by_name = match ending(name).as_str() {
        "pdf" => "application/pdf",
        "json" | "ipynb" => "application/json",
        "md" | "markdown" | "mdx" => "text/markdown",
        "html" | "htm" | "xhtml" => "text/html",
        "csv" => "text/csv",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "txt" | "text" | "log" => "text/plain",
        _ => return sent.filter(|sent| sent.len() <= 200).unwrap_or("text/plain").to_owned(),
    };
    by_name.to_owned()
}

#[boxed]
impl Core {
    /// Refuses an upload whose name, media type or first bytes show that it is no document. To be asked as soon as bytes
    /// are there.
    ///
    /// # Errors
    /// 415 when it is none, 422 for a name that is none.
    pub fn judge_upload(&self, spool: &Spool, naming: &Naming) -> Result<()> {
        check_type(&naming.name()?, naming.media_type.as_deref(), spool.head())
    }

    /// Records an upload that has arrived, and has it read in the background.
    ///
    /// # Errors
    /// 404 for an unknown folder, 400 for a name that is taken when that is to be an error, 415 for what is no document.
    pub async fn take_upload(
        self: &Arc<Self>,
        actor: &Actor,
        folder: &SourceId,
        mut spool: Spool,
        naming: &Naming,
        duplicates: DuplicateFileHandling,
    ) -> Result<FileMetadata> {
        self.judge_upload(&spool, naming)?;
        let name = naming.name()?;
        spool.close().await?;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.record_upload(actor, folder, &spool, naming, &name, duplicates).await {
                // Another upload took the name in this moment.
                Err(Recorded::Taken) if tries < TRIES => {}
                Err(Recorded::Taken) => {
                    return Err(CoreError::Conflict(format!("'{name}' is being uploaded by others; try again")));
                }
                Err(Recorded::Failed(error)) => return Err(error),
                Ok((file, false)) => return Ok(file),
                Ok((file, true)) => {
                    spool.keep();
                    self.begin_ingest(actor.clone(), file.id.clone(), name);
                    return Ok(file);
                }
            }
        }
    }

    /// Records an upload; the answer says whether it is a new file.
    async fn record_upload(
        self: &Arc<Self>,
        actor: &Actor,
        folder: &SourceId,
        spool: &Spool,
        naming: &Naming,
        name: &str,
        duplicates: DuplicateFileHandling,
    ) -> std::result::Result<(FileMetadata, bool), Recorded> {
        let mut tx = self.store.write().await?;
        folders::lock(&mut tx, actor, folder).await?;
        let home = stored(&mut tx, actor, folder).await?;
        let mut own = name.to_owned();
        let mut replaced = None;
        if let Some(present) = files::by_name(&mut tx, actor, folder, name).await? {
            match duplicates {
                DuplicateFileHandling::Skip => return Ok((present, false)),
                DuplicateFileHandling::Error => return Err(exists(name, &home).into()),
                DuplicateFileHandling::Replace => {
                    files::delete(&mut tx, actor, folder, &present.id).await?;
                    replaced = Some(present.id);
                }
                DuplicateFileHandling::Suffix => own = free_name(&mut tx, actor, folder, name).await?,
            }
        }
        let media_type = guessed(name, naming.media_type.as_deref());
        let file = NewFile {
            id: spool.id(),
            folder,
            name: &own,
            original_name: name,
            media_type: Some(&media_type),
            size: spool.size(),
            owner: &self.replica,
            now: self.env.now(),
        };
        files::insert(&mut tx, actor, &file).await?;
        let recorded = files::get(&mut tx, actor, folder, spool.id()).await?;
        let recorded = recorded.ok_or_else(|| CoreError::Internal("a file that was recorded is not there".into()))?;
        // From here on it counts as being worked on, or a sweep would take it for somebody's that is gone.
        self.files.busy.lock().insert(recorded.id.clone());
        if let Err(error) = tx.commit().await {
            self.files.busy.lock().remove(&recorded.id);
            return Err(error.into());
        }
        if let Some(replaced) = replaced {
            self.forget_spool(&replaced).await;
        }
        Ok((recorded, true))
    }

    /// Fails unless there is such a folder. For uploads, before anything is received.
    ///
    /// # Errors
    /// 404 for an unknown folder.
    pub async fn require_folder(&self, actor: &Actor, id: &SourceId) -> Result<()> {
        let mut conn = self.store.read().await?;
        let found = folders::get(&mut conn, actor, id).await?;
        found.map(drop).ok_or_else(|| CoreError::missing("Source", id))
    }
}

enum Recorded {
    Taken,
    Failed(CoreError),
}

impl From<CoreError> for Recorded {
    fn from(error: CoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Recorded {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(rule) if rule == "files_org_id_source_id_file_name" => Self::Taken,
            other => Self::Failed(other.into()),
        }
    }
}

fn exists(name: &str, folder: &Folder) -> CoreError {
    CoreError::Invalid(format!("INVALID_ARGUMENT: File '{name}' already exists in folder '{}'", folder.name))
}

/// The name with the first number behind it that is free: `notes_(1).txt`.
pub(super) async fn free_name(tx: &mut Conn, actor: &Actor, folder: &SourceId, name: &str) -> Result<String> {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let mut number = 1;
    let mut wide = 20;
    while number < SUFFIXES {
        let names: Vec<String> = (number..number + wide).map(|number| format!("{stem}_({number}){ending}")).collect();
        let taken = files::taken(tx, actor, folder, names.clone()).await?;
        if let Some(free) = names.into_iter().find(|name| !taken.contains(name)) {
            return Ok(free);
        }
        number += wide;
        wide = 500;
    }
    Err(CoreError::Conflict(format!("The folder has {SUFFIXES} files called '{name}'; choose another name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_paths_and_what_a_prompt_could_trip_over() {
        let name = |sent: &str, wanted: Option<&str>| {
            Naming { sent: sent.into(), wanted: wanted.map(str::to_owned), media_type: None }.name()
        };
        assert_eq!(name("C:\\docs\\a.txt", None).unwrap(), "a.txt");
        assert_eq!(name("../../etc/passwd", None).unwrap(), "passwd");
        assert_eq!(name("a.txt", Some("b.txt")).unwrap(), "b.txt");
        assert_eq!(name("a<\n\">.txt", None).unwrap(), "a____.txt");
        for bad in ["", "..", "a/", &"x".repeat(300)] {
            assert!(name(bad, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused_and_unknown_texts_are_taken() {
        let check = |name: &str, kind: &str, head: &[u8]| check_type(name, Some(kind), head).is_ok();
        assert!(!check("x.exe", "application/x-msdownload", b"MZ\0\x01"));
        assert!(!check("x.png", "image/png", b"\x89PNG\r\n\x1a\n\0"));
        assert!(check("x.pdf", "application/octet-stream", b"%PDF-1.7"));
        assert!(check("Makefile", "application/octet-stream", b"all:\n\tcargo build\n"));
        assert!(check("notes", "text/plain", b""));
        assert!(check("lies.txt", "text/plain", b"\x89PNG\0"), "found out when it is read");
    }
}
