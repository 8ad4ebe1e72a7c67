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

# e2e: the real binary, its real Redis, killed and misconfigured. Python's standard library only.
add_executable(load support/load.c)
target_link_libraries(load PRIVATE muster_client)
foreach(name kill roles operate bytes standby failover resume overload)
    add_test(NAME e2e.${name}
        COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/${name}_test.py
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(e2e.${name} PROPERTIES LABELS e2e TIMEOUT 300 ENVIRONMENT
        "TEST_BINARY=$<TARGET_FILE:muster>;TEST_LOAD=$<TARGET_FILE:load>;TEST_CLOCK_SHIM=$<TARGET_FILE:clock_shim>;TEST_OVERLOAD=$<TARGET_FILE:bench_overload>;TEST_SLOW_FSYNC=$<TARGET_FILE:slow_fsync>")
endforeach()

# what-if: a recording exported from a running server, replayed under other rules.
add_test(NAME e2e.what_if
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/what_if_test.py
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(e2e.what_if PROPERTIES LABELS e2e TIMEOUT 300 ENVIRONMENT
    "TEST_BINARY=$<TARGET_FILE:muster>")

# demo: what a newcomer runs, with the release build: its exit code and its count of matches.
foreach(demo "1v1_duel:500 of 2" "5v5_arena:100 of 10")
    string(REGEX MATCH "^[^:]+" queue ${demo})
    string(REGEX REPLACE "^[^:]+:" "" matches ${demo})
    add_test(NAME demo.${queue} COMMAND bash -o pipefail -c
        "deploy/up --demo 1000 --queue ${queue} | tee /dev/stderr | grep 'matches   ${matches} players each'"
        WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(demo.${queue} PROPERTIES LABELS demo TIMEOUT 300)
endforeach()
# and the build itself, which the demos have made.
add_test(NAME demo.hardening
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/structure/hardening.py
        ${CMAKE_SOURCE_DIR}/build/release/bin/muster)
set_tests_properties(demo.hardening PROPERTIES LABELS demo TIMEOUT 60
    DEPENDS "demo.1v1_duel;demo.5v5_arena")

# bench: figures by bench/run.py; here only that every program runs and prints all its rows.
foreach(name denominators rpc sockets fanout)
    add_executable(bench_${name} bench/${name}.c bench/measure.c)
endforeach()
target_link_libraries(bench_rpc PRIVATE muster_client)
add_executable(bench_overload bench/overload.c)
target_link_libraries(bench_overload PRIVATE muster_client)
add_test(NAME bench.smoke
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/bench/run.py --smoke
        --bin $<TARGET_FILE_DIR:muster>
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(bench.smoke PROPERTIES LABELS e2e TIMEOUT 300)

# CPU per ticket of the pure model; run by hand from a release build with MUSTER_TESTS=ON.
add_executable(model_bench EXCLUDE_FROM_ALL bench/model_bench.c)
target_include_directories(model_bench PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(model_bench PRIVATE muster_model cmocka)
add_executable(search_bench EXCLUDE_FROM_ALL bench/search_bench.c)
target_include_directories(search_bench PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(search_bench PRIVATE muster_model cmocka m)

# Definitions parsed and candidates judged a second; by hand as well.
add_executable(ruleset_bench EXCLUDE_FROM_ALL bench/ruleset_bench.c)
target_link_libraries(ruleset_bench PRIVATE muster_wire)

# Time and memory of a restart; by hand as well.
add_executable(replay_bench EXCLUDE_FROM_ALL bench/replay_bench.c)
target_include_directories(replay_bench PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(replay_bench PRIVATE muster_redis_fixture cmocka)

# conformance: wire rules of Engine.IO v4 and Socket.IO v5 over real sockets, against an echo.
add_executable(echo_server conformance/echo_server.c)
target_link_libraries(echo_server PRIVATE muster_bridge)
foreach(name engine polling websocket upgrade packets features clients tls hostile)
    add_test(NAME conformance.${name}
        COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/conformance/${name}_test.py)
    set_tests_properties(conformance.${name} PROPERTIES LABELS conformance TIMEOUT 120 ENVIRONMENT
        "ECHO_SERVER=$<TARGET_FILE:echo_server>")
endforeach()

# clients: the C client installed into a temporary prefix, its examples built twice and run.
add_test(NAME clients.install
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/clients/install_test.py
        ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER} "${MUSTER_SANITIZE}")
set_tests_properties(clients.install PROPERTIES LABELS e2e TIMEOUT 300 ENVIRONMENT
    "TEST_BINARY=$<TARGET_FILE:muster>")

# interop: Socket.IO clients from npm, PyPI, Go and a browser against real servers, and npm's packet
# parser beside ours.
add_executable(sio_packet_dump interop/sio_packet_dump.c)
target_link_libraries(sio_packet_dump PRIVATE muster_socketio)
add_test(NAME interop COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/interop/run ${CMAKE_BINARY_DIR}/interop)
set(interop_environment "TEST_BINARY=$<TARGET_FILE:muster>" "ECHO_SERVER=$<TARGET_FILE:echo_server>"
    "SIO_PACKET_DUMP=$<TARGET_FILE:sio_packet_dump>")
set_tests_properties(interop PROPERTIES LABELS interop TIMEOUT 1500
    ENVIRONMENT "${interop_environment}")

# deploy: image, units, manifests, alerts and dashboard, by the tools that read them.
add_test(NAME deploy COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/deploy/run ${CMAKE_BINARY_DIR}/deploy-test)
set_tests_properties(deploy PROPERTIES LABELS e2e TIMEOUT 600 ENVIRONMENT
    "TEST_BINARY=$<TARGET_FILE:muster>")
