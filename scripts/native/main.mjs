import { parseArgs } from "node:util";
import { check } from "./check.mjs";
import { install } from "./install.mjs";
import { checkPrerequisites } from "./prerequisites.mjs";
import { recipeFor } from "./recipe.mjs";
import { Refusal } from "./refusal.mjs";
import { isInstalled, remove } from "./target.mjs";

const HELP = `Makes TensorFlow's own library run the networks: installs @tensorflow/tfjs-node into this checkout, with a
libtensorflow taken from PyPI where the package's own download is blocked. Linux x64. Nothing that git tracks changes.

  npm run setup:native                         the backend tfjs-node (CPU): 0.3 GB to download, 0.7 GB on disk
  npm run setup:native -- --gpu                the backend tfjs-node-gpu; also CUDA's libraries, if there is an NVIDIA driver
  npm run setup:native -- --remove [--gpu]     removes what the same command without --remove installed
  npm run setup:native -- --help

Example:

  npm run setup:native && npm run magic-mask -- train --backend tfjs-node

It needs python3 with pip, g++ and npm. Mirrors are named as ever: npm_config_registry, PIP_INDEX_URL.
`;

const say = (line) => process.stdout.write(`[setup:native] ${line}\n`);

/**
 * @param args of the command line
 * @param root the workspace's folder, with a slash at its end
 * @returns the exit code
 */
export async function main(args, root) {
  try {
    const { help, gpu, remove: removing } = parse(args);
    if (help) {
      process.stdout.write(HELP);
      return 0;
    }
    const recipe = recipeFor(root, gpu);
    if (removing) {
      say(remove(recipe, root) ? `${recipe.name} is removed` : `${recipe.name} was not installed`);
      return 0;
    }
    const already = isInstalled(recipe, root);
    if (already) say(`${recipe.name} ${recipe.version} is installed already`);
    else checkPrerequisites(recipe, root);
    report(recipe, already ? check(recipe, root) : await install(recipe, root, say));
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`[setup:native] ${error.message}\n`);
    return error.exitCode;
  }
}

function parse(args) {
  const flag = { type: "boolean", default: false };
  try {
    return parseArgs({ args, options: { help: flag, gpu: flag, remove: flag } }).values;
  } catch (error) {
    throw new Refusal(`${error.message}\nnpm run setup:native -- --help tells what there is`, 2);
  }
}

function report({ name, backend }, { gpu, node }) {
  say(`it computes the right numbers: tfjs's backend "tensorflow", GPU ${gpu ? "in use" : "not in use"}, Node ${node}`);
  if (name.endsWith("-gpu") && !gpu) {
    say("no GPU was found (driver? CUDA libraries?): until there is one, --backend tfjs-node-gpu will say so and stop");
  } else say(`use it: npm run magic-mask -- train --backend ${backend}`);
}
