//! `grep_files`.

use mneme_tool_sdk::{FilePiece, Files, ToolError, tool};
use regex::{Regex, RegexBuilder};

/// Matches of a page.
const PAGE: usize = 20;
/// Lines of context on either side at most.
const MOST_CONTEXT: usize = 10;
/// Characters that are shown of a line.
const LINE_CHARS: usize = 400;
/// Files whose matches are counted in the answer.
const FILES_TOLD: usize = 50;
/// Memory that a compiled pattern may take.
const PATTERN_BYTES: usize = 4 << 20;

/// Finds the lines of your files that match a regular expression, with the lines around them. Letters match whatever their
/// case. The answer holds 20 matches and says how to get the next ones.
///
/// # Arguments
/// * `pattern` - A word or a regular expression, looked for in each line.
/// * `include` - A regular expression that names of files have to match, such as `\.md$`. All files when left out.
/// * `context_lines` - How many lines to show before and after each match. 1 when left out, 10 at most.
/// * `offset` - How many matches to skip, to see the next page: 20 for the second one. 0 when left out.
#[tool]
pub fn grep_files(
    files: &Files,
    pattern: String,
    include: Option<String>,
    context_lines: Option<u32>,
    offset: Option<u32>,
) -> Result<String, ToolError> {
    if pattern.is_empty() {
        return Err(ToolError::invalid("`pattern` is empty: say what to look for"));
    }
    let regex = compile("pattern", &pattern)?;
    let include = include.filter(|text| !text.is_empty()).map(|text| compile("include", &text)).transpose()?;
    let (mut names, mut unready) = (Vec::new(), 0_usize);
    for file in files.list()? {
        if include.as_ref().is_some_and(|include| !include.is_match(&file.name)) {
            continue;
        }
        if file.ready {
            names.push(file.name);
        } else {
            unready += 1;
        }
    }
    let context = context_lines.map_or(1, |lines| (lines as usize).min(MOST_CONTEXT));
    let skip = offset.unwrap_or(0) as usize;
    let mut search =
        Search { regex, context, skip, total: 0, files: Vec::new(), shown: Vec::new(), place: Place::default() };
    let (mut at, mut from) = (0, 0);
    while at < names.len() {
        let pieces = files.read(&names[at..], from)?;
        if pieces.is_empty() {
            break;
        }
        for piece in pieces {
            search.look(&piece);
            from = piece.next.unwrap_or(0);
            if piece.next.is_none() {
                at += 1;
                search.place = Place::default();
            }
        }
    }
    Ok(search.answer(&pattern, names.len(), unready))
}

fn compile(argument: &str, pattern: &str) -> Result<Regex, ToolError> {
    let built = RegexBuilder::new(pattern).case_insensitive(true).size_limit(PATTERN_BYTES).build();
    built.map_err(|error| {
        ToolError::invalid(format!(
            "`{argument}` is no regular expression that can be used: {error}. Put a backslash before characters that stand \
             for themselves; looking around and references back are not supported"
        ))
    })
}

/// A match on the page.
struct Shown {
    file: String,
    line: u64,
    lines: Vec<(u64, bool, String)>,
    /// Lines that are still to come behind it.
    open: usize,
}

/// Where the search is in a file.
#[derive(Default)]
struct Place {
    /// The lines before, as many as the context asks for.
    before: std::collections::VecDeque<(u64, String)>,
}

struct Search {
    regex: Regex,
    context: usize,
    skip: usize,
    total: usize,
    /// Matches by file, in order.
    files: Vec<(String, usize)>,
    shown: Vec<Shown>,
    place: Place,
}

impl Search {
    fn look(&mut self, piece: &FilePiece) {
        // A line end at the end of a piece begins no line of its own, unless the text ends there.
        let text =
            if piece.next.is_some() { piece.text.strip_suffix('\n').unwrap_or(&piece.text) } else { &piece.text };
        for (number, line) in (piece.line..).zip(text.split('\n')) {
            let found = self.regex.find(line);
            for shown in self.shown.iter_mut().rev().take_while(|shown| shown.open > 0 && shown.file == piece.name) {
                shown.lines.push((number, false, clipped(line, 0)));
                shown.open -= 1;
            }
            if let Some(found) = found {
                self.count(piece, number, line, found.start());
            }
            if self.context > 0 {
                if self.place.before.len() == self.context {
                    self.place.before.pop_front();
                }
                self.place.before.push_back((number, clipped(line, 0)));
            }
        }
    }

    fn count(&mut self, piece: &FilePiece, number: u64, line: &str, at: usize) {
        self.total += 1;
        match self.files.last_mut() {
            Some((name, count)) if *name == piece.name => *count += 1,
            _ => self.files.push((piece.name.clone(), 1)),
        }
        if self.total > self.skip && self.shown.len() < PAGE {
            let before = self.place.before.iter().map(|(number, line)| (*number, false, line.clone()));
            let mut lines: Vec<_> = before.collect();
            lines.push((number, true, clipped(line, at)));
            self.shown.push(Shown { file: piece.name.clone(), line: number, lines, open: self.context });
        }
    }

    fn answer(&self, pattern: &str, searched: usize, unready: usize) -> String {
        let waiting = match unready {
            0 => String::new(),
            count => format!("\n{count} files are still being read and were not searched."),
        };
        if self.total == 0 {
            return format!("No matches for '{pattern}' in {searched} files.{waiting}");
        }
        if self.shown.is_empty() {
            return format!(
                "There are {} matches; an offset of {} is behind the last one.{waiting}",
                self.total, self.skip
            );
        }
        let (first, last) = (self.skip + 1, self.skip + self.shown.len());
        let mut answer = format!(
            "Found {} total matches across {} files (showing matches {first}-{last} of {})\n{}\n\nFiles with matches:\n",
            self.total,
            self.files.len(),
            self.total,
            "=".repeat(80)
        );
        for (name, count) in self.files.iter().take(FILES_TOLD) {
            answer.push_str(&format!("  - {name}: {count} matches\n"));
        }
        if self.files.len() > FILES_TOLD {
            answer.push_str(&format!("  - and {} more files\n", self.files.len() - FILES_TOLD));
        }
        for shown in &self.shown {
            answer.push_str(&format!("\n=== {}:{} ===\n", shown.file, shown.line));
            for (number, matches, line) in &shown.lines {
                let mark = if *matches { '>' } else { ' ' };
                answer.push_str(&format!("{mark} {number}: {line}\n"));
            }
        }
        if last < self.total {
            let quoted = serde_json::Value::from(pattern);
            answer.push_str(&format!("\nTo see more matches, call: grep_files(pattern={quoted}, offset={last})\n"));
        }
        answer + &waiting
    }
}

/// A line, or of a long one what is around a place in it.
fn clipped(line: &str, at: usize) -> String {
    let line = line.trim_end_matches('\r');
    if line.len() <= LINE_CHARS {
        return line.to_owned();
    }
    let mut start = at.saturating_sub(LINE_CHARS / 4);
    while !line.is_char_boundary(start) {
        start -= 1;
    }
    let part: String = line[start..].chars().take(LINE_CHARS).collect();
    let (lead, tail) = (start > 0, start + part.len() < line.len());
    format!("{}{part}{}", if lead { "…" } else { "" }, if tail { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::{Tool, mock::MockHost};
    use serde_json::json;

    use super::*;

    fn lines(count: usize) -> String {
        (1..=count).map(|n| format!("Line {n}: the quick brown fox")).collect::<Vec<_>>().join("\n")
    }

    fn grep(host: &MockHost, arguments: serde_json::Value) -> String {
        host.call::<grep_files>(arguments).expect("an answer")
    }

    #[test]
    fn matches_come_with_their_lines_and_those_around() {
        let host = MockHost::new().with_file("docs/a.txt", &lines(12)).with_file("docs/b.txt", "no animals");
        let answer = grep(&host, json!({"pattern": "LINE 1?2:"}));
        let rule = "=".repeat(80);
        assert_eq!(
            answer,
            format!(
                "Found 2 total matches across 1 files (showing matches 1-2 of 2)\n{rule}\n\nFiles with matches:\n  - docs/a.txt: \
                 2 matches\n\n=== docs/a.txt:2 ===\n  1: Line 1: the quick brown fox\n> 2: Line 2: the quick brown fox\n  3: \
                 Line 3: the quick brown fox\n\n=== docs/a.txt:12 ===\n  11: Line 11: the quick brown fox\n> 12: Line 12: the \
                 quick brown fox\n"
            )
        );
        let none = grep(&host, json!({"pattern": "whale"}));
        assert_eq!(none, "No matches for 'whale' in 2 files.");
        let bare = grep(&host, json!({"pattern": "Line 5:", "context_lines": 0}));
        assert!(bare.ends_with("=== docs/a.txt:5 ===\n> 5: Line 5: the quick brown fox\n"), "{bare}");
    }

    #[test]
    fn pages_and_names_narrow_the_answer() {
        let host = MockHost::new().with_file("docs/a.txt", &lines(45)).with_file("docs/b.md", &lines(3));
        let first = grep(&host, json!({"pattern": "fox", "include": "\\.txt$"}));
        assert!(first.starts_with("Found 45 total matches across 1 files (showing matches 1-20 of 45)"), "{first}");
        assert!(first.ends_with("grep_files(pattern=\"fox\", offset=20)\n"), "{first}");
        let last = grep(&host, json!({"pattern": "fox", "include": "\\.txt$", "offset": 40}));
        assert!(last.contains("(showing matches 41-45 of 45)") && !last.contains("To see more"), "{last}");
        let beyond = grep(&host, json!({"pattern": "fox", "offset": 90}));
        assert_eq!(beyond, "There are 48 matches; an offset of 90 is behind the last one.");
    }

    #[test]
    fn long_lines_are_cut_around_the_match() {
        let long = format!("{}needle{}", "x".repeat(9_000), "ü".repeat(9_000));
        let host = MockHost::new().with_file("docs/long.txt", &long);
        let answer = grep(&host, json!({"pattern": "needle"}));
        assert!(answer.contains("needle") && answer.len() < 3_000, "{}", answer.len());
    }

    #[test]
    fn what_is_no_pattern_is_refused_in_words() {
        let host = MockHost::new().with_file("docs/a.txt", "x");
        for pattern in ["", "(", "(?=x)", "\\w{9999}{9999}"] {
            let refused = host.call::<grep_files>(json!({"pattern": pattern}));
            assert!(matches!(refused, Err(ToolError::InvalidArguments(_))), "{pattern}");
        }
        // A pattern that makes other engines search for ever.
        let evil = MockHost::new().with_file("docs/a.txt", &"a".repeat(20_000));
        assert!(grep(&evil, json!({"pattern": "(a+)+$b"})).starts_with("No matches"));
        assert_eq!(grep_files::spec().capabilities, ["files"]);
    }
}
