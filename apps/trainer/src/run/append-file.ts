import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { MagicMaskError } from "@magic-mask/core";
import { refused } from "./atomic.ts";

/** A file that only grows, and that a resumed run cuts back to where its checkpoint left it. */
export interface AppendFile {
  /** Bytes in the file; those not yet flushed do not count. */
  readonly offset: number;
  /** Keeps the bytes until the next flush. */
  append(bytes: Uint8Array): void;
  /** Writes what was appended: a kill of the process no longer loses it. @throws io; what was appended is kept for another try */
  flush(): void;
  /** Flushes, then waits for the disk: a power cut no longer loses it. Call it before a checkpoint notes `offset`. @throws io */
  sync(): void;
  /** Flushes and closes. */
  close(): void;
}

/**
 * Opens `file` for appending after its first `offset` bytes and drops what follows them.
 *
 * @param offset 0 (the default) starts an empty file, or empties it
 * @throws io; corrupt-file if the file is shorter than `offset`
 */
export function openAppendFile(file: string, offset = 0): AppendFile {
  let pending: Uint8Array[] = [];
  const attempt = <T>(doing: string, action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw refused("trainer/append-file", `${doing} ${file}`, error);
    }
  };

  const fd = attempt("open", () => openSync(file, offset > 0 ? "r+" : "w"));
  const { size } = fstatSync(fd);
  if (size < offset) {
    closeSync(fd);
    const what = `the checkpoint goes with the first ${offset} bytes of ${file}, which has only ${size}`;
    throw new MagicMaskError(
      "corrupt-file",
      "trainer/append-file",
      `${what}; restore that file or resume from an earlier checkpoint with --step`,
    );
  }
  attempt("truncate", () => ftruncateSync(fd, offset));

  const self: AppendFile = {
    get offset() {
      return offset;
    },
    append(bytes) {
      pending.push(bytes);
    },
    flush() {
      const data = Buffer.concat(pending);
      // At a stated position, so that a try after a full disk overwrites what the failed one left.
      attempt("write", () => {
        for (let done = 0; done < data.length; ) done += writeSync(fd, data, done, data.length - done, offset + done);
      });
      offset += data.length;
      pending = [];
    },
    sync() {
      self.flush();
      attempt("sync", () => fsyncSync(fd));
    },
    close() {
      self.flush();
      closeSync(fd);
    },
  };
  return self;
}
