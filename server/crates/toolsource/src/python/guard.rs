//! A bound on nesting, checked on the tokens before anything recursive sees the source: the parser grows its stack
//! on its own, but the tree it makes is walked and freed by recursion.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

use crate::{Result, SourceError};

/// How deep a tree may become. Code written by people stays far below.
const MAX_DEPTH: usize = 1000;
/// How deep blocks may contain each other: Python's own limit.
const MAX_BLOCKS: usize = 100;

/// Longest source with broken tokens that is still parsed to say where: what the parser then sees may nest as deep as
/// the source is long.
const MAX_BROKEN: usize = 64 * 1024;

/// Refuses a source that nests too deeply. Counts from above: each token of an expression that is not a name or a
/// value may add a level to it, a comma begins the next expression, and brackets contain.
pub fn check(source: &str, mode: Mode) -> Result<()> {
    let mut lexer = lexer::lex(source, mode);
    let mut depth = Depth::default();
    let mut broken = false;
    loop {
        let token = lexer.next_token();
        if token == TokenKind::EndOfFile {
            break;
        }
        broken |= token == TokenKind::Unknown;
        depth.token(token);
        if depth.total > MAX_DEPTH || depth.blocks > MAX_BLOCKS {
            return Err(SourceError::TooDeep);
        }
    }
    if broken && source.len() > MAX_BROKEN {
        return Err(SourceError::Syntax {
            line: None,
            reason: "a string that does not end, or a stray character".into(),
        });
    }
    Ok(())
}

/// How deep the place of the last token may be.
#[derive(Default)]
struct Depth {
    /// Levels before each bracket that is open, with the bracket's own.
    outer: Vec<usize>,
    /// Levels since the innermost bracket or the last comma.
    here: usize,
    /// The sum of both.
    total: usize,
    blocks: usize,
}

impl Depth {
    fn token(&mut self, token: TokenKind) {
        match token {
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
                self.outer.clear();
                (self.here, self.total) = (0, 0);
            }
            TokenKind::Indent => self.blocks += 1,
            TokenKind::Dedent => self.blocks = self.blocks.saturating_sub(1),
            TokenKind::Comma | TokenKind::Semi => {
                self.total -= self.here;
                self.here = 0;
            }
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                self.total += 1;
                self.outer.push(self.here + 1);
                self.here = 0;
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd | TokenKind::TStringEnd => {
                self.total -= self.here;
                self.here = self.outer.pop().unwrap_or(0);
            }
            _ => {
                self.here += 1;
                self.total += 1;
            }
        }
    }
}
