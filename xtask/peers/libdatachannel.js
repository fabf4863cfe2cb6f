// libdatachannel as a peer, through the W3C face of node-datachannel.
import nodeDataChannel from 'node-datachannel';
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { flags, print } from './cli.js';
import { attributesOf, run } from './session.js';

// Its binding does not tell the reliability of a channel that the remote opened.
const UNTOLD = ['ordered', 'maxRetransmits', 'maxPacketLifeTime'];
// What its face caches as the id of a channel made before the connection.
const NO_ID = 65535;
// What close() puts on the wire leaves from the library's own threads.
const CLOSING_MS = 200;
// Its close() of a connection puts nothing on the wire now and then, and the remote would see no
// more than the end of consent. So its channels close first, each with a stream reset.
const SETTLING_MS = 300;
// As offerer it gives ICE the answer before it stores the answer's fingerprint. A remote that is
// checking by then connects in between, and its certificate fails the verification now and then.
// Without candidates the remote has nothing to check until the answer is in; it then learns the
// address from the first check, as a peer-reflexive candidate (RFC 8445 §7.3.1.3).
const CANDIDATES = /^a=(candidate:.*|end-of-candidates)\r?\n/gm;

const options = flags();
const created = new Set();
const channels = new Set();
if (process.env.INTEROP_VERBOSE) nodeDataChannel.initLogger('Debug', (level, text) => console.error(level, text));

const code = await run(options, {
  connection() {
    const pc = new RTCPeerConnection({ iceServers: [], bindAddress: '127.0.0.1', maxMessageSize: 262144 });
    const create = pc.createDataChannel.bind(pc);
    pc.createDataChannel = (label, init) => {
      const channel = create(label, init);
      created.add(channel);
      channels.add(channel);
      return channel;
    };
    pc.addEventListener('datachannel', ({ channel }) => channels.add(channel));
    return pc;
  },
  attributes(channel) {
    const all = attributesOf(channel);
    const told = { ...all, id: channel.id === NO_ID ? null : channel.id };
    if (created.has(channel)) return told;
    UNTOLD.forEach((name) => delete told[name]);
    return { ...told, untold: UNTOLD };
  },
  outgoing: (sdp) => (options.offer ? sdp.replace(CANDIDATES, '') : sdp),
  async settle() {
    channels.forEach((channel) => channel.close());
    await sleep(SETTLING_MS);
  },
  isOrdered: (channel, { unordered }) => (created.has(channel) ? !unordered : false),
  print,
});
await sleep(CLOSING_MS);
process.exit(code);

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
