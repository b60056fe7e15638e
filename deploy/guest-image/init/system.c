#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

static const char root[] = "/root";

static const unsigned long harmless = MS_NOSUID | MS_NODEV | MS_NOEXEC;

/* The device files and /proc; from here on lines can be said. */
void mount_kernel_files(void) {
  if (mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755") != 0)
    give_up("/dev cannot be mounted");
  if (mount("proc", "/proc", "proc", harmless, NULL) != 0) give_up("/proc cannot be mounted");
}

/*
 * Inserts the modules in the plan's order, and gives back the memory of their files. One whose device this
 * machine lacks is no reason to end: the service says what it misses.
 */
void load_modules(const struct plan *plan) {
  for (const struct module *module = plan->modules; module->path != NULL; module += 1) {
    int fd = open(module->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) give_up(module->path);
    if (syscall(SYS_finit_module, fd, module->parameters, 0) != 0) {
      if (errno != ENODEV) give_up(module->path);
      say("%s: %s", module->path, strerror(errno));
    }
    close(fd);
    unlink(module->path);
  }
}

/* A compressed file system in the initial one stays compressed: what is read is unpacked. */
static void mount_image(const char *file, const char *place) {
  int image = open(file, O_RDONLY | O_CLOEXEC);
  int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (image < 0 || control < 0) give_up(file);
  int number = ioctl(control, LOOP_CTL_GET_FREE);
  char path[32];
  snprintf(path, sizeof path, "/dev/loop%d", number);
  int loop = number < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  struct loop_config config = {.fd = (unsigned)image, .info.lo_flags = LO_FLAGS_READ_ONLY};
  if (loop < 0 || ioctl(loop, LOOP_CONFIGURE, &config) != 0) give_up("no loop device");
  if (mount(path, place, "squashfs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) != 0) give_up(place);
  close(loop);
  close(control);
  close(image);
  unlink(file);
}

static void move(const char *from, const char *to) {
  if (mount(from, to, NULL, MS_MOVE, NULL) != 0) give_up(to);
}

/* Programs that have a guest's console hold a pseudo-terminal each; group 5 is that of terminals. */
static void mount_terminals(void) {
  if (mkdir("/dev/pts", 0755) != 0 && errno != EEXIST) give_up("/dev/pts");
  if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5") != 0)
    give_up("/dev/pts cannot be mounted");
}

/*
 * Makes the images the root and its /usr, as switch_root(8) does; what was the root before is out of reach.
 */
void enter_root(const struct plan *plan) {
  mount_image("/root.squashfs", root);
  mount_image("/runtime.squashfs", "/root/usr");
  move("/dev", "/root/dev");
  move("/proc", "/root/proc");
  if (chdir(root) != 0) give_up(root);
  move(".", "/");
  if (chroot(".") != 0 || chdir("/") != 0) give_up(root);
  char options[64];
  snprintf(options, sizeof options, "mode=0755,size=%s", plan->run_size);
  if (mount("tmpfs", "/run", "tmpfs", harmless, options) != 0) give_up("/run cannot be mounted");
  if (plan->sysfs && mount("sysfs", "/sys", "sysfs", harmless, NULL) != 0) give_up("/sys");
  if (plan->terminals) mount_terminals();
  /* Only a kernel for Xen has it, and only some services look. */
  mount("xenfs", "/proc/xen", "xenfs", harmless, NULL);
}

int wait_for(int (*there)(const char *), const char *name) {
  for (int waited = 0; !there(name); waited += DEVICE_LOOK_MS) {
    if (waited >= DEVICE_PATIENCE_MS) return 0;
    nanosleep(&(struct timespec){0, DEVICE_LOOK_MS * 1000000L}, NULL);
  }
  return 1;
}

static int file_exists(const char *path) { return access(path, F_OK) == 0; }

/* Without a disk the data is in memory, and gone with the guest. */
static void mount_data(const struct plan *plan) {
  if (plan->data_directory == NULL) return;
  if (plan->data_disk == NULL) {
    if (mount("tmpfs", plan->data_directory, "tmpfs", harmless, "mode=0755") != 0)
      give_up(plan->data_directory);
    say("no flotilla.data=DEVICE: what the service keeps is gone when the guest ends");
  } else {
    if (!wait_for(file_exists, plan->data_disk)) give_up(plan->data_disk);
    if (mount(plan->data_disk, plan->data_directory, "ext4", harmless, NULL) != 0)
      give_up(plan->data_disk);
  }
  if (chown(plan->data_directory, plan->user, plan->user) != 0) give_up(plan->data_directory);
}

/* Whoever starts a guest of these images checks what it starts: the disk itself is not trusted. */
static void mount_images(const struct plan *plan) {
  if (plan->images_directory == NULL) return;
  if (plan->images_disk == NULL) {
    say("no flotilla.images=DEVICE: there is no guest image to start");
    return;
  }
  if (!wait_for(file_exists, plan->images_disk)) give_up(plan->images_disk);
  if (mount(plan->images_disk, plan->images_directory, "squashfs", MS_RDONLY | harmless, NULL) != 0)
    give_up(plan->images_disk);
}

/* Its configuration and its keys, which the image does not have and the service cannot change. */
static void mount_seed(const struct plan *plan) {
  if (plan->seed_disk == NULL) return;
  if (!wait_for(file_exists, plan->seed_disk)) give_up(plan->seed_disk);
  if (mount(plan->seed_disk, "/seed", "ext4", MS_RDONLY | harmless, NULL) != 0)
    give_up(plan->seed_disk);
}

/*
 * In a user namespace of its own a process without any right has all of them over what it makes there, and so
 * reaches much more of the kernel. No service needs one, and only the kernel's root could allow them again.
 */
static void forbid_user_namespaces(void) {
  int fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return; /* The kernel has none. */
  if (write(fd, "0\n", 2) != 2) give_up("user namespaces cannot be forbidden");
  close(fd);
}

/* What the service may write, and the devices that it may open. */
void prepare_places(const struct plan *plan) {
  forbid_user_namespaces();
  mount_seed(plan);
  mount_data(plan);
  mount_images(plan);
  for (char *const *path = plan->directories; *path != NULL; path += 1)
    if (mkdir(*path, 0700) != 0 || chown(*path, plan->user, plan->user) != 0) give_up(*path);
  for (char *const *path = plan->devices; *path != NULL; path += 1)
    if (chown(*path, plan->user, plan->user) != 0) say("%s: %s", *path, strerror(errno));
}
