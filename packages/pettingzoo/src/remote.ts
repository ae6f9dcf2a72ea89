import {
  actionWidth,
  boxSize,
  checkCount,
  contains,
  type Environment,
  type EnvironmentSpec,
  type ErrorCode,
  isCopyOver,
  isMagicMaskError,
  MagicMaskError,
  maskWidth,
  slotWidth,
  type VectorEnvironment,
} from "@magic-mask/core";
import { type Crew, type CrewOptions, createCrew } from "./crew.ts";
import {
  bytesOf,
  type Frame,
  frameOf,
  HEAD,
  jsonFrame,
  lookFor,
  numbersFrame,
  type OpenReply,
  parseJson,
  readRecord,
  specOf,
} from "./protocol.ts";

export interface RemoteOptions extends CrewOptions {
  /** What is played, for error messages. */
  readonly name: string;
  /** What a child is to open, as JSON carries it; the number of copies is added. */
  readonly open: object;
  /** What its answer does not say, or says otherwise. */
  readonly about?: Partial<EnvironmentSpec>;
  /** Whether observations that are whole numbers from 0 to 255 are divided by 255. */
  readonly scale?: boolean;
  /** C, copies of the world. */
  readonly copies: number;
  /** K, processes that they are spread over; at most one per copy is started. */
  readonly processes: number;
}

/** Copies of a world in processes of their own. */
export interface RemoteVector extends VectorEnvironment {
  /** Ends the processes. */
  close(): void;
}

/** What a process holds. */
interface Shard {
  readonly first: number;
  readonly copies: number;
  /** The frame of a step, and its parts: slots, then which copies step. */
  readonly frame: Uint8Array;
  readonly slots: Float32Array;
  readonly steps: Uint8Array;
}

const SOURCE = "pettingzoo/remote";
const BYTE = 255;

/**
 * Copies of a world in child processes, stepped with one round trip per process: all are asked before any is waited for.
 *
 * Where a child is lost, its copies have no episode any more, and whoever asked is told; the next `reset` of one of them starts
 * it afresh.
 *
 * @throws worker-lost, unavailable, corrupt-message as `Crew`; what the other end says, with its code; from the methods,
 *   illegal-action, unsupported
 */
export function createRemote({
  name,
  open,
  about,
  scale,
  copies: C,
  processes,
  ...options
}: RemoteOptions): RemoteVector {
  checkCount(SOURCE, "copies", C);
  const K = Math.min(checkCount(SOURCE, "processes", processes), C);
  const from = (k: number) => Math.floor((k * C) / K);
  const crew = createCrew(options);
  const counts = Array.from({ length: K }, (_, k) => from(k + 1) - from(k));
  const opened = placing(`${name}, at the start`, () => openAll(crew, open, counts));
  const told = specOf(opened as OpenReply);
  const { wires, ansi, ...fixed } = told;
  const scaled = fixed.observationSpaces.map(
    ({ low, high }, agent) => scale === true && wires[agent] === "u1" && low === 0 && high === BYTE,
  );
  const spec: EnvironmentSpec = {
    ...fixed,
    observationSpaces: fixed.observationSpaces.map((space, agent) => (scaled[agent] ? { ...space, high: 1 } : space)),
    ...about,
    snapshotBytes: 0,
  };
  const { id, agents, actionSpaces, observationSpaces } = spec;
  const N = agents.length;
  const W = slotWidth(spec);
  const widths = actionSpaces.map(actionWidth);
  const sizes = observationSpaces.map(boxSize);
  const slots = Array.from({ length: C * N }, (_, at) => at % N);
  const arrays = {
    acting: new Uint8Array(C * N),
    rewards: new Float64Array(C * N),
    terminated: new Uint8Array(C * N),
    truncated: new Uint8Array(C * N),
    looks: slots.map((agent) => lookFor(wires[agent], observationSpaces[agent])),
    masks: slots.map((agent) => new Uint8Array(maskWidth(actionSpaces[agent]))),
    choices: new Int32Array(C * N),
    stale: new Uint8Array(C * N),
  };
  const { acting, looks, masks, choices, stale } = arrays;
  const shards = counts.map((copies, k) => shardOf(from(k), copies, N * W));
  const shardAt = Uint32Array.from({ length: C }, (_, copy) => shards.findLastIndex(({ first }) => first <= copy));

  /** An answer of child k that must be data. */
  const dataOf = (k: number): Uint8Array => expect(crew, k, "D").payload;
  /** Child k is gone, and with it the episodes of its copies. */
  const forget = (k: number) => {
    const { first, copies } = shards[k];
    acting.fill(0, first * N, (first + copies) * N);
    choices.fill(0, first * N, (first + copies) * N);
    for (let at = first * N; at < (first + copies) * N; at++) masks[at].fill(0);
  };
  /** Runs what talks to child k. */
  const talk = <T>(k: number, doing: string, run: () => T): T => {
    try {
      return placing(`${name}, ${doing}`, run);
    } catch (error) {
      if (crew.lives(k)) crew.kill(k);
      forget(k);
      throw error;
    }
  };
  const refuse = (): never => {
    throw new MagicMaskError("unsupported", SOURCE, `${id} cannot be copied (snapshotBytes is 0)`);
  };
  const requireLegal = (copy: number, agent: number, actions: Float32Array) => {
    const at = copy * N + agent;
    const space = actionSpaces[agent];
    if (contains(space, actions, at * W) && maskAllows(space, masks[at], actions, at * W)) return;
    const slot = actions.subarray(at * W, at * W + widths[agent]);
    const where = C > 1 ? ` in copy ${copy}` : "";
    throw new MagicMaskError("illegal-action", SOURCE, `${agents[agent]} of ${id} may not play [${slot}]${where}`);
  };

  const self: RemoteVector = {
    spec,
    copies: C,
    acting,
    rewards: arrays.rewards,
    terminated: arrays.terminated,
    truncated: arrays.truncated,
    candidates: () => 0,

    reset(copy, seed) {
      const k = shardAt[copy];
      talk(k, `in the reset of copy ${copy}`, () => {
        if (!crew.lives(k)) {
          const again = openAll(crew, open, counts, k);
          if (JSON.stringify(again) !== JSON.stringify(opened)) {
            throw new MagicMaskError(
              "corrupt-message",
              SOURCE,
              `${id} has become another world since it was first opened`,
            );
          }
        }
        crew.ask(k, numbersFrame("R", copy - shards[k].first, seed));
        const record = dataOf(k);
        requireEnd(record, readRecord(record, 0, arrays, copy * N, N));
      });
    },

    observe(copy, agent, out, offset) {
      const at = copy * N + agent;
      const k = shardAt[copy];
      if (stale[at] === 1 && crew.lives(k)) {
        talk(k, `asked what ${agents[agent]} sees`, () => {
          crew.ask(k, numbersFrame("V", copy - shards[k].first, agent));
          const seen = dataOf(k);
          requireEnd(seen, looks[at].byteLength);
          bytesOf(looks[at]).set(seen);
        });
        stale[at] = 0;
      }
      out.set(looks[at], offset);
      if (scaled[agent]) for (let i = offset; i < offset + sizes[agent]; i++) out[i] /= BYTE;
    },

    legal(copy, agent, out, offset) {
      const at = copy * N + agent;
      out.set(masks[at], offset);
      return choices[at];
    },

    step(actions) {
      for (let at = 0; at < C * N; at++) if (acting[at]) requireLegal(Math.floor(at / N), at % N, actions);
      for (let k = 0; k < K; k++) {
        const { first, copies, steps, slots, frame } = shards[k];
        for (let c = 0; c < copies; c++) steps[c] = isCopyOver(self, first + c) ? 0 : 1;
        if (!steps.includes(1)) continue;
        slots.fill(0);
        for (let i = 0; i < copies * N; i++) {
          const at = first * N + i;
          for (let w = 0; acting[at] && w < widths[i % N]; w++) slots[i * W + w] = actions[at * W + w];
        }
        frame.set(bytesOf(slots), HEAD);
        frame.set(steps, HEAD + slots.byteLength);
        crew.ask(k, frame);
      }
      let trouble: unknown;
      for (let k = 0; k < K; k++) {
        const { first, copies, steps } = shards[k];
        if (!steps.includes(1)) continue;
        try {
          talk(k, "in a step", () => {
            const records = dataOf(k);
            let end = 0;
            for (let c = 0; c < copies; c++) if (steps[c]) end = readRecord(records, end, arrays, (first + c) * N, N);
            requireEnd(records, end);
          });
        } catch (error) {
          trouble ??= error;
        }
      }
      if (trouble) throw trouble;
    },

    snapshot: refuse,
    restore: refuse,

    render(copy) {
      const k = shardAt[copy];
      if (ansi && crew.lives(k)) {
        return talk(k, "asked for its state as text", () => {
          crew.ask(k, numbersFrame("T", copy - shards[k].first));
          return String(parseJson(expect(crew, k, "J").payload));
        });
      }
      const standing = agents.map((name, agent) => {
        const at = copy * N + agent;
        const state = acting[at]
          ? "acts"
          : arrays.terminated[at]
            ? "terminated"
            : arrays.truncated[at]
              ? "truncated"
              : "waits";
        return `${name} ${state}, last reward ${arrays.rewards[at]}`;
      });
      return [id, ...standing].join("\n");
    },

    close: () => crew.close(),
  };
  return self;
}

/** A vector of one copy as an `Environment`. @throws out-of-order from `step` before `reset` and once the episode is over */
export function single(vector: RemoteVector): Environment & { close(): void } {
  const { spec, acting, rewards, terminated, truncated } = vector;
  return {
    ...spec,
    acting,
    rewards,
    terminated,
    truncated,
    reset: (seed) => vector.reset(0, seed),
    observe: (agent, out, offset) => vector.observe(0, agent, out, offset),
    legal: (agent, out, offset) => vector.legal(0, agent, out, offset),
    step(actions) {
      if (isCopyOver(vector, 0)) {
        const message = "there is no episode to go on with: call reset() before step()";
        throw new MagicMaskError("out-of-order", SOURCE, message);
      }
      vector.step(actions);
    },
    snapshot: (out, offset) => vector.snapshot(0, out, offset),
    restore: (out, offset) => vector.restore(0, out, offset),
    render: () => vector.render(0),
    close: () => vector.close(),
  };
}

/** Runs what may throw an error of ours, and says in it where that was. */
function placing<T>(where: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isMagicMaskError(error)) throw error;
    const { code, source, message, cause } = error;
    throw new MagicMaskError(code, source, `${where}: ${message.slice(`[${source}] `.length)}`, { cause });
  }
}

/** Starts children and opens their copies, all at once or one of them. @returns what they say of the world */
function openAll(crew: Crew, open: object, counts: readonly number[], only?: number): unknown {
  const children = only === undefined ? [...counts.keys()] : [only];
  for (const k of children) {
    crew.start(k);
    crew.ask(k, jsonFrame("O", { ...open, copies: counts[k] }));
  }
  try {
    return children.map((k) => parseJson(expect(crew, k, "J").payload))[0];
  } catch (error) {
    if (only === undefined) crew.close();
    throw error;
  }
}

/**
 * The next answer of child k, which must be of this kind; it has its time anew whenever it says that it is at work (W).
 *
 * @throws what it says instead; corrupt-message
 */
function expect(crew: Crew, k: number, letter: string): Frame {
  let frame = crew.answer(k);
  while (frame.letter === "W") frame = crew.answer(k);
  if (frame.letter === letter) return frame;
  if (frame.letter === "E") {
    const { code, message } = parseJson(frame.payload) as { code: ErrorCode; message: string };
    throw new MagicMaskError(code, SOURCE, message);
  }
  throw new MagicMaskError("corrupt-message", SOURCE, `wanted an answer ${letter}, got ${frame.letter}`);
}

/** @throws corrupt-message if an answer is longer or shorter than what was read of it */
function requireEnd({ length }: Uint8Array, end: number) {
  if (length === end) return;
  throw new MagicMaskError("corrupt-message", SOURCE, `an answer has ${length} bytes where ${end} were wanted`);
}

function shardOf(first: number, copies: number, width: number): Shard {
  return {
    first,
    copies,
    frame: frameOf("S", 4 * copies * width + copies),
    slots: new Float32Array(copies * width),
    steps: new Uint8Array(copies),
  };
}

/** Whether the mask allows the action in the slot at `slots[offset]`; true for boxes, which have none. */
function maskAllows(
  space: EnvironmentSpec["actionSpaces"][number],
  mask: Uint8Array,
  slots: Float32Array,
  offset: number,
) {
  if (space.kind === "discrete") return mask[slots[offset]] === 1;
  if (space.kind !== "multi-discrete") return true;
  let start = 0;
  for (let part = 0; part < space.nvec.length; part++) {
    if (mask[start + slots[offset + part]] !== 1) return false;
    start += space.nvec[part];
  }
  return true;
}
