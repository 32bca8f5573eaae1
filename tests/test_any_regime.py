"""Any valid regime can be lived under: made up by Hypothesis, run for 30 days, with every invariant true."""

from __future__ import annotations

import itertools
import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lives import Columns, q, totals
from underheaven.engine.run import simulate
from underheaven.life.state import broken_invariants
from underheaven.regime.reader import load_regime
from underheaven.regime.tables import compile_tables
from underheaven.world.reader import load_world

WORLD = load_world("town", people=1_500)
ACTS, SERVICES = sorted(WORLD.acts), sorted(WORLD.services)
CHANCES = st.sampled_from([0, 1e-6, 0.01, 0.3, 0.5, 0.999, 1])


def chance(per):
    return CHANCES.map(lambda p: q(p, per=per))


def duration():
    return st.integers(1, 900).map(lambda days: q(f"{days} days"))


def rate():
    return st.sampled_from([0, 0.5, 4, 30]).map(lambda n: q(n, per="year"))


@st.composite
def scores(draw):
    """Return score, tiers and points."""
    floor = draw(st.integers(-3_000, 100))
    cap = draw(st.integers(floor + 20, min(3_000, floor + 4_000)))
    start = draw(st.integers(floor, cap))
    cuts = sorted(draw(st.sets(st.integers(floor + 1, cap), max_size=7)), reverse=True)
    tiers = [{"name": f"T{n}", "from": q(cut)} for n, cut in enumerate(cuts)] + [{"name": f"T{len(cuts)}"}]
    points = st.integers(-min(400, cap - floor), min(400, cap - floor)).map(q)
    return {
        "score": {"start": q(start), "floor": q(floor), "cap": q(cap)},
        "tiers": tiers,
        "points": draw(st.dictionaries(st.sampled_from(ACTS), points, max_size=8)),
        "context_wall": draw(st.booleans()),
    }


@st.composite
def terms(draw):
    law = draw(st.sampled_from(["fixed", "geometric", "mixture"]))
    if law == "mixture":
        short = draw(st.integers(1, 60))
        return {"law": law, "short": q(f"{short} days"), "long": q(f"{short + draw(st.integers(1, 800))} days"),
                "short_share": draw(chance("listing"))}  # fmt: skip
    return {"law": law, "mean": draw(duration())}


def ratios():
    factor = st.sampled_from([0, 0.5, 1]).map(q)
    return st.fixed_dictionaries({}, optional={
        "sex": st.dictionaries(st.sampled_from(["male", "female"]), factor),
        "age": st.dictionaries(st.sampled_from(["18-29", "65+"]), factor),
        "group": st.dictionaries(st.just("minority"), factor),
    })  # fmt: skip


@st.composite
def allocations(draw):
    rule = draw(st.sampled_from(["even", "by-records", "by-records-corrected", "by-truth", "hot-spots"]))
    if rule == "even":
        return {"rule": rule}
    found = {"rule": rule, "moves": draw(chance("exchange"))}
    if draw(st.booleans()):
        found["half_life"] = draw(duration())
    return found | ({"hot_spots": q(draw(st.integers(1, 10**6)))} if rule == "hot-spots" else {})


@st.composite
def recognitions(draw):
    law = draw(st.sampled_from(["independent", "constant"]))
    found = {
        "gallery": draw(st.sampled_from(["nation", "county"])),
        "choice": draw(st.sampled_from(["any", "ranked", "every"])),
        "law": law,
        "miss": draw(chance("probe")),
        "nation": q(draw(st.integers(1, 10**9))),
        "miss_ratio": draw(ratios()),
        "false_match_ratio": draw(ratios()),
    }
    if law == "independent":
        found["false_match"] = q(draw(st.sampled_from([0, 1.67e-8, 0.001, 1])), per="comparison")
    else:
        found["fpir"] = draw(chance("probe"))
    if draw(st.booleans()):
        found["review"] = {"per_million_per_day": q(draw(st.sampled_from([0, 100, 10**9]))),
                           "keep_true": draw(chance("match")), "keep_false": draw(chance("match"))}  # fmt: skip
    return found


@st.composite
def regimes(draw):
    """Return a whole regime as plain data."""
    found = {
        "format": "underheaven-regime/1",
        "regime": "made-up",
        "title": "Made up",
        "kind": "hypothesis",
        "status": "provisional",
        "summary": "By Hypothesis.",
    }
    if draw(st.booleans()):
        found |= draw(scores())
    tiers = [tier["name"] for tier in found.get("tiers", [])]
    lists = []
    for name in draw(st.sampled_from([[], ["one"], ["one", "two"]])):
        entry = {"name": name, "on": draw(st.dictionaries(st.sampled_from(ACTS), chance("record"), min_size=1)),
                 "term": draw(terms()), "shaming": draw(st.booleans())}  # fmt: skip
        if len(tiers) > 1 and draw(st.booleans()):
            entry["below"] = draw(st.sampled_from(tiers[1:]))
        lists.append(entry)
    names = [entry["name"] for entry in lists]
    refusal = chance("use").map(lambda p: {"refuse": p})
    by_tier = st.one_of(st.sampled_from(["normal", "perk", "first", "last", "refuse"]), refusal)
    by_list = st.one_of(st.sampled_from(["normal", "last", "refuse"]), refusal)
    found["lists"] = lists
    found["fines"] = draw(st.dictionaries(st.sampled_from(ACTS), st.sampled_from([0, 0.1, 3, 500]).map(q), max_size=3))
    treated = {}
    if tiers:
        treated["tiers"] = st.dictionaries(st.sampled_from(tiers), by_tier)
    if names:
        treated["lists"] = st.dictionaries(st.sampled_from(names), by_list)
    if treated:
        found["treatment"] = draw(
            st.dictionaries(st.sampled_from(SERVICES), st.fixed_dictionaries(treated), max_size=8)
        )
    if draw(st.booleans()):
        found["cameras"] = {
            "per_1000": q(draw(st.sampled_from([0, 5, 500]))),
            "growth": draw(rate()),
            "half_view": q(100),
        }
        if draw(st.booleans()):
            found["cameras"]["allocation"] = draw(allocations())
        if draw(st.booleans()):
            found["recognition"] = draw(recognitions())
    if draw(st.booleans()):
        found["registers"] = {"scope": draw(st.sampled_from(["nation", "county"])),
                              "missed_link": q(draw(st.sampled_from([0, 0.04, 0.5])), per="record"),
                              "false_link": q(draw(st.sampled_from([0, 0.002, 0.5])), per="record"),
                              "missed_link_ratio": draw(ratios())}  # fmt: skip
        if lists and draw(st.booleans()):
            found["registers"] |= {"stale": draw(chance("removal")), "stale_time": draw(duration())}
    if draw(st.booleans()):
        found["reporting"] = {"seen": draw(chance("act"))}
    if (tiers or names) and draw(st.booleans()):
        found["risk"] = draw(_risks(bool(tiers), bool(names)))
        flagged = st.one_of(st.sampled_from(["normal", "last", "refuse"]), refusal)
        for service in draw(st.sets(st.sampled_from(SERVICES), max_size=3)):
            found.setdefault("treatment", {}).setdefault(service, {})["risk"] = draw(flagged)
    found["demands"] = draw(st.lists(demands(), max_size=2, unique_by=lambda demand: demand["name"]))
    if ("score" in found or lists or found["fines"]) and draw(st.booleans()):
        found["abuse"] = draw(abuses(names))
    found["remedies"] = draw(_remedies("score" in found))
    if draw(st.booleans()):
        found["association"] = draw(associations(found.get("treatment", {}), "score" in found))
    if "score" in found and not found["context_wall"] and draw(st.booleans()):
        found["peers"] = draw(peer_ratings())
        found["remedies"].pop("expiry", None)  # ratings leave no record
    if ("score" in found or lists or found["fines"]) and draw(st.booleans()):
        found["awareness"] = {
            "known": draw(chance("person")), "press": q(draw(st.sampled_from([0, 0.5, 4, 30])), per="year"),
            "censorship": q(draw(st.sampled_from([0, 0.5, 1]))), "framing": draw(st.sampled_from(["none", "order"])),
        }  # fmt: skip
    if "score" in found and found["score"]["cap"]["value"] - found["score"]["floor"]["value"] > 1_638:
        found["remedies"].pop("expiry", None)  # a wider scale cannot expire
    if draw(st.booleans()):
        found["firms"] = draw(_firms(names, "score" in found, sorted(found.get("treatment", {}))))
    return found


@st.composite
def _firms(draw, lists, has_score, treated):
    acts, services = sorted(WORLD.firms.acts), sorted(WORLD.firms.services)
    refusal = st.one_of(st.sampled_from(["normal", "refuse"]), chance("use").map(lambda p: {"refuse": p}))
    few = st.integers(-40, 40).map(q)
    found = {
        "score": {"start": q(draw(st.integers(0, 100))), "floor": q(0), "cap": q(100)},
        "tiers": [{"name": "X", "from": q(60)}, {"name": "Y", "from": q(30)}, {"name": "Z"}],
        "points": draw(st.dictionaries(st.sampled_from(acts), few)),
        "list": {"name": "firms", "on": draw(st.dictionaries(st.sampled_from(acts), chance("record"), min_size=1)),
                 "term": draw(terms())},
        "treatment": draw(st.dictionaries(st.sampled_from(services), st.fixed_dictionaries(
            {"listed": refusal, "tiers": st.dictionaries(st.sampled_from("XYZ"), refusal)}))),
        "inspected": draw(chance("act")),
        "from_representative": q(draw(st.integers(-50, 0))),
    }  # fmt: skip
    if draw(st.booleans()):
        found["list"]["below"] = draw(st.sampled_from("YZ"))
    if draw(st.booleans()):
        links = st.sampled_from([0, 0.04, 0.5])
        found["registers"] = {"scope": draw(st.sampled_from(["nation", "county"])),
                              "missed_link": q(draw(links), per="record"),
                              "false_link": q(draw(links), per="record")}  # fmt: skip
    found["to_representative"] = {
        "lists": draw(st.dictionaries(st.sampled_from(lists), chance("listing"))) if lists else {}
    }
    if has_score:
        found["to_representative"]["points"] = q(draw(st.integers(-20, 0)))
    if treated and draw(st.booleans()):
        found["screening"] = {"services": [draw(st.sampled_from(treated))], "share": q(draw(st.sampled_from([0, 0.4]))),
                              "points": q(draw(st.integers(0, 30)))}  # fmt: skip
    return found


@st.composite
def _risks(draw, has_tiers, has_lists):
    """Return a risk score; it may look at nothing that there is not."""
    horizon = draw(st.integers(1, 14))
    features = ["age", "sex", "urban", "education", "income", "group", "occupation", "travel", "children", "name"]
    features += ["refusals", "friends", *(["tier"] if has_tiers else []), *(["listed"] if has_lists else [])]
    return {
        "retrain": q(f"{horizon + draw(st.integers(0, 14))} days"), "horizon": q(f"{horizon} days"),
        "flagged": draw(chance("person")), "explain": draw(st.booleans()),
        "features": draw(st.lists(st.sampled_from(features), min_size=1, max_size=6, unique=True)),
    }  # fmt: skip


@st.composite
def associations(draw, services, has_score):
    """Return what people bear for others."""
    found = {}
    if services and draw(st.booleans()):
        found["household"] = draw(st.dictionaries(st.sampled_from(sorted(services)), chance("use"), max_size=3))
    if has_score and draw(st.booleans()):
        found["friends"] = q(draw(st.sampled_from([0, 0.3, 0.99])))
    return found


@st.composite
def peer_ratings(draw):
    """Return how people rate each other."""
    stars = st.sampled_from([0, 0.3, 1, 4]).map(q)
    levels = draw(st.lists(st.sampled_from([1, 2.4, 3, 4.9, 5]), min_size=8, max_size=8))
    found = {"rate": draw(rate()), "household": draw(st.booleans()), "weighted": draw(st.booleans()),
             "conduct": {"values": {str(n + 1): x for n, x in enumerate(levels)}, "basis": "assumed"},
             "whole_stars": draw(st.booleans()), "pull": draw(chance("exchange"))}  # fmt: skip
    for key, value in (
        ("mood", stars),
        ("strained", stars),
        ("deference", st.sampled_from([0, 0.25, 1]).map(q)),
        ("prejudice", stars.map(lambda n: {"against": "minority", "stars": n})),
    ):
        if draw(st.booleans()):
            found[key] = draw(value)
    return found


@st.composite
def demands(draw):
    weight = st.sampled_from([0, 0.3, 1, 1000]).map(q)
    group = {"number": st.sampled_from([0, 1, 40]).map(q)}
    group |= {"name": st.sampled_from(["a", "b", "c"])}
    more = {"exposure": st.sampled_from([0, 0.5]).map(q), "home_pressure": weight, "audience": st.just(q(10**9)),
            "size_exponent": st.sampled_from([0, 10]).map(q)}  # fmt: skip
    firms = st.lists(st.fixed_dictionaries(group, optional=more), max_size=3, unique_by=lambda found: found["name"])
    dates = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=3)))
    more = draw(st.fixed_dictionaries({}, optional={"time_to_comply": duration(), "partial_from": st.just(q(0.5))}))
    return more | {
        "name": draw(st.sampled_from(["one", "two"])), "summary": "By Hypothesis.",
        "deadlines": [q(f"{day} days") for day in dates], "firms": [{"name": "all", "number": q(7)}, *draw(firms)],
        "thresholds": {"low": q(0), "high": draw(weight)}, "peers": draw(weight), "threat": draw(weight),
        "nearness_half_life": draw(duration()),
    }  # fmt: skip


@st.composite
def alleged(draw):
    """Return shares of acts."""
    acts = draw(st.lists(st.sampled_from(ACTS), min_size=1, max_size=4, unique=True))
    return {"values": dict(zip(acts, ([1], [0.5, 0.5], [0.2, 0.8, 0], [0.25] * 4)[len(acts) - 1], strict=True)),
            "basis": "assumed"}  # fmt: skip


@st.composite
def abuses(draw, lists):
    """Return the section `abuse`."""
    found = {}
    varies = [{}, {"sex": {"values": {"male": 0.3}, "basis": "assumed"}},
              {"travel": {"values": {"never": 0, "very-often": 3}, "basis": "assumed"},
               "dissent": {"values": {"3": 2}, "basis": "assumed"}}]  # fmt: skip
    for kind in ("malicious", "companions", "insiders"):
        if draw(st.booleans()):
            often = st.sampled_from([0, 0.5, 4]).map(
                lambda n: q(n, per="year")
            )  # insiders may come to do three times so much
            found[kind] = {
                "rate": draw(often if kind == "insiders" else rate()),
                "acts": draw(alleged()),
                "varies": draw(st.sampled_from(varies)),
            }
    if draw(st.booleans()):
        found["review"] = {"keep_false": draw(chance("record"))}
    if draw(st.booleans()):
        speech = [name for name in ACTS if WORLD.acts[name].speech]
        found["retaliation"] = {
            "on": draw(st.dictionaries(st.sampled_from(speech), chance("act"), min_size=1)),
            "rate": draw(rate()), "lasts": draw(duration()), "acts": draw(alleged()),
            "lists": draw(st.dictionaries(st.sampled_from(lists), chance("record"))) if lists else {},
        }  # fmt: skip
    return found


@st.composite
def _remedies(draw, has_score):
    found = {}
    if draw(st.booleans()):
        found["notice"] = draw(chance("sanction"))
    if draw(st.booleans()):
        found["appeal"] = {
            "deadline": draw(duration()), "decision": draw(duration()),
            "reviewers_per_million": q(draw(st.sampled_from([0, 1, 5_000]))), "cases_per_reviewer_day": q(2.5),
            "suspends": draw(st.booleans()), "finds_error": draw(chance("appeal")), "lenient": draw(chance("appeal")),
            "learns": "refusal",
        }  # fmt: skip
    if draw(st.booleans()):
        found["correction"] = draw(rate())
    if has_score and draw(st.booleans()):
        found["repair"] = {"rate": draw(rate()), "points": q(draw(st.integers(1, 20)))}
    if has_score and draw(st.booleans()):
        found["expiry"] = q(f"{draw(st.integers(1, 10))} years")
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(regime=regimes(), seed=st.integers(0, 2**63 - 1))
def test_any_valid_regime_can_be_lived_under(regime, seed):
    """30 days, and: columns within their bounds, days add up, parts within their whole, twins equal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made-up.yaml"
        path.write_text(json.dumps(regime), encoding="utf-8")
        loaded = load_regime(str(path))
        columns = Columns()
        run = simulate(loaded, WORLD, days=30, seed=seed, threads=2, out=Path(folder) / "run", observers=[columns])
        rules = compile_tables(loaded, WORLD).rules[0]
        for before, after in itertools.pairwise(columns.by_day[day] for day in sorted(columns.by_day)):
            assert not broken_invariants(after, rules)
            assert not (before.refused & ~after.refused).any()
        found = totals(run)
        _check(found, run.manifest)
        again = simulate(loaded, WORLD, days=30, seed=seed, threads=1, out=Path(folder) / "again", blocks_per_task=1)
        assert again.manifest["result_hash"] == run.manifest["result_hash"]


def _check(found, manifest):
    people_days = manifest["people"] * manifest["days"]
    assert found["days"] == people_days
    for kind in ("tier_days/", "true_tier_days/"):
        lived = sum(n for name, n in found.items() if name.startswith(kind))
        assert lived == (people_days if manifest["tiers"] else 0)
    for part, whole in (
        ("wrongful_sanction_days", "sanction_days"),
        ("innocent_sanction_days", "sanction_days"),
        ("people_wrongly_sanctioned", "people_sanctioned"),
        ("people_innocent_sanctioned", "people_sanctioned"),
        ("appeals_won", "appeals"),
    ):
        assert found.get(part, 0) <= found.get(whole, 0), part
    decided = sum(found.get(f"appeals_{end}", 0) for end in ("won", "lost", "moot"))
    assert decided <= found.get("appeals", 0)
    for name, n in found.items():
        kind, _, what = name.partition("/")
        if kind == "recorded":
            assert n + found.get(f"missed/{what}", 0) <= found[f"done/{what}"]
        if kind in ("refused", "perk"):
            assert n <= found[f"used/{what}"]
        if not kind.endswith("points_moved"):
            assert n >= 0, name
