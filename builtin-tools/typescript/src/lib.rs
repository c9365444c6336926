//! A tool of the server's own: it reads the TypeScript and JavaScript of users' tools. Its parser recurses, and takes
//! exponential time for some texts; in the sandbox neither hurts anyone.

mod edits;
mod imports;
mod modules;
mod script;
#[cfg(test)]
mod tests;

use mneme_tool_sdk::{ToolError, tool};

/// Takes the types, exports and imports out of a file. Answers JSON: `body`, `packages` that it imports, and `lines`, for
/// each line of the body the line of the file.
///
/// # Arguments
/// * `source` - The file.
#[tool]
pub fn compile_script(source: String) -> Result<String, ToolError> {
    serde_json::to_string(&script::script(&source)?).map_err(ToolError::failed)
}

mneme_tool_sdk::export_tools!(compile_script);
