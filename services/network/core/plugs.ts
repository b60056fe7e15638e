/**
 * Which interfaces are plugged on this host, as a pure state machine: a request goes in, and what is
 * to be done comes out. A plug belongs to one claim of a VM (its epoch) and to one place in the VM
 * (its index); an interface belongs to one plug, the newest, as domain ids and so names come again.
 */

/** One interface of a VM, joined to a network's bridge. */
export interface Plug {
  readonly vm: string;
  readonly index: number;
  /** Raised by one whenever a host claims the VM. */
  readonly epoch: number;
  readonly network: string;
  readonly mac: string;
  /** The backend's interface: `vif3.0`. */
  readonly interface: string;
  readonly bridge: string;
}

/** The place of a plug in its VM. */
export type Slot = Pick<Plug, 'vm' | 'index'>;

/** What is to be done, in this order. */
export interface PlugActions {
  /** Plugs whose record goes, since another has their interface or their place now. */
  readonly forget: readonly Slot[];
  /** Interfaces that leave their bridge. */
  readonly leave: readonly string[];
}

/** Whether a plug may be. */
export type PlugDecision =
  /** It may: do the actions, record it, then join its interface to its bridge. */
  | ({ readonly kind: 'plug' } & PlugActions)
  /** A newer claim of the same VM exists. */
  | { readonly kind: 'stale'; readonly newest: number };

/**
 * Decides on `wanted`. Asking again for what is plugged is `plug` with nothing to do before: joining
 * again is harmless, and mends a bridge that was taken down. `newestClaim` is the epoch in the VM's
 * record, so that a claim that is over stays refused after its successor has unplugged.
 */
export function decidePlug(
  plugged: readonly Plug[],
  newestClaim: number,
  wanted: Plug,
): PlugDecision {
  const earlier = plugged.find((plug) => isAt(plug, wanted));
  const newest = Math.max(newestClaim, earlier?.epoch ?? 0);
  if (wanted.epoch < newest) return { kind: 'stale', newest };
  const namesakes = plugged.filter(
    (plug) => plug.interface === wanted.interface && !isAt(plug, wanted),
  );
  const isReplaced = earlier !== undefined && earlier.interface !== wanted.interface;
  return {
    kind: 'plug',
    forget: namesakes.map(({ vm, index }) => ({ vm, index })),
    leave: isReplaced ? [earlier.interface] : [],
  };
}

/**
 * What undoing a plug of a claim takes: the plug, or null where there is none of this claim or an
 * older one. What a newer claim has plugged stays.
 */
export function decideUnplug(
  plugged: readonly Plug[],
  claim: Slot & { readonly epoch: number },
): Plug | null {
  const plug = plugged.find((candidate) => isAt(candidate, claim));
  return plug === undefined || plug.epoch > claim.epoch ? null : plug;
}

function isAt(plug: Slot, slot: Slot): boolean {
  return plug.vm === slot.vm && plug.index === slot.index;
}
