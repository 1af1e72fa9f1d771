# C11 with GNU extensions, warnings, hardening and sanitizers for every target.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# All programs side by side, so that exectrace finds exectrace-record there.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG")

add_compile_definitions(_GNU_SOURCE _FILE_OFFSET_BITS=64)
add_compile_options(
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
	-Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -fno-common)
if(EXECTRACE_WERROR)
	add_compile_options(-Werror)
endif()

include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

if(EXECTRACE_SANITIZE)
	add_compile_options(-fsanitize=${EXECTRACE_SANITIZE} -fno-sanitize-recover=all
		-fno-omit-frame-pointer)
	add_link_options(-fsanitize=${EXECTRACE_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
	add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
	add_link_options(LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
endif()
