import test from 'ava';
import fc from 'fast-check';
import { encodePacket, headerLength, parsePacket, payloadMax } from './wire.ts';

const word = fc.integer({ min: 0, max: 0xffffffff });

test('[X66] a packet is what was encoded, wherever it starts, and nothing before it is whole', (t) => {
  const holds = () =>
    fc.assert(
      fc.property(
        word,
        word,
        word,
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(20),
        (type, requestId, transactionId, payload, start) => {
          const bytes = encodePacket({ type, requestId, transactionId, payload });
          const shifted = new Uint8Array(start + bytes.length + 5);
          shifted.set(bytes, start);
          for (let length = 0; length < bytes.length; length += 1) {
            const cut = parsePacket(shifted.subarray(0, start + length), start);
            if (!cut.ok || cut.value.kind !== 'need-more') return false;
          }
          const parsed = parsePacket(shifted, start);
          if (!parsed.ok || parsed.value.kind !== 'packet') return false;
          const { packet, used } = parsed.value;
          return (
            used === bytes.length &&
            packet.type === type &&
            packet.requestId === requestId &&
            packet.transactionId === transactionId &&
            Buffer.from(packet.payload).equals(payload)
          );
        },
      ),
    );
  t.notThrows(holds);
});

test('[X66] XSA-420 lengths are unsigned, and one above the most ends the connection', (t) => {
  for (const length of [payloadMax + 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
    const header = Buffer.alloc(headerLength);
    header.writeUInt32LE(length, 12);
    t.deepEqual(parsePacket(header), {
      ok: false,
      error: `a payload of ${length} bytes; at most 4096 are allowed`,
    });
  }
  const most = encodePacket({
    type: 2,
    requestId: 0,
    transactionId: 0,
    payload: new Uint8Array(payloadMax),
  });
  const parsed = parsePacket(most);
  t.true(parsed.ok && parsed.value.kind === 'packet');
});
