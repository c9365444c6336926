//! What each tool may use and reach, and the organisation's ceiling.

use std::sync::Arc;

use mneme_domain::{
    Actor, Page, Role, ToolId,
    policy::{Manifest, Policy, ToolDenial, ToolKind},
    tool::Tool,
};
use mneme_macros::boxed;
use mneme_store::{
    denials,
    tools::{self, policy},
};
use mneme_toolsource::Language;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::signature::language;
use crate::{Core, CoreError, Result, api, execute::RUN_CODE};

/// A tool's policy, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ToolPolicy {
    /// Decides the defaults.
    pub kind: ToolKind,
    /// What is changed for this tool.
    pub policy: Manifest,
    /// The most that any tool of the organisation may have.
    pub ceiling: Manifest,
    /// What a call really gets.
    pub effective: Policy,
}

/// The kind of a tool.
pub fn kind(tool: &Tool) -> ToolKind {
    match language(tool.source_type.as_deref()) {
        _ if tool.tool_type.is_builtin() && tool.call_name() == RUN_CODE => ToolKind::RunCode,
        _ if tool.tool_type.is_builtin() => ToolKind::Builtin,
        _ if tool.source_type.as_deref() == Some(Tool::COMPONENT) => ToolKind::Component,
        _ if tool.source_type.as_deref() == Some(Tool::EXTISM) => ToolKind::Extism,
        Ok(Language::TypeScript) => ToolKind::Javascript,
        Ok(Language::Python) | Err(_) => ToolKind::Python,
    }
}

/// A tool cannot give itself or another more than its owner did, whatever it read.
fn refuse_tools() -> Result<()> {
    match api::inside_tool() {
        true => Err(CoreError::Forbidden("A tool cannot change what tools may do".into())),
        false => Ok(()),
    }
}

#[boxed]
impl Core {
    /// What a tool may use and reach.
    ///
    /// # Errors
    /// 404 for an unknown tool.
    pub async fn tool_policy(self: &Arc<Self>, actor: &Actor, id: &ToolId) -> Result<ToolPolicy> {
        let tool = self.get_tool(actor, id).await?;
        let mut conn = self.store.read().await?;
        let tools::Written { policy, ceiling } = policy(&mut conn, actor, id).await?;
        let kind = kind(&tool);
        let effective = Policy::of(kind).with(&policy).within(&ceiling);
        Ok(ToolPolicy { kind, policy, ceiling, effective })
    }

    /// Replaces what is changed for a tool. Calls from now on get it.
    ///
    /// # Errors
    /// 404 for an unknown tool, 422 for values that make no sense, 403 from inside a tool.
    pub async fn set_tool_policy(self: &Arc<Self>, actor: &Actor, id: &ToolId, value: Value) -> Result<ToolPolicy> {
        refuse_tools()?;
        let manifest = parse(value)?;
        let mut tx = self.store.write().await?;
        if !tools::set_policy(&mut tx, actor, id, &manifest).await? {
            return Err(CoreError::missing("Tool", id));
        }
        tx.commit().await?;
        self.tool_policy(actor, id).await
    }

    /// A page of what a tool was refused, by the time when each refusal was last seen.
    ///
    /// # Errors
    /// 404 for an unknown tool.
    pub async fn tool_denials(self: &Arc<Self>, actor: &Actor, id: &ToolId, page: &Page) -> Result<Vec<ToolDenial>> {
        self.get_tool(actor, id).await?;
        let mut conn = self.store.read().await?;
        Ok(denials::list(&mut conn, actor, id, page).await?)
    }

    /// The most that any tool of the organisation may use and reach.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn tool_ceiling(self: &Arc<Self>, actor: &Actor) -> Result<Manifest> {
        let mut conn = self.store.read().await?;
        let nobody = ToolId::from_uuid(self.env.uuid());
        Ok(policy(&mut conn, actor, &nobody).await?.ceiling)
    }

    /// Replaces the organisation's ceiling. Calls from now on stay below it.
    ///
    /// # Errors
    /// 422 for values that make no sense, 403 for who is no administrator and from inside a tool.
    pub async fn set_tool_ceiling(self: &Arc<Self>, actor: &Actor, value: Value) -> Result<Manifest> {
        refuse_tools()?;
        if actor.role < Role::Admin {
            return Err(CoreError::Forbidden("Only an administrator sets the organisation's ceiling".into()));
        }
        let manifest = parse(value)?;
        let mut tx = self.store.write().await?;
        tools::set_ceiling(&mut tx, actor, &manifest).await?;
        tx.commit().await?;
        Ok(manifest)
    }
}

pub(super) fn parse(value: Value) -> Result<Manifest> {
    Manifest::parse(value).map_err(|error| CoreError::field("policy", error.to_string()))
}
