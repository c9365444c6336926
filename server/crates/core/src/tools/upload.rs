//! Tools that users upload as compiled code: a component, or an Extism plugin.

use std::collections::BTreeMap;
use std::sync::Arc;

use mneme_domain::{
    Actor, JsonObject, ToolId,
    policy::Manifest,
    tool::{Tool, ToolType},
};
use mneme_macros::boxed;
use mneme_sandbox::{SandboxError, ToolSpec};
use mneme_store::tools::{self, PackedCode};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::create::{fresh, taken, text};
use crate::{Core, CoreError, Result, api};

/// Uploads worked on at once; each may hold its code several times over. The others wait.
static UPLOADS: Semaphore = Semaphore::const_new(2);

/// What uploaded code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadKind {
    /// A component of the world `mneme:tool/tool`.
    Component,
    /// A core module for Extism.
    Extism,
}

impl UploadKind {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Extism => "extism",
        }
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Component, Self::Extism].into_iter().find(|kind| kind.as_str() == name)
    }

    fn source_type(self) -> &'static str {
        match self {
            Self::Component => Tool::COMPONENT,
            Self::Extism => Tool::EXTISM,
        }
    }
}

/// Uploaded code and what its owner says about it.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The code.
    pub code: Vec<u8>,
    /// What it is.
    pub kind: UploadKind,
    /// The functions of an Extism plugin that are tools: name, description, parameters. Left out, its function
    /// `describe` says them.
    pub functions: Option<Value>,
    /// What its tools may use and reach beyond or below their kind's default. Left out, what holds for them stays.
    pub policy: Option<Value>,
    /// Labels of the tools. Left out, those they have stay.
    pub tags: Option<Vec<String>>,
    /// Whether a person must approve each call.
    pub default_requires_approval: Option<bool>,
}

#[boxed]
impl Core {
    /// Makes a tool of everything that uploaded code has in it, or nothing. A user's tool of the same name becomes what
    /// the code says.
    ///
    /// # Errors
    /// 422 with the reason for code that is not taken, 409 when a name belongs to a tool that is no user's own, 403 from
    /// inside a tool and for a plugin of somebody who is no administrator.
    pub async fn upload_tools(self: &Arc<Self>, actor: &Actor, upload: Upload) -> Result<Vec<Tool>> {
        if api::inside_tool() {
            return Err(CoreError::Forbidden("A tool cannot upload tools".into()));
        }
        let policy = upload.policy.clone().map(super::policy::parse).transpose()?;
        let _place = UPLOADS.acquire().await.map_err(|_| CoreError::Unavailable("The server stops".into()))?;
        let specs = match upload.kind {
            UploadKind::Component if upload.functions.is_some() => {
                return Err(CoreError::field("functions", "a component describes its tools itself"));
            }
            UploadKind::Component => {
                self.sandbox.load_upload(&upload.code).await.map_err(|error| refusal(&error))?.tools().to_vec()
            }
            UploadKind::Extism => self.plugin_tools(actor, &upload).await?,
        };
        for spec in &specs {
            mneme_toolsource::check_name(&spec.name).map_err(|error| CoreError::field("file", error.to_string()))?;
            self.refuse_builtin_name(&spec.name).await?;
        }
        let Upload { code, .. } = &upload;
        let code = code.clone();
        let packed = tokio::task::spawn_blocking(move || PackedCode::of(&code)).await;
        let packed = packed.map_err(|error| CoreError::Internal(error.to_string()))??;
        match self.put_uploaded(actor, &upload, &specs, policy.as_ref(), &packed).await {
            // Another request was faster; its tools are there now.
            Err(CoreError::Conflict(_)) => self.put_uploaded(actor, &upload, &specs, policy.as_ref(), &packed).await,
            other => other,
        }
    }

    async fn put_uploaded(
        &self,
        actor: &Actor,
        upload: &Upload,
        specs: &[ToolSpec],
        policy: Option<&Manifest>,
        packed: &PackedCode,
    ) -> Result<Vec<Tool>> {
        let mut tx = self.store.write().await?;
        tools::put_code(&mut tx, actor, packed, self.env.now()).await?;
        let names: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
        let known = tools::by_names(&mut tx, actor, &names).await?;
        let mut known: BTreeMap<String, Tool> =
            known.into_iter().map(|tool| (tool.call_name().to_owned(), tool)).collect();
        let mut made = Vec::with_capacity(specs.len());
        for spec in specs {
            let (mut tool, is_new) = match known.remove(&spec.name) {
                Some(tool) if tool.tool_type == ToolType::Custom => (tool, false),
                Some(tool) => return Err(taken(&spec.name, tool.tool_type)),
                None => (fresh(ToolId::from_uuid(self.env.uuid()), actor), true),
            };
            describe(&mut tool, spec.schema(), upload);
            tool.last_updated_by_id = Some(actor.user.to_string());
            self.write_tool(&mut tx, actor, &tool, is_new).await?;
            tools::set_component(&mut tx, actor, &tool.id, Some(packed.hash())).await?;
            if let Some(policy) = policy {
                tools::set_policy(&mut tx, actor, &tool.id, policy).await?;
            }
            made.push(tool);
        }
        tools::sweep_code(&mut tx, actor).await?;
        tx.commit().await?;
        tracing::info!(kind = upload.kind.as_str(), code = packed.hash(), tools = made.len(), "tools were uploaded");
        Ok(made)
    }
}

/// Makes a tool what uploaded code says. Nothing of an earlier source stays.
fn describe(tool: &mut Tool, schema: JsonObject, upload: &Upload) {
    tool.name = text(&schema, "name");
    tool.description = text(&schema, "description");
    tool.json_schema = Some(schema);
    tool.source_type = Some(upload.kind.source_type().to_owned());
    tool.source_code = None;
    tool.args_json_schema = None;
    tool.pip_requirements = None;
    tool.npm_requirements = None;
    tool.tags = upload.tags.clone().unwrap_or_else(|| std::mem::take(&mut tool.tags));
    tool.default_requires_approval = upload.default_requires_approval.or(tool.default_requires_approval);
}

/// Why code is not taken. What is the server's own fault is not the client's to read.
fn refusal(error: &SandboxError) -> CoreError {
    match error {
        SandboxError::Setup(text) => CoreError::Internal(text.clone()),
        other => CoreError::field("file", other.to_string()),
    }
}
