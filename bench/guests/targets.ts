import { controlDomain } from '../../deploy/guest-image/control-domain.ts';
import { type Findings, imageSize, type Measured, middle, nameOf, startRatio } from './findings.ts';
import { services } from './image.ts';

/** What each image is to keep to. */
const kernelMost = 6e6;
const imageMost = 45e6;
const memoryMost = 192 * 2 ** 20;
const ratioMost = 1.5;

/** Of a whole host: its domain 0 and the guests of its services. */
const hostMost = 1.25 * 2 ** 30;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

function line(met: boolean, text: string): string {
  return `  ${met ? 'met   ' : 'MISSED'}  ${text}`;
}

/** Which images miss what each is to keep to, or the one that comes closest to it. */
function ofEach(
  images: readonly Measured[],
  what: string,
  most: number,
  of: (image: Measured) => number,
  show: (value: number) => string,
): string {
  const sorted = images.toSorted((one, other) => of(other) - of(one));
  const over = sorted.filter((image) => of(image) > most);
  const shown = over.length > 0 ? over : sorted.slice(0, 1);
  const figures = shown.map((image) => `${nameOf(image)} ${show(of(image))}`).join('; ');
  return line(over.length === 0, `${what}: ${over.length > 0 ? '' : 'at most '}${figures}`);
}

/** What guest images are to keep to, and whether this run has found it so. */
export function targetLines({ images }: Findings): string[] {
  return [
    ofEach(
      ...([images, 'a kernel has at most 6 MB', kernelMost] as const),
      ({ subject }) => subject.manifest.kernel.size,
      megabytes,
    ),
    ofEach(images, 'an image has at most 45 MB', imageMost, imageSize, megabytes),
    ofEach(
      ...([images, 'a guest serves in at most 192 MiB', memoryMost] as const),
      (image) => middle(image, 'memory'),
      mebibytes,
    ),
    ofEach(
      ...([
        images,
        'it serves within 1.5 times the kernel with an empty program and Node',
      ] as const),
      ...([ratioMost, startRatio] as const),
      (ratio) => ratio.toFixed(2),
    ),
    ...wholeHost(images),
  ];
}

/** What the guests of a host and its domain 0, as `flotilla host image` makes it, are given. */
function wholeHost(images: readonly Measured[]): string[] {
  const ofHost = services.map((service) =>
    images.find(({ subject }) => subject.service === service && subject.architecture === 'x86_64'),
  );
  if (ofHost.includes(undefined)) return [];
  const guests = ofHost.reduce((sum, image) => sum + (image?.subject.manifest.memory ?? 0), 0);
  const { memory } = controlDomain;
  const figures = `its guests are given ${mebibytes(guests)}, and domain 0 ${mebibytes(memory)}`;
  return [line(guests + memory <= hostMost, `a host in at most 1.25 GiB: ${figures}`)];
}
