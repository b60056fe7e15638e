import type { ProcessState } from './process.ts';

/** What the live view shows: the state of each process of each host. */
export interface PoolView {
  readonly hosts: readonly {
    readonly name: string;
    readonly processes: readonly { readonly name: string; readonly state: ProcessState }[];
  }[];
}

/** A state in one word, with a mark that is legible without colour. */
export function stateWord(state: ProcessState): string {
  switch (state.kind) {
    case 'starting':
      return '… starting';
    case 'serving':
      return `✓ ${state.pid}`;
    case 'waiting':
      return '↻ restarting';
    case 'refused':
      return '✗ refused';
    case 'stopped':
      return '- stopped';
  }
}

/** The table: a line a host, a column a process. */
export function renderTable(view: PoolView): readonly string[] {
  const first = view.hosts[0];
  if (first === undefined) return [];
  const columns = first.processes.map((process) => process.name);
  const rows = [
    ['HOST', ...columns.map((name) => name.toUpperCase())],
    ...view.hosts.map((host) => [
      host.name,
      ...host.processes.map((process) => stateWord(process.state)),
    ]),
  ];
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The troubles, a line each: what waits to be started again and why. */
export function renderTroubles(view: PoolView): readonly string[] {
  return view.hosts.flatMap((host) =>
    host.processes.flatMap(({ name, state }) => {
      switch (state.kind) {
        case 'starting':
        case 'serving':
          return [];
        case 'waiting':
          return [`${host.name} ${name}: ${state.reason}; again in ${state.wait / 1000} s`];
        case 'refused':
        case 'stopped':
          return [`${host.name} ${name}: ${state.reason}`];
      }
      return [];
    }),
  );
}

/** Whether every process serves. */
export function allServe(view: PoolView): boolean {
  return view.hosts.every((host) =>
    host.processes.every((process) => process.state.kind === 'serving'),
  );
}
