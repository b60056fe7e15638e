import test from 'ava';
import type { PowerReport } from './power.ts';
import { allow, type Verb, type VmSituation, verbs } from './states.ts';

const halted: PowerReport = { state: 'halted', host: '', domid: 0, startedAt: null, detail: '' };
const running: PowerReport = {
  state: 'running',
  host: 'host-2',
  domid: 7,
  startedAt: 1,
  detail: '',
};

function vm(change: Partial<VmSituation> = {}): VmSituation {
  return {
    name: 'web',
    lifecycle: 'ready',
    desired: 'halted',
    power: halted,
    operation: null,
    ...change,
  };
}

const situations: Readonly<Record<string, VmSituation>> = {
  halted: vm(),
  running: vm({ desired: 'running', power: running }),
  paused: vm({ desired: 'running', power: { ...running, state: 'paused' } }),
  'running, to be halted': vm({ power: running }),
  'halted, to be running': vm({
    desired: 'running',
    power: { ...halted, host: 'host-2' },
  }),
  unknown: vm({ desired: 'running', power: { ...running, state: 'unknown' } }),
  creating: vm({ lifecycle: 'creating' }),
  deleting: vm({ lifecycle: 'deleting' }),
  busy: vm({ operation: { id: 'op-1', verb: 'vm.start', host: 'host-2', hostUp: true } }),
};

/** The verbs that each situation allows: all others are refused. */
const allowed: Readonly<Record<string, readonly Verb[]>> = {
  halted: ['start', 'delete', 'rename', 'change'],
  running: ['shutdown', 'reboot', 'destroy', 'rename'],
  paused: ['destroy', 'rename'],
  'running, to be halted': ['destroy', 'rename'],
  'halted, to be running': ['destroy', 'rename'],
  unknown: ['rename'],
  creating: ['delete'],
  deleting: ['delete'],
  busy: [],
};

for (const [name, situation] of Object.entries(situations))
  test(`a VM that is ${name} allows ${allowed[name]?.join(', ') || 'nothing'}`, (t) => {
    t.deepEqual(
      verbs.filter((verb) => allow(verb, situation).ok),
      verbs.filter((verb) => allowed[name]?.includes(verb)),
    );
  });

test('every refusal names the VM, and says what to do unless the wish is fulfilled already', (t) => {
  const fulfilled = [
    'vm web is running on host-2 already',
    'vm web is paused on host-2 already',
    'vm web is halted already',
    'vm web is halted',
  ];
  for (const situation of Object.values(situations))
    for (const verb of verbs) {
      const answer = allow(verb, situation);
      if (answer.ok) continue;
      t.deepEqual(answer.error.resource, { type: 'vm', name: 'web' });
      t.regex(answer.error.message, /vm web/);
      if (answer.error.remedy === '') t.true(fulfilled.includes(answer.error.message));
      else t.regex(answer.error.remedy, /\.$/);
    }
});

test('deleting a VM that runs says where it runs and how to stop it', (t) => {
  t.like(allow('delete', vm({ desired: 'running', power: running })), {
    ok: false,
    error: {
      reason: 'WRONG_STATE',
      message: 'vm web is running on host-2',
      remedy: 'Shut it down first: flotilla vm shutdown web.',
    },
  });
});

test('a VM on a host that is down is refused as unreachable, not as halted or running', (t) => {
  for (const verb of ['start', 'shutdown', 'destroy', 'delete'] as const)
    t.like(allow(verb, vm({ desired: 'running', power: { ...running, state: 'unknown' } })), {
      error: {
        reason: 'HOST_UNREACHABLE',
        message: 'vm web was last claimed by host-2, which is down: nobody can say whether it runs',
      },
    });
});

test('an operation under way is named with the commands that watch and cancel it', (t) => {
  const operation = { id: 'op-1', verb: 'vm.start', host: 'host-2', hostUp: true };
  t.like(allow('start', vm({ operation })), {
    error: {
      reason: 'BUSY',
      message: 'an operation on vm web is under way: vm.start (op-1)',
      remedy:
        'Wait for it: flotilla operation watch op-1; or cancel it: flotilla operation cancel op-1.',
    },
  });
  t.like(allow('start', vm({ operation: { ...operation, hostUp: false } })), {
    error: {
      reason: 'BUSY',
      remedy: 'Bring host-2 back: the operation goes on by itself.',
    },
  });
});
