#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef __x86_64__
#include <sys/io.h>
#endif

#include "init.h"

/* What a hypervisor's debug console listens to: Xen shows it in `xl dmesg`. */
#define DEBUG_PORT 0xe9

/* Until it is opened: what the kernel has opened for its first process, the console. */
static int log_fd = 2;
static int is_kernel_log;
#ifdef __x86_64__
static int has_port;
#endif

/*
 * Opens what the kernel's word asks for; without one, the kernel's own log. Nothing here waits for a
 * reader: the console of a xenstore domain has none before xenstore is served, and would block.
 */
void open_log(const char *target) {
  is_kernel_log = target == NULL || strcmp(target, "console") != 0;
#ifdef __x86_64__
  has_port = target != NULL && strcmp(target, "port-e9") == 0 && ioperm(DEBUG_PORT, 1, 1) == 0;
#endif
  int fd = open("/proc/sys/kernel/printk_devkmsg", O_WRONLY | O_CLOEXEC);
  /* The kernel otherwise drops lines where ten come at once. */
  if (fd >= 0) {
    if (write(fd, "on\n", 3) < 0) errno = 0;
    close(fd);
  }
  log_fd = open(is_kernel_log ? "/dev/kmsg" : "/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
}

/* The service inherits no right to the port. */
void forget_log_rights(void) {
#ifdef __x86_64__
  if (has_port) ioperm(DEBUG_PORT, 1, 0);
#endif
}

static void put_line(const char *text, size_t length) {
#ifdef __x86_64__
  if (has_port) {
    for (size_t at = 0; at < length; at += 1) outb((unsigned char)text[at], DEBUG_PORT);
    outb('\n', DEBUG_PORT);
    return;
  }
#endif
  char line[LINE_MAX_BYTES + 64];
  int size = snprintf(line, sizeof line, "%s%.*s\n", is_kernel_log ? "<6>" : "", (int)length, text);
  /* There is nobody to be told that the log cannot be written. */
  if (size > 0 && write(log_fd, line, (size_t)size) < 0) return;
}

void say(const char *format, ...) {
  char text[LINE_MAX_BYTES];
  va_list values;
  va_start(values, format);
  int head = snprintf(text, sizeof text, "flotilla init: ");
  int tail = vsnprintf(text + head, sizeof text - (size_t)head, format, values);
  va_end(values);
  size_t length = (size_t)head + (tail > 0 ? (size_t)tail : 0);
  put_line(text, length < sizeof text ? length : sizeof text - 1);
}

void say_service(const char *line, size_t length) { put_line(line, length); }

/*
 * Ends the guest as one that has crashed: the kernel panics when its first process ends, and whoever
 * watches the domain sees that.
 */
void give_up(const char *what) {
  say("cannot go on: %s: %s", what, strerror(errno));
  _exit(1);
}
