/**
 * `npm run bench`: ours beside what a user would take instead, in one run on one machine, as ratios.
 * `npm run bench -- vm-start` runs one of them.
 */
import { benchVmStart } from './vm-start.ts';

const benches: Readonly<Record<string, () => Promise<void>>> = { 'vm-start': benchVmStart };

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => benches[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `error: no bench is named ${unknown.join(', ')}\nwhat to do: choose of ${Object.keys(benches).join(', ')}\n`,
  );
  process.exit(2);
}
for (const [name, bench] of Object.entries(benches))
  if (asked.length === 0 || asked.includes(name)) await bench();
