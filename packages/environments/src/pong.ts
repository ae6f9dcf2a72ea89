import {
  box,
  checkCount,
  checkRange,
  discrete,
  type Environment,
  MagicMaskError,
  type Stream,
  stream,
} from "@magic-mask/core";
import { readSnapshot, requireEpisode } from "./checks.ts";
import { refuseUnknown } from "./options.ts";
import * as machine from "./pong-machine.ts";
import { drawScenes, SCENE, SIDE, STACK } from "./pong-pixels.ts";
import { drawPong } from "./pong-svg.ts";

export interface PongOptions {
  /** Two players; or one, on the right, against the machine's paddle. */
  readonly players?: 1 | 2;
  /** Frames that an action is held for, ≥ 1, their rewards summed; by default 4 with one player and 1 with two. */
  readonly frameSkip?: number;
  /** How probably a frame repeats the action of the frame before, drawn for each frame and player; by default .25 with one player and 0 with two. */
  readonly repeatActionProbability?: number;
  /** Frames after which the episode is truncated, ≥ 1; by default 108 000 with one player and 100 000 with two. */
  readonly maxFrames?: number;
  /** What is seen: numbers about the game, or the last four steps' pictures. */
  readonly observation?: "features" | "pixels";
}

const SOURCE = "environments/pong";
const LABELS = ["noop", "fire", "up", "down", "up-fire", "down-fire"];
/** Points that win. */
const GAME = 21;
/** Frames without a serve after which whoever should serve pays. */
const STALL = 120;
const FEATURES = 24;
/** Words of the state behind the machine's: what ALE adds to it, and what this world remembers. */
const STALLED = machine.MACHINE_WORDS;
/** Frames played; −1 before `reset`. */
const PLAYED = STALLED + 1;
/** Pair, by side: what the last step paid. */
const PAID = PLAYED + 1;
const RANDOM = PAID + 2;
/** Then the scenes of the last four steps, oldest first, where pixels are seen. */
const SCENES = RANDOM + 4;

/**
 * Pong of the Atari 2600's Video Olympics (1978), frame by frame as ALE runs it: with one player `ALE/Pong-v5` of ale-py 0.12.1,
 * with two `atari.pong_v3` of PettingZoo 1.27.0. No emulator: the rules are written out in `pong-machine.ts`.
 *
 * Agents: two players, `first_0` on the right and `second_0` on the left, act together; or one, `agent_0`, on the right.
 * Action, the same for all: 0 noop, 1 fire, 2 up, 3 down, 4 up and fire, 5 down and fire, ALE's numbers. An action turns the
 *   player's knob; the paddle follows with a lag and coasts on. FIRE makes the ball faster when it is held as the ball touches
 *   one's paddle (one player), or, while one was the last to touch it, doubles its motion up and down (two), and serves (two).
 * Observation: everything from the agent's own side, as if it played on the right, so that players can share a net.
 *   `features`, [24], each in [−1, 1]; heights are (y − 128) / 128 with y downwards, "held" means at the end of the last frame:
 *      0 the ball is in play; 1 its place across, (x − 128) / 80, own paddle's face at .75; 2 its height (1 and 2 are 0 out of play);
 *      3 its speed toward the own side / 4; 4 its speed down / 4
 *      5 own paddle's height; 6 where it is drawn in the next frame; 7 own knob, −1 up to 1 down; 8, 9, 10 the same of the
 *        other paddle (the machine's has no knob: 0 and a fixed 9)
 *     11 own last action, −1 up, 0, 1 down; 12 the other's; 13 own FIRE was held; 14 the other's
 *     15 the ball's motion up and down is doubled; 16 who touched it or scored last, and so serves: 1 own side, −1 the other, 0 nobody
 *     17 frames until the serve / 63; 18 frames without a serve / 120; 19 contacts since the ball got faster / 3 (two players)
 *     20 own points / 21; 21 the other's; 22 the own knob is read in the next frame (or the other's); 23 frame mod 8, / 7
 *   `pixels`, [84, 84, 4], greys in [0, 1]: pictures after the last four steps, the oldest first, the first one repeated at the
 *      start; the scores are left out, see `pong-pixels.ts`.
 * Reward: +1 for a point, −1 for one lost, summed over the frames of a step. With two players one who lets 120 frames pass
 *   without a serve pays 1, to nobody, and the count starts again.
 * Start: always the same but for chance, of which there is none unless actions are repeated; then it is this workspace's stream.
 * Ends: terminated at 21 points; truncated after `maxFrames` frames. After some 65 000 frames the machine goes into its attract
 *   mode, as the original does: it sets the left score to 1 (4 with two players), which pays the difference, and plays no more.
 *
 * @throws invalid-option, unknown-key
 */
export function pong({
  players = 2,
  frameSkip = players === 1 ? 4 : 1,
  repeatActionProbability = players === 1 ? 0.25 : 0,
  maxFrames = players === 1 ? 108_000 : 100_000,
  observation = "features",
  ...unknown
}: PongOptions = {}): Environment {
  refuseUnknown(SOURCE, unknown);
  if (players !== 1 && players !== 2) {
    throw new MagicMaskError("invalid-option", SOURCE, `players must be 1 or 2, got ${players}`);
  }
  checkCount(SOURCE, "frameSkip", frameSkip);
  checkRange(SOURCE, "repeatActionProbability", repeatActionProbability, 0, 1);
  checkCount(SOURCE, "maxFrames", maxFrames);
  if (observation !== "features" && observation !== "pixels") {
    throw new MagicMaskError(
      "invalid-option",
      SOURCE,
      `observation must be "features" or "pixels", got ${JSON.stringify(observation)}`,
    );
  }
  const pixels = observation === "pixels";
  const space = pixels ? box([SIDE, SIDE, STACK], 0, 1) : box([FEATURES], -1, 1);
  const actionSpace = discrete(LABELS.length, LABELS);
  const common = Array.from({ length: pixels ? SIDE * SIDE * STACK : FEATURES }, (_, i) => i);
  const agents = players === 1 ? ["agent_0"] : ["first_0", "second_0"];
  /** [N] */
  const sides = players === 1 ? [machine.RIGHT] : [machine.RIGHT, machine.LEFT];
  const each = <T>(value: T): T[] => agents.map(() => value);

  // The whole state; the arrays below follow from it.
  const s = new Int32Array(SCENES + (pixels ? STACK * SCENE : 0));
  s[PLAYED] = -1;
  const bytes = new Uint8Array(s.buffer);
  const acting = new Uint8Array(players);
  const rewards = new Float64Array(players);
  const terminated = new Uint8Array(players);
  const truncated = new Uint8Array(players);
  const chosen = new Int32Array(2);
  const own = stream(0, SOURCE);
  /** Where chance comes from: `own`, or the stream of the last `restore`. */
  let chance: Stream = own;

  const isWon = () => s[machine.SCORE] === GAME || s[machine.SCORE + 1] === GAME;

  const publish = () => {
    const won = isWon() ? 1 : 0;
    const late = s[PLAYED] >= maxFrames ? 1 : 0;
    terminated.fill(won);
    truncated.fill(late);
    acting.fill(s[PLAYED] >= 0 && !won && !late ? 1 : 0);
    for (let agent = 0; agent < players; agent++) rewards[agent] = s[PAID + sides[agent]];
  };

  /** One frame, and what ALE makes of it. */
  const playFrame = () => {
    for (let agent = 0; agent < players; agent++) {
      const side = sides[agent];
      if (repeatActionProbability > 0 && chance.uniform() < repeatActionProbability) continue;
      s[machine.ACTION + side] = chosen[side];
    }
    const lead = s[machine.SCORE + machine.RIGHT] - s[machine.SCORE + machine.LEFT];
    machine.frame(s, players);
    s[PLAYED]++;
    const gained = s[machine.SCORE + machine.RIGHT] - s[machine.SCORE + machine.LEFT] - lead;
    s[PAID + machine.RIGHT] += gained;
    s[PAID + machine.LEFT] -= gained;
    if (players === 1) return;
    s[STALLED] = machine.isBallOut(s) ? s[STALLED] + 1 : 0;
    if (s[STALLED] < STALL) return;
    s[STALLED] = 0;
    s[PAID + (s[machine.LAST] === machine.LEFT ? machine.LEFT : machine.RIGHT)]--;
  };

  const keepScene = (slot: number) => {
    const at = SCENES + slot * SCENE;
    s[at] = s[machine.BALL_Y] === 0 ? -1 : s[machine.BALL_X];
    s[at + 1] = s[machine.BALL_Y];
    s[at + 2] = s[machine.PADDLE + machine.LEFT];
    s[at + 3] = s[machine.PADDLE + machine.RIGHT];
  };

  return {
    id: "pong_v0",
    agents,
    roles: each("player"),
    observationSpaces: each(space),
    actionSpaces: each(actionSpace),
    turnBased: false,
    zeroSum: false,
    returnRange: players === 1 ? [-GAME, GAME] : [-GAME - Math.floor(maxFrames / STALL), GAME],
    commonFeatures: each(common),
    chance: repeatActionProbability > 0 ? "steps" : "none",
    snapshotBytes: bytes.length,
    acting,
    rewards,
    terminated,
    truncated,

    reset(seed) {
      own.rekey(seed, SOURCE);
      chance = own;
      s.fill(0);
      machine.start(s, players);
      if (pixels) for (let slot = 0; slot < STACK; slot++) keepScene(slot);
      publish();
    },

    observe(agent, out, offset) {
      const side = sides[agent];
      if (pixels) drawScenes(out, offset, s, SCENES, side === machine.LEFT);
      else writeFeatures(s, side, out, offset);
    },

    legal(agent, out, offset) {
      out.fill(acting[agent], offset, offset + LABELS.length);
      return acting[agent] * LABELS.length;
    },

    step(actions) {
      requireEpisode(SOURCE, acting[0] === 1);
      for (let agent = 0; agent < players; agent++) {
        const action = actions[agent];
        if (!(Number.isInteger(action) && action >= 0 && action < LABELS.length)) {
          throw new MagicMaskError(
            "illegal-action",
            SOURCE,
            `${agents[agent]} may choose action 0 to ${LABELS.length - 1}, got ${action}`,
          );
        }
        chosen[sides[agent]] = action;
      }
      s[PAID] = 0;
      s[PAID + 1] = 0;
      for (let k = 0; k < frameSkip && s[PLAYED] < maxFrames && !isWon(); k++) playFrame();
      if (pixels) {
        s.copyWithin(SCENES, SCENES + SCENE);
        keepScene(STACK - 1);
      }
      publish();
    },

    snapshot(out, offset) {
      s.set(chance.exportState(), RANDOM);
      out.set(bytes, offset);
    },

    restore(from, offset, random) {
      readSnapshot(SOURCE, from, offset, bytes);
      chance = random ?? own;
      if (!random) own.restoreState(Array.from(s.subarray(RANDOM, RANDOM + 4), (bits) => bits >>> 0));
      publish();
    },

    render() {
      const [left, right] = [machine.LEFT, machine.RIGHT];
      const ball =
        s[machine.CLOCK] === 0
          ? `ball at ${s[machine.BALL_X]}, ${s[machine.BALL_Y]} by ${-s[machine.SPEED_X]}, ${s[machine.SPEED_Y]}`
          : s[machine.CLOCK] === machine.IDLE
            ? "attract mode"
            : `serve in ${s[machine.CLOCK]}`;
      return `frame ${s[PLAYED]}: ${s[machine.SCORE + left]} to ${s[machine.SCORE + right]}, ${ball}, paddles at ${s[machine.PADDLE + left]} and ${s[machine.PADDLE + right]}`;
    },

    svg: () => drawPong(s),
  };
}

/** See `pong`. */
function writeFeatures(s: Int32Array, own: number, out: Float32Array, offset: number): void {
  const other = 1 - own;
  const sign = own === machine.RIGHT ? 1 : -1;
  const inPlay = s[machine.CLOCK] === 0;
  const last = s[machine.LAST];
  let at = offset;
  out[at++] = inPlay ? 1 : 0;
  // The game is its own mirror image about x = 128.
  out[at++] = inPlay ? (sign * (s[machine.BALL_X] - 128)) / 80 : 0;
  out[at++] = inPlay ? height(s[machine.BALL_Y]) : 0;
  out[at++] = (-sign * s[machine.SPEED_X]) / 4;
  out[at++] = s[machine.SPEED_Y] / 4;
  for (let k = 0, side = own; k < 2; k++, side = other) {
    out[at++] = height(s[machine.PADDLE + side]);
    out[at++] = height(s[machine.NEXT + side]);
    out[at++] = (s[machine.KNOB + side] - machine.KNOB_CENTRE) / (machine.KNOB_HIGH - machine.KNOB_CENTRE);
  }
  out[at++] = DIRECTION[s[machine.ACTION + own]];
  out[at++] = DIRECTION[s[machine.ACTION + other]];
  out[at++] = s[machine.FIRE + own];
  out[at++] = s[machine.FIRE + other];
  out[at++] = s[machine.DOUBLED];
  out[at++] = last === machine.NOBODY ? 0 : last === own ? 1 : -1;
  out[at++] = s[machine.CLOCK] / machine.SERVE_AFTER;
  out[at++] = s[STALLED] / STALL;
  out[at++] = (s[machine.CONTACTS] & 3) / 3;
  out[at++] = s[machine.SCORE + own] / GAME;
  out[at++] = s[machine.SCORE + other] / GAME;
  out[at++] = (s[machine.FRAME] & 1) === own ? 1 : 0;
  out[at] = (s[machine.FRAME] & 7) / 7;
}

const height = (y: number) => (y - 128) / 128;

/** [6] by action: −1 up, 1 down. */
const DIRECTION = Int32Array.of(0, 0, -1, 1, -1, 1);
