/**
 * A world's process for tests: two agents pick numbers, one of them leaves early. Its argument is JSON: `fault`, what goes wrong,
 * and `at`, with which request (counted from 1, the opening one).
 */
import { readSync, writeSync } from "node:fs";

const { fault, at = 0 } = JSON.parse(process.argv[2] ?? "{}");
const SPEC = {
  protocol: fault === "version" ? 99 : 1,
  id: "picking_v0",
  agents: ["ann", "bob"],
  turnBased: false,
  observationSpaces: [
    { shape: [3], low: null, high: [1000, 1000, null], dtype: "f4" },
    { shape: [2], low: 0, high: 255, dtype: "u1" },
  ],
  actionSpaces: [
    { kind: "discrete", n: 3 },
    { kind: "multi-discrete", nvec: [2, 3] },
  ],
  ansi: true,
};

const bytes = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

/** Ends after 6 + seed % 4 ticks by the clock; bob has ended after 3. In odd ticks ann may not pick 2, in even ones bob not 0 and 0. */
function world() {
  let seed = 0;
  let tick = 0;
  let total = 0;
  const length = () => 6 + (seed % 4);
  const looks = () => [Float32Array.of(seed % 1000, tick, total), Uint8Array.of((seed + 7 * tick) % 256, total % 256)];
  const record = (rewards) => {
    const over = tick === length();
    const flags = [over ? 4 | 8 : 1 | 8 | 16, tick > 3 ? 2 : tick === 3 ? 2 | 8 : 1 | 8 | 16];
    const masks = [Uint8Array.of(1, 1, 1 - (tick % 2)), Uint8Array.of(tick % 2, 1, 1, 1, 1)];
    const parts = [Uint8Array.from(flags), bytes(Float64Array.from(rewards))];
    looks().forEach((look, agent) => {
      if (flags[agent] & 16) parts.push(masks[agent]);
      if (flags[agent] & 8) parts.push(bytes(look));
    });
    return Buffer.concat(parts);
  };
  return {
    reset(to) {
      [seed, tick, total] = [to, 0, 0];
      return record([0, 0]);
    },
    step([ann, , bob, more]) {
      const bobs = tick < 3 ? bob + more : 0;
      tick++;
      total += ann + bobs;
      return record([ann - 1, bobs / 2]);
    },
    view: (agent) => bytes(looks()[agent]),
    text: () => `tick ${tick} of ${length()}`,
  };
}

function read(length) {
  const buffer = Buffer.alloc(length);
  for (let have = 0; have < length; ) {
    const got = readSync(0, buffer, have, length - have);
    if (got === 0) return undefined;
    have += got;
  }
  return buffer;
}

function write(letter, payload) {
  const frame = Buffer.concat([Buffer.alloc(4), Buffer.from(letter), payload]);
  frame.writeUInt32LE(payload.length + 1);
  // In two pieces, as pipes may have it.
  const cut = Math.min(3, frame.length);
  writeSync(1, frame.subarray(0, cut));
  writeSync(1, frame.subarray(cut));
}

const json = (value) => Buffer.from(JSON.stringify(value));
const forever = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);

const FAULTS = {
  exits() {
    console.error("it is all over");
    process.exit(3);
  },
  dies: () => process.kill(process.pid, "SIGKILL"),
  hangs() {
    console.error("thinking");
    forever();
  },
  chatters: () => writeSync(1, "Hello from a library\n"),
  short: () => write("D", Buffer.alloc(3)),
  long: () => write("D", Buffer.alloc(3000)),
  other: () => write("J", json("what?")),
  raises() {
    write("E", json({ code: "worker-lost", message: "it raised ValueError: no" }));
    process.exit(1);
  },
};

let worlds = [];
let requests = 0;
for (;;) {
  const head = read(4);
  if (!head) break;
  const body = read(head.readUInt32LE());
  const letter = String.fromCharCode(body[0]);
  const payload = body.subarray(1);
  if (++requests === at) FAULTS[fault]();
  if (letter === "O") {
    worlds = Array.from({ length: JSON.parse(payload).copies }, world);
    for (const _ of worlds) {
      if (fault === "dawdles") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
      write("W", Buffer.alloc(0));
    }
    write("J", json(SPEC));
  } else if (letter === "R") write("D", worlds[payload.readUInt32LE(0)].reset(payload.readUInt32LE(4)));
  else if (letter === "V") write("D", worlds[payload.readUInt32LE(0)].view(payload.readUInt32LE(4)));
  else if (letter === "T") write("J", json(worlds[payload.readUInt32LE(0)].text()));
  else {
    const slots = new Float32Array(payload.buffer.slice(payload.byteOffset, payload.byteOffset + 16 * worlds.length));
    const steps = payload.subarray(16 * worlds.length);
    write("D", Buffer.concat(worlds.flatMap((each, c) => (steps[c] ? [each.step(slots.subarray(4 * c))] : []))));
  }
}
// Deaf to the end of its input.
if (fault === "stays") forever();
