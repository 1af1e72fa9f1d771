/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.h - packets between the recorder and its servants, through a socket that keeps them
 * apart, with descriptors for what one of them has open and the other is to use.
 */
#ifndef EXECTRACE_PACKET_H
#define EXECTRACE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PACKET_FDS 2u /* descriptors of a packet at most */

/* fds: n of them, which stay open here. 0 or an errno. */
int packet_send(int socket, const void *data, size_t size, const int *fds, unsigned n);
/*
 * Bytes received, or as recvmsg. What comes with n descriptors is the caller's, in fds; what
 * comes with more or fewer is closed, and all of fds is -1.
 */
ssize_t packet_receive(int socket, void *data, size_t size, int *fds, unsigned n);

#endif
