//! Cuts a text into chunks: at headings, paragraphs, sentences and words, in this order, as far as a chunk's tokens go.

use text_splitter::{ChunkConfig, MarkdownSplitter, TextSplitter};

use crate::tokens::Tokens;

/// A text is cut in pieces of about so many bytes, so that the work grows with its length and no faster.
const PIECE: usize = 64 << 10;
/// What a chunk may have.
const SIZES: std::ops::RangeInclusive<usize> = 32..=4_000;

/// The places of the chunks, in bytes from where to where. White space at their ends is left out.
pub fn places(text: &str, markdown: bool, tokens: usize) -> Vec<(usize, usize)> {
    let tokens = tokens.clamp(*SIZES.start(), *SIZES.end());
    let config = || ChunkConfig::new(tokens).with_sizer(Tokens);
    let (prose, marked) = (TextSplitter::new(config()), MarkdownSplitter::new(config()));
    let mut places = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = end_of_piece(text, start);
        let piece = &text[start..end];
        let mut keep = |(offset, chunk): (usize, &str)| {
            if !chunk.trim().is_empty() {
                places.push((start + offset, start + offset + chunk.len()));
            }
        };
        if markdown {
            marked.chunk_indices(piece).for_each(&mut keep);
        } else {
            prose.chunk_indices(piece).for_each(&mut keep);
        }
        start = end;
    }
    places
}

/// Where a piece ends: behind an empty line near its full size, else behind a line, else at a character.
fn end_of_piece(text: &str, start: usize) -> usize {
    let mut full = (start + PIECE).min(text.len());
    while !text.is_char_boundary(full) {
        full += 1;
    }
    if full == text.len() {
        return full;
    }
    let piece = &text[start..full];
    let late = |at: &usize| *at > PIECE / 2;
    let paragraph = piece.rfind("\n\n").map(|at| at + 2).filter(late);
    let line = || piece.rfind('\n').map(|at| at + 1).filter(late);
    start + paragraph.or_else(line).unwrap_or(piece.len())
}
