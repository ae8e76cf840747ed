//! A WebSocket, the same object from the upgrade to the close, whoever polls it: the runtime, a tick, and the
//! runtime again. What has been read already goes along.
//!
//! tungstenite does the framing of what comes in, the answers to pings, and the close. What a tick sends is
//! framed by its header format and kept in one place until the tick's end, so that all of it is one system
//! call; a player's snapshot that goes out alone is written from where it was made, and costs no counted
//! bytes, no waker, no second buffer.

use super::socket::Socket;
use crate::clock::{Clock, MonotonicClock};
use crate::outbox::HEADROOM;
use std::future::poll_fn;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::task::{Context, Poll, ready};
use tickwire_protocol::limits::MAX_CLIENT_MESSAGE_BYTES;
use tickwire_protocol::time::Micros;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, FrameHeader};
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

/// The server's end of a WebSocket.
pub(crate) struct WebSocket {
    context: WebSocketContext,
    socket: Socket,
    outgoing: Outgoing,
    clock: MonotonicClock,
    /// What was read and is still to be handed to tungstenite.
    begun: Vec<u8>,
    /// At least as many bytes as tungstenite was handed and has not given out as messages.
    unread: usize,
    /// tungstenite has read a ping, and the pong may not be on its way.
    owes_pong: bool,
}

/// Frames on their way out, and what keeps them whole: two write to the socket, the tick its messages and
/// tungstenite its pongs and closes, and neither may begin within a frame of the other.
#[derive(Default)]
struct Outgoing {
    frames: Vec<u8>,
    written: usize,
    /// tungstenite has written a part of what it wants to.
    is_split: bool,
}

/// Memory for reading, per connection. Inputs are a few bytes each, what does not fit is read next, and
/// tungstenite clears as much before each read.
const READ_BUFFER_BYTES: usize = 128;

/// Bytes read at a time while all that comes is plain: some inputs.
const PLAIN_BUFFER_BYTES: usize = 256;

/// Bytes of pongs that may wait for a peer that does not read. Beyond them the newest ping alone is answered.
const CONTROL_BUFFER_BYTES: usize = 1 << 10;

/// Memory for sending that a connection may keep whatever it sends. What a welcome needed is given back.
const KEPT_BYTES: usize = 256;

impl WebSocket {
    /// A WebSocket on a stream that was just upgraded. `begun` has been read of it already.
    pub(crate) fn new(socket: Socket, begun: Vec<u8>, clock: MonotonicClock) -> WebSocket {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(CONTROL_BUFFER_BYTES)
            .max_message_size(Some(MAX_CLIENT_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_CLIENT_MESSAGE_BYTES));
        let unread = begun.len();
        let context = WebSocketContext::from_partially_read(begun, Role::Server, Some(config));
        let (outgoing, begun) = (Outgoing::default(), Vec::new());
        WebSocket { context, socket, outgoing, clock, begun, unread, owes_pong: false }
    }

    /// The stream below.
    pub(crate) fn socket_mut(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// Begins to fetch into the cache what reading needs.
    pub(crate) fn prefetch_reading(&self) {
        black_box((self.unread, self.begun.len(), self.socket.is_drained()));
    }

    /// Begins to fetch into the cache what sending and writing need.
    pub(crate) fn prefetch_writing(&self) {
        black_box((self.outgoing.is_idle(), self.socket.is_drained()));
    }

    /// Reads what has come, and hands out the messages that it begins with for as long as they are what
    /// nearly all are, a short binary frame that is whole, and `take` takes them. The rest is for
    /// [`WebSocket::poll_next`]. While anything is left for that, nothing is read here.
    ///
    /// It reads into memory that all connections share, the stack: tungstenite has a buffer for each, which a
    /// tick would fetch from far away.
    pub(crate) fn poll_plain(
        &mut self,
        task: &mut Context<'_>,
        now: Micros,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> io::Result<()> {
        if self.unread > 0 || !self.begun.is_empty() {
            return Ok(());
        }
        let mut buffer = [0; PLAIN_BUFFER_BYTES];
        let Poll::Ready(read) = self.socket.poll_read(task, &mut buffer, now) else { return Ok(()) };
        let mut rest = &buffer[..read?];
        let mut payload = [0; MAX_SHORT_BYTES];
        while let Some((length, others)) = unmask_plain(rest, &mut payload)
            && take(&payload[..length])
        {
            rest = others;
        }
        self.begun.extend_from_slice(rest);
        Ok(())
    }

    /// The next message. Pings and closes are among them; they are answered already, or soon.
    pub(crate) fn poll_next(&mut self, task: &mut Context<'_>, now: Micros) -> Poll<Result<Message, Error>> {
        if self.owes_pong {
            let (context, mut stream) = self.parts(task, now);
            // Where there is no room for it, it is tried again with the next call.
            self.owes_pong = match pending(context.flush(&mut stream)) {
                Poll::Ready(flushed) => flushed.map(|()| false)?,
                Poll::Pending => true,
            };
        }
        if self.unread == 0 && self.begun.is_empty() && self.socket.is_drained() {
            return Poll::Pending;
        }
        let (context, mut stream) = self.parts(task, now);
        let next = context.read(&mut stream);
        let read = stream.read;
        self.unread += read;
        if let Ok(message) = &next {
            self.unread = self.unread.saturating_sub(frame_bytes(message.len()));
            self.owes_pong |= message.is_ping();
        }
        pending(next)
    }

    /// The next message, for a task of the runtime.
    pub(crate) async fn next(&mut self) -> Result<Message, Error> {
        poll_fn(|task| self.poll_next(task, self.clock.now())).await
    }

    /// Takes a binary message, to go out with the next flush.
    pub(crate) fn send(&mut self, message: &[u8]) {
        let header = FrameHeader { opcode: OpCode::Data(Data::Binary), ..FrameHeader::default() };
        let frames = &mut self.outgoing.frames;
        header.format(message.len() as u64, frames).expect("memory takes what is written to it");
        frames.extend_from_slice(message);
    }

    /// Sends a message that stands behind [`HEADROOM`] bytes, and writes it as far as there is room.
    pub(crate) fn poll_send(&mut self, task: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<()>> {
        let Some(frame) = frame_in_place(bytes).filter(|_| self.outgoing.is_idle()) else {
            self.send(&bytes[HEADROOM..]);
            return self.poll_flush(task);
        };
        let polled = self.socket.poll_write(task, frame)?;
        let written = if let Poll::Ready(written) = polled { written } else { 0 };
        if written == frame.len() {
            return self.socket.poll_flush(task);
        }
        self.outgoing.frames.extend_from_slice(&frame[written..]);
        ready!(polled);
        self.poll_flush(task)
    }

    /// Writes what was sent, as far as there is room.
    pub(crate) fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.outgoing.is_split {
            let (context, mut stream) = self.parts(task, Micros(0));
            ready!(pending(context.flush(&mut stream))).map_err(io::Error::other)?;
        }
        ready!(self.outgoing.poll_write(&mut self.socket, task))?;
        self.socket.poll_flush(task)
    }

    /// Sends one message, for a task of the runtime.
    pub(crate) async fn send_now(&mut self, message: &[u8]) -> io::Result<()> {
        self.send(message);
        poll_fn(|task| self.poll_flush(task)).await
    }

    /// Sends a close frame behind all that was sent before, for a task of the runtime.
    pub(crate) async fn close(&mut self, frame: CloseFrame) -> Result<(), Error> {
        let mut frame = Some(frame);
        poll_fn(|task| self.poll_close(&mut frame, task)).await
    }

    /// Takes the close frame, and writes as far as there is room what is to be written yet.
    fn poll_close(
        &mut self,
        frame: &mut Option<CloseFrame>,
        task: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let (context, mut stream) = self.parts(task, Micros(0));
        pending(match frame.take() {
            Some(frame) => context.close(&mut stream, Some(frame)),
            None => context.flush(&mut stream),
        })
    }

    /// tungstenite's part and the stream that it reads from and writes to.
    fn parts<'a, 'b>(
        &'a mut self,
        task: &'a mut Context<'b>,
        now: Micros,
    ) -> (&'a mut WebSocketContext, Stream<'a, 'b>) {
        let WebSocket { context, socket, outgoing, begun, .. } = self;
        (context, Stream { socket, outgoing, begun, task, now, read: 0 })
    }
}

impl Outgoing {
    /// Whether a frame may begin now.
    fn is_idle(&self) -> bool {
        self.frames.is_empty() && !self.is_split
    }

    /// Writes the frames of the tick.
    fn poll_write(&mut self, socket: &mut Socket, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.frames.len() {
            match ready!(socket.poll_write(task, &self.frames[self.written..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        // Only when much less is needed than before: a stream of large snapshots keeps its memory.
        let wanted = self.frames.len().max(KEPT_BYTES);
        self.frames.clear();
        if self.frames.capacity() > 4 * wanted {
            self.frames.shrink_to(wanted);
        }
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

/// The socket as tungstenite wants it: what is not ready would block.
struct Stream<'a, 'b> {
    socket: &'a mut Socket,
    outgoing: &'a mut Outgoing,
    begun: &'a mut Vec<u8>,
    task: &'a mut Context<'b>,
    now: Micros,
    /// Bytes that were read.
    read: usize,
}

impl Read for Stream<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = if self.begun.is_empty() {
            blocking(self.socket.poll_read(self.task, buffer, self.now))?
        } else {
            let read = self.begun.len().min(buffer.len());
            self.begun.drain(..read).zip(buffer).for_each(|(begun, byte)| *byte = begun);
            read
        };
        self.read += read;
        Ok(read)
    }
}

impl Write for Stream<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.outgoing.is_split {
            blocking(self.outgoing.poll_write(self.socket, self.task))?;
        }
        let written = blocking(self.socket.poll_write(self.task, bytes))?;
        self.outgoing.is_split = written < bytes.len();
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        blocking(self.socket.poll_flush(self.task))
    }
}

fn blocking<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

fn pending<T>(result: Result<T, Error>) -> Poll<Result<T, Error>> {
    match result {
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}

/// Unmasks the frame at the beginning of some bytes, if it is short, binary, whole, and not a part of a
/// message (RFC 6455, section 5.2): the length of its payload, and what follows. Of others it says nothing.
fn unmask_plain<'a>(bytes: &'a [u8], payload: &mut [u8; MAX_SHORT_BYTES]) -> Option<(usize, &'a [u8])> {
    let ([BINARY_AND_FINAL, length, mask @ ..], rest) = bytes.split_first_chunk::<6>()? else { return None };
    let length = usize::from(length.checked_sub(MASKED)?);
    let payload = payload.get_mut(..length)?;
    let (masked, rest) = rest.split_at_checked(length)?;
    for ((byte, masked), mask) in payload.iter_mut().zip(masked).zip(mask.iter().cycle()) {
        *byte = masked ^ mask;
    }
    Some((length, rest))
}

/// Puts the header of a binary frame in front of its payload, which stands behind [`HEADROOM`] bytes; none if
/// its header takes more.
fn frame_in_place(bytes: &mut [u8]) -> Option<&[u8]> {
    let length = bytes.len() - HEADROOM;
    let (start, header) = if length <= MAX_SHORT_BYTES {
        (2, [0, 0, BINARY_AND_FINAL, length as u8])
    } else {
        let [high, low] = u16::try_from(length).ok()?.to_be_bytes();
        (0, [BINARY_AND_FINAL, LENGTH_FOLLOWS, high, low])
    };
    bytes[..HEADROOM].copy_from_slice(&header);
    Some(&bytes[start..])
}

/// The second byte of a frame whose length is in the two after it.
const LENGTH_FOLLOWS: u8 = 126;

/// The first byte of a frame that is a whole binary message without extensions.
const BINARY_AND_FINAL: u8 = 0x82;

/// The bit of the second byte that says that the payload is masked, as that of a client must be.
const MASKED: u8 = 0x80;

/// The longest payload whose length is in the second byte.
const MAX_SHORT_BYTES: usize = 125;

/// The bytes of a client's frame with so long a payload, at least: there are longer ways to write a length,
/// and a message may come in several frames.
fn frame_bytes(payload: usize) -> usize {
    let length_bytes = match payload {
        0..126 => 0,
        126..65_536 => 2,
        _ => 8,
    };
    2 + length_bytes + MASK_BYTES + payload
}

const MASK_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::limit::TokenBucket;
    use parking_lot::Mutex;
    use std::collections::VecDeque;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::Waker;
    use tickwire_protocol::determinism::SimRng;
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
    use tungstenite::protocol::frame::Frame;
    use tungstenite::protocol::frame::coding::CloseCode;

    /// A network that passes a part of what there is, and often nothing.
    struct Network {
        random: SimRng,
        /// The most bytes that it passes at a time.
        most: u32,
        to_server: VecDeque<u8>,
        to_client: VecDeque<u8>,
    }

    impl Network {
        fn passing(&mut self, wanted: usize) -> usize {
            let most = if self.random.chance(0.5) { 10 } else { self.most };
            if self.random.chance(0.3) { 0 } else { wanted.min(self.random.u32_in(1, most) as usize) }
        }
    }

    /// The server's end of it.
    #[derive(Clone)]
    struct Trickle(Arc<Mutex<Network>>);

    impl AsyncRead for Trickle {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let network = &mut *self.0.lock();
            let passing = network.passing(network.to_server.len().min(buffer.remaining()));
            network.to_server.drain(..passing).for_each(|byte| buffer.put_slice(&[byte]));
            if passing > 0 { Poll::Ready(Ok(())) } else { Poll::Pending }
        }
    }

    impl AsyncWrite for Trickle {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let network = &mut *self.0.lock();
            let passing = network.passing(bytes.len());
            network.to_client.extend(&bytes[..passing]);
            if passing > 0 { Poll::Ready(Ok(passing)) } else { Poll::Pending }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// The client's end.
    impl Read for Network {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.to_client.read(buffer)? {
                0 => Err(io::ErrorKind::WouldBlock.into()),
                read => Ok(read),
            }
        }
    }

    impl Write for Network {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.to_server.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn payload(number: u8) -> Vec<u8> {
        vec![number; 3 * usize::from(number)]
    }

    /// Writes a message of a client in two frames.
    fn write_parts(client: &mut WebSocketContext, network: &mut Network, message: &[u8]) {
        let (begin, rest) = message.split_at(message.len() / 2);
        let begin = Frame::message(begin.to_vec(), OpCode::Data(Data::Binary), false);
        let rest = Frame::message(rest.to_vec(), OpCode::Data(Data::Continue), true);
        for frame in [begin, rest] {
            client.write(network, Message::Frame(frame)).expect("memory takes it");
        }
    }

    /// Both ends send numbered messages over a network that splits whatever it can, while the client pings:
    /// each message must come out whole and in its order, and the close after all of them. Says how many came
    /// out as plain ones.
    fn converse(seed: u64) -> usize {
        let network =
            Network { random: SimRng::from_u64(seed), most: 500, to_server: [].into(), to_client: [].into() };
        let network = Arc::new(Mutex::new(network));
        let limit = TokenBucket::new(1_000_000, 5, Micros(0));
        let socket = Socket::wrapped(Box::new(Trickle(Arc::clone(&network))), limit);
        let mut server = WebSocket::new(socket, Vec::new(), MonotonicClock::start());
        let mut client = WebSocketContext::new(Role::Client, None);
        let mut task = Context::from_waker(Waker::noop());
        let mut random = SimRng::from_u64(!seed);
        let (mut said, mut told) = (0, 0);
        let (mut heard, mut plain, mut read, mut pongs) = (0, 0, 0, 0);
        let mut close = Some(CloseFrame { code: CloseCode::Normal, reason: "done".into() });
        let reason = loop {
            {
                let network = &mut *network.lock();
                if said < 100 && random.chance(0.2) {
                    // After a message in parts nothing counts as plain: of how many is not known.
                    if seed % 2 == 1 && random.chance(0.2) {
                        write_parts(&mut client, network, &payload(said));
                    } else {
                        let message = Message::Binary(payload(said).into());
                        client.write(network, message).expect("memory takes it");
                    }
                    said += 1;
                }
                if said < 100 && random.chance(0.1) {
                    client.write(network, Message::Ping(vec![7; 20].into())).expect("memory takes it");
                }
                client.flush(network).expect("memory takes it");
                match pending(client.read(network)) {
                    Poll::Ready(Ok(Message::Binary(bytes))) => {
                        assert_eq!(bytes, payload(read));
                        read += 1;
                    }
                    Poll::Ready(Ok(Message::Close(frame))) => break frame.expect("it says why").code,
                    Poll::Ready(Ok(_)) => pongs += 1,
                    Poll::Ready(Err(error)) => panic!("the frames are not whole: {error}"),
                    Poll::Pending => {}
                }
            }
            if told == 100 && heard == 100 {
                let _ = server.poll_close(&mut close, &mut task);
                continue;
            }
            if told < 100 && random.chance(0.2) {
                if random.chance(0.5) {
                    server.send(&payload(told));
                } else {
                    let mut bytes = [&[0; HEADROOM], &payload(told)[..]].concat();
                    let _ = server.poll_send(&mut task, &mut bytes);
                }
                told += 1;
            }
            let _ = server.poll_flush(&mut task);
            let mut room = random.u32_in(0, 3);
            let taken = server.poll_plain(&mut task, Micros(0), |bytes| {
                let has_room = room > 0;
                if has_room {
                    assert_eq!(bytes, payload(heard));
                    (heard, plain, room) = (heard + 1, plain + 1, room - 1);
                }
                has_room
            });
            taken.expect("the network does not break");
            if random.chance(0.5)
                && let Poll::Ready(message) = server.poll_next(&mut task, Micros(0))
                && let Message::Binary(bytes) = message.expect("the client's frames are whole")
            {
                assert_eq!(bytes, payload(heard));
                heard += 1;
            }
        };
        assert_eq!((said, heard, told, read, reason), (100, 100, 100, 100, CloseCode::Normal));
        assert!(pongs > 0, "pings are answered meanwhile");
        plain
    }

    #[test]
    fn a_header_in_place_is_the_one_of_the_format() {
        let mut headers = Vec::new();
        for length in [0, 1, 125, 126, 65_535] {
            let header = FrameHeader { opcode: OpCode::Data(Data::Binary), ..FrameHeader::default() };
            headers.clear();
            header.format(length, &mut headers).expect("memory takes what is written to it");
            let mut bytes = vec![7; HEADROOM + length as usize];
            let payload = bytes[HEADROOM..].to_vec();
            assert_eq!(frame_in_place(&mut bytes), Some(&[&headers[..], &payload].concat()[..]), "{length}");
        }
        assert_eq!(frame_in_place(&mut [7; HEADROOM + 65_536]), None, "its header is longer");
    }

    #[test]
    fn no_frame_begins_within_another() {
        let plain: usize = (0..30).map(converse).sum();
        assert!((100..2000).contains(&plain), "{plain} of 3000");
    }

    /// Who refuses a client reads nothing more from it, and must not wait for ever behind half a pong.
    #[test]
    fn a_flush_finishes_the_pong_that_was_begun() {
        let network =
            Network { random: SimRng::from_u64(5), most: 10, to_server: [].into(), to_client: [].into() };
        let network = Arc::new(Mutex::new(network));
        let limit = TokenBucket::new(1_000_000, 5, Micros(0));
        let socket = Socket::wrapped(Box::new(Trickle(Arc::clone(&network))), limit);
        let mut server = WebSocket::new(socket, Vec::new(), MonotonicClock::start());
        let mut client = WebSocketContext::new(Role::Client, None);
        client.write(&mut *network.lock(), Message::Ping(vec![7; 100].into())).expect("memory takes it");
        client.flush(&mut *network.lock()).expect("memory takes it");
        let mut task = Context::from_waker(Waker::noop());
        while !server.outgoing.is_split {
            let _ = server.poll_next(&mut task, Micros(0));
        }
        server.send(b"refused");
        let flushed = (0..1000).any(|_| server.poll_flush(&mut task).is_ready());
        assert!(flushed, "nothing was read meanwhile");
        let network = &mut *network.lock();
        assert_eq!(client.read(network).expect("it came whole"), Message::Pong(vec![7; 100].into()));
        assert_eq!(client.read(network).expect("it came whole"), Message::Binary("refused".into()));
    }
}
