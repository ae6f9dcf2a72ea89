import {
  type CandidateLists,
  type CandidatesSpec,
  type CreateLearner,
  MagicMaskError,
  type Objective,
  outputWidth,
  type PpoBatch,
  type PpoLoss,
  parameterCount,
  type RegressionBatch,
  type UpdatePlan,
  type UpdateStatistics,
} from "@magic-mask/core";
import { checkInference, checkObjective, checkPlan, checkState, requireFinite } from "../checks.ts";
import { initialParameters } from "../init.ts";
import { checkAction, partsOf } from "../losses.ts";
import { type KernelMemory, startKernel } from "./kernel.ts";
import { netMemory } from "./memory.ts";

/** Fields of the kernel's `Job`, in its order. */
const JOB = [
  "rows",
  "count",
  "minibatch",
  "learningRate",
  "maxGradNorm",
  "steps",
  "loss",
  "inputs",
  "targets",
  "weights",
  "legal",
  "features",
  "starts",
  "counts",
  "actions",
  "slot",
  "logProbs",
  "advantages",
  "returns",
  "clip",
  "valueCoefficient",
  "entropyCoefficient",
  "sizes",
  "parts",
  "row",
  "sum0",
  "sum1",
  "sum2",
  "sum3",
  "sum4",
  "norm",
] as const;
type Job = Record<(typeof JOB)[number], number>;

const REGRESSION = 0;
const CATEGORICAL = 1;
const GAUSSIAN = 2;

/** What the kernel answers, as in `assembly/job.ts`; any other number: a loss that is not finite. */
const DONE = 0;
const BAD_INPUT = 1;
const NO_LEGAL_ACTION = 2;
const ILLEGAL_ACTION = 3;
const BAD_GRADIENT = 5;

/** Names of the job's sums. */
const SUMS = {
  ppo: ["policy_loss", "value_loss", "entropy", "approx_kl", "clipfrac"],
  regression: ["loss"],
} as const;

/** Runs the kernel's `update` on other threads. */
export interface KernelThreads {
  /** @returns a code of `assembly/job.ts`, as the kernel's does */
  update(memory: KernelMemory, net: number, job: number): Promise<number>;
  /** Lets go of a memory that was used. */
  forget(memory: KernelMemory): void;
}

const PAGE = 65_536;
/** Rows that `infer` takes at once. */
const CHUNK = 1024;

/**
 * Learners whose network, losses and optimiser run in one WebAssembly kernel (`assembly/`): one call per update. Every
 * learner has a memory of its own.
 *
 * The arithmetic is IEEE float32 in a fixed order, so results are the same bits on every machine and engine.
 *
 * @param module the build for shared memory if there are threads, else the plain one
 * @param threads run updates, so that those of several learners go on side by side. A learner that is at it does nothing else
 *   until it is done: all of its methods but `dispose` throw out-of-order.
 */
export function fusedBackend(module: WebAssembly.Module, threads?: KernelThreads): CreateLearner {
  return (spec, random) => {
    if (spec.kind === "cnn") {
      const message = `runs no convolutions; use --backend tfjs-node (npm run setup:native) or tfjs-cpu`;
      throw new MagicMaskError("unsupported", "networks/fused", message);
    }
    const D = spec.inputs;
    const O = outputWidth(spec);
    const P = parameterCount(spec);
    const initial = initialParameters(spec, random);
    const { kernel, memory } = startKernel(module, threads !== undefined);
    const layoutOf = netMemory(spec, kernel.base());
    const { net, count: padded, places } = layoutOf;
    const job = layoutOf.end;
    const work = job + 8 * JOB.length;
    let steps = 0;
    let updating = false;

    const requireRest = () => {
      if (!updating) return;
      throw new MagicMaskError(
        "out-of-order",
        "networks/fused",
        "an update of this learner is under way; await it first",
      );
    };

    /** Makes room up to byte `end`. */
    const reserve = (end: number) => {
      const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
      if (missing > 0) memory.grow(missing);
    };
    reserve(work);
    layoutOf.write(memory.buffer);

    const arrays = {
      parameters: layoutOf.parameters,
      firstMoment: layoutOf.firstMoment,
      secondMoment: layoutOf.secondMoment,
    };
    const write = (to: number, canonical: Float32Array) => {
      const view = new Float32Array(memory.buffer, to, padded);
      for (let i = 0; i < P; i++) view[places[i]] = canonical[i];
    };
    const read = (from: number) => {
      const view = new Float32Array(memory.buffer, from, padded);
      const canonical = new Float32Array(P);
      for (let i = 0; i < P; i++) canonical[i] = view[places[i]];
      return canonical;
    };
    write(arrays.parameters, initial);

    /** Copies arrays behind the job. @returns where each begins */
    const place = (parts: readonly (Float32Array | Int32Array | Uint8Array)[]) => {
      const offsets: number[] = [];
      let at = work;
      for (const part of parts) {
        at = (at + 15) & ~15;
        offsets.push(at);
        at += part.byteLength;
      }
      reserve(at);
      parts.forEach((part, i) => {
        const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
        new Uint8Array(memory.buffer, offsets[i], bytes.length).set(bytes);
      });
      return offsets;
    };

    /** Copies the lists of `rows` rows from `first` on, one behind the other. */
    const placeLists = (
      lists: CandidateLists,
      first: number,
      rows: number,
      starts: number,
      counts: number,
      features: number,
    ) => {
      const { features: F } = spec as CandidatesSpec;
      const own = lists.counts.subarray(first, first + rows);
      reserve(features + 4 * F * own.reduce((sum, n) => sum + n, 0));
      new Int32Array(memory.buffer, counts, rows).set(own);
      const begins = new Int32Array(memory.buffer, starts, rows);
      const all = new Float32Array(memory.buffer, features);
      let listed = 0;
      own.forEach((n, r) => {
        const start = lists.starts[first + r];
        all.set(lists.features.subarray(start * F, (start + n) * F), listed * F);
        begins[r] = listed;
        listed += n;
      });
    };

    const writeJob = ({ loss, batch }: Objective, rows: Int32Array, plan: Partial<UpdatePlan>) => {
      const fields: Partial<Job> = { count: rows.length, steps };
      if (loss.kind === "ppo") {
        const { inputs, legal, actions, logProbs, advantages, returns, candidates } = batch as PpoBatch;
        const sizes = Int32Array.from(partsOf(loss.space, O - 1));
        const lists = candidates ? [candidates.features, candidates.starts, candidates.counts] : [];
        const at = place([rows, inputs, legal, actions, logProbs, advantages, returns, sizes, ...lists]);
        [fields.rows, fields.inputs, fields.legal, fields.actions] = at;
        [fields.logProbs, fields.advantages, fields.returns, fields.sizes] = at.slice(4);
        if (candidates) [fields.features, fields.starts, fields.counts] = at.slice(8);
        fields.slot = actions.length / logProbs.length;
        fields.parts = loss.space.kind === "box" ? (O - 1) / 2 : sizes.length;
        fields.loss = loss.space.kind === "box" ? GAUSSIAN : CATEGORICAL;
        fields.clip = loss.clip;
        fields.valueCoefficient = loss.valueCoefficient;
        fields.entropyCoefficient = loss.entropyCoefficient;
      } else {
        const { inputs, targets, weights } = batch as RegressionBatch;
        [fields.rows, fields.inputs, fields.targets, fields.weights] = place([rows, inputs, targets, weights]);
        fields.loss = REGRESSION;
      }
      const { minibatch = rows.length, learningRate = 0, maxGradNorm = 1 } = plan;
      Object.assign(fields, { minibatch, learningRate, maxGradNorm });
      new Float64Array(memory.buffer, job, JOB.length).set(JOB.map((name) => fields[name] ?? 0));
    };

    const readJob = (): Job => {
      const values = new Float64Array(memory.buffer, job, JOB.length);
      return Object.fromEntries(JOB.map((name, i) => [name, values[i]])) as Job;
    };

    /** Throws what a code of `assembly/job.ts` means. */
    const settle = (code: number, objective: Objective) => {
      if (code === DONE) return;
      const { row, norm, ...sums } = readJob();
      if (code === BAD_INPUT)
        notFinite(`an input of row ${row}, or of its candidates, is not finite: a damaged observation`);
      if (code === NO_LEGAL_ACTION || code === ILLEGAL_ACTION) {
        checkAction(objective.batch as PpoBatch, partsOf((objective.loss as PpoLoss).space, O - 1), row);
      }
      if (code === BAD_GRADIENT) notFinite(`the gradient's norm is ${norm}; lower the learning rate`);
      const means = SUMS[objective.loss.kind].map((name, i) => `${name} ${sums[`sum${i}` as "sum0"]}`);
      notFinite(
        `a loss is not finite (${means.join(", ")}): the batch holds such a number, or the outputs have diverged (lower the learning rate)`,
      );
    };

    return {
      spec,

      infer(from, count, out, candidates) {
        requireRest();
        checkInference(spec, from, count, out, candidates);
        const lists = spec.kind === "candidates" ? candidates : undefined;
        const outputs = work + 4 * CHUNK * D;
        const [starts, counts, features] = [0, 4 * CHUNK, 8 * CHUNK].map((bytes) => outputs + 4 * CHUNK * O + bytes);
        reserve(features);
        for (let first = 0; first < count; first += CHUNK) {
          const rows = Math.min(CHUNK, count - first);
          if (lists) placeLists(lists, first, rows, starts, counts, features);
          new Float32Array(memory.buffer, work, rows * D).set(from.subarray(first * D, (first + rows) * D));
          if (kernel.infer(net, work, rows, outputs, features, starts, counts) !== DONE) {
            requireFinite("inputs", from, count * D);
            notFinite("a candidate is not finite: a damaged observation");
          }
          const view = new Float32Array(memory.buffer, outputs, rows * O);
          requireFinite("outputs", view, rows * O);
          out.set(view, first * O);
        }
      },

      async update(objective, plan) {
        requireRest();
        checkObjective(spec, objective, plan.rows);
        checkPlan(plan);
        writeJob(objective, plan.rows, plan);
        let code: number;
        updating = true;
        try {
          code = threads ? await threads.update(memory, net, job) : kernel.update(net, job);
        } finally {
          updating = false;
        }
        const { steps: taken, norm, ...sums } = readJob();
        steps = taken;
        settle(code, objective);
        const minibatches = Math.ceil(plan.rows.length / plan.minibatch);
        const statistics: Record<string, number> = {};
        SUMS[objective.loss.kind].forEach((name, i) => {
          statistics[name] = sums[`sum${i}` as "sum0"] / minibatches;
        });
        return { ...statistics, grad_norm: norm / minibatches } as UpdateStatistics;
      },

      async gradient(objective, rows) {
        requireRest();
        checkObjective(spec, objective, rows);
        writeJob(objective, rows, {});
        settle(kernel.gradient(net, job), objective);
        const gradient = read(layoutOf.gradient);
        requireFinite("gradient", gradient, P);
        return gradient;
      },

      exportState() {
        requireRest();
        return {
          parameters: read(arrays.parameters),
          firstMoment: read(arrays.firstMoment),
          secondMoment: read(arrays.secondMoment),
          steps,
        };
      },

      restoreState(from) {
        requireRest();
        checkState(spec, from);
        write(arrays.parameters, from.parameters);
        write(arrays.firstMoment, from.firstMoment);
        write(arrays.secondMoment, from.secondMoment);
        steps = from.steps;
      },

      dispose() {
        threads?.forget(memory);
      },
    };
  };
}

function notFinite(message: string): never {
  throw new MagicMaskError("not-finite", "networks/fused", message);
}
