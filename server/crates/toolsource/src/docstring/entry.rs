//! The entries of a section of parameters: a line with the name, then deeper lines that go on with its text.

use super::indent;

/// Collects entries line by line.
#[derive(Debug, Default)]
pub struct Entries {
    done: Vec<(String, String)>,
    /// The names that the text belongs to, its first line, and the lines that go on.
    open: Option<(Vec<String>, String, Vec<String>)>,
    /// How deep the section's first entry stands.
    margin: Option<usize>,
}

impl Entries {
    /// A line of the section, an entry's first or a later one.
    pub fn line(&mut self, line: &str) {
        if line.is_empty() {
            self.continued(line);
            return;
        }
        let margin = *self.margin.get_or_insert(indent(line));
        match head(line.trim_start()) {
            Some((name, text)) if indent(line) <= margin => self.start(name, text),
            _ => self.continued(line),
        }
    }

    /// Whether a line at the margin of the whole text is an entry: some authors do not indent them.
    pub fn has_at_margin(&self, line: &str) -> bool {
        self.margin.is_none_or(|margin| margin == 0) && head(line).is_some()
    }

    /// Whether the entries stand at the margin of the whole text.
    pub fn are_at_margin(&self) -> bool {
        self.margin == Some(0)
    }

    /// Begins an entry.
    pub fn start(&mut self, name: &str, text: &str) {
        self.start_all(vec![name.to_owned()], text);
    }

    /// Begins an entry of several parameters.
    pub fn start_all(&mut self, names: Vec<String>, text: &str) {
        self.close();
        self.open = Some((names, text.to_owned(), Vec::new()));
    }

    /// Goes on with the entry.
    pub fn continued(&mut self, line: &str) {
        if let Some((_, _, lines)) = &mut self.open {
            lines.push(line.to_owned());
        }
    }

    /// All entries.
    pub fn finish(mut self) -> Vec<(String, String)> {
        self.close();
        self.done
    }

    fn close(&mut self) {
        let Some((names, first, lines)) = self.open.take() else { return };
        let margin = lines.iter().filter(|line| !line.is_empty()).map(|line| indent(line)).min().unwrap_or(0);
        let mut text = first;
        for line in &lines {
            text.push('\n');
            text.push_str(line.get(margin..).unwrap_or_default());
        }
        let text = text.trim();
        self.done.extend(names.into_iter().map(|name| (name, text.to_owned())));
    }
}

/// `name: text`, `name (type): text` or `name - text`, also as an item of a list and as Markdown writes names.
fn head(line: &str) -> Option<(&str, &str)> {
    const MARKS: [char; 2] = ['*', '`'];
    let line = line.strip_prefix("- ").unwrap_or(line).trim_start_matches(MARKS);
    let end = line.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let rest = rest.trim_start_matches(MARKS).trim_start();
    let rest = if rest.starts_with('(') { after_brackets(rest)?.trim_start() } else { rest };
    Some((name, rest.strip_prefix(':').or_else(|| rest.strip_prefix("- "))?.trim()))
}

/// What follows the bracket that closes the first one.
fn after_brackets(text: &str) -> Option<&str> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(at + 1..);
        }
    }
    None
}
