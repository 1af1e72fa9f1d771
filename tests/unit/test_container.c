/* SPDX-License-Identifier: BSD-2-Clause */
/* Containers by the cgroups that engines make for them, and paths that only look so. */
#include "check.h"
#include "container.h"

#include <string.h>

#define A "3f4e2d1c0b9a8877665544332211ffeeddccbbaa99887766554433221100abcd"
#define B "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define POD "pod0d3c8d5e_6ff1_4a0f_9b8e_1d2c3b4a5f60"
#define POD_DASHES "pod0d3c8d5e-6ff1-4a0f-9b8e-1d2c3b4a5f60"
#define TOKEN "u3x9k2m5q8w1e7r4t6y0z2a5b"

static const struct {
	const char *path, *container; /* "": none */
} cases[] = {
	/* Docker */
	{ "/system.slice/docker-" A ".scope", A },
	{ "/docker/" A, A },
	{ "/docker/" A "/init.scope", A },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" A ".scope", A },
	{ "/docker/" A "/docker/" B, B },
	{ "/docker/" A "/system.slice/docker-" B ".scope/x", B },
	{ "/docker/" A "/system.slice/cron.service", A },
	/* Kubernetes */
	{ "/kubepods/burstable/" POD_DASHES "/" A, A },
	{ "/kubepods/" POD_DASHES "/" A, A },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" POD
	  ".slice/cri-containerd-" A ".scope",
	  A },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-" POD ".slice/crio-" A
	  ".scope",
	  A },
	{ "/kubepods.slice/kubepods-" POD ".slice/docker-" A ".scope", A },
	{ "/kubepods.slice/kubepods-" POD ".slice/crio-" A ".scope/container", A },
	{ "/system.slice/containerd.service/kubepods-burstable-" POD
	  ".slice:cri-containerd:" A,
	  A },
	{ "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-" POD
	  ".slice/cri-containerd-" A ".scope",
	  A },
	/* Podman, nerdctl, ECS */
	{ "/machine.slice/libpod-" A ".scope", A },
	{ "/machine.slice/libpod-" A ".scope/container", A },
	{ "/machine.slice/libpod-" A ".scope/libpod-payload-" A, A },
	{ "/libpod_parent/libpod-" A, A },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A
	  ".scope/container/init.scope",
	  A },
	{ "/system.slice/nerdctl-" A ".scope", A },
	{ "/ecs/0b1c2d3e4f5a/" A, A },
	/* BuildKit */
	{ "/docker/buildkit/" TOKEN, TOKEN },
	{ "/system.slice/docker.service/buildkit/" TOKEN "/x", TOKEN },
	/* LXC */
	{ "/lxc/web-1", "web-1" },
	{ "/lxc/web-1/init.scope", "web-1" },
	{ "/lxc.payload/web", "web" },
	{ "/lxc.payload.web.example.org/system.slice/ssh.service", "web.example.org" },
	{ "/lxc.payload.outer/lxc.payload.inner", "inner" },
	/* systemd-nspawn */
	{ "/machine.slice/machine-debian.scope", "debian" },
	{ "/machine.slice/machine-my\\x2dbox.scope/payload/init.scope", "my-box" },
	{ "/machine.slice/systemd-nspawn@stable\\x2d12.service/payload", "stable-12" },
	/* None */
	{ "", "" },
	{ "/", "" },
	{ "//", "" },
	{ "/docker", "" },
	{ "/docker/", "" },
	{ "/docker/nginx", "" },
	{ "/" A, "" },
	{ "/user.slice/" A, "" },
	{ "/system.slice/docker.service", "" },
	{ "/system.slice/docker-" A, "" },
	{ "/system.slice/docker-.scope", "" },
	{ "/system.slice/docker-" A "0.scope", "" },
	{ "/system.slice/docker-3f4e2d1c0b9a.scope", "" },
	{ "/system.slice/"
	  "docker-3F4E2D1C0B9A8877665544332211FFEEDDCCBBAA99887766554433221100ABCD"
	  ".scope",
	  "" },
	{ "/system.slice/my-docker-" A ".scope", "" },
	{ "/dockers/" A, "" },
	{ "/kubepods.slice/kubepods-" POD ".slice", "" },
	{ "/kubepods/burstable/" POD_DASHES, "" },
	{ "/kubepods.slice/kubepods-" POD ".slice/crio-conmon-" A ".scope", "" },
	{ "/machine.slice/libpod-conmon-" A ".scope", "" },
	{ "/x:cri-containerd:"
	  "3f4e",
	  "" },
	{ ":cri-containerd:" A "x", "" },
	{ "/docker/buildkit", "" },
	{ "/docker/buildkit/short", "" },
	{ "/lxc", "" },
	{ "/lxc.monitor.web", "" },
	{ "/lxc.monitor/web", "" },
	{ "/lxc.payload.", "" },
	{ "/machine.slice", "" },
	{ "/machine.slice/machine-.scope", "" },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dwin11.scope/libvirt/emulator", "" },
	{ "/system.slice/systemd-nspawn@.service", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-docker-desktop.scope",
	  "" },
	{ "/init.scope", "" },
};

int main(void)
{
	char out[CONTAINER_MAX], name[CONTAINER_MAX + 9] = "/lxc/";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *want = cases[i].container;
		size_t n = container_find(cases[i].path, strlen(cases[i].path), out);

		if (n != strlen(want) || memcmp(out, want, n))
			fprintf(stderr, "found: %.*s\n", (int)n, out);
		CHECK_CASE(cases[i].path, n == strlen(want) && !memcmp(out, want, n));
	}
	/* As long as a component may be, and longer than the kernel has any. */
	memset(name + 5, 'n', CONTAINER_MAX + 1);
	CHECK(container_find(name, 5 + CONTAINER_MAX, out) == CONTAINER_MAX);
	CHECK(container_find(name, 5 + CONTAINER_MAX + 1, out) == 0);
	return check_result();
}
