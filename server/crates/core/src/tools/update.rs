//! Changes of tools.

use std::sync::Arc;

use mneme_domain::{
    Actor, JsonObject, Patch, ToolId,
    mcp::McpOrigin,
    tool::{Requirement, Tool, ToolType, ToolUpdate},
};
use mneme_macros::boxed;
use mneme_store::tools;
use serde_json::Value;

use super::{
    check_return_limit,
    signature::{Origin, check_schema, unwrapped},
};
use crate::{Core, CoreError, Result};

#[boxed]
impl Core {
    /// Changes a tool. A new source brings a new schema, unless the tool's schema was its author's own.
    ///
    /// # Errors
    /// 404 for an unknown tool, 409 when the new name is taken, 400 for a change of what a built-in tool is, for a source
    /// that does not say how to call it and for packages that no registry could have.
    pub async fn update_tool(self: &Arc<Self>, actor: &Actor, id: &ToolId, mut update: ToolUpdate) -> Result<Tool> {
        check_packages(&update).map_err(CoreError::Invalid)?;
        let seen = self.get_tool(actor, id).await?;
        if let Patch::Set(schema) = &mut update.json_schema {
            *schema = unwrapped(std::mem::take(schema));
            if let Some(name) = &seen.name {
                schema.entry("name").or_insert_with(|| name.as_str().into());
            }
            check_schema(schema)?;
        } else if seen.tool_type == ToolType::Custom
            && !seen.is_uploaded()
            && changes_source(&update)
            && let Some(schema) = new_schema(&seen, &update).await?
        {
            update.json_schema = Patch::Set(schema);
        }
        let mut tx = self.store.write().await?;
        let mut tool = tools::get(&mut tx, actor, id).await?.ok_or_else(|| CoreError::missing("Tool", id))?;
        if origin(&tool) != origin(&seen) {
            return Err(mneme_store::StoreError::Stale.into());
        }
        update.apply(&mut tool);
        check_return_limit(tool.return_char_limit)?;
        if seen.tool_type == ToolType::ExternalMcp {
            refuse_other(&seen, &tool, "The name, parameters and server of an MCP tool cannot be changed")?;
            if let Some(origin) = McpOrigin::of(seen.metadata_.as_ref()) {
                origin.put(&mut tool.metadata_);
            }
        } else if seen.tool_type.is_builtin() {
            refuse_other(&seen, &tool, "The name, parameters and code of a built-in tool cannot be changed")?;
        } else if seen.is_uploaded() {
            refuse_other(
                &seen,
                &tool,
                "The name, parameters and code of an uploaded tool change with its next upload",
            )?;
        } else if tool.is_uploaded() {
            return Err(CoreError::field("source_type", "only an upload makes a tool of compiled code"));
        } else if McpOrigin::of(tool.metadata_.as_ref()) != McpOrigin::of(seen.metadata_.as_ref()) {
            return Err(CoreError::field("metadata_", "only tools of MCP servers say which server they are of"));
        } else if tool.name != seen.name {
            self.refuse_builtin_name(tool.call_name()).await?;
        }
        tool.last_updated_by_id = Some(actor.user.to_string());
        self.write_tool(&mut tx, actor, &tool, false).await?;
        tx.commit().await?;
        Ok(tool)
    }
}

fn check_packages(update: &ToolUpdate) -> std::result::Result<(), String> {
    let python = packages("pip_requirements", &update.pip_requirements)?;
    crate::packages::check(&python, &packages("npm_requirements", &update.npm_requirements)?)
}

/// The packages that an update names.
fn packages(name: &str, given: &Patch<Vec<Value>>) -> std::result::Result<Vec<Requirement>, String> {
    let Patch::Set(given) = given else { return Ok(Vec::new()) };
    let read = serde_json::from_value(Value::Array(given.clone()));
    read.map_err(|error| format!("{name}: each is a name and, where it matters, a version: {error}"))
}

/// What the schema of a tool is derived from.
fn origin(tool: &Tool) -> (Option<&str>, Option<&str>, Option<&JsonObject>) {
    (tool.source_code.as_deref(), tool.source_type.as_deref(), tool.args_json_schema.as_ref())
}

fn changes_source(update: &ToolUpdate) -> bool {
    update.source_code != Patch::Keep || update.source_type != Patch::Keep || update.args_json_schema != Patch::Keep
}

/// The schema after the change. None when the author's own schema stays: the one that the source of before did not
/// give.
async fn new_schema(seen: &Tool, update: &ToolUpdate) -> Result<Option<JsonObject>> {
    let mut changed = seen.clone();
    update.clone().apply(&mut changed);
    let (Some(source), Some(source_before)) = (changed.source_code, seen.source_code.clone()) else { return Ok(None) };
    let description = if let Patch::Set(text) = &update.description { Some(text.clone()) } else { None };
    let before = Origin {
        source: source_before,
        source_type: seen.source_type.clone(),
        name: seen.name.clone(),
        // Whatever it was: only the parameters are compared.
        description: seen.description.clone(),
        arguments: seen.args_json_schema.clone(),
        schema: None,
    };
    let mut after = Origin {
        source,
        source_type: changed.source_type,
        name: changed.name,
        description,
        arguments: changed.args_json_schema,
        schema: None,
    };
    let parameters = |schema: &JsonObject| schema.get("parameters").cloned();
    let own = match before.schema().await {
        Ok(derived) => parameters(&derived) != seen.json_schema.as_ref().and_then(parameters),
        Err(CoreError::Invalid(_) | CoreError::Unprocessable { .. }) => true,
        Err(other) => return Err(other),
    };
    if own {
        after.schema = changed.json_schema;
    }
    after.schema().await.map(Some)
}

/// A tool that was not made from source stays what it is; only what surrounds it may change.
fn refuse_other(before: &Tool, after: &Tool, refusal: &str) -> Result<()> {
    let parameters = |tool: &Tool| tool.json_schema.as_ref().and_then(|schema| schema.get("parameters")).cloned();
    let code = |tool: &Tool| (tool.source_code.clone(), tool.source_type.clone());
    if after.name != before.name || parameters(after) != parameters(before) || code(after) != code(before) {
        return Err(CoreError::Invalid(refusal.into()));
    }
    Ok(())
}
