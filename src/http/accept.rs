//! The accept loop: connections within limits, one request each, an end in order. It knows nothing of what is answered.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// What a client may take of the server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time; further ones wait to be accepted.
    pub connections_max: usize,
    /// A client that has not sent its request's head by then is cut off.
    pub head_max: Duration,
    /// A client that has not taken the whole answer by then, counted from its connection, is cut off.
    pub answer_max: Duration,
    /// Open answers get this long to end at a stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 256,
            head_max: Duration::from_secs(10),
            answer_max: Duration::from_secs(60),
            grace: Duration::from_secs(5),
        }
    }
}

/// Gives each request to `answer`, until `stop` is done and open answers are finished.
pub async fn accept<A, F>(limits: Limits, listener: TcpListener, answer: A, stop: impl Future<Output = ()>)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send + 'static,
{
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits.head_max).keep_alive(false);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections_max));
    tokio::pin!(stop);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = &mut stop => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, or a client that left already: go on in a moment.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service_fn(answer.clone())));
        tokio::spawn(async move {
            let _place = place;
            // A client that goes away in the middle, or is too slow, is no event.
            let _ = tokio::time::timeout(limits.answer_max, connection).await;
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(limits.grace, graceful.shutdown()).await;
}
