import test from 'ava';
import fc from 'fast-check';
import { encodeFrame, FrameReader, frameLengthMax } from './frames.ts';

test('messages come out as they went in, however the stream is cut', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { maxLength: 8 }),
      fc.integer({ min: 1, max: 50 }),
      (messages, size) => {
        const stream = Buffer.concat(messages.map(encodeFrame));
        const reader = new FrameReader();
        const read: unknown[] = [];
        for (let start = 0; start < stream.length; start += size) {
          const pushed = reader.push(stream.subarray(start, start + size));
          if (!pushed.ok) return t.fail(pushed.error);
          read.push(...pushed.value);
        }
        return t.deepEqual(JSON.stringify(read), JSON.stringify(messages));
      },
    ),
  );
});

test('a frame that is too long is refused before it has arrived', (t) => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(frameLengthMax + 1);
  t.false(new FrameReader().push(header).ok);
});

test('a frame that is not JSON is refused', (t) => {
  t.false(new FrameReader().push(Buffer.from([0, 0, 0, 1, 0x7b])).ok);
});
