//! The ways to a server as one, so that the protocol is compiled once.

use std::error::Error;

use futures::{FutureExt, future::BoxFuture};
use rmcp::{
    RoleClient,
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::{StreamableHttpClientTransport, Transport},
};

use super::{http::HttpClient, sse::EventTransport, stdio::Pipes};

/// How messages go to a server and come from it.
pub enum Way {
    /// Over HTTP as it is now.
    Http(Box<StreamableHttpClientTransport<HttpClient>>),
    /// Over HTTP as it was.
    Events(Box<EventTransport>),
    /// To a process and back.
    Pipes(Box<Pipes>),
}

/// What went wrong on the way.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(#[source] Box<dyn Error + Send + Sync>);

impl Broken {
    fn by(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

impl Transport<RoleClient> for Way {
    type Error = Broken;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Broken>> + Send + 'static {
        let sent: BoxFuture<'static, Result<(), Broken>> = match self {
            Self::Http(transport) => transport.send(item).map(|sent| sent.map_err(Broken::by)).boxed(),
            Self::Events(transport) => transport.send(item).map(|sent| sent.map_err(Broken::by)).boxed(),
            Self::Pipes(transport) => transport.send(item).map(|sent| sent.map_err(Broken::by)).boxed(),
        };
        sent
    }

    fn receive(&mut self) -> impl Future<Output = Option<RxJsonRpcMessage<RoleClient>>> + Send {
        match self {
            Self::Http(transport) => transport.receive().boxed(),
            Self::Events(transport) => transport.receive().boxed(),
            Self::Pipes(transport) => transport.receive().boxed(),
        }
    }

    async fn close(&mut self) -> Result<(), Broken> {
        match self {
            Self::Http(transport) => transport.close().boxed().await.map_err(Broken::by),
            Self::Events(transport) => transport.close().boxed().await.map_err(Broken::by),
            Self::Pipes(transport) => transport.close().boxed().await.map_err(Broken::by),
        }
    }
}
