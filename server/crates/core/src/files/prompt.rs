//! The section of the system prompt that tells an agent its folders and shows its open files.

use std::fmt::Write as _;

use mneme_domain::{
    Actor,
    agent::Agent,
    folder::{AgentFile, FileStatus, Folder},
};
use mneme_store::{
    Conn,
    files::{self, Readable},
    folders,
};

use super::MOST_READABLE;
use crate::{Core, Result};

/// Closed files of a folder that are told by name.
const TOLD: usize = 100;

impl Core {
    /// What an agent's prompt says about its files; empty without folders.
    pub(crate) async fn files_section(&self, conn: &mut Conn, actor: &Actor, agent: &Agent) -> Result<String> {
        let ids = std::slice::from_ref(&agent.id);
        let folders = folders::of_agents(conn, actor, ids).await?.remove(&agent.id).unwrap_or_default();
        if folders.is_empty() {
            return Ok(String::new());
        }
        let readable = files::readable(conn, actor, &agent.id, MOST_READABLE).await?;
        let open = files::opened(conn, actor, ids).await?.remove(&agent.id).unwrap_or_default();
        Ok(section(agent, &folders, &readable, &open))
    }
}

fn section(agent: &Agent, folders: &[Folder], readable: &[Readable], open: &[AgentFile]) -> String {
    let limit = agent.file_view_limit();
    let mut out = String::from("<directories>\n<file_limits>\n");
    // Writing into a String cannot fail.
    let _ = write!(
        out,
        "- current_files_open={}\n- max_files_open={}\n</file_limits>\n",
        open.len(),
        agent.files_open_limit()
    );
    for folder in folders {
        let _ = writeln!(out, "<directory name=\"{}\">", attribute(&folder.name));
        for (tag, text) in [("description", &folder.description), ("instructions", &folder.instructions)] {
            if let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) {
                let _ = writeln!(out, "<{tag}>{text}</{tag}>");
            }
        }
        let prefix = format!("{}/", folder.name);
        let mine = |name: &str| name.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('/'));
        for file in open.iter().filter(|file| file.folder_id == folder.id) {
            let shown = clipped(file.visible_content.as_deref().unwrap_or_default(), limit);
            let _ = write!(
                out,
                "<file status=\"open\" name=\"{}\">\n<metadata>\n- read_only=true\n- chars_current={}\n- chars_limit={limit}\n\
                 </metadata>\n<value>\n{shown}\n</value>\n</file>\n",
                attribute(&file.file_name),
                shown.chars().count()
            );
        }
        let closed = readable.iter().filter(|file| !file.is_open && mine(&file.name));
        let mut more = 0_usize;
        for (number, file) in closed.enumerate() {
            if number >= TOLD {
                more += 1;
                continue;
            }
            let status = match file.status {
                FileStatus::Error => "unreadable",
                FileStatus::Pending | FileStatus::Parsing => "being read",
                FileStatus::Embedding | FileStatus::Completed => "closed",
            };
            let _ = writeln!(out, "<file status=\"{status}\" name=\"{}\"/>", attribute(&file.name));
        }
        if more > 0 {
            let _ =
                writeln!(out, "{more} more files are not named here; grep_files and semantic_search_files find them.");
        }
        out.push_str("</directory>\n");
    }
    out.push_str("</directories>");
    out
}

fn attribute(text: &str) -> String {
    text.replace('"', "&quot;")
}

/// An agent that gets less room than it had when the file was opened sees less of it.
fn clipped(text: &str, limit: i64) -> &str {
    // The line that says what was cut off may go beyond the limit.
    const NOTE: usize = 200;
    let most = usize::try_from(limit).unwrap_or(0) + NOTE;
    text.char_indices().nth(most).map_or(text, |(at, _)| &text[..at])
}
