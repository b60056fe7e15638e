import type { Socket } from 'node:net';
import { lineMax } from './messages.ts';

/**
 * Calls `onLine` with each whole line that comes, and ends the connection where one is longer than
 * `lineMax`: nobody who keeps to the protocol sends it.
 */
export function readLines(socket: Socket, onLine: (line: string) => void): void {
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('data', (data: string) => {
    const lines = (pending + data).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (pending.length > lineMax) socket.destroy();
  });
}
