//! Variables that the tools of all agents of the organisation see. What is written is never shown again.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
};
use mneme_core::VariableChanges;
use mneme_domain::variable::OrganizationVariable;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::{Common, Refusals},
};

/// Variables by name.
#[derive(Deserialize, ToSchema)]
#[schema(as = OrganizationVariables)]
#[serde(deny_unknown_fields)]
pub struct Variables {
    /// A value, or null for none.
    #[schema(value_type = BTreeMap<String, Option<String>>, example = json!({"API_KEY": "…"}))]
    variables: BTreeMap<String, Option<String>>,
}

impl Variables {
    fn changes(self) -> VariableChanges {
        self.variables.into_iter().map(|(name, value)| (name, value.map(SecretString::from))).collect()
    }
}

/// Lists the organisation's variables by name, without their values.
#[utoipa::path(
    get,
    path = "/v1/organizations/self/variables",
    operation_id = "organizations.variables.list",
    tag = "organizations",
    responses((status = 200, description = "The variables.", body = Vec<OrganizationVariable>), Common)
)]
pub async fn list(State(app): State<AppState>, Caller(actor): Caller) -> Answer<Vec<OrganizationVariable>> {
    Ok(Json(app.core.organization_variables(&actor).await?))
}

/// Replaces all of the organisation's variables. For administrators.
#[utoipa::path(
    put,
    path = "/v1/organizations/self/variables",
    operation_id = "organizations.variables.replace",
    tag = "organizations",
    request_body = Variables,
    responses((status = 200, description = "The variables.", body = Vec<OrganizationVariable>), Common)
)]
pub async fn replace(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<Variables>,
) -> Answer<Vec<OrganizationVariable>> {
    Ok(Json(app.core.replace_organization_variables(&actor, body.changes()).await?))
}

/// Sets variables, and removes those that are null. The others stay. For administrators.
#[utoipa::path(
    patch,
    path = "/v1/organizations/self/variables",
    operation_id = "organizations.variables.modify",
    tag = "organizations",
    request_body = Variables,
    responses((status = 200, description = "The variables.", body = Vec<OrganizationVariable>), Common)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<Variables>,
) -> Answer<Vec<OrganizationVariable>> {
    Ok(Json(app.core.change_organization_variables(&actor, body.changes()).await?))
}

/// Removes a variable. For administrators.
#[utoipa::path(
    delete,
    path = "/v1/organizations/self/variables/{key}",
    operation_id = "organizations.variables.delete",
    tag = "organizations",
    params(("key" = String, Path, description = "The variable's name")),
    responses((status = 200, description = "It is gone; the body is null."), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, Path(key): Path<String>) -> Answer<()> {
    app.core.delete_organization_variable(&actor, &key).await?;
    Ok(Json(()))
}
