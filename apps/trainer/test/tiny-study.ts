import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A study as a user would write it. Its figure is the mean truth of the first agent's decisions, times its arm: 1, 2, or what goes
 * wrong. `flaky` fails at its first try, `dies` takes its process with it, `broken` always fails, `greedy` takes more steps, `sly` does for
 * the second seed alone, which no pilot sees.
 */
export const tinyStudy = (folder: string): string => {
  const file = join(folder, "tiny.mjs");
  writeFileSync(
    file,
    `import { existsSync, writeFileSync } from "node:fs";
    const once = (name) => {
      const marker = ${JSON.stringify(folder)} + "/" + name;
      if (existsSync(marker)) return false;
      writeFileSync(marker, "");
      return true;
    };
    export default {
      id: "tiny",
      question: "Is twice as much twice as much?",
      claim: "it is",
      version: 1,
      axes: () => ({ environment: ["planted_v0"], seed: [1, 2], budget: [10, 20], arm: ["1", "2"] }),
      names: { arm: ["1", "2", "flaky", "dies", "broken", "greedy", "sly"] },
      arms: ["arm"],
      config: (id) => ({
        environment: { id, options: { ticks: 12 } },
        training: { totalSteps: 2000, copies: 8, shards: 2, rolloutTicks: 24, minibatch: 64 },
        evaluation: { states: 20, pilotRollouts: 2, rollouts: 2, batches: 1 },
      }),
      settings: ({ posthoc }) => ({ epochs: posthoc.epochs }),
      work: (trials) => trials.length * trials[0].budget,
      pilots: ({ environment, seed, arm }) => {
        const arms = ["1", ...arm.filter((name) => name === "greedy" || name === "sly")];
        return [10, 20].map((budget) => arms.map((arm) => ({ environment: environment[0], seed: seed[0], budget, arm })));
      },
      async *run(trials, { truths }) {
        for (const { arm, budget, seed } of trials) {
          if (arm === "broken") throw new Error("broken as asked");
          if (arm === "flaky" && budget === 20 && once("flaky" + seed)) throw new Error("flaky as asked");
          if (arm === "dies" && budget === 10 && once("dies")) process.exit(3);
          const { criticality } = truths[0].truth;
          const mean = criticality.reduce((sum, value) => sum + value, 0) / criticality.length;
          const steps = budget + (arm === "greedy" || (arm === "sly" && seed === 2) ? 1 : 0);
          const seconds = { shared: 1, learning: 1, judging: 1 };
          yield { steps, figures: { mean: Number(arm) > 0 ? mean * arm : mean }, seconds };
        }
      },
      report: (axes, results) => ({
        tables: [{ title: "means", note: "", header: ["trials"], body: [[results.length]] }],
        judgements: [{
          where: "here", claim: "twice", figure: "ratio", measured: { estimate: 2, low: 2, high: 2 },
          verdict: "reproduced", why: "arithmetic",
        }],
        sentences: ["It is."],
        pictures: [{ name: "a.svg", svg: "<svg/>" }],
      }),
    };`,
  );
  return file;
};
