import { stream } from "@magic-mask/core";
import type { RecordedTest } from "../conformance.ts";
import { pong } from "../pong.ts";
import * as machine from "../pong-machine.ts";
import { same } from "./same.ts";

/** A recording of Pong: the emulator's memory before the first action and after each, what was done and what it brought. */
interface PongTrace {
  readonly name: string;
  readonly players: 1 | 2;
  readonly frameskip: number;
  /** Probability that a frame repeats the action of the frame before. */
  readonly sticky: number;
  /** By column: [T + 1] */
  readonly ram: Readonly<Record<string, readonly number[]>>;
  /** [T] actions and rewards of the right player, and of the left one if there are two. */
  readonly a: readonly number[];
  readonly r: readonly number[];
  readonly a2?: readonly number[];
  readonly r2?: readonly number[];
  /** One character a step: 0 or 1. The game then starts anew, unrecorded. */
  readonly done: string;
}

/** Recorded columns and the machine's words for them. */
const COLUMNS: readonly (readonly [column: string, word: number])[] = [
  ["bx", machine.BALL_X],
  ["by", machine.BALL_Y],
  ["vx", machine.SPEED_X],
  ["vy", machine.SPEED_Y],
  ["pl", machine.PADDLE + machine.LEFT],
  ["pr", machine.PADDLE + machine.RIGHT],
  ["sl", machine.SCORE + machine.LEFT],
  ["sr", machine.SCORE + machine.RIGHT],
  ["hits", machine.CONTACTS],
  ["targetA", machine.READING],
];

/** One recording of Pong, from the start to the end. Where chance went into it, what it can have been is worked out. */
export function pongTrace(recorded: unknown, index: number): RecordedTest {
  const name = (recorded as Partial<PongTrace> | null)?.name;
  return {
    name: `trace ${index} (${name ?? "of no name"})`,
    run() {
      const trace = readTrace(recorded);
      if (trace.sticky === 0) replay(trace);
      else {
        explain(trace);
        compareRallies(trace);
      }
    },
  };
}

/** Without chance: the world is played with the recorded actions, and must be in the recorded state after every step. */
function replay({ players, frameskip, ram, a, r, a2, r2, done }: PongTrace): void {
  const world = pong({ players, frameSkip: frameskip, repeatActionProbability: 0 });
  const bytes = new Uint8Array(world.snapshotBytes);
  const state = new Int32Array(bytes.buffer);
  const compare = (row: number) => {
    world.snapshot(bytes, 0);
    for (const [column, word] of COLUMNS) same(`row ${row}, ${column}`, state[word], ram[column][row]);
  };
  const actions = new Float32Array(players);
  world.reset(0);
  compare(0);
  for (let t = 0; t < a.length; t++) {
    if (done[t - 1] === "1") world.reset(0);
    actions[0] = a[t];
    if (a2) actions[1] = a2[t];
    world.step(actions);
    compare(t + 1);
    same(`step ${t}, rewards`, [...world.rewards], r2 ? [r[t], r2[t]] : [r[t]]);
    same(`step ${t}, done`, String(world.terminated[0] | world.truncated[0]), done[t]);
  }
}

/**
 * With repeated actions: which frames repeated one is not recorded, and knobs are hidden. All states are kept that some choice of
 * repeats leads to and that agree with every row so far; one at least must be left at the end. A step repeats the action before
 * it for its first frames, 0 to all; once its own is in, repeating changes nothing.
 */
function explain({ frameskip, ram, a, r, done }: PongTrace): void {
  const initial = new Int32Array(machine.MACHINE_WORDS);
  machine.start(initial, 1);
  let states: Int32Array[] = [initial];
  for (const [column, word] of COLUMNS) same(`row 0, ${column}`, initial[word], ram[column][0]);
  const scored = (s: Int32Array) => s[machine.SCORE + machine.RIGHT] - s[machine.SCORE + machine.LEFT];
  for (let t = 0; t < a.length; t++) {
    if (done[t - 1] === "1") states = [initial];
    const next = new Map<string, Int32Array>();
    for (const before of states) {
      const repeats = before[machine.ACTION + machine.RIGHT] === a[t] ? 0 : frameskip;
      for (let repeated = 0; repeated <= repeats; repeated++) {
        const after = before.slice();
        for (let k = 0; k < frameskip && !isWon(after); k++) {
          if (k >= repeated) after[machine.ACTION + machine.RIGHT] = a[t];
          machine.frame(after, 1);
        }
        if (COLUMNS.some(([column, word]) => after[word] !== ram[column][t + 1])) continue;
        if (scored(after) - scored(before) !== r[t] || String(Number(isWon(after))) !== done[t]) continue;
        next.set(after.join(), after);
      }
    }
    if (next.size === 0) {
      const row = COLUMNS.map(([column]) => `${column} ${ram[column][t + 1]}`).join(", ");
      throw new Error(`step ${t}: no choice of repeated frames leads to ${row}, reward ${r[t]}, done ${done[t]}`);
    }
    states = [...next.values()];
  }
}

const isWon = (s: Int32Array) => s[machine.SCORE] === 21 || s[machine.SCORE + 1] === 21;

/** Of each point: contacts of its rally, the ball's speed across at its end, and who scored. */
type Rallies = { readonly contacts: number[]; readonly speed: number[]; readonly points: number[] };

/**
 * With repeated actions: rallies of this world against the recorded ones. It is played by a policy that does what was done: the
 * recorded actions of the moments that look like the present one, drawn at random.
 */
function compareRallies({ frameskip, sticky, ram, a, done }: PongTrace): void {
  const recorded: Rallies = { contacts: [], speed: [], points: [] };
  const seen = new Map<string, number[]>();
  for (let t = 0; t < a.length; t++) {
    if (done[t - 1] === "1") continue;
    const { by, pr, sl, sr, hits, vx } = ram;
    for (const key of moments(by[t], pr[t], t > 0 ? a[t - 1] : 0)) {
      const actions = seen.get(key) ?? [];
      actions.push(a[t]);
      seen.set(key, actions);
    }
    note(recorded, sr[t + 1] - sl[t + 1] - (sr[t] - sl[t]), hits[t + 1], vx[t + 1]);
  }

  const ours: Rallies = { contacts: [], speed: [], points: [] };
  const world = pong({ players: 1, frameSkip: frameskip, repeatActionProbability: sticky });
  const bytes = new Uint8Array(world.snapshotBytes);
  const s = new Int32Array(bytes.buffer);
  const random = stream("rallies");
  const actions = new Float32Array(1);
  for (let t = 0, episode = 0; t < 3 * a.length; t++) {
    if (!world.acting[0]) {
      world.reset(episode++);
      actions[0] = 0;
    }
    world.snapshot(bytes, 0);
    const key = moments(s[machine.BALL_Y], s[machine.PADDLE + machine.RIGHT], actions[0]).find((key) => seen.has(key));
    const choices = seen.get(key ?? "") ?? [0];
    actions[0] = choices[random.below(choices.length)];
    world.step(actions);
    world.snapshot(bytes, 0);
    note(ours, world.rewards[0], s[machine.CONTACTS], s[machine.SPEED_X]);
  }
  for (const figure of ["contacts", "speed", "points"] as const) {
    const distance = kolmogorovSmirnov(ours[figure], recorded[figure]);
    const [n, m] = [ours[figure].length, recorded[figure].length];
    // What two samples of one distribution exceed in one case of a hundred.
    const limit = 1.628 * Math.sqrt((n + m) / (n * m));
    if (distance > limit) {
      throw new Error(`${figure} of ${n} rallies here and ${m} recorded are ${distance} apart, more than ${limit}`);
    }
  }
}

/** Ever less exact names of a moment: where the ball is from the paddle, and what was done last. */
const moments = (ballY: number, paddle: number, last: number): string[] =>
  ballY === 0
    ? [`out ${last}`, "out"]
    : [`${ballY - paddle} ${last}`, `${ballY - paddle}`, `${Math.sign(ballY - paddle)}`];

function note({ contacts, speed, points }: Rallies, point: number, hits: number, vx: number): void {
  if (point === 0) return;
  contacts.push(hits);
  speed.push(Math.abs(vx));
  points.push(point);
}

/** The largest distance between the shares of two samples that are ≤ x, over all x. */
function kolmogorovSmirnov(a: readonly number[], b: readonly number[]): number {
  const share = (sample: readonly number[], x: number) => sample.filter((y) => y <= x).length / sample.length;
  return Math.max(0, ...[...new Set([...a, ...b])].map((x) => Math.abs(share(a, x) - share(b, x))));
}

function readTrace(recorded: unknown): PongTrace {
  const trace = recorded as PongTrace | null;
  if (!Array.isArray(trace?.a) || trace.a.length === 0) throw new Error("the recording has no actions");
  const T = trace.a.length;
  const { players, frameskip, sticky } = trace;
  if ((players !== 1 && players !== 2) || !(frameskip >= 1) || !(sticky >= 0) || (players === 2 && sticky > 0)) {
    throw new Error(`there is no such game: ${players} players, frameskip ${frameskip}, sticky ${sticky}`);
  }
  const check = (column: string, values: ArrayLike<unknown> | undefined, length: number) => {
    if (values?.length !== length) throw new Error(`${column} must have ${length} entries`);
  };
  for (const column of players === 2 ? (["r", "done", "a2", "r2"] as const) : (["r", "done"] as const)) {
    check(column, trace[column], T);
  }
  for (const [column] of [...COLUMNS, ["targetB"]]) check(column, trace.ram?.[column], T + 1);
  // The other two knobs of the machine: there are none with one player, and nobody turns them with two.
  for (let row = 0; row <= T; row++) same(`row ${row}, targetB`, players === 1 ? 38 : 110, trace.ram.targetB[row]);
  return trace;
}
