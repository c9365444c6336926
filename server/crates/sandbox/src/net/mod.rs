//! The network as a guest sees it: HTTP requests through `wasi:http`, each under the call's policy.
//!
//! The name of a host is looked up once, here; every address that it leads to is judged, and only a judged address is
//! connected to, so a name that changes its mind gains nothing. Redirects are the guest's to follow: each one is a
//! request like any other.

mod body;
mod connect;
mod courier;
mod denials;
mod destination;
mod internal;
mod resolve;
mod send;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use http::{Request, Response};
use mneme_domain::policy::{HostPattern, NetworkPolicy};
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::ToolHost;
pub use connect::Tls;
pub use courier::Courier;
pub(crate) use courier::Unsent;
pub use denials::Denials;
pub use resolve::{NameResolver, SystemResolver};

/// What all calls share.
pub struct Network {
    /// Looks names up.
    pub resolver: Arc<dyn NameResolver>,
    /// Hosts that may have an address that is not public, because the operator said so.
    pub private_hosts: Vec<HostPattern>,
    /// The port on which this server answers.
    pub own_port: Option<u16>,
    /// Encrypted connections.
    pub tls: Tls,
}

/// The network of one call.
pub struct CallNetwork {
    shared: Arc<Ticket>,
}

/// What a request needs to know, also after the guest has gone on.
struct Ticket {
    network: Arc<Network>,
    policy: NetworkPolicy,
    powers: Powers,
    host: Arc<dyn ToolHost>,
    denials: Denials,
    deadline: Instant,
    requests: AtomicU32,
    bytes: AtomicU64,
}

/// Which of the network's capabilities a call has.
#[derive(Debug, Clone, Copy)]
pub struct Powers {
    /// Other machines, within the policy.
    pub network: bool,
    /// This server.
    pub api: bool,
}

impl CallNetwork {
    /// The network of a call that ends at `deadline`.
    pub fn new(
        network: Arc<Network>,
        policy: NetworkPolicy,
        powers: Powers,
        host: Arc<dyn ToolHost>,
        denials: Denials,
        deadline: Instant,
    ) -> Self {
        let (requests, bytes) = (AtomicU32::new(0), AtomicU64::new(0));
        Self { shared: Arc::new(Ticket { network, policy, powers, host, denials, deadline, requests, bytes }) }
    }

    /// Requests that were made, and bytes of all their bodies.
    pub fn used(&self) -> (u32, u64) {
        (self.shared.requests.load(Ordering::Relaxed), self.shared.bytes.load(Ordering::Relaxed))
    }
}

type Reading = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(Response<WasiBody>, Reading), Error>;

impl WasiHttpHooks for CallNetwork {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Reading,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let ticket = Arc::clone(&self.shared);
        Box::new(async move { ticket.send(request, options.unwrap_or_default()).await })
    }
}
