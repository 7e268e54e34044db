from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from perfwright.evidence.names import demangle, original_name, short_name
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run


@pytest.mark.parametrize(
    ("demangled", "short"),
    [
        ("main", "main"),
        ("geo::Acc<int>::sum(std::vector<int, std::allocator<int>> const&)", "geo::Acc::sum"),
        ("void std::__fill_a<int*, int>(int*, int*, int const&)", "std::__fill_a"),
        ("std::vector<int>::~vector()", "std::vector::~vector"),
        ("(anonymous namespace)::foo(int)", "{anonymous}::foo"),
        ("ns::operator<<(S&, int)", "ns::operator<<"),
        ("S::operator()(int) const", "S::operator()"),
        ("foo::operator bool() const", "foo::operator bool"),
        ("operator new(unsigned long)", "operator new"),
        ("auto f<int>()::{lambda(int)#1}::operator()(int) const", "f::lambda::operator()"),
        ("main::f(int)::S::g()", "main::f::S::g"),
    ],
)
def test_a_short_name_has_scopes_but_no_types(demangled: str, short: str) -> None:
    assert short_name(demangled) == short


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("f.llvm.4242", "f"),
        ("f.cold", "f"),
        ("encode.constprop.0", "encode"),
        ("f.4", "f"),
        ("f.part.0.cold", "f"),
        ("a.b", "a.b"),
        (".L", ".L"),
    ],
)
def test_clones_have_the_name_of_their_original(symbol: str, name: str) -> None:
    assert original_name(symbol) == name


def test_nothing_is_started_when_nothing_is_mangled(scripted: Callable[..., Any]) -> None:
    tools = scripted({})
    assert demangle(["main", "encode"], tools, tools.run) == {}
    assert tools.calls == []


def test_without_the_demangler_names_stay_mangled(scripted: Callable[..., Any]) -> None:
    tools = scripted({})
    assert demangle(["_Z1fv"], tools, tools.run) == {}


def test_an_answer_of_the_wrong_length_is_not_believed(
    scripted: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    tools = scripted({"llvm-cxxfilt": answer("f()\n")})
    assert demangle(["_Z1fv", "_Z1gv"], tools, tools.run) == {}


@pytest.mark.llvm
def test_all_names_are_demangled_in_one_process(each_toolchain: Toolchain) -> None:
    runs = []

    def counting(*args: Any, **kwargs: Any) -> Any:
        runs.append(args)
        return run(*args, **kwargs)

    names = demangle(["_Z1fv", "_ZN3geo4areaEii", "main"], each_toolchain, counting)
    assert names == {"_Z1fv": "f()", "_ZN3geo4areaEii": "geo::area(int, int)"}
    assert len(runs) == 1
