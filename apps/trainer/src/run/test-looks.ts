import type { RunRecord } from "@magic-mask/core";
import { lockRun } from "./lock.ts";
import { openRunFolder } from "./run-folder.ts";

/**
 * Notes in the record of a run that figures are about to be made on its test states.
 *
 * @param command what makes them
 * @returns the record as it is now
 * @throws io, also where another process holds the run; corrupt-file
 */
export async function noteTestLook(path: string, command: string): Promise<RunRecord> {
  const unlock = lockRun(path);
  try {
    const { record, writeRecord } = openRunFolder(path);
    const noted = { ...record, testLooks: [...record.testLooks, { at: new Date().toISOString(), command }] };
    await writeRecord(noted);
    return noted;
  } finally {
    unlock();
  }
}
