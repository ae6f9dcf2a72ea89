import { type EnvironmentSpec, MagicMaskError } from "@magic-mask/core";
import { actionCode } from "./action-code.ts";
import { crc32 } from "./crc32.ts";
import { roleNumbers } from "./peers.ts";
import { type CriticalRecord, checkRecord } from "./record.ts";
import { SIGNATURE_LENGTH } from "./signature.ts";

export const HEADER_BYTES = 29;
export const RECORD_BYTES = 31;
/** Bumped whenever a byte changes its meaning. */
export const LAYOUT = 1;
/** That of records whose signature has another length than σ. */
export const LONG_LAYOUT = 2;
/** A message takes no more, so that one packet of any network carries it, and the loss of one loses little. */
export const MESSAGE_BYTES = 1400;
/** Bytes of a record without its signature. */
const BARE_BYTES = RECORD_BYTES - SIGNATURE_LENGTH;

/** "MMCR" */
const MAGIC = 0x52434d4d;
/** Probabilities travel as their negative logarithm, in steps of 1/25. */
const STEPS_PER_NAT = 25;

/**
 * Messages that carry `records` of one sender, in their order. All numbers are little-endian. First the header:
 *
 * | byte | size | holds |
 * | --- | --- | --- |
 * | 0 | 4 | "MMCR" |
 * | 4 | 4 | CRC-32 of all bytes from 8 on |
 * | 8 | 1 | layout version: 1; 2 where signatures have another length L |
 * | 9 | 1 | agent |
 * | 10 | 1 | role |
 * | 11 | 2 | number of records, ≥ 1 |
 * | 13 | 4 | base policy version: the least in the message |
 * | 17 | 4 | base step, likewise |
 * | 21 | 4 | base episode, likewise |
 * | 25 | 4 | s, largest ∣advantage∣ in the message, float32 |
 *
 * then 31 bytes (15 + L) for each record:
 *
 * | byte | size | holds | error at most |
 * | --- | --- | --- | --- |
 * | 0 | 2 | step − base | 0 |
 * | 2 | 2 | episode − base | 0 |
 * | 4 | 1 | bit 7: blinded; bits 0–6: policy version − base | 0 |
 * | 5 | 16 (L) | σ, int8; what follows stands L − 16 bytes further on | 0 |
 * | 21 | 4 | action | 0 |
 * | 25 | 1 | −25 ln π(a) | .02; below −10.2 clamped |
 * | 26 | 1 | −25 ln ν(a) | .02; below −10.2 clamped |
 * | 27 | 1 | −25 ln p; 255: p = 0 | 2 % of p; p below 3.8e-5 becomes 0 |
 * | 28 | 2 | advantage · 32767 / s, int16 | s / 65534, and the rounding of s to float32; 0 below 2⁻¹²⁶ |
 * | 30 | 1 | 255 m | 1/510 |
 *
 * A new message begins where a difference no longer fits (65,535 steps or episodes, 127 policy versions) or the bytes exceed
 * 1,400; so nothing in range is ever refused or cut.
 *
 * @param length of the records' signatures
 * @returns as few as that takes, in order; none for no records
 * @throws as `checkRecord`; invalid-option if the records have several senders
 */
export function encodeMessages(
  records: readonly Readonly<CriticalRecord>[],
  length: number = SIGNATURE_LENGTH,
): Uint8Array[] {
  const most = Math.floor((MESSAGE_BYTES - HEADER_BYTES) / (BARE_BYTES + length));
  const messages: Uint8Array[] = [];
  const version = createSpan(127);
  const step = createSpan(65535);
  const episode = createSpan(65535);
  const spans = [version, step, episode];
  const flush = (from: number, to: number) => {
    if (to > from) messages.push(encode(records, from, to, version.low, step.low, episode.low));
    for (const span of spans) span.clear();
  };
  let from = 0;
  records.forEach((record, at) => {
    checkRecord("comm/codec", record, length);
    if (record.agent !== records[0].agent || record.role !== records[0].role) {
      throw new MagicMaskError(
        "invalid-option",
        "comm/codec",
        `a message has one sender, got agents ${records[0].agent} and ${record.agent}`,
      );
    }
    const fits = version.fits(record.policyVersion) && step.fits(record.step) && episode.fits(record.episode);
    if (!fits || at - from === most) {
      flush(from, at);
      from = at;
    }
    version.add(record.policyVersion);
    step.add(record.step);
    episode.add(record.episode);
  });
  flush(from, records.length);
  return messages;
}

/** Keeps the least and greatest of the numbers added, which are to lie within `width` of each other. */
function createSpan(width: number) {
  let high = 0;
  const span = {
    low: Number.POSITIVE_INFINITY,
    fits: (x: number) => Math.max(high, x) - Math.min(span.low, x) <= width,
    add(x: number) {
      span.low = Math.min(span.low, x);
      high = Math.max(high, x);
    },
    clear() {
      span.low = Number.POSITIVE_INFINITY;
      high = 0;
    },
  };
  return span;
}

/** Smallest float32 with all its digits. */
const SMALLEST_NORMAL = 1.1754943508222875e-38;

/** One message with the records `from` … `to` − 1. */
function encode(
  records: readonly Readonly<CriticalRecord>[],
  from: number,
  to: number,
  baseVersion: number,
  baseStep: number,
  baseEpisode: number,
): Uint8Array {
  const { length } = records[from].signature;
  const width = BARE_BYTES + length;
  const bytes = new Uint8Array(HEADER_BYTES + width * (to - from));
  const view = new DataView(bytes.buffer);
  let largest = 0;
  for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(records[i].advantage));
  // Below it float32 has too few digits for a scale; such advantages are nothing.
  const scale = largest < SMALLEST_NORMAL ? 0 : Math.fround(largest);

  view.setUint32(0, MAGIC, true);
  bytes[8] = layoutOf(length);
  bytes[9] = records[from].agent;
  bytes[10] = records[from].role;
  view.setUint16(11, to - from, true);
  view.setUint32(13, baseVersion, true);
  view.setUint32(17, baseStep, true);
  view.setUint32(21, baseEpisode, true);
  view.setFloat32(25, scale, true);
  for (let i = from, at = HEADER_BYTES; i < to; i++, at += width) {
    const record = records[i];
    const tail = at + 5 + length;
    view.setUint16(at, record.step - baseStep, true);
    view.setUint16(at + 2, record.episode - baseEpisode, true);
    bytes[at + 4] = (record.blinded ? 128 : 0) | (record.policyVersion - baseVersion);
    for (let k = 0; k < length; k++) bytes[at + 5 + k] = record.signature[k];
    view.setUint32(tail, record.action, true);
    bytes[tail + 4] = logCode(record.logProb);
    bytes[tail + 5] = logCode(record.perturbationLogProb);
    bytes[tail + 6] = logCode(Math.log(record.blindProbability));
    const share = scale > 0 ? record.advantage / scale : 0;
    view.setInt16(tail + 7, Math.max(-32767, Math.min(32767, Math.round(32767 * share))), true);
    bytes[tail + 9] = Math.round(255 * record.rank);
  }
  view.setUint32(4, crc32(bytes, 8), true);
  return bytes;
}

const layoutOf = (length: number) => (length === SIGNATURE_LENGTH ? LAYOUT : LONG_LAYOUT);

const logCode = (log: number) => Math.max(0, Math.min(255, Math.round(-log * STEPS_PER_NAT)));

/**
 * What reads the messages of one world: the records of one message, every field in the range that `CriticalRecord` states.
 * It throws corrupt-message for any bytes that `encodeMessages` of this layout version did not write for this world.
 *
 * @param spec what the sender's agent number, role and actions are held against
 * @param length of signatures as this run has them
 * @throws unsupported as `actionCode`
 */
export function createMessageDecoder(
  spec: EnvironmentSpec,
  length: number = SIGNATURE_LENGTH,
): (bytes: Uint8Array) => CriticalRecord[] {
  const width = BARE_BYTES + length;
  const layout = layoutOf(length);
  const roles = roleNumbers(spec);
  const codes = spec.actionSpaces.map(actionCode);
  return (bytes) => {
    if (bytes.length < HEADER_BYTES) refuse(`a message has at least ${HEADER_BYTES} bytes, got ${bytes.length}`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.getUint32(0, true) !== MAGIC) refuse('a message begins with "MMCR"; this one is foreign');
    if (bytes[8] !== layout)
      refuse(`layout ${layout} is understood, got ${bytes[8]}; run one version and one mode on both sides`);
    const count = view.getUint16(11, true);
    const wanted = HEADER_BYTES + width * count;
    if (count === 0 || bytes.length !== wanted) refuse(`${count} records take ${wanted} bytes, got ${bytes.length}`);
    if (view.getUint32(4, true) !== crc32(bytes, 8)) refuse("the checksum is wrong: the bytes were changed on the way");

    const agent = bytes[9];
    const role = bytes[10];
    const policyVersion = view.getUint32(13, true);
    const step = view.getUint32(17, true);
    const episode = view.getUint32(21, true);
    const scale = view.getFloat32(25, true);
    if (agent >= spec.agents.length) refuse(`there is no agent ${agent} in ${spec.id}`);
    if (role !== roles[agent]) refuse(`${spec.agents[agent]} does not play role ${role}`);
    if (!(scale >= 0 && scale < Number.POSITIVE_INFINITY)) refuse(`the scale of advantages is ${scale}`);

    // One copy of all signatures: records must not change with the buffer that the message came in.
    const signatures = new Int8Array(count * length);
    const code = codes[agent];
    const records: CriticalRecord[] = new Array(count);
    for (let i = 0, at = HEADER_BYTES; i < count; i++, at += width) {
      const tail = at + 5 + length;
      for (let k = 0; k < length; k++) signatures[i * length + k] = bytes[at + 5 + k];
      const p = bytes[tail + 6];
      const advantage = view.getInt16(tail + 7, true);
      const record = {
        agent,
        role,
        policyVersion: policyVersion + (bytes[at + 4] & 127),
        step: step + view.getUint16(at, true),
        episode: episode + view.getUint16(at + 2, true),
        blinded: bytes[at + 4] >= 128,
        signature: signatures.subarray(i * length, (i + 1) * length),
        action: view.getUint32(tail, true),
        logProb: -bytes[tail + 4] / STEPS_PER_NAT,
        perturbationLogProb: -bytes[tail + 5] / STEPS_PER_NAT,
        blindProbability: p === 255 ? 0 : Math.exp(-p / STEPS_PER_NAT),
        advantage: (advantage / 32767) * scale,
        rank: bytes[tail + 9] / 255,
      };
      if (!code.isValid(record.action)) refuse(`${spec.agents[agent]} has no action ${record.action}`);
      if (advantage === -32768) refuse("an advantage is outside its scale");
      if (Math.max(record.policyVersion, record.step, record.episode) > 4294967295) refuse("a number exceeds 32 bits");
      records[i] = record;
    }
    return records;
  };
}

function refuse(why: string): never {
  throw new MagicMaskError("corrupt-message", "comm/codec", why);
}
