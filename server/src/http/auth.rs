//! Turns the credentials of a request into an [`Actor`]: the only door to anybody's data.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use mneme_core::TOKEN_PREFIX;
use mneme_domain::Actor;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{client_token, error::ApiError};
use crate::{app::AppState, config::Secret};

/// The header in which the classic web client sends the password.
const BARE_PASSWORD: &str = "x-bare-password";
/// Whether the server lives: everybody may know.
const HEALTH: &str = "/v1/health";

/// Who may use the server.
pub struct Gate {
    /// SHA-256 of the password; equal lengths let the comparison take the same time for every guess.
    digest: Option<[u8; 32]>,
}

impl Gate {
    /// A gate that asks for the password, or for nothing.
    pub fn new(password: Option<&Secret>) -> Self {
        Self { digest: password.map(|password| Sha256::digest(password.reveal()).into()) }
    }

    /// Whether a password is asked for.
    pub fn is_closed(&self) -> bool {
        self.digest.is_some()
    }

    /// Who the credentials are of. On a server without a password, a token still says that its bearer wants to be
    /// limited, and one that is worth nothing is refused.
    fn admit(&self, headers: &HeaderMap) -> Admitted {
        let Some(token) = token_of(headers) else {
            return self.owner(headers).map_or(Admitted::Nobody, Admitted::Owner);
        };
        match self.owner(headers) {
            // A password may look like a token.
            Some(actor) if self.is_closed() => Admitted::Owner(actor),
            _ => Admitted::Client(token),
        }
    }

    /// The caller, `None` when the credentials are missing, wrong or given twice.
    fn owner(&self, headers: &HeaderMap) -> Option<Actor> {
        let Some(expected) = &self.digest else { return Some(Actor::default_admin()) };
        let bearer = only(headers, header::AUTHORIZATION.as_str())?;
        let bare = only(headers, BARE_PASSWORD)?;
        let given = match (bearer, bare) {
            (Some(bearer), None) => after_scheme(bearer, "bearer")?,
            (None, Some(bare)) => after_scheme(bare, "password")?,
            (None, None) | (Some(_), Some(_)) => return None,
        };
        let given: [u8; 32] = Sha256::digest(given).into();
        bool::from(given.ct_eq(expected)).then(Actor::default_admin)
    }
}

/// Who the credentials of a request are of.
enum Admitted {
    /// The server's owner.
    Owner(Actor),
    /// Whoever bears this client-side access token, if it is one.
    Client(String),
    /// Nobody.
    Nobody,
}

/// The client-side access token that a request shows as its only credential.
fn token_of(headers: &HeaderMap) -> Option<String> {
    let (Some(Some(bearer)), Some(None)) =
        (only(headers, header::AUTHORIZATION.as_str()), only(headers, BARE_PASSWORD))
    else {
        return None;
    };
    let token = std::str::from_utf8(after_scheme(bearer, "bearer")?).ok()?;
    token.starts_with(TOKEN_PREFIX).then(|| token.to_owned())
}

/// The header's value if it is there, `None` outside when it is there twice.
#[expect(clippy::option_option, reason = "absent and ambiguous are different answers")]
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<Option<&'a [u8]>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(|value| value.as_bytes());
    values.next().is_none().then_some(first)
}

/// What follows the scheme's name and one or more spaces.
fn after_scheme<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let split = value.iter().position(|byte| *byte == b' ')?;
    let (name, rest) = value.split_at(split);
    name.eq_ignore_ascii_case(scheme.as_bytes()).then(|| rest.trim_ascii())
}

/// Lets a request through with its actor, or answers 401. Unknown paths are no exception: what exists is not told.
pub async fn authenticate(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let open = reads && (path == HEALTH || path == mneme_core::mcp::CALLBACK_PATH || crate::ui::is_page(path));
    match app.gate.admit(request.headers()) {
        Admitted::Owner(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        _ if open => next.run(request).await,
        Admitted::Client(token) => match client_token::admit(&app, &token, request).await {
            Ok(request) => next.run(request).await,
            Err(refusal) => refusal.into_response(),
        },
        Admitted::Nobody => ApiError::Unauthorized.into_response(),
    }
}

/// The authenticated caller. A route without it cannot reach tenants' data.
#[derive(Debug)]
pub struct Caller(pub Actor);

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        parts.extensions.get::<Actor>().cloned().map(Self).ok_or(ApiError::Unauthorized)
    }
}
