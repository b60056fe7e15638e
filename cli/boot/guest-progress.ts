import { setTimeout as sleep } from 'node:timers/promises';
import { askSupervisor } from '../../pool/supervision/ask.ts';
import { guestsSocket } from '../../pool/supervision/messages.ts';

/** Between two questions to the supervisor of the service guests, in milliseconds. */
const askInterval = 2_000;

/** Says how the service guests do, whenever that changes, until `signal` says that it is enough. */
export async function tellGuests(say: (text: string) => void, signal: AbortSignal): Promise<void> {
  const told = new Map<string, string>();
  while (!signal.aborted) {
    const answer = await askSupervisor(guestsSocket, { ask: 'status' }, { signal });
    if (answer.ok && answer.value.kind === 'status')
      for (const { service, state, id, detail } of answer.value.services) {
        const domain = id === null ? '' : `, domain ${id}`;
        const text = `the ${service} guest is ${state}${domain}${detail === '' ? '' : ` (${detail})`}`;
        if (told.get(service) !== text) say(text);
        told.set(service, text);
      }
    await sleep(askInterval, undefined, { signal }).catch(() => undefined);
  }
}
