import type { ConnectionId } from './domain.ts';
import type { XenstoreError } from './error.ts';
import type { DomainId } from './permissions.ts';
import type { QuotaName } from './quota.ts';
import type { Packet } from './wire.ts';

/** What the adapter answers to a question. */
export type Answer =
  /** The ring is served as this connection, which the adapter has not connected before. */
  | { readonly kind: 'mapped'; readonly connection: ConnectionId }
  /** It is done, and this is the reply to whoever asked. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly error: XenstoreError };

/** What happens to a xenstore. */
export type Input =
  /** A client of a domain is there: on a socket it is of the control domain. */
  | { readonly kind: 'connect'; readonly connection: ConnectionId; readonly domain: DomainId }
  | { readonly kind: 'disconnect'; readonly connection: ConnectionId }
  | { readonly kind: 'request'; readonly connection: ConnectionId; readonly packet: Packet }
  /** The client has taken so many packets more of those that were sent to it. */
  | { readonly kind: 'taken'; readonly connection: ConnectionId; readonly packets: number }
  /** A ring was reset, or is broken: nothing of the connection is left but itself. */
  | { readonly kind: 'reset'; readonly connection: ConnectionId }
  /** A ring is served without a request for it: those that are there when the daemon starts. */
  | { readonly kind: 'introduced'; readonly domain: DomainId; readonly connection: ConnectionId }
  /** The hypervisor has this domain. Told before a request is given that names one (417). */
  | { readonly kind: 'domain-exists'; readonly domain: DomainId }
  | { readonly kind: 'domain-shutdown'; readonly domain: DomainId }
  | { readonly kind: 'domain-gone'; readonly domain: DomainId }
  | { readonly kind: 'answer'; readonly ticket: number; readonly answer: Answer }
  /** A second has passed; asked for by the output `wake`. */
  | { readonly kind: 'second' };

/** What a request wants that only the adapter can do. */
export type Question =
  /** Map the ring of a domain, bind its event channel, show it these features. */
  | {
      readonly kind: 'map';
      readonly domain: DomainId;
      readonly gfn: number;
      readonly port: number;
      readonly features: number;
    }
  /** CONTROL with a command that is about the process. */
  | {
      readonly kind: 'control';
      readonly command: AdapterCommand;
      readonly parameters: readonly string[];
    };

/** Commands of CONTROL that are about the process and not about what it keeps. */
export const adapterCommands = ['live-update', 'log', 'logfile', 'print'] as const;
export type AdapterCommand = (typeof adapterCommands)[number];

/**
 * What a xenstore wants done, in this order: a reply is sent before the events that the request caused.
 */
export type Output =
  | { readonly kind: 'send'; readonly connection: ConnectionId; readonly packet: Packet }
  /** No more of its requests are to be taken, or they may be again. */
  | { readonly kind: 'hold'; readonly connection: ConnectionId; readonly held: boolean }
  /** The domain is no longer served: unmap its ring, unbind its event channel. */
  | { readonly kind: 'close'; readonly connection: ConnectionId }
  /** A domain that is served has a new event channel, and its ring starts anew. */
  | { readonly kind: 'rebind'; readonly connection: ConnectionId; readonly port: number }
  /** To be answered by an input `answer` with the same ticket. */
  | { readonly kind: 'ask'; readonly ticket: number; readonly question: Question }
  /** A domain was refused something, or, where soft, is close to it; to be logged, not too often. */
  | {
      readonly kind: 'quota-exceeded';
      readonly domain: DomainId;
      readonly quota: QuotaName | 'soft-memory';
    }
  /** An input `second` is wanted in a second's time. */
  | { readonly kind: 'wake' };
