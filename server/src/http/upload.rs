//! Receives a file of a form onto the disk: bounded in size and in time, judged by its first bytes, never whole in memory.

use axum::{
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, multipart::MultipartError},
    http::{StatusCode, header},
};
use mneme_core::{Naming, Spool};

use super::{error::ApiError, form::problem, problem::Problem};
use crate::app::AppState;

/// What the form may have beside the file, in bytes.
const BESIDE: usize = 1 << 20;
/// The most fields.
const MAX_FIELDS: usize = 64;

/// Receives the field `file` of a form. What the form says about it is put into `naming`.
///
/// # Errors
/// 413 as soon as it is too large, 415 as soon as it is seen to be no document, 408 when it does not arrive, 422 when
/// there is no form or no file in it, 503 when the disk does not take it.
pub async fn receive(app: &AppState, mut request: Request, mut naming: Naming) -> Result<(Spool, Naming), ApiError> {
    let mut spool = app.core.open_spool().await?;
    let (most, pause) = (spool.limit(), app.limits.body_timeout);
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > (most + BESIDE) as u64) {
        return Err(ApiError::TooLarge(most));
    }
    DefaultBodyLimit::max(most + BESIDE).apply(&mut request);
    let mut fields = Multipart::from_request(request, &()).await.map_err(|_| missing())?;
    let refused = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(most),
        _ => problem("file", &format!("the form cannot be read: {}", shortened(&error.body_text()))).into(),
    };
    let mut found = false;
    for _ in 0..MAX_FIELDS {
        let next = tokio::time::timeout(pause, fields.next_field()).await.map_err(|_| ApiError::Slow)?;
        let Some(mut field) = next.map_err(refused)? else {
            return if found { Ok((spool, naming)) } else { Err(missing().into()) };
        };
        let is_file = field.name() == Some("file");
        if is_file {
            if std::mem::replace(&mut found, true) {
                return Err(problem("file", "there must be one file").into());
            }
            naming.sent = field.file_name().unwrap_or_default().to_owned();
            naming.media_type = field.content_type().map(str::to_owned);
        }
        let mut judged = false;
        loop {
            let piece = tokio::time::timeout(pause, field.chunk()).await.map_err(|_| ApiError::Slow)?;
            let Some(piece) = piece.map_err(refused)? else { break };
            // Other fields are passed over; the form's own limit holds for them.
            if !is_file {
                continue;
            }
            if spool.overflows(piece.len()) {
                return Err(ApiError::TooLarge(most));
            }
            spool.write(&piece).await?;
            if !std::mem::replace(&mut judged, true) {
                app.core.judge_upload(&spool, &naming)?;
            }
        }
    }
    Err(problem("file", &format!("the form has more than {MAX_FIELDS} fields")).into())
}

fn missing() -> Problem {
    Problem::new("missing", vec!["body".into(), "file".into()], "Field required")
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}
