//! The mock's files.

use std::cell::RefCell;

use crate::{
    HostError,
    host::{FileEntry, FileHit, FilePiece, FileRange, OpenedFile},
};

/// Bytes of a piece, few, so that tests see several.
const PIECE: usize = 64;
/// Files that are open at most.
const MOST_OPEN: usize = 3;

/// Files with their texts, and which are open.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    texts: RefCell<Vec<(String, String)>>,
    open: RefCell<Vec<String>>,
    pub(super) hits: Vec<FileHit>,
}

impl Shelf {
    pub(super) fn add(&self, name: &str, text: &str) {
        self.texts.borrow_mut().push((name.to_owned(), text.to_owned()));
    }

    pub(super) fn open(&self) -> Vec<String> {
        self.open.borrow().clone()
    }

    fn text(&self, name: &str) -> Result<String, HostError> {
        let texts = self.texts.borrow();
        let found = texts.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.clone()).ok_or_else(|| HostError::NotFound(format!("there is no file `{name}`")))
    }

    pub(super) fn list(&self) -> Vec<FileEntry> {
        let open = self.open.borrow();
        let entry = |(name, text): &(String, String)| FileEntry {
            name: name.clone(),
            lines: text.split('\n').count() as u64,
            open: open.contains(name),
            ready: true,
        };
        self.texts.borrow().iter().map(entry).collect()
    }

    pub(super) fn read(&self, names: &[String], offset: u64) -> Result<Vec<FilePiece>, HostError> {
        let Some(name) = names.first() else { return Ok(Vec::new()) };
        let text = self.text(name)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        let mut end = (start + PIECE).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        if let (true, Some(line)) = (end < text.len(), text[start..end].rfind('\n')) {
            end = start + line + 1;
        }
        let line = text[..start].matches('\n').count() as u64 + 1;
        let next = (end < text.len()).then_some(end as u64);
        Ok(vec![FilePiece { name: name.clone(), line, text: text[start..end].to_owned(), next }])
    }

    pub(super) fn put_into_view(&self, name: &str, range: Option<FileRange>) -> Result<OpenedFile, HostError> {
        let lines = self.text(name)?.split('\n').count() as u64;
        let first = range.map_or(0, |range| range.offset) + 1;
        let last = range.and_then(|range| range.length).map_or(lines, |length| (first + length - 1).min(lines));
        let mut open = self.open.borrow_mut();
        open.retain(|other| other != name);
        open.push(name.to_owned());
        let closed = if open.len() > MOST_OPEN { vec![open.remove(0)] } else { Vec::new() };
        Ok(OpenedFile { name: name.to_owned(), first, last, lines, cut: false, closed })
    }

    pub(super) fn close_others(&self, names: &[String]) -> Vec<String> {
        let (kept, closed): (Vec<String>, Vec<String>) =
            self.open.borrow_mut().drain(..).partition(|name| names.contains(name));
        *self.open.borrow_mut() = kept;
        closed
    }
}
