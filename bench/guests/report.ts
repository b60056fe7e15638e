import type { DebianDomain } from './debian.ts';
import { type Findings, imageSize, type Measured, middle, nameOf, startRatio } from './findings.ts';
import { planned } from './image.ts';

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(1);

/** A table in Markdown: a row for each image. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** Sizes, and how it starts. */
export function sizeTable({ images }: Findings): string[] {
  const row = (image: Measured): string[] => {
    const { manifest, modules, packages, reaches } = image.subject;
    return [
      ...[nameOf(image), `${manifest.kernel.release}, ${manifest.kernel.origin}`],
      ...[megabytes(manifest.kernel.size), String(manifest.kernel.options)],
      ...[megabytes(manifest.initramfs.size), megabytes(imageSize(image))],
      ...[`${modules} of ${packages}`, mebibytes(middle(image, 'memory'))],
      ...[seconds(middle(image, 'empty')), seconds(middle(image, 'node'))],
      `${seconds(middle(image, 'serving'))} (${reaches})`,
      startRatio(image).toFixed(2),
    ];
  };
  return table(
    [
      ...['image', 'kernel', 'kernel MB', 'options on', 'initramfs MB', 'image MB'],
      ...['modules of packages', 'memory MiB', 'empty program s', 'Node s', 'serving s', 'ratio'],
    ],
    images.map(row),
  );
}

/** What each guest may do. Of one service it is the same for each architecture. */
export function rightsTable({ images }: Findings): string[] {
  const each = new Map(images.map((image) => [image.subject.service, image]));
  const list = (items: readonly string[]) => (items.length === 0 ? 'none' : items.join(', '));
  const row = ({ subject }: Measured): string[] => {
    const { ports, privileges, devices, databasePrefixes } = subject.manifest;
    const user = planned(subject, 'user')[0] === '0' ? 'root' : 'its own';
    const filter = planned(subject, 'call').length;
    return [
      ...[subject.service, list(ports.map(({ port }) => String(port))), user],
      ...[list(privileges), list(devices), list(databasePrefixes)],
      filter === 0 ? 'not restricted' : String(filter),
    ];
  };
  return table(
    [
      ...['guest', 'open ports', 'user', 'privileges and capabilities', 'devices'],
      ...['prefixes of the pool database', 'system calls'],
    ],
    [...each.values()].map(row),
  );
}

/** The control domain that these guests are to take the place of. */
export function debianTable(debian: DebianDomain): string[] {
  const { packages, packageBytes, kernelBytes, memory, given } = debian;
  return [
    "the lab's control domain: Debian 12 with Xen's tools, xenstored in C, no guest and no service of ours",
    ...table(
      [
        ...['packages', 'their files MB', 'kernel MB', 'options on', 'modules loaded', 'programs'],
        ...['processes', 'open ports', 'memory MiB'],
      ],
      [
        [
          ...[String(packages), megabytes(packageBytes), megabytes(kernelBytes)],
          ...[String(debian.options), String(debian.modules), String(debian.programs)],
          ...[String(debian.processes), String(debian.ports)],
          `${mebibytes(memory)} of ${mebibytes(given)}`,
        ],
      ],
    ),
  ];
}
