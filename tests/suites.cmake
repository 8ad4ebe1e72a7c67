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
foreach(name kill roles operate bytes standby failover resume overload life bench metrics trace)
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

# what a waiting player is told
add_test(NAME e2e.explain
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/e2e/explain_test.py
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(e2e.explain PROPERTIES LABELS e2e TIMEOUT 300 ENVIRONMENT
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

# bench: figures by bench/run; here only that every program runs, all rows come and the report is made.
foreach(name denominators rpc sockets fanout)
    add_executable(bench_${name} bench/${name}.c bench/measure.c)
endforeach()
target_link_libraries(bench_rpc PRIVATE muster_client)
target_sources(bench_sockets PRIVATE ${CMAKE_SOURCE_DIR}/src/app/game_clients.c
    ${CMAKE_SOURCE_DIR}/src/app/http_get.c)
target_link_libraries(bench_sockets PRIVATE muster_wire)
add_executable(bench_overload bench/overload.c)
target_link_libraries(bench_overload PRIVATE muster_client)
add_test(NAME bench.smoke
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench/run --smoke --bin $<TARGET_FILE_DIR:muster>
        --out ${CMAKE_BINARY_DIR}/bench-smoke
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(bench.smoke PROPERTIES LABELS e2e TIMEOUT 300)

# CPU per ticket of the pure model; run by hand from a release build with MUSTER_TESTS=ON.
add_executable(model_bench EXCLUDE_FROM_ALL bench/model_bench.c)
target_include_directories(model_bench PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(model_bench PRIVATE muster_model cmocka)
add_executable(search_bench bench/search_bench.c)
target_include_directories(search_bench PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(search_bench PRIVATE muster_model cmocka m)
add_executable(explain_bench EXCLUDE_FROM_ALL bench/explain_bench.c)
target_include_directories(explain_bench PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(explain_bench PRIVATE muster_model cmocka)

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
foreach(name readme engine polling websocket upgrade packets features clients tls hostile)
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

# dashboard: the page in Chromium, before a real server.
add_test(NAME dashboard COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/dashboard/run
    ${CMAKE_BINARY_DIR}/dashboard-test)
set_tests_properties(dashboard PROPERTIES LABELS dashboard TIMEOUT 600 ENVIRONMENT
    "TEST_BINARY=$<TARGET_FILE:muster>")

# deploy: image, units, manifests, alerts and dashboard, by the tools that read them.
add_test(NAME deploy COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/deploy/run ${CMAKE_BINARY_DIR}/deploy-test)
set_tests_properties(deploy PROPERTIES LABELS e2e TIMEOUT 600 ENVIRONMENT
    "TEST_BINARY=$<TARGET_FILE:muster>")
# sim: the real roles on a simulated clock, network and Redis (simulation/README.md). The ports of
# base, rt, store, bus and the client are these files; everything above them is production's.
set(sim_ports coroutine world net redis_model fake_redis fake_rt fake_client bus)
set(sim_sources ${sim_ports} cluster history load load_game oracle oracle_proposal oracle_roster sim)
list(TRANSFORM sim_sources PREPEND simulation/)
list(TRANSFORM sim_sources APPEND .c)
add_library(sim_parts OBJECT ${sim_sources})
target_include_directories(sim_parts PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}
    ${CMAKE_SOURCE_DIR}/clients/c/src)
target_link_libraries(sim_parts PUBLIC muster_api muster_matcher muster_events)
foreach(variant "sim:fence" "sim_unfenced:fence_none")
    string(REGEX MATCH "^[^:]+" target ${variant})
    string(REGEX REPLACE "^[^:]+:" "" fence ${variant})
    add_executable(${target} simulation/${fence}.c)
    target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(${target} PRIVATE sim_parts)
    target_link_options(${target} PRIVATE -Wl,--wrap=poll,--wrap=clock_gettime,--wrap=getpid
        -Wl,--wrap=pthread_create,--wrap=pthread_join,--wrap=pthread_cond_timedwait)
endforeach()

# 10,000 seeds, the negative control, and the simulated Redis against the real one: from a build of
# the proof preset (optimised, asserts on). A few seeds also under the sanitizers, with the unit
# tests; what crashed nodes leave behind is no leak.
add_executable(sim_model_test simulation/model_test.c simulation/redis_model.c simulation/fence.c)
target_include_directories(sim_model_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(sim_model_test PRIVATE muster_redis_fixture cmocka)
add_test(NAME sim.seeds COMMAND sim --seeds 10000)
add_test(NAME sim.notices_a_missing_fence
    COMMAND sim_unfenced --seeds 500 --expect-violations)
add_test(NAME sim.redis_model COMMAND sim_model_test)
add_test(NAME unit.sim.few_seeds COMMAND sim --seeds 30)
set_tests_properties(unit.sim.few_seeds PROPERTIES LABELS unit TIMEOUT 120
    ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")
set_tests_properties(sim.seeds sim.notices_a_missing_fence sim.redis_model
    PROPERTIES LABELS sim TIMEOUT 300)
set_tests_properties(sim.seeds PROPERTIES PROCESSORS 2 TIMEOUT 900) # 2 minutes of CPU

# chaos: real processes, real faults, and a checker that knows only the histories (chaos/README.md).
add_executable(chaos_load chaos/load.c chaos/load_game.c)
target_include_directories(chaos_load PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(chaos_load PRIVATE muster_client)
add_executable(journal_dump chaos/journal_dump.c)
target_link_libraries(journal_dump PRIVATE muster_store)
add_executable(fault_proxy chaos/fault_proxy.c)
add_library(fsync_shim MODULE chaos/fsync_shim.c)
add_library(malloc_shim MODULE chaos/malloc_shim.c)
set_target_properties(fsync_shim malloc_shim PROPERTIES COMPILE_OPTIONS "-Wall;-Wextra;-Werror;-fPIC"
    LINK_OPTIONS "")

# The negative control: the same program, but for the one file that fences.
file(GLOB chaos_app CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/app/*.c)
add_executable(muster_unfenced EXCLUDE_FROM_ALL ${chaos_app} chaos/append_unfenced.c)
get_target_property(muster_libraries muster LINK_LIBRARIES)
target_compile_definitions(muster_unfenced PRIVATE MUSTER_VERSION="${PROJECT_VERSION}")
target_link_libraries(muster_unfenced PRIVATE ${muster_libraries})
add_custom_target(proof_tests DEPENDS sim sim_unfenced sim_model_test muster muster_unfenced
    chaos_load journal_dump fault_proxy bench_overload fsync_shim malloc_shim clock_shim)
set(chaos_environment "CHAOS_BIN=$<TARGET_FILE_DIR:muster>;CHAOS_LIB=$<TARGET_FILE_DIR:fsync_shim>")
set(chaos_scenarios kill pause network power failover rolling disk_full crowded slow overload memory)
foreach(scenario ${chaos_scenarios})
    add_test(NAME chaos.${scenario} COMMAND ${Python3_EXECUTABLE}
        ${CMAKE_CURRENT_SOURCE_DIR}/chaos/chaos.py ${scenario} --seconds 12)
endforeach()
list(TRANSFORM chaos_scenarios PREPEND chaos.)
add_test(NAME chaos.notices_a_missing_fence COMMAND ${Python3_EXECUTABLE}
    ${CMAKE_CURRENT_SOURCE_DIR}/chaos/chaos.py zombie --seconds 15 --expect-violations)
add_test(NAME chaos.checker
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/chaos/checker_test.py)
set(chaos_tests ${chaos_scenarios} chaos.notices_a_missing_fence chaos.checker)
set_tests_properties(${chaos_tests} PROPERTIES LABELS chaos TIMEOUT 300
    ENVIRONMENT "${chaos_environment}")
set_tests_properties(chaos.notices_a_missing_fence PROPERTIES
    ENVIRONMENT "${chaos_environment};CHAOS_MUSTER=$<TARGET_FILE:muster_unfenced>")
