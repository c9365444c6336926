//! The guests' way to the network for code that runs elsewhere: the same policy, the same checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use mneme_domain::policy::{Denial, capability};
use tokio::time::Instant;
use wasmtime_wasi_http::RequestOptions;

use super::{Denials, Network, Powers, Ticket};
use crate::{Grants, ToolHost};

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
        let request = request.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync());
        let sent = Arc::clone(&self.ticket).send(request, RequestOptions::default());
        let exchange = async {
            // The connection is driven as long as the second part is there.
            let (answer, _driven) = sent.await?;
            let (head, body) = answer.into_parts();
            Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
        };
        let answer = tokio::time::timeout(self.ticket.left(), exchange).await;
        let answer: Result<_, wasmtime_wasi_http::Error> =
            answer.map_err(|_| "the request took too long".to_owned())?;
        answer.map_err(|error| match error {
            wasmtime_wasi_http::Error::InternalError(Some(text)) => text,
            other => format!("the request failed: {other}"),
        })
    }

    /// What was refused so far.
    pub fn denials(&self) -> Vec<Denial> {
        self.ticket.denials.list()
    }
}
