"""Count heads: who lives where, by audit stratum and by class of name, before the first day."""

from __future__ import annotations

from underheaven.compiled import compiled
from underheaven.life.block import be
from underheaven.world.people import block_people


@compiled
def count_people(people, seed, kept_traits, scratch, strata, names, block_from, block_to):
    """Draw the traits of a range of blocks, count them and keep them if there is room.

    Parameters
    ----------
    people : WorldTables
    seed : int
    kept_traits : uint32[citizen], filled; or [0]: not kept
    scratch : Scratch, of the caller's own
    strata : int64[county, stratum], added to
    names : int64[county, name class], added to
    block_from, block_to : int, half-open range
    """
    me = scratch.me[0]
    for block in range(block_from, block_to):
        first = people.block_first[block]
        size = people.block_first[block + 1] - first
        block_people(people, seed, block, scratch.traits, scratch.heads, scratch.words)
        county = people.block_county[block]
        for local in range(size):
            be(me, first + local, scratch.traits[local])
            strata[county, me.stratum] += 1
            names[county, me.name] += 1
            if kept_traits.shape[0] > 0:
                kept_traits[first + local] = me.traits
