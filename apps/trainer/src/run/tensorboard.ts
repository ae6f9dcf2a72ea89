import { hostname } from "node:os";
import { MagicMaskError } from "@magic-mask/core";
import { type AppendFile, openAppendFile } from "./append-file.ts";
import { crc32c } from "./crc32c.ts";

/** Writes what TensorBoard reads. Nothing but an event's wall time comes from the clock. */
export interface EventWriter extends Omit<AppendFile, "append"> {
  /** @param value float32; NaN and infinities are written as such. @param step x axis, an integer ≥ 0 */
  scalar(tag: string, value: number, step: number): void;
  /** @param text Markdown */
  text(tag: string, text: string, step: number): void;
}

/** A name for a new event file; TensorBoard knows it by its beginning. */
export const eventFileName = (): string => `events.out.tfevents.${Math.floor(Date.now() / 1000)}.${hostname()}`;

/**
 * An event file: a sequence of records, each one `Event` (tensorflow/core/util/event.proto) in the framing of TFRecord:
 *
 *   uint64 length, uint32 masked CRC-32C of it, data [length], uint32 masked CRC-32C of the data; little-endian
 *
 * @param offset length of the part to keep, as a checkpoint noted it; 0 starts afresh
 * @param clock milliseconds since 1970
 * @throws as `openAppendFile`
 */
export function createEventWriter(file: string, offset = 0, clock: () => number = Date.now): EventWriter {
  const records = openAppendFile(file, offset);
  const write = (...fields: Uint8Array[]) => records.append(frame(bytesOf([double(1, clock() / 1000), ...fields])));
  /** Fields of `Event`: step = 2, summary = 5 { repeated value = 1 { tag = 1, … } } */
  const summary = (tag: string, step: number, ...value: Uint8Array[]) =>
    write(integer(2, checkStep(step)), message(5, message(1, string(1, tag), ...value)));

  if (offset === 0) {
    write(string(3, "brain.Event:2"));
    records.flush();
  }
  return {
    get offset() {
      return records.offset;
    },
    /** simple_value = 2 */
    scalar: (tag, value, step) => summary(tag, step, float(2, value)),
    /** tensor = 8 { dtype = 1: DT_STRING, tensor_shape = 2 { dim = 2 { size = 1 } }, string_val = 8 }, metadata = 9 */
    text: (tag, text, step) =>
      summary(
        tag,
        step,
        message(8, integer(1, 7), message(2, message(2, integer(1, 1))), string(8, text)),
        TEXT_PLUGIN,
      ),
    flush: records.flush,
    sync: records.sync,
    close: records.close,
  };
}

function checkStep(step: number): number {
  if (Number.isSafeInteger(step) && step >= 0) return step;
  throw new MagicMaskError("invalid-option", "trainer/tensorboard", `step must be an integer ≥ 0, got ${step}`);
}

/** One record. */
function frame(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 16);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, masked(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return out;
}

/** A CRC over data that itself holds CRCs is weak; rotating and adding a constant repairs that. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Wire types of protocol buffers: the low three bits of a field's key. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

const bytesOf = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

/** Seven bits a byte, lowest first. @param value an integer in [0, 2⁵³) */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Uint8Array.from([...bytes, value]);
}

const key = (field: number, wire: number) => Uint8Array.of(field * 8 + wire);
const integer = (field: number, value: number) => bytesOf([key(field, VARINT), varint(value)]);

function double(field: number, value: number): Uint8Array {
  const out = new DataView(new ArrayBuffer(8));
  out.setFloat64(0, value, true);
  return bytesOf([key(field, FIXED64), new Uint8Array(out.buffer)]);
}

function float(field: number, value: number): Uint8Array {
  const out = new DataView(new ArrayBuffer(4));
  out.setFloat32(0, value, true);
  return bytesOf([key(field, FIXED32), new Uint8Array(out.buffer)]);
}

function message(field: number, ...fields: Uint8Array[]): Uint8Array {
  const body = bytesOf(fields);
  return bytesOf([key(field, LENGTH), varint(body.length), body]);
}

const string = (field: number, text: string) => message(field, new TextEncoder().encode(text));

/** SummaryMetadata, field 9 of a value: plugin_data = 1 { plugin_name = 1 }, data_class = 4: DATA_CLASS_TENSOR */
const TEXT_PLUGIN = message(9, message(1, string(1, "text")), integer(4, 2));
