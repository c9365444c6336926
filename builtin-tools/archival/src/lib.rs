//! The tools of an agent's long-term memory outside its context window.

mod insert;
mod search;

mneme_tool_sdk::export_tools!(insert::archival_memory_insert, search::archival_memory_search);
