import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { checkCount, checkRange, MagicMaskError } from "@magic-mask/core";
import type { Channel, Delivery } from "../channel.ts";
import {
  type Connection,
  connectAtFirst,
  keepDoing,
  openConnection,
  type RedisServer,
  requireVersion,
} from "./connection.ts";
import { type Letter, openLetter, sealLetter } from "./envelope.ts";

const SOURCE = "comm/redis";
/** Bytes that an entry takes here beside what it says, about. */
const ENTRY = 256;
/** Entries of each peer's stream that are read at a time, and milliseconds that a read waits for one. */
const BATCH = 16;
const BLOCK = 1000;

export interface RedisChannelOptions extends RedisServer {
  /** Name of the run, the same for all its agents: letters, digits, dots, dashes and underscores. */
  readonly run: string;
  /** N, 1 … 256 */
  readonly agents: number;
  /** Whose end of the channel this is. */
  readonly agent: number;
  /** What all agents of a run must have alike, in short: who comes with something else is sent away. */
  readonly about: string;
  /** Sign every message, so that no agent can speak in another's name. Without them nothing is signed or checked. */
  readonly keys?: AgentKeys | undefined;
  /** About how many messages of its own an agent leaves in Redis, ≥ 1; older ones go. */
  readonly streamLength?: number;
  /** Most bytes that wait here for Redis, and for `receive`, ≥ 1. */
  readonly queueBytes?: number;
  /** Seconds that the first connection may take, ≥ 0. */
  readonly patience?: number;
  /**
   * Whether the agent, restored to an earlier state, sends the same messages again, as it does if nothing in them depends on what it
   * heard: they then have the same numbers, and nobody hears them twice. Else those that it sends from there on get new numbers.
   */
  readonly repeats?: boolean;
}

/** Ed25519 keys (RFC 8032) by which the agents of a run know each other, each as PEM. */
export interface AgentKeys {
  /** This agent's private one (PKCS #8), which nobody else has. */
  readonly own: string;
  /** [N] everyone's public ones (SPKI). */
  readonly all: readonly string[];
}

/** What became of messages, counted over the channel's life. */
export interface RedisCounters {
  /** Own messages that Redis has acknowledged; one to several recipients counts once, as do all below. */
  readonly acknowledged: number;
  /** Own messages given up, the oldest first, as more waited for Redis than `queueBytes` allows. */
  readonly dropped: number;
  /** Messages of peers that were not theirs, damaged or longer than `queueBytes`. */
  readonly refused: number;
  /** Messages of peers that are gone: dropped there, or no longer in their stream when this agent came to read them. */
  readonly missed: number;
  /** Own messages that are lost, as somebody else has written to this agent's stream under their number, or a later one. */
  readonly conflicts: number;
}

/** One agent's end of a channel between processes. `send` and `receive` never wait; `seed` and ticks play no part. */
export interface RedisChannel extends Channel {
  readonly counters: RedisCounters;
  /** What keeps it from Redis just now, or from being heard, in words; undefined when all is well. */
  readonly trouble: string | undefined;
  /** Waits until Redis has acknowledged all that was sent, but no longer than `seconds`. @returns whether it has */
  flush(seconds: number): Promise<boolean>;
  /** Waits until what peers have told by now is there for `receive`, but no longer than `seconds`. @returns whether it is */
  catchUp(seconds: number): Promise<boolean>;
  /** Ends both connections; what Redis has not acknowledged is lost unless a state holds it. */
  close(): Promise<void>;
}

interface Outgoing {
  readonly letter: { readonly to: number[]; readonly bytes: Uint8Array };
  readonly tick: number;
  readonly sequence: number;
  /** Whether it is on its way: it then stays as it is. */
  leaving: boolean;
}

interface Incoming {
  readonly from: number;
  readonly id: string;
  readonly fields: readonly Buffer[];
  readonly size: number;
}

/**
 * Opens agent `agent`'s end of a channel over Redis Streams (Redis ≥ 6.2).
 *
 * Each agent appends to a stream of its own, `magic-mask:<run>:agent:<i>`, and reads those of all others; whoever may write to
 * that key is agent i, and with keys only whoever has that agent's. The k-th message of an agent has the id k-0. Redis takes an id
 * once and in ascending order only, so that a message may be sent again whenever it is not known to have arrived (`repeats`); and a reader's
 * position is one id per peer, which the state holds: what was handed over before a state was exported is not handed over again
 * after it is restored, and what came later is, as long as the streams hold it.
 *
 * When Redis is away, messages wait in a bounded queue, and connecting is tried again and again.
 *
 * @throws invalid-option; unavailable if there is no Redis there; unsupported if it is too old
 */
export async function openRedisChannel(options: RedisChannelOptions): Promise<RedisChannel> {
  const {
    run,
    agents: N,
    agent,
    keys,
    streamLength = 1024,
    queueBytes = 16_777_216,
    patience = 10,
    repeats = true,
  } = options;
  checkCount(SOURCE, "agents", N, 1, 256);
  checkCount(SOURCE, "agent", agent, 0, N - 1);
  checkCount(SOURCE, "streamLength", streamLength);
  checkCount(SOURCE, "queueBytes", queueBytes);
  checkRange(SOURCE, "patience", patience, 0);
  if (!/^[\w.-]+$/.test(run)) {
    const wanted = "letters, digits, dots, dashes and underscores";
    throw new MagicMaskError("invalid-option", SOURCE, `run must consist of ${wanted}, got ${JSON.stringify(run)}`);
  }
  const signing = keys && parseKeys(keys, N, agent);
  const keyOf = (i: number) => `magic-mask:${run}:agent:${i}`;
  const peers = Array.from({ length: N }, (_, i) => i).filter((i) => i !== agent);

  const writer = openConnection(options);
  const reader = openConnection(options);
  /** Number of the last message that is there already. */
  const there = await connectAtFirst(writer, patience, async () => {
    await requireVersion(writer);
    await agree(writer, run, options.about);
    return lastIn(writer, keyOf(agent));
  });
  /** Number of the last message that was sent. */
  let sequence = there;

  const queue = new Float64Array(N);
  const statistics = {
    messages: new Float64Array(N),
    bytes: new Float64Array(N),
    delivered: new Float64Array(N),
    repeated: new Float64Array(N),
    dropped: { queue },
  };
  const counters = { acknowledged: 0, dropped: 0, refused: 0, missed: 0, conflicts: 0 };
  let outbox: Outgoing[] = [];
  let outboxBytes = 0;
  let inbox: Incoming[] = [];
  let inboxBytes = 0;
  /** [N] id of the entry of each stream that was read last, and of that which was handed over last. */
  const read = new Array<string>(N).fill("0-0");
  const handed = new Array<string>(N).fill("0-0");
  /** [N] number of the last message known of each peer. */
  const known = new Float64Array(N);
  const columns = { ...statistics, dropped: queue, known };
  let restored = 0;
  const over = new AbortController();
  const troubles = new Map<Connection, string>();

  // Each loop sleeps until there is something to do for it.
  const queued = createBell();
  const drained = createBell();

  const writeNext = async () => {
    const [next] = outbox;
    if (!next) return queued.wait();
    next.leaving = true;
    const fields = sealLetter(next.letter, { run, from: agent, sequence: next.sequence }, signing?.own);
    const id = `${next.sequence}-0`;
    const arrived = await writer.redis
      .call("XADD", keyOf(agent), "MAXLEN", "~", streamLength, id, ...fields)
      .then(() => true)
      .catch((error: Error) => {
        if (!error.message.includes("equal or smaller")) throw error;
        return isThere(id, fields);
      });
    troubles.delete(writer);
    // A state may have been restored meanwhile.
    if (outbox[0] !== next) return;
    outbox.shift();
    outboxBytes -= next.letter.bytes.length;
    if (arrived) counters.acknowledged++;
    else counters.conflicts++;
  };

  /** Whether a message arrived before, and only its acknowledgement was lost, or the state that knew of that: else another wrote in its place. */
  const isThere = async (id: string, fields: readonly (string | Buffer)[]) => {
    type Entry = [id: Buffer, fields: Buffer[]];
    const [entry] = (await writer.redis.callBuffer("XREVRANGE", keyOf(agent), id, id)) as Entry[];
    if (entry) {
      const [, stored] = entry;
      return stored.length === fields.length && stored.every((bytes, i) => bytes.equals(Buffer.from(fields[i])));
    }
    // What is older than all that the stream still holds has passed out of it.
    const reply = await writer.redis.callBuffer("XREAD", "COUNT", 1, "STREAMS", keyOf(agent), "0-0");
    const [[, [oldest]]] = (reply ?? [["", []]]) as [Buffer, Entry[]][];
    return oldest !== undefined && numberOf(id) < numberOf(oldest[0].toString());
  };

  const readNext = async () => {
    // What is not read yet stays in Redis.
    if (inboxBytes > queueBytes) return drained.wait();
    const when = restored;
    const ids = peers.map((j) => read[j]);
    const reply = await reader.redis.callBuffer(
      "XREAD",
      "COUNT",
      BATCH,
      "BLOCK",
      BLOCK,
      "STREAMS",
      ...peers.map(keyOf),
      ...ids,
    );
    troubles.delete(reader);
    if (when !== restored) return;
    for (const [key, entries] of (reply ?? []) as [Buffer, [Buffer, Buffer[] | null][]][]) {
      const from = Number(key.toString().slice(keyOf(0).length - 1));
      for (const [name, fields] of entries) {
        const id = name.toString();
        const size = (fields ?? []).reduce((sum, { length }) => sum + length, 0);
        read[from] = id;
        inbox.push({ from, id, fields: fields ?? [], size });
        inboxBytes += size + ENTRY;
      }
    }
  };

  const noting = (connection: Connection) => (error: Error) => {
    troubles.set(connection, error.message);
  };
  const loops = [keepDoing(writer, writeNext, over.signal, noting(writer))];
  if (peers.length > 0) loops.push(keepDoing(reader, readNext, over.signal, noting(reader)));

  /** What a peer's entry says to this agent; undefined if it says nothing to it. */
  const open = ({ from, id, fields, size }: Incoming): Delivery | undefined => {
    const [number, part] = id.split("-").map(Number);
    const letter: Letter | undefined =
      part === 0 && size <= queueBytes
        ? openLetter(fields, { run, from, sequence: number }, signing?.all[from])
        : undefined;
    if (!letter) {
      counters.refused++;
      return undefined;
    }
    counters.missed += number - known[from] - 1;
    known[from] = number;
    return letter.to.includes(agent) ? { from, bytes: letter.bytes } : undefined;
  };

  return {
    statistics,
    counters,
    get trouble() {
      if (counters.conflicts > 0) return `somebody else writes as agent ${agent}: ${counters.conflicts} messages lost`;
      return [...troubles.values()][0];
    },
    send(from, to, bytes, tick) {
      requireOwn("send as", from);
      checkCount(SOURCE, "to", to, 0, N - 1);
      statistics.messages[from]++;
      statistics.bytes[from] += bytes.length;
      const last = outbox[outbox.length - 1];
      // What goes to several is stored once.
      if (last && !last.leaving && last.tick === tick && isEqual(last.letter.bytes, bytes)) {
        if (!last.letter.to.includes(to)) {
          last.letter.to.push(to);
          return;
        }
      }
      outbox.push({ letter: { to: [to], bytes: bytes.slice() }, tick, sequence: ++sequence, leaving: false });
      outboxBytes += bytes.length;
      while (outboxBytes > queueBytes && outbox.length > 1) {
        const [oldest] = outbox.splice(outbox[0].leaving ? 1 : 0, 1);
        outboxBytes -= oldest.letter.bytes.length;
        counters.dropped++;
        queue[agent] += oldest.letter.to.length;
      }
      queued.ring();
    },
    receive(to) {
      requireOwn("receive as", to);
      const deliveries: Delivery[] = [];
      for (const entry of inbox) {
        handed[entry.from] = entry.id;
        const delivery = open(entry);
        if (!delivery) continue;
        statistics.delivered[entry.from]++;
        deliveries.push(delivery);
      }
      inbox = [];
      inboxBytes = 0;
      drained.ring();
      return deliveries;
    },
    async flush(seconds) {
      const deadline = performance.now() + 1000 * seconds;
      while (outbox.length > 0 && performance.now() < deadline) await sleep(5);
      return outbox.length === 0;
    },
    async catchUp(seconds) {
      const deadline = performance.now() + 1000 * seconds;
      const isOver = () => performance.now() >= deadline;
      // Of the two connections only the one that reads comes back by itself.
      const ends = () => Promise.all(peers.map((j) => lastIn(reader, keyOf(j)))).catch(() => undefined);
      let last = await ends();
      for (; !last && !isOver(); last = await ends()) await sleep(50);
      const isThere = () => last?.every((number, k) => numberOf(read[peers[k]]) >= number) ?? false;
      while (!isThere() && !isOver()) await sleep(5);
      return isThere();
    },
    async close() {
      over.abort();
      for (const connection of [writer, reader]) connection.hangUp();
      for (const bell of [queued, drained]) bell.ring();
      await Promise.all(loops);
    },
    exportState() {
      const contents = new Uint8Array(outboxBytes);
      let at = 0;
      for (const { letter } of outbox) {
        contents.set(letter.bytes, at);
        at += letter.bytes.length;
      }
      return {
        ...Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column.slice()])),
        counters: Float64Array.from(Object.values(counters)),
        sequence: Float64Array.of(sequence),
        // No honest id is beyond; a forged one is read and refused again.
        handed: Float64Array.from(
          handed.flatMap((id) => id.split("-").map((part) => Math.min(Number(part), Number.MAX_SAFE_INTEGER))),
        ),
        envelopes: Float64Array.from(
          outbox.flatMap(({ letter, sequence: k, tick }) => [k, tick, letter.bytes.length, letter.to.length]),
        ),
        recipients: Float64Array.from(outbox.flatMap(({ letter }) => letter.to)),
        contents,
      };
    },
    restoreState(state) {
      const { envelopes, recipients, contents } = state;
      const lengths = { counters: Object.keys(counters).length, sequence: 1, handed: 2 * N };
      const sum = (offset: number) => {
        let total = 0;
        for (let i = offset; i < (envelopes?.length ?? 0); i += 4) total += envelopes[i];
        return total;
      };
      const fits =
        Object.keys(columns).every((name) => state[name]?.length === N) &&
        Object.entries(lengths).every(([name, length]) => state[name]?.length === length);
      if (
        !fits ||
        !envelopes ||
        envelopes.length % 4 !== 0 ||
        contents?.length !== sum(2) ||
        recipients?.length !== sum(3)
      ) {
        throw new MagicMaskError(
          "corrupt-file",
          SOURCE,
          `the state is not that of one end of a Redis channel between ${N} agents`,
        );
      }
      restored++;
      for (const [name, column] of Object.entries(columns)) column.set(state[name]);
      [counters.acknowledged, counters.dropped, counters.refused, counters.missed, counters.conflicts] = state.counters;
      sequence = repeats ? state.sequence[0] : Math.max(there, state.sequence[0]);
      for (let j = 0; j < N; j++) {
        handed[j] = `${state.handed[2 * j]}-${state.handed[2 * j + 1]}`;
        read[j] = handed[j];
      }
      inbox = [];
      inboxBytes = 0;
      outbox = [];
      outboxBytes = contents.length;
      for (let i = 0, at = 0, name = 0; i < envelopes.length; i += 4) {
        const [k, tick, length, count] = envelopes.subarray(i, i + 4);
        const letter = {
          to: Array.from(recipients.subarray(name, name + count)),
          bytes: Uint8Array.from(contents.subarray(at, at + length)),
        };
        outbox.push({ letter, tick, sequence: k, leaving: false });
        at += length;
        name += count;
      }
      for (const bell of [queued, drained]) bell.ring();
    },
  };

  function requireOwn(what: string, who: number): void {
    if (who === agent) return;
    throw new MagicMaskError("invalid-option", SOURCE, `this end is agent ${agent}'s and cannot ${what} agent ${who}`);
  }
}

/** `createPublicKey` makes a public key of a private one, too; whoever hands out that has told everybody. */
function publicOnly(pem: string): KeyObject {
  if (pem.includes("PRIVATE KEY")) throw new Error("this is a private key");
  return createPublicKey(pem);
}

/** @throws invalid-option for keys of another kind, or that are not those of this run's agents */
function parseKeys({ own, all }: AgentKeys, N: number, agent: number) {
  const refuse = (what: string, cause?: unknown) => new MagicMaskError("invalid-option", SOURCE, what, { cause });
  const parse = (pem: string, read: (pem: string) => KeyObject, what: string) => {
    let key: KeyObject | undefined;
    let trouble: unknown;
    try {
      key = read(pem);
    } catch (error) {
      trouble = error;
    }
    if (key?.asymmetricKeyType === "ed25519") return key;
    throw refuse(`${what} of Ed25519, in PEM`, trouble);
  };
  const secret = parse(own, createPrivateKey, `agent ${agent}'s own key must be a private one`);
  if (all.length !== N) throw refuse(`there must be a public key of each of ${N} agents, got ${all.length}`);
  const known = all.map((pem, i) => parse(pem, publicOnly, `agent ${i}'s key must be a public one`));
  const shared = known.findIndex((key, i) => known.some((other, j) => j < i && key.equals(other)));
  if (shared >= 0)
    throw refuse(`agent ${shared} has the key of another, who could speak in its name; make one for each`);
  if (!createPublicKey(secret).equals(known[agent])) {
    throw refuse(`agent ${agent}'s own key does not belong to its public one`);
  }
  return { own: secret, all: known };
}

/** The first agent of a run says what it is about; all others must say the same. @throws invalid-option */
async function agree({ redis, name }: Connection, run: string, about: string): Promise<void> {
  const key = `magic-mask:${run}:about`;
  await redis.set(key, about, "NX");
  const agreed = await redis.get(key);
  if (agreed === about) return;
  const message = `run ${run} at ${name} is about something else (${agreed}, not ${about})`;
  throw new MagicMaskError("invalid-option", SOURCE, `${message}; give all agents the same settings, or another run`);
}

/** Number of the last message in a stream; 0 if there is none. */
async function lastIn({ redis }: Connection, key: string): Promise<number> {
  const [last] = await redis.xrevrange(key, "+", "-", "COUNT", 1);
  return last === undefined ? 0 : numberOf(last[0]);
}

/** k of the id k-0. */
const numberOf = (id: string) => Number(id.split("-")[0]);

/** Wakes who waits for it. */
function createBell() {
  let wake = () => {};
  return {
    ring: () => wake(),
    wait: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
  };
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
