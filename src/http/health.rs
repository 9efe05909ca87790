//! The health check: asks a running daemon, for container engines that know commands only.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Why a daemon is not known to be healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    #[error("`{url}` is no address to ask; write http://HOST:PORT")]
    Address { url: String },
    #[error("nobody answers at {host}; is the daemon running, and does `listen` name this port?")]
    Connect { host: String, source: std::io::Error },
    #[error("the answer of {host} broke off")]
    Answer { host: String, source: std::io::Error },
    #[error("{host} says: {said}")]
    Unhealthy { host: String, said: String },
}

/// Asks `/-/healthy` of `url` (`http://HOST:PORT`).
pub fn healthcheck(url: &str, timeout: Duration) -> Result<(), HealthError> {
    let wrong = || HealthError::Address { url: url.to_string() };
    let host = url
        .strip_prefix("http://")
        .ok_or_else(wrong)?
        .split('/')
        .next()
        .filter(|host| !host.is_empty())
        .ok_or_else(wrong)?;
    let address = host.to_socket_addrs().map_err(|_| wrong())?.next().ok_or_else(wrong)?;
    let mut stream = TcpStream::connect_timeout(&address, timeout)
        .map_err(|source| HealthError::Connect { host: host.to_string(), source })?;
    let broken = |source| HealthError::Answer { host: host.to_string(), source };
    stream.set_read_timeout(Some(timeout)).and_then(|()| stream.set_write_timeout(Some(timeout))).map_err(broken)?;
    write!(stream, "GET /-/healthy HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").map_err(broken)?;
    let mut head = [0; 64];
    let length = stream.read(&mut head).map_err(broken)?;
    let said = String::from_utf8_lossy(&head[..length]);
    let status = said.split_whitespace().nth(1);
    if status == Some("200") {
        return Ok(());
    }
    let said = said.lines().next().unwrap_or("nothing").to_string();
    Err(HealthError::Unhealthy { host: host.to_string(), said })
}
