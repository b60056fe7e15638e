import koffi, { type KoffiFunc } from 'koffi';
import { fail, ok, type Result } from '../../base/result.ts';

/**
 * Xen's libraries as functions: libxl (`/usr/include/libxl.h`), libxenstore (`xenstore.h`),
 * libxentoollog (`xentoollog.h`) and the little of libc that a log in memory takes. Structs whose
 * fields we read are declared as the headers of 4.17 lay them out; the soname pins that version.
 */

/** A C pointer; 0 is NULL. */
export type Pointer = bigint | null;

/** `libxl_dominfo`: one domain as the hypervisor sees it. */
export interface DomInfo {
  readonly uuid: ArrayLike<number>;
  readonly domid: number;
  /** Some virtual CPU of it runs now. */
  readonly running: boolean;
  /** All its virtual CPUs wait for an event. */
  readonly blocked: boolean;
  readonly paused: boolean;
  readonly shutdown: boolean;
  readonly dying: boolean;
  readonly shutdown_reason: number;
  readonly current_memkb: number;
  /** Nanoseconds; a bigint where a number would not be exact. */
  readonly cpu_time: number | bigint;
  readonly vcpu_max_id: number;
}

/** `libxl_physinfo`: what the host has. A page is 4 KiB. */
export interface PhysInfo {
  readonly nr_cpus: number;
  readonly total_pages: number;
  readonly free_pages: number;
  readonly scrub_pages: number;
  readonly outstanding_pages: number;
}

/** `libxl_version_info`: which Xen this is. */
export interface VersionInfo {
  readonly xen_version_major: number;
  readonly xen_version_minor: number;
  readonly xen_version_extra: string | null;
}

/** Places that C writes a result into. */
export type Out<Value> = [Value];

type OnDomain = KoffiFunc<(context: Pointer, domid: number, how: null) => number>;

/** The functions that we use, by their own names. */
export interface Libraries {
  readonly libxl_ctx_alloc: KoffiFunc<
    (context: Out<Pointer>, version: number, flags: number, logger: Pointer) => number
  >;
  readonly libxl_ctx_free: KoffiFunc<(context: Pointer) => number>;
  readonly libxl_list_domain: KoffiFunc<(context: Pointer, count: Out<number>) => Pointer>;
  readonly libxl_dominfo_list_free: KoffiFunc<(list: Pointer, count: number) => void>;
  readonly libxl_domain_info: KoffiFunc<
    (context: Pointer, info: Uint8Array | null, domid: number) => number
  >;
  readonly libxl_get_physinfo: KoffiFunc<(context: Pointer, info: Uint8Array) => number>;
  readonly libxl_get_version_info: KoffiFunc<(context: Pointer) => Pointer>;
  readonly libxl_domain_config_init: KoffiFunc<(config: Uint8Array) => void>;
  readonly libxl_domain_config_dispose: KoffiFunc<(config: Uint8Array) => void>;
  readonly libxl_domain_config_from_json: KoffiFunc<
    (context: Pointer, config: Uint8Array, json: string) => number
  >;
  readonly libxl_domain_need_memory: KoffiFunc<
    (context: Pointer, config: Uint8Array, domid: number, kib: Out<number>) => number
  >;
  readonly libxl_domain_create_new: KoffiFunc<
    (
      context: Pointer,
      config: Uint8Array,
      domid: Out<number>,
      how: null,
      consoleHow: null,
    ) => number
  >;
  readonly libxl_domain_pause: OnDomain;
  readonly libxl_domain_unpause: OnDomain;
  readonly libxl_domain_destroy: OnDomain;
  readonly xtl_createlogger_stdiostream: KoffiFunc<
    (file: Pointer, level: number, flags: number) => Pointer
  >;
  readonly xtl_logger_destroy: KoffiFunc<(logger: Pointer) => void>;
  readonly xs_open: KoffiFunc<(flags: number) => Pointer>;
  readonly xs_close: KoffiFunc<(handle: Pointer) => void>;
  readonly xs_read: KoffiFunc<
    (handle: Pointer, transaction: number, path: string, length: Out<number>) => Pointer
  >;
  readonly xs_write: KoffiFunc<
    (
      handle: Pointer,
      transaction: number,
      path: string,
      data: Uint8Array,
      length: number,
    ) => boolean
  >;
  readonly xs_directory: KoffiFunc<
    (handle: Pointer, transaction: number, path: string, count: Out<number>) => Pointer
  >;
  readonly xs_mkdir: KoffiFunc<(handle: Pointer, transaction: number, path: string) => boolean>;
  readonly xs_rm: KoffiFunc<(handle: Pointer, transaction: number, path: string) => boolean>;
  readonly xs_set_permissions: KoffiFunc<
    (
      handle: Pointer,
      transaction: number,
      path: string,
      permissions: Uint32Array,
      count: number,
    ) => boolean
  >;
  readonly memfd_create: KoffiFunc<(name: string, flags: number) => number>;
  readonly fdopen: KoffiFunc<(fd: number, mode: string) => Pointer>;
  readonly fclose: KoffiFunc<(file: Pointer) => number>;
  readonly free: KoffiFunc<(memory: Pointer) => void>;
}

/** Loads them, or says which is missing; a machine that is not a Xen host has none. */
export function loadLibraries(): Result<Libraries, string> {
  try {
    return ok(bind());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail(`Xen's libraries (Debian: libxenmisc4.17) do not load: ${reason}`);
  }
}

function bind(): Libraries {
  const libxl = koffi.load('libxenlight.so.4.17');
  const toollog = koffi.load('libxentoollog.so.1');
  const store = koffi.load('libxenstore.so.4');
  const libc = koffi.load('libc.so.6');
  const onDomain = '(void *context, uint32_t domid, void *how)';
  return {
    libxl_ctx_alloc: libxl.func(
      'int libxl_ctx_alloc(_Out_ void **context, int version, uint flags, void *logger)',
    ),
    libxl_ctx_free: libxl.func('int libxl_ctx_free(void *context)'),
    libxl_list_domain: libxl.func('void *libxl_list_domain(void *context, _Out_ int *count)'),
    libxl_dominfo_list_free: libxl.func('void libxl_dominfo_list_free(void *list, int count)'),
    libxl_domain_info: libxl.func(
      'int libxl_domain_info(void *context, uint8_t *info, uint32_t domid)',
    ),
    libxl_get_physinfo: libxl.func('int libxl_get_physinfo(void *context, uint8_t *info)'),
    libxl_get_version_info: libxl.func('void *libxl_get_version_info(void *context)'),
    libxl_domain_config_init: libxl.func('void libxl_domain_config_init(uint8_t *config)'),
    libxl_domain_config_dispose: libxl.func('void libxl_domain_config_dispose(uint8_t *config)'),
    libxl_domain_config_from_json: libxl.func(
      'int libxl_domain_config_from_json(void *context, uint8_t *config, const char *json)',
    ),
    libxl_domain_need_memory: libxl.func(
      'int libxl_domain_need_memory(void *context, uint8_t *config, uint32_t domid, _Out_ uint64_t *kib)',
    ),
    libxl_domain_create_new: libxl.func(
      'int libxl_domain_create_new(void *context, uint8_t *config, _Out_ uint32_t *domid, void *how, void *consoleHow)',
    ),
    libxl_domain_pause: libxl.func(`int libxl_domain_pause${onDomain}`),
    libxl_domain_unpause: libxl.func(`int libxl_domain_unpause${onDomain}`),
    libxl_domain_destroy: libxl.func(`int libxl_domain_destroy${onDomain}`),
    xtl_createlogger_stdiostream: toollog.func(
      'void *xtl_createlogger_stdiostream(void *file, int level, uint flags)',
    ),
    xtl_logger_destroy: toollog.func('void xtl_logger_destroy(void *logger)'),
    xs_open: store.func('void *xs_open(ulong flags)'),
    xs_close: store.func('void xs_close(void *handle)'),
    xs_read: store.func(
      'void *xs_read(void *handle, uint32_t transaction, const char *path, _Out_ uint *length)',
    ),
    xs_write: store.func(
      'bool xs_write(void *handle, uint32_t transaction, const char *path, const uint8_t *data, uint length)',
    ),
    xs_directory: store.func(
      'void *xs_directory(void *handle, uint32_t transaction, const char *path, _Out_ uint *count)',
    ),
    xs_mkdir: store.func('bool xs_mkdir(void *handle, uint32_t transaction, const char *path)'),
    xs_rm: store.func('bool xs_rm(void *handle, uint32_t transaction, const char *path)'),
    // struct xs_permissions is two 32-bit words: a domain's number and an XS_PERM_*.
    xs_set_permissions: store.func(
      'bool xs_set_permissions(void *handle, uint32_t transaction, const char *path, uint32_t *permissions, uint count)',
    ),
    memfd_create: libc.func('int memfd_create(const char *name, uint flags)'),
    fdopen: libc.func('void *fdopen(int fd, const char *mode)'),
    fclose: libc.func('int fclose(void *file)'),
    free: libc.func('void free(void *memory)'),
  };
}

/** `libxl_dominfo` of `_libxl_types.h`. */
export const domInfoStruct = koffi.struct({
  uuid: koffi.array('uint8_t', 16),
  domid: 'uint32_t',
  ssidref: 'uint32_t',
  ssid_label: 'void *',
  running: 'bool',
  blocked: 'bool',
  paused: 'bool',
  shutdown: 'bool',
  dying: 'bool',
  never_stop: 'bool',
  shutdown_reason: 'int',
  outstanding_memkb: 'uint64_t',
  current_memkb: 'uint64_t',
  shared_memkb: 'uint64_t',
  paged_memkb: 'uint64_t',
  max_memkb: 'uint64_t',
  cpu_time: 'uint64_t',
  vcpu_max_id: 'uint32_t',
  vcpu_online: 'uint32_t',
  cpupool: 'uint32_t',
  gpaddr_bits: 'uint8_t',
  domain_type: 'int',
});

/** `libxl_physinfo` of `_libxl_types.h`, up to what we read; `physInfoSize` is the whole. */
export const physInfoStruct = koffi.struct({
  threads_per_core: 'uint32_t',
  cores_per_socket: 'uint32_t',
  max_cpu_id: 'uint32_t',
  nr_cpus: 'uint32_t',
  cpu_khz: 'uint32_t',
  total_pages: 'uint64_t',
  free_pages: 'uint64_t',
  scrub_pages: 'uint64_t',
  outstanding_pages: 'uint64_t',
});

/** `libxl_version_info` of `_libxl_types.h`, up to what we read. */
export const versionInfoStruct = koffi.struct({
  xen_version_major: 'int',
  xen_version_minor: 'int',
  xen_version_extra: 'const char *',
});
