//! Jobs: runs that go on without their client, as older clients ask for them. Batches and the reading of files are
//! found here too, by name.

mod active;
mod cancel;
mod list;
mod retrieve;

use mneme_domain::{batch::BatchJob, folder::FileMetadata, job::Job};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// A job of either kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AnyJob {
    /// A run without a client, or the reading of a file.
    Run(Box<Job>),
    /// A batch.
    Batch(Box<BatchJob>),
}

impl From<Job> for AnyJob {
    fn from(job: Job) -> Self {
        Self::Run(Box::new(job))
    }
}

impl From<FileMetadata> for AnyJob {
    fn from(file: FileMetadata) -> Self {
        Self::Run(Box::new(file.into()))
    }
}

impl From<BatchJob> for AnyJob {
    fn from(batch: BatchJob) -> Self {
        Self::Batch(Box::new(batch))
    }
}

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(active::list))
        .routes(routes!(retrieve::retrieve, retrieve::delete))
        .routes(routes!(cancel::cancel))
}
