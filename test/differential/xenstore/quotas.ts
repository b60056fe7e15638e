import type { PeerQuotas } from '../../peers/peer.ts';

/** Quotas of guests that a history runs against, by the names of GET_QUOTA. */
export interface Quotas {
  readonly nodes?: number;
  readonly watches?: number;
  readonly transactions?: number;
  readonly 'node-size'?: number;
}

/** The same for a peer. */
export function peerQuotas(quotas: Quotas): PeerQuotas {
  const { nodes, watches, transactions } = quotas;
  return {
    ...(nodes === undefined ? {} : { nodes }),
    ...(watches === undefined ? {} : { watches }),
    ...(transactions === undefined ? {} : { transactions }),
  };
}
