import test from 'ava';
import * as v from 'valibot';
import { guestUuid } from './identity.ts';

const host = '5cbe1b5c-0f0e-4a39-8a4e-111111111111';

test('a service guest of a host has one UUID for ever, and no other has it', (t) => {
  t.is(guestUuid(host, 'storage'), guestUuid(host, 'storage'));
  t.not(guestUuid(host, 'storage'), guestUuid(host, 'network'));
  t.not(guestUuid(host, 'storage'), guestUuid(host.replace('5', '6'), 'storage'));
  // A supervisor of another version has to find what this one started.
  t.is(String(guestUuid(host, 'storage')), '5fda947e-8d0d-82cb-9c63-6daba31ac93c');
  t.true(v.is(v.pipe(v.string(), v.uuid()), guestUuid(host, 'storage')));
});
