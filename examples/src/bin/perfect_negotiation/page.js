'use strict';
// The W3C's "Perfect Negotiation Example", https://www.w3.org/TR/webrtc/#perfect-negotiation-example,
// with its lines in their order. What the page does at random, and the page itself, come after it.

const signaling = new SignalingChannel(); // handles JSON.stringify/parse
// const configuration = {iceServers: […]}; is the program's: configuration.js
const pc = new RTCPeerConnection(configuration);

// call start() anytime on either end to add camera and microphone to connection
async function start() {
  try {
    const stream = new MediaStream(kinds.map(newTrack)); // the sample asks for camera and microphone
    for (const track of stream.getTracks()) {
      pc.addTrack(track, stream);
    }
  } catch (err) {
    showError(err);
  }
}

// - The perfect negotiation logic, separated from the rest of the application ---

// const polite = …; is the server's first line: what the Rust side is not

// keep track of some negotiation state to prevent races and errors
let makingOffer = false;
let ignoreOffer = false;
let isSettingRemoteAnswerPending = false;

// send any ice candidates to the other peer
pc.onicecandidate = ({candidate}) => isSignaled(candidate) && signaling.send({candidate});

// let the "negotiationneeded" event trigger offer generation
pc.onnegotiationneeded = async () => {
  try {
    makingOffer = true;
    await pc.setLocalDescription();
    signaling.send({description: pc.localDescription});
  } catch (err) {
    showError(err);
  } finally {
    makingOffer = false;
  }
};

signaling.onmessage = async ({data: {description, candidate}}) => {
  try {
    if (description) {
      // An offer may come in while we are busy processing SRD(answer).
      // In this case, we will be in "stable" by the time the offer is processed
      // so it is safe to chain it on our Operations Chain now.
      const readyForOffer =
          !makingOffer &&
          (pc.signalingState == 'stable' || isSettingRemoteAnswerPending);
      const offerCollision = description.type == 'offer' && !readyForOffer;
      if (offerCollision) showGlare(); // not in the sample

      ignoreOffer = !polite && offerCollision;
      if (ignoreOffer) {
        return;
      }
      isSettingRemoteAnswerPending = description.type == 'answer';
      await pc.setRemoteDescription(description); // SRD rolls back as needed
      isSettingRemoteAnswerPending = false;
      if (description.type == 'offer') {
        await pc.setLocalDescription();
        signaling.send({description: pc.localDescription});
      }
    } else {
      const ignored = ignoreOffer; // not in the sample: an answer that comes meanwhile clears it
      try {
        await pc.addIceCandidate(candidate);
      } catch (err) {
        if (!ignored) throw err; // Suppress ignored offer's candidates
      }
    }
  } catch (err) {
    showError(err);
  }
};

// - What a session can suffer ---

const kinds = ['audio', 'video'];
const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
const maxTransceivers = 8;
const counts = {offers: 0, answers: 0, collisions: 0, ignored: 0, rollbacks: 0, iceRestarts: 0};
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const running = () => pc.getTransceivers().filter((it) => it.direction != 'stopped');
// Chromium offers for ever after the stop of a transceiver that no description has had yet.
const described = () => running().filter((it) => it.mid != null);
let underway = 0; // messages that signaling.onmessage is at
let isRollingBack = false;
let hesitates = false;
let audio;

// Tracks that need nobody's permission.
function newTrack(kind) {
  if (kind == 'audio') {
    audio ??= new AudioContext();
    return audio.createMediaStreamDestination().stream.getTracks()[0];
  }
  const canvas = document.createElement('canvas');
  canvas.getContext('2d').fillRect(0, 0, 1, 1);
  return canvas.captureStream(1).getTracks()[0];
}

const operations = {
  addTrack(kind = pick(kinds)) {
    if (running().length >= maxTransceivers) return operations.stop();
    // Chromium would reuse a sender that is stopping, and then refuses to.
    if (running().length < pc.getTransceivers().length) return 'addTrack, but something is stopping';
    pc.addTrack(newTrack(kind), new MediaStream());
    return `addTrack(${kind})`;
  },
  addTransceiver(kind = pick(kinds), direction = pick(directions)) {
    if (running().length >= maxTransceivers) return operations.stop();
    pc.addTransceiver(kind, {direction});
    return `addTransceiver(${kind}, ${direction})`;
  },
  removeTrack(sender = pick(pc.getSenders().filter(({track}) => track))) {
    if (sender) pc.removeTrack(sender);
    return 'removeTrack';
  },
  direction(transceiver = pick(running()), direction = pick(directions)) {
    if (transceiver) transceiver.direction = direction;
    return `direction = ${direction}`;
  },
  stop(transceiver = pick(described())) {
    transceiver?.stop();
    return 'stop';
  },
  restartIce() {
    pc.restartIce();
    counts.iceRestarts += 1;
    return 'restartIce';
  },
  // An offer that is taken back before anybody hears of it. The other side's may have been ignored
  // meanwhile: the restart sees to it that a real one follows.
  rollBack() {
    if (!isIdle()) return 'offer and rollback, but something is under way';
    isRollingBack = true;
    pc.restartIce();
    const offer = pc.setLocalDescription();
    const rollback = pc.setLocalDescription({type: 'rollback'});
    Promise.all([offer, rollback]).catch(showError).finally(() => { isRollingBack = false; });
    counts.rollbacks += 1;
    return 'offer and rollback';
  },
  // Both add something in the same moment.
  glare() {
    channel.send(JSON.stringify({glare: true}));
    return `${operations.addTransceiver()}, and Rust at once`;
  },
  hesitate() {
    hesitates = true;
    return 'the next offer is rolled back once';
  },
};

// Whether two calls in a row stay together.
function isIdle() {
  return pc.signalingState == 'stable' && !makingOffer && !underway && !isRollingBack;
}

// Candidates of an offer that was taken back before it was sent are nobody's.
function isSignaled(candidate) {
  if (!candidate?.usernameFragment) return true;
  const line = `a=ice-ufrag:${candidate.usernameFragment}`;
  return !isRollingBack && pc.localDescription?.sdp.split('\r\n').includes(line);
}

// An offer that is to be rolled back is set and taken back, before the sample sets it again.
function beforeMessage({description}) {
  if (description?.type != 'offer') return;
  if (!hesitates || !isIdle()) return;
  hesitates = false;
  counts.rollbacks += 1;
  pc.setRemoteDescription(description).catch(showError);
  pc.setRemoteDescription({type: 'rollback'}).catch(showError);
}

function perform(name = pick(['addTrack', 'addTrack', 'addTrack', 'addTransceiver', 'addTransceiver',
  'removeTrack', 'removeTrack', 'direction', 'direction', 'direction', 'stop', 'stop', 'restartIce',
  'rollBack', 'hesitate', 'hesitate'])) {
  if (channel.readyState != 'open') return; // before start()
  try {
    log('did', operations[name]());
  } catch (err) {
    showError(err);
  }
  refresh();
}

// - What this side has, and what it is told of the other, over a data channel that outlives it all ---

// Announced by nobody: either side may be the first to offer it, and both may at once.
const channel = pc.createDataChannel('view', {negotiated: true, id: 0});
let theirs = {signalingState: '–', counts: {}, sections: []};
let told;

// Rust adds nothing before this page has: browsers do not survive every first glare. A polite Chromium
// cannot unlearn what its own offer said of header extensions and of the place of the data section, and
// Firefox numbers codecs as it likes where it was not the first to.
channel.onopen = () => {
  tell();
  start();
};
channel.onmessage = ({data}) => {
  const note = JSON.parse(data);
  if (note.view) theirs = note.view;
  if ('ping' in note) channel.send(JSON.stringify({pong: note.ping}));
  refresh();
};

function sectionsOf(description) {
  const sections = [];
  for (const line of description?.sdp.split('\r\n') ?? []) {
    const section = sections.at(-1);
    if (line.startsWith('m=')) {
      const [kind, port] = line.slice(2).split(' ');
      sections.push({mid: '', kind, direction: null, currentDirection: null, rejected: port == '0'});
    } else if (section && line.startsWith('a=mid:')) {
      section.mid = line.slice(6);
    } else if (section && line == 'a=bundle-only') {
      section.rejected = false;
    }
  }
  return sections;
}

function view() {
  const sections = sectionsOf(pc.currentLocalDescription);
  // An offer keeps the port of an m-line that the answer rejects.
  sectionsOf(pc.currentRemoteDescription).forEach(({rejected}, index) => {
    if (rejected && sections[index]) sections[index].rejected = true;
  });
  for (const {mid, direction, currentDirection} of pc.getTransceivers()) {
    const section = mid != null && sections.find((it) => it.mid == mid && !it.rejected);
    if (section) Object.assign(section, {direction, currentDirection});
  }
  return {polite, signalingState: pc.signalingState, counts, sections};
}

function tell() {
  const note = JSON.stringify({view: view()});
  if (channel.readyState != 'open' || note == told) return;
  channel.send(note);
  told = note;
}
setInterval(tell, 100);

// - The page ---

const $ = (id) => document.getElementById(id);
const glyphs = {sendrecv: '⇄', sendonly: '→', recvonly: '←', inactive: '·'};
const turned = {sendonly: 'recvonly', recvonly: 'sendonly'};
const maxRungs = 60;
let wanted;

function showGlare() {
  counts.collisions += 1;
  counts[polite ? 'rollbacks' : 'ignored'] += 1;
  rung('glare', '⚡ both have offered: ' + (polite ? 'this page takes its offer back' : 'this page ignores the other offer'));
  document.body.classList.remove('glare');
  void document.body.offsetWidth; // lets the animation begin again
  document.body.classList.add('glare');
}

function showError(err) {
  rung('error', `${err.name}: ${err.message}`);
}

function log(kind, text) {
  rung(kind, text);
}

// A step of the ladder between the two sides, the newest on top.
function rung(kind, text) {
  const item = document.createElement('li');
  item.className = kind;
  item.append(Object.assign(document.createElement('span'), {textContent: text}));
  $('ladder').prepend(item);
  while ($('ladder').children.length > maxRungs) $('ladder').lastChild.remove();
  refresh();
}

function refresh() {
  wanted ??= requestAnimationFrame(() => {
    wanted = undefined;
    draw(view());
  });
}

function draw(ours) {
  for (const [id, side] of [['ours', ours], ['theirs', theirs]]) {
    const card = $(id);
    card.dataset.state = side.signalingState;
    card.querySelector('.state').textContent = side.signalingState;
    card.querySelector('.manners').textContent =
      side.polite == null ? '' : side.polite ? 'polite' : 'impolite';
    for (const [name, number] of Object.entries(side.counts)) {
      const cell = card.querySelector(`[data-count=${name}]`);
      if (cell) cell.textContent = number;
    }
  }
  $('connection').textContent = `${pc.connectionState}, channel ${channel.readyState}`;
  $('sections').replaceChildren(...ours.sections.map((section, index) =>
    row(index, section, theirs.sections.find((it, at) => at == index && it.mid == section.mid))));
  const live = ours.sections.filter((it) => !it.rejected).length;
  $('size').textContent = `${ours.sections.length} m-lines, ${live} in use`;
}

function row(index, ours, theirs) {
  const row = document.createElement('tr');
  row.className = `${ours.kind}${ours.rejected ? ' rejected' : ''}`;
  const cell = (text, kind = '') => row.append(Object.assign(document.createElement('td'), {textContent: text, className: kind}));
  cell(index, 'number');
  cell(ours.mid, 'mid');
  cell(ours.kind, 'kind');
  flow(ours, (it) => it);
  flow(theirs, (it) => turned[it] ?? it);
  return row;

  // What was agreed, and small what is wished for where that is another.
  function flow(section, seen) {
    const [agreed, wish] = [seen(section?.currentDirection), seen(section?.direction)];
    const what = section?.rejected ? 'stopped' : section?.kind == 'application' ? 'data' : agreed ?? (section ? 'new' : '?');
    cell('', `flow ${what}`);
    row.lastChild.title = `agreed ${section?.currentDirection}, wished ${section?.direction}`;
    row.lastChild.append(Object.assign(document.createElement('b'), {textContent: glyphs[what] ?? what}));
    if (wish && wish != agreed && what != 'stopped') {
      row.lastChild.append(Object.assign(document.createElement('i'), {textContent: `wants ${glyphs[wish] ?? wish}`}));
    }
  }
}

pc.onsignalingstatechange = pc.onconnectionstatechange = refresh;
pc.ontrack = ({track}) => {
  for (const event of ['onmute', 'onunmute', 'onended']) track[event] = refresh;
};
for (const button of document.querySelectorAll('[data-operation]')) {
  button.onclick = () => perform(button.dataset.operation);
}
let timer;
$('rate').oninput = () => {
  clearInterval(timer);
  const rate = [0, 0.5, 1, 2, 5, 10][$('rate').value];
  $('often').textContent = rate ? `${rate} a second` : 'off';
  if (rate) timer = setInterval(perform, 1000 / rate, undefined);
};
$('rate').oninput();
addEventListener('pagehide', () => pc.close());

// JSON over a WebSocket to the program that serves this page, which calls a description "desc".
function SignalingChannel() {
  const socket = new WebSocket(`ws://${location.host}/signaling`);
  const waiting = [];
  this.send = ({description, candidate}) => {
    const json = JSON.stringify(description ? {desc: description} : {candidate});
    socket.readyState == WebSocket.OPEN ? socket.send(json) : waiting.push(json);
    if (!description) return;
    counts[description.type == 'offer' ? 'offers' : 'answers'] += 1;
    rung(`right ${description.type}`, description.type);
  };
  socket.onopen = () => waiting.splice(0).forEach((json) => socket.send(json));
  socket.onmessage = async ({data}) => {
    const {desc: description, candidate} = JSON.parse(data);
    if (description) rung(`left ${description.type}`, description.type);
    beforeMessage({description});
    underway += 1;
    await this.onmessage({data: {description, candidate}});
    underway -= 1;
    refresh();
  };
  socket.onclose = ({code}) => {
    pc.close();
    // 4001: another page took over; coming back by ourselves would take it back.
    if (code == 4001) return over('Another page has taken over.', 'Take over here');
    over('The Rust program has ended.', 'Try again');
    setTimeout(comeBack, 1000);
  };
}

// The sample has one connection a page: a new one begins with a new page.
async function comeBack() {
  const isBack = await fetch('/').then(() => true, () => false);
  isBack ? location.reload() : setTimeout(comeBack, 1000);
}

function over(why, what) {
  clearInterval(timer);
  $('over').hidden = false;
  $('over').firstElementChild.textContent = why;
  $('over').lastElementChild.textContent = what;
  $('over').lastElementChild.onclick = () => location.reload();
}

refresh();
