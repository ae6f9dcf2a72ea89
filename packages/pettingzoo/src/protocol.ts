import { type ActionSpace, type Box, boxSize, type EnvironmentSpec, MagicMaskError, maskWidth } from "@magic-mask/core";

/**
 * What crosses the pipe between a world's process and ours; `magic_mask_env.py` says it in full, `serve.ts` is the other end in
 * Node. A frame is the length of what follows (uint32, little endian), a letter and a payload.
 */
export const PROTOCOL = 1;

/** Bits of a record's flags. */
export const FLAGS = { acts: 1, terminated: 2, truncated: 4, look: 8, mask: 16 } as const;

/** Bytes of a frame before its payload. */
export const HEAD = 5;
/** No frame is longer; what says so is no frame. */
const LONGEST = 1 << 30;

/** Types in which observations travel: those of small whole numbers as they are. */
const WIRE = { u1: Uint8Array, i1: Int8Array, f4: Float32Array } as const;
export type Wire = keyof typeof WIRE;
export type Look = Uint8Array | Int8Array | Float32Array;

/** What is fixed about a world, and in which types its observations come. */
export interface RemoteSpec extends Omit<EnvironmentSpec, "snapshotBytes"> {
  /** [N] */
  readonly wires: readonly Wire[];
  /** Whether it can say its state as text. */
  readonly ansi: boolean;
}

const SOURCE = "pettingzoo/protocol";

/** @throws corrupt-message */
const damaged = (message: string): never => {
  throw new MagicMaskError("corrupt-message", SOURCE, message);
};

/** One frame. @param payload bytes of it; to be filled in where its length is given instead */
export function frameOf(letter: string, payload: Uint8Array | number): Uint8Array<ArrayBuffer> {
  const length = typeof payload === "number" ? payload : payload.length;
  const frame = new Uint8Array(HEAD + length);
  new DataView(frame.buffer).setUint32(0, length + 1, true);
  frame[4] = letter.charCodeAt(0);
  if (typeof payload !== "number") frame.set(payload, HEAD);
  return frame;
}

export const jsonFrame = (letter: string, value: unknown) =>
  frameOf(letter, new TextEncoder().encode(JSON.stringify(value)));

/** A frame of whole numbers, uint32 each. */
export function numbersFrame(letter: string, ...numbers: number[]) {
  return frameOf(letter, bytesOf(Uint32Array.from(numbers)));
}

export interface Frame {
  readonly letter: string;
  readonly payload: Uint8Array;
}

/**
 * Cuts a stream of bytes into frames, however it comes in pieces.
 *
 * @returns takes the next piece, and says which frames it completed; throws corrupt-message if a length cannot be one
 */
export function frameReader(longest = LONGEST): (piece: Uint8Array) => Frame[] {
  const head = new Uint8Array(HEAD);
  let have = 0;
  let body: Uint8Array | undefined;
  let filled = 0;
  return (piece) => {
    const frames: Frame[] = [];
    for (let at = 0; at < piece.length || (body && filled === body.length); ) {
      if (!body) {
        const part = piece.subarray(at, at + HEAD - have);
        head.set(part, have);
        have += part.length;
        at += part.length;
        if (have < HEAD) break;
        const length = new DataView(head.buffer).getUint32(0, true);
        if (length < 1 || length > longest || head[4] < 65 || head[4] > 90) {
          damaged(
            `these bytes are no frame: ${JSON.stringify(String.fromCharCode(...head, ...piece.subarray(at, at + 60)))}`,
          );
        }
        body = new Uint8Array(length - 1);
        filled = 0;
      }
      const part = piece.subarray(at, at + body.length - filled);
      body.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < body.length) break;
      frames.push({ letter: String.fromCharCode(head[4]), payload: body });
      body = undefined;
      have = 0;
    }
    return frames;
  };
}

/** The bytes of a typed array. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength);

export const parseJson = (payload: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return damaged("a frame that must hold JSON does not");
  }
};

/** An array for what an agent sees, in the type that it comes in. */
export const lookFor = (wire: Wire, space: Box): Look => new WIRE[wire](boxSize(space));

/** Where records are read to; [N] of one copy, `at` the first of them. */
export interface RecordArrays {
  readonly acting: Uint8Array;
  readonly rewards: Float64Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  /** One per copy and agent. */
  readonly looks: readonly Look[];
  readonly masks: readonly Uint8Array[];
  /** Legal entries of each mask, 1 where there is none. */
  readonly choices: Int32Array;
  /** 1 where what the agent sees now was not sent. */
  readonly stale: Uint8Array;
}

/**
 * Reads one copy's record from `bytes[offset …]`; `first` is the index of its first agent in the arrays.
 *
 * Whoever neither acts nor has just ended sees something new without being sent it; whoever ended earlier sees nothing new.
 *
 * @returns where it ends
 * @throws corrupt-message if the bytes end before it
 */
export function readRecord(
  bytes: Uint8Array,
  offset: number,
  into: RecordArrays,
  first: number,
  agents: number,
): number {
  const { acting, rewards, terminated, truncated, looks, masks, choices, stale } = into;
  let at = offset + agents;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) damaged(`a record ends after ${bytes.length} bytes, inside of a part of ${length}`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  bytesOf(rewards).set(take(8 * agents), 8 * first);
  for (let agent = 0; agent < agents; agent++) {
    const i = first + agent;
    const flags = bytes[offset + agent];
    acting[i] = flags & FLAGS.acts ? 1 : 0;
    terminated[i] = flags & FLAGS.terminated ? 1 : 0;
    truncated[i] = flags & FLAGS.truncated ? 1 : 0;
    choices[i] = 0;
    if (flags & FLAGS.mask) masks[i].set(take(masks[i].length));
    else masks[i].fill(acting[i]);
    if (acting[i]) choices[i] = masks[i].length === 0 ? 1 : masks[i].reduce((sum, bit) => sum + bit, 0);
    else masks[i].fill(0);
    if (flags & FLAGS.look) {
      bytesOf(looks[i]).set(take(looks[i].byteLength));
      stale[i] = 0;
    } else if (!terminated[i] && !truncated[i]) stale[i] = 1;
  }
  return at;
}

/** A space as JSON has it: bounds that are null are none. */
interface WireBox {
  readonly shape: readonly number[];
  readonly low: number | null | readonly (number | null)[];
  readonly high: number | null | readonly (number | null)[];
}

export interface OpenReply {
  readonly protocol: number;
  readonly id: string;
  readonly agents: readonly string[];
  readonly turnBased: boolean;
  readonly observationSpaces: readonly (WireBox & { readonly dtype: Wire })[];
  readonly actionSpaces: readonly (
    | { readonly kind: "discrete"; readonly n: number; readonly labels?: readonly string[] }
    | { readonly kind: "multi-discrete"; readonly nvec: readonly number[] }
    | ({ readonly kind: "box" } & WireBox)
  )[];
  readonly ansi: boolean;
  /** What Python's libraries do not say, and our own worlds do. */
  readonly roles?: readonly string[];
  readonly zeroSum?: boolean;
  readonly returnRange?: EnvironmentSpec["returnRange"];
  readonly commonFeatures?: EnvironmentSpec["commonFeatures"];
}

const boxOf = ({ shape, low, high }: WireBox): Box => {
  const filled = (bound: WireBox["low"], missing: number) =>
    typeof bound === "object" && bound !== null ? bound.map((x) => x ?? missing) : ((bound as number) ?? missing);
  return {
    kind: "box",
    shape,
    low: filled(low, Number.NEGATIVE_INFINITY),
    high: filled(high, Number.POSITIVE_INFINITY),
  };
};

/** A space as JSON carries it. */
export function toWire(space: Box): WireBox {
  const sent = (bound: Box["low"]) =>
    typeof bound === "number"
      ? Number.isFinite(bound)
        ? bound
        : null
      : bound.map((x) => (Number.isFinite(x) ? x : null));
  return { shape: space.shape, low: sent(space.low), high: sent(space.high) };
}

/** What is fixed about a world, from the answer to O. @throws corrupt-message if it is of another version, or no such answer */
export function specOf(reply: OpenReply): RemoteSpec {
  if (reply?.protocol !== PROTOCOL) {
    damaged(`wanted a world that speaks protocol ${PROTOCOL}, got ${JSON.stringify(reply)?.slice(0, 80)}`);
  }
  const { id, agents, turnBased, observationSpaces, actionSpaces, ansi } = reply;
  const spaces = actionSpaces?.map(
    (space): ActionSpace => (space.kind === "box" ? { ...space, ...boxOf(space) } : space),
  );
  const spec: RemoteSpec = {
    id,
    agents,
    roles: reply.roles ?? agents,
    observationSpaces: observationSpaces?.map(boxOf),
    actionSpaces: spaces,
    turnBased,
    zeroSum: reply.zeroSum ?? false,
    returnRange: reply.returnRange ?? null,
    commonFeatures: reply.commonFeatures ?? null,
    wires: observationSpaces?.map(({ dtype }) => dtype),
    ansi,
  };
  const N = agents?.length;
  const complete = N > 0 && [spec.observationSpaces, spec.actionSpaces].every((list) => list?.length === N);
  if (
    !complete ||
    spec.wires.some((wire) => !Object.hasOwn(WIRE, wire)) ||
    spaces.some((space) => !(maskWidth(space) >= 0))
  ) {
    damaged(`a world of ${N} agents must tell as many spaces of both kinds`);
  }
  return spec;
}
