// What the bridge has in every page: peer connections by name, each with one ordered log of all
// that happens to it, fake tracks, and conditions to wait for. The functions of `library` are in
// scope in every script that the bridge evaluates, beside `arg`.

import { listen as listenTo, variants } from './keys.js';
import { drawClock, readClock } from './media_clock.js';

const CONNECTION = {
  signalingstatechange: 'signalingState',
  icegatheringstatechange: 'iceGatheringState',
  iceconnectionstatechange: 'iceConnectionState',
  connectionstatechange: 'connectionState',
};
const NOTHING_SEEN = { frames: 0, unreadable: 0, longest: 0, back: 0, still: 0, stuck: 0 };
const PATIENCE_MS = 15000;
const POLL_MS = 50;

const AsyncFunction = (async () => {}).constructor;
const started = performance.now();
const peers = new Map();
const streams = new Map();
const watched = new WeakSet();
let pushed = 0;
let changed = () => {};

const library = {
  /** A new connection called `name`; everything that happens to it is logged and pushed. */
  create(name, configuration) {
    if (peers.has(name)) throw new Error(`there is a connection ${name} already`);
    const connection = new RTCPeerConnection(configuration);
    const peer = { name, connection, log: [], channels: [] };
    peers.set(name, peer);
    watchConnection(peer);
    return connection;
  },

  /** The RTCPeerConnection called `name`. */
  pc: (name) => peerOf(name).connection,

  /** The log of `name`: every entry has `pc`, `event` and `ms`. */
  log: (name) => peerOf(name).log,

  /** Writes an entry of the script's own into the log of `name`. */
  note: (name, event, fields) => tell(peerOf(name), event, fields),

  /** Closes the connection and forgets it. */
  remove(name) {
    library.pc(name).close();
    peers.delete(name);
  },

  /** A fresh fake track: `audio` or `video`. */
  async fake(kind) {
    const stream = await navigator.mediaDevices.getUserMedia({ [kind]: true });
    return stream.getTracks()[0];
  },

  /** The MediaStream that this page calls `label`, empty at first. */
  stream(label) {
    if (!streams.has(label)) streams.set(label, new MediaStream());
    return streams.get(label);
  },

  /** addTrack of a fake track, in the streams of these labels. */
  async addFakeTrack(name, kind, labels = ['main']) {
    const [track, into] = await fakeIn(kind, labels);
    return sent(name, library.pc(name).addTrack(track, ...into), into);
  },

  /** addTransceiver with a fake track; `init` as in the W3C interface, its streams as labels. */
  async addFakeTransceiver(name, kind, { streams: labels = [], ...init } = {}) {
    const [track, into] = await fakeIn(kind, labels);
    const { sender } = library.pc(name).addTransceiver(track, { ...init, streams: into });
    return sent(name, sender, into);
  },

  /** addTransceiver with a `clockTrack`, in these encodings. */
  addClock(name, { sendEncodings, ...init }) {
    const transceiver = library.pc(name).addTransceiver(library.clockTrack(init), { direction: 'sendonly', sendEncodings });
    return { transceiver };
  },

  /** A clock that is drawn: a camera whose pictures can be told apart. */
  clockTrack({ width, height, frameRate }) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    document.body.append(canvas);
    const context = canvas.getContext('2d');
    const draw = () => {
      const now = performance.now();
      context.fillStyle = `hsl(${(now / 40) % 360} 60% 50%)`;
      context.fillRect(0, 0, width, height);
      context.fillStyle = '#fff';
      context.fillRect((now / 5) % width, 0, width / 8, height / 2);
      drawClock(context, now, width, height);
    };
    draw();
    setInterval(draw, 1000 / frameRate);
    return canvas.captureStream(frameRate).getTracks()[0];
  },

  /** This codec alone, and what retransmits it. */
  preferCodec(transceiver, mimeType) {
    const fits = (it) => [mimeType, 'video/rtx'].includes(it.mimeType);
    transceiver.setCodecPreferences(RTCRtpReceiver.getCapabilities('video').codecs.filter(fits));
  },

  /** Shows the picture that is received, and looks at every one of it: see `watched` and `runs`. */
  watch(name) {
    const { track } = library.pc(name).getReceivers().find((it) => it.track.kind === 'video');
    const video = document.createElement('video');
    Object.assign(video, { muted: true, autoplay: true, srcObject: new MediaStream([track]) });
    document.body.append(video);
    const seen = (peerOf(name).seen = { ...NOTHING_SEEN, at: null, clock: null, sizes: [], decoded: 0 });
    const look = (at, { width, height }) => {
      const clock = clockOf(video, 480);
      seen.frames += 1;
      if (seen.at !== null) seen.longest = Math.max(seen.longest, at - seen.at);
      if (clock === null) seen.unreadable += 1;
      else if (seen.clock !== null) seen.back = Math.max(seen.back, seen.clock - clock);
      seen.at = at;
      seen.clock = clock ?? seen.clock;
      seen.sizes.push([width, height, clock]);
      if (seen.sizes.length > 100) seen.sizes.shift();
      changed();
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    const count = async () => {
      const { framesDecoded } = await pictureStats(name);
      seen.still = framesDecoded > seen.decoded ? 0 : seen.still + 1;
      seen.stuck = Math.max(seen.stuck, seen.still);
      seen.decoded = framesDecoded;
      setTimeout(count, 500);
    };
    count();
  },

  /** Resolves when pictures of this size are shown, one after the other, whose clock runs. */
  async runs(name, width, height, ms) {
    const { seen } = peerOf(name);
    seen.sizes.length = 0;
    const shows = () => {
      const last = seen.sizes.slice(-3);
      const fits = last.length === 3 && last.every(([w, h, clock]) => w === width && h === height && clock !== null);
      return fits && last[2][2] > last[0][2];
    };
    await library.until(shows, `${width}×${height}`, ms).catch(async (error) => {
      const { framesDecoded, frameWidth, frameHeight, keyFramesDecoded, packetsReceived, pliCount, nackCount } = await pictureStats(name);
      const stats = JSON.stringify({ framesDecoded, frameWidth, frameHeight, keyFramesDecoded, packetsReceived, pliCount, nackCount });
      throw timeout(`${error.message}; the last ${JSON.stringify(seen.sizes.slice(-5))}; ${stats}`);
    });
  },

  /** What was seen since the last call, with what the browser has counted so far. */
  async watched(name) {
    const { seen } = peerOf(name);
    const { frames, unreadable, longest, back, stuck } = seen;
    Object.assign(seen, NOTHING_SEEN);
    const stats = await pictureStats(name);
    return {
      frames, unreadable, longest, back, stuck,
      decoded: stats.framesDecoded, dropped: stats.framesDropped, keyFrames: stats.keyFramesDecoded,
      freezes: stats.freezeCount, nacks: stats.nackCount, plis: stats.pliCount,
    };
  },

  /** What two peers must agree on, and what a script asks most. */
  state: (name) => snapshot(library.pc(name)),

  /** The transports of `name`, each with the mids over it; `data` stands for the data channels. */
  transports: (name) => transportsOf(library.pc(name)),

  /** The data channel of this label, created or accepted; the latest when there are several. */
  channel: (name, label) => peerOf(name).channels.findLast((it) => it.label === label),

  /** Resolves with what `condition` gives once it gives something true. */
  async until(condition, what = String(condition), ms = PATIENCE_MS) {
    for (const deadline = performance.now() + ms; ; ) {
      const value = await condition();
      if (value) return value;
      if (performance.now() > deadline) throw timeout(`not within ${ms} ms: ${what}`);
      await new Promise((resolve) => {
        changed = resolve;
        setTimeout(resolve, POLL_MS);
      });
    }
  },

  /** Resolves with the first entry of the log that matches, from index `from` on. */
  untilLogged: (name, event, from = 0, ms = PATIENCE_MS) =>
    library.until(() => library.log(name).slice(from).find((it) => it.event === event), `${event} of ${name}`, ms),

  /** What a page sees and hears of the tracks that it receives, looked at for `ms`, every `glance` ms. */
  async played(name, ms, glance) {
    const tracks = library.pc(name).getReceivers().map(({ track }) => track);
    const video = document.createElement('video');
    Object.assign(video, { muted: true, autoplay: true, srcObject: new MediaStream(tracks) });
    document.body.append(video);
    const ear = hear(tracks.find((it) => it.kind === 'audio'));
    await library.until(() => video.videoWidth > 0 && video.currentTime > 0, 'a picture is shown');
    const clocks = [];
    let glances = 0;
    for (const end = performance.now() + ms; performance.now() < end; glances += 1) {
      const at = performance.now();
      const clock = clockOf(video);
      if (clock !== null) clocks.push([at, clock]);
      await new Promise((resolve) => setTimeout(resolve, glance));
    }
    const stats = [...(await library.pc(name).getStats()).values()].filter((it) => it.type === 'inbound-rtp');
    const of = (kind) => stats.find((it) => it.kind === kind) ?? {};
    const { videoWidth: width, videoHeight: height } = video;
    video.remove();
    return {
      width, height, clocks, glances,
      decoded: of('video').framesDecoded, energy: of('audio').totalAudioEnergy, frequency: await ear(),
    };
  },

  /**
   * Asks the sender of the first picture for key frames, so many, one each `pause` ms, after as long: a browser that
   * gets a transform may begin to count anew.
   */
  async requestKeyFrames(name, count, pause) {
    const receiver = library.pc(name).getReceivers().find((it) => it.track.kind === 'video');
    const script = `onrtctransform = async ({ transformer }) => {
      transformer.readable.pipeTo(transformer.writable);
      for (let asked = 0; asked < ${count}; asked += 1) {
        await new Promise((resolve) => setTimeout(resolve, ${pause}));
        await transformer.sendKeyFrameRequest();
      }
    }`;
    const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })));
    receiver.transform = new RTCRtpScriptTransform(worker);
  },

  /** Shows the first picture that is received from now on; `shown` looks at it. */
  async show(name) {
    const { track } = library.pc(name).getReceivers().find((it) => it.track.kind === 'video');
    const video = document.createElement('video');
    Object.assign(video, { muted: true, autoplay: true, srcObject: new MediaStream([track]) });
    document.body.append(video);
    peerOf(name).video = video;
    await library.until(() => video.videoWidth > 0, 'a picture is shown');
  },

  /** The clock in the picture, if there is one; how bright the middle row is in the mean and at most: 0 to 255. */
  shown(name) {
    const { video } = peerOf(name);
    const { videoWidth: width, videoHeight: height } = video;
    const context = new OffscreenCanvas(width, 1).getContext('2d');
    context.drawImage(video, 0, height / 2, width, 1, 0, 0, width, 1);
    const { data } = context.getImageData(0, 0, width, 1);
    const green = Array.from({ length: width }, (_, x) => data[4 * x + 1]);
    const mean = green.reduce((sum, it) => sum + it, 0) / width;
    return { mean, most: Math.max(...green), clock: clockOf(video) };
  },

  /** The sender of sound, once its keys can be pressed. */
  async keypad(name) {
    const sender = library.pc(name).getSenders().find((it) => it.dtmf);
    await library.until(() => sender.dtmf.canInsertDTMF, 'keys can be pressed');
    sender.dtmf.ontonechange = null;
    return sender;
  },

  /** Plays a variant of the W3C's "DTMF Example". */
  async playVariant(name, variant) {
    const sender = await library.keypad(name);
    await variants[variant](sender, (key) => library.note(name, 'light', { key }));
  },

  /** Listens for keys in the sound that is received; false where a page has no clock to hear by. */
  async listen(name) {
    const { track } = library.pc(name).getReceivers().find((it) => it.track.kind === 'audio');
    const ear = await listenTo(track);
    peerOf(name).keys = ear.keys;
    return ear.hears;
  },

  /** The keys that were heard, and for how long. */
  keysHeard: (name) => peerOf(name).keys,

  /** W3C webrtc-pc §10.7, "Perfect Negotiation Example"; what is to be sent is pushed as `signal`. */
  perfect(name, polite) {
    const peer = peerOf(name);
    const pc = peer.connection;
    Object.assign(peer, { polite, makingOffer: false, ignoreOffer: false, isSettingRemoteAnswerPending: false });
    pc.onnegotiationneeded = async () => {
      try {
        peer.makingOffer = true;
        await pc.setLocalDescription();
        tell(peer, 'signal', { message: { description: pc.localDescription } });
      } catch (error) {
        tell(peer, 'failed', { what: 'negotiationneeded', error: errorOf(error) });
      } finally {
        peer.makingOffer = false;
      }
    };
    pc.onicecandidate = ({ candidate }) => candidate && tell(peer, 'signal', { message: { candidate } });
  },

  /** The other half of it: takes what the remote's `signal` carried. Rejects as the sample would. */
  async receive(name, { description, candidate }) {
    const peer = peerOf(name);
    const pc = peer.connection;
    if (description) {
      const ready = !peer.makingOffer && (pc.signalingState === 'stable' || peer.isSettingRemoteAnswerPending);
      peer.ignoreOffer = !peer.polite && description.type === 'offer' && !ready;
      if (peer.ignoreOffer) return void tell(peer, 'ignored', { type: 'offer' });
      peer.isSettingRemoteAnswerPending = description.type === 'answer';
      await pc.setRemoteDescription(description).finally(() => (peer.isSettingRemoteAnswerPending = false));
      if (description.type !== 'offer') return;
      await pc.setLocalDescription();
      tell(peer, 'signal', { message: { description: pc.localDescription } });
    } else {
      await pc.addIceCandidate(candidate).catch((error) => {
        if (!peer.ignoreOffer) throw error;
      });
    }
  },
};

/** Evaluates the async body `js`; never rejects. `pushed` says how many events came before the answer. */
window.bridgeEvaluate = async (js, arg) => {
  try {
    const body = new AsyncFunction('arg', ...Object.keys(library), js);
    const value = await body(JSON.parse(arg), ...Object.values(library));
    return { pushed, json: JSON.stringify(value ?? null) ?? 'null' };
  } catch (error) {
    return { pushed, error: errorOf(error) };
  }
};

function peerOf(name) {
  const peer = peers.get(name);
  if (!peer) throw new Error(`there is no connection ${name}`);
  return peer;
}

function tell(peer, event, fields = {}) {
  const entry = { pc: peer.name, event, ms: Math.round(performance.now() - started), ...fields };
  // As JSON at once: what it refers to changes later on.
  const json = JSON.stringify(entry);
  peer.log.push(JSON.parse(json));
  window.bridgePush(pushed, json);
  pushed += 1;
  changed();
}

function watchConnection(peer) {
  const { connection } = peer;
  for (const [event, attribute] of Object.entries(CONNECTION)) {
    listen(connection, event, () => {
      tell(peer, event, { state: connection[attribute] });
      watchObjects(peer);
    });
  }
  listen(connection, 'negotiationneeded', () => tell(peer, 'negotiationneeded'));
  listen(connection, 'icecandidate', ({ candidate }) => tell(peer, 'icecandidate', { candidate }));
  listen(connection, 'icecandidateerror', ({ url, errorCode, errorText }) =>
    tell(peer, 'icecandidateerror', { url, errorCode, errorText }));
  listen(connection, 'datachannel', ({ channel }) => {
    tell(peer, 'datachannel', { channel: channelOf(channel) });
    watchChannel(peer, channel);
  });
  listen(connection, 'track', ({ track, streams, transceiver }) => {
    const { mid, direction, currentDirection } = transceiver;
    tell(peer, 'track', {
      mid, direction, currentDirection, track: trackOf(track), streams: streams.map(streamOf),
    });
    watchTrack(peer, track);
    streams.forEach((stream) => watchStream(peer, stream));
  });
  for (const method of ['addTrack', 'addTransceiver']) {
    after(connection, method, () => watchObjects(peer));
  }
  after(connection, 'createDataChannel', (channel) => watchChannel(peer, channel));
}

/** What hangs on the connection: the tracks of its receivers and its transports. */
function watchObjects(peer) {
  const { connection } = peer;
  for (const { sender, receiver } of connection.getTransceivers()) {
    watchTrack(peer, receiver.track);
    watchDtls(peer, sender.transport);
  }
  const { sctp } = connection;
  watchDtls(peer, sctp?.transport);
  once(sctp, () => listen(sctp, 'statechange', () => tell(peer, 'sctp.statechange', { state: sctp.state })));
}

function watchDtls(peer, dtls) {
  once(dtls, () => {
    listen(dtls, 'statechange', () => tell(peer, 'dtls.statechange', { state: dtls.state }));
    listen(dtls, 'error', ({ error }) => tell(peer, 'dtls.error', { error: errorOf(error) }));
  });
  const ice = dtls?.iceTransport;
  once(ice, () => {
    listen(ice, 'statechange', () => tell(peer, 'ice.statechange', { state: ice.state }));
    listen(ice, 'gatheringstatechange', () => tell(peer, 'ice.gatheringstatechange', { state: ice.gatheringState }));
    listen(ice, 'selectedcandidatepairchange', () => tell(peer, 'ice.selectedcandidatepairchange'));
  });
}

function watchTrack(peer, track) {
  once(track, () => {
    for (const event of ['mute', 'unmute', 'ended']) {
      listen(track, event, () => tell(peer, event, { track: trackOf(track) }));
    }
  });
}

function watchStream(peer, stream) {
  once(stream, () => {
    for (const event of ['addtrack', 'removetrack']) {
      listen(stream, event, ({ track }) => tell(peer, event, { track: trackOf(track), stream: streamOf(stream) }));
    }
  });
}

function watchChannel(peer, channel) {
  once(channel, () => {
    peer.channels.push(channel);
    for (const event of ['open', 'closing', 'close', 'bufferedamountlow']) {
      listen(channel, event, () => tell(peer, `channel.${event}`, { channel: channelOf(channel) }));
    }
    listen(channel, 'error', ({ error }) =>
      tell(peer, 'channel.error', { channel: channelOf(channel), error: errorOf(error) }));
    listen(channel, 'message', ({ data }) => {
      const fields = typeof data === 'string' ? { text: data } : { bytes: data.byteLength ?? data.size };
      tell(peer, 'channel.message', { label: channel.label, ...fields });
    });
  });
}

function listen(target, event, listener) {
  target.addEventListener(event, listener);
}

function once(object, watch) {
  if (!object || watched.has(object)) return;
  watched.add(object);
  watch();
}

/** Lets `look` see what `method` of this one object gives, before the caller does. */
function after(object, method, look) {
  object[method] = (...given) => {
    const result = Object.getPrototypeOf(object)[method].apply(object, given);
    look(result);
    return result;
  };
}

/** What is counted of the picture that is received. */
async function pictureStats(name) {
  const stats = [...(await library.pc(name).getStats()).values()];
  return stats.find((it) => it.type === 'inbound-rtp' && it.kind === 'video') ?? { framesDecoded: 0 };
}

/** What the clock in a picture shows, in ms; null where there is none. Pictures wider than `most` are looked at smaller. */
function clockOf(video, most = Infinity) {
  if (!video.videoWidth) return null;
  const scale = Math.min(1, most / video.videoWidth);
  const [width, height] = [video.videoWidth, video.videoHeight].map((it) => Math.round(it * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 0, 0, width, height);
  return readClock(context.getImageData(0, 0, width, height));
}

/** Listens to a track; what is returned gives its loudest frequency, or null where no sound is played. */
function hear(track) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 16384 });
  new MediaStreamAudioSourceNode(context, { mediaStream: new MediaStream([track]) }).connect(analyser);
  return async () => {
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(Math.max(...bins));
    const frequency = bins[loudest] > -100 ? (loudest * context.sampleRate) / analyser.fftSize : null;
    await context.close();
    return frequency;
  };
}

async function fakeIn(kind, labels) {
  const track = await library.fake(kind);
  const into = labels.map(library.stream);
  into.forEach((stream) => stream.addTrack(track));
  return [track, into];
}

function sent(name, sender, into) {
  const transceiver = library.pc(name).getTransceivers().findIndex((it) => it.sender === sender);
  return { track: trackOf(sender.track), streams: into.map(streamOf), transceiver };
}

function snapshot(connection) {
  const { signalingState, iceGatheringState, iceConnectionState, connectionState } = connection;
  return {
    signalingState, iceGatheringState, iceConnectionState, connectionState,
    local: connection.localDescription, remote: connection.remoteDescription,
    transceivers: connection.getTransceivers().map((it) => ({
      mid: it.mid, direction: it.direction, currentDirection: it.currentDirection,
      kind: it.receiver.track.kind, sends: it.sender.track && trackOf(it.sender.track), receives: trackOf(it.receiver.track),
    })),
    sctp: connection.sctp && { state: connection.sctp.state, maxMessageSize: connection.sctp.maxMessageSize },
  };
}

function transportsOf(connection) {
  const all = new Map();
  const add = (dtls, mid) => {
    if (!dtls) return;
    if (!all.has(dtls)) all.set(dtls, { dtls: dtls.state, ice: dtls.iceTransport.state, mids: [] });
    all.get(dtls).mids.push(mid);
  };
  connection.getTransceivers().forEach(({ mid, sender }) => add(sender.transport, mid ?? ''));
  add(connection.sctp?.transport, 'data');
  return [...all.values()];
}

function trackOf({ id, kind, muted, readyState }) {
  return { id, kind, muted, readyState };
}

function streamOf(stream) {
  return { id: stream.id, tracks: stream.getTracks().map(({ id }) => id) };
}

function channelOf({ label, id, readyState, protocol, ordered, negotiated }) {
  return { label, id, readyState, protocol, ordered, negotiated };
}

function errorOf(error) {
  const { name, message, errorDetail, sdpLineNumber, sctpCauseCode } = error ?? {};
  return { name: name ?? 'Error', message: message ?? String(error), errorDetail, sdpLineNumber, sctpCauseCode };
}

function timeout(message) {
  return new DOMException(message, 'TimeoutError');
}
