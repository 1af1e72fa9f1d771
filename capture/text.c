/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <fcntl.h>
#include <unistd.h>

ssize_t text_read(int dir, const char *name, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n = -1;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (len + 1 < size && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (n < 0)
		return -1;
	buf[len] = '\0';
	return (ssize_t)len;
}
