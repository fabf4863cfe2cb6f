"""aiortc as a peer: the flags and lines of docs/interop.md."""

import argparse
import asyncio
import json
import logging
import os
import sys
import time
import urllib.error
import urllib.request

import aioice.ice
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription

HIGH_WATER = 1024 * 1024
LINGER = 1.0
AFTER_CHANNEL_CLOSE = 0.5
EXIT = {"ok": 0, "failed": 1, "connection-failed": 3, "timeout": 4}
KINDS = ["text", "binary", "emptyText", "emptyBinary"]

# It leaves the loopback out otherwise.
aioice.ice.get_host_addresses = lambda use_ipv4=True, use_ipv6=True: ["127.0.0.1"]


def flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("--signal", "--name", "--remote"):
        parser.add_argument(name, required=True)
    role = parser.add_mutually_exclusive_group(required=True)
    role.add_argument("--offer", action="store_true")
    role.add_argument("--answer", action="store_true")
    parser.add_argument("--data")
    for name in ("--audio", "--video"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--codec", action="append", default=[])
    parser.add_argument("--protocol", default="")
    for name in ("--negotiated", "--max-retransmits", "--max-packet-life-time", "--count"):
        parser.add_argument(name, type=int)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--channels", type=int)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--close", choices=["channel", "connection"])
    for name in ("--unordered", "--echo", "--json", "--loopback"):
        parser.add_argument(name, action="store_true")
    return parser.parse_args()


class Session:
    """One peer connection that follows the flags. `run` gives its result."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.started = time.monotonic()
        self.sent = counters()
        self.received = counters()
        self.live: set = set()
        self.sending = None
        self.expected: list = []
        self.sending_over = False
        self.is_done = False
        self.over = False
        self.tasks: list = []

    async def run(self) -> str:
        self.pc = RTCPeerConnection()
        self.finished: asyncio.Future = asyncio.get_running_loop().create_future()
        self.pc.on("connectionstatechange", self.on_state)
        self.pc.on("datachannel", self.on_data_channel)
        self.pc.on("track", self.on_track)
        self.spawn(self.negotiate(), "negotiation")
        try:
            result = await asyncio.wait_for(self.finished, self.options.seconds)
        except asyncio.TimeoutError:
            self.end("timeout", f"not over after {self.options.seconds} s")
            result = "timeout"
        await self.pc.close()
        return result

    async def negotiate(self) -> None:
        if self.options.offer:
            self.create_channel()
            self.add_transceivers()
            await self.pc.setLocalDescription(await self.pc.createOffer())
        else:
            await self.pc.setRemoteDescription(await self.take())
            self.create_channel()
            await self.pc.setLocalDescription(await self.pc.createAnswer())
        local = self.pc.localDescription
        await self.put({"type": local.type, "sdp": local.sdp})
        if self.options.offer:
            await self.pc.setRemoteDescription(await self.take())
        if self.options.channels is None:
            self.options.channels = 0 if self.pc.sctp is None else 1
        if self.options.channels == 0:
            self.done()

    def add_transceivers(self) -> None:
        """What is offered of media is an echo: the track that comes is sent back (on_track)."""
        for kind in ("audio", "video"):
            if not getattr(self.options, kind):
                continue
            transceiver = self.pc.addTransceiver(kind)
            names = [name.lower() for name in self.options.codec]
            every = RTCRtpSender.getCapabilities(kind).codecs
            wanted = [it for it in every if it.name.lower() in names]
            transceiver.setCodecPreferences(wanted)

    def on_track(self, track) -> None:
        self.line("track", kind=track.kind, id=track.id)
        if not self.options.echo:
            return
        transceiver = next(it for it in self.pc.getTransceivers() if it.receiver.track is track)
        transceiver.sender.replaceTrack(track)
        transceiver.direction = "sendrecv"

    def create_channel(self) -> None:
        options = self.options
        if options.data is None:
            return
        channel = self.pc.createDataChannel(
            options.data,
            maxPacketLifeTime=options.max_packet_life_time,
            maxRetransmits=options.max_retransmits,
            ordered=not options.unordered,
            protocol=options.protocol,
            negotiated=options.negotiated is not None,
            id=options.negotiated,
        )
        self.adopt(channel, "created")

    def on_data_channel(self, channel) -> None:
        self.line("datachannel", **describe(channel))
        self.adopt(channel, "accepted")

    def adopt(self, channel, origin: str) -> None:
        wants = self.options.count is not None or self.options.close == "channel"
        mine = origin == "created" or self.options.data is None
        if wants and mine and self.sending is None:
            self.sending = channel
        channel.on("message", lambda message: self.on_message(channel, message))
        channel.on("close", lambda: self.on_close(channel))
        channel.on("open", lambda: self.on_open(channel, origin))
        if channel.readyState == "open":
            self.on_open(channel, origin)

    def on_open(self, channel, origin: str) -> None:
        if channel in self.live:
            return
        self.live.add(channel)
        self.line("open", **describe(channel), origin=origin)
        if len(self.live) != self.options.channels:
            return
        if self.options.count is None:
            self.done()
        else:
            self.spawn(self.send_all(), "send")

    async def send_all(self) -> None:
        for i in range(self.options.count):
            message = compose(i, self.options.size)
            self.expected.append(message)
            await self.send(self.sending, message)
        self.sending_over = True
        self.check_echoes()

    async def send(self, channel, message) -> None:
        while channel.bufferedAmount > HIGH_WATER:
            await asyncio.sleep(0.005)
        if channel.readyState == "open":
            channel.send(message)
            tally(self.sent, message)

    def on_message(self, channel, message) -> None:
        tally(self.received, message)
        if channel is self.sending and self.options.count is not None:
            if not self.matches(message):
                due = summary(self.expected[0]) if self.expected else "nothing"
                self.end("failed", f"an echo that was not sent: {summary(message)}, due: {due}")
            self.check_echoes()
        elif self.options.echo:
            self.spawn(self.send(channel, message), "echo")

    def matches(self, message) -> bool:
        """Takes the sent message that `message` echoes: the oldest, or any when unordered."""
        candidates = self.expected[:1] if self.sending.ordered else self.expected
        found = any(type(sent) is type(message) and sent == message for sent in candidates)
        if found:
            self.expected.remove(message)
        return found

    def check_echoes(self) -> None:
        if self.sending_over and not self.expected:
            self.done()

    def done(self) -> None:
        if self.is_done:
            return
        self.is_done = True
        self.line("done")
        if self.options.close == "connection":
            self.end("ok")
        elif self.options.close == "channel":
            self.sending.close()

    def on_close(self, channel) -> None:
        self.live.discard(channel)
        self.line("close", label=channel.label, id=channel.id, connection=self.pc.connectionState)
        if not self.is_done:
            self.end("failed", f'the channel "{channel.label}" closed before the end')
        elif self.options.close == "channel" and channel is self.sending:
            asyncio.get_running_loop().call_later(AFTER_CHANNEL_CLOSE, self.end, "ok")
        elif not self.live:
            self.spawn(self.linger(), "linger")

    async def linger(self) -> None:
        deadline = time.monotonic() + LINGER
        while self.pc.connectionState == "connected" and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        self.end("ok")

    def on_state(self) -> None:
        connection = self.pc.connectionState
        self.line("state", connection=connection)
        if connection in ("failed", "closed") and not self.is_done and not self.live:
            self.end("connection-failed")
        elif connection == "closed" and self.is_done and self.options.channels == 0:
            self.end("ok")

    def spawn(self, work, what: str) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 whatever it is ends the session
                self.end("failed", f"{what}: {error!r}")

        self.tasks.append(asyncio.ensure_future(guarded()))

    def end(self, result: str, what: str = "") -> None:
        if self.over:
            return
        if what:
            self.line("error", what=what)
        self.over = True
        if not self.finished.done():
            self.finished.set_result(result)

    async def put(self, description: dict) -> None:
        url = f"{self.options.signal}/q/{self.options.remote}"
        await asyncio.to_thread(request, url, json.dumps(description).encode())

    async def take(self) -> RTCSessionDescription:
        url = f"{self.options.signal}/q/{self.options.name}"
        while True:
            body = await asyncio.to_thread(request, url, None)
            if body:
                return RTCSessionDescription(**json.loads(body))

    def line(self, event: str, **fields) -> None:
        if not self.over:
            write_line({"event": event, "ms": self.ms(), **fields})

    def ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)


def describe(channel) -> dict:
    names = "label id ordered maxRetransmits maxPacketLifeTime protocol negotiated"
    return {name: getattr(channel, name) for name in names.split()}


def compose(i: int, size: int):
    """Message `i` of a script: text, binary, empty text, empty binary, and again."""
    kind = KINDS[i % 4]
    if kind == "text":
        return "".join(chr(97 + (i + j) % 26) for j in range(size))
    if kind == "binary":
        return bytes((i + j) % 256 for j in range(size))
    return "" if kind == "emptyText" else b""


def counters() -> dict:
    return {**dict.fromkeys(KINDS, 0), "bytes": 0}


def tally(into: dict, message) -> None:
    text = isinstance(message, str)
    length = len(message.encode() if text else message)
    into[KINDS[(0 if text else 1) + (2 if length == 0 else 0)]] += 1
    into["bytes"] += length


def summary(message) -> str:
    return f"{'text' if isinstance(message, str) else 'binary'} of {len(message)}"


def request(url: str, body) -> bytes:
    """GET without a body, else POST."""
    with urllib.request.urlopen(url, data=body, timeout=60) as answer:
        return answer.read()


def write_line(line: dict) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def main() -> int:
    session = Session(flags())
    result = await session.run()
    counts = {"sent": session.sent, "received": session.received}
    write_line({"event": "end", "ms": session.ms(), "result": result, **counts})
    return EXIT[result]


if __name__ == "__main__":
    if os.environ.get("INTEROP_VERBOSE"):
        logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    code = asyncio.run(main())
    sys.stdout.flush()
    # A mailbox request still under way in its thread must not hold the process.
    os._exit(code)
