//! A raw HTTP server that answers each request with the next scripted piece of bytes and keeps what it was sent.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// One scripted answer: the bytes to write, piece by piece, and a pause before each piece.
#[derive(Clone, Default)]
pub struct Answer {
    pieces: Vec<(Duration, Vec<u8>)>,
    /// How long to keep the connection open afterwards.
    linger: Duration,
}

impl Answer {
    /// A response with this status, content type and body, closed afterwards.
    pub fn new(status: u16, content_type: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\n{headers}connection: close\r\n\r\n");
        Self::default().piece(head).piece(body)
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", "", body.to_string())
    }

    /// An event stream with this raw body.
    pub fn events(body: impl AsRef<[u8]>) -> Self {
        Self::new(200, "text/event-stream", "", body)
    }

    /// Closes the connection without a word.
    pub fn hang_up() -> Self {
        Self::default()
    }

    pub fn piece(self, bytes: impl AsRef<[u8]>) -> Self {
        self.after(Duration::ZERO, bytes)
    }

    pub fn after(mut self, pause: Duration, bytes: impl AsRef<[u8]>) -> Self {
        self.pieces.push((pause, bytes.as_ref().to_vec()));
        self
    }

    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    pub line: String,
    pub headers: String,
    /// Null when it is no JSON.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

/// The running server.
pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Connections being served.
    busy: tokio::sync::watch::Receiver<usize>,
}

impl Server {
    /// Answers the requests in turn; the last answer repeats.
    pub async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let (count, busy) = tokio::sync::watch::channel(0);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let serving = serve(socket, answers.clone(), log.clone());
                let count = count.clone();
                count.send_modify(|n| *n += 1);
                tokio::spawn(async move {
                    serving.await;
                    count.send_modify(|n| *n -= 1);
                });
            }
        });
        Self { url, seen, busy }
    }

    /// One answer to everything.
    pub async fn always(answer: Answer) -> Self {
        Self::start(vec![answer]).await
    }

    /// Waits until no connection is being served.
    pub async fn idle(&self) {
        _ = self.busy.clone().wait_for(|n| *n == 0).await;
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("lock").clone()
    }
}

async fn serve(mut socket: TcpStream, answers: Vec<Answer>, log: Arc<Mutex<Vec<Seen>>>) {
    let mut data = Vec::new();
    let (head, length) = loop {
        let mut buffer = [0; 4096];
        let n = socket.read(&mut buffer).await.unwrap_or(0);
        if n == 0 {
            return;
        }
        data.extend_from_slice(&buffer[..n]);
        if let Some(end) = data.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&data[..end]).into_owned();
            data.drain(..end + 4);
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            break (head, length.unwrap_or(0));
        }
    };
    while data.len() < length {
        let mut buffer = [0; 4096];
        let n = socket.read(&mut buffer).await.unwrap_or(0);
        data.extend_from_slice(&buffer[..n]);
    }
    let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    let body = serde_json::from_slice(&data).unwrap_or(Value::Null);
    let text = String::from_utf8_lossy(&data).into_owned();
    let number = {
        let mut log = log.lock().expect("lock");
        log.push(Seen { line: line.to_owned(), headers: headers.to_lowercase(), body, text });
        log.len() - 1
    };
    let answer = &answers[number.min(answers.len() - 1)];
    for (pause, bytes) in &answer.pieces {
        tokio::time::sleep(*pause).await;
        if socket.write_all(bytes).await.is_err() {
            return;
        }
        _ = socket.flush().await;
    }
    tokio::time::sleep(answer.linger).await;
    _ = socket.shutdown().await;
}
