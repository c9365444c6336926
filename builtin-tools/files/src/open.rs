//! `open_files`.

use mneme_tool_sdk::{FileRange, Files, OpenedFile, ToolError, ToolSchema, tool};
use serde::{Deserialize, Serialize};

/// A file to open, whole or a part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToolSchema)]
pub struct FileRequest {
    /// The file's name as the directories in your context give it: the folder, a slash, the name.
    pub file_name: String,
    /// The line to begin with, counted from 0. The first line when left out.
    #[serde(default)]
    pub offset: Option<u64>,
    /// How many lines to see from there on. All lines up to the end when left out.
    #[serde(default)]
    pub length: Option<u64>,
}

/// Opens files: their text, with line numbers, appears in the directories section of your context and stays there until they
/// are closed. Only so many files can be open at a time, and only so many characters of each are in view: open a part of a
/// large file with `offset` and `length`, and open it again elsewhere to move on. When too many are open, those that you used
/// least recently are closed.
///
/// # Arguments
/// * `file_requests` - The files to open, each whole or a part of it.
/// * `close_all_others` - Whether to close every other file first. False when left out.
#[tool]
pub fn open_files(
    files: &Files,
    file_requests: Vec<FileRequest>,
    close_all_others: Option<bool>,
) -> Result<String, ToolError> {
    if file_requests.is_empty() {
        return Err(ToolError::invalid("`file_requests` is empty: name at least one file"));
    }
    let mut lines = Vec::new();
    if close_all_others == Some(true) {
        let kept: Vec<String> = file_requests.iter().map(|request| request.file_name.clone()).collect();
        let closed = files.close_others(&kept)?;
        if !closed.is_empty() {
            lines.push(format!("* Closed {}", closed.join(", ")));
        }
    }
    let mut failures = Vec::new();
    for FileRequest { file_name, offset, length } in &file_requests {
        if *length == Some(0) {
            failures.push(format!("* {file_name}: `length` is 0, so there is nothing to see"));
            continue;
        }
        let range =
            (offset.is_some() || length.is_some()).then(|| FileRange { offset: offset.unwrap_or(0), length: *length });
        match files.open(file_name, range) {
            Ok(opened) => lines.push(told(&opened, range.is_some())),
            Err(error) => failures.push(format!("* {file_name}: {error}")),
        }
    }
    if failures.len() == file_requests.len() {
        return Err(ToolError::failed(format!("No file was opened.\n{}", failures.join("\n"))));
    }
    if !failures.is_empty() {
        lines.push("Not opened:".to_owned());
        lines.extend(failures);
    }
    Ok(lines.join("\n"))
}

fn told(opened: &OpenedFile, part: bool) -> String {
    let OpenedFile { name, first, last, lines, cut, closed } = opened;
    let mut line = format!("* Opened {name}");
    if part || *cut {
        line.push_str(&format!(" (lines {first}-{last})"));
    }
    if *cut {
        line.push_str(&format!(
            "; more does not fit into the view: open it with offset={last} to go on, of {lines} lines"
        ));
    }
    if !closed.is_empty() {
        line.push_str(&format!("\n* Closed to make room: {}", closed.join(", ")));
    }
    line
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::{Tool, mock::MockHost};
    use serde_json::json;

    use super::*;

    fn host() -> MockHost {
        let text = "one\ntwo\nthree\nfour";
        MockHost::new()
            .with_file("docs/a.txt", text)
            .with_file("docs/b.txt", text)
            .with_file("docs/c.txt", text)
            .with_file("docs/d.txt", text)
    }

    fn open(host: &MockHost, arguments: serde_json::Value) -> Result<String, ToolError> {
        host.call::<open_files>(arguments)
    }

    #[test]
    fn parts_and_whole_files_open_and_the_oldest_give_way() {
        let host = host();
        let part = json!({"file_requests": [{"file_name": "docs/a.txt", "offset": 1, "length": 2}]});
        assert_eq!(open(&host, part), Ok("* Opened docs/a.txt (lines 2-3)".to_owned()));
        let more = json!({"file_requests": [
            {"file_name": "docs/b.txt"}, {"file_name": "docs/c.txt"}, {"file_name": "docs/d.txt"}
        ]});
        let answer = open(&host, more).expect("an answer");
        assert!(answer.ends_with("* Opened docs/d.txt\n* Closed to make room: docs/a.txt"), "{answer}");
        let alone = json!({"file_requests": [{"file_name": "docs/b.txt"}], "close_all_others": true});
        assert_eq!(open(&host, alone), Ok("* Closed docs/c.txt, docs/d.txt\n* Opened docs/b.txt".to_owned()));
        assert_eq!(host.open_files(), ["docs/b.txt"]);
    }

    #[test]
    fn what_cannot_be_opened_is_said_and_the_rest_is_opened() {
        let host = host();
        let some = json!({"file_requests": [{"file_name": "docs/x.txt"}, {"file_name": "docs/a.txt"}]});
        let answer = open(&host, some).expect("an answer");
        assert_eq!(answer, "* Opened docs/a.txt\nNot opened:\n* docs/x.txt: there is no file `docs/x.txt`");
        let none = json!({"file_requests": [{"file_name": "docs/x.txt"}]});
        assert!(matches!(open(&host, none), Err(ToolError::Failed(_))));
        assert!(matches!(open(&host, json!({"file_requests": []})), Err(ToolError::InvalidArguments(_))));
    }

    #[test]
    fn the_schema_is_the_one_clients_know() {
        let spec = open_files::spec();
        assert_eq!(spec.capabilities, ["files"]);
        let items = &spec.parameters["properties"]["file_requests"]["items"];
        assert_eq!(items["required"], json!(["file_name"]));
        assert_eq!(items["properties"]["offset"]["type"], "integer");
        assert_eq!(spec.parameters["required"], json!(["file_requests"]));
    }
}
