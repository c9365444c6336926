//! Makes agents of a file.

use axum::{
    Json,
    extract::{Request, State},
    http::HeaderMap,
};
use mneme_core::ImportOptions;
use mneme_domain::AgentId;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{
        Answer, ApiError, Caller, Client,
        form::{Form, Spooled, problem},
        problem::Problem,
    },
    routes::refusals::{Common, Detail},
};

/// An older way to say `override_embedding_handle`.
const EMBEDDING_HEADER: &str = "x-override-embedding-model";

/// The form of an import. It is read field by field; this is its description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the API's description only")]
pub struct ImportForm {
    /// The agent file, of the current format or of the older one.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// Put `_copy` behind the agents' names (the default).
    append_copy_suffix: Option<bool>,
    /// The first agent's name, instead of the one that the file has.
    override_name: Option<String>,
    /// Let the file's tools take the place of users' tools of the same names (the default). Tools that come with the
    /// server never change.
    override_existing_tools: Option<bool>,
    /// The embedding model of the agents: `provider/model`.
    override_embedding_handle: Option<String>,
    /// The project of the agents.
    project_id: Option<String>,
    /// Leave the history behind.
    strip_messages: Option<bool>,
    /// A JSON object with values of variables that the agents' tools see.
    env_vars_json: Option<String>,
    /// The model of the agents: `provider/model`.
    override_model_handle: Option<String>,
    /// `override_name`, in the words of newer clients.
    name: Option<String>,
    /// `override_model_handle`, in the words of newer clients.
    model: Option<String>,
    /// `override_embedding_handle`, in the words of newer clients.
    embedding: Option<String>,
    /// `env_vars_json`, in the words of newer clients.
    secrets: Option<String>,
}

/// The new agents.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// In the order of the file.
    #[schema(value_type = Vec<String>)]
    agent_ids: Vec<AgentId>,
}

/// Makes the agents of an agent file, all of them or, when anything is wrong, none.
#[utoipa::path(
    post,
    path = "/v1/agents/import",
    operation_id = "agents.import-file",
    tag = "agents",
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "They are made.", body = Imported),
        (status = 400, description = "The file is wrong; the text says where and why.", body = Detail),
        (status = 413, description = "The file is too large.", body = Detail),
        Common,
    )
)]
pub async fn import(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    headers: HeaderMap,
    request: Request,
) -> Answer<Imported> {
    let missing = || Problem::new("missing", vec!["body".into(), "file".into()], "Field required");
    if !headers.contains_key(axum::http::header::CONTENT_TYPE) {
        return Err(missing().into());
    }
    let Spooled { file, mut form } = Form::spool(request, app.limits.import_bytes, app.limits.body_timeout).await?;
    let file = file.ok_or_else(missing)?;
    let options = options(&mut form, &headers, client)?;
    Ok(Json(Imported { agent_ids: app.core.import_agents(&actor, file, options).await? }))
}

fn options(form: &mut Form, headers: &HeaderMap, client: Client) -> Result<ImportOptions, ApiError> {
    let header = headers.get(EMBEDDING_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(ImportOptions {
        append_copy_suffix: flag(form, "append_copy_suffix", true)?,
        name: newer(form, "name", "override_name")?,
        override_tools: flag(form, "override_existing_tools", true)?,
        model: newer(form, "model", "override_model_handle")?,
        embedding: newer(form, "embedding", "override_embedding_handle")?.or(header.filter(|text| is_said(text))),
        project_id: form.text("project_id")?.filter(|text| is_said(text)),
        strip_messages: flag(form, "strip_messages", false)?,
        variables: match newer(form, "secrets", "env_vars_json")? {
            Some(text) => variables(&text)?,
            None => Vec::new(),
        },
        default_type: client.default_agent_type(),
    })
}

fn is_said(text: &str) -> bool {
    !text.trim().is_empty()
}

/// A field under its newer name, else under its older one.
fn newer(form: &mut Form, name: &str, older: &str) -> Result<Option<String>, Problem> {
    let (new, old) = (form.text(name)?, form.text(older)?);
    Ok(new.filter(|text| is_said(text)).or(old.filter(|text| is_said(text))))
}

fn flag(form: &mut Form, name: &str, default: bool) -> Result<bool, Problem> {
    let Some(text) = form.text(name)? else { return Ok(default) };
    match text.trim().to_ascii_lowercase().as_str() {
        "" => Ok(default),
        "true" | "1" | "t" | "yes" | "y" | "on" => Ok(true),
        "false" | "0" | "f" | "no" | "n" | "off" => Ok(false),
        _ => Err(problem(name, "must be true or false")),
    }
}

fn variables(text: &str) -> Result<Vec<(String, String)>, Problem> {
    let object: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| problem("env_vars_json", &format!("must be a JSON object of names and texts: {error}")))?;
    let value = |(name, value): (String, Value)| match value {
        Value::String(text) if !text.contains('\0') => Ok((name, text)),
        Value::Null => Ok((name, String::new())),
        Value::Number(_) | Value::Bool(_) => Ok((name, value.to_string())),
        _ => Err(problem("env_vars_json", &format!("the value of '{name}' must be a text"))),
    };
    object.into_iter().map(value).collect()
}
