/**
 * The picture that a net sees of `pong`: the original's screen of 160 × 210, without the scores, scaled to 84 × 84.
 *
 * Scaling is by area, as in Gymnasium's `AtariPreprocessing`: a pixel is the mean of the screen under it, 40/21 columns by 5/2
 * rows, as a whole grey out of 255. Two things are simpler than they are there: where a ball lies over a paddle their greys add
 * up, to no more than the ball's; and behind the right paddle the original draws half of all balls a row higher.
 */

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { ceil, floor, max, min, round } = Math;

/** Pixels a side. */
export const SIDE = 84;
/** Pictures in one image, its channels. */
export const STACK = 4;
/** Numbers that say what one of them shows. */
export const SCENE = 4;
const SCREEN_WIDTH = 160;
const SCREEN_HEIGHT = 210;
/** Rows that stay black, at the top. */
const BLANK = 1;

/** Rows of the field; what is drawn beyond them is cut off. Below it a bar reaches to the end of the screen. */
export const FIELD_TOP = 34;
export const FIELD_BOTTOM = 194;
/** First row of the bar above the field. */
export const BAR_TOP = 24;
/** First columns. */
export const LEFT_PADDLE = 16;
export const RIGHT_PADDLE = 140;
export const PADDLE_WIDTH = 4;
export const PADDLE_HEIGHT = 16;
export const BALL_WIDTH = 2;
export const BALL_HEIGHT = 4;

/** First column of a ball at x, and row of one at y. */
export const ballColumn = (x: number): number => x - 49;
export const ballRow = (y: number): number => y - 14;
/** First row of a paddle at y: both begin at even lines, the left one is drawn a line earlier. */
export const rightPaddleRow = (y: number): number => ((y + 1) & ~1) - 14;
export const leftPaddleRow = (y: number): number => ((y + 1) & ~1) - 15;

/** Greys of the original's screen, as ALE gives them. */
const GROUND = 87;
const LEFT_GREY = 148;
const RIGHT_GREY = 147;
const LIGHT = 236;

/** How much of pixel `i` lies between two places of an axis of `length`, 0 to 1. */
const share = (i: number, from: number, to: number, length: number): number =>
  max(0, (min(to, ((i + 1) * length) / SIDE) - max(from, (i * length) / SIDE)) * (SIDE / length));

/** [84 rows] the screen without anything that moves: every column of it is the same. */
const still = Float64Array.from({ length: SIDE }, (_, row) => {
  const bars = share(row, BAR_TOP, FIELD_TOP, SCREEN_HEIGHT) + share(row, FIELD_BOTTOM, SCREEN_HEIGHT, SCREEN_HEIGHT);
  return GROUND * (1 - share(row, 0, BLANK, SCREEN_HEIGHT)) + (LIGHT - GROUND) * bars;
});
const stillGreys = Float32Array.from(still, (grey) => round(grey) / 255);
/** [84 × 84 × 4] */
const stillImage = Float32Array.from({ length: SIDE * SIDE * STACK }, (_, i) => stillGreys[floor(i / (SIDE * STACK))]);

/**
 * Draws four scenes as the channels of one image [84 × 84 × 4] at `out[offset …]`, greys in [0, 1].
 *
 * @param scenes [4 × 4] from `at` on: of each, the ball's x (−1 where there is none) and y, the left and the right paddle
 * @param mirrored whether left and right change sides, colours included
 */
export function drawScenes(out: Float32Array, offset: number, scenes: Int32Array, at: number, mirrored: boolean): void {
  out.set(stillImage, offset);
  const leftGrey = mirrored ? RIGHT_GREY : LEFT_GREY;
  const rightGrey = mirrored ? LEFT_GREY : RIGHT_GREY;
  for (let channel = 0; channel < STACK; channel++) {
    const scene = at + channel * SCENE;
    const first = offset + channel;
    addPaddle(out, first, flip(LEFT_PADDLE, PADDLE_WIDTH, mirrored), leftPaddleRow(scenes[scene + 2]), leftGrey);
    addPaddle(out, first, flip(RIGHT_PADDLE, PADDLE_WIDTH, mirrored), rightPaddleRow(scenes[scene + 3]), rightGrey);
    if (scenes[scene] < 0) continue;
    const ball = flip(ballColumn(scenes[scene]), BALL_WIDTH, mirrored);
    addRectangle(out, first, ball, ballRow(scenes[scene + 1]), BALL_WIDTH, BALL_HEIGHT, LIGHT);
  }
}

const flip = (column: number, width: number, mirrored: boolean) => (mirrored ? SCREEN_WIDTH - column - width : column);

const addPaddle = (out: Float32Array, first: number, left: number, top: number, grey: number) =>
  addRectangle(out, first, left, top, PADDLE_WIDTH, PADDLE_HEIGHT, grey);

/** Lays a rectangle of the screen over the channel that begins at `out[first]`. */
function addRectangle(
  out: Float32Array,
  first: number,
  left: number,
  top: number,
  width: number,
  height: number,
  grey: number,
): void {
  const from = max(top, FIELD_TOP);
  const to = min(top + height, FIELD_BOTTOM);
  const right = left + width;
  const firstColumn = max(0, floor((left * SIDE) / SCREEN_WIDTH));
  const lastColumn = min(SIDE, ceil((right * SIDE) / SCREEN_WIDTH)) - 1;
  const lastRow = ceil((to * SIDE) / SCREEN_HEIGHT) - 1;
  for (let row = floor((from * SIDE) / SCREEN_HEIGHT); row <= lastRow; row++) {
    const down = share(row, from, to, SCREEN_HEIGHT);
    for (let column = firstColumn; column <= lastColumn; column++) {
      const added = (grey - GROUND) * down * share(column, left, right, SCREEN_WIDTH);
      const at = first + (row * SIDE + column) * STACK;
      // Greys are whole, but the exact one counts where a bar and the field share a pixel.
      const under = out[at] === stillGreys[row] ? still[row] : out[at] * 255;
      out[at] = min(LIGHT, round(under + added)) / 255;
    }
  }
}
