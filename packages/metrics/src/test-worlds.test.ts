import { describe, it } from "@jest/globals";
import { environmentLaws } from "@magic-mask/core/testing";
import { END, sure, tableWorld } from "./test-worlds.ts";

describe("tableWorld", () => {
  const make = tableWorld(
    [
      {
        agent: 0,
        actions: [
          sure(1, 1, -1),
          [
            { probability: 0.5, to: 1, rewards: [0, 0] },
            { probability: 0.5, to: 2, rewards: [2, -2] },
          ],
        ],
      },
      { agent: 1, actions: [null, sure(2, 0, 0)] },
      { agent: 1, actions: [sure(END, 1, -1), sure(END, -1, 1)] },
    ],
    2,
  );
  for (const law of environmentLaws) it(law.name, () => law.run(make));
});
