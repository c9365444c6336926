//! What tools tried without having the power to: the newest of each organisation.

use mneme_domain::{
    Actor, AgentId, DenialId, EntityId, Page, RunId, StepId, ToolId,
    clock::{from_micros, to_micros},
    policy::{Denial, ToolDenial},
};
use mneme_macros::boxed;
use sha2::{Digest, Sha256};

use crate::{
    Conn, Result,
    page::Keyset,
    sql::{args, statements},
};

/// Rows that an organisation keeps; the oldest give way.
pub const KEPT: i64 = 1_000;
/// Rows that are removed at a time, more than one call can add.
const SWEPT: i64 = 100;

statements! {
    // Nothing for a tool that is not kept, such as one that is tried from its source.
    ADD: "insert into tool_denials
            (id, org_id, tool_id, agent_id, run_id, step_id, capability, detail, likeness, count, first_at, last_at)
        select $1, t.org_id, t.id, $4, $5, $6, $7, $8, $9, 1, cast($10 as bigint), cast($10 as bigint)
        from tools t where t.org_id = $2 and t.id = $3
        on conflict (org_id, likeness) do update set count = tool_denials.count + 1, last_at = excluded.last_at,
            run_id = excluded.run_id, step_id = excluded.step_id";
    SWEEP: "delete from tool_denials where org_id = $1 and seq in (
            select seq from tool_denials where org_id = $1 order by last_at desc, seq desc limit $2 offset $3)";
}

const KEYSET: Keyset = Keyset {
    lookup: "select last_at as key, seq from tool_denials where org_id = ",
    key: Some("d.last_at"),
    seq: "d.seq",
};

/// Which call was refused something.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The tool.
    pub tool: &'a ToolId,
    /// The agent that called it, if one did.
    pub agent: Option<&'a AgentId>,
    /// The agent's run.
    pub run: Option<&'a RunId>,
    /// The run's step.
    pub step: Option<&'a StepId>,
}

#[derive(mneme_macros::FromRow)]
struct Row {
    id: String,
    tool_id: String,
    agent_id: Option<String>,
    run_id: Option<String>,
    step_id: Option<String>,
    capability: String,
    detail: String,
    count: i64,
    first_at: i64,
    last_at: i64,
}

/// What makes two refusals the same: tool, agent, capability and detail.
fn likeness(place: &Place<'_>, denial: &Denial) -> String {
    let mut hash = Sha256::new();
    let agent = place.agent.map_or("", EntityId::as_str);
    for part in [place.tool.as_str(), agent, &denial.capability, &denial.detail] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps the refusals of a call. One that is there already is counted, and has its place and time from the newest.
#[boxed]
pub async fn add(c: &mut Conn, a: &Actor, place: &Place<'_>, denials: &[Denial]) -> Result<()> {
    let env = c.context().env.clone();
    let now = to_micros(env.now());
    for denial in denials {
        let id = DenialId::from_uuid(env.uuid()).into_string();
        let row = args![
            id,
            &a.org,
            place.tool,
            place.agent.map(EntityId::as_str),
            place.run.map(EntityId::as_str),
            place.step.map(EntityId::as_str),
            &denial.capability,
            denial.detail.replace('\0', ""),
            likeness(place, denial),
            now
        ];
        c.run(&ADD, row).await?;
    }
    c.run(&SWEEP, args![&a.org, SWEPT, KEPT]).await.map(drop)
}

/// A page of a tool's refusals, by the time when each was last seen.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, tool: &ToolId, page: &Page) -> Result<Vec<ToolDenial>> {
    let mut query = c.query(
        "select d.id, d.tool_id, d.agent_id, d.run_id, d.step_id, d.capability, d.detail, d.count, d.first_at, d.last_at
         from tool_denials d where d.org_id = ",
    );
    query.bind(&a.org).with(" and d.tool_id = ", tool);
    let rows: Vec<Row> = KEYSET.page(c, a, query, page).await?;
    let read = |row: Row| ToolDenial {
        id: DenialId::trusted(row.id),
        tool_id: ToolId::trusted(row.tool_id),
        agent_id: row.agent_id.map(AgentId::trusted),
        run_id: row.run_id.map(RunId::trusted),
        step_id: row.step_id.map(StepId::trusted),
        capability: row.capability,
        detail: row.detail,
        count: row.count,
        first_at: from_micros(row.first_at),
        last_at: from_micros(row.last_at),
    };
    Ok(rows.into_iter().map(read).collect())
}
