//! Reads the text fields of a JSON object while it is still being written.

/// What comes next in the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// A name, or the end.
    Name,
    /// Inside a name.
    InName,
    /// A value.
    Value,
    /// Inside a text value.
    InText,
    /// Inside another value, this deep, in a string of it or not.
    InOther { depth: u32, string: bool },
}

/// An object under way. Only its own fields are read, not those of objects within it.
#[derive(Debug)]
pub struct Fields {
    at: At,
    name: String,
    escape: Option<String>,
    /// The first half of a character that is written as two escapes.
    high: Option<u16>,
}

impl Default for Fields {
    fn default() -> Self {
        Self { at: At::Name, name: String::new(), escape: None, high: None }
    }
}

impl Fields {
    /// Takes the next piece of JSON; gives back what it adds to text fields, in order.
    pub fn feed(&mut self, piece: &str) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        for c in piece.chars() {
            if let Some(text) = self.step(c) {
                match found.last_mut() {
                    Some((name, so_far)) if *name == self.name => so_far.push(text),
                    _ => found.push((self.name.clone(), text.to_string())),
                }
            }
        }
        found
    }

    fn step(&mut self, c: char) -> Option<char> {
        match self.at {
            At::Name => {
                if c == '"' {
                    self.name.clear();
                    self.at = At::InName;
                }
            }
            At::InName => match self.unescape(c) {
                Read::End => self.at = At::Value,
                Read::Char(c) => self.name.push(c),
                Read::More => {}
            },
            At::Value => match c {
                '"' => self.at = At::InText,
                '{' | '[' => self.at = At::InOther { depth: 1, string: false },
                ':' => {}
                c if c.is_whitespace() => {}
                _ => self.at = At::InOther { depth: 0, string: false },
            },
            At::InText => match self.unescape(c) {
                Read::End => self.at = At::Name,
                Read::Char(c) => return Some(c),
                Read::More => {}
            },
            At::InOther { depth, string } => self.at = self.other(c, depth, string),
        }
        None
    }

    fn other(&mut self, c: char, depth: u32, string: bool) -> At {
        if string {
            let done = matches!(self.unescape(c), Read::End);
            return At::InOther { depth, string: !done };
        }
        match c {
            '"' => At::InOther { depth, string: true },
            '{' | '[' => At::InOther { depth: depth + 1, string },
            '}' | ']' if depth <= 1 => At::Name,
            '}' | ']' => At::InOther { depth: depth - 1, string },
            ',' if depth == 0 => At::Name,
            _ => At::InOther { depth, string },
        }
    }

    fn unescape(&mut self, c: char) -> Read {
        let Some(escape) = &mut self.escape else {
            return match c {
                '"' => Read::End,
                '\\' => {
                    self.escape = Some(String::new());
                    Read::More
                }
                c => Read::Char(c),
            };
        };
        if escape.is_empty() && c != 'u' {
            self.escape = None;
            return Read::Char(match c {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                c => c,
            });
        }
        escape.push(c);
        if escape.len() < 5 {
            return Read::More;
        }
        let code = u16::from_str_radix(&escape[1..], 16).unwrap_or(0xfffd);
        self.escape = None;
        match (self.high.take(), code) {
            (_, 0xd800..=0xdbff) => {
                self.high = Some(code);
                Read::More
            }
            (Some(high), 0xdc00..=0xdfff) => {
                Read::Char(char::decode_utf16([high, code]).next().and_then(Result::ok).unwrap_or('\u{fffd}'))
            }
            (_, code) => Read::Char(char::from_u32(u32::from(code)).unwrap_or('\u{fffd}')),
        }
    }
}

enum Read {
    End,
    More,
    Char(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(json: &str, size: usize) -> Vec<(String, String)> {
        let mut fields = Fields::default();
        let mut all: Vec<(String, String)> = Vec::new();
        let chars: Vec<char> = json.chars().collect();
        for piece in chars.chunks(size) {
            for (name, text) in fields.feed(&piece.iter().collect::<String>()) {
                match all.last_mut() {
                    Some((last, so_far)) if *last == name => so_far.push_str(&text),
                    _ => all.push((name, text)),
                }
            }
        }
        all
    }

    #[test]
    fn text_fields_are_read_however_the_object_is_cut() {
        let json = r#"{"thinking": "so \"it\" is\nA\u00e9\ud83d\ude00", "n": [1, {"message": "no"}], "b": true, "message" : "yes\\", "k": 2}"#;
        let expected =
            [("thinking".to_owned(), "so \"it\" is\nAé😀".to_owned()), ("message".to_owned(), "yes\\".to_owned())];
        for size in 1..json.len() {
            assert_eq!(fed(json, size), expected, "pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_object_gives_nothing() {
        for json in ["", "null", "[\"a\"]", "{", "}", "{\"a\": 1}"] {
            assert!(fed(json, 2).iter().all(|(name, _)| name != "message"), "{json}");
        }
    }
}
