import { checkCount, MagicMaskError } from "@magic-mask/core";
import { startThread, type Thread } from "@magic-mask/core/threads";
import { type Backend, backends } from "./backends.ts";
import { fusedBackend } from "./fused/fused.ts";
import { type KernelMemory, loadKernel } from "./fused/kernel.ts";
import { KERNEL } from "./fused/kernel-shared.generated.ts";

/** To be offered in the place of `backends.fused`: the same bits, but updates of several learners run side by side. */
export interface FusedThreads extends Backend {
  /** Ends the threads; updates under way are lost. */
  close(): Promise<void>;
}

/**
 * A pool of threads that take updates of the fused backend's learners, which keep their nets in shared memory: nothing is copied.
 *
 * @param count threads, ≥ 1, at most; each starts when an update finds none without work
 */
export function fusedThreads(count: number): FusedThreads {
  checkCount("networks/workers", "count", count);
  const threads: KernelThread[] = [];
  /** Those without work, and the work without a thread, in its order. */
  const idle: KernelThread[] = [];
  const queue: ((thread: KernelThread) => void)[] = [];
  /** Threads know memories by number. */
  const numbers = new WeakMap<KernelMemory, number>();
  let memories = 0;
  let closed = false;

  const release = (thread: KernelThread) => {
    const next = queue.shift();
    if (next) next(thread);
    else idle.push(thread);
  };

  return {
    unfit: backends.fused.unfit,
    async load() {
      const module = await loadKernel(KERNEL);
      const description = { module: PROGRAM, export: "startUpdates", options: module };
      const claim = () => {
        if (closed) throw new MagicMaskError("worker-lost", "networks/workers", "the threads are closed");
        const thread = idle.pop();
        if (thread) return thread;
        if (threads.length === count) return new Promise<KernelThread>((resolve) => queue.push(resolve));
        const started = { thread: startThread(description), known: new Set<number>() };
        threads.push(started);
        return started;
      };
      return fusedBackend(module, {
        async update(memory, net, job) {
          let number = numbers.get(memory);
          if (number === undefined) {
            number = memories++;
            numbers.set(memory, number);
          }
          const own = await claim();
          try {
            const { thread, known } = own;
            const told = known.has(number) ? undefined : memory;
            known.add(number);
            return await thread.call<number>("update", number, net, job, told);
          } finally {
            release(own);
          }
        },
        forget(memory) {
          const number = numbers.get(memory) ?? -1;
          for (const { thread, known } of threads) {
            if (known.delete(number)) thread.call("forget", number).catch(() => {});
          }
        },
      });
    },
    async close() {
      closed = true;
      await Promise.all(threads.map(({ thread }) => thread.close()));
    },
  };
}

interface KernelThread {
  readonly thread: Thread;
  /** Numbers of the memories that it has an instance for. */
  readonly known: Set<number>;
}

/** What each thread runs: one instance of the kernel per memory. All state lies in the memories. */
const PROGRAM = `data:text/javascript,${encodeURIComponent(`
export function startUpdates(module) {
  const instances = new Map();
  return {
    update(number, net, job, memory) {
      if (memory) instances.set(number, new WebAssembly.Instance(module, { env: { memory } }).exports);
      return instances.get(number).update(net, job);
    },
    forget(number) {
      instances.delete(number);
    },
  };
}
`)}`;
