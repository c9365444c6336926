//! Connections to addresses that have been judged.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Host;
use wasmtime_wasi_http::Error;

use super::destination::Destination;

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Encryption with the certificates that the system trusts, set up at the first use.
#[derive(Default)]
pub struct Tls {
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    fn connector(&self) -> Result<TlsConnector, Error> {
        let made = self.config.get_or_init(|| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let builder = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .and_then(|builder| builder.with_platform_verifier())
                .map_err(|error| error.to_string())?;
            let mut config = builder.with_no_client_auth();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok(Arc::new(config))
        });
        match made {
            Ok(config) => Ok(TlsConnector::from(Arc::clone(config))),
            Err(error) => Err(Error::InternalError(Some(format!("encryption cannot be set up: {error}")))),
        }
    }
}

/// Connects to the first of some addresses that answers.
pub async fn open(
    addresses: &[IpAddr],
    destination: &Destination,
    tls: &Tls,
    timeout: Duration,
) -> Result<Box<dyn Stream>, Error> {
    let connect = async {
        let mut last = Error::DestinationNotFound;
        for address in addresses {
            match TcpStream::connect(SocketAddr::new(*address, destination.port)).await {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(Error::Connect)?;
                    return secure(stream, destination, tls).await;
                }
                Err(error) => last = Error::Connect(error),
            }
        }
        Err(last)
    };
    tokio::time::timeout(timeout, connect).await.unwrap_or(Err(Error::ConnectionTimeout))
}

async fn secure(stream: TcpStream, destination: &Destination, tls: &Tls) -> Result<Box<dyn Stream>, Error> {
    if !destination.tls {
        return Ok(Box::new(stream));
    }
    let name = match &destination.host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| Error::HttpRequestUriInvalid)?,
        Host::Ipv4(v4) => ServerName::IpAddress(IpAddr::V4(*v4).into()),
        Host::Ipv6(v6) => ServerName::IpAddress(IpAddr::V6(*v6).into()),
    };
    let stream = tls.connector()?.connect(name, stream).await.map_err(Error::Tls)?;
    Ok(Box::new(stream))
}
