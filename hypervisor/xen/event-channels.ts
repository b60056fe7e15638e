import { closeSync, openSync, read, writeSync } from 'node:fs';
import { ok, type Result } from '../../base/result.ts';
import type { DomainId, HypervisorError } from '../port.ts';
import type { EventChannel } from '../xenstore-port.ts';
import { deviceFailure, ioctlNumber, type Kernel, lastError } from './kernel.ts';

/** The ioctls of /dev/xen/evtchn: linux/xen/evtchn.h. */
const bindVirq = ioctlNumber('E', 0, 4);
const bindInterdomain = ioctlNumber('E', 1, 8);
const bindUnboundPort = ioctlNumber('E', 2, 4);
const unbindPort = ioctlNumber('E', 3, 4);
const notifyPort = ioctlNumber('E', 4, 4);

/** DOMID_SELF of xen.h. */
const self = 0x7ff0;

/** A port is a word of 32 bits; this many are read at once. */
const portSize = 4;
const portsAtOnce = 256;

/**
 * Event channels, by the kernel's device. A thread of libuv's pool waits in read(2) for events, and
 * would keep the process from ending: so a channel that leads from this process to itself wakes it.
 */
export class EventChannels {
  readonly #kernel: Kernel;
  readonly #fd: number;
  readonly #listeners = new Map<number, () => void>();
  readonly #buffer = Buffer.alloc(portsAtOnce * portSize);
  readonly #wake = () => this.#call(notifyPort, [this.#alarm]);
  readonly #alarm: number;
  #closed = false;

  /** Opens the device and waits for events; throws where there is none. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#fd = openSync('/dev/xen/evtchn', 'r+');
    const far = this.open(() => undefined);
    this.#alarm = far.ok ? this.#call(bindInterdomain, [self, far.value.port]) : -1;
    if (this.#alarm < 0) throw new Error(`there is no event channel to be had: ${lastError()}`);
    process.on('exit', this.#wake);
    this.#read();
  }

  /** Opens a port that this domain itself may bind. */
  open(onEvent: () => void): Result<EventChannel & { readonly port: number }, HypervisorError> {
    const port = this.#call(bindUnboundPort, [self]);
    if (port < 0) return deviceFailure(`no port can be opened: ${lastError()}`);
    return ok({ ...this.#channel(port, onEvent), port });
  }

  /** Binds a port of a domain. */
  bind(domain: DomainId, port: number, onEvent: () => void): Result<EventChannel, HypervisorError> {
    const local = this.#call(bindInterdomain, [domain, port]);
    if (local < 0)
      return deviceFailure(`port ${port} of domain ${domain} cannot be bound: ${lastError()}`);
    return ok(this.#channel(local, onEvent));
  }

  /** Binds a virtual interrupt of this host. */
  bindVirq(virq: number, onEvent: () => void): Result<EventChannel, HypervisorError> {
    const local = this.#call(bindVirq, [virq]);
    if (local < 0)
      return deviceFailure(`virtual interrupt ${virq} cannot be bound: ${lastError()}`);
    return ok(this.#channel(local, onEvent));
  }

  /** Closes all channels. */
  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    process.off('exit', this.#wake);
    this.#wake();
  }

  #channel(local: number, onEvent: () => void): EventChannel {
    this.#listeners.set(local, onEvent);
    let bound = true;
    const words = wordsOf([local]);
    return {
      localPort: local,
      notify: () => void this.#kernel.ioctl(this.#fd, notifyPort, words),
      unmask: () => {
        if (bound && !this.#closed) writeSync(this.#fd, words);
      },
      unbind: () => {
        if (!bound) return;
        bound = false;
        this.#listeners.delete(local);
        this.#kernel.ioctl(this.#fd, unbindPort, words);
      },
    };
  }

  #read(): void {
    read(this.#fd, this.#buffer, 0, this.#buffer.length, null, (error, length) => {
      if (this.#closed) {
        closeSync(this.#fd);
        return;
      }
      if (error !== null) throw error;
      // An event of a channel that was closed meanwhile is nobody's.
      for (let at = 0; at < length; at += portSize)
        this.#listeners.get(this.#buffer.readUInt32LE(at))?.();
      this.#read();
    });
  }

  /** The ioctl's answer: a port, 0, or -1 with the reason in errno. */
  #call(request: number, words: readonly number[]): number {
    return this.#kernel.ioctl(this.#fd, request, wordsOf(words));
  }
}

function wordsOf(words: readonly number[]): Buffer {
  const buffer = Buffer.alloc(words.length * portSize);
  for (const [index, word] of words.entries()) buffer.writeUInt32LE(word, index * portSize);
  return buffer;
}
