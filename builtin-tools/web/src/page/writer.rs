//! Markdown, written from start to end: lines with the prefixes of the lists and quotations around them.

/// Collects Markdown up to a length.
pub struct Writer {
    out: String,
    most: usize,
    prefixes: Vec<Prefix>,
    /// Line breaks to write before the next text.
    breaks: usize,
    /// Whether the current line has nothing but prefixes.
    fresh: bool,
    /// Whether a space is due before the next word of the line.
    space: bool,
}

/// What stands at the start of each line within a list item or a quotation.
struct Prefix {
    /// On the first line, until it is written.
    first: Option<String>,
    rest: String,
}

impl Writer {
    /// A writer that stops after about that many characters.
    pub fn new(most: usize) -> Self {
        Self { out: String::new(), most, prefixes: Vec::new(), breaks: 0, fresh: true, space: false }
    }

    /// Whether there is enough, so that nothing more needs to be looked at.
    pub fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// Bytes that may still be written. A character takes at most four; the exact cut is the caller's.
    fn room(&self) -> usize {
        (self.most * 4).saturating_sub(self.out.len())
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(&text[..text.floor_char_boundary(self.room())]);
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.out.trim().to_owned()
    }

    /// Starts a new line, or with two a new paragraph, before whatever comes next.
    pub fn break_lines(&mut self, count: usize) {
        // The first paragraph of a list item stands beside its mark.
        if self.prefixes.last().is_some_and(|prefix| prefix.first.is_some()) {
            return;
        }
        if !self.fresh || self.breaks > 0 {
            self.breaks = self.breaks.max(count);
        }
        self.space = false;
    }

    /// Begins a list item or a quotation.
    pub fn enter(&mut self, first: &str, rest: &str) {
        // Deeper than anyone would read, the indentation stops growing.
        const MOST_PREFIXES: usize = 16;
        let deep = self.prefixes.len() >= MOST_PREFIXES;
        let rest = if deep { "" } else { rest };
        self.prefixes.push(Prefix { first: Some(first.to_owned()), rest: rest.to_owned() });
    }

    /// Ends what the last [`Writer::enter`] began.
    pub fn leave(&mut self) {
        self.prefixes.pop();
    }

    /// Writes text with its white space joined.
    pub fn text(&mut self, text: &str) {
        if text.starts_with(char::is_whitespace) {
            self.space = true;
        }
        for (index, word) in text.split_whitespace().enumerate() {
            if self.is_full() {
                return;
            }
            self.space |= index > 0;
            self.word(word);
        }
        if text.ends_with(char::is_whitespace) {
            self.space = true;
        }
    }

    /// Writes something as it stands, without a space before it but for one that is due.
    pub fn word(&mut self, word: &str) {
        self.start_line();
        if self.space && !self.fresh {
            self.out.push(' ');
        }
        self.space = false;
        self.fresh = false;
        self.push(word);
    }

    /// Writes lines as they stand, each with the prefixes.
    pub fn lines(&mut self, text: &str) {
        for line in text.split('\n') {
            if self.is_full() {
                return;
            }
            self.start_line();
            self.push(line);
            self.fresh = false;
            self.breaks = 1;
        }
    }

    fn start_line(&mut self) {
        if self.breaks == 0 && !(self.fresh && self.out.is_empty()) {
            return;
        }
        for number in 0..self.breaks {
            self.out.push('\n');
            let is_last = number + 1 == self.breaks;
            if !is_last {
                // Between paragraphs of a quotation its mark goes on; blanks would be invisible.
                let marks: String =
                    self.prefixes.iter().filter(|p| p.first.is_none()).map(|p| p.rest.as_str()).collect();
                self.out.push_str(marks.trim_end());
            }
        }
        self.breaks = 0;
        self.fresh = true;
        self.space = false;
        for prefix in &mut self.prefixes {
            match prefix.first.take() {
                Some(first) => self.out.push_str(&first),
                None => self.out.push_str(&prefix.rest),
            }
        }
    }
}
