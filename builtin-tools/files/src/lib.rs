//! The tools with which an agent reads the files of its folders.

mod grep;
mod open;
mod search;

mneme_tool_sdk::export_tools!(open::open_files, grep::grep_files, search::semantic_search_files);
