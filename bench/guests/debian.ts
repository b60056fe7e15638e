import { stat } from 'node:fs/promises';
import * as v from 'valibot';
import { optionsOn } from '../../deploy/guest-image/kernel/configuration.ts';
import { hostPackages } from '../../deploy/host-image/contents.ts';
import { buildHostImage } from '../../deploy/host-image/host-image.ts';
import { type Report, run, shellQuote } from '../../deploy/image/command.ts';
import { downloadPackages, type Package, resolvePackages } from '../../deploy/image/packages.ts';
import { bootLab } from '../../test/xen/lab.ts';

/** The lab's control domain, of Debian's packages, with Debian's xenstored and no guest. */
export interface DebianDomain {
  /** Packages that it is made of, and bytes of their files, compressed as Debian ships them. */
  readonly packages: number;
  readonly packageBytes: number;
  /** Bytes of its kernel, compressed, and its options that are on. */
  readonly kernelBytes: number;
  readonly options: number;
  /** Kernel modules that are loaded, and files of the tree /usr that could be run or loaded. */
  readonly modules: number;
  readonly programs: number;
  /** Programs that run, threads of the kernel left out. */
  readonly processes: number;
  /** TCP ports on which something listens that is not the lab's own. */
  readonly ports: number;
  /** Bytes in use, with what the kernel keeps for itself, of those that it was given. */
  readonly memory: number;
  readonly given: number;
}

/** MiB that the lab gives it. */
const given = 1280;

/** The lab's agent, which a host otherwise has not. */
const agentPort = 7700;

const FactsSchema = v.record(v.string(), v.pipe(v.string(), v.transform(Number), v.number()));

/** What is asked in the control domain: a name and a number on each line. */
const questions = `
echo modules $(wc -l </proc/modules)
echo programs $(find /usr/bin /usr/sbin /usr/lib/xen-* -type f -perm /111 | wc -l)
echo processes $(for each in /proc/[0-9]*/exe; do readlink $each; done | wc -l)
echo ports $(awk 'FNR > 1 && $4 == "0A" { split($2, at, ":"); print at[2] }' /proc/net/tcp /proc/net/tcp6 | sort -u | grep -vc ${agentPort.toString(16).toUpperCase()})
awk '/^MemTotal|^MemAvailable/ { sub(":", "", $1); print $1, $2 }' /proc/meminfo`;

/** Boots a host of the lab and looks at its control domain. */
export async function measureDebian(report: Report): Promise<DebianDomain> {
  const packages = await resolvePackages(hostPackages);
  await downloadPackages(hostPackages, report);
  const sizes = await Promise.all(packages.map(async ({ path }) => (await stat(path)).size));
  const image = await buildHostImage(report);
  const lab = await bootLab({
    ...{ hosts: 1, controlDomainMemory: given, report },
    words: ['flotilla.xenstored=c'],
  });
  try {
    const { first } = lab;
    const lines = (await first.sh(questions)).trim().split('\n');
    const facts = v.parse(FactsSchema, Object.fromEntries(lines.map((line) => line.split(' '))));
    const fact = (name: string): number => {
      const found = facts[name];
      if (found === undefined) throw new Error(`the control domain did not say its ${name}`);
      return found;
    };
    return {
      ...{ packages: packages.length, packageBytes: sizes.reduce((sum, size) => sum + size, 0) },
      kernelBytes: (await stat(image.kernel)).size,
      options: await optionsOf(packages),
      ...{ modules: fact('modules'), programs: fact('programs') },
      ...{ processes: fact('processes'), ports: fact('ports') },
      memory: given * 2 ** 20 - fact('MemAvailable') * 1024,
      given: given * 2 ** 20,
    };
  } finally {
    await lab.close();
  }
}

/** Options that are on in the configuration which Debian's package of a kernel has beside it. */
async function optionsOf(packages: readonly Package[]): Promise<number> {
  const found = packages.find(({ name }) => /^linux-image-\d/.test(name));
  if (found === undefined) throw new Error('no package of the control domain has a kernel');
  const archive = `dpkg-deb --fsys-tarfile ${shellQuote(found.path)}`;
  const unpack = "tar -x -O -f - --wildcards './boot/config-*'";
  return optionsOn(await run('bash', ['-c', `set -o pipefail; ${archive} | ${unpack}`]));
}
