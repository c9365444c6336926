//! Tries a tool without keeping it.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use mneme_core::SourceRun;
use mneme_domain::{
    JsonObject,
    message::ToolStatus,
    tool::{CreateTool, Requirement},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::{Common, Detail},
};

/// A call that no message belongs to has this for an identifier: what clients know from it.
const NO_ID: &str = "null";

/// A tool and its arguments.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct RunTool {
    /// Source code; the last function in it is the tool.
    source_code: String,
    /// The arguments by name.
    #[schema(value_type = Object)]
    args: JsonObject,
    /// Environment variables of the call.
    #[serde(default)]
    env_vars: BTreeMap<String, String>,
    /// The tool's name in messages about it.
    #[serde(default)]
    name: Option<String>,
    /// Language of the source: `python` (the default), `typescript`, `javascript`.
    #[serde(default)]
    source_type: Option<String>,
    /// The arguments' JSON Schema, instead of the function's annotations.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    args_json_schema: Option<JsonObject>,
    /// The function as a model would see it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    json_schema: Option<JsonObject>,
    /// Python packages it needs.
    #[serde(default)]
    pip_requirements: Option<Vec<Requirement>>,
    /// npm packages it needs.
    #[serde(default)]
    npm_requirements: Option<Vec<Requirement>>,
}

/// What the call returned, in the form of a message.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunReturn {
    id: &'static str,
    date: String,
    name: Option<String>,
    message_type: &'static str,
    otid: Option<String>,
    sender_id: Option<String>,
    step_id: Option<String>,
    is_err: Option<bool>,
    seq_id: Option<i64>,
    run_id: Option<String>,
    tool_return: String,
    #[schema(value_type = String)]
    status: ToolStatus,
    tool_call_id: &'static str,
    stdout: Vec<String>,
    stderr: Vec<String>,
    tool_returns: Vec<OneReturn>,
}

/// The same once more, as messages with several returns have it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OneReturn {
    r#type: &'static str,
    tool_return: String,
    #[schema(value_type = String)]
    status: ToolStatus,
    tool_call_id: &'static str,
    stdout: Vec<String>,
    stderr: Vec<String>,
}

/// Runs a tool from its source with the given arguments. Nothing of it is kept, and no agent is involved.
#[utoipa::path(
    post,
    path = "/v1/tools/run",
    operation_id = "tools.run-tool-from-source",
    tag = "tools",
    request_body = RunTool,
    responses(
        (status = 200, description = "What the tool returned, also when it failed.", body = RunReturn),
        (status = 400, description = "The source does not say how to call it.", body = Detail),
        Common,
    )
)]
pub async fn run(State(app): State<AppState>, Caller(actor): Caller, Body(body): Body<RunTool>) -> Answer<RunReturn> {
    let tool = CreateTool {
        source_code: body.source_code,
        source_type: body.source_type,
        args_json_schema: body.args_json_schema,
        json_schema: body.json_schema,
        pip_requirements: body.pip_requirements,
        npm_requirements: body.npm_requirements,
        ..CreateTool::default()
    };
    let run = SourceRun { tool, name: body.name.clone(), arguments: body.args, variables: body.env_vars };
    let answer = app.core.run_source(&actor, run).await?;
    let one = OneReturn {
        r#type: "tool",
        tool_return: answer.text,
        status: answer.status,
        tool_call_id: NO_ID,
        stdout: answer.stdout,
        stderr: answer.stderr,
    };
    Ok(Json(RunReturn {
        id: NO_ID,
        date: app.core.now().format("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
        name: body.name,
        message_type: "tool_return_message",
        otid: None,
        sender_id: None,
        step_id: None,
        is_err: None,
        seq_id: None,
        run_id: None,
        tool_return: one.tool_return.clone(),
        status: one.status,
        tool_call_id: NO_ID,
        stdout: one.stdout.clone(),
        stderr: one.stderr.clone(),
        tool_returns: vec![one],
    }))
}
