import {
  actionWidth,
  addList,
  boxSize,
  candidateWidth,
  createCandidateStore,
  distributionOf,
  type Environment,
  type Episode,
  hasChoice,
  maskWidth,
  slotWidth,
} from "@magic-mask/core";
import type { States } from "@magic-mask/metrics";
import type { Action } from "./explanation.ts";
import type { Subject } from "./subject.ts";

/** A moment when an agent acted with a choice. */
export interface Met {
  readonly agent: number;
  readonly step: number;
  readonly taken: Action;
  /** Labels of what could be chosen; none where actions are no choices. */
  readonly choices: readonly string[];
  /** It alone. */
  readonly states: States;
  /** The world before it, as text. */
  readonly board: string;
}

export interface Replayed {
  readonly met: readonly Met[];
  readonly kind: "svg" | "text";
  /** [T + 1] */
  readonly drawn: readonly string[];
}

/** Goes through an episode again and keeps what there is to see and to decide. */
export function replay({ world, policies }: Subject, episode: Episode): Replayed {
  const game = world.make();
  const width = game.agents.length * slotWidth(game);
  const met: Met[] = [];
  const drawn: string[] = [];
  const draw = () => drawn.push(game.svg ? game.svg() : game.render());
  game.reset(episode.seed);
  for (let tick = 0; tick < episode.ticks; tick++) {
    draw();
    const actions = episode.actions.subarray(tick * width, (tick + 1) * width);
    for (const agent of game.agents.keys()) {
      const states = statesAt(game, agent, tick);
      if (!states) continue;
      const { decisions } = states;
      policies[agent].evaluate(decisions, decisions.policy, new Float32Array(1));
      world.perturbations[agent].evaluate(decisions, decisions.policy, decisions.perturbation);
      const choices = choicesOf(game, agent);
      met.push({
        agent,
        step: tick,
        taken: takenOf(game, agent, actions, choices),
        choices,
        states,
        board: game.render(),
      });
    }
    game.step(actions);
  }
  draw();
  const kind = game.svg ? "svg" : "text";
  game.close?.();
  return { met, kind, drawn };
}

/** What `agent` sees now, if it has a choice. */
function statesAt(game: Environment, agent: number, tick: number): States | null {
  if (!game.acting[agent]) return null;
  const space = game.actionSpaces[agent];
  const legal = new Uint8Array(maskWidth(space));
  const count = game.legal(agent, legal, 0);
  if (!hasChoice(space, count)) return null;
  const observations = new Float32Array(boxSize(game.observationSpaces[agent]));
  game.observe(agent, observations, 0);
  const features = candidateWidth(space);
  const candidates = features > 0 ? createCandidateStore(features, 1) : undefined;
  if (candidates) {
    const offset = addList(candidates, 0, count);
    game.candidates?.(agent, candidates.features, offset);
  }
  const { width } = distributionOf(space);
  const snapshots = new Uint8Array(game.snapshotBytes);
  if (game.snapshotBytes > 0) game.snapshot(snapshots, 0);
  return {
    count: 1,
    decisions: {
      ...{ agent, count: 1, observations, legal, ...(candidates && { candidates }) },
      ...{ policy: new Float32Array(width), perturbation: new Float32Array(width) },
    },
    snapshots,
    episodes: Int32Array.of(0),
    ticks: Int32Array.of(tick),
  };
}

/** Words where there are some, numbers where there are none. */
export function choicesOf(game: Environment, agent: number): readonly string[] {
  const space = game.actionSpaces[agent];
  const numbers = (n: number) => Array.from({ length: n }, (_, a) => String(a));
  if (space.kind === "discrete") return space.labels ?? numbers(space.n);
  if (space.kind !== "candidates") return [];
  return game.candidateLabels?.(agent) ?? numbers(game.legal(agent, new Uint8Array(space.max), 0));
}

function takenOf(game: Environment, agent: number, actions: Float32Array, choices: readonly string[]): Action {
  const W = slotWidth(game);
  const slot = actions.subarray(agent * W, agent * W + actionWidth(game.actionSpaces[agent]));
  const action = Array.from(slot, (x) => Number(x.toPrecision(6)));
  return { label: choices.length > 0 ? choices[action[0]] : action.join(", "), action };
}
