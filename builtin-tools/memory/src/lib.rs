//! The tools with which an agent edits its own memory blocks.
//!
//! Every edit of a text reads one block, works out its new text and writes it back once, so an edit
//! that fails leaves the block as it was.

mod core_memory;
mod edit;
mod insert;
mod replace;
mod rethink;
mod whole;

mneme_tool_sdk::export_tools!(
    insert::memory_insert,
    replace::memory_replace,
    rethink::memory_rethink,
    rethink::memory_finish_edits,
    core_memory::core_memory_append,
    core_memory::core_memory_replace,
    whole::memory_command,
);
