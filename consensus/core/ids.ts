import type { Brand } from '../../base/brand.ts';

/** Raft's id of a member, unique in the pool for all time. Never 0. */
export type MemberId = Brand<number, 'MemberId'>;

/** Raft's term: it numbers elections. The first election's term is 1. */
export type Term = Brand<number, 'Term'>;

/** Position in the replicated log. The first entry has index 1; 0 is the place before it. */
export type LogIndex = Brand<number, 'LogIndex'>;

/** Brands a member's id; the caller has checked that it is a whole number above 0. */
export function memberId(value: number): MemberId {
  return value as MemberId;
}

/** Brands a term. */
export function term(value: number): Term {
  return value as Term;
}

/** Brands a log index. */
export function logIndex(value: number): LogIndex {
  return value as LogIndex;
}

/** The smaller of two positions. */
export function earlier(a: LogIndex, b: LogIndex): LogIndex {
  return a < b ? a : b;
}

/** The larger of two positions. */
export function later(a: LogIndex, b: LogIndex): LogIndex {
  return a > b ? a : b;
}
