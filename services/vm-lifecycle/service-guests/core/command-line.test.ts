import test from 'ava';
import { hostWords } from './command-line.ts';

test('a guest is told its address and its disks, and nothing that it does not have', (t) => {
  const address = { address: '10.0.0.2/24', gateway: '10.0.0.1', bridge: 'xenbr0' };
  t.is(
    hostWords({ ...address, hasData: true, hasSeed: true }),
    'flotilla.address=10.0.0.2/24 flotilla.gateway=10.0.0.1 flotilla.bridge=xenbr0 flotilla.data=xvda flotilla.seed=xvdb',
  );
  const none = { address: undefined, gateway: undefined, bridge: undefined };
  t.is(hostWords({ ...none, hasData: false, hasSeed: false }), '');
});
