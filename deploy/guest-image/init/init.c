#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

/* The service as it is now. */
struct service {
  pid_t pid;          /* 0: it does not run */
  int output;         /* -1: nothing more is to be read */
  long started;       /* when, in milliseconds since the boot */
  long next;          /* when it is to be started again */
  long pause;         /* before that, the next time; 0: none */
  long killed_at;     /* when it is killed, if the guest is to end; 0: it goes on */
  int signal;         /* which signal asked for the end */
  struct timespec sign; /* when it gave its last sign of life, by the file's clock */
  int signs;          /* how many of them were seen since it was started */
  long silence;       /* how long none was, in milliseconds */
  long looked;        /* when that was looked for */
  char line[LINE_MAX_BYTES];
  size_t length;
};

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

/* Hands what the service prints to the log, line by line. */
static void read_output(struct service *service) {
  char bytes[4096];
  ssize_t count = read(service->output, bytes, sizeof bytes);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  for (ssize_t at = 0; at < count; at += 1) {
    int ends = bytes[at] == '\n';
    if (!ends) service->line[service->length++] = bytes[at];
    if (!ends && service->length < sizeof service->line) continue;
    say_service(service->line, service->length);
    service->length = 0;
  }
  if (count > 0) return;
  close(service->output);
  service->output = -1;
}

static void service_ended(struct service *service, int status) {
  long now = now_ms();
  while (service->output >= 0) {
    struct pollfd left = {service->output, POLLIN, 0};
    /* A process that it left behind may hold the other end for ever. */
    if (poll(&left, 1, 0) <= 0) break;
    read_output(service);
  }
  if (service->output >= 0) close(service->output);
  service->output = -1;
  service->pid = 0;
  if (service->killed_at != 0) return;
  /* At once the first time: a xenstore domain's kernel may have no timer that would end a pause. */
  if (now - service->started >= RESTART_CALM_MS) service->pause = 0;
  service->next = now + service->pause;
  say("the service ended with %s %d; it is started again in %ld ms",
      WIFSIGNALED(status) ? "signal" : "code",
      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), service->pause);
  service->pause = service->pause == 0 ? RESTART_PAUSE_MS : 2 * service->pause;
  if (service->pause > RESTART_PAUSE_MAX_MS) service->pause = RESTART_PAUSE_MAX_MS;
}

/* Collects every process that has ended: the service, and those whose parents ended before them. */
static void reap(struct service *service) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    if (pid == service->pid) service_ended(service, status);
}

static void read_signals(int signals, struct service *service) {
  struct signalfd_siginfo signal;
  while (read(signals, &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGCHLD) {
      reap(service);
      continue;
    }
    if (service->killed_at != 0) continue;
    say("the guest is told to end");
    service->signal = (int)signal.ssi_signo;
    service->killed_at = now_ms() + STOP_PATIENCE_MS;
    if (service->pid != 0) kill(service->pid, SIGTERM);
  }
}

/* What is in use is what could not be given to somebody else. */
static void say_memory(void) {
  long total = 0;
  long available = 0;
  char line[128];
  FILE *file = fopen("/proc/meminfo", "re");
  if (file == NULL) return;
  while (fgets(line, sizeof line, file) != NULL) {
    sscanf(line, "MemTotal: %ld", &total);
    sscanf(line, "MemAvailable: %ld", &available);
  }
  fclose(file);
  say("memory: %ld KiB in use of %ld KiB", total - available, total);
}

/*
 * Whether the service hangs: it has given signs of life, and gives none any more. Only after the second is it known
 * that its timers run, which in some xenstore domains none does. A guest that was paused, or had no processor,
 * is not blamed for that: each look counts as a second at most.
 */
static int hangs(const struct plan *plan, struct service *service, long now) {
  struct stat file;
  long passed = now - service->looked;
  service->looked = now;
  if (plan->sign_of_life == NULL || service->pid == 0) return 0;
  if (stat(plan->sign_of_life, &file) != 0) return 0;
  if (file.st_mtim.tv_sec != service->sign.tv_sec || file.st_mtim.tv_nsec != service->sign.tv_nsec) {
    service->sign = file.st_mtim;
    service->signs += 1;
    service->silence = 0;
    return 0;
  }
  service->silence += passed < LOOK_MS ? passed : LOOK_MS;
  return service->signs >= 2 && service->silence > SILENCE_MAX_MS;
}

static long earlier(long one, long other) { return one < other ? one : other; }

/* Runs the service until the guest is told to end, and returns the signal that said so. */
static int supervise(const struct plan *plan, int signals) {
  struct service service = {.output = -1};
  long interval = plan->memory_seconds * 1000L;
  long memory_at = now_ms() + interval;
  long lifetime = plan->kill_seconds * 1000L;
  long hang = plan->hang_seconds * 1000L;
  for (;;) {
    long now = now_ms();
    if (service.killed_at != 0 && service.pid == 0) return service.signal;
    if (service.killed_at == 0 && service.pid == 0 && now >= service.next) {
      service.started = now;
      service.signs = 0;
      service.silence = 0;
      service.pid = start_service(plan, &service.output);
    }
    if (service.killed_at != 0 && now >= service.killed_at) kill(service.pid, SIGKILL);
    if (lifetime > 0 && service.pid != 0 && now >= service.started + lifetime)
      kill(service.pid, SIGKILL);
    if (hang > 0 && service.pid != 0 && now >= service.started + hang) {
      /* Once: whoever is started next goes on. */
      kill(service.pid, SIGSTOP);
      hang = 0;
    }
    if (hangs(plan, &service, now)) {
      say("the service has given no sign of life for %d s: it hangs and is killed", SILENCE_MAX_MS / 1000);
      kill(service.pid, SIGKILL);
      service.signs = 0;
    }
    if (interval > 0 && now >= memory_at) {
      say_memory();
      memory_at = now + interval;
    }
    long wake = now + LOOK_MS;
    if (service.pid == 0) wake = earlier(wake, service.next);
    if (interval > 0) wake = earlier(wake, memory_at);
    struct pollfd awaited[2] = {{signals, POLLIN, 0}, {service.output, POLLIN, 0}};
    poll(awaited, 2, wake > now ? (int)(wake - now) : 0);
    if ((awaited[1].revents & (POLLIN | POLLHUP)) != 0) read_output(&service);
    if ((awaited[0].revents & POLLIN) != 0) read_signals(signals, &service);
  }
}

static int block_signals(void) {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  sigaddset(&awaited, SIGINT);
  sigaddset(&awaited, SIGHUP);
  sigprocmask(SIG_BLOCK, &awaited, NULL);
  return signalfd(-1, &awaited, SFD_NONBLOCK | SFD_CLOEXEC);
}

int main(int count, char **words) {
  /* The kernel runs /sbin/poweroff and /sbin/reboot when the hypervisor asks for that: also this. */
  if (getpid() != 1) {
    const char *name = count > 0 ? strrchr(words[0], '/') : NULL;
    int reboot_wanted = name != NULL && strcmp(name, "/reboot") == 0;
    return kill(1, reboot_wanted ? SIGHUP : SIGTERM) == 0 ? 0 : 1;
  }
  static struct plan plan;
  mount_kernel_files();
  read_words(&plan);
  open_log(plan.log);
  read_plan(&plan);
  load_modules(&plan);
  enter_root(&plan);
  prepare_places(&plan);
  bring_up_network(&plan);
  /* Ctrl-Alt-Del is SIGINT to this process, and no more. */
  reboot(RB_DISABLE_CAD);
  int signals = block_signals();
  say("the service is started");
  int signal = supervise(&plan, signals);
  sync();
  reboot(signal == SIGHUP ? RB_AUTOBOOT : RB_POWER_OFF);
  give_up("the guest cannot be switched off");
}
