# Writes the files of this folder as one C file: rows of bridge/dashboard.h's table.
#   cmake -DFILES="index.html;..." -DFOLDER=src/dashboard -DOUT=dashboard_files.c -P embed.cmake
set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")

set(arrays "")
set(rows "")
set(count 0)
foreach(file ${FILES})
    file(READ ${FOLDER}/${file} hex HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
    string(REGEX MATCH "[a-z]+$" kind ${file})
    set(path "/${file}")
    if(file STREQUAL "index.html")
        set(path "/")
    endif()
    string(APPEND arrays "static const unsigned char file_${count}[] = {\n${bytes}};\n")
    string(APPEND rows "    {\"${path}\", \"${type_${kind}}\", file_${count}, sizeof file_${count}},\n")
    math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT} "/* Made from src/dashboard by embed.cmake. */
#include \"bridge/dashboard.h\"

${arrays}
const struct dashboard_file dashboard_files[] = {
${rows}};
const size_t dashboard_file_count = ${count};
")
