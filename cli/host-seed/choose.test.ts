import test from 'ava';
import { pretendSeed } from '../testing/pretend-seed.ts';
import { poolOfSeed, type SeedRequest } from './choose.ts';

const { pool } = pretendSeed();
const asked: SeedRequest = {
  ...{ address: '10.0.0.11/24', name: undefined },
  ...{ guests: pool.guests?.guests, type: undefined },
};

function refusal(...request: Parameters<typeof poolOfSeed>): string {
  const chosen = poolOfSeed(...request);
  return chosen.ok ? 'chosen' : chosen.error;
}

test('a new pool is of one host, whose services have an address each', (t) => {
  const chosen = poolOfSeed(asked, null);
  t.like(chosen, { ok: true, value: { hypervisor: 'xen', guests: { images: '/images' } } });
  const [host, ...others] = chosen.ok ? chosen.value.hosts : [];
  t.like(host, { name: 'host-1', address: '10.0.0.11', ports: { 'vm-lifecycle': 7421 } });
  t.deepEqual(others, []);
  const guests = asked.guests ?? [];
  t.regex(refusal({ ...asked, guests: guests.slice(1) }, null), /--guest consensus=ADDRESS/);
  t.regex(refusal({ ...asked, address: '10.0.0.21/24' }, null), /two of these are one/);
});

test('a pool that is there stays what it is', (t) => {
  t.deepEqual(poolOfSeed({ ...asked, guests: undefined }, pool), { ok: true, value: pool });
  t.deepEqual(poolOfSeed(asked, pool), { ok: true, value: pool });
  t.regex(refusal({ ...asked, address: '10.0.0.12/24' }, pool), /has 10\.0\.0\.11/);
  t.regex(refusal({ ...asked, name: 'other' }, pool), /is of host-1/);
  t.regex(refusal({ ...asked, type: 'pvh' }, pool), /made with the other/);
  t.regex(refusal({ ...asked, guests: [] }, pool), /other addresses/);
  t.regex(refusal(asked, { ...pool, guests: undefined }), /not one of a host image/);
});
