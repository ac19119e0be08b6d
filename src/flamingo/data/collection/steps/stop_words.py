"""English words that stand in any text, whatever it is about."""

from __future__ import annotations

_WORDS = """
    a aboard about above according across after again against ago all almost alone along alongside
    already also although always am amid among amongst an and another any anybody anyone anything
    anyway anywhere are aren't around as aside at away back be because been before behind being
    below beneath beside besides best better between beyond both but by can can't cannot could
    couldn't despite did didn't do does doesn't doing don't done down due during each either else
    enough etc even ever every everybody everyone everything everywhere except few for from further
    get gets getting give given gives go goes going gone got had hadn't half has hasn't have haven't
    having he he'd he'll he's hence her here here's hers herself him himself his how however i i'd
    i'll i'm i've if in include includes including indeed inside instead into is isn't it it'd it'll
    it's its itself just least less lest let let's like made make makes making many may maybe me
    might mine more most much must my myself near nearly neither never nevertheless next no nobody
    none nor not nothing now nowhere of off often on once one one's ones only onto or other others
    otherwise ought our ours ourselves out outside over own past per perhaps plus quite rather
    regarding same seem seems several shall she she'd she'll she's should shouldn't since so some
    somebody someone something sometimes somewhere soon still such sure than that that'll that's the
    their theirs them themselves then thence there there's thereby therefore these they they'd
    they'll they're they've this those though through throughout thus till to together too toward
    towards under underneath unless unlike until unto up upon us use used uses using usually versus
    very via was wasn't we we'd we'll we're we've well were weren't what what's whatever when
    whenever where where's whereas whereby wherever whether which whichever while who who's whoever
    whole whom whose why will with within without won't would wouldn't yes yet you you'd you'll
    you're you've your yours yourself yourselves
"""

ENGLISH_STOP_WORDS = frozenset(_WORDS.split())
"""Ours, about as broad as the list of OBELICS, whose shares of stop words it is for."""
