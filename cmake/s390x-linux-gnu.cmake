# Toolchain of the preset s390x, which is big-endian and whose char is unsigned: what
# decodes right there owes nothing to the byte order of the machine.

set(CMAKE_SYSTEM_PROCESSOR s390x)
include("${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake")
