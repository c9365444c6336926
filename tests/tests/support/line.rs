//! A connection to Postgres that can be cut, restored and stalled.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A port of this machine that leads to a database.
pub struct Line {
    url: String,
    from: SocketAddr,
    to: String,
    stalled: Arc<watch::Sender<bool>>,
    accepting: JoinHandle<()>,
}

impl Line {
    /// A line to the server in the address of a database.
    pub async fn to(url: &str) -> Self {
        let (head, rest) = url.split_once('@').expect("user@host");
        let (to, name) = rest.split_once('/').expect("host/name");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let from = listener.local_addr().expect("an address");
        let stalled = Arc::new(watch::Sender::new(false));
        let accepting = accept(listener, to.to_owned(), &stalled);
        Self { url: format!("{head}@{from}/{name}"), from, to: to.to_owned(), stalled, accepting }
    }

    /// The address of the database through this line.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Ends all connections and takes no new ones.
    pub fn cut(&mut self) {
        self.accepting.abort();
    }

    /// Takes connections again.
    pub async fn restore(&mut self) {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("the option");
        socket.bind(self.from).expect("the port is free");
        self.accepting = accept(socket.listen(64).expect("listening"), self.to.clone(), &self.stalled);
    }

    /// Lets nothing through, or everything again.
    pub fn stall(&self, stalled: bool) {
        self.stalled.send_replace(stalled);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn accept(listener: TcpListener, to: String, stalled: &Arc<watch::Sender<bool>>) -> JoinHandle<()> {
    let stalled = Arc::clone(stalled);
    tokio::spawn(async move {
        // They end with this task.
        let mut open = tokio::task::JoinSet::new();
        while let Ok((near, _)) = listener.accept().await {
            let (to, stalled) = (to.clone(), stalled.subscribe());
            open.spawn(async move {
                let Ok(far) = TcpStream::connect(to).await else { return };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::select! {
                    () = pass(near_in, far_out, stalled.clone()) => {}
                    () = pass(far_in, near_out, stalled) => {}
                }
            });
        }
    })
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut stalled: watch::Receiver<bool>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        if stalled.wait_for(|stalled| !stalled).await.is_err() || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
