'use strict';
// The W3C's "Peer-to-peer Data Example", https://www.w3.org/TR/webrtc/#peer-to-peer-data-example,
// with its lines in their order. What it leaves out, and the page itself, come after it.

const signaling = new SignalingChannel(); // handles JSON.stringify/parse
// const configuration = {iceServers: […]}; is the program's: configuration.js
let pc;
let channel;

// call start(true) to initiate
function start(isInitiator) {
  pc = new RTCPeerConnection(configuration);

  // send any ice candidates to the other peer
  pc.onicecandidate = ({candidate}) => {
    signaling.send({candidate});
  };

  // let the "negotiationneeded" event trigger offer generation
  pc.onnegotiationneeded = async () => {
    try {
      await pc.setLocalDescription(await pc.createOffer());
      // send the offer to the other peer
      signaling.send({desc: pc.localDescription});
    } catch (err) {
      showError(err);
    }
  };

  if (isInitiator) {
    // create data channel and setup chat
    channel = pc.createDataChannel('chat');
    setupChat();
  } else {
    // setup chat on incoming data channel
    pc.ondatachannel = (event) => {
      channel = event.channel;
      setupChat();
    };
  }
  watch(pc, isInitiator);
}

signaling.onmessage = async ({desc, candidate}) => {
  if (isUnwanted(desc)) return;
  if (!pc) start(false);

  try {
    if (desc) {
      // if we get an offer, we need to reply with an answer
      if (desc.type == 'offer') {
        await pc.setRemoteDescription(desc);
        await pc.setLocalDescription(await pc.createAnswer());
        signaling.send({desc: pc.localDescription});
      } else {
        await pc.setRemoteDescription(desc);
      }
    } else {
      await pc.addIceCandidate(candidate);
    }
  } catch (err) {
    showError(err);
  }
};

function setupChat() {
  // e.g. enable send button
  channel.onopen = () => enableChat(channel);
  channel.onmessage = (event) => showChatMessage(event.data);
  // Not in the sample:
  channel.onclose = ({target}) => { if (target == channel) hangUp('The chat is over.'); };
  channel.onerror = ({error}) => { if (error.errorDetail != 'sctp-failure') showError(error); };
}

// ---- What the sample leaves out: both sides starting at once, starting again, and an ending. ----

// Their offer lost against ours, and so did its candidates.
let ignoresTheirs = false;

function isUnwanted(desc) {
  if (desc?.type == 'offer') {
    ignoresTheirs = pc?.signalingState == 'have-local-offer';
    // The sample never offers twice: this is the offer of a new connection.
    if (pc && !ignoresTheirs) hangUp();
    return ignoresTheirs;
  }
  if (desc) ignoresTheirs = false;
  // Without a connection this is for one that is over.
  return !pc || ignoresTheirs;
}

function hangUp(why) {
  pc?.close();
  pc = channel = undefined;
  ignoresTheirs = false;
  for (const id of ['rtt', 'local', 'remote', 'cipher']) $(id).textContent = '–';
  $('starter').textContent = 'nobody yet';
  if (why) note(why);
  show();
}

// ---- The page. ----

const $ = (id) => document.getElementById(id);
let sent = 0, received = 0, signalingState = 'connecting';

function watch(pc, isInitiator) {
  const begin = performance.now();
  note(isInitiator ? 'You started the chat.' : 'The Rust program started the chat.');
  $('starter').textContent = isInitiator ? 'this page' : 'the Rust program';
  pc.oniceconnectionstatechange = show;
  pc.onconnectionstatechange = () => {
    if (pc.connectionState == 'connected') {
      note(`Connected after ${Math.round(performance.now() - begin)} ms.`);
    }
    show();
    if (pc.connectionState == 'failed') {
      showError('No connection came about: no path to the Rust program worked.');
      hangUp();
    }
  };
  show();
}

function enableChat() {
  show();
  showPath();
  $('text').focus();
}

function showChatMessage(data) {
  received += 1;
  add('rust', typeof data == 'string' ? data : `(${data.byteLength ?? data.size} bytes)`);
}

$('form').onsubmit = (event) => {
  event.preventDefault();
  const text = $('text').value;
  if (!text || channel?.readyState != 'open') return;
  try {
    channel.send(text);
    sent += 1;
    add('web', text);
    $('text').value = '';
  } catch (err) {
    showError(err);
  }
};
$('start').onclick = () => signalingState == 'replaced' ? signaling.open() : start(true);
$('close').onclick = () => hangUp('You ended the chat.');
addEventListener('pagehide', () => pc?.close());

function show() {
  const open = channel?.readyState == 'open';
  const connection = pc?.connectionState ?? 'new';
  document.body.dataset.state = open ? 'open' : connection == 'new' ? 'idle' : connection;
  state('signaling', signalingState, signalingState == 'up', signalingState == 'lost');
  state('connection', connection, connection == 'connected', connection == 'failed');
  state('ice', pc?.iceConnectionState ?? 'new', /connected|completed/, /failed/);
  state('channel', channel ? `“${channel.label}”, ${channel.readyState}` : 'none', open);
  $('counts').textContent = `${sent} sent, ${received} received`;
  $('text').disabled = $('send').disabled = !open;
  $('text').placeholder = open ? 'Write a message' : pc ? 'Connecting …' : 'Not connected';
  $('close').hidden = !pc;
  $('welcome').hidden = Boolean(pc);
  $('start').disabled = !['up', 'replaced'].includes(signalingState);
  $('start').textContent = signalingState == 'replaced' ? 'Take over here' : 'Start the chat';
  $('hint').textContent = {
    up: 'The Rust program is there. Start the chat here, or type a line in its terminal.',
    replaced: 'Another page has taken over.',
  }[signalingState] ?? 'Waiting for the Rust program …';
  if (!pc) $('messages').append($('welcome'));
  $('messages').scrollTop = $('messages').scrollHeight;
}

function state(id, text, good, bad) {
  const is = (test) => test instanceof RegExp ? test.test(text) : test;
  $(id).textContent = text;
  $(id).className = is(good) ? 'good' : is(bad) ? 'bad' : '';
}

async function showPath() {
  if (!pc) return;
  const all = new Map(await pc.getStats());
  const stats = [...all.values()];
  const transport = stats.find(({type}) => type == 'transport');
  const pair = all.get(transport?.selectedCandidatePairId)
    ?? stats.find(({type, selected, nominated}) => type == 'candidate-pair' && (selected ?? nominated));
  // A browser may hide addresses behind mDNS names, RFC 8828.
  const name = (id) => {
    const {candidateType, protocol, address, ip, port} = all.get(id) ?? {};
    const host = [address, ip].find((it) => it && !it.endsWith('.local'));
    return `${candidateType} ${protocol} ${!host ? 'port ' : host.includes(':') ? `[${host}]:` : `${host}:`}${port}`;
  };
  if (pair) {
    $('local').textContent = name(pair.localCandidateId);
    $('remote').textContent = name(pair.remoteCandidateId);
    const time = pair.currentRoundTripTime * 1000;
    if (time >= 0) $('rtt').textContent = time < 1 ? 'below 1 ms' : `${time.toFixed(1)} ms`;
  }
  const version = {FEFD: 'DTLS 1.2', FEFC: 'DTLS 1.3'}[transport?.tlsVersion] ?? transport?.tlsVersion;
  $('cipher').textContent = version ? `${version}, ${transport.dtlsCipher}` : 'DTLS';
}
setInterval(() => channel?.readyState == 'open' && showPath().catch(() => {}), 1000);

function add(kind, text) {
  const item = document.createElement('li');
  item.className = kind;
  item.textContent = text;
  if (kind == 'web' || kind == 'rust') {
    const time = document.createElement('time');
    time.textContent = new Date().toLocaleTimeString([], {hour: '2-digit', minute: '2-digit', second: '2-digit'});
    item.append(time);
  }
  $('messages').append(item);
  $('messages').scrollTop = $('messages').scrollHeight;
  show();
}

function note(text) {
  add('note', text);
}

function showError(err) {
  console.error(err);
  add('error', typeof err == 'string' ? err : `${err.name}: ${err.message}`);
}

// JSON over a WebSocket to the program that serves this page.
function SignalingChannel() {
  let socket;
  const setState = (state) => {
    signalingState = state;
    show();
  };
  this.send = (message) => socket.readyState == WebSocket.OPEN && socket.send(JSON.stringify(message));
  this.open = () => {
    socket = new WebSocket(`ws://${location.host}/signaling`);
    socket.onopen = () => setState('up');
    socket.onmessage = ({data}) => this.onmessage(JSON.parse(data));
    socket.onclose = ({code}) => {
      // 4001: another page took over; coming back by ourselves would take it back.
      const isReplaced = code == 4001;
      if (signalingState == 'up') {
        hangUp(isReplaced ? 'The chat went to another page.' : 'The Rust program has ended.');
      }
      setState(isReplaced ? 'replaced' : 'lost');
      if (!isReplaced) setTimeout(this.open, 1000);
    };
  };
}

signaling.open();
show();
