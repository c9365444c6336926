//! `memory_replace`.

use mneme_tool_sdk::{MemoryEditor, ToolError, tool};

use crate::edit;

/// Replaces a piece of text in one of your memory blocks. The piece must occur exactly once, so
/// include enough of what surrounds it. Replace with nothing to delete.
///
/// # Arguments
/// * `label` - The label of the memory block.
/// * `old_str` - The text to replace, exactly as it stands in the block, white space included
///   and without line numbers.
/// * `new_str` - The text that takes its place; may be empty.
#[tool]
pub fn memory_replace(
    memory: &MemoryEditor,
    label: String,
    old_str: String,
    new_str: String,
) -> Result<String, ToolError> {
    if old_str.is_empty() {
        return Err(ToolError::invalid(
            "`old_str` is empty: give the text to replace, or use memory_insert to add text.",
        ));
    }
    edit::refuse_line_numbers("old_str", &old_str)?;
    edit::refuse_line_numbers("new_str", &new_str)?;
    let block = edit::open(memory, &label)?;
    let places: Vec<usize> = block.value.match_indices(&old_str).map(|(at, _)| at).collect();
    match places[..] {
        [_] => edit::save(memory, &block, &block.value.replacen(&old_str, &new_str, 1)),
        [] => Err(ToolError::failed(format!(
            "Nothing was replaced: old_str `{old_str}` did not appear in memory block `{label}`. \
             It has to match character by character."
        ))),
        _ => Err(ToolError::failed(format!(
            "Nothing was replaced. Multiple places in memory block `{label}` match old_str `{old_str}`: \
             lines {}. Include more of the text around the one you mean.",
            line_numbers(&block.value, &places)
        ))),
    }
}

fn line_numbers(value: &str, places: &[usize]) -> String {
    let mut numbers: Vec<String> =
        places.iter().map(|&at| (value[..at].matches('\n').count() + 1).to_string()).collect();
    numbers.dedup();
    numbers.join(", ")
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::mock::MockHost;
    use serde_json::json;

    use super::*;

    fn replace(value: &str, old: &str, new: &str) -> Result<String, String> {
        let host = MockHost::new().with_block("notes", value);
        let arguments = json!({"label": "notes", "old_str": old, "new_str": new});
        match host.call::<memory_replace>(arguments) {
            Ok(_) => Ok(host.value("notes").expect("the block")),
            Err(error) => {
                assert_eq!(host.writes(), 0);
                Err(error.to_string())
            }
        }
    }

    #[test]
    fn a_unique_match_is_replaced() {
        assert_eq!(replace("line one\nline two", "line one", "first"), Ok("first\nline two".into()));
        assert_eq!(replace("drop this, keep that", "drop this, ", ""), Ok("keep that".into()));
        assert_eq!(replace("naïve\nñ", "ïve\nñ", "$1 é"), Ok("na$1 é".into()));
    }

    #[test]
    fn no_match_and_several_matches_are_refused() {
        let absent = replace("same and same", "absent", "x").expect_err("no match");
        assert!(absent.contains("`absent` did not appear in memory block `notes`"), "{absent}");
        let several = replace("same and same\n\nsame", "same", "x").expect_err("three matches");
        assert!(several.contains("Multiple") && several.contains("lines 1, 3"), "{several}");
        assert!(replace("x", "", "y").expect_err("empty").contains("`old_str` is empty"));
        assert!(replace("x", "x", "1→ y").expect_err("numbered").contains("`new_str`"));
    }
}
