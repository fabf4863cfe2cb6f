'use strict';
// The W3C's "Simple Peer-to-peer Example", https://www.w3.org/TR/webrtc/#simple-peer-to-peer-example,
// with its lines in their order. Its signaling is in signaling.js, the plots are in plots.js.

const state = document.getElementById('state');
const selfView = document.getElementById('selfView');
const remoteView = document.getElementById('remoteView');

const signaling = new JsonSignalingChannel(); // handles JSON.stringify/parse
const constraints = {audio: true, video: true};
// const configuration = {iceServers: […]}; is the program's: configuration.js
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
plotCall(() => pc);
