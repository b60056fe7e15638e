#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
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

/*
 * A bridge with eth0 in it. What is in a bridge receives nothing for itself, so the address has to be the
 * bridge's; the bridge takes the MAC address of eth0, and keeps it, since backends of guests have higher ones.
 */
static void make_bridge(int control, const char *name) {
  struct ifreq request = request_for(name);
  if (ioctl(control, SIOCBRADDBR, request.ifr_name) != 0) give_up("the bridge cannot be made");
  request.ifr_ifindex = (int)if_nametoindex("eth0");
  if (ioctl(control, SIOCBRADDIF, &request) != 0) give_up("eth0 cannot be put into the bridge");
  set_up(control, "eth0");
  set_up(control, name);
}

/* ADDRESS/LEN of IPv4. */
static void set_address(int control, const char *interface, char *text) {
  char *slash = strchr(text, '/');
  int length = slash == NULL ? -1 : atoi(slash + 1);
  if (slash != NULL) *slash = '\0';
  struct in_addr address;
  errno = EINVAL;
  if (length < 1 || length > 32 || inet_pton(AF_INET, text, &address) != 1)
    give_up("flotilla.address is not ADDRESS/LEN");
  struct ifreq request = request_for(interface);
  request.ifr_addr = socket_address(address);
  if (ioctl(control, SIOCSIFADDR, &request) != 0) give_up("the address cannot be set");
  request.ifr_netmask = socket_address((struct in_addr){htonl(~0U << (32 - length))});
  if (ioctl(control, SIOCSIFNETMASK, &request) != 0) give_up("the netmask cannot be set");
  set_up(control, interface);
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
  int wanted = plan->address != NULL || plan->bridge != NULL;
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) {
    if (wanted) give_up("the kernel has no network");
    return;
  }
  set_up(control, "lo");
  if (wanted && !wait_for(interface_exists, "eth0")) give_up("eth0 does not appear");
  if (plan->bridge != NULL) make_bridge(control, plan->bridge);
  const char *interface = plan->bridge == NULL ? "eth0" : plan->bridge;
  if (plan->address != NULL) set_address(control, interface, plan->address);
  if (plan->gateway != NULL) set_gateway(control, plan->gateway);
  close(control);
}
