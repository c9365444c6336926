//! The row of a group.

use mneme_domain::{
    Actor, AgentId, BlockId, GroupId, MessageId,
    group::{Group, ManagerType},
};

use crate::{Result, json, sql::Arg};

/// The columns that [`GroupRow`] reads, of `agent_groups g`, with an engine's way to make an array of rows, an array of
/// values, and a text of it.
macro_rules! columns {
    ($rows:literal, $array:literal, $text:literal) => {
        concat!(
            "g.id, g.manager_type, g.description, g.project_id, g.template_id, g.base_template_id, g.deployment_id,
            g.manager_agent_id, g.termination_token, g.max_turns, g.sleeptime_agent_frequency, g.turns_counter,
            g.last_processed_message_id, g.max_message_buffer_length, g.min_message_buffer_length, g.hidden,
            (select ",
            $rows,
            "(",
            $array,
            "(ga.position, ga.agent_id))",
            $text,
            " from group_agents ga where ga.org_id = g.org_id and ga.group_id = g.id) as agent_ids,
            (select ",
            $rows,
            "(",
            $array,
            "(gb.position, gb.block_id))",
            $text,
            " from group_blocks gb where gb.org_id = g.org_id and gb.group_id = g.id) as block_ids"
        )
    };
}
pub(crate) use columns;

/// The columns that a new row fills: the organisation, the two times, the maker, then [`values`].
pub(super) const VALUES: &str = "org_id, created_at, updated_at, created_by_id, id, manager_type, description, \
    project_id, template_id, base_template_id, deployment_id, manager_agent_id, termination_token, max_turns, \
    sleeptime_agent_frequency, turns_counter, last_processed_message_id, max_message_buffer_length, \
    min_message_buffer_length, hidden, last_updated_by_id";

/// A group's values in the order of [`VALUES`].
pub(super) fn values<'a>(a: &'a Actor, group: &'a Group) -> Vec<Arg<'a>> {
    vec![
        (&group.id).into(),
        group.manager_type.as_str().into(),
        (&group.description).into(),
        (&group.project_id).into(),
        (&group.template_id).into(),
        (&group.base_template_id).into(),
        (&group.deployment_id).into(),
        (&group.manager_agent_id).into(),
        (&group.termination_token).into(),
        group.max_turns.into(),
        group.sleeptime_agent_frequency.into(),
        group.turns_counter.into(),
        (&group.last_processed_message_id).into(),
        group.max_message_buffer_length.into(),
        group.min_message_buffer_length.into(),
        group.hidden.into(),
        (&a.user).into(),
    ]
}

#[derive(mneme_macros::FromRow)]
pub(crate) struct GroupRow {
    id: String,
    manager_type: String,
    description: String,
    project_id: Option<String>,
    template_id: Option<String>,
    base_template_id: Option<String>,
    deployment_id: Option<String>,
    manager_agent_id: Option<String>,
    termination_token: Option<String>,
    max_turns: Option<i64>,
    sleeptime_agent_frequency: Option<i64>,
    turns_counter: Option<i64>,
    last_processed_message_id: Option<String>,
    max_message_buffer_length: Option<i64>,
    min_message_buffer_length: Option<i64>,
    hidden: Option<bool>,
    agent_ids: Option<String>,
    block_ids: Option<String>,
}

/// The identifiers of an aggregated column, by their places.
fn ids(column: &'static str, text: Option<&str>) -> Result<Vec<String>> {
    let mut placed: Vec<(i64, String)> = json::optional_value(column, text)?.unwrap_or_default();
    placed.sort();
    Ok(placed.into_iter().map(|(_, id)| id).collect())
}

impl TryFrom<GroupRow> for Group {
    type Error = crate::StoreError;

    fn try_from(row: GroupRow) -> Result<Self> {
        let agents = ids("group_agents", row.agent_ids.as_deref())?;
        let blocks = ids("group_blocks", row.block_ids.as_deref())?;
        Ok(Self {
            id: GroupId::trusted(row.id),
            manager_type: json::named("agent_groups.manager_type", &row.manager_type, ManagerType::from_name)?,
            agent_ids: agents.into_iter().map(AgentId::trusted).collect(),
            description: row.description,
            project_id: row.project_id,
            template_id: row.template_id,
            base_template_id: row.base_template_id,
            deployment_id: row.deployment_id,
            shared_block_ids: blocks.into_iter().map(BlockId::trusted).collect(),
            manager_agent_id: row.manager_agent_id.map(AgentId::trusted),
            termination_token: row.termination_token,
            max_turns: row.max_turns,
            sleeptime_agent_frequency: row.sleeptime_agent_frequency,
            turns_counter: row.turns_counter,
            last_processed_message_id: row.last_processed_message_id.map(MessageId::trusted),
            max_message_buffer_length: row.max_message_buffer_length,
            min_message_buffer_length: row.min_message_buffer_length,
            hidden: row.hidden,
        })
    }
}
