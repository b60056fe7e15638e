import { dirname, join, relative, resolve } from 'node:path';
import type { Metafile, Plugin } from 'esbuild';
import { BuildFailure } from '../image/command.ts';
import type { LeftOut } from './services.ts';

/** The program of an image: one file of JavaScript, and how it came to be. */
export interface Bundle {
  readonly code: Uint8Array;
  readonly metafile: Metafile;
}

/** What is linked. */
export interface Linking {
  readonly checkout: string;
  /** The source file that is run, such as `main.ts`. */
  readonly program: string;
  /** What `program` may load by name; the other commands of `flotilla` stay behind. Null: all. */
  readonly loads: readonly string[] | null;
  readonly leftOut: readonly LeftOut[];
}

/** Where the program's commands are loaded by name. */
const namespace = 'left-out';

/** CommonJS packages look for these in what is linked as an ES module. */
const banner = `import { createRequire as requireFrom } from 'node:module';
const require = requireFrom(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/** No image has any of these. */
const development = /\.test\.ts$|(^|\/)testing\/|^(test|bench|deploy)\/|\/simulated\//;

/**
 * Links a program and all that it needs into one file, without what it never runs. The same sources give
 * the same bytes, wherever the checkout is. A `BuildFailure` says what cannot be linked.
 */
export async function link(linking: Linking): Promise<Bundle> {
  const esbuild = await import('esbuild').catch(() => {
    throw new BuildFailure('esbuild is not installed; run: npm ci --include=dev');
  });
  const { checkout, program } = linking;
  const built = await esbuild
    .build({
      absWorkingDir: checkout,
      entryPoints: [join(checkout, program)],
      outfile: 'program.mjs',
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      treeShaking: true,
      legalComments: 'none',
      logLevel: 'silent',
      banner: { js: banner },
      plugins: [leaveOut(linking)],
    })
    .catch((error: unknown) => {
      throw new BuildFailure(`the program cannot be linked: ${String(error)}`);
    });
  const [output] = built.outputFiles;
  if (output === undefined) throw new BuildFailure('the program was linked to nothing');
  const unwanted = linkedInputs(built.metafile).filter((path) => development.test(path));
  if (unwanted.length > 0)
    throw new BuildFailure(`the image would hold code of the development: ${unwanted.join(', ')}`);
  return { code: output.contents, metafile: built.metafile };
}

/** The source files of which anything is in the output. */
export function linkedInputs({ outputs }: Metafile): string[] {
  return Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && !path.startsWith(`${namespace}:`))
    .map(([path]) => path)
    .sort();
}

/**
 * A file that is left out fails when it is asked for, with its name. No file of ours does anything by
 * being imported, so one of which nothing is used is not linked.
 */
function leaveOut({ checkout, program, loads, leftOut }: Linking): Plugin {
  const isLeftOut = (path: string): boolean =>
    leftOut.some((each) =>
      each.path.endsWith('/') ? path.startsWith(each.path) : path === each.path,
    );
  return {
    name: namespace,
    setup: (build) => {
      build.onResolve({ filter: /^\.{1,2}\// }, ({ path, importer, kind }) => {
        const file = relative(checkout, resolve(dirname(importer), path));
        const isOtherCommand =
          loads !== null &&
          kind === 'dynamic-import' &&
          importer === join(checkout, program) &&
          !loads.includes(file);
        if (isOtherCommand || isLeftOut(file)) return { path: file, namespace };
        if (!file.endsWith('.ts') || file.startsWith('node_modules/')) return null;
        return { path: join(checkout, file), sideEffects: false };
      });
      build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
        contents: `throw new Error(${JSON.stringify(`${path} is not linked into this image`)});`,
      }));
    },
  };
}
