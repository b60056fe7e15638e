import { fail, ok } from '../../../base/result.ts';
import { storeBounds } from '../../kv/bounds.ts';
import type { LeaseId } from '../../kv/version.ts';
import { failures, type Served } from './failures.ts';
import type { EtcdMember } from './member.ts';

/** Renewals that wait for their turn at one member: a hundred commands' worth. */
const waitingMax = 100 * storeBounds.leasesPerCommand;

interface Waiting {
  readonly id: LeaseId;
  readonly settle: (served: Served<number>) => void;
}

/**
 * Renews leases through the log, so that any member takes a keep-alive and that an acknowledged one
 * counts on whoever leads next. Those that come while a command is under way share the next one:
 * the log grows by the time that passes, not by the number of leases.
 */
export class Renewals {
  readonly #member: EtcdMember;
  #waiting: Waiting[] = [];
  #sending = false;

  constructor(member: EtcdMember) {
    this.#member = member;
  }

  /** Resolves to the lease's TTL in seconds once it is renewed; 0 where there is no such lease. */
  renew(id: LeaseId): Promise<Served<number>> {
    if (this.#waiting.length >= waitingMax) return Promise.resolve(fail(failures.tooMany));
    return new Promise((settle) => {
      this.#waiting.push({ id, settle });
      if (!this.#sending) void this.#send();
    });
  }

  async #send(): Promise<void> {
    this.#sending = true;
    // The renewals that arrived together with the first one join it.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, storeBounds.leasesPerCommand);
      this.#waiting = this.#waiting.slice(batch.length);
      const ids = batch.map((each) => each.id);
      const served = await this.#member.propose<'renew'>({ kind: 'renew', ids });
      for (const [position, { settle }] of batch.entries())
        settle(served.ok ? ok(served.value.ttls[position] ?? 0) : served);
    }
    this.#sending = false;
  }
}
