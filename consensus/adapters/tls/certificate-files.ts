import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { experimental } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import type { TlsFiles } from '../../settings.ts';

/** How often the files are read again: a certificate is renewed days before it ends. */
const lookInterval = milliseconds(2000);

/** From so long before a certificate ends, each start and each renewal of the others says so. */
const warnBefore = milliseconds(7 * 24 * 3600 * 1000);

/** What the files hold: certificates and a key that work together. */
export interface LoadedFiles {
  readonly ca: Buffer;
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** What is worth a line in the log. No key is ever in it. */
export interface CertificateLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * The files of a TLS identity, which are read again while they are used: a member goes on with a
 * renewed certificate, or a renewed CA, without a restart. Connections that stand go on with what
 * they began with. What does not work together is not taken: the files may be half written.
 */
export class CertificateFiles implements experimental.CertificateProvider {
  readonly #files: TlsFiles;
  readonly #log: CertificateLog;
  readonly #caListeners = new Set<experimental.CaCertificateUpdateListener>();
  readonly #ownListeners = new Set<experimental.IdentityCertificateUpdateListener>();
  #loaded: LoadedFiles;
  #problem: string | null = null;
  #timer: NodeJS.Timeout | null = null;

  private constructor(files: TlsFiles, loaded: LoadedFiles, log: CertificateLog) {
    this.#files = files;
    this.#loaded = loaded;
    this.#log = log;
  }

  /** Reads the files. The failure names the field of the one that cannot be used. */
  static open(files: TlsFiles, log: CertificateLog): Result<CertificateFiles, string> {
    const loaded = load(files);
    if (!loaded.ok) return loaded;
    const opened = new CertificateFiles(files, loaded.value, log);
    opened.#tellEnd();
    return ok(opened);
  }

  /** The common name of the certificate; null where it has none, or several. */
  get commonName(): string | null {
    const { subject } = new X509Certificate(this.#loaded.certificate).toLegacyObject();
    const name: unknown = subject.CN;
    return typeof name === 'string' ? name : null;
  }

  addCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#caListeners.add(listener);
    this.#watch();
    // grpc-js expects to be told later, as it would be by files that are read later.
    process.nextTick(() => listener({ caCertificate: this.#loaded.ca }));
  }

  removeCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#caListeners.delete(listener);
    this.#watch();
  }

  addIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.#ownListeners.add(listener);
    this.#watch();
    process.nextTick(() => listener(this.#identity()));
  }

  removeIdentityCertificateListener(
    listener: experimental.IdentityCertificateUpdateListener,
  ): void {
    this.#ownListeners.delete(listener);
    this.#watch();
  }

  #identity(): experimental.IdentityCertificateUpdate {
    return { certificate: this.#loaded.certificate, privateKey: this.#loaded.key };
  }

  #watch(): void {
    const isUsed = this.#caListeners.size + this.#ownListeners.size > 0;
    if (isUsed && this.#timer === null) {
      this.#timer = setInterval(() => this.#look(), lookInterval);
      this.#timer.unref();
    } else if (!isUsed && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  #look(): void {
    const loaded = load(this.#files);
    const problem = loaded.ok ? null : loaded.error;
    if (problem !== null && problem !== this.#problem)
      this.#log.warn({ problem }, 'the TLS files cannot be used: going on with those before');
    this.#problem = problem;
    if (!loaded.ok || isSame(loaded.value, this.#loaded)) return;
    this.#loaded = loaded.value;
    this.#log.info({ certificate: this.#files.certificate }, 'took the renewed TLS files');
    this.#tellEnd();
    for (const listener of this.#caListeners) listener({ caCertificate: loaded.value.ca });
    for (const listener of this.#ownListeners) listener(this.#identity());
  }

  #tellEnd(): void {
    const { subject, validToDate } = new X509Certificate(this.#loaded.certificate);
    const left = validToDate.getTime() - Date.now();
    if (left > warnBefore) return;
    const fields = { certificate: this.#files.certificate, subject, until: validToDate };
    this.#log.warn(fields, left > 0 ? 'the certificate ends soon' : 'the certificate has ended');
  }
}

function load(files: TlsFiles): Result<LoadedFiles, string> {
  const ca = readPem('tls.ca', files.ca);
  if (!ca.ok) return ca;
  const certificate = readPem('tls.certificate', files.certificate);
  if (!certificate.ok) return certificate;
  const key = readPem('tls.key', files.key);
  if (!key.ok) return key;
  try {
    // Whether they work together would be found out only at the first connection.
    createSecureContext({ ca: ca.value, cert: certificate.value, key: key.value });
    return ok({ ca: ca.value, certificate: certificate.value, key: key.value });
  } catch (error) {
    return fail(`tls: the CA, the certificate and the key do not work together: ${reason(error)}`);
  }
}

function readPem(field: string, path: string): Result<Buffer, string> {
  try {
    return ok(readFileSync(path));
  } catch (error) {
    return fail(`${field}: ${reason(error)}`);
  }
}

function isSame(one: LoadedFiles, other: LoadedFiles): boolean {
  return (
    one.ca.equals(other.ca) &&
    one.certificate.equals(other.certificate) &&
    one.key.equals(other.key)
  );
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
