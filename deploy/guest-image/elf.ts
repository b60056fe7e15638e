/** What a program or a shared library for Linux says about itself: elf(5), of 64 bits, little-endian. */
export interface ElfFacts {
  /** The machine that it is for. */
  readonly machine: 'x86_64' | 'aarch64';
  /** The program that loads it; null for most libraries. */
  readonly interpreter: string | null;
  /** Names of the libraries that it needs. */
  readonly needs: readonly string[];
}

const machines: Readonly<Record<number, ElfFacts['machine']>> = { 62: 'x86_64', 183: 'aarch64' };

/** Types of program headers, and tags of the dynamic section. */
const loaded = 1;
const dynamic = 2;
const interpreted = 3;
const needed = 1n;
const textTable = 5n;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly size: number;
}

/** Reads it; null for a file that is no such program. */
export function elfFacts(file: Buffer): ElfFacts | null {
  const isElf = file.length > 64 && file.readUInt32BE(0) === 0x7f454c46;
  if (!isElf || file[4] !== 2 || file[5] !== 1) return null;
  const machine = machines[file.readUInt16LE(18)];
  if (machine === undefined) return null;
  const segments = segmentsOf(file);
  const interpreter = segments.find(({ type }) => type === interpreted);
  return {
    machine,
    interpreter: interpreter === undefined ? null : textAt(file, interpreter.offset),
    needs: needsOf(file, segments),
  };
}

function segmentsOf(file: Buffer): Segment[] {
  const [start, size, count] = [
    Number(file.readBigUInt64LE(32)),
    file.readUInt16LE(54),
    file.readUInt16LE(56),
  ];
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * size;
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: file.readBigUInt64LE(at + 16),
      size: Number(file.readBigUInt64LE(at + 32)),
    };
  });
}

function needsOf(file: Buffer, segments: readonly Segment[]): string[] {
  const section = segments.find(({ type }) => type === dynamic);
  if (section === undefined) return [];
  const entries: [tag: bigint, value: bigint][] = [];
  for (let at = section.offset; at < section.offset + section.size; at += 16)
    entries.push([file.readBigUInt64LE(at), file.readBigUInt64LE(at + 8)]);
  const address = entries.find(([tag]) => tag === textTable)?.[1] ?? 0n;
  const holder = segments.find(
    (each) =>
      each.type === loaded && each.address <= address && address < each.address + BigInt(each.size),
  );
  if (holder === undefined) return [];
  const table = holder.offset + Number(address - holder.address);
  return entries
    .filter(([tag]) => tag === needed)
    .map(([, value]) => textAt(file, table + Number(value)));
}

function textAt(file: Buffer, offset: number): string {
  return file.toString('latin1', offset, file.indexOf(0, offset));
}
