import { connect as tcpConnect } from 'node:net';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import type { KnownHost } from './find-pool.ts';

/** A host that was asked and did not answer. */
export interface SilentHost {
  readonly host: KnownHost;
  /** `connection refused`, `no answer in 2 s`. */
  readonly why: string;
}

/** Which host to talk to first, and which ones were found dead on the way. */
export interface Reachability {
  readonly first: KnownHost | undefined;
  readonly silent: readonly SilentHost[];
}

/** A host that is on the same continent accepts a connection within this. */
const connectTimeout = milliseconds(2000);
/** How long the first choice has before the next one is tried as well: what RFC 8305 recommends. */
const stagger = milliseconds(250);

/**
 * Finds the first host that accepts a TCP connection. They are tried in order, the next one as soon as
 * the one before has failed or has taken too long, so that a host whose power is off costs a quarter
 * of a second and not a time-out. (The idea is that of "Happy Eyeballs", RFC 8305.)
 */
export async function reach(hosts: readonly KnownHost[]): Promise<Reachability> {
  const silent: SilentHost[] = [];
  const abandon = new AbortController();
  const first = await new Promise<KnownHost | undefined>((resolve) => {
    let next = 0;
    let underWay = 0;
    const tryNext = (): void => {
      const host = hosts[next];
      if (host === undefined) {
        if (underWay === 0) resolve(undefined);
        return;
      }
      next += 1;
      underWay += 1;
      let moved = false;
      const moveOn = (): void => {
        if (moved || abandon.signal.aborted) return;
        moved = true;
        tryNext();
      };
      const timer = setTimeout(moveOn, stagger);
      void accepts(host.address, connectTimeout, abandon.signal).then((why) => {
        clearTimeout(timer);
        underWay -= 1;
        if (abandon.signal.aborted) return;
        if (why === undefined) return resolve(host);
        silent.push({ host, why });
        moveOn();
        if (underWay === 0 && next >= hosts.length) resolve(undefined);
      });
    };
    tryNext();
  });
  abandon.abort();
  return { first, silent };
}

/** Undefined when `address` accepts a connection, else why not. */
function accepts(
  address: string,
  timeout: Milliseconds,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { host, port } = split(address);
  return new Promise((resolve) => {
    const socket = tcpConnect({ host, port, signal });
    const settle = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(timeout, () => settle(`no answer in ${timeout / 1000} s`));
    socket.once('connect', () => settle(undefined));
    socket.on('error', (error) => settle(reasonOf(error)));
  });
}

function split(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(address.slice(colon + 1)) };
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'its name is not known',
    EHOSTUNREACH: 'no route to it',
    ENETUNREACH: 'no route to it',
    ECONNRESET: 'connection reset',
  };
  return words[error.code ?? ''] ?? error.message;
}
