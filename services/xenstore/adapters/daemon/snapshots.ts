import type { ConnectionId } from '../../core/domain.ts';
import type { Image, Link } from '../../migration/image.ts';
import type { RevivedRing } from '../revive.ts';
import type { RingClients } from './ring-clients.ts';
import type { Shared } from './shared.ts';

/** The daemon as an image, for the journal and for a process that goes on with it. */
export class Snapshots {
  readonly #shared: Shared;
  readonly #rings: () => RingClients;
  #due = false;

  constructor(shared: Shared, rings: () => RingClients) {
    this.#shared = shared;
    this.#rings = rings;
  }

  /** All that there is; with `descriptors`, for the process that has this one's descriptors. */
  image(descriptors?: Pick<Image, 'listening' | 'eventChannels'>): Image {
    const links = new Map(this.#rings().links());
    if (descriptors !== undefined)
      for (const [connection, peer] of this.#shared.peers) {
        const link = peer.handOver?.() ?? null;
        if (link !== null) links.set(connection, link);
      }
    return this.#imageWith(links, descriptors);
  }

  /** What there was before rings go on, of which none is served yet. */
  imageBefore(rings: ReadonlyMap<ConnectionId, RevivedRing>): Image {
    const links = new Map<ConnectionId, Link>();
    for (const [connection, { place, boundPort, replay }] of rings)
      links.set(connection, { kind: 'ring', place, boundPort, state: replay.state() });
    return this.#imageWith(links);
  }

  /** To be called before anything leaves: what has brought it about is kept first. */
  leaving(): void {
    const { journal } = this.#shared;
    journal.commitLasting();
    if (this.#due || !journal.due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      this.write(this.image());
    });
  }

  /** A snapshot that fails costs nothing but its time: what was before counts on. */
  write(image: Image): void {
    const { journal, options } = this.#shared;
    void journal.snapshot(image).then((outcome) => {
      if (!outcome.ok) options.onTrouble?.(outcome.error);
    });
  }

  #imageWith(
    links: ReadonlyMap<ConnectionId, Link>,
    descriptors: Pick<Image, 'listening' | 'eventChannels'> = {
      listening: null,
      eventChannels: null,
    },
  ): Image {
    const { store, numbers } = this.#shared;
    return { store: store.dump(), nextConnection: numbers.next, links, ...descriptors };
  }
}
