//! Changes of a text that keep its lines where they are.

/// Changes of ranges that do not overlap, in any order.
pub struct Edits<'s> {
    source: &'s str,
    /// Start, end, and what comes there instead.
    changes: Vec<(usize, usize, String)>,
}

impl<'s> Edits<'s> {
    pub fn new(source: &'s str) -> Self {
        Self { source, changes: Vec::new() }
    }

    /// The text.
    pub fn source(&self) -> &'s str {
        self.source
    }

    /// Puts a text in the place of a range, with as many line ends behind it as the range had.
    pub fn replace(&mut self, start: u32, end: u32, text: &str) {
        let range = self.source.get(start as usize..end as usize).unwrap_or_default();
        let lines = "\n".repeat(range.matches('\n').count());
        self.changes.push((start as usize, end as usize, format!("{text}{lines}")));
    }

    /// The changed text.
    pub fn apply(&self) -> String {
        let mut text = String::with_capacity(self.source.len());
        let mut done = 0;
        let mut changes: Vec<_> = self.changes.iter().collect();
        changes.sort_by_key(|change| change.0);
        for (start, end, new) in changes {
            text.push_str(self.source.get(done..*start).unwrap_or_default());
            text.push_str(new);
            done = *end;
        }
        text.push_str(self.source.get(done..).unwrap_or_default());
        text
    }
}
