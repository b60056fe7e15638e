import { fail, ok, type Result } from '../../base/result.ts';
import type { Message } from '../core/message.ts';
import type { StateMachine } from '../replica.ts';
import type { NodeLimits } from './limits.ts';

/**
 * A message of another member without the proposals that are too large, that are not for that member
 * to make, or that the state machine cannot read: in the log they would stop every member, again at each start. A leader that has such
 * a command in its log already is not to be followed; the failure is a sentence about it.
 */
export function acceptable<Reply>(
  message: Message,
  machine: StateMachine<Reply>,
  limits: NodeLimits,
): Result<Message, string> {
  if (message.kind === 'append')
    for (const { index, payload } of message.entries)
      if (payload.kind === 'command' && machine.accepts?.(payload.proposal.command, null) === false)
        return fail(`its entry ${index} is a command that cannot be read here`);
  if (message.kind !== 'propose') return ok(message);
  const proposals = message.proposals.filter(
    ({ command }) =>
      command.byteLength <= limits.commandBytesMax &&
      machine.accepts?.(command, message.from) !== false,
  );
  return ok(proposals.length === message.proposals.length ? message : { ...message, proposals });
}
