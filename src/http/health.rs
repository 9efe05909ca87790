//! The health check: asks a running daemon, for container engines that know commands only. Plain sockets, no hyper.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Why a daemon is not known to be healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    #[error("`{url}` is no address to ask; write http://HOST:PORT")]
    Address { url: String },
    #[error("the host of {host} is not found")]
    Lookup { host: String, source: std::io::Error },
    #[error("nobody answers at {host}; is the daemon running, and does `listen` name this port?")]
    Connect { host: String, source: std::io::Error },
    #[error("the answer of {host} broke off")]
    Answer { host: String, source: std::io::Error },
    #[error("{host} says: {said}")]
    Unhealthy { host: String, said: String },
}

/// Asks `/-/healthy` of `url` (`http://HOST:PORT`; a path after it is not looked at).
pub fn healthcheck(url: &str, timeout: Duration) -> Result<(), HealthError> {
    let host = host(url).ok_or_else(|| HealthError::Address { url: url.to_string() })?;
    let named = || host.to_string();
    let addresses = host.to_socket_addrs().map_err(|source| HealthError::Lookup { host: named(), source })?;
    let stream = connect(addresses, timeout).map_err(|source| HealthError::Connect { host: named(), source })?;
    let said = ask(stream, host, timeout).map_err(|source| HealthError::Answer { host: named(), source })?;
    if said.split_whitespace().nth(1) == Some("200") {
        return Ok(());
    }
    let said = said.lines().next().unwrap_or("nothing").to_string();
    Err(HealthError::Unhealthy { host: named(), said })
}

/// `HOST:PORT` of an address, if it has both.
fn host(url: &str) -> Option<&str> {
    let host = url.strip_prefix("http://")?.split('/').next()?;
    let (name, port) = host.rsplit_once(':')?;
    port.parse::<u16>().ok().filter(|_| !name.is_empty())?;
    Some(host)
}

/// The first address that takes the connection: `localhost` is two, and a daemon may listen on one of them.
fn connect(addresses: impl Iterator<Item = SocketAddr>, timeout: Duration) -> std::io::Result<TcpStream> {
    let mut refused = ErrorKind::AddrNotAvailable.into();
    for address in addresses {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// The beginning of the answer, the status among it.
fn ask(mut stream: TcpStream, host: &str, timeout: Duration) -> std::io::Result<String> {
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    // In one piece: a server that reads once and answers has read all of it.
    let request = format!("GET /-/healthy HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    stream.take(64).read_to_end(&mut head)?;
    Ok(String::from_utf8_lossy(&head).into_owned())
}
