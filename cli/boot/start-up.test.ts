import test from 'ava';
import { pretendSeed } from '../testing/pretend-seed.ts';
import { planOf, startUp } from './start-up.ts';

test("a host's services are where its image has room for them, with its own key for images", (t) => {
  const { pool } = pretendSeed();
  const guests = { ...pool.guests, images: '/elsewhere', trustedKey: '/data/key', guests: [] };
  const plan = planOf(pretendSeed({ pool: { ...pool, guests } }));
  t.is(plan.directory, '/data/host');
  const supervisor = plan.processes.find(({ name }) => name === 'service-guests');
  t.deepEqual(supervisor?.configuration.trustedKeys, ['/run/flotilla/image-key.pem']);
  const whole = planOf(pretendSeed());
  const names = whole.processes.map(({ name }) => name);
  t.deepEqual(names, ['service-guests', 'xenstore', 'vm-lifecycle'], 'the others are guests');
  t.notRegex(JSON.stringify(whole), /elsewhere/);
  t.like(whole.processes.find(({ name }) => name === 'vm-lifecycle')?.configuration, {
    listen: '10.0.0.11:7421',
    store: ['10.0.0.21:2379'],
    supervisors: ['/data/host/supervisor.sock', '/run/flotilla/service-guests.sock'],
  });
});

test('xenstore is served before anything of Xen asks for it', (t) => {
  const names = startUp(pretendSeed()).map(({ name }) => name);
  t.deepEqual(names, ['network', 'xenstore-domain', 'control-domain']);
});
