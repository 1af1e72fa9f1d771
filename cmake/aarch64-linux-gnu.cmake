# Toolchain of the preset arm64: the recorder too, for kernels in a virtual machine.

set(CMAKE_SYSTEM_PROCESSOR aarch64)
include("${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake")
