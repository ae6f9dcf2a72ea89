import type { Hand } from "../work/pool.ts";
import type { Task } from "./bench.ts";
import type { StudyPlan } from "./plan.ts";
import type { Status } from "./status.ts";

/** What is to be worked on. */
export interface EngineWork {
  /** As `loadStudy` takes it. */
  readonly study: string;
  readonly plan: StudyPlan;
  /** Folder that keeps what is done: when a task is done, what it makes is there. */
  readonly cache: string;
}

/** Who does a study's tasks, and where: a file each. Which engine it is changes the time, never a figure. */
export interface Engine {
  /** Each does one task at a time. */
  readonly hands: readonly Hand<Task>[];
  /** How many tasks are worked on side by side, as far as is known now. */
  workers(): number;
  /** Hears how the study stands, again and again. */
  tell(status: Status): void;
  /** Ends what it began, once no task is in hand. @throws nothing */
  close(): Promise<void>;
}

/** @throws MagicMaskError before any work is done */
export type OpenEngine = (work: EngineWork) => Promise<Engine>;
