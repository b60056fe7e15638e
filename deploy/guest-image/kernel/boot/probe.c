/*
 * The only program of a guest that is booted to measure its kernel: says on the console how long the
 * kernel has been running and how much memory it left, and ends the machine.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

static void contents(const char *path, char *into, size_t size) {
  into[0] = 0;
  int file = open(path, O_RDONLY);
  if (file < 0) return;
  ssize_t got = read(file, into, size - 1);
  into[got > 0 ? got : 0] = 0;
  close(file);
}

/* The number after a name of /proc/meminfo, in KiB; -1 if it is not there. */
static long memory(const char *info, const char *name) {
  const char *line = strstr(info, name);
  long value = -1;
  if (line) sscanf(line + strlen(name), " %ld", &value);
  return value;
}

int main(void) {
  char uptime[64], info[4096];
  mkdir("/proc", 0755);
  mount("proc", "/proc", "proc", 0, 0);
  contents("/proc/uptime", uptime, sizeof uptime);
  contents("/proc/meminfo", info, sizeof info);
  uptime[strcspn(uptime, " \n")] = 0;
  printf("probe: uptime=%s total=%ld available=%ld\n", uptime, memory(info, "MemTotal:"),
         memory(info, "MemAvailable:"));
  fflush(stdout);
  sleep(1);
  reboot(RB_AUTOBOOT);
  return 1;
}
