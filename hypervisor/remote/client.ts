import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import type { DomainId, DomainListener, HypervisorError } from '../port.ts';
import type { SimulatedHypervisor } from '../simulated/controls.ts';
import { Connection } from './connection.ts';
import { type CallName, type CallParams, type CallValue, calls } from './messages.ts';

/** Pause between two attempts of a watcher to reach the hypervisor again. */
const redialPause = milliseconds(200);

/** How to reach the process that holds a hypervisor. */
export interface RemoteOptions {
  /** Opens a new stream to it; rejects with a sentence that says why it cannot. */
  readonly dial: () => Promise<Duplex>;
  /** What the operator calls it: `the simulated hypervisor at /run/flotilla/xen.sock`. */
  readonly name: string;
  /**
   * Longest wait for any answer. A call that takes longer fails with `hypervisor-unavailable`,
   * and the connection is given up with it, for a hypervisor that hangs is no better than none.
   */
  readonly callTimeout: Milliseconds;
}

/**
 * A hypervisor that lives in another process. While that process is away, calls fail with
 * `hypervisor-unavailable`; the next call dials again. Watches outlive the connection: when it is
 * back they hear of every domain that may have changed. Consoles end with the connection.
 */
export function connectRemote({ dial, name, callTimeout }: RemoteOptions): SimulatedHypervisor {
  const watchers = new Set<DomainListener>();
  /** Domains that watchers have heard of: what may have gone while the connection was away. */
  const known = new Set<DomainId>();
  const stopped = new AbortController();
  let connection: Promise<Connection> | null = null;

  const notify = (id: DomainId): void => {
    known.add(id);
    for (const listener of [...watchers]) listener(id);
  };

  const connect = (): Promise<Connection> => {
    connection ??= open();
    return connection;
  };

  const open = async (): Promise<Connection> => {
    try {
      const opened = new Connection(await dial(), name, { changed: notify, closed: lost });
      if (stopped.signal.aborted) opened.close();
      if (watchers.size > 0) startWatch(opened);
      return opened;
    } catch (error) {
      connection = null;
      throw error;
    }
  };

  const startWatch = (opened: Connection): void => {
    const before = [...known];
    known.clear();
    opened.watch();
    for (const id of before) notify(id);
  };

  const lost = (): void => {
    connection = null;
    if (watchers.size > 0) void redial();
  };

  /** The first watcher came: the connection that is there starts to watch, or one is made. */
  const startWatching = async (): Promise<void> => {
    const there = connection;
    if (there === null) return redial();
    await there.then(startWatch, () => redial());
  };

  const redial = async (): Promise<void> => {
    while (connection === null && watchers.size > 0 && !stopped.signal.aborted) {
      await sleep(redialPause, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (!stopped.signal.aborted) await connect().catch(() => undefined);
    }
  };

  const reach = async (): Promise<Result<Connection, HypervisorError>> => {
    if (stopped.signal.aborted) return unavailable(`${name} was closed`);
    return connect().then(ok, (error: unknown) =>
      unavailable(`${name} cannot be reached: ${reasonOf(error)}`),
    );
  };

  const call = async <Name extends CallName>(
    callName: Name,
    params: CallParams<Name>,
  ): Promise<Result<CallValue<Name>, HypervisorError>> => {
    const reached = await reach();
    if (!reached.ok) return reached;
    const answer = await reached.value.call(callName, params, callTimeout);
    if (!answer.ok) return answer;
    const schema: (typeof calls)[Name]['value'] = calls[callName].value;
    const parsed = v.safeParse(schema, answer.value);
    if (parsed.success) return ok(parsed.output);
    reached.value.close();
    return unavailable(`${name} answered ${callName} with something else`);
  };

  return {
    info: () => call('info', []),
    listDomains: async () => {
      const listed = await call('listDomains', []);
      if (listed.ok) {
        known.clear();
        for (const { id } of listed.value) known.add(id);
      }
      return listed;
    },
    createDomain: (config) => call('createDomain', [config]),
    connectDisk: (id, disk) => call('connectDisk', [id, disk]),
    nicInterface: (id, index) => call('nicInterface', [id, index]),
    connectNic: (id, index) => call('connectNic', [id, index]),
    unservedDevices: (id) => call('unservedDevices', [id]),
    unpause: (id) => call('unpause', [id]),
    pause: (id) => call('pause', [id]),
    requestShutdown: (id, reason) => call('requestShutdown', [id, reason]),
    destroyDomain: (id) => call('destroyDomain', [id]),
    openConsole: async (id) => {
      const reached = await reach();
      return reached.ok ? reached.value.openConsole(id, callTimeout) : reached;
    },
    watch: (listener) => {
      const own: DomainListener = (id) => listener(id);
      watchers.add(own);
      if (watchers.size === 1) void startWatching();
      return () => watchers.delete(own);
    },
    close: async () => {
      stopped.abort();
      watchers.clear();
      const last = await connection?.catch(() => null);
      last?.close();
    },
    inject: (fault) => call('inject', [fault]),
    connectedDevices: (id) => call('connectedDevices', [id]),
  };
}

function unavailable(detail: string): Result<never, HypervisorError> {
  return fail({ code: 'hypervisor-unavailable', detail });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
