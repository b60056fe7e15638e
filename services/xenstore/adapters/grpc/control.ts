import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { payloadMax } from '../../core/wire.ts';
import { clientFailure } from './failures.ts';
import { Places } from './places.ts';
import type { Xenstore } from './xenstore.ts';

/** Commands that are at work at once: each keeps a place among the requests of the shared client. */
const commandsMax = 4;

type Answer = Result<{ readonly text: string }, Failure>;

/** Commands to the daemon. The answer of one may come late, when its caller is gone. */
export class Commands {
  readonly #xenstore: Xenstore;
  readonly #places = new Places(commandsMax, commandsMax);

  constructor(xenstore: Xenstore) {
    this.#xenstore = xenstore;
  }

  /** Gives the daemon a command, and waits for its answer as long as the caller does. */
  async send(words: readonly string[], signal: AbortSignal): Promise<Answer> {
    const [command, ...more] = words;
    if (command === undefined || words.length > payloadMax) return fail(wrongWords);
    if (!this.#places.take(null)) return fail(tooMany);
    const answered = this.#ask(command, more);
    void answered.then(() => this.#places.leave(null));
    return new Promise((resolve) => {
      const leave = () => resolve(fail(cancelled));
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      void answered.then((answer) => {
        signal.removeEventListener('abort', leave);
        resolve(answer);
      });
    });
  }

  async #ask(command: string, more: readonly string[]): Promise<Answer> {
    const client = await this.#xenstore.client();
    const answer = client.ok ? await client.value.control(command, ...more) : client;
    if (answer.ok) return ok({ text: answer.value });
    return fail(answer.error.code === 'EINVAL' ? wrongWords : clientFailure(answer.error, ''));
  }
}

const wrongWords: Failure = {
  reason: 'INVALID_FIELD',
  message: 'EINVAL: xenstored has no such command, or not with these words',
  remedy: 'Give the words of a command that "help" lists.',
  field: 'words',
};

const tooMany: Failure = {
  reason: 'LIMIT',
  message: `${commandsMax} commands are at work`,
  remedy: 'Try again when they are done.',
};

const cancelled: Failure = {
  reason: 'CANCELLED',
  message: 'the caller is gone; the command may still be done',
  remedy: '',
};
