'use strict';
// What a call receives, once a second, in four plots.

/** Plots what the connection that `connection()` gives receives. */
function plotCall(connection) {
  const plots = [
    ['bit rate', 'kbit/s', '--rust'],
    ['lost', 'packets/s', '--rust'],
    ['round trip', 'ms', '--web'],
    ['jitter', 'ms', '--web'],
  ].map(([title, unit, color]) => new Plot(title, unit, color));
  let before = {bytes: 0, lost: 0};
  setInterval(async () => {
    const pc = connection();
    if (pc?.connectionState != 'connected') return;
    const now = await received(pc);
    const values = [((now.bytes - before.bytes) * 8) / 1000, now.lost - before.lost, now.rtt, now.jitter];
    plots.forEach((plot, at) => plot.push(values[at]));
    before = now;
  }, 1000);
}

async function received(pc) {
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
  return now;
}

/** The last minute of a value, beside what it is now. */
class Plot {
  #values = [];
  #unit;
  #color;
  #canvas;
  #output;
  constructor(title, unit, color, parent = document.getElementById('plots')) {
    const section = document.createElement('section');
    section.innerHTML = `<h2>${title} <output></output></h2><canvas width="300" height="90"></canvas>`;
    parent.append(section);
    this.#unit = unit;
    this.#color = color;
    this.#canvas = section.querySelector('canvas');
    this.#output = section.querySelector('output');
  }
  push(value) {
    const values = this.#values;
    values.push(value);
    if (values.length > 60) values.shift();
    this.#output.value = `${value.toFixed(1)} ${this.#unit}`;
    const {width, height} = this.#canvas;
    const context = this.#canvas.getContext('2d');
    const most = Math.max(1, ...values);
    context.clearRect(0, 0, width, height);
    context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue(this.#color);
    context.lineWidth = 2;
    context.beginPath();
    values.forEach((it, at) => context.lineTo((at * width) / 59, height - 4 - (it / most) * (height - 8)));
    context.stroke();
  }
}
