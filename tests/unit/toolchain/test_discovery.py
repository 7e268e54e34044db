from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from perfwright.errors import ToolchainError
from perfwright.toolchain.cache import cached
from perfwright.toolchain.discovery import Toolchain, discover, host, select


def fake_tool(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{text}'\n")
    path.chmod(0o755)
    return path


def fake_llvm(root: Path, version: str, tools: tuple[str, ...] = ("clang", "opt")) -> Path:
    folder = root / f"llvm-{version.partition('.')[0]}" / "bin"
    for tool in tools:
        fake_tool(folder / tool, f"Some clang version {version} (vendor)")
    return folder


def find(root: Path, **environ: str) -> list[Toolchain]:
    return discover(environ={"PATH": "", **environ}, debian_root=root)


def versions(toolchains: list[Toolchain]) -> list[str]:
    return [toolchain.version for toolchain in toolchains]


def test_llvm_22_goes_before_newer_ones_and_those_before_older(tmp_path: Path) -> None:
    for version in ("19.1.7", "23.1.0", "22.1.8", "21.0.0"):
        fake_llvm(tmp_path, version)
    assert versions(find(tmp_path)) == ["22.1.8", "23.1.0", "21.0.0", "19.1.7"]


def test_an_llvm_older_than_17_is_not_offered(tmp_path: Path) -> None:
    fake_llvm(tmp_path, "16.0.6")
    assert find(tmp_path) == []


def test_what_perfwright_llvm_names_goes_first_and_is_listed_once(tmp_path: Path) -> None:
    fake_llvm(tmp_path, "22.1.8")
    old = fake_llvm(tmp_path, "19.1.7")
    for named in (old, old.parent):
        assert versions(find(tmp_path, PERFWRIGHT_LLVM=str(named))) == ["19.1.7", "22.1.8"]


def test_a_plain_clang_on_path_is_known_by_its_version(tmp_path: Path) -> None:
    fake_tool(tmp_path / "bin/clang", "clang version 20.1.0")
    fake_tool(tmp_path / "bin/opt", "LLVM version 20.1.0")
    (found,) = find(tmp_path / "nothing", PATH=str(tmp_path / "bin"))
    assert (found.version, found.tool("opt")) == ("20.1.0", tmp_path / "bin/opt")


def test_a_link_on_path_leads_to_the_folder_of_the_real_tool(tmp_path: Path) -> None:
    folder = fake_llvm(tmp_path, "22.1.8")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/clang-22").symlink_to(folder / "clang")
    (found,) = find(tmp_path, PATH=str(tmp_path / "bin"))
    assert found.folder == folder


def test_in_a_folder_of_two_versions_each_takes_its_own_tools(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    for major in (19, 20):
        for tool in ("clang", "opt"):
            fake_tool(folder / f"{tool}-{major}", f"clang version {major}.1.0")
    fake_tool(folder / "llc", "LLVM version 20.1.0")
    (folder / "clang").symlink_to("clang-20")
    found = {t.major: t for t in find(tmp_path / "nothing", PATH=str(folder))}
    assert found[19].tool("opt").name == "opt-19"
    assert found[20].tool("llc").name == "llc"
    assert not found[19].has("llc")


def test_a_tool_beside_nothing_is_found_on_path_by_its_suffixed_name(tmp_path: Path) -> None:
    fake_llvm(tmp_path, "22.1.8")
    lld = fake_tool(tmp_path / "elsewhere/ld.lld-22", "LLD 22.1.8")
    fake_tool(tmp_path / "elsewhere/llc", "LLVM version 3.0.0")
    (found,) = find(tmp_path, PATH=str(tmp_path / "elsewhere"))
    assert found.tool("ld.lld") == lld
    assert not found.has("llc")


def test_a_tool_that_cannot_be_run_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "clang").write_bytes(b"\x7fELF of another machine")
    (folder / "clang").chmod(0o755)
    assert find(tmp_path / "nothing", PATH=str(folder)) == []


@pytest.mark.parametrize(
    ("tool", "package"),
    [("ld.lld", "lld-22"), ("clang++", "clang-22"), ("llvm-mca", "llvm-22"), ("llc", "llvm-22")],
)
def test_a_missing_tool_is_named_with_the_package_to_install(
    tmp_path: Path, tool: str, package: str
) -> None:
    fake_llvm(tmp_path, "22.1.8")
    (found,) = find(tmp_path)
    with pytest.raises(ToolchainError) as caught:
        found.tool(tool)
    assert caught.value.fact == f"LLVM 22.1.8 has no {tool}"
    assert caught.value.hint == f"apt-get install {package}"
    assert tool in found.missing()


def test_the_fingerprint_changes_when_a_tool_is_replaced(tmp_path: Path) -> None:
    folder = fake_llvm(tmp_path, "22.1.8")
    (before,) = find(tmp_path)
    (again,) = find(tmp_path)
    os.utime(folder / "opt", ns=(1, 1))
    (after,) = find(tmp_path)
    assert before == again
    assert before.fingerprint != after.fingerprint


@pytest.mark.parametrize(
    ("spec", "version"), [(None, "22.1.8"), ("19", "19.1.7"), ("22.1", "22.1.8")]
)
def test_select_takes_a_version_or_its_beginning(
    tmp_path: Path, spec: str | None, version: str
) -> None:
    fake_llvm(tmp_path, "22.1.8")
    fake_llvm(tmp_path, "19.1.7")
    assert select(spec, environ={}, debian_root=tmp_path).version == version


def test_select_takes_a_prefix_a_folder_or_a_clang(tmp_path: Path) -> None:
    folder = fake_llvm(tmp_path, "19.1.7")
    for spec in (folder, folder.parent, folder / "clang"):
        assert select(spec, environ={}).folder == folder


def test_select_without_a_word_prefers_a_toolchain_that_has_a_clang(tmp_path: Path) -> None:
    fake_llvm(tmp_path, "22.1.8", tools=("opt",))
    fake_llvm(tmp_path, "19.1.7")
    assert select(environ={}, debian_root=tmp_path).major == 19


def test_selecting_a_version_that_is_absent_lists_the_present_ones(tmp_path: Path) -> None:
    fake_llvm(tmp_path, "22.1.8")
    with pytest.raises(ToolchainError, match=r"LLVM 21 is not installed") as caught:
        select("21", environ={}, debian_root=tmp_path)
    assert "22.1.8" in caught.value.cause
    assert caught.value.hint == "apt-get install clang-21 llvm-21 lld-21"


@pytest.mark.parametrize(
    ("spec", "fact"),
    [
        (None, "no LLVM from version 17 on is installed"),
        ("2", "LLVM 2 is too old"),
        ("16", "LLVM 16 is too old"),
        ("trunk", "LLVM trunk is not installed"),
    ],
)
def test_without_an_llvm_the_error_says_what_to_install(
    tmp_path: Path, spec: str | None, fact: str
) -> None:
    with pytest.raises(ToolchainError) as caught:
        select(spec, environ={}, debian_root=tmp_path)
    assert caught.value.fact == fact
    assert caught.value.hint == "apt-get install clang-22 llvm-22 lld-22"
    assert caught.value.exit_status == 3


def test_a_folder_without_an_llvm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"no LLVM from version 17 on at"):
        select(tmp_path, environ={})


def test_an_answer_is_computed_once_per_toolchain(tmp_path: Path) -> None:
    fake_llvm(tmp_path, "22.1.8")
    (toolchain,) = find(tmp_path)
    calls: list[int] = []

    def compute() -> dict[str, int]:
        calls.append(1)
        return {"licm": 2}

    for kind in (dict[str, int], TypeAdapter(dict[str, int])):
        assert cached(toolchain, "passes", kind, compute, folder=tmp_path) == {"licm": 2}
    assert len(calls) == 1


def test_a_kept_answer_of_another_shape_is_computed_anew(tmp_path: Path) -> None:
    fake_llvm(tmp_path, "22.1.8")
    (toolchain,) = find(tmp_path)
    cached(toolchain, "passes", list[str], lambda: ["licm"], folder=tmp_path)
    assert cached(toolchain, "passes", list[int], lambda: [7], folder=tmp_path) == [7]


def test_an_unwritable_cache_costs_only_time(tmp_path: Path) -> None:
    fake_llvm(tmp_path, "22.1.8")
    (toolchain,) = find(tmp_path)
    occupied = tmp_path / "file"
    occupied.touch()
    assert cached(toolchain, "passes", int, lambda: 3, folder=occupied) == 3


@pytest.mark.llvm
def test_the_installed_llvm_is_found_with_all_that_a_campaign_needs() -> None:
    toolchain = select()
    for tool in ("clang", "clang++", "opt", "llc", "llvm-link", "ld.lld", "llvm-objcopy"):
        assert toolchain.tool(tool).is_file()


@pytest.mark.llvm
def test_the_host_is_named_as_the_toolchain_names_it() -> None:
    machine = host(select())
    assert machine.triple.count("-") >= 2
    assert machine.cpu not in ("", "native")
