//! The guests' way to the network for code that runs elsewhere: the same policy, the same checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use mneme_domain::policy::{Denial, capability};
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, RequestOptions};

use super::{Denials, Network, Powers, Ticket};
use crate::{Grants, ToolHost};

/// Why there is no answer.
pub(crate) struct Unsent {
    /// In words for the code that asked.
    pub reason: String,
    /// Whether it took too long.
    pub late: bool,
}

impl From<String> for Unsent {
    fn from(reason: String) -> Self {
        Self { reason, late: false }
    }
}

/// Sends the requests of one call.
pub struct Courier {
    ticket: Arc<Ticket>,
}

impl Courier {
    /// A courier for a call that has so much time left.
    pub(crate) fn new(network: Arc<Network>, host: Arc<dyn ToolHost>, grants: &Grants, left: Duration) -> Self {
        let has = |name: &str| grants.capabilities.iter().any(|granted| granted == name);
        let powers = Powers { network: has(capability::NETWORK), api: has(capability::API) };
        let ticket = Ticket {
            network,
            policy: grants.network.clone(),
            powers,
            host,
            denials: Denials::default(),
            deadline: Instant::now() + left,
            requests: AtomicU32::new(0),
            bytes: AtomicU64::new(0),
        };
        Self { ticket: Arc::new(ticket) }
    }

    /// Sends a request and collects the answer.
    ///
    /// # Errors
    /// What was refused or went wrong, in words for the code that asked.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.send_within(request, None).await.map_err(|unsent| unsent.reason)
    }

    /// The same for code that waits only so long for each part of the answer.
    ///
    /// # Errors
    /// As [`Courier::send`].
    pub(crate) async fn send_within(
        &self,
        request: Request<Bytes>,
        patience: Option<Duration>,
    ) -> Result<Response<Bytes>, Unsent> {
        let request = request.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync());
        let options =
            RequestOptions { connect_timeout: patience, first_byte_timeout: patience, between_bytes_timeout: patience };
        let sent = Arc::clone(&self.ticket).send(request, options);
        let exchange = async {
            // The connection is driven as long as the second part is there.
            let (answer, _driven) = sent.await?;
            let (head, body) = answer.into_parts();
            Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
        };
        let late = |reason: String| Unsent { reason, late: true };
        let answer = tokio::time::timeout(self.ticket.left(), exchange).await;
        let answer: Result<_, Error> = answer.map_err(|_| late("the request took too long".to_owned()))?;
        answer.map_err(|error| match error {
            Error::InternalError(Some(text)) => text.into(),
            Error::ConnectionTimeout | Error::HttpResponseTimeout | Error::ConnectionReadTimeout => {
                late(format!("the request took too long: {error}"))
            }
            other => format!("the request failed: {other}").into(),
        })
    }

    /// Requests that were made, and bytes of all their bodies.
    pub(crate) fn used(&self) -> (u32, u64) {
        (self.ticket.requests.load(Ordering::Relaxed), self.ticket.bytes.load(Ordering::Relaxed))
    }

    /// What was refused so far.
    pub fn denials(&self) -> Vec<Denial> {
        self.ticket.denials.list()
    }
}
