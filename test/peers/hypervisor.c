/*
 * Pretends to be a hypervisor, so that Debian's C xenstored and oxenstored run as plain processes: an
 * LD_PRELOAD library with the functions of libxenevtchn, libxengnttab and libxenctrl that they call.
 * What the hypervisor would know is in the directory $PRETENDED_XEN:
 *
 *   ring.N    the shared page of domain N, which is mapped wherever a grant or a frame of N is
 *   domain.N  is there while domain N is; its first byte is r (runs), s (has shut down) or d (dies)
 *   kicks     a FIFO; a 32-bit port that is written to it becomes pending for the daemon
 *   kicked    a socket; each port that the daemon notifies is sent to who listens, if anybody does
 *   port      the port of domain 0's own channel, as text without a line feed
 *
 * The port of domain N is channelBase + N, and that of VIRQ_DOM_EXC is virqPort. Files of the daemons
 * under /run/xenstored, /var/run/xenstored, /var/run/xen and /var/log/xen are in the directory too, so
 * that any number of them run side by side.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

enum { pageBytes = 4096, channelBase = 1000, virqPort = 1, pathMax = 512 };

/* A handle is only ever compared with NULL. */
static char handle;

static const char *directory(void)
{
	const char *path = getenv("PRETENDED_XEN");
	if (path) return path;
	fputs("PRETENDED_XEN names no directory\n", stderr);
	abort();
}

static const char *inside(char *path, const char *name)
{
	snprintf(path, pathMax, "%s/%s", directory(), name);
	return path;
}

/* The path that stands for `path` here; most stand for themselves. */
static const char *redirected(char *space, const char *path)
{
	static const char *const places[] = { "/run/xenstored", "/var/run/xenstored", "/var/run/xen", "/var/log/xen" };
	if (!strcmp(path, "/proc/xen/xsd_kva")) return inside(space, "ring.0");
	if (!strcmp(path, "/proc/xen/xsd_port")) return inside(space, "port");
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		size_t length = strlen(places[i]);
		if (strncmp(path, places[i], length)) continue;
		if (path[length] == '/') return inside(space, path + length + 1);
		if (path[length] == 0) return directory();
	}
	return path;
}

/* ---- event channels ---- */

/* A FIFO that is open at both ends, so that neither side's coming and going is an end of file. */
static int fifo(const char *name)
{
	char path[pathMax];
	mkfifo(inside(path, name), 0600);
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static int kicks(void)
{
	static int descriptor = -1;
	if (descriptor < 0) descriptor = fifo("kicks");
	return descriptor;
}

/* -1 while nobody listens. */
static int kicked(void)
{
	static int descriptor = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[pathMax];
	if (descriptor >= 0) return descriptor;
	inside(path, "kicked");
	if (strlen(path) >= sizeof address.sun_path) return -1;
	strcpy(address.sun_path, path);
	descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor >= 0 && connect(descriptor, (struct sockaddr *)&address, sizeof address)) {
		close(descriptor);
		descriptor = -1;
	}
	return descriptor;
}

xenevtchn_handle *xenevtchn_open(xentoollog_logger *logger, unsigned flags)
{
	(void)logger, (void)flags;
	kicks();
	return (void *)&handle;
}
xenevtchn_handle *xenevtchn_fdopen(xentoollog_logger *logger, int descriptor, unsigned flags)
{
	(void)descriptor;
	return xenevtchn_open(logger, flags);
}
int xenevtchn_close(xenevtchn_handle *xce) { (void)xce; return 0; }
int xenevtchn_fd(xenevtchn_handle *xce) { (void)xce; return kicks(); }
int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	uint32_t word = port;
	int descriptor = kicked();
	(void)xce;
	if (descriptor >= 0 && send(descriptor, &word, sizeof word, MSG_NOSIGNAL) < 0) abort();
	return 0;
}
xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(xenevtchn_handle *xce, uint32_t domain)
{
	(void)xce;
	return channelBase + domain;
}
xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domain, evtchn_port_t remote)
{
	(void)xce, (void)remote;
	return channelBase + domain;
}
xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned virq)
{
	(void)xce, (void)virq;
	return virqPort;
}
int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port) { (void)xce, (void)port; return 0; }
int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port) { (void)xce, (void)port; return 0; }
xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
	uint32_t port;
	(void)xce;
	return read(kicks(), &port, sizeof port) == sizeof port ? (int)port : -1;
}

/* ---- shared pages ---- */

static void *map(unsigned domain)
{
	char name[32], path[pathMax];
	snprintf(name, sizeof name, "ring.%u", domain);
	int file = open(inside(path, name), O_RDWR | O_CLOEXEC);
	if (file < 0) return NULL;
	void *page = mmap(NULL, pageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	return page == MAP_FAILED ? NULL : page;
}

xengnttab_handle *xengnttab_open(xentoollog_logger *logger, unsigned flags)
{
	(void)logger, (void)flags;
	return (void *)&handle;
}
int xengnttab_close(xengnttab_handle *xgt) { (void)xgt; return 0; }
int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t count) { (void)xgt, (void)count; return 0; }
void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domain, uint32_t reference, int protection)
{
	(void)xgt, (void)reference, (void)protection;
	return map(domain);
}
int xengnttab_unmap(xengnttab_handle *xgt, void *start, uint32_t count)
{
	(void)xgt, (void)count;
	return munmap(start, pageBytes);
}
void *xc_map_foreign_range(xc_interface *xch, uint32_t domain, int size, int protection, unsigned long frame)
{
	(void)xch, (void)size, (void)protection, (void)frame;
	return map(domain);
}

/* ---- domains ---- */

/* r, s or d; 0 where there is no such domain. */
static int state(unsigned domain)
{
	char name[32], path[pathMax], letter = 'r';
	if (domain == 0) return letter;
	snprintf(name, sizeof name, "domain.%u", domain);
	int file = open(inside(path, name), O_RDONLY | O_CLOEXEC);
	if (file < 0) return 0;
	if (read(file, &letter, 1) < 1) letter = 'r';
	close(file);
	return letter;
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *other, unsigned flags)
{
	(void)logger, (void)other, (void)flags;
	return (void *)&handle;
}
int xc_interface_close(xc_interface *xch) { (void)xch; return 0; }
int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned max, xc_dominfo_t *info)
{
	int letter = state(first);
	(void)xch, (void)max;
	if (!letter) { errno = ESRCH; return 0; }
	memset(info, 0, sizeof *info);
	info->domid = first;
	info->running = letter == 'r';
	info->shutdown = letter != 'r';
	info->dying = letter == 'd';
	return 1;
}
int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max, xc_domaininfo_t *info)
{
	int letter = state(first);
	(void)xch, (void)max;
	if (!letter) { errno = ESRCH; return -1; }
	memset(info, 0, sizeof *info);
	info->domain = first;
	info->flags = letter == 'r' ? XEN_DOMINF_running : XEN_DOMINF_shutdown;
	if (letter == 'd') info->flags |= XEN_DOMINF_dying;
	return 1;
}
const xc_error *xc_get_last_error(xc_interface *xch) { static xc_error none; (void)xch; return &none; }
const char *xc_error_code_to_desc(int code) { (void)code; return "pretended"; }
void xc_clear_last_error(xc_interface *xch) { (void)xch; }

/* ---- what is in the directory instead ---- */

/* The daemons want more open files than a user may have, and end where they do not get them. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) { (void)resource, (void)limit; return 0; }
int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit) { (void)resource, (void)limit; return 0; }

#define NEXT(name) static __typeof__(name) *next; if (!next) next = (__typeof__(next))dlsym(RTLD_NEXT, #name)
#define OPEN(name) \
	int name(const char *path, int flags, ...) \
	{ \
		NEXT(name); \
		char space[pathMax]; \
		mode_t mode = 0; \
		if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
		return next(redirected(space, path), flags, mode); \
	}
OPEN(open)
OPEN(open64)
int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open64(path, flags); }
int unlink(const char *path) { NEXT(unlink); char space[pathMax]; return next(redirected(space, path)); }
int mkdir(const char *path, mode_t mode) { NEXT(mkdir); char space[pathMax]; return next(redirected(space, path), mode); }
int chmod(const char *path, mode_t mode) { NEXT(chmod); char space[pathMax]; return next(redirected(space, path), mode); }
int bind(int descriptor, const struct sockaddr *address, socklen_t length)
{
	NEXT(bind);
	char space[pathMax], path[sizeof ((struct sockaddr_un *)0)->sun_path + 1];
	struct sockaddr_un other = { .sun_family = AF_UNIX };
	if (address->sa_family != AF_UNIX) return next(descriptor, address, length);
	snprintf(path, sizeof path, "%s", ((const struct sockaddr_un *)address)->sun_path);
	const char *target = redirected(space, path);
	if (strlen(target) >= sizeof other.sun_path) { errno = ENAMETOOLONG; return -1; }
	strcpy(other.sun_path, target);
	return next(descriptor, (struct sockaddr *)&other, sizeof other);
}
