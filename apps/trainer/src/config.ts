import { readFileSync } from "node:fs";
import { adversaries, modes } from "@magic-mask/comm";
import { type ErrorCode, MagicMaskError } from "@magic-mask/core";
import { objectives, perturbations } from "@magic-mask/masking";
import { nodeBackends } from "@magic-mask/networks/node";
import { parse } from "yaml";
import { z } from "zod";
import { presets } from "./presets.ts";
import { worldIds } from "./worlds.ts";

const share = (help: string) => z.number().min(0).max(1).describe(help);
const count = (help: string) => z.number().int().min(1).describe(help);
const positive = (help: string) => z.number().positive().describe(help);
const hidden = z.array(z.number().int().min(1).max(4096)).min(1).max(3).describe("widths of the hidden layers");
const group = <T extends z.ZodRawShape>(shape: T, help: string) =>
  z
    .strictObject(shape)
    .prefault({} as never)
    .describe(help);
const rates = (start: number, end: number) =>
  group(
    { start: positive("at the start").default(start), end: z.number().min(0).describe("at the end").default(end) },
    "learning rate, falling linearly",
  );
const moment = (help: string) => z.number().int().min(0).max(1e9).describe(help);
const name = (names: readonly string[], help: string) => z.enum(names as [string, ...string[]]).describe(help);
/** One of those that there are when it is checked: a study may bring worlds of its own. */
const worldId = z
  .string()
  .check(({ value, issues }) => {
    const values = [...worldIds()];
    const message = `Invalid option: expected one of ${values.map((id) => JSON.stringify(id)).join("|")}`;
    if (!values.includes(value)) issues.push({ code: "invalid_value", values, input: value, message });
  })
  .meta({ enum: worldIds() })
  .describe("which world; pettingzoo is any Python environment, its options say which");
const channel = group(
  {
    loss: share("probability that a message is lost").default(0),
    delay: z.number().min(0).max(1e9).describe("mean collector ticks that a message is under way").default(0),
    delays: z.enum(["constant", "geometric"]).describe("how delays are distributed").default("constant"),
    reorder: share("probability that a message is held back, so that later ones overtake it").default(0),
    holdBack: count("most collector ticks that it is held back").max(1e9).default(100),
    duplicate: share("probability that a message is sent twice").default(0),
    bandwidth: z
      .number()
      .positive()
      .max(1e9)
      .nullable()
      .describe("bytes that an agent may send per 1,000 environment steps; null: any number")
      .default(null),
    partition: group(
      {
        start: moment("first collector tick at which nothing crosses").default(0),
        end: moment("tick at which it heals, with all that was held; start: no cut").default(0),
        groups: z
          .array(z.array(z.number().int().min(0)))
          .describe("numbers of the agents that stay together, as [[0,1],[2,3]]; none: two halves")
          .default([]),
      },
      "cuts the team into groups for a while",
    ),
  },
  "what is wrong with the way that messages take; nothing by default",
);

/**
 * The whole configuration of a run: the one place for defaults, bounds and help texts. A resolved configuration is a plain
 * value; an ablation is a loop over such values.
 */
const configSchema = z.strictObject({
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1)
    .describe("root of all chance"),
  name: z
    .string()
    .regex(/^[\w.-]+$/)
    .default("magic-mask")
    .describe("goes into the name of the run folder"),
  backend: name(["auto", ...Object.keys(nodeBackends)], "what runs the networks").default("auto"),
  environment: group(
    {
      id: worldId.default("connect_four_v0"),
      options: z.record(z.string(), z.unknown()).default({}).describe("options of that world's factory"),
    },
    "the world",
  ),
  policies: z
    .record(
      z.string(),
      z.strictObject({
        file: z.string(),
        sha256: z.string().optional(),
        output: z.string().optional(),
        as: z.enum(["logits", "probabilities", "actions", "q_values"]).optional(),
      }),
    )
    .default({})
    .describe(
      "policies trained elsewhere, by agent or for all: ONNX files to explain, nothing is trained; `output` names the output that one is read from, `as` says what that gives (logits, probabilities, actions, q_values)",
    ),
  training: group(
    {
      totalSteps: count("environment steps over all copies").default(1_000_000),
      copies: count("copies of the world played side by side").default(256),
      shards: count("parts that the copies are split into; results depend on it").default(8),
      rolloutTicks: count("ticks per iteration; each steps every copy once").default(32),
      minibatch: count("decisions per optimiser step").default(512),
      epochs: count("passes over each iteration's decisions").default(2),
      discount: share("γ per decision of an agent").default(0.99),
      trace: share("λ of the advantage estimate").default(0.9),
      clip: positive("ε of the clipped surrogate").default(0.2),
      valueCoefficient: z.number().min(0).describe("weight of the value loss").default(0.5),
      entropyCoefficient: z.number().min(0).describe("weight of the entropy bonus").default(0.1),
      maxGradNorm: positive("gradients are scaled down to this norm").default(0.5),
      learningRate: rates(4e-3, 0),
      sharedPolicy: z
        .boolean()
        .describe("one policy net for all agents with the same spaces, or one each")
        .default(true),
      separateCritic: z
        .boolean()
        .describe(
          "a critic net of its own, or a head on the policy's; where actions are candidates it is always one of its own",
        )
        .default(false),
      hidden: hidden.default([64, 64]),
      activation: z.enum(["relu", "tanh"]).describe("of the policy net").default("relu"),
    },
    "how the policies learn (PPO)",
  ),
  opponents: group(
    {
      kind: name(
        ["self", "pool", "scripted", "random"],
        "who sits in the other seats: the learners, past selves, a scripted player, or players who draw at random",
      ).default("self"),
      share: share("of the episodes that are played against them").default(0.5),
      size: count("past selves kept (pool)").default(8),
      every: count("iterations between past selves (pool)").default(20),
    },
    "opponents in training",
  ),
  blinding: group(
    {
      initial: share("ε₀: probability per tick that an agent is blinded, at the start").default(0.2),
      floor: share("p_min: reached at half of the steps").default(0.05),
    },
    "how often a policy is withheld while training",
  ),
  mask: group(
    {
      enabled: z.boolean().describe("learn masks at all").default(true),
      objective: name(Object.keys(objectives), "how masks learn").default("advantage_entropy"),
      perturbation: name(Object.keys(perturbations), "ν: what a blinded agent does").default("uniform"),
      threshold: share("τ: the gate blinds where m ≤ τ").default(0.5),
      every: count("iterations from one that masks and records learn from to the next").default(1),
      learningRate: rates(1.5e-3, 3e-4),
    },
    "masks, one per agent, learned along with the policies",
  ),
  perturbation: group(
    {
      temperature: z.number().min(1).describe("T of policy_noise: ν ∝ π^(1/T)").default(5),
      action: z
        .union([z.string(), z.number().int()])
        .describe("label or number of what idle takes; empty: the one called noop, idle, none, no_action or stay")
        .default(""),
      peer: z.string().describe("run folder whose policies act in frozen_peer").default(""),
      divergence: z.number().min(0).describe("δ of adversary: KL(ν ‖ uniform), nats per decision").default(0.5),
      harm: z
        .number()
        .min(0)
        .nullable()
        .describe("h of minimal: return lost per blinded decision; null: as much as by uniform play")
        .default(null),
    },
    "what can be set of perturbations",
  ),
  sharing: group(
    {
      mode: name(Object.keys(modes), "which records agents send each other").default("perturbed"),
      every: count("k: collector ticks between broadcasts").default(50),
      channel: z.preprocess((value) => (value === "ideal" ? {} : value), channel),
      capacity: count("records an agent keeps")
        .max(2 ** 24)
        .default(131_072),
      trust: z
        .boolean()
        .describe("whether peers' records count by how well they foretold the agent's own outcomes, or all alike")
        .default(true),
      otherRole: share("what records of agents in another role count beside those of one's own").default(0.5),
      versionHalfLife: positive("updates of a sender's policy after which its older records count half").default(100),
      steer: share(
        "of an agent's blinding that is saved where peers have told of the state; the copies are then played in one thread, and post hoc in rounds",
      ).default(0),
      hostile: z
        .record(z.string(), name(Object.keys(adversaries), "what it tells"))
        .default({})
        .describe(
          `agents that lie to their peers, by name, to see what that costs; each does one of ${Object.keys(adversaries).join(", ")}`,
        ),
    },
    "what agents tell each other",
  ),
  posthoc: group(
    {
      steps: z
        .number()
        .int()
        .min(0)
        .describe("environment steps on the final policies; 0 leaves the pass out")
        .default(200_000),
      probability: z.number().gt(0).lt(1).describe("of blinding per tick").default(0.1),
      epochs: count("passes over these steps").default(5),
      trace: share("λ of the returns that critics and masks learn from").default(0.95),
      ensemble: count("K: nets of each mask, where its objective averages several").max(64).default(3),
      hidden: hidden.describe("widths of the hidden layers of those nets").default([64, 64]),
      learningRate: rates(1.5e-3, 3e-4),
      headSteps: count("optimiser steps of each agent's record head").default(600),
    },
    "refits the masks on the final, frozen policies",
  ),
  evaluation: group(
    {
      episodes: count("held-out episodes per opponent and side").default(400),
      probeEpisodes: z
        .number()
        .int()
        .min(0)
        .describe(
          "episodes of each of the 20 looks at the strength against random play while training; 0 leaves them out",
        )
        .default(100),
      states: z.number().int().min(2).describe("held-out decisions per agent with ground truth").default(1000),
      rollouts: z
        .number()
        .int()
        .min(2)
        .describe("continuations per legal action and batch for the ground truth, more where returns vary more")
        .default(32),
      pilotRollouts: z
        .number()
        .int()
        .min(2)
        .describe("continuations per legal action that find out where returns vary; left out of the truth")
        .default(4),
      batches: count("most batches of continuations").default(4),
      reliability: share("split-half reliability of the truth at which no further batch is made").default(0.9),
      exactFrom: z
        .number()
        .int()
        .min(0)
        .max(42)
        .describe(
          "stones on the board from which decisions of Connect 4 are solved; one fewer takes about 1.6 × as long",
        )
        .default(12),
      dropEpisodes: count("held-out episodes per reward drop; its gate is calibrated on twice as many").default(4000),
      budget: z.number().gt(0).lt(1).describe("q: share of an agent's decisions that is blinded").default(0.1),
      bootstrap: z.number().int().min(100).describe("bootstrap draws per interval").default(1000),
      paperSeeds: z.number().int().min(2).describe("initialisations of the paper row").default(5),
    },
    "what the table is made from; seeds apart from training's",
  ),
  workers: z
    .union([z.literal("auto"), z.number().int().min(0).max(256)])
    .default("auto")
    .describe("threads for playing and learning; results do not depend on it. auto: as the machine has, 8 at most"),
  checkpointSeconds: z.number().min(0).describe("seconds between checkpoints").default(10),
});

export type Config = z.output<typeof configSchema>;

/** A configuration before defaults: anything may be left out. */
export type ConfigInput = z.input<typeof configSchema>;

interface ConfigSources {
  /** Path of a YAML file. */
  readonly file?: string | undefined;
  /** What a command has as its own defaults. */
  readonly base?: object;
  readonly flags?: object;
  /** `key.sub=value` */
  readonly overrides?: readonly string[];
}

/**
 * Resolves a configuration; later sources win: defaults < the world's preset < base < file < flags < overrides.
 *
 * @throws unknown-key with the nearest keys; invalid-option; unknown-name; io; corrupt-file if the file is not YAML
 */
export function resolveConfig({ file, base = {}, flags = {}, overrides = [] }: ConfigSources): Config {
  const asked: Record<string, unknown> = {};
  if (file) merge(asked, readConfigFile(file));
  merge(asked, flags);
  for (const override of overrides) merge(asked, parseOverride(override));
  const merged: Record<string, unknown> = {};
  merge(merged, presets[parseConfig(asked).environment.id] ?? {});
  merge(merged, base);
  merge(merged, asked);
  return parseConfig(merged);
}

/** A configuration with some keys changed. @param overrides `key.sub=value` @throws as `resolveConfig` */
export function overrideConfig(config: Config, overrides: readonly string[]): Config {
  const changed: Record<string, unknown> = structuredClone(config);
  for (const override of overrides) merge(changed, parseOverride(override));
  return parseConfig(changed);
}

/** Checks a configuration and fills in the defaults. @throws as `resolveConfig` */
export function parseConfig(input: unknown): Config {
  const result = configSchema.safeParse(input);
  if (result.success) {
    const { initial, floor } = result.data.blinding;
    if (floor <= initial && (floor > 0 || initial === 0)) return result.data;
    const wanted = "blinding.floor must be > 0 and ≤ blinding.initial, or both 0 for no blinding";
    throw new MagicMaskError(
      "invalid-option",
      "trainer/config",
      `${wanted}; got floor ${floor} and initial ${initial}`,
    );
  }
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, input));
  const [{ code }] = problems;
  throw new MagicMaskError(code, "trainer/config", problems.map(({ message }) => message).join("\n"));
}

/** What is wrong with one key, or with several that there are not. */
function problemsOf(issue: z.core.$ZodIssue, input: unknown): { code: ErrorCode; message: string }[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => {
      const key = [...issue.path, name].join(".");
      return {
        code: "unknown-key",
        message: `there is no key "${key}"; nearest: ${nearest(key, allKeys()).join(", ")}`,
      };
    });
  }
  const value = issue.path.reduce(
    (node: unknown, key) => (node as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
  const code = issue.code === "invalid_value" && typeof value === "string" ? "unknown-name" : "invalid-option";
  const got = typeof value === "number" ? value : JSON.stringify(value);
  return [{ code, message: `${issue.path.join(".") || "configuration"}: ${issue.message}, got ${got}` }];
}

/** Every key with its default and help text, names to choose from included, for `--help` and documents. */
export function describeConfig(): { key: string; default: unknown; help: string }[] {
  const defaults = parseConfig({});
  const rows: { key: string; default: unknown; help: string }[] = [];
  const visit = (schema: z.core.JSONSchema.BaseSchema, path: string[], value: unknown) => {
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      const child = property as z.core.JSONSchema.BaseSchema;
      const at = [...path, key];
      const own = (value as Record<string, unknown>)[key];
      if (child.properties && Object.keys(child.properties).length > 0) visit(child, at, own);
      else {
        const choices = child.enum ? `: ${child.enum.join(", ")}` : "";
        rows.push({ key: at.join("."), default: own, help: `${child.description ?? ""}${choices}` });
      }
    }
  };
  visit(z.toJSONSchema(configSchema, { io: "output" }), [], defaults);
  return rows;
}

function readConfigFile(file: string): object {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new MagicMaskError("io", "trainer/config", `cannot read the configuration file ${file}`, { cause });
  }
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new MagicMaskError("corrupt-file", "trainer/config", `${file} is not YAML: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new MagicMaskError("corrupt-file", "trainer/config", `${file} must hold a mapping of keys to values`);
  }
  return value;
}

/** `a.b=1` → `{ a: { b: 1 } }`; the value is read as YAML. */
function parseOverride(override: string): object {
  const equals = override.indexOf("=");
  if (equals < 1) {
    throw new MagicMaskError(
      "invalid-option",
      "trainer/config",
      `an override must look like key.sub=value, got "${override}"`,
    );
  }
  let value: unknown;
  try {
    value = parse(override.slice(equals + 1));
  } catch (cause) {
    throw new MagicMaskError("invalid-option", "trainer/config", `the value of "${override}" is not YAML`, { cause });
  }
  return override
    .slice(0, equals)
    .split(".")
    .reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}

function merge(into: Record<string, unknown>, from: object) {
  for (const [key, value] of Object.entries(from)) {
    if (value === undefined) continue;
    // Assigned to, it is no key but the object's prototype.
    if (key === "__proto__") throw new MagicMaskError("unknown-key", "trainer/config", `there is no key "${key}"`);
    const old = into[key];
    if (isPlain(old) && isPlain(value)) merge(old, value);
    else into[key] = isPlain(value) ? structuredClone(value) : value;
  }
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const allKeys = () => describeConfig().map((row) => row.key);

/** The three keys with the least edit distance (Levenshtein 1966), comparing last parts too so that `seeds` finds `seed`. */
function nearest(wanted: string, keys: readonly string[]): string[] {
  const last = (key: string) => key.slice(key.lastIndexOf(".") + 1);
  const distance = (key: string) => Math.min(editDistance(wanted, key), editDistance(last(wanted), last(key)) + 0.5);
  return [...keys].sort((a, b) => distance(a) - distance(b)).slice(0, 3);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
