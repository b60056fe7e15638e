import { fail, ok, type Result } from '../../base/result.ts';

/**
 * Frames on a byte stream between a service and the process that holds its hypervisor: a length
 * of four bytes, most significant first, then as many bytes of JSON.
 */

/** Longest frame: a list of a thousand domains takes a quarter of it. */
export const frameLengthMax = 2 ** 20;

const headerLength = 4;

/** The bytes of one frame. The caller keeps messages below `frameLengthMax`. */
export function encodeFrame(message: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(message));
  const frame = Buffer.allocUnsafe(headerLength + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, headerLength);
  return frame;
}

/** Cuts a stream into messages. It keeps at most one frame that is not complete yet. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** Takes what arrived and returns the messages that it completed, or what is wrong with it. */
  push(chunk: Uint8Array): Result<unknown[], string> {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const messages: unknown[] = [];
    for (;;) {
      const header = this.#peek(headerLength);
      if (header === null) return ok(messages);
      const length = header.readUInt32BE();
      if (length > frameLengthMax)
        return fail(`a frame of ${length} bytes exceeds the limit of ${frameLengthMax}`);
      const frame = this.#peek(headerLength + length);
      if (frame === null) return ok(messages);
      this.#drop(headerLength + length);
      try {
        messages.push(JSON.parse(frame.toString('utf8', headerLength, headerLength + length)));
      } catch {
        return fail('a frame is not JSON');
      }
    }
  }

  /** The first `length` bytes, or null while there are fewer. Joins chunks only when needed. */
  #peek(length: number): Buffer | null {
    if (this.#length < length) return null;
    let first = this.#chunks[0];
    if (first === undefined || first.length < length) {
      first = Buffer.concat(this.#chunks);
      this.#chunks = [first];
    }
    return Buffer.from(first.buffer, first.byteOffset, first.length);
  }

  #drop(length: number): void {
    const [first, ...rest] = this.#chunks;
    this.#length -= length;
    if (first !== undefined) this.#chunks = [first.subarray(length), ...rest];
  }
}
