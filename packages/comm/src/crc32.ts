const table = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let word = byte;
  for (let bit = 0; bit < 8; bit++) word = word & 1 ? (word >>> 1) ^ 0xedb88320 : word >>> 1;
  table[byte] = word;
}

/** CRC-32 of `bytes[from …]` as in IEEE 802.3, gzip and PNG: sees every change of up to 32 neighbouring bits. */
export function crc32(bytes: Uint8Array, from = 0): number {
  let crc = 0xffffffff;
  for (let i = from; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
