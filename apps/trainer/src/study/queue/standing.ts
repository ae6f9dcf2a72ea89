import { type RedisServer, reachRedis } from "@magic-mask/comm/redis";
import { Queue } from "bullmq";
import { formatStatus, type Status } from "../status.ts";
import { connectionTo, createBoard, PREFIX, queueOf, type Sighting } from "./board.ts";
import { describeProgram } from "./program.ts";

/** How studies and workers on a Redis server stand. */
export interface QueueStanding {
  readonly studies: readonly Status[];
  readonly workers: readonly Sighting[];
  /** Tasks by what is the matter with them, over all programs that are at work. */
  readonly tasks: { readonly waiting: number; readonly active: number };
}

/** @throws as `reachRedis` */
export async function readQueue(server: RedisServer): Promise<QueueStanding> {
  const { address } = await reachRedis(server, 0);
  let trouble: Error | undefined;
  const board = createBoard(address, (error) => {
    trouble = error;
  });
  try {
    const [studies, workers, there] = [await board.statuses(), await board.workers(), await board.announcements()];
    const names = new Set([...workers, ...there].map(({ program }) => queueOf(program)));
    const tasks = { waiting: 0, active: 0 };
    for (const name of names) {
      const queue = new Queue(name, { connection: connectionTo(address), prefix: PREFIX });
      queue.on("error", () => {});
      const { waiting, active } = await queue.getJobCounts("waiting", "active");
      tasks.waiting += waiting;
      tasks.active += active;
      await queue.close();
    }
    return { studies, workers, tasks };
  } catch (error) {
    throw trouble ?? error;
  } finally {
    board.close();
  }
}

export function formatQueue({ studies, workers, tasks }: QueueStanding): string {
  return [
    ...(studies.length > 0 ? studies.map(formatStatus) : ["no study was heard of within a day"]),
    `tasks: ${tasks.active} in hand, ${tasks.waiting} waiting`,
    `workers: ${workers.length === 0 ? "none" : workers.length}`,
    ...workers.flatMap(({ host, pid, jobs, doing, done, failed, program }) => [
      `  ${host}, process ${pid}: ${jobs} side by side, ${done} done, ${failed} failed; ${describeProgram(program)}`,
      ...doing.map(({ study, what, share }) => `    ${study}: ${what}, ${Math.floor(100 * share)} %`),
    ]),
  ].join("\n");
}
