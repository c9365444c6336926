//! The refusals that every route shares, for the API's description.

use utoipa::{IntoResponses, ToSchema};

/// Why a request was refused.
#[derive(ToSchema)]
pub struct Detail {
    /// What is wrong.
    pub detail: String,
}

/// Why a request makes no sense.
#[derive(ToSchema)]
pub struct Malformed {
    /// Always empty.
    pub trace_id: String,
    /// The violated rules with their places, as text.
    pub detail: String,
    /// Values that would do.
    pub examples: Option<Vec<String>>,
}

/// Answers of requests that name nothing.
#[derive(IntoResponses)]
pub enum Common {
    /// The credentials are missing or wrong.
    #[response(status = 401)]
    Unauthorized(Detail),
    /// A part of the request is malformed.
    #[response(status = 422)]
    Malformed(Malformed),
}

/// Answers of requests that name something.
#[derive(IntoResponses)]
pub enum Refusals {
    /// The credentials are missing or wrong.
    #[response(status = 401)]
    Unauthorized(Detail),
    /// There is no such thing.
    #[response(status = 404)]
    NotFound(Detail),
    /// A part of the request is malformed.
    #[response(status = 422)]
    Malformed(Malformed),
}
