import type { Duplex } from 'node:stream';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import type { DomainId, Hypervisor, HypervisorError } from '../port.ts';
import type { SimulatedControls } from '../simulated/controls.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import {
  type CallName,
  type CallParams,
  calls,
  callsInFlightMax,
  clipDetail,
  type Request,
  type Response,
  requestSchema,
} from './messages.ts';
import { ServedConsoles } from './served-consoles.ts';

/**
 * Bytes that may wait for a slow reader before its console output is dropped and its events are
 * merged. Replies always go out: `callsInFlightMax` bounds them.
 */
const backlogMax = 2 ** 20;

type Answer = Promise<Result<unknown, HypervisorError>>;

/**
 * Serves a hypervisor on one connection until it ends. The hypervisor itself is left as it is;
 * calls that are under way run on.
 */
export function serveHypervisor(
  stream: Duplex,
  hypervisor: Hypervisor,
  controls: SimulatedControls | null,
): void {
  const reader = new FrameReader();
  const changed = new Set<DomainId>();
  let inFlight = 0;
  let stopWatch: (() => void) | null = null;

  const send = (message: Response): void => {
    if (stream.writable) stream.write(encodeFrame(message));
  };
  const congested = (): boolean => stream.writableLength > backlogMax;
  const consoles = new ServedConsoles(send, congested);

  const flush = (): void => {
    for (const id of changed) {
      if (congested()) return;
      changed.delete(id);
      send({ kind: 'changed', id });
    }
  };

  const watch = async (): Promise<void> => {
    if (stopWatch !== null) return;
    stopWatch = hypervisor.watch((id) => {
      changed.add(id);
      flush();
    });
    // The watcher may have missed what happened before it asked, so it hears of every domain.
    const listed = await hypervisor.listDomains();
    for (const { id } of listed.ok ? listed.value : []) changed.add(id);
    flush();
  };

  const answer = async (call: number, name: CallName, params: unknown[]): Promise<void> => {
    if (inFlight >= callsInFlightMax)
      return send(errorReply(call, 'hypervisor-unavailable', `${inFlight} calls are waiting`));
    inFlight += 1;
    const result = await perform({ hypervisor, controls, consoles }, call, name, params);
    inFlight -= 1;
    if (result.ok) send({ kind: 'value', call, value: result.value ?? null });
    else send(errorReply(call, result.error.code, result.error.detail));
  };

  const receive = (message: Request): void => {
    switch (message.kind) {
      case 'call':
        void answer(message.call, message.name, message.params);
        break;
      case 'watch':
        void watch();
        break;
      case 'type':
        consoles.type(message.console, Buffer.from(message.data, 'base64'));
        break;
      case 'close-console':
        consoles.close(message.console);
    }
  };

  stream.on('data', (chunk: Uint8Array) => {
    const messages = reader.push(chunk);
    // A peer that breaks the protocol is a bug in the peer: it loses its connection, not more.
    if (!messages.ok) return stream.destroy();
    for (const message of messages.value) {
      const parsed = v.safeParse(requestSchema, message);
      if (!parsed.success) return stream.destroy();
      receive(parsed.output);
    }
    return undefined;
  });
  stream.on('drain', flush);
  stream.on('error', () => stream.destroy());
  stream.on('end', () => stream.end());
  stream.on('close', () => {
    stopWatch?.();
    consoles.closeAll();
  });
}

function errorReply(call: number, code: HypervisorError['code'], detail: string): Response {
  return { kind: 'error', call, error: { code, detail: clipDetail(detail) } };
}

interface Served {
  readonly hypervisor: Hypervisor;
  readonly controls: SimulatedControls | null;
  readonly consoles: ServedConsoles;
}

async function perform(
  { hypervisor, controls, consoles }: Served,
  call: number,
  name: CallName,
  params: unknown[],
): Answer {
  switch (name) {
    case 'info':
      return run(name, params, () => hypervisor.info());
    case 'listDomains':
      return run(name, params, () => hypervisor.listDomains());
    case 'createDomain':
      return run(name, params, ([config]) => hypervisor.createDomain(config));
    case 'connectDisk':
      return run(name, params, ([id, disk]) => hypervisor.connectDisk(id, disk));
    case 'nicInterface':
      return run(name, params, ([id, index]) => hypervisor.nicInterface(id, index));
    case 'connectNic':
      return run(name, params, ([id, index]) => hypervisor.connectNic(id, index));
    case 'unservedDevices':
      return run(name, params, ([id]) => hypervisor.unservedDevices(id));
    case 'unpause':
      return run(name, params, ([id]) => hypervisor.unpause(id));
    case 'pause':
      return run(name, params, ([id]) => hypervisor.pause(id));
    case 'requestShutdown':
      return run(name, params, ([id, reason]) => hypervisor.requestShutdown(id, reason));
    case 'destroyDomain':
      return run(name, params, ([id]) => hypervisor.destroyDomain(id));
    case 'openConsole':
      return run(name, params, async ([id]) => {
        const opened = await hypervisor.openConsole(id);
        if (opened.ok) consoles.add(call, opened.value);
        return opened.ok ? ok(undefined) : opened;
      });
    case 'inject':
      return run(name, params, ([fault]) => controls?.inject(fault) ?? notSimulated());
    case 'connectedDevices':
      return run(name, params, ([id]) => controls?.connectedDevices(id) ?? notSimulated());
  }
}

async function run<Name extends CallName>(
  name: Name,
  params: unknown[],
  call: (params: CallParams<Name>) => Answer,
): Answer {
  const schema: (typeof calls)[Name]['params'] = calls[name].params;
  const parsed = v.safeParse(schema, params);
  if (parsed.success) return call(parsed.output);
  const [issue] = parsed.issues;
  const where = v.getDotPath(issue) ?? 'arguments';
  return fail({ code: 'unsupported', detail: `${name}: ${where}: ${issue.message}` });
}

function notSimulated(): Answer {
  return Promise.resolve(
    fail({ code: 'unsupported', detail: 'only a simulated hypervisor takes this call' }),
  );
}
