import test from 'ava';
import fc from 'fast-check';
import { bytes, milliseconds } from '../../../base/units.ts';
import { controlDomain, type DomainConfig, type DomainId, type DomainUuid } from '../../port.ts';
import { type Host, newHost, nextDeadline, type Output } from './state.ts';
import { step } from './step.ts';
import type { Call, HostConfig } from './vocabulary.ts';

const mebibyte = 2 ** 20;
const config: HostConfig = {
  cpus: 2,
  memory: bytes(1024 * mebibyte),
  latency: {
    create: milliseconds(10),
    boot: milliseconds(80),
    shutdown: milliseconds(20),
    destroy: milliseconds(5),
  },
};
const id = 1 as DomainId;
const ownBackend = { backend: controlDomain, device: null };

function domainConfig(number: number, memory = 256): DomainConfig {
  return {
    uuid: `00000000-0000-0000-0000-${String(number).padStart(12, '0')}` as DomainUuid,
    name: `vm-${number}`,
    type: 'pv',
    memory: bytes(memory * mebibyte),
    vcpus: 1,
    kernel: '',
    ramdisk: null,
    commandLine: 'console=hvc0',
    disks: [{ vdev: 'xvda', path: '/images/a', readOnly: false, ...ownBackend }],
    nics: [{ index: 0, mac: '00:16:3e:00:00:01', bridge: 'br0', backend: controlDomain }],
  };
}

/** A host with a clock: calls are numbered, and time passes when it is told to. */
class Rig {
  readonly host: Host = newHost(config);
  readonly outputs: Output[] = [];
  now = 0;
  #call = 0;

  call(request: Call): number {
    this.#call += 1;
    this.outputs.push(
      ...step(this.host, milliseconds(this.now), { kind: 'call', call: this.#call, request }),
    );
    return this.#call;
  }

  create(number = 1, memory = 256): number {
    return this.call({ kind: 'createDomain', config: domainConfig(number, memory), files: null });
  }

  pass(time: number): void {
    this.now += time;
    this.outputs.push(...step(this.host, milliseconds(this.now), { kind: 'tick' }));
  }

  answerTo(call: number): Extract<Output, { kind: 'answer' }>['result'] | undefined {
    for (const output of this.outputs)
      if (output.kind === 'answer' && output.call === call) return output.result;
    return undefined;
  }

  printed(): string {
    return this.outputs.map((output) => (output.kind === 'printed' ? output.text : '')).join('');
  }

  boot(): void {
    this.create();
    this.pass(10);
    this.call({
      kind: 'connectDisk',
      id,
      disk: { vdev: 'xvda', path: '/images/a', readOnly: false, ...ownBackend },
    });
    this.call({ kind: 'unpause', id });
    this.pass(80);
  }
}

test('a domain is half built until its latency has passed', (t) => {
  const rig = new Rig();
  const call = rig.create();
  t.is(rig.answerTo(call), undefined);
  t.is(rig.host.domains.get(id)?.state.kind, 'paused');
  const early = rig.answerTo(rig.call({ kind: 'unpause', id }));
  t.is(early?.ok === false ? early.error.code : null, 'hypervisor-failed');
  rig.pass(10);
  t.deepEqual(rig.answerTo(call), { ok: true, value: { kind: 'id', id } });
});

test('a guest prints its boot, greets the devices that were connected, and no others', (t) => {
  const rig = new Rig();
  rig.boot();
  const printed = rig.printed();
  t.regex(printed, /Linux version .*\r\n.*Command line: console=hvc0/);
  t.regex(printed, /blkfront: xvda/);
  t.notRegex(printed, /eth0/);
  t.true(printed.endsWith('vm-1 login: '));
});

test('a paused guest prints nothing, and goes on where it stood', (t) => {
  const rig = new Rig();
  rig.create();
  rig.pass(10);
  rig.call({ kind: 'unpause', id });
  rig.pass(35);
  const before = rig.printed();
  rig.call({ kind: 'pause', id });
  t.is(nextDeadline(rig.host), null);
  rig.pass(1000);
  t.is(rig.printed(), before);
  rig.call({ kind: 'unpause', id });
  rig.pass(45);
  t.true(rig.printed().length > before.length);
  t.true(rig.printed().endsWith('login: '));
});

test('a guest that is asked to stop while it boots stops after its boot', (t) => {
  const rig = new Rig();
  rig.create();
  rig.pass(10);
  rig.call({ kind: 'unpause', id });
  rig.call({ kind: 'requestShutdown', id, reason: 'reboot' });
  rig.pass(80);
  t.is(rig.host.domains.get(id)?.state.kind, 'running');
  rig.pass(20);
  t.deepEqual(rig.host.domains.get(id)?.state, { kind: 'shutdown', reason: 'reboot' });
});

test('what is typed is echoed, and "crash" crashes the guest', (t) => {
  const rig = new Rig();
  rig.boot();
  const type = (text: string) =>
    rig.outputs.push(...step(rig.host, milliseconds(rig.now), { kind: 'typed', id, text }));
  type('hello\r');
  t.regex(rig.printed(), /login: hello\r\nyou typed: hello\r\n/);
  type('crash\r');
  t.deepEqual(rig.host.domains.get(id)?.state, { kind: 'shutdown', reason: 'crash' });
});

test('destroying a half-built domain ends both calls', (t) => {
  const rig = new Rig();
  const create = rig.create();
  const destroy = rig.call({ kind: 'destroyDomain', id });
  rig.pass(10);
  t.false(rig.answerTo(create)?.ok);
  t.true(rig.answerTo(destroy)?.ok);
  t.is(rig.host.domains.size, 0);
});

test('a call that hangs never answers, and leaves its domain half built', (t) => {
  const rig = new Rig();
  const fault = {
    effect: { kind: 'call-hangs', call: 'createDomain' },
    uuid: null,
    times: 1,
  } as const;
  step(rig.host, milliseconds(0), { kind: 'inject', fault });
  const call = rig.create();
  rig.pass(10_000);
  t.is(rig.answerTo(call), undefined);
  t.is(rig.host.domains.size, 1);
  t.true(rig.answerTo(rig.call({ kind: 'destroyDomain', id })) === undefined);
  rig.pass(5);
  t.is(rig.host.domains.size, 0);
});

test('a call that fails leaves nothing behind, as often as it was told to', (t) => {
  const rig = new Rig();
  const effect = { kind: 'call-fails', call: 'createDomain', code: 'out-of-memory' } as const;
  step(rig.host, milliseconds(0), { kind: 'inject', fault: { effect, uuid: null, times: 2 } });
  const codes = [1, 2, 3].map(() => {
    const call = rig.create();
    rig.pass(10);
    const answer = rig.answerTo(call);
    return answer?.ok === false ? answer.error.code : 'built';
  });
  t.deepEqual(codes, ['out-of-memory', 'out-of-memory', 'built']);
  t.is(rig.host.domains.size, 1);
});

test('a fault of one domain does not strike another', (t) => {
  const rig = new Rig();
  const { uuid } = domainConfig(2);
  const fault = { effect: { kind: 'guest-ignores-shutdown' }, uuid, times: 1 } as const;
  step(rig.host, milliseconds(0), { kind: 'inject', fault });
  rig.boot();
  rig.call({ kind: 'requestShutdown', id, reason: 'poweroff' });
  rig.pass(20);
  t.is(rig.host.domains.get(id)?.state.kind, 'shutdown');
  t.is(rig.host.faults.length, 1);
});

test('whatever is asked, every call but a hanging one is answered once, and memory adds up', (t) => {
  const anId = fc.integer({ min: 1, max: 6 }).map((value) => value as DomainId);
  const request: fc.Arbitrary<Call> = fc.oneof(
    fc.record({
      kind: fc.constant('createDomain' as const),
      config: fc
        .tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom(64, 400, 2000))
        .map((pair) => domainConfig(...pair)),
      files: fc.constant(null),
    }),
    fc.record({
      kind: fc.constantFrom('pause', 'unpause', 'destroyDomain', 'openConsole'),
      id: anId,
    }),
    fc.record({
      kind: fc.constant('requestShutdown' as const),
      id: anId,
      reason: fc.constantFrom('poweroff', 'reboot'),
    }),
    fc.constant({ kind: 'info' as const }),
  );
  const action = fc.oneof(request, fc.integer({ min: 0, max: 60 }));
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const rig = new Rig();
      const asked: number[] = [];
      for (const taken of actions) {
        if (typeof taken === 'number') rig.pass(taken);
        else asked.push(rig.call(taken));
        let used = 0;
        for (const domain of rig.host.domains.values()) used += domain.config.memory;
        t.true(used <= config.memory);
      }
      rig.pass(1000);
      for (const call of asked) {
        const answers = rig.outputs.filter((out) => out.kind === 'answer' && out.call === call);
        t.is(answers.length, 1);
      }
      t.is(nextDeadline(rig.host), null);
    }),
  );
});
