//! Texts to tokens: words in lower case without accents, split into the longest pieces that the vocabulary has.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::ModelError;

/// A longer word is unknown as a whole, in characters.
const LONGEST_WORD: usize = 100;

/// The pieces that a model knows, by their text.
pub(crate) struct Vocabulary {
    pieces: HashMap<&'static str, u32>,
    unknown: u32,
    /// Marks the beginning of a text.
    pub(crate) start: u32,
    /// Marks its end.
    pub(crate) end: u32,
}

impl Vocabulary {
    /// Reads one piece from each line.
    pub(crate) fn read(text: &'static str) -> Result<Self, ModelError> {
        let pieces: HashMap<&str, u32> = text.lines().zip(0..).collect();
        let mark = |name| pieces.get(name).copied().ok_or(ModelError::Vocabulary);
        let (unknown, start, end) = (mark("[UNK]")?, mark("[CLS]")?, mark("[SEP]")?);
        Ok(Self { pieces, unknown, start, end })
    }

    /// The tokens of a text, at most so many.
    pub(crate) fn pieces(&self, text: &str, most: usize) -> Vec<u32> {
        let mut found = Vec::new();
        let mut word = String::new();
        let clean = text.chars().filter_map(clean).flat_map(lower).filter(|c| !is_mark(*c));
        for c in clean {
            let alone = is_punctuation(c) || is_ideograph(c);
            if c == ' ' || alone {
                self.split(&word, &mut found);
                word.clear();
            }
            if alone {
                self.split(c.encode_utf8(&mut [0; 4]), &mut found);
            } else if c != ' ' {
                word.push(c);
            }
            if found.len() >= most {
                found.truncate(most);
                return found;
            }
        }
        self.split(&word, &mut found);
        found.truncate(most);
        found
    }

    /// Adds a word's pieces, each the longest that fits.
    fn split(&self, word: &str, found: &mut Vec<u32>) {
        if word.is_empty() {
            return;
        }
        if word.chars().nth(LONGEST_WORD).is_some() {
            found.push(self.unknown);
            return;
        }
        let before = found.len();
        let mut rest = word;
        let mut continued = String::new();
        while !rest.is_empty() {
            let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
            let known = ends.collect::<Vec<_>>().into_iter().rev().find_map(|end| {
                let part = if before == found.len() && rest.len() == word.len() {
                    &rest[..end]
                } else {
                    continued.clear();
                    continued.push_str("##");
                    continued.push_str(&rest[..end]);
                    continued.as_str()
                };
                Some((*self.pieces.get(part)?, end))
            });
            let Some((id, end)) = known else {
                found.truncate(before);
                found.push(self.unknown);
                return;
            };
            found.push(id);
            rest = &rest[end..];
        }
    }
}

/// A character as the model sees it: white space is a space, control characters are nothing.
fn clean(c: char) -> Option<char> {
    match c {
        '\t' | '\n' | '\r' => Some(' '),
        '\0' | '\u{fffd}' => None,
        _ if c.is_whitespace() => Some(' '),
        _ if c.general_category_group() == GeneralCategoryGroup::Other => None,
        _ => Some(c),
    }
}

/// Lower case, letters apart from their accents.
fn lower(c: char) -> impl Iterator<Item = char> {
    c.nfd().collect::<Vec<_>>().into_iter().flat_map(char::to_lowercase)
}

fn is_mark(c: char) -> bool {
    c.general_category() == GeneralCategory::NonspacingMark
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || c.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// Chinese characters, which are words of their own.
fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2b73f}'
        | '\u{2b740}'..='\u{2b81f}' | '\u{2b820}'..='\u{2ceaf}' | '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        Vocabulary::read("[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\ncafe\n,\n東\n##a\na").unwrap()
    }

    #[test]
    fn words_are_split_into_the_longest_pieces() {
        let pieces = |text: &str| vocabulary().pieces(text, 100);
        assert_eq!(pieces("unaffable"), [3, 4, 5]);
        assert_eq!(pieces("Café,\u{200b}UNAFFABLE"), [6, 7, 3, 4, 5]);
        assert_eq!(pieces("cafe\u{301} xyz"), [6, 0]);
        assert_eq!(pieces("a東a"), [10, 8, 10]);
        assert_eq!(pieces(" \u{1}\t\n"), Vec::<u32>::new());
        assert_eq!(pieces(&"a".repeat(101)), [0]);
        assert_eq!(pieces(&"a".repeat(3)), [10, 9, 9]);
    }

    #[test]
    fn no_more_than_asked_for() {
        assert_eq!(vocabulary().pieces(&"a ".repeat(1000), 7).len(), 7);
    }

    #[test]
    fn a_vocabulary_without_its_marks_is_refused() {
        assert!(Vocabulary::read("a\nb").is_err());
    }
}
