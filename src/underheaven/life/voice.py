"""VOICE: whom words reach.

Words go out through an account.  Where the account is refused to her they are said all the same, and may be
noticed and recorded, but reach nobody.
"""

from __future__ import annotations

from underheaven import rng
from underheaven.compiled import inlined
from underheaven.life.counters import AUDIENCE_LOST, AUDIENCE_REACHED, EXPOSURES_UNHEARD, WORDS_UNHEARD
from underheaven.life.standing import chance_of_refusal
from underheaven.life.state import AT_RISK
from underheaven.life.tally import count


@inlined
def speak(rules, tally, me, seed, day, act):
    """Let words reach their audience; or nobody, if the account that carries them is closed to her."""
    service = rules.account[act]
    is_closed = False
    if (me.in_force >> service) & 1:
        w0, w1, word, w3 = rng.draw4(seed, rng.RETALIATION, me.citizen, day, 64 + act)
        tier = me.ledger_tier[max(0, rules.service_ledger[service])]
        is_closed = word < chance_of_refusal(rules, service, tier, me.list_until, me.flags & AT_RISK)
    if is_closed:
        count(tally, me, WORDS_UNHEARD, 1)
        count(tally, me, AUDIENCE_LOST, rules.audience[act])
        count(tally, me, EXPOSURES_UNHEARD, rules.exposes[act])
    else:
        count(tally, me, AUDIENCE_REACHED, rules.audience[act])
