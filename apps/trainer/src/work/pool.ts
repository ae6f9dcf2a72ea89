/** A piece of work with its place in the order of things. */
export interface Pending<T> {
  readonly task: T;
  /** What it is about: a task waits for those about the same that have a lower rank. */
  readonly about: string;
  readonly rank: number;
  /** Names of what it makes: a task waits while another makes any of the same. Nothing that others make, by default. */
  readonly makes?: readonly string[];
  /** How long it takes beside the others, > 0, in any unit. */
  readonly weight: number;
}

/** Whoever does one task at a time: this thread, another, or another process. */
export interface Hand<T> {
  /** @returns whether the task is done; false if it was stopped before. @throws whatever stands in its way */
  run(task: T): Promise<boolean>;
  /** Share of the task in hand that is done. */
  share(): number;
  /** Asks it to stop where it can go on later. */
  stop(): void;
}

/** A task that was given up, and why. */
interface Failure<T> {
  readonly pending: Pending<T>;
  readonly error: unknown;
  /** Tries that it was given; 0 for one that needs another that was given up. */
  readonly tries: number;
}

/** How things stand. */
export interface Standing<T> {
  readonly done: readonly Pending<T>[];
  /** With the share of each that is done. */
  readonly inHand: readonly { readonly pending: Pending<T>; readonly share: number }[];
  readonly waiting: readonly Pending<T>[];
  readonly failed: readonly Failure<T>[];
}

export interface PoolOptions<T> {
  /** In the order in which they are begun, as far as what they need is there. */
  readonly pending: readonly Pending<T>[];
  /** One at the least. */
  readonly hands: readonly Hand<T>[];
  /** How often a task is tried before it is given up, ≥ 1. */
  readonly tries: number;
  /** Whether a task that is given up ends it all: then the others stop where they can go on later. */
  readonly strict: boolean;
  /** Asked again and again; once it says so, tasks stop where they can go on later. */
  readonly stopped: () => boolean;
  /** Told again and again how things stand. */
  readonly onChange: (standing: Standing<T>) => void;
}

/**
 * Does tasks side by side, as many as there are hands. What a task does must not depend on who does it, nor on what goes on beside it.
 *
 * A task that is given up takes those with it that wait for it; each is reported.
 *
 * @returns how things stand when nothing is left to be done, or all has stopped
 */
export async function runPool<T>(options: PoolOptions<T>): Promise<Standing<T>> {
  const { hands, tries, strict, stopped, onChange } = options;
  const waiting = [...options.pending];
  const done: Pending<T>[] = [];
  const failed: Failure<T>[] = [];
  const jobs: (Pending<T> | undefined)[] = hands.map(() => undefined);
  const held = () => jobs.flatMap((job) => (job ? [job] : []));
  const isOver = () => stopped() || (strict && failed.length > 0);
  const standing = (): Standing<T> => ({
    done,
    inHand: jobs.flatMap((pending, i) => (pending ? [{ pending, share: hands[i].share() }] : [])),
    waiting,
    failed,
  });
  const watch = setInterval(() => {
    if (isOver()) for (const hand of hands) hand.stop();
    onChange(standing());
  }, PERIOD);

  /** What can begin now: what it needs is neither yet to come nor in hand. */
  const next = () => {
    const open = [...waiting, ...held()];
    const at = waiting.findIndex(
      (one) => !open.some((other) => needs(one, other)) && !held().some((other) => overlap(one, other)),
    );
    return at < 0 ? undefined : waiting.splice(at, 1)[0];
  };
  const giveUp = (pending: Pending<T>, error: unknown) => {
    failed.push({ pending, error, tries });
    for (let i = waiting.length - 1; i >= 0; i--) {
      if (needs(waiting[i], pending)) failed.push({ pending: waiting.splice(i, 1)[0], error, tries: 0 });
    }
  };
  let wake = () => {};
  let change = Promise.resolve();
  const changed = () => {
    wake();
    change = new Promise((resolve) => {
      wake = resolve;
    });
  };
  changed();

  const work = async (hand: Hand<T>, i: number) => {
    while (waiting.length > 0 && !isOver()) {
      const job = next();
      if (!job) {
        await change;
        continue;
      }
      jobs[i] = job;
      for (let trial = 1; trial <= tries && !isOver(); trial++) {
        try {
          if (await hand.run(job.task)) done.push(job);
          break;
        } catch (error) {
          if (trial === tries) giveUp(job, error);
        }
      }
      jobs[i] = undefined;
      changed();
    }
    // Whoever waits for work looks again, and finds that there is none.
    changed();
  };
  try {
    onChange(standing());
    await Promise.all(hands.map(work));
    onChange(standing());
    return standing();
  } finally {
    clearInterval(watch);
  }
}

/** Whether both make some of the same. */
export const overlap = ({ makes = [] }: Pending<unknown>, other: Pending<unknown>) =>
  makes.some((name) => other.makes?.includes(name));

const needs = (one: Pending<unknown>, other: Pending<unknown>) => one.about === other.about && other.rank < one.rank;

/** Milliseconds from one look at the tasks in hand to the next. */
const PERIOD = 200;
