//! One request, from the policy to the answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use mneme_domain::net::is_public;
use mneme_domain::policy::capability;
use tokio::time::Instant;
use url::Host;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::body::{Bounded, Direction};
use super::destination::Destination;
use super::{Answer, Ticket, connect, internal};

/// Reaching a machine and agreeing on keys may take this long.
const CONNECT: Duration = Duration::from_secs(10);
/// Waiting for an answer, and each pause in one.
const SILENCE: Duration = Duration::from_secs(60);
/// Size of the headers of an answer, in bytes, and their number.
const HEADER_BYTES: usize = 64 << 10;
const HEADERS: usize = 128;

impl Ticket {
    /// Sends a request if the policy has it.
    pub async fn send(self: Arc<Self>, request: Request<WasiBody>, options: RequestOptions) -> Answer {
        let Some(destination) = Destination::of(request.uri()) else {
            return Err(Error::HttpRequestUriInvalid);
        };
        if internal::is_internal(&destination.host) || self.is_own(&destination) {
            self.count()?;
            return internal::send(&self, request).await;
        }
        self.permit(request.method(), &destination)?;
        self.count()?;
        let addresses = self.judged(&destination).await?;
        let wait = |asked: Option<Duration>, most: Duration| asked.unwrap_or(most).min(most).min(self.left());
        let stream =
            connect::open(&addresses, &destination, &self.network.tls, wait(options.connect_timeout, CONNECT)).await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEADER_BYTES)
            .max_headers(HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(failed)?;
        // The connection is driven until the guest drops the answer.
        let driven = wasmtime_wasi::runtime::spawn(async move { connection.await.map_err(failed) });

        let pause = wait(options.between_bytes_timeout, SILENCE);
        let request = prepared(request, &destination)?
            .map(|body| Bounded::new(body, Arc::clone(&self), Direction::Request, pause));
        let sent = tokio::time::timeout(wait(options.first_byte_timeout, SILENCE), sender.send_request(request)).await;
        let answer = sent.map_err(|_| Error::HttpResponseTimeout)?.map_err(failed)?;
        let answer = answer.map(|body| {
            Bounded::new(body.map_err(failed), Arc::clone(&self), Direction::Response, pause).boxed_unsync()
        });
        Ok((answer, Box::new(driven)))
    }

    fn permit(&self, method: &Method, destination: &Destination) -> Result<(), Error> {
        let refuse = |why: &str| {
            let tried = format!("{method} {destination}: {why}");
            Err(Error::InternalError(Some(self.denials.refuse(capability::NETWORK, tried))))
        };
        if !self.powers.network {
            return refuse("this tool has no network");
        }
        if !self.policy.allows_host(&destination.host, destination.port) {
            return refuse("the tool's network policy does not have this host");
        }
        if !self.policy.allows_method(method.as_str()) || *method == Method::CONNECT {
            return refuse("the tool's network policy does not have this method");
        }
        Ok(())
    }

    fn count(&self) -> Result<(), Error> {
        let most = self.policy.max_requests;
        if self.requests.fetch_add(1, Ordering::Relaxed) < most {
            return Ok(());
        }
        let tried = format!("more than {most} requests in one call");
        Err(Error::InternalError(Some(self.denials.refuse(capability::NETWORK, tried))))
    }

    /// Whether this server is meant by the name that its own machine has for it: tools that were written for a server
    /// beside them say so. No guest has a machine, so nothing else can be there, unless the operator made an exception.
    fn is_own(&self, destination: &Destination) -> bool {
        let local = match &destination.host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(v4) => v4.is_loopback(),
            Host::Ipv6(v6) => v6.is_loopback(),
        };
        let own = local && !destination.tls && self.network.own_port == Some(destination.port);
        own && self.powers.api && !self.is_excepted(destination)
    }

    /// Whether the operator lets guests reach a host whatever its address is.
    fn is_excepted(&self, destination: &Destination) -> bool {
        self.network.private_hosts.iter().any(|one| one.matches(&destination.host, destination.port))
    }

    /// The addresses of a host that may be connected to.
    async fn judged(&self, destination: &Destination) -> Result<Vec<IpAddr>, Error> {
        let mut addresses = match &destination.host {
            Host::Ipv4(v4) => vec![IpAddr::V4(*v4)],
            Host::Ipv6(v6) => vec![IpAddr::V6(*v6)],
            Host::Domain(name) => {
                let found = self.network.resolver.addresses(name);
                let found = tokio::time::timeout(CONNECT.min(self.left()), found).await;
                found.map_err(|_| Error::DnsTimeout)?.map_err(|error| Error::DnsError {
                    rcode: Some(format!("{name} was not found: {}", error.kind())),
                    info_code: None,
                })?
            }
        };
        let excepted = self.is_excepted(destination);
        addresses.retain(|address| excepted || is_public(*address));
        if addresses.is_empty() {
            let tried =
                format!("{destination}: its address is not public, and the server's operator made no exception");
            return Err(Error::InternalError(Some(self.denials.refuse(capability::NETWORK, tried))));
        }
        Ok(addresses)
    }

    /// Time until the call ends.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// A request as it goes over the wire: the host in a header, the path alone in its first line.
fn prepared(mut request: Request<WasiBody>, destination: &Destination) -> Result<Request<WasiBody>, Error> {
    let invalid = |_| Error::HttpRequestUriInvalid;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let host = match (destination.tls, destination.port) {
        (true, 443) | (false, 80) => destination.host.to_string(),
        (_, port) => format!("{}:{port}", destination.host),
    };
    *request.uri_mut() = Uri::builder().path_and_query(path).build().map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().insert(header::HOST, HeaderValue::from_str(&host).map_err(|_| invalid(()))?);
    Ok(request)
}

/// What went wrong, with the limit that was reached if one was.
fn failed(error: hyper::Error) -> Error {
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        match inner.downcast_ref::<Error>() {
            Some(Error::HttpRequestBodySize(limit)) => return Error::HttpRequestBodySize(*limit),
            Some(Error::InternalError(text)) => return Error::InternalError(text.clone()),
            Some(Error::ConnectionWriteTimeout) => return Error::ConnectionWriteTimeout,
            _ => source = inner.source(),
        }
    }
    Error::Hyper(error)
}
