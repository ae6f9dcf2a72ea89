import { MagicMaskError, type Stream, stream } from "@magic-mask/core";
import type { Channel, ChannelOptions, CreateChannel } from "../channel.ts";
import type { StateArrays } from "../state.ts";

/** What a layer may do with a message. */
export interface LayerTools {
  /** Hands a message on to the channel behind. */
  readonly pass: Channel["send"];
  /** Counts a message of this sender as given up. */
  drop(from: number): void;
  /** Counts a copy of this sender's message. */
  repeat(from: number): void;
  /** Chance for the next message of one agent to another: what befalls it depends on no other link, and no other layer. */
  chance(from: number, to: number): Stream;
}

/** What a layer does; all but `send` only where it keeps messages itself. */
export interface LayerParts {
  readonly send: Channel["send"];
  /** Hands on what is to go by `tick`. */
  advance?(tick: number): void;
  exportState?(): StateArrays;
  /** @returns whether the state was one of its own, by the names that it was exported under */
  restoreState?(state: StateArrays): boolean;
}

/**
 * A channel that stands in front of another: it counts what it is handed, and hands on what it does not drop.
 *
 * @param name of the layer, in counters, states and errors
 * @throws unsupported if the channel behind has such a layer: two would share their chance
 */
export function createLayer(
  name: string,
  behind: CreateChannel,
  options: ChannelOptions,
  build: (tools: LayerTools) => LayerParts,
): Channel {
  const { agents, seed } = options;
  const inner = behind(options);
  const key = (part: string) => `${name}/${part}`;
  if (Object.hasOwn(inner.exportState(), key("messages"))) {
    const message = `there is a ${name} in this channel already; set what it does there`;
    throw new MagicMaskError("unsupported", `comm/${name}`, message);
  }
  const counters = {
    messages: new Float64Array(agents),
    bytes: new Float64Array(agents),
    dropped: new Float64Array(agents),
    /** [N × N] messages on each link that chance was asked about. */
    draws: new Float64Array(agents * agents),
  };
  const { messages, bytes, dropped, draws } = counters;
  const random = stream(seed);
  const parts = build({
    pass: (from, to, content, tick) => inner.send(from, to, content, tick),
    drop: (from) => void dropped[from]++,
    repeat: (from) => void inner.statistics.repeated[from]++,
    chance(from, to) {
      random.rekey(seed, `comm/${name}`, from, to, draws[from * agents + to]++);
      return random;
    },
  });

  return {
    statistics: {
      ...inner.statistics,
      messages,
      bytes,
      dropped: { ...inner.statistics.dropped, [name]: dropped },
    },
    send(from, to, content, tick) {
      messages[from]++;
      bytes[from] += content.length;
      parts.send(from, to, content, tick);
    },
    receive(to, tick) {
      parts.advance?.(tick);
      return inner.receive(to, tick);
    },
    exportState() {
      const state: Record<string, StateArrays[string]> = { ...inner.exportState() };
      for (const [part, counts] of Object.entries(counters)) state[key(part)] = counts.slice();
      for (const [part, array] of Object.entries(parts.exportState?.() ?? {})) state[key(part)] = array;
      return state;
    },
    restoreState(state) {
      const own: Record<string, StateArrays[string]> = {};
      for (const [part, array] of Object.entries(state)) {
        if (part.startsWith(key(""))) own[part.slice(key("").length)] = array;
      }
      const fits = Object.entries(counters).every(([part, counts]) => own[part]?.length === counts.length);
      if (!fits || parts.restoreState?.(own) === false) {
        const message = `the state is not that of a channel with ${name} between ${agents} agents`;
        throw new MagicMaskError("corrupt-file", `comm/${name}`, message);
      }
      for (const [part, counts] of Object.entries(counters)) counts.set(own[part]);
      inner.restoreState(state);
    },
  };
}
