/**
 * The program that a module is linked into, to be started again with other words; null where modules are
 * source files of their own. `of` is the module's `import.meta.filename`.
 */
export function linkedProgram(of: string): string | null {
  return of.endsWith('.ts') ? null : of;
}
