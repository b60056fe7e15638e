import type { Message } from '../core/message.ts';
import type { StateMachine } from '../replica.ts';
import type { NodeLimits } from './limits.ts';

/**
 * A message of another member without the proposals that are too large, or that the state machine
 * cannot read: in the log they would stop every member, again at each start.
 */
export function acceptable<Reply>(
  message: Message,
  machine: StateMachine<Reply>,
  limits: NodeLimits,
): Message {
  if (message.kind !== 'propose') return message;
  const proposals = message.proposals.filter(
    ({ command }) =>
      command.byteLength <= limits.commandBytesMax && machine.accepts?.(command) !== false,
  );
  return proposals.length === message.proposals.length ? message : { ...message, proposals };
}
