#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

/* Takes away for ever what is not on the plan, from this process and from all that it starts. */
static int keep_capabilities(unsigned long long kept) {
  for (unsigned long each = 0; prctl(PR_CAPBSET_READ, each, 0, 0, 0) >= 0; each += 1)
    if ((kept >> each & 1) == 0 && prctl(PR_CAPBSET_DROP, each, 0, 0, 0) != 0) return -1;
  return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

/* Another user than root has none left but these, and they outlive execve(2). */
static int take_capabilities(unsigned long long kept) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2];
  for (int half = 0; half < 2; half += 1) {
    unsigned bits = (unsigned)(kept >> (32 * half));
    sets[half] = (struct __user_cap_data_struct){bits, bits, bits};
  }
  if (syscall(SYS_capset, &header, sets) != 0) return -1;
  for (unsigned long each = 0; each < 64; each += 1)
    if ((kept >> each & 1) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, each, 0, 0) != 0)
      return -1;
  return 0;
}

static int lose_rights(const struct plan *plan) {
  forget_log_rights();
  if (keep_capabilities(plan->capabilities) != 0) return -1;
  if (setgroups(0, NULL) != 0) return -1;
  if (setresgid(plan->user, plan->user, plan->user) != 0) return -1;
  if (setresuid(plan->user, plan->user, plan->user) != 0) return -1;
  if (take_capabilities(plan->capabilities) != 0) return -1;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return filter_calls(plan);
}

_Noreturn static void become_service(const struct plan *plan, int output) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setsid();
  int nothing = open("/dev/null", O_RDONLY);
  if (dup2(nothing, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2 &&
      lose_rights(plan) == 0)
    execve(plan->arguments[0], plan->arguments, plan->environment);
  dprintf(output, "flotilla init: %s cannot be started: %s\n", plan->arguments[0], strerror(errno));
  _exit(126);
}

/* Starts the service; what it prints can be read from `output`. */
pid_t start_service(const struct plan *plan, int *output) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) give_up("no pipe");
  pid_t child = fork();
  if (child < 0) give_up("the service cannot be started");
  if (child == 0) become_service(plan, ends[1]);
  close(ends[1]);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  *output = ends[0];
  return child;
}
