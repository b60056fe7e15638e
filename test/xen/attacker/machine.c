#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacker.h"

/* A line of a file of /proc, after its key. */
static void tell_line(const char *what, const char *path, const char *key) {
  char line[256];
  FILE *file = fopen(path, "re");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, key, strlen(key)) == 0) {
      line[strcspn(line, "\n")] = '\0';
      answer(what, "%s", line + strlen(key) + strspn(line + strlen(key), " \t"));
    }
  if (file != NULL) fclose(file);
}

/* Names of block devices that are no loop devices. */
static void tell_disks(void) {
  char line[256], names[256] = "", name[64];
  FILE *file = fopen("/proc/partitions", "re");
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "%*u %*u %*u %63s", name) == 1 && strncmp(name, "loop", 4) != 0) {
      strncat(names, " ", sizeof names - strlen(names) - 1);
      strncat(names, name, sizeof names - strlen(names) - 1);
    }
  if (file != NULL) fclose(file);
  answer("block devices", "%s", names[0] == '\0' ? "none" : names + 1);
}

static void tell_pci(void) {
  unsigned count = 0;
  DIR *directory = opendir("/sys/bus/pci/devices");
  for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
    if (entry->d_name[0] != '.') count += 1;
  if (directory != NULL) closedir(directory);
  answer("devices of PCI", "%u", count);
}

static void try_open(const char *path, int flags) {
  char what[96];
  int fd = open(path, flags | O_CLOEXEC, 0600);
  snprintf(what, sizeof what, "open %s", path);
  answer(what, "%s", outcome(fd));
  if (fd >= 0) close(fd);
}

/* In a child, whose end takes back what has succeeded. */
static void try_aside(const char *what, long (*attempt)(void)) {
  pid_t child = fork();
  if (child == 0) _exit(attempt() == 0 ? 0 : errno);
  int status = 0;
  waitpid(child, &status, 0);
  errno = WEXITSTATUS(status);
  answer(what, "%s", outcome(errno == 0 ? 0 : -1));
}

/* By the call that starts any process: a filter of calls by their numbers lets it pass. */
static long user_namespace(void) {
  long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  return child > 0 ? 0 : -1;
}
static long own_mounts(void) { return unshare(CLONE_NEWNS); }
static long trace_init(void) { return ptrace(PTRACE_SEIZE, 1, NULL, NULL); }

/* What its own kernel gives it: who it is, what it can open, what it can ask for. */
void attack_machine(void) {
  answer("user", "%u", getuid());
  tell_line("capabilities", "/proc/self/status", "CapEff:");
  tell_line("capabilities that it can get", "/proc/self/status", "CapBnd:");
  tell_line("no new privileges", "/proc/self/status", "NoNewPrivs:");
  tell_disks();
  tell_pci();
  try_open("/dev/xen/xenbus", O_RDWR);
  try_open("/dev/xen/gntdev", O_RDWR);
  try_open("/dev/xen/gntalloc", O_RDWR);
  try_open("/dev/xen/evtchn", O_RDWR);
  try_open("/dev/xen/privcmd", O_RDWR);
  try_open("/dev/xen/hypercall", O_RDWR);
  try_open("/dev/mem", O_RDWR);
  try_open("/dev/kmsg", O_RDONLY);
  try_open("/dev/xvdb", O_RDONLY);
  try_open("/dev/loop0", O_RDONLY);
  try_open("/proc/sysrq-trigger", O_WRONLY);
  try_open("/seed/attack", O_WRONLY | O_CREAT);
  int mounted = mount("none", "/run/tmp", "tmpfs", 0, NULL);
  answer("mount", "%s", outcome(mounted));
  if (mounted == 0) umount("/run/tmp");
  answer("become root", "%s", outcome(setresuid(0, 0, 0)));
  try_aside("trace init", trace_init);
  answer("insert a module", "%s", outcome(syscall(SYS_init_module, "", 0, "")));
  answer("load a kernel", "%s", outcome(syscall(SYS_kexec_load, 0, 0, NULL, 0)));
  try_aside("a user namespace", user_namespace);
  try_aside("mounts of its own", own_mounts);
}
