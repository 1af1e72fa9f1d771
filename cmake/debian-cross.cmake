# What the toolchain files of other machines have in common: Debian's cross compiler,
# and qemu-user for what it builds. They set CMAKE_SYSTEM_PROCESSOR and include this.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_LIBRARY_ARCHITECTURE ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu)
set(CMAKE_C_COMPILER ${CMAKE_LIBRARY_ARCHITECTURE}-gcc)
# The C library comes with the compiler, in a place that only the emulator must be told.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${CMAKE_SYSTEM_PROCESSOR} -L /usr/${CMAKE_LIBRARY_ARCHITECTURE})

# Other libraries are not among Debian's cross packages: quickstart unpacks them here.
# Compiler checks are projects with another binary directory and must be told.
set(EXECTRACE_SYSROOT "${CMAKE_BINARY_DIR}/sysroot" CACHE PATH "Libraries of the other machine, below usr/")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES EXECTRACE_SYSROOT)
set(CMAKE_FIND_ROOT_PATH "${EXECTRACE_SYSROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${EXECTRACE_SYSROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${EXECTRACE_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/pkgconfig")
