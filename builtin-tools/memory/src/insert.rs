//! `memory_insert`.

use mneme_tool_sdk::{MemoryEditor, ToolError, tool};

use crate::edit;

/// The `insert_line` that means "after the last line".
pub const END: i64 = -1;

/// Adds text to one of your memory blocks, as new lines at the place you choose. Nothing that
/// is already there is lost.
///
/// # Arguments
/// * `label` - The label of the memory block.
/// * `new_str` - The text to add, without line numbers.
/// * `insert_line` - The line after which the text goes; 0 puts it before the first line.
///   Left out (or -1), the text goes to the end of the block.
#[tool]
pub fn memory_insert(
    memory: &MemoryEditor,
    label: String,
    new_str: String,
    #[arg(default = END)] insert_line: i64,
) -> Result<String, ToolError> {
    edit::refuse_line_numbers("new_str", &new_str)?;
    let block = edit::open(memory, &label)?;
    let value = inserted(&block.value, &new_str, insert_line)?;
    edit::save(memory, &block, &value)
}

fn inserted(value: &str, text: &str, line: i64) -> Result<String, ToolError> {
    // An empty block has no line of its own to keep.
    let mut lines: Vec<&str> = match value {
        "" => Vec::new(),
        _ => value.split('\n').collect(),
    };
    let count = lines.len();
    let place = match usize::try_from(line) {
        Ok(place) if place <= count => place,
        Err(_) if line == END => count,
        _ => {
            return Err(ToolError::invalid(format!(
                "`insert_line` is {line}, but the block has {count} lines: use 0 to {count}, or -1 for the end."
            )));
        }
    };
    lines.insert(place, text);
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::mock::MockHost;
    use mneme_tool_sdk::{Block, Tool};
    use serde_json::json;

    use super::*;

    fn after(arguments: serde_json::Value) -> String {
        let host = MockHost::new().with_block("notes", "line one\nline two");
        host.call::<memory_insert>(arguments).expect("an edit");
        host.value("notes").expect("the block")
    }

    #[test]
    fn text_goes_where_it_is_told() {
        let insert = |line: i64| after(json!({"label": "notes", "new_str": "new", "insert_line": line}));
        assert_eq!(insert(0), "new\nline one\nline two");
        assert_eq!(insert(1), "line one\nnew\nline two");
        assert_eq!(insert(2), "line one\nline two\nnew");
        assert_eq!(insert(-1), "line one\nline two\nnew");
    }

    #[test]
    fn without_a_line_it_is_appended() {
        let expected = "line one\nline two\nnew";
        assert_eq!(after(json!({"label": "notes", "new_str": "new"})), expected);
        let null = json!({"label": "notes", "new_str": "new", "insert_line": null, "request_heartbeat": true});
        assert_eq!(after(null), expected);
    }

    #[test]
    fn an_empty_block_gets_no_empty_line() {
        let host = MockHost::new().with_block("notes", "");
        let answer = host.call::<memory_insert>(json!({"label": "notes", "new_str": "first"}));
        assert!(answer.expect("an edit").contains("5 of 5000 characters"));
        assert_eq!(host.value("notes").as_deref(), Some("first"));
    }

    #[test]
    fn failures_say_why_and_change_nothing() {
        let block = |label: &str, limit, read_only| Block {
            label: label.into(),
            value: "x".into(),
            description: None,
            limit,
            read_only,
        };
        let host = MockHost::new().with(block("tiny", 20, false)).with(block("policy", 100, true));
        let error = |arguments| host.call::<memory_insert>(arguments).expect_err("refused").to_string();
        let long = error(json!({"label": "tiny", "new_str": "y".repeat(40)}));
        assert!(long.contains("at most 20 characters") && long.contains("42"), "{long}");
        assert!(error(json!({"label": "policy", "new_str": "y"})).contains("read-only"));
        let unknown = error(json!({"label": "absent", "new_str": "y"}));
        assert_eq!(unknown, "There is no memory block `absent`. The memory blocks are `tiny`, `policy`.");
        for line in [2, -2, i64::MAX] {
            let text = error(json!({"label": "tiny", "new_str": "y", "insert_line": line}));
            assert!(text.contains("use 0 to 1"), "{text}");
        }
        let pasted = error(json!({"label": "tiny", "new_str": "a\n2→ b"}));
        assert!(pasted.contains("line number prefix (`2→ b`)"), "{pasted}");
        assert!(error(json!({"label": "tiny"})).contains("`new_str` is missing"));
        assert_eq!(host.writes(), 0);
    }

    #[test]
    fn the_schema_is_the_one_clients_know() {
        let spec = memory_insert::spec();
        assert_eq!(spec.name, "memory_insert");
        assert_eq!(spec.capabilities, ["memory-read", "memory-write"]);
        let parameters = &spec.parameters;
        assert_eq!(parameters["required"], json!(["label", "new_str"]));
        assert_eq!(parameters["properties"]["insert_line"]["type"], "integer");
        assert_eq!(parameters["properties"]["label"]["type"], "string");
    }
}
