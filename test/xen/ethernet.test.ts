import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { openEthernet } from './ethernet.ts';

/** Plugs sockets, in place of QEMU's NICs, into all ports; collects what each one receives. */
async function plugged(count: number) {
  const ethernet = await openEthernet(count);
  const sockets: Socket[] = [];
  const received: string[][] = [];
  for (const { own } of ethernet.ports) {
    const socket = createSocket('udp4');
    const frames: string[] = [];
    socket.on('message', (frame) => frames.push(`${frame}`));
    socket.bind(own, '127.0.0.1');
    await once(socket, 'listening');
    sockets.push(socket);
    received.push(frames);
  }
  const send = (from: number, frame: string): void =>
    sockets[from]?.send(frame, ethernet.ports[from]?.hub);
  const arrived = async (to: number, frame: string): Promise<void> => {
    while (!received[to]?.includes(frame)) await sleep(5);
  };
  const close = (): void => {
    ethernet.close();
    for (const socket of sockets) socket.close();
  };
  return { ethernet, received, send, arrived, close };
}

test('a frame reaches all others and not its sender', async (t) => {
  const { received, send, arrived, close } = await plugged(3);
  t.teardown(close);
  send(0, 'one');
  await Promise.all([arrived(1, 'one'), arrived(2, 'one')]);
  send(1, 'two');
  await Promise.all([arrived(0, 'two'), arrived(2, 'two')]);
  t.deepEqual(received, [['two'], ['one'], ['one', 'two']]);
});

test('a cut keeps frames within the groups until it is mended', async (t) => {
  const { ethernet, received, send, arrived, close } = await plugged(3);
  t.teardown(close);
  ethernet.cut([0]);
  send(0, 'from the lonely one');
  send(1, 'among the others');
  await arrived(2, 'among the others');
  ethernet.mend();
  send(0, 'again');
  await Promise.all([arrived(1, 'again'), arrived(2, 'again')]);
  t.deepEqual(received, [[], ['again'], ['among the others', 'again']]);
});
