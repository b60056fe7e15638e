import test from 'ava';
import { hostWords } from './command-line.ts';

test('a guest is told its address and its disks, and nothing that it does not have', (t) => {
  t.is(
    hostWords({ address: '10.0.0.2/24', gateway: '10.0.0.1', hasData: true, hasSeed: true }),
    'flotilla.address=10.0.0.2/24 flotilla.gateway=10.0.0.1 flotilla.data=xvda flotilla.seed=xvdb',
  );
  const none = { address: undefined, gateway: undefined, hasData: false, hasSeed: false };
  t.is(hostWords(none), '');
});
