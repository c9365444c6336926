//! What a file binds to a name: functions (`const f = (…) => …`, `const f = function (…) …`), and names that it exports
//! behind their declaration (`export { f }`).

use super::tokens::{Token, Tokens};
use crate::MAX_SOURCE;

/// Bytes that may be looked at for the whole file. A bracket that is never closed would be searched to the end of the
/// file from every line.
const MAX_LOOK: usize = 4 * MAX_SOURCE;

/// Words that begin a statement, where a type that was never followed by `=` has ended.
const STATEMENTS: [&str; 9] = ["class", "const", "enum", "export", "function", "import", "let", "return", "var"];

/// Looks behind names.
#[derive(Debug)]
pub struct Look {
    left: usize,
}

impl Default for Look {
    fn default() -> Self {
        Self { left: MAX_LOOK }
    }
}

impl Look {
    /// The source from the parameters of the function that is bound to a name; `source` begins behind the name. None when
    /// something else is bound to it.
    pub fn function<'s>(&mut self, source: &'s str) -> Option<&'s str> {
        let mut ahead = Ahead { tokens: Tokens::new(source), left: &mut self.left };
        match ahead.bump()? {
            Token::Mark("=") => {}
            Token::Mark(":") => ahead.past_type()?,
            _ => return None,
        }
        ahead.function(true)
    }

    /// The source from the parameters of a function without a name, which is all that follows `export default`.
    pub fn anonymous<'s>(&mut self, source: &'s str) -> Option<&'s str> {
        Ahead { tokens: Tokens::new(source), left: &mut self.left }.function(false)
    }

    /// The names between the brackets of `export { … }` under which the file itself knows them; `source` begins behind
    /// the word. None when the names are those of another file.
    pub fn exports<'s>(&mut self, source: &'s str) -> Option<Vec<&'s str>> {
        let mut ahead = Ahead { tokens: Tokens::new(source), left: &mut self.left };
        let mut names = Vec::new();
        ahead.mark("{")?;
        let mut renamed = false;
        loop {
            match ahead.bump()? {
                Token::Word("as") => renamed = true,
                Token::Word(_) | Token::Text(_) if renamed => renamed = false,
                Token::Word(name) => names.push(name),
                Token::Mark(",") => {}
                Token::Mark("}") => break,
                _ => return None,
            }
        }
        (ahead.bump() != Some(Token::Word("from"))).then_some(names)
    }
}

/// Reads tokens as far as the file's share lasts.
struct Ahead<'s, 'l> {
    tokens: Tokens<'s>,
    left: &'l mut usize,
}

impl<'s> Ahead<'s, '_> {
    /// What was not read yet.
    fn rest(&self) -> &'s str {
        self.tokens.rest()
    }

    fn bump(&mut self) -> Option<Token<'s>> {
        if *self.left == 0 {
            return None;
        }
        let before = self.rest().len();
        let token = self.tokens.bump();
        *self.left = self.left.saturating_sub(before.saturating_sub(self.rest().len()));
        (token != Token::End).then_some(token)
    }

    /// Past this mark, when it comes next.
    fn mark(&mut self, mark: &str) -> Option<()> {
        (self.bump()? == Token::Mark(mark)).then_some(())
    }

    /// The source from the parameters of the function that comes next. A `function` may have a name of its own, or not.
    fn function(&mut self, named: bool) -> Option<&'s str> {
        let mut from = self.rest();
        let mut first = self.bump()?;
        if first == Token::Word("async") {
            from = self.rest();
            first = self.bump()?;
        }
        match first {
            Token::Word("function") => self.expression(named),
            Token::Word(_) => self.mark("=>").map(|()| from),
            Token::Mark("(") => self.arrow(from),
            Token::Mark("<") => {
                self.past_generics()?;
                self.mark("(")?;
                self.arrow(from)
            }
            _ => None,
        }
    }

    /// Past a type, up to and with the `=` behind it.
    fn past_type(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.bump()? {
                Token::Mark("=") if depth == 0 => return Some(()),
                Token::Mark(";") if depth == 0 => return None,
                Token::Word(word) if depth == 0 && STATEMENTS.contains(&word) => return None,
                Token::Mark("(" | "[" | "{" | "<") => depth += 1,
                Token::Mark(")" | "]" | "}" | ">") => depth = depth.checked_sub(1)?,
                _ => {}
            }
        }
    }

    /// The parameters of a function expression.
    fn expression(&mut self, named: bool) -> Option<&'s str> {
        let from = self.rest();
        match self.bump()? {
            Token::Mark("(" | "<") => Some(from),
            Token::Word(_) if named => Some(self.rest()),
            _ => None,
        }
    }

    /// `from`, when what was begun with a bracket is the head of an arrow function.
    fn arrow(&mut self, from: &'s str) -> Option<&'s str> {
        self.past_bracket()?;
        match self.bump()? {
            Token::Mark("=>") => return Some(from),
            Token::Mark(":") => {}
            _ => return None,
        }
        loop {
            match self.bump()? {
                Token::Mark("=>") => return Some(from),
                Token::Mark("(" | "[" | "{") => self.past_bracket()?,
                Token::Mark(";" | "=" | ")" | "]" | "}") => return None,
                _ => {}
            }
        }
    }

    /// Past the bracket that closes the one that was read last.
    fn past_bracket(&mut self) -> Option<()> {
        let mut depth = 1usize;
        while depth > 0 {
            match self.bump()? {
                Token::Mark("(" | "[" | "{") => depth += 1,
                Token::Mark(")" | "]" | "}") => depth -= 1,
                _ => {}
            }
        }
        Some(())
    }

    /// Past the mark that closes type parameters.
    fn past_generics(&mut self) -> Option<()> {
        let mut depth = 1usize;
        while depth > 0 {
            match self.bump()? {
                Token::Mark("<") => depth += 1,
                Token::Mark(">") => depth -= 1,
                Token::Mark(";") => return None,
                _ => {}
            }
        }
        Some(())
    }
}
