'use strict';
// The W3C's "DTMF Example", https://www.w3.org/TR/webrtc/#dtmf-example, in its five variants. The call
// and the keypads come after them.

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const variants = {
  // Sending the DTMF signal "1234" with 500 ms duration per tone:
  tones(sender) {
    if (sender.dtmf.canInsertDTMF) {
      const duration = 500;
      sender.dtmf.insertDTMF('1234', duration);
    } else {
      console.log('DTMF function not available');
    }
  },

  // Send the DTMF signal "123" and abort after sending "2".
  async abort(sender) {
    if (sender.dtmf.canInsertDTMF) {
      sender.dtmf.insertDTMF('123');
      await new Promise((r) => (sender.dtmf.ontonechange = (e) => e.tone == '2' && r()));
      // empty the buffer to not play any tone after "2"
      sender.dtmf.insertDTMF('');
    } else {
      console.log('DTMF function not available');
    }
  },

  // Send the DTMF signal "1234", and light up the active key using lightKey(key) while the tone is
  // playing (assuming that lightKey("") will darken all the keys):
  light(sender) {
    if (sender.dtmf.canInsertDTMF) {
      const duration = 500; // ms
      sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '1234', duration);
      sender.dtmf.ontonechange = async ({tone}) => {
        if (!tone) return;
        lightKey(tone); // light up the key when playout starts
        await wait(duration);
        lightKey(''); // turn off the light after tone duration
      };
    } else {
      console.log('DTMF function not available');
    }
  },

  // It is always safe to append to the tone buffer. This example appends before any tone playout has
  // started as well as during playout.
  append(sender) {
    if (sender.dtmf.canInsertDTMF) {
      sender.dtmf.insertDTMF('123');
      // append more tones to the tone buffer before playout has begun
      sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '456');

      sender.dtmf.ontonechange = ({tone}) => {
        // append more tones when playout has begun
        if (tone != '1') return;
        sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '789');
      };
    } else {
      console.log('DTMF function not available');
    }
  },

  // Send a 1-second "1" tone followed by a 2-second "2" tone:
  durations(sender) {
    if (sender.dtmf.canInsertDTMF) {
      sender.dtmf.ontonechange = ({tone}) => {
        if (tone != '1') return;
        sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '2', 2000);
      };
      sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '1', 1000);
    } else {
      console.log('DTMF function not available');
    }
  },
};

// - The call ---

const state = document.getElementById('state');
const signaling = new JsonSignalingChannel();
const pc = new RTCPeerConnection(configuration);
let sender;
let channel;

pc.onicecandidate = ({candidate}) => candidate && signaling.send({candidate});
pc.onnegotiationneeded = async () => {
  await pc.setLocalDescription();
  signaling.send({description: pc.localDescription});
};
pc.ontrack = ({streams}) => (document.getElementById('remoteSound').srcObject = streams[0]);
pc.onconnectionstatechange = () => (state.value = pc.connectionState);

signaling.onmessage = async ({data: {description, candidate}}) => {
  if (description) {
    await pc.setRemoteDescription(description);
    if (description.type == 'offer') {
      await pc.setLocalDescription();
      signaling.send({description: pc.localDescription});
    }
  } else if (candidate) {
    await pc.addIceCandidate(candidate);
  }
};

/** Without a microphone, silence: keys need a track alone. */
async function sound() {
  try {
    return (await navigator.mediaDevices.getUserMedia({audio: true})).getTracks()[0];
  } catch (err) {
    state.value = `no microphone (${err.message}): silence instead`;
    return new AudioContext().createMediaStreamDestination().stream.getTracks()[0];
  }
}

async function start() {
  const track = await sound();
  sender = pc.addTrack(track, new MediaStream([track]));
  sender.dtmf.addEventListener('tonechange', shown);
  // What the keypads tell each other: see keypad.rs.
  channel = pc.createDataChannel('keypad', {negotiated: true, id: 0});
  channel.onmessage = told;
}

// - The keypads ---

const KEYS = '123A456B789C*0#D';

function keypad(id, press, play) {
  const section = document.getElementById(id);
  const keys = {};
  for (const key of KEYS) {
    keys[key] = document.createElement('button');
    keys[key].textContent = key;
    keys[key].onclick = () => press(key);
    section.querySelector('.keypad').append(keys[key]);
  }
  for (const name of Object.keys(variants)) {
    const button = document.createElement('button');
    button.textContent = name;
    button.onclick = () => play(name);
    section.querySelector('.variants').append(button);
  }
  return (lit) => KEYS.split('').forEach((key) => keys[key].classList.toggle('lit', key == lit));
}

const say = (word) => channel?.readyState == 'open' && channel.send(JSON.stringify(word));
const lightKey = keypad(
  'page',
  (key) => {
    if (!sender?.dtmf.canInsertDTMF) return;
    sender.dtmf.ontonechange = null;
    sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + key);
  },
  (name) => {
    if (!sender) return;
    sender.dtmf.ontonechange = null;
    variants[name](sender);
  },
);
const lightRust = keypad(
  'rust',
  (key) => say({press: key}),
  (name) => say({play: name}),
);

/** Every variant lights its keys; the one of that name says for how long. */
function shown({tone}) {
  lightKey(tone);
  document.getElementById('buffer').value = sender.dtmf.toneBuffer;
}

function told({data}) {
  const {light, heard} = JSON.parse(data);
  if (light !== undefined) lightRust(light);
  if (heard) {
    const line = document.createElement('li');
    line.textContent = `${heard.tone} for ${heard.ms} ms`;
    document.querySelector('#log ol').append(line);
    line.parentNode.scrollTop = line.offsetTop;
  }
}

const button = document.getElementById('start');
button.onclick = () => {
  button.disabled = true;
  start();
};
