import test from 'ava';
import fc from 'fast-check';
import { bytes } from '../../../base/units.ts';
import { freeMemory, type PlacementHost, type PlacementRequest, place } from './placement.ts';

const mebibyte = 2 ** 20;

function host(name: string, change: Partial<PlacementHost> = {}): PlacementHost {
  return {
    id: `id-${name}`,
    name,
    up: true,
    hypervisor: 'simulated',
    memoryTotal: bytes(4096 * mebibyte),
    memoryReserved: bytes(0),
    vms: 0,
    hasRoom: true,
    ...change,
  };
}

function request(change: Partial<PlacementRequest> = {}): PlacementRequest {
  return {
    vm: 'web',
    memory: bytes(256 * mebibyte),
    vcpus: 1,
    anchors: [],
    needsRoom: false,
    wanted: null,
    purpose: 'start',
    ...change,
  };
}

function chosen(wish: PlacementRequest, hosts: readonly PlacementHost[]): string {
  const placed = place(wish, hosts);
  return placed.ok ? placed.value.name : placed.error.message;
}

test('of the hosts that fit, the one with the fewest VMs is chosen', (t) => {
  t.is(
    chosen(request(), [host('a', { vms: 3 }), host('b', { vms: 1 }), host('c', { vms: 2 })]),
    'b',
  );
});

test('of hosts with as many VMs, the one with most free memory is chosen, then the first by id', (t) => {
  const reserved = (name: string, mebibytes: number) =>
    host(name, { memoryReserved: bytes(mebibytes * mebibyte) });
  t.is(chosen(request(), [reserved('a', 500), reserved('b', 100), reserved('c', 300)]), 'b');
  t.is(chosen(request(), [host('c'), host('b')]), 'b');
});

test('a VM goes where its disks are', (t) => {
  const anchors = [{ what: 'disk web-0', host: 'id-b' }];
  t.is(chosen(request({ anchors }), [host('a'), host('b', { vms: 9 })]), 'b');
});

test('when no host fits, the refusal says of every host why not', (t) => {
  const hosts = [
    host('a', { up: false }),
    host('b', { memoryReserved: bytes(4000 * mebibyte) }),
    host('c', { vms: 1000 }),
    host('d'),
  ];
  const anchors = [{ what: 'disk web-0 (SR local)', host: 'id-b' }];
  t.is(
    chosen(request({ anchors }), hosts),
    'no host fits vm web (256 MiB): a: it is down; b: 96 MiB of 4 GiB is free, and 256 MiB is needed; c: disk web-0 (SR local) is on another host; d: disk web-0 (SR local) is on another host',
  );
  t.is(
    chosen(request({ wanted: 'id-c' }), hosts.slice(2)),
    'no host fits vm web (256 MiB): c: it has 1000 VMs, the most allowed; d: the request names another host',
  );
  t.is(chosen(request(), []), 'no host fits vm web (256 MiB): the pool has no host');
});

test('on Xen a VM needs more than its memory', (t) => {
  const exact = { memoryTotal: bytes(256 * mebibyte) };
  t.is(chosen(request(), [host('a', exact)]), 'a');
  t.is(
    chosen(request(), [host('a', { ...exact, hypervisor: 'xen' })]),
    'no host fits vm web (256 MiB): a: 256 MiB of 256 MiB is free, and 261 MiB is needed',
  );
});

test('a VM is made on a full host only if no other can start it', (t) => {
  const making = request({ purpose: 'create', needsRoom: true });
  const full = host('a', { memoryReserved: bytes(4096 * mebibyte) });
  t.is(chosen(making, [full, host('b', { vms: 5 })]), 'b');
  t.is(chosen(making, [full, host('c', { hasRoom: false })]), 'a');
});

const anyHost = fc
  .record({
    index: fc.nat(30),
    up: fc.boolean(),
    total: fc.nat(64),
    reserved: fc.nat(64),
    vms: fc.integer({ min: 990, max: 1001 }),
    hasRoom: fc.boolean(),
  })
  .map(({ index, up, total, reserved, vms, hasRoom }) =>
    host(`h${index}`, {
      up,
      memoryTotal: bytes(total * 256 * mebibyte),
      memoryReserved: bytes(reserved * 256 * mebibyte),
      vms,
      hasRoom,
    }),
  );
const anyPool = fc.uniqueArray(anyHost, { selector: (each) => each.id, maxLength: 8 });
const anyRequest = fc
  .record({ memory: fc.integer({ min: 1, max: 32 }), needsRoom: fc.boolean(), pin: fc.nat(60) })
  .map(({ memory, needsRoom, pin }) =>
    request({
      memory: bytes(memory * 256 * mebibyte),
      needsRoom,
      wanted: pin <= 30 ? `id-h${pin}` : null,
    }),
  );

test('placement never overcommits a host, and keeps to every condition', (t) => {
  fc.assert(
    fc.property(anyRequest, anyPool, (wish, hosts) => {
      const placed = place(wish, hosts);
      if (!placed.ok) return;
      t.true(placed.value.up);
      t.true(wish.memory <= freeMemory(placed.value));
      t.true(placed.value.vms < 1000);
      t.true(!wish.needsRoom || placed.value.hasRoom);
      t.true(wish.wanted === null || placed.value.id === wish.wanted);
    }),
  );
});

test('placement refuses only when no host meets the conditions', (t) => {
  fc.assert(
    fc.property(anyRequest, anyPool, (wish, hosts) => {
      const possible = hosts.some(
        (each) =>
          each.up &&
          each.vms < 1000 &&
          wish.memory <= freeMemory(each) &&
          (!wish.needsRoom || each.hasRoom) &&
          (wish.wanted === null || wish.wanted === each.id),
      );
      t.is(place(wish, hosts).ok, possible);
    }),
  );
});

test('the order in which the hosts come changes nothing', (t) => {
  fc.assert(
    fc.property(anyRequest, anyPool, fc.infiniteStream(fc.nat()), (wish, hosts, keys) => {
      const keyed = hosts.map((each) => ({ each, key: keys.next().value }));
      const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ each }) => each);
      t.deepEqual(place(wish, shuffled), place(wish, hosts));
    }),
  );
});
