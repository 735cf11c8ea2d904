/**
 * Imports run downward only:
 *
 *     cli → commands → relay → inputs, outputs, status → protocol, journal → sys, limits, errors
 *
 * Each rule names what a layer must not import. test/layering.test.ts runs this, and
 * fails if no module was looked at.
 */
const BOTTOM = '^src/(sys/|limits\\.ts|errors\\.ts)';

/** A rule that `from` may import nothing of ours but itself and `allowed`. */
const only = (name, from, ...allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: [from, BOTTOM, ...allowed] },
});

/** Built-in modules that reach outside the process or let time pass. */
const EDGES =
  '^(node:)?(net|tls|dgram|fs|fs/promises|timers|timers/promises|http|https|child_process)$';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolvable',
      severity: 'error',
      // What the page's modules import are addresses of the status server.
      from: { path: '^src/', pathNot: '^src/status/page/browser/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'bottom-imports-only-bottom',
      severity: 'error',
      from: { path: BOTTOM },
      to: { path: '^src/', pathNot: BOTTOM },
    },
    only('protocol-is-low', '^src/protocol/'),
    {
      name: 'protocol-is-pure',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { dependencyTypes: ['core'], path: EDGES },
    },
    only('journal-knows-no-forward', '^src/journal/'),
    only(
      'config-is-low',
      '^src/config/',
      '^src/outputs/glob\\.ts$',
      '^src/inputs/docker/identity/tag-template\\.ts$',
    ),
    only('inputs-never-import-outputs', '^src/inputs/', '^src/(protocol|journal|config)/'),
    only('outputs-never-import-inputs', '^src/outputs/', '^src/(protocol|journal|config)/'),
    only('status-is-below-relay', '^src/status/', '^src/(protocol|journal|config|inputs|outputs)/'),
    {
      name: 'nothing-imports-upward',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli\\.ts|commands/)' },
      to: { path: '^src/(cli\\.ts|commands/)' },
    },
    {
      name: 'relay-is-imported-by-commands-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli\\.ts|commands/|relay(\\.ts|/))' },
      to: { path: '^src/relay(\\.ts|/)' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
