import type { Readable, Writable } from 'node:stream';
import * as v from 'valibot';

const Message = v.object({
  return: v.optional(v.unknown()),
  error: v.optional(v.object({ desc: v.string() })),
});

/** QEMU refused a command, or ended before it answered. */
export class QemuRefusal extends Error {
  override readonly name = 'QemuRefusal';
}

/** The QEMU monitor: one command at a time, answered in order. */
export interface Monitor {
  /** Runs a command of QEMU's human monitor and returns what it printed: nothing, for most. */
  command(line: string): Promise<string>;
}

/**
 * Speaks QEMU's machine protocol (QMP: a greeting, then JSON objects, one in each line) over the
 * standard streams of a QEMU process.
 */
export function openMonitor(input: Writable, output: Readable): Monitor {
  const waiting: PromiseWithResolvers<unknown>[] = [];
  let pending = '';
  output.setEncoding('utf8');
  output.on('data', (chunk: string) => {
    const lines = `${pending}${chunk}`.split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) answer(line);
  });
  output.on('close', () => {
    for (const call of waiting.splice(0)) call.reject(new QemuRefusal('QEMU has ended'));
  });
  input.on('error', () => output.destroy());

  const answer = (line: string): void => {
    const message = v.parse(Message, JSON.parse(line));
    if (message.error !== undefined) waiting.shift()?.reject(new QemuRefusal(message.error.desc));
    else if (message.return !== undefined) waiting.shift()?.resolve(message.return);
  };
  const call = (execute: string, args: object): Promise<unknown> => {
    const pendingCall = Promise.withResolvers<unknown>();
    if (output.destroyed) pendingCall.reject(new QemuRefusal('QEMU has ended'));
    else waiting.push(pendingCall);
    input.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    return pendingCall.promise;
  };
  // Commands are accepted once the client has said which extensions it wants: none.
  call('qmp_capabilities', {}).catch(() => undefined);
  return {
    command: async (line) => {
      const printed = await call('human-monitor-command', { 'command-line': line });
      return typeof printed === 'string' ? printed.trim() : '';
    },
  };
}
