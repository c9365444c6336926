//! The tokens of a signature.

use std::fmt;

/// Marks of more than one character.
const LONG_MARKS: [&str; 2] = ["...", "=>"];

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'s> {
    /// A name or keyword.
    Word(&'s str),
    /// A number as written.
    Number(&'s str),
    /// What stands between quotes, as written.
    Text(&'s str),
    /// Anything else.
    Mark(&'s str),
    /// Nothing is left.
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) | Self::Number(text) | Self::Text(text) | Self::Mark(text) => {
                write!(f, "'{}'", text.chars().take(40).collect::<String>())
            }
            Self::End => f.write_str("the end"),
        }
    }
}

/// A reader of tokens.
#[derive(Debug, Clone)]
pub struct Tokens<'s> {
    rest: &'s str,
    ahead: Option<Token<'s>>,
    /// The text of the last JSDoc comment between the token that was read last and the one before it.
    doc: Option<&'s str>,
}

impl<'s> Tokens<'s> {
    /// The tokens of a text.
    pub fn new(text: &'s str) -> Self {
        Self { rest: text, ahead: None, doc: None }
    }

    /// The next token, which stays.
    pub fn peek(&mut self) -> Token<'s> {
        match self.ahead {
            Some(token) => token,
            None => {
                let token = self.read();
                *self.ahead.insert(token)
            }
        }
    }

    /// Takes the next token.
    pub fn bump(&mut self) -> Token<'s> {
        let token = self.peek();
        self.ahead = None;
        token
    }

    /// Takes a mark when it is next.
    pub fn eat(&mut self, mark: &str) -> bool {
        let is_next = self.peek() == Token::Mark(mark);
        if is_next {
            self.ahead = None;
        }
        is_next
    }

    /// The text of the JSDoc comment before the next token, once that was looked at.
    pub fn doc(&self) -> Option<&'s str> {
        self.doc
    }

    /// What was not read yet, when no token was looked at without being taken.
    pub fn rest(&self) -> &'s str {
        self.rest
    }

    /// Goes past the bracket that closes the one that was taken last.
    pub fn skip_bracket(&mut self) {
        let mut depth = 1usize;
        while depth > 0 {
            match self.bump() {
                Token::End => return,
                Token::Mark("(" | "[" | "{") => depth += 1,
                Token::Mark(")" | "]" | "}") => depth -= 1,
                _ => {}
            }
        }
    }

    /// Goes past the type and the default value of a parameter, up to the comma or bracket that ends it.
    pub fn skip_parameter(&mut self) {
        let mut depth = 0usize;
        loop {
            match self.peek() {
                Token::End => return,
                Token::Mark("," | ")") if depth == 0 => return,
                Token::Mark("(" | "[" | "{" | "<") => depth += 1,
                Token::Mark(")" | "]" | "}" | ">") => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.bump();
        }
    }

    /// Goes past a default value, up to the comma or bracket that ends it.
    pub fn skip_expression(&mut self) {
        let mut depth = 0usize;
        loop {
            match self.peek() {
                Token::End => return,
                Token::Mark("," | ")") if depth == 0 => return,
                Token::Mark("(" | "[" | "{") => depth += 1,
                Token::Mark(")" | "]" | "}") => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.bump();
        }
    }

    fn read(&mut self) -> Token<'s> {
        self.skip_blanks();
        let Some(first) = self.rest.chars().next() else { return Token::End };
        if is_word(first) {
            let from = self.rest;
            let word = self.take(from.find(|c| !is_word(c)).unwrap_or(from.len()));
            return if first.is_ascii_digit() { self.number(from, word) } else { Token::Word(word) };
        }
        if matches!(first, '"' | '\'' | '`') {
            return Token::Text(self.text(first));
        }
        let long = LONG_MARKS.iter().find(|mark| self.rest.starts_with(**mark));
        Token::Mark(self.take(long.map_or(first.len_utf8(), |mark| mark.len())))
    }

    fn take(&mut self, length: usize) -> &'s str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// A number whose whole part was read; `from` begins with it.
    fn number(&mut self, from: &'s str, whole: &'s str) -> Token<'s> {
        let Some(fraction) = self.rest.strip_prefix('.') else { return Token::Number(whole) };
        let end = fraction.find(|c| !is_word(c)).unwrap_or(fraction.len());
        self.take(1 + end);
        Token::Number(from.get(..whole.len() + 1 + end).unwrap_or(whole))
    }

    fn text(&mut self, quote: char) -> &'s str {
        self.take(1);
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let text = self.take(end.unwrap_or(self.rest.len()));
        self.take(1);
        text
    }

    fn skip_blanks(&mut self) {
        self.doc = None;
        loop {
            let trimmed = self.rest.trim_start();
            self.rest = if trimmed.starts_with("//") {
                trimmed.split_once('\n').map_or("", |(_, rest)| rest)
            } else if trimmed.starts_with("/*") {
                let (comment, rest) = trimmed.split_once("*/").unwrap_or((trimmed, ""));
                self.doc = comment.strip_prefix("/**").or(self.doc);
                rest
            } else {
                self.rest = trimmed;
                return;
            };
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
