# Suites beside the unit tests: one block each.

find_package(Python3 REQUIRED COMPONENTS Interpreter)

# structure: layers, library fences, headers, sizes. Needs the generated headers of a full build.
add_test(NAME structure
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/structure/structure.py
        --proto ${CMAKE_BINARY_DIR}/proto --cc ${CMAKE_C_COMPILER})
add_test(NAME structure.self_test
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/structure/structure.py
        --self-test --cc ${CMAKE_C_COMPILER})
set_tests_properties(structure structure.self_test PROPERTIES LABELS structure TIMEOUT 120)
