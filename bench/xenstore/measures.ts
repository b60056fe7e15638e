import type { Gauge, Output } from './load.ts';

/** One number of a scenario. */
export interface Reading {
  /** What it is, with its unit; the whole of a row's name is the measure's title and this. */
  readonly title: string;
  readonly of: (output: Output) => number;
  readonly better: 'less' | 'more';
  /** Digits behind the point. */
  readonly digits: number;
}

/** A scenario of `load/` with its numbers, and what is read from what it prints. */
export interface Measure {
  readonly title: string;
  readonly scenario: string;
  readonly numbers: Readonly<Record<string, number>>;
  readonly readings: readonly Reading[];
  /** Rounds of a full run, where they are fewer than those of others: it takes a peer very long. */
  readonly rounds?: number;
  /** Each round has a daemon of its own: what others left behind would count. */
  readonly alone?: boolean;
}

function gauge(output: Output, name: string): Gauge {
  const found = output[name];
  if (typeof found !== 'object') throw new Error(`a scenario did not print ${name}`);
  return found;
}

function number(output: Output, name: string): number {
  const found = output[name];
  if (typeof found !== 'number') throw new Error(`a scenario did not print ${name}`);
  return found;
}

const p50 = (name = 'operation'): Reading => ({
  title: 'p50 us',
  of: (output) => gauge(output, name).p50,
  better: 'less',
  digits: 1,
});

const cpu = (name = 'operation', title = 'cpu us'): Reading => ({
  title,
  of: (output) => gauge(output, name).cpu,
  better: 'less',
  digits: 1,
});

const perSecond = (name = 'operation', title = 'per second'): Reading => ({
  title,
  of: (output) => gauge(output, name).perSecond,
  better: 'more',
  digits: 0,
});

const took = (name: string, title: string): Reading => ({
  title: `${title}, ms`,
  of: (output) => gauge(output, name).mean / 1000,
  better: 'less',
  digits: 2,
});

const conflicts: Reading = {
  title: 'share that failed',
  of: (output) => number(output, 'conflicts'),
  better: 'less',
  digits: 2,
};

const grown: Reading = {
  title: 'memory grown, MiB',
  of: (output) => number(output, 'grown'),
  better: 'less',
  digits: 1,
};

const lockStep = ['read', 'write', 'mkdir-rm'].map((scenario) => ({
  title: `${scenario === 'mkdir-rm' ? 'mkdir, rm' : scenario}, 1 client`,
  scenario,
  numbers: {},
  readings: [p50(), cpu()],
}));

/** How many connections are idle, and watches elsewhere: a write is to cost the same beside all. */
export const idleSteps: readonly number[] = [1, 100, 1000];
export const watchSteps: readonly number[] = [0, 1_000, 10_000, 50_000];

const idle = idleSteps.map((count) => ({
  title: `write, ${count} idle connections`,
  scenario: 'write',
  numbers: { idle: count },
  readings: [p50(), cpu()],
}));

const watched = watchSteps.map((count) => ({
  title: `write, ${count} watches elsewhere`,
  scenario: 'watches',
  numbers: { watches: count, clients: 10 },
  readings: [p50('write'), cpu('write')],
  // Setting so many takes C and OCaml half a minute.
  ...(count > 10_000 ? { rounds: 2 } : {}),
}));

const fanOut = [1, 100, 1000].map((clients) => ({
  title: `1000 watches fire, ${clients} clients`,
  scenario: 'watches',
  numbers: { watches: 1000, clients, depth: 0 },
  readings: [took('fanOut', 'until the last event'), cpu('fanOut')],
}));

/** How many nodes are removed at once. */
export const removed = 100_000;

/** Everything that a client can see, in the order in which it is shown. */
export const measures: readonly Measure[] = [
  ...lockStep,
  ...['read', 'write'].map((scenario) => ({
    title: `${scenario}, 32 in flight`,
    scenario,
    numbers: { depth: 32 },
    readings: [perSecond(), cpu()],
  })),
  ...['read', 'write'].map((scenario) => ({
    title: `${scenario}, 50 clients`,
    scenario,
    numbers: { clients: 50 },
    readings: [perSecond(), cpu()],
  })),
  ...idle,
  ...watched,
  ...fanOut,
  {
    title: 'transactions, 1 client',
    scenario: 'transactions',
    numbers: {},
    readings: [perSecond('commit'), cpu('commit')],
  },
  {
    title: 'transactions, 8 clients on their own nodes',
    scenario: 'transactions',
    numbers: { clients: 8 },
    readings: [perSecond('commit'), cpu('commit')],
  },
  {
    title: 'transactions, 8 clients on the same nodes',
    scenario: 'shared-transactions',
    numbers: { clients: 8 },
    readings: [perSecond('commit'), conflicts],
  },
  {
    title: '10,000 children in a node',
    scenario: 'children',
    numbers: { nodes: 10_000, seconds: 0.3 },
    rounds: 1,
    alone: true,
    readings: [
      cpu('create', 'create one, cpu us'),
      took('list', 'list all'),
      cpu('mkdirRm', 'mkdir, rm, cpu us'),
      took('remove', 'remove all'),
    ],
  },
  {
    title: `tree of ${removed} nodes`,
    scenario: 'tree',
    numbers: { nodes: removed },
    rounds: 1,
    alone: true,
    readings: [cpu('create', 'create one, cpu us'), grown, took('remove', 'remove')],
  },
  {
    title: 'connect, read, close',
    scenario: 'connect',
    numbers: {},
    readings: [perSecond(), cpu()],
  },
];
