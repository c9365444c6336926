//! Web servers for tests: one that answers, and one that must never be asked.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use mneme_sandbox::NameResolver;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Somebody listening on this machine.
pub struct Listener {
    pub address: SocketAddr,
    /// What was asked, first lines and headers.
    pub heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Listener {
    /// Answers `/size/N` with N bytes, `/to/URL` with a redirect, `/hang` never, and everything else with its path.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (heads, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (seen, counted) = (Arc::clone(&heads), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let seen = Arc::clone(&seen);
                tokio::spawn(async move { answer(stream, &seen).await });
            }
        });
        Self { address, heads, connections }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

async fn answer(mut stream: TcpStream, seen: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().push(head);
    let reply = |status: &str, more: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{more}\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    if path == "/hang" {
        std::future::pending::<()>().await;
    }
    let bytes = match (path.strip_prefix("/size/"), path.strip_prefix("/to/")) {
        (Some(size), _) => reply("200 OK", "", &vec![b'y'; size.parse().unwrap_or(0)]),
        (_, Some(url)) => reply("302 Found", &format!("location: {url}\r\n"), b""),
        _ if path == "/headers" => reply("200 OK", &"x-many: 1\r\n".repeat(5_000), b""),
        _ => reply("200 OK", "", path.as_bytes()),
    };
    stream.write_all(&bytes).await?;
    // What the other side still sends is read, so that it gets to read the answer.
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.map(drop)
}

/// Names for tests: each lookup of a name gives the next of its answers, and the last one for ever.
#[derive(Default)]
pub struct Names {
    answers: Mutex<Vec<(String, Vec<Vec<IpAddr>>)>>,
    pub lookups: AtomicUsize,
}

impl Names {
    pub fn with(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|text| text.parse().expect("an address")).collect();
        let answers = names.iter().map(|(name, lists)| ((*name).to_owned(), lists.iter().map(parse).collect()));
        Arc::new(Self { answers: Mutex::new(answers.collect()), lookups: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl NameResolver for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock();
        let found = answers.iter_mut().find(|(known, _)| known == name);
        let (_, lists) = found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(if lists.len() > 1 { lists.remove(0) } else { lists[0].clone() })
    }
}
