//! Takes tools as compiled code. An addition to the API: no client library knows it yet.

use axum::{
    Json,
    extract::{Request, State},
};
use mneme_core::{Upload, UploadKind};
use mneme_domain::tool::Tool;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{
        Answer, Caller,
        error::ApiError,
        form::{Form, problem},
        problem::Problem,
    },
    routes::refusals::{Common, Detail},
};

/// The form of an upload. It is read field by field; this is its description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the API's description only")]
pub struct UploadForm {
    /// The `.wasm` file: a component of the world `mneme:tool/tool`, or an Extism plugin.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// `component` (the default) or `extism`, which is for administrators.
    kind: Option<String>,
    /// Of an Extism plugin, as JSON: a list of its functions that are tools, each with `name`, `description` and
    /// `parameters` (JSON Schema). Left out, the plugin's function `describe` gives it.
    functions: Option<String>,
    /// What the tools may use and reach, as JSON; what it leaves out is as the kind has it. Left out, the tools keep
    /// the policy that they have.
    policy: Option<String>,
    /// Labels; the field may be there several times.
    tags: Option<Vec<String>>,
    /// `true` when a person must approve each call.
    default_requires_approval: Option<bool>,
}

/// Makes a tool of every tool that a component or an Extism plugin has in it, or none when anything is wrong. A tool
/// of the same name that a user made becomes what the upload says.
#[utoipa::path(
    post,
    path = "/v1/tools/components",
    operation_id = "tools.components.upload",
    tag = "tools",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The tools.", body = Vec<Tool>),
        (status = 403, description = "An Extism plugin, and the caller is no administrator.", body = Detail),
        (status = 409, description = "A name belongs to a tool that is no user's own.", body = Detail),
        (status = 413, description = "The file is too large.", body = Detail),
        Common,
    )
)]
pub async fn upload(State(app): State<AppState>, Caller(actor): Caller, request: Request) -> Answer<Vec<Tool>> {
    let most = app.core.sandbox().max_component_bytes();
    let form = Form::read(request, most, app.limits.body_timeout).await?;
    Ok(Json(app.core.upload_tools(&actor, parse(form)?).await?))
}

fn parse(mut form: Form) -> Result<Upload, ApiError> {
    let missing = || Problem::new("missing", vec!["body".into(), "file".into()], "Field required");
    let code = form.file.take().ok_or_else(missing)?.to_vec();
    let kind = match form.text("kind")? {
        None => UploadKind::Component,
        Some(name) => UploadKind::from_name(&name).ok_or_else(|| problem("kind", "must be component or extism"))?,
    };
    let functions = json(&mut form, "functions")?;
    let policy = json(&mut form, "policy")?;
    let tags = form.texts.remove("tags");
    let default_requires_approval = match form.text("default_requires_approval")?.as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(problem("default_requires_approval", "must be true or false").into()),
    };
    if let Some(unknown) = form.texts.keys().next() {
        let shown: String = unknown.chars().take(100).collect();
        return Err(problem(&shown, "there is no such field").into());
    }
    Ok(Upload { code, kind, functions, policy, tags, default_requires_approval })
}

/// A field that holds JSON.
fn json(form: &mut Form, name: &str) -> Result<Option<Value>, Problem> {
    let Some(text) = form.text(name)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| problem(name, &format!("must be JSON: {error}")))
}
