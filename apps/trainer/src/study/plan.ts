import { MagicMaskError } from "@magic-mask/core";
import { machine, type PolicySource, planSubjects, type Subjects, trainedPolicy, truthsOf } from "../compare/plan.ts";
import { settled } from "../compare/policies.ts";
import { parseConfig, resolveConfig } from "../config.ts";
import type { StateSet } from "../truth/truth-of.ts";
import { addressOf } from "../work/address.ts";
import type { Axes, Coordinates, Size, Study } from "./study.ts";

/** A trial with the name under which it is kept. */
export interface Trial {
  readonly at: Coordinates;
  readonly address: string;
  /** @see Study.keeps */
  readonly keeps?: readonly string[];
}

/** All of one value of the environment axis. */
interface PlannedWorld {
  readonly environment: string;
  readonly subjects: Subjects;
  /** One for each policy, where trials need a second one. */
  readonly companions: readonly PolicySource[];
  /** Trials that are made in one go, each a list. @see Study.arms */
  readonly groups: readonly {
    /** Which of the policies they are about. */
    readonly policy: number;
    readonly trials: readonly Trial[];
  }[];
}

/** A study with all settings: plain data, everything that its figures depend on. */
export interface StudyPlan {
  readonly axes: Axes;
  readonly worlds: readonly PlannedWorld[];
}

export interface PlanStudyOptions {
  readonly size: Size;
  /** Values of axes instead of the study's own. */
  readonly axes?: Readonly<Record<string, readonly (string | number)[]>>;
  /** As for `resolveConfig`, in all worlds. */
  readonly overrides?: readonly string[];
  readonly states: StateSet;
}

const SOURCE = "trainer/study-plan";
/** Raised when a change to the program makes other figures of the same settings, whatever the study. */
const FORMAT = 1;

/** @throws unknown-name, invalid-option; as `resolveConfig` and `planSubjects` */
export async function planStudy(study: Study, options: PlanStudyOptions): Promise<StudyPlan> {
  const { size, states, overrides = [] } = options;
  const axes = chosenAxes(study, options);
  const asAxis = overrides.find((override) => /^(seed|environment\.id) *=/.test(override));
  if (asAxis !== undefined) {
    const [key, value] = asAxis.split("=");
    const message = `${asAxis} is for an axis to say: --axis ${key === "seed" ? key : "environment"}=${value}`;
    throw new MagicMaskError("invalid-option", SOURCE, message);
  }
  const worlds = await Promise.all(
    axes.environment.map(async (environment): Promise<PlannedWorld> => {
      const asked = resolveConfig({ flags: study.config(environment, size), overrides });
      const config = await settled({ ...asked, mask: { ...asked.mask, enabled: true } });
      const { backend } = config;
      const seeded = axes.seed.map((seed) => parseConfig({ ...config, seed }));
      const policies = seeded.map((own) => study.policy?.(own, environment) ?? trainedPolicy(own, backend));
      const companions = seeded.flatMap((own) => study.companion?.(own, environment) ?? []);
      const subjects = planSubjects({ config, policies, states, backend });
      const truths = truthsOf(subjects);
      const trial = (at: Coordinates, policy: number): Trial => ({
        at,
        ...(study.keeps && { keeps: study.keeps(at, policies[policy].config, subjects) }),
        address: addressOf({
          format: FORMAT,
          is: "trial",
          study: study.id,
          version: study.version,
          at,
          truths: truths.filter((truth) => truth.policy === policy).map(({ address }) => address),
          companion: companions[policy]?.address,
          settings: study.settings(config),
          backend,
          ...machine(),
        }),
      });
      const groups = axes.seed.flatMap((seed, policy) =>
        groupsOf(study, { ...axes, environment: [environment], seed: [seed] }).map((group) => ({
          policy,
          trials: group.map((at) => trial(at, policy)),
        })),
      );
      return { environment, subjects, companions, groups };
    }),
  );
  return { axes, worlds };
}

function chosenAxes(study: Study, { size, axes = {} }: PlanStudyOptions): Axes {
  const own = study.axes(size);
  const asked = Object.entries(axes).map(([axis, values]) => {
    if (!(axis in own)) {
      const message = `${study.id} has no axis "${axis}"; it has: ${Object.keys(own).join(", ")}`;
      throw new MagicMaskError("unknown-name", SOURCE, message);
    }
    const { what, reads } = valuesOf(study, axis, own[axis]);
    const chosen = values.map(reads);
    if (chosen.length > 0 && !chosen.includes(undefined)) return [axis, chosen];
    const message = `${axis} takes ${what} such as ${own[axis].join(",")}; got "${values.join(",")}"`;
    throw new MagicMaskError("invalid-option", SOURCE, message);
  });
  const chosen = { ...own, ...Object.fromEntries(asked) } as Axes;
  for (const [axis, values] of Object.entries(chosen)) {
    const doubled = values.find((value, i) => values.indexOf(value) !== i);
    if (doubled !== undefined) {
      throw new MagicMaskError("invalid-option", SOURCE, `${axis} names ${doubled} twice`);
    }
  }
  return chosen;
}

type Value = string | number;

/** What an axis may hold, by what it holds by itself: shares, whole numbers or names. `reads` gives undefined for anything else. */
function valuesOf({ names }: Study, axis: string, own: readonly Value[]) {
  if (own.every((value) => typeof value === "string")) {
    // Worlds are checked where their settings are.
    const known = axis === "environment" ? undefined : (names?.[axis] ?? own);
    const what = known ? `names among ${known.join(", ")},` : "names";
    return {
      what,
      reads: (value: Value) => (value !== "" && (known?.includes(`${value}`) ?? true) ? value : undefined),
    };
  }
  const number = (holds: (value: number) => boolean) => (value: Value) =>
    value !== "" && holds(Number(value)) ? Number(value) : undefined;
  const areShares = own.every((value) => (value as number) <= 1) && own.some((value) => !Number.isInteger(value));
  if (areShares) return { what: "numbers from 0 to 1", reads: number((value) => value >= 0 && value <= 1) };
  const least = axis === "seed" ? 0 : 1;
  return {
    what: `whole numbers from ${least} on`,
    reads: number((value) => Number.isSafeInteger(value) && value >= least),
  };
}

/** The product of the axes, cut into lists that differ along the arms alone. */
function groupsOf({ arms }: Study, axes: Axes): Coordinates[][] {
  const product = (names: readonly string[]): Coordinates[] =>
    names.reduce<Coordinates[]>(
      (points, name) => points.flatMap((point) => axes[name].map((value) => ({ ...point, [name]: value }))),
      [{}],
    );
  const names = Object.keys(axes);
  const inner = product(names.filter((name) => arms.includes(name)));
  return product(names.filter((name) => !arms.includes(name))).map((outer) =>
    inner.map((arm) => ({ ...outer, ...arm })),
  );
}
