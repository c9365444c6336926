//! Agents with what hangs off them, in a number of queries that does not depend on how many they are.

use std::{collections::HashMap, sync::Arc};

use mneme_domain::{
    Actor, AgentId, ToolId,
    agent::{Agent, AgentFull, Include},
    tool::Tool,
};

use super::{get, tags, variables};
use crate::{Conn, Result, blocks, distinct, tools};

/// An agent with what is asked for: one query for itself and one for each relationship.
pub async fn full(c: &mut Conn, a: &Actor, id: &AgentId, include: Include) -> Result<Option<AgentFull>> {
    let Some(agent) = get(c, a, id).await? else {
        return Ok(None);
    };
    Ok(full_many(c, a, vec![agent], include).await?.pop())
}

/// Agents with what is asked for, in the given order: at most five queries in all.
pub async fn full_many(c: &mut Conn, a: &Actor, agents: Vec<Agent>, include: Include) -> Result<Vec<AgentFull>> {
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<AgentId> = agents.iter().map(|agent| agent.id.clone()).collect();
    let mut full: Vec<AgentFull> = agents
        .into_iter()
        .map(|agent| AgentFull { agent, tags: vec![], blocks: vec![], tools: vec![], variables: vec![] })
        .collect();
    let place: HashMap<AgentId, usize> = ids.iter().cloned().zip(0..).collect();
    if include.tags {
        for (owner, tag) in tags::of_agents(c, a, &ids).await? {
            at(&mut full, &place, &owner, |agent| agent.tags.push(tag));
        }
    }
    if include.blocks {
        for (owner, stored) in blocks::of_agents(c, a, &ids).await? {
            at(&mut full, &place, &owner, |agent| agent.blocks.push(stored.block));
        }
    }
    if include.tools {
        for (owner, tool) in tools_of(c, a, &ids).await? {
            at(&mut full, &place, &owner, |agent| agent.tools.push(tool));
        }
    }
    if include.secrets {
        for variable in variables::of_agents(c, a, &ids).await? {
            let owner = variable.agent_id.clone();
            at(&mut full, &place, &owner, |agent| agent.variables.push(variable));
        }
    }
    Ok(full)
}

/// Changes the agent of an identifier.
fn at(full: &mut [AgentFull], place: &HashMap<AgentId, usize>, id: &AgentId, change: impl FnOnce(&mut AgentFull)) {
    if let Some(agent) = place.get(id).and_then(|index| full.get_mut(*index)) {
        change(agent);
    }
}

/// The tools of some agents. Many agents mostly have the same tools, so each is read once and shared.
async fn tools_of(c: &mut Conn, a: &Actor, ids: &[AgentId]) -> Result<Vec<(AgentId, Arc<Tool>)>> {
    if let [id] = ids {
        let tools = tools::of_agent(c, a, id).await?;
        return Ok(tools.into_iter().map(|tool| (id.clone(), Arc::new(tool))).collect());
    }
    let pairs = tools::pairs(c, a, ids).await?;
    let wanted: Vec<ToolId> = pairs.iter().map(|(_, tool)| tool.clone()).collect();
    let tools = tools::by_ids(c, a, &distinct(&wanted)).await?;
    let tools: HashMap<ToolId, Arc<Tool>> = tools.into_iter().map(|tool| (tool.id.clone(), Arc::new(tool))).collect();
    Ok(pairs.into_iter().filter_map(|(agent, tool)| Some((agent, Arc::clone(tools.get(&tool)?)))).collect())
}
