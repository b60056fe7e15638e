/**
 * Our own section, behind the record END of Xen's stream: what that has no field for, so that a
 * xenstored which is made of both is in every respect the one that wrote them. It is a header of 16
 * bytes, and records in the stream's frame of the types below. It is described in SPEC.md.
 */

/** What the section begins with. */
export const ownIdent = 'flotilla';

/** Its version: another one is not read. */
export const ownVersion = 1;

/** The records; END is the last one, and has the CRC-32 of all that is before it in the file. */
export const ownTypes = {
  END: 0,
  /** JSON: counters, quotas, questions that wait, credits, descriptors. */
  STORE: 1,
  /** JSON: one for each domain. */
  DOMAIN: 2,
  /** JSON: one for each connection, with how it is made. */
  CONNECTION: 3,
  /** JSON: watches of all, in the order in which they fire. */
  WATCHES: 4,
  /** Marks of the nodes of NODE_DATA, in the same order, and before them of the top above the root. */
  NODES: 5,
  /** JSON of a transaction, then its tree at the start and its tree now, as differences. */
  TRANSACTION: 6,
} as const;

/** Watches, or marks of nodes, in one record. */
export const perRecord = 512;
