import test from 'ava';
import { makeKeyPair } from '../../pool/images/keys.ts';
import { checkConfiguration } from './configuration.ts';

const member = {
  name: 'a',
  dataDir: '/data/consensus',
  listenClient: '0.0.0.0:2379',
  listenPeer: '0.0.0.0:2380',
  initialCluster: { a: '10.0.0.1:2380' },
  tls: {
    ca: '/data/identity/ca.pem',
    certificate: '/data/identity/certificate.pem',
    key: '/data/identity/key.pem',
  },
};

const service = {
  hostId: '00000000-0000-4000-8000-000000000001',
  hostName: 'host-1',
  store: ['10.0.0.1:2379'],
  dataDir: '/data/service',
};

function refusal(fields: unknown): string {
  const checked = checkConfiguration('consensus', JSON.stringify(fields));
  return checked.ok ? 'accepted' : checked.error;
}

test('a configuration that the service accepts is linked, in one form for one content', (t) => {
  const one = checkConfiguration('consensus', JSON.stringify(member));
  const other = checkConfiguration('consensus', JSON.stringify(member, null, 4));
  t.true(one.ok);
  t.deepEqual(one, other);
});

test("what the service's own schema refuses is refused when the image is built", (t) => {
  t.regex(refusal({ ...member, listenClient: 'nowhere' }), /listenClient: is not HOST:PORT/);
  t.regex(refusal({ ...member, colour: 'red' }), /colour: is not a known field/);
  const socket = checkConfiguration('xenstore', '{"socket": 7}');
  t.regex(socket.ok ? '' : socket.error, /^socket: /);
});

test('a port that the manifest does not name is refused, with the one that it names', (t) => {
  t.regex(
    refusal({ ...member, listenPeer: '0.0.0.0:7000' }),
    /listenPeer has port 7000, .* only 2379, 2380/,
  );
  const network = checkConfiguration(
    'network',
    JSON.stringify({ ...service, listen: '[::]:7422' }),
  );
  t.regex(network.ok ? '' : network.error, /listen has port 7422, .* write ADDRESS:7423/);
  t.true(checkConfiguration('storage', JSON.stringify({ ...service, listen: '[::]:7422' })).ok);
});

test('a private key is refused, wherever it stands', (t) => {
  const pem = '-----BEGIN PRIVATE KEY-----\nMC4CAQA\n-----END PRIVATE KEY-----\n';
  t.regex(refusal({ ...member, tls: { ...member.tls, key: pem } }), /holds a private key/);
  t.regex(refusal({ ...member, clusterToken: pem }), /holds a private key/);
});

test('a path of keys that would be in the image is refused', (t) => {
  const key = '/etc/flotilla/key.pem';
  t.regex(
    refusal({ ...member, tls: { ...member.tls, key } }),
    /tls\.key: .* images have no secrets/,
  );
  const climbing = '/data/../etc/key.pem';
  t.regex(refusal({ ...member, tls: { ...member.tls, key: climbing } }), /tls\.key/);
});

test('what is no JSON object is refused', (t) => {
  for (const text of ['', '[]', '7', '{'])
    t.regex(String(Object.values(checkConfiguration('consensus', text))), /JSON object/);
});

test('a control domain is told whom to believe, by public keys', (t) => {
  const { privateKey, publicKey } = makeKeyPair();
  const check = (fields: object) => {
    const checked = checkConfiguration('vm-lifecycle', JSON.stringify(fields));
    return checked.ok ? 'accepted' : checked.error;
  };
  t.is(check({ seedKey: publicKey, imageKey: publicKey }), 'accepted');
  t.regex(check({ seedKey: publicKey }), /imageKey/);
  t.regex(check({ seedKey: privateKey, imageKey: publicKey }), /private key/);
  t.regex(check({ seedKey: 'no key', imageKey: publicKey }), /seedKey: it holds no public key/);
});
