/**
 * The layout of a snapshot. Each chunk: the CRC-32 of all that follows in it (4 bytes), its number
 * from 0 (varint), then records, each with its kind first. The last record of the last chunk is the
 * end, with the number of all records before it.
 */
export const recordKinds = {
  header: 1,
  lease: 2,
  compacted: 3,
  change: 4,
  end: 5,
  member: 6,
  alarm: 7,
  auth: 8,
  role: 9,
  user: 10,
} as const;

/** Raised when the layout changes in a way that older members cannot read. */
export const formatVersion = 1;
