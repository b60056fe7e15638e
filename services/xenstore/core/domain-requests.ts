import { fail, ok, type Result } from '../../../base/result.ts';
import type { Handler, StoreActions } from './actions.ts';
import { allFeatures, type Domain } from './domain.ts';
import type { XenstoreError } from './error.ts';
import { domainPath } from './path.ts';
import { readString, readStrings } from './payload.ts';
import { controlDomain, type DomainId, firstReservedDomain } from './permissions.ts';
import { findQuota, parseQuotaValue, quotaNames } from './quota.ts';
import { done, text } from './reply.ts';

/** Domains: docs/misc/xenstore.txt, "Domain management and xenstored communications". */

/** The domid by which a domain names itself: DOMID_SELF of xen.h. */
const selfDomain = 0x7ff0;

/** Reads a domid; undefined where it is not a number of 16 bits. */
export function parseDomain(content: string | undefined): DomainId | undefined {
  if (content === undefined || !/^\d{1,5}$/.test(content)) return undefined;
  const value = Number(content);
  return value > 0xffff ? undefined : (value as DomainId);
}

/** INTRODUCE: serve the ring of a domain; of one that is served, the ring starts anew. */
export const introduce: Handler = (request) => {
  const { store, payload } = request;
  const [id, gfn = '', port = ''] = readStrings(payload);
  const domain = parseDomain(id);
  if (domain === undefined || domain === controlDomain || domain >= firstReservedDomain)
    return fail('EINVAL');
  if (!/^-?\d{1,20}$/.test(gfn) || !/^\d{1,10}$/.test(port) || Number(port) === 0)
    return fail('EINVAL');
  const known = store.domains.find(domain);
  if (known?.introduced === true) {
    store.rebind(known, Number(port));
    return done;
  }
  const features = known?.features ?? allFeatures;
  store.ask(request, { kind: 'map', domain, gfn: Number(gfn), port: Number(port), features });
  return ok({ reply: 'later' });
};

/** A domain other than the control domain that is served. */
function served(store: StoreActions, payload: Uint8Array): Result<Domain, XenstoreError> {
  const content = readString(payload);
  const id = content.ok ? parseDomain(content.value) : undefined;
  if (id === undefined || id === controlDomain) return fail('EINVAL');
  const domain = store.domains.find(id);
  return domain?.introduced === true ? ok(domain) : fail('ENOENT');
}

/** RELEASE: serve a domain no longer. */
export const release: Handler = ({ store, payload }) => {
  const domain = served(store, payload);
  if (!domain.ok) return domain;
  store.release(domain.value);
  return done;
};

/** RESUME: a domain that was shut down runs again. */
export const resume: Handler = ({ store, payload }) => {
  const domain = served(store, payload);
  if (!domain.ok) return domain;
  domain.value.shutdown = false;
  return done;
};

/** GET_DOMAIN_PATH: where a domain's directory is. */
export const getDomainPath: Handler = ({ payload }) => {
  const content = readString(payload);
  const id = content.ok ? parseDomain(content.value) : undefined;
  return id === undefined ? fail('EINVAL') : text(domainPath(id));
};

/** IS_DOMAIN_INTRODUCED. */
export const isIntroduced: Handler = ({ store, payload }) => {
  const content = readString(payload);
  const id = content.ok ? parseDomain(content.value) : undefined;
  if (id === undefined) return fail('EINVAL');
  return text(id === selfDomain || store.domains.find(id)?.introduced === true ? 'T' : 'F');
};

/** SET_TARGET: a stub domain acts for its target. */
export const setTarget: Handler = ({ store, payload }) => {
  const [stub, target] = readStrings(payload).map(parseDomain);
  if (stub === undefined || target === undefined) return fail('EINVAL');
  const domain = store.domains.find(stub);
  if (domain?.introduced !== true || store.domains.find(target)?.introduced !== true)
    return fail('ENOENT');
  domain.target = target;
  return done;
};

/** GET_FEATURE: of the caller, or, for the control domain, of any domain. */
export const getFeature: Handler = ({ store, connection, payload }) => {
  const [id, more] = readStrings(payload);
  if (id === undefined) return text(String(connection.domain.features));
  if (!connection.domain.privileged) return fail('EACCES');
  const named = parseDomain(id);
  if (named === undefined || more !== undefined) return fail('EINVAL');
  const domain = store.domains.existing(named);
  return domain === undefined ? fail('ENOENT') : text(String(domain.features));
};

/** SET_FEATURE: which features a domain will have that is not served yet. */
export const setFeature: Handler = ({ store, payload }) => {
  const [id, value = '', more] = readStrings(payload);
  const named = parseDomain(id);
  if (named === undefined || !/^\d{1,10}$/.test(value) || more !== undefined) return fail('EINVAL');
  const domain = store.domains.existing(named);
  if (domain === undefined) return fail('ENOENT');
  if (domain.introduced) return fail('EBUSY');
  const wanted = Number(value);
  if (wanted > allFeatures) return fail('EINVAL');
  domain.features = wanted;
  return done;
};

/** GET_QUOTA: the names of all, or a value: of new domains, or of one domain. */
export const getQuota: Handler = ({ store, payload }) => {
  const strings = readStrings(payload);
  if (strings.length > 2) return fail('EINVAL');
  const [first, second] = strings;
  if (first === undefined) return text([...quotaNames, 'soft-memory'].join(' '));
  const holder = second === undefined ? ok(store.domains) : quotaHolder(store, first);
  if (!holder.ok) return holder;
  const quota = findQuota(second ?? first);
  if (quota === undefined) return fail('EINVAL');
  const { hard, softMemory } = holder.value.quotas;
  return text(String(quota === 'soft-memory' ? softMemory : hard[quota]));
};

/** SET_QUOTA: of new domains, or of one domain. */
export const setQuota: Handler = ({ store, payload }) => {
  const strings = readStrings(payload);
  const [name, value] = strings.slice(-2);
  if (strings.length > 3 || name === undefined || value === undefined) return fail('EINVAL');
  const holder = strings.length === 2 ? ok(store.domains) : quotaHolder(store, strings[0] ?? '');
  if (!holder.ok) return holder;
  const quota = findQuota(name);
  const amount = parseQuotaValue(value);
  if (quota === undefined || amount === undefined) return fail('EINVAL');
  if (quota === 'soft-memory') holder.value.quotas.softMemory = amount;
  else holder.value.quotas.hard[quota] = amount;
  return done;
};

function quotaHolder(store: StoreActions, id: string): Result<Domain, XenstoreError> {
  const named = parseDomain(id);
  if (named === undefined) return fail('EINVAL');
  const domain = store.domains.existing(named);
  return domain === undefined ? fail('ENOENT') : ok(domain);
}
