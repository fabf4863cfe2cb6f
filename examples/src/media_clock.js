// The clock of `pc_media::devices::clock`, drawn on a canvas and read from one. The layout is
// documented there. No dependencies; works in pages, workers (OffscreenCanvas) and Node.
//
//   const ctx = canvas.getContext('2d', { willReadFrequently: true });
//   drawClock(ctx, performance.now(), canvas.width, canvas.height);   // before a track of captureStream()
//   ctx.drawImage(video, 0, 0, canvas.width, canvas.height);          // a picture that arrived
//   const ms = readClock(ctx.getImageData(0, 0, canvas.width, canvas.height));

const COLUMNS = 16;
const ROWS = 3;
const ROWS_OF_PICTURE = 12;
const CELLS = COLUMNS * ROWS;
const SYNC = 0xb2;
const MIN_CONTRAST = 32;

/**
 * Draws the clock into the bottom quarter of a picture.
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} ctx
 * @param {number} ms the time in milliseconds, told modulo 2^32
 * @param {number} w width of the whole picture in pixels
 * @param {number} h height of the whole picture in pixels
 */
export function drawClock(ctx, ms, w, h) {
  clockCells(ms).forEach((isWhite, cell) => {
    const [column, row] = place(cell);
    const left = edge(column, w, COLUMNS);
    const top = edge(row, h, ROWS_OF_PICTURE);
    ctx.fillStyle = isWhite ? '#fff' : '#000';
    ctx.fillRect(
      left,
      top,
      edge(column + 1, w, COLUMNS) - left,
      edge(row + 1, h, ROWS_OF_PICTURE) - top,
    );
  });
}

/**
 * Reads the clock of a whole picture, whatever its size.
 * @param {{data: Uint8ClampedArray, width: number, height: number}} imageData
 * @returns {number | null} the time in milliseconds modulo 2^32; null where no clock can be trusted
 */
export function readClock({ data, width, height }) {
  const means = Array.from({ length: CELLS }, (_, cell) => brightness(data, width, height, cell));
  const sums = [0, 0];
  for (let bit = 0; bit < 8; bit += 1) sums[(SYNC >> (7 - bit)) & 1] += means[bit];
  const [black, white] = sums.map((sum) => sum / 4);
  if (!(white - black >= MIN_CONTRAST)) return null;
  const threshold = (black + white) / 2;
  const bytes = [0, 0, 0, 0, 0, 0];
  means.forEach((mean, cell) => {
    if (mean > threshold) bytes[cell >> 3] |= 0x80 >> (cell & 7);
  });
  const [sync, ...time] = bytes;
  const crc = time.pop();
  if (sync !== SYNC || crc !== crc8(time)) return null;
  return time.reduce((ms, byte) => ms * 256 + byte, 0);
}

/** The cells, row by row: whether each is white. */
export function clockCells(ms) {
  const whole = Math.floor(ms) >>> 0; // modulo 2^32
  const time = [24, 16, 8, 0].map((shift) => (whole >>> shift) & 0xff);
  const bytes = [SYNC, ...time, crc8(time)];
  return bytes.flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => ((byte >> bit) & 1) === 1));
}

function place(cell) {
  return [cell % COLUMNS, ROWS_OF_PICTURE - ROWS + Math.floor(cell / COLUMNS)];
}

function edge(at, side, count) {
  return Math.floor((at * side) / count);
}

/** The mean luma (ITU-R BT.601) of a cell's inner half, of one pixel at least. */
function brightness(data, width, height, cell) {
  const [column, row] = place(cell);
  const [left, right] = inner(column, width, COLUMNS);
  const [top, bottom] = inner(row, height, ROWS_OF_PICTURE);
  let sum = 0;
  let count = 0;
  for (let y = top; y < Math.min(bottom, height); y += 1) {
    for (let x = left; x < Math.min(right, width); x += 1) {
      const at = 4 * (y * width + x);
      sum += 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
      count += 1;
    }
  }
  return count > 0 ? sum / count : 0;
}

function inner(at, side, count) {
  const begin = Math.floor(((4 * at + 1) * side) / (4 * count));
  return [begin, Math.max(Math.ceil(((4 * at + 3) * side) / (4 * count)), begin + 1)];
}

/** Polynomial 0x07, initially 0xff, not reflected. */
function crc8(bytes) {
  return bytes.reduce((crc, byte) => {
    let value = crc ^ byte;
    for (let bit = 0; bit < 8; bit += 1) value = ((value << 1) ^ (value & 0x80 ? 0x07 : 0)) & 0xff;
    return value;
  }, 0xff);
}
