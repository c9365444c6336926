//! The tools with which an agent searches the web and reads pages.
//!
//! What comes back from the web is hostile until proven otherwise: it is read in bounded amounts, its depth and size
//! are measured before anything that costs more than one look, and this component has no powers but the network and
//! the keys of search services.

mod exa;
mod fetch;
mod page;
mod search;

mneme_tool_sdk::export_tools!(search::web_search, fetch::fetch_webpage);
