export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'schema-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^packages/schema/src' },
      to: { path: '^packages/(?!schema)' },
    },
    {
      name: 'one-door-jose',
      severity: 'error',
      from: { path: '^packages/transmitter/src', pathNot: 'mint-set|keys/' },
      to: { path: 'node_modules/jose' },
    },
    { name: 'unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'not-via-index',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/.+' },
      to: { path: '^packages/$1/src/index[.]ts$' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^packages/[^/]+/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['drawbridge-source', 'import', 'types', 'node', 'default'],
    },
  },
}
