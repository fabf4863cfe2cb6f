'use strict';
// The W3C's "Advanced Peer-to-peer Example with Warm-up",
// https://www.w3.org/TR/webrtc/#advanced-peer-to-peer-example-with-warm-up,
// with its lines in their order. Its signaling is in signaling.js, the plots are in plots.js.

const state = document.getElementById('state');
const selfView = document.getElementById('selfView');
const remoteView = document.getElementById('remoteView');

const signaling = new SignalingChannel();
// const configuration = {iceServers: […]}; is the program's: configuration.js
let pc;
let audio = null;
let audioSendTrack = null;
let video = null;
let videoSendTrack = null;
let started = false;

// Call warmup() to warm-up ICE, DTLS, and media, but not send media yet.
async function warmup(isAnswerer) {
  pc = new RTCPeerConnection(configuration);
  if (!isAnswerer) {
    audio = pc.addTransceiver('audio');
    video = pc.addTransceiver('video');
  }

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

  // once media for the remote track arrives, show it in the remote video element
  pc.ontrack = async (event) => {
    try {
      if (event.track.kind == 'audio') {
        if (isAnswerer) {
          audio = event.transceiver;
          audio.direction = 'sendrecv';
          if (started && audioSendTrack) {
            await audio.sender.replaceTrack(audioSendTrack);
          }
        }
      } else if (event.track.kind == 'video') {
        if (isAnswerer) {
          video = event.transceiver;
          video.direction = 'sendrecv';
          if (started && videoSendTrack) {
            await video.sender.replaceTrack(videoSendTrack);
          }
        }
      }

      // don't set srcObject again if it is already set.
      remoteView.srcObject ??= new MediaStream(); // the tracks of this sample are in no stream
      remoteView.srcObject.addTrack(event.track);
    } catch (err) {
      console.error(err);
    }
  };

  try {
    // get a local stream, show it in a self-view and add it to be sent
    const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: true});
    selfView.srcObject = stream;
    audioSendTrack = stream.getAudioTracks()[0];
    if (started) {
      await audio.sender.replaceTrack(audioSendTrack);
    }
    videoSendTrack = stream.getVideoTracks()[0];
    if (started) {
      await video.sender.replaceTrack(videoSendTrack);
    }
  } catch (err) {
    console.error(err);
  }
}

// Call start() to start sending media.
async function start() {
  started = true;
  signaling.send(JSON.stringify({start: true}));
  // Not in the sample, which sends only what comes after the start.
  if (audioSendTrack) await audio.sender.replaceTrack(audioSendTrack);
  if (videoSendTrack) await video.sender.replaceTrack(videoSendTrack);
}

signaling.onmessage = async (event) => {
  if (!pc) warmup(true);

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
    } else if (message.start) {
      started = true;
      if (audio && audioSendTrack) {
        await audio.sender.replaceTrack(audioSendTrack);
      }
      if (video && videoSendTrack) {
        await video.sender.replaceTrack(videoSendTrack);
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
warmup(false);
pc.onconnectionstatechange = () => (state.value = pc.connectionState);
plotCall(() => pc);
