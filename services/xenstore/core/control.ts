import { fail, ok } from '../../../base/result.ts';
import type { Handler, Outcome, Request, StoreActions } from './actions.ts';
import { parseDomain } from './domain-requests.ts';
import { adapterCommands } from './input.ts';
import { readStrings } from './payload.ts';
import { findQuota, parseQuotaValue, quotaDescriptions, quotaNames } from './quota.ts';
import { done, text } from './reply.ts';

/** CONTROL: what `xenstore-control` asks. The replies are text for people, as those of C xenstored. */

const helpText = `${[
  'check',
  'log             [on|off|+<switch>|-<switch>]',
  'live-update     [-c <cmdline>] [-F] [-t <timeout>] <file>',
  'logfile         <file>',
  'memreport',
  'print           <string>',
  'quota           [set <name> <val>|<domid>|max [-r]]',
  'quota-soft      [set <name> <val>]',
  'help',
].join('\n')}\n`;

/** Handles CONTROL. */
export const control: Handler = (request) => {
  const { store, payload } = request;
  const [command = '', ...parameters] = readStrings(payload);
  switch (command) {
    case 'check':
      return parameters.length > 0 ? fail('EINVAL') : checked(store);
    case 'memreport':
      return parameters.length > 0 ? fail('EINVAL') : text(store.report());
    case 'quota':
      return quota(store, parameters);
    case 'quota-soft':
      return softQuota(store, parameters);
    case 'help':
      return parameters.length > 0 ? fail('EINVAL') : text(helpText);
    default:
      return askAdapter(request, command, parameters);
  }
};

function checked(store: StoreActions): Outcome {
  const faults = store.check();
  return faults.length === 0 ? done : text(faults.join('\n'));
}

function askAdapter(request: Request, name: string, parameters: readonly string[]): Outcome {
  const command = adapterCommands.find((each) => each === name);
  if (command === undefined) return fail('EINVAL');
  request.store.ask(request, { kind: 'control', command, parameters });
  return ok({ reply: 'later' });
}

function row(name: string, value: number, rest: string): string {
  return `${name.padEnd(17)}: ${String(value).padStart(8)}${rest}\n`;
}

function quota(store: StoreActions, parameters: readonly string[]): Outcome {
  const { quotas } = store.domains;
  const [first, ...rest] = parameters;
  if (first === undefined) {
    const rows = quotaNames.map((name) =>
      row(name, quotas.hard[name], ` ${quotaDescriptions[name]}`),
    );
    return text(`Quota settings:\n${rows.join('')}`);
  }
  if (first === 'set') return setHard(store, rest);
  if (first === 'max') return most(store, rest);
  const id = parseDomain(first);
  if (id === undefined || rest.length > 0) return fail('EINVAL');
  const domain = store.domains.find(id);
  if (domain === undefined) return fail('ENOENT');
  const rows = quotaNames.map((name) =>
    row(name, domain.used[name], ` (max ${String(domain.peak[name]).padStart(8)})`),
  );
  return text(`Domain ${id}:\n${rows.join('')}`);
}

function setHard(store: StoreActions, [name = '', value = '', more]: readonly string[]): Outcome {
  const found = findQuota(name);
  const amount = parseQuotaValue(value);
  if (found === undefined || found === 'soft-memory' || more !== undefined) return fail('EINVAL');
  if (amount === undefined || amount === 0) return fail('EINVAL');
  store.domains.quotas.hard[found] = amount;
  return done;
}

/** The most that any domain, but the control domain, has used at once. */
function most(store: StoreActions, [option, more]: readonly string[]): Outcome {
  if (more !== undefined || (option !== undefined && option !== '-r')) return fail('EINVAL');
  const guests = [...store.domains].filter((domain) => !domain.privileged);
  if (option === '-r') for (const domain of guests) domain.forgetPeaks();
  const rows = quotaNames.map((name) =>
    row(name, Math.max(0, ...guests.map(({ peak }) => peak[name])), ''),
  );
  return text(`Max. seen accounting values:\n${rows.join('')}`);
}

function softQuota(store: StoreActions, parameters: readonly string[]): Outcome {
  const { quotas } = store.domains;
  const [verb, name, value = '', more] = parameters;
  if (verb === undefined)
    return text(
      `Quota settings:\n${row('memory', quotas.softMemory, ` ${quotaDescriptions.memory}`)}`,
    );
  const amount = parseQuotaValue(value);
  if (verb !== 'set' || name !== 'memory' || more !== undefined) return fail('EINVAL');
  if (amount === undefined || amount === 0) return fail('EINVAL');
  quotas.softMemory = amount;
  return done;
}
