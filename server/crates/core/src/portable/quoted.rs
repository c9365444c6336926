//! Reads a file that is one JSON string as what the string says: programs that take an agent file for an object and write it
//! as JSON once more leave such files.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read},
};

/// A reader that takes the quotes of a whole file away, and changes nothing about a file that has none.
pub struct Unquoted<R> {
    inner: BufReader<R>,
    form: Form,
    /// Bytes of a character that was escaped.
    pending: VecDeque<u8>,
}

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Unknown,
    Plain,
    Quoted,
    /// Its last quote was read.
    Over,
}

impl<R: Read> Unquoted<R> {
    pub fn new(inner: R) -> Self {
        Self { inner: BufReader::new(inner), form: Form::Unknown, pending: VecDeque::new() }
    }

    /// Goes to the first byte that counts and finds out what the file is.
    fn begin(&mut self) -> io::Result<()> {
        while self.form == Form::Unknown {
            let ahead = self.inner.fill_buf()?;
            let blanks = ahead.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            match ahead.get(blanks) {
                Some(b'"') => {
                    self.form = Form::Quoted;
                    self.inner.consume(blanks + 1);
                }
                Some(_) => self.form = Form::Plain,
                None if blanks == 0 => self.form = Form::Plain,
                None => self.inner.consume(blanks),
            }
        }
        Ok(())
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut one = [0];
        match self.inner.read_exact(&mut one) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(malformed()),
            other => other.map(|()| one[0]),
        }
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> io::Result<()> {
        let byte = match self.byte()? {
            same @ (b'"' | b'\\' | b'/') => same,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let character = self.character()?;
                self.pending.extend(character.encode_utf8(&mut [0; 4]).bytes());
                return Ok(());
            }
            _ => return Err(malformed()),
        };
        self.pending.push_back(byte);
        Ok(())
    }

    /// Reads `XXXX`, or for a character of two halves `XXXX\uXXXX`.
    fn character(&mut self) -> io::Result<char> {
        let first = self.unit()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).ok_or_else(malformed);
        }
        if (self.byte()?, self.byte()?) != (b'\\', b'u') {
            return Err(malformed());
        }
        let second = self.unit()?;
        let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400).ok_or_else(malformed)?;
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + low).ok_or_else(malformed)
    }

    fn unit(&mut self) -> io::Result<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + char::from(self.byte()?).to_digit(16).ok_or_else(malformed)?;
        }
        Ok(unit)
    }
}

impl<R: Read> Read for Unquoted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.begin()?;
        if self.form == Form::Plain {
            return self.inner.read(into);
        }
        let mut written = 0;
        while let Some(place) = into.get_mut(written) {
            if let Some(byte) = self.pending.pop_front() {
                *place = byte;
                written += 1;
                continue;
            }
            if self.form == Form::Over {
                break;
            }
            match self.byte()? {
                b'"' => self.form = Form::Over,
                b'\\' => self.escape()?,
                byte => {
                    *place = byte;
                    written += 1;
                }
            }
        }
        Ok(written)
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is a text in quotes that is no JSON string")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> io::Result<String> {
        let mut text = String::new();
        Unquoted::new(file.as_bytes()).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_string_is_read_as_what_it_says() {
        for said in ["", "{}", "{\"a\": [1, \"b\\\"c\"]}\n", "ä😀\u{1}\t\\", &"x".repeat(50_000)] {
            let quoted = serde_json::to_string(said).unwrap();
            assert_eq!(read(&quoted).unwrap(), said);
            assert_eq!(read(&format!(" \n{quoted}\n")).unwrap(), said);
        }
        assert_eq!(read(r#""\ud83d\ude00\u00e4\/\b\f""#).unwrap(), "😀ä/\u{8}\u{c}");
    }

    #[test]
    fn what_is_no_string_stays() {
        for file in ["", "  ", "{\"a\": \"b\"}", "[\"\\u0041\"]", "nonsense \"\\"] {
            assert_eq!(read(file).unwrap().trim_start(), file.trim_start());
        }
    }

    #[test]
    fn a_string_that_is_cut_off_is_refused() {
        for file in ["\"", "\"abc", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\ud83d\"", "\"\\ud83d\\u0041\"", "\"\\udc00\""]
        {
            assert!(read(file).is_err(), "{file}");
        }
    }
}
