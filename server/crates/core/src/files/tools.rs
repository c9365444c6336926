//! The tools for files come with an agent's first folder and go with its last.

use mneme_domain::{Actor, AgentId, tool::ToolType};
use mneme_store::{Conn, folders, tools};

use super::FILE_TOOLS;
use crate::{Core, Result};

impl Core {
    /// Gives an agent the tools for files.
    pub(super) async fn give_file_tools(&self, tx: &mut Conn, actor: &Actor, agent: &AgentId) -> Result<()> {
        let names = FILE_TOOLS.map(str::to_owned);
        let found = tools::by_names(tx, actor, &names).await?;
        let present = tools::of_agent(tx, actor, agent).await?;
        for name in &names {
            let taken = present.iter().any(|tool| tool.call_name() == name);
            if let Some(tool) = found.iter().find(|tool| !taken && tool.call_name() == name) {
                tools::attach(tx, actor, agent, &tool.id).await?;
            }
        }
        Ok(())
    }

    /// Takes the tools for files from an agent that has no folder any more.
    pub(super) async fn take_file_tools(&self, tx: &mut Conn, actor: &Actor, agent: &AgentId) -> Result<()> {
        if folders::count_of_agent(tx, actor, agent).await? > 0 {
            return Ok(());
        }
        for tool in tools::of_agent(tx, actor, agent).await? {
            if tool.tool_type == ToolType::LettaFilesCore {
                tools::detach(tx, actor, agent, &tool.id).await?;
            }
        }
        Ok(())
    }
}
