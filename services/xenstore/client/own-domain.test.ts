import test from 'ava';
import { ok } from '../../../base/result.ts';
import { bytesOf, textOf } from '../core/payload.ts';
import { messageTypes, type Packet } from '../core/wire.ts';
import type { Transport } from './link.ts';
import { ownDomain } from './own-domain.ts';

/** A xenstored that has one node, or refuses with an error. */
function storeOf(value: string, type: number = messageTypes.READ): Transport {
  return {
    connect: async (listener) =>
      ok({
        payloadMax: 4096,
        send: (packet: Packet) => {
          const isAsked = textOf(packet.payload) === 'domid\0';
          const payload = bytesOf(isAsked ? value : 'ENOENT\0');
          listener.packet({ ...packet, type: isAsked ? type : messageTypes.ERROR, payload });
        },
        close: () => {},
      }),
  };
}

test('a guest reads its number from its own directory', async (t) => {
  t.deepEqual(await ownDomain(storeOf('7')), { ok: true, value: 7 });
  t.deepEqual(await ownDomain(storeOf('0')), { ok: true, value: 0 });
});

test('what is no number of a domain is refused', async (t) => {
  for (const value of ['', 'dom7', '-1', '7\n', '32752', '99999'])
    t.like(await ownDomain(storeOf(value)), { ok: false, error: { code: 'PROTOCOL' } }, value);
});

test('a number that may not be read is a failure, and not domain 0', async (t) => {
  const refused = await ownDomain(storeOf('EACCES\0', messageTypes.ERROR));
  t.like(refused, { ok: false, error: { code: 'EACCES' } });
});
