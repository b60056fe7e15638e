/** Bytes that are taken together. */
const slice = 8;

/**
 * The CRC-32 of zlib, gzip and PNG: RFC 1952, section 8; polynomial 0xedb88320, bits reversed. To
 * go on after other bytes, give their CRC-32 as `before`. Eight bytes are taken at a time: M. Kounavis
 * and F. Berry, "A systematic approach to building high performance software-based CRC generators"
 * (2005).
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  known ??= makeTables();
  const tables = known;
  let remainder = before ^ 0xffff_ffff;
  const whole = bytes.length - (bytes.length % slice);
  for (let at = 0; at < whole; at += slice) {
    const first = remainder ^ word(bytes, at);
    const second = word(bytes, at + 4);
    remainder =
      entry(tables, 7, first) ^
      entry(tables, 6, first >>> 8) ^
      entry(tables, 5, first >>> 16) ^
      entry(tables, 4, first >>> 24) ^
      entry(tables, 3, second) ^
      entry(tables, 2, second >>> 8) ^
      entry(tables, 1, second >>> 16) ^
      entry(tables, 0, second >>> 24);
  }
  for (let at = whole; at < bytes.length; at += 1)
    remainder = (remainder >>> 8) ^ entry(tables, 0, remainder ^ (bytes[at] as number));
  return (remainder ^ 0xffff_ffff) >>> 0;
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** The remainder of a byte that `behind` zero bytes follow. */
function entry(tables: Uint32Array, behind: number, byte: number): number {
  return tables[behind * 256 + (byte & 0xff)] as number;
}

/** Made when the first byte is read: to make them takes longer than most of a member's start. */
let known: Uint32Array | null = null;

function makeTables(): Uint32Array {
  const made = new Uint32Array(slice * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit += 1)
      remainder = (remainder & 1) === 1 ? 0xedb8_8320 ^ (remainder >>> 1) : remainder >>> 1;
    made[byte] = remainder;
  }
  for (let at = 256; at < slice * 256; at += 1) {
    const shorter = made[at - 256] as number;
    made[at] = (shorter >>> 8) ^ (made[shorter & 0xff] as number);
  }
  return made;
}
