"""Edits of trials in one line."""

from __future__ import annotations

from collections.abc import Callable

from perfwright.report.document import CampaignDocument
from perfwright.report.printable import one_line, printable
from perfwright.report.trials import novelties

Documents = Callable[..., CampaignDocument]


def test_what_the_best_so_far_has_too_is_named_by_its_trial(documents: Documents) -> None:
    assert novelties(documents()) == {
        "1.1": "option unrol=8",
        "1.2": "option unroll-partial-threshold=600",
        "2.1": "1.2",
        "2.2": "1.2 + option enable-gvn-hoist=true",
        "2.3": "link x",
        "2.4": "1.2 + flag -mtune=native",
    }


def test_what_a_trial_leaves_out_is_named(documents: Documents) -> None:
    rounds = documents().model_dump()["rounds"]
    both = rounds[1]["trials"][3]["edits"]
    rounds[0]["trials"][1]["edits"] = both
    rounds[1]["trials"][3]["edits"] = both[:1]
    assert novelties(documents(rounds=rounds))["2.4"] == "1.2 - flag -mtune=native"


def test_printable_text_stays_as_it_is() -> None:
    assert printable("std::map<int>\n\tof \u00fc\u4e2d") == "std::map<int>\n\tof \u00fc\u4e2d"


def test_text_that_hides_or_turns_others_is_replaced() -> None:
    assert printable("a\x1bb\u202ec\x9bd\udcffe") == "a\ufffdb\ufffdc\ufffdd\ufffde"
    assert printable("a\u200eb\u2028c\u061cd\U000e0041e") == "a\ufffdb\ufffdc\ufffdd\ufffde"
    assert one_line("a\r\nb\n c") == "a\ufffd b c"
