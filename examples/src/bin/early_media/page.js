'use strict';
// "Peer-to-peer Example with Media before Signaling" of the W3C's earlier drafts, with its lines in their order.
// Its signaling is in signaling.js, the plots are in plots.js.

const state = document.getElementById('state');
const selfView = document.getElementById('selfView');
const remoteView = document.getElementById('remoteView');

const signaling = new SignalingChannel();
// const configuration = {iceServers: […]}; is the program's: configuration.js
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
setInterval(() => pc && (state.value = pc.connectionState), 500);
plotCall(() => pc);
