import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { type ErrorCode, MagicMaskError } from "@magic-mask/core";
import { type Frame, frameReader } from "./protocol.ts";

export interface CrewOptions {
  /** Program and arguments: the same for every child. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Seconds that a child may take for an answer. */
  readonly timeout: number;
  /** What to do where there is no such program. */
  readonly remedy: string;
}

/** Child processes that answer frames, side by side. Asking returns at once; answers are waited for in this thread. */
export interface Crew {
  /** Starts child k, afresh if it was started before. @throws out-of-order once closed */
  start(child: number): void;
  /** Whether it was started, and has not ended as far as is known. */
  lives(child: number): boolean;
  ask(child: number, frame: Uint8Array): void;
  /**
   * Waits for its next frame.
   *
   * @throws worker-lost if it ends or takes too long, unavailable if it cannot be started, corrupt-message if what comes is no
   *   frame; it is then dead
   */
  answer(child: number): Frame;
  /** Ends child k at once. */
  kill(child: number): void;
  /** Lets all end by themselves, and kills those that do not within two seconds. */
  close(): void;
}

/** What the thread tells. */
interface Told {
  readonly child: number;
  /** Which of the processes that child k was, one after the other. */
  readonly life: number;
  /** What it wrote. */
  readonly piece?: Uint8Array;
  readonly ended?: { readonly code: number | null; readonly signal: string | null; readonly error?: string };
  /** At its end: the last that it wrote to standard error. */
  readonly complaints?: string;
}

interface Child {
  readonly life: number;
  alive: boolean;
  /** Told, and not looked at yet. */
  readonly told: Told[];
  /** Complete, and not asked for yet. */
  readonly frames: Frame[];
  readonly read: ReturnType<typeof frameReader>;
}

const SOURCE = "pettingzoo/crew";
/** Milliseconds for which the last words of who was killed are waited for. */
const LAST_WORDS = 2000;

/**
 * Starts a thread that owns the children's pipes, so that this thread can wait for them with a limit: nothing else in Node waits
 * for a pipe and yet gives up. No child outlives the process: the end of its input ends it.
 */
export function createCrew({ command, timeout, remedy }: CrewOptions): Crew {
  const { port1: port, port2 } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(THREAD, {
    eval: true,
    execArgv: [],
    workerData: { command, port: port2, signal },
    transferList: [port2],
  });
  worker.unref();
  const crew: Child[] = [];
  let closed = false;
  const who = command.join(" ");

  /** The next thing told of child k's present life; undefined once the time is over. */
  const hear = (child: number, deadline: number): Told | undefined => {
    for (;;) {
      const kept = crew[child].told.shift();
      if (kept) return kept;
      const heard = Atomics.load(signal, 0);
      const told = receiveMessageOnPort(port)?.message as Told | undefined;
      if (told) {
        if (told.life === crew[told.child].life) crew[told.child].told.push(told);
        continue;
      }
      const left = deadline - performance.now();
      if (left <= 0) return undefined;
      Atomics.wait(signal, 0, heard, left);
    }
  };
  const kill = (child: number) => {
    crew[child].alive = false;
    worker.postMessage({ kill: child });
  };
  /** Gives child k up. */
  const lose = (child: number, code: ErrorCode, why: string, ended?: Told): never => {
    kill(child);
    let last = ended;
    const deadline = performance.now() + LAST_WORDS;
    while (last?.complaints === undefined) {
      last = hear(child, deadline);
      if (!last) break;
    }
    const lines = (last?.complaints ?? "").trim().split("\n").slice(-12).join("\n");
    throw new MagicMaskError(code, SOURCE, lines ? `${why}; the last it said:\n${lines}` : why);
  };

  return {
    start(child) {
      if (closed) throw new MagicMaskError("out-of-order", SOURCE, `${who} is closed`);
      const life = (crew[child]?.life ?? 0) + 1;
      crew[child] = { life, alive: true, told: [], frames: [], read: frameReader() };
      worker.postMessage({ start: child, life });
    },
    lives: (child) => crew[child]?.alive === true,
    ask(child, frame) {
      worker.postMessage({ child, frame });
    },
    answer(child) {
      const { frames, read } = crew[child];
      const deadline = performance.now() + 1000 * timeout;
      for (;;) {
        const frame = frames.shift();
        if (frame) return frame;
        const told = hear(child, deadline);
        if (!told) {
          const why = `${who} has not answered for ${timeout} s and was killed; where it needs longer, raise timeout`;
          return lose(child, "worker-lost", why);
        }
        if (told.piece) {
          try {
            frames.push(...read(told.piece));
          } catch (error) {
            return lose(
              child,
              "corrupt-message",
              `${who} wrote something else than frames: ${(error as Error).message}`,
            );
          }
        } else if (told.ended?.error !== undefined) {
          return lose(child, "unavailable", `cannot start ${command[0]} (${told.ended.error}); ${remedy}`, told);
        } else {
          const { code, signal: by } = told.ended as NonNullable<Told["ended"]>;
          return lose(child, "worker-lost", `${who} ended (${by === null ? `exit code ${code}` : `by ${by}`})`, told);
        }
      }
    },
    kill,
    close() {
      closed = true;
      for (const child of crew) if (child) child.alive = false;
      worker.postMessage({ close: true });
    },
  };
}

/**
 * What the thread runs: plain CommonJS in a string, which starts from source, from builds of both kinds and inside test runners
 * alike.
 */
const THREAD = `
  const { parentPort, workerData: { command: [program, ...args], port, signal } } = require("node:worker_threads");
  const { spawn } = require("node:child_process");
  const GRACE = 2000, KEPT = 8192;
  const children = [];

  function tell(message, transfer) {
    port.postMessage(message, transfer);
    Atomics.add(signal, 0, 1);
    Atomics.notify(signal, 0);
  }

  function start(child, life) {
    let over = false, complaints = "";
    const process = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], windowsHide: true });
    children[child] = process;
    const end = (ended) => {
      if (!over) tell({ child, life, ended, complaints });
      over = true;
    };
    process.stdout.on("data", (data) => {
      const piece = new Uint8Array(data);
      tell({ child, life, piece }, [piece.buffer]);
    });
    process.stderr.on("data", (data) => { complaints = (complaints + data).slice(-KEPT); });
    process.stdin.on("error", () => {});
    process.on("error", ({ code, message }) => end({ code: null, signal: null, error: code ?? message }));
    // What it wrote last comes first, unless a process of its own holds the pipes open.
    process.on("exit", (code, signal) => setTimeout(end, 500, { code, signal }));
    process.on("close", (code, signal) => end({ code, signal }));
  }

  const running = ({ pid, exitCode, signalCode }) => pid && exitCode === null && signalCode === null;

  parentPort.on("message", ({ start: fresh, life, child, frame, kill, close }) => {
    if (fresh !== undefined) start(fresh, life);
    else if (kill !== undefined) children[kill].kill("SIGKILL");
    else if (close) {
      for (const process of children) process.stdin.end();
      setTimeout(() => children.filter(running).forEach((process) => process.kill("SIGKILL")), GRACE).unref();
      parentPort.close();
      port.close();
    } else children[child].stdin.write(frame);
  });
`;
