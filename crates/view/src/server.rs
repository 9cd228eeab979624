//! Listens on this machine alone, and gives every page a session.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use crate::page::page;
use crate::request::{Asked, Gate, Refused, read_head};
use crate::session::Session;
use crate::{Source, ViewError};

/// More connections than this at a time are sent away.
const MOST_CONNECTIONS: usize = 32;
/// More pages than this at a time are sent away: each runs an engine of its own.
const MOST_PAGES: usize = 8;
/// Nothing that a page says is longer.
const LONGEST_MESSAGE: usize = 64 << 10;
/// A page that takes nothing for so long is given up.
const SLOWEST_READER: Duration = Duration::from_secs(10);
/// How often the server looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(20);

/// How a view is served.
#[derive(Clone, Debug, Default)]
pub struct ViewOptions {
    /// The port to listen at; 0 for any that is free.
    pub port: u16,
    /// Threads of each page's engine; 0 for all cores.
    pub threads: usize,
}

/// A server that listens, and has not begun to answer.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    gate: Gate,
    source: Arc<Source>,
    options: ViewOptions,
}

/// Counts down when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    /// A place, if there is one.
    fn take(taken: &Arc<AtomicUsize>, most: usize) -> Option<Place> {
        let place = Place(taken.clone());
        (taken.fetch_add(1, Ordering::SeqCst) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Server {
    /// Listens at a port of the loopback interface, after the model was made and run for no step: a model that cannot be
    /// shown is an error here and not on the page.
    ///
    /// # Errors
    /// [`ViewError`] for a model that does not run, a port that is taken, a system without random numbers.
    pub fn open(source: Source, options: ViewOptions) -> Result<Server, ViewError> {
        source.stage(options.threads).map_err(ViewError::Model)?;
        let port = |why| ViewError::Port { port: options.port, why };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(port)?;
        listener.set_nonblocking(true).map_err(port)?;
        let found = listener.local_addr().map_err(port)?.port();
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).map_err(|error| ViewError::Random(error.to_string()))?;
        let token = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Server { listener, gate: Gate { port: found, token }, source: Arc::new(source), options })
    }

    /// Where the page is.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.gate.port, self.gate.token)
    }

    /// Answers in a thread of its own, until the answer is dropped.
    ///
    /// # Errors
    /// [`ViewError::Thread`].
    pub fn run_aside(self) -> Result<Aside, ViewError> {
        let (address, stop) = (self.address(), Arc::new(AtomicBool::new(false)));
        let told = stop.clone();
        let thread = std::thread::Builder::new().name("view server".into()).spawn(move || self.run(&told));
        Ok(Aside { address, stop, thread: Some(thread.map_err(ViewError::Thread)?) })
    }

    /// Answers until `stop` is set; pages that are open then are told, and their engines end.
    pub fn run(&self, stop: &Arc<AtomicBool>) {
        let connections = Arc::new(AtomicUsize::new(0));
        let pages = Arc::new(AtomicUsize::new(0));
        while !stop.load(Ordering::Relaxed) {
            let Ok((stream, _)) = self.listener.accept() else {
                std::thread::sleep(GLANCE);
                continue;
            };
            let Some(place) = Place::take(&connections, MOST_CONNECTIONS) else {
                continue;
            };
            let talk = Talk {
                gate: self.gate.clone(),
                source: self.source.clone(),
                threads: self.options.threads,
                pages: pages.clone(),
                stop: stop.clone(),
            };
            // A thread that the system does not give is a page that is not served; others go on.
            let _ = std::thread::Builder::new().name("view".into()).spawn(move || {
                let _place = place;
                talk.answer(stream);
            });
        }
        // Sessions look at `stop` between pictures.
        for _ in 0..100 {
            if connections.load(Ordering::SeqCst) == 0 {
                break;
            }
            std::thread::sleep(GLANCE);
        }
    }
}

/// A server that answers in a thread of its own, until this is dropped.
#[derive(Debug)]
pub struct Aside {
    address: String,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Aside {
    /// Where the page is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether it answers.
    pub fn is_open(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Ends it: pages that are open are told, and their engines end.
    pub fn close(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.close();
    }
}

/// One connection.
struct Talk {
    gate: Gate,
    source: Arc<Source>,
    threads: usize,
    pages: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Talk {
    fn answer(&self, mut stream: TcpStream) {
        let set = stream
            .set_nonblocking(false)
            .and_then(|()| stream.set_nodelay(true))
            .and_then(|()| stream.set_write_timeout(Some(SLOWEST_READER)));
        if set.is_err() {
            return;
        }
        let asked = read_head(&mut stream).and_then(|head| self.gate.admit(&head));
        match asked {
            Err(Refused(status, why)) => {
                reply(&mut stream, status, "text/plain; charset=utf-8", why.as_bytes())
            }
            Ok(Asked::Page) => reply(&mut stream, 200, "text/html; charset=utf-8", page().as_bytes()),
            Ok(Asked::Socket(key)) => self.converse(stream, &key),
        }
    }

    fn converse(&self, mut stream: TcpStream, key: &str) {
        let place = Place::take(&self.pages, MOST_PAGES);
        let switch = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        );
        if stream.write_all(switch.as_bytes()).is_err() {
            return;
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST_MESSAGE))
            .max_frame_size(Some(LONGEST_MESSAGE))
            .write_buffer_size(0);
        let mut socket = WebSocket::from_raw_socket(stream, Role::Server, Some(config));
        if place.is_none() {
            // A page cannot read why a socket is refused: it is told over one that ends at once.
            let words =
                format!("{MOST_PAGES} pages are open already: close one of them and load this one again");
            let said = serde_json::json!({"is": "error", "of": "pages", "words": words});
            let _ = socket.send(Message::text(said.to_string()));
            let _ = socket.close(None);
            let _ = socket.flush();
            return;
        }
        Session::new(socket, self.source.clone(), self.threads).run(&self.stop);
    }
}

/// Answers, and is done with the connection.
fn reply(stream: &mut TcpStream, status: u16, kind: &str, body: &[u8]) {
    let word = match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    };
    // Nothing from elsewhere; the address, which holds the token, is told to nobody. Who knows it may show the page in a frame, as
    // notebooks do.
    let head = format!(
        "HTTP/1.1 {status} {word}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n\
         Content-Security-Policy: default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; \
         connect-src 'self' ws://127.0.0.1:* ws://localhost:*; base-uri 'none'; form-action 'none'\r\n\r\n",
        body.len()
    );
    let _ =
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).and_then(|()| stream.flush());
}
