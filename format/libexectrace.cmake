# libexectrace, for other programs: shared and static, from the objects of exectrace-format.

include(CMakePackageConfigHelpers)

set(includedir "${CMAKE_INSTALL_INCLUDEDIR}")
set(cmakedir "${CMAKE_INSTALL_LIBDIR}/cmake/exectrace")

# The number in the soname is 0 as long as the version is 0.x, and grows from 1.0 on
# with each release that breaks a program built before. Between 0.x and the next the
# structs may change: libexectrace.map.in keeps programs of one from the other.
set(map "${CMAKE_CURRENT_BINARY_DIR}/libexectrace.map")
configure_file(libexectrace.map.in "${map}" @ONLY)
add_library(exectrace-shared SHARED $<TARGET_OBJECTS:exectrace-format>)
set_target_properties(exectrace-shared PROPERTIES
	OUTPUT_NAME exectrace
	EXPORT_NAME exectrace
	LINKER_LANGUAGE C
	VERSION "${PROJECT_VERSION}"
	SOVERSION "${PROJECT_VERSION_MAJOR}"
	LINK_DEPENDS "${map}")
target_link_options(exectrace-shared PRIVATE
	LINKER:-z,defs
	"LINKER:--version-script=${map}")
target_link_libraries(exectrace-shared PRIVATE PkgConfig::ZSTD PkgConfig::ZLIB)
set(pc_deflate "")
if(LIBDEFLATE_FOUND)
	target_link_libraries(exectrace-shared PRIVATE PkgConfig::LIBDEFLATE)
	set(pc_deflate ", libdeflate")
endif()
target_include_directories(exectrace-shared INTERFACE "$<INSTALL_INTERFACE:${includedir}>")

# Visibility does not count inside an archive: a program with a buf_free of its own
# would clash with the library's, or be called by it. So the archive has one object,
# in which all that is hidden has become local.
if(NOT CMAKE_OBJCOPY)
	message(FATAL_ERROR "objcopy is missing (package binutils, or llvm)")
endif()
separate_arguments(flags UNIX_COMMAND "${CMAKE_C_FLAGS}")
if(CMAKE_C_COMPILER_TARGET)
	list(PREPEND flags "${CMAKE_C_COMPILE_OPTIONS_TARGET}${CMAKE_C_COMPILER_TARGET}")
endif()
# With -flto: machine code, since objcopy cannot see what the compiler's own form hides.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	list(APPEND flags -flinker-output=nolto-rel)
endif()
set(object "${CMAKE_CURRENT_BINARY_DIR}/libexectrace.o")
add_custom_command(OUTPUT "${object}"
	COMMAND "${CMAKE_C_COMPILER}" ${flags} -r -nostdlib -o "${object}"
		"$<TARGET_OBJECTS:exectrace-format>"
	COMMAND "${CMAKE_OBJCOPY}" --localize-hidden "${object}"
	DEPENDS exectrace-format
	COMMAND_EXPAND_LISTS VERBATIM
	COMMENT "Hiding what is not exported from libexectrace.a")
add_library(exectrace-static STATIC "${object}")
set_target_properties(exectrace-static PROPERTIES
	OUTPUT_NAME exectrace
	LINKER_LANGUAGE C)

# A directory may be given as an absolute path; then the prefix has no part in it.
cmake_path(APPEND pc_libdir "\${prefix}" "${CMAKE_INSTALL_LIBDIR}")
cmake_path(APPEND pc_includedir "\${prefix}" "${includedir}")
# Twice, since the prefix is known when installing: `cmake --install --prefix`.
set(pc_prefix "@CMAKE_INSTALL_PREFIX@")
set(pc "${CMAKE_CURRENT_BINARY_DIR}/exectrace.pc")
configure_file(exectrace.pc.in "${pc}.in" @ONLY)
write_basic_package_version_file(exectrace-config-version.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS exectrace-shared EXPORT exectrace-config
	LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(TARGETS exectrace-static ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES include/exectrace.h DESTINATION "${includedir}")
install(CODE "configure_file(\"${pc}.in\" \"${pc}\" @ONLY)")
install(FILES "${pc}"
	DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
# exectrace::exectrace is the shared library; who links the archive asks pkg-config.
install(EXPORT exectrace-config NAMESPACE exectrace:: DESTINATION "${cmakedir}")
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/exectrace-config-version.cmake"
	DESTINATION "${cmakedir}")
