'use strict';
// The W3C's "Simple Peer-to-peer Example", https://www.w3.org/TR/webrtc/#simple-peer-to-peer-example,
// with its lines in their order. The signaling and the plots come after it.

/** JSON over the WebSocket that the page's server has. */
class SignalingChannel {
  #socket = new WebSocket(`ws://${location.host}/signaling`);
  #open = new Promise((resolve) => (this.#socket.onopen = resolve));
  constructor() {
    this.#socket.onmessage = ({data}) => {
      const {desc, candidate} = JSON.parse(data);
      this.onmessage?.({data: {description: desc, candidate}});
    };
    this.#socket.onclose = () => (state.value = 'the program has left: reload the page when it runs again');
  }
  async send({description, candidate}) {
    await this.#open;
    this.#socket.send(JSON.stringify(description ? {desc: description} : {candidate}));
  }
}

const state = document.getElementById('state');
const selfView = document.getElementById('selfView');
const remoteView = document.getElementById('remoteView');

const signaling = new SignalingChannel(); // handles JSON.stringify/parse
const constraints = {audio: true, video: true};
const configuration = {}; // no server: both sides are on this machine
const pc = new RTCPeerConnection(configuration);

// send any ice candidates to the other peer
pc.onicecandidate = ({candidate}) => candidate && signaling.send({candidate});

// let the "negotiationneeded" event trigger offer generation
pc.onnegotiationneeded = async () => {
  try {
    await pc.setLocalDescription();
    // send the offer to the other peer
    signaling.send({description: pc.localDescription});
  } catch (err) {
    console.error(err);
  }
};

pc.ontrack = ({track, streams}) => {
  // once media for a remote track arrives, show it in the remote video element
  track.onunmute = () => {
    // don't set srcObject again if it is already set.
    if (remoteView.srcObject) return;
    remoteView.srcObject = streams[0];
  };
};

// call start() to initiate
function start() {
  addCameraMic();
}

// add camera and microphone to connection
async function addCameraMic() {
  try {
    // get a local stream, show it in a self-view and add it to be sent
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    for (const track of stream.getTracks()) {
      pc.addTrack(track, stream);
    }
    selfView.srcObject = stream;
  } catch (err) {
    console.error(err);
    state.value = `camera and microphone: ${err.message}`;
  }
}

signaling.onmessage = async ({data: {description, candidate}}) => {
  try {
    if (description) {
      await pc.setRemoteDescription(description);
      // if we got an offer, we need to reply with an answer
      if (description.type == 'offer') {
        if (!selfView.srcObject) {
          // blocks negotiation on permission (not recommended in production code)
          await addCameraMic();
        }
        await pc.setLocalDescription();
        signaling.send({description: pc.localDescription});
      }
    } else if (candidate) {
      await pc.addIceCandidate(candidate);
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
pc.onconnectionstatechange = () => (state.value = pc.connectionState);

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
  if (pc.connectionState != 'connected') return;
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
