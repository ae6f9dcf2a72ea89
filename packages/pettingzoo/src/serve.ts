import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type ActionSpace,
  boxSize,
  type Environment,
  isMagicMaskError,
  MagicMaskError,
  maskWidth,
  slotWidth,
} from "@magic-mask/core";
import {
  bytesOf,
  FLAGS,
  frameOf,
  frameReader,
  jsonFrame,
  type OpenReply,
  PROTOCOL,
  parseJson,
  toWire,
} from "./protocol.ts";

/** What to build: `export` of `module`, called with `options`, returns an `Environment`. */
export interface WorldDescription {
  /** As an import in the working directory names it, or a path from there. */
  readonly module: string;
  /** Name of the factory; a dot leads into an object: `environments.connect_four_v0`. */
  readonly export: string;
  readonly options: Readonly<Record<string, unknown>>;
}

interface OpenRequest extends WorldDescription {
  readonly copies: number;
}

const SOURCE = "pettingzoo/serve";

/**
 * Serves copies of a world over a pair of streams, as `magic_mask_env.py` serves Python's: the program `magic-mask-serve`. Lists
 * of candidate moves become a discrete choice among the most there can be, with a mask of as many as there are.
 *
 * @returns once the requests end
 */
export async function serve(
  requests: AsyncIterable<Uint8Array>,
  replies: { write(frame: Uint8Array): unknown },
): Promise<void> {
  const read = frameReader();
  let worlds: Served[] | undefined;
  try {
    for await (const piece of requests) {
      for (const { letter, payload } of read(piece)) {
        if (worlds) replies.write(answer(worlds, letter, payload));
        else {
          worlds = await open(parseJson(payload) as OpenRequest);
          replies.write(jsonFrame("J", worlds[0].spec));
        }
      }
    }
  } catch (error) {
    const { code, source, message } = isMagicMaskError(error)
      ? error
      : { code: worlds ? "worker-lost" : "unavailable", source: "", message: String(error) };
    const bare = message.startsWith(`[${source}] `) ? message.slice(source.length + 3) : message;
    replies.write(jsonFrame("E", { code, message: bare }));
  }
}

/** Serves this process's standard streams; what the world prints goes to standard error. */
export async function serveStandardStreams(): Promise<void> {
  const { stdin, stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write;
  // To be stopped is for whoever started this: a signal reaches the whole group. The end of standard input ends this process.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
  await serve(stdin, { write });
}

/** A copy and the answers about it. */
interface Served {
  readonly spec: OpenReply;
  readonly width: number;
  reset(seed: number): Uint8Array;
  step(slots: Float32Array): Uint8Array;
  view(agent: number): Uint8Array;
  text(): string;
}

/** @throws unavailable if there is no such module or export; what the factory throws */
async function open({ module, export: path, options, copies }: OpenRequest): Promise<Served[]> {
  const loaded = await load(module);
  const factory = path
    .split(".")
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], loaded);
  if (typeof factory !== "function") {
    const { environments } = loaded as { environments?: object };
    const known = environments ? `; environments are ${Object.keys(environments).join(", ")}` : "";
    throw new MagicMaskError("unavailable", SOURCE, `${module} exports no factory ${path}${known}`);
  }
  return Array.from({ length: copies }, () => served(factory(options) as Environment));
}

async function load(module: string): Promise<unknown> {
  let file: string;
  try {
    file = pathToFileURL(createRequire(join(process.cwd(), "_")).resolve(module)).href;
  } catch (cause) {
    const message = `${module} is not installed in ${process.cwd()}: npm install ${module}`;
    throw new MagicMaskError("unavailable", SOURCE, message, { cause });
  }
  return import(file);
}

/** Actions as others have them: a list of candidates is a choice with a mask. */
const shown = (space: ActionSpace): OpenReply["actionSpaces"][number] => {
  if (space.kind === "candidates") return { kind: "discrete", n: space.max };
  return space.kind === "box" ? { kind: "box", ...toWire(space) } : space;
};

function served(world: Environment): Served {
  const { agents, observationSpaces, actionSpaces, acting, rewards, terminated, truncated } = world;
  const N = agents.length;
  const looks = observationSpaces.map((space) => new Float32Array(boxSize(space)));
  const masks = actionSpaces.map((space) => new Uint8Array(space.kind === "candidates" ? space.max : maskWidth(space)));
  const features = actionSpaces.map(
    (space) => new Float32Array(space.kind === "candidates" ? space.max * space.features : 0),
  );
  const ended = new Uint8Array(N);
  const most = N * 9 + [...looks, ...masks].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const page = new Uint8Array(most);

  const readMask = (agent: number) => {
    const { kind } = actionSpaces[agent];
    if (kind === "candidates") {
      const count = world.candidates?.(agent, features[agent], 0) ?? 0;
      masks[agent].fill(1, 0, count).fill(0, count);
    } else world.legal(agent, masks[agent], 0);
    return masks[agent];
  };
  const record = (): Uint8Array => {
    page.set(bytesOf(rewards), N);
    let at = 9 * N;
    for (let agent = 0; agent < N; agent++) {
      const over = terminated[agent] || truncated[agent] ? 1 : 0;
      let flags =
        (acting[agent] * FLAGS.acts) | (terminated[agent] * FLAGS.terminated) | (truncated[agent] * FLAGS.truncated);
      if (acting[agent] && masks[agent].length > 0) {
        flags |= FLAGS.mask;
        page.set(readMask(agent), at);
        at += masks[agent].length;
      }
      if (acting[agent] || (over && !ended[agent])) {
        flags |= FLAGS.look;
        world.observe(agent, looks[agent], 0);
        page.set(bytesOf(looks[agent]), at);
        at += looks[agent].byteLength;
      }
      page[agent] = flags;
      ended[agent] = over;
    }
    return page.slice(0, at);
  };

  return {
    width: N * slotWidth(world),
    spec: {
      protocol: PROTOCOL,
      id: world.id,
      agents,
      turnBased: world.turnBased,
      observationSpaces: observationSpaces.map((space) => ({ ...toWire(space), dtype: "f4" })),
      actionSpaces: actionSpaces.map(shown),
      ansi: true,
      roles: world.roles,
      zeroSum: world.zeroSum,
      returnRange: world.returnRange,
      commonFeatures: world.commonFeatures,
    },
    reset(seed) {
      ended.fill(0);
      world.reset(seed);
      return record();
    },
    step(slots) {
      world.step(slots);
      return record();
    },
    view(agent) {
      world.observe(agent, looks[agent], 0);
      return bytesOf(looks[agent]);
    },
    text: () => world.render(),
  };
}

/** @throws corrupt-message for a request that is none; what the world throws */
function answer(worlds: readonly Served[], letter: string, payload: Uint8Array): Uint8Array {
  const numbers = (count: number) => {
    if (payload.length !== 4 * count)
      throw new MagicMaskError("corrupt-message", SOURCE, `a request ${letter} has ${payload.length} bytes`);
    return new Uint32Array(payload.slice().buffer);
  };
  if (letter === "R") {
    const [copy, seed] = numbers(2);
    return frameOf("D", worldAt(worlds, copy).reset(seed));
  }
  if (letter === "V") {
    const [copy, agent] = numbers(2);
    return frameOf("D", worldAt(worlds, copy).view(agent));
  }
  if (letter === "T") {
    const [copy] = numbers(1);
    return jsonFrame("J", worldAt(worlds, copy).text());
  }
  const { width } = worlds[0];
  const C = worlds.length;
  if (letter !== "S" || payload.length !== 4 * C * width + C) {
    throw new MagicMaskError("corrupt-message", SOURCE, `there is no request ${letter} of ${payload.length} bytes`);
  }
  const slots = new Float32Array(payload.slice(0, 4 * C * width).buffer);
  const records: Uint8Array[] = [];
  for (let copy = 0; copy < C; copy++) {
    if (payload[4 * C * width + copy])
      records.push(worlds[copy].step(slots.subarray(copy * width, (copy + 1) * width)));
  }
  return frameOf("D", Buffer.concat(records));
}

function worldAt(worlds: readonly Served[], copy: number): Served {
  if (worlds[copy]) return worlds[copy];
  throw new MagicMaskError("corrupt-message", SOURCE, `there is no copy ${copy}; there are ${worlds.length}`);
}
