import { fail, ok, type Result } from '../../../base/result.ts';
import type { DomainId } from '../core/permissions.ts';
import type { MessageName } from '../core/wire.ts';
import { backOff } from './back-off.ts';
import type { ClientFailure } from './failure.ts';
import type { Transport } from './link.ts';
import { firstString, NodeOperations, strings } from './nodes.ts';
import { type ClientOptions, defaultOptions, transactionBackOff } from './options.ts';
import { Session } from './session.ts';
import { OpenTransaction, type Transaction } from './transaction.ts';
import type { Watch } from './watch.ts';

/**
 * A client of any xenstored. Requests may be made without waiting for the ones before; the server
 * answers them in order. Every failure is a value; nothing here throws but what a caller's own
 * functions throw.
 */
export class XenstoreClient extends NodeOperations {
  readonly #session: Session;
  readonly #options: ClientOptions;

  /** Connects over a transport. */
  static async open(
    transport: Transport,
    options: Partial<ClientOptions> = {},
  ): Promise<Result<XenstoreClient, ClientFailure>> {
    const all: ClientOptions = { ...defaultOptions, ...options };
    const session = new Session(transport, all);
    const opened = await session.open();
    return opened.ok ? ok(new XenstoreClient(session, all)) : opened;
  }

  private constructor(session: Session, options: ClientOptions) {
    super((name, payload) => session.request({ name, transactionId: 0, payload }));
    this.#session = session;
    this.#options = options;
  }

  /** Whether the connection is there. Where the client does not reconnect, it never is again. */
  get connected(): boolean {
    return this.#session.line !== null;
  }

  /**
   * Watches a node and everything below it, or only so many levels below, or `@introduceDomain` or
   * `@releaseDomain`. The first event comes at once.
   */
  watch(
    path: string,
    { depth }: { readonly depth?: number | undefined } = {},
  ): Promise<Result<Watch, ClientFailure>> {
    return this.#session.watch(path, depth);
  }

  /** Ends all watches and transactions that the server has for this client. */
  resetWatches(): Promise<Result<void, ClientFailure>> {
    return this.#session.resetWatches();
  }

  /**
   * Runs `body` in a transaction and commits what it did if it comes back with a value; otherwise
   * nothing has happened. Where others have changed what it had read (EAGAIN), it is run again, on a
   * new view, so it should have no other effects. EAGAIN comes back after the last attempt.
   */
  async transaction<Value, Failure>(
    body: (transaction: Transaction) => Promise<Result<Value, Failure>>,
  ): Promise<Result<Value, Failure | ClientFailure>> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(body);
      if (outcome.kind === 'result') return outcome.result;
      if (attempt >= this.#options.transactionAttempts) return fail(outcome.failure);
      await backOff(transactionBackOff, attempt, this.#options.random);
    }
  }

  /** Begins a transaction that the caller ends; `transaction` is for one that can be run again. */
  begin(): Promise<Result<OpenTransaction, ClientFailure>> {
    return OpenTransaction.begin(this.#session);
  }

  /** Has the server serve a domain's ring. The control domain alone may ask for it. */
  introduce(domain: number, gfn: bigint | number, port: number) {
    return this.#do('INTRODUCE', String(domain), String(gfn), String(port));
  }

  /** Has the server serve a domain no longer. */
  release(domain: number) {
    return this.#do('RELEASE', String(domain));
  }

  /** A domain that was shut down runs again. */
  resume(domain: number) {
    return this.#do('RESUME', String(domain));
  }

  /** Has domain `stub` act for domain `target`. */
  setTarget(stub: number, target: number) {
    return this.#do('SET_TARGET', String(stub), String(target));
  }

  /** Where a domain's nodes are. */
  getDomainPath(domain: number): Promise<Result<string, ClientFailure>> {
    return this.#tell('GET_DOMAIN_PATH', String(domain));
  }

  /** Whether the server serves a domain. */
  async isDomainIntroduced(domain: number): Promise<Result<boolean, ClientFailure>> {
    const answer = await this.#tell('IS_DOMAIN_INTRODUCED', String(domain));
    return answer.ok ? ok(answer.value === 'T') : answer;
  }

  /** A command to the server, such as `['quota', 'set', 'nodes', '2000']`; the answer is text. */
  async control(...words: readonly [string, ...string[]]): Promise<Result<string, ClientFailure>> {
    const payload = strings('CONTROL', ...words);
    if (!payload.ok) return payload;
    const { controlTimeout: timeout } = this.#options;
    const asked = { name: 'CONTROL', transactionId: 0, payload: payload.value, timeout } as const;
    return firstString(await this.#session.request(asked));
  }

  /** The bits of the features that this client has, or another domain. */
  getFeatures(domain?: DomainId): Promise<Result<number, ClientFailure>> {
    return this.#number('GET_FEATURE', ...(domain === undefined ? [] : [String(domain)]));
  }

  /** Chooses the features of a domain that is not introduced yet. */
  setFeatures(domain: DomainId, features: number) {
    return this.#do('SET_FEATURE', String(domain), String(features));
  }

  /** The names of the quotas that the server has. */
  async quotaNames(): Promise<Result<readonly string[], ClientFailure>> {
    const answer = await this.#tell('GET_QUOTA');
    return answer.ok ? ok(answer.value.split(' ').filter((name) => name !== '')) : answer;
  }

  /** A quota of new domains, or of one domain. */
  getQuota(name: string, domain?: DomainId): Promise<Result<number, ClientFailure>> {
    return this.#number('GET_QUOTA', ...(domain === undefined ? [] : [String(domain)]), name);
  }

  /** Sets a quota of new domains, or of one domain; 0 switches it off. */
  setQuota(name: string, value: number, domain?: DomainId) {
    const whose = domain === undefined ? [] : [String(domain)];
    return this.#do('SET_QUOTA', ...whose, name, String(value));
  }

  /** Ends the connection: what waits fails as DISCONNECTED, and watches end. */
  close(): void {
    this.#session.close();
  }

  async #attempt<Value, Failure>(
    body: (transaction: Transaction) => Promise<Result<Value, Failure>>,
  ): Promise<
    | { readonly kind: 'result'; readonly result: Result<Value, Failure | ClientFailure> }
    | { readonly kind: 'again'; readonly failure: ClientFailure }
  > {
    const begun = await this.begin();
    if (!begun.ok) return { kind: 'result', result: begun };
    const transaction = begun.value;
    let result: Result<Value, Failure>;
    try {
      result = await body(transaction);
    } catch (thrown) {
      await transaction.end(false);
      throw thrown;
    }
    const ended = await transaction.end(result.ok);
    if (!result.ok || ended.ok) return { kind: 'result', result };
    if (ended.error.code === 'EAGAIN') return { kind: 'again', failure: ended.error };
    return { kind: 'result', result: ended };
  }

  async #tell(
    name: MessageName,
    ...words: readonly string[]
  ): Promise<Result<string, ClientFailure>> {
    const payload = strings(name, ...words);
    if (!payload.ok) return payload;
    return firstString(
      await this.#session.request({ name, transactionId: 0, payload: payload.value }),
    );
  }

  async #number(
    name: MessageName,
    ...words: readonly string[]
  ): Promise<Result<number, ClientFailure>> {
    const answer = await this.#tell(name, ...words);
    if (!answer.ok) return answer;
    if (/^\d{1,10}$/.test(answer.value)) return ok(Number(answer.value));
    return fail({ code: 'PROTOCOL', message: `${name}: "${answer.value}" is not a number` });
  }

  async #do(name: MessageName, ...words: readonly string[]): Promise<Result<void, ClientFailure>> {
    const answer = await this.#tell(name, ...words);
    return answer.ok ? ok(undefined) : answer;
  }
}
