import { unreachable } from '../../../base/assert.ts';
import { fail, ok } from '../../../base/result.ts';
import type { Milliseconds } from '../../../base/units.ts';
import { disconnectBackend } from './backends.ts';
import { answer, call } from './calls.ts';
import { faultsMax } from './faults.ts';
import { performCue, type } from './life.ts';
import type { Host, Input, Output, Timer } from './state.ts';

/**
 * Advances the host to `now` and gives it one input. `now` never goes back. What became due on
 * the way happens first, in the order of its time, so the outputs are those of a host that was
 * stepped at every moment; a late `tick` changes nothing but when the world hears of it.
 */
export function step(host: Host, now: Milliseconds, input: Input): Output[] {
  const outputs = runDue(host, now);
  switch (input.kind) {
    case 'call':
      outputs.push(...call(host, now, input.call, input.request));
      break;
    case 'typed': {
      const domain = host.domains.get(input.id);
      if (domain !== undefined) outputs.push(...type(host, domain, input.text, now));
      break;
    }
    case 'inject':
      if (host.faults.length < faultsMax) host.faults.push(input.fault);
      break;
    case 'tick':
      break;
    default:
      unreachable(input);
  }
  outputs.push(...runDue(host, now));
  return outputs;
}

function runDue(host: Host, now: Milliseconds): Output[] {
  const outputs: Output[] = [];
  for (let timer = takeDue(host, now); timer !== null; timer = takeDue(host, now))
    outputs.push(...expire(host, timer));
  return outputs;
}

function takeDue(host: Host, now: Milliseconds): Timer | null {
  let earliest: Timer | null = null;
  for (const timer of host.timers)
    if (timer.at <= now && (earliest === null || timer.at < earliest.at)) earliest = timer;
  host.timers = host.timers.filter((timer) => timer !== earliest);
  return earliest;
}

function expire(host: Host, { id, at, event }: Timer): Output[] {
  const domain = host.domains.get(id);
  // A domain that was destroyed twice is gone after the first; both calls succeeded.
  if (domain === undefined)
    return event.kind === 'gone' ? [answer(event.call, ok({ kind: 'done' }))] : [];
  switch (event.kind) {
    case 'built':
      if (event.failure !== null) {
        host.domains.delete(id);
        return [{ kind: 'changed', id }, answer(event.call, fail(event.failure))];
      }
      domain.built = true;
      return [{ kind: 'changed', id }, answer(event.call, ok({ kind: 'id', id }))];
    case 'gone':
      host.domains.delete(id);
      disconnectBackend(host, domain);
      return [
        { kind: 'console-ended', id },
        { kind: 'changed', id },
        answer(event.call, ok({ kind: 'done' })),
      ];
    case 'guest':
      return performCue(host, domain, at);
  }
  return unreachable(event);
}
