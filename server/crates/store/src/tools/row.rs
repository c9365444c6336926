//! The row of a tool.

use mneme_domain::{
    ToolId,
    tool::{Tool, ToolType},
};

use crate::{Result, json, mcp::tool_columns, sql::Arg};

/// The columns that [`ToolRow`] reads, of `tools t`.
macro_rules! columns {
    () => {
        "t.id, coalesce(t.mcp_name, t.name) as name, t.tool_type, t.description, t.source_type, t.source_code, t.tags, t.json_schema, \
         t.args_json_schema, t.return_char_limit, t.pip_requirements, t.npm_requirements, \
         t.default_requires_approval, t.enable_parallel_execution, t.metadata, t.created_by_id, t.last_updated_by_id"
    };
}
pub(crate) use columns;

/// The columns that [`values`] fills, after the organisation and the two times.
pub(super) const VALUES: &str = "org_id, created_at, updated_at, id, name, tool_type, description, source_type, \
    source_code, tags, json_schema, args_json_schema, return_char_limit, pip_requirements, npm_requirements, \
    default_requires_approval, enable_parallel_execution, metadata, created_by_id, last_updated_by_id, mcp_server_id, \
    mcp_name";

/// A tool's values in the order of [`VALUES`].
pub(super) fn values(tool: &Tool) -> Result<Vec<Arg<'_>>> {
    let [key, mcp_server, mcp_name] = tool_columns(tool);
    Ok(vec![
        (&tool.id).into(),
        key,
        tool.tool_type.as_str().into(),
        (&tool.description).into(),
        (&tool.source_type).into(),
        (&tool.source_code).into(),
        json::text(&tool.tags)?.into(),
        json::optional_text(tool.json_schema.as_ref())?.into(),
        json::optional_text(tool.args_json_schema.as_ref())?.into(),
        tool.return_char_limit.into(),
        json::optional_text(tool.pip_requirements.as_ref())?.into(),
        json::optional_text(tool.npm_requirements.as_ref())?.into(),
        tool.default_requires_approval.into(),
        tool.enable_parallel_execution.into(),
        json::optional_text(tool.metadata_.as_ref())?.into(),
        (&tool.created_by_id).into(),
        (&tool.last_updated_by_id).into(),
        mcp_server,
        mcp_name,
    ])
}

#[derive(mneme_macros::FromRow)]
pub(crate) struct ToolRow {
    id: String,
    name: Option<String>,
    tool_type: String,
    description: Option<String>,
    source_type: Option<String>,
    source_code: Option<String>,
    tags: String,
    json_schema: Option<String>,
    args_json_schema: Option<String>,
    return_char_limit: i64,
    pip_requirements: Option<String>,
    npm_requirements: Option<String>,
    default_requires_approval: Option<bool>,
    enable_parallel_execution: Option<bool>,
    metadata: Option<String>,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
}

impl ToolRow {
    /// Bytes of the columns that can be large.
    pub(super) fn size(&self) -> usize {
        let large = [&self.source_code, &self.json_schema, &self.args_json_schema, &self.description, &self.metadata];
        500 + large.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl TryFrom<ToolRow> for Tool {
    type Error = crate::StoreError;

    fn try_from(row: ToolRow) -> Result<Self> {
        Ok(Self {
            id: ToolId::trusted(row.id),
            tool_type: json::named("tools.tool_type", &row.tool_type, ToolType::from_name)?,
            description: row.description,
            source_type: row.source_type,
            name: row.name,
            tags: json::value("tools.tags", &row.tags)?,
            source_code: row.source_code,
            json_schema: json::optional_value("tools.json_schema", row.json_schema.as_deref())?,
            args_json_schema: json::optional_value("tools.args_json_schema", row.args_json_schema.as_deref())?,
            return_char_limit: row.return_char_limit,
            pip_requirements: json::optional_value("tools.pip_requirements", row.pip_requirements.as_deref())?,
            npm_requirements: json::optional_value("tools.npm_requirements", row.npm_requirements.as_deref())?,
            default_requires_approval: row.default_requires_approval,
            enable_parallel_execution: row.enable_parallel_execution,
            created_by_id: row.created_by_id,
            last_updated_by_id: row.last_updated_by_id,
            metadata_: json::optional_value("tools.metadata", row.metadata.as_deref())?,
        })
    }
}
