import test from 'ava';
import { guestCommandLine } from './command-line.ts';

const none = { address: undefined, gateway: undefined, hasData: false, hasSeed: false };

test("the host's words come after the manifest's", (t) => {
  const words = { address: '10.0.0.2/24', gateway: '10.0.0.1', hasData: true, hasSeed: true };
  t.deepEqual(guestCommandLine('quiet  loglevel=1', words), {
    ok: true,
    value:
      'quiet loglevel=1 flotilla.address=10.0.0.2/24 flotilla.gateway=10.0.0.1 flotilla.data=xvda flotilla.seed=xvdb',
  });
  t.deepEqual(guestCommandLine('quiet', none), { ok: true, value: 'quiet' });
});

test('what was signed is not said again in other words', (t) => {
  const twice = guestCommandLine('flotilla.data=xvdc', { ...none, hasData: true });
  t.regex(twice.ok ? '' : twice.error, /has the kernel word flotilla\.data= already/);
});

test('a command line that Linux would cut is refused', (t) => {
  t.false(guestCommandLine('x'.repeat(4090), { ...none, hasSeed: true }).ok);
});
