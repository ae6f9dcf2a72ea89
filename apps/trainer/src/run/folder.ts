import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { refused } from "./atomic.ts";

/**
 * Creates a folder with the parents that it lacks, and sees that files can be written into it.
 *
 * @param source says who asked, in errors
 * @returns the path
 * @throws io
 */
export function makeFolder(source: string, path: string): string {
  try {
    for (const each of missingOf(resolve(path))) make(each);
    accessSync(path, constants.W_OK);
    return path;
  } catch (error) {
    throw refused(source, `create ${path}`, error);
  }
}

/** What is to be created, parents first. One at a time: Node's `recursive` never returns where a file system refuses with ENOENT, as /proc does. */
function missingOf(path: string): string[] {
  return existsSync(path) && statSync(path).isDirectory() ? [] : [...missingOf(dirname(path)), path];
}

function make(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process was faster.
    if (!(existsSync(path) && statSync(path).isDirectory())) throw error;
  }
}
