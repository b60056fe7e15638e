/**
 * Each file in a process of its own, not in a thread: V8 13.6 of Node 24 can lose count of WebAssembly's code when many
 * threads of a process load some and end (nodejs/node#64500), and then it ends the process, with all that would be tested.
 * What they compile, and what the processes that they start do, is kept for the others.
 */
export default {
  files: ['**/*.test.ts', '!test/xen/**'],
  extensions: ['ts'],
  concurrency: 2,
  workerThreads: false,
  environmentVariables: {
    NODE_COMPILE_CACHE: `${import.meta.dirname}/node_modules/.cache/compiled`,
  },
  timeout: '120s',
};
