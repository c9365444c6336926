//! What the file tools ask for: names, files opened by their names, and texts in pieces.

use mneme_domain::{Actor, AgentId, FileId, folder::FileStatus};
use mneme_sandbox::{FileEntry, FilePiece, OpenedFile};
use mneme_store::files::{self, Readable};

use crate::{Core, CoreError, Result};

/// Bytes of text that a tool reads at a time.
const PIECES: usize = 4 << 20;
/// Bytes of a piece of one file.
const PIECE: usize = 1 << 20;
/// Texts that are asked for at once.
const CONTENTS: usize = 250;

impl Core {
    /// The files that an agent's tools can name.
    pub(crate) async fn tool_files(&self, actor: &Actor, agent: &AgentId) -> Result<Vec<FileEntry>> {
        let entry = |file: Readable| FileEntry {
            name: file.name,
            lines: file.lines.and_then(|lines| u64::try_from(lines).ok()).unwrap_or(0),
            open: file.is_open,
            ready: matches!(file.status, FileStatus::Embedding | FileStatus::Completed),
        };
        Ok(self.readable(actor, agent).await?.into_iter().map(entry).collect())
    }

    /// Opens a file by its name, or a range of its lines.
    pub(crate) async fn tool_open_file(
        &self,
        actor: &Actor,
        agent: &AgentId,
        name: &str,
        range: Option<(u64, Option<u64>)>,
    ) -> Result<OpenedFile> {
        let found = self.readable(actor, agent).await?;
        let file = named(&found, name)?;
        self.open_readable(actor, agent, file, range).await
    }

    /// Closes every file but the named ones.
    pub(crate) async fn tool_close_others(
        &self,
        actor: &Actor,
        agent: &AgentId,
        names: &[String],
    ) -> Result<Vec<String>> {
        let found = self.readable(actor, agent).await?;
        let kept: Vec<&FileId> = names.iter().filter_map(|name| Some(&named(&found, name).ok()?.id)).collect();
        let mut tx = self.store.write().await?;
        let mut open = files::opened(&mut tx, actor, std::slice::from_ref(agent)).await?;
        let mut others = open.remove(agent).unwrap_or_default();
        others.retain(|file| !kept.contains(&&file.file_id));
        let ids: Vec<FileId> = others.iter().map(|file| file.file_id.clone()).collect();
        files::close(&mut tx, actor, agent, &ids).await?;
        tx.commit().await?;
        Ok(others.into_iter().map(|file| file.file_name).collect())
    }

    /// Texts of files in the given order, about so many bytes at a time.
    pub(crate) async fn tool_read_files(
        &self,
        actor: &Actor,
        agent: &AgentId,
        names: &[String],
        offset: u64,
    ) -> Result<Vec<FilePiece>> {
        let found = self.readable(actor, agent).await?;
        let by_name: std::collections::HashMap<&str, &Readable> =
            found.iter().map(|file| (file.name.as_str(), file)).collect();
        let mut conn = self.store.read().await?;
        let mut pieces = Vec::new();
        let (mut bytes, mut from) = (0, usize::try_from(offset).unwrap_or(usize::MAX));
        // Several texts come with one question.
        for names in names.chunks(CONTENTS) {
            let ids: Vec<FileId> =
                names.iter().filter_map(|name| Some(by_name.get(name.as_str())?.id.clone())).collect();
            let mut texts = files::contents(&mut conn, actor, &ids, PIECES as i64).await?;
            for name in names {
                let file = by_name.get(name.as_str()).ok_or_else(|| unknown(name))?;
                let Some(text) = texts.remove(&file.id) else {
                    // A text that did not fit into the answer is the first one of the next question.
                    match files::content(&mut conn, actor, &file.id).await? {
                        Some(text) => {
                            bytes += cut(name, &text, &mut from, &mut pieces, PIECES.saturating_sub(bytes).max(PIECE));
                        }
                        None => pieces.push(FilePiece { name: name.clone(), line: 1, text: String::new(), next: None }),
                    }
                    if bytes >= PIECES || pieces.last().is_some_and(|piece| piece.next.is_some()) {
                        return Ok(pieces);
                    }
                    continue;
                };
                bytes += cut(name, &text, &mut from, &mut pieces, PIECES.saturating_sub(bytes).max(PIECE));
                if bytes >= PIECES || pieces.last().is_some_and(|piece| piece.next.is_some()) {
                    return Ok(pieces);
                }
            }
        }
        Ok(pieces)
    }
}

/// Adds a text from an offset on in pieces of whole lines, at most so many bytes; returns how many.
fn cut(name: &str, text: &str, from: &mut usize, pieces: &mut Vec<FilePiece>, room: usize) -> usize {
    let mut start = std::mem::take(from).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    let mut taken = 0;
    loop {
        let mut end = start.saturating_add(PIECE).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if end < text.len()
            && let Some(at) = text[start..end].rfind('\n')
        {
            end = start + at + 1;
        }
        let part = &text[start..end];
        taken += part.len();
        let next = (end < text.len()).then_some(end as u64);
        pieces.push(FilePiece { name: name.to_owned(), line, text: part.to_owned(), next });
        if next.is_none() || taken >= room {
            return taken;
        }
        line += part.bytes().filter(|byte| *byte == b'\n').count() as u64;
        start = end;
    }
}

/// The file of a name: whole, or without the folder when only one is called so.
fn named<'a>(found: &'a [Readable], name: &str) -> Result<&'a Readable> {
    if let Some(file) = found.iter().find(|file| file.name == name) {
        return Ok(file);
    }
    let mut alike = found.iter().filter(|file| file.name.rsplit('/').next() == Some(name));
    match (alike.next(), alike.next()) {
        (Some(file), None) => Ok(file),
        (Some(_), Some(_)) => Err(CoreError::Invalid(format!(
            "Several files are called {name}: write the folder in front, as in folder/{name}"
        ))),
        _ => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> CoreError {
    CoreError::NotFound(format!("There is no file {name} in your folders; their names are in the directories section"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_text_comes_in_whole_lines() {
        let text = "0123456789\n".repeat(300_000);
        let (mut pieces, mut from) = (Vec::new(), 0);
        let taken = cut("a", &text, &mut from, &mut pieces, text.len());
        assert_eq!(taken, text.len());
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), text);
        assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.text.ends_with('\n')));
        let mut line = 1;
        for piece in &pieces {
            assert_eq!(piece.line, line);
            line += piece.text.matches('\n').count() as u64;
        }
        let mut again = Vec::new();
        from = usize::try_from(pieces[0].next.unwrap()).unwrap();
        cut("a", &text, &mut from, &mut again, 1);
        assert_eq!(again[0], pieces[1]);
    }

    #[test]
    fn a_line_without_end_is_cut_at_a_character() {
        let text = "ü".repeat(PIECE);
        let (mut pieces, mut from) = (Vec::new(), 0);
        cut("a", &text, &mut from, &mut pieces, text.len());
        assert!(pieces.iter().all(|piece| piece.line == 1));
        assert_eq!(pieces.iter().map(|piece| piece.text.chars().count()).sum::<usize>(), PIECE);
    }
}
