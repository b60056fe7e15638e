import { fail, ok } from '../../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import { payloadMax } from '../../core/wire.ts';
import { ClientRing } from '../../rings/client.ts';
import type { RingPage } from '../../rings/page.ts';
import type { LinkListener, Transport } from '../link.ts';

/** The event channel of a ring. */
export interface RingChannel {
  /** Tells the server that the page has changed. */
  notify(): void;
  /** Calls `listener` at every event, until another takes its place or null does. */
  listen(listener: (() => void) | null): void;
}

/** How long a server has to end a reconnection. */
const reconnectPatience: Milliseconds = milliseconds(10_000);

/**
 * Reaches xenstored over a ring that this process has mapped itself, as a domain without a kernel of
 * its own for it does. A second link over the same page asks the server for a reconnection, so that
 * nothing of the first is left; a server that does not offer that has one link, once.
 */
export function ring(page: RingPage, channel: RingChannel): Transport {
  let used = false;
  return {
    connect: async (listener) => {
      const end = new ClientRing(page, () => channel.notify());
      if (used && !end.reconnect()) return fail('the server offers no reconnection of its ring');
      used = true;
      const connected = await whenConnected(end, channel);
      if (!connected) return fail('the server does not end the reconnection of its ring');
      return ok(serve(end, channel, listener));
    },
  };
}

function whenConnected(end: ClientRing, channel: RingChannel): Promise<boolean> {
  if (end.state !== 'reconnecting') return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (connected: boolean) => {
      clearTimeout(timer);
      channel.listen(null);
      resolve(connected);
    };
    const timer = setTimeout(() => settle(false), reconnectPatience);
    const look = () => {
      if (end.receive().kind === 'reconnected') settle(true);
    };
    channel.listen(look);
    look();
  });
}

function serve(end: ClientRing, channel: RingChannel, listener: LinkListener) {
  let over = false;
  const close = (reason: string) => {
    over = true;
    channel.listen(null);
    listener.closed(reason);
  };
  channel.listen(() => {
    const received = end.receive();
    if (received.kind === 'broken') close(`the server has ended the ring: error ${received.error}`);
    if (received.kind === 'packets')
      for (const packet of received.packets) if (!over) listener.packet(packet);
    if (!over) end.flush();
  });
  return {
    payloadMax,
    send: (packet: Parameters<ClientRing['send']>[0]) => {
      // The client's own bound of requests on their way is far below that of the ring.
      if (over || end.send(packet)) end.flush();
      else close('the server takes no requests');
    },
    close: () => {
      over = true;
      channel.listen(null);
    },
  };
}
