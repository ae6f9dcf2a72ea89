import { existsSync, readFileSync } from "node:fs";

/** TensorFlow's wheels hold libtensorflow from 2.12 on; this one passes all checks with tfjs-node 4.22, on Node 20 to 26. */
const TENSORFLOW = "2.15.1";

/** Megabytes that an installation takes on the way, for each wheel; CUDA's libraries come on top. */
const ROOM = { "tensorflow-cpu": 1500, tensorflow: 2500, cuda: 7000 };

/**
 * What to install.
 *
 * @param root the workspace's folder
 * @param gpu whether it is for a GPU
 */
export function recipeFor(root, gpu) {
  const backend = gpu ? "tfjs-node-gpu" : "tfjs-node";
  const name = `@tensorflow/${backend}`;
  const wheel = gpu ? "tensorflow" : "tensorflow-cpu";
  const cuda = gpu && existsSync("/proc/driver/nvidia/version");
  return {
    /** As in `--backend`. */
    backend,
    /** Of the npm package. */
    name,
    /** The version that packages/networks is written for. */
    version: JSON.parse(readFileSync(`${root}packages/networks/package.json`, "utf8")).peerDependencies[name],
    /** The Python package that holds libtensorflow. */
    wheel,
    tensorflow: TENSORFLOW,
    /** Whether CUDA's libraries come along. Without a driver they would be gigabytes for nothing. */
    cuda,
    /** Free disk space needed, MB. */
    room: ROOM[wheel] + (cuda ? ROOM.cuda : 0),
  };
}
