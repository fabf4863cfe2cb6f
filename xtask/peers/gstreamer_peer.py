"""GStreamer's webrtcbin as a peer: what it decodes it encodes again and sends back (`--echo`), or it
tells which keys of a telephone it hears, and for how long (`--keys`, which offers: an answer of
webrtcbin has one codec alone)."""

import argparse
import json
import sys
import threading
import time
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

EXIT = {"ok": 0, "failed": 1, "connection-failed": 3, "timeout": 4}
SILENCE = 2.0
# Where the offer says nothing else.
PAYLOAD_TYPES = {"opus": 111, "PCMU": 0, "VP8": 96}
CAPS = {
    "opus": "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload={}",
    "PCMU": "application/x-rtp,media=audio,encoding-name=PCMU,clock-rate=8000,payload={}",
    "VP8": "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload={}",
}
DECODE = {
    "OPUS": "rtpopusdepay ! opusdec ! audioconvert ! audioresample",
    "PCMU": "rtppcmudepay ! mulawdec ! audioconvert ! audioresample",
    "VP8": "rtpvp8depay ! vp8dec ! videoconvert",
}
# Telephone events have the clock of the sound that is offered or taken.
EVENTS = "application/x-rtp,media=audio,encoding-name=TELEPHONE-EVENT,clock-rate={},payload={}"
EVENT_TYPES = {48000: 110, 8000: 126}
KEY_TONES = "0123456789*#ABCD"
ENCODE = {
    "OPUS": "opusenc ! rtpopuspay pt={pt}",
    "PCMU": "mulawenc ! rtppcmupay pt={pt}",
    "VP8": "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=60 target-bitrate=800000 ! rtpvp8pay pt={pt} picture-id-mode=15-bit",
}


def flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("--signal", "--name", "--remote"):
        parser.add_argument(name, required=True)
    role = parser.add_mutually_exclusive_group(required=True)
    role.add_argument("--offer", action="store_true")
    role.add_argument("--answer", action="store_true")
    for name in ("--audio", "--video", "--json", "--loopback"):
        parser.add_argument(name, action="store_true")
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--echo", action="store_true")
    task.add_argument("--keys", action="store_true")
    parser.add_argument("--codec", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=60)
    return parser.parse_args()


class Session:
    """One pipeline with one webrtcbin. Everything of WebRTC happens on GLib's main loop."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.started = time.monotonic()
        self.result = None
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline.new()
        self.webrtc = Gst.ElementFactory.make("webrtcbin")
        self.pipeline.add(self.webrtc)
        # A pad that sends exists before its media, which comes with the other side's.
        self.echoes: dict = {}
        self.heard = None
        self.keys: list = []
        self.kept: list = []

    def run(self) -> str:
        agent = self.webrtc.get_property("ice-agent")
        agent.emit("add-local-ip-address", "127.0.0.1")
        self.kept.append(agent)
        self.webrtc.connect("pad-added", self.on_pad)
        self.webrtc.connect("notify::ice-gathering-state", self.on_gathering)
        self.webrtc.connect("notify::connection-state", self.on_state)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.on_error)
        # In the thread of the sound, so that each key comes before its samples.
        bus.enable_sync_message_emission()
        bus.connect("sync-message::element", self.on_key)
        self.pipeline.set_state(Gst.State.PLAYING)
        threading.Thread(target=self.exchange, daemon=True).start()
        GLib.timeout_add(int(self.options.seconds * 1000), self.end, "timeout", "time is over")
        GLib.timeout_add(100, self.watch)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        return self.result

    def exchange(self) -> None:
        """Waits for what the other side says; its own thread, since these requests block."""
        try:
            if self.options.offer:
                GLib.idle_add(self.offer)
            message = None
            while not message:
                message = request(f"{self.options.signal}/q/{self.options.name}", None)
            GLib.idle_add(self.on_description, json.loads(message))
        except Exception as error:  # noqa: BLE001 whatever it is ends the session
            GLib.idle_add(self.end, "failed", repr(error))

    def offer(self) -> None:
        for codec in self.options.codec:
            if self.options.keys:
                self.receive(codec)
            else:
                self.add_echo(codec.upper(), PAYLOAD_TYPES[codec], CAPS[codec])
        self.make("offer")

    def receive(self, codec: str) -> None:
        """A section that receives sound and keys."""
        rate = 48000 if codec == "opus" else 8000
        caps = [CAPS[codec].format(PAYLOAD_TYPES[codec]), EVENTS.format(rate, EVENT_TYPES[rate])]
        caps = Gst.Caps.from_string("; ".join(caps))
        direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        self.kept.append(self.webrtc.emit("add-transceiver", direction, caps))

    def on_description(self, message: dict) -> None:
        _, sdp = GstSdp.SDPMessage.new_from_text(message["sdp"])
        kind = GstWebRTC.WebRTCSDPType.OFFER if message["type"] == "offer" else GstWebRTC.WebRTCSDPType.ANSWER
        description = GstWebRTC.WebRTCSessionDescription.new(kind, sdp)

        def answer() -> None:
            self.answer_in_kind(GstSdp.SDPMessage.new_from_text(message["sdp"])[1])
            self.make("answer")

        def done(*_) -> None:
            if message["type"] == "offer":
                GLib.idle_add(answer)

        promise = Gst.Promise.new_with_change_func(done)
        self.kept += [promise, description]
        self.webrtc.emit("set-remote-description", description, promise)

    def answer_in_kind(self, sdp) -> None:
        """The first codec of each m-section, with the offer's payload type, is what is sent back."""
        for index in range(sdp.medias_len()):
            media = sdp.get_media(index)
            for at in range(media.formats_len()):
                number = int(media.get_format(at))
                name = media.get_caps_from_media(number).get_structure(0).get_string("encoding-name").upper()
                if name in DECODE:
                    codec = next(it for it in CAPS if it.upper() == name)
                    self.add_echo(name, number, CAPS[codec])
                    break

    def add_echo(self, name: str, number: int, caps: str) -> None:
        """A sending pad, fed with what is decoded of the other side's."""
        convert = "videoconvert" if name == "VP8" else "audioconvert ! audioresample"
        elements = [
            "appsrc name=from is-live=true format=time do-timestamp=true",
            "queue",
            convert,
            ENCODE[name].format(pt=number),
            f'capsfilter caps="{caps.format(number)}"',
        ]
        encoder = Gst.parse_bin_from_description(" ! ".join(elements), True)
        self.pipeline.add(encoder)
        pad = self.webrtc.request_pad_simple("sink_%u")
        encoder.get_static_pad("src").link(pad)
        encoder.sync_state_with_parent()
        self.echoes[name] = encoder.get_by_name("from")

    def on_pad(self, _, pad) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        caps = pad.get_current_caps() or pad.query_caps(None)
        structure = caps.get_structure(0)
        name = structure.get_string("encoding-name").upper()
        self.line("track", kind=structure.get_string("media"), id=pad.get_name())
        if name == "TELEPHONE-EVENT":
            return self.hear_keys(pad)
        if name not in DECODE:
            return
        decoder = Gst.parse_bin_from_description(
            f"queue ! {DECODE[name]} ! appsink name=to emit-signals=true sync=false max-buffers=8 drop=true", True
        )
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))
        decoder.get_by_name("to").connect("new-sample", self.on_sample, name)

    def hear_keys(self, pad) -> None:
        sound = Gst.parse_bin_from_description("queue ! rtpdtmfdepay ! appsink name=to emit-signals=true sync=false", True)
        self.pipeline.add(sound)
        sound.sync_state_with_parent()
        pad.link(sound.get_static_pad("sink"))
        sound.get_by_name("to").connect("new-sample", self.on_tone)

    def on_key(self, _, message) -> None:
        """The depayloader posts one message a segment of an event, before it makes the sound of it."""
        structure = message.get_structure()
        if structure.get_name() == "dtmf-event":
            fields = {name: structure.get_value(name) for name in ("number", "volume")}
            self.keys.append({**fields, "seconds": 0.0})

    def on_tone(self, sink):
        sample = sink.emit("pull-sample")
        self.heard = time.monotonic()
        rate = sample.get_caps().get_structure(0).get_int("rate")[1]
        self.keys[-1]["seconds"] += sample.get_buffer().get_size() / 2 / rate
        return Gst.FlowReturn.OK

    def on_sample(self, sink, name: str):
        sample = sink.emit("pull-sample")
        self.heard = time.monotonic()
        source = self.echoes.get(name)
        if source is not None:
            source.set_property("caps", sample.get_caps())
            buffer = sample.get_buffer().copy()
            buffer.pts = buffer.dts = Gst.CLOCK_TIME_NONE
            source.emit("push-buffer", buffer)
        return Gst.FlowReturn.OK

    def watch(self) -> bool:
        """webrtcbin does not tell that the other side has closed: its media ends."""
        if self.heard is not None and time.monotonic() - self.heard > SILENCE:
            return self.end("ok", "")
        return True

    def make(self, kind: str) -> None:
        def made(promise, *_) -> None:
            reply = promise.get_reply()
            description = reply.get_value(kind)
            # The description is a part of the reply, which goes with its wrapper.
            self.kept += [promise, reply, description]
            done = Gst.Promise.new()
            self.kept.append(done)
            self.webrtc.emit("set-local-description", description, done)

        promise = Gst.Promise.new_with_change_func(made)
        self.kept.append(promise)
        self.webrtc.emit(f"create-{kind}", None, promise)

    def on_gathering(self, *_) -> None:
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        local = self.webrtc.get_property("local-description")
        if self.webrtc.get_property("ice-gathering-state") != complete or local is None:
            return
        kind = "offer" if self.options.offer else "answer"
        body = json.dumps({"type": kind, "sdp": local.sdp.as_text()}).encode()
        threading.Thread(
            target=request, args=(f"{self.options.signal}/q/{self.options.remote}", body), daemon=True
        ).start()

    def on_state(self, *_) -> None:
        state = self.webrtc.get_property("connection-state").value_nick
        self.line("state", connection=state)
        if state == "failed":
            GLib.idle_add(self.end, "connection-failed", "")
        elif state == "closed":
            GLib.idle_add(self.end, "ok", "")

    def on_error(self, _, message) -> None:
        error, debug = message.parse_error()
        self.end("failed", f"{error}: {debug}")

    def end(self, result: str, what: str) -> bool:
        if self.result is None:
            if what:
                self.line("error", what=what)
            for key in self.keys:
                ms = round(key["seconds"] * 1000)
                self.line("key", tone=KEY_TONES[key["number"]], volume=key["volume"], duration=ms)
            self.result = result
            self.loop.quit()
        return False

    def line(self, event: str, **fields) -> None:
        write_line({"event": event, "ms": self.ms(), **fields})

    def ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)


def request(url: str, body) -> bytes:
    """GET without a body, else POST."""
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as answer:
        return answer.read()


def write_line(line: dict) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Gst.init(None)
    session = Session(flags())
    result = session.run()
    write_line({"event": "end", "ms": session.ms(), "result": result})
    sys.stdout.flush()
    sys.exit(EXIT[result])
