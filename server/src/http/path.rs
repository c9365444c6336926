//! Reads identifiers and names from paths.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use mneme_domain::{BatchId, EntityId, FileId, PassageId, RunId, SourceId};

use super::{
    error::ApiError,
    problem::{Problem, Step},
};
use crate::app::AppState;

/// The identifier in the path parameter that is named after its kind: `{agent_id}` for an agent's.
#[derive(Debug)]
pub struct Id<T>(pub T);

/// What the parameter `{job_id}` names.
#[derive(Debug)]
pub enum JobId {
    /// A run without a client.
    Run(RunId),
    /// A batch.
    Batch(BatchId),
}

/// What `{job_id}` names for those who only watch: an upload answers with its file, and guides have its reading waited
/// for here.
#[derive(Debug)]
pub enum WatchedJob {
    /// A run or a batch.
    Job(JobId),
    /// The reading of a file.
    File(FileId),
}

/// Path parameters whose names do not follow from their kinds: the extractor, what it holds, the name, how it is read.
macro_rules! parameters {
    ($($(#[$doc:meta])* $extractor:ident($value:ty) = $name:literal, $read:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $extractor(pub $value);

        impl FromRequestParts<AppState> for $extractor {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
                let text = parameter(parts, app, $name).await?;
                Ok(Self($read($name, &text)?))
            }
        }
    )*};
}

parameters! {
    /// The identifier of a passage.
    MemoryId(PassageId) = "memory_id", parse;
    /// The identifier of a folder.
    FolderId(SourceId) = "folder_id", parse;
    /// The identifier of a batch.
    InBatch(BatchId) = "batch_id", parse;
    /// The name of a folder.
    FolderName(String) = "folder_name", as_it_is;
    /// The name of a folder under its older route.
    SourceName(String) = "source_name", as_it_is;
    /// The label of a block.
    BlockLabel(String) = "block_label", as_it_is;
    /// The name of a tool.
    ToolName(String) = "tool_name", as_it_is;
    /// The name of an MCP server.
    McpServerName(String) = "mcp_server_name", as_it_is;
    /// A project, by its identifier or its slug.
    ProjectName(String) = "project_id", as_it_is;
    /// The name of a template.
    TemplateName(String) = "template_name", as_it_is;
    /// The name of a template whose versions are listed.
    VersionedName(String) = "name", as_it_is;
    /// The name of a template with a version: `name:2`.
    TemplateVersionName(String) = "template_version", as_it_is;
    /// A client-side access token.
    TokenName(String) = "token", as_it_is;
    /// A deployment of a template.
    DeploymentName(String) = "deployment_id", as_it_is;
    /// The name of an MCP server's tool.
    McpToolName(String) = "mcp_tool_name", as_it_is;
}

/// A path parameter. It is there whenever the route's path names it.
async fn parameter(parts: &mut Parts, app: &AppState, name: &str) -> Result<String, ApiError> {
    let malformed = || Problem::value_error(vec!["path".into(), name.into()], "the path is not valid UTF-8");
    let parameters = RawPathParams::from_request_parts(parts, app).await.map_err(|_| malformed())?;
    let found = parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    let value = found.ok_or_else(|| Problem::new("missing", loc(name), "Field required"))?;
    if value.contains('\0') {
        return Err(Problem::value_error(loc(name), "a path must not hold the character NUL").into());
    }
    Ok(value)
}

fn loc(name: &str) -> Vec<Step> {
    vec!["path".into(), name.into()]
}

impl<T: EntityId + Send> FromRequestParts<AppState> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let name = format!("{}_id", T::PREFIX);
        let text = parameter(parts, app, &name).await?;
        Ok(Self(parse(&name, &text)?))
    }
}

/// Checks an identifier; the refusal says which shape it should have.
pub fn parse<T: EntityId>(name: &str, text: &str) -> Result<T, Problem> {
    T::parse(text).map_err(|error| mismatch::<T>(loc(name), text, &error.to_string()))
}

/// A name. Any text is one; the result is there because [`parse`] has one.
fn as_it_is(_: &str, text: &str) -> Result<String, Problem> {
    Ok(text.to_owned())
}

fn mismatch<T: EntityId>(loc: Vec<Step>, text: &str, message: &str) -> Problem {
    let prefix = T::PREFIX;
    let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
    let mut problem = Problem::new("string_pattern_mismatch", loc, message).input(text.into());
    problem.ctx = vec![("pattern", format!("^{prefix}-{uuid}$"))];
    problem.example = Some(format!("{prefix}-123e4567-e89b-42d3-8456-426614174000"));
    problem
}

/// Reads an identifier of a query string.
pub fn parse_query<T: EntityId>(name: &str, text: &str) -> Result<T, Problem> {
    T::parse(text).map_err(|error| mismatch::<T>(vec!["query".into(), name.into()], text, &error.to_string()))
}

impl FromRequestParts<AppState> for JobId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = parameter(parts, app, "job_id").await?;
        Ok(Self::read(&text)?)
    }
}

impl JobId {
    fn read(text: &str) -> Result<Self, Problem> {
        if text.starts_with(BatchId::PREFIX) {
            return Ok(Self::Batch(parse("job_id", text)?));
        }
        Ok(Self::Run(parse("job_id", text)?))
    }
}

impl FromRequestParts<AppState> for WatchedJob {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = parameter(parts, app, "job_id").await?;
        if text.starts_with(FileId::PREFIX) {
            return Ok(Self::File(parse("job_id", &text)?));
        }
        Ok(Self::Job(JobId::read(&text)?))
    }
}
