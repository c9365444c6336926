//! Variables that the tools of all agents of an organisation see.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A variable as clients see it. Its value is never shown again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrganizationVariable {
    /// Identifier, `org-env-<uuid4>`.
    pub id: String,
    /// The variable's name.
    pub key: String,
    /// When it was set first.
    pub created_at: DateTime<Utc>,
    /// When its value was last set.
    pub updated_at: DateTime<Utc>,
    /// Who set it first.
    pub created_by_id: Option<String>,
    /// Who set its value last.
    pub last_updated_by_id: Option<String>,
}
