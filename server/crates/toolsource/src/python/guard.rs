//! A bound on nesting, checked on the tokens before anything recursive sees the source: the parser grows its stack
//! on its own, but the tree it makes is walked and freed by recursion.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

use super::line_of;
use crate::{Result, SourceError};

/// How deep a tree may become. Code written by people stays far below.
const MAX_DEPTH: usize = 1000;
/// How deep blocks may contain each other: Python's own limit.
const MAX_BLOCKS: usize = 100;

/// Refuses a source that nests too deeply. Counts from above: each token of an expression that is not a name or a
/// value may add a level to it, a comma begins the next expression, and brackets contain.
pub fn check(source: &str, mode: Mode) -> Result<()> {
    let mut lexer = lexer::lex(source, mode);
    let mut outer: Vec<usize> = Vec::new();
    let mut here = 0usize;
    let mut blocks = 0usize;
    // The sum of `outer` and `here`.
    let mut depth = 0usize;
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return Ok(()),
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline => {}
            TokenKind::Newline => {
                outer.clear();
                (here, depth) = (0, 0);
            }
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            TokenKind::Comma | TokenKind::Semi => {
                depth -= here;
                here = 0;
            }
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                outer.push(here + 1);
                depth += 1;
                here = 0;
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                depth -= here;
                here = outer.pop().unwrap_or(0);
            }
            _ => {
                here += 1;
                depth += 1;
            }
        }
        if depth > MAX_DEPTH || blocks > MAX_BLOCKS {
            let at = lexer.next_range_start();
            return Err(SourceError::TooDeep { line: line_of(source, at) });
        }
    }
}
