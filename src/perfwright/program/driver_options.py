"""The driver's options, as far as taking a command line apart needs them.

These are facts about every clang from 17 on, not about one version; a test asks the installed
ones.  Unknown options are taken for options without a value.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


OTHER_SOURCES = _names(
    ".m .mm .M .cu .cl .f .F .f90 .F90 .f95 .h .hh .hpp .hxx .H .h++ .cppm .ixx .d .go .rs"
)

QUERIES = _names(
    "--version --help --help-hidden -help -v -V --verbose -dumpversion -dumpmachine -dumpspecs "
    "-### --autocomplete --target-help -cc1 -cc1as -print-search-dirs -print-targets"
)
QUERY_PREFIXES = ("-print-", "--print-", "--autocomplete=", "-cc1")
TAKES_NEXT = _names(
    "-o -x -I -D -U -L -l -F -T -u -e -z -A -B -G -arch -target -include -imacros -include-pch "
    "-isystem -isystem-after -iquote -idirafter -iprefix -iwithprefix -iwithprefixbefore "
    "-iwithsysroot -isysroot -iframework -iframeworkwithsysroot -ivfsoverlay -cxx-isystem "
    "-stdlib++-isystem -framework -MF -MT -MQ -MJ -Xclang -Xpreprocessor -Xassembler -Xlinker "
    "-Xanalyzer -Xopenmp-target -Xcuda-ptxas -mllvm -mthread-model -rpath --param --sysroot "
    "-dumpdir -working-directory -resource-dir -serialize-diagnostics --serialize-diagnostics "
    "-dependency-dot -dependency-file -fdebug-compilation-dir -install_name -weak_library "
    "-exported_symbols_list -bundle_loader --config --language --output --include --imacros "
    "--include-directory --define-macro --undefine-macro --library-directory --assert --prefix "
    "--std --dyld-prefix"
)
"""Options whose value is the next word.  `-Xarch_NAME` is one more, by its beginning."""

LINK_ONLY_NEXT = _names("-l -L -T -u -e -z -rpath -Xlinker --library-directory")
LINK_ONLY = _names(
    "-shared -static -pie -no-pie -nopie -static-pie -static-libgcc -static-libstdc++ "
    "-shared-libgcc -shared-libasan -static-libasan -rdynamic -nostdlib -nostartfiles "
    "-nodefaultlibs -nolibc -nostdlib++ -r -s -t -symbolic -static-openmp"
)
LINK_ONLY_PREFIXES = ("-l", "-L", "-Wl,", "-fuse-ld=", "--ld-path=", "-T", "-unwindlib=", "-z")

SIDE_OUTPUT = _names("-c -S -E -MD -MMD -MP -MG -MV -M -MM -save-temps --save-temps -v")
SIDE_OUTPUT_NEXT = _names(
    "-o -MF -MT -MQ -MJ --output -serialize-diagnostics --serialize-diagnostics"
)
SIDE_OUTPUT_PREFIXES = (
    "-save-temps=",
    "--save-temps=",
    "-Wp,-M",
    "-MF",
    "-MT",
    "-MQ",
    "-MJ",
    "--output=",
    "-dumpdir",
)


PREPROCESS = _names("-E -M -MM -fsyntax-only --preprocess --analyze --precompile")
ASSEMBLE = _names("-S --assemble")
COMPILE = _names("-c --compile")
