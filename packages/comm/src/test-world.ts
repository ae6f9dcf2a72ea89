import { box, discrete, type EnvironmentSpec } from "@magic-mask/core";
import fc from "fast-check";
import { type CriticalRecord, emptyRecord } from "./record.ts";
import type { Sharing } from "./sharing.ts";
import { COARSE_STEP, FINE_ENTRIES, SIGNATURE_LENGTH } from "./signature.ts";

/** Two walkers and a chaser, who see eight features each, some of them the same; three actions. */
export const world: EnvironmentSpec = {
  id: "test_v0",
  agents: ["walker_0", "walker_1", "chaser_0"],
  roles: ["walker", "walker", "chaser"],
  observationSpaces: [box([8], -1, 1), box([8], -1, 1), box([8], -1, 1)],
  actionSpaces: [discrete(3), discrete(3), discrete(3)],
  turnBased: false,
  zeroSum: false,
  returnRange: null,
  // The chaser sees the same five things in another order.
  commonFeatures: [
    [0, 1, 2, 3, 4],
    [0, 1, 2, 3, 4],
    [7, 6, 5, 4, 3],
  ],
  snapshotBytes: 0,
};

/** A plain record of agent 0, with some fields changed. */
export const recordOf = (fields: Partial<CriticalRecord> = {}): CriticalRecord => ({ ...emptyRecord(), ...fields });

/** σ that begins with these entries. */
export const signatureOf = (...entries: number[]): Int8Array =>
  Int8Array.from({ length: SIGNATURE_LENGTH }, (_, k) => entries[k] ?? 0);

const word = fc.nat({ max: 4294967295 });

/** [N] messages refused, by recipient. */
export const refusedOf = ({ intake: { refused } }: Pick<Sharing, "intake">): number[] => {
  const N = Math.sqrt(refused.length);
  return Array.from({ length: N }, (_, to) => refused.subarray(to * N, (to + 1) * N).reduce((sum, x) => sum + x));
};

/** Any σ of the longest. */
const anySignature = fc
  .tuple(
    fc.int8Array({ minLength: FINE_ENTRIES, maxLength: FINE_ENTRIES }),
    fc.array(fc.integer({ min: -7, max: 7 }), {
      minLength: SIGNATURE_LENGTH - FINE_ENTRIES,
      maxLength: SIGNATURE_LENGTH - FINE_ENTRIES,
    }),
  )
  .map(([fine, steps]) => Int8Array.from([...fine, ...steps.map((step) => COARSE_STEP * step)]));

/** Any valid record of agent 0 of `world`. */
export const anyRecord: fc.Arbitrary<CriticalRecord> = fc.record({
  agent: fc.constant(0),
  role: fc.constant(0),
  policyVersion: fc.oneof(fc.nat(300), word),
  step: fc.oneof(fc.nat(1000), word),
  episode: fc.oneof(fc.nat(1000), word),
  blinded: fc.boolean(),
  signature: anySignature,
  action: fc.nat(2),
  logProb: fc.double({ min: -30, max: 0, noNaN: true }),
  perturbationLogProb: fc.double({ min: -30, max: 0, noNaN: true }),
  blindProbability: fc.double({ min: 0, max: 1, noNaN: true }),
  advantage: fc.oneof(
    fc.double({ min: -50, max: 50, noNaN: true }),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
  ),
  rank: fc.double({ min: 0, max: 1, noNaN: true }),
});
