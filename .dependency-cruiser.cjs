/** Who may import whom: the table of ARCHITECTURE.md as rules. */

const anyTest = '\\.test\\.ts$|^test/|^bench/';
const clientOfXenstore = ['services/xenstore/client/index\\.ts$'];
const services = ['xenstore', 'vm-lifecycle', 'storage', 'network'];

/** A rule that `from` may import, of this project, only `allowed` (and itself). */
function only(name, from, allowed, comment) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: `^(?:${from})`, pathNot: anyTest },
    to: {
      path: '^(?!node_modules)',
      pathNot: [`^(?:${[from, ...allowed].join('|')})`],
      dependencyTypesNot: ['core'],
    },
  };
}

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that import each other are one file; types may refer to each other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      comment: 'An import that nothing satisfies.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(ava|@grpc/grpc-js|@peculiar/x509)$' },
    },
    only('base-imports-nothing', 'base/', [], 'base is the ground.'),
    only('linux-imports-base', 'linux/', ['base/'], 'What the kernel does knows no service.'),
    only('proto-imports-base', 'proto/', ['base/'], 'Contracts know no code that serves them.'),
    {
      name: 'cores-are-pure',
      comment: 'A core imports base and its own folder: no Node module, no package, no adapter.',
      severity: 'error',
      from: { path: '^(.+/(?:core|kv))/', pathNot: anyTest },
      to: { pathNot: ['^base/', '^$1/', '^consensus/replica\\.ts$', '^hypervisor/port\\.ts$'] },
    },
    only(
      'consensus-knows-no-service',
      'consensus/',
      ['base/', 'proto/'],
      'Any service could use it.',
    ),
    only('pool', 'pool/', ['base/', 'proto/'], 'What the services share knows none of them.'),
    only('hypervisor', 'hypervisor/', ['base/'], 'The hypervisor knows nothing of the pool.'),
    ...services.map((name) =>
      only(
        `${name}-talks-by-proto`,
        `services/${name}/`,
        ['base/', 'linux/', 'pool/', 'proto/', 'hypervisor/', ...clientOfXenstore],
        // But for the client of xenstore: in a guest, a service asks it which domain it is in.
        'Services never import each other: they talk by gRPC.',
      ),
    ),
    {
      name: 'hypervisor-by-its-port',
      comment: 'Only main.ts files choose an implementation of the hypervisor.',
      severity: 'error',
      from: { path: '^services/', pathNot: [anyTest, '/main\\.ts$'] },
      to: { path: '^hypervisor/', pathNot: '^hypervisor/(xenstore-)?port\\.ts$' },
    },
    {
      name: 'ffi-only-in-two-folders',
      comment: 'Foreign functions can crash the process: they stay where the system is called.',
      severity: 'error',
      from: { pathNot: '^(?:hypervisor/xen|linux)/' },
      to: { path: 'node_modules/koffi' },
    },
    only(
      'cli-talks-by-proto',
      'cli/',
      // The client of xenstore is a library of its own, for any program: the CLI uses its public face.
      ['base/', 'pool/', 'proto/', ...clientOfXenstore],
      'The CLI is one client of many.',
    ),
    {
      name: 'tests-are-not-imported',
      comment: 'What runs does not import what tests it.',
      severity: 'error',
      from: { pathNot: anyTest },
      to: { path: anyTest },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
