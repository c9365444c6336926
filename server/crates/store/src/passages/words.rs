//! What a word of a passage is, the same for both databases, and how a query's words are looked for.
//!
//! Scripts that put no spaces between words are split into pairs of characters, and single ones, so that a part of a
//! sentence is found wherever it stands. Emoji are words.

use std::collections::HashSet;

use crate::script::{LONGEST, MOST, MOST_IN_QUERY, is_unspaced};

/// Most words of a passage that are indexed on SQLite.
const MOST_IN_SEQUENCE: usize = 50_000;
/// Words of English that say little by themselves. In a query they count only when there are no others.
const STOP: &[&str] = &[
    "a", "about", "am", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does",
    "for", "from", "had", "has", "have", "he", "her", "his", "how", "i", "if", "in", "is", "it", "its", "me", "my",
    "of", "on", "or", "our", "s", "she", "should", "so", "than", "that", "the", "their", "them", "then", "there",
    "these", "they", "this", "to", "us", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will",
    "with", "would", "you", "your",
];

/// The words of a text, in order. Of unspaced scripts single characters and pairs; `query` leaves out the single ones
/// where there are pairs.
fn split(text: &str, query: bool) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut length = 0;
    let mut unspaced: Vec<char> = Vec::new();
    for c in text.chars().chain([' ']) {
        let in_word = c.is_alphanumeric() && !is_unspaced(c);
        if !in_word && length > 0 {
            words.push(std::mem::take(&mut word));
            length = 0;
        }
        let in_run = c.is_alphanumeric() && is_unspaced(c);
        if !in_run && !unspaced.is_empty() {
            pairs(&unspaced, query, &mut words);
            unspaced.clear();
        }
        if in_run {
            unspaced.push(c);
        } else if in_word && length < LONGEST {
            word.extend(c.to_lowercase());
            length += 1;
        } else if is_picture(c) {
            words.push(c.to_string());
        }
    }
    words
}

fn pairs(run: &[char], query: bool, words: &mut Vec<String>) {
    if !query || run.len() == 1 {
        words.extend(run.iter().map(char::to_string));
    }
    words.extend(run.windows(2).map(|pair| pair.iter().collect::<String>()));
}

/// The distinct words of a text and its space, for PostgreSQL's index.
pub(super) fn index(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    split(text, false).into_iter().filter(|word| seen.insert(word.clone())).take(MOST).collect()
}

/// The words of a text one after the other, for SQLite's index.
pub(super) fn sequence(text: &str) -> String {
    let mut words = split(text, false);
    words.truncate(MOST_IN_SEQUENCE);
    words.join(" ")
}

/// An archive or folder as one word.
pub(super) fn of_space(id: &str) -> String {
    id.replace('-', "")
}

/// Some spaces as a query of SQLite's full-text index.
pub(super) fn in_spaces(spaces: &[String]) -> String {
    let spaces: Vec<String> = spaces.iter().map(|space| format!("\"{}\"", of_space(space))).collect();
    format!("space : ({})", spaces.join(" OR "))
}

/// How a query is to be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// There is nothing to look for.
    Nothing,
    /// By any of these words, from the index.
    Words(Vec<String>),
    /// By the query as it stands, anywhere in a text: it has no words.
    Substring(String),
}

/// Decides how to answer a query; every character in it stands for itself.
pub(super) fn plan(query: &str) -> Plan {
    let query = query.trim();
    if query.is_empty() {
        return Plan::Nothing;
    }
    let mut seen = HashSet::new();
    let mut words: Vec<String> = split(query, true).into_iter().filter(|word| seen.insert(word.clone())).collect();
    if words.is_empty() {
        return Plan::Substring(query.to_owned());
    }
    if words.iter().any(|word| !STOP.contains(&word.as_str())) {
        words.retain(|word| !STOP.contains(&word.as_str()));
    }
    words.truncate(MOST_IN_QUERY);
    Plan::Words(words)
}

/// Which of a query's words to look for where a word may be in very many passages: those that are in fewer than the
/// first of some `steps`, any of which will do; when none is in any, those below the next step. When all are above the
/// last step, each of them has to be there.
pub(super) fn telling(words: Vec<String>, count: impl Fn(&str) -> i64, steps: &[i64]) -> Query {
    for (index, step) in steps.iter().enumerate() {
        let rare: Vec<String> = words.iter().filter(|word| count(word) < *step).cloned().collect();
        // A word that is nowhere does not stand for one that only is more frequent.
        let last = index + 1 == steps.len();
        if rare.iter().any(|word| last || count(word) > 0) {
            return Query { words: rare, all: false, spaces: false };
        }
    }
    Query { words, all: true, spaces: true }
}

/// Words to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) words: Vec<String>,
    /// Whether each has to be there.
    pub(super) all: bool,
    /// Whether SQLite's index is to be asked for the spaces, too. Else the passages that have the words are few enough
    /// to be looked at for where they are.
    pub(super) spaces: bool,
}

impl Query {
    /// The same with the rarest of its words only: as many as so many passages have together, and at least one.
    pub(super) fn rarest(&self, count: impl Fn(&str) -> i64, most: i64) -> Self {
        let mut words = self.words.clone();
        if !self.all {
            words.sort_by_key(|word| count(word));
            let mut sum = 0;
            let fit = words.iter().take_while(|word| {
                sum += count(word);
                sum <= most
            });
            let fit = fit.count().max(1);
            words.truncate(fit);
        }
        Self { words, ..*self }
    }

    /// As a query of SQLite's full-text index, in some spaces. Words are letters, digits and pictures, so quotes hold
    /// them safely.
    pub(super) fn for_sqlite(&self, spaces: &[String]) -> String {
        let quoted = |words: &[String], between: &str| {
            words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(between)
        };
        let words = quoted(&self.words, if self.all { " AND " } else { " OR " });
        if !self.spaces {
            return format!("words : ({words})");
        }
        format!("{} AND words : ({words})", in_spaces(spaces))
    }

    /// As PostgreSQL's `tsquery`.
    pub(super) fn for_postgres(&self) -> String {
        let quoted: Vec<String> = self.words.iter().map(|word| format!("'{word}'")).collect();
        quoted.join(if self.all { " & " } else { " | " })
    }
}

/// Emoji and other pictures that stand for a word.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f300}'..='\u{1f3fa}' | '\u{1f400}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(words: &[&str]) -> Plan {
        Plan::Words(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[test]
    fn words_are_runs_of_letters_pairs_of_characters_and_pictures() {
        assert_eq!(index("Ada's e-mail: ada@x.org, ada!"), ["ada", "s", "e", "mail", "x", "org"]);
        assert_eq!(index("  \"*()%_' "), Vec::<String>::new());
        assert_eq!(sequence("iPhone15を東京で🎉🎉"), "iphone15 を 東 京 で を東 東京 京で 🎉 🎉");
        assert_eq!(sequence("👩‍👩‍👧 e\u{301}"), "👩 👩 👧 e");
        assert_eq!(index(&"x".repeat(100)), ["x".repeat(64)]);
    }

    #[test]
    fn a_query_is_answered_by_words_when_it_has_some() {
        assert_eq!(plan("  "), Plan::Nothing);
        assert_eq!(plan("What does Ada drink, or \"eat*\"?"), planned(&["ada", "drink", "eat"]));
        assert_eq!(plan("To be or not to be"), planned(&["not"]));
        assert_eq!(plan("what is it"), planned(&["what", "is", "it"]));
        assert_eq!(plan(" %_% "), Plan::Substring("%_%".into()));
        assert_eq!(plan("東京 2024"), planned(&["東京", "2024"]));
        assert_eq!(plan("猫"), planned(&["猫"]));
    }

    #[test]
    fn common_words_count_only_when_there_are_no_others() {
        let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let count = |word: &str| match word {
            "boat" => 9000,
            "sail" => 2000,
            "nowhere" => 0,
            _ => 3,
        };
        let any = |list: &[&str]| Query { words: words(list), all: false, spaces: false };
        let steps = [1000, 5000];
        assert_eq!(telling(words(&["boat", "sail", "red"]), count, &steps), any(&["red"]));
        assert_eq!(telling(words(&["boat", "sail", "nowhere"]), count, &steps), any(&["sail", "nowhere"]));
        let all = Query { words: words(&["boat"]), all: true, spaces: true };
        assert_eq!(telling(words(&["boat"]), count, &steps), all);
    }

    #[test]
    fn only_the_rarest_words_are_looked_for_where_ranking_takes_long() {
        let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let count = |word: &str| i64::try_from(word.len()).unwrap() * 100;
        let query = Query { words: words(&["abc", "a", "ab"]), all: false, spaces: false };
        assert_eq!(query.rarest(count, 300).words, ["a", "ab"]);
        assert_eq!(query.rarest(count, 10).words, ["a"]);
        assert_eq!(query.rarest(count, 600).words.len(), 3);
        let all = Query { all: true, ..query };
        assert_eq!(all.rarest(count, 10), all, "each of them has to be there");
    }

    #[test]
    fn words_cannot_leave_their_quotes() {
        let Plan::Words(words) = plan("a1' | 'b\" OR c\\") else { panic!("words") };
        let mut query = Query { words, all: false, spaces: true };
        assert_eq!(query.for_sqlite(&["archive-1".into()]), r#"space : ("archive1") AND words : ("a1" OR "b" OR "c")"#);
        assert_eq!(query.for_postgres(), "'a1' | 'b' | 'c'");
        query.spaces = false;
        assert_eq!(query.for_sqlite(&["archive-1".into()]), r#"words : ("a1" OR "b" OR "c")"#);
    }
}
