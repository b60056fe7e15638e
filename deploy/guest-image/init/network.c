#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init.h"

static struct ifreq request_for(const char *interface) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  return request;
}

static int interface_exists(const char *name) { return if_nametoindex(name) != 0; }

static struct sockaddr socket_address(struct in_addr address) {
  struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr = address};
  struct sockaddr generic;
  memcpy(&generic, &inet, sizeof generic);
  return generic;
}

static void set_up(int control, const char *interface) {
  struct ifreq request = request_for(interface);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(control, SIOCSIFFLAGS, &request) != 0) say("%s: %s", interface, strerror(errno));
}

/* ADDRESS/LEN of IPv4. */
static void set_address(int control, char *text) {
  char *slash = strchr(text, '/');
  int length = slash == NULL ? -1 : atoi(slash + 1);
  if (slash != NULL) *slash = '\0';
  struct in_addr address;
  errno = EINVAL;
  if (length < 1 || length > 32 || inet_pton(AF_INET, text, &address) != 1)
    give_up("flotilla.address is not ADDRESS/LEN");
  if (!wait_for(interface_exists, "eth0")) give_up("eth0 does not appear");
  struct ifreq request = request_for("eth0");
  request.ifr_addr = socket_address(address);
  if (ioctl(control, SIOCSIFADDR, &request) != 0) give_up("the address of eth0");
  request.ifr_netmask = socket_address((struct in_addr){htonl(~0U << (32 - length))});
  if (ioctl(control, SIOCSIFNETMASK, &request) != 0) give_up("the netmask of eth0");
  set_up(control, "eth0");
}

static void set_gateway(int control, const char *text) {
  struct in_addr gateway;
  errno = EINVAL;
  if (inet_pton(AF_INET, text, &gateway) != 1) give_up("flotilla.gateway is no address");
  struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
  route.rt_dst = socket_address((struct in_addr){0});
  route.rt_genmask = socket_address((struct in_addr){0});
  route.rt_gateway = socket_address(gateway);
  if (ioctl(control, SIOCADDRT, &route) != 0) give_up("the gateway cannot be set");
}

/* Loopback always, and eth0 as the kernel's words say. A kernel without a network has nothing to do. */
void bring_up_network(const struct plan *plan) {
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) {
    if (plan->address != NULL) give_up("the kernel has no network");
    return;
  }
  set_up(control, "lo");
  if (plan->address != NULL) set_address(control, plan->address);
  if (plan->gateway != NULL) set_gateway(control, plan->gateway);
  close(control);
}
