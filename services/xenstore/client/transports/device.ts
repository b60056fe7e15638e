import { writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fail, ok, type Result } from '../../../../base/result.ts';
import {
  encodePacket,
  headerLength,
  messageTypes,
  type Packet,
  payloadMax,
} from '../../core/wire.ts';
import { isErrorName } from '../failure.ts';
import { Framing } from '../framing.ts';
import { firstOf, type Link, type LinkListener, type Transport } from '../link.ts';

/** Where Linux has the device, in the order in which libxenstore looks. */
export const devicePaths = ['/dev/xen/xenbus', '/proc/xen/xenbus'] as const;

/** The file of a device. */
export interface DeviceFile {
  read(buffer: Uint8Array): Promise<{ readonly bytesRead: number }>;
  write(buffer: Uint8Array): Promise<unknown>;
  /** Writes before it returns: the process is about to end. */
  writeNow(buffer: Uint8Array): void;
  close(): Promise<void>;
}

/** Linux takes at most this much in one write, header and payload together. */
const writeMax = payloadMax;

/** Read at once: more than the longest packet. */
const readLength = 8192;

/**
 * Reaches xenstored through the kernel, which shares the domain's ring among its processes: for guests
 * and driver domains. A request has 16 bytes less room than elsewhere.
 * Source: drivers/xen/xenbus/xenbus_dev_frontend.c.
 */
export function characterDevice(
  path: string,
  openFile: (path: string) => Promise<DeviceFile> = openDevice,
): Transport {
  return {
    connect: async (listener) => {
      const file = await openFile(path).then(ok, (error: unknown) =>
        fail(`cannot open ${path}: ${sentenceOf(error)}`),
      );
      return file.ok ? ok(new DeviceLink(file.value, listener)) : file;
    },
  };
}

/** Reaches xenstored through the kernel's device, wherever Linux has it. */
export function kernelDevice(): Transport {
  return firstOf(...devicePaths.map((path) => characterDevice(path)));
}

/** Opens the file itself. */
export async function openDevice(path: string): Promise<DeviceFile> {
  const file = await open(path, 'r+');
  return {
    read: (buffer) => file.read(buffer, 0, buffer.length, null),
    write: (buffer) => file.write(buffer),
    writeNow: (buffer) => {
      writeSync(file.fd, buffer);
    },
    close: () => file.close(),
  };
}

/** A request that changes nothing, whose reply nobody wants: it ends a read that is blocked. */
const waking: Packet = {
  type: messageTypes.GET_DOMAIN_PATH,
  requestId: 0,
  transactionId: 0,
  payload: Buffer.from('0\0'),
};

class DeviceLink implements Link {
  readonly payloadMax = writeMax - headerLength;
  readonly #file: DeviceFile;
  readonly #listener: LinkListener;
  readonly #unsent: Packet[] = [];
  #writing = false;
  /** A request has left, and its reply has not come. */
  #awaited = false;
  #over = false;

  constructor(file: DeviceFile, listener: LinkListener) {
    this.#file = file;
    this.#listener = listener;
    process.once('exit', this.#wakeAtExit);
    void this.#readAll();
  }

  send(packet: Packet): void {
    this.#unsent.push(packet);
    this.#writeNext();
  }

  /**
   * A read is blocked in a thread until something arrives, and no close ends that: the reply that is
   * awaited does, or that to `waking`.
   */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unsent.length = 0;
    this.send(waking);
  }

  /** A process that exits waits for its threads, and so for the read. */
  readonly #wakeAtExit = () => {
    if (this.#awaited) return;
    try {
      this.#file.writeNow(encodePacket(waking));
    } catch {
      // Whatever it is, the process ends, and there is nobody left to tell.
    }
  };

  /**
   * Linux takes one packet with each write, and drops what is behind it. It passes a payload on from the
   * buffer that the next write fills, at any time until the reply (xenbus_dev_request_and_reply in
   * drivers/xen/xenbus/xenbus_xs.c): a request that leaves earlier can become part of the one before it.
   */
  #writeNext(): void {
    if (this.#writing || this.#awaited) return;
    const next = this.#unsent.shift();
    if (next !== undefined) void this.#write(next);
  }

  async #write(packet: Packet): Promise<void> {
    this.#writing = true;
    // Its reply may be there before it is said that it was written.
    this.#awaited = true;
    const written = await attempt(this.#file.write(encodePacket(packet)));
    this.#writing = false;
    if (!written.ok) {
      this.#awaited = false;
      const { code, message } = written.error;
      if (!isErrorName(code)) this.#end(message);
      else if (!this.#over) this.#listener.refused(packet.requestId, code);
    }
    this.#writeNext();
  }

  async #readAll(): Promise<void> {
    const framing = new Framing();
    const buffer = new Uint8Array(readLength);
    for (;;) {
      const read = await attempt(this.#file.read(buffer));
      if (!read.ok) this.#end(read.error.message);
      else if (read.value.bytesRead === 0) this.#end('the device has ended');
      if (!read.ok || read.value.bytesRead === 0 || this.#over) break;
      const fault = framing.feed(buffer.subarray(0, read.value.bytesRead), (packet) => {
        if (packet.type !== messageTypes.WATCH_EVENT) this.#awaited = false;
        if (!this.#over) this.#listener.packet(packet);
      });
      this.#writeNext();
      if (fault !== null) this.#end(`the server sent ${fault}`);
      if (this.#over) break;
    }
    process.off('exit', this.#wakeAtExit);
    await attempt(this.#file.close());
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#unsent.length = 0;
    this.#listener.closed(reason);
  }
}

async function attempt<Value>(
  work: Promise<Value>,
): Promise<Result<Value, { readonly code: string; readonly message: string }>> {
  return work.then(ok, (error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return fail({ code, message: sentenceOf(error) });
  });
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
