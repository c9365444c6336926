//! Reads multipart forms: bounded in size while they arrive, and in time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use axum::{
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request},
    http::{StatusCode, header},
};
use bytes::{Bytes, BytesMut};

use super::{error::ApiError, problem::Problem};

/// The most bytes of a field that is no file.
const MAX_TEXT: usize = 1 << 20;
/// The most fields.
const MAX_FIELDS: usize = 64;

/// A form whose file is too large for memory: the file is on the disk, without a name, and gone when it is closed.
#[derive(Debug)]
pub struct Spooled {
    /// The field `file`.
    pub file: Option<File>,
    /// The rest of the form.
    pub form: Form,
}

/// A form: one file, and texts by name, each name as often as it was sent.
#[derive(Debug, Default)]
pub struct Form {
    /// The bytes of the field `file`.
    pub file: Option<Bytes>,
    /// The other fields.
    pub texts: BTreeMap<String, Vec<String>>,
}

impl Form {
    /// Reads a form with a file of no more than so many bytes. `pause` is how long the client may send nothing.
    ///
    /// # Errors
    /// 413 as soon as it is too large, 408 when it does not arrive, 422 when it is no form.
    pub async fn read(request: Request, most: usize, pause: Duration) -> Result<Self, ApiError> {
        Self::gather(request, most, pause, None).await
    }

    /// The same with the file on the disk.
    ///
    /// # Errors
    /// As [`Form::read`]; 503 when the disk does not take the file.
    pub async fn spool(request: Request, most: usize, pause: Duration) -> Result<Spooled, ApiError> {
        let mut spool = Spool::default();
        let form = Self::gather(request, most, pause, Some(&mut spool)).await?;
        Ok(Spooled { file: spool.file, form })
    }

    async fn gather(
        mut request: Request,
        most: usize,
        pause: Duration,
        mut spool: Option<&mut Spool>,
    ) -> Result<Self, ApiError> {
        let whole = most + MAX_TEXT;
        let announced = request.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > whole as u64) {
            return Err(ApiError::TooLarge(most));
        }
        DefaultBodyLimit::max(whole).apply(&mut request);
        let mut fields = Multipart::from_request(request, &()).await.map_err(|error| no_form(&error.body_text()))?;
        let mut form = Self::default();
        let refused = |error: &axum::extract::multipart::MultipartError| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(most),
            _ => no_form(&error.body_text()).into(),
        };
        for _ in 0..MAX_FIELDS {
            let next = tokio::time::timeout(pause, fields.next_field()).await.map_err(|_| ApiError::Slow)?;
            let Some(mut field) = next.map_err(|error| refused(&error))? else { return Ok(form) };
            let name = field.name().unwrap_or_default().to_owned();
            let is_file = name == "file";
            let limit = if is_file { most } else { MAX_TEXT };
            let mut content = BytesMut::new();
            let mut length = 0_usize;
            if is_file && let Some(spool) = &mut spool {
                spool.begin()?;
            }
            loop {
                let piece = tokio::time::timeout(pause, field.chunk()).await.map_err(|_| ApiError::Slow)?;
                let Some(piece) = piece.map_err(|error| refused(&error))? else { break };
                length += piece.len();
                if length > limit {
                    return Err(ApiError::TooLarge(limit));
                }
                match &mut spool {
                    Some(spool) if is_file => spool.write(piece).await?,
                    _ => content.extend_from_slice(&piece),
                }
            }
            if is_file && spool.is_some() {
                continue;
            }
            if !is_file {
                let text = String::from_utf8(content.to_vec());
                let text = text.ok().filter(|text| !text.contains('\0'));
                let text = text.ok_or_else(|| problem(&name, "must be text, without the character NUL"))?;
                form.texts.entry(name).or_default().push(text);
            } else if form.file.replace(content.freeze()).is_some() {
                return Err(problem("file", "there must be one file").into());
            }
        }
        Err(no_form(&format!("more than {MAX_FIELDS} fields")).into())
    }

    /// The one text of a field that may be left out.
    ///
    /// # Errors
    /// When it is there several times.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut texts = self.texts.remove(name).unwrap_or_default();
        match texts.len() {
            0 | 1 => Ok(texts.pop()),
            _ => Err(problem(name, "must be there once")),
        }
    }
}

/// A file on its way to the disk.
#[derive(Default)]
struct Spool {
    file: Option<File>,
}

impl Spool {
    fn begin(&mut self) -> Result<(), ApiError> {
        let file = tempfile::tempfile().map_err(|error| no_room(&error))?;
        match self.file.replace(file) {
            None => Ok(()),
            Some(_) => Err(problem("file", "there must be one file").into()),
        }
    }

    /// Writes off the threads that answer others: a disk may be slow.
    async fn write(&mut self, piece: Bytes) -> Result<(), ApiError> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let written = tokio::task::spawn_blocking(move || file.write_all(&piece).map(|()| file)).await;
        let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        self.file = Some(written.map_err(|error| no_room(&error))?);
        Ok(())
    }
}

fn no_room(error: &std::io::Error) -> ApiError {
    tracing::warn!(%error, "an uploaded file cannot be kept");
    ApiError::Core(mneme_core::CoreError::Unavailable("The server cannot store the file right now".into()))
}

/// A field that does not do.
pub fn problem(name: &str, what: &str) -> Problem {
    Problem::value_error(vec!["body".into(), name.into()], what)
}

fn no_form(what: &str) -> Problem {
    let what: String = what.chars().take(200).collect();
    Problem::value_error(vec!["body".into()], &format!("a form (multipart/form-data) with a file is expected: {what}"))
}
