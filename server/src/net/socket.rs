//! The byte stream under a WebSocket: first of the tokio runtime, where it shakes hands, then of a tick.
//!
//! While it belongs to a tick nothing waits for it: it is polled once before the tick and once after, and
//! says that it is not ready instead of waking anybody.

use super::limit::TokenBucket;
use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tickwire_protocol::time::Micros;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A byte stream with a limit on what comes in.
///
/// The limit is on raw bytes, because a peer can keep a WebSocket busy without a message ever coming out:
/// with control frames, or with fragments of no length.
pub(crate) struct Socket {
    stream: Stream,
    limit: TokenBucket,
    /// The last read took all that there was, so that another would only say so.
    is_drained: bool,
}

/// Any stream that the tokio runtime drives, such as one inside TLS.
pub(crate) trait AsyncStream: AsyncRead + AsyncWrite + Send + Unpin {}

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
pub(crate) struct TooManyBytes;

impl Socket {
    /// A TCP stream of the runtime.
    pub(crate) fn new(stream: tokio::net::TcpStream, limit: TokenBucket) -> Socket {
        Socket { stream: Stream::Runtime(stream), limit, is_drained: false }
    }

    /// A stream that stays with the runtime.
    pub(crate) fn wrapped(stream: Box<dyn AsyncStream>, limit: TokenBucket) -> Socket {
        Socket { stream: Stream::Wrapped(stream), limit, is_drained: false }
    }

    /// Takes the stream away from the runtime. Nothing happens to one that a tick cannot poll.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn move_to_tick(&mut self) -> io::Result<()> {
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
    pub(crate) fn move_to_runtime(&mut self) -> io::Result<()> {
        self.is_drained = false;
        self.stream = match std::mem::replace(&mut self.stream, Stream::Moving) {
            Stream::Tick(stream) => Stream::Runtime(tokio::net::TcpStream::from_std(stream)?),
            other => other,
        };
        Ok(())
    }

    /// Allows another read from the system: at the start of a tick.
    pub(crate) fn rearm(&mut self) {
        self.is_drained = false;
    }

    /// Whether another read would only say that there is no more.
    pub(crate) fn is_drained(&self) -> bool {
        self.is_drained
    }

    /// Reads what there is, up to the length of the buffer; nothing at the end of the stream.
    pub(crate) fn poll_read(
        &mut self,
        task: &mut Context<'_>,
        buffer: &mut [u8],
        now: Micros,
    ) -> Poll<io::Result<usize>> {
        let read = ready!(self.poll_stream(task, buffer))?;
        let may = read == 0 || self.limit.take(read, now);
        Poll::Ready(if may { Ok(read) } else { Err(io::Error::other(TooManyBytes)) })
    }

    fn poll_stream(&mut self, task: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Runtime(stream) => poll_async(stream, task, buffer),
            Stream::Wrapped(stream) => poll_async(stream, task, buffer),
            Stream::Tick(_) if self.is_drained => Poll::Pending,
            // Such calls are most of what a player costs. The C library's would ask each time whether the
            // thread is being cancelled.
            Stream::Tick(stream) => match rustix::net::recv(&*stream, &mut *buffer, RecvFlags::empty()) {
                Ok((read, _)) => {
                    // Fewer bytes than there was room for: there are no more for now. (None at all means
                    // that the peer has closed, and then every read says so.)
                    self.is_drained = read > 0 && read < buffer.len();
                    Poll::Ready(Ok(read))
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    self.is_drained = true;
                    Poll::Pending
                }
                Err(error) => Poll::Ready(Err(error.into())),
            },
            Stream::Moving => Poll::Ready(Err(lost())),
        }
    }

    /// Writes as many of the bytes as there is room for, at least one.
    pub(crate) fn poll_write(&mut self, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Runtime(stream) => Pin::new(stream).poll_write(task, bytes),
            Stream::Wrapped(stream) => Pin::new(stream).poll_write(task, bytes),
            Stream::Tick(stream) => match rustix::net::send(&*stream, bytes, SendFlags::NOSIGNAL) {
                Err(rustix::io::Errno::WOULDBLOCK) => Poll::Pending,
                written => Poll::Ready(written.map_err(io::Error::from)),
            },
            Stream::Moving => Poll::Ready(Err(lost())),
        }
    }

    /// Sees that what was written is on its way.
    pub(crate) fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Wrapped(stream) => Pin::new(stream).poll_flush(task),
            // TCP has no buffer on this side of the system.
            Stream::Runtime(_) | Stream::Tick(_) | Stream::Moving => Poll::Ready(Ok(())),
        }
    }
}

fn poll_async<S: AsyncRead + Unpin + ?Sized>(
    stream: &mut S,
    task: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(buffer);
    ready!(Pin::new(stream).poll_read(task, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
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

/// A limit for one connection, with the burst that an honest client needs after its network stood still.
pub(crate) fn bucket(per_second: u32, now: Micros) -> TokenBucket {
    TokenBucket::new(per_second, crate::config::BURST_SECONDS, now)
}
