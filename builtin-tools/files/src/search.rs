//! `semantic_search_files`.

use mneme_tool_sdk::{Files, ToolError, tool};

/// Parts that are found unless the model says otherwise.
const DEFAULT: u32 = 5;

/// Finds the parts of your files that are about something, by meaning and by words: a question or a description works as
/// well as keywords. Use `grep_files` for exact names, numbers and patterns.
///
/// # Arguments
/// * `query` - What to look for.
/// * `limit` - How many parts to return at most. 5 when left out.
#[tool]
pub fn semantic_search_files(files: &Files, query: String, limit: Option<u32>) -> Result<String, ToolError> {
    if query.trim().is_empty() {
        return Err(ToolError::invalid("`query` is empty: say what to look for"));
    }
    let limit = limit.filter(|&limit| limit > 0).unwrap_or(DEFAULT);
    let hits = files.search(&query, Some(limit))?;
    if hits.is_empty() {
        return Ok(format!("Nothing in your files matches '{query}'."));
    }
    let mut names: Vec<&str> = hits.iter().map(|hit| hit.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let mut answer = format!(
        "Found {} in {} for '{query}', best first.\n",
        count(hits.len(), "passage"),
        count(names.len(), "file")
    );
    for (number, hit) in hits.iter().enumerate() {
        let ranks = [("meaning", hit.vector_rank), ("words", hit.text_rank)];
        let ranks: Vec<String> =
            ranks.iter().filter_map(|(by, rank)| rank.map(|rank| format!("{by} #{rank}"))).collect();
        let ranks = if ranks.is_empty() { String::new() } else { format!(" ({})", ranks.join(", ")) };
        answer.push_str(&format!("\n=== {}. {}{ranks} ===\n{}\n", number + 1, hit.name, hit.text.trim()));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::{FileHit, mock::MockHost};
    use serde_json::json;

    use super::*;

    #[test]
    fn hits_say_where_they_are_and_how_they_were_found() {
        let hit = |name: &str, text: &str, vector_rank, text_rank| FileHit {
            name: name.into(),
            text: text.into(),
            score: 0.03,
            vector_rank,
            text_rank,
        };
        let host = MockHost::new().with_file_hits(vec![
            hit("docs/a.md", "Foxes are quick.\n", Some(1), Some(2)),
            hit("docs/b.md", "Dogs are lazy.", None, Some(1)),
        ]);
        let answer = host.call::<semantic_search_files>(json!({"query": "foxes"})).expect("an answer");
        assert_eq!(
            answer,
            "Found 2 passages in 2 files for 'foxes', best first.\n\n=== 1. docs/a.md (meaning #1, words #2) ===\n\
             Foxes are quick.\n\n=== 2. docs/b.md (words #1) ===\nDogs are lazy.\n"
        );
        let none = MockHost::new().call::<semantic_search_files>(json!({"query": "foxes"}));
        assert_eq!(none, Ok("Nothing in your files matches 'foxes'.".to_owned()));
        assert!(MockHost::new().call::<semantic_search_files>(json!({"query": " "})).is_err());
    }
}
