//! Lists of tools.

use mneme_domain::{
    Actor, EntityId, Page, ToolId,
    tool::{Tool, ToolType},
};
use mneme_macros::boxed;

use super::{read, row::columns};
use crate::{Conn, Result, page::Keyset, query::Query};

/// Which tools a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolFilter {
    /// The exact name.
    pub name: Option<String>,
    /// One of these names, when any is given.
    pub names: Vec<String>,
    /// One of these tools, when any is given.
    pub tool_ids: Vec<ToolId>,
    /// Part of the name, whatever its case.
    pub search: Option<String>,
    /// One of these kinds, when any is given.
    pub tool_types: Vec<ToolType>,
    /// None of these kinds.
    pub exclude_tool_types: Vec<ToolType>,
    /// Only tools that the server brings itself.
    pub only_builtin: bool,
}

const KEYSET: Keyset = Keyset { lookup: "select seq as key, seq from tools where org_id = ", key: None, seq: "t.seq" };

fn names(types: &[ToolType]) -> Vec<String> {
    types.iter().map(|kind| kind.as_str().to_owned()).collect()
}

fn restrict<'a>(query: &mut Query<'a>, a: &'a Actor, filter: &'a ToolFilter) {
    query.with(" where t.org_id = ", &a.org);
    query.maybe(" and coalesce(t.mcp_name, t.name) = ", filter.name.as_ref());
    if !filter.names.is_empty() {
        query.push(" and coalesce(t.mcp_name, t.name)").any(filter.names.clone());
    }
    if !filter.tool_ids.is_empty() {
        query.push(" and t.id").any(filter.tool_ids.iter().map(|id| id.as_str().to_owned()).collect());
    }
    if let Some(part) = &filter.search {
        query.and_contains("coalesce(t.mcp_name, t.name)", part);
    }
    if !filter.tool_types.is_empty() {
        query.push(" and t.tool_type").any(names(&filter.tool_types));
    }
    if !filter.exclude_tool_types.is_empty() {
        query.push(" and not t.tool_type").any(names(&filter.exclude_tool_types));
    }
    if filter.only_builtin {
        let foreign =
            [ToolType::Custom, ToolType::ExternalLangchain, ToolType::ExternalComposio, ToolType::ExternalMcp];
        query.push(" and not t.tool_type").any(names(&foreign));
    }
}

/// A page of tools in the order of their creation.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, filter: &ToolFilter, page: &Page) -> Result<Vec<Tool>> {
    let mut query = c.query(concat!("select ", columns!(), " from tools t"));
    restrict(&mut query, a, filter);
    read(KEYSET.page(c, a, query, page).await?)
}

/// How many tools a filter lets through.
#[boxed]
pub async fn count(c: &mut Conn, a: &Actor, filter: &ToolFilter) -> Result<i64> {
    let mut query = c.query("select count(*) from tools t");
    restrict(&mut query, a, filter);
    Ok(c.query_one::<(i64,)>(query).await?.unwrap_or_default().0)
}
