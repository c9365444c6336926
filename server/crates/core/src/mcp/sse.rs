//! The older HTTP transport: one stream of events from the server, which first names the address to post messages to.

use std::sync::Arc;

use futures::{StreamExt, stream::BoxStream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mneme_macros::boxed;
use reqwest::{Client, Url};
use rmcp::{
    RoleClient,
    model::{ClientJsonRpcMessage, GetExtensions, JsonRpcMessage},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use sse_stream::{Sse, SseStream};

use super::{
    failure::{Carried, Trouble, request, too_large},
    http::{AGENT_HEADER, CallingAgent, Credentials},
    settings::MAX_MESSAGE,
};

/// The most unreadable messages in a row before a server is given up.
const MAX_GARBAGE: usize = 20;

/// A connection over it.
pub struct EventTransport {
    client: Client,
    endpoint: Url,
    credentials: Arc<Credentials>,
    events: BoxStream<'static, Result<Sse, Trouble>>,
}

fn challenge(response: &reqwest::Response) -> Option<String> {
    response.headers().get(header::WWW_AUTHENTICATE)?.to_str().ok().map(str::to_owned)
}

/// What to show in place of the authorization that was refused, where there is something.
async fn renewed(
    credentials: &Credentials,
    refused: &HeaderMap,
    challenge: Option<String>,
) -> Result<Option<HeaderValue>, Trouble> {
    match credentials.renewed(refused.get(header::AUTHORIZATION)).await {
        Err(Trouble::Permission(_)) => Err(Trouble::Permission(challenge)),
        renewed => renewed,
    }
}

/// The events of a body, none of them larger than a message may be.
fn events(response: reqwest::Response) -> BoxStream<'static, Result<Sse, Trouble>> {
    let mut pending = 0_usize;
    let mut ended = 0_u8;
    // An event ends with an empty line; what has come of it so far is counted before it is kept.
    let bounded = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(|error| std::io::Error::other(Carried(request(&error))))?;
        for byte in &chunk {
            pending += 1;
            match byte {
                b'\n' => ended += 1,
                b'\r' => {}
                _ => ended = 0,
            }
            if ended >= 2 {
                (pending, ended) = (0, 0);
            }
        }
        if pending > MAX_MESSAGE {
            return Err(std::io::Error::other(Carried(Trouble::Wrong(too_large()))));
        }
        Ok(chunk)
    });
    let broken = |error: sse_stream::Error| {
        if let sse_stream::Error::Body(inner) = &error
            && let Some(carried) = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)
            && let Some(Carried(trouble)) = carried.downcast_ref::<Carried>()
        {
            return trouble.clone();
        }
        Trouble::Gone { reason: "its stream of events broke off".into(), unsent: false }
    };
    SseStream::from_bytes_stream(bounded).map(move |event| event.map_err(broken)).boxed()
}

#[boxed]
impl EventTransport {
    /// Opens the stream and waits for the address.
    ///
    /// # Errors
    /// When the server does not answer with a stream, or names an address of another server.
    pub async fn open(client: Client, url: Url, credentials: Arc<Credentials>) -> Result<Self, Trouble> {
        let ask = |headers: HeaderMap| {
            client.get(url.clone()).headers(headers).header(header::ACCEPT, "text/event-stream").send()
        };
        let mut headers = credentials.headers().await?;
        let mut response = ask(headers.clone()).await.map_err(|error| request(&error))?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(value) = renewed(&credentials, &headers, challenge(&response)).await?
        {
            headers.insert(header::AUTHORIZATION, value);
            response = ask(headers).await.map_err(|error| request(&error))?;
        }
        match response.status().as_u16() {
            200 => {}
            401 | 403 => return Err(Trouble::Permission(challenge(&response))),
            status => {
                return Err(Trouble::Gone { reason: format!("it answered with status {status}"), unsent: true });
            }
        }
        let mut events = events(response);
        let endpoint = loop {
            let event = events.next().await.unwrap_or_else(|| {
                Err(Trouble::Gone { reason: "its stream ended before it named an address".into(), unsent: true })
            })?;
            if event.event.as_deref() == Some("endpoint") {
                break event.data.unwrap_or_default();
            }
        };
        let endpoint = url.join(endpoint.trim()).map_err(|_| Trouble::Wrong("the address it names is none".into()))?;
        // Credentials for this server are for no other.
        if endpoint.origin() != url.origin() {
            return Err(Trouble::Forbidden("it names an address of another server".into()));
        }
        Ok(Self { client, endpoint, credentials, events })
    }
}

/// The calling agent of a message, for the server to know.
pub fn put_agent(message: &ClientJsonRpcMessage, headers: &mut HeaderMap) {
    if let JsonRpcMessage::Request(request) = message
        && let Some(CallingAgent(agent)) = request.request.extensions().get::<CallingAgent>()
        && let Ok(value) = http::HeaderValue::try_from(agent.as_str())
    {
        headers.insert(AGENT_HEADER, value);
    }
}

impl Transport<RoleClient> for EventTransport {
    type Error = Carried;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Carried>> + Send + 'static {
        let (client, endpoint, credentials) = (self.client.clone(), self.endpoint.clone(), self.credentials.clone());
        async move {
            let mut headers = credentials.headers().await.map_err(Carried)?;
            put_agent(&item, &mut headers);
            let post = |headers: HeaderMap| client.post(endpoint.clone()).headers(headers).json(&item).send();
            let mut response = post(headers.clone()).await.map_err(|error| Carried(request(&error)))?;
            if response.status() == StatusCode::UNAUTHORIZED
                && let Some(value) = renewed(&credentials, &headers, challenge(&response)).await.map_err(Carried)?
            {
                headers.insert(header::AUTHORIZATION, value);
                response = post(headers).await.map_err(|error| Carried(request(&error)))?;
            }
            match response.status().as_u16() {
                200..=299 => Ok(()),
                401 | 403 => Err(Carried(Trouble::Permission(challenge(&response)))),
                status => {
                    let reason = format!("it answered with status {status}");
                    // It does not know the session, so it did nothing.
                    Err(Carried(Trouble::Gone { reason, unsent: matches!(status, 400 | 404 | 410) }))
                }
            }
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        let mut garbage = 0;
        loop {
            let event = self.events.next().await?.ok()?;
            if event.event.as_deref().is_some_and(|name| name != "message") {
                continue;
            }
            match serde_json::from_str(event.data.as_deref().unwrap_or_default()) {
                Ok(message) => return Some(message),
                Err(_) => {
                    garbage += 1;
                    if garbage > MAX_GARBAGE {
                        return None;
                    }
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), Carried> {
        self.events = futures::stream::empty().boxed();
        Ok(())
    }
}
