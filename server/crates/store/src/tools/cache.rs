//! Tools kept in memory: there are few, every agent and every turn needs some, and they are large.
//!
//! A tool is only taken from here for a row that has the time of its last update, which grows with each; so another
//! server's change is noticed as soon as it is committed.

use std::{collections::HashMap, sync::Arc};

use mneme_domain::{Actor, OrgId, ToolId, tool::Tool};
use mneme_macros::boxed;
use mneme_memo::{Bounds, Memo};

use super::row::{ToolRow, columns};
use crate::{
    Conn, Result,
    sql::{Arg, args, statements},
};

/// Bytes of source and schemas that are kept, roughly.
const CAPACITY: u64 = 16 << 20;

statements! {
    DATED: concat!("select t.updated_at, ", columns!(), " from tools t where t.org_id = $1 and t.id = any($2)");
    // Each of the three has an index; SQLite would take none for an `or` and read every tool of the organisation.
    FIND: "select id, updated_at from tools where seq in (
            select seq from tools where org_id = $1 and id = any($2)
            union all select seq from tools where org_id = $1 and name = any($3)
            union all select seq from tools where org_id = $1 and mcp_name = any($3))
        order by case when mcp_name is null then 0 else 1 end, seq";
}

/// A tool as another row refers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolRef {
    pub(crate) id: ToolId,
    /// The time of its last update in microseconds.
    pub(crate) updated_at: i64,
}

struct Kept {
    org: OrgId,
    updated_at: i64,
    /// Bytes of the row's large columns.
    size: usize,
    tool: Arc<Tool>,
}

/// Tools by identifier.
pub(crate) struct ToolCache(Memo<ToolId, Arc<Kept>>);

impl Default for ToolCache {
    fn default() -> Self {
        Self(Memo::weighing(Bounds::of(CAPACITY), |_, kept| kept.size))
    }
}

impl ToolCache {
    fn get(&self, a: &Actor, tool: &ToolRef) -> Option<Arc<Tool>> {
        let kept = self.0.get(&tool.id)?;
        (kept.updated_at == tool.updated_at && kept.org == a.org).then(|| Arc::clone(&kept.tool))
    }
}

#[derive(mneme_macros::FromRow)]
struct DatedRow {
    updated_at: i64,
    #[row(flatten)]
    tool: ToolRow,
}

/// The tools of these rows of the actor's organisation, in their order; those that are gone by now are left out.
pub(crate) async fn shared(c: &mut Conn, a: &Actor, wanted: &[ToolRef]) -> Result<Vec<Arc<Tool>>> {
    let context = c.context();
    let mut found: HashMap<&ToolId, Arc<Tool>> = HashMap::with_capacity(wanted.len());
    let mut missing = Vec::new();
    for tool in wanted {
        match context.tools.get(a, tool) {
            Some(kept) => drop(found.insert(&tool.id, kept)),
            None => missing.push(tool.id.clone()),
        }
    }
    let mut read: HashMap<ToolId, Arc<Tool>> = HashMap::new();
    if !missing.is_empty() {
        let rows: Vec<DatedRow> = c.all(&DATED, args![&a.org, Arg::ids(&missing)]).await?;
        for DatedRow { updated_at, tool } in rows {
            let size = tool.size();
            let tool = Arc::new(Tool::try_from(tool)?);
            // What a transaction sees may be undone.
            if c.reads() {
                let kept = Kept { org: a.org.clone(), updated_at, size, tool: Arc::clone(&tool) };
                context.tools.0.insert(tool.id.clone(), Arc::new(kept));
            }
            read.insert(tool.id.clone(), tool);
        }
    }
    Ok(wanted.iter().filter_map(|tool| found.get(&tool.id).or_else(|| read.get(&tool.id)).cloned()).collect())
}

/// The tools that have one of these identifiers or one of these names: those of MCP servers last, older ones first.
#[boxed]
pub async fn find(c: &mut Conn, a: &Actor, ids: &[ToolId], names: &[String]) -> Result<Vec<Arc<Tool>>> {
    if ids.is_empty() && names.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, i64)> = c.all(&FIND, args![&a.org, Arg::ids(ids), Arg::List(names.to_vec())]).await?;
    let wanted: Vec<ToolRef> =
        rows.into_iter().map(|(id, updated_at)| ToolRef { id: ToolId::trusted(id), updated_at }).collect();
    shared(c, a, &wanted).await
}
