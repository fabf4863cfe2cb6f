'use strict';
// The W3C's "Simulcast Example", https://www.w3.org/TR/webrtc/#simulcast-example, with its lines in their
// order. What looks at the layers comes after it.

const state = document.getElementById('state');
const selfView = document.getElementById('selfView');
const remoteView = document.getElementById('remoteView');

const constraints = {audio: true, video: {width: {ideal: 1280}, height: {ideal: 720}}};
// const configuration = {iceServers: […]}; is the program's: configuration.js
let signaling;
let pc;

// call start() to initiate
async function start() {
  signaling = new JsonSignalingChannel(); // handles JSON.stringify/parse
  signaling.onmessage = onmessage;
  pc = new RTCPeerConnection(configuration);
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

  try {
    // get a local stream, show it in a self-view and add it to be sent
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    selfView.srcObject = stream;
    pc.addTransceiver(stream.getAudioTracks()[0], {direction: 'sendonly'});
    pc.addTransceiver(stream.getVideoTracks()[0], {
      direction: 'sendonly',
      sendEncodings: [
        {rid: 'f'},
        {rid: 'h', scaleResolutionDownBy: 2.0},
        {rid: 'q', scaleResolutionDownBy: 4.0}
      ]
    });
  } catch (err) {
    console.error(err);
    state.value = `camera and microphone: ${err.message}`;
  }
}

async function onmessage({data: {description, candidate}}) {
  try {
    if (description) {
      await pc.setRemoteDescription(description);
    } else if (candidate) {
      await pc.addIceCandidate(candidate);
    }
  } catch (err) {
    console.error(err);
  }
}

// - What looks ---

const RIDS = ['f', 'h', 'q'];

/** A picture of one layer, and what is known of it; a click has it forwarded. */
class Preview {
  #section = document.createElement('section');
  #output;
  constructor(rid, select) {
    this.rid = rid;
    this.#section.innerHTML = `<video autoplay playsinline muted></video><h2>${rid}</h2><output>nothing yet</output>`;
    this.#section.onclick = () => select(rid);
    this.video = this.#section.querySelector('video');
    this.#output = this.#section.querySelector('output');
    document.getElementById('layers').append(this.#section);
  }
  tell(layer, {selected, forwarded}) {
    const {classList} = this.#section;
    classList.toggle('selected', this.rid === selected);
    classList.toggle('forwarded', this.rid === forwarded);
    classList.toggle('silent', !layer?.isActive);
    this.#output.value = layer ? describe(layer) : 'nothing yet';
  }
}

function describe({size, bitRate, frameRate, isActive}) {
  const shown = size ? `${size[0]}×${size[1]}` : 'size unknown';
  return isActive ? `${shown}\n${Math.round(bitRate / 1000)} kbit/s\n${frameRate} frames/s` : `${shown}\nnot sent`;
}

/** Receives the forwarded layer, all of them as previews, and the sound. */
function look() {
  const signaling = new JsonSignalingChannel();
  const viewer = new RTCPeerConnection(configuration);
  const channel = viewer.createDataChannel('layers');
  const select = (rid) => channel.readyState === 'open' && channel.send(JSON.stringify({select: rid}));
  const previews = RIDS.map((rid) => new Preview(rid, select));
  const pictures = [remoteView, ...previews.map(({video}) => video)];
  for (const video of pictures) {
    const {receiver} = viewer.addTransceiver('video', {direction: 'recvonly'});
    video.srcObject = new MediaStream([receiver.track]);
  }
  remoteView.srcObject.addTrack(viewer.addTransceiver('audio', {direction: 'recvonly'}).receiver.track);
  channel.onmessage = ({data}) => {
    const news = JSON.parse(data);
    for (const preview of previews) {
      preview.tell(news.layers.find(({rid}) => rid === preview.rid), news);
    }
    const {videoWidth, videoHeight} = remoteView;
    const size = videoWidth ? `, ${videoWidth}×${videoHeight}` : '';
    document.getElementById('chosen').value = news.forwarded ? `${news.forwarded}${size}` : 'nobody sends';
    state.value = `${viewer.connectionState}, ${news.viewers} looking`;
  };
  viewer.onicecandidate = ({candidate}) => candidate && signaling.send({candidate});
  viewer.onnegotiationneeded = async () => {
    await viewer.setLocalDescription();
    signaling.send({description: viewer.localDescription});
  };
  signaling.onmessage = async ({data: {description, candidate}}) => {
    if (description) await viewer.setRemoteDescription(description);
    else if (candidate) await viewer.addIceCandidate(candidate);
  };
}

const button = document.getElementById('start');
button.onclick = () => {
  button.disabled = true;
  document.getElementById('self').hidden = false;
  start();
};
// Pictures that have not begun would hold the page's own loading up.
addEventListener('load', look);
