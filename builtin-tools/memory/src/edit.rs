//! What all edits share: opening a block, refusing pasted line numbers, saving.

use mneme_tool_sdk::{Block, HostError, MemoryEditor, ToolError};

/// The block, if it exists and may be changed.
pub fn open(memory: &MemoryEditor, label: &str) -> Result<Block, ToolError> {
    let block = match memory.block(label) {
        Err(HostError::NotFound(_)) => return Err(unknown(memory, label)?),
        other => other?,
    };
    if block.read_only {
        return Err(ToolError::failed(format!(
            "Memory block `{label}` is read-only: it cannot be edited. Nothing was changed."
        )));
    }
    Ok(block)
}

/// Names the blocks that do exist, so that the model can pick one.
fn unknown(memory: &MemoryEditor, label: &str) -> Result<ToolError, ToolError> {
    let labels: Vec<_> = memory.blocks()?.into_iter().map(|block| format!("`{}`", block.label)).collect();
    let known = match labels.is_empty() {
        true => "This agent has no memory blocks.".to_owned(),
        false => format!("The memory blocks are {}.", labels.join(", ")),
    };
    Ok(ToolError::failed(format!("There is no memory block `{label}`. {known}")))
}

/// Writes the block's new text, and says how full the block is.
pub fn save(memory: &MemoryEditor, block: &Block, value: &str) -> Result<String, ToolError> {
    let length = value.chars().count() as u64;
    let (label, limit) = (&block.label, block.limit);
    if length > limit {
        return Err(ToolError::failed(format!(
            "Memory block `{label}` holds at most {limit} characters and the edit would make it {length}. \
             Nothing was changed; shorten the text or remove something first."
        )));
    }
    memory.set(label, value)?;
    Ok(format!(
        "Memory block `{label}` was edited and now holds {length} of {limit} characters. \
         If the result is not what you meant, edit it again."
    ))
}

/// Refuses text copied together with the line numbers of a numbered view: they are no part of the memory.
pub fn refuse_line_numbers(argument: &str, text: &str) -> Result<(), ToolError> {
    match text.lines().find(|line| has_line_number(line)) {
        None => Ok(()),
        Some(line) => Err(ToolError::invalid(format!(
            "`{argument}` contains a line number prefix (`{}`). Line numbers are only shown for \
             orientation; repeat the call without them.",
            line.trim_start().chars().take(24).collect::<String>()
        ))),
    }
}

/// `12→…` or `Line 12: …`.
fn has_line_number(line: &str) -> bool {
    let line = line.trim_start();
    let (digits, ending) = match line.strip_prefix("Line ") {
        Some(rest) => (rest, ": "),
        None => (line, "→"),
    };
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < digits.len() && (rest.starts_with(ending) || rest == ending.trim_end())
}

#[cfg(test)]
mod tests {
    use super::has_line_number;

    #[test]
    fn line_numbers_are_told_from_text() {
        for numbered in ["1→ x", "  12→x", "Line 3: x", "Line 4:", "7→"] {
            assert!(has_line_number(numbered), "{numbered}");
        }
        for text in ["1. milk", "→ next", "Line: x", "Line 3 is red", "12", "a 1→2", ""] {
            assert!(!has_line_number(text), "{text}");
        }
    }
}
