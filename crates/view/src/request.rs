//! Reads the head of an HTTP request, and says whether it may be answered.
//!
//! Only a page that was opened from the printed address gets an answer: the token in the path, the `Host` and, where there
//! is one, the `Origin` must be this server's own. A page of another site can neither read nor steer anything here, even
//! where its name was made to point to this machine.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Longer heads than this are no browser's.
const LONGEST_HEAD: usize = 16 << 10;
/// Who has not asked for anything by then is sent away.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The page.
    Page,
    /// A socket, with the key that its handshake answers.
    Socket(String),
}

/// Why a request is not answered as it wishes: the status and a word about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) u16, pub(crate) &'static str);

/// What a server answers to.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) port: u16,
    pub(crate) token: String,
}

/// Reads until the head of a request is there.
pub(crate) fn read_head(stream: &mut TcpStream) -> Result<Vec<u8>, Refused> {
    let begin = Instant::now();
    let mut head = Vec::new();
    let mut part = [0; 2048];
    loop {
        let left = PATIENCE.saturating_sub(begin.elapsed());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return Err(Refused(408, "nothing was asked for"));
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return Err(Refused(408, "nothing was asked for")),
            Ok(read) => head.extend_from_slice(&part[..read]),
        }
        if head.windows(4).any(|w| w == b"\r\n\r\n") {
            return Ok(head);
        }
        if head.len() > LONGEST_HEAD {
            return Err(Refused(431, "the head of the request is too long"));
        }
    }
}

impl Gate {
    /// What a head asks for, if it may.
    pub(crate) fn admit(&self, head: &[u8]) -> Result<Asked, Refused> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(head) {
            Ok(httparse::Status::Complete(_)) => {}
            _ => return Err(Refused(400, "this is no request")),
        }
        let every = |name: &str| -> Vec<&str> {
            let named = request.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name));
            named.map(|h| std::str::from_utf8(h.value).unwrap_or("\u{fffd}").trim()).collect()
        };
        let hosts = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        match every("host")[..] {
            [host] if hosts.iter().any(|own| own.eq_ignore_ascii_case(host)) => {}
            _ => return Err(Refused(421, "this server is not the host that was asked for")),
        }
        let own = |origin: &&str| hosts.iter().any(|host| *origin == format!("http://{host}"));
        if !every("origin").iter().all(own) {
            return Err(Refused(403, "another page's requests are not answered"));
        }
        if request.method != Some("GET") {
            return Err(Refused(405, "only GET is answered"));
        }
        let path = request.path.unwrap_or_default();
        let rest = path.strip_prefix('/').and_then(|p| {
            let (token, rest) = p.split_once('/')?;
            same(token, &self.token).then_some(rest)
        });
        match rest {
            Some("") => Ok(Asked::Page),
            Some("socket") => {
                let is = |name, word: &str| {
                    every(name).iter().flat_map(|v| v.split(',')).any(|v| v.trim().eq_ignore_ascii_case(word))
                };
                let key = every("sec-websocket-key").first().map(|key| (*key).to_string());
                // Sockets come from pages, and pages say where they are from.
                if every("origin").is_empty() {
                    return Err(Refused(403, "a socket without an origin is no page's"));
                }
                match key {
                    Some(key)
                        if key.len() <= 64
                            && is("upgrade", "websocket")
                            && is("connection", "upgrade")
                            && is("sec-websocket-version", "13") =>
                    {
                        Ok(Asked::Socket(key))
                    }
                    _ => Err(Refused(426, "here is a socket (RFC 6455, version 13)")),
                }
            }
            // Without the token nothing is told apart.
            None => Err(Refused(403, "the address lacks the token that `glauber view` printed")),
            Some(_) => Err(Refused(404, "there is nothing here")),
        }
    }
}

/// Whether two words are the same, in a time that does not tell where they differ.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate { port: 8000, token: "secret".into() }
    }

    fn asked(lines: &[&str]) -> Result<Asked, u16> {
        let head = format!("{}\r\n\r\n", lines.join("\r\n"));
        gate().admit(head.as_bytes()).map_err(|refused| refused.0)
    }

    #[test]
    fn the_page_needs_the_token_and_the_host() {
        assert_eq!(asked(&["GET /secret/ HTTP/1.1", "Host: 127.0.0.1:8000"]), Ok(Asked::Page));
        assert_eq!(asked(&["GET /secret/ HTTP/1.1", "Host: localhost:8000"]), Ok(Asked::Page));
        for path in ["/", "/secreT/", "/secret", "/secret%2f", "//secret/", "/secre/", "/../secret/"] {
            assert_eq!(asked(&[&format!("GET {path} HTTP/1.1"), "Host: 127.0.0.1:8000"]), Err(403), "{path}");
        }
        for path in ["/secret/../etc/passwd", "/secret/page.html", "/secret//", "/secret/?x", "/secret/.."] {
            assert_eq!(asked(&[&format!("GET {path} HTTP/1.1"), "Host: 127.0.0.1:8000"]), Err(404), "{path}");
        }
        assert_eq!(asked(&["GET /secret/ HTTP/1.1"]), Err(421));
        for host in ["evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "127.0.0.1:8000, evil.example"] {
            assert_eq!(asked(&["GET /secret/ HTTP/1.1", &format!("Host: {host}")]), Err(421), "{host}");
        }
        let twice = ["GET /secret/ HTTP/1.1", "Host: 127.0.0.1:8000", "Host: evil.example"];
        assert_eq!(asked(&twice), Err(421));
        assert_eq!(asked(&["POST /secret/ HTTP/1.1", "Host: 127.0.0.1:8000"]), Err(405));
        let other = ["GET /secret/ HTTP/1.1", "Host: 127.0.0.1:8000", "Origin: http://evil.example"];
        assert_eq!(asked(&other), Err(403));
        assert_eq!(asked(&["nonsense"]), Err(400));
        assert_eq!(gate().admit(b"\xff\xfe\x00"), Err(Refused(400, "this is no request")));
    }

    #[test]
    fn a_socket_needs_an_origin_of_its_own_too() {
        let lines = |origin: &str| {
            [
                "GET /secret/socket HTTP/1.1".to_string(),
                "Host: 127.0.0.1:8000".into(),
                "Connection: keep-alive, Upgrade".into(),
                "Upgrade: websocket".into(),
                "Sec-WebSocket-Version: 13".into(),
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==".into(),
                origin.to_string(),
            ]
        };
        let ask = |lines: &[String]| {
            let lines: Vec<&str> = lines.iter().filter(|l| !l.is_empty()).map(String::as_str).collect();
            asked(&lines)
        };
        let own = lines("Origin: http://127.0.0.1:8000");
        assert_eq!(ask(&own), Ok(Asked::Socket("dGhlIHNhbXBsZSBub25jZQ==".into())));
        for origin in ["", "Origin: null", "Origin: https://127.0.0.1:8000", "Origin: http://evil.example"] {
            assert_eq!(ask(&lines(origin)), Err(403), "{origin}");
        }
        for missing in 2..6 {
            let mut lines = own.clone();
            lines[missing].clear();
            assert_eq!(ask(&lines), Err(426), "{missing}");
        }
    }
}
