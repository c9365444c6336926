//! `memory_rethink` and `memory_finish_edits`.

use mneme_tool_sdk::{MemoryEditor, ToolError, tool};

use crate::edit;

/// Rewrites one of your memory blocks from beginning to end. Use it to condense or reorganise;
/// what the new text leaves out is gone. For a small change there are memory_insert and
/// memory_replace.
///
/// # Arguments
/// * `label` - The label of the memory block.
/// * `new_memory` - The whole new text of the block, without line numbers.
#[tool]
pub fn memory_rethink(memory: &MemoryEditor, label: String, new_memory: String) -> Result<String, ToolError> {
    edit::refuse_line_numbers("new_memory", &new_memory)?;
    let block = edit::open(memory, &label)?;
    edit::save(memory, &block, &new_memory)
}

/// Says that you are done editing memory. Call it once every new piece of information has found
/// its place in a memory block.
#[tool]
pub fn memory_finish_edits() -> &'static str {
    "The memory edits are finished."
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::Tool;
    use mneme_tool_sdk::mock::MockHost;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_whole_block_is_rewritten() {
        let host = MockHost::new().with_block("notes", "line one\nline two");
        let call = |memory: &str| host.call::<memory_rethink>(json!({"label": "notes", "new_memory": memory}));
        assert!(call("all new").is_ok());
        assert_eq!(host.value("notes").as_deref(), Some("all new"));
        assert!(call("Line 1: all new").is_err());
        assert_eq!(host.value("notes").as_deref(), Some("all new"));
    }

    #[test]
    fn a_missing_block_is_not_created() {
        let host = MockHost::new();
        let error = host.call::<memory_rethink>(json!({"label": "new", "new_memory": "x"})).expect_err("missing");
        assert_eq!(error.to_string(), "There is no memory block `new`. This agent has no memory blocks.");
    }

    #[test]
    fn finishing_needs_nothing() {
        let spec = memory_finish_edits::spec();
        assert_eq!(spec.parameters, json!({"type": "object", "properties": {}, "required": []}));
        assert!(spec.capabilities.is_empty());
        assert!(MockHost::new().call::<memory_finish_edits>(json!({})).is_ok());
    }
}
