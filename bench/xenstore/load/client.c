#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* oxenstored answers DIRECTORY with more than the protocol allows; pages not touched cost nothing. */
enum { inBytes = 1 << 20 };

void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strncpy(address.sun_path, wishes.socket, sizeof address.sun_path - 1);
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0) fail("socket", strerror(errno));
	while (connect(descriptor, (struct sockaddr *)&address, sizeof address)) {
		/* The queue of those who wait to be accepted is full. */
		if (errno != EAGAIN) fail(wishes.socket, strerror(errno));
		poll(NULL, 0, 1);
	}
	return descriptor;
}

struct client *client_open(int number)
{
	struct client *client = calloc(1, sizeof *client);
	client->in = malloc(inBytes);
	client->number = number;
	client->socket = dial();
	return client;
}

void client_close(struct client *client)
{
	close(client->socket);
	free(client->in);
	free(client);
}

void put(struct client *client, uint32_t type, uint32_t transaction, const char *path, const void *rest, size_t length)
{
	size_t name = strlen(path) + 1;
	struct header header = { type, ++client->requests, transaction, (uint32_t)(name + length) };
	if (client->queued + sizeof header + name + length > sizeof client->out) fail("put", "too much at once");
	char *end = client->out + client->queued;
	memcpy(end, &header, sizeof header);
	memcpy(end + sizeof header, path, name);
	if (length) memcpy(end + sizeof header + name, rest, length);
	client->queued += sizeof header + name + length;
}

void send_queued(struct client *client)
{
	size_t sent = 0;
	while (sent < client->queued) {
		ssize_t count = send(client->socket, client->out + sent, client->queued - sent, MSG_NOSIGNAL);
		if (count < 0) fail("send", strerror(errno));
		sent += count;
	}
	client->queued = 0;
}

int next_message(struct client *client, struct reply *reply)
{
	size_t there = client->filled - client->seen;
	const struct header *header = (void *)(client->in + client->seen);
	if (there >= sizeof *header) {
		if (header->length > inBytes - sizeof *header) fail("reply", "too long");
		if (there >= sizeof *header + header->length) {
			*reply = (struct reply){ header, (const char *)(header + 1) };
			client->seen += sizeof *header + header->length;
			return 1;
		}
	}
	memmove(client->in, client->in + client->seen, there);
	client->seen = 0;
	client->filled = there;
	return 0;
}

void receive(struct client *client, int wait)
{
	ssize_t count = recv(client->socket, client->in + client->filled, inBytes - client->filled, wait ? 0 : MSG_DONTWAIT);
	if (count == 0) fail("recv", "the server has closed the connection");
	if (count < 0 && errno != EAGAIN) fail("recv", strerror(errno));
	if (count > 0) client->filled += count;
}

struct reply await(struct client *client)
{
	struct reply reply;
	for (;;) {
		while (next_message(client, &reply)) {
			if (reply.header->type != WATCH_EVENT) return reply;
			client->events++;
		}
		receive(client, 1);
	}
}

struct reply ask(struct client *client)
{
	send_queued(client);
	return await(client);
}

void must(struct client *client)
{
	struct reply reply = ask(client);
	if (reply.header->type == ERROR) fail("the server refuses", reply.payload);
}

void await_events(struct client *client, uint64_t events)
{
	struct reply reply;
	for (;;) {
		while (next_message(client, &reply)) client->events += reply.header->type == WATCH_EVENT;
		if (client->events >= events) return;
		receive(client, 1);
	}
}
