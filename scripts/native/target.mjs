import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Where an installation lies.
 *
 * `.native` at the root is ignored by git and unknown to pnpm, so no `pnpm install` cleans it away; nor, then, is anything
 * of it in package.json or the lockfile. Node's search for a package goes from any file upwards through every
 * node_modules, so one link in the root's serves all packages and apps. pnpm leaves links there alone that it has not made;
 * whoever deletes node_modules gets the link back by running the set-up again, which takes a second.
 */
export const places = ({ backend, name }, root) => ({
  all: `${root}.native`,
  folder: `${root}.native/${backend}`,
  link: `${root}node_modules/${name}`,
  /** What `link` says, from where it is. */
  aim: `../../.native/${backend}/node_modules/${name}`,
});

/** Inside an installation: what it is of. */
export const STAMP = "installed.json";

/** What decides whether an installation is the one wanted. */
export const stampOf = ({ name, version, wheel, tensorflow, cuda }) =>
  JSON.stringify({ name, version, wheel, tensorflow, cuda });

/** Whether it is installed whole; sees to it that the link is there. */
export function isInstalled(recipe, root) {
  const { folder } = places(recipe, root);
  const stamp = `${folder}/${STAMP}`;
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== stampOf(recipe)) return false;
  link(recipe, root);
  return true;
}

function link(recipe, root) {
  const { link, aim } = places(recipe, root);
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { recursive: true, force: true });
  symlinkSync(aim, link);
}

/**
 * Puts `built`, a finished folder, in its place, at once.
 *
 * @returns to be called at the end: `keep` what is new, or `undo` and have what was before
 */
export function place(recipe, root, built) {
  const { folder } = places(recipe, root);
  const earlier = `${built}-earlier`;
  const undo = () => {
    remove(recipe, root);
    if (!exists(earlier)) return;
    renameSync(earlier, folder);
    link(recipe, root);
  };
  try {
    if (exists(folder)) renameSync(folder, earlier);
    renameSync(built, folder);
    link(recipe, root);
  } catch (error) {
    undo();
    throw error;
  }
  return { undo, keep: () => rmSync(earlier, { recursive: true, force: true }) };
}

/** @returns whether there was anything to remove */
export function remove(recipe, root) {
  const { all, folder, link } = places(recipe, root);
  const there = [folder, link].filter(exists);
  for (const path of there) rmSync(path, { recursive: true, force: true });
  removeIfEmpty(dirname(link));
  removeIfEmpty(all);
  return there.length > 0;
}

export function removeIfEmpty(folder) {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
}

/** Whether anything is there, be it a link to nothing. */
const exists = (path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
