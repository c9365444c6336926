//! Takes `<think>…</think>` out of visible text.
//!
//! Local servers that do not know a model's reasoning format pass its tags through. Only an answer that *begins* with
//! the tag is split, so that a model may still talk about tags.

use crate::event::Delta;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Splits streamed text. Holds back only what might be a part of a tag.
#[derive(Debug, Default)]
pub(crate) struct ThinkSplitter {
    state: State,
    held: String,
}

#[derive(Debug, Default, PartialEq)]
enum State {
    /// Nothing but white space so far.
    #[default]
    Start,
    Inside,
    /// The tag has just closed; white space that follows is layout.
    Closed,
    Outside,
}

impl ThinkSplitter {
    /// Takes more text.
    pub fn push(&mut self, text: &str, out: &mut Vec<Delta>) {
        if self.state == State::Outside {
            emit(text, out);
            return;
        }
        self.held.push_str(text);
        loop {
            match self.state {
                State::Start => {
                    let trimmed = self.held.trim_start();
                    if let Some(rest) = trimmed.strip_prefix(OPEN) {
                        self.held = rest.to_owned();
                        self.state = State::Inside;
                    } else if OPEN.starts_with(trimmed) {
                        return;
                    } else {
                        self.state = State::Outside;
                    }
                }
                State::Inside => {
                    if let Some((thought, rest)) = self.held.split_once(CLOSE) {
                        reason(thought, out);
                        self.held = rest.to_owned();
                        self.state = State::Closed;
                    } else {
                        let keep = partial_suffix(&self.held);
                        reason(&self.held[..self.held.len() - keep], out);
                        self.held.drain(..self.held.len() - keep);
                        return;
                    }
                }
                State::Closed => {
                    self.held = self.held.trim_start().to_owned();
                    if self.held.is_empty() {
                        return;
                    }
                    self.state = State::Outside;
                }
                State::Outside => {
                    emit(&std::mem::take(&mut self.held), out);
                    return;
                }
            }
        }
    }

    /// Gives out what was held back; nothing more will come before something that is not text.
    pub fn flush(&mut self, out: &mut Vec<Delta>) {
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Inside => reason(&held, out),
            State::Closed => {}
            State::Start | State::Outside => {
                emit(&held, out);
                if !held.trim().is_empty() {
                    self.state = State::Outside;
                }
            }
        }
    }
}

/// Length of the longest end of `text` that the closing tag could begin with.
fn partial_suffix(text: &str) -> usize {
    (1..CLOSE.len()).rev().find(|n| text.ends_with(&CLOSE[..*n])).unwrap_or(0)
}

fn emit(text: &str, out: &mut Vec<Delta>) {
    if !text.is_empty() {
        out.push(Delta::Text(text.to_owned()));
    }
}

fn reason(text: &str, out: &mut Vec<Delta>) {
    if !text.is_empty() {
        out.push(Delta::Reasoning { text: text.to_owned(), signature: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&str]) -> (String, String) {
        let (mut splitter, mut out) = (ThinkSplitter::default(), Vec::new());
        pieces.iter().for_each(|piece| splitter.push(piece, &mut out));
        splitter.flush(&mut out);
        let (mut thought, mut text) = (String::new(), String::new());
        for delta in out {
            match delta {
                Delta::Reasoning { text, .. } => thought.push_str(&text),
                Delta::Text(more) => text.push_str(&more),
                other => panic!("unexpected {other:?}"),
            }
        }
        (thought, text)
    }

    #[test]
    fn thoughts_are_split_off_wherever_the_text_is_cut() {
        let whole = "\n<think>a < b </thin> é</think>\n\nthe answer";
        let expected = ("a < b </thin> é".to_owned(), "the answer".to_owned());
        assert_eq!(split(&[whole]), expected);
        for (cut, _) in whole.char_indices() {
            assert_eq!(split(&[&whole[..cut], &whole[cut..]]), expected, "cut at {cut}");
        }
        let chars: Vec<String> = whole.chars().map(String::from).collect();
        assert_eq!(split(&chars.iter().map(String::as_str).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn other_text_passes_untouched() {
        for text in ["", "  hello", "<thin", "<b>x</b>", "say <think>x</think>"] {
            assert_eq!(split(&[text]), (String::new(), text.to_owned()));
        }
        assert_eq!(split(&["<think>never closed"]), ("never closed".to_owned(), String::new()));
    }
}
