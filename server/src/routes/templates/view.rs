//! What answers about templates look like.

use chrono::{DateTime, Utc};
use mneme_domain::template::{Project, Template};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A template.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateView {
    name: String,
    id: String,
    project_id: String,
    project_slug: String,
    /// The number of the newest version.
    latest_version: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// What `from_template` of an agent's creation takes.
    template_deployment_slug: String,
    updated_at: DateTime<Utc>,
}

impl TemplateView {
    /// A template of a project.
    pub fn of(project: &Project, template: Template) -> Self {
        let version = template.latest.to_string();
        Self {
            template_deployment_slug: format!("{}/{}:{version}", project.slug, template.name),
            name: template.name,
            id: template.id.to_string(),
            project_id: project.id.clone(),
            project_slug: project.slug.clone(),
            latest_version: version,
            description: template.description,
            updated_at: template.updated_at,
        }
    }
}

/// That it is done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Success {
    success: bool,
}

impl Success {
    /// It is.
    pub const YES: Self = Self { success: true };
}

/// Which part of a list. Newer clients send numbers, older ones texts; in a query they are the same.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Window {
    /// How many at most.
    pub limit: Option<u32>,
    /// How many to leave out before.
    pub offset: Option<u32>,
}

impl Window {
    const DEFAULT: u32 = 50;
    const MOST: u32 = 1000;

    /// How many to show, and how many to leave out before.
    pub fn bounds(self) -> (i64, i64) {
        let limit = self.limit.unwrap_or(Self::DEFAULT).min(Self::MOST);
        (i64::from(limit), i64::from(self.offset.unwrap_or(0)))
    }
}

/// Cuts a list that was asked for with one item more than a page has; whether there was one more.
pub fn cut<T>(items: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    more
}
