import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import type { Input } from '../../proto/codec.ts';
import type { ConsoleInput, ConsoleOutput } from '../../proto/gen/flotilla.vm.v1.ts';
import { verb } from '../command.ts';
import { callFailure } from '../connection/call.ts';
import { unreachable } from '../connection/pool-connection.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { type PoolFlags, type Session, withPool } from '../session.ts';
import { exitCodeOfStop, stopOn } from '../stop.ts';
import { type ConsoleReplay, consoleReplay } from './console-replay.ts';
import { sentenceOf } from './get.ts';
import { escapeKeyName, openKeyboard } from './keyboard.ts';

type ConsoleStream = ClientDuplexStream<Input<ConsoleInput>, ConsoleOutput>;

/** How long a console that was open looks for a host that passes it on: a service's restart fits in. */
const patience = milliseconds(30_000);
/** How long one that was never open looks for a host: there is no service that we know to restart. */
const firstPatience = milliseconds(3000);
const pause = milliseconds(400);
/** A host sends the whole repetition at once; when it is quiet for this long, that was all. */
const replayPause = milliseconds(500);

/** `flotilla vm console`. */
export function consoleCommand(context: Context): Command {
  return verb(context, 'vm', 'console <vm>', "Open a VM's serial console; Ctrl-] leaves it")
    .addHelpText(
      'after',
      `
It shows what the guest printed lately, then what it prints. On a terminal every key goes to the
guest, except ${escapeKeyName}. Otherwise stdin is sent as it is, and it ends when the VM halts.`,
    )
    .action((vm: string, flags: PoolFlags) =>
      withPool(context, flags, (session) => openConsole(session, vm)),
    );
}

/** Connects the terminal with the VM's console until it is left, or the VM halts. */
export async function openConsole(
  session: Session,
  vm: string,
): Promise<Result<ExitCode, Problem>> {
  const { context } = session;
  const stop = stopOn(session);
  const left = new AbortController();
  const signal = AbortSignal.any([stop.signal, left.signal]);
  const replay = consoleReplay();
  let stream: ConsoleStream | undefined;
  const keyboard = openKeyboard(
    context,
    (data) => {
      const writable = stream?.write({ data }) ?? true;
      if (!writable) {
        context.stdin.stream.pause();
        stream?.once('drain', () => context.stdin.stream.resume());
      }
    },
    () => left.abort(),
  );
  if (keyboard.raw) session.note(`the console of ${vm}; ${escapeKeyName} leaves it`);
  try {
    const ended = await keepOpen(session, vm, replay, signal, (opened) => {
      stream = opened;
    });
    if (!ended.ok) return ended;
    if (left.signal.aborted) {
      context.stderr.write('\r\n');
      return ok(exitCodes.done);
    }
    if (stop.signal.aborted) return ok(exitCodeOfStop(stop));
  } finally {
    keyboard.close();
    stop.release();
  }
  session.note(`the console ended: ${await sentenceOf(session, vm, `${vm} is gone`)}`);
  return ok(exitCodes.done);
}

/** Opens the console again by another host for as long as the one that passes it on is lost. */
async function keepOpen(
  session: Session,
  vm: string,
  replay: ConsoleReplay,
  signal: AbortSignal,
  onOpen: (stream: ConsoleStream) => void,
): Promise<Result<void, Problem>> {
  const { context, pool } = session;
  let wasOpen = false;
  let givesUpAt = performance.now() + firstPatience;
  while (!signal.aborted) {
    const [clients] = pool.candidates();
    if (clients === undefined) break;
    const stream = clients.vm.openConsole({ signal });
    onOpen(stream);
    stream.write({ vm });
    try {
      for await (const bytes of received(stream, replay)) {
        wasOpen = true;
        givesUpAt = performance.now() + patience;
        pool.answered(clients.host);
        context.stdout.write(bytes);
      }
      return ok(undefined);
    } catch (error) {
      if (signal.aborted) break;
      const failure = callFailure(error as ServiceError);
      const givesUp = performance.now() > givesUpAt;
      switch (failure.kind) {
        case 'silent':
          pool.wasSilent(clients.host, failure.why);
          if (givesUp) return fail(unreachable(pool.location, pool.silent()));
          break;
        case 'elsewhere':
        case 'not-now':
          if (givesUp) return fail(failure.problem);
          pool.wasSilent(clients.host, failure.problem.message);
          break;
        case 'refused':
          if (givesUp || !wasOpen || failure.problem.reason !== 'HOST_UNREACHABLE')
            return fail(failure.problem);
      }
      if (wasOpen) session.note(`\r\n${clients.host.name} no longer answers; reconnecting\r`);
      replay.reopened();
    }
    await sleep(pause);
    await pool.reconsider();
  }
  return ok(undefined);
}

/** What the guest printed and was not shown before. Throws the stream's error. */
async function* received(stream: ConsoleStream, replay: ConsoleReplay): AsyncGenerator<Uint8Array> {
  const chunks = (stream as AsyncIterable<ConsoleOutput>)[Symbol.asyncIterator]();
  let next = chunks.next();
  for (;;) {
    const chunk = replay.holding() ? await within(next, replayPause) : await next;
    if (chunk === undefined) {
      yield replay.settle();
      continue;
    }
    if (chunk.done === true) break;
    next = chunks.next();
    yield replay.receive(chunk.value.data);
  }
  yield replay.settle();
}

/** What `promise` becomes; undefined if it takes longer than `time`. */
async function within<Value>(promise: Promise<Value>, time: number): Promise<Value | undefined> {
  const done = new AbortController();
  const tooLong = sleep(time, undefined, { signal: done.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, tooLong]);
  } finally {
    done.abort();
  }
}
