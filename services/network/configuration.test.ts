import test from 'ava';
import { InvalidArgumentError } from 'commander';
import * as v from 'valibot';
import { addNetwork, NetworkConfigurationSchema } from './configuration.ts';

const least = {
  hostId: '00000000-0000-4000-8000-000000000001',
  hostName: 'host-1',
  listen: '127.0.0.1:7422',
  store: ['127.0.0.1:2379'],
  dataDir: '/var/lib/flotilla/network',
};

test('a host of a pool that makes its own networks needs only what every service needs', (t) => {
  const configuration = { ...least, driver: 'bridge', networks: [] };
  t.deepEqual(v.parse(NetworkConfigurationSchema, least), configuration);
});

test('what cannot be is refused, and the message says what to write', (t) => {
  const refused = [
    [{ driver: 'ovs' }, 'driver', 'write "bridge" (Linux) or "simulated"'],
    [
      { networks: [{ name: 'default', bridge: 'eth0' }] },
      'networks.0.bridge',
      'write the name of a bridge, such as xenbr0',
    ],
  ] as const;
  for (const [changes, path, message] of refused) {
    const parsed = v.safeParse(NetworkConfigurationSchema, { ...least, ...changes });
    const [issue] = parsed.issues ?? [];
    if (issue === undefined) return t.fail(`${path} is accepted`);
    t.is(v.getDotPath(issue), path);
    t.is(issue.message, message);
  }
});

test('networks are named one by one on the command line', (t) => {
  t.deepEqual(addNetwork('san=xenbr1', addNetwork('default=xenbr0')), [
    { name: 'default', bridge: 'xenbr0' },
    { name: 'san', bridge: 'xenbr1' },
  ]);
  for (const wrong of ['', 'default', 'default=xenbr0=x'])
    t.throws(() => addNetwork(wrong), { instanceOf: InvalidArgumentError });
});
