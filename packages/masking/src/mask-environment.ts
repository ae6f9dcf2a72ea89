import {
  addList,
  boxSize,
  candidateWidth,
  clip,
  createCandidateStore,
  type Decisions,
  discrete,
  distributionOf,
  type Environment,
  hasChoice,
  MagicMaskError,
  type MakeEnvironment,
  maskWidth,
  type Perturbation,
  type Policy,
  slotWidth,
  stream,
} from "@magic-mask/core";

/** The perturbation acts. */
export const BLIND = 0;
/** The policy acts. High m = keep = critical. */
export const KEEP = 1;

/**
 * The world of given policies as their masks see it: same observations and rewards, but each agent chooses BLIND or KEEP. A mask
 * is then an ordinary policy, and any learner can train it. At forced moves only KEEP is legal.
 *
 * A reset with seed s draws the policies' actions from `stream(s, "action")` as core's `play` does, so that keeping everywhere
 * replays the policies' own episode; what the perturbations do comes from `stream(s, "perturbation")`.
 *
 * @param policies [N]
 * @param perturbations [N]
 * @throws shape-mismatch
 */
export function maskEnvironment(
  make: MakeEnvironment,
  policies: readonly Policy[],
  perturbations: readonly Perturbation[],
): Environment {
  const world = make();
  const N = world.agents.length;
  for (const [name, { length }] of Object.entries({ policies, perturbations })) {
    if (length === N) continue;
    throw new MagicMaskError(
      "shape-mismatch",
      "masking/mask-environment",
      `needs ${N} ${name}, one per agent; got ${length}`,
    );
  }
  const W = slotWidth(world);
  const distributions = world.actionSpaces.map(distributionOf);
  const actions = new Float32Array(N * W);
  const acting = stream(0);
  const replacing = stream(0);
  const views = world.agents.map((_, agent) => {
    const parameters = distributions[agent].width;
    const space = world.actionSpaces[agent];
    const width = candidateWidth(space);
    return {
      decisions: {
        agent,
        count: 1,
        observations: new Float32Array(boxSize(world.observationSpaces[agent])),
        legal: new Uint8Array(maskWidth(space)),
        ...(width > 0 && { candidates: createCandidateStore(width, 1) }),
        policy: new Float32Array(parameters),
        perturbation: new Float32Array(parameters),
      } satisfies Decisions,
      value: new Float32Array(1),
    };
  });
  const STREAM_BYTES = 16;
  const words = new Uint32Array(8);
  const wordBytes = new Uint8Array(words.buffer);

  const countLegal = (agent: number) => world.legal(agent, views[agent].decisions.legal, 0);

  return {
    ...world,
    id: `mask_${world.id}`,
    actionSpaces: world.agents.map(() => discrete(2, ["blind", "keep"])),
    chance: "steps",
    snapshotBytes: world.snapshotBytes === 0 ? 0 : world.snapshotBytes + 2 * STREAM_BYTES,

    reset(seed) {
      world.reset(seed);
      acting.rekey(seed, "action");
      replacing.rekey(seed, "perturbation");
    },
    observe: (agent, out, offset) => world.observe(agent, out, offset),
    legal(agent, out, offset) {
      const count = countLegal(agent);
      out[offset + KEEP] = count > 0 ? 1 : 0;
      out[offset + BLIND] = count > 0 && hasChoice(world.actionSpaces[agent], count) ? 1 : 0;
      return out[offset + KEEP] + out[offset + BLIND];
    },
    step(bits) {
      for (let agent = 0; agent < N; agent++) {
        if (!world.acting[agent]) continue;
        const bit = bits[agent];
        const allowed = bit === KEEP || (bit === BLIND && hasChoice(world.actionSpaces[agent], countLegal(agent)));
        if (!allowed) {
          throw new MagicMaskError(
            "illegal-action",
            "masking/mask-environment",
            `${world.agents[agent]} must choose 0 (blind, where it has a choice) or 1 (keep), got ${bit}`,
          );
        }
      }
      for (let agent = 0; agent < N; agent++) {
        if (!world.acting[agent]) continue;
        const { decisions, value } = views[agent];
        world.observe(agent, decisions.observations, 0);
        const count = world.legal(agent, decisions.legal, 0);
        const { candidates } = decisions;
        if (candidates) {
          candidates.length = 0;
          const offset = addList(candidates, 0, count);
          world.candidates?.(agent, candidates.features, offset);
        }
        policies[agent].evaluate(decisions, decisions.policy, value);
        if (bits[agent] === KEEP) {
          distributions[agent].at(decisions.policy, 0).sample(acting, actions, agent * W);
        } else {
          perturbations[agent].evaluate(decisions, decisions.policy, decisions.perturbation);
          distributions[agent].at(decisions.perturbation, 0).sample(replacing, actions, agent * W);
        }
        clip(world.actionSpaces[agent], actions, agent * W);
      }
      world.step(actions);
    },
    snapshot(out, offset) {
      world.snapshot(out, offset);
      words.set(acting.exportState(), 0);
      words.set(replacing.exportState(), 4);
      out.set(wordBytes, offset + world.snapshotBytes);
    },
    restore(from, offset, random) {
      world.restore(from, offset, random);
      wordBytes.set(from.subarray(offset + world.snapshotBytes, offset + world.snapshotBytes + 2 * STREAM_BYTES));
      acting.restoreState(Array.from(words.subarray(0, 4)));
      replacing.restoreState(Array.from(words.subarray(4)));
      if (random) {
        // By its words, drawing nothing from it: the world below then has the chance it would have without a mask.
        const name = random.exportState();
        acting.rekey("action", ...name);
        replacing.rekey("perturbation", ...name);
      }
    },
    render: () => world.render(),
  };
}
