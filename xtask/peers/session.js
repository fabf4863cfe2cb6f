// The part that every JavaScript peer shares: one peer connection that follows the flags of
// docs/interop.md. It runs unchanged in a browser's page and in Node; what differs between them
// comes in as `platform`:
//   connection()        a new RTCPeerConnection
//   attributes(channel) the attributes that the platform can tell of a channel, W3C names
//   outgoing(sdp)       the SDP as it goes to the remote; optional
//   settle()            what to wait for before the connection is closed; optional
//   print(object)       writes one line

const KINDS = ['text', 'binary', 'emptyText', 'emptyBinary'];
const HIGH_WATER = 1024 * 1024;
const LINGER_MS = 1000;
const AFTER_CHANNEL_CLOSE_MS = 500;
const EXIT = { ok: 0, failed: 1, 'connection-failed': 3, timeout: 4 };

export function attributesOf(channel) {
  const { ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated } = channel;
  return { ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated };
}

/** Runs one session to its end; resolves with the exit code. Never rejects. */
export async function run(options, platform) {
  const session = new Session(options, platform);
  const result = await session.run();
  platform.print({ event: 'end', ms: session.ms(), result, sent: session.sent, received: session.received });
  return EXIT[result];
}

class Session {
  constructor(options, platform) {
    this.options = { size: 1000, channels: 1, seconds: 60, ...options };
    this.platform = platform;
    this.started = performance.now();
    this.sent = counters();
    this.received = counters();
    this.live = new Set();
    this.sending = null;
    this.expected = [];
    this.isDone = false;
    this.finished = new Promise((resolve) => (this.finish = resolve));
  }

  async run() {
    const { seconds } = this.options;
    const deadline = setTimeout(() => this.end('timeout', `not over after ${seconds} s`), seconds * 1000);
    this.pc = this.platform.connection();
    this.pc.onconnectionstatechange = () => this.onState();
    this.pc.ondatachannel = ({ channel }) => {
      this.print('datachannel', this.describe(channel));
      this.adopt(channel, 'accepted');
    };
    this.negotiate().catch((error) => {
      this.end(this.hasFailed() ? 'connection-failed' : 'failed', `negotiation: ${error}`);
    });
    const result = await this.finished;
    clearTimeout(deadline);
    await this.platform.settle?.();
    this.pc.close();
    return result;
  }

  async negotiate() {
    const { pc, options } = this;
    if (options.offer) {
      this.createChannel();
      await pc.setLocalDescription(await pc.createOffer());
    } else {
      await pc.setRemoteDescription(await this.take());
      this.createChannel();
      await pc.setLocalDescription(await pc.createAnswer());
    }
    await this.gathered();
    const { type, sdp } = pc.localDescription;
    await this.put({ type, sdp: this.platform.outgoing?.(sdp) ?? sdp });
    if (options.offer) await pc.setRemoteDescription(await this.take());
  }

  createChannel() {
    const { data, negotiated, unordered, maxRetransmits, maxPacketLifeTime, protocol } = this.options;
    if (data === undefined) return;
    const init = { ordered: !unordered };
    if (maxRetransmits !== undefined) init.maxRetransmits = maxRetransmits;
    if (maxPacketLifeTime !== undefined) init.maxPacketLifeTime = maxPacketLifeTime;
    if (protocol !== undefined) init.protocol = protocol;
    if (negotiated !== undefined) Object.assign(init, { negotiated: true, id: negotiated });
    this.adopt(this.pc.createDataChannel(data, init), 'created');
  }

  adopt(channel, origin) {
    const wants = this.options.count !== undefined || this.options.close === 'channel';
    const mine = origin === 'created' || this.options.data === undefined;
    if (wants && mine && !this.sending) this.sending = channel;
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => this.onMessage(channel, data);
    channel.onclose = () => this.onClose(channel);
    channel.onopen = () => this.onOpen(channel, origin);
    if (channel.readyState === 'open') this.onOpen(channel, origin);
  }

  onOpen(channel, origin) {
    if (this.live.has(channel)) return;
    this.live.add(channel);
    this.print('open', { ...this.describe(channel), origin });
    if (this.live.size !== this.options.channels) return;
    if (this.options.count !== undefined) this.sendAll().catch((e) => this.end('failed', `send: ${e}`));
    else this.done();
  }

  async sendAll() {
    const { count, size } = this.options;
    const ordered = this.platform.isOrdered?.(this.sending, this.options) ?? this.sending.ordered;
    this.matches = ordered ? takeFirst : takeAny;
    for (let i = 0; i < count && this.sending.readyState === 'open'; i++) {
      const message = compose(i, size);
      this.expected.push(message);
      await this.send(this.sending, message);
    }
    this.sendingOver = true;
    this.checkEchoes();
  }

  async send(channel, message) {
    while (channel.bufferedAmount > HIGH_WATER) await sleep(5);
    if (channel.readyState !== 'open') return;
    channel.send(message);
    count(this.sent, message);
  }

  onMessage(channel, data) {
    count(this.received, data);
    if (channel === this.sending && this.options.count !== undefined) {
      if (!this.matches?.(this.expected, data)) {
        this.end('failed', `an echo that was not sent: ${summary(data)}, due: ${summary(this.expected[0])}`);
      }
      this.checkEchoes();
    } else if (this.options.echo) {
      this.echoing = (this.echoing ?? Promise.resolve())
        .then(() => this.send(channel, data))
        .catch((error) => this.end('failed', `echo: ${error}`));
    }
  }

  checkEchoes() {
    if (this.sendingOver && this.expected.length === 0) this.done();
  }

  done() {
    if (this.isDone) return;
    this.isDone = true;
    this.print('done');
    if (this.options.close === 'connection') this.end('ok');
    if (this.options.close === 'channel') this.sending.close();
  }

  onClose(channel) {
    this.live.delete(channel);
    this.print('close', { label: channel.label, id: channel.id, connection: this.pc.connectionState });
    if (!this.isDone) {
      this.end('failed', `the channel "${channel.label}" closed before the end`);
    } else if (this.options.close === 'channel' && channel === this.sending) {
      setTimeout(() => this.end('ok'), AFTER_CHANNEL_CLOSE_MS);
    } else if (this.live.size === 0) {
      this.linger = setTimeout(() => this.end('ok'), LINGER_MS);
    }
  }

  onState() {
    const connection = this.pc.connectionState;
    this.print('state', { connection });
    if (this.hasFailed() && !this.isDone && this.live.size === 0) this.end('connection-failed');
    const over = ['disconnected', 'failed', 'closed'].includes(connection);
    if (over && this.linger !== undefined) this.end('ok');
  }

  /** Some stacks go on to `closed` at once, before they tell of `failed`. */
  hasFailed() {
    return ['failed', 'closed'].includes(this.pc.connectionState);
  }

  end(result, what) {
    if (this.over) return;
    this.over = true;
    if (what) this.print('error', { what });
    this.finish(result);
  }

  async put(description) {
    const { signal, remote } = this.options;
    const answer = await fetch(`${signal}/q/${remote}`, { method: 'POST', body: JSON.stringify(description) });
    if (!answer.ok) throw new Error(`the mailbox answered ${answer.status}`);
  }

  async take() {
    const { signal, name } = this.options;
    for (;;) {
      const answer = await fetch(`${signal}/q/${name}`);
      if (answer.status === 200) return answer.json();
      if (answer.status !== 204) throw new Error(`the mailbox answered ${answer.status}`);
    }
  }

  gathered() {
    const { pc } = this;
    if (pc.iceGatheringState === 'complete') return undefined;
    return new Promise((resolve) => {
      pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && resolve();
    });
  }

  describe(channel) {
    return { label: channel.label, id: channel.id, ...this.platform.attributes(channel) };
  }

  ms() {
    return Math.round(performance.now() - this.started);
  }

  print(event, fields = {}) {
    if (!this.over || event === 'error') this.platform.print({ event, ms: this.ms(), ...fields });
  }
}

/** Message `i` of a script: text, binary, empty text, empty binary, and again. */
function compose(i, size) {
  const kind = KINDS[i % 4];
  if (kind === 'emptyText') return '';
  if (kind === 'emptyBinary') return new ArrayBuffer(0);
  const [base, span] = kind === 'text' ? [97, 26] : [0, 256];
  const bytes = Uint8Array.from({ length: size }, (_, j) => base + ((i + j) % span));
  return kind === 'text' ? new TextDecoder().decode(bytes) : bytes.buffer;
}

function takeFirst(expected, data) {
  return expected.length > 0 && same(expected.shift(), data);
}

function takeAny(expected, data) {
  const at = expected.findIndex((message) => same(message, data));
  if (at >= 0) expected.splice(at, 1);
  return at >= 0;
}

function same(a, b) {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  if (a.byteLength !== b.byteLength) return false;
  const [x, y] = [new Uint8Array(a), new Uint8Array(b)];
  return x.every((byte, at) => byte === y[at]);
}

function counters() {
  return { text: 0, binary: 0, emptyText: 0, emptyBinary: 0, bytes: 0 };
}

function count(into, message) {
  const text = typeof message === 'string';
  const length = text ? new TextEncoder().encode(message).length : message.byteLength;
  into[KINDS[(text ? 0 : 1) + (length === 0 ? 2 : 0)]] += 1;
  into.bytes += length;
}

function summary(message) {
  if (message === undefined) return 'nothing';
  return typeof message === 'string' ? `text of ${message.length}` : `binary of ${message.byteLength}`;
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
