/** Bugs that can be seeded, to prove that the checks find them. */
export const bugs = [
  'vote-lost-on-restart',
  'term-lost-on-restart',
  'answer-before-durable',
  'acknowledged-write-lost',
  'commit-old-term',
  'read-without-quorum',
  'leader-reads-without-asking',
  'vote-for-outdated-log',
  'repeated-proposal-taken',
  'snapshot-forgets-a-command',
  'snapshot-forgets-the-members',
  'learner-counts',
  'removed-member-counts',
  'two-changes-at-once',
  'change-before-first-commit',
  'configuration-outlives-its-entry',
  'watch-skips-after-restore',
  'lease-by-a-fast-clock',
] as const;

/** The name of a bug. */
export type Bug = (typeof bugs)[number];
