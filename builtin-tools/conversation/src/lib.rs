//! The tools with which an agent talks and looks back at what was said.

mod ago;
mod search;
mod send;

mneme_tool_sdk::export_tools!(search::conversation_search, send::send_message);
