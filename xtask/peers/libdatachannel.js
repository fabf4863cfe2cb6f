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

const options = flags();
const created = new Set();
if (process.env.INTEROP_VERBOSE) nodeDataChannel.initLogger('Debug', (level, text) => console.error(level, text));

const code = await run(options, {
  connection() {
    const pc = new RTCPeerConnection({ iceServers: [], bindAddress: '127.0.0.1', maxMessageSize: 262144 });
    const create = pc.createDataChannel.bind(pc);
    pc.createDataChannel = (label, init) => {
      const channel = create(label, init);
      created.add(channel);
      return channel;
    };
    return pc;
  },
  attributes(channel) {
    const all = attributesOf(channel);
    const told = { ...all, id: channel.id === NO_ID ? null : channel.id };
    if (created.has(channel)) return told;
    UNTOLD.forEach((name) => delete told[name]);
    return { ...told, untold: UNTOLD };
  },
  isOrdered: (channel, { unordered }) => (created.has(channel) ? !unordered : false),
  print,
});
await new Promise((resolve) => setTimeout(resolve, CLOSING_MS));
process.exit(code);
