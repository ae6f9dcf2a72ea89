/** What a study of one's own is made from: the studies that come with the program, to be given other options, and their parts. */
export { type CoinEvidence, learnByDeciding, learnFromCoin, playByCoin } from "../compare/learn.ts";
export { scoresOf } from "../figures/scores.ts";
export { combined, gainOver, overSeeds, shareOf } from "./over-seeds.ts";
export { channel } from "./studies/channel/channel.ts";
export { communication } from "./studies/communication/communication.ts";
export { components } from "./studies/components/components.ts";
export { control } from "./studies/control/control.ts";
export { main } from "./studies/main/main.ts";
export { perturbation } from "./studies/perturbation/perturbation.ts";
export { retrain } from "./studies/retrain/retrain.ts";
export { sanity } from "./studies/sanity/sanity.ts";
export { scale } from "./studies/scale/scale.ts";
export { steering } from "./studies/steering/steering.ts";
export { teams } from "./studies/teams/teams.ts";
export { threshold } from "./studies/threshold/threshold.ts";
export { transfer } from "./studies/transfer/transfer.ts";
export type {
  Axes,
  Coordinates,
  Judgement,
  Measured,
  Place,
  Report,
  Result,
  Scores,
  Size,
  Study,
  Subject,
} from "./study.ts";
