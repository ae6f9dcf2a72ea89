/**
 * The machine behind `pong`: one emulated frame at a time, in whole numbers, named as positions in one array of words.
 *
 * Screen coordinates are the original's: x to the right (left paddle's face 68, right 188), y downwards (46 to 205 between the
 * walls). Sides are 0 = left, 1 = right; a pair of words holds the left one's value and, one further, the right one's.
 */

// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { max, min } = Math;

export const LEFT = 0;
export const RIGHT = 1;

/** Ball, 0 … 255. After a point x stays and y is 0 until the next serve. */
export const BALL_X = 0;
export const BALL_Y = 1;
/** Pixels per frame to the left: the machine subtracts it from x. */
export const SPEED_X = 2;
/** Pixels per frame down. */
export const SPEED_Y = 3;
/** Frames in which the ball touched a paddle since the serve, modulo 256. */
export const CONTACTS = 4;
/** The side that touched the ball or scored last; `NOBODY` before the first point or contact. */
export const LAST = 5;
/** 1 while the ball's vertical motion counts twice in a game of two: LAST held FIRE at the end of the last frame. */
export const DOUBLED = 6;
/** Frames until the serve, 1 = waiting for FIRE; 0 in play; `IDLE` for good after the machine has gone into its attract mode. */
export const CLOCK = 7;
/** Where the CPU keeps its paddle. */
export const CPU = 8;
/** Pair: top of each paddle as drawn. */
export const PADDLE = 9;
/** Pair: where each paddle is drawn in the next frame. */
export const NEXT = 11;
/** Pair: resistance of each paddle's knob, ohms; up is less. */
export const KNOB = 13;
/** Pair: 1 where FIRE was held at the end of the last frame, which is when the machine looks. */
export const FIRE = 15;
/** Pair. */
export const SCORE = 17;
/** The machine's frame counter. */
export const FRAME = 19;
/** Pair: the action that each side plays in the next frame, as ALE numbers them. */
export const ACTION = 20;
/** What the last reading of a knob gave, 38 … 204. */
export const READING = 22;
/** Words of the machine. */
export const MACHINE_WORDS = 23;

export const NOBODY = 255;
export const IDLE = -1;

export const KNOB_LOW = 27_450;
export const KNOB_CENTRE = 408_823;
export const KNOB_HIGH = 790_196;
const KNOB_PER_FRAME = 23_000;
/** What a knob in the middle reads. */
const CENTRE_READING = 110;
const FASTEST = 4;
/** Frames from a point to the next serve. */
export const SERVE_AFTER = 63;
/** A goal that the ball's x has left behind, on either side. */
const LEFT_GOAL = 52;
const RIGHT_GOAL = 205;

/** [6] by action: noop, fire, right, left, right-fire, left-fire; right is up. */
const KNOB_TURN = Int32Array.of(0, 0, -KNOB_PER_FRAME, KNOB_PER_FRAME, -KNOB_PER_FRAME, KNOB_PER_FRAME);
const FIRES = Int32Array.of(0, 1, 0, 0, 1, 1);

/** What the machine's words are when ALE hands it over after a reset: it has run some frames by itself. */
export function start(s: Int32Array, players: 1 | 2): void {
  s.fill(0, 0, MACHINE_WORDS);
  s[LAST] = NOBODY;
  s[DOUBLED] = 1;
  s[CLOCK] = players === 1 ? 59 : 57;
  s[CPU] = players === 1 ? 22 : 0;
  s[BALL_Y] = players === 1 ? 60 : 0;
  s[FRAME] = players === 1 ? 256 + 71 : 256 + 11;
  for (const side of [LEFT, RIGHT]) {
    s[PADDLE + side] = 109;
    s[NEXT + side] = 109;
    s[KNOB + side] = KNOB_CENTRE;
  }
  if (players === 1) s[PADDLE + LEFT] = s[CPU];
  s[READING] = CENTRE_READING;
}

/**
 * One frame of the game, with the actions in `ACTION`.
 *
 * 1. Knobs turn, by 23 000 a frame.
 * 2. Before the serve the clock runs. A ball in play that lies in a goal is a point; else, one that was drawn over a wall or a
 *    paddle bounces; and it moves. Bounces go by what the last frame drew, so that an overlap of two frames is two bounces.
 * 3. Paddles go to where they were to be drawn next; the CPU's follows the ball as it now lies, by 2, and rests every 8th frame.
 * 4. While the frame is drawn one knob is read, left in even frames, right in odd ones: the paddle's next place is half way to it.
 * 5. FIRE is looked at, for the next frame.
 */
export function frame(s: Int32Array, players: 1 | 2): void {
  for (let side = LEFT; side <= RIGHT; side++) {
    const knob = s[KNOB + side] + KNOB_TURN[s[ACTION + side]];
    s[KNOB + side] = max(KNOB_LOW, min(KNOB_HIGH, knob));
  }

  if (s[CLOCK] === IDLE) s[BALL_Y] = 0;
  else if ((s[FRAME] & 0xff00) === 0) goIdle(s, players);
  else if (s[CLOCK] > 0) waitForServe(s, players);
  else playBall(s, players);

  s[PADDLE + LEFT] = s[NEXT + LEFT];
  s[PADDLE + RIGHT] = s[NEXT + RIGHT];
  if (players === 1) {
    const at = s[CPU];
    if ((s[FRAME] & 7) !== 0 && at !== s[BALL_Y]) s[CPU] = (at + (at < s[BALL_Y] ? 2 : -2)) & 255;
    s[PADDLE + LEFT] = s[CPU];
  }

  const read = s[FRAME] & 1;
  s[READING] = readingOf(s[KNOB + read]);
  s[NEXT + read] = (s[NEXT + read] + s[READING]) >> 1;
  s[FRAME]++;

  s[FIRE + LEFT] = FIRES[s[ACTION + LEFT]];
  s[FIRE + RIGHT] = FIRES[s[ACTION + RIGHT]];
  if (s[LAST] !== NOBODY) s[DOUBLED] = s[FIRE + s[LAST]];
}

/** The frame counter has run over: the machine takes itself to be unattended and shows its game's number as the left score. */
function goIdle(s: Int32Array, players: 1 | 2): void {
  s[CLOCK] = IDLE;
  s[SCORE + LEFT] = players === 1 ? 1 : 4;
}

/** Serves once the clock has run down; in a game of two it then waits until the side that scored holds FIRE. */
function waitForServe(s: Int32Array, players: 1 | 2): void {
  s[BALL_Y] = 0;
  s[CLOCK]--;
  if (s[CLOCK] > 0) return;
  if (players === 2 && s[DOUBLED] === 0) {
    s[CLOCK] = 1;
    return;
  }
  s[CONTACTS] = 0;
  s[BALL_X] = 128;
  s[BALL_Y] = 128;
  s[CPU] = 128;
  // Toward who lost the point; up or down as the last ball went.
  s[SPEED_X] = s[LAST] === LEFT ? -1 : 1;
  s[SPEED_Y] = s[SPEED_Y] < 0 ? -1 : 1;
  moveBall(s, players);
}

function playBall(s: Int32Array, players: 1 | 2): void {
  const x = s[BALL_X];
  const y = s[BALL_Y];
  if (x <= LEFT_GOAL || x >= RIGHT_GOAL) {
    s[LAST] = x >= RIGHT_GOAL ? LEFT : RIGHT;
    s[SCORE + s[LAST]]++;
    s[CLOCK] = SERVE_AFTER;
    return;
  }
  if (onWall(y)) {
    s[BALL_Y] = y < 128 ? y + 1 : y - 1;
    s[SPEED_Y] = -s[SPEED_Y];
  } else if (touchesRight(x, y, s[PADDLE + RIGHT]) || (players === 2 && grazesRight(s))) bounce(s, players, RIGHT);
  else if (touchesLeft(x, y, s[PADDLE + LEFT])) bounce(s, players, LEFT);
  moveBall(s, players);
}

function moveBall(s: Int32Array, players: 1 | 2): void {
  const doubled = players === 2 && s[DOUBLED] === 1;
  s[BALL_X] = (s[BALL_X] - s[SPEED_X]) & 255;
  s[BALL_Y] = (s[BALL_Y] + (doubled ? 2 * s[SPEED_Y] : s[SPEED_Y])) & 255;
}

/**
 * A paddle hits: the ball leaves at the angle of where it was hit, whatever it came at, and never toward the paddle's own goal.
 * It gets faster by FIRE in a game of one, at every fourth contact in a game of two.
 */
function bounce(s: Int32Array, players: 1 | 2, side: number): void {
  s[CONTACTS] = (s[CONTACTS] + 1) & 255;
  s[LAST] = side;
  let speed = s[SPEED_X];
  const faster = players === 1 ? s[FIRE + side] === 1 : s[CONTACTS] !== 0 && (s[CONTACTS] & 3) === 0;
  if (faster) speed = speed < 0 ? max(speed - 1, -FASTEST) : min(speed + 1, FASTEST);
  s[SPEED_X] = speed < 0 === (side === RIGHT) ? -speed : speed;
  s[SPEED_Y] = deflection(s[BALL_Y] - s[PADDLE + side]);
}

/** Vertical speed after a hit `z` below the paddle's top: ⌊(z + 3) / 4⌋ − 2. */
export const deflection = (z: number): number => ((z + 3) >> 2) - 2;

/** The walls' bars; beyond them there is nothing that would stop a ball. */
const onWall = (y: number): boolean => (y >= 37 && y <= 45) || (y >= 206 && y <= 219);

/**
 * Whether a ball at (x, y) is drawn over the right paddle, whose top is at p. Two screen lines are drawn at a time: paddles begin
 * at even lines, and the ball meets the right one as if it did too.
 */
export function touchesRight(x: number, y: number, p: number): boolean {
  const below = (y & ~1) - ((p + 1) & ~1);
  return x >= 188 && x <= 192 && below >= -2 && below <= 14;
}

/**
 * The right paddle's one exception, in a game of two. The machine times its drawing by the beam and is late where both knobs that it
 * reads are still charging (this frame's, and one that nobody holds) and no left paddle is drawn: the ball is then switched off
 * behind the paddle's first columns, a line too late, and has touched it.
 */
function grazesRight(s: Int32Array): boolean {
  const x = s[BALL_X];
  const top = (s[PADDLE + RIGHT] + 1) & ~1;
  if (x < 188 || x > 190 || s[BALL_Y] !== top - 3 || top > s[READING] || top > CENTRE_READING) return false;
  const intoLeft = top + 2 - s[PADDLE + LEFT];
  return intoLeft < 0 || intoLeft > 15;
}

/** As `touchesRight`. The left paddle is drawn one line before the ball of the same two lines. */
export function touchesLeft(x: number, y: number, p: number): boolean {
  const below = y - ((p + 1) & ~1);
  return x >= 64 && x <= 68 && below >= -4 && below <= 14;
}

/** What the machine reads from a knob of so many ohms: the line in which its capacitor is full, seen at every second one. */
export function readingOf(knob: number): number {
  return max(38, min(204, 2 * (((knob + 30_923) / 7_982) | 0)));
}

/** Whether a serve is awaited, which ALE sees by a counter that the machine keeps for its sounds. */
export const isBallOut = (s: Int32Array): boolean => s[CLOCK] > 0 || (s[CLOCK] === IDLE && s[BALL_Y] === 0);
