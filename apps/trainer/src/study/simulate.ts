import {
  createRecordBuffer,
  createRecordWriter,
  createSharing,
  createSignature,
  emptyRecord,
  modes,
} from "@magic-mask/comm";
import type { EnvironmentSpec } from "@magic-mask/core";
import { assembleChannel } from "../channel.ts";
import { coreSeconds } from "./core-seconds.ts";
import { COPIES, type Replay, type Telling } from "./replay.ts";

/** What an exchange takes, and what it moves. */
export interface Exchanged {
  /** Of the agents together. */
  readonly agentSteps: number;
  /** Records from peers per agent-step. */
  readonly received: number;
  /** Bytes that an agent hands to the channel per 1,000 environment steps. */
  readonly bytes: number;
  /** Bytes of records that an agent holds in the end. */
  readonly held: number;
  /** Seconds of a core per agent-step: of writing down and keeping one's own records, and of telling: messages written, carried, read, kept. */
  readonly remember: number;
  readonly comm: number;
}

/**
 * The exchange by itself, without learning, as if it were happening: a team, or several alike of it that all tell each other, for a
 * number of ticks.
 *
 * @param teams how many
 */
export function simulate(
  replay: Replay,
  { mode, sharing: settings }: Telling,
  teams: number,
  ticks: number,
): Exchanged {
  const { frozen, story, seed } = replay;
  const { every, capacity } = settings;
  const spec = repeated(frozen.world.spec, teams);
  const size = frozen.world.spec.agents.length;
  const signature = createSignature(spec, { seed });
  const writer = createRecordWriter({ spec, signature, copies: COPIES });
  const buffers = spec.agents.map(() => createRecordBuffer({ capacity, signatureLength: signature.length }));
  const channel = assembleChannel({ sharing: settings }, spec.agents.length, COPIES, seed);
  const sharing = createSharing({ spec, mode: modes[mode], channel, buffers, every });
  const record = emptyRecord(signature.length);
  const next = story.evidence.map(() => 0);
  let remember = 0;
  let comm = 0;
  const last = Math.floor(Math.min(ticks, story.ticks) / every) * every;
  for (let now = every; now <= last; now += every) {
    const begun = coreSeconds();
    for (const [agent, { rollout, rows, values, advantages }] of story.evidence.entries()) {
      let at = next[agent];
      for (; at < rows.length && rollout.ticks[rows[at]] <= now; at++) {
        const row = rows[at];
        writer.write(rollout, row, values[row], advantages[row], story.ranks[agent][at], 0, record);
        for (let team = 0; team < teams; team++) {
          record.agent = team * size + agent;
          sharing.queue(record, now);
        }
      }
      next[agent] = at;
    }
    const remembered = coreSeconds();
    sharing.tick(now);
    remember += remembered - begun;
    comm += coreSeconds() - remembered;
  }
  const steps = last * COPIES;
  const agentSteps = steps * spec.agents.length;
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  const held = buffers.map((buffer) => sum(Object.values(buffer.exportState()).map(({ byteLength }) => byteLength)));
  return {
    agentSteps,
    received: sum(sharing.counters.received) / agentSteps,
    bytes: sharing.statistics(steps)["comm/bytes_per_1000_steps"],
    held: sum(held) / held.length,
    remember: remember / agentSteps,
    comm: comm / agentSteps,
  };
}

/** Several teams as one. */
function repeated(spec: EnvironmentSpec, teams: number): EnvironmentSpec {
  const again = <T>(list: readonly T[]): T[] => Array.from({ length: teams }, () => list).flat();
  return {
    ...spec,
    agents: again(spec.agents).map((name, i) => (teams === 1 ? name : `${name}/${Math.floor(i / spec.agents.length)}`)),
    roles: again(spec.roles),
    observationSpaces: again(spec.observationSpaces),
    actionSpaces: again(spec.actionSpaces),
    commonFeatures: spec.commonFeatures && again(spec.commonFeatures),
  };
}
