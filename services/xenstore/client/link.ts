import type { Result } from '../../../base/result.ts';
import type { Packet } from '../core/wire.ts';
import type { ErrorName } from './failure.ts';

/** Who is told what a link brings. */
export interface LinkListener {
  /** A reply or an event. Its payload is a view: who keeps it copies it. */
  packet(packet: Packet): void;
  /** The transport itself refuses a request: the server will not see it, nor reply. */
  refused(requestId: number, error: ErrorName): void;
  /** The link is over, for a reason of the server's or the system's. Called once, the last call. */
  closed(reason: string): void;
}

/** A connection to a xenstored that carries packets in both directions. */
export interface Link {
  /** The most bytes that the payload of a request may have here. */
  readonly payloadMax: number;
  /** Sends a request. The client bounds how many are on their way. */
  send(packet: Packet): void;
  /** Ends the link. The listener is told nothing more. */
  close(): void;
}

/** A way to reach a xenstored. It may be used again after its link has ended. */
export interface Transport {
  /** Connects. The failure is a sentence. */
  connect(listener: LinkListener): Promise<Result<Link, string>>;
}

/** The first of several ways that works, tried in order. */
export function firstOf(...transports: readonly Transport[]): Transport {
  return {
    connect: async (listener) => {
      const reasons: string[] = [];
      for (const transport of transports) {
        const link = await transport.connect(listener);
        if (link.ok) return link;
        reasons.push(link.error);
      }
      return { ok: false, error: reasons.join('; ') };
    },
  };
}
