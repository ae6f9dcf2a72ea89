export { makePettingZoo, type PettingZooOptions, pettingZoo, pettingZooVector } from "./petting-zoo.ts";
export type { RemoteVector } from "./remote.ts";
