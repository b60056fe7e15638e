/*
 * The first process of a guest image. It makes the guest's small system, starts its one service as a
 * child and starts it again whenever it ends. It is a static program and knows no other program: there is
 * no shell in the image.
 */
#ifndef FLOTILLA_INIT_H
#define FLOTILLA_INIT_H

#include <stddef.h>
#include <sys/types.h>

/* Bounds of the plan: a service of the table has a tenth of each. More is a fault of the builder. */
#define WORDS_MAX 64
#define MODULES_MAX 64
#define CALLS_MAX 256
#define PLAN_BYTES_MAX 8192

/* A disk or a network interface that is announced late is waited for this long. */
#define DEVICE_PATIENCE_MS 10000
#define DEVICE_LOOK_MS 50

/* The pause before the service is started again: doubled each time, and short again once it has run. */
#define RESTART_PAUSE_MS 100
#define RESTART_PAUSE_MAX_MS 5000
#define RESTART_CALM_MS 60000

/* How often it is looked at what has to be done by now. */
#define LOOK_MS 1000

/*
 * How long a service may give no sign of life that has given some: it hangs then, and is killed. A sign comes
 * every few seconds (base/sign-of-life.ts); one that works a whole minute without a pause serves nobody either.
 */
#define SILENCE_MAX_MS 60000

/*
 * What the service is given to end by itself when the guest is switched off: storage lets go of its disks
 * then, for which it takes 20 s at most.
 */
#define STOP_PATIENCE_MS 25000

/* A longer line of the service's output is written as several: the kernel's log takes 1 KiB. */
#define LINE_MAX_BYTES 800

struct module {
  char *path;
  char *parameters;
};

/* What the image's builder has linked in (the file /plan), and the kernel's words. */
struct plan {
  char *run_size;                 /* of the tmpfs on /run, as mount(2) has it */
  char *data_directory;           /* where the data disk goes; NULL: there is none */
  char *images_directory;         /* where a disk with guest images goes; NULL: there is none */
  char *directories[WORDS_MAX];   /* made for the service, on the tmpfs */
  char *devices[WORDS_MAX];       /* given to the service */
  char *arguments[WORDS_MAX + 1]; /* the service's program and its words */
  char *environment[WORDS_MAX + 1];
  struct module modules[MODULES_MAX];
  unsigned long long capabilities; /* a bit for each that the service keeps */
  unsigned calls[CALLS_MAX];       /* numbers of the system calls that the service may make */
  int call_count;                  /* 0: any */
  uid_t user;                      /* whom the service runs as */
  char *sign_of_life;              /* the file that it writes to as long as it does not hang; NULL: none */
  int sysfs;                       /* whether the service needs /sys */
  int terminals;                   /* whether it needs pseudo-terminals */
  /* Words of the kernel's command line. */
  char *log;          /* flotilla.log=kmsg|console|port-e9 */
  char *address;      /* flotilla.address=ADDRESS/LEN of eth0, or of the bridge */
  char *bridge;       /* flotilla.bridge=NAME: a bridge that eth0 is put into */
  char *gateway;      /* flotilla.gateway=ADDRESS */
  char *data_disk;    /* flotilla.data=DEVICE, with ext4 */
  char *images_disk;  /* flotilla.images=DEVICE, with squashfs: the images of guests */
  char *seed_disk;    /* flotilla.seed=DEVICE, with ext4: what this guest alone is given */
  int memory_seconds; /* flotilla.memory=SECONDS: how often the memory in use is said */
  int kill_seconds;   /* flotilla.kill=SECONDS: how often the service is killed, to see who notices */
  int hang_seconds;   /* flotilla.hang=SECONDS: how long the service goes on before it is stopped, as if it hung */
};

/* plan.c */
void read_plan(struct plan *plan);
void read_words(struct plan *plan);

/* log.c: where lines go, and how a guest that cannot go on ends. */
void open_log(const char *target);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_service(const char *line, size_t length);
void forget_log_rights(void);
_Noreturn void give_up(const char *what);

/* system.c */
void mount_kernel_files(void);
void load_modules(const struct plan *plan);
void enter_root(const struct plan *plan);
void prepare_places(const struct plan *plan);
int wait_for(int (*there)(const char *), const char *name);

/* network.c */
void bring_up_network(const struct plan *plan);

/* filter.c */
int filter_calls(const struct plan *plan);

/* service.c */
pid_t start_service(const struct plan *plan, int *output);

#endif
