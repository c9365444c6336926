//! What a word is, the same for both databases.
//!
//! PostgreSQL's own parser takes web addresses, file names and hyphenated words for single words and refuses long
//! texts; so the words of a message are split here and handed over ready.

use std::collections::HashSet;

use crate::script::{LONGEST, MOST, MOST_IN_QUERY, is_unspaced};

/// The words of a text: runs of letters and digits in lower case.
fn split(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase().chars().take(LONGEST).collect())
}

/// The distinct words of a text, for PostgreSQL's index.
pub(crate) fn index(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    split(text).filter(|word| seen.insert(word.clone())).take(MOST).collect()
}

/// How a query is to be answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// There is nothing to look for.
    Everything,
    /// By any of these words, from the index.
    Words(Vec<String>),
    /// By the query as it stands, anywhere in a text.
    Substring(String),
}

/// Decides how to answer a query. Without any letters or digits, or in a script that puts no spaces between words,
/// only the text as it stands can be looked for.
pub(crate) fn plan(query: Option<&str>) -> Plan {
    let query = query.unwrap_or_default().trim();
    if query.is_empty() {
        return Plan::Everything;
    }
    let mut words = index(query);
    if words.is_empty() || query.chars().any(is_unspaced) {
        return Plan::Substring(query.to_owned());
    }
    words.truncate(MOST_IN_QUERY);
    Plan::Words(words)
}

/// The words as a query of SQLite's full-text index. Words are letters and digits, so quotes hold them safely.
pub(crate) fn sqlite_query(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    quoted.join(" OR ")
}

/// The words as PostgreSQL's `tsquery`.
pub(crate) fn postgres_query(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    quoted.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(index("Ada's e-mail: ada@x.org, ada!"), ["ada", "s", "e", "mail", "x", "org"]);
        assert_eq!(index("  \"*()%_' "), Vec::<String>::new());
    }

    #[test]
    fn a_query_is_answered_by_words_when_it_has_some() {
        assert_eq!(plan(None), Plan::Everything);
        assert_eq!(plan(Some("  ")), Plan::Everything);
        assert_eq!(plan(Some("What OR what* \"x\"")), Plan::Words(vec!["what".into(), "or".into(), "x".into()]));
        assert_eq!(plan(Some(" %_% ")), Plan::Substring("%_%".into()));
        assert_eq!(plan(Some("東京 2024")), Plan::Substring("東京 2024".into()));
        assert_eq!(plan(Some("สวัสดี")), Plan::Substring("สวัสดี".into()));
    }

    #[test]
    fn words_cannot_leave_their_quotes() {
        let words = index("a' | 'b\" OR c\\");
        assert_eq!(sqlite_query(&words), r#""a" OR "b" OR "or" OR "c""#);
        assert_eq!(postgres_query(&words), "'a' | 'b' | 'or' | 'c'");
    }
}
