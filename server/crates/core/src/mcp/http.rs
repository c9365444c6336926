//! The current HTTP transport: rmcp's, with our client, our credentials and the calling agent's name.

use std::{collections::HashMap, sync::Arc};

use futures::stream::BoxStream;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::Client;
use rmcp::{
    model::ClientJsonRpcMessage,
    transport::streamable_http_client::{
        SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse, StreamableHttpResponseLimits,
    },
};
use sse_stream::Sse;

use super::{failure::Trouble, oauth::Permission, sse::put_agent};

/// The header that names the calling agent.
pub const AGENT_HEADER: HeaderName = HeaderName::from_static("x-agent-id");

/// The agent on whose behalf a request is made; part of the request, not of the message.
#[derive(Debug, Clone)]
pub struct CallingAgent(pub String);

/// What a server is shown with every request.
pub struct Credentials {
    headers: HeaderMap,
    permission: Option<Permission>,
}

impl Credentials {
    /// Fixed headers, and the permission whose token goes with them.
    pub fn new(headers: HeaderMap, permission: Option<Permission>) -> Self {
        Self { headers, permission }
    }

    /// The headers, with a token that is valid now.
    ///
    /// # Errors
    /// When the permission has ended.
    pub async fn headers(&self) -> Result<HeaderMap, Trouble> {
        let mut headers = self.headers.clone();
        if let Some(permission) = &self.permission {
            headers.insert(header::AUTHORIZATION, bearer(&permission.token().await?)?);
        }
        Ok(headers)
    }

    /// Whether they include a token that can be renewed.
    pub fn renewable(&self) -> bool {
        self.permission.is_some()
    }

    /// What to show in place of an authorization that the server refused; nothing when it is no permission's.
    ///
    /// # Errors
    /// When the permission has ended.
    pub async fn renewed(&self, refused: Option<&HeaderValue>) -> Result<Option<HeaderValue>, Trouble> {
        let refused = refused.and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix(BEARER));
        let (Some(permission), Some(refused)) = (&self.permission, refused) else { return Ok(None) };
        bearer(&permission.renew(refused).await?).map(Some)
    }
}

const BEARER: &str = "Bearer ";

fn bearer(token: &str) -> Result<HeaderValue, Trouble> {
    let value = HeaderValue::try_from(format!("{BEARER}{token}"));
    let mut value = value.map_err(|_| Trouble::Wrong("its token is no value of a header".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A client for one server and set of credentials.
#[derive(Clone)]
pub struct HttpClient {
    client: Client,
    credentials: Arc<Credentials>,
}

type Failure = StreamableHttpError<reqwest::Error>;
type Headers = HashMap<HeaderName, HeaderValue>;

/// A trouble of ours as the transport tells it on.
fn carried(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Permission(_) => Failure::Auth(rmcp::transport::AuthError::AuthorizationRequired),
        other => Failure::UnexpectedServerResponse(other.text().into()),
    }
}

/// Whether the server said 401, with a challenge or without one.
fn unauthorized(failure: &Failure) -> bool {
    match failure {
        Failure::AuthRequired(_) => true,
        Failure::UnexpectedServerResponse(text) => text.starts_with("HTTP 401"),
        _ => false,
    }
}

impl HttpClient {
    /// A client.
    pub fn new(client: Client, credentials: Arc<Credentials>) -> Self {
        Self { client, credentials }
    }

    /// The transport's headers with ours.
    async fn with_ours(&self, mut theirs: Headers, message: Option<&ClientJsonRpcMessage>) -> Result<Headers, Failure> {
        let mut ours = self.credentials.headers().await.map_err(carried)?;
        if let Some(message) = message {
            put_agent(message, &mut ours);
        }
        for (name, value) in &ours {
            theirs.insert(name.clone(), value.clone());
        }
        Ok(theirs)
    }
}

impl StreamableHttpClient for HttpClient {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(uri, message, session_id, auth_header, custom_headers, limits).await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let mut headers = self.with_ours(custom_headers, Some(&message)).await?;
        // A token may be refused before its time is over: then it is renewed, and what was refused is said once more.
        if self.credentials.renewable() {
            let (uri, message, shown) = (uri.clone(), message.clone(), headers.clone());
            let (session_id, auth_header) = (session_id.clone(), auth_header.clone());
            let posted =
                self.client.post_message_with_response_limits(uri, message, session_id, auth_header, shown, limits);
            match posted.await {
                Err(failure) if unauthorized(&failure) => {
                    match self.credentials.renewed(headers.get(&header::AUTHORIZATION)).await {
                        Ok(Some(value)) => drop(headers.insert(header::AUTHORIZATION, value)),
                        Ok(None) | Err(Trouble::Permission(_)) => return Err(failure),
                        Err(other) => return Err(carried(other)),
                    }
                }
                posted => return posted,
            }
        }
        let posted =
            self.client.post_message_with_response_limits(uri, message, session_id, auth_header, headers, limits);
        posted.await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<(), Failure> {
        let headers = self.with_ours(custom_headers, None).await?;
        self.client.delete_session(uri, session_id, auth_header, headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let most = super::settings::MAX_MESSAGE;
        self.get_stream_with_max_sse_event_size(uri, session_id, last_event_id, auth_header, custom_headers, most).await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
        most: usize,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let headers = self.with_ours(custom_headers, None).await?;
        let opened =
            self.client.get_stream_with_max_sse_event_size(uri, session_id, last_event_id, auth_header, headers, most);
        opened.await
    }
}
