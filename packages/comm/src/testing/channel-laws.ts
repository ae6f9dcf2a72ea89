import { broken, type Law } from "@magic-mask/core/testing";
import type { Channel, CreateChannel, Delivery } from "../channel.ts";

const AGENTS = 3;
const ROUNDS = 40;
/** Long after the last send: whatever is still to arrive has arrived. */
const LATE = 1_000_000;

/** The laws that every `Channel` obeys, however lossy or late. A subject makes fresh channels. */
export const channelLaws: readonly Law<CreateChannel>[] = [
  law("brings nothing that was not sent", (fail, create) => {
    const channel = create({ agents: AGENTS, seed: 1 });
    for (let to = 0; to < AGENTS; to++)
      if (channel.receive(to, 100).length > 0) fail(`agent ${to} heard something in silence`);
  }),

  law("brings messages as they were sent, to whom they were sent", (fail, create) => {
    const channel = create({ agents: AGENTS, seed: 2 });
    exchange(channel, (to, { from: sender, bytes: message }) => {
      const [from, addressee, round] = message;
      if (from !== sender) fail(`a message of agent ${from} arrived as agent ${sender}'s`);
      if (addressee !== to) fail(`agent ${to} got a message for agent ${addressee}`);
      if (message.join() !== letter(from, addressee, round).join())
        fail(`[${letter(from, addressee, round)}] arrived as [${message}]`);
    });
  }),

  law("keeps no tie to the sender's bytes", (fail, create) => {
    const channel = create({ agents: 2, seed: 3 });
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = letter(0, 1, round);
      channel.send(0, 1, bytes, round);
      bytes.fill(255);
    }
    for (const { bytes } of channel.receive(1, LATE))
      if (bytes.includes(255)) fail("a message changed when the sender reused its bytes");
  }),

  law("brings nothing before it was sent", (fail, create) => {
    const channel = create({ agents: 2, seed: 4 });
    for (let round = 0; round < ROUNDS; round++) channel.send(0, 1, letter(0, 1, round), 10 + round);
    for (let tick = 0; tick < 10 + ROUNDS; tick++) {
      for (const { bytes } of channel.receive(1, tick))
        if (10 + bytes[2] > tick) fail(`a message of tick ${10 + bytes[2]} arrived at tick ${tick}`);
    }
  }),

  law("hands over an arrival once", (fail, create) => {
    const channel = create({ agents: 2, seed: 5 });
    for (let round = 0; round < ROUNDS; round++) channel.send(0, 1, letter(0, 1, round), round);
    for (const tick of [ROUNDS / 2, ROUNDS, LATE]) {
      channel.receive(1, tick);
      const again = channel.receive(1, tick).length;
      if (again > 0) fail(`asked twice at tick ${tick}, agent 1 got ${again} messages the second time`);
    }
  }),

  law("counts what it carries, by sender", (fail, create) => {
    const channel = create({ agents: AGENTS, seed: 6 });
    const heard = new Array(AGENTS).fill(0);
    exchange(channel, (_, { from }) => heard[from]++);
    const sent = ROUNDS * (AGENTS - 1);
    for (let from = 0; from < AGENTS; from++) {
      const bytes = Array.from({ length: ROUNDS }, (_, round) => letter(from, 0, round).length).reduce(
        (sum, x) => sum + x,
      );
      const { messages, bytes: counted, delivered } = channel.statistics;
      if (messages[from] !== sent) fail(`agent ${from} sent ${sent} messages, ${messages[from]} were counted`);
      if (counted[from] !== (AGENTS - 1) * bytes)
        fail(`agent ${from} sent ${(AGENTS - 1) * bytes} bytes, ${counted[from]} were counted`);
      if (delivered[from] !== heard[from])
        fail(`${heard[from]} messages of agent ${from} arrived, ${delivered[from]} were counted`);
    }
  }),

  law("does the same for the same seed", (fail, create) => {
    const [first, second] = [
      transcript(create({ agents: AGENTS, seed: 7 })),
      transcript(create({ agents: AGENTS, seed: 7 })),
    ];
    if (first !== second) fail("two channels with one seed delivered differently");
  }),

  law("goes on from a saved state as if nothing had happened", (fail, create) => {
    const channel = create({ agents: AGENTS, seed: 8 });
    for (let round = 0; round < ROUNDS; round++) {
      sendRound(channel, round);
      channel.receive(0, round);
    }
    const copy = create({ agents: AGENTS, seed: 8 });
    copy.restoreState(channel.exportState());
    if (transcript(channel, ROUNDS) !== transcript(copy, ROUNDS))
      fail("the restored channel delivered or counted differently");
  }),
];

/** A law whose complaints carry its name. */
function law(name: string, run: (fail: (message: string) => never, create: CreateChannel) => void): Law<CreateChannel> {
  return { name, run: (create) => run((message) => broken(name, message), create) };
}

/** A message that says what it is. */
const letter = (from: number, to: number, round: number) =>
  Uint8Array.from({ length: 4 + (round % 5) }, (_, i) => [from, to, round][i] ?? 7 * i);

function sendRound(channel: Channel, round: number) {
  for (let from = 0; from < AGENTS; from++) {
    for (let to = 0; to < AGENTS; to++) if (to !== from) channel.send(from, to, letter(from, to, round % 200), round);
  }
}

/** Everyone writes to everyone, round after round, and reads every other round; then what is late arrives. */
function exchange(channel: Channel, hear: (to: number, delivery: Delivery) => void, start = 0) {
  const listen = (tick: number) => {
    for (let to = 0; to < AGENTS; to++) for (const delivery of channel.receive(to, tick)) hear(to, delivery);
  };
  for (let round = start; round < start + ROUNDS; round++) {
    sendRound(channel, round);
    if (round % 2 === 0) listen(round);
  }
  listen(LATE);
}

/** All deliveries and counts of an exchange, as one string. */
function transcript(channel: Channel, start = 0): string {
  const lines: string[] = [];
  exchange(channel, (to, { from, bytes }) => lines.push(`${from} → ${to}: ${bytes}`), start);
  const { messages, bytes, delivered } = channel.statistics;
  return [...lines, messages, bytes, delivered].join("\n");
}
