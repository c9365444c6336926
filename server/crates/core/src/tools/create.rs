//! New tools of users.

use std::sync::Arc;

use mneme_domain::{
    Actor, JsonObject, ToolId,
    tool::{CreateTool, DEFAULT_RETURN_CHAR_LIMIT, Requirement, Tool, ToolType},
};
use mneme_macros::boxed;
use mneme_store::{Conn, StoreError, tools};
use serde_json::Value;

use super::{
    check_return_limit,
    signature::{DEFAULT_SOURCE_TYPE, Origin},
};
use crate::{Core, CoreError, Result, execute::RUN_CODE};

#[boxed]
impl Core {
    /// Makes a tool, or makes the user's tool of that name what the body says: clients register their tools at each
    /// of their starts. What the body does not name stays as it is.
    ///
    /// # Errors
    /// 400 when the source does not say how to call it, 409 when the name belongs to a tool that is no user's own,
    /// 422 for values that make no sense.
    pub async fn create_tool(self: &Arc<Self>, actor: &Actor, body: CreateTool) -> Result<Tool> {
        check_return_limit(body.return_char_limit.unwrap_or(DEFAULT_RETURN_CHAR_LIMIT))?;
        let schema = self.schema_of(&body, None).await?;
        let name = text(&schema, "name").unwrap_or_default();
        self.refuse_builtin_name(&name).await?;
        match self.put_tool(actor, &name, &body, &schema).await {
            // Another request was faster; its tool is there now.
            Err(CoreError::Conflict(_)) => self.put_tool(actor, &name, &body, &schema).await,
            other => other,
        }
    }

    /// The schema of a tool: given, or derived from its source. `name` is that of a function which has none there.
    ///
    /// # Errors
    /// As [`Core::create_tool`].
    pub(crate) async fn schema_of(&self, body: &CreateTool, name: Option<&str>) -> Result<JsonObject> {
        let (python, npm) = (body.pip_requirements.as_deref(), body.npm_requirements.as_deref());
        crate::packages::check(python.unwrap_or_default(), npm.unwrap_or_default()).map_err(CoreError::Invalid)?;
        let origin = Origin {
            source: body.source_code.clone(),
            source_type: body.source_type.clone(),
            name: name.map(str::to_owned),
            description: body.description.clone(),
            arguments: body.args_json_schema.clone(),
            schema: body.json_schema.clone(),
        };
        origin.schema().await
    }

    async fn put_tool(&self, actor: &Actor, name: &str, body: &CreateTool, schema: &JsonObject) -> Result<Tool> {
        let mut tx = self.store.write().await?;
        let known = tools::by_name(&mut tx, actor, name).await?;
        let is_new = known.is_none();
        let was_uploaded = known.as_ref().is_some_and(Tool::is_uploaded);
        let mut tool = match known {
            Some(tool) if tool.tool_type == ToolType::Custom => tool,
            Some(tool) => return Err(taken(name, tool.tool_type)),
            None => fresh(ToolId::from_uuid(self.env.uuid()), actor),
        };
        tool.name = Some(name.to_owned());
        tool.description = text(schema, "description");
        tool.json_schema = Some(schema.clone());
        tool.source_code = Some(body.source_code.clone());
        tool.source_type = Some(body.source_type.clone().unwrap_or_else(|| DEFAULT_SOURCE_TYPE.into()));
        tool.args_json_schema = body.args_json_schema.clone();
        tool.tags = body.tags.clone().unwrap_or(tool.tags);
        tool.return_char_limit = body.return_char_limit.unwrap_or(tool.return_char_limit);
        tool.pip_requirements = requirements(body.pip_requirements.as_deref())?.or(tool.pip_requirements);
        tool.npm_requirements = requirements(body.npm_requirements.as_deref())?.or(tool.npm_requirements);
        tool.default_requires_approval = body.default_requires_approval.or(tool.default_requires_approval);
        tool.enable_parallel_execution = body.enable_parallel_execution.or(tool.enable_parallel_execution);
        tool.last_updated_by_id = Some(actor.user.to_string());
        self.write_tool(&mut tx, actor, &tool, is_new).await?;
        if was_uploaded {
            tools::set_component(&mut tx, actor, &tool.id, None).await?;
            tools::sweep_code(&mut tx, actor).await?;
        }
        tx.commit().await?;
        Ok(tool)
    }

    /// Writes a tool whose name may be taken by now.
    pub(super) async fn write_tool(&self, tx: &mut Conn, actor: &Actor, tool: &Tool, is_new: bool) -> Result<()> {
        let now = self.env.now();
        let written =
            if is_new { tools::insert(tx, actor, tool, now).await } else { tools::update(tx, actor, tool, now).await };
        written.map_err(|error| match error {
            StoreError::Conflict(_) => {
                CoreError::Conflict(format!("A tool with name {} already exists", tool.call_name()))
            }
            other => other.into(),
        })
    }

    /// Keeps the names of built-in tools for them, in organisations too that have not seen them yet.
    pub(super) async fn refuse_builtin_name(&self, name: &str) -> Result<()> {
        let builtins = self.sandbox.builtin().await.map_err(|error| CoreError::Unavailable(error.to_string()))?;
        if builtins.find(name).is_some() || name == RUN_CODE {
            return Err(taken(name, super::builtin_type(name)));
        }
        Ok(())
    }
}

pub(super) fn taken(name: &str, tool_type: ToolType) -> CoreError {
    CoreError::Conflict(format!("The name {name} belongs to a tool of type {}; choose another", tool_type.as_str()))
}

pub fn fresh(id: ToolId, actor: &Actor) -> Tool {
    Tool {
        id,
        tool_type: ToolType::Custom,
        description: None,
        source_type: None,
        name: None,
        tags: Vec::new(),
        source_code: None,
        json_schema: None,
        args_json_schema: None,
        return_char_limit: DEFAULT_RETURN_CHAR_LIMIT,
        pip_requirements: None,
        npm_requirements: None,
        default_requires_approval: None,
        enable_parallel_execution: Some(false),
        created_by_id: Some(actor.user.to_string()),
        last_updated_by_id: None,
        metadata_: Some(JsonObject::new()),
    }
}

pub(super) fn text(schema: &JsonObject, key: &str) -> Option<String> {
    schema.get(key).and_then(Value::as_str).map(str::to_owned)
}

pub fn requirements(given: Option<&[Requirement]>) -> Result<Option<Vec<Value>>> {
    let values = |given: &[Requirement]| given.iter().map(serde_json::to_value).collect::<serde_json::Result<_>>();
    given.map(values).transpose().map_err(|error| CoreError::Internal(error.to_string()))
}
