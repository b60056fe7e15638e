import { fstatSync } from 'node:fs';
import { type OnReadOpts, type Server, Socket } from 'node:net';
import { assert } from '../../../base/assert.ts';

/** What Node knows of a socket and has no method for; null where this Node does not tell it. */

function handleOf(holder: Server | Socket): object | null {
  const handle: unknown = Reflect.get(holder, '_handle');
  return typeof handle === 'object' ? handle : null;
}

function numberOf(holder: Server | Socket, name: string): number | null {
  const handle = handleOf(holder);
  const value: unknown = handle === null ? null : Reflect.get(handle, name);
  return typeof value === 'number' && value >= 0 ? value : null;
}

/**
 * The connection of a socket that a server with `pauseOnConnect` has accepted, as a socket that reads into
 * a buffer of ours; the accepted one is done with. Node lets that be said of a socket that connects, or of
 * a descriptor, but not of one that is accepted.
 */
export function readingInto(accepted: Socket, onread: OnReadOpts): Socket {
  const handle = handleOf(accepted);
  assert(handle !== null, 'a connection that was just accepted is open');
  const options: object = { handle, onread, readable: true, writable: true };
  const socket = new Socket(options);
  Reflect.set(accepted, '_handle', null);
  accepted.destroy();
  return socket;
}

/** The file descriptor of a socket that is open. */
export function descriptorOf(socket: Server | Socket): number | null {
  return numberOf(socket, 'fd');
}

/** How many of the bytes that were given to a socket the system has not taken. */
export function unwrittenOf(socket: Socket): number | null {
  return numberOf(socket, 'writeQueueSize');
}

/** Whether a descriptor is open, and a socket. */
export function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch {
    return false;
  }
}
