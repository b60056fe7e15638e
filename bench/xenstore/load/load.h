/*
 * A client of xenstore that measures the server: one thread, no library. Each scenario prints a line
 * of JSON. Times are in microseconds, unless a name says otherwise.
 */
#include <stddef.h>
#include <stdint.h>

/* The messages of xs_wire.h that are used here. */
enum {
	DIRECTORY = 1, READ = 2, WATCH = 4, TRANSACTION_START = 6, TRANSACTION_END = 7, WRITE = 11,
	MKDIR = 12, RM = 13, WATCH_EVENT = 15, ERROR = 16, DIRECTORY_PART = 22
};

struct header { uint32_t type, request, transaction, length; };

/* ---- client.c: a connection, whose replies are awaited or picked up when they are there ---- */

struct client {
	int socket;
	uint32_t requests;
	/* Received and not looked at: from `seen` to `filled`. */
	char *in;
	size_t seen, filled;
	/* Queued and not sent. */
	char out[64 * 1024];
	size_t queued;
	/* Watch events that were passed over. */
	uint64_t events;
	/* What a scenario remembers of this client. */
	int number, step;
	uint32_t transaction;
	uint64_t turn, since;
};

struct reply { const struct header *header; const char *payload; };

/* An open socket that nothing is asked on. */
int dial(void);
struct client *client_open(int number);
void client_close(struct client *client);
/* Queues a request: a path with its NUL, and what follows it. */
void put(struct client *client, uint32_t type, uint32_t transaction, const char *path, const void *rest, size_t length);
void send_queued(struct client *client);
/* The next whole message that was received, also an event; false where there is none. */
int next_message(struct client *client, struct reply *reply);
/* Receives what there is; waits for something if it is to. */
void receive(struct client *client, int wait);
/* Sends what is queued and waits for a reply; events are counted and passed over. */
struct reply ask(struct client *client);
/* Waits for a reply without sending anything. */
struct reply await(struct client *client);
/* The same, and ends the program if the reply is an error. */
void must(struct client *client);
/* Receives until that many events were passed over. */
void await_events(struct client *client, uint64_t events);
_Noreturn void fail(const char *what, const char *why);

/* ---- gauge.c: time, the server's processor time and memory, percentiles ---- */

uint64_t nanoseconds(void);
/* Begins to measure: forgets the samples, notes the time and the server's processor time. */
void gauge_begin(void);
/* Whether the time that was asked for is over since `gauge_begin`. */
int gauge_over(void);
/* One operation took so long. */
void gauge_sample(uint64_t nanoseconds);
/* The server's resident memory in KiB. */
long gauge_memory(void);
/* Prints `"name":{...},` with what was measured since `gauge_begin`. */
void gauge_report(const char *name, uint64_t operations);
/* Prints `"name":value,`. */
void number_report(const char *name, double value);

/* ---- the scenarios ---- */

/* What was asked for on the command line; each scenario reads what it needs. */
struct wishes {
	const char *socket;
	int server;
	double seconds;
	int clients, depth, idle, watches, nodes;
};
extern struct wishes wishes;

enum operation { op_read, op_write, op_mkdir_rm };

void run_operations(enum operation operation);
void run_watches(void);
void run_transactions(int shared);
void run_connects(void);
void run_children(void);
void run_tree(void);
/* Makes /bench anew, with 1000 nodes k0 to k999 of 16 bytes. */
void prepare(void);
/* The path of one of these nodes, a different one each turn. */
const char *some_node(const struct client *client, uint64_t turn);
extern const char value[16];
