//! `core_memory_append` and `core_memory_replace`, the tools of older agents.

use mneme_tool_sdk::{MemoryEditor, ToolError, tool};

use crate::edit;

/// Adds a line to the end of one of your memory blocks.
///
/// # Arguments
/// * `label` - The label of the memory block.
/// * `content` - The text to add.
#[tool]
pub fn core_memory_append(memory: &MemoryEditor, label: String, content: String) -> Result<String, ToolError> {
    let block = edit::open(memory, &label)?;
    let value = match block.value.as_str() {
        "" => content,
        value => format!("{value}\n{content}"),
    };
    edit::save(memory, &block, &value)
}

/// Replaces a text wherever it occurs in one of your memory blocks. An empty replacement deletes it.
///
/// # Arguments
/// * `label` - The label of the memory block.
/// * `old_content` - The text to replace, exactly as it stands in the block.
/// * `new_content` - The text that takes its place.
#[tool]
pub fn core_memory_replace(
    memory: &MemoryEditor,
    label: String,
    old_content: String,
    new_content: String,
) -> Result<String, ToolError> {
    if old_content.is_empty() {
        return Err(ToolError::invalid(
            "`old_content` is empty: give the text to replace, or use core_memory_append to add text.",
        ));
    }
    let block = edit::open(memory, &label)?;
    if !block.value.contains(&old_content) {
        return Err(ToolError::failed(format!(
            "Nothing was replaced: old_content `{old_content}` did not appear in memory block `{label}`."
        )));
    }
    edit::save(memory, &block, &block.value.replace(&old_content, &new_content))
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::mock::MockHost;
    use serde_json::json;

    use super::*;

    #[test]
    fn appending_starts_a_line() {
        let host = MockHost::new().with_block("notes", "one").with_block("empty", "");
        for label in ["notes", "empty"] {
            let arguments = json!({"label": label, "content": "more"});
            host.call::<core_memory_append>(arguments).expect("an edit");
        }
        assert_eq!(host.value("notes").as_deref(), Some("one\nmore"));
        assert_eq!(host.value("empty").as_deref(), Some("more"));
    }

    #[test]
    fn replacing_takes_every_occurrence() {
        let host = MockHost::new().with_block("notes", "two and two");
        let call = |old: &str| {
            let arguments = json!({"label": "notes", "old_content": old, "new_content": "2"});
            host.call::<core_memory_replace>(arguments)
        };
        assert!(call("two").is_ok());
        assert_eq!(host.value("notes").as_deref(), Some("2 and 2"));
        assert!(call("two").expect_err("gone").to_string().contains("did not appear"));
        assert!(call("").is_err());
        assert_eq!(host.writes(), 1);
    }
}
