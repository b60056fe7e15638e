import { messageName } from '../../../services/xenstore/core/wire.ts';

/** Who asks: two clients of the control domain on sockets, and two guests on their rings. */
export const clients = ['one', 'two', 'guest7', 'guest8'] as const;
export type Client = (typeof clients)[number];

/** The guests, as domains. A third domain, 9, never exists. */
export const guests = { guest7: 7, guest8: 8 } as const;
export type Guest = keyof typeof guests;

export function isGuest(client: Client): client is Guest {
  return client in guests;
}

/** One thing that happens in a history. */
export type Step =
  | {
      readonly kind: 'request';
      readonly by: Client;
      /** The number on the wire. */
      readonly type: number;
      /** 0: none; n: the n-th newest that the client has begun; -1: one that nobody has begun. */
      readonly transaction: number;
      /** One character a byte. */
      readonly payload: string;
    }
  /** A client on a socket goes, with what it had, and comes again. */
  | { readonly kind: 'reconnect'; readonly by: 'one' | 'two' }
  /** The hypervisor tells of a domain that has shut down, or is gone; a new one has its id at once. */
  | { readonly kind: 'shutdown' | 'death'; readonly domain: Guest };

/** What comes of a step: the reply, and who was told what. */
export interface Observation {
  readonly reply: Reply;
  /** `CLIENT PATH TOKEN`, sorted: in which order one change fires several watches is nobody's rule. */
  readonly events: readonly string[];
  /** What there is afterwards; null where nobody has looked. */
  readonly there: Inventory | null;
}

/** What there is, for the control domain. */
export interface Inventory {
  /** By path: permissions and value, or the name of the error that the path is refused with. */
  readonly nodes: Readonly<Record<string, Node | string>>;
  /** Which guests are introduced. */
  readonly served: readonly number[];
}

export interface Node {
  readonly permissions: readonly string[];
  readonly value: string;
}

/** What a xenstored does of itself, as long as nobody looks. */
export type Told = Omit<Observation, 'there'>;

export type Reply =
  | { readonly kind: 'reply'; readonly type: number; readonly payload: string }
  /** There is no such client at the moment: the domain is not introduced. */
  | { readonly kind: 'absent' }
  /** What was asked after it was answered, and it was not. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'closed' }
  /** The daemon answers nothing any more, not even what was asked to know whether it does. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'crashed' }
  /** The step is not a request. */
  | { readonly kind: 'nothing' };

/** A step as a line for people; bytes that cannot be printed are written as escapes. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'request': {
      const { by, type, transaction, payload } = step;
      const inside = transaction === 0 ? '' : ` in transaction ${transaction}`;
      return `${by}: ${messageName(type) ?? type} ${describeBytes(payload)}${inside}`;
    }
    case 'reconnect':
      return `${step.by}: goes and comes again`;
    case 'shutdown':
    case 'death':
      return `${step.domain}: ${step.kind}`;
  }
}

/** What was observed, as a line for people. */
export function describeObservation({ reply, events, there }: Observation): string {
  const answer =
    reply.kind === 'reply'
      ? `${messageName(reply.type) ?? reply.type} ${describeBytes(reply.payload)}`
      : reply.kind;
  const told = [answer, ...events.map((event) => `event for ${describeBytes(event)}`)];
  return [...told, ...(there === null ? [] : [describeInventory(there)])].join('; ');
}

function describeInventory({ nodes, served }: Inventory): string {
  const lines = Object.entries(nodes).map(([path, node]) =>
    typeof node === 'string'
      ? `${path} ${node}`
      : `${path} ${node.permissions.join(' ')} ${describeBytes(node.value)}`,
  );
  return `there is ${lines.join(', ')}; served: ${served.join(', ') || 'none'}`;
}

function describeBytes(text: string): string {
  const short = text.length > 200 ? `${text.slice(0, 80)}... (${text.length} bytes)` : text;
  return JSON.stringify(short.replaceAll('\0', '|'));
}
