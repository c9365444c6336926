//! Which tools a list or a count is of.

use mneme_core::ToolFilter;
use mneme_domain::{ToolId, tool::ToolType};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::{
    path::parse_query,
    problem::{Problem, Step},
    query,
};

/// Which tools.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The exact name.
    name: Option<String>,
    /// Exact names.
    #[serde(default)]
    #[param(required = false)]
    names: Vec<String>,
    /// Identifiers, repeated or separated by commas.
    #[serde(default)]
    #[param(required = false)]
    tool_ids: Vec<String>,
    /// Part of the name, whatever its case.
    search: Option<String>,
    /// Kinds, repeated or separated by commas.
    #[serde(default)]
    #[param(required = false)]
    tool_types: Vec<String>,
    /// Kinds to leave out, repeated or separated by commas.
    #[serde(default)]
    #[param(required = false)]
    exclude_tool_types: Vec<String>,
    /// Only tools that the server brings itself.
    #[serde(default, deserialize_with = "query::flag")]
    return_only_letta_tools: Option<bool>,
    /// No tools that the server brings itself.
    #[serde(default, deserialize_with = "query::flag")]
    exclude_letta_tools: Option<bool>,
}

impl Params {
    /// The filter. Malformed identifiers and unknown kinds are refused.
    pub fn filter(self) -> Result<ToolFilter, Problem> {
        let ids = query::split_commas(self.tool_ids);
        let mut excluded = kinds(["query", "exclude_tool_types"], self.exclude_tool_types)?;
        if self.exclude_letta_tools == Some(true) {
            excluded.extend(ToolType::BUILTIN);
        }
        Ok(ToolFilter {
            name: self.name,
            names: self.names,
            tool_ids: ids.iter().map(|id| parse_query::<ToolId>("tool_ids", id)).collect::<Result<_, _>>()?,
            search: self.search,
            tool_types: kinds(["query", "tool_types"], self.tool_types)?,
            exclude_tool_types: excluded,
            only_builtin: self.return_only_letta_tools.unwrap_or(false),
        })
    }
}

/// Kinds of tools by their names, which stand at a place of the request.
pub fn kinds(place: [&str; 2], names: Vec<String>) -> Result<Vec<ToolType>, Problem> {
    let read = |name: &String| {
        ToolType::from_name(name).ok_or_else(|| {
            let loc = place.into_iter().map(Step::from).collect();
            Problem::value_error(loc, &format!("'{name}' is no kind of tool")).input(name.as_str().into())
        })
    };
    query::split_commas(names).iter().map(read).collect()
}
