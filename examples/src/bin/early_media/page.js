'use strict';
// "Peer-to-peer Example with Media before Signaling" of the W3C's earlier drafts, with its lines in their order. The signaling and the plots come after it.

/** JSON over the WebSocket that the page's server has. */
class SignalingChannel {
  #socket = new WebSocket(`ws://${location.host}/signaling`);
  #open = new Promise((resolve) => (this.#socket.onopen = resolve));
  constructor() {
    this.#socket.onmessage = ({data}) => {
      this.onmessage?.({data});
    };
    this.#socket.onclose = () => (state.value = 'the program has left: reload the page when it runs again');
  }
  async send(text) {
    await this.#open;
    this.#socket.send(text);
  }
}

const state = document.getElementById('state');
const selfView = document.getElementById('selfView');
const remoteView = document.getElementById('remoteView');

const signaling = new SignalingChannel();
const configuration = {}; // no server: both sides are on this machine
let pc;

// call start() to initiate
async function start() {
  pc = new RTCPeerConnection(configuration);

  // send any ice candidates to the other peer
  pc.onicecandidate = (event) => {
    if (!event.candidate) return; // not in the sample: the end needs no message
    signaling.send(JSON.stringify({candidate: event.candidate}));
  };

  // let the "negotiationneeded" event trigger offer generation
  pc.onnegotiationneeded = async () => {
    try {
      await pc.setLocalDescription(await pc.createOffer());
      // send the offer to the other peer
      signaling.send(JSON.stringify({desc: pc.localDescription}));
    } catch (err) {
      console.error(err);
    }
  };

  try {
    // get a local stream, show it in a self-view and add it to be sent
    const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: true});
    selfView.srcObject = stream;
    stream.getTracks().forEach((track) => pc.addTrack(track, stream)); // the sample forgets it
    // Render the media even before ontrack fires.
    remoteView.srcObject = new MediaStream(pc.getReceivers().map((r) => r.track));
  } catch (err) {
    console.error(err);
  }
}

signaling.onmessage = async (event) => {
  if (!pc) start();

  try {
    const message = JSON.parse(event.data);
    if (message.desc) {
      const desc = message.desc;

      // if we get an offer, we need to reply with an answer
      if (desc.type == 'offer') {
        await pc.setRemoteDescription(desc);
        await pc.setLocalDescription(await pc.createAnswer());
        signaling.send(JSON.stringify({desc: pc.localDescription}));
      } else {
        await pc.setRemoteDescription(desc);
      }
    } else {
      await pc.addIceCandidate(message.candidate);
    }
  } catch (err) {
    console.error(err);
  }
};

// - The page ---

const button = document.getElementById('start');
button.onclick = () => {
  button.disabled = true;
  start();
};

const plots = [
  ['bit rate', 'kbit/s', '--rust'],
  ['lost', 'packets/s', '--rust'],
  ['round trip', 'ms', '--web'],
  ['jitter', 'ms', '--web'],
].map(([title, unit, color]) => {
  const section = document.createElement('section');
  section.innerHTML = `<h2>${title} <output></output></h2><canvas width="300" height="90"></canvas>`;
  document.getElementById('plots').append(section);
  return {values: [], unit, color, canvas: section.querySelector('canvas'), output: section.querySelector('output')};
});

function plot({values, unit, color, canvas, output}, value) {
  values.push(value);
  if (values.length > 60) values.shift();
  output.value = `${value.toFixed(1)} ${unit}`;
  const context = canvas.getContext('2d');
  const most = Math.max(1, ...values);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue(color);
  context.lineWidth = 2;
  context.beginPath();
  values.forEach((it, at) => context.lineTo((at * canvas.width) / 59, canvas.height - 4 - (it / most) * (canvas.height - 8)));
  context.stroke();
}

let before = {bytes: 0, lost: 0};
setInterval(async () => {
  state.value = pc?.connectionState ?? 'new';
  if (state.value != 'connected') return;
  const now = {bytes: 0, lost: 0, jitter: 0, rtt: 0};
  for (const it of (await pc.getStats()).values()) {
    if (it.type == 'inbound-rtp') {
      now.bytes += it.bytesReceived;
      now.lost += it.packetsLost ?? 0;
      now.jitter = Math.max(now.jitter, (it.jitter ?? 0) * 1000);
    } else if (it.type == 'candidate-pair' && it.nominated) {
      now.rtt = (it.currentRoundTripTime ?? 0) * 1000;
    }
  }
  plot(plots[0], ((now.bytes - before.bytes) * 8) / 1000);
  plot(plots[1], now.lost - before.lost);
  plot(plots[2], now.rtt);
  plot(plots[3], now.jitter);
  before = now;
}, 1000);
