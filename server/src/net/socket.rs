//! The byte stream under a WebSocket: first of the tokio runtime, where it shakes hands, then of a tick.
//!
//! While it belongs to a tick nothing waits for it: it is polled once before the tick and once after, and
//! says that it is not ready instead of waking anybody. The WebSocket around it stays the same object, so
//! what has been read already goes along.

use super::limit::TokenBucket;
use crate::clock::Clock;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tickwire_protocol::time::Micros;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A byte stream with a limit on what comes in.
///
/// The limit is on raw bytes, because a peer can keep a WebSocket busy without a message ever coming out:
/// with control frames, or with fragments of no length.
pub struct Socket {
    stream: Stream,
    limit: TokenBucket,
    clock: Arc<dyn Clock>,
    /// The last read took all that there was, so that another would only say so.
    is_drained: bool,
}

/// Any stream that the tokio runtime drives, such as one inside TLS.
pub trait AsyncStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> AsyncStream for T {}

enum Stream {
    /// The runtime waits for it.
    Runtime(tokio::net::TcpStream),
    /// A tick polls it.
    Tick(std::net::TcpStream),
    /// The runtime waits for what is around it.
    Wrapped(Box<dyn AsyncStream>),
    /// On its way from one to the other.
    Moving,
}

/// The error by which a socket says that its peer sent too much.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the peer sends more bytes than it may")]
pub struct TooManyBytes;

impl Socket {
    /// A TCP stream of the runtime.
    #[must_use]
    pub fn new(stream: tokio::net::TcpStream, limit: TokenBucket, clock: Arc<dyn Clock>) -> Socket {
        Socket { stream: Stream::Runtime(stream), limit, clock, is_drained: false }
    }

    /// A stream that stays with the runtime.
    #[must_use]
    pub fn wrapped(stream: Box<dyn AsyncStream>, limit: TokenBucket, clock: Arc<dyn Clock>) -> Socket {
        Socket { stream: Stream::Wrapped(stream), limit, clock, is_drained: false }
    }

    /// Whether it can be moved to a tick: whether it is plain TCP.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !matches!(self.stream, Stream::Wrapped(_))
    }

    /// Takes the stream away from the runtime. Nothing happens to one that a tick cannot poll.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn move_to_tick(&mut self) -> io::Result<()> {
        self.stream = match std::mem::replace(&mut self.stream, Stream::Moving) {
            // It is non-blocking already, as the runtime had it.
            Stream::Runtime(stream) => Stream::Tick(stream.into_std()?),
            other => other,
        };
        Ok(())
    }

    /// Gives the stream back to the runtime, from within which this is called.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn move_to_runtime(&mut self) -> io::Result<()> {
        self.stream = match std::mem::replace(&mut self.stream, Stream::Moving) {
            Stream::Tick(stream) => Stream::Runtime(tokio::net::TcpStream::from_std(stream)?),
            other => other,
        };
        Ok(())
    }

    /// Allows another read from the system: at the start of a tick.
    pub fn rearm(&mut self) {
        self.is_drained = false;
    }

    fn poll_stream(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Runtime(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Wrapped(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tick(stream) => {
                if self.is_drained {
                    return Poll::Pending;
                }
                let room = buffer.initialize_unfilled();
                let length = room.len();
                match stream.read(room) {
                    Ok(read) => {
                        // Fewer bytes than there was room for: there are no more for now. (None at all means
                        // that the peer has closed, and then every read says so.)
                        self.is_drained = read > 0 && read < length;
                        buffer.advance(read);
                        Poll::Ready(Ok(()))
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.is_drained = true;
                        Poll::Pending
                    }
                    Err(error) => Poll::Ready(Err(error)),
                }
            }
            Stream::Moving => Poll::Ready(Err(lost())),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        let before = buffer.filled().len();
        let polled = socket.poll_stream(context, buffer);
        let read = buffer.filled().len() - before;
        if read > 0 && !socket.limit.take(read, socket.clock.now()) {
            return Poll::Ready(Err(io::Error::other(TooManyBytes)));
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Runtime(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Wrapped(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tick(stream) => match stream.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
                written => Poll::Ready(written),
            },
            Stream::Moving => Poll::Ready(Err(lost())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Wrapped(stream) => Pin::new(stream).poll_flush(context),
            // TCP has no buffer on this side of the system.
            Stream::Runtime(_) | Stream::Tick(_) | Stream::Moving => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Runtime(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Wrapped(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tick(stream) => Poll::Ready(stream.shutdown(std::net::Shutdown::Write)),
            Stream::Moving => Poll::Ready(Ok(())),
        }
    }
}

/// Makes a TCP stream fit for small messages in time: no waiting for more to send, a short queue in the
/// kernel, and a limit on what waits there unsent.
///
/// # Errors
/// When the system refuses.
pub(crate) fn tune(stream: &tokio::net::TcpStream) -> io::Result<()> {
    let socket = socket2::SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_notsent_lowat(NOT_SENT_BYTES)?;
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    }
    Ok(())
}

/// The kernel doubles it for its own bookkeeping. A snapshot of a busy tick fits many times.
const SEND_BUFFER_BYTES: usize = 32 << 10;
#[cfg(target_os = "linux")]
const NOT_SENT_BYTES: u32 = 16 << 10;
/// A peer that acknowledges no byte for so long is gone.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);

fn lost() -> io::Error {
    io::Error::from(io::ErrorKind::NotConnected)
}

/// A time on the clock of a socket's limit.
pub(crate) fn bucket(per_second: u32, now: Micros) -> TokenBucket {
    TokenBucket::new(per_second, crate::config::BURST_SECONDS, now)
}
