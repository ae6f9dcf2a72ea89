import { type EnvironmentSpec, MagicMaskError } from "@magic-mask/core";
import { actionCode } from "./action-code.ts";
import { crc32 } from "./crc32.ts";
import { roleNumbers } from "./peers.ts";
import { type CriticalRecord, checkRecord } from "./record.ts";
import { COARSE_STEP, checkSignatureLength, FINE_ENTRIES, SIGNATURE_LENGTH } from "./signature.ts";

export const HEADER_BYTES = 29;
/** Bytes of a record with the longest σ. */
export const RECORD_BYTES = 31;
/** Bumped whenever a byte changes its meaning. */
export const LAYOUT = 3;
/** That of records whose signature is longer than any σ. */
export const LONG_LAYOUT = 2;
/** A message takes no more, so that one packet of any network carries it, and the loss of one loses little. */
export const MESSAGE_BYTES = 1400;
/** Bytes of a record without its signature. */
const BARE_BYTES = 15;

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
 * | 8 | 1 | layout version: 3; 2 where signatures are longer than any σ |
 * | 9 | 1 | agent |
 * | 10 | 1 | role |
 * | 11 | 2 | number of records, ≥ 1 |
 * | 13 | 4 | base policy version: the least in the message |
 * | 17 | 4 | base step, likewise |
 * | 21 | 4 | base episode, likewise |
 * | 25 | 4 | s, largest ∣advantage∣ in the message, float32 |
 *
 * then 15 + S bytes for each record, where its signature of L entries takes S = 4 + (L − 4)/2 ≤ 16, or L in layout 2:
 *
 * | byte | size | holds | error at most |
 * | --- | --- | --- | --- |
 * | 0 | 2 | step − base | 0 |
 * | 2 | 2 | episode − base | 0 |
 * | 4 | 1 | bit 7: blinded; bits 0–6: policy version − base | 0 |
 * | 5 | S | signature: the first four entries int8, of the others e / 18 + 8, two in a byte, the lower half first; in layout 2 all int8 | 0 for multiples of 18, else 9 |
 * | 5 + S | 4 | action | 0 |
 * | 9 + S | 1 | −25 ln π(a) | .02; below −10.2 clamped |
 * | 10 + S | 1 | −25 ln ν(a) | .02; below −10.2 clamped |
 * | 11 + S | 1 | −25 ln p; 255: p = 0 | 2 % of p; p below 3.8e-5 becomes 0 |
 * | 12 + S | 2 | advantage · 32767 / s, int16 | s / 65534, and the rounding of s to float32; 0 below 2⁻¹²⁶ |
 * | 14 + S | 1 | 255 m | 1/510 |
 *
 * A new message begins where a difference no longer fits (65,535 steps or episodes, 127 policy versions) or the bytes exceed
 * 1,400; so nothing in range is ever refused or cut.
 *
 * @param length of the records' signatures, a multiple of 4 in [8, 112]
 * @returns as few as that takes, in order; none for no records
 * @throws as `checkRecord`; invalid-option if the records have several senders
 */
export function encodeMessages(
  records: readonly Readonly<CriticalRecord>[],
  length: number = SIGNATURE_LENGTH,
): Uint8Array[] {
  checkSignatureLength("comm/codec", length);
  const most = Math.floor((MESSAGE_BYTES - HEADER_BYTES) / (BARE_BYTES + bytesOf(length)));
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
  const signatureBytes = bytesOf(length);
  const width = BARE_BYTES + signatureBytes;
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
    const tail = at + 5 + signatureBytes;
    view.setUint16(at, record.step - baseStep, true);
    view.setUint16(at + 2, record.episode - baseEpisode, true);
    bytes[at + 4] = (record.blinded ? 128 : 0) | (record.policyVersion - baseVersion);
    packSignature(record.signature, bytes, at + 5);
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

const isCoarse = (length: number) => length <= SIGNATURE_LENGTH;
const layoutOf = (length: number) => (isCoarse(length) ? LAYOUT : LONG_LAYOUT);
/** S, what a signature of so many entries takes. */
const bytesOf = (length: number) => (isCoarse(length) ? FINE_ENTRIES + (length - FINE_ENTRIES) / 2 : length);

/** 1 … 15 for −7 … 7 steps. */
const coarse = (entry: number) => Math.max(-7, Math.min(7, Math.round(entry / COARSE_STEP))) + 8;

function packSignature(signature: Int8Array, out: Uint8Array, at: number) {
  const { length } = signature;
  const fine = isCoarse(length) ? FINE_ENTRIES : length;
  for (let k = 0; k < fine; k++) out[at + k] = signature[k];
  for (let k = fine, to = at + fine; k < length; k += 2, to++)
    out[to] = coarse(signature[k]) | (coarse(signature[k + 1]) << 4);
}

function unpackSignature(bytes: Uint8Array, at: number, length: number, out: Int8Array, offset: number) {
  const fine = isCoarse(length) ? FINE_ENTRIES : length;
  for (let k = 0; k < fine; k++) out[offset + k] = bytes[at + k];
  for (let k = fine, from = at + fine; k < length; k += 2, from++) {
    const [low, high] = [bytes[from] & 15, bytes[from] >> 4];
    if (low === 0 || high === 0) refuse("an entry of a signature is outside its range");
    out[offset + k] = COARSE_STEP * (low - 8);
    out[offset + k + 1] = COARSE_STEP * (high - 8);
  }
}

const logCode = (log: number) => Math.max(0, Math.min(255, Math.round(-log * STEPS_PER_NAT)));

/**
 * What reads the messages of one world: the records of one message, every field in the range that `CriticalRecord` states.
 * It throws corrupt-message for any bytes that `encodeMessages` of this layout version did not write for this world.
 *
 * @param spec what the sender's agent number, role and actions are held against
 * @param length of signatures as this run has them
 * @throws unsupported as `actionCode`; invalid-option for no length of signatures
 */
export function createMessageDecoder(
  spec: EnvironmentSpec,
  length: number = SIGNATURE_LENGTH,
): (bytes: Uint8Array) => CriticalRecord[] {
  checkSignatureLength("comm/codec", length);
  const signatureBytes = bytesOf(length);
  const width = BARE_BYTES + signatureBytes;
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
      const tail = at + 5 + signatureBytes;
      unpackSignature(bytes, at + 5, length, signatures, i * length);
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
