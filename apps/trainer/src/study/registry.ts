import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { byName, MagicMaskError } from "@magic-mask/core";
import { bringWorlds } from "../worlds.ts";
import { channel } from "./studies/channel/channel.ts";
import { communication } from "./studies/communication/communication.ts";
import { components } from "./studies/components/components.ts";
import { control } from "./studies/control/control.ts";
import { main } from "./studies/main/main.ts";
import { perturbation } from "./studies/perturbation/perturbation.ts";
import { retrain } from "./studies/retrain/retrain.ts";
import { sanity } from "./studies/sanity/sanity.ts";
import { scale } from "./studies/scale/scale.ts";
import { steering } from "./studies/steering/steering.ts";
import { teams } from "./studies/teams/teams.ts";
import { threshold } from "./studies/threshold/threshold.ts";
import { transfer } from "./studies/transfer/transfer.ts";
import type { Study } from "./study.ts";

/** Studies that come with the program, by id. */
export const studies: Readonly<Record<string, Study>> = {
  main: main(),
  threshold: threshold(),
  communication: communication(),
  channel: channel(),
  scale: scale(),
  teams: teams(),
  steering: steering(),
  components: components(),
  sanity: sanity(),
  transfer: transfer(),
  perturbation: perturbation(),
  control: control(),
  retrain: retrain(),
};

const SOURCE = "trainer/study-registry";
/** Functions that every study has. */
const PARTS = ["axes", "config", "settings", "work", "pilots", "run", "report"] as const;

/** Whether a study is named by its file. */
export const isStudyFile = (name: string): boolean => /\.[cm]?[jt]s$/.test(name);

/**
 * The study of that id, or the default export of that file: a `Study`.
 *
 * @throws unknown-name; invalid-option if the file holds none, or brings a world by the name of another
 */
export async function loadStudy(name: string): Promise<Study> {
  if (!isStudyFile(name)) return byName(SOURCE, "study", studies, name);
  const file = resolve(name);
  if (!existsSync(file)) throw new MagicMaskError("io", SOURCE, `there is no file ${file}`);
  let found: Partial<Study> | undefined;
  try {
    ({ default: found } = await import(pathToFileURL(file).href));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : `${cause}`;
    const isTypeScript = (cause as NodeJS.ErrnoException)?.code === "ERR_UNKNOWN_FILE_EXTENSION";
    const advice = isTypeScript ? "; this Node reads no TypeScript: take Node ≥ 22.18, or write the study as .mjs" : "";
    throw new MagicMaskError("invalid-option", SOURCE, `cannot load ${file}: ${why}${advice}`, { cause });
  }
  const lacks = [
    ...(typeof found?.id === "string" && /^[\w.-]+$/.test(found.id)
      ? []
      : ["an id of letters, digits, dots, dashes and underscores"]),
    ...(Array.isArray(found?.arms) ? [] : ["a list of arms"]),
    ...PARTS.filter((part) => typeof found?.[part] !== "function").map((part) => `${part}()`),
  ];
  if (found === undefined || lacks.length > 0) {
    const message = `${file} must export a study by default; what it exports lacks ${lacks.join(", ")}`;
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  bringWorlds(found.worlds ?? {});
  return found as Study;
}
