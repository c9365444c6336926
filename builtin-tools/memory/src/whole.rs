//! `memory`, one tool for all that is done to blocks, as agents from elsewhere have it.
//!
//! Texts are edited as by the other tools. Blocks are made, renamed and taken away through the server's API, at once; each
//! of these may be asked for again, when another block was changed while the agent's step ran.

use mneme_tool_sdk::{Agent, Api, MemoryEditor, ToolError, tool};
use serde_json::{Map, Value, json};

use crate::{
    insert::{END, memory_insert},
    replace::memory_replace,
};

/// Where blocks lie in the eyes of models that know them as files.
const FOLDER: &str = "/memories/";

/// Changes your memory, which is made of blocks, by commands. A path is the folder "/memories/" and the label of a block, such
/// as "/memories/preferences".
///
/// # Arguments
/// * `command` - "create" makes a block. "str_replace" replaces a piece of a block's text, which must occur exactly once.
///   "insert" adds lines to a block. "delete" takes a block away. "rename" gives a block another path, another description, or
///   both.
/// * `path` - The path of the block. For rename with a new path, `old_path` says it.
/// * `file_text` - What a new block says; nothing when left out. For create.
/// * `description` - What the block is for. For create and rename.
/// * `old_string` - The text to replace, exactly as it stands in the block and without line numbers. For str_replace.
/// * `new_string` - The text that takes its place; may be empty. For str_replace.
/// * `insert_line` - The line after which the text goes; 0 puts it before the first line. Left out, it goes to the end. For
///   insert.
/// * `insert_text` - The text to add, without line numbers. For insert.
/// * `old_path` - The path that the block has. For rename.
/// * `new_path` - The path that it gets. For rename.
#[tool(name = "memory")]
#[allow(clippy::too_many_arguments, reason = "models know the tool with these")]
pub fn memory_command(
    editor: &MemoryEditor,
    api: &Api,
    agent: &Agent,
    command: String,
    path: Option<String>,
    file_text: Option<String>,
    description: Option<String>,
    old_string: Option<String>,
    new_string: Option<String>,
    insert_line: Option<i64>,
    insert_text: Option<String>,
    old_path: Option<String>,
    new_path: Option<String>,
) -> Result<String, ToolError> {
    let named = |path: Option<String>| label(path.as_deref().unwrap_or_default());
    let blocks = Blocks { api, agent: agent.id() };
    match command.trim() {
        "create" => blocks.create(&named(path)?, &file_text.unwrap_or_default(), description.as_deref()),
        "str_replace" => {
            let old = old_string.unwrap_or_default();
            memory_replace(editor, named(path)?, old, new_string.unwrap_or_default())
        }
        "insert" => {
            let text = insert_text.ok_or_else(|| ToolError::invalid("`insert_text` is missing"))?;
            memory_insert(editor, named(path)?, text, insert_line.unwrap_or(END))
        }
        "delete" => blocks.delete(&named(path)?),
        "rename" => {
            let new = new_path.map(|path| label(&path)).transpose()?;
            blocks.rename(&named(old_path.or(path))?, new.as_deref(), description.as_deref())
        }
        other => Err(ToolError::invalid(format!(
            "`command` is {other:?}; it is one of create, str_replace, insert, delete and rename."
        ))),
    }
}

/// The label of the block at a path.
fn label(path: &str) -> Result<String, ToolError> {
    let path = path.trim();
    let label = path.strip_prefix(FOLDER).unwrap_or(path).trim_matches('/');
    if label.is_empty() {
        return Err(ToolError::invalid(format!("the path of a block is missing: write {FOLDER} and its label.")));
    }
    Ok(label.to_owned())
}

/// The agent's blocks as the server has them.
struct Blocks<'a> {
    api: &'a Api<'a>,
    agent: String,
}

impl Blocks<'_> {
    fn create(&self, label: &str, text: &str, description: Option<&str>) -> Result<String, ToolError> {
        match self.find(label)? {
            Some(block) if block["value"] == text => {}
            Some(_) => {
                return Err(ToolError::failed(format!(
                    "There is a memory block `{label}` already. Change it with str_replace or insert."
                )));
            }
            None => {
                let block = json!({"label": label, "value": text, "description": description});
                let made: Value = self.api.post("/v1/blocks/").json(&block).send()?.ok()?.json()?;
                self.turn("attach", &made)?;
            }
        }
        Ok(format!("There is a memory block `{label}` now."))
    }

    fn delete(&self, label: &str) -> Result<String, ToolError> {
        let block = self.changeable(label)?;
        self.turn("detach", &block)?;
        Ok(format!("The memory block `{label}` is gone."))
    }

    fn rename(&self, label: &str, new: Option<&str>, description: Option<&str>) -> Result<String, ToolError> {
        if new.is_none() && description.is_none() {
            return Err(ToolError::invalid("give `new_path`, `description`, or both."));
        }
        let mut change = Map::new();
        if let Some(new) = new {
            change.insert("label".to_owned(), new.into());
        }
        if let Some(description) = description {
            change.insert("description".to_owned(), description.into());
        }
        let is_done = match new {
            Some(new) => self.find(label)?.is_none() && self.find(new)?.is_some(),
            None => false,
        };
        if !is_done {
            let block = self.changeable(label)?;
            self.api.request("PATCH", &format!("/v1/blocks/{}", id(&block))).json(&change).send()?.ok()?;
        }
        Ok(format!("The memory block `{}` is as you want it.", new.unwrap_or(label)))
    }

    /// The agent's block of a label.
    fn find(&self, label: &str) -> Result<Option<Value>, ToolError> {
        let path = format!("/v1/agents/{}/core-memory/blocks", self.agent);
        let blocks: Vec<Value> = self.api.get(&path).query("limit", "1000").send()?.ok()?.json()?;
        Ok(blocks.into_iter().find(|block| block["label"] == label))
    }

    /// The same, if it is there and may be changed.
    fn changeable(&self, label: &str) -> Result<Value, ToolError> {
        match self.find(label)? {
            Some(block) if block["read_only"] == true => Err(ToolError::failed(format!(
                "Memory block `{label}` is read-only: it cannot be edited. Nothing was changed."
            ))),
            Some(block) => Ok(block),
            None => Err(ToolError::failed(format!("There is no memory block `{label}`. Nothing was changed."))),
        }
    }

    /// Gives the agent a block, or takes it from it.
    fn turn(&self, way: &str, block: &Value) -> Result<(), ToolError> {
        let path = format!("/v1/agents/{}/core-memory/blocks/{way}/{}", self.agent, id(block));
        self.api.request("PATCH", &path).json(&json!({})).send()?.ok()?;
        Ok(())
    }
}

fn id(block: &Value) -> &str {
    block["id"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::{http::Response, mock::MockHost};

    use super::*;

    const AGENT: &str = "http://mneme.internal/v1/agents/agent-00000000-0000-4000-8000-000000000000";

    /// A host whose agent has one block, in its memory and at the server.
    fn host() -> MockHost {
        let block = json!({"id": "block-1", "label": "notes", "value": "one", "read_only": false});
        let locked = json!({"id": "block-2", "label": "rules", "value": "be kind", "read_only": true});
        let listed = Response::new(200).with_json(&json!([block, locked]));
        let done = || Response::new(200).with_json(&json!({"id": "block-3"}));
        MockHost::new()
            .with_block("notes", "one")
            .answering("GET", &format!("{AGENT}/core-memory/blocks"), listed)
            .answering("POST", "http://mneme.internal/v1/blocks/", done())
            .answering("PATCH", "http://mneme.internal/v1/blocks/block-1", done())
            .answering("PATCH", &format!("{AGENT}/core-memory/blocks/attach/block-3"), done())
            .answering("PATCH", &format!("{AGENT}/core-memory/blocks/detach/block-1"), done())
    }

    /// What was asked of the server but for lists.
    fn asked(host: &MockHost) -> Vec<(String, Value)> {
        let requests = host.requests();
        let changes = requests.iter().filter(|request| request.method() != "GET");
        changes
            .map(|request| (request.url().to_string().replace("http://mneme.internal/v1/", ""), request.json()))
            .collect()
    }

    #[test]
    fn texts_are_edited_as_by_the_other_tools() {
        let host = host();
        let insert = json!({"command": "insert", "path": "/memories/notes", "insert_line": 0, "insert_text": "zero"});
        host.call::<memory_command>(insert).expect("an edit");
        let replace = json!({"command": "str_replace", "path": "notes", "old_string": "one", "new_string": "two"});
        host.call::<memory_command>(replace).expect("an edit");
        assert_eq!(host.value("notes").as_deref(), Some("zero\ntwo"));
        assert!(host.requests().is_empty());
    }

    #[test]
    fn blocks_are_made_renamed_and_taken_away() {
        let host = host();
        let create =
            json!({"command": "create", "path": "/memories/trips", "file_text": "Rome", "description": "Trips."});
        host.call::<memory_command>(create).expect("a block");
        let rename = json!({"command": "rename", "old_path": "/memories/notes", "new_path": "/memories/jots"});
        host.call::<memory_command>(rename).expect("another label");
        host.call::<memory_command>(json!({"command": "delete", "path": "/memories/notes"})).expect("one less");
        let asked = asked(&host);
        assert_eq!(asked[0].1, json!({"label": "trips", "value": "Rome", "description": "Trips."}));
        assert!(asked[1].0.ends_with("/attach/block-3"), "{asked:?}");
        assert_eq!(asked[2], ("blocks/block-1".to_owned(), json!({"label": "jots"})));
        assert!(asked[3].0.ends_with("/detach/block-1") && asked.len() == 4, "{asked:?}");
    }

    #[test]
    fn what_is_done_is_not_done_again_and_what_cannot_be_is_refused() {
        let host = host();
        let again = json!({"command": "create", "path": "/memories/notes", "file_text": "one"});
        host.call::<memory_command>(again).expect("it is there");
        let renamed = json!({"command": "rename", "old_path": "/memories/old", "new_path": "/memories/notes"});
        host.call::<memory_command>(renamed).expect("it has that label");
        for refused in [
            json!({"command": "create", "path": "/memories/notes", "file_text": "other"}),
            json!({"command": "delete", "path": "/memories/rules"}),
            json!({"command": "delete", "path": "/memories/nothing"}),
            json!({"command": "rename", "path": "/memories/notes"}),
            json!({"command": "insert", "path": "/memories/notes"}),
            json!({"command": "create", "path": "/memories/"}),
            json!({"command": "view", "path": "/memories/notes"}),
        ] {
            assert!(host.call::<memory_command>(refused.clone()).is_err(), "{refused}");
        }
        assert!(asked(&host).is_empty() && host.writes() == 0);
    }
}
