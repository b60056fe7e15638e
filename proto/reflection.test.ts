import { once } from 'node:events';
import { Client, credentials, Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import test from 'ava';
import protobuf from 'protobufjs';
import { VmService } from './gen/flotilla.vm.v1.ts';
import { addReflection } from './reflection.ts';

/** As much of the service's messages as the test needs. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { string list_services = 7; string file_containing_symbol = 4; }
  message Response { Services list = 6; Files files = 4; Failure failure = 7; }
  message Services { repeated Service service = 1; }
  message Service { string name = 1; }
  message Files { repeated bytes file = 1; }
  message Failure { int32 code = 1; }
`);
const request = root.lookupType('Request');
const response = root.lookupType('Response');

for (const version of ['v1', 'v1alpha'])
  test(`a server tells grpc.reflection.${version} its services and their files, and no others`, async (t) => {
    const server = new Server();
    addReflection(server, [VmService]);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const stream = client.makeBidiStreamRequest(
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      (value: object) => Buffer.from(request.encode(request.create(value)).finish()),
      (bytes) => response.toObject(response.decode(bytes), { arrays: true }),
      new Metadata(),
      {},
    );
    const ask = async (question: object) => {
      stream.write(question);
      const [answer] = await once(stream, 'data');
      return answer;
    };
    t.deepEqual(await ask({ listServices: '*' }), {
      list: { service: [{ name: 'flotilla.vm.v1.VmService' }] },
    });
    const { files } = await ask({ fileContainingSymbol: 'flotilla.vm.v1.VmService' });
    t.true(files.file.length > 0);
    const { failure } = await ask({ fileContainingSymbol: 'no.such.Service' });
    t.is(failure.code, 5);
    stream.end();
    await once(stream.resume(), 'end');
    client.close();
    server.forceShutdown();
  });
