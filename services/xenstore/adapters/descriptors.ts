import { fstatSync } from 'node:fs';
import type { Server, Socket } from 'node:net';

/** What Node knows of a socket and has no method for; null where this Node does not tell it. */

function numberOf(holder: Server | Socket, name: string): number | null {
  const handle: unknown = Reflect.get(holder, '_handle');
  const value: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, name) : null;
  return typeof value === 'number' && value >= 0 ? value : null;
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
