//! Agents with what hangs off them: one statement, however many agents there are.
//!
//! Each relationship comes as one JSON text in the agent's row: a trip to the database costs more than reading the text.
//! Of the tools only the identifiers and their last updates are read; the tools themselves are mostly in memory.

use std::{collections::HashMap, sync::Arc};

use mneme_domain::{
    Actor, AgentId, EntityId, GroupId, IdentityId, ToolId,
    agent::{Agent, AgentFull, Include},
    group::Group,
    identity::Identity,
    tool::Tool,
};
use mneme_macros::boxed;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    row::{AgentRow, columns},
    variables::{self, VariableRow},
};
use crate::{
    Conn, Result,
    blocks::{StoredBlock, row::BlockRow},
    distinct, files, folders, groups, identities, json,
    sql::{Arg, args, statements},
    tools::{self, ToolRef},
};

/// Columns with the relationships of `agents a` that `$3` to `$9` ask for, in the words of an engine: what makes an
/// array of rows, what makes an array and an object of values, and what makes a text of the result.
macro_rules! related {
    ($rows:literal, $array:literal, $object:literal, $text:literal) => {
        concat!(
            "case when $3 then (select ",
            $rows,
            "(",
            $array,
            "(g.position, g.tag))",
            $text,
            "
                from agent_tags g where g.org_id = a.org_id and g.agent_id = a.id) end as tags,
            case when $4 then (select ",
            $rows,
            "(",
            $object,
            "(",
            crate::blocks::row::json_fields!(),
            "))",
            $text,
            "
                from agent_blocks ab join blocks b on b.org_id = ab.org_id and b.id = ab.block_id
                where ab.org_id = a.org_id and ab.agent_id = a.id) end as blocks,
            case when $5 then (select ",
            $rows,
            "(",
            $array,
            "(att.position, t.id, t.updated_at))",
            $text,
            "
                from agent_tools att join tools t on t.org_id = att.org_id and t.id = att.tool_id
                where att.org_id = a.org_id and att.agent_id = a.id) end as tools,
            case when $6 then (select ",
            $rows,
            "(",
            $object,
            "(",
            variables::json_fields!(),
            "))",
            $text,
            "
                from agent_variables v where v.org_id = a.org_id and v.agent_id = a.id) end as variables,
            $7 and exists (select 1 from agent_sources ags where ags.org_id = a.org_id and ags.agent_id = a.id) as reads,
            case when $8 then (select ",
            $rows,
            "(",
            $array,
            "(ai.position, ai.identity_id))",
            $text,
            "
                from agent_identities ai where ai.org_id = a.org_id and ai.agent_id = a.id) end as identities,
            case when $9 then (select gr.id from agent_groups gr
                where gr.org_id = a.org_id and gr.manager_agent_id = a.id order by gr.seq limit 1) end as managed"
        )
    };
}

macro_rules! postgres {
    () => {
        related!("json_agg", "json_build_array", "json_build_object", "::text")
    };
}

macro_rules! sqlite {
    () => {
        related!("json_group_array", "json_array", "json_object", "")
    };
}

statements! {
    FULL: concat!("select ", columns!(), ", ", postgres!(), " from agents a where a.org_id = $1 and a.id = $2"),
        sqlite: concat!("select ", columns!(), ", ", sqlite!(), " from agents a where a.org_id = $1 and a.id = $2");
    RELATED: concat!("select a.id, ", postgres!(), " from agents a where a.org_id = $1 and a.id = any($2)"),
        sqlite: concat!("select a.id, ", sqlite!(), " from agents a
            where a.org_id = $1 and a.id in (select value from json_each($2))");
}

/// The relationships of an agent, each a JSON array, `None` when it is empty or not asked for.
#[derive(mneme_macros::FromRow)]
struct RelatedRow {
    tags: Option<String>,
    blocks: Option<String>,
    tools: Option<String>,
    variables: Option<String>,
    identities: Option<String>,
    /// Whether it has folders; most agents have none.
    reads: bool,
    managed: Option<String>,
}

#[derive(mneme_macros::FromRow)]
struct FullRow {
    #[row(flatten)]
    agent: AgentRow,
    #[row(flatten)]
    related: RelatedRow,
}

#[derive(mneme_macros::FromRow)]
struct OwnedRow {
    id: String,
    #[row(flatten)]
    related: RelatedRow,
}

/// Something with its place among its like.
#[derive(Deserialize)]
struct Placed<T> {
    position: i64,
    #[serde(flatten)]
    item: T,
}

/// What hangs off one agent.
#[derive(Default)]
struct Related {
    tags: Vec<String>,
    blocks: Vec<StoredBlock>,
    tools: Vec<ToolRef>,
    variables: Vec<VariableRow>,
    identities: Vec<IdentityId>,
    reads: bool,
    managed: Option<GroupId>,
}

/// The items of an array in the order of their places.
fn items<R: DeserializeOwned, T>(
    column: &'static str,
    text: Option<&str>,
    read: impl Fn(R) -> Result<(i64, T)>,
) -> Result<Vec<T>> {
    let rows: Vec<R> = json::optional_value(column, text)?.unwrap_or_default();
    let mut items: Vec<(i64, T)> = rows.into_iter().map(read).collect::<Result<_>>()?;
    // Not left to the database: inside an aggregate the engines differ in how they order.
    items.sort_by_key(|(position, _)| *position);
    Ok(items.into_iter().map(|(_, item)| item).collect())
}

impl RelatedRow {
    fn read(&self) -> Result<Related> {
        Ok(Related {
            tags: items("agent_tags", self.tags.as_deref(), |tag: (i64, String)| Ok(tag))?,
            blocks: items("blocks", self.blocks.as_deref(), |row: Placed<BlockRow>| {
                Ok((row.position, row.item.try_into()?))
            })?,
            tools: items("agent_tools", self.tools.as_deref(), |(position, id, updated_at): (i64, String, i64)| {
                Ok((position, ToolRef { id: ToolId::trusted(id), updated_at }))
            })?,
            variables: items("agent_variables", self.variables.as_deref(), |row: Placed<VariableRow>| {
                Ok((row.position, row.item))
            })?,
            identities: items("agent_identities", self.identities.as_deref(), |(position, id): (i64, String)| {
                Ok((position, IdentityId::trusted(id)))
            })?,
            reads: self.reads,
            managed: self.managed.clone().map(GroupId::trusted),
        })
    }
}

fn wanted<'a>(include: Include) -> [Arg<'a>; 7] {
    // What is open belongs to memory, and folders to both.
    let reads = include.sources || include.blocks;
    [
        include.tags.into(),
        include.blocks.into(),
        include.tools.into(),
        include.secrets.into(),
        reads.into(),
        include.identities.into(),
        include.groups.into(),
    ]
}

async fn full_of(c: &mut Conn, a: &Actor, agent: Agent, related: Related, include: Include) -> Result<AgentFull> {
    let ids = [agent.id.clone()];
    let readers = if related.reads { &ids[..] } else { &[] };
    let mut folders = if include.sources { folders::of_agents(c, a, readers).await? } else { HashMap::new() };
    let mut open = if include.blocks { files::opened(c, a, readers).await? } else { HashMap::new() };
    Ok(AgentFull {
        folders: folders.remove(&agent.id).unwrap_or_default(),
        open_files: open.remove(&agent.id).unwrap_or_default(),
        agent,
        tags: related.tags,
        blocks: related.blocks.into_iter().map(|stored| stored.block).collect(),
        tools: tools::shared(c, a, &related.tools).await?,
        variables: variables::open(c, a, related.variables)?,
        identities: identities::get_many(c, a, &related.identities).await?,
        group: match &related.managed {
            Some(id) => groups::get(c, a, id).await?,
            None => None,
        },
    })
}

/// An agent with what is asked for.
#[boxed]
pub async fn full(c: &mut Conn, a: &Actor, id: &AgentId, include: Include) -> Result<Option<AgentFull>> {
    let mut arguments = args![&a.org, id];
    arguments.extend(wanted(include));
    let Some(row) = c.one::<FullRow>(&FULL, arguments).await? else {
        return Ok(None);
    };
    full_of(c, a, row.agent.try_into()?, row.related.read()?, include).await.map(Some)
}

/// Agents with what is asked for, in the given order.
#[boxed]
pub async fn full_many(c: &mut Conn, a: &Actor, agents: Vec<Agent>, include: Include) -> Result<Vec<AgentFull>> {
    let mut related: HashMap<AgentId, Related> = HashMap::new();
    if !agents.is_empty() && include != Include::NONE {
        let ids: Vec<String> = agents.iter().map(|agent| agent.id.as_str().to_owned()).collect();
        let mut arguments = args![&a.org, Arg::List(ids)];
        arguments.extend(wanted(include));
        for row in c.all::<OwnedRow>(&RELATED, arguments).await? {
            related.insert(AgentId::trusted(row.id), row.related.read()?);
        }
    }
    // Tools that are not in memory are read once for all agents; from then on they are at hand.
    let mut every: Vec<ToolRef> = related.values().flat_map(|related| related.tools.iter().cloned()).collect();
    every.sort_by(|one, other| one.id.cmp(&other.id));
    every.dedup();
    let every = tools::shared(c, a, &every).await?;
    let readers: Vec<AgentId> = related.iter().filter(|(_, all)| all.reads).map(|(id, _)| id.clone()).collect();
    let mut folders = if include.sources { folders::of_agents(c, a, &readers).await? } else { HashMap::new() };
    let mut open = if include.blocks { files::opened(c, a, &readers).await? } else { HashMap::new() };
    let every: HashMap<&ToolId, &Arc<Tool>> = every.iter().map(|tool| (&tool.id, tool)).collect();
    let known: Vec<IdentityId> = related.values().flat_map(|related| related.identities.iter().cloned()).collect();
    let known = identities::get_many(c, a, &distinct(&known)).await?;
    let known: HashMap<&IdentityId, &Identity> = known.iter().map(|identity| (&identity.id, identity)).collect();
    let managed: Vec<GroupId> = related.values().filter_map(|related| related.managed.clone()).collect();
    let managed = groups::get_many(c, a, &managed).await?;
    let managed: HashMap<&GroupId, &Group> = managed.iter().map(|group| (&group.id, group)).collect();
    let mut full = Vec::with_capacity(agents.len());
    for agent in agents {
        let related = related.remove(&agent.id).unwrap_or_default();
        full.push(AgentFull {
            tools: related.tools.iter().filter_map(|tool| every.get(&tool.id).copied().cloned()).collect(),
            tags: related.tags,
            blocks: related.blocks.into_iter().map(|stored| stored.block).collect(),
            variables: variables::open(c, a, related.variables)?,
            identities: related.identities.iter().filter_map(|id| known.get(id).copied().cloned()).collect(),
            folders: folders.remove(&agent.id).unwrap_or_default(),
            open_files: open.remove(&agent.id).unwrap_or_default(),
            group: related.managed.as_ref().and_then(|id| managed.get(id).copied().cloned()),
            agent,
        });
    }
    Ok(full)
}

/// What a turn of an agent works with: its blocks and its tools, each in the order of their attachment, and whether it
/// reads files. Nothing for an unknown agent.
#[boxed]
pub async fn equipment(c: &mut Conn, a: &Actor, id: &AgentId) -> Result<(Vec<StoredBlock>, Vec<Arc<Tool>>, bool)> {
    let include = Include { blocks: true, tools: true, ..Include::NONE };
    let mut arguments = args![&a.org, Arg::List(vec![id.as_str().to_owned()])];
    arguments.extend(wanted(include));
    let Some(row) = c.one::<OwnedRow>(&RELATED, arguments).await? else {
        return Ok(Default::default());
    };
    let related = row.related.read()?;
    Ok((related.blocks, tools::shared(c, a, &related.tools).await?, related.reads))
}
