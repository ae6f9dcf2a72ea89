import type { CriticState } from "@magic-mask/masking";
import type { Explanation } from "./assemble.ts";
import type { MemoryState } from "./memory.ts";

/** All that an explanation has learned, for checkpoints. */
export interface ExplanationState {
  readonly critics: readonly CriticState[];
  readonly masks: readonly object[];
  /** None where there are none. */
  readonly advisers?: readonly object[];
  readonly memory: MemoryState;
}

export const exportExplanation = ({ critics, masks, advisers, memory }: Explanation): ExplanationState => ({
  critics: critics.map((critic) => critic.exportState()),
  masks: masks.map((mask) => mask.exportState()),
  ...(advisers.length > 0 && { advisers: advisers.map((adviser) => adviser.exportState()) }),
  memory: memory.exportState(),
});

export function restoreExplanation({ critics, masks, advisers, memory }: Explanation, state: ExplanationState) {
  critics.forEach((critic, agent) => {
    critic.restoreState(state.critics[agent]);
  });
  masks.forEach((mask, agent) => {
    mask.restoreState(state.masks[agent]);
  });
  advisers.forEach((adviser, agent) => {
    if (state.advisers) adviser.restoreState(state.advisers[agent]);
  });
  memory.restoreState(state.memory);
}
