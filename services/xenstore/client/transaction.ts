import { fail, ok, type Result } from '../../../base/result.ts';
import { bytesOf } from '../core/payload.ts';
import type { Reply } from './exchange.ts';
import type { ClientFailure } from './failure.ts';
import { firstString, NodeOperations, nothing } from './nodes.ts';
import type { Session } from './session.ts';

/** What a transaction's body may do: the operations on nodes, on a view of its own. */
export type Transaction = NodeOperations;

/** A transaction that goes on until it is ended, or until the connection is lost that it belongs to. */
export class OpenTransaction extends NodeOperations {
  readonly #end: (verdict: 'T' | 'F') => Promise<Reply>;

  private constructor(session: Session, line: object | null, transactionId: number) {
    super((name, payload) => session.request({ name, transactionId, payload }, line));
    this.#end = (verdict) => sendEnd(session, line, transactionId, verdict);
  }

  /** Begins one. */
  static async begin(session: Session): Promise<Result<OpenTransaction, ClientFailure>> {
    const { line } = session;
    const payload = Uint8Array.of(0);
    const late = (reply: Uint8Array) =>
      void sendEnd(session, line, Number.parseInt(Buffer.from(reply).toString(), 10), 'F');
    const asked = { name: 'TRANSACTION_START', transactionId: 0, payload, late } as const;
    const started = firstString(await session.request(asked, line));
    if (!started.ok) return started;
    const id = Number(started.value);
    if (!Number.isInteger(id) || id < 1 || id > 0xffffffff)
      return fail({ code: 'PROTOCOL', message: `"${started.value}" is no transaction` });
    return ok(new OpenTransaction(session, line, id));
  }

  /**
   * Ends it: with `commit` what it did happens, or, where others have changed what it had read (EAGAIN),
   * nothing does. It is over, whatever comes of it.
   */
  async end(commit: boolean): Promise<Result<void, ClientFailure>> {
    return nothing(await this.#end(commit ? 'T' : 'F'));
  }
}

function sendEnd(
  session: Session,
  line: object | null,
  transactionId: number,
  verdict: 'T' | 'F',
): Promise<Reply> {
  const payload = bytesOf(`${verdict}\0`);
  return session.request({ name: 'TRANSACTION_END', transactionId, payload }, line);
}
