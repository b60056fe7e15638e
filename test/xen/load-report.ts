/** What a load of the test guest says of itself (deploy/test-guest/load). Counts are since its start. */
export interface LoadReport {
  /** Of the disk: written and read back, with those that failed. */
  readonly rounds: number;
  /** What was read is not what was written. */
  readonly wrong: number;
  /** Calls that failed. */
  readonly errors: number;
  /** The most between the ends of two rounds since the report before, one that goes on included, in ms. */
  readonly pause: number;
  /** Connections that were made: one, where none was lost. */
  readonly connections: number;
  readonly lost: number;
  /** Sent, and come back. */
  readonly lines: number;
  /** Came back as something else. */
  readonly garbled: number;
  /** The most between two lines that came back, as `pause`. */
  readonly silence: number;
}

const pattern = new RegExp(
  [
    'load: disk (\\d+) rounds, (\\d+) wrong, (\\d+) errors, longest (\\d+) ms;',
    'connection (\\d+), lost (\\d+), (\\d+) lines, (\\d+) wrong, longest (\\d+) ms',
  ].join(' '),
  'g',
);

/** All reports in what a guest's console has printed, in their order. */
export function loadReports(console: string): readonly LoadReport[] {
  return [...console.matchAll(pattern)].map((found) => {
    const [rounds = 0, wrong = 0, errors = 0, pause = 0, ...rest] = found.slice(1).map(Number);
    const [connections = 0, lost = 0, lines = 0, garbled = 0, silence = 0] = rest;
    return { rounds, wrong, errors, pause, connections, lost, lines, garbled, silence };
  });
}
