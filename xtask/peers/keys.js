// Keys of a telephone in a page: the W3C's "DTMF Example" in its five variants
// (https://www.w3.org/TR/webrtc/#dtmf-example), and an ear for the keys in the sound of a track.

export const variants = {
  tones(sender) {
    const duration = 500;
    sender.dtmf.insertDTMF('1234', duration);
  },

  async abort(sender) {
    sender.dtmf.insertDTMF('123');
    await new Promise((r) => (sender.dtmf.ontonechange = (e) => e.tone == '2' && r()));
    // empty the buffer to not play any tone after "2"
    sender.dtmf.insertDTMF('');
  },

  light(sender, lightKey) {
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const duration = 500;
    sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '1234', duration);
    sender.dtmf.ontonechange = async ({ tone }) => {
      if (!tone) return;
      lightKey(tone); // light up the key when playout starts
      await wait(duration);
      lightKey(''); // turn off the light after tone duration
    };
  },

  append(sender) {
    sender.dtmf.insertDTMF('123');
    // append more tones to the tone buffer before playout has begun
    sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '456');
    sender.dtmf.ontonechange = ({ tone }) => {
      // append more tones when playout has begun
      if (tone != '1') return;
      sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '789');
    };
  },

  durations(sender) {
    sender.dtmf.ontonechange = ({ tone }) => {
      if (tone != '1') return;
      sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '2', 2000);
    };
    sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + '1', 1000);
  },
};

// In the audio thread, where no sample is missed: blocks of 20 ms in which two frequencies, one of a
// row and one of a column (ITU-T Q.23), have most of the energy, by Goertzel's algorithm.
const EAR = `
  const ROWS = [697, 770, 852, 941];
  const COLUMNS = [1209, 1336, 1477, 1633];
  const KEYS = '123A456B789C*0#D';
  const SIZE = Math.round(sampleRate / 50);

  class Ear extends AudioWorkletProcessor {
    block = new Float32Array(SIZE);
    filled = 0;
    key = '';
    blocks = 0;
    missed = 0;

    process([[samples]]) {
      for (const sample of samples ?? new Float32Array(128)) {
        this.block[this.filled++] = sample;
        if (this.filled < SIZE) continue;
        this.filled = 0;
        this.take(keyIn(this.block));
      }
      return true;
    }

    // Two blocks in which a key cannot be heard do not end it: pauses are longer.
    take(key) {
      if (key === this.key) {
        this.blocks += 1 + this.missed;
        this.missed = 0;
      } else if (!key && this.missed < 2) {
        this.missed += 1;
      } else {
        if (this.key) this.port.postMessage({ tone: this.key, ms: this.blocks * 20 });
        [this.key, this.blocks, this.missed] = [key, 1, 0];
      }
    }
  }

  function keyIn(block) {
    const energy = block.reduce((sum, it) => sum + it * it, 0);
    if (energy / SIZE < 1e-6) return '';
    const loudest = (all) => all.map((it) => share(block, it) / energy).reduce((best, it, at) => (it > best[0] ? [it, at] : best), [0, 0]);
    const [[low, row], [high, column]] = [loudest(ROWS), loudest(COLUMNS)];
    return low > 0.15 && high > 0.15 && low + high > 0.7 ? KEYS[4 * row + column] : '';
  }

  /** How much of the energy of a block one frequency has. */
  function share(block, frequency) {
    const turn = 2 * Math.cos((2 * Math.PI * frequency) / sampleRate);
    let [before, last] = [0, 0];
    for (const sample of block) [before, last] = [last, sample + turn * last - before];
    return ((before * before + last * last - turn * before * last) * 2) / SIZE;
  }

  registerProcessor('ear', Ear);
`;

/** Listens to a track from now on; what is returned grows with each key, and says whether there is a clock to hear by. */
export async function listen(track) {
  const context = new AudioContext();
  const stream = new MediaStream([track]);
  // A browser decodes nothing that no element plays.
  const element = Object.assign(document.createElement('audio'), { muted: true, autoplay: true, srcObject: stream });
  document.body.append(element);
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([EAR], { type: 'text/javascript' })));
  const ear = new AudioWorkletNode(context, 'ear', { channelCount: 1, channelCountMode: 'explicit' });
  const heard = [];
  ear.port.onmessage = ({ data }) => heard.push(data);
  new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(ear).connect(context.destination);
  const began = context.currentTime;
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { keys: heard, hears: context.currentTime > began };
}
