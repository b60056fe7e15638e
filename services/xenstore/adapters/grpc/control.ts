import { fail, ok, type Result } from '../../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { XenstoreClient } from '../../client/client.ts';
import { inProcess } from '../../client/transports/in-process.ts';
import { controlDomain } from '../../core/permissions.ts';
import { payloadMax } from '../../core/wire.ts';
import type { Daemon } from '../daemon.ts';
import { failureOf } from './failures.ts';

/** A command may take as long as a live update is given; the caller's deadline comes first. */
const patience: Milliseconds = milliseconds(600_000);

/** Gives the daemon a command, through a client of its own: the reply may come later. */
export async function sendControl(
  daemon: Daemon,
  words: readonly string[],
  signal: AbortSignal,
): Promise<Result<{ readonly text: string }, Failure>> {
  const [command, ...more] = words;
  if (command === undefined || words.length > payloadMax) return fail(wrongWords);
  const opened = await XenstoreClient.open(
    inProcess((peer) => daemon.attach(controlDomain, peer)),
    { timeout: patience },
  );
  if (!opened.ok) return fail(failureOf('EIO', ''));
  const client = opened.value;
  const leave = () => client.close();
  signal.addEventListener('abort', leave, { once: true });
  const answer = await client.control(command, ...more);
  signal.removeEventListener('abort', leave);
  client.close();
  if (answer.ok) return ok({ text: answer.value });
  const { code } = answer.error;
  switch (code) {
    case 'EINVAL':
      return fail(wrongWords);
    case 'EACCES':
    case 'EBUSY':
    case 'ENOENT':
    case 'ENOSYS':
    case 'E2BIG':
      return fail(failureOf(code, ''));
    default:
      return fail(failureOf('EIO', ''));
  }
}

const wrongWords: Failure = {
  reason: 'INVALID_FIELD',
  message: 'EINVAL: xenstored has no such command, or not with these words',
  remedy: 'Give the words of a command that "help" lists.',
  field: 'words',
};
