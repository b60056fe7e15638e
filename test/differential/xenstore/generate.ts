import { type Random, seededRandom } from '../../../base/random.ts';
import { messageTypes, payloadMax } from '../../../services/xenstore/core/wire.ts';
import type { Quotas } from './quotas.ts';
import { type Client, clients, isGuest, type Step } from './step.ts';

/** A history, and the quotas of the guests in it. */
export interface History {
  readonly quotas: Quotas;
  readonly steps: readonly Step[];
}

/** Few names, so that clients meet. */
const paths = [
  ...['/', '/a', '/a/b', '/a/b/c', '/a/d', '/e', '/e/f/g', '/local/domain/7', '/local/domain/8'],
  ...['/local/domain/7/x', '/local/domain/8/x/y', 'x', 'x/y', 'z'],
];

/** What is no path, or one that only some requests may name. */
const oddPaths = [
  ...[
    '',
    '//',
    '/a/',
    'a/',
    '/a//b',
    '/a b',
    '/a.b',
    '/\xe9',
    '@introduceDomain',
    '@releaseDomain',
  ],
  ...[
    '@unknown',
    '/@x',
    'x@',
    '/local/domain/',
    '/local/domain/7/',
    '/a/../e',
    '-',
    '_',
    '/:',
    '/a,b',
  ],
];

const values = ['', 'v', 'value', 'other', '\0', 'with\0nul', '\xff\x00\x80', ' '];
const letters = ['n', 'r', 'w', 'b'];
const owners = ['0', '7', '8'];
const oddPermissions = [
  '',
  'r',
  'x1',
  'r-1',
  'r9',
  'n9',
  'b99999',
  'r7 ',
  'rr7',
  'R7',
  'r07',
  'r32752',
];
const tokens = ['s', 't', 'token with spaces', ''];

/** Bytes that a history may be made to use of a guest's quotas. */
const tightQuotas: Quotas = { nodes: 12, watches: 4, transactions: 3 };

/** The history of a seed: some are of ordinary requests alone, some of odd bytes, some meet quotas. */
export function generate(seed: number): History {
  const random = seededRandom(seed);
  const oddness = random.pick([0, 0, 0.02, 0.15]);
  const quotas = random.chance(0.2) ? tightQuotas : {};
  const transactional = random.pick([0, 0.15, 0.4]);
  const length = 20 + random.below(80);
  const steps: Step[] = [...beginning];
  const maker = new Maker(random, oddness, transactional);
  while (steps.length < length) steps.push(maker.next());
  return { quotas, steps };
}

type Request = Extract<Step, { kind: 'request' }>;

function request(by: Client, name: keyof typeof messageTypes, payload: string): Request {
  return { kind: 'request', by, type: messageTypes[name], transaction: 0, payload };
}

/** The guests are there, with a directory of their own each. */
const beginning: readonly Step[] = [
  request('one', 'WRITE', '/local/domain/7\0'),
  request('one', 'SET_PERMS', '/local/domain/7\0n7\0'),
  request('one', 'WRITE', '/local/domain/8\0'),
  request('one', 'SET_PERMS', '/local/domain/8\0n8\0r7\0'),
  request('one', 'INTRODUCE', '7\x001\x001\0'),
  request('one', 'INTRODUCE', '8\x001\x001\0'),
];

class Maker {
  readonly #random: Random;
  readonly #oddness: number;
  readonly #transactional: number;

  constructor(random: Random, oddness: number, transactional: number) {
    this.#random = random;
    this.#oddness = oddness;
    this.#transactional = transactional;
  }

  next(): Step {
    const random = this.#random;
    if (random.chance(0.03)) return this.#rare();
    const by = random.pick(clients);
    if (random.chance(this.#oddness)) {
      const odd = this.#odd(by);
      // A ring ends with a packet that is too long, and each daemon ends it in its own way.
      return isGuest(by) ? { ...odd, payload: odd.payload.slice(0, payloadMax) } : odd;
    }
    const transaction = random.chance(this.#transactional) ? 1 + random.below(2) : 0;
    if (random.chance(this.#transactional / 3)) return request(by, 'TRANSACTION_START', '\0');
    if (random.chance(this.#transactional / 4))
      return {
        ...request(by, 'TRANSACTION_END', random.chance(0.8) ? 'T\0' : 'F\0'),
        transaction: 1,
      };
    return { ...this.#ordinary(by), transaction };
  }

  #rare(): Step {
    const random = this.#random;
    const kind = random.below(7);
    const domain = random.pick(['guest7', 'guest8'] as const);
    const id = domain === 'guest7' ? '7' : '8';
    if (kind === 0) return { kind: 'reconnect', by: random.pick(['one', 'two'] as const) };
    if (kind === 1) return { kind: 'death', domain };
    if (kind === 2) return { kind: 'shutdown', domain };
    const by = random.chance(0.8) ? random.pick(['one', 'two'] as const) : random.pick(clients);
    const name = random.pick([
      'INTRODUCE',
      'RELEASE',
      'RESUME',
      'SET_TARGET',
      'RESET_WATCHES',
    ] as const);
    switch (name) {
      case 'INTRODUCE':
        return request(by, name, `${id}\x001\x001\0`);
      case 'RESET_WATCHES':
        return request(by, name, '\0');
      case 'SET_TARGET':
        return request(by, name, `${id}\0${id === '7' ? '8' : '7'}\0`);
      default:
        return request(by, name, `${id}\0`);
    }
  }

  #ordinary(by: Client): Request {
    const random = this.#random;
    const path = this.#path();
    const kind = random.below(16);
    const made = (name: keyof typeof messageTypes, payload: string) => request(by, name, payload);
    if (kind < 3) return made('WRITE', `${path}\0${this.#value()}`);
    if (kind < 5) return made('READ', `${path}\0`);
    if (kind < 6) return made('MKDIR', `${path}\0`);
    if (kind < 7) return made('RM', `${path}\0`);
    if (kind < 9) return made('DIRECTORY', `${path}\0`);
    if (kind < 10)
      return made('DIRECTORY_PART', `${path}\0${random.pick(['0', '0', '2', '100'])}\0`);
    if (kind < 11) return made('GET_PERMS', `${this.#watchable(path)}\0`);
    if (kind < 13) return made('SET_PERMS', `${this.#permitted(path)}\0${this.#permissions(by)}`);
    if (kind < 15) return made('WATCH', `${this.#watchable(path)}\0${random.pick(tokens)}\0`);
    if (random.chance(0.3))
      return made('GET_DOMAIN_PATH', `${random.pick(['0', '7', '9', '40000'])}\0`);
    if (random.chance(0.3))
      return made('IS_DOMAIN_INTRODUCED', `${random.pick(['0', '7', '8', '9', '32752'])}\0`);
    return made('UNWATCH', `${this.#watchable(path)}\0${random.pick(tokens)}\0`);
  }

  #path(): string {
    return this.#random.chance(this.#oddness / 2)
      ? this.#random.pick(oddPaths)
      : this.#random.pick(paths);
  }

  /** What the root permits decides nearly everything that comes after: it is set rarely. */
  #permitted(path: string): string {
    return path === '/' && this.#random.chance(0.9) ? '/a' : this.#watchable(path);
  }

  #watchable(path: string): string {
    if (this.#random.chance(0.9)) return path;
    return this.#random.pick(['@introduceDomain', '@releaseDomain']);
  }

  #value(): string {
    const random = this.#random;
    if (!random.chance(0.04)) return random.pick(values);
    return 'l'.repeat(random.pick([100, 1000, 1900, 2000, 2048, 2049, 2100, 3000, 4000]));
  }

  #permissions(by: Client): string {
    const random = this.#random;
    const odd = () => random.chance(this.#oddness / 2);
    const entry = (owner: string) =>
      odd() ? random.pick(oddPermissions) : `${random.pick(letters)}${owner}`;
    // A guest that names another owner than itself is refused; that is tried now and then.
    const first = isGuest(by) && random.chance(0.9) ? by.slice(-1) : random.pick(owners);
    const others = Array.from({ length: random.below(3) }, () => entry(random.pick(owners)));
    return [entry(first), ...others].map((each) => `${each}\0`).join('');
  }

  /** Bytes that no client of good faith sends. */
  #odd(by: Client): Request {
    const random = this.#random;
    const usual = this.#ordinary(by);
    const transaction = random.chance(0.1) ? -1 : 0;
    const { payload } = usual;
    switch (random.below(8)) {
      case 0:
        return {
          ...usual,
          transaction,
          payload: payload.slice(0, random.below(payload.length + 1)),
        };
      case 1:
        return {
          ...usual,
          transaction,
          payload: `${payload}${random.pick(['\0', 'x', 'x\0', '\0\0'])}`,
        };
      case 2:
        return { ...usual, transaction, type: random.below(30) };
      case 3:
        return { ...usual, transaction, payload: '' };
      case 4: {
        const path = `/${'p'.repeat(random.pick([500, 1020, 2046, 2047, 2048, 3070, 3071, 3072, 4000]))}`;
        return { ...usual, transaction, payload: payload.replace(/^[^\0]*/, path) };
      }
      case 5:
        return {
          ...usual,
          transaction,
          payload: random.pick(values) + random.pick(values) + random.pick(['', '\0']),
        };
      case 6:
        return { ...usual, transaction: -1 };
      default: {
        const length = random.pick([4090, 4095, 4096, 4096, 4096, 4097]);
        return { ...usual, transaction, payload: payload.padEnd(length, 'q') };
      }
    }
  }
}
