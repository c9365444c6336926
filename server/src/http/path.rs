//! Reads identifiers and names from paths.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use mneme_domain::{EntityId, PassageId, RunId, SourceId};

use super::{
    error::ApiError,
    problem::{Problem, Step},
};
use crate::app::AppState;

/// The identifier in the path parameter that is named after its kind: `{agent_id}` for an agent's.
#[derive(Debug)]
pub struct Id<T>(pub T);

/// The identifier of a passage in the parameter `{memory_id}`.
#[derive(Debug)]
pub struct MemoryId(pub PassageId);

/// The identifier of a folder in the parameter `{folder_id}`.
#[derive(Debug)]
pub struct FolderId(pub SourceId);

/// The name of a folder in the parameter `{folder_name}`.
#[derive(Debug)]
pub struct FolderName(pub String);

/// The name of a folder in the parameter `{source_name}`.
#[derive(Debug)]
pub struct SourceName(pub String);

/// The run in the parameter `{job_id}`.
#[derive(Debug)]
pub struct JobId(pub RunId);

/// The label of a block in the parameter `{block_label}`.
#[derive(Debug)]
pub struct BlockLabel(pub String);

/// The name of a tool in the parameter `{tool_name}`.
#[derive(Debug)]
pub struct ToolName(pub String);

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
        Ok(Self(parse("job_id", &text)?))
    }
}

impl FromRequestParts<AppState> for MemoryId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = parameter(parts, app, "memory_id").await?;
        Ok(Self(parse("memory_id", &text)?))
    }
}

impl FromRequestParts<AppState> for FolderId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = parameter(parts, app, "folder_id").await?;
        Ok(Self(parse("folder_id", &text)?))
    }
}

impl FromRequestParts<AppState> for FolderName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        parameter(parts, app, "folder_name").await.map(Self)
    }
}

impl FromRequestParts<AppState> for SourceName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        parameter(parts, app, "source_name").await.map(Self)
    }
}

impl FromRequestParts<AppState> for BlockLabel {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        parameter(parts, app, "block_label").await.map(Self)
    }
}

impl FromRequestParts<AppState> for ToolName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        parameter(parts, app, "tool_name").await.map(Self)
    }
}
