import { basename, dirname, join, relative, resolve } from 'node:path';
import type { BuildOptions, Metafile, Plugin } from 'esbuild';
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

/**
 * The program is a function (program/linked-script.ts) of what Node gives a CommonJS module: V8 keeps
 * compiled code of an ES module only as it is before it has run, which is without nearly all functions.
 */
const banner = `(function (exports, require, module, __filename, __dirname) {
'use strict';
const __url = require('node:url').pathToFileURL(__filename).href;`;
const footer = '})';

/** What modules ask about themselves: they are where the program is. */
const ofCommonJs = {
  'import.meta.filename': '__filename',
  'import.meta.dirname': '__dirname',
  'import.meta.url': '__url',
};

/**
 * `long`, which protobufjs uses, multiplies in WebAssembly where there is any: to have V8 make that ready
 * takes longer than all that it would save.
 */
const withoutWebAssembly = { WebAssembly: 'undefined' };

/** No image has any of these. */
const development = /\.test\.ts$|(^|\/)testing\/|^(test|bench|deploy)\/|\/simulated\//;

/**
 * Links a program and all that it needs into one file, without what it never runs. The same sources give
 * the same bytes, wherever the checkout is. A `BuildFailure` says what cannot be linked.
 */
export async function link(linking: Linking): Promise<Bundle> {
  const { checkout, program } = linking;
  const built = await build({
    absWorkingDir: checkout,
    entryPoints: [join(checkout, program)],
    outfile: 'program.js',
    format: 'cjs',
    banner: { js: banner },
    footer: { js: footer },
    define: { ...ofCommonJs, ...withoutWebAssembly },
    // Each start reads it whole. A line's number still says where something was thrown.
    minifyWhitespace: true,
    lineLimit: 200,
    plugins: [leaveOut(linking)],
  });
  const unwanted = linkedInputs(built.metafile).filter((path) => development.test(path));
  if (unwanted.length > 0)
    throw new BuildFailure(`the image would hold code of the development: ${unwanted.join(', ')}`);
  // It is read as Latin-1 (program/linked-script.ts).
  if (built.code.some((byte) => byte > 127))
    throw new BuildFailure('the linked program has characters that are not ASCII');
  return built;
}

/** Links a program of the builder's own, with what it imports, into a file that Node runs as it is. */
export async function linkOwn(path: string, format: 'cjs' | 'esm'): Promise<Uint8Array> {
  const { code } = await build({ entryPoints: [path], outfile: basename(path), format });
  return code;
}

async function build(options: BuildOptions): Promise<Bundle> {
  const esbuild = await import('esbuild').catch(() => {
    throw new BuildFailure('esbuild is not installed; run: npm ci --include=dev');
  });
  const built = await esbuild
    .build({
      ...options,
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      target: 'node24',
      charset: 'ascii',
      treeShaking: true,
      legalComments: 'none',
      logLevel: 'silent',
    })
    .catch((error: unknown) => {
      throw new BuildFailure(`the program cannot be linked: ${String(error)}`);
    });
  const [output] = built.outputFiles;
  if (output === undefined) throw new BuildFailure('the program was linked to nothing');
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
