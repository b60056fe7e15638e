import { closeSync, ftruncateSync, readSync } from 'node:fs';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Libraries, Pointer } from './libraries.ts';

/** Warnings and worse (`XTL_WARN` of xentoollog.h): what explains a failure. */
const warningLevel = 7;

/** Most bytes of a log that are read; a failing call logs a screenful. */
const readMax = 16 * 2 ** 10;

/** Lines that are kept for the operator: the first failure and what it led to. */
const linesMax = 6;

/**
 * What libxl says while it works, written by its logger into a file that exists in memory only.
 * Its error codes alone explain little: nearly all are ERROR_FAIL.
 */
export class LibxlLog {
  readonly #libraries: Libraries;
  readonly #fd: number;
  readonly #file: Pointer;
  /** The logger, for `libxl_ctx_alloc`. */
  readonly logger: Pointer;

  private constructor(libraries: Libraries, fd: number, file: Pointer, logger: Pointer) {
    this.#libraries = libraries;
    this.#fd = fd;
    this.#file = file;
    this.logger = logger;
  }

  /** Opens an empty log. */
  static open(libraries: Libraries): Result<LibxlLog, string> {
    const fd = libraries.memfd_create('libxl-log', 0);
    if (fd < 0) return fail('the kernel gives no file in memory for the log');
    const file = libraries.fdopen(fd, 'a');
    if (file === null) {
      closeSync(fd);
      return fail('there is no memory for the log');
    }
    const logger = libraries.xtl_createlogger_stdiostream(file, warningLevel, 0);
    if (logger === null) {
      libraries.fclose(file);
      return fail('there is no memory for the logger');
    }
    return ok(new LibxlLog(libraries, fd, file, logger));
  }

  /** Returns what was logged since the last call, as one line of text, and forgets it. */
  take(): string {
    const buffer = Buffer.alloc(readMax);
    const length = readSync(this.#fd, buffer, 0, readMax, 0);
    ftruncateSync(this.#fd);
    return readableLog(buffer.toString('utf8', 0, length));
  }

  /** Frees the logger; the context that used it is gone by then. */
  close(): void {
    this.#libraries.xtl_logger_destroy(this.logger);
    this.#libraries.fclose(this.#file);
  }
}

/** Joins log lines, without the positions in libxl's source that precede their messages. */
export function readableLog(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^\w+: (?:error|warning|critical): (?:\S+\.c:\d+:)?(?:\w+: )?/, ''))
    .filter((line) => line.trim() !== '');
  return lines.slice(0, linesMax).join('; ');
}
