//! Requests that show a client-side access token: the one place that says what they may ask.
//!
//! Everything is forbidden that [`RIGHTS`] does not name, and there only for the agents of the token's policy.

use axum::{
    extract::{FromRequestParts, MatchedPath, RawPathParams, Request},
    http::{HeaderMap, Method, header, request::Parts},
};
use mneme_core::ClientAccess;
use mneme_domain::{
    AgentId, EntityId,
    agent::{AgentState, UpdateAgent},
    client_token::Access,
    request::SendRequest,
};

use super::error::ApiError;
use crate::app::AppState;

/// What each right lets its bearer ask. Every route here names its agent in `{agent_id}` and reaches no other one.
///
/// Not here, though they name an agent: whatever lists or attaches something that other agents share, whatever runs
/// in the background and is asked for elsewhere, and blocks' changes, for a block may be another agent's too.
const RIGHTS: &[(Access, Method, &str)] = &[
    (Access::ReadMessages, Method::GET, "/v1/agents/{agent_id}/messages"),
    (Access::WriteMessages, Method::POST, "/v1/agents/{agent_id}/messages"),
    (Access::WriteMessages, Method::POST, "/v1/agents/{agent_id}/messages/stream"),
    (Access::WriteMessages, Method::POST, "/v1/agents/{agent_id}/messages/cancel"),
    (Access::ReadAgent, Method::GET, "/v1/agents/{agent_id}"),
    (Access::ReadAgent, Method::GET, "/v1/agents/{agent_id}/core-memory"),
    (Access::ReadAgent, Method::GET, "/v1/agents/{agent_id}/core-memory/blocks"),
    (Access::ReadAgent, Method::GET, "/v1/agents/{agent_id}/core-memory/blocks/{block_label}"),
    (Access::WriteAgent, Method::PATCH, "/v1/agents/{agent_id}"),
];

const NOT_GRANTED: ApiError = ApiError::Forbidden("This access token does not allow this request");
const WRONG_SITE: ApiError = ApiError::Forbidden("This access token is for the pages of another web site");

/// Lets a request through with its actor, or says why not.
pub async fn admit(app: &AppState, token: &str, request: Request) -> Result<Request, ApiError> {
    let access = app.core.client_of(token).await?.ok_or(ApiError::Unauthorized)?;
    let (mut parts, body) = request.into_parts();
    check(&mut parts, &access).await?;
    parts.extensions.insert(access.actor);
    parts.extensions.insert(Limits { client: true });
    Ok(Request::from_parts(parts, body))
}

async fn check(parts: &mut Parts, access: &ClientAccess) -> Result<(), ApiError> {
    if !is_of_site(&parts.headers, &access.token.hostname) {
        return Err(WRONG_SITE);
    }
    let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).ok_or(NOT_GRANTED)?;
    let right = RIGHTS.iter().find(|(_, method, path)| *method == parts.method && *path == route);
    let right = right.map(|(right, ..)| *right).ok_or(NOT_GRANTED)?;
    let parameters = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| NOT_GRANTED)?;
    let agent = parameters.iter().find(|(name, _)| *name == "agent_id").and_then(|(_, id)| AgentId::parse(id).ok());
    let granted = agent.is_some_and(|agent| access.token.grants(&agent, right));
    if granted { Ok(()) } else { Err(NOT_GRANTED) }
}

/// Whether a browser sends the request from a page of the token's site. Other programs say nothing about pages; this
/// keeps a token from being used on the wrong site by mistake, and stops nobody who means it.
fn is_of_site(headers: &HeaderMap, site: &str) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Some(origin) = origin.to_str().ok().and_then(|origin| url::Url::parse(origin).ok()) else { return false };
    match url::Url::parse(site) {
        Ok(site) if site.has_host() => site.origin() == origin.origin(),
        // A bare name, perhaps with a port.
        _ => match url::Url::parse(&format!("{}://{site}", origin.scheme())) {
            Ok(site) => site.host() == origin.host() && (site.port().is_none() || site.port() == origin.port()),
            Err(_) => false,
        },
    }
}

/// What an answer may hold and a change may touch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Whether the request shows a client-side access token.
    client: bool,
}

impl Limits {
    /// The agent as the caller may see it: to an end user's program the values of variables are secrets.
    pub fn shown(self, mut agent: AgentState) -> AgentState {
        if self.client {
            agent.secrets.clear();
            agent.tool_exec_environment_variables.clear();
            // A message needs another right.
            agent.pending_approval = None;
        }
        agent
    }

    /// Checks that a message asks for nothing that outlives its answer: an end user's program may not have the server
    /// call an address, nor begin a run that it could not follow. Nor may it choose what its owner pays for, or what the
    /// agent is told of itself.
    pub fn check_send(self, request: &SendRequest) -> Result<(), ApiError> {
        if self.client && (request.callback_url.is_some() || request.background == Some(true)) {
            return Err(ApiError::Forbidden("This access token allows neither background runs nor callbacks"));
        }
        if self.client && request.override_model.is_some() {
            return Err(ApiError::Forbidden("This access token does not allow to choose a model"));
        }
        if self.client && (request.override_system.is_some() || request.client_skills.is_some()) {
            return Err(ApiError::Forbidden("This access token does not allow to change the system prompt"));
        }
        Ok(())
    }

    /// Checks that a change stays within the agent: an end user's program may not name tools, blocks, folders, models,
    /// identities or variables, with which it would reach what is not its own.
    pub fn check(self, update: &UpdateAgent) -> Result<(), ApiError> {
        let within = UpdateAgent {
            name: update.name.clone(),
            system: update.system.clone(),
            description: update.description.clone(),
            metadata: update.metadata.clone(),
            timezone: update.timezone.clone(),
            ..UpdateAgent::default()
        };
        if self.client && within != *update {
            return Err(ApiError::Forbidden(
                "This access token may only change an agent's name, system, description, metadata and timezone",
            ));
        }
        Ok(())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Limits {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_belongs_to_the_pages_of_its_site() {
        let from = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            headers
        };
        assert!(is_of_site(&HeaderMap::new(), "https://app.example.com"));
        for (site, origin, expected) in [
            ("https://app.example.com", "https://app.example.com", true),
            ("https://app.example.com/page", "https://app.example.com", true),
            ("app.example.com", "https://app.example.com", true),
            ("app.example.com", "http://app.example.com:8080", true),
            ("localhost:3000", "http://localhost:3000", true),
            ("localhost:3000", "http://localhost:4000", false),
            ("https://app.example.com", "http://app.example.com", false),
            ("https://app.example.com", "https://evil.example.com", false),
            ("app.example.com", "https://app.example.com.evil.com", false),
            ("app.example.com", "null", false),
        ] {
            assert_eq!(is_of_site(&from(origin), site), expected, "{site} {origin}");
        }
    }

    #[test]
    fn every_route_that_a_token_opens_exists() {
        let (_, described) = crate::router::described();
        for (_, method, path) in RIGHTS {
            let item = described.paths.paths.get(*path);
            let item = item.unwrap_or_else(|| panic!("{path} is no route"));
            let there = match *method {
                Method::GET => item.get.is_some(),
                Method::POST => item.post.is_some(),
                Method::PATCH => item.patch.is_some(),
                _ => false,
            };
            assert!(there && path.starts_with("/v1/agents/{agent_id}"), "{method} {path}");
        }
    }
}
