import test, { type ExecutionContext } from 'ava';
import { type Answers, AttackedHost } from './attacked-host.ts';
import { buildAttacker, type Foothold } from './attacker-image.ts';
import { bootLab, type Lab } from './lab.ts';
import { elapsedReport } from './progress.ts';

/**
 * What docs/least-privilege.md says of the network domain, on real Xen: an attacker in its place, first with its
 * service and then with its kernel, tries what it must not, beside what it may. Each answer is compared.
 */
let lab: Lab;
let host: AttackedHost;

const patience = 1_800_000;

test.serial.before('a host boots on a xenstore domain', async (t) => {
  t.timeout(2_400_000);
  lab = await bootLab({ images: ['xenstore'], words: ['flotilla.xenstored=domain'] });
  await lab.first.sh('for id in 0 1; do xl sched-credit2 -d $id -w 4000; done');
  host = new AttackedHost(lab.first);
});

test.after.always('the host is gone', () => lab?.close());

/** Lets an attacker try everything beside a guest; returns what it was answered. */
async function attacked(t: ExecutionContext, foothold: Foothold): Promise<Answers> {
  t.timeout(patience);
  await host.put(foothold, await buildAttacker(foothold, elapsedReport()));
  t.true((await host.start(foothold)) > 0);
  await host.startVictim();
  const answers = await host.attack();
  t.log([...answers].map(([what, answer]) => `${what}: ${answer}`).join('\n'));
  t.true(await host.victimIsWell());
  await host.stop();
  return answers;
}

/** Compares the answers to what is named, and names those that differ. */
function compare(
  t: ExecutionContext,
  answers: Answers,
  expected: Readonly<Record<string, string>>,
): void {
  const found = Object.keys(expected).map((what) => [what, answers.get(what) ?? 'not tried']);
  t.deepEqual(Object.fromEntries(found), expected);
}

/** xenstore knows domains, not what runs in them: service and kernel are answered alike. */
const store = {
  'xenstore write its own data': 'OK',
  'xenstore read its own data': 'OK x',
  'xenstore remove its own data': 'OK',
  'xenstore read the frontend that it serves': 'OK 4',
  'xenstore heard of its own': 'yes',
  'xenstore heard of the NIC that it serves': 'yes',
  'xenstore watch /local/domain': 'OK',
  'xenstore heard of others': '0 events',
  // Whoever may not hear of something may watch it, in vain.
  'xenstore watch @introduceDomain': 'OK',
  'xenstore watch @releaseDomain': 'OK',
  'xenstore heard of domains that come and go': '0 events',
  ...Object.fromEntries(
    [
      'write the frontend that it serves',
      'list all domains',
      'list the root',
      'list the victim',
      "read the victim's name",
      'permissions the victim',
      "read the victim's data",
      "write the victim's data",
      'make a node of the victim',
      'remove the victim',
      'give away the victim',
      "list the victim's disks",
      "read the victim's disk",
      "write the victim's shutdown",
      "read the control domain's name",
      "list the control domain's backends",
      "read the victim's disk's backend",
      'write a disk of its own choice',
      "list the toolstack's records",
      'list the VMs',
      'write a node below the root',
      'introduce the victim',
      'release the victim',
      'resume the victim',
      'stand for the victim',
      'control xenstored',
    ].map((what) => [`xenstore ${what}`, 'EACCES']),
  ),
};

test.serial(
  'whoever takes over its service gets no device, no right and no entry more',
  async (t) => {
    const answers = await attacked(t, 'service');
    compare(t, answers, store);
    compare(t, answers, {
      user: '1000',
      // CAP_NET_ADMIN.
      capabilities: '0000000000001000',
      'capabilities that it can get': '0000000000001000',
      'no new privileges': '1',
      'block devices': 'xvdb',
      'devices of PCI': '0',
      'open /dev/xen/xenbus': 'OK',
      ...Object.fromEntries(
        ['gntdev', 'gntalloc', 'evtchn', 'privcmd', 'hypercall'].map((name) => [
          `open /dev/xen/${name}`,
          'ENOENT',
        ]),
      ),
      'the device for grants': 'ENOENT',
      'the device for event channels': 'ENOENT',
      'the device for hypercalls': 'ENOENT',
      'open /dev/xvdb': 'EACCES',
      'open /dev/loop0': 'EACCES',
      'open /proc/sysrq-trigger': 'EACCES',
      'open /dev/kmsg': 'EPERM',
      'open /seed/attack': 'EROFS',
      mount: 'EPERM',
      'become root': 'EPERM',
      'trace init': 'EPERM',
      'insert a module': 'EPERM',
      'load a kernel': 'EPERM',
      // user.max_user_namespaces is 0.
      'a user namespace': 'ENOSPC',
      'mounts of its own': 'EPERM',
    });
  },
);

test.serial(
  'whoever takes over its kernel gets what Xen lets a domain do, and no more',
  async (t) => {
    const answers = await attacked(t, 'kernel');
    compare(t, answers, store);
    compare(t, answers, {
      user: '0',
      'block devices': 'xvdb',
      'devices of PCI': '0',
      'open /dev/xvdb': 'OK',
      'become root': 'OK',
      mount: 'OK',
      'mounts of its own': 'OK',
    });
    compare(t, answers, {
      'the device for grants': 'OK',
      'map the grant of the NIC that it serves': 'OK',
      'copy from the grant of the NIC that it serves': 'OK',
      "map the grant of the victim's disk": 'EINVAL',
      "copy from the grant of the victim's disk": 'general_error',
      "map the grant of the victim's xenstore ring": 'EINVAL',
      "copy from the grant of the victim's xenstore ring": 'general_error',
      "map the grant of the victim's console": 'EINVAL',
      "copy from the grant of the victim's console": 'general_error',
      'copy from every grant of the control domain': '0 copied, 1024 refused',
      'copy from every grant of the xenstore domain': '0 copied, 1024 refused',
    });
    compare(t, answers, {
      'the device for event channels': 'OK',
      'offer a port to itself': 'OK',
      'bind to the port that is offered': 'OK',
      "bind to the port of the victim's disk": 'EINVAL',
      'bind to every port of the victim': '0 bound',
      'bind to every port of the control domain': '0 bound',
      'bind to every port of the xenstore domain': '0 bound',
    });
    compare(t, answers, {
      'the device for hypercalls': 'OK',
      'ask for the version': '4.17',
      'count its own memory': 'OK',
      "count the victim's memory": 'EPERM',
      'the size of its own grant table': 'status 0',
      // GNTST_permission_denied.
      "the size of the victim's grant table": 'status -8',
      'the state of a port of its own': 'OK',
      'the state of a port of the victim': 'EPERM',
      'make a port for itself in the victim': 'EPERM',
      'close all ports of the victim': 'EPERM',
      'domctl getdomaininfo of the victim': 'EPERM',
      'domctl getdomaininfo of itself': 'EPERM',
      'domctl pausedomain of the victim': 'EPERM',
      'domctl destroydomain of the victim': 'EPERM',
      'domctl createdomain': 'EPERM',
      'sysctl physinfo': 'EPERM',
      'sysctl getdomaininfolist': 'EPERM',
      'sysctl readconsole': 'EPERM',
      "read the hypervisor's console": 'EPERM',
      'shut the victim down': 'EPERM',
      'map memory of the victim': 'EPERM',
      'map memory of the control domain': 'EPERM',
    });
  },
);
