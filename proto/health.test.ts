import { credentials, makeClientConstructor, Server, ServerCredentials } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { service as healthDefinition } from 'grpc-health-check';
import { addHealth } from './health.ts';

interface Said {
  readonly status: string;
}

/** A server of one service's health, and gRPC's own client of it, which knows nothing of ours. */
async function served(t: ExecutionContext) {
  const server = new Server();
  const setServing = addHealth(server, ['a.Service']);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const Health = makeClientConstructor(healthDefinition, 'Health');
  const client = new Health(`127.0.0.1:${port}`, credentials.createInsecure());
  t.teardown(() => {
    client.close();
    server.forceShutdown();
  });
  const asked = <Reply>(method: 'check' | 'list', request: object): Promise<Reply> =>
    new Promise((resolve, reject) => {
      client[method]?.(request, (error: Error | null, reply: Reply) =>
        error === null ? resolve(reply) : reject(error),
      );
    });
  const watch = (service: string) => client.watch?.({ service });
  return { setServing, asked, watch };
}

test('a server does not serve until that is said, and says so of each of its services', async (t) => {
  const { setServing, asked } = await served(t);
  t.like(await asked('check', { service: '' }), { status: 'NOT_SERVING' });
  setServing(true);
  t.like(await asked('check', { service: '' }), { status: 'SERVING' });
  t.like(await asked('check', { service: 'a.Service' }), { status: 'SERVING' });
  t.like(await asked('list', {}), {
    statuses: { '': { status: 'SERVING' }, 'a.Service': { status: 'SERVING' } },
  });
});

test('of a service that a server does not have it knows nothing', async (t) => {
  const { asked, watch } = await served(t);
  await t.throwsAsync(asked('check', { service: 'another' }), {
    message: /^5 NOT_FOUND: .*a\.Service$/,
  });
  for await (const { status } of watch('another') as unknown as AsyncIterable<Said>) {
    t.is(status, 'SERVICE_UNKNOWN');
    break;
  }
});

test('who watches hears what is so, and each change', async (t) => {
  const { setServing, watch } = await served(t);
  const heard: string[] = [];
  for await (const { status } of watch('a.Service') as unknown as AsyncIterable<Said>) {
    heard.push(status);
    if (heard.length === 3) break;
    setServing(heard.length === 1);
    // Said again it is no change.
    setServing(heard.length === 1);
  }
  t.deepEqual(heard, ['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
});
