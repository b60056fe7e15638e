import test from 'ava';
import { checkListening } from './listening.ts';

function told(configuration: Readonly<Record<string, unknown>>, ...numbers: number[]): string {
  const ports = numbers.map((port) => ({ port, protocol: 'tcp' as const, purpose: 'a test' }));
  const checked = checkListening(configuration, { ports });
  return checked.ok ? 'accepted' : checked.error;
}

test('a service that listens on the ports of its manifest is accepted', (t) => {
  t.is(told({ listen: '10.0.0.2:7423' }, 7423), 'accepted');
  t.is(told({ listen: '[::]:7423' }, 7423), 'accepted');
  t.is(told({ listenClient: '0.0.0.0:2379', listenPeer: '0.0.0.0:2380' }, 2379, 2380), 'accepted');
  t.is(told({ socket: '/run/xenstored.sock' }), 'accepted');
});

test('another port is named, with the one that is to be written', (t) => {
  const text = told({ listen: '10.0.0.2:7000' }, 7423);
  t.regex(text, /listen has port 7000, .* names only 7423; write ADDRESS:7423/);
  t.regex(told({ listen: '10.0.0.2:7000' }), /names none; leave listen/);
});

test('a port of the manifest on which nothing listens is named', (t) => {
  t.regex(told({ listenClient: '0.0.0.0:2379' }, 2379, 2380), /nothing listens on port 2380/);
  t.regex(told({ listen: 'nowhere' }, 7423), /nothing listens on port 7423/);
});
