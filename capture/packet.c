/* SPDX-License-Identifier: BSD-2-Clause */
#include "packet.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union room {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(PACKET_FDS * sizeof(int))];
};

int packet_send(int socket, const void *data, size_t size, const int *fds, unsigned n)
{
	union room control;
	struct iovec part = { (void *)(uintptr_t)data, size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t sent;

	if (n) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
	}
	do
		sent = sendmsg(socket, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)size ? 0 : sent < 0 ? errno : EMSGSIZE;
}

ssize_t packet_receive(int socket, void *data, size_t size, int *fds, unsigned n)
{
	union room control;
	struct iovec part = { data, size };
	struct msghdr m = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	const struct cmsghdr *c;
	int came[PACKET_FDS];
	ssize_t got;
	size_t len = 0;

	memset(&control, 0, sizeof(control));
	for (unsigned i = 0; i < n; i++)
		fds[i] = -1;
	do
		got = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	c = got > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		len = c->cmsg_len - CMSG_LEN(0);
		memcpy(came, CMSG_DATA(c), len);
	}
	if (n && len == n * sizeof(int))
		memcpy(fds, came, len);
	else
		for (size_t i = 0; i < len / sizeof(int); i++)
			close(came[i]);
	return got;
}
