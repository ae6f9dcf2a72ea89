import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { check } from "./check.mjs";
import { Refusal } from "./refusal.mjs";
import { stepsOf } from "./steps.mjs";
import { place, places, removeIfEmpty, STAMP, stampOf } from "./target.mjs";

/** Seconds after which a step says that it is still at work. */
const PATIENCE = 15;

/**
 * Installs as the recipe says: builds in a folder beside the target, puts it in its place in one go, tries it out there.
 * Whatever ends it early, Ctrl-C included, leaves all as it was before.
 *
 * @param say told each line for the user
 * @returns what \`check\` found
 * @throws Refusal
 */
export async function install(recipe, root, say) {
  const { all, folder } = places(recipe, root);
  clearLeftovers(all);
  const staging = `${all}/${BUILDING}${recipe.backend}-${process.pid}`;
  const stop = listen();
  let placed;
  let found;
  try {
    say(`${recipe.name} ${recipe.version} on the libtensorflow of ${recipe.wheel} ${recipe.tensorflow}, to ${folder}`);
    const built = `${staging}/built`;
    mkdirSync(built, { recursive: true });
    const steps = stepsOf(recipe, built);
    const total = steps.length + 1;
    for (const [i, { what, run }] of steps.entries()) {
      await timed(say, `${i + 1}/${total} ${what}`, run);
      await stop.check();
    }
    await timed(say, `${total}/${total} putting it in its place and trying it out there`, async () => {
      writeFileSync(`${built}/${STAMP}`, stampOf(recipe));
      placed = place(recipe, root, built);
      found = check(recipe, root);
    });
    await stop.check();
    placed.keep();
    return found;
  } catch (error) {
    say("undoing what was begun");
    placed?.undo();
    // a step that a signal ended fails, too
    await stop.check();
    throw error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
    removeIfEmpty(all);
    stop.end();
  }
}

const BUILDING = ".building-";

/** Removes what set-ups left that were killed outright. */
function clearLeftovers(all) {
  mkdirSync(all, { recursive: true });
  for (const name of readdirSync(all).filter((name) => name.startsWith(BUILDING))) {
    if (!isAlive(Number(name.split("-").at(-1)))) rmSync(`${all}/${name}`, { recursive: true, force: true });
  }
}

function isAlive(id) {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

/** Takes note of signals; the program that a step runs is told by `run`. */
function listen() {
  let received;
  const note = (signal) => {
    received ??= signal;
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, note);
  return {
    async check() {
      // A signal that came during synchronous work is heard only now.
      await new Promise((resolve) => setImmediate(resolve));
      if (received) throw new Refusal(`stopped by ${received}`, 128 + constants.signals[received]);
    },
    end() {
      for (const signal of signals) process.off(signal, note);
    },
  };
}

async function timed(say, what, run) {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  say(what);
  const alive = setInterval(() => say(`    still at it after ${seconds()}`), PATIENCE * 1000);
  try {
    await run();
  } finally {
    clearInterval(alive);
  }
  say(`    done in ${seconds()}`);
}
