import { credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import test from 'ava';
import { milliseconds } from '../base/units.ts';
import { connect } from './client.ts';
import { codec } from './codec.ts';
import { Vm, VmService } from './gen/flotilla.vm.v1.ts';
import { outdated } from './generate.ts';
import { addReflection } from './reflection.ts';
import { addService } from './server.ts';

test('proto/gen is what `npm run proto` writes', (t) => {
  t.deepEqual(outdated(), []);
});

test('a decoded message has every field; sizes above 4 GiB are exact numbers', (t) => {
  const vm = codec(Vm).decode(codec(Vm).encode({ name: 'web', memory: 2 ** 40 + 1 }));
  t.is(vm.memory, 2 ** 40 + 1);
  t.is(vm.powerState, 'POWER_STATE_UNSPECIFIED');
  t.deepEqual(vm.disks, []);
  t.is(vm.boot, null);
});

test('a typed client calls a typed server; what is not handled is UNIMPLEMENTED', async (t) => {
  const server = new Server();
  addService(server, VmService, {
    getVm: (call, reply) => reply(null, { name: call.request.vm }),
    watchVms: (call) => {
      call.write({ revision: call.request.resumeRevision + 1 });
      call.end();
    },
  });
  addReflection(server, [VmService]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const connection = connect(`127.0.0.1:${port}`, credentials.createInsecure());
  const client = connection.client(VmService);

  const vm = await client.getVm({ vm: 'web' }, { timeout: milliseconds(10_000) });
  t.is(vm.ok && vm.value.name, 'web');
  const refused = await client.listVms({}, { timeout: milliseconds(10_000) });
  t.is(!refused.ok && refused.error.code, status.UNIMPLEMENTED);
  const revisions: number[] = [];
  for await (const event of client.watchVms({ resumeRevision: 6 })) revisions.push(event.revision);
  t.deepEqual(revisions, [7]);

  connection.close();
  server.forceShutdown();
});
