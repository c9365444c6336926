//! The requests of permissions: to checked addresses, with bounded answers, also after redirects.

use std::time::Duration;

use futures::StreamExt;
use http::{Method, Response, StatusCode, header};
use rmcp::transport::{
    OAuthHttpClient, OAuthHttpClientError, OAuthHttpClientFuture, OAuthHttpRedirectPolicy, OAuthHttpRequest,
};

use crate::outbound::Peers;

/// The largest answer, in bytes.
const MAX_ANSWER: usize = 512 << 10;
/// The most redirects.
const MAX_REDIRECTS: usize = 3;
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client that goes where it may.
pub struct GuardedClient(Peers);

impl GuardedClient {
    pub fn new(peers: Peers) -> Self {
        Self(peers)
    }

    async fn send(&self, asked: OAuthHttpRequest) -> Result<Response<Vec<u8>>, OAuthHttpClientError> {
        let (parts, body) = asked.request.into_parts();
        let mut url = parts.uri.to_string();
        let mut method = parts.method;
        let mut body = body;
        for _ in 0..=MAX_REDIRECTS {
            let (client, checked) = self.0.client(&url)?;
            let request = client.request(method.clone(), checked.clone()).headers(parts.headers.clone());
            let sent = request.timeout(PATIENCE).body(body.clone()).send().await;
            // The address may hold what is secret.
            let response = sent.map_err(reqwest::Error::without_url)?;
            let status = response.status();
            let next = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
            match next {
                Some(next) if status.is_redirection() && asked.redirect_policy == OAuthHttpRedirectPolicy::Follow => {
                    let next = checked.join(&next)?;
                    // Codes and secrets in a body go to no other server.
                    if method != Method::GET && next.origin() != checked.origin() {
                        return Err("a redirect to another server".into());
                    }
                    if matches!(status, StatusCode::SEE_OTHER) {
                        (method, body) = (Method::GET, Vec::new());
                    }
                    url = String::from(next);
                }
                _ => return bounded(response).await,
            }
        }
        Err("too many redirects".into())
    }
}

async fn bounded(response: reqwest::Response) -> Result<Response<Vec<u8>>, OAuthHttpClientError> {
    let mut built = Response::builder().status(response.status());
    if let Some(headers) = built.headers_mut() {
        *headers = response.headers().clone();
    }
    let mut bytes = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(reqwest::Error::without_url)?;
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(format!("an answer of more than {MAX_ANSWER} bytes").into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(built.body(bytes)?)
}

impl OAuthHttpClient for GuardedClient {
    fn execute(&self, request: OAuthHttpRequest) -> OAuthHttpClientFuture<'_> {
        Box::pin(self.send(request))
    }
}
